/* Gates that share an exponential: when they do, and that the equations stay the same. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "model/registry.h"
#include "support/network_run.h"
#include "support/random.h"
#include "support/test_main.h"

enum { NODES = 19, N_STATES = 3 };

/* Spacing of numbers near 1. */
#define EPSILON (SPL_REAL_BYTES == 4 ? (double)FLT_EPSILON : DBL_EPSILON)

static network_run assemble(const char *name, size_t node, double value)
{
    network_run run;
    spl_connectome *connectome = make_connectome(NODES, NULL, NULL);
    network_settle(&run, connectome, "simulation: {dt: 0.1}");
    if (name != NULL) {
        network_param(&run, name)[node] = value;
    }
    network_assemble(&run, connectome);
    spl_connectome_free(connectome);
    return run;
}

static bool shares(const char *name, size_t node, double value)
{
    bool shared[2];
    for (int t = 0; t < 2; t++) {
        ck_assert_int_eq(setenv("SPL_TARGET", spl_target_names[t], 1), 0);
        if (!spl_target_available((spl_target)t)) {
            shared[t] = shared[0];
            continue;
        }
        network_run run = assemble(name, node, value);
        shared[t] = run.network.model->shares_gates;
        network_close(&run);
    }
    ck_assert_int_eq(unsetenv("SPL_TARGET"), 0);
    ck_assert_int_eq(shared[0], shared[1]);
    return shared[0];
}

START_TEST(one_node_decides_for_all)
{
    ck_assert(shares(NULL, 0, 0.0));
    ck_assert(shares("TCa", 3, -0.5));
    ck_assert(shares("d_V", 3, 0.3));
    for (size_t node = 0; node < NODES; node += 9) {
        ck_assert(!shares("d_Ca", node, 0.15 * (1.0 + 8.0 * EPSILON)));
        ck_assert(!shares("d_Na", node, 0.14));
        ck_assert(!shares("d_K", node, 0.15));
        /* 2^(2 * 4 / (0.15 ln 2)) = 2^77: beyond the clamp */
        ck_assert(!shares("TCa", node, 4.0));
        ck_assert(!shares("TCa", node, 1e300));
        ck_assert(!shares("TNa", node, -4.0));
    }
}
END_TEST

/* Both forms of the right-hand side at one state of a node with these thresholds of
 * sodium and calcium, else with defaults. */
static void evaluate_at(double threshold, const spl_real state[N_STATES],
    spl_real separate[N_STATES], spl_real shared[N_STATES], bool jacobian)
{
    const spl_real c = (spl_real)0.3;
    const spl_model *model = spl_model_find("larter_breakspear");
    const spl_model_kernels *kernels = spl_model_kernels_of(model, SPL_TARGET_SCALAR);
    spl_real params[96];
    ck_assert_uint_le(model->n_params + kernels->n_derived, 96);
    for (size_t p = 0; p < model->n_params; p++) {
        const char *name = model->params[p].name;
        const bool set = strcmp(name, "TNa") == 0 || strcmp(name, "TCa") == 0;
        params[p] =
            (spl_real)(set && !isnan(threshold) ? threshold : model->params[p].value);
    }
    kernels->derive(params, 1);
    ck_assert(kernels->node_shares_gates(params, 1, 0));
    (jacobian ? kernels->jacobian : kernels->rhs)(
        params, 1, 0, state, &c, NULL, separate);
    (jacobian ? kernels->shared->jacobian : kernels->shared->rhs)(
        params, 1, 0, state, &c, NULL, shared);
}

static void evaluate(const spl_real state[N_STATES], spl_real separate[N_STATES],
    spl_real shared[N_STATES], bool jacobian)
{
    evaluate_at(NAN, state, separate, shared, jacobian);
}

/* An exponent of V / d has a rounding error of its own size, wherever it is formed.
 * Farther away single precision shows where the clamp cuts off. */
START_TEST(equations_are_the_same_in_both_forms)
{
    uint64_t random = random_seed("equations");
    double worst = 0.0;
    for (int k = 0; k < 200000; k++) {
        const spl_real state[N_STATES] = {(spl_real)random_uniform(&random, -1.0, 1.0),
            (spl_real)random_uniform(&random, 0.0, 1.0),
            (spl_real)random_uniform(&random, -1.0, 1.0)};
        for (int jacobian = 0; jacobian < 2; jacobian++) {
            spl_real a[N_STATES];
            spl_real b[N_STATES];
            evaluate(state, a, b, jacobian != 0);
            for (size_t s = 0; s < N_STATES; s++) {
                worst = fmax(worst, fabs(a[s] - b[s]) / (1.0 + fabs(a[s])));
            }
        }
    }
    ck_assert_double_gt(worst, 0.0);
    ck_assert_msg(worst < 45.0 * EPSILON, "%g", worst);
}
END_TEST

START_TEST(far_states_saturate_and_nan_stays)
{
    static const double far[] = {30.0, 700.0, 1e100, INFINITY};
    /* with the largest factors that still share, 2^(2 T / (0.15 ln 2)), and the least */
    const double largest = SPL_REAL_BYTES == 8 ? 3.11 : 0.62;
    const double least = SPL_REAL_BYTES == 8 ? -3.11 : -1.24;
    const double thresholds[] = {NAN, largest, least};
    for (size_t k = 0; k < sizeof far / sizeof *far * 3; k++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            const spl_real state[N_STATES] = {
                (spl_real)(sign * far[k / 3]), (spl_real)0.5, (spl_real)0.1};
            spl_real a[N_STATES];
            spl_real b[N_STATES];
            evaluate_at(thresholds[k % 3], state, a, b, false);
            /* dW = rate (m_K - W), dV has the two others: all at their ends */
            ck_assert(a[1] == b[1]);
            ck_assert(a[0] == b[0] || fabs(a[0] - b[0]) <= 4.0 * EPSILON * fabs(a[0]));
        }
    }
    const spl_real state[N_STATES] = {(spl_real)NAN, (spl_real)0.5, (spl_real)0.1};
    spl_real a[N_STATES];
    spl_real b[N_STATES];
    evaluate(state, a, b, false);
    ck_assert(isnan(b[0]) && isnan(b[1]) && isnan(b[2]));
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("gates");
    TCase *all = tcase_create("all");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, one_node_decides_for_all);
    tcase_add_test(lengthy, equations_are_the_same_in_both_forms);
    tcase_add_test(all, far_states_saturate_and_nan_stays);
    suite_add_tcase(suite, all);
    return suite;
}
