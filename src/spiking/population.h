/* One population at run time: state of its neurons and of their receptors, and the ring
 * of input that is on its way. Compiled for both precisions; spl_real is that of the
 * subnetwork, not that of the nodes. */
#ifndef SPL_SPIKING_POPULATION_H
#define SPL_SPIKING_POPULATION_H

#include "base/arena.h"
#include "base/status.h"
#include "simd/tile.h"
#include "spiking/spec.h"

/* Spikes that one block of neurons fired in a run of sub-steps: neuron indices in the
 * population, ascending within a sub-step (a neuron that fires twice within one, which
 * `crossing: located` allows, stands there twice, earlier spike first). */
typedef struct spl_block_spikes {
    uint32_t *neuron; /* [n_substeps * spl_population_spikes_per_substep()] */
    double *fraction; /* the same: place inside the sub-step, (0, 1]; NULL on the grid */
    uint32_t *end;    /* [n_substeps]: where the spikes of each sub-step end */
} spl_block_spikes;

/* Sums of one block over a mean-field step. */
typedef struct spl_block_sums {
    double V;        /* sum of V at the end of the step; set by its last sub-step */
    uint64_t events; /* external events drawn; added to what is there */
} spl_block_sums;

/* Where a block leaves what it did; index j of a mean-field step counts from the first of
 * the last spl_population_set_drive. */
typedef struct spl_block_output {
    spl_block_spikes spikes; /* of this call alone, from its first sub-step on */
    spl_block_sums *sums;    /* [steps of the drive] */
    /* [steps of the drive][2 + n_receptors][n_recorded]: V, u and g of the receptors at
     * the end of each step, of those neurons of spec->recorded that are in the block;
     * NULL: not wanted */
    float *recorded;
} spl_block_output;

/* What a population is made of; all of it outlives the population. */
typedef struct spl_population_setup {
    const spl_subnetwork_spec *subnetwork;
    size_t index;  /* of the population in it */
    double dt;     /* mean-field step, ms */
    double Q_max;  /* of the node's observable */
    uint64_t seed; /* of the run */
    spl_target target;
    size_t n_slots;   /* longest delay of a projection to it + 1, at least 2; sub-steps */
    size_t max_steps; /* most mean-field steps of one spl_population_set_drive */
} spl_population_setup;

typedef struct spl_population {
    const spl_population_spec *spec;
    size_t n, stride; /* stride: n padded to whole groups, and perhaps one more */
    size_t n_blocks;  /* of SPL_NEURON_BLOCK neurons, the last may be shorter */
    uint64_t seed;    /* of its random streams: of run and name */
    double h;         /* ms */
    size_t n_slots;   /* of the ring: longest delay + 1 */
    /* [n_slots][stride] for each receptor: arrivals of sub-step s in slot s mod n_slots,
     * read and zeroed when s is advanced */
    spl_real *ring[SPL_MAX_RECEPTORS];
    /* [stride] each: V, u (NULL if the model has none); the one or two arrays of each
     * receptor, NULL where its kernel needs none */
    spl_real *state[SPL_NEURON_MAX_STATES];
    spl_real *g[SPL_MAX_RECEPTORS][2];
    struct spl_population_private *own; /* parameters, constants, refractory counters */
} spl_population;

#define spl_population_lay_out            SPL_PRECISE(spl_population_lay_out)
#define spl_population_draw               SPL_PRECISE(spl_population_draw)
#define spl_population_reset              SPL_PRECISE(spl_population_reset)
#define spl_population_set_drive          SPL_PRECISE(spl_population_set_drive)
#define spl_population_advance_block      SPL_PRECISE(spl_population_advance_block)
#define spl_population_spikes_per_substep SPL_PRECISE(spl_population_spikes_per_substep)
#define spl_population_diverged           SPL_PRECISE(spl_population_diverged)
#define spl_population_state_bytes        SPL_PRECISE(spl_population_state_bytes)
#define spl_population_copy_state         SPL_PRECISE(spl_population_copy_state)
#define spl_population_put_state          SPL_PRECISE(spl_population_put_state)
#define spl_population_cost               SPL_PRECISE(spl_population_cost)

/* Take the arrays of a population from an arena: with one that measures, then, with the
 * same setup, with one that places. */
void spl_population_lay_out(
    spl_population *population, spl_arena *arena, const spl_population_setup *setup);
/* Draw parameters and form all constants; once, after the placing layout. Result: SPL_OK;
 * SPL_ERR_CONFIG (a drawn value for which the equations break; a rate of a background
 * that the sub-step cannot carry). */
SPL_MUST_CHECK spl_status spl_population_draw(spl_population *population);
/* Initial state, empty ring. */
void spl_population_reset(spl_population *population);

/* Say what drives the population in the mean-field steps k .. k + n - 1, n <= max_steps:
 * from D (NULL: 0) follow nu = nu0 + K_ext r_max D / Q_max, its tables for the random
 * counts, and the rate of a relay. By one thread, while no block is under way. Result:
 * SPL_OK; SPL_ERR_DIVERGED (D is not a finite number); SPL_ERR_LIMIT (more events in a
 * sub-step than the tables carry). */
SPL_MUST_CHECK spl_status spl_population_set_drive(
    spl_population *population, uint64_t k, size_t n, const double *D);

/* Advance one block by the sub-steps first .. first + n_substeps - 1, all of them inside
 * the mean-field steps of the drive: input of sub-step s is taken from the ring, so
 * nothing may arrive during the call. Threads may advance different blocks of one
 * population at the same time. */
void spl_population_advance_block(const spl_population *population, size_t block,
    uint64_t first, size_t n_substeps, spl_block_output *out);
/* Most spikes of one block in one sub-step. */
size_t spl_population_spikes_per_substep(const spl_population *population);

/* Whether a state of the population is no longer a finite number, and of which neuron. */
bool spl_population_diverged(const spl_population *population, size_t *neuron);

/* Everything that advancing changes: V, u, g, the ring, refractory counters. The place in
 * the ring follows from the sub-step. */
size_t spl_population_state_bytes(const spl_population *population);
void spl_population_copy_state(const spl_population *population, void *out);
void spl_population_put_state(spl_population *population, const void *state);

/* Nanoseconds that one sub-step of all its neurons is expected to take. */
double spl_population_cost(const spl_population *population);

/* Seed of the streams of a named part: of (seed, name) alone, so that adding a part
 * leaves all others as they were. */
uint64_t spl_named_seed(uint64_t seed, const char *name);

#endif
