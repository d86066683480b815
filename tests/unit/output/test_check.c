/* Checking a results file: good ones at any stage, and damage to each part. */
#include <sys/stat.h>

#include "output/internal.h"
#include "splenium/results.h"
#include "support/test_main.h"
#include "unit/output/folder.h"
#include "unit/output/spiking_run.h"

static char damage[8192]; /* texts of all findings, one a line */
static char notes[8192];
static size_t n_damage;

static void keep(void *user, const spl_results_finding *finding)
{
    char *to = finding->damage ? damage : notes;
    const size_t used = strlen(to);
    ck_assert_ptr_eq(user, damage);
    n_damage += finding->damage;
    snprintf(to + used, sizeof damage - used, "%s\n", finding->text);
    ck_assert(strstr(finding->text, finding->file) == finding->text);
    ck_assert_ptr_nonnull(strstr(finding->text, finding->dataset));
}

static spl_results_info *check(void)
{
    spl_results_info *info = NULL;
    *damage = *notes = '\0';
    n_damage = 0;
    ck_assert_msg(
        spl_results_check("r.h5", keep, damage, &info) == SPL_OK, "%s", spl_last_error());
    return info;
}

/* Nothing is wrong, and all rows of complete blocks are confirmed. */
static void is_good(const char *status)
{
    spl_results_info *info = check();
    ck_assert_str_eq(damage, "");
    ck_assert_str_eq(notes, "");
    ck_assert_ptr_nonnull(info);
    ck_assert_str_eq(info->status, status);
    for (size_t s = 0; s < info->n_streams; s++) {
        const spl_results_stream *stream = &info->streams[s];
        ck_assert_uint_eq(stream->n_confirmed,
            stream->n_durable == stream->n_rows ? stream->n_rows : 0);
    }
    spl_results_free(info);
}

static void finds(const char *text)
{
    spl_results_free(check());
    ck_assert_msg(n_damage == 1 && strncmp(damage, text, strlen(text)) == 0,
        "%s\nis not one line of\n%s", text, damage);
}

START_TEST(a_file_is_good_at_any_stage)
{
    const bool nodes = _i % 2 == 0;
    spiking_run run;
    spl_output *output = NULL;
    spiking_init(&run, "r.h5", nodes);
    ck_assert_int_eq(spl_output_create(&output, &run.base.spec), SPL_OK);
    is_good("running");
    ck_assert_int_eq(spiking_steps(output, &run, 0, 300), SPL_OK);
    spl_results_info *info = check();
    ck_assert(info->live);
    ck_assert_str_eq(damage, "");
    spl_results_free(info);
    ck_assert_int_eq(
        fake_finish(output, SPL_RUN_INTERRUPTED, "stopped by signal 2", 300), SPL_OK);
    spl_output_free(output);
    is_good("interrupted");
    ck_assert_int_eq(unlink("r.h5"), 0);
    ck_assert_int_eq(unlink("r.spk"), 0);
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_COMPLETE, 10, FAKE_ROWS), SPL_OK);
    is_good("complete");
    spiking_deinit(&run);
}
END_TEST

START_TEST(every_part_is_checked)
{
    static const struct {
        const char *set;
        uint64_t at;
        const char *text;
    } parts[] = {
        {"/monitors/tavg/W", 11999, "r.h5: /monitors/tavg/W: rows 0 to 999 do not match"},
        {"/monitors/sparse/V", 3, "r.h5: /monitors/sparse/V: rows 0 to 9 do not match"},
        {"/checksums/mean/V", 2, "r.h5: /monitors/mean/V: rows 0 to 499 do not match"},
        {"/report/thal.E/data", 9, "r.h5: /report/thal.E/data: rows 0 to 999 do not"},
        {"/checksums/populations/rate", 0, "r.h5: /populations/rate: rows 0 to 999 do"},
        {"/subnetworks/Q_hat", 1, "r.h5: /subnetworks/Q_hat: rows 0 to 999 do not"},
        {"/progress", 40,
            "r.h5: /progress: slot 0 is torn, though the run came to its end"},
        {"/status/message", 0, "r.h5: /status/message: '@', though the run is complete"},
        {"/state/final/history", 7,
            "r.h5: /state/final/record: the state at step 1000 do"},
        {"/state/final/V", 0, "r.h5: /state/final/record: the state at step 1000 does"},
        {"/populations/spikes", 0, "r.spikes.h5: thal.E: has not the "},
    };
    spiking_run run;
    spiking_init(&run, "r.h5", true);
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_COMPLETE, 10, FAKE_ROWS), SPL_OK);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const uint64_t at = offset_of("r.h5", parts[i].set) + parts[i].at;
        flip_byte("r.h5", at);
        finds(parts[i].text);
        flip_byte("r.h5", at);
    }
    is_good("complete");
    spiking_deinit(&run);
}
END_TEST

/* Put another address in front of the size of a dataset, where its header has both. */
static void move_set(const char *name, uint64_t bytes_of_set, uint64_t to)
{
    static unsigned char bytes[1 << 16];
    const uint64_t place[] = {offset_of("r.h5", name), bytes_of_set};
    size_t n_found = 0;
    FILE *file = fopen("r.h5", "r+b");
    ck_assert_ptr_nonnull(file);
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    for (size_t i = 0; i + sizeof place <= n; i++) {
        if (memcmp(bytes + i, place, sizeof place) == 0) {
            n_found++;
            ck_assert_int_eq(fseek(file, (long)i, SEEK_SET), 0);
            ck_assert_uint_eq(fwrite(&to, 8, 1, file), 1);
        }
    }
    ck_assert_uint_eq(n_found, 1);
    fclose(file);
    ck_assert_uint_eq(offset_of("r.h5", name), to);
}

START_TEST(datasets_must_lie_inside_and_apart)
{
    struct stat what;
    fake_run run;
    fake_init(&run, "r.h5");
    ck_assert_int_eq(fake_make(&run, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    ck_assert_int_eq(stat("r.h5", &what), 0);
    const uint64_t bytes = (uint64_t)FAKE_ROWS * FAKE_NODES * sizeof(float);
    const uint64_t offset = offset_of("r.h5", "/monitors/tavg/W");
    move_set("/monitors/tavg/W", bytes, offset_of("r.h5", "/monitors/tavg/V") + 40);
    finds("r.h5: /monitors/tavg/W: lies over /monitors/tavg/V; the file is damaged or");
    move_set("/monitors/tavg/W", bytes, (uint64_t)what.st_size - 40);
    finds("r.h5: /monitors/tavg/W: ends at byte ");
    move_set("/monitors/tavg/W", bytes, offset);
    is_good("complete");
    fake_deinit(&run);
}
END_TEST

/* A final state cut short is what a kill leaves, no damage; in a file that says that its
 * run ended in good order it is. */
START_TEST(what_a_kill_leaves_is_no_damage)
{
    fake_run run;
    fake_init(&run, "r.h5");
    ck_assert_int_eq(fake_make(&run, SPL_RUN_INTERRUPTED, "by a test", 500), SPL_OK);
    const uint64_t code = offset_of("r.h5", "/status/code");
    const uint64_t final = offset_of("r.h5", "/state/final/V");
    FILE *file = fopen("r.h5", "r+b");
    ck_assert_int_eq(fseek(file, (long)code, SEEK_SET), 0);
    ck_assert_int_eq(fputc(SPL_RUN_RUNNING, file), SPL_RUN_RUNNING);
    fclose(file);
    is_good("running");
    flip_byte("r.h5", final);
    spl_results_free(check());
    ck_assert_str_eq(damage, "");
    ck_assert_str_eq(notes, "r.h5: /state/final/record: the state at step 500 was not "
                            "stored in whole; resume takes a checkpoint\n");
    file = fopen("r.h5", "r+b");
    ck_assert_int_eq(fseek(file, (long)code, SEEK_SET), 0);
    ck_assert_int_eq(fputc(SPL_RUN_INTERRUPTED, file), SPL_RUN_INTERRUPTED);
    fclose(file);
    finds("r.h5: /state/final/record: the state at step 500 does not match its checksum");
    fake_deinit(&run);
}
END_TEST

START_TEST(what_is_no_results_file_is_an_error)
{
    spl_results_info *info = NULL;
    H5Fclose(H5Fcreate("other.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    ck_assert_int_eq(
        spl_results_check("other.h5", keep, damage, &info), SPL_ERR_NOT_FOUND);
    ck_assert_int_eq(
        spl_results_check("none.h5", keep, damage, &info), SPL_ERR_FILE_MISSING);
    ck_assert_int_eq(spl_results_check(".", keep, damage, &info), SPL_ERR_NOT_FOUND);
    ck_assert_ptr_null(info);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output_check");
    TCase *tcase = tcase_create("output_check");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_add_loop_test(tcase, a_file_is_good_at_any_stage, 0, 2);
    tcase_add_test(tcase, every_part_is_checked);
    tcase_add_test(tcase, datasets_must_lie_inside_and_apart);
    tcase_add_test(tcase, what_a_kill_leaves_is_no_damage);
    tcase_add_test(tcase, what_is_no_results_file_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}
