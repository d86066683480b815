/* The survey of a results file: every dataset, what it is and where it lies. */
#include "output/survey.h"

#include "support/test_main.h"
#include "unit/output/folder.h"
#include "unit/output/spiking_run.h"

static const spl_survey_numbers *find(const spl_survey *survey, const char *path)
{
    const spl_survey_set *set = spl_survey_find(survey, path);
    ck_assert_msg(set != NULL, "%s", path);
    return &set->is;
}

START_TEST(every_dataset_is_told)
{
    spiking_run run;
    spl_survey survey = {0};
    spl_places places = {0};
    spiking_init(&run, "r.h5", true);
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_COMPLETE, 10, FAKE_ROWS), SPL_OK);
    ck_assert_int_eq(spl_survey_make(&survey, "r.h5"), SPL_OK);
    ck_assert_uint_eq(survey.file.superblock, 0);
    ck_assert_uint_eq(survey.file.user_block, 0);
    ck_assert_uint_eq(strlen(survey.file.uuid), 36);
    ck_assert_int_eq(spl_places_list(&places, &run.base.spec), SPL_OK);
    for (size_t i = 0; i < places.n; i++) {
        const spl_place *place = &places.all[i];
        const spl_survey_numbers *is = find(&survey, place->path);
        ck_assert_uint_eq(is->type, place->type);
        ck_assert_int_eq((int)is->rank, place->rank);
        ck_assert(is->contiguous);
        ck_assert_uint_eq(is->bytes, place->bytes);
        ck_assert_uint_eq(is->offset, offset_of("r.h5", place->path));
    }
    ck_assert_uint_gt(survey.n, places.n);
    ck_assert_uint_eq(find(&survey, "/checksums/tavg/V")->rows_per_block, FAKE_ROWS);
    ck_assert_uint_eq(find(&survey, "/connectome/labels")->type, SPL_SURVEY_OTHER);
    ck_assert_ptr_null(spl_survey_find(&survey, "/monitors"));
    ck_assert_uint_eq(survey.n_arrays, 2);
    ck_assert_str_eq(survey.arrays[0], "V");
    ck_assert_str_eq(survey.arrays[1], "history");
    spl_survey_deinit(&survey);
    ck_assert_int_eq(spl_survey_make(&survey, "r.spikes.h5"), SPL_OK);
    ck_assert_uint_eq(survey.file.last_step, FAKE_ROWS);
    ck_assert_uint_eq(
        find(&survey, "/spikes/thal.E/timestamps")->dims[0], fake_total(0, 0, FAKE_ROWS));
    spl_survey_deinit(&survey);
    spl_places_deinit(&places);
    spiking_deinit(&run);
}
END_TEST

static void refuse(const char *message)
{
    spl_survey survey = {0};
    ck_assert_int_eq(spl_survey_make(&survey, "r.h5"), SPL_ERR_FORMAT);
    ck_assert_str_eq(spl_last_error(), message);
    spl_survey_deinit(&survey);
}

START_TEST(links_are_not_followed_and_names_not_believed)
{
    fake_run run;
    spl_survey survey = {0};
    fake_init(&run, "r.h5");
    ck_assert_int_eq(fake_make(&run, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    hid_t file = H5Fopen("r.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert_int_ge(H5Lcreate_hard(file, "/status/code", file, "/monitors/twice",
                         H5P_DEFAULT, H5P_DEFAULT),
        0);
    H5Fclose(file);
    ck_assert_int_eq(spl_survey_make(&survey, "r.h5"), SPL_OK);
    ck_assert_uint_eq(
        find(&survey, "/status/code")->object, find(&survey, "/monitors/twice")->object);
    spl_survey_deinit(&survey);
    file = H5Fopen("r.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    H5Lcreate_hard(file, "/", file, "/monitors/loop", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    ck_assert_int_eq(spl_survey_make(&survey, "r.h5"), SPL_ERR_FORMAT);
    spl_survey_deinit(&survey);
    file = H5Fopen("r.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, "/monitors/loop", H5P_DEFAULT);
    H5Lcreate_soft("/status/code", file, "/monitors/soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refuse("r.h5: /monitors/soft: only hard links are followed; store the data itself");
    fake_deinit(&run);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output_survey");
    TCase *tcase = tcase_create("output_survey");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_add_test(tcase, every_dataset_is_told);
    tcase_add_test(tcase, links_are_not_followed_and_names_not_believed);
    suite_add_tcase(suite, tcase);
    return suite;
}
