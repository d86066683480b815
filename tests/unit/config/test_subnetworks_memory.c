/* Resolving subnetworks without memory: whichever allocation fails, the status says so
 * and nothing is left behind. */
#include "support/failing_malloc.h"
#include "unit/config/support.h"

static const char yaml[] =
    "subnetworks:\n"
    "  - {name: n, nu0: 1}\n"
    "  - name: m\n"
    "    receptors: {slow: {kernel: dual, tau_rise: 2, tau_decay: 80, E: 5}}\n"
    "    populations:\n"
    "      - {name: A, size: 2, preset: FS, current: {values: [1, 2]}, record: [1, 0],\n"
    "         current_steps: [[0, 1]], background: [{rate: 1, weight: 1}]}\n"
    "    projections:\n"
    "      - {from: A, to: A, K: 3, weight: {normal: [1, 1], low: 0}, receptor: slow}\n"
    "      - {from: A, to: A, rule: all_to_all, weight: 1, receptor: slow}\n";

START_TEST(every_failure_is_told)
{
    spl_config *config = read_text(yaml);
    long n_failures = 0;
    for (;;) {
        spl_settings settings = {0};
        n_live = 0;
        n_until_failure = n_failures;
        watching = true;
        const spl_status status = spl_config_resolve(config, NULL, &settings);
        spl_settings_free(&settings);
        watching = false;
        ck_assert_msg(n_live == 0, "failure %ld leaves %ld", n_failures, (long)n_live);
        if (status == SPL_OK) {
            break;
        }
        ck_assert_msg(
            status == SPL_ERR_NO_MEMORY, "failure %ld: %s", n_failures, spl_last_error());
        n_failures++;
    }
    ck_assert_int_gt(n_failures, 100);
    spl_config_free(config);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("subnetworks_memory");
    TCase *tests = tcase_create("subnetworks_memory");
    tcase_add_test(tests, every_failure_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}
