/* Connectomes of edges: each must be what the matrix of the same entries is. */
#include <math.h>

#include "fixtures.h"
#include "support/random.h"
#include "support/test_main.h"

enum { N = 37 };

/* The same network in both forms. */
typedef struct network {
    double weights[N * N], lengths[N * N]; /* dense */
    size_t start[N + 1];
    int32_t source[N * N];
    double w[N * N], l[N * N]; /* by entry */
    double centres[3 * N];
} network;

/* Fill the edges from the matrices: every pair with a weight or a length. */
static void list_edges(network *net)
{
    size_t k = 0;
    for (size_t i = 0; i < N; i++) {
        net->start[i] = k;
        for (size_t j = 0; j < N; j++) {
            if (net->weights[i * N + j] != 0.0 || net->lengths[i * N + j] != 0.0) {
                net->source[k] = (int32_t)j;
                net->w[k] = net->weights[i * N + j];
                net->l[k++] = net->lengths[i * N + j];
            }
        }
    }
    net->start[N] = k;
}

typedef enum { FULL, UPPER, LOWER } shape;

static void draw(network *net, shape triangle, uint64_t *state)
{
    memset(net, 0, sizeof *net);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            const bool drawn = (triangle != UPPER || j >= i) &&
                               (triangle != LOWER || j <= i) && i != 5 && j != 5;
            if (drawn && random_uniform(state, 0.0, 1.0) < 0.2) {
                net->weights[i * N + j] = random_uniform(state, 0.1, 2.0);
                net->lengths[i * N + j] = i == j || random_whole(state, 0, 9) == 0
                                              ? 0.0
                                              : random_uniform(state, 1.0, 90.0);
            }
        }
        for (size_t x = 0; x < 3; x++) {
            net->centres[3 * i + x] = random_uniform(state, -70.0, 70.0);
        }
    }
    list_edges(net);
}

static spl_edges edges_of(const network *net)
{
    return (spl_edges){.n_entries = net->start[N],
        .start = net->start,
        .source = net->source,
        .weights = net->w,
        .tract_lengths = net->l};
}

static void make_both(spl_connectome *both[2], const network *net, bool lengths,
    const spl_connectome_options *options)
{
    spl_connectome_arrays arrays = {.n_nodes = N, .centres = net->centres};
    spl_edges edges = edges_of(net);
    edges.tract_lengths = lengths ? net->l : NULL;
    spl_status status = spl_connectome_create_sparse(&both[1], &edges, &arrays, options);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    arrays.weights = net->weights;
    arrays.tract_lengths = lengths ? net->lengths : NULL;
    ck_assert_int_eq(spl_connectome_create(&both[0], &arrays, options), SPL_OK);
}

/* Every edge of the matrix is stored, with the same bits, and no other. */
static void check_edges(spl_connectome *both[2])
{
    spl_edges edges;
    const double *weights = spl_connectome_weights(both[0]);
    const double *lengths = spl_connectome_tract_lengths(both[0]);
    ck_assert_ptr_null(spl_connectome_weights(both[1]));
    ck_assert_ptr_null(spl_connectome_tract_lengths(both[1]));
    spl_connectome_edges(both[1], &edges);
    ck_assert_uint_eq(edges.start[N], edges.n_entries);
    for (size_t i = 0; i < N; i++) {
        size_t k = edges.start[i];
        for (size_t j = 0; j < N; j++) {
            const size_t at = i * N + j;
            const bool stored = k < edges.start[i + 1] && (size_t)edges.source[k] == j;
            ck_assert_mem_eq(stored ? &edges.weights[k] : &(double){0.0}, &weights[at],
                sizeof(double));
            if (weights[at] != 0.0) {
                ck_assert_mem_eq(&edges.tract_lengths[k], &lengths[at], sizeof(double));
            }
            k += stored;
        }
        ck_assert_uint_eq(k, edges.start[i + 1]);
        ck_assert_int_eq(spl_connectome_is_isolated(both[0], i),
            spl_connectome_is_isolated(both[1], i));
    }
    spl_connectome_edges(both[0], &edges);
    ck_assert_uint_eq(edges.n_entries, (size_t)N * N);
    ck_assert_ptr_null(edges.start);
    ck_assert_ptr_eq(edges.weights, weights);
}

static void check_description(spl_connectome *both[2], bool lengths)
{
    spl_connectome_info infos[2];
    spl_delay_info delays[2];
    for (int f = 0; f < 2; f++) {
        ck_assert_int_eq(spl_connectome_describe(both[f], true, &infos[f]), SPL_OK);
        ck_assert_int_eq(spl_connectome_delays(both[f], 3.0, 0.1, &delays[f]), SPL_OK);
        ck_assert_int_eq(infos[f].sparse, f);
    }
    /* what is meant to differ; the rest must be the same to the last bit */
    infos[1].sparse = false;
    infos[1].length_asymmetry = infos[0].length_asymmetry;
    ck_assert(isfinite(infos[0].spectral_radius));
    ck_assert_uint_eq(infos[0].n_edges, infos[1].n_edges);
    ck_assert(infos[0].weight_median == infos[1].weight_median);
    ck_assert(infos[0].weight_sum == infos[1].weight_sum);
    ck_assert(infos[0].asymmetry == infos[1].asymmetry);
    ck_assert(infos[0].spectral_radius == infos[1].spectral_radius);
    ck_assert(infos[0].max_row_sum == infos[1].max_row_sum);
    ck_assert(infos[0].length_median == infos[1].length_median);
    ck_assert_uint_eq(infos[0].n_isolated, infos[1].n_isolated);
    ck_assert_uint_eq(infos[0].n_zero_rows, infos[1].n_zero_rows);
    ck_assert_uint_eq(infos[0].n_zero_columns, infos[1].n_zero_columns);
    ck_assert_uint_eq(infos[0].n_diagonal, infos[1].n_diagonal);
    ck_assert_uint_eq(infos[0].n_dropped_self, infos[1].n_dropped_self);
    ck_assert_uint_eq(
        infos[0].n_zero_length_off_diagonal, infos[1].n_zero_length_off_diagonal);
    ck_assert(infos[0].shorter_than_straight == infos[1].shorter_than_straight ||
              isnan(infos[0].shorter_than_straight));
    ck_assert_uint_eq(delays[0].min, delays[1].min);
    ck_assert_uint_eq(delays[0].median, delays[1].median);
    ck_assert_uint_eq(delays[0].max, delays[1].max);
    ck_assert_uint_eq(delays[0].n_distinct, delays[1].n_distinct);
    ck_assert_uint_eq(delays[0].sum, delays[1].sum);
    if (lengths) {
        ck_assert_uint_eq(delays[0].max_all, delays[1].max_all);
    }
}

static void compare(const network *net, bool lengths, spl_connectome_options options)
{
    spl_connectome *both[2];
    make_both(both, net, lengths, &options);
    check_edges(both);
    check_description(both, lengths);
    spl_connectome_free(both[0]);
    spl_connectome_free(both[1]);
}

START_TEST(policies_do_the_same_to_both_forms)
{
    uint64_t state = random_seed("sparse");
    network *net = malloc(sizeof *net);
    for (int round = 0; round < 10; round++) {
        draw(net, FULL, &state);
        compare(net, true, (spl_connectome_options){0});
        compare(net, true, (spl_connectome_options){.from_to = true});
        compare(net, true, (spl_connectome_options){.lengths_in_metres = true});
        compare(net, true,
            (spl_connectome_options){
                .self_connections = SPL_SELF_DROP, .normalise = SPL_NORMALISE_SPECTRAL});
        compare(net, true, (spl_connectome_options){.normalise = SPL_NORMALISE_TRACT});
        compare(net, true, (spl_connectome_options){.normalise = SPL_NORMALISE_REGION});
        compare(net, false, (spl_connectome_options){0});
        compare(net, false,
            (spl_connectome_options){.missing_lengths = SPL_MISSING_LENGTHS_EUCLIDEAN});
        for (shape triangle = UPPER; triangle <= LOWER; triangle++) {
            draw(net, triangle, &state);
            compare(net, true,
                (spl_connectome_options){.triangular = SPL_TRIANGULAR_SYMMETRISE});
            compare(net, true,
                (spl_connectome_options){
                    .triangular = SPL_TRIANGULAR_SYMMETRISE, .from_to = true});
            compare(
                net, true, (spl_connectome_options){.triangular = SPL_TRIANGULAR_ACCEPT});
        }
    }
    free(net);
}
END_TEST

/* Lengths of pairs without weight, and full lengths beside one triangle of weights. */
START_TEST(lengths_without_weight_are_kept)
{
    uint64_t state = random_seed("sparse lengths");
    network *net = malloc(sizeof *net);
    draw(net, UPPER, &state);
    for (size_t k = 0; k < (size_t)N * N; k++) {
        net->lengths[k] = random_uniform(&state, 1.0, 90.0);
    }
    list_edges(net);
    ck_assert_uint_eq(net->start[N], (size_t)N * N);
    compare(net, true, (spl_connectome_options){.triangular = SPL_TRIANGULAR_ACCEPT});
    compare(net, true, (spl_connectome_options){.triangular = SPL_TRIANGULAR_SYMMETRISE});
    spl_connectome *both[2];
    spl_connectome_info infos[2];
    make_both(
        both, net, true, &(spl_connectome_options){.triangular = SPL_TRIANGULAR_ACCEPT});
    for (int f = 0; f < 2; f++) {
        ck_assert_int_eq(spl_connectome_describe(both[f], false, &infos[f]), SPL_OK);
    }
    ck_assert(infos[0].length_asymmetry > 0.0);
    ck_assert(infos[0].length_asymmetry == infos[1].length_asymmetry);
    spl_connectome_free(both[0]);
    spl_connectome_free(both[1]);
    free(net);
}
END_TEST

START_TEST(rows_may_be_in_any_order)
{
    const size_t start[] = {0, 3, 3, 5};
    const int32_t source[] = {2, 0, 1, 1, 0};
    const int32_t sorted[] = {0, 1, 2, 0, 1};
    const double weights[] = {3, 1, 2, 5, 4};
    const double lengths[] = {30, 10, 20, 50, 40};
    const spl_edges given = {5, start, source, weights, lengths};
    const spl_connectome_arrays arrays = {.n_nodes = 3};
    spl_connectome *c = NULL;
    spl_edges edges;
    ck_assert_int_eq(spl_connectome_create_sparse(&c, &given, &arrays, NULL), SPL_OK);
    spl_connectome_edges(c, &edges);
    for (size_t k = 0; k < 5; k++) {
        ck_assert_int_eq(edges.source[k], sorted[k]);
        ck_assert(edges.weights[k] == (double)k + 1.0);
        ck_assert(edges.tract_lengths[k] == 10.0 * (double)k + 10.0);
    }
    spl_connectome_free(c);
}
END_TEST

static void refuse(size_t start_2, int32_t source_1, double weight, double length,
    spl_status expected, const char *message)
{
    const size_t start[] = {0, 1, start_2, 3};
    const int32_t source[] = {1, source_1, 2};
    const double weights[] = {1, weight, 1};
    const double lengths[] = {1, length, 1};
    const spl_edges edges = {3, start, source, weights, lengths};
    const spl_connectome_arrays arrays = {.n_nodes = 3};
    spl_connectome *c = NULL;
    ck_assert_int_eq(spl_connectome_create_sparse(&c, &edges, &arrays, NULL), expected);
    ck_assert_str_eq(spl_last_error(), message);
    ck_assert_ptr_null(c);
}

START_TEST(wrong_edges_are_refused)
{
    refuse(0, 0, 1, 1, SPL_ERR_FORMAT,
        "weights: indptr[2] is 0 after 1; it must not fall, nor exceed 3; save the "
        "matrix "
        "again");
    refuse(4, 0, 1, 1, SPL_ERR_FORMAT,
        "weights: indptr[2] is 4 after 1; it must not fall, nor exceed 3; save the "
        "matrix "
        "again");
    refuse(2, 3, 1, 1, SPL_ERR_FORMAT,
        "weights: indices[1] is 3, outside 0 to 2; save the matrix again");
    refuse(2, -1, 1, 1, SPL_ERR_FORMAT,
        "weights: indices[1] is -1, outside 0 to 2; save the matrix again");
    refuse(3, 2, 1, 1, SPL_ERR_CONNECTOME,
        "weights: row 2 column 3 is stored twice; call sum_duplicates() or remove one");
    refuse(2, 0, NAN, 1, SPL_ERR_FORMAT,
        "weights: row 2 column 1: nan is not a usable value; replace it or remove the "
        "entry");
    refuse(2, 0, 1, INFINITY, SPL_ERR_FORMAT,
        "tract_lengths: row 2 column 1: inf is not a usable value; replace it or remove "
        "the entry");
    refuse(2, 0, 1, -1, SPL_ERR_CONNECTOME,
        "tract_lengths: row 2 column 1: negative tract length -1; lengths are distances "
        "in mm, correct the file");
    refuse(2, 0, -1, 1, SPL_ERR_CONNECTOME,
        "weights: row 2 column 1: negative weight -1; set connectome.allow_negative: "
        "true "
        "if it is meant");
}
END_TEST

START_TEST(wrong_arguments_are_refused)
{
    const size_t start[] = {1, 1};
    const int32_t source[] = {0};
    const double weights[] = {1};
    spl_edges edges = {1, start, source, weights, NULL};
    spl_connectome_arrays arrays = {.n_nodes = 1};
    spl_connectome *c = NULL;
    ck_assert_int_eq(
        spl_connectome_create_sparse(&c, &edges, &arrays, NULL), SPL_ERR_FORMAT);
    ck_assert_str_eq(spl_last_error(), "weights: indptr runs from 1 to 1, expected 0 to "
                                       "1, the number of stored entries; save the matrix "
                                       "again");
    arrays.weights = weights;
    ck_assert_int_eq(
        spl_connectome_create_sparse(&c, &edges, &arrays, NULL), SPL_ERR_ARGUMENT);
    arrays.weights = NULL;
    edges.source = NULL;
    ck_assert_int_eq(
        spl_connectome_create_sparse(&c, &edges, &arrays, NULL), SPL_ERR_ARGUMENT);
    arrays.n_nodes = ((size_t)1 << 24) + 1;
    edges.source = source;
    ck_assert_int_eq(
        spl_connectome_create_sparse(&c, &edges, &arrays, NULL), SPL_ERR_LIMIT);
    ck_assert_ptr_null(c);
}
END_TEST

/* Far more nodes than a matrix may have. */
START_TEST(a_ring_of_a_million_nodes)
{
    const size_t n = 1000000;
    size_t *start = calloc(n + 1, sizeof *start);
    int32_t *source = calloc(n, sizeof *source);
    double *values = calloc(n, sizeof *values);
    for (size_t i = 0; i < n; i++) {
        start[i + 1] = i + 1;
        source[i] = (int32_t)((i + 1) % n);
        values[i] = 1.0 + (double)(i % 3);
    }
    const spl_edges edges = {n, start, source, values, values};
    const spl_connectome_arrays arrays = {.n_nodes = n};
    spl_connectome *c = NULL;
    spl_connectome_info info;
    ck_assert_int_eq(spl_connectome_create_sparse(&c, &edges, &arrays, NULL), SPL_OK);
    ck_assert_int_eq(spl_connectome_describe(c, false, &info), SPL_OK);
    ck_assert_uint_eq(info.n_edges, n);
    ck_assert(info.weight_median == 2.0);
    ck_assert_str_eq(spl_connectome_label(c, n - 1), "999999");
    spl_connectome_free(c);
    free(start);
    free(source);
    free(values);
}
END_TEST

/* A chain has only the eigenvalue 0, which power iteration creeps up to, and is too large
 * for LAPACK. */
START_TEST(a_radius_that_is_not_found)
{
    enum { LONG = 5000 };
    size_t start[LONG + 1] = {0};
    int32_t source[LONG];
    double ones[LONG];
    for (size_t i = 0; i < LONG; i++) {
        start[i + 1] = i;
        source[i] = (int32_t)i;
        ones[i] = 1.0;
    }
    const spl_edges edges = {LONG - 1, start, source, ones, ones};
    const spl_connectome_arrays arrays = {.n_nodes = LONG};
    spl_connectome_options options = {.triangular = SPL_TRIANGULAR_ACCEPT};
    spl_connectome *c = NULL;
    spl_connectome_info info;
    ck_assert_int_eq(spl_connectome_create_sparse(&c, &edges, &arrays, &options), SPL_OK);
    ck_assert_int_eq(spl_connectome_describe(c, true, &info), SPL_OK);
    ck_assert(isnan(info.spectral_radius));
    spl_connectome_free(c);
    options.normalise = SPL_NORMALISE_SPECTRAL;
    ck_assert_int_eq(
        spl_connectome_create_sparse(&c, &edges, &arrays, &options), SPL_ERR_CONNECTOME);
    ck_assert_str_eq(spl_last_error(), "the spectral radius of these 5000 nodes is not "
                                       "found by power iteration; use another "
                                       "normalisation");
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("connectome_sparse");
    TCase *tcase = tcase_create("sparse");
    TCase *lengthy = test_long_cases(suite);
    tcase_add_checked_fixture(tcase, fixtures_setup, fixtures_teardown);
    tcase_add_checked_fixture(lengthy, fixtures_setup, fixtures_teardown);
    tcase_add_test(lengthy, policies_do_the_same_to_both_forms);
    tcase_add_test(tcase, lengths_without_weight_are_kept);
    tcase_add_test(tcase, rows_may_be_in_any_order);
    tcase_add_test(tcase, wrong_edges_are_refused);
    tcase_add_test(tcase, wrong_arguments_are_refused);
    tcase_add_test(lengthy, a_ring_of_a_million_nodes);
    tcase_add_test(lengthy, a_radius_that_is_not_found);
    suite_add_tcase(suite, tcase);
    return suite;
}
