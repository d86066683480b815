/* Making rows without memory: whichever allocation fails, the status says so and nothing
 * is left behind. */
#include "support/failing_malloc.h"
#include "unit/spiking/projection.h"

/* A projection that takes all there is: marks of draws, in-degrees, index, entries, place
 * to sort. */
START_TEST(every_failure_is_told)
{
    projection p;
    projection_init(&p, SPL_CONNECT_FIXED_OUTDEGREE, 100, 100);
    p.projection.number = 20;
    p.projection.allow_multapses = false;
    p.projection.weight = DRAW_BETWEEN(0.0, 1.0);
    p.projection.by_indegree = true;
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
    ck_assert_int_eq(n_failures, 7);
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
