/* Random counts of external events: the table against Poisson's law, the kernels against
 * the table, and the same counts on every target. */
#define SPL_LANES  1
#define SPL_TARGET one
#include "rng/philox.h"
#include "spiking/kernel.h"
#include "spiking/streams.h"
#include "support/population_run.h"

enum { N = 4096 };

static double probability(double mean, unsigned count)
{
    return exp(-mean + count * log(mean) - lgamma(count + 1.0));
}

static const double means[] = {1e-7, 0.01, 0.1, 0.3, 0.3658, 1.0, 2.5, 10.0, 85.0};
enum { N_MEANS = sizeof means / sizeof *means };

START_TEST(tables_hold_the_law_of_poisson)
{
    for (size_t m = 0; m < N_MEANS; m++) {
        spl_event_table table;
        ck_assert(spl_event_table_fill(&table, means[m]));
        const double part = means[m] / table.n_parts;
        double lost = 1.0;
        double before = 0.0;
        ck_assert_uint_le(table.n_thresholds, SPL_MAX_THRESHOLDS);
        for (unsigned t = 0; t <= table.n_thresholds; t++) {
            const double until =
                t < table.n_thresholds ? table.threshold[t] * 0x1p-32 : 1.0;
            const double expected = probability(part, t);
            /* each border is rounded to a multiple of 2^-32, the last takes the tail */
            ck_assert_double_le(fabs(until - before - expected), 2.5 * 0x1p-32);
            lost -= expected;
            before = until;
        }
        ck_assert_double_le(lost, 1.5 * 0x1p-32);
    }
}
END_TEST

START_TEST(small_means_need_one_part_and_no_mean_no_event)
{
    spl_event_table table;
    ck_assert(spl_event_table_fill(&table, 0.1));
    ck_assert_uint_eq(table.n_parts, 1);
    ck_assert_uint_ge(table.n_thresholds, 5);
    ck_assert(spl_event_table_fill(&table, 1.0));
    ck_assert_uint_ge(table.n_parts, 3);
    ck_assert(spl_event_table_fill(&table, 0.0));
    ck_assert_uint_eq(table.n_parts, 0);
    ck_assert(spl_event_table_fill(&table, 1e-300));
    ck_assert_uint_eq(table.n_thresholds, 0);
    ck_assert(!spl_event_table_fill(&table, 1000.0));
}
END_TEST

static uint64_t draw(spl_target target, const spl_event_table *table, uint64_t substep,
    size_t first, size_t n, size_t n_counted, spl_real *counts)
{
    memset(counts, 0, n * sizeof *counts);
    return spl_population_kernels_of(target)->events(
        table, 42, 7, substep, first, n, n_counted, 1, counts);
}

/* 16 bits of a neuron, from the definition of its counter. */
static uint32_t half_of(uint32_t stream, uint64_t substep, size_t neuron)
{
    vec_u64 words[4] = {{substep & 0xffffffffu}, {substep >> 32},
        {neuron / 128 * 16 + neuron % 16}, {stream}};
    philox_words(words, 42);
    const uint32_t word = (uint32_t)words[neuron / 16 % 4][0];
    return neuron / 64 % 2 == 0 ? word & 0xffffu : word >> 16;
}

static uint32_t word_of(uint32_t stream, uint64_t substep, size_t neuron)
{
    return half_of(stream, substep, neuron) << 16 |
           half_of(stream | SPL_STREAM_LOWER, substep, neuron);
}

START_TEST(counts_are_those_of_the_counter)
{
    static const uint64_t substeps[] = {0, 1, 0xffffffffu, 0x123456789abcu};
    for (size_t m = 0; m < N_MEANS; m++) {
        spl_event_table table;
        ck_assert(spl_event_table_fill(&table, means[m]));
        for (int t = 0; t < SPL_N_TARGETS; t++) {
            if (!spl_target_available((spl_target)t)) {
                continue;
            }
            spl_real counts[192];
            const uint64_t substep = substeps[m % 4];
            const uint64_t events =
                draw((spl_target)t, &table, substep, 1024, 192, 150, counts);
            uint64_t total = 0;
            for (size_t i = 0; i < 192; i++) {
                unsigned expected = 0;
                for (uint32_t part = 0; part < table.n_parts; part++) {
                    const uint32_t word = word_of(7 + part, substep, 1024 + i);
                    for (unsigned k = 0; k < table.n_thresholds; k++) {
                        expected += word >= table.threshold[k] ? 1 : 0;
                    }
                }
                total += i < 150 ? expected : 0;
                ck_assert_double_eq((double)counts[i], expected);
            }
            ck_assert_uint_eq(events, total);
        }
    }
}
END_TEST

/* Where the upper 16 bits of a number are those of a threshold, the lower ones tell. */
START_TEST(lower_bits_decide_where_they_must)
{
    static spl_real counts[N];
    spl_event_table table;
    size_t n_decided = 0;
    ck_assert(spl_event_table_fill(&table, 0.3658));
    ck_assert_uint_eq(table.n_parts, 1);
    for (uint64_t substep = 0; substep < 100; substep++) {
        draw(best_target(), &table, substep, 0, N, N, counts);
        for (size_t i = 0; i < N; i++) {
            const uint32_t upper = half_of(7, substep, i);
            for (unsigned k = 0; k < table.n_thresholds; k++) {
                if (upper == table.threshold[k] >> 16) {
                    const uint32_t word = word_of(7, substep, i);
                    unsigned expected = 0;
                    for (unsigned t = 0; t < table.n_thresholds; t++) {
                        expected += word >= table.threshold[t] ? 1 : 0;
                    }
                    ck_assert_double_eq((double)counts[i], expected);
                    n_decided++;
                }
            }
        }
    }
    ck_assert_uint_ge(n_decided, 20);
}
END_TEST

START_TEST(counts_have_the_moments_of_poisson)
{
    static spl_real counts[N];
    enum { SUBSTEPS = 250 };
    const double n = (double)N * SUBSTEPS;
    for (size_t m = 1; m < N_MEANS; m++) {
        spl_event_table table;
        double sum = 0.0;
        double squares = 0.0;
        double many = 0.0;
        const double mean = means[m];
        ck_assert(spl_event_table_fill(&table, mean));
        for (uint64_t s = 0; s < SUBSTEPS; s++) {
            draw(best_target(), &table, s, 0, N, N, counts);
            for (size_t i = 0; i < N; i++) {
                const double off = (double)counts[i] - mean;
                sum += off;
                squares += off * off;
                many += counts[i] >= 3 ? 1.0 : 0.0;
            }
        }
        const double beyond =
            1.0 - probability(mean, 0) - probability(mean, 1) - probability(mean, 2);
        /* the fourth central moment is mean + 3 mean^2 */
        ck_assert_double_le(fabs(sum / n), 4.5 * sqrt(mean / n));
        ck_assert_double_le(
            fabs(squares / n - mean), 4.5 * sqrt((mean + 2.0 * mean * mean) / n) + 1e-6);
        ck_assert_double_le(
            fabs(many / n - beyond), 4.5 * sqrt(beyond * (1.0 - beyond) / n) + 1e-6);
    }
}
END_TEST

/* Relative error of exprel where the quotient of differences loses most. */
START_TEST(exprel_is_exact_near_and_far_from_zero)
{
    const double bound = SPL_REAL_BYTES == 4 ? 7e-7 : 1e-15;
    for (double size = 1e-8; size < 10.0; size *= 1.01) {
        for (int sign = -1; sign <= 1; sign += 2) {
            const spl_real x = (spl_real)(sign * size);
            const spl_real found = vec_exprel(vec_set(x))[0];
            const long double exact = expm1l(x) / (long double)x;
            ck_assert_msg(fabsl(found / exact - 1.0L) < bound, "x = %g", (double)x);
            const spl_real same = vec_exprel_small(vec_set(x))[0];
            ck_assert(memcmp(&found, &same, sizeof same) == 0);
        }
    }
    ck_assert(vec_exprel_small(vec_set(0.0))[0] == 1);
    ck_assert(isnan(vec_exprel_small(vec_set(NAN))[0]));
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("spiking_events");
    TCase *events = tcase_create("events");
    tcase_set_timeout(events, 60);
    tcase_add_test(events, tables_hold_the_law_of_poisson);
    tcase_add_test(events, small_means_need_one_part_and_no_mean_no_event);
    tcase_add_test(events, counts_are_those_of_the_counter);
    tcase_add_test(events, lower_bits_decide_where_they_must);
    tcase_add_test(events, counts_have_the_moments_of_poisson);
    tcase_add_test(events, exprel_is_exact_near_and_far_from_zero);
    suite_add_tcase(suite, events);
    return suite;
}
