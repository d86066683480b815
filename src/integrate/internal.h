/* Pieces shared by the engines. */
#ifndef SPL_INTEGRATE_INTERNAL_H
#define SPL_INTEGRATE_INTERNAL_H

#include "integrate/network.h"

/* A barrier for a team inside one parallel region: spins for a bounded time, then yields,
 * so that an oversubscribed machine does not burn the time of the thread it waits for. */
typedef struct spl_barrier {
    int team;
    _Atomic int count;
    _Atomic unsigned generation;
} spl_barrier;
void spl_barrier_wait(spl_barrier *barrier);

/* The nodes of one thread, and its place in the team. */
typedef struct spl_worker {
    int index;
    size_t begin, end; /* multiples of SPL_TILE; end may reach into the padding */
    spl_scratch *scratch;
    spl_barrier *barrier;
} spl_worker;

/* Noise values of a tile for n steps from step k on: out [n][n_states][SPL_TILE]; false
 * if the run has no noise. Coloured noise advances its state. */
#define spl_noise_fill SPL_PRECISE(spl_noise_fill)
bool spl_noise_fill(
    spl_network *network, size_t first, uint64_t k, size_t n_steps, spl_real *out);

/* Advance the worker's nodes by n steps: independent blocks, stages in lockstep, or
 * naively. The first, which alone takes blocks of several steps, tells whether every
 * state stayed within the divergence limit at every step. */
#define spl_advance_block     SPL_PRECISE(spl_advance_block)
#define spl_advance_lockstep  SPL_PRECISE(spl_advance_lockstep)
#define spl_advance_reference SPL_PRECISE(spl_advance_reference)
bool spl_advance_block(spl_network *network, const spl_worker *worker, size_t n_steps);
void spl_advance_lockstep(spl_network *network, const spl_worker *worker, size_t n_steps);
void spl_advance_reference(spl_network *network, size_t n_steps);

/* Row `step` of the record buffer, or NULL. */
static inline spl_real *spl_record_row(const spl_network *network, size_t step)
{
    return network->record != NULL
               ? network->record + step * network->run.n_slots * network->stride
               : NULL;
}

static inline spl_real *spl_channel(
    const spl_network *network, spl_real *history, size_t channel)
{
    return history + channel * network->n_nodes * network->plan->pitch;
}

#endif
