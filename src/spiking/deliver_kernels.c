#include "spiking/rows.h"

extern const spl_delivery_kernels SPL_PRECISE(spl_delivery_kernels_scalar),
    SPL_PRECISE(spl_delivery_kernels_v3), SPL_PRECISE(spl_delivery_kernels_v4);

const spl_delivery_kernels *spl_delivery_kernels_of(spl_target target)
{
    static const spl_delivery_kernels *const kernels[SPL_N_TARGETS] = {
        &SPL_PRECISE(spl_delivery_kernels_scalar), &SPL_PRECISE(spl_delivery_kernels_v3),
        &SPL_PRECISE(spl_delivery_kernels_v4)};
    return kernels[target];
}
