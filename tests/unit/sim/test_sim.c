/* The public run: stepping, frames, states, estimate, stop, guards. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "sim/sim.h"
#include "splenium/splenium.h"
#include "support/test_main.h"
#include "unit/output/folder.h"

enum { N = 3, MAX_ROWS = 4096 };

/* What a sink has seen of monitor 0. */
typedef struct {
    size_t n_rows;
    double rows[MAX_ROWS][N];
    spl_sim *stop_at_row; /* ask for a stop at the first row */
    spl_status result;
} seen;

static spl_status take(void *user, const spl_frame *frame)
{
    seen *s = user;
    if (frame->monitor != 0) {
        return SPL_OK;
    }
    ck_assert_uint_eq(frame->width, N);
    ck_assert_uint_eq(frame->first_row, s->n_rows);
    for (size_t r = 0; r < frame->n_rows; r++) {
        memcpy(s->rows[s->n_rows++], frame->values + r * N, sizeof s->rows[0]);
    }
    if (s->stop_at_row != NULL) {
        spl_sim_stop(s->stop_at_row);
    }
    return s->result;
}

/* A ring of three nodes with delays of 10, 20 and 30 steps at the default speed. */
static spl_connectome *ring(void)
{
    static const double weights[N * N] = {0, 0, 1, 1, 0, 0, 0, 1, 0};
    static const double lengths[N * N] = {0, 0, 3, 6, 0, 0, 0, 9, 0};
    static const char *const labels[] = {"a", "b", "c"};
    const spl_connectome_arrays arrays = {
        .n_nodes = N, .weights = weights, .tract_lengths = lengths, .labels = labels};
    spl_connectome *connectome = NULL;
    ck_assert_int_eq(spl_connectome_create(&connectome, &arrays, NULL), SPL_OK);
    return connectome;
}

/* Key, value pairs, then NULL. */
static spl_sim *make(const char *const *settings)
{
    spl_config *config = NULL;
    spl_connectome *connectome = ring();
    spl_sim *sim = NULL;
    ck_assert_int_eq(spl_config_defaults(&config), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "output.file", ""), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "monitors", "[{kind: raw}]"), SPL_OK);
    for (; *settings != NULL; settings += 2) {
        ck_assert_int_eq(spl_config_set(config, settings[0], settings[1]), SPL_OK);
    }
    ck_assert_msg(
        spl_sim_create(&sim, config, connectome) == SPL_OK, "%s", spl_last_error());
    spl_connectome_free(connectome);
    spl_config_free(config);
    return sim;
}

START_TEST(steps_and_runs_show_the_same_rows)
{
    static const char *const settings[] = {"simulation.duration", "100", NULL};
    seen *once = calloc(1, sizeof *once);
    seen *pieces = calloc(1, sizeof *pieces);
    spl_sim *sim = make(settings);
    spl_sim_set_sink(sim, take, once);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_OK);
    ck_assert_uint_eq(once->n_rows, 1000);
    ck_assert_uint_eq(spl_sim_steps_done(sim), 1000);
    ck_assert_double_eq(spl_sim_time(sim), 1000 * 0.1);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_ERR_ARGUMENT);

    spl_sim *other = make(settings);
    spl_sim_set_sink(other, take, pieces);
    static const uint64_t lengths[] = {1, 7, 500, 0, 492};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        ck_assert_int_eq(spl_sim_step(other, lengths[i]), SPL_OK);
    }
    ck_assert_int_eq(spl_sim_step(other, 1), SPL_ERR_ARGUMENT);
    ck_assert_str_eq(
        spl_last_error(), "1 steps asked for, 0 are left of simulation.duration");
    ck_assert_uint_eq(pieces->n_rows, 1000);
    ck_assert_mem_eq(once->rows, pieces->rows, sizeof once->rows);

    double state[N];
    ck_assert_int_eq(spl_sim_state(other, "V", state), SPL_OK);
    ck_assert_mem_eq(state, once->rows[999], sizeof state);
    ck_assert_int_eq(spl_sim_state(other, "Q", state), SPL_OK);
    ck_assert_double_eq_tol(
        state[0], 1.0 / (1.0 + exp(-2.0 * once->rows[999][0] / 0.65)), 1e-14);
    ck_assert_int_eq(spl_sim_state(other, "v", state), SPL_ERR_NOT_FOUND);
    ck_assert_str_eq(spl_last_error(), "unknown state 'v'; did you mean 'V'?");
    spl_sim_free(sim);
    spl_sim_free(other);
    free(once);
    free(pieces);
}
END_TEST

/* Last rows of a run of 100 ms; of the first variable of monitor 0. */
static void last_rows(seen *last, const char *monitors, uint64_t stop_at, uint64_t asked)
{
    const char *const settings[] = {
        "simulation.duration", "100", "output.file", "r.h5", "monitors", monitors, NULL};
    spl_sim *sim = make(settings);
    last->n_rows = stop_at > 0 || asked > 1000 ? 0 : 1000 - asked;
    last->stop_at_row = NULL;
    spl_sim_set_last_rows(sim, 0, asked, take, last);
    if (stop_at > 0) {
        spl_sim_stop(sim);
    }
    const spl_status status = spl_sim_run(sim, NULL, NULL, NULL);
    ck_assert_int_eq(status, stop_at > 0 ? SPL_ERR_INTERRUPTED : SPL_OK);
    ck_assert_uint_eq(last->n_rows, spl_sim_steps_done(sim));
    spl_sim_free(sim);
    unlink("r.h5");
}

/* In pieces, of either type, one variable or more: what a sink would have seen, rounded
 * as in the file. */
START_TEST(the_last_rows_come_back_from_the_file)
{
    static const char *const settings[] = {"simulation.duration", "100", NULL};
    static const char *const kinds[] = {"[{kind: raw, variables: [V]}]",
        "[{kind: raw, variables: [V, Z]}, {kind: temporal_average, period: 1}]",
        "[{kind: raw, variables: [V], dtype: f8}, {name: x, kind: raw}]"};
    static const uint64_t asked[] = {1, 17, 999, 1000, 5000};
    seen *all = calloc(1, sizeof *all);
    seen *last = calloc(1, sizeof *last);
    spl_sim *sim = make(settings);
    spl_sim_set_sink(sim, take, all);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_OK);
    spl_sim_free(sim);
    for (size_t k = 0; k < 3; k++) {
        for (size_t a = 0; a < 5; a++) {
            last_rows(last, kinds[k], 0, asked[a]);
            const size_t first = asked[a] < 1000 ? 1000 - (size_t)asked[a] : 0;
            for (size_t i = first * N; i < 1000 * (size_t)N; i++) {
                const double value = all->rows[i / N][i % N];
                ck_assert_double_eq(
                    last->rows[i / N][i % N], k == 2 ? value : (double)(float)value);
            }
        }
        last_rows(last, kinds[k], 1, 5000);
        ck_assert_uint_lt(last->n_rows, 1000);
    }
    free(all);
    free(last);
}
END_TEST

/* Of states the kernels form sums, of the observable and the input they do not. */
START_TEST(means_of_every_variable_are_those_of_single_steps)
{
    static const char *const variables[] = {"[V]", "[Q]", "[c]", "[Q, V]", "[c, W]"};
    static const char *const engines[] = {"production", "reference"};
    seen *of[] = {calloc(1, sizeof **of), calloc(1, sizeof **of)};
    for (size_t k = 0; k < sizeof variables / sizeof *variables; k++) {
        char monitors[100];
        snprintf(monitors, sizeof monitors,
            "[{kind: temporal_average, dtype: f8, variables: %s}]", variables[k]);
        for (size_t e = 0; e < 2; e++) {
            spl_sim *sim = make((const char *const[]){"simulation.duration", "300",
                "monitors", monitors, "simulation.engine", engines[e], NULL});
            of[e]->n_rows = 0;
            spl_sim_set_sink(sim, take, of[e]);
            spl_sim_collect_rows(sim, true);
            ck_assert_int_eq(spl_sim_step(sim, 3000), SPL_OK);
            ck_assert_uint_eq(of[e]->n_rows, 300);
            spl_sim_free(sim);
        }
        ck_assert_mem_eq(of[0]->rows, of[1]->rows, 300 * sizeof of[0]->rows[0]);
    }
    free(of[0]);
    free(of[1]);
}
END_TEST

enum { MANY_ROWS = 200000 };

/* Every row of monitor 0 as the file has it. */
typedef struct {
    uint64_t n_rows;
    float rows[MANY_ROWS][N];
} many;

static spl_status take_many(void *user, const spl_frame *frame)
{
    many *m = user;
    ck_assert_uint_eq(frame->first_row, m->n_rows);
    for (size_t i = 0; i < frame->n_rows * N; i++) {
        m->rows[m->n_rows + i / N][i % N] = (float)frame->values[i];
    }
    m->n_rows += frame->n_rows;
    return SPL_OK;
}

/* The buffer of the file's writer holds 8192 rows. Windows of steps do not end where it
 * does, because of the transient. With another monitor they are shorter. */
START_TEST(rows_of_every_step_are_right_where_the_buffer_ends)
{
    static const char *const monitors[] = {"[{kind: raw, variables: [V]}]",
        "[{kind: raw, variables: [V]}, {kind: subsample, period: 10, variables: [W]}]"};
    const char *settings[] = {"simulation.duration", "20000", "simulation.transient",
        "1.3", "output.file", "r.h5", "monitors", NULL, NULL};
    many *all = calloc(1, sizeof *all);
    many *last = calloc(1, sizeof *last);
    spl_sim *sim = make((const char *const[]){
        "simulation.duration", "20000", "simulation.transient", "1.3", NULL});
    spl_sim_set_sink(sim, take_many, all);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_OK);
    spl_sim_free(sim);
    for (size_t k = 0; k < 2; k++) {
        settings[7] = monitors[k];
        last->n_rows = 0;
        sim = make(settings);
        spl_sim_set_last_rows(sim, 0, MANY_ROWS, take_many, last);
        ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_OK);
        spl_sim_free(sim);
        unlink("r.h5");
        ck_assert_uint_eq(last->n_rows, MANY_ROWS);
        ck_assert_mem_eq(last->rows, all->rows, sizeof all->rows);
    }
    free(all);
    free(last);
}
END_TEST

static spl_status refuse(void *user, const spl_frame *frame)
{
    *(size_t *)user += frame->n_rows;
    return spl_error(SPL_ERR_NO_MEMORY, "refused");
}

START_TEST(an_error_about_the_last_rows_is_that_of_a_complete_run)
{
    static const char *const settings[] = {
        "simulation.duration", "100", "output.file", "r.h5", NULL};
    size_t n_rows = 0;
    spl_sim *sim = make(settings);
    spl_sim_set_last_rows(sim, 0, 10, refuse, &n_rows);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_ERR_NO_MEMORY);
    ck_assert_str_eq(spl_last_error(), "refused");
    ck_assert_uint_eq(n_rows, 10);
    spl_results_info *info = NULL;
    ck_assert_int_eq(spl_results_describe("r.h5", &info), SPL_OK);
    ck_assert_str_eq(info->status, "complete");
    spl_results_free(info);
    spl_sim_free(sim);
    unlink("r.h5");

    sim = make(settings);
    spl_sim_set_last_rows(sim, 0, 10, refuse, &n_rows);
    spl_sim_stop(sim);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_ERR_INTERRUPTED);
    ck_assert_uint_gt(n_rows, 10);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "interrupted at "));
    spl_sim_free(sim);
}
END_TEST

START_TEST(an_estimate_leaves_no_trace)
{
    static const char *const settings[] = {"simulation.duration", "50", "monitors",
        "[{kind: temporal_average, period: 1}, {kind: bold, period: 40}]", "noise.kind",
        "ou", NULL};
    seen *with = calloc(1, sizeof *with);
    seen *without = calloc(1, sizeof *without);
    spl_sim *sim = make(settings);
    spl_sim *other = make(settings);
    spl_sim_set_sink(sim, take, with);
    spl_sim_set_sink(other, take, without);
    double seconds = -1.0;
    /* at the start it goes back to the settings, later to a copy */
    ck_assert_int_eq(spl_sim_estimate(sim, 100, &seconds), SPL_OK);
    ck_assert_int_eq(spl_sim_step(sim, 25), SPL_OK);
    ck_assert_int_eq(spl_sim_estimate(sim, 100, &seconds), SPL_OK);
    ck_assert_double_ge(seconds, 0.0);
    ck_assert_uint_eq(spl_sim_steps_done(sim), 25);
    ck_assert_int_eq(spl_sim_step(sim, 475), SPL_OK);
    ck_assert_int_eq(spl_sim_step(other, 500), SPL_OK);
    ck_assert_uint_eq(with->n_rows, 50);
    ck_assert_mem_eq(with, without, sizeof *with);
    spl_sim_free(sim);
    spl_sim_free(other);
    free(with);
    free(without);
}
END_TEST

START_TEST(a_stop_ends_the_run_at_a_block)
{
    static const char *const settings[] = {"simulation.duration", "1 s", NULL};
    seen *s = calloc(1, sizeof *s);
    spl_sim *sim = make(settings);
    s->stop_at_row = sim;
    spl_sim_set_sink(sim, take, s);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_ERR_INTERRUPTED);
    ck_assert_str_eq(spl_last_error(), "interrupted at 0.8 of 1000 ms");
    ck_assert_uint_eq(s->n_rows, 8);
    spl_sim_free(sim);
    free(s);
}
END_TEST

START_TEST(an_error_of_the_sink_ends_the_run)
{
    static const char *const settings[] = {"simulation.duration", "1 s", NULL};
    seen *s = calloc(1, sizeof *s);
    spl_sim *sim = make(settings);
    s->result = SPL_ERR_FILE_WRITE;
    spl_sim_set_sink(sim, take, s);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_ERR_FILE_WRITE);
    ck_assert_uint_eq(s->n_rows, 8);
    spl_sim_free(sim);
    free(s);
}
END_TEST

START_TEST(divergence_names_node_variable_and_time)
{
    static const char *const settings[] = {"simulation.duration", "1 s", "model.init",
        "{V: 0, W: 0.25, Z: {values: [0.1, 4.0, 0.1]}}", "noise.kind", "none",
        "simulation.divergence_limit", "5", NULL};
    seen *s = calloc(1, sizeof *s);
    spl_sim *sim = make(settings);
    spl_sim_set_sink(sim, take, s);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_ERR_DIVERGED);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "node 1 (b): V = -5."));
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "(model.init: custom)"));
    const size_t last = s->n_rows - 1;
    ck_assert(s->n_rows > 0 && fabs(s->rows[last][1]) <= 5.0);
    char place[64];
    snprintf(place, sizeof place, " ms (step %zu); ", s->n_rows + 1);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), place));
    ck_assert_int_eq(spl_sim_step(sim, 1), SPL_ERR_ARGUMENT);
    spl_sim_free(sim);
    free(s);
}
END_TEST

static char warnings[4096];

static void keep_warning(void *user, spl_log_level level, const char *text)
{
    (void)user;
    if (level == SPL_LOG_WARNING) {
        strncat(warnings, text, sizeof warnings - strlen(warnings) - 2);
        strcat(warnings, "\n");
    }
}

START_TEST(escaped_nodes_are_counted_at_fixed_steps)
{
    static const char *const settings[] = {"simulation.duration", "500", "model.init",
        "{V: 0, W: 0.25, Z: {values: [0.1, 4.0, 0.1]}}", "noise.kind", "none", NULL};
    spl_sim_info info;
    spl_log_set(keep_warning, NULL);
    warnings[0] = '\0';
    spl_sim *sim = make(settings);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_OK);
    spl_sim_describe(sim, &info);
    ck_assert_uint_eq(info.escaped_nodes, 1);
    ck_assert_str_eq(warnings,
        "1 of 3 nodes left the attractor (V < -1), first node 1 (b), by 102.4 ms; start "
        "inside its basin (model.init: btf2003) and check coupling and noise\n");
    spl_sim_free(sim);

    const char *strict[sizeof settings / sizeof *settings + 2];
    memcpy(strict, (const char *[]){"simulation.escaped", "error"}, 2 * sizeof *strict);
    memcpy(strict + 2, settings, sizeof settings);
    sim = make(strict);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_ERR_DIVERGED);
    ck_assert_uint_eq(spl_sim_steps_done(sim), 1024);
    spl_sim_free(sim);
    spl_log_set(NULL, NULL);
}
END_TEST

START_TEST(a_node_has_escaped_below_the_limit_of_its_model)
{
    static const char *const settings[] = {"simulation.duration", "0.1", "model.init",
        "{V: {values: [-0.8, -1.2, -3]}, W: 0, Z: 0}", "noise.kind", "none", NULL};
    spl_sim_info info;
    double V[N];
    spl_sim *sim = make(settings);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_OK);
    ck_assert_int_eq(spl_sim_state(sim, "V", V), SPL_OK);
    ck_assert(V[0] > -1.0 && V[1] < -1.0 && V[1] > -1.2 && V[2] < -2.0);
    spl_sim_describe(sim, &info);
    ck_assert_uint_eq(info.escaped_nodes, 2);
    spl_sim_free(sim);
}
END_TEST

START_TEST(parameters_without_a_fixed_point_are_told_before_the_run)
{
    static const char *const settings[] = {
        "simulation.duration", "1 s", "model.d_V", "{default: 0.65, c: 0.43}", NULL};
    spl_log_set(keep_warning, NULL);
    warnings[0] = '\0';
    spl_sim *sim = make(settings);
    ck_assert_str_eq(warnings,
        "model: 1 of 3 nodes, first node 2 (c): d_V = 0.43 is not above ani Iext / "
        "(0.139232 aei QV_max) = 0.430935: there is no fixed point and every start "
        "diverges; raise d_V or lower Iext\n");
    spl_sim_free(sim);
    spl_log_set(NULL, NULL);
}
END_TEST

/* Rounding shows in every state, and not yet more than it. */
START_TEST(single_precision_is_close_for_a_short_time)
{
    static const char *const settings[][5] = {
        {"simulation.duration", "5", "simulation.precision", "double", NULL},
        {"simulation.duration", "5", "simulation.precision", "single", NULL}};
    double V[2][N];
    double Q[2][N];
    for (int single = 0; single < 2; single++) {
        spl_sim_info info;
        spl_sim *sim = make(settings[single]);
        spl_sim_describe(sim, &info);
        ck_assert_str_eq(info.precision, settings[single][3]);
        ck_assert_int_eq(spl_sim_step(sim, 50), SPL_OK);
        ck_assert_int_eq(spl_sim_state(sim, "V", V[single]), SPL_OK);
        ck_assert_int_eq(spl_sim_state(sim, "Q", Q[single]), SPL_OK);
        spl_sim_free(sim);
    }
    for (size_t i = 0; i < N; i++) {
        ck_assert_double_eq_tol(V[0][i], V[1][i], 1e-5);
        ck_assert_double_eq_tol(Q[0][i], Q[1][i], 1e-5);
        ck_assert_double_ne(V[0][i], V[1][i]);
        ck_assert_double_eq(V[1][i], (float)V[1][i]);
    }
}
END_TEST

/* An automatic number of threads is tried once in 1024 steps, not by fewer. */
START_TEST(few_steps_at_a_time_keep_all_threads)
{
    enum { N_MANY = 4 * SPL_TILE };
    static double weights[N_MANY * N_MANY];
    static double lengths[N_MANY * N_MANY];
    const spl_connectome_arrays arrays = {
        .n_nodes = N_MANY, .weights = weights, .tract_lengths = lengths};
    spl_connectome *connectome = NULL;
    spl_config *config = NULL;
    spl_sim *sim = NULL;
    for (size_t i = 0; i < N_MANY; i++) {
        weights[i * N_MANY + (i + 1) % N_MANY] = 1.0;
        lengths[i * N_MANY + (i + 1) % N_MANY] = 9.0;
    }
    ck_assert_int_eq(spl_connectome_create(&connectome, &arrays, NULL), SPL_OK);
    ck_assert_int_eq(spl_config_defaults(&config), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "output.file", ""), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "simulation.threads", "0"), SPL_OK);
    ck_assert_msg(
        spl_sim_create(&sim, config, connectome) == SPL_OK, "%s", spl_last_error());
    for (int i = 0; i < 300; i++) {
        ck_assert_int_eq(spl_sim_step(sim, 100), SPL_OK);
        ck_assert_int_eq(
            sim->engine->ops->threads(sim->engine), sim->engine->max_threads);
    }
    spl_sim_free(sim);
    spl_connectome_free(connectome);
    spl_config_free(config);
}
END_TEST

START_TEST(a_run_describes_itself)
{
    static const char *const settings[] = {
        "simulation.duration", "1 s", "simulation.threads", "1", NULL};
    spl_sim_info info;
    spl_build_info build;
    spl_sim *sim = make(settings);
    spl_sim_describe(sim, &info);
    ck_assert_uint_eq(info.n_edges, 3);
    ck_assert_uint_eq(info.delay_min, 10);
    ck_assert_uint_eq(info.delay_median, 20);
    ck_assert_uint_eq(info.delay_max, 30);
    ck_assert_uint_eq(info.block, 8);
    ck_assert_str_eq(info.path, "delayed blocks");
    ck_assert_str_eq(info.engine, "production");
    ck_assert_str_eq(info.precision, "double");
    ck_assert_uint_eq(info.n_steps, 10000);
    ck_assert_uint_gt(info.memory_bytes, 10000);
    ck_assert_str_eq(info.output, "");
    spl_build_describe(&build);
    ck_assert_str_eq(info.target, build.target);
    ck_assert_str_eq(build.version, spl_version());
    spl_sim_free(sim);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("sim");
    TCase *tcase = tcase_create("sim");
    TCase *files = tcase_create("files");
    TCase *lengthy = test_long_cases(suite);
    tcase_add_checked_fixture(files, folder_setup, folder_teardown);
    tcase_add_checked_fixture(lengthy, folder_setup, folder_teardown);
    tcase_add_test(tcase, steps_and_runs_show_the_same_rows);
    tcase_add_test(files, the_last_rows_come_back_from_the_file);
    tcase_add_test(lengthy, rows_of_every_step_are_right_where_the_buffer_ends);
    tcase_add_test(files, an_error_about_the_last_rows_is_that_of_a_complete_run);
    tcase_add_test(tcase, means_of_every_variable_are_those_of_single_steps);
    tcase_add_test(tcase, an_estimate_leaves_no_trace);
    tcase_add_test(tcase, a_stop_ends_the_run_at_a_block);
    tcase_add_test(tcase, an_error_of_the_sink_ends_the_run);
    tcase_add_test(tcase, divergence_names_node_variable_and_time);
    tcase_add_test(tcase, escaped_nodes_are_counted_at_fixed_steps);
    tcase_add_test(tcase, a_node_has_escaped_below_the_limit_of_its_model);
    tcase_add_test(tcase, parameters_without_a_fixed_point_are_told_before_the_run);
    tcase_add_test(tcase, single_precision_is_close_for_a_short_time);
    tcase_add_test(tcase, few_steps_at_a_time_keep_all_threads);
    tcase_add_test(tcase, a_run_describes_itself);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, files);
    return suite;
}
