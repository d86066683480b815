/* Rows and delivery along them: the same bits for every partition, target and order of
 * making, and as the list of synapses says. */
#include <stdint.h>
#include <stdio.h>

#include "spiking/rows.h"
#include "spiking/selection.h"
#include "support/random.h"
#include "unit/spiking/projection.h"

enum { N_KINDS = 15, N_FROM = 90, N_TO = 210 };

/* All layouts of rows: sparse with and without own weights and delays of one byte and
 * two, dense, and every pair alike; the last three divided by in-degrees. */
static void init_kind(projection *p, int kind)
{
    static const spl_connect_rule rules[N_KINDS] = {SPL_CONNECT_FIXED_INDEGREE,
        SPL_CONNECT_FIXED_INDEGREE, SPL_CONNECT_FIXED_INDEGREE,
        SPL_CONNECT_FIXED_INDEGREE, SPL_CONNECT_FIXED_OUTDEGREE,
        SPL_CONNECT_FIXED_OUTDEGREE, SPL_CONNECT_FIXED_TOTAL_NUMBER,
        SPL_CONNECT_PAIRWISE_BERNOULLI, SPL_CONNECT_PAIRWISE_BERNOULLI,
        SPL_CONNECT_ALL_TO_ALL, SPL_CONNECT_ALL_TO_ALL, SPL_CONNECT_ALL_TO_ALL,
        SPL_CONNECT_FIXED_OUTDEGREE, SPL_CONNECT_PAIRWISE_BERNOULLI,
        SPL_CONNECT_FIXED_TOTAL_NUMBER};
    static const bool own_weights[N_KINDS] = {false, true, false, true, true, false, true,
        true, false, true, false, false, false, false, true};
    static const double longest[N_KINDS] = {
        0, 0, 3, 3, 40, 40, 0, 0, 0, 0, 0, 0, 3, 0, 0};
    projection_init(p, rules[kind], N_FROM, N_TO);
    p->projection.number = kind == 6 || kind == 14                     ? 2000
                           : rules[kind] == SPL_CONNECT_FIXED_INDEGREE ? 35
                                                                       : 70;
    p->projection.p = kind == 7 || kind == 13 ? 0.6 : 0.2;
    p->projection.by_indegree = kind >= 12;
    if (own_weights[kind]) {
        p->projection.weight = DRAW_BETWEEN(0.0, 1.0);
    }
    if (longest[kind] > 0.0) {
        p->projection.delay = DRAW_BETWEEN(0.0, longest[kind]);
    }
    if (kind == 11) { /* within one population */
        p->populations[0].size = N_TO;
        p->projection.to = 0;
        p->projection.allow_autapses = false;
    }
}

static size_t n_from_of(const projection *p)
{
    return p->populations[0].size;
}

/* The sources of a sub-step: none, one, or about a tenth of them. */
static size_t draw_sources(
    size_t n_from, uint64_t substep, uint64_t *random, uint32_t *sources)
{
    size_t n = 0;
    for (uint32_t i = 0; i < n_from && substep % 5 > 0; i++) {
        if (substep % 5 == 1 ? i == substep : random_uniform(random, 0.0, 1.0) < 0.1) {
            sources[n++] = i;
        }
    }
    return n;
}

enum { N_SUBSTEPS = 30, STRIDE = 256 };

/* What 30 sub-steps of spikes leave in a ring that nobody reads. */
static spl_real *delivered(const projection *p, spl_target target, size_t *n_slots)
{
    spl_rows *rows = projection_rows(p);
    const size_t part_size =
        p->run.part_size > 0 ? p->run.part_size : spl_part_size(N_TO);
    *n_slots = spl_rows_max_delay(rows) + 1;
    spl_real *ring = calloc(*n_slots * STRIDE, sizeof *ring);
    uint64_t random = 1;
    for (uint64_t s = 1000; s < 1000 + N_SUBSTEPS; s++) {
        uint32_t sources[N_TO];
        const size_t n = draw_sources(n_from_of(p), s, &random, sources);
        for (size_t part = 0; part * part_size < N_TO; part++) {
            spl_delivery_kernels_of(target)->deliver(
                rows, part, sources, n, s, ring, *n_slots, STRIDE);
        }
    }
    spl_rows_free(rows);
    return ring;
}

START_TEST(rows_are_in_order)
{
    projection p;
    init_kind(&p, _i);
    synapses s = projection_synapses(&p);
    size_t n_wrong = 0;
    for (size_t source = 0; source < s.n_from; source++) {
        for (size_t i = s.start[source] + 1; i < s.start[source + 1]; i++) {
            const spl_synapse *one = &s.all[i - 1];
            const spl_synapse *next = &s.all[i];
            n_wrong += next->delay < one->delay ||
                       (next->delay == one->delay && next->target < one->target);
        }
    }
    ck_assert_uint_eq(n_wrong, 0);
    synapses_deinit(&s);
}
END_TEST

/* Weights of -0, as bounds may make them, are synapses even where rows are dense. */
START_TEST(no_weight_is_taken_for_none)
{
    projection p;
    projection_init(&p, SPL_CONNECT_ALL_TO_ALL, 30, 30);
    p.populations[1].receptors[0].effect = SPL_RECEPTOR_CURRENT;
    p.projection.weight = DRAW_BETWEEN(-1.0, 1.0);
    p.projection.weight.high = -0.0;
    synapses s = projection_synapses(&p);
    ck_assert_uint_eq(s.n, 900);
    synapses_deinit(&s);
}
END_TEST

/* The same from the list of synapses, one by one. */
static spl_real *listed(const projection *p, size_t n_slots)
{
    synapses s = projection_synapses(p);
    spl_real *ring = calloc(n_slots * STRIDE, sizeof *ring);
    uint64_t random = 1;
    for (uint64_t step = 1000; step < 1000 + N_SUBSTEPS; step++) {
        uint32_t sources[N_TO];
        const size_t n = draw_sources(n_from_of(p), step, &random, sources);
        for (size_t k = 0; k < n; k++) {
            for (size_t i = s.start[sources[k]]; i < s.start[sources[k] + 1]; i++) {
                const size_t slot = (step + s.all[i].delay) % n_slots;
                ring[slot * STRIDE + s.all[i].target] += (spl_real)s.all[i].weight;
            }
        }
    }
    synapses_deinit(&s);
    return ring;
}

static double sum_of(const spl_real *ring, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)ring[i];
    }
    return sum;
}

START_TEST(delivery_is_what_the_synapses_say)
{
    projection p;
    size_t n_slots;
    init_kind(&p, _i);
    for (spl_target target = 0; target < SPL_N_TARGETS; target++) {
        if (!spl_target_available(target)) {
            continue;
        }
        spl_real *ring = delivered(&p, target, &n_slots);
        spl_real *expected = listed(&p, n_slots);
        ck_assert_double_gt(sum_of(ring, n_slots * STRIDE), 1.0);
        ck_assert_mem_eq(ring, expected, n_slots * STRIDE * sizeof *ring);
        free(ring);
        free(expected);
    }
}
END_TEST

START_TEST(parts_make_no_difference)
{
    projection p;
    size_t n_slots;
    size_t n_again;
    init_kind(&p, _i);
    spl_real *whole = delivered(&p, p.run.target, &n_slots);
    synapses s = projection_synapses(&p);
    for (size_t part_size = 32; part_size <= 128; part_size *= 2) {
        p.run.part_size = part_size;
        spl_real *parts = delivered(&p, p.run.target, &n_again);
        synapses again = projection_synapses(&p);
        ck_assert_uint_eq(n_again, n_slots);
        ck_assert_mem_eq(parts, whole, n_slots * STRIDE * sizeof *whole);
        ck_assert_uint_eq(again.n, s.n);
        free(parts);
        synapses_deinit(&again);
    }
    free(whole);
    synapses_deinit(&s);
}
END_TEST

START_TEST(random_numbers_are_the_same_on_all_targets)
{
    projection p;
    init_kind(&p, _i);
    p.projection.weight =
        (spl_draw){.kind = _i % 2 ? SPL_DRAW_NORMAL : SPL_DRAW_LOGNORMAL,
            .a = 0.5,
            .b = 0.5,
            .low = 0.0,
            .high = 1.5};
    p.run.target = SPL_TARGET_SCALAR;
    synapses scalar = projection_synapses(&p);
    for (spl_target target = SPL_TARGET_V3; target < SPL_N_TARGETS; target++) {
        if (spl_target_available(target)) {
            p.run.target = target;
            synapses other = projection_synapses(&p);
            ck_assert(synapses_equal(&scalar, &other));
            synapses_deinit(&other);
        }
    }
    synapses_deinit(&scalar);
}
END_TEST

/* Neither the rest of the network nor the precision moves a synapse; seed and name do. */
START_TEST(synapses_depend_on_seed_and_projection_alone)
{
    projection p;
    init_kind(&p, _i);
    p.projection.weight = DRAW_BETWEEN(0.0, 1.0);
    synapses s = projection_synapses(&p);
    spl_projection_spec both[2] = {p.projection, p.projection};
    both[0].name = (char *)"net.E>net.I:GABA_A";
    p.spec.projections = both;
    p.spec.n_projections = 2;
    spl_rows *rows = NULL;
    ck_assert_int_eq(spl_rows_create(&rows, &p.spec, 1, &p.run), SPL_OK);
    synapses second = synapses_of(rows, n_from_of(&p), N_TO);
    ck_assert(synapses_equal(&s, &second));
    spl_rows_free(rows);
    synapses_deinit(&second);
    ck_assert_int_eq(spl_rows_create(&rows, &p.spec, 0, &p.run), SPL_OK);
    synapses other_name = synapses_of(rows, n_from_of(&p), N_TO);
    ck_assert(!synapses_equal(&s, &other_name));
    spl_rows_free(rows);
    synapses_deinit(&other_name);
    p.spec.projections = &p.projection;
    p.run.seed = 2;
    synapses other_seed = projection_synapses(&p);
    ck_assert(!synapses_equal(&s, &other_seed));
    synapses_deinit(&other_seed);
    p.run.seed = 1;
    p.spec.single = !p.spec.single;
    synapses other_precision = projection_synapses(&p);
    ck_assert_uint_eq(other_precision.n, s.n);
    size_t n_wrong = 0;
    for (size_t i = 0; i < s.n; i++) {
        n_wrong += other_precision.all[i].target != s.all[i].target ||
                   other_precision.all[i].delay != s.all[i].delay ||
                   (float)other_precision.all[i].weight != (float)s.all[i].weight;
    }
    ck_assert_uint_eq(n_wrong, 0);
    synapses_deinit(&other_precision);
    synapses_deinit(&s);
}
END_TEST

/* More targets leave the rows of those before as they were, more sources likewise. */
START_TEST(rows_do_not_depend_on_each_other)
{
    const bool in = _i & 1;
    projection p;
    projection_init(
        &p, in ? SPL_CONNECT_FIXED_INDEGREE : SPL_CONNECT_FIXED_OUTDEGREE, 50, 50);
    p.projection.number = 10;
    p.projection.allow_multapses = _i & 2;
    p.projection.weight = DRAW_BETWEEN(0.0, 1.0);
    synapses few = projection_synapses(&p);
    p.populations[in ? 1 : 0].size = 80;
    synapses more = projection_synapses(&p);
    size_t n_same = 0;
    for (size_t source = 0; source < 50; source++) {
        size_t i = few.start[source];
        for (size_t k = more.start[source]; k < more.start[source + 1]; k++) {
            if (i < few.start[source + 1] && more.all[k].target == few.all[i].target &&
                more.all[k].weight == few.all[i].weight) {
                n_same++;
                i++;
            }
        }
    }
    ck_assert_uint_eq(few.n, 500);
    ck_assert_uint_eq(n_same, 500);
    synapses_deinit(&few);
    synapses_deinit(&more);
}
END_TEST

/* Delays 1, 2 and D_max in one ring: a spike of sub-step s arrives at s + d and at no
 * other time, wherever s falls in the ring. */
START_TEST(spikes_arrive_after_their_delay)
{
    uint32_t source[] = {0, 1, 2};
    uint32_t target[] = {2, 1, 0};
    double delay[] = {0.1, 0.2, _i == 0 ? 1.5 : 40.0};
    const size_t steps[] = {1, 2, _i == 0 ? 15 : 400};
    const size_t n_slots = steps[2] + 1;
    const size_t stride = 64;
    projection p;
    projection_init(&p, SPL_CONNECT_LIST, 3, 3);
    p.projection.list =
        (spl_synapse_list){.n = 3, .source = source, .target = target, .delay = delay};
    p.projection.weight = DRAW_CONSTANT(0.5);
    spl_rows *rows = projection_rows(&p);
    spl_real *ring = calloc(n_slots * stride, sizeof *ring);
    ck_assert_uint_eq(spl_rows_min_delay(rows), 1);
    ck_assert_uint_eq(spl_rows_max_delay(rows), steps[2]);
    for (uint64_t s = 7; s < 7 + n_slots; s++) {
        spl_delivery_kernels_of(p.run.target)
            ->deliver(rows, 0, source, 3, s, ring, n_slots, stride);
        size_t n_wrong = 0;
        for (size_t i = 0; i < n_slots * stride; i++) {
            const size_t ahead = (i / stride + n_slots - s % n_slots) % n_slots;
            bool arrives = false;
            for (size_t k = 0; k < 3; k++) {
                arrives = arrives || (i % stride == target[k] && ahead == steps[k]);
            }
            n_wrong += ring[i] != (arrives ? (spl_real)0.5 : 0);
            ring[i] = 0;
        }
        ck_assert_uint_eq(n_wrong, 0);
    }
    free(ring);
    spl_rows_free(rows);
}
END_TEST

START_TEST(delays_are_whole_substeps)
{
    static const struct {
        double delay;
        uint32_t steps;
        uint64_t n_short;
    } cases[] = {{1.5, 15, 0}, {0.04, 1, 35 * N_TO}, {0.0, 1, 35 * N_TO}, {0.06, 1, 0},
        {0.14, 1, 0}, {0.16, 2, 0}, {6553.5, 65535, 0}};
    projection p;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        init_kind(&p, 0);
        p.projection.delay = DRAW_CONSTANT(cases[i].delay);
        spl_rows *rows = projection_rows(&p);
        ck_assert_uint_eq(spl_rows_min_delay(rows), cases[i].steps);
        ck_assert_uint_eq(spl_rows_max_delay(rows), cases[i].steps);
        ck_assert_uint_eq(spl_rows_n_short(rows), cases[i].n_short);
        ck_assert_uint_eq(spl_rows_predict_delay(&p.projection, p.run.h), cases[i].steps);
        spl_rows_free(rows);
    }
    /* uniform between 0 and 1 ms: one in twenty rounds to nothing */
    p.projection.delay = DRAW_BETWEEN(0.0, 1.0);
    spl_rows *rows = projection_rows(&p);
    const double n = 35.0 * N_TO;
    ck_assert_uint_eq(spl_rows_min_delay(rows), 1);
    ck_assert_uint_eq(spl_rows_max_delay(rows), 10);
    ck_assert_double_lt(
        fabs((double)spl_rows_n_short(rows) - 0.05 * n), 5.0 * sqrt(0.05 * 0.95 * n));
    spl_rows_free(rows);
    p.projection.delay.high = 0.5;
    rows = projection_rows(&p);
    ck_assert_uint_eq(spl_rows_max_delay(rows), 5);
    ck_assert_uint_eq(spl_rows_predict_delay(&p.projection, p.run.h), 5);
    spl_rows_free(rows);
}
END_TEST

START_TEST(drawn_weights_have_their_distribution)
{
    static const spl_draw draws[] = {
        {SPL_DRAW_UNIFORM, 0.2, 0.6, -INFINITY, INFINITY, NULL, 0},
        {SPL_DRAW_NORMAL, 2.0, 0.5, -INFINITY, INFINITY, NULL, 0},
        {SPL_DRAW_LOGNORMAL, 0.1, 0.4, -INFINITY, INFINITY, NULL, 0}};
    static const double means[] = {0.4, 2.0, 1.197217363121810}; /* e^(a + b^2 / 2) */
    static const double sds[] = {
        0.11547005, 0.5, 0.49867756331715}; /* mean (e^b^2-1)^.5 */
    projection p;
    projection_init(&p, SPL_CONNECT_FIXED_INDEGREE, 200, 200);
    p.projection.number = 100;
    p.projection.weight = draws[_i];
    p.populations[1].receptors[0].effect = SPL_RECEPTOR_CURRENT;
    synapses s = projection_synapses(&p);
    double sum = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < s.n; i++) {
        sum += s.all[i].weight;
        squares += s.all[i].weight * s.all[i].weight;
    }
    const double n = (double)s.n;
    const double mean = sum / n;
    const double sd = sqrt(squares / n - mean * mean);
    ck_assert_double_lt(fabs(mean - means[_i]), 5.0 * sds[_i] / sqrt(n));
    ck_assert_double_lt(fabs(sd / sds[_i] - 1.0), 0.04);
    synapses_deinit(&s);
}
END_TEST

START_TEST(parts_follow_from_the_size)
{
    static const size_t sizes[] = {
        1, 1000, 16384, 16385, 20000, 100000, 262144, 1000000, 5000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t part = spl_part_size(sizes[i]);
        const size_t n_parts = (sizes[i] + part - 1) / part;
        ck_assert_uint_eq(part % SPL_NEURON_BLOCK, 0);
        ck_assert_uint_le(part, 65536);
        ck_assert(n_parts <= 16 || part == 65536);
        ck_assert(sizes[i] > 16384 || n_parts == 1);
    }
}
END_TEST

/* At most 6 bytes for a synapse of constant weight, 9 with its own, in float32; and as
 * many as predicted. */
START_TEST(synapses_are_small)
{
    projection p;
    projection_init(&p, SPL_CONNECT_FIXED_INDEGREE, 20000, 0);
    p.spec.single = true;
    p.projection.number = 25;
    for (int way = 0; way < 8; way++) {
        p.projection.rule =
            way & 4 ? SPL_CONNECT_FIXED_OUTDEGREE : SPL_CONNECT_FIXED_INDEGREE;
        p.projection.by_indegree = way & 4; /* drawn in-degrees: weights differ */
        p.projection.weight = way & 1 ? DRAW_BETWEEN(0.0, 1.0) : DRAW_CONSTANT(1.0);
        p.projection.delay = way & 2 ? DRAW_BETWEEN(0.1, 40.0) : DRAW_CONSTANT(1.0);
        spl_rows *rows = projection_rows(&p);
        const double bytes = (double)spl_rows_bytes(rows);
        const double predicted = (double)spl_rows_predict_bytes(&p.spec, 0, &p.run);
        ck_assert_uint_eq(spl_rows_n_synapses(rows), 500000);
        ck_assert_double_le(bytes / 5e5, way & 5 ? 9.0 : 6.0);
        ck_assert_double_le(fabs(bytes - predicted), 512.0); /* alignment */
        spl_rows_free(rows);
    }
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("spiking_rows");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, delivery_is_what_the_synapses_say, 0, N_KINDS);
    tcase_add_loop_test(all, rows_are_in_order, 0, N_KINDS);
    tcase_add_test(all, no_weight_is_taken_for_none);
    tcase_add_loop_test(all, parts_make_no_difference, 0, N_KINDS);
    tcase_add_loop_test(all, random_numbers_are_the_same_on_all_targets, 0, N_KINDS);
    tcase_add_loop_test(all, synapses_depend_on_seed_and_projection_alone, 0, N_KINDS);
    tcase_add_loop_test(all, rows_do_not_depend_on_each_other, 0, 4);
    tcase_add_loop_test(all, spikes_arrive_after_their_delay, 0, 2);
    tcase_add_test(all, delays_are_whole_substeps);
    tcase_add_loop_test(all, drawn_weights_have_their_distribution, 0, 3);
    tcase_add_test(all, parts_follow_from_the_size);
    tcase_add_test(all, synapses_are_small);
    suite_add_tcase(suite, all);
    return suite;
}
