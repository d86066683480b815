/* Weights divided by in-degrees, for every rule: the synapses are those without division,
 * each with its weight by the number of synapses on its target. */
#include "unit/spiking/projection.h"

enum { N_RULES = SPL_CONNECT_LIST + 1, N_FROM = 60, N_TO = 140 };

/* Targets of the list: several synapses of one pair, targets without any. */
static uint32_t sources[] = {3, 3, 3, 7, 59, 0};
static uint32_t targets[] = {5, 5, 9, 5, 139, 0};
enum { N_LIST = sizeof sources / sizeof *sources };

/* `own` weights are drawn. */
static void init_rule(projection *p, spl_connect_rule rule, bool own, bool within)
{
    const size_t n_from = rule == SPL_CONNECT_ONE_TO_ONE ? N_TO : N_FROM;
    projection_init(p, rule, within ? N_TO : n_from, within ? 0 : N_TO);
    p->projection.number = rule == SPL_CONNECT_FIXED_TOTAL_NUMBER ? 900 : 20;
    p->projection.p = 0.3;
    p->projection.allow_autapses = !within;
    if (own) {
        p->projection.weight = DRAW_BETWEEN(0.5, 2.0);
    }
    if (rule == SPL_CONNECT_LIST) {
        p->projection.list =
            (spl_synapse_list){.n = N_LIST, .source = sources, .target = targets};
    }
}

static uint32_t *indegrees(const synapses *s)
{
    uint32_t *degree = calloc(N_TO, sizeof *degree);
    for (size_t i = 0; i < s->n; i++) {
        degree[s->all[i].target]++;
    }
    return degree;
}

/* The same synapses with weights of double precision divided here, then rounded. */
static size_t count_wrong(const projection *p, const synapses *divided)
{
    projection exact = *p;
    exact.spec.populations = exact.populations;
    exact.spec.projections = &exact.projection;
    exact.spec.single = false;
    exact.projection.by_indegree = false;
    synapses s = projection_synapses(&exact);
    uint32_t *degree = indegrees(&s);
    size_t n_wrong = 0;
    ck_assert_uint_eq(s.n, divided->n);
    for (size_t i = 0; i < s.n; i++) {
        const double weight = s.all[i].weight / degree[s.all[i].target];
        const double expected = p->spec.single ? (double)(float)weight : weight;
        n_wrong += divided->all[i].target != s.all[i].target ||
                   divided->all[i].delay != s.all[i].delay ||
                   divided->all[i].weight != expected;
    }
    free(degree);
    synapses_deinit(&s);
    return n_wrong;
}

START_TEST(weights_are_divided_by_the_indegree_of_their_target)
{
    for (int way = 0; way < 8; way++) {
        projection p;
        const bool within = way & 2;
        init_rule(&p, (spl_connect_rule)_i, way & 1, within);
        p.projection.by_indegree = true;
        p.projection.allow_multapses = !(way & 4);
        synapses s = projection_synapses(&p);
        /* one_to_one within a population has nothing but autapses */
        const bool none = within && _i == SPL_CONNECT_ONE_TO_ONE;
        ck_assert_uint_eq(s.n == 0, none);
        ck_assert_uint_eq(count_wrong(&p, &s), 0);
        synapses_deinit(&s);
    }
}
END_TEST

/* A constant weight is the sum of all on a target. */
START_TEST(every_target_has_the_same_sum)
{
    projection p;
    double sum[N_TO] = {0};
    size_t n_wrong = 0;
    init_rule(&p, (spl_connect_rule)_i, false, false);
    p.projection.by_indegree = true;
    synapses s = projection_synapses(&p);
    uint32_t *degree = indegrees(&s);
    for (size_t i = 0; i < s.n; i++) {
        sum[s.all[i].target] += s.all[i].weight;
    }
    for (size_t t = 0; t < N_TO; t++) {
        n_wrong += fabs(sum[t] - (degree[t] > 0 ? 0.1 : 0.0)) > 1e-7;
    }
    ck_assert_uint_eq(n_wrong, 0);
    free(degree);
    synapses_deinit(&s);
}
END_TEST

/* Where the rule draws no in-degree a weight stays one number of the projection. */
START_TEST(equal_indegrees_cost_no_memory)
{
    static const spl_connect_rule rules[] = {
        SPL_CONNECT_ALL_TO_ALL, SPL_CONNECT_ONE_TO_ONE, SPL_CONNECT_FIXED_INDEGREE};
    projection p;
    init_rule(&p, rules[_i], false, false);
    spl_rows *rows = projection_rows(&p);
    p.projection.by_indegree = true;
    spl_rows *divided = projection_rows(&p);
    ck_assert_uint_eq(spl_rows_bytes(rows), spl_rows_bytes(divided));
    const double predicted = (double)spl_rows_predict_bytes(&p.spec, 0, &p.run);
    ck_assert_double_le(
        fabs(predicted - (double)spl_rows_bytes(divided)), 512.0); /* alignment */
    spl_rows_free(rows);
    spl_rows_free(divided);
}
END_TEST

enum { SUBSTEPS = 20, SLOTS = 16, STRIDE = 192 };

/* What some spikes leave in the ring. */
static void deliver(const spl_rows *rows, spl_target target, spl_real *ring)
{
    memset(ring, 0, SLOTS * STRIDE * sizeof *ring);
    for (uint64_t s = 0; s < SUBSTEPS; s++) {
        const uint32_t spikes[] = {
            (uint32_t)s, (uint32_t)(s + 11), (uint32_t)(2 * s + 20), 59};
        spl_delivery_kernels_of(target)->deliver(
            rows, 0, spikes, 4, s, ring, SLOTS, STRIDE);
    }
}

/* A distribution of one delay makes rows sparse that would be dense. */
START_TEST(dense_and_sparse_rows_give_the_same_bits)
{
    static spl_real ring[2][SLOTS * STRIDE];
    projection p;
    init_rule(&p, SPL_CONNECT_PAIRWISE_BERNOULLI, _i == 1, false);
    p.projection.p = 0.7;
    p.projection.by_indegree = true;
    for (spl_target target = 0; target < SPL_N_TARGETS; target++) {
        if (!spl_target_available(target)) {
            continue;
        }
        p.projection.delay = DRAW_CONSTANT(1.5);
        spl_rows *dense = projection_rows(&p);
        p.projection.delay = DRAW_BETWEEN(1.5, 1.5);
        spl_rows *sparse = projection_rows(&p);
        ck_assert_uint_ne(spl_rows_bytes(dense), spl_rows_bytes(sparse));
        ck_assert_uint_eq(spl_rows_n_synapses(dense), spl_rows_n_synapses(sparse));
        deliver(dense, target, ring[0]);
        deliver(sparse, target, ring[1]);
        ck_assert_mem_eq(ring[0], ring[1], sizeof ring[0]);
        spl_rows_free(dense);
        spl_rows_free(sparse);
    }
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("spiking_indegree");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(
        all, weights_are_divided_by_the_indegree_of_their_target, 0, N_RULES);
    tcase_add_loop_test(all, every_target_has_the_same_sum, 0, N_RULES);
    tcase_add_loop_test(all, equal_indegrees_cost_no_memory, 0, 3);
    tcase_add_loop_test(all, dense_and_sparse_rows_give_the_same_bits, 0, 2);
    suite_add_tcase(suite, all);
    return suite;
}
