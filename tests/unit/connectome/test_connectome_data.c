/* The public data sets have known numbers; those that are present must give them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "splenium/connectome.h"
#include "support/shared.h"
#include "support/test_main.h"

/* Source: the tvb-data repository of October 2024, measured with NumPy and LAPACK. */
typedef struct data_set {
    const char *file;
    size_t n, edges, off_diagonal;
    double asymmetry, w_min, w_median, w_max, w_sum, row_sum, radius;
    size_t zero_rows, zero_columns, n_right;
    double length_median, length_max;
    size_t zero_lengths, zero_lengths_off;
    uint32_t delay_median, delay_max, delay_max_all;
    size_t n_distinct;
    uint64_t delay_sum;
} data_set;

static const data_set sets[] = {
    {"connectivity_66.zip", 66, 1377, 1316, 7.9358e-5, 3.59450e-5, .0138183, .512165,
        65.55462, 2.176839, 1.608150, 0, 0, 33, 78.8134, 238.0, 0, 0, 263, 793, 793, 384,
        377907},
    {"connectivity_68.zip", 68, 1244, 1176, 0, 9.25607e-7, .00155677, .120538, 10.05976,
        .3402710, .2253856, 0, 0, 34, 65.1745, 252.903, 0, 0, 217, 843, 843, 365, 313883},
    {"connectivity_76.zip", 76, 1560, 1494, 3, .00462632, 2, 3, 2988.8457, 71, 44.72041,
        2, 2, 38, 55.8574, 138.454, 66, 0, 186, 462, 512, 313, 296468},
    {"connectivity_80.zip", 80, 3290, 3215, 3, 1, 3, 3, 8109, 169, 114.2607, 0, 0, 40,
        68.4248, 150.105, 75, 0, 228, 500, 500, 402, 761276},
    {"connectivity_96.zip", 96, 3939, 3860, 3, 1, 3, 3, 9642, 184, 118.8800, 0, 0, 48,
        64.3980, 150.105, 79, 0, 215, 500, 500, 411, 875668},
    {"connectivity_192.zip", 192, 3532, 3466, 3, .00462632, 2, 3, 6820.8457, 133,
        55.63275, 12, 4, 96, 58.1408, 140.902, 88, 22, 194, 470, 474, 257, 664944},
    {"connectivity_998.zip", 998, 35730, 35730, .0233318, .0848962, .500012, .914943,
        17865.030, 46.88828, 24.95526, 9, 9, 500, 27.0265, 189.5, 0, 0, 90, 632, 632, 536,
        4795420},
    {"paupau.zip", 4, 9, 5, 2, 2, 2, 3, 19, 7, 5.162278, 0, 0, 2, 14.6759, 61.4930, 4, 0,
        49, 205, 205, 4, 623},
    {"connectivity_84.zip", 84, 3312, 3312, .329507, 4.23119e-6, .00564912, .392026,
        98.73572, 1.922055, 1.322284, 2, 2, 42, 38.8023, 94.1041, 0, 0, 129, 314, 314,
        265, 430034},
    {"ConnectivityAllen2mm.zip", 98, 9590, 9492, .309833, 8.91916e-8, .00167070, 1,
        224.4650, 5.103755, 2.879346, 0, 0, 49, 52.1787, 115.459, 98, 0, 174, 385, 385,
        323, 1672396},
    {"Connectivity_Calabrese.zip", 296, 83734, 83438, 3.61781e11, 42.901, 1.75195e7,
        3.68740e11, 1.103177e14, 1.560676e12, 6.629624e11, 0, 0, 148, NAN, NAN, 0, 0, 2,
        3, 3, 4, 137995},
};

static void check_close(
    const data_set *set, const char *what, double found, double expected)
{
    if (!isnan(expected)) {
        ck_assert_msg(fabs(found - expected) <= 1e-5 * fabs(expected),
            "%s: %s is %.9g, expected %.9g", set->file, what, found, expected);
    }
}

static void check_set(const data_set *set, const char *path)
{
    spl_connectome *c = NULL;
    spl_connectome_info info;
    spl_delay_info delays;
    const spl_connectome_options options = {.file = path};
    ck_assert_msg(spl_connectome_load(&c, &options) == SPL_OK, "%s", spl_last_error());
    ck_assert_int_eq(spl_connectome_describe(c, true, &info), SPL_OK);
    ck_assert_uint_eq(info.n_nodes, set->n);
    ck_assert_uint_eq(info.n_edges, set->edges);
    ck_assert_uint_eq(info.n_off_diagonal, set->off_diagonal);
    ck_assert_uint_eq(info.n_diagonal, set->edges - set->off_diagonal);
    ck_assert_uint_eq(info.n_zero_rows, set->zero_rows);
    ck_assert_uint_eq(info.n_zero_columns, set->zero_columns);
    ck_assert_uint_eq(info.n_right, set->n_right);
    ck_assert_uint_eq(info.n_left, set->n - set->n_right);
    ck_assert_uint_eq(info.n_zero_length, set->zero_lengths);
    ck_assert_uint_eq(info.n_zero_length_off_diagonal, set->zero_lengths_off);
    check_close(set, "asymmetry", info.asymmetry, set->asymmetry);
    check_close(set, "least weight", info.weight_min, set->w_min);
    check_close(set, "median weight", info.weight_median, set->w_median);
    check_close(set, "largest weight", info.weight_max, set->w_max);
    check_close(set, "sum", info.weight_sum, set->w_sum);
    check_close(set, "row sum", info.max_row_sum, set->row_sum);
    check_close(set, "radius", info.spectral_radius, set->radius);
    check_close(set, "median length", info.length_median, set->length_median);
    check_close(set, "largest length", info.length_max, set->length_max);
    ck_assert_int_eq(spl_connectome_delays(c, 3.0, 0.1, &delays), SPL_OK);
    ck_assert_uint_eq(delays.sum, set->delay_sum);
    ck_assert_uint_eq(delays.max, set->delay_max);
    ck_assert_uint_eq(delays.max_all, set->delay_max_all);
    ck_assert_uint_eq(delays.n_distinct, set->n_distinct);
    ck_assert_uint_eq(delays.median, set->delay_median);
    ck_assert_str_eq(info.form, "TVB zip");
    ck_assert_uint_eq(strlen(info.sha256), 64);
    spl_connectome_free(c);
}

START_TEST(a_data_set_has_its_numbers)
{
    char name[128];
    char path[4096];
    const data_set *set = &sets[_i];
    snprintf(name, sizeof name, "data/connectomes/%s", set->file);
    if (shared_file(path, sizeof path, name)) {
        check_set(set, path);
    }
}
END_TEST

START_TEST(set_76_has_its_details)
{
    char path[4096];
    spl_connectome *c = NULL;
    spl_connectome_info info;
    size_t node = 0;
    if (!shared_file(path, sizeof path, "data/connectomes/connectivity_76.zip")) {
        return;
    }
    ck_assert_int_eq(
        spl_connectome_load(&c, &(spl_connectome_options){.file = path}), SPL_OK);
    ck_assert_int_eq(spl_connectome_describe(c, false, &info), SPL_OK);
    ck_assert(spl_connectome_weights(c)[1] == 2.0);
    ck_assert(spl_connectome_weights(c)[76] == 3.0);
    ck_assert_str_eq(spl_connectome_label(c, 37), "rCC");
    ck_assert_str_eq(spl_connectome_label(c, 75), "lCC");
    ck_assert_str_eq(info.hemisphere_rule, "derived: label prefix r/l");
    ck_assert_str_eq(info.members,
        "weights tract_lengths centres average_orientations areas cortical info");
    ck_assert_uint_eq(info.n_isolated, 2);
    ck_assert_uint_eq(info.n_duplicate_labels, 0);
    ck_assert(fabs(info.shorter_than_straight - 0.55) < 0.005);
    ck_assert(isnan(info.spectral_radius));
    ck_assert_ptr_nonnull(strstr(info.info, "length_unit = \"mm\"area_unit"));
    ck_assert_int_eq(spl_connectome_find(c, "rA1", &node), SPL_OK);
    ck_assert_uint_eq(node, 0);
    spl_connectome_free(c);
}
END_TEST

START_TEST(set_998_loads_fast)
{
    char path[4096];
    double best = INFINITY;
    if (!shared_file(path, sizeof path, "data/connectomes/connectivity_998.zip")) {
        return;
    }
    for (int i = 0; i < 3; i++) {
        struct timespec start;
        struct timespec end;
        spl_connectome *c = NULL;
        clock_gettime(CLOCK_MONOTONIC, &start);
        ck_assert_int_eq(
            spl_connectome_load(&c, &(spl_connectome_options){.file = path}), SPL_OK);
        clock_gettime(CLOCK_MONOTONIC, &end);
        spl_connectome_free(c);
        best = fmin(best, (double)(end.tv_sec - start.tv_sec) +
                              1e-9 * (double)(end.tv_nsec - start.tv_nsec));
    }
    /* the goal is 0.2 s; the rest is for sanitizers, valgrind and a busy machine */
    fprintf(stderr, "# 998 nodes in %.3f s\n", best);
    ck_assert_double_lt(best, 20.0);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("connectome_data");
    TCase *tcase = tcase_create("connectome_data");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(
        tcase, a_data_set_has_its_numbers, 0, (int)(sizeof sets / sizeof *sets));
    tcase_add_test(tcase, set_76_has_its_details);
    tcase_add_test(tcase, set_998_loads_fast);
    suite_add_tcase(suite, tcase);
    return suite;
}
