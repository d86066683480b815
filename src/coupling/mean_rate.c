/* mean_rate - mean firing of the sources: c_i = a / k_i sum_j w_ij Q_V(V_j(t - d_ij)) +
 * b. k_i is the in-strength of node i (coupling.normalise: in_strength) or 1 (none). The
 * form of Breakspear et al. 2003 (Network 14:703), Roberts et al. 2019 (Nat Commun
 * 10:1056). */
#define COUPLING mean_rate
#define COUPLING_SUMMARY \
    "c = a sum w x_j / k + b, x the model's observable, k the in-strength or 1"
#define COUPLING_SENDS_OBSERVABLE true
#define COUPLING_IN_STRENGTH      true
#define COUPLING_AFFINE
/* clang-format off */
#define PARAMS(X)                                                                          \
    X(a, 1.0, "1", 0.0, 1.0, FINITE, "global coupling strength")                           \
    X(b, 0.0, "1", 0.0, 1.0, FINITE, "constant input")
/* clang-format on */
#include "coupling/template_begin.h"
#include "coupling/template_end.h"
