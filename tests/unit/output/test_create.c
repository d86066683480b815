/* Creation: what is refused, in which words, and that nothing is left behind. */
#include <signal.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "splenium/results.h"
#include "support/test_main.h"
#include "unit/output/folder.h"
#include "unit/output/support.h"

static void refuse(const fake_run *run, spl_status code, const char *message)
{
    spl_output *output = NULL;
    ck_assert_int_eq(spl_output_create(&output, &run->spec), code);
    ck_assert_ptr_null(output);
    ck_assert_str_eq(spl_last_error(), message);
}

START_TEST(an_existing_file_is_kept)
{
    fake_run run;
    fake_init(&run, "r.h5");
    FILE *file = fopen("r.h5", "w");
    fputs("mine", file);
    fclose(file);
    refuse(&run, SPL_ERR_FILE_CREATE,
        "r.h5: exists already; choose another output.file, or replace it with --force "
        "(output.force: true)");
    ck_assert_uint_eq(folder_count(), 1);
    run.spec.force = true;
    ck_assert_int_eq(fake_make(&run, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    ck_assert_uint_eq(folder_count(), 1);
    spl_results_info *info = NULL;
    ck_assert_int_eq(spl_results_describe("r.h5", &info), SPL_OK);
    spl_results_free(info);
    fake_deinit(&run);
}
END_TEST

START_TEST(places_without_a_file_are_refused)
{
    fake_run run;
    fake_init(&run, "none/r.h5");
    refuse(&run, SPL_ERR_FILE_CREATE,
        "none/r.h5: the folder none does not exist; make it, or choose another "
        "output.file");
    FILE *file = fopen("f", "w");
    fclose(file);
    run.spec.path = "f/r.h5";
    refuse(&run, SPL_ERR_FILE_CREATE,
        "f/r.h5: nothing can be created in the folder f: Not a directory; choose another "
        "output.file");
    run.spec.path = "/proc/r.h5";
    refuse(&run, SPL_ERR_FILE_CREATE,
        "/proc/r.h5: the folder /proc does not exist; make it, or choose another "
        "output.file");
    run.spec.force = true;
    run.spec.path = ".";
    refuse(&run, SPL_ERR_FILE_CREATE,
        ".: exists and is not a file; choose another output.file");
    ck_assert_int_eq(symlink("f", "link.h5"), 0);
    run.spec.path = "link.h5";
    refuse(&run, SPL_ERR_FILE_CREATE,
        "link.h5: exists and is not a file; choose another output.file");
    ck_assert_uint_eq(folder_count(), 2);
    fake_deinit(&run);
}
END_TEST

START_TEST(a_folder_without_permission_is_refused)
{
    fake_run run;
    int ended;
    fake_init(&run, "shut/r.h5");
    ck_assert_int_eq(mkdir("shut", 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        spl_output *output = NULL;
        /* root may write everywhere */
        if (geteuid() == 0 && (chmod(".", 0755) != 0 || setuid(65534) != 0)) {
            _exit(2);
        }
        spl_status status = spl_output_create(&output, &run.spec);
        _exit(status == SPL_ERR_FILE_CREATE &&
                      strcmp(spl_last_error(),
                          "shut/r.h5: nothing can be created in the folder shut: "
                          "Permission denied; choose another output.file") == 0
                  ? 0
                  : 1);
    }
    ck_assert_int_eq(waitpid(child, &ended, 0), child);
    ck_assert_int_eq(ended, 0);
    fake_deinit(&run);
}
END_TEST

START_TEST(two_runs_never_write_one_file)
{
    fake_run run;
    spl_output *output = NULL;
    fake_init(&run, "r.h5");
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    run.spec.force = true;
    refuse(&run, SPL_ERR_FILE_CREATE,
        "r.h5: another run is writing it (it holds r.lock); choose another output.file");
    pid_t child = fork();
    if (child == 0) {
        spl_output *second = NULL;
        _exit(spl_output_create(&second, &run.spec) == SPL_ERR_FILE_CREATE ? 0 : 1);
    }
    int ended;
    ck_assert_int_eq(waitpid(child, &ended, 0), child);
    ck_assert_int_eq(ended, 0);
    /* the first one has not noticed */
    ck_assert_int_eq(fake_steps(output, &run, 0, FAKE_ROWS), SPL_OK);
    ck_assert_int_eq(fake_finish(output, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    spl_output_free(output);
    ck_assert_uint_eq(folder_count(), 1);
    fake_deinit(&run);
}
END_TEST

START_TEST(readers_share_and_hdf5_writers_are_kept_out)
{
    fake_run run;
    spl_output *output = NULL;
    fake_init(&run, "r.h5");
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    hid_t file = open_file("r.h5");
    H5Fclose(file);
    ck_assert_int_lt(H5Fopen("r.h5", H5F_ACC_RDWR, H5P_DEFAULT), 0);
    spl_output_free(output);
    file = H5Fopen("r.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert_int_ge(file, 0);
    H5Fclose(file);
    fake_deinit(&run);
}
END_TEST

START_TEST(a_look_at_the_lock_does_not_stop_a_run)
{
    fake_run run;
    fake_init(&run, "r.h5");
    FILE *lock = fopen("r.lock", "w");
    ck_assert_int_eq(flock(fileno(lock), LOCK_SH), 0);
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        flock(fileno(lock), LOCK_UN);
        _exit(0);
    }
    spl_output *output = NULL;
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    spl_output_free(output);
    waitpid(child, NULL, 0);
    fclose(lock);
    fake_deinit(&run);
}
END_TEST

START_TEST(a_limit_of_file_sizes_is_seen_beforehand)
{
    fake_run run;
    int ended;
    fake_init(&run, "r.h5");
    run.streams[0].n_rows = 10000000;
    pid_t child = fork();
    if (child == 0) {
        spl_output *output = NULL;
        struct rlimit limit = {1 << 20, 1 << 20};
        setrlimit(RLIMIT_FSIZE, &limit);
        spl_status status = spl_output_create(&output, &run.spec);
        _exit(status == SPL_ERR_DISK_FULL &&
                      strcmp(spl_last_error(),
                          "r.h5: need 320.1 MB: above the limit of file sizes (ulimit "
                          "-f); free space, record less, or choose another "
                          "output.file") == 0
                  ? 0
                  : 1);
    }
    ck_assert_int_eq(waitpid(child, &ended, 0), child);
    ck_assert_int_eq(ended, 0);
    ck_assert_uint_eq(folder_count(), 0);
    fake_deinit(&run);
}
END_TEST

START_TEST(a_disk_too_small_is_seen_beforehand)
{
    fake_run run;
    spl_output *output = NULL;
    fake_init(&run, "r.h5");
    run.streams[0].n_rows = (uint64_t)1 << 48;
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_ERR_DISK_FULL);
    ck_assert_str_eq(spl_last_error(),
        "r.h5: need 9007749010.6 MB: No space left on device; free space, record less, "
        "or choose another output.file");
    ck_assert_uint_eq(folder_count(), 0);
    fake_deinit(&run);
}
END_TEST

START_TEST(specs_that_make_no_file_are_refused)
{
    fake_run run;
    fake_init(&run, "r.h5");
    run.streams[0].n_rows = 0;
    refuse(&run, SPL_ERR_ARGUMENT,
        "results file: /monitors/tavg/V would be empty; record at least one value");
    run.streams[0].n_rows = UINT64_MAX / 4;
    refuse(&run, SPL_ERR_LIMIT,
        "results file: /monitors/tavg/V would have more than 2^62 bytes; record less");
    ck_assert_uint_eq(spl_output_bytes(&run.spec), UINT64_MAX);
    run.streams[0].n_rows = 10;
    run.streams[0].width = 2;
    refuse(&run, SPL_ERR_ARGUMENT,
        "results file: monitor 'tavg' needs a name, variables and rows of 3 nodes or 1");
    run.streams[0].width = 3;
    run.streams[0].name = "a/b";
    refuse(&run, SPL_ERR_ARGUMENT,
        "results file: monitor 'a/b' needs a name, variables and rows of 3 nodes or 1");
    run.streams[0].name = "mean";
    refuse(&run, SPL_ERR_ARGUMENT,
        "results file: two datasets would be called /checksums/mean/V; give every "
        "monitor a name of its own");
    run.streams[0].name = "tavg";
    run.final[0].dims[0] = 0;
    refuse(&run, SPL_ERR_ARGUMENT,
        "results file: /state/final/V would be empty; record at least one value");
    run.spec.n_streams = 501;
    refuse(&run, SPL_ERR_LIMIT, "501 monitors; a results file holds at most 500");
    ck_assert_uint_eq(folder_count(), 0);
    fake_deinit(&run);
}
END_TEST

START_TEST(many_monitors_fit)
{
    enum { MANY = 500 };
    fake_run run;
    spl_output *output = NULL;
    spl_results_info *info = NULL;
    char(*names)[8] = malloc(MANY * sizeof *names);
    spl_stream *streams = calloc(MANY, sizeof *streams);
    fake_init(&run, "r.h5");
    for (size_t s = 0; s < MANY; s++) {
        snprintf(names[s], sizeof names[s], "m%zu", s);
        streams[s] = run.streams[1];
        streams[s].name = names[s];
        streams[s].n_rows = 1;
    }
    run.spec.streams = streams;
    run.spec.n_streams = MANY;
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    for (size_t s = 0; s < MANY; s++) {
        const double value = (double)s;
        const spl_frame frame = {
            .monitor = s, .n_rows = 1, .n_variables = 1, .width = 1, .values = &value};
        ck_assert_int_eq(spl_output_append(output, &frame), SPL_OK);
    }
    ck_assert_int_eq(fake_finish(output, SPL_RUN_COMPLETE, "", 1), SPL_OK);
    spl_output_free(output);
    ck_assert_int_eq(spl_results_describe("r.h5", &info), SPL_OK);
    ck_assert_uint_eq(info->n_streams, MANY);
    ck_assert_str_eq(info->streams[499].name, "m499");
    ck_assert_uint_eq(info->streams[499].n_durable, 1);
    spl_results_free(info);
    free(streams);
    free(names);
    fake_deinit(&run);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output_create");
    TCase *tcase = tcase_create("output_create");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_add_test(tcase, an_existing_file_is_kept);
    tcase_add_test(tcase, places_without_a_file_are_refused);
    tcase_add_test(tcase, a_folder_without_permission_is_refused);
    tcase_add_test(tcase, two_runs_never_write_one_file);
    tcase_add_test(tcase, readers_share_and_hdf5_writers_are_kept_out);
    tcase_add_test(tcase, a_look_at_the_lock_does_not_stop_a_run);
    tcase_add_test(tcase, a_limit_of_file_sizes_is_seen_beforehand);
    tcase_add_test(tcase, a_disk_too_small_is_seen_beforehand);
    tcase_add_test(tcase, specs_that_make_no_file_are_refused);
    tcase_add_test(tcase, many_monitors_fit);
    suite_add_tcase(suite, tcase);
    return suite;
}
