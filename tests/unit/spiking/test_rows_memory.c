/* Making rows without memory: whichever allocation fails, the status says so and nothing
 * is left behind. */
#include <stdatomic.h>
#include <stdlib.h>

#include "unit/spiking/projection.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

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

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : taken(__libc_memalign(alignment, size));
}

void free(void *memory)
{
    n_live -= watching && memory != NULL;
    __libc_free(memory);
}

/* A projection that takes all there is: marks of draws, index, entries, place to sort. */
START_TEST(every_failure_is_told)
{
    projection p;
    projection_init(&p, SPL_CONNECT_FIXED_OUTDEGREE, 100, 100);
    p.projection.number = 20;
    p.projection.allow_multapses = false;
    p.projection.weight = DRAW_BETWEEN(0.0, 1.0);
    p.projection.delay = DRAW_BETWEEN(0.1, 5.0);
    long n_failures = 0;
    for (;;) {
        spl_rows *rows = NULL;
        n_live = 0;
        n_until_failure = n_failures;
        watching = true;
        const spl_status status = spl_rows_create(&rows, &p.spec, 0, &p.run);
        spl_rows_free(rows);
        watching = false;
        ck_assert_int_eq(n_live, 0);
        if (status == SPL_OK) {
            break;
        }
        ck_assert_int_eq(status, SPL_ERR_NO_MEMORY);
        ck_assert_ptr_null(rows);
        n_failures++;
    }
    ck_assert_int_eq(n_failures, 6);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("spiking_rows_memory");
    TCase *all = tcase_create("all");
    tcase_add_test(all, every_failure_is_told);
    suite_add_tcase(suite, all);
    return suite;
}
