#include "simd/dispatch.h"

#include <stdlib.h>
#include <string.h>

const char *const spl_target_names[SPL_N_TARGETS] = {"scalar", "v3", "v4"};

/* Every feature of the x86-64 level is asked for: clang 14 does not know the level names,
 * and valgrind hides AVX-512 only partly. */
int spl_target_available(spl_target target)
{
    __builtin_cpu_init();
    int v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
             __builtin_cpu_supports("avx") && __builtin_cpu_supports("popcnt");
    int v4 = v3 && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return target == SPL_TARGET_SCALAR || (target == SPL_TARGET_V3 && v3) ||
           (target == SPL_TARGET_V4 && v4);
}

spl_status spl_target_choose(spl_target *out)
{
    const char *forced = getenv("SPL_TARGET");
    if (forced == NULL || *forced == '\0') {
        *out = spl_target_available(SPL_TARGET_V4)   ? SPL_TARGET_V4
               : spl_target_available(SPL_TARGET_V3) ? SPL_TARGET_V3
                                                     : SPL_TARGET_SCALAR;
        return SPL_OK;
    }
    for (int target = 0; target < SPL_N_TARGETS; target++) {
        if (strcmp(forced, spl_target_names[target]) != 0) {
            continue;
        }
        if (!spl_target_available((spl_target)target)) {
            return spl_error(SPL_ERR_UNSUPPORTED,
                "SPL_TARGET=%s: this CPU lacks the instructions; unset SPL_TARGET",
                forced);
        }
        *out = (spl_target)target;
        return SPL_OK;
    }
    return spl_error(SPL_ERR_UNSUPPORTED,
        "SPL_TARGET=%s: unknown target; use scalar, v3 or v4", forced);
}
