/* The policies: what contents are accepted, changed, warned about or refused. */
#include <math.h>

#include "fixtures.h"
#include "support/test_main.h"

static spl_connectome *make_by(const double *weights, const double *lengths, size_t n,
    const spl_connectome_options *options)
{
    spl_connectome *c = NULL;
    const spl_connectome_arrays arrays = {
        .n_nodes = n, .weights = weights, .tract_lengths = lengths};
    spl_status status = spl_connectome_create(&c, &arrays, options);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    return c;
}

static void refuse_by(const double *weights, const double *lengths, size_t n,
    const spl_connectome_options *options, spl_status expected, const char *message)
{
    spl_connectome *c = NULL;
    const spl_connectome_arrays arrays = {
        .n_nodes = n, .weights = weights, .tract_lengths = lengths};
    ck_assert_int_eq(spl_connectome_create(&c, &arrays, options), expected);
    ck_assert_str_eq(spl_last_error(), message);
    ck_assert_ptr_null(c);
}

static spl_connectome_info describe(const spl_connectome *c)
{
    spl_connectome_info info;
    ck_assert_int_eq(spl_connectome_describe(c, true, &info), SPL_OK);
    return info;
}

START_TEST(arrays_make_a_connectome)
{
    const double weights[] = {0, 1, 2, 0};
    const double centres[] = {1, 2, 3, 4, 5, 6};
    const double areas[] = {7, 8};
    const int8_t flags[] = {1, 0};
    const char *const labels[] = {"here", "there"};
    const spl_connectome_arrays arrays = {.n_nodes = 2,
        .weights = weights,
        .labels = labels,
        .centres = centres,
        .orientations = centres,
        .areas = areas,
        .cortical = flags,
        .hemispheres = flags,
        .info = "hello"};
    spl_connectome *c = NULL;
    size_t node = 9;
    ck_assert_int_eq(spl_connectome_create(&c, &arrays, NULL), SPL_OK);
    ck_assert_ptr_eq(spl_connectome_ref(c), c);
    spl_connectome_free(c);
    ck_assert_mem_eq(spl_connectome_centres(c), centres, sizeof centres);
    ck_assert_mem_eq(spl_connectome_orientations(c), centres, sizeof centres);
    ck_assert_mem_eq(spl_connectome_areas(c), areas, sizeof areas);
    ck_assert_mem_eq(spl_connectome_cortical(c), flags, sizeof flags);
    ck_assert_mem_eq(spl_connectome_hemispheres(c), flags, sizeof flags);
    spl_connectome_info info = describe(c);
    ck_assert_str_eq(info.form, "arrays");
    ck_assert_str_eq(info.source, "");
    ck_assert_str_eq(info.sha256, "");
    ck_assert_str_eq(info.info, "hello");
    ck_assert_str_eq(info.hemisphere_rule, "member hemispheres");
    ck_assert_str_eq(info.normalisation, "none");
    ck_assert_uint_eq(info.n_right, 1);
    ck_assert(fabs(info.spectral_radius - sqrt(2.0)) < 1e-10);
    ck_assert_int_eq(spl_connectome_find(c, "there", &node), SPL_OK);
    ck_assert_uint_eq(node, 1);
    ck_assert_int_eq(spl_connectome_find(c, "ther", &node), SPL_ERR_NOT_FOUND);
    ck_assert_str_eq(
        spl_last_error(), "no region has the label 'ther'; did you mean 'there'?");
    spl_connectome_free(c);
    spl_connectome_free(NULL);
}
END_TEST

START_TEST(duplicate_labels_are_warned_about)
{
    const double weights[] = {0, 1, 2, 0};
    const char *const labels[] = {"x", "x"};
    const spl_connectome_arrays arrays = {
        .n_nodes = 2, .weights = weights, .labels = labels};
    spl_connectome *c = NULL;
    size_t node;
    ck_assert_int_eq(spl_connectome_create(&c, &arrays, NULL), SPL_OK);
    ck_assert_str_eq(last_warning,
        ": only 1 distinct labels for 2 nodes: labels cannot name single regions");
    ck_assert_uint_eq(describe(c).n_duplicate_labels, 1);
    ck_assert_int_eq(spl_connectome_find(c, "x", &node), SPL_ERR_NOT_FOUND);
    ck_assert_str_eq(spl_last_error(),
        "2 regions carry the label 'x'; give the values as a list or a file");
    spl_connectome_free(c);
}
END_TEST

START_TEST(missing_lengths_follow_their_policy)
{
    write_file("w", "0 1\n2 0\n");
    write_file("c", "a 0 0 0\nb 3 4 0\n");
    refuse_with((spl_connectome_options){.weights = "w"}, SPL_ERR_CONNECTOME,
        "w: no tract_lengths beside these weights; add them, or set connectome.speed: "
        "inf or "
        "connectome.missing_lengths: euclidean");
    refuse_with((spl_connectome_options){.file = "w",
                    .missing_lengths = SPL_MISSING_LENGTHS_EUCLIDEAN},
        SPL_ERR_CONNECTOME,
        "w: neither tract_lengths nor centres beside these weights, so there are no "
        "Euclidean "
        "lengths; add centres");
    spl_connectome *c = load_with((spl_connectome_options){.weights = "w",
        .centres = "c",
        .missing_lengths = SPL_MISSING_LENGTHS_EUCLIDEAN});
    ck_assert(spl_connectome_tract_lengths(c)[1] == 5.0);
    spl_connectome_free(c);
    write_file("l", "");
    refuse_with((spl_connectome_options){.weights = "w", .lengths = "l"}, SPL_ERR_FORMAT,
        "l: holds no numbers; give a table of numbers");
}
END_TEST

START_TEST(shapes_must_agree)
{
    write_file("w", "0 1\n2 0\n");
    write_file("l", "0 1 2\n2 0 1\n3 4 0\n");
    refuse_with((spl_connectome_options){.weights = "w", .lengths = "l"},
        SPL_ERR_CONNECTOME, "w is 2 x 2, but l is 3 x 3; both must have the shape N x N");
    write_file("w", "0 1 2\n2 0 3\n");
    refuse_with((spl_connectome_options){.weights = "w", .lengths = "l"},
        SPL_ERR_CONNECTOME, "w: 2 rows and 3 columns; weights must be square");
    write_zip("z", {"weights.txt", W2, 0}, {"tract_lengths.txt", L2, 0},
        {"centres.txt", "a 1 2 3\n", 0});
    refuse_file("z", SPL_ERR_CONNECTOME,
        "z: centres.txt: 1 x 3 numbers, expected 2 x 3 as z: weights.txt has 2 nodes");
}
END_TEST

START_TEST(flags_are_read_in_every_spelling)
{
    write_zip("z", {"weights.txt", W2, 0}, {"tract_lengths.txt", L2, 0},
        {"cortical.txt", "1.0000e+00\nFalse\n", 0}, {"hemispheres.txt", "true 0", 0},
        {"areas.txt", "3\n4", 0});
    spl_connectome *c = load_file("z");
    ck_assert_int_eq(spl_connectome_cortical(c)[0], 1);
    ck_assert_int_eq(spl_connectome_cortical(c)[1], 0);
    ck_assert_int_eq(spl_connectome_hemispheres(c)[0], 1);
    ck_assert(spl_connectome_areas(c)[1] == 4.0);
    check_pair(c);
    write_zip("z", {"weights.txt", W2, 0}, {"tract_lengths.txt", L2, 0},
        {"cortical.txt", "1\n2\n", 0});
    refuse_file("z", SPL_ERR_CONNECTOME,
        "z: cortical.txt: row 2 column 1: 2 is neither 0 nor 1; write 0, 1, true or "
        "false");
}
END_TEST

START_TEST(orientation_and_units_are_applied)
{
    write_file("w", "0 1\n2 0\n");
    write_file("l", "0 0.01\n0.02 0\n");
    spl_connectome *c = load_with((spl_connectome_options){
        .weights = "w", .lengths = "l", .from_to = true, .lengths_in_metres = true});
    ck_assert(spl_connectome_weights(c)[1] == 2.0);
    ck_assert(spl_connectome_tract_lengths(c)[1] == 20.0);
    spl_connectome_free(c);
    write_file("w", "0 1\n-2 0\n");
    refuse_with((spl_connectome_options){.weights = "w", .lengths = "l", .from_to = true},
        SPL_ERR_CONNECTOME,
        "w: row 2 column 1: negative weight -2; set connectome.allow_negative: true if "
        "it is "
        "meant");
}
END_TEST

START_TEST(the_diagonal_follows_its_policy)
{
    const double w[] = {5, 1, 2, 0};
    spl_connectome *c = make_by(w, NULL, 2, NULL);
    ck_assert_uint_eq(describe(c).n_diagonal, 1);
    spl_connectome_free(c);
    c = make_by(w, NULL, 2,
        &(spl_connectome_options){
            .self_connections = SPL_SELF_DROP, .normalise = SPL_NORMALISE_TRACT});
    ck_assert_uint_eq(describe(c).n_diagonal, 0);
    ck_assert_uint_eq(describe(c).n_dropped_self, 1);
    ck_assert(spl_connectome_weights(c)[2] == 1.0);
    spl_connectome_free(c);
    refuse_by(w, NULL, 2, &(spl_connectome_options){.self_connections = SPL_SELF_ERROR},
        SPL_ERR_CONNECTOME,
        "weights: 1 nonzero weights on the diagonal; set connectome.self_connections to "
        "keep "
        "or drop");
}
END_TEST

START_TEST(signs_and_infinities_are_checked)
{
    const double negative[] = {0, -1, 2, 0};
    const double lengths[] = {0, 1, -3, 0};
    const double w[] = {0, 1, 2, 0};
    const double nan_lengths[] = {0, 1, NAN, 0};
    refuse_by(negative, NULL, 2, NULL, SPL_ERR_CONNECTOME,
        "weights: row 1 column 2: negative weight -1; set connectome.allow_negative: "
        "true if "
        "it is meant");
    refuse_by(w, lengths, 2, NULL, SPL_ERR_CONNECTOME,
        "tract_lengths: row 2 column 1: negative tract length -3; lengths are distances "
        "in mm, "
        "correct the file");
    refuse_by(w, nan_lengths, 2, NULL, SPL_ERR_FORMAT,
        "tract_lengths: row 2 column 1: nan is not a usable value; replace it (write 0 "
        "where "
        "there is no connection)");
    spl_connectome *c = make_by(negative, NULL, 2,
        &(spl_connectome_options){
            .allow_negative = true, .normalise = SPL_NORMALISE_SPECTRAL});
    /* eigenvalues of {0, -1; 2, 0}: +- i sqrt(2) */
    ck_assert(fabs(spl_connectome_weights(c)[2] - sqrt(2.0)) < 1e-12);
    ck_assert_uint_eq(describe(c).n_negative, 1);
    spl_connectome_free(c);
}
END_TEST

START_TEST(zero_lengths_follow_their_policy)
{
    const double w[] = {4, 1, 2, 0};
    const double lengths[] = {0, 1, 0, 0};
    spl_connectome *c = make_by(w, lengths, 2, NULL);
    ck_assert_str_eq(last_warning,
        "tract_lengths: 1 edges between different nodes have length 0: they act without "
        "delay");
    ck_assert_uint_eq(describe(c).n_zero_length, 2);
    ck_assert_uint_eq(describe(c).n_zero_length_off_diagonal, 1);
    spl_connectome_free(c);
    n_warnings = 0;
    spl_connectome_free(make_by(
        w, lengths, 2, &(spl_connectome_options){.zero_length = SPL_ZERO_LENGTH_ACCEPT}));
    ck_assert_uint_eq(n_warnings, 0);
    refuse_by(w, lengths, 2,
        &(spl_connectome_options){.zero_length = SPL_ZERO_LENGTH_ERROR},
        SPL_ERR_CONNECTOME,
        "tract_lengths: row 2 column 1: length 0 of an edge between two nodes; correct "
        "it or "
        "set connectome.zero_length to warn or accept");
}
END_TEST

START_TEST(triangles_follow_their_policy)
{
    const double w[] = {0, 1, 2, 0, 0, 3, 0, 0, 0};
    const double lengths[] = {0, 4, 5, 0, 0, 6, 0, 0, 0};
    refuse_by(w, lengths, 3, NULL, SPL_ERR_CONNECTOME,
        "weights: all weights below the diagonal are 0; set connectome.triangular to "
        "symmetrise or accept");
    spl_connectome *c = make_by(w, lengths, 3,
        &(spl_connectome_options){.triangular = SPL_TRIANGULAR_SYMMETRISE});
    ck_assert(spl_connectome_weights(c)[6] == 2.0);
    ck_assert(spl_connectome_tract_lengths(c)[7] == 6.0);
    spl_connectome_free(c);
    c = make_by(
        w, lengths, 3, &(spl_connectome_options){.triangular = SPL_TRIANGULAR_ACCEPT});
    ck_assert(spl_connectome_weights(c)[6] == 0.0);
    /* nilpotent: the power iteration cannot settle */
    ck_assert(describe(c).spectral_radius == 0.0);
    spl_connectome_free(c);
}
END_TEST

START_TEST(normalisations_divide_by_one_factor)
{
    const double w[] = {0, 4, 1, 0, 0, 2, 1, 1, 0};
    const struct {
        spl_normalise kind;
        double factor;
        const char *name, *factor_name;
    } cases[] = {{SPL_NORMALISE_NONE, 1.0, "none", ""},
        {SPL_NORMALISE_TRACT, 4.0, "tract", "largest weight"},
        {SPL_NORMALISE_REGION, 5.0, "region", "largest row sum"}};
    for (size_t i = 0; i < 3; i++) {
        spl_connectome *c =
            make_by(w, NULL, 3, &(spl_connectome_options){.normalise = cases[i].kind});
        for (size_t k = 0; k < 9; k++) {
            ck_assert(spl_connectome_weights(c)[k] == w[k] / cases[i].factor);
        }
        ck_assert_str_eq(describe(c).normalisation, cases[i].name);
        spl_connectome_free(c);
    }
    spl_connectome *c = make_by(
        w, NULL, 3, &(spl_connectome_options){.normalise = SPL_NORMALISE_SPECTRAL});
    ck_assert(fabs(describe(c).spectral_radius - 1.0) < 1e-10);
    spl_connectome_free(c);
    const double zero[9] = {0};
    refuse_by(zero, NULL, 3, &(spl_connectome_options){.normalise = SPL_NORMALISE_TRACT},
        SPL_ERR_CONNECTOME,
        "weights: the largest weight is 0, so the weights cannot be divided by it; use "
        "normalise: none");
    refuse_by(zero, NULL, 3,
        &(spl_connectome_options){.normalise = SPL_NORMALISE_SPECTRAL},
        SPL_ERR_CONNECTOME,
        "weights: the spectral radius is 0, so the weights cannot be divided by it; use "
        "normalise: none");
}
END_TEST

START_TEST(isolated_nodes_are_warned_about)
{
    const double w[] = {0, 4, 0, 1, 0, 0, 0, 0, 0};
    spl_connectome *c = make_by(w, NULL, 3, NULL);
    ck_assert_str_eq(last_warning, "weights: 1 of 3 nodes have no connection at all");
    ck_assert_uint_eq(describe(c).n_isolated, 1);
    ck_assert_uint_eq(describe(c).n_zero_rows, 1);
    spl_connectome_free(c);
}
END_TEST

START_TEST(delays_round_ties_to_even_in_two_divisions)
{
    const double w[] = {0, 1, 1, 1};
    /* 0.75 mm / 3 / 0.1 = 2.5 and 1.05 / 3 / 0.1 = 3.5 in exact arithmetic */
    const double lengths[] = {999, 0.75, 1.05, 3.0};
    spl_delay_info info;
    spl_connectome *c = make_by(w, lengths, 2, NULL);
    ck_assert_int_eq(spl_connectome_delays(c, 3.0, 0.1, &info), SPL_OK);
    ck_assert_uint_eq(info.min, (uint32_t)rint((0.75 / 3.0) / 0.1));
    ck_assert_uint_eq(info.min, 2);
    ck_assert_uint_eq(info.max, 10);
    ck_assert_uint_eq(info.max_all, 3330);
    ck_assert_uint_eq(info.n_distinct, 3);
    ck_assert_uint_eq(info.sum, 12 + (uint32_t)rint((1.05 / 3.0) / 0.1));
    ck_assert_int_eq(spl_connectome_delays(c, INFINITY, 0.1, &info), SPL_OK);
    ck_assert_uint_eq(info.max_all, 0);
    ck_assert_int_eq(spl_connectome_delays(c, 0.0, 0.1, &info), SPL_ERR_ARGUMENT);
    ck_assert_str_eq(spl_last_error(),
        "speed 0 mm/ms and dt 0.1 ms: both must be positive, and dt finite");
    ck_assert_int_eq(spl_connectome_delays(c, 1e-9, 0.1, &info), SPL_ERR_LIMIT);
    spl_connectome_free(c);
}
END_TEST

static const struct {
    const char *first, *second, *rule;
    int right;
} label_pairs[] = {
    {"V1_R", "V1_l", "derived: label suffix _r/_l", 0},
    {"RM-A_L", "RM-A_R", "derived: label suffix _r/_l", 1},
    {"rhV1", "LHV1", "derived: label prefix rh/lh", 0},
    {"Left-A", "Right-A", "derived: label prefix right/left", 1},
    {"r_a", "l_a", "derived: label prefix r_/l_", 0},
    {"lA1", "rA1", "derived: label prefix r/l", 1},
    {"A1l", "A1r", "derived: label suffix r/l", 1},
    {"rA", "rB", "unknown", -1},
    {"x", "y", "unknown", -1},
};

START_TEST(each_hemisphere_rule_applies)
{
    const double w[] = {0, 1, 2, 0};
    const char *const labels[] = {label_pairs[_i].first, label_pairs[_i].second};
    const spl_connectome_arrays arrays = {.n_nodes = 2, .weights = w, .labels = labels};
    spl_connectome *c = NULL;
    ck_assert_int_eq(spl_connectome_create(&c, &arrays, NULL), SPL_OK);
    ck_assert_str_eq(describe(c).hemisphere_rule, label_pairs[_i].rule);
    const int8_t *sides = spl_connectome_hemispheres(c);
    if (label_pairs[_i].right < 0) {
        ck_assert_ptr_null(sides);
    } else {
        ck_assert_int_eq(sides[label_pairs[_i].right], 1);
        ck_assert_int_eq(sides[1 - label_pairs[_i].right], 0);
    }
    spl_connectome_free(c);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("connectome_content");
    TCase *tcase = tcase_create("connectome_content");
    tcase_add_checked_fixture(tcase, fixtures_setup, fixtures_teardown);
    tcase_add_test(tcase, arrays_make_a_connectome);
    tcase_add_test(tcase, duplicate_labels_are_warned_about);
    tcase_add_test(tcase, missing_lengths_follow_their_policy);
    tcase_add_test(tcase, shapes_must_agree);
    tcase_add_test(tcase, flags_are_read_in_every_spelling);
    tcase_add_test(tcase, orientation_and_units_are_applied);
    tcase_add_test(tcase, the_diagonal_follows_its_policy);
    tcase_add_test(tcase, signs_and_infinities_are_checked);
    tcase_add_test(tcase, zero_lengths_follow_their_policy);
    tcase_add_test(tcase, triangles_follow_their_policy);
    tcase_add_test(tcase, normalisations_divide_by_one_factor);
    tcase_add_test(tcase, isolated_nodes_are_warned_about);
    tcase_add_test(tcase, delays_round_ties_to_even_in_two_divisions);
    tcase_add_loop_test(tcase, each_hemisphere_rule_applies, 0,
        (int)(sizeof label_pairs / sizeof *label_pairs));
    suite_add_tcase(suite, tcase);
    return suite;
}
