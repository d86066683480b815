/* Exact facts of Larter-Breakspear: fixed points, the saddle-node bound, Hopf points in
 * the firing slope and in the reversal potentials, the fate of starts on both sides. */
#include "numeric/single_node.h"
#include "support/network_run.h"

/* V Q_V(V) = -ani Iext / aei has two roots; the larger is the fixed point. Computed with
 * 30 digits by mpmath. */
START_TEST(fixed_points)
{
    static const struct {
        double d_V, larger, smaller;
    } known[] = {{0.50, -0.186526189977, -0.496}, {0.55, -0.172246144498, NAN},
        {0.65, -0.157375810173, -0.829}, {0.44, NAN, -0.335}};
    for (size_t k = 0; k < 4; k++) {
        single_node node;
        double x[NODE_STATES];
        double f[NODE_STATES];
        node_init(&node);
        node_set(&node, "d_V", known[k].d_V);
        node_fixed_point(&node, x);
        node_rhs(&node, x, f);
        for (int s = 0; s < NODE_STATES; s++) {
            ck_assert_double_eq_tol(f[s], 0.0, 1e-15);
        }
        if (!isnan(known[k].larger)) {
            ck_assert_double_eq_tol(x[STATE_V], known[k].larger, 1e-12);
        }
        if (!isnan(known[k].smaller)) {
            double y[NODE_STATES] = {node_lowest(&node), 0.0, 0.0};
            node_root(&node, STATE_Z, STATE_V, -5.0, y);
            ck_assert_double_eq_tol(y[STATE_V], known[k].smaller, 6e-4);
        }
    }
}
END_TEST

/* The least value of x H(x) is -0.13923227: without a fixed point below
 * d_SN = ani Iext / (aei QV_max 0.13923227). */
START_TEST(saddle_node_bound)
{
    single_node node;
    node_init(&node);
    double low = 0.3;
    double high = 0.6;
    while (high - low > 1e-12) {
        const double d_V = 0.5 * (low + high);
        node_set(&node, "d_V", d_V);
        const double least = node_slope(&node, STATE_Z, node_lowest(&node), 0.0, 0.0);
        if (least > 0.0) {
            low = d_V;
        } else {
            high = d_V;
        }
    }
    ck_assert_double_eq_tol(low, 0.4 * 0.3 / (2.0 * 0.13923227), 2e-8);
    ck_assert_double_eq_tol(low, 0.430935, 5e-7);
}
END_TEST

/* Where the eigenvalues at the fixed point cross the imaginary axis. The sets: defaults;
 * C = 0; gCa = 1, aee = 0.36 with d_Z = d_V. The frequencies are tabulated to 0.01 Hz. */
static const struct {
    double gCa, aee, C;
    bool equal; /* d_Z = d_V */
    double d_V, frequency, x[NODE_STATES];
} hopf[] = {
    {1.1, 0.40, 0.10, false, 0.5152721366, 108.03, {-0.18125041, 0.22999560, 0.10296683}},
    {1.1, 0.40, 0.00, false, 0.5105220889, 107.15, {-0.18278041, 0.22819418, 0.11083801}},
    {1.1, 0.40, 0.00, true, 0.5094505761, 107.61, {-0.18313840, 0.22777412, 0.10643515}},
    {1.0, 0.36, 0.10, true, 0.5707082020, 116.80, {-0.16816625, 0.24580576, 0.08107106}},
    {1.0, 0.36, 0.00, true, 0.5635279131, 116.15, {-0.16949774, 0.24416388, 0.08853600}},
    {1.0, 0.36, 0.35, true, 0.5895513618, 118.26, {-0.16502151, 0.24971302, 0.06122806}},
    {1.0, 0.36, 0.60, true, 0.6095704005, 119.47, {-0.16213714, 0.25333305, 0.03952272}},
};

static void set_slope(single_node *node, bool equal, double d_V)
{
    node_set(node, "d_V", d_V);
    if (equal) {
        node_set(node, "d_Z", d_V);
    }
}

START_TEST(hopf_points_in_the_slope)
{
    single_node node;
    double x[NODE_STATES];
    double frequency;
    double low = hopf[_i].d_V - 0.005;
    double high = hopf[_i].d_V + 0.005;
    node_init(&node);
    node_set(&node, "gCa", hopf[_i].gCa);
    node_set(&node, "aee", hopf[_i].aee);
    node_set(&node, "C", hopf[_i].C);
    set_slope(&node, hopf[_i].equal, low);
    ck_assert(node_stability(&node, x, &frequency) > 0.0);
    set_slope(&node, hopf[_i].equal, high);
    ck_assert(node_stability(&node, x, &frequency) < 0.0);
    while (high - low > 1e-13) {
        set_slope(&node, hopf[_i].equal, 0.5 * (low + high));
        if (node_stability(&node, x, &frequency) > 0.0) {
            low = 0.5 * (low + high);
        } else {
            high = 0.5 * (low + high);
        }
    }
    fprintf(stderr, "# Hopf point %d: d_V off by %.1e, %.3f Hz\n", _i, low - hopf[_i].d_V,
        frequency);
    ck_assert_double_eq_tol(low, hopf[_i].d_V, 1e-9);
    ck_assert_double_eq_tol(frequency, hopf[_i].frequency, 0.01);
    for (int s = 0; s < NODE_STATES; s++) {
        ck_assert_double_eq_tol(x[s], hopf[_i].x[s], 1e-8);
    }
}
END_TEST

/* Set of endo2020, an isolated node (C = 0.35) and the synchronous network (C = 0). */
START_TEST(hopf_points_in_the_reversal_potentials)
{
    static const struct {
        const char *name;
        double C, value, frequency;
    } known[] = {{"VK", 0.35, -0.864183, 144.46}, {"VNa", 0.35, 0.443273, 119.89},
        {"VCa", 0.35, 0.976798, 120.04}, {"VNa", 0.0, 0.368431, 120.34},
        {"VCa", 0.0, 0.945960, 120.73}};
    for (size_t k = 0; k < 5; k++) {
        single_node node;
        double x[NODE_STATES];
        double frequency;
        double low = known[k].value - 0.01;
        double high = known[k].value + 0.01;
        node_init(&node);
        node_set(&node, "gCa", 1.0);
        node_set(&node, "aee", 0.36);
        node_set(&node, "C", known[k].C);
        set_slope(&node, true, 0.61);
        node_set(&node, known[k].name, low);
        const bool stable_below = node_stability(&node, x, &frequency) > 0.0;
        node_set(&node, known[k].name, high);
        ck_assert(stable_below != (node_stability(&node, x, &frequency) > 0.0));
        while (high - low > 1e-12) {
            node_set(&node, known[k].name, 0.5 * (low + high));
            if ((node_stability(&node, x, &frequency) > 0.0) == stable_below) {
                low = 0.5 * (low + high);
            } else {
                high = 0.5 * (low + high);
            }
        }
        ck_assert_double_eq_tol(low, known[k].value, 6e-7);
        ck_assert_double_eq_tol(frequency, known[k].frequency, 0.01);
    }
}
END_TEST

/* Largest real part of the eigenvalues, per ms, to the digits of the table. */
START_TEST(exponents_of_fixed_points)
{
    static const struct {
        bool equal; /* gCa = 1, aee = 0.36, d_Z = d_V */
        double C, d_V, exponent, digits;
    } known[] = {{false, 0.1, 0.48, -0.0507, 5e-5}, {false, 0.1, 0.50, -0.03217, 5e-6},
        {false, 0.1, 0.51, -0.0105, 5e-5}, {true, 0.1, 0.55, -0.02337, 5e-6},
        {true, 0.1, 0.56, -0.0116, 5e-5}, {true, 0.0, 0.55, -0.0155, 5e-5},
        {true, 0.0, 0.56, -0.0039, 5e-5}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        single_node node;
        node_init(&node);
        if (known[k].equal) {
            node_set(&node, "gCa", 1.0);
            node_set(&node, "aee", 0.36);
        }
        node_set(&node, "C", known[k].C);
        set_slope(&node, known[k].equal, known[k].d_V);
        fprintf(stderr, "# d_V %g: exponent %.6f\n", known[k].d_V, node_exponent(&node));
        ck_assert_double_eq_tol(node_exponent(&node), known[k].exponent, known[k].digits);
    }
}
END_TEST

START_TEST(a_run_ends_in_the_fixed_point)
{
    single_node node;
    double expected[NODE_STATES];
    node_init(&node);
    node_set(&node, "d_V", 0.5);
    node_fixed_point(&node, expected);
    for (size_t k = 0; k < SPL_N_SCHEMES; k++) {
        network_run run;
        double x[NODE_STATES];
        spl_connectome *connectome = make_connectome(1, NULL, NULL);
        network_settle(&run, connectome,
            "model: {d_V: 0.5, init: zero}\nsimulation: {integrator: %s, dt: 0.05}",
            spl_schemes[k].name);
        network_assemble(&run, connectome);
        network_advance(&run, 40000);
        network_copy_states(&run, x);
        for (int s = 0; s < NODE_STATES; s++) {
            ck_assert_double_eq_tol(x[s], expected[s], 1e-12);
        }
        network_close(&run);
        spl_connectome_free(connectome);
    }
}
END_TEST

/* Lowest V of 100 nodes started by a rule, after `end` ms without guard. */
static void lowest_and_highest(
    const char *model, double end, double *lowest, double *highest)
{
    enum { N = 100 };
    network_run run;
    static double x[NODE_STATES * N];
    spl_connectome *connectome = make_connectome(N, NULL, NULL);
    network_settle(&run, connectome,
        "model: %s\nsimulation: {integrator: heun, dt: 0.1, divergence_limit: inf}",
        model);
    network_assemble(&run, connectome);
    network_advance(&run, (uint64_t)(end / 0.1));
    network_copy_states(&run, x);
    *lowest = INFINITY;
    *highest = -INFINITY;
    for (size_t i = 0; i < N; i++) {
        *lowest = fmin(*lowest, x[i]);
        *highest = fmax(*highest, x[i]);
    }
    network_close(&run);
    spl_connectome_free(connectome);
}

/* Below the bound every start is lost: Z grows by 0.012 per ms and drags V along, about
 * -4 Z. The start rules lose none at the defaults. */
START_TEST(starts_below_and_above_the_bound)
{
    double lowest;
    double highest;
    lowest_and_highest("{d_V: 0.43, init: {V: [-0.5, 0.5], W: [0, 0.6], Z: [0, 0.2]}}",
        3000.0, &lowest, &highest);
    ck_assert_double_lt(highest, -20.0);
    lowest_and_highest(
        "{d_V: 0.43, init: {V: [-1.5, 1.5], W: [-1.5, 1.5], Z: [-1.5, 1.5]}}", 3000.0,
        &lowest, &highest);
    ck_assert_double_lt(highest, -20.0);
    lowest_and_highest("{init: btf2003}", 3000.0, &lowest, &highest);
    ck_assert_double_gt(lowest, -0.65);
    lowest_and_highest("{init: roberts2019}", 3000.0, &lowest, &highest);
    ck_assert_double_gt(lowest, -0.65);
    lowest_and_highest("{init: zero}", 3000.0, &lowest, &highest);
    ck_assert_double_gt(lowest, -0.65);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("fixed_points");
    TCase *facts = tcase_create("facts");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(facts, 60);
    tcase_add_test(facts, fixed_points);
    tcase_add_test(facts, saddle_node_bound);
    tcase_add_loop_test(lengthy, hopf_points_in_the_slope, 0, sizeof hopf / sizeof *hopf);
    tcase_add_test(lengthy, hopf_points_in_the_reversal_potentials);
    tcase_add_test(facts, exponents_of_fixed_points);
    tcase_add_test(lengthy, a_run_ends_in_the_fixed_point);
    tcase_add_test(lengthy, starts_below_and_above_the_bound);
    suite_add_tcase(suite, facts);
    return suite;
}
