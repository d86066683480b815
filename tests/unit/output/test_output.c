/* A run's results file, as HDF5 sees it. */
#include <sys/stat.h>

#include "support/test_main.h"
#include "unit/output/folder.h"
#include "unit/output/support.h"

static unsigned code_of(const char *path)
{
    unsigned char code;
    hid_t file = open_file(path);
    hid_t set = H5Dopen2(file, "/status/code", H5P_DEFAULT);
    hid_t type = H5Dget_type(set);
    ck_assert_int_eq(H5Tget_class(type), H5T_ENUM);
    ck_assert_int_ge(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &code), 0);
    H5Tclose(type);
    H5Dclose(set);
    H5Fclose(file);
    return code;
}

/* Every value of a stream below `n_rows`; zeros behind. */
static void check_rows(
    hid_t file, const fake_run *run, size_t s, size_t v, uint64_t n_rows)
{
    const spl_stream *stream = &run->streams[s];
    const size_t width = stream->width;
    char name[64];
    double *values = malloc(stream->n_rows * width * sizeof *values);
    snprintf(name, sizeof name, "/monitors/%s/%s", stream->name, stream->variables[v]);
    read_set(file, name, H5T_NATIVE_DOUBLE, values);
    for (uint64_t r = 0; r < stream->n_rows; r++) {
        for (size_t i = 0; i < width; i++) {
            double wanted = r < n_rows ? fake_value(s, v, r, i) : 0.0;
            wanted = stream->f8 ? wanted : (double)(float)wanted;
            ck_assert(values[r * width + i] == wanted);
        }
    }
    free(values);
}

static void check_all_rows(const char *path, const fake_run *run, uint64_t step)
{
    hid_t file = open_file(path);
    for (size_t s = 0; s < FAKE_STREAMS; s++) {
        for (size_t v = 0; v < run->streams[s].n_variables; v++) {
            check_rows(file, run, s, v, fake_rows(run, s, step));
        }
    }
    H5Fclose(file);
}

START_TEST(a_complete_run_is_in_its_file)
{
    fake_run run;
    spl_output *output = NULL;
    double numbers[16];
    unsigned long long words[2];
    fake_init(&run, "r.h5");
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    ck_assert_uint_eq(code_of("r.h5"), SPL_RUN_RUNNING);
    ck_assert_int_eq(access("r.h5.tmp", F_OK), -1);
    ck_assert_int_eq(access("r.lock", F_OK), 0);
    check_all_rows("r.h5", &run, 0);
    for (uint64_t step = 0; step < FAKE_ROWS; step += 8) {
        ck_assert_int_eq(fake_steps(output, &run, step, step + 8), SPL_OK);
    }
    ck_assert_int_eq(fake_finish(output, SPL_RUN_COMPLETE, "well", FAKE_ROWS), SPL_OK);
    ck_assert_uint_eq(spl_output_written(output),
        FAKE_ROWS * 24 + FAKE_ROWS / 2 * 8 + FAKE_ROWS / 100 * 48);
    ck_assert_int_eq(access("r.lock", F_OK), -1);
    spl_output_free(output);
    ck_assert_uint_eq(code_of("r.h5"), SPL_RUN_COMPLETE);
    check_all_rows("r.h5", &run, FAKE_ROWS);
    hid_t file = open_file("r.h5");
    read_set(file, "/state/final/V", H5T_NATIVE_DOUBLE, numbers);
    ck_assert(numbers[0] == 1.5 && numbers[1] == -2.5 && numbers[2] == 0.1);
    read_set(file, "/state/final/record", H5T_NATIVE_ULLONG, words);
    ck_assert_uint_eq(words[0], FAKE_ROWS);
    ck_assert_uint_ne(words[1], 0);
    read_set(file, "/performance/steps_per_second", H5T_NATIVE_DOUBLE, numbers);
    ck_assert(numbers[0] == 1e6);
    read_set(file, "/status/escaped_nodes", H5T_NATIVE_ULLONG, words);
    ck_assert_uint_eq(words[0], 1);
    H5Fclose(file);
    fake_deinit(&run);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output");
    TCase *tcase = tcase_create("output");
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_add_test(tcase, a_complete_run_is_in_its_file);
    suite_add_tcase(suite, tcase);
    return suite;
}
