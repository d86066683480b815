/* Relay neurons in fixed point, oscillation and irregular activity, 60 s each. The fixed
 * point depends on no weight: mean and noise of Q_0 are known there. Elsewhere they are
 * the network's own, trajectories differ from run to run, and what is compared with LB
 * alone is mean and standard deviation of V of another node. */
#include <stdio.h>

#include "relay.h"

static const double d_V[] = {0.50, 0.57, 0.65};
static const size_t neurons[] = {10000, 1000, 100};
enum { N_D_V = 3, N_NEURONS = 3 };

/* Of 0.5 (1 + tanh((V - V_T) / d_V)) at the fixed point, and Q sqrt(1 / (2 tau_f N r)).
 */
static const double fixed_Q = 0.32167, fixed_sd[] = {0.0057, 0.0179, 0.0567};

START_TEST(a_relay_reproduces_the_mean_field)
{
    const bool fixed = _i < N_NEURONS;
    const size_t n = (size_t)_i % N_NEURONS;
    const relay_result alone = relay_run(d_V[_i / N_NEURONS], 0, 60.0);
    const relay_result relay = relay_run(d_V[_i / N_NEURONS], neurons[n], 60.0);
    fprintf(stderr,
        "# d_V %.2f, N %zu: Q_0 alone %.5f, relay %.5f (sd %.4f), spikes/expected %.4f; "
        "V_1 %.3f +- %.3f, alone %.3f +- %.3f\n",
        d_V[_i / N_NEURONS], neurons[n], alone.mean, relay.mean, relay.sd,
        relay.spikes / relay.expected, relay.V1_mean, relay.V1_sd, alone.V1_mean,
        alone.V1_sd);
    if (fixed) {
        ck_assert_double_eq_tol(alone.mean, fixed_Q, 1e-3 * fixed_Q);
        ck_assert_double_eq_tol(relay.mean, fixed_Q, 0.01 * fixed_Q);
        ck_assert_double_eq_tol(relay.sd, fixed_sd[n], 0.05 * fixed_sd[n]);
    } else {
        ck_assert_double_eq_tol(relay.V1_sd, alone.V1_sd, 0.1 * alone.V1_sd);
    }
    ck_assert_double_eq_tol(relay.V1_mean, alone.V1_mean, 0.1 * fabs(alone.V1_mean));
    ck_assert_double_eq_tol(relay.spikes, relay.expected, 4.0 * sqrt(relay.expected));
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("relay_table");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 250);
    tcase_add_loop_test(all, a_relay_reproduces_the_mean_field, 0, N_D_V * N_NEURONS);
    suite_add_tcase(suite, all);
    return suite;
}
