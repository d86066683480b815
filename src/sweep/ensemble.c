#include "sweep/ensemble.h"

#include <omp.h>
#include <stdlib.h>

struct spl_ensemble {
    size_t n_members;
    spl_engine **member;
    spl_divergence *diverged; /* of the members, for good */
    size_t together;          /* members per group */
    size_t batch_bytes;
    char *memory; /* [threads][batch_bytes] */
    int threads;
};

/* Whether every attached node of a run is one in the other too, with the same feedback:
 * that decides on its self-edges and on the way its tile goes. */
static bool attached_in(const spl_settings *a, const spl_settings *b)
{
    bool all = true;
    for (size_t i = 0; i < a->n_subnetworks; i++) {
        const spl_subnetwork_spec *spec = &a->subnetworks[i];
        bool found = spec->interface.mode != SPL_MODE_ATTACH;
        for (size_t k = 0; k < b->n_subnetworks; k++) {
            const spl_subnetwork_spec *other = &b->subnetworks[k];
            found =
                found ||
                (other->interface.mode == SPL_MODE_ATTACH && other->node == spec->node &&
                    other->interface.local_feedback == spec->interface.local_feedback);
        }
        all = all && found;
    }
    return all;
}

/* Whether both runs have the same delays and so the same plan, and the same tiles in it
 * that go step by step. */
static bool same_plan(const spl_settings *a, const spl_settings *b)
{
    return attached_in(a, b) && attached_in(b, a) && a->dt == b->dt &&
           a->speed == b->speed && a->one_delay == b->one_delay && a->delay == b->delay &&
           a->frozen == b->frozen && a->block == b->block &&
           a->undelayed == b->undelayed && a->reference == b->reference &&
           a->single == b->single;
}

/* Groups as large as leaves every thread one, so that a matrix serves many. */
static void choose_groups(spl_ensemble *ensemble, bool one_plan)
{
    const size_t threads = (size_t)ensemble->threads;
    const size_t share = (ensemble->n_members + threads - 1) / threads;
    const spl_engine *first = ensemble->member[0];
    ensemble->together = 1;
    if (one_plan && first->ops->batches(first)) {
        ensemble->together = share < SPL_MAX_BATCH ? share : SPL_MAX_BATCH;
        ensemble->batch_bytes = (first->batch_bytes + 63) & ~(size_t)63;
    }
}

spl_status spl_ensemble_create(spl_ensemble **out, const spl_settings *const *members,
    size_t n_members, const spl_connectome *connectome, const bool *record, int threads)
{
    spl_status status = SPL_OK;
    bool one_plan = true;
    *out = NULL;
    spl_ensemble *ensemble = calloc(1, sizeof *ensemble);
    if (ensemble == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: an ensemble");
    }
    spl_bug_assert(n_members > 0);
    ensemble->member = calloc(n_members, sizeof(spl_engine *));
    ensemble->diverged = calloc(n_members, sizeof *ensemble->diverged);
    if (ensemble->member == NULL || ensemble->diverged == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: %zu members", n_members);
    }
    ensemble->n_members = n_members;
    ensemble->threads = threads > 0 ? threads : omp_get_num_procs();
    for (size_t i = 0; i < n_members; i++) {
        const spl_engine_ops *ops =
            members[i]->single ? &spl_engine_single : &spl_engine_double;
        const bool same = same_plan(members[0], members[i]);
        spl_settings alone = *members[i];
        alone.threads = 1;
        one_plan = one_plan && same;
        SPL_TRY(ops->create(&ensemble->member[i], &alone, connectome, record,
            i > 0 && same ? ensemble->member[0] : NULL));
    }
    choose_groups(ensemble, one_plan);
    if (ensemble->batch_bytes > 0) {
        ensemble->memory =
            aligned_alloc(64, (size_t)ensemble->threads * ensemble->batch_bytes);
        if (ensemble->memory == NULL) {
            SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: sums of an ensemble");
        }
    }
    *out = ensemble;
    ensemble = NULL;
out:
    spl_ensemble_free(ensemble);
    return status;
}

void spl_ensemble_free(spl_ensemble *ensemble)
{
    if (ensemble == NULL) {
        return;
    }
    /* the first lends its plan to the others */
    for (size_t i = ensemble->n_members; i-- > 0;) {
        if (ensemble->member[i] != NULL) {
            ensemble->member[i]->ops->free(ensemble->member[i]);
        }
    }
    free(ensemble->member);
    free(ensemble->diverged);
    free(ensemble->memory);
    free(ensemble);
}

/* The members [begin, end) that are still in bounds, on one thread. */
static void advance_group(spl_ensemble *ensemble, size_t begin, size_t end,
    uint64_t n_steps, const spl_block_hooks *hooks)
{
    static const spl_block_hooks none = {0};
    spl_engine *running[SPL_MAX_BATCH];
    spl_block_hooks group_hooks[SPL_MAX_BATCH];
    spl_divergence where[SPL_MAX_BATCH];
    size_t index[SPL_MAX_BATCH];
    size_t n = 0;
    for (size_t i = begin; i < end; i++) {
        if (!ensemble->diverged[i].happened && ensemble->diverged[i].status == SPL_OK) {
            running[n] = ensemble->member[i];
            group_hooks[n] = hooks != NULL ? hooks[i] : none;
            index[n++] = i;
        }
    }
    if (n == 0) {
        return;
    }
    const spl_engine_ops *ops = running[0]->ops;
    if (ensemble->memory != NULL) {
        char *memory =
            ensemble->memory + (size_t)omp_get_thread_num() * ensemble->batch_bytes;
        ops->advance_batch(running, n, memory, n_steps, group_hooks, where);
    } else {
        ops->advance(running[0], n_steps, &group_hooks[0], &where[0]);
    }
    for (size_t r = 0; r < n; r++) {
        ensemble->diverged[index[r]] = where[r];
    }
}

void spl_ensemble_advance(spl_ensemble *ensemble, uint64_t n_steps,
    const spl_block_hooks *hooks, spl_divergence *divergence)
{
    const size_t size = ensemble->together;
    const size_t n_groups = (ensemble->n_members + size - 1) / size;
#pragma omp parallel for schedule(dynamic, 1) num_threads(ensemble->threads)
    for (size_t g = 0; g < n_groups; g++) {
        const size_t end = (g + 1) * size;
        advance_group(ensemble, g * size,
            end < ensemble->n_members ? end : ensemble->n_members, n_steps, hooks);
    }
    for (size_t i = 0; i < ensemble->n_members; i++) {
        divergence[i] = ensemble->diverged[i];
    }
}

const spl_engine *spl_ensemble_member(const spl_ensemble *ensemble, size_t i)
{
    return ensemble->member[i];
}

size_t spl_ensemble_together(const spl_ensemble *ensemble)
{
    return ensemble->together;
}
