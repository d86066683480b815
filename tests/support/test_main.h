/* The shared runner of all Check programs: every test program defines spl_test_suite().
 * TAP goes to stdout for Meson; a single test case runs with `program NAME`. */
#ifndef SPL_TEST_MAIN_H
#define SPL_TEST_MAIN_H

#include <check.h>
#include <stdlib.h>

Suite *spl_test_suite(void);

/* Cases that valgrind is not given: they take seconds without it. */
static inline TCase *test_long_cases(Suite *suite)
{
    TCase *cases = tcase_create("long");
    tcase_set_tags(cases, "long");
    /* meson's limit is the one */
    tcase_set_timeout(cases, 0);
    suite_add_tcase(suite, cases);
    return cases;
}

int main(int argc, char **argv)
{
    SRunner *runner = srunner_create(spl_test_suite());
    if (getenv("CK_TAP_LOG_FILE_NAME") == NULL) {
        srunner_set_tap(runner, "-");
    }
    srunner_run(runner, NULL, argc > 1 ? argv[1] : NULL, CK_SILENT);
    /* Meson reads the results from TAP and takes a non-zero exit for a crash */
    srunner_free(runner);
    return 0;
}

#endif
