/* Coupling functions against each other and in the corners: three forms of the mean rate,
 * nodes without input, direction of the weights. */
#include "support/network_run.h"
#include "support/stored.h"

enum { N = 21, N_STEPS = 40 };

typedef struct input_rows {
    size_t n_rows;
    double values[(N_STEPS + 1) * N];
} input_rows;

static bool collect_input(void *user, const spl_samples *block)
{
    input_rows *rows = user;
    for (size_t step = 0; step < block->n_steps; step++) {
        memcpy(rows->values + rows->n_rows++ * N, block->values + step * block->stride,
            N * sizeof(double));
    }
    return true;
}

/* Coupling inputs of the steps 1, 2, ... of a run of Larter-Breakspear nodes. */
static void run_inputs(input_rows *rows, const spl_connectome *connectome,
    const char *speed, const char *coupling, const char *engine)
{
    static const bool record[SPL_MAX_STATES + 2] = {[4] = true}; /* V, W, Z, Q_V, c */
    network_run run;
    spl_divergence divergence;
    const spl_block_hooks hooks = {.user = rows, .finish = collect_input};
    network_settle(&run, connectome,
        "model: {d_V: 0.6, VT: 0.02, QV_max: 0.9, C: 0.5}\ncoupling: %s\n"
        "connectome: {speed: %s}\nsimulation: {engine: %s}",
        coupling, speed, engine);
    ck_assert_int_eq(spl_network_assemble(&run.network, &run.arena, &run.settings,
                         connectome, record, NULL),
        SPL_OK);
    rows->n_rows = 0;
    spl_network_advance(&run.network, N_STEPS, &hooks, &divergence);
    ck_assert_uint_eq(rows->n_rows, N_STEPS);
    network_close(&run);
}

/* Weights and lengths that repeat nowhere; node 5 receives nothing, nobody hears node 6.
 */
static spl_connectome *make_net(void)
{
    double weights[N * N];
    double lengths[N * N];
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            const bool linked = (i * 7 + j * 3) % 4 != 0 && i != 5 && j != 6;
            weights[i * N + j] = linked ? 0.05 + 0.3 * fabs(sin((double)(i * N + j))) : 0;
            lengths[i * N + j] = i == j ? 0.0 : 6.0 * fabs(cos((double)(i + 2 * j)));
        }
    }
    return make_connectome(N, weights, lengths);
}

/* QV_max (1 + tanh((V - VT) / d_V)) / 2 = QV_max / (1 + exp(2 (VT - V) / d_V)) */
START_TEST(three_forms_of_the_mean_rate_are_one)
{
    static const char *const forms[] = {
        "{function: mean_rate, normalise: none}",
        "{function: tvb_tanh, a: 0.45, midpoint: 0.02, sigma: 0.6, observable: V}",
        "{function: jansen_rit, cmax: 0.9, midpoint: 0.02, r: 3.3333333333333333, a: 1}",
    };
    static const char *const speeds[] = {"3", "inf"};
    static const char *const engines[] = {"production", "reference"};
    spl_connectome *connectome = make_net();
    worst_case worst = {0};
    for (size_t k = 0; k < 4; k++) {
        input_rows rows[3];
        for (size_t form = 0; form < 3; form++) {
            run_inputs(
                &rows[form], connectome, speeds[k % 2], forms[form], engines[k / 2]);
        }
        for (size_t step = 0; step < N_STEPS; step++) {
            for (size_t form = 1; form < 3; form++) {
                compare_row(&worst, forms[form], step, rows[form].values + step * N,
                    rows[0].values + step * N, N, 1e-14);
            }
        }
    }
    report_worst(&worst, "three forms of the mean rate");
    spl_connectome_free(connectome);
}
END_TEST

/* No in-strength, no input: neither NaN nor the offset b. */
START_TEST(without_in_strength_there_is_no_input)
{
    static const char *const couplings[] = {
        "{function: mean_rate, b: 0.3, normalise: in_strength}",
        "{function: linear, b: 0.3, normalise: in_strength, observable: V}",
        "{function: difference, normalise: in_strength, observable: V}",
        "{function: tvb_tanh, normalise: in_strength}",
        "{function: kuramoto, normalise: in_strength}",
    };
    static const char *const engines[] = {"production", "reference"};
    spl_connectome *connectome = make_net();
    for (size_t k = 0; k < 2 * sizeof couplings / sizeof *couplings; k++) {
        input_rows rows;
        run_inputs(
            &rows, connectome, k % 4 < 2 ? "3" : "inf", couplings[k / 2], engines[k % 2]);
        for (size_t step = 0; step < N_STEPS; step++) {
            for (size_t i = 0; i < N; i++) {
                const double c = rows.values[step * N + i];
                if (!(i == 5 ? c == 0.0 : fabs(c) > 0.0 && isfinite(c))) {
                    ck_abort_msg("%s: node %zu gets %g", couplings[k / 2], i, c);
                }
            }
        }
    }
    spl_connectome_free(connectome);
}
END_TEST

/* One edge from node 1 to node 0: weights[0][1], delay 3 steps, source constant. */
START_TEST(weights_run_from_column_to_row)
{
    static const double weights[] = {0, 2, 0, 0};
    static const double start[] = {1.0, 4.0};
    spl_connectome *connectome = make_connectome(2, weights, NULL);
    network_run run;
    network_settle(&run, connectome,
        "model: {name: linear, gamma: 0}\nsimulation: {integrator: euler, dt: 0.5}\n"
        "coupling: {function: linear, a: 0.25, normalise: none}\n"
        "connectome: {delay: 1.5 ms}");
    network_start_at(&run, start);
    network_assemble(&run, connectome);
    double *found = network_trajectory(&run, 10);
    for (size_t step = 0; step <= 10; step++) {
        ck_assert(found[2 * step] == 1.0 + (double)step * 0.5 * 0.25 * 2.0 * 4.0);
        ck_assert(found[2 * step + 1] == 4.0);
    }
    free(found);
    network_close(&run);
    spl_connectome_free(connectome);
}
END_TEST

/* rint((length / speed) / dt) at 3 mm/ms and 0.1 ms, two divisions: on halves the order
 * of operations and the way of rounding show. length / (speed dt) would give 7, 17, 27,
 * 97; rounding half up 3, 13, 103; reciprocals 2, 21, 25. */
START_TEST(delays_on_the_half)
{
    static const double lengths[] = {
        0.75, 2.25, 3.75, 5.25, 8.25, 29.25, 30.75, 0.45, 6.15, 7.65};
    static const double steps[] = {2, 8, 12, 18, 28, 98, 102, 1, 20, 26};
    const spl_delay_rule rule = {.dt = 0.1, .speed = 3.0};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        ck_assert(spl_delay_steps(&rule, lengths[k]) == steps[k]);
    }
}
END_TEST

/* A ramp (dx/dt = 1) read d steps late is the ramp d steps earlier, for d around the
 * lengths of a block and of the history. */
START_TEST(a_delay_is_exact)
{
    static const int delays[] = {0, 1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 500};
    static const double weights[] = {0, 0, 1, 0};
    static const double start[] = {0.0, 0.0};
    spl_connectome *connectome = make_connectome(2, weights, NULL);
    for (size_t k = 0; k < sizeof delays / sizeof *delays; k++) {
        network_run run;
        network_settle(&run, connectome,
            "model: {name: linear, gamma: 0}\nsimulation: {integrator: euler, dt: 1, "
            "divergence_limit: inf}\n"
            "coupling: {function: linear, a: 1, b: 0, normalise: none}\n"
            "connectome: {delay: %d ms}",
            delays[k]);
        network_start_at(&run, start);
        network_assemble(&run, connectome);
        ((double *)run.network.coupling.shift)[0] = 1.0;
        double *found = network_trajectory(&run, 700);
        double sum = 0.0;
        for (int step = 0; step <= 700; step++) {
            ck_assert(found[2 * step] == step);
            ck_assert(found[2 * step + 1] == sum);
            sum += step > delays[k] ? step - delays[k] : 0.0;
        }
        free(found);
        network_close(&run);
    }
    spl_connectome_free(connectome);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("coupling");
    TCase *forms = tcase_create("forms");
    tcase_set_timeout(forms, 60);
    tcase_add_test(forms, three_forms_of_the_mean_rate_are_one);
    tcase_add_test(forms, without_in_strength_there_is_no_input);
    tcase_add_test(forms, weights_run_from_column_to_row);
    tcase_add_test(forms, delays_on_the_half);
    tcase_add_test(forms, a_delay_is_exact);
    suite_add_tcase(suite, forms);
    return suite;
}
