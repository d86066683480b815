/* Subnetworks of one precision behind spl_subnetwork. */
#ifndef SPL_SPIKING_CORE_H
#define SPL_SPIKING_CORE_H

#include "spiking/interface.h"
#include "spiking/subnetwork.h"

/* Sub-steps that a block of neurons goes through in the nearest caches before its spikes
 * are delivered, if no delay is shorter. */
#define SPL_MAX_CHUNK 16

typedef struct spl_subnetwork_ops {
    uint64_t (*memory)(const spl_subnetwork_spec *spec, const spl_subnetwork_run *run);
    spl_status (*create)(spl_subnetwork **out, const spl_subnetwork_spec *spec,
        const spl_subnetwork_run *run);
    void (*free)(spl_subnetwork *subnetwork);
    void (*reset)(spl_subnetwork *subnetwork);
    /* Prepare n steps from k on; by one thread. */
    spl_status (*open)(
        spl_subnetwork *subnetwork, uint64_t k, size_t n, const double *drive);
    /* The team member's share of the states goes through a chunk. */
    void (*advance)(spl_subnetwork *subnetwork, uint64_t first, size_t n_substeps,
        const spl_team *team);
    /* Put the spikes of the chunk, which every block has by itself, into those of the
     * populations; by one thread. */
    spl_status (*gather)(spl_subnetwork *subnetwork, uint64_t first, size_t n_substeps);
    /* The member's share of their targets. */
    void (*deliver)(spl_subnetwork *subnetwork, uint64_t first, size_t n_substeps,
        const spl_team *team);
    /* Sums of the n steps, which become those from `at` on of the block; by one thread.
     */
    spl_status (*close)(spl_subnetwork *subnetwork, size_t at, size_t n);
    size_t (*state_bytes)(const spl_subnetwork *subnetwork);
    void (*copy_state)(const spl_subnetwork *subnetwork, void *out);
    void (*put_state)(spl_subnetwork *subnetwork, const void *state);
    double (*cost)(const spl_subnetwork *subnetwork);
} spl_subnetwork_ops;

extern const spl_subnetwork_ops spl_subnetwork_double, spl_subnetwork_single;

/* Spikes of one population in the present block, and the arrays of its steps. */
typedef struct spl_population_record {
    size_t n_spikes, capacity;
    double *time;
    uint32_t *neuron;
    size_t chunk[SPL_MAX_CHUNK + 1]; /* where the spikes of each sub-step of the chunk
                                        begin */
    double *rate, *mean_V;           /* [max_steps] */
    uint64_t *events, *count;        /* [max_steps]; count: spikes */
    float *recorded; /* [max_steps][2 + n_receptors][n_recorded], NULL: nothing */
} spl_population_record;

struct spl_subnetwork {
    const spl_subnetwork_ops *ops;
    const spl_subnetwork_spec *spec;
    spl_subnetwork_run run;
    double h;     /* sub-step, ms */
    size_t chunk; /* sub-steps between deliveries, at most */
    size_t n_neurons, n_sending;
    bool *sends; /* [n_populations]: its spikes count in Q_hat */
    uint64_t n_synapses, n_short_delays, bytes;
    spl_rate_filter filter;
    spl_population_record *records;   /* [n_populations] */
    double *drive, *filtered, *Q_hat; /* [max_steps] */
    spl_population_block *populations;
    spl_subnetwork_block block;
    uint64_t first_substep;
    _Atomic spl_status status; /* an error stays; for all members of the team */
    char message[512];
};

/* subnetwork.c: what both precisions share */

/* Fill in all but what only the precise part knows; release it again. */
SPL_MUST_CHECK spl_status spl_subnetwork_init(spl_subnetwork *subnetwork,
    const spl_subnetwork_spec *spec, const spl_subnetwork_run *run);
void spl_subnetwork_deinit(spl_subnetwork *subnetwork);
/* Room for `more` further spikes. Result: SPL_OK; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_population_record_reserve(
    spl_population_record *record, size_t more, const char *name);

#endif
