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

static const double means[] = {1e-7, 0.01, 0.1, 0.3, 0.5, 1.0, 2.5, 10.0, 120.0};
enum { N_MEANS = sizeof means / sizeof *means };

START_TEST(tables_hold_the_law_of_poisson)
{
    for (size_t m = 0; m < N_MEANS; m++) {
        spl_event_table table;
        ck_assert(spl_event_table_fill(&table, means[m]));
        const double part = means[m] * table.cell / table.n_parts;
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

START_TEST(cells_hold_eight_events_at_most)
{
    static const struct {
        double mean;
        uint32_t cell, n_parts;
    } wanted[] = {{0.1, 64, 1}, {0.125, 64, 1}, {0.126, 32, 1}, {1.0, 8, 1}, {8.0, 1, 1},
        {8.1, 1, 2}, {128.0, 1, 16}};
    spl_event_table table;
    for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
        ck_assert(spl_event_table_fill(&table, wanted[w].mean));
        ck_assert_uint_eq(table.cell, wanted[w].cell);
        ck_assert_uint_eq(table.n_parts, wanted[w].n_parts);
    }
    ck_assert(spl_event_table_fill(&table, 0.0));
    ck_assert_uint_eq(table.n_parts, 0);
    ck_assert(spl_event_table_fill(&table, 1e-300));
    ck_assert_uint_eq(table.n_thresholds, 0);
    ck_assert(!spl_event_table_fill(&table, 129.0));
}
END_TEST

static uint64_t draw(spl_target target, const spl_event_table *table, uint64_t substep,
    size_t first, size_t n, spl_real *counts)
{
    memset(counts, 0, n * sizeof *counts);
    return spl_population_kernels_of(target)->events(
        table, 42, 7, substep, first, n, 1, counts);
}

/* Word `number` of a block, from the definition of its counter. */
static uint32_t word_of(
    uint32_t stream, uint64_t substep, size_t block, size_t calls, size_t number)
{
    const uint64_t call = block * calls + number / 32 * 8 + number % 8;
    vec_u64 words[4] = {{substep & 0xffffffffu}, {substep >> 32}, {call}, {stream}};
    philox_words(words, 42);
    return (uint32_t)words[number / 8 % 4][0];
}

/* Counts of the neurons of a block, one event after the other. */
static void expect(const spl_event_table *table, uint64_t substep, size_t block, size_t n,
    unsigned *counts)
{
    size_t event = 0;
    memset(counts, 0, (n + SPL_MAX_CELL) * sizeof *counts);
    for (size_t cell = 0; cell * table->cell < n; cell++) {
        unsigned n_events = 0;
        for (uint32_t part = 0; part < table->n_parts; part++) {
            const uint32_t word = word_of(7 + part, substep, block, 256, cell);
            for (unsigned t = 0; t < table->n_thresholds; t++) {
                n_events += word >= table->threshold[t] ? 1 : 0;
            }
        }
        if (table->cell == 1) {
            counts[cell] = n_events;
            continue;
        }
        for (unsigned e = 0; e < n_events; e++, event++) {
            const uint32_t word =
                word_of(7 | SPL_STREAM_CHOICE, substep, block, 2048, event / 4);
            const uint32_t byte = word >> 8 * (event % 4) & 0xffu;
            counts[cell * table->cell + byte * table->cell / 256]++;
        }
    }
}

START_TEST(counts_are_those_of_the_counter)
{
    static const uint64_t substeps[] = {0, 1, 0xffffffffu, 0x123456789abcu};
    static const size_t sizes[] = {1024, 150, 1, 1000};
    for (size_t m = 0; m < 4 * N_MEANS; m++) {
        const size_t n = sizes[m % 4];
        spl_event_table table;
        ck_assert(spl_event_table_fill(&table, means[m / 4]));
        for (int t = 0; t < SPL_N_TARGETS; t++) {
            if (!spl_target_available((spl_target)t)) {
                continue;
            }
            spl_real counts[SPL_NEURON_BLOCK];
            unsigned expected[SPL_NEURON_BLOCK + SPL_MAX_CELL];
            uint64_t total = 0;
            const uint64_t events =
                draw((spl_target)t, &table, substeps[m % 4], 3072, n, counts);
            expect(&table, substeps[m % 4], 3, n, expected);
            for (size_t i = 0; i < n; i++) {
                ck_assert_double_eq((double)counts[i], expected[i]);
                total += expected[i];
            }
            ck_assert_uint_eq(events, total);
        }
    }
}
END_TEST

/* Neighbours draw together and must not know it: the counts of two neurons of a cell are
 * not correlated, and every neuron has its share. */
START_TEST(neurons_of_a_cell_are_independent)
{
    enum { SUBSTEPS = 40000 };
    static double sum[SPL_MAX_CELL];
    double product = 0.0;
    spl_event_table table;
    const double mean = 0.1;
    ck_assert(spl_event_table_fill(&table, mean));
    ck_assert_uint_eq(table.cell, SPL_MAX_CELL);
    for (uint64_t s = 0; s < SUBSTEPS; s++) {
        spl_real counts[SPL_MAX_CELL];
        draw(best_target(), &table, s, 0, SPL_MAX_CELL, counts);
        for (size_t i = 0; i < SPL_MAX_CELL; i++) {
            sum[i] += (double)counts[i] - mean;
            product += ((double)counts[i] - mean) *
                       ((double)counts[(i + 1) % SPL_MAX_CELL] - mean);
        }
    }
    double chi_square = 0.0;
    for (size_t i = 0; i < SPL_MAX_CELL; i++) {
        chi_square += sum[i] * sum[i] / (mean * SUBSTEPS);
    }
    /* 64 degrees of freedom: mean 64, standard deviation 11.3 */
    ck_assert(chi_square > 64.0 - 4.5 * 11.3 && chi_square < 64.0 + 4.5 * 11.3);
    /* the product has variance mean^2 */
    ck_assert_double_le(
        fabs(product), 4.5 * mean * sqrt((double)SUBSTEPS * SPL_MAX_CELL));
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
            for (size_t i = 0; i < N; i += SPL_NEURON_BLOCK) {
                draw(best_target(), &table, s, i, SPL_NEURON_BLOCK, counts + i);
            }
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
    tcase_add_test(events, cells_hold_eight_events_at_most);
    tcase_add_test(events, counts_are_those_of_the_counter);
    tcase_add_test(events, neurons_of_a_cell_are_independent);
    tcase_add_test(events, counts_have_the_moments_of_poisson);
    tcase_add_test(events, exprel_is_exact_near_and_far_from_zero);
    suite_add_tcase(suite, events);
    return suite;
}
