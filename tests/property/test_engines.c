/* Two engines, one result: the production engine gives the bits of the reference engine,
 * whatever the scheme, coupling, noise, network, SIMD target, number of threads, length
 * of the calls and choice of recorded variables; in both precisions. */
#include <math.h>
#include <stdio.h>

#include "model/schemes.h"
#include "support/bits.h"
#include "support/random.h"
#include "support/test_main.h"

enum { N_NOISES = 4, MAX_NODES = 33 };

/* Of the networks and combinations: all in double precision, fewer in single, which is
 * the same text, and under sanitizers. */
#if defined(SPL_SANITIZED)
enum { SHARE = 5 };
#else
enum { SHARE = SPL_REAL_BYTES == 8 ? 1 : 5 };
#endif

static const char *const noise_names[N_NOISES] = {
    "no noise", "additive", "multiplicative", "OU"};
static const uint64_t chunks[] = {1, 7, 16, 1000};
static const int thread_counts[] = {1, 2, 3, 7};

/* Nodes of a network: often few, seldom a multiple of a tile. */
static size_t draw_size(size_t most, uint64_t *random)
{
    return random_whole(random, 1, random_whole(random, 1, most));
}

/* Threads wait for each other at every step, long on a busy machine: seldom several. */
static bits_way draw_way(const bits_case *c, uint64_t *random)
{
    int targets[SPL_N_TARGETS];
    const size_t n_targets = bits_targets(targets);
    return (bits_way){
        .threads = random_whole(random, 0, 7) == 0
                       ? thread_counts[random_whole(random, 1, 3)]
                       : 1,
        .target = targets[random_whole(random, 0, n_targets - 1)],
        .chunk = chunks[random_whole(random, 0, 3)],
        .collect = random_whole(random, 0, 1) == 1,
        .places = random_whole(random, 0, 2) == 0,
        .block = random_whole(random, 0, 1) * random_whole(random, 1, SPL_MAX_BLOCK),
        .dropped = (unsigned)random_whole(
            random, 0, (1u << (c->settings.model->n_states + 2)) - 1),
    };
}

/* A network of random size, edges, parameters and noise. */
static bits_case *draw_case(const spl_model *model, const spl_coupling *coupling,
    bits_kind kind, spl_noise_kind noise, uint64_t *random)
{
    bits_case *c = bits_create(draw_size(MAX_NODES, random), model, coupling);
    c->settings.dt = random_whole(random, 0, 1) ? 0.1 : 0.0625;
    c->settings.seed = random_bits(random);
    if (random_whole(random, 0, 3) == 0) {
        c->settings.sends_observable = false;
        c->settings.sends_state = random_whole(random, 0, model->n_states - 1);
    }
    bits_draw_params(c, random);
    if (random_whole(random, 0, 1)) {
        bits_share_gates(c);
    }
    bits_draw_edges(c, kind, random_uniform(random, 0.1, 1.0), random);
    bits_draw_noise(c, noise, random);
    return c;
}

static void compare_with_reference(
    const bits_case *c, const bits_way *way, uint64_t n_steps, const char *what)
{
    bits_outcome *expected = bits_run(c, &(bits_way){.reference = true}, n_steps);
    bits_outcome *got = bits_run(c, way, n_steps);
    ck_assert_uint_eq(expected->n_steps, n_steps);
    ck_assert_msg(bits_finite(expected), "%s: not finite", what);
    bits_same(expected, got, what);
    bits_outcome_free(expected);
    bits_outcome_free(got);
}

static void every_noise_and_kind(const spl_model *model, const spl_coupling *coupling,
    int scheme, bool frozen, uint64_t *random)
{
    for (int noise = 0; noise < N_NOISES; noise++) {
        for (int kind = 0; kind < BITS_N_KINDS; kind++) {
            if (random_whole(random, 1, SHARE) > 1) {
                continue;
            }
            char what[256];
            bits_case *c = draw_case(
                model, coupling, (bits_kind)kind, (spl_noise_kind)noise, random);
            const bits_way way = draw_way(c, random);
            c->settings.integrator = spl_schemes[scheme].name;
            c->settings.frozen = frozen;
            snprintf(what, sizeof what,
                "%s, %s, %s, %s, %s, %s, %d threads, target %d, chunk %d, block %d",
                model->name, coupling->name, spl_schemes[scheme].name,
                frozen ? "frozen" : "per stage", noise_names[noise],
                bits_kind_names[kind], way.threads, way.target, (int)way.chunk,
                (int)way.block);
            compare_with_reference(c, &way, 40, what);
            bits_free(c);
        }
    }
}

START_TEST(every_combination_has_the_bits_of_the_reference)
{
    uint64_t random = random_seed("every_combination");
    const spl_model *model = spl_model_at((size_t)_i);
    for (size_t k = 0; k < spl_coupling_count(); k++) {
        for (int scheme = 0; scheme < SPL_N_SCHEMES; scheme++) {
            every_noise_and_kind(model, spl_coupling_at(k), scheme, false, &random);
            every_noise_and_kind(model, spl_coupling_at(k), scheme, true, &random);
        }
    }
}
END_TEST

static void compare_all_ways(const bits_case *c, uint64_t n_steps)
{
    int targets[SPL_N_TARGETS];
    const size_t n_targets = bits_targets(targets);
    bits_outcome *expected = bits_run(c, &(bits_way){.reference = true}, n_steps);
    for (size_t t = 0; t < n_targets; t++) {
        for (size_t threads = 0; threads < 4; threads++) {
            for (size_t k = (t + threads) % SHARE; k < 4; k += SHARE) {
                const bits_way way = {.target = targets[t],
                    .threads = thread_counts[threads],
                    .chunk = chunks[k],
                    .collect = (threads + k) % 2 == 1,
                    .places = (t + threads / 2 + k) % 2 == 1};
                char what[128];
                snprintf(what, sizeof what, "%d threads, target %d, chunk %d",
                    way.threads, way.target, (int)way.chunk);
                bits_outcome *got = bits_run(c, &way, n_steps);
                bits_same(expected, got, what);
                bits_outcome_free(got);
            }
        }
    }
    bits_outcome_free(expected);
}

/* One network of each kind in all ways: 112 nodes, 7 tiles, so that 7 threads have work;
 * 100 nodes, so that the last tile is not full. */
START_TEST(every_way_has_the_same_bits)
{
    uint64_t random = random_seed("every_way");
    const spl_coupling *coupling =
        spl_coupling_at(random_whole(&random, 0, spl_coupling_count() - 1));
    bits_case *c =
        bits_create(_i % 2 ? 100 : 112, spl_model_find("larter_breakspear"), coupling);
    bits_draw_edges(c, (bits_kind)_i, 0.2, &random);
    bits_draw_noise(c, SPL_NOISE_ADDITIVE, &random);
    c->settings.integrator =
        spl_schemes[random_whole(&random, 0, SPL_N_SCHEMES - 1)].name;
    compare_all_ways(c, 70);
    bits_free(c);
}
END_TEST

/* Short edges tie more or fewer nodes, and leave the blocked sums, as blocks grow. */
START_TEST(blocks_of_any_length_have_the_same_bits)
{
    static const bits_kind kinds[] = {BITS_FEW, BITS_SHORT, BITS_MIXED, BITS_DELAYED};
    static const size_t blocks[] = {
        1, 2, 3, 5, 7, 8, 9, 13, 15, 16, 17, 24, 31, 32, 33, 48, 63, SPL_MAX_BLOCK};
    uint64_t random = random_seed("every_block");
    bits_case *c = bits_create(
        100, spl_model_find("larter_breakspear"), spl_coupling_find("mean_rate"));
    bits_draw_edges(c, kinds[_i % 4], 0.1, &random);
    bits_draw_noise(c, SPL_NOISE_OU, &random);
    c->settings.integrator = _i < 4 ? "heun" : "rk4";
    bits_outcome *expected = bits_run(c, &(bits_way){.reference = true}, 150);
    for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
        const size_t block = blocks[b];
        char what[64];
        const bits_way way = {
            .block = block, .threads = block % 4 == 1 ? 3 : 1, .places = b % 2 == 1};
        bits_outcome *got = bits_run(c, &way, 150);
        snprintf(what, sizeof what, "blocks of %d, %d threads", (int)block, way.threads);
        ck_assert_uint_eq(got->block, block);
        bits_same(expected, got, what);
        bits_outcome_free(got);
    }
    bits_outcome_free(expected);
    bits_free(c);
}
END_TEST

START_TEST(any_set_of_recorded_variables_has_the_same_bits)
{
    uint64_t random = random_seed("recorded_variables");
    for (int kind = 0; kind < BITS_N_KINDS; kind++) {
        bits_case *c = draw_case(spl_model_find("larter_breakspear"),
            spl_coupling_find("mean_rate"), (bits_kind)kind, SPL_NOISE_OU, &random);
        bits_outcome *all = bits_run(c, &(bits_way){0}, 40);
        for (unsigned dropped = 1; dropped < 32; dropped += SHARE) {
            bits_outcome *some = bits_run(c, &(bits_way){.dropped = dropped}, 40);
            bits_outcome *naive =
                bits_run(c, &(bits_way){.dropped = dropped, .reference = true}, 40);
            bits_same(all, some, "recorded variables, production");
            bits_same(all, naive, "recorded variables, reference");
            bits_outcome_free(some);
            bits_outcome_free(naive);
        }
        bits_outcome_free(all);
        bits_free(c);
    }
}
END_TEST

/* As large and as long as real runs: last bits that differ grow to everything, the nodes
 * being chaotic. */
START_TEST(a_long_run_of_a_large_network_has_the_same_bits)
{
    uint64_t random = random_seed("long_run");
    bits_case *c = bits_create(
        998, spl_model_find("larter_breakspear"), spl_coupling_find("mean_rate"));
    bits_draw_edges(c, BITS_SHORT, 0.036, &random);
    bits_draw_noise(c, SPL_NOISE_ADDITIVE, &random);
    const unsigned v_only = ~1u;
    const uint64_t n_steps = 5000 / SHARE;
    bits_outcome *expected =
        bits_run(c, &(bits_way){.reference = true, .dropped = v_only}, n_steps);
    bits_outcome *got = bits_run(c,
        &(bits_way){.threads = 2, .chunk = 777, .collect = true, .dropped = v_only},
        n_steps);
    bits_outcome *placed = bits_run(
        c, &(bits_way){.places = true, .collect = true, .dropped = v_only}, n_steps);
    bits_outcome *summed = bits_run(c,
        &(bits_way){.threads = 2,
            .chunk = 777,
            .collect = true,
            .pieces = true,
            .dropped = v_only},
        n_steps);
    const uint64_t n_sums = n_steps / spl_piece_steps(c->settings.dt);
    ck_assert(bits_finite(expected));
    bits_same(expected, got, "998 nodes");
    bits_same(expected, placed, "998 nodes in f4");
    bits_same(expected, summed, "998 nodes in sums");
    ck_assert_uint_eq(summed->n_sums, SPL_REAL_BYTES == sizeof(double) ? n_sums : 0);
    bits_outcome_free(expected);
    bits_outcome_free(placed);
    bits_outcome_free(summed);
    bits_outcome_free(got);
    bits_free(c);
}
END_TEST

/* Histories of more than a megabyte are fetched ahead, see coupling/sums.c: here many
 * edges of a node are left out of that for being short. */
START_TEST(large_histories_have_the_same_bits)
{
    uint64_t random = random_seed("large_histories");
    static const bits_kind kinds[] = {BITS_DELAYED, BITS_SELF, BITS_SHORT, BITS_MIXED,
        BITS_FEW, BITS_ISOLATED, BITS_NEGATIVE};
    bits_case *c = bits_create(random_whole(&random, 290, 310),
        spl_model_find("larter_breakspear"), spl_coupling_find("mean_rate"));
    const size_t some_edge = c->n_nodes + 1 + random_whole(&random, 0, c->n_nodes);
    bits_draw_edges(c, kinds[_i], random_uniform(&random, 0.1, 0.4), &random);
    bits_draw_noise(c, SPL_NOISE_ADDITIVE, &random);
    c->weights[some_edge] = 0.01;
    c->lengths[some_edge] = 900.0 * c->settings.dt;
    for (size_t block = 0; block <= 24; block += 8) {
        const bits_way way = {.threads = 1 + (int)(block % 3),
            .block = block,
            .chunk = 45,
            .collect = block / 3 % 2 == 0,
            .places = block / 8 % 2 == 1,
            .pieces = block == 16};
        compare_with_reference(c, &way, 45, bits_kind_names[kinds[_i]]);
    }
    bits_free(c);
}
END_TEST

/* A dense matrix and a list of edges are summed in the same order. */
START_TEST(dense_and_sparse_sums_have_the_same_bits)
{
    uint64_t random = random_seed("dense_sums");
    static const size_t sizes[] = {1, 15, 64, 76, 130, 200, 998};
    bits_case *c = bits_create(
        sizes[_i], spl_model_find("larter_breakspear"), spl_coupling_find("mean_rate"));
    bits_draw_edges(c, BITS_UNDELAYED, 0.5, &random);
    bits_draw_noise(c, SPL_NOISE_ADDITIVE, &random);
    bits_outcome *sparse = bits_run(c, &(bits_way){0}, 60);
    bits_outcome *naive = bits_run(c, &(bits_way){.reference = true}, 60);
    c->settings.undelayed = SPL_UNDELAYED_DENSE;
    bits_outcome *dense = bits_run(c, &(bits_way){0}, 60);
    ck_assert(!sparse->dense && (dense->dense || sizes[_i] == 1));
    for (int threads = 2; threads <= 7; threads++) {
        bits_outcome *other =
            bits_run(c, &(bits_way){.threads = threads, .chunk = 7}, 60);
        bits_same(dense, other, "dense, more threads");
        bits_outcome_free(other);
    }
    bits_same(naive, sparse, "sparse and reference");
    bits_same(naive, dense, "dense and reference");
    bits_outcome_free(sparse);
    bits_outcome_free(naive);
    bits_outcome_free(dense);
    bits_free(c);
}
END_TEST

/* Normals from an array: what the generator would have drawn gives what it gives. */
START_TEST(given_normals_replace_the_generator)
{
    enum { NODES = 19, STEPS = 50 };
    uint64_t random = random_seed("given_normals");
    bits_case *c = draw_case(spl_model_find("larter_breakspear"),
        spl_coupling_find("linear"), BITS_SELF, SPL_NOISE_MULTIPLICATIVE, &random);
    const size_t n = c->n_nodes;
    const size_t padded = spl_padded(n);
    spl_real *drawn = calloc(STEPS * padded, sizeof *drawn);
    double *normals = calloc(STEPS * 3 * n, sizeof *normals);
    for (uint32_t s = 0; s < 3; s++) {
        spl_rng_kernels_of(SPL_TARGET_SCALAR)
            ->normals(c->settings.seed, SPL_STREAM_NOISE + s, 0, STEPS, 0, padded, drawn,
                padded);
        for (size_t k = 0; k < STEPS; k++) {
            for (size_t i = 0; i < n; i++) {
                normals[(k * 3 + s) * n + i] = drawn[k * padded + i];
            }
        }
    }
    bits_outcome *expected = bits_run(c, &(bits_way){0}, STEPS);
    c->given_normals = normals;
    c->n_given = STEPS;
    bits_outcome *production = bits_run(c, &(bits_way){.threads = 2, .chunk = 7}, STEPS);
    bits_outcome *naive = bits_run(c, &(bits_way){.reference = true}, STEPS);
    bits_same(expected, production, "given normals, production");
    bits_same(expected, naive, "given normals, reference");
    bits_outcome_free(expected);
    bits_outcome_free(production);
    bits_outcome_free(naive);
    free(drawn);
    free(normals);
    bits_free(c);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("engines");
    TCase *all = tcase_create("all");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(all, 100);
    tcase_add_loop_test(lengthy, every_combination_has_the_bits_of_the_reference, 0,
        (int)spl_model_count());
    tcase_add_loop_test(lengthy, every_way_has_the_same_bits, 0, BITS_N_KINDS);
    tcase_add_loop_test(lengthy, blocks_of_any_length_have_the_same_bits, 0, 8);
    tcase_add_test(lengthy, any_set_of_recorded_variables_has_the_same_bits);
    tcase_add_test(lengthy, a_long_run_of_a_large_network_has_the_same_bits);
    tcase_add_loop_test(lengthy, large_histories_have_the_same_bits, 0, 7);
    tcase_add_loop_test(lengthy, dense_and_sparse_sums_have_the_same_bits, 0, 7);
    tcase_add_test(all, given_normals_replace_the_generator);
    suite_add_tcase(suite, all);
    return suite;
}
