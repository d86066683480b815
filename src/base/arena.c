#include "base/arena.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A large arena lies on huge pages where the system has them: sums of 998 nodes, whose
 * history takes 8 MB, are a tenth faster. */
#define HUGE_PAGE ((size_t)2 << 20)
#define LARGE     (2 * HUGE_PAGE)

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
    const size_t alignment = bytes >= LARGE ? HUGE_PAGE : SPL_ALIGNMENT;
    const size_t whole = (bytes + alignment - 1) & ~(alignment - 1);
    spl_status status =
        spl_memory_check(whole, "the network, most of it the history of the delays,");
    if (status != SPL_OK) {
        return status;
    }
    arena->base = aligned_alloc(alignment, whole);
    if (arena->base == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: need %zu bytes", bytes);
    }
    if (bytes >= LARGE) {
        /* refused, it makes no difference but speed */
        (void)madvise(arena->base, bytes, MADV_HUGEPAGE);
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
