/* The whole table of spiking.md 13, test 4: fixed point, oscillation and irregular
 * activity, 60 s each. Away from the fixed point trajectories differ from run to run, and
 * only mean and standard deviation are compared: Q_0 within 1 % and the noise that the
 * neurons add, V of node 1 within that of the table. */
#include <stdio.h>

#include "relay.h"

typedef struct row {
    double d_V, alone;
    double mean[3], sd[3]; /* N = 1e4, 1000, 100 */
} row;

static const row table[] = {
    {0.50, 0.32167, {0.32175, 0.32128, 0.32038}, {0.0057, 0.0179, 0.0567}},
    {0.57, 0.3123, {0.3114, 0.3115, 0.3098}, {0.0457, 0.0481, 0.0724}},
    {0.65, 0.3445, {0.3435, 0.3434, 0.3440}, {0.0345, 0.0388, 0.0693}},
};

START_TEST(a_relay_reproduces_the_mean_field)
{
    static const size_t neurons[] = {10000, 1000, 100};
    const row *r = &table[_i / 3];
    const size_t n = (size_t)_i % 3;
    const relay_result alone = relay_run(r->d_V, 0, 60.0);
    const relay_result relay = relay_run(r->d_V, neurons[n], 60.0);
    fprintf(stderr,
        "# d_V %.2f, N %zu: alone %.5f (%.4f), relay %.5f (%.4f) sd %.4f (%.4f), "
        "spikes/expected %.4f; V1 %.3f +- %.3f, alone %.3f +- %.3f\n",
        r->d_V, neurons[n], alone.mean, r->alone, relay.mean, r->mean[n], relay.sd,
        r->sd[n], relay.spikes / relay.expected, relay.V1_mean, relay.V1_sd,
        alone.V1_mean, alone.V1_sd);
    ck_assert_double_eq_tol(alone.mean, r->alone, 0.01 * r->alone);
    ck_assert_double_eq_tol(relay.mean, r->mean[n], 0.01 * r->mean[n]);
    ck_assert_double_eq_tol(relay.sd, r->sd[n], (_i < 3 ? 0.05 : 0.1) * r->sd[n]);
    ck_assert_double_eq_tol(relay.spikes, relay.expected, 4.0 * sqrt(relay.expected));
    ck_assert_double_eq_tol(relay.V1_mean, alone.V1_mean, 0.1 * fabs(alone.V1_mean));
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("relay_table");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 250);
    tcase_add_loop_test(all, a_relay_reproduces_the_mean_field, 0, 9);
    suite_add_tcase(suite, all);
    return suite;
}
