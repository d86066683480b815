/* The network of a run behind an interface that does not know the precision of its
 * numbers. Values come and go as doubles, which hold those of single precision exactly.
 */
#ifndef SPL_SIM_ENGINE_H
#define SPL_SIM_ENGINE_H

#include "base/arena.h"
#include "config/settings.h"
#include "integrate/jobs.h"
#include "output/output.h"
#include "simd/dispatch.h"
#include "splenium/connectome.h"

typedef struct spl_engine spl_engine;

/* States, two histories, the last step, coloured noise. */
enum { SPL_ENGINE_MAX_FINAL = SPL_MAX_STATES + 5 };

typedef struct spl_engine_ops {
    /* Make the network of a run, with its initial state, ready to be stepped.
     *   record   which variables the monitors want: [n_states + 2]
     *   like     an engine of the same connectome and delays, which lends this one what
     *            depends on nothing else and outlives it; or NULL
     * Result: SPL_OK; SPL_ERR_UNSUPPORTED (SPL_TARGET); SPL_ERR_LIMIT; SPL_ERR_NO_MEMORY.
     */
    spl_status (*create)(spl_engine **out, const spl_settings *settings,
        const spl_connectome *connectome, const bool *record, const spl_engine *like);
    void (*free)(spl_engine *engine);

    /* As spl_network_advance; in a failing block the subnetworks may be ahead of the
     * nodes. */
    void (*advance)(spl_engine *engine, uint64_t n_steps, const spl_block_hooks *hooks,
        spl_divergence *divergence);
    /* Whether engines like this one can be advanced together. */
    bool (*batches)(const spl_engine *engine);
    /* Advance n of them together, see spl_network_advance_batch.
     *   memory   [batch_bytes], of the caller's thread */
    void (*advance_batch)(spl_engine *const *engines, size_t n, void *memory,
        uint64_t n_steps, const spl_block_hooks *hooks, spl_divergence *divergence);
    uint64_t (*step)(const spl_engine *engine);
    void (*set_threads)(spl_engine *engine, int threads);
    int (*threads)(const spl_engine *engine);

    double (*state)(const spl_engine *engine, size_t state, size_t node);
    double (*observable)(const spl_engine *engine, size_t node);
    /* Whether a node is integrated; if not, its subnetwork speaks for it: its first state
     * follows from Qhat, it has no others, and its observable is what it sends. */
    bool (*is_integrated)(const spl_engine *engine, size_t node);
    /* Samples of subnetwork `index` that were clipped so far. */
    uint64_t (*clips)(const spl_engine *engine, size_t index);
    void (*set_clips)(spl_engine *engine, size_t index, uint64_t clips);
    /* Tell in `text` why the parameters of `node` can only make it diverge; false if
     * there is nothing to tell. */
    bool (*check)(const spl_engine *engine, size_t node, char *text, size_t size);

    /* The arrays that continue the run exactly, in the order in which copy_final writes
     * them; returns their number, at most SPL_ENGINE_MAX_FINAL. */
    size_t (*list_final)(const spl_engine *engine, spl_array *arrays);
    /* Returns the end of what it wrote. */
    double *(*copy_final)(const spl_engine *engine, double *out);
    /* Put back what copy_final wrote of such a network after `step` steps; returns the
     * end of what it read. Blocks, threads and target may differ, the bits to come do
     * not. The subnetworks are put back by themselves. */
    const double *(*put_final)(spl_engine *engine, const double *in, uint64_t step);

    /* Let the noise be `steps` ahead of the run. */
    void (*set_noise_start)(spl_engine *engine, uint64_t steps);

    /* Back to the initial state of the settings it was made with. */
    void (*reset)(spl_engine *engine, const spl_settings *settings);
    /* Copy everything that stepping changes, [copy_bytes], and put it back. */
    void (*save)(const spl_engine *engine, void *copy);
    void (*restore)(spl_engine *engine, const void *copy);
} spl_engine_ops;

/* What stays the same during a run. */
struct spl_engine {
    const spl_engine_ops *ops;
    const char *precision;
    spl_target target;
    bool reference;
    const char *path;  /* how nodes are coupled */
    const char *gates; /* exponentials of the model's gates: "shared" or "separate" */
    size_t n_edges;    /* self-edges included */
    uint32_t delay_min, delay_median, delay_max;
    size_t block,
        max_block;   /* steps of a block; most that are shown at once, or pieces */
    int max_threads; /* those chosen at first */
    int slot[SPL_MAX_STATES + 2]; /* of the variables in the record; -1: not recorded */
    uint64_t memory_bytes;
    size_t copy_bytes, batch_bytes;
    size_t n_subnetworks;
    const spl_job *jobs; /* the subnetworks, in the order of the settings */
};

/* One for each precision of the nodes, and one without nodes. */
extern const spl_engine_ops spl_engine_double, spl_engine_single, spl_engine_alone;

#endif
