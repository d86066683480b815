/* Registry, sampling, averages, stamps, errors; and on every registered kind: the same
 * bits for any partition of steps and nodes and across a restart. */
#include <float.h>

#include "drive.h"
#include "monitor/sum_kernel.h"
#include "support/random.h"
#include "support/test_main.h"

/* An arbitrary positive signal without structure. */
static double scramble(uint64_t step, size_t v, size_t node, const void *user)
{
    (void)user;
    uint64_t x = (step * 8 + v) * 1009 + node + 1;
    x *= 0x9e3779b97f4a7c15u;
    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9u;
    return 0.1 + (double)(x >> 40) / 0x1p25;
}

START_TEST(registry_finds_every_kind_and_suggests)
{
    ck_assert_uint_eq(spl_monitor_count(), 7);
    for (size_t i = 0; i < spl_monitor_count(); i++) {
        const spl_monitor_kind *kind = spl_monitor_at(i);
        ck_assert_ptr_eq(spl_monitor_find(kind->name), kind);
        ck_assert(kind->n_options <= SPL_MONITOR_MAX_OPTIONS);
        ck_assert(kind->summary[0] != '\0');
    }
    ck_assert_ptr_null(spl_monitor_at(spl_monitor_count()));
    ck_assert_ptr_null(spl_monitor_find("baloon"));
    ck_assert_str_eq(
        spl_last_error(), "unknown kind of monitor 'baloon'; did you mean 'balloon'?");
    ck_assert_ptr_null(spl_monitor_find("electrodes"));
    ck_assert_str_eq(spl_last_error(),
        "unknown kind of monitor 'electrodes'; known: raw, subsample, temporal_average, "
        "global_average, afferent_coupling, bold, balloon");
}
END_TEST

static void assert_steps(double period, double dt, const char *message)
{
    uint64_t steps = 0;
    ck_assert_int_eq(spl_monitor_steps(period, dt, &steps), SPL_ERR_CONFIG);
    ck_assert_str_eq(spl_last_error(), message);
}

START_TEST(a_period_is_a_whole_number_of_steps)
{
    uint64_t steps = 0;
    ck_assert_int_eq(spl_monitor_steps(1.0, 0.1, &steps), SPL_OK);
    ck_assert_uint_eq(steps, 10);
    ck_assert_int_eq(spl_monitor_steps(0.3 * (1.0 + 5e-10), 0.1, &steps), SPL_OK);
    ck_assert_uint_eq(steps, 3);
    assert_steps(0.9765625, 0.1,
        "period 0.9765625 ms is not a multiple of dt 0.1 ms; nearest: 1 ms");
    assert_steps(
        0.04, 0.1, "period 0.04 ms is not a multiple of dt 0.1 ms; nearest: 0.1 ms");
    assert_steps(-1, 0.1, "period -1 ms is not a multiple of dt 0.1 ms; nearest: 0.1 ms");
    assert_steps(2000.07, 0.2,
        "period 2000.07 ms is not a multiple of dt 0.2 ms; nearest: 2000 ms");
    assert_steps((double)INFINITY, 0.1,
        "period inf ms with dt 0.1 ms; both must be finite and positive");
    assert_steps(1.0, 0.0, "period 1 ms with dt 0 ms; both must be finite and positive");
    assert_steps(
        1e18, 0.1, "period 1e+18 ms is more than 2^53 steps of dt 0.1 ms; shorten it");
}
END_TEST

static void assert_refused(
    const spl_monitor_spec *spec, const spl_monitor_run *run, const char *message)
{
    spl_monitor *monitor = NULL;
    spl_monitor_shape shape;
    ck_assert_int_eq(spl_monitor_open(&monitor, spec, run, 16), SPL_ERR_CONFIG);
    ck_assert_str_eq(spl_last_error(), message);
    ck_assert_ptr_null(monitor);
    ck_assert_int_eq(spl_monitor_plan(spec, run, &shape), SPL_ERR_CONFIG);
    ck_assert_str_eq(spl_last_error(), message);
    ck_assert_uint_eq(spl_monitor_memory(spec, run, 16), 0);
}

START_TEST(impossible_monitors_are_refused)
{
    const spl_monitor_run run = {4, 0.1, 1000, 3000};
    spl_monitor_spec spec = default_spec("bold");
    assert_refused(&spec, &run,
        "monitors.m: period 2000 ms is longer than the recorded duration of 200 ms; "
        "shorten "
        "the period or lengthen the run");
    spec.period_ms = 0.25;
    assert_refused(&spec, &run,
        "monitors.m: period 0.25 ms is not a multiple of dt 0.1 ms; nearest: 0.2 ms");
    spec.period_ms = 100.0;
    set_option(&spec, "tau_s", -1.0);
    assert_refused(&spec, &run, "monitors.m.tau_s: -1 must be positive");
    set_option(&spec, "tau_s", 0.1);
    assert_refused(&spec, &run,
        "monitors.m: the kernel FirstOrderVolterra has no finite, positive maximum with "
        "these constants; change them");
    spec = default_spec("bold");
    spec.period_ms = 100.0;
    set_option(&spec, "c", (double)NAN);
    assert_refused(&spec, &run, "monitors.m.c: nan is not finite");
    set_option(&spec, "c", 0.4);
    set_option(&spec, "hrf_length", 1e9);
    assert_refused(&spec, &run,
        "monitors.m.hrf_length: 1000000000 ms; at most 3600000 ms are possible");
    spec = default_spec("balloon");
    spec.period_ms = 100.0;
    set_option(&spec, "rho", 1.0);
    assert_refused(&spec, &run, "monitors.m.rho: 1 must be below 1");
    set_option(&spec, "rho", 0.34);
    set_option(&spec, "kappa", -0.5);
    assert_refused(&spec, &run, "monitors.m.kappa: -0.5 must not be negative");
    set_option(&spec, "kappa", 0.65);
    set_option(&spec, "step", 0.17);
    assert_refused(&spec, &run,
        "monitors.m: step 0.17 ms is not a multiple of dt 0.1 ms; nearest: 0.2 ms");
    set_option(&spec, "step", 3.0);
    assert_refused(&spec, &run,
        "monitors.m.step: 3 ms does not divide the period of 100 ms; choose one that "
        "does");
    const spl_monitor_run empty = {4, 0.1, 3000, 3000};
    spec = default_spec("raw");
    assert_refused(&spec, &empty,
        "monitors.m: period 0.1 ms is longer than the recorded duration of 0 ms; shorten "
        "the period or lengthen the run");
}
END_TEST

/* Variables in a descending order are copied; of the others the rows stay in the block.
 */
START_TEST(samples_are_the_states_of_their_steps)
{
    static const char *const kinds[] = {"raw", "afferent_coupling", "subsample"};
    static const size_t orders[][2] = {{2, 1}, {0, 2}, {1, 2}};
    const size_t *variable = orders[_i];
    for (size_t k = 0; k < 3; k++) {
        spl_monitor_spec spec = default_spec(kinds[k]);
        spec.n_variables = 2;
        spec.variable[0] = variable[0];
        spec.variable[1] = variable[1];
        drive d = {&spec, {5, 0.25, 7, 50}, scramble, NULL, {9, 4}, 2, false, 0};
        uint64_t istep = k < 2 ? 1 : 4;
        recording r = run_drive(&d);
        ck_assert_uint_eq(r.shape.n_rows, 43 / istep);
        ck_assert_uint_eq(r.n_rows, 43 / istep);
        ck_assert(r.shape.first_time_ms == (double)(7 + istep) * 0.25 && !r.shape.middle);
        ck_assert(r.shape.period_ms == (double)istep * 0.25);
        ck_assert_str_eq(r.shape.unit[0], "");
        for (size_t row = 0; row < r.n_rows; row++) {
            uint64_t n = 7 + (row + 1) * istep;
            for (size_t i = 0; i < 5; i++) {
                ck_assert(r.values[0][row * 5 + i] == scramble(n, variable[0], i, NULL));
                ck_assert(r.values[1][row * 5 + i] == scramble(n, variable[1], i, NULL));
            }
        }
        free_recording(&r);
    }
}
END_TEST

START_TEST(averages_cover_whole_windows)
{
    spl_monitor_spec spec = default_spec("temporal_average");
    spec.variable[0] = 1;
    drive d = {&spec, {6, 0.1, 13, 59}, scramble, NULL, {5, 3, 17}, 3, false, 0};
    recording r = run_drive(&d);
    ck_assert_uint_eq(r.n_rows, 4); /* the rest of 6 steps is no window */
    for (size_t row = 0; row < 4; row++) {
        for (size_t i = 0; i < 6; i++) {
            double sum = 0.0;
            for (uint64_t n = 14 + row * 10; n < 24 + row * 10; n++) {
                sum += scramble(n, 1, i, NULL);
            }
            ck_assert(r.values[0][row * 6 + i] == sum / 10.0);
        }
    }
    free_recording(&r);
    spec = default_spec("global_average");
    r = run_drive(&d);
    ck_assert_uint_eq(r.n_rows, 4);
    ck_assert_uint_eq(r.shape.width, 1);
    for (size_t row = 0; row < 4; row++) {
        double sum = 0.0;
        for (size_t i = 0; i < 6; i++) {
            sum += scramble(23 + row * 10, 0, i, NULL);
        }
        ck_assert(r.values[0][row] == sum / 6.0);
    }
    free_recording(&r);
}
END_TEST

START_TEST(windows_are_stamped_middle_end_or_as_tvb)
{
    const spl_monitor_run run = {1, 0.1, 20, 100};
    spl_monitor_spec spec = default_spec("temporal_average");
    spl_monitor_shape shape;
    ck_assert_int_eq(spl_monitor_plan(&spec, &run, &shape), SPL_OK);
    ck_assert_double_eq_tol(shape.first_time_ms, 2.55, 1e-14);
    ck_assert(shape.middle && shape.period_ms == 1.0 && shape.n_rows == 8);
    set_choice(&spec, "stamp", "end");
    ck_assert_int_eq(spl_monitor_plan(&spec, &run, &shape), SPL_OK);
    ck_assert_double_eq_tol(shape.first_time_ms, 3.0, 1e-14);
    ck_assert(!shape.middle);
    set_choice(&spec, "stamp", "tvb");
    ck_assert_int_eq(spl_monitor_plan(&spec, &run, &shape), SPL_OK);
    ck_assert_double_eq_tol(shape.first_time_ms, 2.5, 1e-14);
    ck_assert(shape.middle);
}
END_TEST

/* A short period and kernel, so that rings wrap and internal steps end out of phase with
 * the transient. */
static spl_monitor_spec battery_spec(const spl_monitor_kind *kind)
{
    spl_monitor_spec spec = default_spec(kind->name);
    spec.n_variables = 2;
    spec.variable[0] = 2;
    if (kind->period_ms > 0.0) {
        spec.period_ms = 10.0;
    }
    if (strcmp(kind->name, "bold") == 0) {
        set_option(&spec, "hrf_length", 60.0);
    }
    return spec;
}

START_TEST(bits_do_not_depend_on_blocks_ranges_or_restarts)
{
    const size_t way = (size_t)_i / spl_monitor_count();
    const spl_monitor_kind *kind = spl_monitor_at((size_t)_i % spl_monitor_count());
    spl_monitor_spec spec = battery_spec(kind);
    drive d = {&spec, {11, 0.25, 37, 1003}, scramble, NULL, {1}, 1, false, 0};
    static const size_t blocks[][3] = {{64}, {7, 3, 16}, {1003}, {1}, {2, 5, 31}};
    if (kind->period_ms > 0.0 && way % 2 == 1) {
        spec.period_ms = 1.0;
    }
    d.run.n_transient = way < 2 ? 36 : 37; /* whole milliseconds or not */
    recording expected = run_drive(&d);
    ck_assert_uint_eq(expected.n_rows, expected.shape.n_rows);
    for (size_t b = 0; b < 20; b++) {
        memcpy(d.blocks, blocks[b % 5], sizeof d.blocks);
        d.n_ranges = 1 + b % 4 * 2;
        d.resume = b % 5 != 2;
        d.pieces = b < 5 ? 0 : b < 10 ? 0xFF : b < 15 ? 0x5E : 0xA5;
        recording r = run_drive(&d);
        ck_assert_uint_eq(r.n_rows, expected.n_rows);
        for (size_t v = 0; v < 2; v++) {
            size_t bytes = (size_t)r.n_rows * r.shape.width * sizeof(double);
            ck_assert_msg(memcmp(r.values[v], expected.values[v], bytes) == 0,
                "%s: other bits with blocks %zu", kind->name, b);
        }
        free_recording(&r);
    }
    free_recording(&expected);
}
END_TEST

START_TEST(a_piece_is_a_millisecond)
{
    ck_assert_uint_eq(spl_piece_steps(0.1), 10);
    ck_assert_uint_eq(spl_piece_steps(0.05), 20);
    ck_assert_uint_eq(spl_piece_steps(0.5), 2);
    ck_assert_uint_eq(spl_piece_steps(0.0625), 16);
    ck_assert_uint_eq(spl_piece_steps(1.0 / 3.0), 3);
    ck_assert_uint_eq(spl_piece_steps(1.0), 0);
    ck_assert_uint_eq(spl_piece_steps(2.0), 0);
    ck_assert_uint_eq(spl_piece_steps(0.3), 0);
    ck_assert_uint_eq(spl_piece_steps(0.0122), 0);
    ck_assert_uint_eq(spl_piece_steps(1e-6), 1000000);
    ck_assert_uint_eq(spl_piece_steps(1e-7), 0);
    ck_assert_uint_eq(spl_piece_steps(1e-300), 0);
    static const struct {
        const char *kind;
        double period_ms;
        uint64_t n_transient;
        bool takes;
    } cases[] = {
        {"temporal_average", 1.0, 0, true},
        {"temporal_average", 3.0, 20, true},
        {"temporal_average", 1.5, 0, false},
        {"temporal_average", 1.0, 15, false},
        {"bold", 2000.0, 0, true},
        {"bold", 1.0, 10, true},
        {"bold", 0.5, 0, false},
        {"bold", 2000.0, 5, false},
        {"subsample", 1.0, 0, false},
        {"global_average", 1.0, 0, false},
        {"raw", 0.0, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spl_monitor_spec spec = default_spec(cases[i].kind);
        const spl_monitor_run run = {3, 0.1, cases[i].n_transient, 100000};
        spl_monitor *monitor = NULL;
        spec.period_ms = cases[i].period_ms;
        ck_assert_int_eq(spl_monitor_open(&monitor, &spec, &run, 16), SPL_OK);
        ck_assert_msg(spl_monitor_takes_pieces(monitor) == cases[i].takes, "%s, %g ms",
            cases[i].kind, cases[i].period_ms);
        spl_monitor_close(monitor);
    }
}
END_TEST

/* The sum of a bin is that of its milliseconds, as the manual says: of numbers that
 * round, the last bits tell. */
START_TEST(bins_are_sums_of_whole_milliseconds)
{
    spl_monitor_spec spec = default_spec("temporal_average");
    spec.period_ms = 4.0;
    drive d = {&spec, {1, 0.25, 4, 1004}, scramble, NULL, {7}, 1, false, 0};
    recording r = run_drive(&d);
    for (uint64_t row = 0; row < r.n_rows; row++) {
        double sum = 0.0;
        for (uint64_t piece = 0; piece < 4; piece++) {
            double part = 0.0;
            for (uint64_t k = 1; k <= 4; k++) {
                part += scramble(4 + row * 16 + piece * 4 + k, 0, 0, NULL);
            }
            sum += part;
        }
        ck_assert(r.values[0][row] == sum / 16.0);
    }
    free_recording(&r);
}
END_TEST

/* Any bits, and more often what a division may get wrong: quotients near the middle
 * between two numbers, the ends of the range, and what is no number. */
static double draw_sum(uint64_t *random, double count)
{
    static const double special[] = {0.0, -0.0, INFINITY, NAN, DBL_MAX, DBL_MIN,
        0x1p-1074, -0x1p-1060, 0x1p-900, 0x1p-899, 0x1p900, -0x1p901};
    const uint64_t bits = random_bits(random);
    double sum;
    switch (random_whole(random, 0, 3)) {
    case 0:
        return special[random_whole(random, 0, sizeof special / sizeof *special - 1)];
    case 1:
        memcpy(&sum, &bits, sizeof sum);
        return sum;
    case 2:
        return random_uniform(random, -1.0, 1.0) * count;
    default: {
        const double whole = (double)(random_bits(random) >> 11);
        return nextafter(count * (whole + 0.5), bits % 2 == 0 ? INFINITY : -INFINITY);
    }
    }
}

START_TEST(a_mean_is_the_quotient_to_the_last_bit)
{
    static const spl_bin_kernels *const kernels[SPL_N_TARGETS] = {
        &spl_bin_kernels_scalar, &spl_bin_kernels_v3, &spl_bin_kernels_v4};
    enum { MOST = 43, ROUNDS = 20000 };
    uint64_t random = random_seed("quotients");
    for (int t = 0; t < SPL_N_TARGETS; t++) {
        for (int round = 0; round < ROUNDS && spl_target_available((spl_target)t);
             round++) {
            double sum[MOST];
            double mean[MOST + 1];
            const size_t n = random_whole(&random, 1, MOST);
            const uint64_t most = (uint64_t)1 << random_whole(&random, 1, 50);
            const double count = (double)(1 + random_bits(&random) % most);
            for (size_t i = 0; i < n; i++) {
                /* seldom one that has to be divided, so that the rest is not */
                sum[i] = i == n / 2 || random_whole(&random, 0, 2) == 0
                             ? draw_sum(&random, count)
                             : random_uniform(&random, -1.0, 1.0) * count;
            }
            mean[n] = -7.0;
            kernels[t]->divide(mean, sum, count, n);
            ck_assert_double_eq(mean[n], -7.0);
            for (size_t i = 0; i < n; i++) {
                const double expected = sum[i] / count;
                const bool same = isnan(expected)
                                      ? isnan(mean[i])
                                      : memcmp(&mean[i], &expected, sizeof expected) == 0;
                if (!same) {
                    ck_abort_msg("target %d: %a / %.0f is %a, not %a", t, sum[i], count,
                        expected, mean[i]);
                }
            }
        }
    }
}
END_TEST

START_TEST(memory_does_not_depend_on_the_duration)
{
    for (size_t k = 0; k < spl_monitor_count(); k++) {
        spl_monitor_spec spec = default_spec(spl_monitor_at(k)->name);
        const spl_monitor_run brief = {998, 0.1, 0, 20000};
        const spl_monitor_run eternal = {998, 0.1, 0, 20000000000};
        size_t bytes = spl_monitor_memory(&spec, &brief, 16);
        ck_assert_uint_eq(bytes, spl_monitor_memory(&spec, &eternal, 16));
        bool ring = strcmp(spec.kind->name, "bold") == 0;
        size_t most = (ring ? 5018u : 26u) * 998u * sizeof(double);
        ck_assert_msg(
            bytes > 0 && bytes < most + 100000, "%s: %zu", spec.kind->name, bytes);
    }
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("monitor");
    TCase *tcase = tcase_create("monitor");
    tcase_add_test(tcase, registry_finds_every_kind_and_suggests);
    tcase_add_test(tcase, a_period_is_a_whole_number_of_steps);
    tcase_add_test(tcase, impossible_monitors_are_refused);
    tcase_add_loop_test(tcase, samples_are_the_states_of_their_steps, 0, 3);
    tcase_add_test(tcase, averages_cover_whole_windows);
    tcase_add_test(tcase, windows_are_stamped_middle_end_or_as_tvb);
    tcase_add_test(tcase, a_piece_is_a_millisecond);
    tcase_add_test(tcase, bins_are_sums_of_whole_milliseconds);
    const int n_kinds = (int)spl_monitor_count();
    tcase_add_loop_test(
        tcase, bits_do_not_depend_on_blocks_ranges_or_restarts, 0, n_kinds);
    tcase_add_loop_test(test_long_cases(suite),
        bits_do_not_depend_on_blocks_ranges_or_restarts, n_kinds, 4 * n_kinds);
    tcase_add_test(tcase, a_mean_is_the_quotient_to_the_last_bit);
    tcase_add_test(tcase, memory_does_not_depend_on_the_duration);
    suite_add_tcase(suite, tcase);
    return suite;
}
