/* Running again from a results file: the configuration and the connectome it keeps. */
#include "config/config.h"
#include "config/rerun.h"
#include "support/test_main.h"
#include "unit/output/folder.h"
#include "unit/output/support.h"

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* A run of a configuration with policies that change the matrices. */
static void make_results(spl_connectome **connectome, char **json)
{
    fake_run run;
    spl_config *config = NULL;
    spl_settings settings = {0};
    write_text("w.txt", "3 1 2\n4 0 0.3\n0 7 1\n");
    write_text("l.txt", "0 0.01 0.02\n0.03 0 0.04\n0.05 0.06 0\n");
    write_text("c.yaml", "title: first\n"
                         "simulation: {duration: 100, seed: 7}\n"
                         "connectome: {weights: w.txt, lengths: l.txt, orientation: "
                         "from-to, length_unit: m, self_connections: drop, normalise: "
                         "region, speed: 4}\n"
                         "model: {d_V: [0.6, 0.65, 0.7]}\n"
                         "output: {file: r.h5}\n");
    ck_assert_int_eq(spl_config_load(&config, "c.yaml"), SPL_OK);
    ck_assert_int_eq(spl_config_connectome(config, connectome), SPL_OK);
    ck_assert_int_eq(spl_config_resolve(config, *connectome, &settings), SPL_OK);
    fake_init(&run, "r.h5");
    run.spec.connectome = *connectome;
    run.spec.yaml = settings.yaml;
    run.spec.resolved_json = settings.resolved_json;
    ck_assert_int_eq(fake_make(&run, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    *json = settings.resolved_json;
    settings.resolved_json = NULL;
    spl_settings_free(&settings);
    spl_config_free(config);
    fake_deinit(&run);
}

static spl_config *load_results(void)
{
    spl_config *config = NULL;
    spl_status status = spl_config_load(&config, "r.h5");
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    return config;
}

/* Load the connectome again: the same bits, read from where it should. */
static void check_again(const spl_connectome *first, const char *json, const char *form)
{
    spl_config *config = load_results();
    spl_connectome *again = NULL;
    spl_connectome_info info;
    spl_connectome_info was;
    char *resolved = NULL;
    spl_status status = spl_config_connectome(config, &again);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    const size_t square = 9 * sizeof(double);
    ck_assert_mem_eq(
        spl_connectome_weights(again), spl_connectome_weights(first), square);
    ck_assert_mem_eq(
        spl_connectome_tract_lengths(again), spl_connectome_tract_lengths(first), square);
    ck_assert_int_eq(spl_connectome_describe(again, false, &info), SPL_OK);
    ck_assert_int_eq(spl_connectome_describe(first, false, &was), SPL_OK);
    ck_assert_str_eq(info.form, form);
    ck_assert_str_eq(info.normalisation, "region");
    ck_assert_str_eq(info.sha256, was.sha256);
    ck_assert_uint_eq(info.n_dropped_self, 2);
    /* but for its own output the run is the one of before, word for word */
    ck_assert_int_eq(spl_config_set(config, "output.file", "r.h5"), SPL_OK);
    ck_assert_int_eq(spl_config_resolved(config, again, &resolved), SPL_OK);
    ck_assert_str_eq(resolved, json);
    free(resolved);
    spl_connectome_free(again);
    spl_config_free(config);
}

START_TEST(the_same_files_are_read_again)
{
    spl_connectome *first = NULL;
    char *json = NULL;
    make_results(&first, &json);
    check_again(first, json, "text files");
    free(json);
    spl_connectome_free(first);
}
END_TEST

START_TEST(changed_files_give_way_to_the_stored_matrices)
{
    char wanted[256];
    spl_connectome *first = NULL;
    char *json = NULL;
    make_results(&first, &json);
    write_text("w.txt", "3 1 2\n4 0 0.3\n0 8 1\n");
    check_again(first, json, "splenium results");
    write_text("w.txt", "3 1\n4 0 0.3\n0 8 1\n");
    check_again(first, json, "splenium results");
    unlink("w.txt");
    check_again(first, json, "splenium results");
    spl_config *config = load_results();
    spl_connectome *again = NULL;
    ck_assert_int_eq(spl_config_connectome(config, &again), SPL_OK);
    spl_connectome_free(again);
    spl_config_free(config);
    snprintf(wanted, sizeof wanted,
        "%s/w.txt: cannot be opened: No such file or directory; check the path; the "
        "matrices kept in %s/r.h5 are used",
        folder, folder);
    ck_assert_ptr_nonnull(strstr(all_logs, wanted));
    free(json);
    spl_connectome_free(first);
}
END_TEST

START_TEST(other_policies_need_the_files)
{
    spl_connectome *first = NULL;
    spl_connectome *again = NULL;
    char *json = NULL;
    make_results(&first, &json);
    spl_config *config = load_results();
    ck_assert_int_eq(spl_config_set(config, "connectome.normalise", "none"), SPL_OK);
    ck_assert_int_eq(spl_config_connectome(config, &again), SPL_OK);
    ck_assert(spl_connectome_weights(again)[1] == 4.0);
    spl_connectome_free(again);
    unlink("w.txt");
    ck_assert_int_eq(spl_config_connectome(config, &again), SPL_ERR_FILE_MISSING);
    ck_assert_ptr_null(again);
    spl_config_free(config);
    /* what does not touch the matrices is free */
    config = load_results();
    ck_assert_int_eq(spl_config_set(config, "connectome.speed", "inf"), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "simulation.seed", "8"), SPL_OK);
    ck_assert_int_eq(spl_config_connectome(config, &again), SPL_OK);
    spl_connectome_free(again);
    spl_config_free(config);
    free(json);
    spl_connectome_free(first);
}
END_TEST

START_TEST(a_connectome_of_arrays_comes_from_the_file)
{
    fake_run run;
    spl_config *config = NULL;
    spl_connectome *again = NULL;
    spl_connectome_info info;
    fake_init(&run, "r.h5");
    run.spec.resolved_json = "{\"connectome\": {\"file\": \"/nowhere/x.zip\"}}";
    ck_assert_int_eq(fake_make(&run, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    ck_assert_int_eq(spl_config_load(&config, "r.h5"), SPL_OK);
    ck_assert_int_eq(spl_config_connectome(config, &again), SPL_OK);
    ck_assert_int_eq(spl_connectome_describe(again, false, &info), SPL_OK);
    ck_assert_str_eq(info.form, "splenium results");
    ck_assert_mem_eq(spl_connectome_weights(again),
        spl_connectome_weights(run.connectome), 9 * sizeof(double));
    spl_connectome_free(again);
    spl_config_free(config);
    fake_deinit(&run);
}
END_TEST

START_TEST(other_hdf5_files_are_no_configuration)
{
    spl_config *config = NULL;
    H5Fclose(H5Fcreate("other.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    ck_assert_int_eq(spl_config_load(&config, "other.h5"), SPL_ERR_FORMAT);
    ck_assert_str_eq(spl_last_error(),
        "other.h5: an HDF5 file, but not one of results of splenium; give a "
        "configuration, results or a connectome");
    ck_assert_ptr_null(config);
    fake_run run;
    fake_init(&run, "bad.h5");
    run.spec.resolved_json = "{\"simulation\": {\"dt\": true}}";
    ck_assert_int_eq(fake_make(&run, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    ck_assert_int_eq(spl_config_load(&config, "bad.h5"), SPL_ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "bad.h5:1:"));
    fake_deinit(&run);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output_rerun");
    TCase *tcase = tcase_create("output_rerun");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_add_test(tcase, the_same_files_are_read_again);
    tcase_add_test(tcase, changed_files_give_way_to_the_stored_matrices);
    tcase_add_test(tcase, other_policies_need_the_files);
    tcase_add_test(tcase, a_connectome_of_arrays_comes_from_the_file);
    tcase_add_test(tcase, other_hdf5_files_are_no_configuration);
    suite_add_tcase(suite, tcase);
    return suite;
}
