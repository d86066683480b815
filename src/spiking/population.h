/* One population at run time: state of its neurons and of their receptors, and the ring
 * of input that is on its way. Compiled for both precisions; spl_real is that of the
 * subnetwork, not that of the nodes. */
#ifndef SPL_SPIKING_POPULATION_H
#define SPL_SPIKING_POPULATION_H

#include "base/arena.h"
#include "base/status.h"
#include "spiking/spec.h"

/* What drives a population during one mean-field step; a function of nu and D alone,
 * formed once for all its blocks. */
typedef struct spl_step_drive spl_step_drive;

/* Spikes that one block of neurons fired in a run of sub-steps: neuron indices in the
 * population, ascending within a sub-step. */
typedef struct spl_block_spikes {
    uint32_t *neuron; /* [n_substeps * SPL_NEURON_BLOCK] */
    double *fraction; /* the same: place inside the sub-step, (0, 1]; NULL on the grid */
    uint32_t *end;    /* [n_substeps]: where the spikes of each sub-step end */
} spl_block_spikes;

/* Sums of one block over a mean-field step. */
typedef struct spl_block_sums {
    double V;        /* sum of V at the end of the step */
    uint64_t events; /* external events drawn */
} spl_block_sums;

typedef struct spl_population {
    const spl_population_spec *spec;
    size_t n, stride; /* stride: n padded to a multiple of SPL_TILE */
    size_t n_blocks;  /* of SPL_NEURON_BLOCK neurons */
    uint64_t seed;    /* of its random streams: of run and name */
    double h;         /* ms */
    size_t n_slots;   /* of the ring: longest delay + 1 */
    /* [n_slots][stride] for each receptor: arrivals of sub-step s in slot s mod n_slots,
     * read and zeroed when s is advanced */
    spl_real *ring[SPL_MAX_RECEPTORS];
    /* [stride] each: V, u; the one or two arrays of each receptor */
    spl_real *state[SPL_NEURON_MAX_STATES];
    spl_real *g[SPL_MAX_RECEPTORS][2];
    struct spl_population_private *own; /* parameters, constants, refractory counters */
} spl_population;

/* Seed of the streams of a named part: of (seed, name) alone, so that adding a part
 * leaves all others as they were. */
uint64_t spl_named_seed(uint64_t seed, const char *name);

#endif
