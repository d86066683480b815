/* Ensembles: many runs of one network, with seeds, initial states and parameters of their
 * own, on all processors at once. With delays a run advances alone on its thread, so that
 * its history stays in the caches; without, the runs of a thread advance together and the
 * matrix of weights is read once for all of them. A member gives the bits of a run alone.
 */
#ifndef SPL_SWEEP_ENSEMBLE_H
#define SPL_SWEEP_ENSEMBLE_H

#include "sim/engine.h"

typedef struct spl_ensemble spl_ensemble;

/* Make the runs of an ensemble.
 *   members   [n_members]: settings that agree in model, scheme, coupling function, noise
 *             process, precision, dt and delays; borrowed as long as the ensemble lives
 *   record    which variables the hooks want: [n_states + 2]
 *   threads   0: all processors that this process may use
 * Members that would have another plan than the first (another dt or speed) get their
 * own. Result: what spl_engine_ops.create returns; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_ensemble_create(spl_ensemble **out,
    const spl_settings *const *members, size_t n_members,
    const spl_connectome *connectome, const bool *record, int threads);
void spl_ensemble_free(spl_ensemble *ensemble);

/* Advance every member by n steps. For runs whose rows are to come side by side, call it
 * with some thousand steps at a time: fewer, and a member's history is fetched anew each
 * time.
 *   hooks        [n_members], or NULL; called by the thread that advances the member
 *   divergence   out [n_members]; a member that diverged or whose subnetwork
 *                failed is not advanced again */
void spl_ensemble_advance(spl_ensemble *ensemble, uint64_t n_steps,
    const spl_block_hooks *hooks, spl_divergence *divergence);

/* Member i, borrowed. */
const spl_engine *spl_ensemble_member(const spl_ensemble *ensemble, size_t i);
/* How many members advance together; 1 with delays. */
size_t spl_ensemble_together(const spl_ensemble *ensemble);

#endif
