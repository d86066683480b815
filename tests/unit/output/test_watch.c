/* Following a results file while it is written, ends and is replaced. */
#include <math.h>

#include "output/output.h"
#include "splenium/results.h"
#include "support/test_main.h"
#include "unit/output/folder.h"
#include "unit/output/spiking_run.h"

static spl_watch_view look(spl_watch *watch)
{
    spl_watch_view view;
    ck_assert_msg(spl_watch_look(watch, &view) == SPL_OK, "%s", spl_last_error());
    return view;
}

/* The value of a variable; there must be one of that name. */
static const spl_watch_value *find(
    const spl_watch_view *view, const char *stream, const char *variable)
{
    for (size_t i = 0; i < view->n_values; i++) {
        const spl_watch_value *value = &view->values[i];
        if (strcmp(value->stream, stream) == 0 &&
            strcmp(value->variable, variable) == 0) {
            return value;
        }
    }
    ck_abort_msg("no %s of %s", variable, stream);
}

/* Variable v of stream s shows its row n - 1. */
static void shows(const spl_watch_view *view, const char *name, size_t s, size_t v,
    uint64_t n, double time_ms)
{
    const spl_watch_value *value = find(view, name, v == 0 ? "V" : "W");
    const double first = fake_value(s, v, n - 1, 0);
    const double last = s == 1 ? first : fake_value(s, v, n - 1, FAKE_NODES - 1);
    const double tolerance = 1e-6 * last; /* of f4 */
    ck_assert_uint_eq(value->n_durable, n);
    ck_assert(value->time_ms == time_ms);
    ck_assert(fabs(value->min - first) <= tolerance);
    ck_assert(fabs(value->max - last) <= tolerance);
    ck_assert(fabs(value->mean - 0.5 * (first + last)) <= tolerance);
}

START_TEST(a_run_is_seen_from_its_first_step_to_its_end)
{
    fake_run run;
    spl_output *output = NULL;
    spl_watch *watch = NULL;
    fake_init(&run, "r.h5");
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    ck_assert_int_eq(spl_watch_open(&watch, "r.h5"), SPL_OK);
    spl_watch_view view = look(watch);
    ck_assert_str_eq(view.status, "running");
    ck_assert(view.live && !view.replaced);
    ck_assert_uint_eq(view.step, 0);
    ck_assert_uint_eq(view.start_step, 0);
    ck_assert(view.start_s > 1.7e9);
    ck_assert_uint_eq(view.n_values, 5);
    ck_assert(isnan(view.values[0].mean) && isnan(view.values[0].time_ms));
    ck_assert_uint_eq(view.values[0].n_rows, FAKE_ROWS);
    ck_assert_int_eq(fake_steps(output, &run, 0, 300), SPL_OK);
    for (int i = 0; i < 3000 && view.step < 300; i++) {
        usleep(10000);
        view = look(watch);
    }
    ck_assert_uint_eq(view.step, 300);
    shows(&view, "tavg", 0, 0, 300, 299.5);
    shows(&view, "tavg", 0, 1, 300, 299.5);
    shows(&view, "mean", 1, 0, 150, 298.5);
    shows(&view, "sparse", 2, 1, 3, 200.5);
    ck_assert_int_eq(
        fake_finish(output, SPL_RUN_INTERRUPTED, "stopped\tby signal 2", 300), SPL_OK);
    spl_output_free(output);
    view = look(watch);
    ck_assert_str_eq(view.status, "interrupted");
    ck_assert_str_eq(view.message, "stopped?by signal 2");
    ck_assert(!view.live);
    spl_watch_close(watch);
    spl_watch_close(NULL);
    fake_deinit(&run);
}
END_TEST

START_TEST(a_file_that_takes_the_name_is_learnt_anew)
{
    spiking_run run;
    fake_run other;
    spl_watch *watch = NULL;
    spl_watch_view view;
    fake_init(&other, "r.h5");
    ck_assert_int_eq(fake_make(&other, SPL_RUN_INTERRUPTED, "", 200), SPL_OK);
    ck_assert_int_eq(spl_watch_open(&watch, "r.h5"), SPL_OK);
    view = look(watch);
    ck_assert_uint_eq(view.n_values, 5);
    spiking_init(&run, "s.h5", true);
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_COMPLETE, 10, FAKE_ROWS), SPL_OK);
    ck_assert_int_eq(rename("s.h5", "r.h5"), 0);
    view = look(watch);
    ck_assert(view.replaced);
    ck_assert_str_eq(view.status, "complete");
    ck_assert_uint_eq(view.n_values, 5 + 2 + 3 + 1);
    shows(&view, "tavg", 0, 1, FAKE_ROWS, FAKE_ROWS - 0.5);
    const spl_watch_value *value = find(&view, "subnetworks", "Q_hat");
    ck_assert(fabs(value->min - fake_value(SPIKING_SUBNETWORKS, 2, FAKE_ROWS - 1, 0)) <
              1e-6 * value->min);
    ck_assert(!isnan(find(&view, "thal.E", "data")->mean));
    ck_assert(!look(watch).replaced);
    ck_assert_int_eq(unlink("r.h5"), 0);
    ck_assert_int_eq(spl_watch_look(watch, &view), SPL_ERR_FILE_MISSING);
    spl_watch_close(watch);
    spiking_deinit(&run);
    fake_deinit(&other);
}
END_TEST

START_TEST(damage_is_an_error)
{
    fake_run run;
    spl_watch *watch = NULL;
    spl_watch_view view;
    fake_init(&run, "r.h5");
    ck_assert_int_eq(spl_watch_open(&watch, "none.h5"), SPL_ERR_FILE_MISSING);
    ck_assert_int_eq(spl_watch_open(&watch, "."), SPL_ERR_NOT_FOUND);
    ck_assert_int_eq(fake_make(&run, SPL_RUN_INTERRUPTED, "", 200), SPL_OK);
    ck_assert_int_eq(spl_watch_open(&watch, "r.h5"), SPL_OK);
    const uint64_t slots = offset_of("r.h5", "/progress");
    flip_byte("r.h5", slots + 8);
    ck_assert_uint_eq(look(watch).step, 200);
    flip_byte("r.h5", slots + 4096);
    ck_assert_int_eq(spl_watch_look(watch, &view), SPL_ERR_FORMAT);
    flip_byte("r.h5", slots + 4096);
    ck_assert_int_eq(truncate("r.h5", 5000), 0);
    ck_assert_int_eq(spl_watch_look(watch, &view), SPL_ERR_FILE_READ);
    spl_watch_close(watch);
    ck_assert_int_eq(spl_watch_open(&watch, "r.h5"), SPL_ERR_FORMAT);
    ck_assert_ptr_null(watch);
    fake_deinit(&run);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output_watch");
    TCase *tcase = tcase_create("output_watch");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_add_test(tcase, a_run_is_seen_from_its_first_step_to_its_end);
    tcase_add_test(tcase, a_file_that_takes_the_name_is_learnt_anew);
    tcase_add_test(tcase, damage_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}
