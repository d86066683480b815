#include <string.h>

#include "base/status.h"
#include "coupling/coupling_list.h"
#include "coupling/registry.h"
#include "coupling/sums.h"

#define DECLARE(name)                                                            \
    extern const spl_coupling_kernels SPL_PRECISE(spl_coupling_##name##_scalar), \
        SPL_PRECISE(spl_coupling_##name##_v3), SPL_PRECISE(spl_coupling_##name##_v4);
SPL_COUPLING_LIST(DECLARE)

#define ROW(name)                                                                        \
    {&SPL_PRECISE(spl_coupling_##name##_scalar), &SPL_PRECISE(spl_coupling_##name##_v3), \
        &SPL_PRECISE(spl_coupling_##name##_v4)},
static const spl_coupling_kernels *const couplings[][SPL_N_TARGETS] = {
    SPL_COUPLING_LIST(ROW)};

const spl_coupling_kernels *spl_coupling_kernels_of(
    const spl_coupling *coupling, spl_target target)
{
    for (size_t i = 0; i < sizeof couplings / sizeof *couplings; i++) {
        if (strcmp(couplings[i][target]->info->name, coupling->name) == 0) {
            return couplings[i][target];
        }
    }
    spl_bug_abort("coupling function is not registered", __FILE__, __LINE__);
}

extern const spl_sum_kernels SPL_PRECISE(spl_sum_kernels_scalar),
    SPL_PRECISE(spl_sum_kernels_v3), SPL_PRECISE(spl_sum_kernels_v4);

const spl_sum_kernels *spl_sum_kernels_of(spl_target target)
{
    static const spl_sum_kernels *const kernels[SPL_N_TARGETS] = {
        &SPL_PRECISE(spl_sum_kernels_scalar), &SPL_PRECISE(spl_sum_kernels_v3),
        &SPL_PRECISE(spl_sum_kernels_v4)};
    return kernels[target];
}
