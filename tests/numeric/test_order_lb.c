/* Errors and orders on Larter-Breakspear nodes: the tables of two independent prototypes
 * (NumPy, C), one node and two coupled ones, and every coupling function. */
#include "numeric/order.h"

enum { N_STATES = 3 };

/* The tables give two digits. */
static const double digits = 0.05;

static void check_error(const char *what, double dt, double found, double expected)
{
    fprintf(stderr, "# %-40s dt %-7g error %.2e, tabulated %.1e\n", what, dt, found,
        expected);
    ck_assert_msg(fabs(found - expected) <= digits * expected,
        "%s: error %.3g at dt %g, tabulated %.2g", what, found, dt, expected);
}

static const method fine = {"rk4", "per-stage", "production", "sparse"};

/* Largest error at t = 50 ms, c = 0.1, start 0, dt 0.1, 0.05, 0.025. */
static const struct {
    const char *model, *scheme;
    double error[3];
} one_node[] = {
    {"{d_V: 0.50}", "exp_euler", {1.6e-2, 6.8e-3, 3.1e-3}},
    {"{d_V: 0.50}", "euler", {1.2e-3, 5.9e-4, 3.0e-4}},
    {"{d_V: 0.50}", "heun", {1.1e-4, 2.2e-5, 4.5e-6}},
    {"{d_V: 0.50}", "rk4", {4.9e-6, 3.1e-7, 2.0e-8}},
    {"{d_V: 0.57}", "exp_euler", {2.5e-3, 1.1e-3, 5.1e-4}},
    {"{d_V: 0.57}", "euler", {7.2e-5, 3.9e-5, 2.0e-5}},
    {"{d_V: 0.57}", "heun", {1.7e-5, 3.2e-6, 6.6e-7}},
    {"{d_V: 0.57}", "rk4", {7.7e-7, 4.8e-8, 3.1e-9}},
    {"{d_V: 0.65}", "exp_euler", {5.6e-3, 2.1e-3, 8.9e-4}},
    {"{d_V: 0.65}", "euler", {3.5e-3, 1.4e-3, 6.0e-4}},
    {"{d_V: 0.65}", "heun", {1.3e-5, 4.2e-6, 1.2e-6}},
    {"{d_V: 0.65}", "rk4", {8.2e-7, 5.1e-8, 3.3e-9}},
};

START_TEST(errors_of_one_node)
{
    static const double zero[N_STATES] = {0.0};
    const problem p = {.model = one_node[_i].model,
        .coupling = "{function: mean_rate, normalise: none, b: 0.1}",
        .connectome = "{}",
        .n_nodes = 1,
        .weights = zero,
        .start = zero,
        .end = 50.0};
    const method m = {one_node[_i].scheme, "per-stage", "production", "sparse"};
    double solution[N_STATES];
    char what[64];
    solve(&p, &fine, 0.1 / 64, solution);
    snprintf(what, sizeof what, "%s %s", p.model, m.integrator);
    for (int k = 0; k < 3; k++) {
        double out[N_STATES];
        solve(&p, &m, ldexp(0.1, -k), out);
        check_error(what, ldexp(0.1, -k), largest_difference(out, solution, N_STATES),
            one_node[_i].error[k]);
    }
    /* the nominal order shows at smaller steps */
    const int order = spl_schemes[spl_scheme_find(m.integrator)].order;
    check_order(&p, &m, order == 4 ? 0.1 : 0.00625, 4, solution, N_STATES, order);
}
END_TEST

/* Largest error at t = 20 ms: two nodes, raw <Q_V>, d_V 0.57, dt 0.1 to 0.0125. */
static const struct {
    const char *integrator, *stages, *connectome, *C;
    double error[4];
} two_nodes[] = {
    {"heun", "frozen", "{delays: false}", "0.1", {4.6e-5, 1.6e-5, 7.7e-6, 3.9e-6}},
    {"heun", "frozen", "{delays: false}", "0.6", {1.5e-4, 6.3e-5, 3.1e-5, 1.6e-5}},
    {"heun", "frozen", "{delay: 5 ms}", "0.1", {6.9e-5, 2.2e-5, 9.8e-6, 4.8e-6}},
    {"heun", "frozen", "{delay: 5 ms}", "0.6", {2.7e-4, 1.2e-4, 5.5e-5, 2.7e-5}},
    {"heun", "per-stage", "{delays: false}", "0.1", {3.0e-5, 3.4e-6, 9.5e-7, 2.5e-7}},
    {"heun", "per-stage", "{delays: false}", "0.6", {6.3e-5, 1.1e-5, 2.3e-6, 5.3e-7}},
    {"heun", "per-stage", "{delay: 5 ms}", "0.1", {3.3e-5, 6.6e-6, 1.8e-6, 4.7e-7}},
    {"heun", "per-stage", "{delay: 5 ms}", "0.6", {9.1e-5, 1.8e-5, 4.1e-6, 9.8e-7}},
    {"rk4", "frozen", "{delays: false}", "0.1", {3.2e-5, 1.6e-5, 7.9e-6, 3.9e-6}},
    {"rk4", "frozen", "{delays: false}", "0.6", {1.3e-4, 6.6e-5, 3.3e-5, 1.6e-5}},
    {"rk4", "frozen", "{delay: 5 ms}", "0.1", {3.8e-5, 1.9e-5, 9.4e-6, 4.7e-6}},
    {"rk4", "frozen", "{delay: 5 ms}", "0.6", {2.2e-4, 1.1e-4, 5.3e-5, 2.6e-5}},
    {"rk4", "per-stage", "{delays: false}", "0.1", {7.7e-7, 3.9e-8, 2.2e-9, 1.3e-10}},
    {"rk4", "per-stage", "{delays: false}", "0.6", {9.5e-7, 4.8e-8, 2.7e-9, 1.6e-10}},
    {"rk4", "per-stage", "{delay: 5 ms}", "0.1", {7.7e-7, 3.9e-8, 2.2e-9, 1.3e-10}},
    {"rk4", "per-stage", "{delay: 5 ms}", "0.6", {8.9e-7, 4.5e-8, 2.6e-9, 1.5e-10}},
};

static const double pair_weights[] = {0.0, 0.5, 0.3, 0.0};
static const double pair_start[] = {-0.2, 0.1, 0.3, 0.4, 0.05, 0.0};

START_TEST(errors_of_two_nodes)
{
    char model[64];
    char what[80];
    double solution[2 * N_STATES];
    snprintf(model, sizeof model, "{d_V: 0.57, C: %s}", two_nodes[_i].C);
    const problem p = {.model = model,
        .coupling = "{function: mean_rate, normalise: none}",
        .connectome = two_nodes[_i].connectome,
        .n_nodes = 2,
        .weights = pair_weights,
        .start = pair_start,
        .end = 20.0};
    const method m = {
        two_nodes[_i].integrator, two_nodes[_i].stages, "production", "sparse"};
    solve(&p, &fine, 0.1 / 64, solution);
    snprintf(what, sizeof what, "%s %s %s C %s", m.integrator, m.stages, p.connectome,
        two_nodes[_i].C);
    for (int k = 0; k < 4; k++) {
        double out[2 * N_STATES];
        solve(&p, &m, ldexp(0.1, -k), out);
        check_error(what, ldexp(0.1, -k), largest_difference(out, solution, 2 * N_STATES),
            two_nodes[_i].error[k]);
    }
    /* with the coupling frozen over the stages every scheme is of first order */
    const bool frozen = strcmp(m.stages, "frozen") == 0;
    const bool fourth = !frozen && strcmp(m.integrator, "rk4") == 0;
    check_order(&p, &m, fourth ? 0.025 : 0.0125, fourth ? 2 : 4, solution, 2 * N_STATES,
        frozen   ? 1
        : fourth ? 4
                 : 2);
}
END_TEST

static const char *const couplings[] = {
    "{function: mean_rate, normalise: in_strength}",
    "{function: linear, a: 1, normalise: none, observable: V}",
    "{function: difference, a: 1, normalise: none, observable: V}",
    "{function: tvb_tanh, a: 0.5, sigma: 0.5, normalise: none, observable: V}",
    "{function: jansen_rit, cmax: 1, midpoint: 0, r: 3, normalise: none, observable: V}",
    "{function: sigmoidal, sigma: 0.3, normalise: none, observable: V}",
    "{function: kuramoto, normalise: none, observable: V}",
};
enum { N_COUPLINGS = sizeof couplings / sizeof *couplings };

/* Without delay, with a short one that blocks meet and with a long one. */
START_TEST(every_coupling_keeps_the_order)
{
    static const char *const connectomes[] = {
        "{delays: false}", "{delay: 0.2 ms}", "{delay: 5 ms}"};
    static const method heun = {"heun", "per-stage", "production", "sparse"};
    static const method rk4 = {"rk4", "per-stage", "production", "sparse"};
    ck_assert_uint_eq(spl_coupling_count(), N_COUPLINGS);
    for (size_t k = 0; k < 3; k++) {
        double solution[2 * N_STATES];
        const problem p = {.model = "{d_V: 0.57, C: 0.6}",
            .coupling = couplings[_i],
            .connectome = connectomes[k],
            .n_nodes = 2,
            .weights = pair_weights,
            .start = pair_start,
            .end = 20.0};
        solve(&p, &fine, 0.1 / 64, solution);
        check_order(&p, &heun, 0.0125, 4, solution, 2 * N_STATES, 2);
        check_order(&p, &rk4, 0.025, 2, solution, 2 * N_STATES, 4);
    }
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("order_lb");
    TCase *tables = tcase_create("tables");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(tables, 60);
    tcase_add_loop_test(
        lengthy, errors_of_one_node, 0, sizeof one_node / sizeof *one_node);
    tcase_add_loop_test(
        lengthy, errors_of_two_nodes, 0, sizeof two_nodes / sizeof *two_nodes);
    tcase_add_loop_test(lengthy, every_coupling_keeps_the_order, 0, N_COUPLINGS);
    suite_add_tcase(suite, tables);
    return suite;
}
