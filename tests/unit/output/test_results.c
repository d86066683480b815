/* Reading results files back: what they say, and files that want to do harm. */
#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "splenium/results.h"
#include "support/test_main.h"
#include "unit/output/folder.h"
#include "unit/output/spiking_run.h"

static spl_results_info *describe(const char *path)
{
    spl_results_info *info = NULL;
    spl_status status = spl_results_describe(path, &info);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    return info;
}

static void refuse(const char *path, spl_status code, const char *message)
{
    spl_results_info *info = NULL;
    ck_assert_int_eq(spl_results_describe(path, &info), code);
    ck_assert_ptr_null(info);
    ck_assert_str_eq(spl_last_error(), message);
}

START_TEST(a_complete_file_says_all)
{
    fake_run run;
    fake_init(&run, "r.h5");
    ck_assert_int_eq(fake_make(&run, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    spl_results_info *info = describe("r.h5");
    ck_assert_str_eq(info->path, "r.h5");
    ck_assert_str_eq(info->status, "complete");
    ck_assert_str_eq(info->message, "");
    ck_assert(!info->live);
    ck_assert_uint_eq(info->step, FAKE_ROWS);
    ck_assert_uint_eq(info->escaped_nodes, 1);
    ck_assert_str_eq(info->title, "a fake run");
    ck_assert_str_eq(info->software_version, "0.2.5");
    ck_assert_uint_eq(strlen(info->uuid), 36);
    ck_assert_uint_eq(strlen(info->created), strlen("2026-01-01T00:00:00Z"));
    ck_assert_str_eq(info->command_line, "splenium run fake.yaml");
    ck_assert_str_eq(info->model, "linear");
    ck_assert_uint_eq(info->n_nodes, FAKE_NODES);
    ck_assert_uint_eq(info->n_streams, FAKE_STREAMS);
    ck_assert_str_eq(info->streams[0].name, "tavg");
    ck_assert_str_eq(info->streams[0].kind, "temporal_average");
    ck_assert_str_eq(info->streams[0].variables, "V W");
    ck_assert_uint_eq(info->streams[0].n_rows, FAKE_ROWS);
    ck_assert_uint_eq(info->streams[0].n_durable, FAKE_ROWS);
    ck_assert_uint_eq(info->streams[0].width, FAKE_NODES);
    ck_assert(info->streams[0].first_time_ms == 0.5);
    ck_assert_str_eq(info->streams[1].name, "mean");
    ck_assert_uint_eq(info->streams[1].width, 1);
    ck_assert(info->streams[1].period_ms == 2.0);
    spl_results_free(info);
    spl_results_free(NULL);
    fake_deinit(&run);
}
END_TEST

START_TEST(a_running_file_tells_what_is_durable)
{
    fake_run run;
    spl_output *output = NULL;
    fake_init(&run, "r.h5");
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    spl_results_info *info = describe("r.h5");
    ck_assert_str_eq(info->status, "running");
    ck_assert(info->live);
    ck_assert_uint_eq(info->step, 0);
    ck_assert_uint_eq(info->streams[0].n_durable, 0);
    spl_results_free(info);
    ck_assert_int_eq(fake_steps(output, &run, 0, 300), SPL_OK);
    ck_assert_int_eq(
        fake_finish(output, SPL_RUN_INTERRUPTED, "stopped by signal 2", 300), SPL_OK);
    spl_output_free(output);
    info = describe("r.h5");
    ck_assert_str_eq(info->status, "interrupted");
    ck_assert_str_eq(info->message, "stopped by signal 2");
    ck_assert(!info->live);
    ck_assert_uint_eq(info->step, 300);
    ck_assert_uint_eq(info->streams[0].n_rows, FAKE_ROWS);
    ck_assert_uint_eq(info->streams[0].n_durable, 300);
    ck_assert_uint_eq(info->streams[1].n_durable, 150);
    ck_assert_uint_eq(info->streams[2].n_durable, 3);
    spl_results_free(info);
    fake_deinit(&run);
}
END_TEST

START_TEST(populations_are_described)
{
    spiking_run run;
    spiking_init(&run, "r.h5", _i == 1);
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_INTERRUPTED, 10, 300), SPL_OK);
    spl_results_info *info = describe("r.h5");
    const size_t first = _i == 1 ? FAKE_STREAMS : 0;
    ck_assert_str_eq(info->spikes_file, "r.spikes.h5");
    ck_assert_str_eq(info->model, _i == 1 ? "linear" : "");
    ck_assert_uint_eq(info->n_nodes, _i == 1 ? FAKE_NODES : 0);
    ck_assert_uint_eq(info->n_streams, first + 3);
    ck_assert_str_eq(info->streams[first].kind, "populations");
    ck_assert_str_eq(info->streams[first].variables, "rate mean_V");
    ck_assert_uint_eq(info->streams[first].width, FAKE_POPULATIONS);
    ck_assert_uint_eq(info->streams[first].n_durable, 300);
    ck_assert_str_eq(info->streams[first + 1].kind, "subnetworks");
    ck_assert_str_eq(info->streams[first + 2].kind, "report");
    ck_assert_str_eq(info->streams[first + 2].name, "thal.E");
    ck_assert_uint_eq(info->streams[first + 2].width, 6);
    ck_assert_uint_eq(info->n_populations, FAKE_POPULATIONS);
    const spl_results_population *population = &info->populations[0];
    ck_assert_str_eq(population->name, "thal.E");
    ck_assert_str_eq(population->region, "rA1");
    ck_assert_uint_eq(population->size, 800);
    ck_assert(population->excitatory && !info->populations[1].excitatory);
    ck_assert_uint_eq(population->n_spikes, fake_total(0, 0, 300));
    ck_assert_uint_eq(population->n_events, 300);
    const double rate = (double)fake_total(0, 0, 300) / 800 / 0.3;
    ck_assert(fabs(population->mean_rate_hz - rate) < 1e-9 * rate);
    ck_assert(info->populations[1].mean_rate_hz == 0.0);
    ck_assert_str_eq(info->populations[2].region, "");
    spl_results_free(info);
    spiking_deinit(&run);
}
END_TEST

/* A file with populations and one object replaced or removed. */
static hid_t damage_spiking(spiking_run *run, const char *name)
{
    unlink("r.h5");
    unlink("r.spikes.h5");
    ck_assert_int_eq(spiking_make(run, SPL_RUN_COMPLETE, 10, FAKE_ROWS), SPL_OK);
    hid_t file = H5Fopen("r.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert_int_ge(file, 0);
    ck_assert_int_ge(H5Ldelete(file, name, H5P_DEFAULT), 0);
    return file;
}

START_TEST(damaged_populations_are_refused_by_name)
{
    spiking_run run;
    spiking_init(&run, "r.h5", false);
    H5Fclose(damage_spiking(&run, "/populations/spikes"));
    refuse("r.h5", SPL_ERR_FORMAT,
        "r.h5: /populations/spikes: no such dataset in this results file; it is damaged");
    hid_t file = damage_spiking(&run, "/populations/size");
    H5Lcreate_hard(
        file, "/subnetworks/clips", file, "/populations/size", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refuse("r.h5", SPL_ERR_FORMAT,
        "r.h5: /populations/size: not of the type and shape of a results file");
    file = damage_spiking(&run, "/populations/region");
    H5Lcreate_hard(
        file, "/populations/size", file, "/populations/region", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refuse("r.h5", SPL_ERR_FORMAT,
        "r.h5: /populations/region: not of the type and shape of a results file");
    file = damage_spiking(&run, "/report/thal.E");
    H5Lcreate_soft("/populations", file, "/report/thal.E", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refuse("r.h5", SPL_ERR_FORMAT,
        "r.h5: thal.E: only hard links are followed; store the data itself");
    spiking_deinit(&run);
}
END_TEST

START_TEST(texts_of_strangers_are_made_printable)
{
    fake_run run;
    fake_init(&run, "r.h5");
    run.spec.title = "a\x1b[2Jb\n\xC3\xA9 \xC2\x9B \xE2\x82\xAC \xED\xA0\x80 \xC3";
    ck_assert_int_eq(fake_make(&run, SPL_RUN_FAILED, "x\ty", 0), SPL_OK);
    spl_results_info *info = describe("r.h5");
    ck_assert_str_eq(info->title, "a?[2Jb?\xC3\xA9 ?? \xE2\x82\xAC ??? ?");
    ck_assert_str_eq(info->message, "x?y");
    ck_assert_str_eq(info->status, "failed");
    spl_results_free(info);
    fake_deinit(&run);
}
END_TEST

START_TEST(other_files_are_told_apart)
{
    FILE *text = fopen("t.yaml", "w");
    fputs("title: x\n", text);
    fclose(text);
    H5Fclose(H5Fcreate("other.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    refuse("t.yaml", SPL_ERR_NOT_FOUND, "t.yaml: not an HDF5 file, so not results");
    refuse("other.h5", SPL_ERR_NOT_FOUND,
        "other.h5: an HDF5 file, but not one of results of splenium");
    refuse("none.h5", SPL_ERR_FILE_MISSING,
        "none.h5: cannot be opened: No such file or directory; check the path");
    refuse("/dev/null", SPL_ERR_NOT_FOUND, "/dev/null: not an HDF5 file, so not results");
}
END_TEST

/* A results file with one object replaced or removed. */
static hid_t damage(fake_run *run, const char *name)
{
    unlink("r.h5");
    ck_assert_int_eq(fake_make(run, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    hid_t file = H5Fopen("r.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert_int_ge(file, 0);
    ck_assert_int_ge(H5Ldelete(file, name, H5P_DEFAULT), 0);
    return file;
}

START_TEST(damaged_files_are_refused_by_name)
{
    fake_run run;
    fake_init(&run, "r.h5");
    H5Fclose(damage(&run, "/status/code"));
    refuse("r.h5", SPL_ERR_FORMAT,
        "r.h5: /status/code: no such dataset in this results file; it is damaged");
    H5Fclose(damage(&run, "/monitors/mean"));
    refuse("r.h5", SPL_ERR_FORMAT,
        "r.h5: mean: no such group in this results file; it is damaged");
    hid_t file = damage(&run, "/progress");
    H5Lcreate_soft("/status/code", file, "/progress", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refuse("r.h5", SPL_ERR_FORMAT,
        "r.h5: /progress: only hard links are followed; store the data itself");
    file = damage(&run, "/monitors");
    H5Lcreate_external("x.h5", "/", file, "/monitors", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refuse("r.h5", SPL_ERR_FORMAT,
        "r.h5: /monitors: only hard links are followed; store the data itself");
    file = damage(&run, "/progress");
    H5Lcreate_hard(
        file, "/performance/starts", file, "/progress", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refuse("r.h5", SPL_ERR_FORMAT,
        "r.h5: /progress: not of the type and shape of a results file");
    fake_deinit(&run);
}
END_TEST

START_TEST(no_valid_slot_is_damage_not_an_empty_run)
{
    fake_run run;
    fake_init(&run, "r.h5");
    ck_assert_int_eq(fake_make(&run, SPL_RUN_INTERRUPTED, "", 200), SPL_OK);
    const uint64_t slots = offset_of("r.h5", "/progress");
    flip_byte("r.h5", slots + 8);
    spl_results_info *info = describe("r.h5");
    ck_assert_uint_eq(info->streams[0].n_durable, 200);
    spl_results_free(info);
    flip_byte("r.h5", slots + 4096 + 40);
    refuse("r.h5", SPL_ERR_FORMAT, "r.h5: /progress: no valid slot; the file is damaged");
    flip_byte("r.h5", slots + 4096 + 40);
    flip_byte("r.h5", offset_of("r.h5", "/status/code"));
    refuse("r.h5", SPL_ERR_FORMAT, "r.h5: /status/code: 68 means nothing");
    fake_deinit(&run);
}
END_TEST

START_TEST(no_flipped_byte_of_the_metadata_does_harm)
{
    fake_run run;
    size_t n_refused = 0;
    fake_init(&run, "r.h5");
    ck_assert_int_eq(fake_make(&run, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    for (uint64_t offset = 8; offset < 4096; offset += 53) {
        spl_results_info *info = NULL;
        flip_byte("r.h5", offset);
        spl_status status = spl_results_describe("r.h5", &info);
        ck_assert_int_eq(status != SPL_OK, info == NULL);
        n_refused += status != SPL_OK;
        spl_results_free(info);
        flip_byte("r.h5", offset);
    }
    ck_assert_uint_gt(n_refused, 5);
    spl_results_free(describe("r.h5"));
    fake_deinit(&run);
}
END_TEST

START_TEST(the_connectome_reads_back_bit_by_bit)
{
    fake_run run;
    spl_connectome *c = NULL;
    spl_connectome_info info;
    fake_init(&run, "r.h5");
    ck_assert_int_eq(fake_make(&run, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    ck_assert_int_eq(
        spl_connectome_load(&c, &(spl_connectome_options){.file = "r.h5"}), SPL_OK);
    ck_assert_int_eq(spl_connectome_describe(c, false, &info), SPL_OK);
    ck_assert_str_eq(info.form, "splenium results");
    ck_assert_str_eq(
        info.members, "weights tract_lengths centres areas cortical hemispheres");
    const size_t square = FAKE_NODES * FAKE_NODES * sizeof(double);
    ck_assert_mem_eq(
        spl_connectome_weights(c), spl_connectome_weights(run.connectome), square);
    ck_assert_mem_eq(spl_connectome_tract_lengths(c),
        spl_connectome_tract_lengths(run.connectome), square);
    ck_assert_mem_eq(spl_connectome_centres(c), spl_connectome_centres(run.connectome),
        3 * FAKE_NODES * sizeof(double));
    ck_assert_mem_eq(spl_connectome_areas(c), spl_connectome_areas(run.connectome),
        FAKE_NODES * sizeof(double));
    ck_assert_mem_eq(
        spl_connectome_cortical(c), spl_connectome_cortical(run.connectome), FAKE_NODES);
    ck_assert_mem_eq(spl_connectome_hemispheres(c),
        spl_connectome_hemispheres(run.connectome), FAKE_NODES);
    ck_assert_ptr_null(spl_connectome_orientations(c));
    for (size_t i = 0; i < FAKE_NODES; i++) {
        ck_assert_str_eq(
            spl_connectome_label(c, i), spl_connectome_label(run.connectome, i));
    }
    spl_connectome_free(c);
    fake_deinit(&run);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output_results");
    TCase *tcase = tcase_create("output_results");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_add_test(tcase, a_complete_file_says_all);
    tcase_add_test(tcase, a_running_file_tells_what_is_durable);
    tcase_add_loop_test(tcase, populations_are_described, 0, 2);
    tcase_add_test(tcase, damaged_populations_are_refused_by_name);
    tcase_add_test(tcase, texts_of_strangers_are_made_printable);
    tcase_add_test(tcase, other_files_are_told_apart);
    tcase_add_test(tcase, damaged_files_are_refused_by_name);
    tcase_add_test(tcase, no_valid_slot_is_damage_not_an_empty_run);
    tcase_add_test(tcase, no_flipped_byte_of_the_metadata_does_harm);
    tcase_add_test(tcase, the_connectome_reads_back_bit_by_bit);
    suite_add_tcase(suite, tcase);
    return suite;
}
