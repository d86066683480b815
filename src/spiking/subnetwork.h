/* A spiking subnetwork at run time, behind an interface that does not know the precision
 * of its numbers: populations, synapses, drive from the node that carries it, filtered
 * rate back to it. */
#ifndef SPL_SPIKING_SUBNETWORK_H
#define SPL_SPIKING_SUBNETWORK_H

#include "base/status.h"
#include "simd/dispatch.h"
#include "spiking/spec.h"

typedef struct spl_subnetwork spl_subnetwork;

/* Threads that advance one subnetwork together: all call spl_subnetwork_advance with
 * their own index; wait() returns when all have called it. */
typedef struct spl_team {
    size_t index, count;
    void (*wait)(void *barrier);
    void *barrier;
} spl_team;

typedef struct spl_subnetwork_run {
    double dt;     /* mean-field step, ms */
    double Q_max;  /* of the node's observable; 1 when alone */
    uint64_t seed; /* of the run */
    spl_target target;
    size_t max_steps; /* most mean-field steps of a block */
} spl_subnetwork_run;

/* What a block of mean-field steps left behind, since spl_subnetwork_begin; valid until
 * the next one. */
typedef struct spl_population_block {
    const double *rate;       /* [n_steps] A_k, kHz */
    const double *mean_V;     /* [n_steps] at the end of the step, mV */
    const uint64_t *events;   /* [n_steps] external events drawn */
    size_t n_spikes;          /* by time, then neuron */
    const double *spike_time; /* ms */
    const uint32_t *spike_neuron;
    /* [n_steps][2 + n_receptors][n_recorded] of spec->recorded: V, u, g of each receptor
     */
    const float *recorded;
} spl_population_block;

typedef struct spl_subnetwork_block {
    uint64_t first_step; /* of the steps first_step + 1 .. first_step + n_steps */
    size_t n_steps;
    const double *drive;    /* [n_steps] D_k */
    const double *filtered; /* [n_steps] x_k+1, kHz */
    const double *Q_hat;    /* [n_steps] Qhat_k+1, not clipped */
    size_t n_populations;
    const spl_population_block *populations; /* [n_populations] */
} spl_subnetwork_block;

/* Bytes that a subnetwork will take, synapses at their expected number; for the check
 * before anything is taken. */
uint64_t spl_subnetwork_memory(
    const spl_subnetwork_spec *spec, const spl_subnetwork_run *run);

/* Draw connections, parameters and initial state. `spec` outlives the subnetwork. Result:
 * SPL_OK; SPL_ERR_CONFIG (a connection rule that cannot be met); SPL_ERR_LIMIT;
 * SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_subnetwork_create(
    spl_subnetwork **out, const spl_subnetwork_spec *spec, const spl_subnetwork_run *run);
void spl_subnetwork_free(spl_subnetwork *subnetwork);
/* Back to the initial state. */
void spl_subnetwork_reset(spl_subnetwork *subnetwork);

/* Begin a block: what advance leaves behind is gathered anew. By one thread. */
void spl_subnetwork_begin(spl_subnetwork *subnetwork);
/* Advance from mean-field step k by n; a block has max_steps steps at most.
 *   drive   [n] D_k .. D_k+n-1; NULL when alone: only nu0 and backgrounds
 *   Q_hat   [n] receives Qhat_k+1 .. Qhat_k+n, not clipped; or NULL
 * With a team, all its threads call this with the same arguments. Result (the same for
 * all): SPL_OK; SPL_ERR_NO_MEMORY (spikes of the block); SPL_ERR_DIVERGED naming
 * population, neuron and time. */
SPL_MUST_CHECK spl_status spl_subnetwork_advance(spl_subnetwork *subnetwork, uint64_t k,
    size_t n, const double *drive, double *Q_hat, const spl_team *team);
/* Qhat at the present step. */
double spl_subnetwork_Q_hat(const spl_subnetwork *subnetwork);
/* What the present block left. */
const spl_subnetwork_block *spl_subnetwork_last(const spl_subnetwork *subnetwork);

/* Everything that advancing changes, as bytes that any number of threads and every target
 * continue with the same bits. */
size_t spl_subnetwork_state_bytes(const spl_subnetwork *subnetwork);
void spl_subnetwork_copy_state(const spl_subnetwork *subnetwork, void *out);
SPL_MUST_CHECK spl_status spl_subnetwork_put_state(
    spl_subnetwork *subnetwork, const void *state, size_t bytes);

double spl_subnetwork_Q_max(const spl_subnetwork *subnetwork);
size_t spl_subnetwork_n_neurons(const spl_subnetwork *subnetwork);
/* Those whose rate is Q_hat: of the excitatory populations, of all if there are none. */
size_t spl_subnetwork_n_sending(const spl_subnetwork *subnetwork);
/* Synapses whose delay was below half a sub-step and became one. */
uint64_t spl_subnetwork_n_short_delays(const spl_subnetwork *subnetwork);
uint64_t spl_subnetwork_n_synapses(const spl_subnetwork *subnetwork);
uint64_t spl_subnetwork_bytes(const spl_subnetwork *subnetwork);
/* Nanoseconds that a mean-field step is expected to take, for dealing work to threads. */
double spl_subnetwork_cost(const spl_subnetwork *subnetwork);

#endif
