/* An allocator of the test program that fails when it is told to, and counts what is
 * left. Include it in one file of the program; not for builds with sanitizers, which have
 * an allocator of their own. */
#ifndef SPL_TEST_FAILING_MALLOC_H
#define SPL_TEST_FAILING_MALLOC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

/* While `watching`, the allocation after n_until_failure others fails. */
static atomic_bool watching;
static atomic_long n_until_failure, n_live;

static bool fails(void)
{
    return watching && n_until_failure-- == 0;
}

static void *taken(void *memory)
{
    n_live += watching && memory != NULL;
    return memory;
}

void *malloc(size_t size)
{
    return fails() ? NULL : taken(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : taken(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
    if (fails()) {
        return NULL;
    }
    void *moved = __libc_realloc(memory, size);
    n_live += watching && memory == NULL && moved != NULL;
    return moved;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : taken(__libc_memalign(alignment, size));
}

void free(void *memory)
{
    n_live -= watching && memory != NULL;
    __libc_free(memory);
}

#endif
