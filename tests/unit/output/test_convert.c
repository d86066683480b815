/* Copies: what they hold, what is refused, and the arithmetic of their pieces. */
#include <stdint.h>

#include "output/convert.h"
#include "output/convert_tvb.h"
#include "splenium/convert.h"
#include "splenium/results.h"
#include "support/test_main.h"
#include "unit/output/folder.h"
#include "unit/output/spiking_run.h"

static void make_fake(spl_run_code code, uint64_t steps)
{
    fake_run run;
    fake_init(&run, "r.h5");
    ck_assert_int_eq(fake_make(&run, code, "", steps), SPL_OK);
    fake_deinit(&run);
}

static void refuse(spl_status status, spl_status code, const char *message)
{
    ck_assert_int_eq(status, code);
    ck_assert_str_eq(spl_last_error(), message);
}

static void same_digest(const char *a, const char *b)
{
    char one[65];
    char two[65];
    ck_assert_int_eq(spl_results_digest(a, one), SPL_OK);
    ck_assert_int_eq(spl_results_digest(b, two), SPL_OK);
    ck_assert_str_eq(one, two);
}

START_TEST(copies_have_the_same_digest)
{
    static const spl_convert_options options[] = {
        {.compress = 0}, {.compress = 1}, {.compress = 9, .trim = true}};
    const spl_convert_options in_place = {.compress = 4, .in_place = true};
    make_fake(SPL_RUN_COMPLETE, FAKE_ROWS);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const spl_status status = spl_convert("r.h5", "copy.h5", &options[i]);
        ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
        same_digest("r.h5", "copy.h5");
        ck_assert_int_eq(unlink("copy.h5"), 0);
    }
    ck_assert_int_eq(spl_convert("r.h5", "copy.h5", NULL), SPL_OK);
    ck_assert_int_eq(spl_convert("r.h5", NULL, &in_place), SPL_OK);
    same_digest("r.h5", "copy.h5");
    ck_assert_uint_eq(folder_count(), 2);
}
END_TEST

START_TEST(a_trimmed_copy_has_the_durable_rows)
{
    const spl_convert_options trim = {.trim = true};
    spl_results_info *info = NULL;
    make_fake(SPL_RUN_INTERRUPTED, 330);
    ck_assert_int_eq(spl_convert("r.h5", "copy.h5", &trim), SPL_OK);
    ck_assert_int_eq(spl_results_describe("copy.h5", &info), SPL_OK);
    ck_assert_str_eq(info->status, "interrupted");
    static const uint64_t rows[] = {330, 165, 3};
    for (size_t s = 0; s < FAKE_STREAMS; s++) {
        ck_assert_uint_eq(info->streams[s].n_rows, rows[s]);
        ck_assert_uint_eq(info->streams[s].n_durable, rows[s]);
    }
    spl_results_free(info);
    hid_t file = open_file("copy.h5");
    hid_t set = H5Dopen2(file, "/monitors/tavg/W", H5P_DEFAULT);
    float values[330][FAKE_NODES];
    ck_assert_int_ge(
        H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    ck_assert(values[329][2] == (float)fake_value(0, 1, 329, 2));
    H5Dclose(set);
    H5Fclose(file);
}
END_TEST

START_TEST(a_stream_without_rows_is_kept_empty)
{
    const spl_convert_options trim = {.compress = 1, .trim = true};
    spl_results_info *info = NULL;
    make_fake(SPL_RUN_INTERRUPTED, 50);
    ck_assert_int_eq(spl_convert("r.h5", "copy.h5", &trim), SPL_OK);
    ck_assert_int_eq(spl_results_describe("copy.h5", &info), SPL_OK);
    ck_assert_uint_eq(info->streams[2].n_rows, 0);
    spl_results_free(info);
    ck_assert_int_eq(unlink("r.h5"), 0);
    make_fake(SPL_RUN_INTERRUPTED, 0);
    refuse(spl_convert("r.h5", "none.h5", &trim), SPL_ERR_FORMAT,
        "r.h5: no row is durable, nothing can be kept");
}
END_TEST

static bool stop_at_once(void *user)
{
    ++*(int *)user;
    return true;
}

START_TEST(whoever_asks_wrongly_is_told)
{
    int asked = 0;
    const spl_convert_options bad_level = {.compress = 10};
    const spl_convert_options in_place = {.in_place = true};
    const spl_convert_options stopping = {.stop = stop_at_once, .user = &asked};
    make_fake(SPL_RUN_COMPLETE, FAKE_ROWS);
    refuse(spl_convert("r.h5", "copy.h5", &bad_level), SPL_ERR_ARGUMENT,
        "compression level 10 is not one of 0 to 9");
    refuse(spl_convert_tvb("r.h5", "tvb", &bad_level, NULL), SPL_ERR_ARGUMENT,
        "compression level 10 is not one of 0 to 9");
    refuse(spl_convert("r.h5", NULL, NULL), SPL_ERR_ARGUMENT,
        "r.h5: convert needs either the name of a new file or --in-place");
    refuse(spl_convert("r.h5", "copy.h5", &in_place), SPL_ERR_ARGUMENT,
        "r.h5: convert needs either the name of a new file or --in-place");
    refuse(spl_convert("r.h5", "copy.h5", &stopping), SPL_ERR_INTERRUPTED,
        "r.h5: interrupted; nothing was changed");
    refuse(spl_convert_tvb("r.h5", "tvb", &stopping, NULL), SPL_ERR_INTERRUPTED,
        "r.h5: interrupted; nothing was changed");
    ck_assert_int_eq(asked, 2);
    ck_assert_uint_eq(folder_count(), 1);
}
END_TEST

START_TEST(spiking_runs_are_copied_and_exported)
{
    spiking_run run;
    const spl_convert_options compress = {.compress = 1};
    size_t n_series = 0;
    spiking_init(&run, "r.h5", true);
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_COMPLETE, 100, FAKE_ROWS), SPL_OK);
    ck_assert_int_eq(spl_convert("r.h5", "copy.h5", &compress), SPL_OK);
    same_digest("r.h5", "copy.h5");
    ck_assert_int_eq(spl_convert_tvb("copy.h5", "tvb", NULL, &n_series), SPL_OK);
    ck_assert_uint_eq(n_series, FAKE_STREAMS);
    ck_assert_ptr_nonnull(strstr(all_logs, "tables of spiking populations are left out"));
    spiking_deinit(&run);
}
END_TEST

START_TEST(runs_without_nodes_are_nothing_for_tvb)
{
    spiking_run run;
    spiking_init(&run, "r.h5", false);
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_COMPLETE, 100, FAKE_ROWS), SPL_OK);
    refuse(spl_convert_tvb("r.h5", "tvb", NULL, NULL), SPL_ERR_USAGE,
        "r.h5: no connectome, so there is nothing for The Virtual Brain");
    ck_assert_int_ne(access("tvb", F_OK), 0);
    spiking_deinit(&run);
}
END_TEST

/* A list of two objects, the second with these bytes. */
static void make_list(spl_convert_list *list, const char *second, const char *bytes)
{
    ck_assert_int_eq(spl_convert_list_begin(list, "/a"), SPL_OK);
    spl_convert_list_add(list, "x", 1);
    ck_assert_int_eq(spl_convert_list_begin(list, second), SPL_OK);
    spl_convert_list_add(list, bytes, strlen(bytes));
    spl_convert_list_end(list);
}

START_TEST(lists_differ_in_the_first_object_that_does)
{
    static const char said[] =
        "f.tmp: %s does not read back as it was written; check the disk";
    static const char *const seconds[][2] = {{"/b", "1"}, {"/b", "2"}, {"/c", "1"}};
    spl_convert_list original = {.n = 0};
    char message[128];
    make_list(&original, "/b", "1");
    snprintf(message, sizeof message, said, "/b");
    for (size_t i = 0; i < 3; i++) {
        spl_convert_list copy = {.n = 0};
        make_list(&copy, seconds[i][0], seconds[i][1]);
        const spl_status status = spl_convert_list_compare(&original, &copy, "f.tmp");
        ck_assert_int_eq(status, i == 0 ? SPL_OK : SPL_ERR_FILE_WRITE);
        if (i > 0) {
            ck_assert_str_eq(spl_last_error(), message);
        }
        spl_convert_list_deinit(&copy);
    }
    spl_convert_list shorter = {.n = 0};
    ck_assert_int_eq(spl_convert_list_begin(&shorter, "/a"), SPL_OK);
    spl_convert_list_add(&shorter, "x", 1);
    spl_convert_list_end(&shorter);
    refuse(spl_convert_list_compare(&original, &shorter, "f.tmp"), SPL_ERR_FILE_WRITE,
        message);
    refuse(spl_convert_list_compare(&shorter, &original, "f.tmp"), SPL_ERR_FILE_WRITE,
        message);
    spl_convert_list_deinit(&shorter);
    spl_convert_list_deinit(&original);
}
END_TEST

START_TEST(pieces_are_row_buffers_of_at_most_8_mib)
{
    static const struct {
        uint64_t rows, width, item_bytes, piece;
    } cases[] = {{100000, 76, 4, 3449}, {100000, 998, 4, 262}, {100000, 1, 8, 4096},
        {10, 76, 4, 10}, {100000, 20000, 8, 52}, {100, 4000000, 8, 1}, {0, 3, 4, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const spl_item_shape shape = {.type = SPL_ITEM_F4,
            .rank = 2,
            .item_bytes = cases[i].item_bytes,
            .dims = {cases[i].rows, cases[i].width}};
        ck_assert_uint_eq(spl_convert_piece(&shape), cases[i].piece);
    }
    uint64_t values;
    const spl_item_shape huge = {
        .rank = 3, .item_bytes = 8, .dims = {1 << 30, 1 << 30, 1 << 30}};
    ck_assert(!spl_convert_row(&huge, &values));
}
END_TEST

START_TEST(labels_become_ascii)
{
    static const struct {
        const char *label, *plain, *json;
        bool any;
    } cases[] = {{"rA1", "rA1", "rA1", false},
        {"l\xC3\xA4", "l\\u00e4", "l\\u00e4", true},
        {"\xF0\x9F\xA7\xA0", "\\ud83e\\udde0", "\\ud83e\\udde0", true},
        {"a\"b\\", "a\"b\\", "a\\\"b\\\\", false},
        {"\xE2\x82", "\\u00e2\\u0082", "\\u00e2\\u0082", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int json = 0; json < 2; json++) {
            spl_text text = {0};
            ck_assert(
                spl_tvb_add_ascii(&text, cases[i].label, json != 0) == cases[i].any);
            ck_assert_str_eq(text.data, json ? cases[i].json : cases[i].plain);
            spl_text_deinit(&text);
        }
    }
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output_convert");
    TCase *tcase = tcase_create("output_convert");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_add_test(tcase, copies_have_the_same_digest);
    tcase_add_test(tcase, a_trimmed_copy_has_the_durable_rows);
    tcase_add_test(tcase, a_stream_without_rows_is_kept_empty);
    tcase_add_test(tcase, whoever_asks_wrongly_is_told);
    tcase_add_test(tcase, spiking_runs_are_copied_and_exported);
    tcase_add_test(tcase, runs_without_nodes_are_nothing_for_tvb);
    tcase_add_test(tcase, lists_differ_in_the_first_object_that_does);
    tcase_add_test(tcase, pieces_are_row_buffers_of_at_most_8_mib);
    tcase_add_test(tcase, labels_become_ascii);
    suite_add_tcase(suite, tcase);
    return suite;
}
