/* Connection rules: exact degrees and counts, distributions where they are random, what
 * is refused. Everything is drawn from fixed seeds: bounds of five standard deviations
 * either hold or do not. */
#include <stdint.h>
#include <string.h>

#include "spiking/selection.h"
#include "unit/spiking/projection.h"

static size_t in_degree(const uint32_t *matrix, const synapses *s, size_t target)
{
    size_t n = 0;
    for (size_t source = 0; source < s->n_from; source++) {
        n += matrix[source * s->n_to + target];
    }
    return n;
}

static void assert_no_autapses(const uint32_t *matrix, size_t n)
{
    size_t n_autapses = 0;
    for (size_t i = 0; i < n; i++) {
        n_autapses += matrix[i * n + i];
    }
    ck_assert_uint_eq(n_autapses, 0);
}

static void assert_no_multapses(const uint32_t *matrix, size_t n_pairs)
{
    uint32_t most = 0;
    for (size_t i = 0; i < n_pairs; i++) {
        most = matrix[i] > most ? matrix[i] : most;
    }
    ck_assert_uint_le(most, 1);
}

/* sum (observed - expected)^2 / expected, within five standard deviations of its mean. */
static void assert_uniform(const uint32_t *counts, size_t n, double expected)
{
    double chi2 = 0.0;
    for (size_t i = 0; i < n; i++) {
        chi2 += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    const double degrees = (double)n - 1.0;
    ck_assert_double_lt(fabs(chi2 - degrees), 5.0 * sqrt(2.0 * degrees));
}

START_TEST(all_to_all_is_every_pair_once)
{
    for (int way = 0; way < 4; way++) {
        const bool own = way & 1;
        projection p;
        projection_init(&p, SPL_CONNECT_ALL_TO_ALL, 37, way & 2 ? 0 : 53);
        p.projection.allow_autapses = own;
        for (int drawn = 0; drawn < 2; drawn++) { /* both layouts */
            p.projection.weight = drawn ? DRAW_BETWEEN(0.0, 1.0) : DRAW_CONSTANT(0.1);
            synapses s = projection_synapses(&p);
            uint32_t *matrix = synapses_matrix(&s);
            size_t n_wrong = 0;
            for (size_t i = 0; i < s.n_from; i++) {
                for (size_t j = 0; j < s.n_to; j++) {
                    const bool autapse = way & 2 && i == j;
                    n_wrong += matrix[i * s.n_to + j] != (autapse && !own ? 0 : 1);
                }
            }
            ck_assert_uint_eq(n_wrong, 0);
            free(matrix);
            synapses_deinit(&s);
        }
    }
}
END_TEST

START_TEST(one_to_one_is_the_diagonal)
{
    projection p;
    projection_init(&p, SPL_CONNECT_ONE_TO_ONE, 40, 40);
    synapses s = projection_synapses(&p);
    ck_assert_uint_eq(s.n, 40);
    for (size_t i = 0; i < 40; i++) {
        ck_assert_uint_eq(out_degree(&s, i), 1);
        ck_assert_uint_eq(s.all[i].target, i);
    }
    synapses_deinit(&s);
    projection_init(&p, SPL_CONNECT_ONE_TO_ONE, 40, 0);
    p.projection.allow_autapses = false;
    s = projection_synapses(&p);
    ck_assert_uint_eq(s.n, 0);
    synapses_deinit(&s);
}
END_TEST

/* Both degree rules, with and without autapses and multapses, from one to all of the
 * available. */
START_TEST(degrees_are_exact)
{
    static const uint64_t degrees[] = {0, 1, 7, 30, 31, 60, 61};
    const bool in = _i & 1;
    const bool autapses = _i & 2;
    const bool multapses = _i & 4;
    for (size_t d = 0; d < sizeof degrees / sizeof *degrees; d++) {
        projection p;
        projection_init(
            &p, in ? SPL_CONNECT_FIXED_INDEGREE : SPL_CONNECT_FIXED_OUTDEGREE, 62, 0);
        p.projection.number = degrees[d];
        p.projection.allow_autapses = autapses;
        p.projection.allow_multapses = multapses;
        synapses s = projection_synapses(&p);
        uint32_t *matrix = synapses_matrix(&s);
        ck_assert_uint_eq(s.n, 62 * degrees[d]);
        size_t n_wrong = 0;
        for (size_t i = 0; i < 62; i++) {
            const size_t degree = in ? in_degree(matrix, &s, i) : out_degree(&s, i);
            n_wrong += degree != degrees[d];
        }
        ck_assert_uint_eq(n_wrong, 0);
        if (!autapses) {
            assert_no_autapses(matrix, 62);
        }
        if (!multapses) {
            assert_no_multapses(matrix, 62 * 62);
        }
        free(matrix);
        synapses_deinit(&s);
    }
}
END_TEST

/* Every pair is as likely as any other, below and above half of the available. */
START_TEST(degrees_choose_uniformly)
{
    const bool multapses = _i & 1;
    const uint64_t degree = _i & 2 ? 15 : 5;
    uint32_t counts[20 * 20] = {0};
    for (uint64_t seed = 1; seed <= 400; seed++) {
        projection p;
        projection_init(
            &p, _i & 4 ? SPL_CONNECT_FIXED_INDEGREE : SPL_CONNECT_FIXED_OUTDEGREE, 20, 0);
        p.run.seed = seed;
        p.projection.number = degree;
        p.projection.allow_multapses = multapses;
        synapses s = projection_synapses(&p);
        uint32_t *matrix = synapses_matrix(&s);
        for (size_t i = 0; i < 20 * 20; i++) {
            counts[i] += matrix[i];
        }
        free(matrix);
        synapses_deinit(&s);
    }
    const double expected = 400.0 * (double)degree / 20.0;
    /* distinct draws vary less than independent ones, by the part that is left out */
    double chi2 = 0.0;
    for (size_t i = 0; i < 400; i++) {
        chi2 += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    chi2 /= multapses ? 1.0 : 1.0 - (double)degree / 20.0;
    ck_assert_double_lt(fabs(chi2 - 380.0), 5.0 * sqrt(2.0 * 380.0));
}
END_TEST

START_TEST(bernoulli_has_its_probability)
{
    static const double ps[] = {0.0, 0.001, 0.1, 0.5, 0.9, 1.0};
    for (size_t i = 0; i < sizeof ps / sizeof *ps; i++) {
        projection p;
        projection_init(&p, SPL_CONNECT_PAIRWISE_BERNOULLI, 300, 0);
        p.projection.p = ps[i];
        p.projection.allow_autapses = _i & 1;
        if (_i & 2) {
            p.projection.weight = DRAW_BETWEEN(0.5, 1.0);
        }
        synapses s = projection_synapses(&p);
        uint32_t *matrix = synapses_matrix(&s);
        const double pairs = 300.0 * (_i & 1 ? 300.0 : 299.0);
        const double sd = sqrt(pairs * ps[i] * (1.0 - ps[i]));
        ck_assert_double_le(fabs((double)s.n - pairs * ps[i]), 5.0 * sd);
        assert_no_multapses(matrix, 300 * 300);
        if (!(_i & 1)) {
            assert_no_autapses(matrix, 300);
        }
        free(matrix);
        synapses_deinit(&s);
    }
}
END_TEST

START_TEST(bernoulli_degrees_are_binomial)
{
    projection p;
    projection_init(&p, SPL_CONNECT_PAIRWISE_BERNOULLI, 2000, 0);
    p.projection.p = 0.05;
    synapses s = projection_synapses(&p);
    uint32_t *matrix = synapses_matrix(&s);
    double in = 0.0;
    double out = 0.0;
    const double variance = 2000.0 * 0.05 * 0.95;
    for (size_t i = 0; i < 2000; i++) {
        in += pow((double)in_degree(matrix, &s, i) - 100.0, 2.0) / variance;
        out += pow((double)out_degree(&s, i) - 100.0, 2.0) / variance;
    }
    ck_assert_double_lt(fabs(in - 2000.0), 5.0 * sqrt(2.0 * 2000.0));
    ck_assert_double_lt(fabs(out - 2000.0), 5.0 * sqrt(2.0 * 2000.0));
    free(matrix);
    synapses_deinit(&s);
}
END_TEST

START_TEST(total_number_is_exact)
{
    static const uint64_t totals[] = {0, 1, 100, 2000, 3540};
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        projection p;
        projection_init(&p, SPL_CONNECT_FIXED_TOTAL_NUMBER, 60, 0);
        p.projection.number = totals[i];
        p.projection.allow_autapses = _i & 1;
        p.projection.allow_multapses = _i & 2;
        synapses s = projection_synapses(&p);
        uint32_t *matrix = synapses_matrix(&s);
        ck_assert_uint_eq(s.n, totals[i]);
        if (!(_i & 1)) {
            assert_no_autapses(matrix, 60);
        }
        if (!(_i & 2)) {
            assert_no_multapses(matrix, 60 * 60);
        }
        free(matrix);
        synapses_deinit(&s);
    }
}
END_TEST

START_TEST(total_number_with_replacement_is_multinomial)
{
    projection p;
    projection_init(&p, SPL_CONNECT_FIXED_TOTAL_NUMBER, 50, 70);
    p.projection.number = 35000;
    synapses s = projection_synapses(&p);
    uint32_t *matrix = synapses_matrix(&s);
    uint32_t in[70];
    for (size_t i = 0; i < 70; i++) {
        in[i] = (uint32_t)in_degree(matrix, &s, i);
    }
    assert_uniform(in, 70, 500.0);
    assert_uniform(matrix, 50 * 70, 10.0);
    free(matrix);
    synapses_deinit(&s);
}
END_TEST

static const spl_draw_kernels *best_kernels(void)
{
    spl_target target;
    ck_assert_int_eq(spl_target_choose(&target), SPL_OK);
    return spl_draw_kernels_of(target);
}

/* How often each of the subsets, or with repetition each of the sequences, is chosen. */
static void count_selections(
    size_t n, size_t N, bool repeat, size_t times, uint32_t *counts)
{
    size_t n_wrong = 0;
    for (uint32_t row = 0; row < times; row++) {
        spl_selection selection;
        size_t code = 0;
        uint64_t last = 0;
        spl_selection_start(
            &selection, best_kernels(), (spl_draw_key){1, 0, row}, n, N, repeat);
        for (size_t i = 0; i < n; i++) {
            const uint64_t chosen = spl_selection_next(&selection);
            const bool ascends = i == 0 || (repeat ? chosen >= last : chosen > last);
            n_wrong += chosen >= N || !ascends;
            last = chosen;
            code = code * N + (size_t)chosen;
        }
        counts[code]++;
    }
    ck_assert_uint_eq(n_wrong, 0);
}

/* Three of eight take method A, two of forty method D of Vitter. */
START_TEST(subsets_are_equally_likely)
{
    const size_t n = _i == 0 ? 3 : 2;
    const size_t N = _i == 0 ? 8 : 40;
    const size_t n_subsets = _i == 0 ? 56 : 780;
    static uint32_t counts[1600];
    static uint32_t subsets[1600];
    memset(counts, 0, sizeof counts);
    count_selections(n, N, false, 100 * n_subsets, counts);
    size_t found = 0;
    for (size_t code = 0; code < 1600; code++) {
        if (counts[code] > 0) {
            subsets[found++] = counts[code];
        }
    }
    ck_assert_uint_eq(found, n_subsets);
    assert_uniform(subsets, n_subsets, 100.0);
}
END_TEST

/* Each of 7 chosen of 1000 has the mean of order statistics of distinct numbers,
 * k (N + 1) / (n + 1) - 1. */
START_TEST(long_skips_have_their_mean)
{
    double sums[7] = {0};
    for (uint32_t row = 0; row < 20000; row++) {
        spl_selection selection;
        spl_selection_start(
            &selection, best_kernels(), (spl_draw_key){3, 0, row}, 7, 1000, false);
        for (size_t i = 0; i < 7; i++) {
            sums[i] += (double)spl_selection_next(&selection);
        }
    }
    for (size_t i = 0; i < 7; i++) {
        const double k = (double)i + 1.0;
        const double sd = sqrt(k * (8.0 - k) * 1001.0 * 993.0 / (64.0 * 9.0) / 20000.0);
        ck_assert_double_lt(fabs(sums[i] / 20000.0 - (k * 1001.0 / 8.0 - 1.0)), 5.0 * sd);
    }
}
END_TEST

/* Three draws of five: each sorted sequence as often as its permutations. */
START_TEST(repeated_selection_is_sorted_draws)
{
    uint32_t counts[125] = {0};
    double chi2 = 0.0;
    count_selections(3, 5, true, 12500, counts);
    for (size_t code = 0; code < 125; code++) {
        const size_t a = code / 25;
        const size_t b = code / 5 % 5;
        const size_t c = code % 5;
        const bool sorted = a <= b && b <= c;
        const double ways = a == b && b == c ? 1.0 : a == b || b == c ? 3.0 : 6.0;
        ck_assert(sorted || counts[code] == 0);
        if (sorted) {
            chi2 += pow(counts[code] - 100.0 * ways, 2.0) / (100.0 * ways);
        }
    }
    ck_assert_double_lt(fabs(chi2 - 34.0), 5.0 * sqrt(2.0 * 34.0));
}
END_TEST

START_TEST(list_is_taken_as_it_is)
{
    uint32_t source[] = {3, 0, 3, 3, 1};
    uint32_t target[] = {4, 2, 1, 4, 0};
    double weight[] = {1.0, 2.0, 3.0, 4.0, 5.0};
    double delay[] = {0.3, 0.1, 0.3, 0.2, 30.0};
    static const spl_synapse expected[] = {
        {2, 1, 2.0}, {0, 300, 5.0}, {4, 2, 4.0}, {1, 3, 3.0}, {4, 3, 1.0}};
    projection p;
    projection_init(&p, SPL_CONNECT_LIST, 4, 5);
    p.projection.list = (spl_synapse_list){
        .n = 5, .source = source, .target = target, .weight = weight, .delay = delay};
    synapses s = projection_synapses(&p);
    ck_assert_uint_eq(s.n, 5);
    ck_assert_uint_eq(out_degree(&s, 0), 1);
    ck_assert_uint_eq(out_degree(&s, 1), 1);
    ck_assert_uint_eq(out_degree(&s, 3), 3);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(s.all[i].target, expected[i].target);
        ck_assert_uint_eq(s.all[i].delay, expected[i].delay);
        ck_assert_double_eq(s.all[i].weight, expected[i].weight);
    }
    synapses_deinit(&s);
    /* without weights and delays of its own, duplicates stay in their order */
    p.projection.list.weight = NULL;
    p.projection.list.delay = NULL;
    p.projection.weight = DRAW_BETWEEN(0.0, 1.0);
    s = projection_synapses(&p);
    ck_assert_uint_eq(s.n, 5);
    ck_assert_uint_eq(s.all[3].target, 4);
    ck_assert_uint_eq(s.all[4].target, 4);
    ck_assert_double_ne(s.all[3].weight, s.all[4].weight);
    synapses_deinit(&s);
}
END_TEST

static void assert_refused(const projection *p, spl_status status, const char *why)
{
    spl_rows *rows = NULL;
    ck_assert_int_eq(spl_rows_create(&rows, &p->spec, 0, &p->run), status);
    ck_assert_ptr_null(rows);
    ck_assert_msg(strstr(spl_last_error(), why) != NULL, "%s", spl_last_error());
    ck_assert_msg(
        strstr(spl_last_error(), p->projection.name) != NULL, "%s", spl_last_error());
}

START_TEST(impossible_rules_are_refused)
{
    uint32_t source[] = {0, 4};
    uint32_t target[] = {0, 0};
    projection p;
    projection_init(&p, SPL_CONNECT_ONE_TO_ONE, 4, 5);
    assert_refused(&p, SPL_ERR_CONFIG, "one_to_one");
    projection_init(&p, SPL_CONNECT_PAIRWISE_BERNOULLI, 4, 5);
    p.projection.p = 1.5;
    assert_refused(&p, SPL_ERR_CONFIG, "p = 1.5");
    p.projection.p = NAN;
    assert_refused(&p, SPL_ERR_CONFIG, "probability");
    projection_init(&p, SPL_CONNECT_FIXED_INDEGREE, 10, 0);
    p.projection.allow_multapses = false;
    p.projection.allow_autapses = false;
    p.projection.number = 10;
    assert_refused(&p, SPL_ERR_CONFIG, "10 distinct sources of 9");
    p.projection.rule = SPL_CONNECT_FIXED_OUTDEGREE;
    assert_refused(&p, SPL_ERR_CONFIG, "10 distinct targets of 9");
    p.projection.rule = SPL_CONNECT_FIXED_TOTAL_NUMBER;
    p.projection.number = 91;
    assert_refused(&p, SPL_ERR_CONFIG, "91 synapses on 90");
    projection_init(&p, SPL_CONNECT_FIXED_INDEGREE, 1, 0);
    p.projection.allow_autapses = false;
    p.projection.number = 1;
    assert_refused(&p, SPL_ERR_CONFIG, "no source");
    projection_init(&p, SPL_CONNECT_LIST, 4, 5);
    p.projection.list = (spl_synapse_list){.n = 2, .source = source, .target = target};
    assert_refused(&p, SPL_ERR_CONFIG, "source 4 of synapse 1");
    source[1] = 3;
    target[1] = 5;
    assert_refused(&p, SPL_ERR_CONFIG, "target 5 of synapse 1");
}
END_TEST

START_TEST(impossible_values_are_refused)
{
    projection p;
    projection_init(&p, SPL_CONNECT_ALL_TO_ALL, 20, 20);
    p.projection.weight = DRAW_CONSTANT(-1.0);
    assert_refused(&p, SPL_ERR_CONFIG, "weight -1 of a conductance");
    p.projection.weight = DRAW_BETWEEN(-1.0, 1.0);
    assert_refused(&p, SPL_ERR_CONFIG, "low: 0");
    p.projection.weight.low = 0.0;
    spl_rows_free(projection_rows(&p));
    p.projection.weight.low = -INFINITY;
    p.populations[1].receptors[0].effect = SPL_RECEPTOR_CURRENT;
    spl_rows_free(projection_rows(&p));
    p.populations[1].receptors[0].effect = SPL_RECEPTOR_CONDUCTANCE;
    p.populations[1].receptors[0].kernel = SPL_KERNEL_DELTA;
    spl_rows_free(projection_rows(&p));
    p.projection.weight = DRAW_CONSTANT(NAN);
    assert_refused(&p, SPL_ERR_CONFIG, "finite");
    p.projection.weight = DRAW_CONSTANT(1e300);
    if (p.spec.single) {
        assert_refused(&p, SPL_ERR_CONFIG, "float32");
    } else {
        spl_rows_free(projection_rows(&p));
    }
    p.projection.weight = DRAW_CONSTANT(1.0);
    p.projection.delay = DRAW_CONSTANT(6553.6);
    assert_refused(&p, SPL_ERR_CONFIG, "65535");
    p.projection.delay = DRAW_CONSTANT(NAN);
    assert_refused(&p, SPL_ERR_CONFIG, "delay");
    p.projection.delay = (spl_draw){.kind = SPL_DRAW_GIVEN};
    assert_refused(&p, SPL_ERR_CONFIG, "list");
}
END_TEST

START_TEST(too_much_is_refused_before_it_is_taken)
{
    projection p;
    projection_init(&p, SPL_CONNECT_FIXED_INDEGREE, 4000000000u, 4000000000u);
    p.projection.number = UINT32_MAX;
    ck_assert_uint_eq(spl_rows_predict_bytes(&p.spec, 0, &p.run), UINT64_MAX);
    assert_refused(&p, SPL_ERR_LIMIT, "cannot be counted");
    p.projection.number = 1000;
    assert_refused(&p, SPL_ERR_NO_MEMORY, "memory");
    p.projection.number = (uint64_t)UINT32_MAX + 1;
    assert_refused(&p, SPL_ERR_LIMIT, "degree");
    p.projection.rule = SPL_CONNECT_FIXED_TOTAL_NUMBER;
    assert_refused(&p, SPL_ERR_LIMIT, "pairs");
    projection_init(&p, SPL_CONNECT_ALL_TO_ALL, (size_t)UINT32_MAX + 1, 1);
    assert_refused(&p, SPL_ERR_LIMIT, "populations");
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("spiking_connect");
    TCase *rules = tcase_create("rules");
    tcase_add_test(rules, all_to_all_is_every_pair_once);
    tcase_add_test(rules, one_to_one_is_the_diagonal);
    tcase_add_loop_test(rules, degrees_are_exact, 0, 8);
    tcase_add_loop_test(rules, degrees_choose_uniformly, 0, 8);
    tcase_add_loop_test(rules, bernoulli_has_its_probability, 0, 4);
    tcase_add_test(rules, bernoulli_degrees_are_binomial);
    tcase_add_loop_test(rules, total_number_is_exact, 0, 4);
    tcase_add_test(rules, total_number_with_replacement_is_multinomial);
    tcase_add_test(rules, list_is_taken_as_it_is);
    suite_add_tcase(suite, rules);
    TCase *selection = tcase_create("selection");
    tcase_add_loop_test(selection, subsets_are_equally_likely, 0, 2);
    tcase_add_test(selection, long_skips_have_their_mean);
    tcase_add_test(selection, repeated_selection_is_sorted_draws);
    suite_add_tcase(suite, selection);
    TCase *refusals = tcase_create("refusals");
    tcase_add_test(refusals, impossible_rules_are_refused);
    tcase_add_test(refusals, impossible_values_are_refused);
    tcase_add_test(refusals, too_much_is_refused_before_it_is_taken);
    suite_add_tcase(suite, refusals);
    return suite;
}
