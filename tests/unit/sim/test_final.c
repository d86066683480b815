/* /state/final of a results file against the rows of the same run. */
#include <math.h>
#include <string.h>

#include "splenium/splenium.h"
#include "support/test_main.h"
#include "unit/output/folder.h"

enum { N = 3, STEPS = 65, LONGEST = 20 };

/* Three nodes; delays of 10 and 20 steps, and `third` mm on the last edge. */
static spl_connectome *ring(double third)
{
    static const double weights[N * N] = {0, 0, 1, 1, 0, 0, 0, 1, 0};
    const double lengths[N * N] = {0, 0, 3, 6, 0, 0, 0, third, 0};
    const spl_connectome_arrays arrays = {
        .n_nodes = N, .weights = weights, .tract_lengths = lengths};
    spl_connectome *connectome = NULL;
    ck_assert_int_eq(spl_connectome_create(&connectome, &arrays, NULL), SPL_OK);
    return connectome;
}

static const char *const precisions[] = {"double", "single"};

/* Run STEPS steps of RK4 with coloured noise into r.h5, every row kept. */
static void run(double third, const char *engine, const char *precision)
{
    static const char *const settings[][2] = {
        {"output.file", "r.h5"},
        {"output.force", "true"},
        {"simulation.duration", "6.5"},
        {"simulation.integrator", "rk4"},
        {"noise.kind", "ou"},
        {"monitors", "[{kind: raw, variables: [V, Z, Q], dtype: f8}, {name: tavg, kind: "
                     "temporal_average, period: 4}]"},
    };
    spl_config *config = NULL;
    spl_sim *sim = NULL;
    spl_connectome *connectome = ring(third);
    ck_assert_int_eq(spl_config_defaults(&config), SPL_OK);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        ck_assert_int_eq(spl_config_set(config, settings[i][0], settings[i][1]), SPL_OK);
    }
    ck_assert_int_eq(spl_config_set(config, "simulation.engine", engine), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "simulation.precision", precision), SPL_OK);
    ck_assert_int_eq(spl_sim_create(&sim, config, connectome), SPL_OK);
    ck_assert_msg(spl_sim_run(sim, "test", NULL, NULL) == SPL_OK, "%s", spl_last_error());
    spl_sim_free(sim);
    spl_connectome_free(connectome);
    spl_config_free(config);
}

typedef struct {
    hid_t file;
    double V[STEPS][N], Z[STEPS][N], Q[STEPS][N];
} stored;

static void read_rows(stored *s)
{
    s->file = open_file("r.h5");
    read_set(s->file, "/monitors/raw/V", H5T_NATIVE_DOUBLE, s->V);
    read_set(s->file, "/monitors/raw/Z", H5T_NATIVE_DOUBLE, s->Z);
    read_set(s->file, "/monitors/raw/Q", H5T_NATIVE_DOUBLE, s->Q);
}

/* States, and samples in the order of time, the present one last. */
static void check_states_and_history(const stored *s)
{
    double state[N];
    double history[N][LONGEST + 1];
    double noise[N][N];
    uint64_t record[2];
    read_set(s->file, "/state/final/V", H5T_NATIVE_DOUBLE, state);
    ck_assert_mem_eq(state, s->V[STEPS - 1], sizeof state);
    read_set(s->file, "/state/final/Z", H5T_NATIVE_DOUBLE, state);
    ck_assert_mem_eq(state, s->Z[STEPS - 1], sizeof state);
    read_set(s->file, "/state/final/history", H5T_NATIVE_DOUBLE, history);
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k <= LONGEST; k++) {
            ck_assert_double_eq(history[i][k], s->Q[STEPS - 1 - LONGEST + k][i]);
        }
    }
    read_set(s->file, "/state/final/noise", H5T_NATIVE_DOUBLE, noise);
    ck_assert_double_ne(noise[0][0], noise[0][1]);
    read_set(s->file, "/state/final/record", H5T_NATIVE_UINT64, record);
    ck_assert_uint_eq(record[0], STEPS);
}

/* The last window of the average is more than half full: 25 of 40 steps, of which 20 are
 * whole milliseconds. */
static void check_monitor(const stored *s)
{
    double sum[2][N];
    read_set(s->file, "/state/final/monitor_tavg", H5T_NATIVE_DOUBLE, sum);
    for (size_t i = 0; i < N; i++) {
        double expected[2] = {0.0, 0.0};
        for (size_t k = STEPS - 25; k < STEPS; k++) {
            expected[k >= STEPS - 5] += s->V[k][i];
        }
        ck_assert_double_eq_tol(sum[0][i], expected[0], 1e-12);
        ck_assert_double_eq_tol(sum[1][i], expected[1], 1e-12);
    }
}

/* Half a step lies between its neighbours, up to the curvature of 0.1 ms. */
static void check_half_steps(const stored *s)
{
    double half[N][LONGEST + 1];
    read_set(s->file, "/state/final/history_half_steps", H5T_NATIVE_DOUBLE, half);
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k <= LONGEST; k++) {
            const size_t before = STEPS - 2 - k; /* row of the step before it */
            const double middle = 0.5 * (s->Q[before][i] + s->Q[before + 1][i]);
            ck_assert_double_eq_tol(half[i][LONGEST - k], middle, 5e-3);
        }
    }
}

static void check_final(double third, const char *engine, const char *precision)
{
    stored s;
    run(third, engine, precision);
    read_rows(&s);
    check_states_and_history(&s);
    check_monitor(&s);
    check_half_steps(&s);
    H5Fclose(s.file);
}

START_TEST(blocks_store_what_continues_them)
{
    check_final(3.0, "production", precisions[_i]);
}
END_TEST

/* An edge without delay ties the nodes in every stage; the reference engine takes single
 * steps. */
START_TEST(other_engines_store_the_same)
{
    check_final(0.0, "production", precisions[_i]);
    check_final(0.0, "reference", precisions[_i]);
    check_final(3.0, "reference", precisions[_i]);
}
END_TEST

START_TEST(numbers_of_single_precision_are_stored_exactly)
{
    stored s;
    double history[N][LONGEST + 1];
    char *precision = NULL;
    run(3.0, "production", "single");
    read_rows(&s);
    read_set(s.file, "/state/final/history", H5T_NATIVE_DOUBLE, history);
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k <= LONGEST; k++) {
            ck_assert_double_eq(history[i][k], (float)history[i][k]);
        }
        for (size_t k = 0; k < STEPS; k++) {
            ck_assert_double_eq(s.V[k][i], (float)s.V[k][i]);
        }
    }
    ck_assert_double_ne(s.V[STEPS - 1][0], s.V[STEPS - 1][1]);
    const hid_t attribute = H5Aopen(s.file, "precision", H5P_DEFAULT);
    const hid_t type = H5Aget_type(attribute);
    ck_assert_int_ge(H5Aread(attribute, type, &precision), 0);
    ck_assert_str_eq(precision, "single");
    H5free_memory(precision);
    H5Tclose(type);
    H5Aclose(attribute);
    H5Fclose(s.file);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("sim_final");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_add_loop_test(tcase, blocks_store_what_continues_them, 0, 2);
    tcase_add_loop_test(tcase, other_engines_store_the_same, 0, 2);
    tcase_add_test(tcase, numbers_of_single_precision_are_stored_exactly);
    suite_add_tcase(suite, tcase);
    return suite;
}
