/* Poisson neurons that relay the mean field reproduce it. At d_V
 * = 0.50 the network has a fixed point that depends on neither weights nor coupling; the
 * noise of the rate follows Q sqrt(1 / (2 tau_f N r)). */
#include <stdio.h>

#include "relay.h"

static void print(const char *what, const relay_result *r)
{
    fprintf(stderr, "# %s: <Q0> %.5f sd %.4f, spikes/expected %.4f, V1 %.3f +- %.3f\n",
        what, r->mean, r->sd, r->expected > 0.0 ? r->spikes / r->expected : 0.0,
        r->V1_mean, r->V1_sd);
}

START_TEST(a_relay_keeps_the_fixed_point)
{
    static const size_t neurons[] = {1000, 100};
    static const double sd[] = {0.0179, 0.0567};
    const size_t n = neurons[_i];
    const relay_result alone = relay_run(0.5, 0, 10.0);
    const relay_result relay = relay_run(0.5, n, 60.0);
    print("LB alone", &alone);
    print("relay", &relay);
    ck_assert_double_eq_tol(alone.mean, 0.32167, 1e-4);
    ck_assert_double_lt(alone.sd, 1e-4);
    /* four standard errors: 2 tau_f of 55 s are independent */
    ck_assert_double_eq_tol(relay.mean, 0.32167, 4.0 * sd[_i] * sqrt(20.0 / 55000.0));
    ck_assert_double_eq_tol(relay.sd, sd[_i], 0.05 * sd[_i]);
    ck_assert_double_eq_tol(relay.spikes, relay.expected, 4.0 * sqrt(relay.expected));
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("relay");
    TCase *all = tcase_create("all");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(all, 100);
    tcase_add_loop_test(lengthy, a_relay_keeps_the_fixed_point, 0, 2);
    suite_add_tcase(suite, all);
    return suite;
}
