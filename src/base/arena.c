#include "base/arena.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void *spl_arena_take(spl_arena *arena, size_t count, size_t item_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, item_bytes, &bytes) ||
        __builtin_add_overflow(bytes, SPL_ALIGNMENT - 1, &bytes)) {
        arena->overflow = true;
        return NULL;
    }
    bytes &= ~(size_t)(SPL_ALIGNMENT - 1);
    void *place = arena->base != NULL ? arena->base + arena->used : NULL;
    if (__builtin_add_overflow(arena->used, bytes, &arena->used)) {
        arena->overflow = true;
    }
    spl_bug_assert(arena->base == NULL || arena->used <= arena->size);
    return place;
}

spl_status spl_arena_commit(spl_arena *arena)
{
    spl_bug_assert(arena->base == NULL);
    if (arena->overflow) {
        return spl_error(
            SPL_ERR_NO_MEMORY, "out of memory: the sizes of this run overflow");
    }
    const size_t bytes = arena->used > 0 ? arena->used : SPL_ALIGNMENT;
    spl_status status =
        spl_memory_check(bytes, "the network, most of it the history of the delays,");
    if (status != SPL_OK) {
        return status;
    }
    arena->base = spl_memory_take(bytes);
    if (arena->base == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: need %zu bytes", bytes);
    }
    memset(arena->base, 0, bytes);
    arena->size = arena->used;
    arena->used = 0;
    return SPL_OK;
}

void spl_arena_deinit(spl_arena *arena)
{
    free(arena->base);
    *arena = (spl_arena){0};
}
