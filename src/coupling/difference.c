/* difference - TVB's Difference: c_i = a sum_j w_ij (x_j(t - d_ij) - x_i(t)), x_i without
 * delay and taken at the stage; brainmass calls it diffusive. */
#define COUPLING                  difference
#define COUPLING_SUMMARY          "c = a sum w (x_j - x_i)"
#define COUPLING_SENDS_OBSERVABLE true
#define COUPLING_IN_STRENGTH      false
#define COUPLING_AFFINE
#define COUPLING_DIFFERENCE true
/* clang-format off */
#define PARAMS(X) X(a, 0.1, "1", 0.0, 1.0, FINITE, "global coupling strength")
/* clang-format on */
#include "coupling/template_begin.h"
#include "coupling/template_end.h"
