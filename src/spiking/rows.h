/* The synapses of one projection: rows by source, cut at the parts of the target
 * population. A thread that owns a part adds all spikes to it alone, in the order of
 * emission sub-step, projection and source, so sums depend on neither threads nor parts.
 * Which synapses there are depends on nothing but the seed of the run and the projection,
 * not even on the precision. */
#ifndef SPL_SPIKING_ROWS_H
#define SPL_SPIKING_ROWS_H

#include "base/status.h"
#include "simd/dispatch.h"
#include "simd/tile.h"
#include "spiking/spec.h"

typedef struct spl_rows spl_rows;

/* Neurons of a part of a population of n: a multiple of SPL_NEURON_BLOCK, at most 65536,
 * so that a target fits 16 bits; a function of n alone. */
size_t spl_part_size(size_t n);

typedef struct spl_rows_run {
    double h;          /* sub-step, ms */
    uint64_t seed;     /* of the run; the projection's name makes it its own */
    size_t part_size;  /* 0: spl_part_size; for tests: any multiple of SPL_TILE */
    spl_target target; /* of the random numbers; all targets make the same synapses */
} spl_rows_run;

/* Bytes that projection `p` will take, at the expected number of synapses where that is
 * random; UINT64_MAX if they cannot be counted. */
uint64_t spl_rows_predict_bytes(
    const spl_subnetwork_spec *spec, size_t p, const spl_rows_run *run);
/* Sub-steps that no delay of a projection exceeds, for memory before rows are made; at
 * most SPL_MAX_DELAY_STEPS. */
uint32_t spl_rows_predict_delay(const spl_projection_spec *projection, double h);

/* Draw the synapses of projection `p` of `spec`, which need not outlive the rows.
 * Result: SPL_OK; SPL_ERR_CONFIG naming the projection: a rule that cannot be met, a
 * negative conductance, a delay out of range; SPL_ERR_LIMIT; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_rows_create(
    spl_rows **out, const spl_subnetwork_spec *spec, size_t p, const spl_rows_run *run);
void spl_rows_free(spl_rows *rows);

uint64_t spl_rows_n_synapses(const spl_rows *rows);
uint64_t spl_rows_bytes(const spl_rows *rows);
/* Synapses whose delay rounded to no sub-step at all and became one, for a warning. */
uint64_t spl_rows_n_short(const spl_rows *rows);
/* Shortest and longest delay in sub-steps; both 1 if there is no synapse. */
uint32_t spl_rows_min_delay(const spl_rows *rows);
uint32_t spl_rows_max_delay(const spl_rows *rows);

typedef struct spl_synapse {
    uint32_t target, delay; /* sub-steps */
    double weight;          /* as stored */
} spl_synapse;

/* The synapses of one source, by part, delay and target. Returns their number, and
 * writes the first `most` of them; `out` may be NULL with most = 0. */
size_t spl_rows_copy(
    const spl_rows *rows, uint32_t source, size_t most, spl_synapse *out);

typedef struct spl_delivery_kernels {
    /* Add the spikes of one sub-step to the input of one part: for every synapse of
     * every source, its weight to ring[(substep + delay) mod n_slots][target].
     *   sources  [n_sources] neurons that spiked, ascending
     *   ring     [n_slots][stride] of the receptor, whole population; n_slots above the
     *            longest delay; stride that of the population */
    void (*deliver)(const spl_rows *rows, size_t part, const uint32_t *sources,
        size_t n_sources, uint64_t substep, spl_real *ring, size_t n_slots,
        size_t stride);
} spl_delivery_kernels;

/* Only for rows of a subnetwork of this precision. */
#define spl_delivery_kernels_of SPL_PRECISE(spl_delivery_kernels_of)
const spl_delivery_kernels *spl_delivery_kernels_of(spl_target target);

#endif
