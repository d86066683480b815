/* BOLD: kernels and convolution against tabulated values and a stored run of The Virtual
 * Brain; the Balloon-Windkessel model against values of an 8th-order integration. */
#include <hdf5_hl.h>

#include "drive.h"
#include "simd/dispatch.h"
#include "support/shared.h"
#include "support/test_main.h"

enum { N_TAPS = 5000 };

static double impulse(uint64_t step, size_t v, size_t node, const void *user)
{
    (void)v;
    (void)node;
    (void)user;
    return step == 1 ? 1.0 : 0.0;
}

static double constant(uint64_t step, size_t v, size_t node, const void *user)
{
    (void)step;
    (void)v;
    (void)node;
    return *(const double *)user;
}

/* One bin per step and one row per bin: the response to an impulse is the kernel. */
static spl_monitor_spec bold_spec(const char *kernel, const char *arithmetic)
{
    spl_monitor_spec spec = default_spec("bold");
    spec.period_ms = 4.0;
    set_choice(&spec, "kernel", kernel);
    set_choice(&spec, "arithmetic", arithmetic);
    return spec;
}

static void read_kernel(const char *kernel, double *taps)
{
    spl_monitor_spec spec = bold_spec(kernel, "aligned");
    drive d = {&spec, {1, 4.0, 0, N_TAPS}, impulse, NULL, {64}, 1, false, 0};
    recording r = run_drive(&d);
    double scale = strcmp(kernel, "FirstOrderVolterra") == 0 ? 5.6 * 0.02 * 0.004 : 0.004;
    ck_assert_uint_eq(r.n_rows, N_TAPS);
    ck_assert_str_eq(r.shape.unit[0], "1");
    for (size_t m = 0; m < N_TAPS; m++) {
        taps[m] = r.values[0][m] / scale;
    }
    free_recording(&r);
}

static const struct {
    const char *name;
    double at_1s, at_2s, sum, largest, largest_at;
} table[] = {
    {"FirstOrderVolterra", 0.121987446802358, 0.015429372590788, 33.33334877,
        0.127728623987, 0.8},
    {"Gamma", 0.0627417952622403, 0.0994242702997577, 99.75208429, 0.1, 2.16},
    {"DoubleExponential", -0.0523171686757, -0.0580602048395, 71.20532292, 0.1, 5.944},
    {"MixtureOfGammas", 0.00306566170255683, 0.0360889459558161, 153.88672054,
        0.174143188275, 4.948},
};

START_TEST(kernels_have_the_tabulated_values)
{
    /* the table's own digits */
    const double digits = _i == 2 ? 1e-13 : 1e-15;
    double taps[N_TAPS];
    double sum = 0.0;
    size_t largest = 0;
    read_kernel(table[_i].name, taps);
    for (size_t m = 0; m < N_TAPS; m++) {
        sum += taps[m];
        largest = taps[m] > taps[largest] ? m : largest;
    }
    ck_assert_double_eq_tol(taps[250], table[_i].at_1s, digits);
    ck_assert_double_eq_tol(taps[500], table[_i].at_2s, digits);
    ck_assert_double_eq_tol(sum, table[_i].sum, 2e-8);
    ck_assert_double_eq_tol(taps[largest], table[_i].largest, 1e-12);
    ck_assert_double_eq_tol((double)largest * 0.004, table[_i].largest_at, 1e-12);
}
END_TEST

START_TEST(a_constant_input_gives_the_integral_of_the_kernel)
{
    const double one = 1.0;
    const double dts[] = {4.0, 0.3};
    for (size_t k = 0; k < 2; k++) { /* bins of 4 ms, and of 13 steps = 3.9 ms */
        spl_monitor_spec spec = bold_spec("FirstOrderVolterra", "aligned");
        spec.period_ms = 12000.0;
        uint64_t n_steps = (uint64_t)rint(24000.0 / dts[k]);
        drive d = {&spec, {2, dts[k], 0, n_steps}, constant, &one, {100}, 1, false, 0};
        recording r = run_drive(&d);
        ck_assert_uint_eq(r.n_rows, 2);
        ck_assert_uint_eq(r.shape.n_transient_rows, 1);
        ck_assert_double_eq_tol(r.values[0][3], 0.112 * 0.4 / 3.0, 4e-8);
        free_recording(&r);
    }
}
END_TEST

START_TEST(tvb_arithmetic_is_one_bin_late_and_unscaled)
{
    double taps[N_TAPS];
    read_kernel("Gamma", taps);
    spl_monitor_spec spec = bold_spec("Gamma", "tvb");
    drive d = {&spec, {1, 4.0, 0, N_TAPS}, impulse, NULL, {64}, 1, false, 0};
    recording r = run_drive(&d);
    for (size_t row = 0; row < N_TAPS; row++) {
        double tap = taps[row > 0 ? row - 1 : N_TAPS - 1];
        ck_assert_double_eq_tol(r.values[0][row], tap, 1e-16);
    }
    free_recording(&r);
    /* the kernel grid stays 4 ms when the bin is 3.9 ms; Volterra subtracts 1 */
    const double one = 1.0;
    spec = bold_spec("FirstOrderVolterra", "tvb");
    spec.period_ms = 19500.0;
    drive e = {&spec, {1, 0.3, 0, 65000}, constant, &one, {100}, 1, false, 0};
    r = run_drive(&e);
    ck_assert_double_eq_tol(r.values[0][0], 0.112 * 32.33334877, 1e-8);
    free_recording(&r);
}
END_TEST

START_TEST(rows_within_the_kernel_transient_are_counted)
{
    const spl_monitor_run from_start = {1, 0.2, 0, 350000};
    const spl_monitor_run late = {1, 0.2, 95000, 350000};
    const spl_monitor_run brief = {1, 0.2, 0, 30000};
    spl_monitor_spec spec = default_spec("bold");
    spl_monitor_shape shape;
    ck_assert_int_eq(spl_monitor_plan(&spec, &from_start, &shape), SPL_OK);
    ck_assert_uint_eq(shape.n_rows, 35);
    ck_assert_uint_eq(shape.n_transient_rows, 9);
    ck_assert_int_eq(spl_monitor_plan(&spec, &late, &shape), SPL_OK);
    ck_assert_uint_eq(shape.n_transient_rows, 0);
    ck_assert_int_eq(spl_monitor_plan(&spec, &brief, &shape), SPL_OK);
    ck_assert_uint_eq(shape.n_transient_rows, 3);
}
END_TEST

START_TEST(the_transient_feeds_the_kernel)
{
    const double one = 1.0;
    spl_monitor_spec spec = bold_spec("FirstOrderVolterra", "aligned");
    drive whole = {&spec, {1, 1.0, 0, 4000}, constant, &one, {50}, 1, false, 0};
    drive late = {&spec, {1, 1.0, 3000, 4000}, constant, &one, {50}, 1, false, 0};
    recording a = run_drive(&whole);
    recording b = run_drive(&late);
    ck_assert_uint_eq(a.n_rows, 1000);
    ck_assert_uint_eq(b.n_rows, 250);
    ck_assert(memcmp(a.values[0] + 750, b.values[0], 250 * sizeof(double)) == 0);
    ck_assert(b.shape.first_time_ms == 3004.0);
    free_recording(&a);
    free_recording(&b);
}
END_TEST

enum { BIN = 13, BRIEF_TAPS = 11, BRIEF_STEPS = 1300, BRIEF_NODES = 19 };

static double uneven(uint64_t step, size_t v, size_t node, const void *user)
{
    (void)v;
    (void)user;
    return sin(0.37 * (double)step + (double)node) + 0.01 * (double)(step * 7 % 31);
}

static double bin_impulse(uint64_t step, size_t v, size_t node, const void *user)
{
    return BIN * impulse(step, v, node, user);
}

/* The mean of bin k, which ends at step k * BIN. */
static double bin_mean(uint64_t k, size_t node)
{
    double sum = 0.0;
    for (uint64_t step = (k - 1) * BIN + 1; step <= k * BIN; step++) {
        sum += uneven(step, 0, node, NULL);
    }
    return sum / BIN;
}

static const uint64_t row_steps[] = {1, 3, 12, 13, 14, 26, 40, 100, 143, 144, 400};

/* Rows of every period, in bins of 13 steps, are what their definition says. */
START_TEST(rows_are_convolutions_whatever_their_period)
{
    const uint64_t transients[] = {0, 5, 13, 200};
    const uint64_t every = row_steps[_i];
    spl_monitor_spec spec = default_spec("bold");
    set_option(&spec, "hrf_length", 4.0 * BRIEF_TAPS);
    spec.period_ms = 0.3 * BIN;
    drive kernel = {&spec, {1, 0.3, 0, BRIEF_TAPS * BIN}, bin_impulse, NULL, {BRIEF_TAPS},
        1, false, 0};
    recording taps = run_drive(&kernel);
    spec.period_ms = 0.3 * (double)every;
    for (size_t t = 0; t < 4; t++) {
        drive d = {&spec, {BRIEF_NODES, 0.3, transients[t], BRIEF_STEPS}, uneven, NULL,
            {16, 1, 50}, 2, true, 0};
        recording r = run_drive(&d);
        ck_assert_uint_eq(r.n_rows, (BRIEF_STEPS - transients[t]) / every);
        for (size_t row = 0; row < r.n_rows; row++) {
            const uint64_t newest = (transients[t] + (row + 1) * every) / BIN;
            for (size_t i = 0; i < BRIEF_NODES; i++) {
                double y = 0.0;
                for (uint64_t m = 0; m < BRIEF_TAPS && m < newest; m++) {
                    y += taps.values[0][m] * bin_mean(newest - m, i);
                }
                ck_assert_double_eq_tol(r.values[0][row * BRIEF_NODES + i], y, 1e-16);
            }
        }
        free_recording(&r);
    }
    free_recording(&taps);
}
END_TEST

enum { STORED_BINS = 17500, STORED_NODES = 16, STORED_ROWS = 35, BOLD_NODES = 40 };

/* Stored means from bin 13 on, zero before (README of the reference). */
static double stored_bins(uint64_t step, size_t v, size_t node, const void *user)
{
    (void)v;
    return step < 13 ? 0.0 : ((const double *)user)[(step - 13) * STORED_NODES + node];
}

START_TEST(bold_of_a_stored_tvb_run)
{
    char path[4096];
    if (!shared_file(path, sizeof path, "reference/tvb_bold.h5")) {
        return;
    }
    double *bins = malloc(STORED_BINS * STORED_NODES * sizeof *bins);
    double bold[STORED_ROWS * BOLD_NODES];
    double kernel[N_TAPS];
    double taps[N_TAPS];
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert(file >= 0);
    ck_assert(H5LTread_dataset_double(file, "interim_V_nodes0_15", bins) >= 0);
    ck_assert(H5LTread_dataset_double(file, "bold", bold) >= 0);
    ck_assert(H5LTread_dataset_double(file, "kernel", kernel) >= 0);
    H5Fclose(file);

    read_kernel("FirstOrderVolterra", taps);
    for (size_t m = 0; m < N_TAPS; m++) {
        ck_assert_double_eq_tol(taps[m], kernel[m], 1e-15);
    }
    spl_monitor_spec spec = bold_spec("FirstOrderVolterra", "tvb");
    spec.period_ms = 2000.0;
    drive d = {
        &spec, {STORED_NODES, 4.0, 0, 17500}, stored_bins, bins, {128}, 2, false, 0};
    recording r = run_drive(&d);
    ck_assert_uint_eq(r.n_rows, STORED_ROWS);
    for (size_t row = 0; row < STORED_ROWS; row++) {
        for (size_t i = 0; i < STORED_NODES; i++) {
            ck_assert_double_eq_tol(
                r.values[0][row * STORED_NODES + i], bold[row * BOLD_NODES + i], 1e-12);
        }
    }
    free_recording(&r);
    free(bins);
}
END_TEST

static double pulse(uint64_t step, size_t v, size_t node, const void *user)
{
    (void)v;
    (void)node;
    return (double)step * *(const double *)user <= 1000.0 ? 1.0 : 0.0;
}

START_TEST(balloon_follows_a_pulse)
{
    static const double expected[][2] = {{1.0, 0.0037069891}, {2.0, 0.0174306111},
        {5.0, 0.0189157138}, {10.0, -0.0054343713}};
    static const double steps[] = {1.0, 10.0};
    static const double tolerances[] = {5e-9, 5e-7};
    for (size_t k = 0; k < 2; k++) {
        spl_monitor_spec spec = default_spec("balloon");
        spec.period_ms = steps[k];
        set_option(&spec, "step", steps[k]);
        uint64_t n_steps = (uint64_t)(10000.0 / steps[k]);
        drive d = {&spec, {1, steps[k], 0, n_steps}, pulse, &steps[k], {32}, 1, false, 0};
        recording r = run_drive(&d);
        size_t peak = 0;
        for (size_t row = 0; row < n_steps; row++) {
            peak = r.values[0][row] > r.values[0][peak] ? row : peak;
        }
        for (size_t t = 0; t < 4; t++) {
            size_t row = (size_t)rint(expected[t][0] * 1000.0 / steps[k]) - 1;
            ck_assert_double_eq_tol(r.values[0][row], expected[t][1], tolerances[k]);
        }
        ck_assert_double_eq_tol(r.values[0][peak], 0.0252346188, tolerances[k]);
        ck_assert_double_eq_tol((double)(peak + 1) * steps[k], 3376.0, 0.5 * steps[k]);
        free_recording(&r);
    }
}
END_TEST

START_TEST(balloon_settles_at_the_analytic_value)
{
    static const double expected[][2] = {
        {0.0, 0.0}, {0.1, 0.0108640223}, {0.3, 0.0250549882}, {0.5, 0.0338749171}};
    for (size_t k = 0; k < 4; k++) {
        spl_monitor_spec spec = default_spec("balloon");
        spec.period_ms = 1000.0;
        drive d = {
            &spec, {3, 0.5, 3, 200003}, constant, &expected[k][0], {500}, 1, false, 0};
        recording r = run_drive(&d);
        ck_assert_uint_eq(r.n_rows, 100);
        ck_assert_double_eq_tol(r.values[0][299], expected[k][1], 1e-10);
        for (size_t row = 0; k == 0 && row < 300; row++) {
            ck_assert(r.values[0][row] == 0.0);
        }
        free_recording(&r);
    }
}
END_TEST

/* The mean over the internal step is what counts. */
static double alternating(uint64_t step, size_t v, size_t node, const void *user)
{
    (void)v;
    (void)node;
    (void)user;
    return step % 2 == 0 ? 0.5 : 0.0;
}

START_TEST(balloon_averages_over_its_internal_step)
{
    const double quarter = 0.25;
    spl_monitor_spec spec = default_spec("balloon");
    spec.period_ms = 100.0;
    drive d = {&spec, {1, 0.5, 0, 8000}, alternating, NULL, {10}, 1, false, 0};
    drive e = {&spec, {1, 0.5, 0, 8000}, constant, &quarter, {10}, 1, false, 0};
    recording a = run_drive(&d);
    recording b = run_drive(&e);
    ck_assert_uint_eq(a.n_rows, 40);
    ck_assert(memcmp(a.values[0], b.values[0], 40 * sizeof(double)) == 0);
    free_recording(&a);
    free_recording(&b);
}
END_TEST

/* Node 2 of variable 0 is held far below 0; node 1 becomes NaN at step 600. */
static double harmful(uint64_t step, size_t v, size_t node, const void *user)
{
    const double *nan_node = user;
    (void)v;
    if (nan_node != NULL) {
        return node == 1 && step >= 600 ? *nan_node : 0.2;
    }
    return node == 2 ? -1.0 : 0.2;
}

START_TEST(balloon_outside_its_domain_is_an_error)
{
    const double not_a_number = (double)NAN;
    const double *users[] = {NULL, &not_a_number};
    static const char *const messages[] = {
        "monitors.m: inflow or volume of node 2 is not positive and finite at 1769 ms; "
        "observe a variable that stays near or above 0, such as a firing rate",
        "monitors.m: inflow or volume of node 1 is not positive and finite at 600 ms; "
        "observe a variable that stays near or above 0, such as a firing rate",
    };
    for (size_t k = 0; k < 2; k++) {
        for (size_t block = 1; block < 5000; block *= 17) {
            spl_monitor_spec spec = default_spec("balloon");
            drive d = {&spec, {4, 1.0, 0, 5000}, harmful, users[k], {block}, 2, false, 0};
            recording r = run_drive(&d);
            ck_assert_int_eq(r.status, SPL_ERR_DIVERGED);
            ck_assert_str_eq(spl_last_error(), messages[k]);
            free_recording(&r);
        }
    }
}
END_TEST

/* Different for every node, so that lanes and tails cannot be mixed up. */
static double spread(uint64_t step, size_t v, size_t node, const void *user)
{
    (void)user;
    return 0.05 * (double)(node + 1) * (double)(step % 7) / 7.0 + 0.01 * (double)v;
}

START_TEST(balloon_has_the_same_bits_on_every_target)
{
    spl_monitor_spec spec = default_spec("balloon");
    spec.period_ms = 20.0;
    drive d = {&spec, {19, 0.5, 0, 2000}, spread, NULL, {16}, 2, false, 0};
    ck_assert_int_eq(setenv("SPL_TARGET", "scalar", 1), 0);
    recording expected = run_drive(&d);
    ck_assert(expected.values[0][49 * 19 + 18] != expected.values[0][49 * 19 + 17]);
    for (int target = SPL_TARGET_V3; target < SPL_N_TARGETS; target++) {
        if (!spl_target_available((spl_target)target)) {
            continue;
        }
        ck_assert_int_eq(setenv("SPL_TARGET", spl_target_names[target], 1), 0);
        recording r = run_drive(&d);
        ck_assert(memcmp(r.values[0], expected.values[0], 50 * 19 * sizeof(double)) == 0);
        free_recording(&r);
    }
    free_recording(&expected);
    spl_monitor *monitor = NULL;
    ck_assert_int_eq(setenv("SPL_TARGET", "v9", 1), 0);
    ck_assert_int_eq(spl_monitor_open(&monitor, &spec, &d.run, 16), SPL_ERR_UNSUPPORTED);
    ck_assert_ptr_null(monitor);
    ck_assert_int_eq(unsetenv("SPL_TARGET"), 0);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("haemodynamics");
    TCase *bold = tcase_create("bold");
    TCase *lengthy = test_long_cases(suite);
    tcase_add_loop_test(lengthy, kernels_have_the_tabulated_values, 0, 4);
    tcase_add_test(bold, a_constant_input_gives_the_integral_of_the_kernel);
    tcase_add_test(lengthy, tvb_arithmetic_is_one_bin_late_and_unscaled);
    tcase_add_test(bold, rows_within_the_kernel_transient_are_counted);
    tcase_add_test(bold, the_transient_feeds_the_kernel);
    tcase_add_loop_test(lengthy, rows_are_convolutions_whatever_their_period, 0,
        (int)(sizeof row_steps / sizeof *row_steps));
    tcase_add_test(lengthy, bold_of_a_stored_tvb_run);
    suite_add_tcase(suite, bold);
    TCase *balloon = tcase_create("balloon");
    tcase_add_test(balloon, balloon_follows_a_pulse);
    tcase_add_test(balloon, balloon_settles_at_the_analytic_value);
    tcase_add_test(balloon, balloon_averages_over_its_internal_step);
    tcase_add_test(balloon, balloon_outside_its_domain_is_an_error);
    tcase_add_test(balloon, balloon_has_the_same_bits_on_every_target);
    suite_add_tcase(suite, balloon);
    return suite;
}
