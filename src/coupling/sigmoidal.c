/* sigmoidal - TVB's Sigmoidal, a sigmoid after the sum s_i = sum_j w_ij x_j(t - d_ij):
 * c_i = cmin + (cmax - cmin) / (1 + exp(-a (s_i - midpoint) / sigma)). */
#define COUPLING sigmoidal
#define COUPLING_SUMMARY \
    "c = cmin + (cmax - cmin) / (1 + exp(-a (sum w x_j - midpoint) / sigma))"
#define COUPLING_SENDS_OBSERVABLE true
#define COUPLING_IN_STRENGTH      false
#define COUPLING_SENDS_X          true
/* clang-format off */
#define PARAMS(X)                                                                          \
    X(cmin,     -1.0,  "1", -1.0, 1.0,   FINITE,   "lowest input")                         \
    X(cmax,     1.0,   "1", 0.0,  1.0,   FINITE,   "highest input")                        \
    X(midpoint, 0.0,   "1", -1.0, 1.0,   FINITE,   "centre of the sigmoid")                \
    X(a,        1.0,   "1", 0.0,  1.0,   FINITE,   "scaling of the argument")              \
    X(sigma,    230.0, "1", 0.01, 500.0, POSITIVE, "width of the sigmoid")
/* clang-format on */
#include "coupling/template_begin.h"

COUPLING_PRE
{
    (void)p;
    sent[0] = x;
}

COUPLING_POST
{
    const double rate = -p.a / (p.sigma * M_LN2);
    const vec gate = vec_gate(sum[0], vec_set(rate), vec_set(-rate * p.midpoint));
    (void)x, (void)n;
    return vec_fma(vec_set(p.cmax - p.cmin), gate, vec_set(p.cmin));
}

#include "coupling/template_end.h"
