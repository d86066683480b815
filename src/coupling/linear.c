/* linear - TVB's Linear: c_i = a sum_j w_ij x_j(t - d_ij) + b. TVB sends V
 * (coupling.observable: V); by default the model's observable is sent. */
#define COUPLING                  linear
#define COUPLING_SUMMARY          "c = a sum w x_j + b"
#define COUPLING_SENDS_OBSERVABLE true
#define COUPLING_IN_STRENGTH      false
#define COUPLING_AFFINE
/* clang-format off */
#define PARAMS(X)                                                                          \
    X(a, 0.00390625, "1", 0.0, 1.0, FINITE, "global coupling strength, 1/256")             \
    X(b, 0.0,        "1", 0.0, 1.0, FINITE, "constant input")
/* clang-format on */
#include "coupling/template_begin.h"
#include "coupling/template_end.h"
