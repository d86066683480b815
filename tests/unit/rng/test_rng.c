/* The generator against Random123 and its published answers, the normals against long
 * double, their purity and their statistics, in both precisions. */
#define SPL_LANES  1
#define SPL_TARGET one

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rng/philox.h"
#include "rng/rng.h"
#include "support/long_double.h"
#include "support/test_main.h"

#ifdef HAVE_RANDOM123
#include <Random123/philox.h>
#endif

#define SEED 20240607u

static const spl_rng_kernels *best(void)
{
    spl_target target = SPL_TARGET_SCALAR;
    for (int t = 0; t < SPL_N_TARGETS; t++) {
        target = spl_target_available((spl_target)t) ? (spl_target)t : target;
    }
    return spl_rng_kernels_of(target);
}

static void philox(const uint32_t counter[4], uint64_t seed, uint32_t out[4])
{
    vec_u64 words[4] = {{counter[0]}, {counter[1]}, {counter[2]}, {counter[3]}};
    philox_words(words, seed);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(words[i][0] >> 32, 0);
        out[i] = (uint32_t)words[i][0];
    }
}

/* kat_vectors of Random123 1.14, philox4x32 with 10 rounds */
START_TEST(philox_gives_the_published_answers)
{
    static const struct {
        uint32_t counter[4];
        uint64_t seed;
        uint32_t answer[4];
    } known[] = {
        {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffffffffffff,
            {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822,
            {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t got[4];
        philox(known[i].counter, known[i].seed, got);
        ck_assert_mem_eq(got, known[i].answer, sizeof got);
    }
}
END_TEST

START_TEST(philox_equals_random123)
{
#ifdef HAVE_RANDOM123
    uint32_t x[4] = {1, 2, 3, 4};
    for (int i = 0; i < 100000; i++) {
        const uint64_t seed = ((uint64_t)x[1] << 32 | x[2]) * 3u;
        philox4x32_ctr_t counter = {{x[0], x[1], x[2], x[3]}};
        philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
        const philox4x32_ctr_t expected = philox4x32_R(10, counter, key);
        philox(x, seed, x);
        ck_assert_mem_eq(x, expected.v, sizeof x);
    }
#else
    fprintf(stderr, "# skipped: Random123 is absent (Debian: librandom123-dev)\n");
#endif
}
END_TEST

/* One normal, from its definition. */
static long double exact_normal(
    uint64_t seed, uint32_t stream, uint64_t step, uint32_t node)
{
    const uint64_t group = step / 4;
    const uint32_t counter[4] = {(uint32_t)group, (uint32_t)(group >> 32), node, stream};
    uint32_t words[4];
    philox(counter, seed, words);
    const uint32_t *pair = words + (step % 4 < 2 ? 0 : 2);
    const long double radius = sqrtl(-2.0L * logl((pair[0] + 0.5L) * 0x1p-32L));
    const long double turns =
        (pair[1] >> 30) + ((pair[1] & 0x3fffffffu) + 0.5L) * 0x1p-30L - 0.5L;
    const long double angle = turns * (3.14159265358979323846264338L / 2.0L);
    return radius * (step % 2 == 0 ? cosl(angle) : sinl(angle));
}

START_TEST(normals_follow_the_counter_layout)
{
    enum { STEPS = 9, NODES = 64 };
    static const uint64_t seeds[] = {0, 42, UINT64_MAX, 0x123456789abcdef0};
    static const uint64_t first_steps[] = {0, 3, 1000001, 0x3fffffffe};
    static const uint32_t first_nodes[] = {0, 16, 4000, UINT32_MAX - NODES + 1};
    const long double bound = SPL_REAL_BYTES == 4     ? 1e-6L
                              : long_double_is_wide() ? 2e-15L
                                                      : 2e-14L;
    spl_real z[STEPS * NODES];
    for (size_t a = 0; a < 4; a++) {
        for (size_t b = 0; b < 4; b++) {
            const uint32_t stream =
                a % 2 == 0 ? SPL_STREAM_NOISE + (uint32_t)b : SPL_STREAM_ETA;
            best()->normals(seeds[a], stream, first_steps[b], STEPS, first_nodes[3 - b],
                NODES, z, NODES);
            for (size_t i = 0; i < STEPS * NODES; i++) {
                const long double exact =
                    exact_normal(seeds[a], stream, first_steps[b] + i / NODES,
                        first_nodes[3 - b] + (uint32_t)(i % NODES));
                ck_assert_msg(fabsl(z[i] - exact) < bound, "%zu: %.17g", i, (double)z[i]);
            }
        }
    }
}
END_TEST

START_TEST(targets_give_the_same_bits)
{
    enum { STEPS = 1001, NODES = 3 * SPL_TILE, N = STEPS * NODES };
    static spl_real expected[N], got[N];
    spl_rng_kernels_of(SPL_TARGET_SCALAR)
        ->normals(SEED, 5, 0x3fffffff0, STEPS, 7, NODES, expected, NODES);
    for (int t = SPL_TARGET_V3; t < SPL_N_TARGETS; t++) {
        if (!spl_target_available((spl_target)t)) {
            fprintf(stderr, "# skipped: target %s\n", spl_target_names[t]);
            continue;
        }
        memset(got, 0, sizeof got);
        spl_rng_kernels_of((spl_target)t)
            ->normals(SEED, 5, 0x3fffffff0, STEPS, 7, NODES, got, NODES);
        ck_assert_int_eq(memcmp(got, expected, sizeof got), 0);
    }
}
END_TEST

/* Blocks of any length, tiles in any order, any stride: the same numbers, and nothing
 * written outside. */
START_TEST(any_partition_gives_the_same_normals)
{
    enum { STEPS = 61, NODES = 5 * SPL_TILE, STRIDE = NODES + 3, N = STEPS * STRIDE };
    const uint64_t first = 1234567;
    static spl_real whole[STEPS * NODES], parts[N];
    best()->normals(SEED, 1, first, STEPS, 32, NODES, whole, NODES);
    for (size_t block = 1; block <= 19; block++) {
        for (size_t i = 0; i < N; i++) {
            parts[i] = -99.0;
        }
        for (size_t k = 0; k < STEPS; k += block) {
            const size_t steps = STEPS - k < block ? STEPS - k : block;
            for (size_t i = NODES; i > 0; i -= SPL_TILE) {
                best()->normals(SEED, 1, first + k, steps, 32 + (uint32_t)i - SPL_TILE,
                    SPL_TILE, parts + k * STRIDE + i - SPL_TILE, STRIDE);
            }
        }
        for (size_t i = 0; i < N; i++) {
            const size_t node = i % STRIDE;
            const spl_real expected =
                node < NODES ? whole[i / STRIDE * NODES + node] : (spl_real)-99.0;
            ck_assert(parts[i] == expected);
        }
    }
}
END_TEST

/* Bounds of five standard errors; P(|z| > k) = erfc(k / sqrt 2). */
START_TEST(moments_and_tails_are_normal)
{
    enum { STEPS = 64, NODES = 992, N = STEPS * NODES };
    static spl_real z[N];
    /* 1e7 normals; a tenth under valgrind */
    const uint64_t rounds = long_double_is_wide() ? 160 : 16;
    const double n = (double)N * (double)rounds;
    double power[5] = {0.0};
    double beyond[6] = {0.0};
    double largest = 0.0;
    for (uint64_t round = 0; round < rounds; round++) {
        best()->normals(SEED, 0, round * STEPS, STEPS, 0, NODES, z, NODES);
        for (size_t i = 0; i < N; i++) {
            const double z2 = (double)z[i] * (double)z[i];
            power[1] += z[i];
            power[2] += z2;
            power[3] += z2 * (double)z[i];
            power[4] += z2 * z2;
            for (size_t k = 1; k < 6; k++) {
                beyond[k] += z2 > (double)(k * k) ? 1.0 : 0.0;
            }
            largest = fmax(largest, fabs(z[i]));
        }
    }
    /* variances of z, z^2, z^3, z^4 are 1, 2, 15, 96 */
    ck_assert_double_eq_tol(power[1] / n, 0.0, 5.0 * sqrt(1.0 / n));
    ck_assert_double_eq_tol(power[2] / n, 1.0, 5.0 * sqrt(2.0 / n));
    ck_assert_double_eq_tol(power[3] / n, 0.0, 5.0 * sqrt(15.0 / n));
    ck_assert_double_eq_tol(power[4] / n, 3.0, 5.0 * sqrt(96.0 / n));
    for (int k = 1; k < 6; k++) {
        const double p = erfc(k * M_SQRT1_2);
        ck_assert_double_eq_tol(beyond[k], n * p, 5.0 * sqrt(n * p * (1.0 - p)));
    }
    ck_assert_double_gt(largest, 4.5);
    ck_assert_double_le(largest, 6.764);
}
END_TEST

/* Pearson's chi-square over 64 cells of equal probability: 63 +- 11.2. */
START_TEST(distribution_is_normal_between_the_tails)
{
    enum { STEPS = 256, NODES = 992, N = STEPS * NODES, CELLS = 64 };
    static spl_real z[N];
    double counts[CELLS] = {0.0};
    double chi_square = 0.0;
    best()->normals(SEED + 1, 0, 0, STEPS, 0, NODES, z, NODES);
    for (size_t i = 0; i < N; i++) {
        counts[(size_t)(CELLS * 0.5 * erfc(-z[i] * M_SQRT1_2))] += 1.0;
    }
    for (size_t cell = 0; cell < CELLS; cell++) {
        const double expected = (double)N / CELLS;
        chi_square += (counts[cell] - expected) * (counts[cell] - expected) / expected;
    }
    ck_assert_double_gt(chi_square, 25.0);
    ck_assert_double_lt(chi_square, 63.0 + 5.0 * 11.3);
}
END_TEST

static double mean_product(const spl_real *a, const spl_real *b, size_t n, int squared)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double x = (double)a[i];
        const double y = (double)b[i];
        sum += squared ? (x * x - 1.0) * (y * y - 1.0) / 2.0 : x * y;
    }
    return sum / (double)n;
}

/* Neighbouring counters and keys: neither the values nor their squares correlate. */
START_TEST(neighbours_are_uncorrelated)
{
    enum { STEPS = 250, NODES = 512, N = STEPS * NODES };
    static spl_real base[N + 8 * NODES], other[N];
    static const struct {
        uint64_t seed;
        uint32_t stream;
        uint64_t step;
        uint32_t node;
    } moves[] = {{0, 1, 0, 0}, {0, 0x8000, 0, 0}, {0, 0x10000, 0, 0}, {1, 0, 0, 0},
        {1ull << 32, 0, 0, 0}, {0, 0, 1ull << 34, 0}, {0, 0, 0, NODES}};
    const double bound = 5.0 / sqrt((double)N);
    best()->normals(SEED, 0, 0, STEPS + 8, 0, NODES, base, NODES);
    for (int squared = 0; squared < 2; squared++) {
        for (size_t lag = 1; lag <= 8; lag++) {
            ck_assert_double_eq_tol(
                mean_product(base, base + lag * NODES, N, squared), 0.0, bound);
            ck_assert_double_eq_tol(
                mean_product(base, base + lag, N, squared), 0.0, bound);
        }
        for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
            best()->normals(SEED + moves[i].seed, moves[i].stream, moves[i].step, STEPS,
                moves[i].node, NODES, other, NODES);
            ck_assert_double_eq_tol(mean_product(base, other, N, squared), 0.0, bound);
        }
    }
}
END_TEST

START_TEST(radius_ends_where_documented)
{
    vec z0;
    vec z1;
    box_muller(
        minus_two_log(split_uniform((vec_uint){0})), (vec_uint){1u << 29}, &z0, &z1);
    ck_assert_double_eq_tol(
        z0[0], sqrt(66.0 * M_LN2), SPL_REAL_BYTES == 8 ? 1e-14 : 6e-7);
    ck_assert_double_lt(fabs(z1[0]), 1e-8);
    box_muller(
        minus_two_log(split_uniform((vec_uint){0xffffffffu})), (vec_uint){0}, &z0, &z1);
    ck_assert(z0[0] > 0.0 && z0[0] < 2e-5);
    ck_assert(z1[0] < 0.0 && z1[0] > -2e-5);
}
END_TEST

/* Radii near 0, where u rounds to 1, and over all words; angles on both sides of 0. */
START_TEST(rounding_of_the_words_shows_only_in_last_bits)
{
    static const uint32_t words[] = {0, 1, 255, 256, 511, 512, 1u << 23, 0x3fffffff,
        0x40000000, 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000, 0xc00001ff,
        0xfffffe00, 0xffffff00, 0xffffffef, 0xfffffffe, 0xffffffff};
    enum { N = sizeof words / sizeof *words };
    const long double bound = SPL_REAL_BYTES == 8 ? 2e-14L : 4e-7L;
    for (size_t k = 0; k < (size_t)N * N; k++) {
        const uint32_t a = words[k % N];
        const uint32_t b = words[k / N];
        vec z0;
        vec z1;
        box_muller(minus_two_log(split_uniform((vec_uint){a})), (vec_uint){b}, &z0, &z1);
        const long double radius = sqrtl(-2.0L * logl((a + 0.5L) * 0x1p-32L));
        const long double turns =
            (b >> 30) + ((b & 0x3fffffffu) + 0.5L) * 0x1p-30L - 0.5L;
        const long double angle = turns * (3.14159265358979323846264338L / 2.0L);
        ck_assert_msg(fabsl(z0[0] - radius * cosl(angle)) <= bound * radius &&
                          fabsl(z1[0] - radius * sinl(angle)) <= bound * radius,
            "words %#x and %#x: %.17g, %.17g", a, b, (double)z0[0], (double)z1[0]);
    }
}
END_TEST

START_TEST(uniform_has_all_its_bits)
{
    enum { N = 200000 };
    uint32_t words[4];
    double sum = 0.0;
    double squares = 0.0;
    const uint32_t counter[4] = {7, 1, 3, SPL_STREAM_START};
    philox(counter, SEED, words);
    const uint64_t bits = ((uint64_t)words[0] << 32 | words[1]) >> 12;
    ck_assert(spl_rng_uniform(SEED, SPL_STREAM_START, 3, (1ull << 32) + 7) ==
              (double)(2 * bits + 1) * 0x1p-53);
    for (uint32_t i = 0; i < N; i++) {
        const double u = spl_rng_uniform(SEED, SPL_STREAM_START, i % 1000, i / 1000);
        ck_assert(u > 0.0 && u < 1.0);
        sum += u;
        squares += (u - 0.5) * (u - 0.5);
    }
    ck_assert_double_eq_tol(sum / N, 0.5, 5.0 * sqrt(1.0 / 12.0 / N));
    ck_assert_double_eq_tol(squares / N, 1.0 / 12.0, 5.0 * sqrt(1.0 / 180.0 / N));
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("rng");
    TCase *cases = tcase_create("rng");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(cases, 30.0);
    tcase_add_test(cases, philox_gives_the_published_answers);
    tcase_add_test(lengthy, philox_equals_random123);
    tcase_add_test(cases, normals_follow_the_counter_layout);
    tcase_add_test(cases, targets_give_the_same_bits);
    tcase_add_test(lengthy, any_partition_gives_the_same_normals);
    tcase_add_test(cases, moments_and_tails_are_normal);
    tcase_add_test(cases, distribution_is_normal_between_the_tails);
    tcase_add_test(cases, neighbours_are_uncorrelated);
    tcase_add_test(cases, radius_ends_where_documented);
    tcase_add_test(cases, rounding_of_the_words_shows_only_in_last_bits);
    tcase_add_test(lengthy, uniform_has_all_its_bits);
    suite_add_tcase(suite, cases);
    return suite;
}
