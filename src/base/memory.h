/* How much memory there is, before a large block is asked for: Linux grants more than it
 * has and kills whoever uses it. */
#ifndef SPL_BASE_MEMORY_H
#define SPL_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Bytes that can still be used, by the machine and by this process's control group;
 * UINT64_MAX if the system does not tell. */
uint64_t spl_memory_available(void);

/* Ask before `bytes` are allocated for `what`. Small blocks always pass. Result: SPL_OK;
 * SPL_ERR_NO_MEMORY with both numbers. */
SPL_MUST_CHECK spl_status spl_memory_check(uint64_t bytes, const char *what);

/* Memory of at least `bytes`, 64-byte aligned; on huge pages where it is large, or fills
 * them nearly, and the system has them. Free with free. Result: NULL if there is none. */
void *spl_memory_take(size_t bytes);

#endif
