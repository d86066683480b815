/* What populations of all models share: external events and sums. */
#include "spiking/kernel.h"
#include "spiking/kernel_events.h"
#include "spiking/streams.h"

/* A random number of 32 bits is compared with thresholds, but its upper 16 bits nearly
 * always tell the answer: a word serves two neurons, and the lower 16 bits are drawn only
 * where they matter. The generator is most of the cost of an event. */
enum { HALVES = 2, PAIR = HALVES * SPL_NEURON_GROUP };

typedef vec_mask group_numbers[GROUP_VECTORS];

/* 16 bits for each neuron of a pair of groups, the first in the lower halves of words. */
VEC_INLINE void draw_halves(const philox_keys *keys, uint32_t stream, uint64_t substep,
    uint64_t call, group_numbers *number)
{
    group_words words;
    draw_words(keys, stream, substep, call, words);
    SPL_UNROLL
    for (size_t v = 0; v < GROUP_VECTORS; v++) {
        const vec_uint word = words_of(words, v);
        number[0][v] = (vec_mask)(word & 0xffffu);
        number[1][v] = (vec_mask)(word >> 16 & 0xffffu);
    }
}

VEC_INLINE vec_mask every_lane(uint32_t x)
{
    return (spl_mask)x - (vec_mask){0};
}

/* Counts from the upper bits alone; false if lower bits may change one. */
VEC_INLINE bool count_upper(
    const spl_event_table *table, const vec_mask *upper, vec_mask *count)
{
    vec_mask unsure = {0}; /* negative where one is */
    for (size_t v = 0; v < GROUP_VECTORS; v++) {
        count[v] = (vec_mask){0};
    }
    for (size_t t = 0; t < table->n_common; t++) {
        const vec_mask border = every_lane(table->threshold[t] >> 16);
        SPL_UNROLL
        for (size_t v = 0; v < GROUP_VECTORS; v++) {
            count[v] -= upper[v] > border;
            unsure += upper[v] == border;
        }
    }
    if (table->n_common < table->n_thresholds) {
        const vec_mask rare = every_lane(table->threshold[table->n_common] >> 16) - 1;
        SPL_UNROLL
        for (size_t v = 0; v < GROUP_VECTORS; v++) {
            unsure += upper[v] > rare;
        }
    }
    return !vec_any(unsure);
}

static void count_all_bits(const spl_event_table *table, const vec_mask *upper,
    const vec_mask *lower, vec_mask *count)
{
    for (size_t v = 0; v < GROUP_VECTORS; v++) {
        const vec_mask number = ordered((vec_uint)(upper[v] << 16 | lower[v]));
        count[v] = (vec_mask){0};
        for (size_t t = 0; t < table->n_thresholds; t++) {
            /* a > b - 1 for a >= b: the threshold is at least 1 */
            count[v] -= number > ordered_one(table->threshold[t] - 1) - (vec_mask){0};
        }
    }
}

/* Counts of one part for a pair of groups, added to those of the parts before. */
VEC_INLINE void add_part(const spl_event_table *table, const philox_keys *keys,
    uint32_t stream, uint64_t substep, uint64_t call, group_numbers *total)
{
    group_numbers upper[HALVES];
    group_numbers lower[HALVES];
    bool has_lower = false;
    draw_halves(keys, stream, substep, call, upper);
    for (size_t half = 0; half < HALVES; half++) {
        group_numbers count;
        if (!count_upper(table, upper[half], count)) {
            if (!has_lower) {
                draw_halves(keys, stream | SPL_STREAM_LOWER, substep, call, lower);
                has_lower = true;
            }
            count_all_bits(table, upper[half], lower[half], count);
        }
        SPL_UNROLL
        for (size_t v = 0; v < GROUP_VECTORS; v++) {
            total[half][v] += count[v];
        }
    }
}

static uint64_t sum_of_lanes(vec_mask x)
{
    uint64_t total = 0;
    for (size_t lane = 0; lane < SPL_LANES; lane++) {
        total += (uint64_t)x[lane];
    }
    return total;
}

/* Events of the first n_counted neurons of a group that has more. */
static uint64_t sum_of_some(const vec_mask *count, size_t n_counted)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n_counted; i++) {
        total += (uint64_t)count[i / SPL_LANES][i % SPL_LANES];
    }
    return total;
}

VEC_INLINE void clear(group_numbers *count)
{
    SPL_UNROLL
    for (size_t v = 0; v < GROUP_VECTORS; v++) {
        count[0][v] = (vec_mask){0};
        count[1][v] = (vec_mask){0};
    }
}

static uint64_t events(const spl_event_table *table, uint64_t seed, uint32_t stream,
    uint64_t substep, size_t first, size_t n, size_t n_counted, spl_real weight,
    spl_real *arrivals)
{
    const philox_keys keys = philox_keys_of(seed);
    vec_mask sum = {0};
    uint64_t total = 0;
    group_numbers count[HALVES];
    for (size_t i = 0; i < n; i += SPL_NEURON_GROUP) {
        if (i % PAIR == 0) {
            clear(count);
            for (uint32_t part = 0; part < table->n_parts; part++) {
                add_part(table, &keys, stream + part, substep,
                    (first + i) / PAIR * GROUP_CALLS, count);
            }
        }
        const vec_mask *own = count[i % PAIR / SPL_NEURON_GROUP];
        SPL_UNROLL
        for (size_t v = 0; v < GROUP_VECTORS; v++) {
            spl_real *a = arrivals + i + v * SPL_LANES;
            const vec number = vec_from_integer((vec_uint)own[v]);
            vec_store(a, vec_fma(vec_set(weight), number, vec_load(a)));
        }
        if (i + SPL_NEURON_GROUP > n_counted) {
            total += sum_of_some(own, n_counted > i ? n_counted - i : 0);
            continue;
        }
        SPL_UNROLL
        for (size_t v = 0; v < GROUP_VECTORS; v++) {
            sum += own[v];
        }
    }
    return total + sum_of_lanes(sum);
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
