/* Pieces shared by the engines. */
#ifndef SPL_INTEGRATE_INTERNAL_H
#define SPL_INTEGRATE_INTERNAL_H

#include "integrate/network.h"

/* A barrier for a team inside one parallel region: spins for a bounded time, then yields,
 * so that an oversubscribed machine does not burn the time of the thread it waits for. */
typedef struct spl_barrier {
    unsigned team;
    _Atomic unsigned count;
    _Atomic unsigned generation;
} spl_barrier;
void spl_barrier_wait(spl_barrier *barrier);
/* The same with work in between, by the thread whose index is 0, while all others wait.
 */
void spl_barrier_meet(
    spl_barrier *barrier, int index, void (*work)(void *user), void *user);

/* One thread of the team, and its share: units first_unit .. end_unit of the plan, or a
 * part of the one unit that all share; their tiles are plan->tile[begin .. end). */
typedef struct spl_worker {
    int index;
    size_t first_unit, end_unit;
    size_t begin, end;
    spl_scratch *scratch;
    spl_barrier *barrier;
} spl_worker;

/* Noise values of a tile for n steps from step k on: out [n][n_states][SPL_TILE]; false
 * if the run has no noise. Coloured noise advances its state. */
#define spl_noise_fill SPL_PRECISE(spl_noise_fill)
bool spl_noise_fill(
    spl_network *network, size_t first, uint64_t k, size_t n_steps, spl_real *out);

/* Advance a free tile, a tied unit (or the worker's part of it), or naively everything
 * by n steps; they tell whether every state stayed within the divergence limit at every
 * step. The reference takes single steps and leaves that to its caller. */
#define spl_advance_block     SPL_PRECISE(spl_advance_block)
#define spl_advance_tied      SPL_PRECISE(spl_advance_tied)
#define spl_advance_reference SPL_PRECISE(spl_advance_reference)
bool spl_advance_block(
    spl_network *network, spl_scratch *scratch, size_t first, size_t n_steps);
bool spl_advance_tied(spl_network *network, const spl_worker *worker,
    const uint32_t *tiles, size_t n_tiles, size_t n_steps);
void spl_advance_reference(spl_network *network, size_t n_steps);

/* Tied units of n whole networks without delays, their dense products as one; `inside`
 * [n] tells of each what the others return. */
#define spl_advance_batch SPL_PRECISE(spl_advance_batch)
void spl_advance_batch(spl_network *const *networks, size_t n, const spl_batch *batch,
    size_t n_steps, bool *inside);

/* Pieces of both: sums of the block from known samples, in panels; the samples of the
 * block to the history; whether a tile's largest values are inside. */
#define spl_fill_sums   SPL_PRECISE(spl_fill_sums)
#define spl_put_samples SPL_PRECISE(spl_put_samples)
#define spl_tile_inside SPL_PRECISE(spl_tile_inside)
void spl_fill_sums(
    const spl_network *network, const spl_scratch *scratch, size_t first, size_t n_steps);
void spl_put_samples(
    const spl_network *network, const spl_scratch *scratch, size_t first, size_t n_steps);
bool spl_tile_inside(const spl_network *network, size_t first, const spl_real *extreme);

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
