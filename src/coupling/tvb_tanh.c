/* tvb_tanh - TVB's HyperbolicTangent, a sigmoid before the sum:
 * c_i = sum_j w_ij a (1 + tanh((b x_j - midpoint) / sigma)). With a = QV_max / 2, b = 1,
 * midpoint = VT, sigma = d_V on V this is the raw mean rate of Larter-Breakspear.
 * 1 + tanh(y) = 2 / (1 + exp(-2 y)). */
#define COUPLING                  tvb_tanh
#define COUPLING_SUMMARY          "c = sum w a (1 + tanh((b x_j - midpoint) / sigma))"
#define COUPLING_SENDS_OBSERVABLE false
#define COUPLING_IN_STRENGTH      false
/* clang-format off */
#define PARAMS(X)                                                                          \
    X(a,        1.0, "1", 0.0,  1.0, FINITE,   "half the height of the sigmoid")           \
    X(b,        1.0, "1", -1.0, 1.0, FINITE,   "factor on the state of the source")        \
    X(midpoint, 0.0, "1", -1.0, 1.0, FINITE,   "centre of the sigmoid")                    \
    X(sigma,    1.0, "1", 0.01, 1.0, POSITIVE, "width of the sigmoid")
/* clang-format on */
#include "coupling/template_begin.h"

COUPLING_PRE
{
    const vec rate = vec_set(-2.0 / (p.sigma * M_LN2) * p.b);
    const vec offset = vec_set(2.0 * p.midpoint / (p.sigma * M_LN2));
    sent[0] = vec_set(2.0 * p.a) * vec_gate(x, rate, offset);
}

COUPLING_POST
{
    (void)p, (void)x, (void)n;
    return sum[0];
}

#include "coupling/template_end.h"
