/* What populations of all models share: external events and sums. */
#include <string.h>

#include "spiking/kernel.h"
#include "spiking/kernel_events.h"
#include "spiking/streams.h"

enum {
    BYTES = 4 * BATCH_WORDS,
    /* most events of a block in one sub-step, and their words */
    MOST_EVENTS = SPL_NEURON_BLOCK / 2 * SPL_MAX_THRESHOLDS,
    EVENT_WORDS = (MOST_EVENTS + BYTES - 1) / BYTES * BATCH_WORDS,
    /* numbers of the calls of a block; the last block of all has the last one */
    EVENT_CALLS = 2048
};
_Static_assert(EVENT_WORDS <= 4 * EVENT_CALLS, "too few calls for the events of a block");

/* Add one part to the counts of n cells. */
static void add_part(
    const spl_event_table *table, const uint32_t *word, size_t n, uint32_t *count)
{
    for (uint32_t t = 0; t < table->n_thresholds; t++) {
        const uint32_t threshold = table->threshold[t];
        for (size_t i = 0; i < n; i++) {
            count[i] += word[i] >= threshold;
        }
    }
}

/* Neurons of all events, cell by cell, of which each has a byte; returns how many events
 * there are. Places beyond the last may be written. */
static size_t place_events(const spl_event_table *table, const uint32_t *count,
    size_t n_cells, const uint8_t *byte, uint16_t *neuron)
{
    enum { AT_ONCE = 16 };
    const unsigned shift = 8 - (unsigned)__builtin_ctz(table->cell);
    size_t n = 0;
    for (size_t c = 0; c < n_cells; c++) {
        const uint16_t first = (uint16_t)(c * table->cell);
        /* as many as most cells have, so that nothing depends on the count */
        for (size_t e = 0; e < count[c] || e == 0; e += AT_ONCE) {
            for (size_t i = 0; i < AT_ONCE; i++) {
                neuron[n + e + i] = (uint16_t)(first + (byte[n + e + i] >> shift));
            }
        }
        n += count[c];
    }
    return n;
}

/* Cells of one neuron: nothing to choose. */
static uint64_t add_counts(
    const uint32_t *count, size_t n, spl_real weight, spl_real *arrivals)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        arrivals[i] = spl_fma(weight, (spl_real)count[i], arrivals[i]);
        total += count[i];
    }
    return total;
}

static uint64_t events(const spl_event_table *table, uint64_t seed, uint32_t stream,
    uint64_t substep, size_t first, size_t n, spl_real weight, spl_real *arrivals)
{
    const philox_keys keys = philox_keys_of(seed);
    const uint64_t block = first / SPL_NEURON_BLOCK;
    const size_t n_cells = (n + table->cell - 1) / table->cell;
    uint32_t word[SPL_NEURON_BLOCK];
    uint32_t count[SPL_NEURON_BLOCK];
    memset(count, 0, n_cells * sizeof *count);
    for (uint32_t part = 0; part < table->n_parts; part++) {
        draw_batches(&keys, stream + part, substep, block * BLOCK_CALLS,
            (n_cells + BATCH_WORDS - 1) / BATCH_WORDS, word);
        add_part(table, word, n_cells, count);
    }
    if (table->cell == 1) {
        return add_counts(count, n, weight, arrivals);
    }
    uint32_t choice[EVENT_WORDS + BATCH_WORDS];
    uint16_t neuron[MOST_EVENTS + BYTES];
    uint64_t total = 0;
    size_t n_events = 0;
    for (size_t c = 0; c < n_cells; c++) {
        n_events += count[c];
    }
    draw_batches(&keys, stream | SPL_STREAM_CHOICE, substep, block * EVENT_CALLS,
        (n_events + BYTES - 1) / BYTES, choice);
    place_events(table, count, n_cells, (const uint8_t *)choice, neuron);
    for (size_t e = 0; e < n_events; e++) {
        /* the last cell may reach beyond the last neuron */
        if (neuron[e] < n) {
            arrivals[neuron[e]] += weight;
            total++;
        }
    }
    return total;
}

/* Sixteen partial sums in double, of numbers sixteen apart, four of which are added
 * first: as many numbers have to be made double. */
static double sum(const spl_real *x, size_t n)
{
    enum { PARTS = SPL_NEURON_GROUP / 4 };
    double part[PARTS] = {0};
    size_t i = 0;
    for (; i + SPL_NEURON_GROUP <= n; i += SPL_NEURON_GROUP) {
        for (size_t q = 0; q < PARTS; q++) {
            const spl_real *at = x + i + q;
            part[q] += (double)((at[0] + at[PARTS]) + (at[2 * PARTS] + at[3 * PARTS]));
        }
    }
    for (; i < n; i++) {
        part[i % PARTS] += (double)x[i];
    }
    double total = 0.0;
    for (size_t q = 0; q < PARTS; q++) {
        total += part[q];
    }
    return total;
}

const spl_population_kernels SPL_TARGETED(spl_population_kernels);
const spl_population_kernels SPL_TARGETED(spl_population_kernels) = {
    .events = events, .sum = sum};
