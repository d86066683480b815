#include "rng/rng.h"

extern const spl_rng_kernels SPL_PRECISE(spl_rng_kernels_scalar),
    SPL_PRECISE(spl_rng_kernels_v3), SPL_PRECISE(spl_rng_kernels_v4);

const spl_rng_kernels *spl_rng_kernels_of(spl_target target)
{
    static const spl_rng_kernels *const kernels[SPL_N_TARGETS] = {
        &SPL_PRECISE(spl_rng_kernels_scalar), &SPL_PRECISE(spl_rng_kernels_v3),
        &SPL_PRECISE(spl_rng_kernels_v4)};
    return kernels[target];
}
