/* The Virtual Brain 2.11 itself, 76 nodes: connectome, delays, every stored trajectory,
 * and runs with given noise. Facts and tolerances: README of the reference data. */
#include "support/network_run.h"
#include "support/stored.h"

enum { N_STATES = 3, N = 76, ROW = N_STATES * N };

/* What all runs share. */
typedef struct common {
    hid_t file;
    double *start;
    spl_connectome *connectome;
} common;

static bool open_common(common *c)
{
    c->file = open_stored("tvb_common.h5");
    if (c->file < 0) {
        return false;
    }
    double *weights = read_stored(c->file, "weights", N * N);
    double *lengths = read_stored(c->file, "tract_lengths", N * N);
    c->start = read_stored(c->file, "ic", ROW);
    c->connectome = make_connectome(N, weights, lengths);
    free(weights);
    free(lengths);
    return true;
}

static void close_common(common *c)
{
    free(c->start);
    spl_connectome_free(c->connectome);
    H5Fclose(c->file);
}

static void check_equal(
    hid_t file, const char *path, const double *found, size_t n_numbers)
{
    double *expected = read_stored(file, path, n_numbers);
    for (size_t k = 0; k < n_numbers; k++) {
        if (found[k] != expected[k]) {
            ck_abort_msg("%s: number %zu is %.17g, expected %.17g", path, k, found[k],
                expected[k]);
        }
    }
    free(expected);
}

static spl_connectome *load_set(const char *path, spl_normalise normalise)
{
    const spl_connectome_options options = {.file = path, .normalise = normalise};
    spl_connectome *connectome = NULL;
    ck_assert_msg(
        spl_connectome_load(&connectome, &options) == SPL_OK, "%s", spl_last_error());
    return connectome;
}

START_TEST(the_archive_gives_tvbs_matrices)
{
    char path[4096];
    hid_t file = open_stored("tvb_common.h5");
    if (file < 0 ||
        !shared_file(path, sizeof path, "data/connectomes/connectivity_76.zip")) {
        return;
    }
    spl_connectome *raw = load_set(path, SPL_NORMALISE_NONE);
    spl_connectome *scaled = load_set(path, SPL_NORMALISE_TRACT);
    check_equal(file, "weights_raw", spl_connectome_weights(raw), N * N);
    check_equal(file, "weights", spl_connectome_weights(scaled), N * N);
    check_equal(file, "tract_lengths", spl_connectome_tract_lengths(raw), N * N);
    spl_connectome_free(raw);
    spl_connectome_free(scaled);
    H5Fclose(file);
}
END_TEST

START_TEST(delays_are_tvbs)
{
    const spl_delay_rule rule = {.dt = 0.1, .speed = 3.0};
    common c;
    double steps[N * N];
    spl_plan *plan = NULL;
    if (!open_common(&c)) {
        return;
    }
    const double *lengths = spl_connectome_tract_lengths(c.connectome);
    for (size_t e = 0; e < N * N; e++) {
        steps[e] = spl_delay_steps(&rule, lengths[e]);
    }
    check_equal(c.file, "idelays_speed3_dt0p1", steps, N * N);
    spl_edges edges;
    spl_connectome_edges(c.connectome, &edges);
    ck_assert_int_eq(spl_plan_create(&plan, N, &edges, &rule), SPL_OK);
    for (size_t i = 0; i < N; i++) {
        for (size_t e = plan->start[i]; e < plan->start[i + 1]; e++) {
            ck_assert(plan->delay[e] == (int32_t)steps[i * N + (size_t)plan->source[e]]);
        }
    }
    spl_plan_free(plan);
    close_common(&c);
}
END_TEST

/* The sum of all delays of two further sets; 998 has 938 edges on an exact half. */
START_TEST(delays_of_other_sets)
{
    static const struct {
        const char *file;
        size_t n_edges;
        int64_t sum;
    } sets[] = {{"data/connectomes/connectivity_66.zip", 1377, 377907},
        {"data/connectomes/connectivity_998.zip", 35730, 4795420}};
    const spl_delay_rule rule = {.dt = 0.1, .speed = 3.0};
    for (size_t k = 0; k < 2; k++) {
        char path[4096];
        spl_plan *plan = NULL;
        int64_t sum = 0;
        if (!shared_file(path, sizeof path, sets[k].file)) {
            continue;
        }
        spl_connectome *connectome = load_set(path, SPL_NORMALISE_NONE);
        spl_edges edges;
        spl_connectome_edges(connectome, &edges);
        ck_assert_int_eq(
            spl_plan_create(&plan, spl_connectome_n_nodes(connectome), &edges, &rule),
            SPL_OK);
        for (size_t e = 0; e < plan->n_edges; e++) {
            sum += plan->delay[e];
        }
        ck_assert_uint_eq(plan->n_edges + plan->n_self, sets[k].n_edges);
        ck_assert_int_eq(sum, sets[k].sum);
        spl_plan_free(plan);
        spl_connectome_free(connectome);
    }
}
END_TEST

/* Against TVB with its history in double. One configuration spreads more than the rest.
 */
static const step_bounds bounds_f64 = {7, {1, 50, 100, 500, 1000, 1500, 2000},
    {1e-15, 1e-13, 2e-13, 1e-10, 1e-8, 2e-7, 1e-6}};
static const step_bounds bounds_wide = {7, {1, 50, 100, 500, 1000, 1500, 2000},
    {1e-15, 1e-13, 2e-13, 1e-10, 1e-8, 2e-7, 2e-5}};
/* Stock TVB, whose history is in single: 100 steps, no further. */
static const step_bounds bounds_native = {2, {1, 100}, {5e-9, 5e-7}};

static const step_bounds *bounds_of(const char *name)
{
    return strstr(name, "_native") != NULL              ? &bounds_native
           : strcmp(name, "tvb_s3_tanh_euler_f64") == 0 ? &bounds_wide
                                                        : &bounds_f64;
}

/* Configure as the attributes of a dataset say; `noise` is a line or empty. */
static void settle(network_run *run, const common *c, hid_t file, const char *path,
    const char *engine, const char *noise)
{
    char set[64];
    char coupling[64];
    char integrator[64];
    char stages[64];
    char speed[32];
    stored_text(file, path, "parameter_set", set);
    stored_text(file, path, "coupling", coupling);
    stored_text(file, path, "integrator", integrator);
    stored_text(file, path, "coupling_stages", stages);
    snprintf(speed, sizeof speed, "%.17g", stored_number(file, path, "conduction_speed"));
    network_settle(run, c->connectome,
        "model: {preset: %s}\ncoupling: %s\nconnectome: {speed: %s}\n"
        "simulation: {integrator: %s, coupling_stages: %s, engine: %s, dt: %.17g}\n%s",
        strcmp(set, "alstott") == 0 ? "alstott2009" : set,
        strcmp(coupling, "tanh") == 0
            ? "{function: tvb_tanh, normalise: none, a: 0.5, sigma: 0.65, observable: V}"
            : "{function: linear, normalise: none, a: 0.00390625, observable: V}",
        speed, integrator, stages, engine, stored_number(file, path, "dt_ms"), noise);
    network_start_at(run, c->start);
    for (size_t p = 0; p < run->settings.model->n_params; p++) {
        char group[80];
        const char *name = run->settings.model->params[p].name;
        snprintf(group, sizeof group, "parameters/%s", set);
        ck_assert_msg(network_param(run, name)[N - 1] == stored_number(file, group, name),
            "preset %s: %s is not TVB's", set, name);
    }
    network_assemble(run, c->connectome);
}

static const char *const engines[] = {"production", "reference"};

static void check_deterministic(
    const common *c, hid_t file, const char *name, const double *steps, size_t n_rows)
{
    const step_bounds *bounds = bounds_of(name);
    const size_t last = (size_t)bounds->upto[bounds->n - 1];
    double *expected = read_stored(file, name, n_rows * ROW);
    for (size_t k = 0; k < 2; k++) {
        worst_case worst = {0};
        network_run run;
        settle(&run, c, file, name, engines[k], "");
        double *found = network_trajectory(&run, last);
        for (size_t row = 0; row < n_rows && steps[row] <= (double)last; row++) {
            const size_t step = (size_t)steps[row];
            compare_row(&worst, name, step, found + step * ROW, expected + row * ROW, ROW,
                step > 0 ? bound_at(bounds, step) : 0.0);
        }
        report_worst(&worst, name);
        free(found);
        network_close(&run);
    }
    free(expected);
}

static void check_file(const char *file_name, const char *const *names, size_t n_names)
{
    common c;
    hid_t file = open_stored(file_name);
    if (file < 0 || !open_common(&c)) {
        return;
    }
    const bool decimated = H5LTfind_dataset(file, "step_index") > 0;
    const size_t n_rows = decimated ? stored_size(file, "step_index") : 2001;
    double *steps = decimated ? read_stored(file, "step_index", n_rows)
                              : calloc(n_rows, sizeof *steps);
    for (size_t row = 0; row < n_rows && !decimated; row++) {
        steps[row] = (double)row;
    }
    for (size_t k = 0; k < n_names; k++) {
        check_deterministic(&c, file, names[k], steps, n_rows);
    }
    free(steps);
    close_common(&c);
    H5Fclose(file);
}

static const char *const full[] = {"tvb_s3_tanh_heun_f64", "tvb_s3_tanh_heun_native",
    "tvb_sinf_linear_euler_f64", "alstott_s3_tanh_heun_f64", "alstott_s3_tanh_rk4_f64"};
static const char *const decimated[] = {"tvb_s3_tanh_heun_f64", "tvb_s3_tanh_euler_f64",
    "tvb_s3_linear_heun_f64", "tvb_s3_linear_euler_f64", "tvb_sinf_tanh_heun_f64",
    "tvb_sinf_tanh_euler_f64", "tvb_sinf_linear_heun_f64", "tvb_sinf_linear_euler_f64",
    "alstott_s3_tanh_heun_f64", "alstott_s3_tanh_euler_f64", "alstott_s3_linear_heun_f64",
    "alstott_s3_linear_euler_f64", "alstott_s3_tanh_rk4_f64", "tvb_s3_tanh_heun_native",
    "tvb_s3_tanh_euler_native", "tvb_s3_linear_heun_native", "tvb_s3_linear_euler_native",
    "tvb_sinf_tanh_heun_native", "tvb_sinf_tanh_euler_native",
    "tvb_sinf_linear_heun_native", "tvb_sinf_linear_euler_native",
    "alstott_s3_tanh_heun_native", "alstott_s3_tanh_euler_native",
    "alstott_s3_linear_heun_native", "alstott_s3_linear_euler_native",
    "alstott_s3_tanh_rk4_native"};
enum {
    N_FULL = sizeof full / sizeof *full,
    N_DECIMATED = sizeof decimated / sizeof *decimated
};

START_TEST(every_step)
{
    check_file("tvb_det_full.h5", full, N_FULL);
}
END_TEST

START_TEST(all_combinations)
{
    check_file("tvb_det_decimated.h5", decimated, N_DECIMATED);
}
END_TEST

/* Nothing in the file is left out: its runs and their step index. */
START_TEST(all_combinations_are_named)
{
    H5G_info_t info;
    hid_t file = open_stored("tvb_det_decimated.h5");
    if (file < 0) {
        return;
    }
    ck_assert(H5Gget_info(file, &info) >= 0);
    ck_assert_uint_eq(info.nlinks, N_DECIMATED + 2);
    H5Fclose(file);
}
END_TEST

START_TEST(given_noise)
{
    enum { N_STEPS = 500 };
    static const char *const names[] = {"heunS_f64", "eulerS_f64"};
    common c;
    hid_t file = open_stored("tvb_stoch_given_noise.h5");
    if (file < 0 || !open_common(&c)) {
        return;
    }
    double *normals = read_stored(file, "normals", N_STEPS * ROW);
    double *nsig = read_stored(file, "nsig", N_STATES);
    char noise[128];
    snprintf(noise, sizeof noise,
        "noise: {kind: additive, nsig: {V: %.17g, W: %.17g, Z: %.17g}}", nsig[0], nsig[1],
        nsig[2]);
    for (size_t k = 0; k < 4; k++) {
        worst_case worst = {0};
        network_run run;
        double *expected = read_stored(file, names[k / 2], (N_STEPS + 1) * ROW);
        settle(&run, &c, file, names[k / 2], engines[k % 2], noise);
        run.network.given_normals = normals;
        run.network.n_given = N_STEPS;
        double *found = network_trajectory(&run, N_STEPS);
        for (size_t step = 0; step <= N_STEPS; step++) {
            compare_row(&worst, names[k / 2], step, found + step * ROW,
                expected + step * ROW, ROW, 1e-11);
        }
        report_worst(&worst, names[k / 2]);
        free(expected);
        free(found);
        network_close(&run);
    }
    free(normals);
    free(nsig);
    close_common(&c);
    H5Fclose(file);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("tvb");
    TCase *lengthy = test_long_cases(suite);
    TCase *matrices = tcase_create("matrices");
    tcase_add_test(matrices, the_archive_gives_tvbs_matrices);
    tcase_add_test(matrices, delays_are_tvbs);
    tcase_add_test(lengthy, delays_of_other_sets);
    suite_add_tcase(suite, matrices);
    TCase *runs = tcase_create("runs");
    tcase_set_timeout(runs, 120);
    tcase_add_test(lengthy, every_step);
    tcase_add_test(lengthy, all_combinations);
    tcase_add_test(runs, all_combinations_are_named);
    tcase_add_test(runs, given_noise);
    suite_add_tcase(suite, runs);
    return suite;
}
