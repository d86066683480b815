/* What populations of all models share: external events and sums. */
#include "spiking/kernel.h"
#include "spiking/kernel_events.h"

/* Thresholds before the number `end` and from `begin` on that each word is not below,
 * added to the counts. */
VEC_INLINE void count_thresholds(const spl_event_table *table, size_t begin, size_t end,
    const vec_mask *word, vec_mask *count)
{
    for (size_t t = begin; t < end; t++) {
        /* a > b - 1 for a >= b: the threshold is at least 1 */
        const vec_mask below = ordered_one(table->threshold[t] - 1) - (vec_mask){0};
        SPL_UNROLL
        for (size_t v = 0; v < GROUP_VECTORS; v++) {
            count[v] -= word[v] > below;
        }
    }
}

VEC_INLINE bool any_reaches(const spl_event_table *table, size_t t, const vec_mask *word)
{
    const vec_mask below = ordered_one(table->threshold[t] - 1) - (vec_mask){0};
    vec_mask any = {0};
    SPL_UNROLL
    for (size_t v = 0; v < GROUP_VECTORS; v++) {
        any |= word[v] > below;
    }
    return vec_any(any);
}

/* Counts of one part for one group. */
VEC_INLINE void count_part(const spl_event_table *table, const philox_keys *keys,
    uint32_t stream, uint64_t substep, size_t first, vec_mask *count)
{
    group_words words;
    vec_mask word[GROUP_VECTORS];
    draw_words(keys, stream, substep, first, words);
    SPL_UNROLL
    for (size_t v = 0; v < GROUP_VECTORS; v++) {
        word[v] = ordered(words_of(words, v));
    }
    count_thresholds(table, 0, table->n_common, word, count);
    if (table->n_common < table->n_thresholds &&
        any_reaches(table, table->n_common, word)) {
        count_thresholds(table, table->n_common, table->n_thresholds, word, count);
    }
}

/* Events of the first n_counted neurons of a group. */
static uint64_t count_events(const vec_mask *count, size_t n_counted)
{
    vec_mask sum = {0};
    if (n_counted >= SPL_NEURON_GROUP) {
        for (size_t v = 0; v < GROUP_VECTORS; v++) {
            sum += count[v];
        }
    } else {
        for (size_t i = 0; i < n_counted; i++) {
            sum[0] += count[i / SPL_LANES][i % SPL_LANES];
        }
    }
    uint64_t total = 0;
    for (size_t lane = 0; lane < SPL_LANES; lane++) {
        total += (uint64_t)sum[lane];
    }
    return total;
}

static uint64_t events(const spl_event_table *table, uint64_t seed, uint32_t stream,
    uint64_t substep, size_t first, size_t n, size_t n_counted, spl_real weight,
    spl_real *arrivals)
{
    const philox_keys keys = philox_keys_of(seed);
    uint64_t total = 0;
    for (size_t i = 0; i < n; i += SPL_NEURON_GROUP) {
        vec_mask count[GROUP_VECTORS] = {{0}};
        for (uint32_t part = 0; part < table->n_parts; part++) {
            count_part(table, &keys, stream + part, substep, first + i, count);
        }
        SPL_UNROLL
        for (size_t v = 0; v < GROUP_VECTORS; v++) {
            spl_real *a = arrivals + i + v * SPL_LANES;
            const vec number = vec_from_integer((vec_uint)count[v]);
            vec_store(a, vec_fma(vec_set(weight), number, vec_load(a)));
        }
        total += count_events(count, n_counted > i ? n_counted - i : 0);
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
