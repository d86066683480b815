/* Orders of convergence on linear equations with exact solutions: constant input, two
 * undelayed nodes, a delay. */
#include <math.h>

#include "numeric/order.h"

START_TEST(decay_towards_a_constant)
{
    static const double zero[] = {0.0};
    static const double start[] = {1.0};
    static const double gamma = -0.3;
    static const double input = 0.2;
    const problem p = {.model = "{name: linear, gamma: -0.3}",
        .coupling = "{function: linear, normalise: none, b: 0.2}",
        .connectome = "{}",
        .n_nodes = 1,
        .weights = zero,
        .start = start,
        .end = 8.0};
    const double exact = (1.0 + input / gamma) * exp(gamma * p.end) - input / gamma;
    for (size_t s = 0; s < SPL_N_SCHEMES; s++) {
        for (size_t k = 0; k < 2; k++) {
            const method m = {spl_schemes[s].name, "per-stage",
                k == 0 ? "production" : "reference", "auto"};
            double out[1];
            if (!spl_schemes[s].exponential) {
                check_order(&p, &m, 0.25, 4, &exact, 1, spl_schemes[s].order);
                continue;
            }
            /* its slope is the exact mean over the step, whatever the step */
            solve(&p, &m, 2.0, out);
            ck_assert_double_eq_tol(out[0], exact, 1e-15);
        }
    }
}
END_TEST

/* Two nodes, x1' = gamma x1 + u x2, x2' = gamma x2 + v x1: with s = sqrt(u v)
 * x1 = exp(gamma t) (x1(0) cosh(s t) + u / s x2(0) sinh(s t)), x2 likewise. */
START_TEST(two_undelayed_nodes)
{
    static const double weights[] = {0.0, 0.4, 0.1, 0.0};
    static const double start[] = {1.0, -0.5};
    static const char *const sums[] = {"dense", "sparse"};
    const problem p = {.model = "{name: linear, gamma: -0.3}",
        .coupling = "{function: linear, normalise: none, a: 1}",
        .connectome = "{delays: false}",
        .n_nodes = 2,
        .weights = weights,
        .start = start,
        .end = 8.0};
    const double decay = exp(-0.3 * p.end);
    const double s = 0.2;
    const double exact[] = {decay * (cosh(s * p.end) - 0.5 * 0.4 / s * sinh(s * p.end)),
        decay * (-0.5 * cosh(s * p.end) + 0.1 / s * sinh(s * p.end))};
    for (size_t k = 0; k < SPL_N_SCHEMES; k++) {
        for (size_t d = 0; d < 2; d++) {
            const method per_stage = {
                spl_schemes[k].name, "per-stage", "production", sums[d]};
            const method frozen = {spl_schemes[k].name, "frozen", "production", sums[d]};
            check_order(&p, &per_stage, 0.25, 4, exact, 2, spl_schemes[k].order);
            check_order(&p, &frozen, 0.25, 4, exact, 2, 1);
        }
        const method naive = {spl_schemes[k].name, "per-stage", "reference", "auto"};
        check_order(&p, &naive, 0.25, 4, exact, 2, spl_schemes[k].order);
    }
}
END_TEST

/* Integral from 0 to u of s^k / k! exp(gamma s) ds. */
static long double moment(int k, long double gamma, long double u)
{
    long double term = 1.0L;
    long double result = expm1l(gamma * u) / gamma;
    for (int i = 1; i <= k; i++) {
        term *= u / i;
        result = (term * expl(gamma * u) - result) / gamma;
    }
    return result;
}

/* x' = gamma x + a x(t - tau), x = 1 up to t = 0. By the method of steps, with the
 * fundamental solution X(t) = sum_k a^k (t - k tau)^k / k! exp(gamma (t - k tau)):
 * x(t) = X(t) + a integral of X from t - tau to t. */
static double delayed_solution(
    long double gamma, long double a, long double tau, long double t)
{
    long double x = 0.0L;
    long double power = 1.0L;
    long double factorial = 1.0L;
    for (int k = 0; (long double)k * tau <= t; k++) {
        const long double u = t - (long double)k * tau;
        const long double before = u - tau;
        factorial *= k > 0 ? k : 1;
        x += power * powl(u, k) / factorial * expl(gamma * u);
        x += a * power * moment(k, gamma, u);
        x -= before > 0.0L ? a * power * moment(k, gamma, before) : 0.0L;
        power *= a;
    }
    return (double)x;
}

START_TEST(linear_delay_equation)
{
    static const double weights[] = {0.2};
    static const double start[] = {1.0};
    const problem p = {.model = "{name: linear, gamma: -0.3}",
        .coupling = "{function: linear, normalise: none, a: 1}",
        .connectome = "{delay: 2 ms}",
        .n_nodes = 1,
        .weights = weights,
        .start = start,
        .end = 9.0};
    const double exact = delayed_solution(-0.3L, 0.2L, 2.0L, 9.0L);
    for (size_t k = 0; k < SPL_N_SCHEMES; k++) {
        const method per_stage = {spl_schemes[k].name, "per-stage", "production", "auto"};
        const method naive = {spl_schemes[k].name, "per-stage", "reference", "auto"};
        const method frozen = {spl_schemes[k].name, "frozen", "production", "auto"};
        check_order(&p, &per_stage, 0.25, 4, &exact, 1, spl_schemes[k].order);
        check_order(&p, &naive, 0.25, 4, &exact, 1, spl_schemes[k].order);
        check_order(&p, &frozen, 0.25, 4, &exact, 1, 1);
    }
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("order");
    TCase *linear = tcase_create("linear");
    tcase_set_timeout(linear, 60);
    tcase_add_test(linear, decay_towards_a_constant);
    tcase_add_test(linear, two_undelayed_nodes);
    tcase_add_test(linear, linear_delay_equation);
    suite_add_tcase(suite, linear);
    return suite;
}
