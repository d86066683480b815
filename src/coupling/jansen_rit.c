/* jansen_rit - TVB's SigmoidalJansenRit, a sigmoid before the sum:
 * c_i = a sum_j w_ij (cmin + (cmax - cmin) / (1 + exp(r (midpoint - x_j)))).
 * Jansen & Rit 1995 (Biol Cybern 73:357) with x = y1 - y2; here x is the state or
 * observable sent. */
#define COUPLING jansen_rit
#define COUPLING_SUMMARY \
    "c = a sum w (cmin + (cmax - cmin) / (1 + exp(r (midpoint - x_j))))"
#define COUPLING_SENDS_OBSERVABLE false
#define COUPLING_IN_STRENGTH      false
/* clang-format off */
#define PARAMS(X)                                                                          \
    X(cmin,     0.0,   "1", -1.0, 1.0,  FINITE, "lowest output of the sigmoid")            \
    X(cmax,     0.005, "1", 0.0,  1.0,  FINITE, "highest output of the sigmoid")           \
    X(midpoint, 6.0,   "1", -1.0, 10.0, FINITE, "centre of the sigmoid")                   \
    X(r,        0.56,  "1", 0.0,  5.0,  FINITE, "steepness of the sigmoid")                \
    X(a,        1.0,   "1", 0.0,  1.0,  FINITE, "global coupling strength")
/* clang-format on */
#include "coupling/template_begin.h"

COUPLING_PRE
{
    const vec gate =
        vec_gate(x, vec_set(-p.r / M_LN2), vec_set(p.r * p.midpoint / M_LN2));
    sent[0] = vec_fma(vec_set(p.cmax - p.cmin), gate, vec_set(p.cmin));
}

COUPLING_POST
{
    (void)x, (void)n;
    return vec_set(p.a) * sum[0];
}

#include "coupling/template_end.h"
