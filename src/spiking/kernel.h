/* What a neuron model's file turns into: one table of functions per SIMD target and
 * precision, and the arguments of its kernels. A kernel advances the neurons of one block
 * by one sub-step. */
#ifndef SPL_SPIKING_KERNEL_H
#define SPL_SPIKING_KERNEL_H

#include "simd/tile.h"
#include "spiking/events.h"
#include "spiking/spec.h"

#define SPL_NEURON_MAX_CONSTANTS 12

/* A constant of the neurons, formed from their parameters: that of neuron i is
 * value[i & mask]. One that is the same for all is stored for one group only. */
typedef struct spl_neuron_constant {
    const spl_real *value;
    size_t mask; /* SPL_NEURON_GROUP - 1 or SIZE_MAX */
} spl_neuron_constant;

/* A receptor of one population, times in sub-steps. */
typedef struct spl_receptor_run {
    spl_receptor_kernel kernel;
    spl_receptor_effect effect;
    spl_receptor_block block;
    spl_real decay[2]; /* e^(-h / tau) of its arrays */
    spl_real gain;     /* dual: A of the unit peak; alpha: e h / tau */
    spl_real E;
    spl_real Mg; /* in units of 3.57 mM */
    spl_real *g[2];
} spl_receptor_run;

/* Everything that stays the same for a whole run. */
typedef struct spl_neuron_run {
    size_t n;
    double h;
    spl_neuron_scheme scheme;
    bool located, linearise_input;
    size_t n_receptors;
    spl_receptor_run receptor[SPL_MAX_RECEPTORS];
    spl_neuron_constant constant[SPL_NEURON_MAX_CONSTANTS];
    /* Nothing but conductances with exponential kernels: no block, no refractory time, no
     * lower bound, no noise, capacitance 1, spikes on the grid, input linearised. */
    bool plain;
    spl_real *state[SPL_NEURON_MAX_STATES];
    spl_real *held; /* sub-steps of the refractory time that are left; NULL: none */
    spl_real n_held;
    spl_real V_min;
    spl_real sigma[SPL_NEURON_MAX_STATES]; /* of the noise of a sub-step */
} spl_neuron_run;

/* Drive of one mean-field step. */
typedef struct spl_step_drive {
    /* deterministic drive: added to the arrays of a receptor after their decay */
    bool flows;
    spl_real inflow[SPL_MAX_RECEPTORS][2];
    spl_real jump;  /* of V in each sub-step: into a delta receptor */
    double current; /* mV/ms, before 1 / C */
    uint32_t fires; /* a relay fires if its word is below; 2^32 - 1: always */
} spl_step_drive;

/* One sub-step of the neurons first .. first + n - 1 of a population; first is a multiple
 * of SPL_NEURON_BLOCK. */
typedef struct spl_neuron_step {
    size_t first, n;
    uint64_t substep, seed;
    spl_real *arrivals[SPL_MAX_RECEPTORS]; /* [stride], zeroed by the kernel */
    const spl_step_drive *drive;
    spl_real current;                             /* common to all neurons */
    const spl_real *noise[SPL_NEURON_MAX_STATES]; /* normals [n] or NULL */
    /* out: appended to, with room for all that can fire */
    uint32_t *spike;
    double *fraction; /* only if located */
    size_t n_spikes;
} spl_neuron_step;

/* Spikes of a neuron in one sub-step if crossings are located; after the last it rests at
 * the reset value until the sub-step ends. */
enum { SPL_LOCATED_SPIKES = 4 };

typedef struct spl_neuron_kernels {
    const spl_neuron_model *model;
    size_t n_constants;
    /* Constants of a neuron from its parameters and its constant current. The first is
     * 1 / C: what turns input into its change of V. */
    void (*derive)(const double *params, double current, double h,
        spl_neuron_scheme scheme, double *constants);
    /* Where the second state starts if it follows V. */
    double (*follow)(const double *params, double V);
    void (*step)(const spl_neuron_run *run, spl_neuron_step *step);
} spl_neuron_kernels;

#define spl_neuron_kernels_of SPL_PRECISE(spl_neuron_kernels_of)
/* Kernels of a model; of the model that it is a parameterisation of. */
const spl_neuron_kernels *spl_neuron_kernels_of(
    const spl_neuron_model *model, spl_target target);

/* What all models share. */
typedef struct spl_population_kernels {
    /* Draw the external events of one source for the n neurons of a block from `first` on
     * and add weight times their number to `arrivals` [n]. Returns their number. */
    uint64_t (*events)(const spl_event_table *table, uint64_t seed, uint32_t stream,
        uint64_t substep, size_t first, size_t n, spl_real weight, spl_real *arrivals);
    /* Sum of n numbers, in an order that depends on n alone. */
    double (*sum)(const spl_real *x, size_t n);
} spl_population_kernels;

#define spl_population_kernels_of SPL_PRECISE(spl_population_kernels_of)
const spl_population_kernels *spl_population_kernels_of(spl_target target);

#endif
