/* kuramoto - phase coupling: c_i = a / n sum_j w_ij sin(x_j(t - d_ij) - x_i(t)), n the
 * number of nodes. Two sums, of sin x_j and cos x_j, and a rotation by x_i: sin(x_j -
 * x_i) = sin x_j cos x_i - cos x_j sin x_i. TVB divides by the number of coupling
 * variables instead of the nodes, against its own documentation. */
#define COUPLING                  kuramoto
#define COUPLING_SUMMARY          "c = (a / n) sum w sin(x_j - x_i), n the number of nodes"
#define COUPLING_SENDS_OBSERVABLE false
#define COUPLING_IN_STRENGTH      false
#define COUPLING_CHANNELS         2
/* clang-format off */
#define PARAMS(X) X(a, 1.0, "1", 0.0, 1.0, FINITE, "global coupling strength")
/* clang-format on */
#include "coupling/template_begin.h"

COUPLING_PRE
{
    (void)p;
    vec_sincos(x, &sent[0], &sent[1]);
}

COUPLING_POST
{
    vec sine;
    vec cosine;
    vec_sincos(x, &sine, &cosine);
    return vec_set(p.a / n) * vec_fma(sum[0], cosine, -(sum[1] * sine));
}

#include "coupling/template_end.h"
