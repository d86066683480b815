/* One block of memory for all arrays of an object, laid out by running the same function
 * twice. */
#ifndef SPL_BASE_ARENA_H
#define SPL_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

#define SPL_ALIGNMENT 64

/* While `base` is NULL the arena only measures: spl_arena_take returns NULL and counts.
 */
typedef struct spl_arena {
    char *base;
    size_t used;
    size_t size;
    bool overflow;
} spl_arena;

/* Take `count` items of `item_bytes`, zeroed, 64-byte aligned; NULL while measuring. */
void *spl_arena_take(spl_arena *arena, size_t count, size_t item_bytes);

/* Allocate what the measuring pass counted and start placing.
 * Result: SPL_OK; SPL_ERR_NO_MEMORY if the system refuses or the sizes overflow. */
SPL_MUST_CHECK spl_status spl_arena_commit(spl_arena *arena);

void spl_arena_deinit(spl_arena *arena);

#endif
