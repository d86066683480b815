/* First half of every coupling function's file: its table PARAMS becomes a type. In the
 * bodies COUPLING_PRE   x of the source; fills sent[0], sent[1] COUPLING_POST  sum[0],
 * sum[1], x of the target, n = number of nodes; returns the input c p parameters as
 * doubles A coupling that is affine in the sum and sends x itself defines COUPLING_AFFINE
 * instead: the node kernels then form a sum + b by themselves. One whose COUPLING_PRE is
 * the identity may define COUPLING_SENDS_X true: its nodes can carry subnetworks. */
#include "coupling/coupling.h"
#include "simd/vec_math.h"

#define COUPLING_FIELD(name, ...) double name;
typedef struct {
    PARAMS(COUPLING_FIELD)
} coupling_params;

#define COUPLING_PRE VEC_INLINE void pre(const coupling_params p, const vec x, vec *sent)
#define COUPLING_POST    \
    VEC_INLINE vec post( \
        const coupling_params p, const vec *sum, const vec x, const double n)
