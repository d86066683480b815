/* Pieces shared by the engines. */
#ifndef SPL_INTEGRATE_INTERNAL_H
#define SPL_INTEGRATE_INTERNAL_H

#include "integrate/barrier.h"
#include "integrate/network.h"

/* One thread of the team, and its share: units first_unit .. end_unit of the plan, or a
 * part of the one unit that all share; their tiles are plan->tile[begin .. end). */
typedef struct spl_worker {
    int index;
    size_t first_unit, end_unit;
    size_t begin, end;
    spl_scratch *scratch;
    spl_barrier *barrier;
    spl_crew_member member; /* of the same team, for the subnetworks */
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

/* Tiles with hosts that are free otherwise: the nodes go through the block, then the
 * subnetworks, then what the nodes send is mixed and goes to the history. */
#define spl_begin_hosted  SPL_PRECISE(spl_begin_hosted)
#define spl_finish_hosted SPL_PRECISE(spl_finish_hosted)
void spl_begin_hosted(spl_network *network, size_t first, size_t n_steps);
bool spl_finish_hosted(spl_network *network, size_t first, size_t n_steps);

/* hosts.c. `s` counts steps from the present one of the network on. */

/* A block begins; the node's own observable is x. */
#define spl_host_begin SPL_PRECISE(spl_host_begin)
void spl_host_begin(spl_network *network, spl_host *host, spl_real x);
/* The node's own observable, from its state. */
#define spl_host_observable SPL_PRECISE(spl_host_observable)
spl_real spl_host_observable(const spl_network *network, const spl_host *host);
/* D of step s for a given sum of the edges, x the node's own observable. */
#define spl_host_set_drive SPL_PRECISE(spl_host_set_drive)
void spl_host_set_drive(
    const spl_network *network, spl_host *host, size_t s, spl_real sum, spl_real x);
/* Advance from step s by n, with the member's whole team or by the member alone. */
#define spl_host_advance SPL_PRECISE(spl_host_advance)
void spl_host_advance(spl_network *network, spl_host *host, size_t s, size_t n,
    const spl_crew_member *member, bool all);
/* The member's share of all hosts, the large ones together with the others. */
#define spl_host_share SPL_PRECISE(spl_host_share)
void spl_host_share(
    spl_network *network, size_t s, size_t n, const spl_crew_member *member);
/* The member's share of the subnetworks that no node carries, for a block of n steps. */
#define spl_advance_unhosted SPL_PRECISE(spl_advance_unhosted)
void spl_advance_unhosted(spl_network *network, size_t n, const spl_crew_member *member);
/* What the node sends at step s if its own observable is x; the last sample of a step is
 * counted if it is clipped. */
#define spl_host_mix SPL_PRECISE(spl_host_mix)
spl_real spl_host_mix(
    const spl_network *network, spl_host *host, size_t s, spl_real x, bool last);
/* What its local terms take then, and the derivative of that by x; local_feedback only.
 */
#define spl_host_local SPL_PRECISE(spl_host_local)
void spl_host_local(const spl_network *network, spl_host *host, size_t s, spl_real x,
    spl_real *q, spl_real *dq);
/* The same half a step after s. */
#define spl_host_mix_half SPL_PRECISE(spl_host_mix_half)
spl_real spl_host_mix_half(
    const spl_network *network, const spl_host *host, size_t s, spl_real x);
/* The end of a block of n steps: what the monitors see of a node that is not integrated,
 * and its state. */
#define spl_host_end SPL_PRECISE(spl_host_end)
void spl_host_end(const spl_network *network, const spl_host *host,
    const spl_scratch *scratch, size_t n_steps);
/* The same of one step for a row of the record, or NULL, and the sum of its edges. */
#define spl_host_end_step SPL_PRECISE(spl_host_end_step)
void spl_host_end_step(const spl_network *network, const spl_host *host, size_t s,
    spl_real sum, spl_real *row);
/* The state of such a node at step s. */
#define spl_host_rest SPL_PRECISE(spl_host_rest)
void spl_host_rest(const spl_network *network, const spl_host *host, size_t s);

/* Pieces of both: sums of the block from known samples, in panels; the samples of the
 * block to the history; the sums of its end for the next, which the kernel of a block
 * does by itself; whether a tile's largest values are inside. */
#define spl_fill_sums   SPL_PRECISE(spl_fill_sums)
#define spl_put_samples SPL_PRECISE(spl_put_samples)
#define spl_keep_sums   SPL_PRECISE(spl_keep_sums)
#define spl_tile_inside SPL_PRECISE(spl_tile_inside)
void spl_fill_sums(
    const spl_network *network, const spl_scratch *scratch, size_t first, size_t n_steps);
void spl_put_samples(
    const spl_network *network, const spl_scratch *scratch, size_t first, size_t n_steps);
void spl_keep_sums(
    const spl_network *network, const spl_scratch *scratch, size_t first, size_t n_steps);
bool spl_tile_inside(const spl_network *network, size_t first, const spl_real *extreme);

/* record.c. The steps that the monitors see at once begin with the next one; of the
 * call's there are n_steps. `network->most_kept` becomes how many they may be. */
#define spl_record_begin SPL_PRECISE(spl_record_begin)
void spl_record_begin(
    spl_network *network, const spl_block_hooks *hooks, uint64_t n_steps);
/* The running block is recorded behind the first n steps of these. */
#define spl_record_behind SPL_PRECISE(spl_record_behind)
void spl_record_behind(spl_network *network, size_t n_steps);
/* Before a block: keep the sums that nodes [first, last) add to, which the kernel of a
 * block does by itself. */
#define spl_record_save SPL_PRECISE(spl_record_save)
void spl_record_save(spl_network *network, size_t first, size_t last);
/* The block will be advanced once more: all its sums are what they were before it. */
#define spl_record_repeat SPL_PRECISE(spl_record_repeat)
void spl_record_repeat(const spl_network *network);
/* All n steps, for the monitors, and what these take as doubles of nodes [begin, end). */
#define spl_record_samples SPL_PRECISE(spl_record_samples)
#define spl_record_widen   SPL_PRECISE(spl_record_widen)
spl_samples spl_record_samples(const spl_network *network, size_t n_steps);
void spl_record_widen(
    const spl_network *network, size_t n_steps, size_t begin, size_t end);

/* Row of step `step` of the block, or NULL. */
static inline spl_real *spl_record_row(const spl_network *network, size_t step)
{
    const size_t piece = network->recording.piece_steps;
    const size_t row = piece > 0 ? (step + piece - network->piece_left) / piece : step;
    return network->record != NULL
               ? network->record + row * network->run.n_slots * network->stride
               : NULL;
}

/* Whether that step is the first of a sum. */
static inline bool spl_begins_piece(const spl_network *network, size_t step)
{
    const size_t piece = network->recording.piece_steps;
    return piece > 0 && (step + piece - network->piece_left) % piece == 0;
}

static inline spl_real *spl_channel(
    const spl_network *network, spl_real *history, size_t channel)
{
    return history + channel * network->n_nodes * network->plan->pitch;
}

#endif
