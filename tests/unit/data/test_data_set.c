/* The connectome that ships with the program, as the library sees it. */
#include <stdio.h>
#include <string.h>

#include "connectome/connectome.h"
#include "splenium/connectome.h"
#include "support/test_main.h"

static spl_connectome *connectome;

static void load(void)
{
    char path[4096];
    const char *source = getenv("SPLENIUM_SOURCE");
    snprintf(path, sizeof path, "%s/data/dk68.zip", source != NULL ? source : ".");
    const spl_connectome_options options = {
        .file = path,
        .self_connections = SPL_SELF_ERROR,
        .zero_length = SPL_ZERO_LENGTH_ERROR,
    };
    ck_assert_msg(
        spl_connectome_load(&connectome, &options) == SPL_OK, "%s", spl_last_error());
}

static void unload(void)
{
    spl_connectome_free(connectome);
    connectome = NULL;
}

START_TEST(it_is_a_plausible_cortex)
{
    spl_connectome_info info;
    ck_assert_int_eq(spl_connectome_describe(connectome, false, &info), SPL_OK);
    ck_assert_uint_eq(info.n_nodes, 68);
    ck_assert_uint_eq(info.n_duplicate_labels, 0);
    ck_assert_uint_eq(info.n_right, 34);
    ck_assert_uint_eq(info.n_left, 34);
    ck_assert_uint_eq(info.n_edges, 1370);
    ck_assert(info.density > 0.25 && info.density < 0.35);
    ck_assert(info.asymmetry == 0.0 && info.length_asymmetry == 0.0);
    ck_assert_uint_eq(info.n_isolated, 0);
    ck_assert_uint_eq(info.n_diagonal, 0);
    ck_assert_uint_eq(info.n_negative, 0);
    ck_assert(info.length_min > 5.0 && info.length_max < 250.0);
    ck_assert(info.shorter_than_straight == 0.0);
    ck_assert(strstr(info.info, "SYNTHETIC") != NULL);
}
END_TEST

START_TEST(every_delay_leaves_room_for_a_block_of_steps)
{
    spl_delay_info delays;
    ck_assert_int_eq(spl_connectome_delays(connectome, 3.0, 0.1, &delays), SPL_OK);
    ck_assert_uint_ge(delays.min, 16);
}
END_TEST

/* Without the member, the labels must say the same. */
START_TEST(labels_and_member_agree_on_the_hemispheres)
{
    const char *labels[68];
    int8_t derived[68];
    const char *rule = NULL;
    for (size_t i = 0; i < 68; i++) {
        labels[i] = spl_connectome_label(connectome, i);
    }
    ck_assert(spl_hemispheres_derive(labels, 68, derived, &rule));
    ck_assert_str_eq(rule, "derived: label prefix rh/lh");
    ck_assert_mem_eq(derived, spl_connectome_hemispheres(connectome), sizeof derived);
    const double *centres = spl_connectome_centres(connectome);
    for (size_t i = 0; i < 68; i++) {
        ck_assert_int_eq(centres[3 * i] > 0.0, derived[i]);
    }
}
END_TEST

/* Mirror regions are linked, and as a rule by more than the median weight. */
START_TEST(mirror_regions_are_linked)
{
    const double *weights = spl_connectome_weights(connectome);
    spl_connectome_info info;
    size_t n_strong = 0;
    ck_assert_int_eq(spl_connectome_describe(connectome, false, &info), SPL_OK);
    for (size_t i = 0; i < 34; i++) {
        ck_assert_str_eq(spl_connectome_label(connectome, i) + 3,
            spl_connectome_label(connectome, i + 34) + 3);
        ck_assert(weights[i * 68 + i + 34] > 0.0);
        n_strong += weights[i * 68 + i + 34] > info.weight_median;
    }
    ck_assert_uint_gt(n_strong, 17);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("data_set");
    TCase *tests = tcase_create("dk68");
    tcase_add_checked_fixture(tests, load, unload);
    tcase_add_test(tests, it_is_a_plausible_cortex);
    tcase_add_test(tests, every_delay_leaves_room_for_a_block_of_steps);
    tcase_add_test(tests, labels_and_member_agree_on_the_hemispheres);
    tcase_add_test(tests, mirror_regions_are_linked);
    suite_add_tcase(suite, tests);
    return suite;
}
