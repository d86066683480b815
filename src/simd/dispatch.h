/* Which SIMD target runs: chosen once, by the CPU or by the environment variable
 * SPL_TARGET. */
#ifndef SPL_SIMD_DISPATCH_H
#define SPL_SIMD_DISPATCH_H

#include "base/status.h"

typedef enum {
    SPL_TARGET_SCALAR,
    SPL_TARGET_V3,
    SPL_TARGET_V4,
    SPL_N_TARGETS
} spl_target;

extern const char *const spl_target_names[SPL_N_TARGETS];

/* Choose the best target of this CPU, or the one that SPL_TARGET names.
 * Result: SPL_OK; SPL_ERR_UNSUPPORTED if SPL_TARGET names an unknown target or one the
 * CPU lacks. */
SPL_MUST_CHECK spl_status spl_target_choose(spl_target *out);

/* Tell whether this CPU runs the code of a target. */
int spl_target_available(spl_target target);

#endif
