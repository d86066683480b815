/* What a run's caller sees of the loop over blocks, in either precision. */
#ifndef SPL_INTEGRATE_HOOKS_H
#define SPL_INTEGRATE_HOOKS_H

#include "monitor/monitor.h"
#include "splenium/model.h"

/* Most networks that are advanced together. */
#define SPL_MAX_BATCH 24

/* How the states of consecutive steps are recorded: for the monitors step by step or as
 * sums over pieces, and in single precision past them. */
typedef struct spl_recording {
    /* given: most steps that are shown at once, step by step; as sums of pieces, 0: there
     * can be none; in f4 alone, where the hook may ask for fewer, but no fewer than
     * n_steps */
    size_t n_steps, n_steps_in_pieces, n_steps_in_f4;
    size_t piece_steps; /* 0: step by step; see spl_samples. Not for variables other than
                           states, which are then not_f8 */
    const double *begun[SPL_MAX_STATES]; /* the piece under way, over the nodes; NULL */
    float *f4[SPL_MAX_STATES];       /* node 0 at the first step; NULL: not wanted so */
    size_t f4_pitch;                 /* floats from step to step */
    bool not_f8[SPL_MAX_STATES + 2]; /* variables that no monitor has to see */
    bool f4_alone; /* these are all; n_steps_in_f4 have room in f4, else only n_steps */
} spl_recording;

/* What becomes of a block; all may be NULL. */
typedef struct spl_block_hooks {
    void *user;
    /* by every thread, for its nodes [begin, end), several times per block; of the block
     * in which the run diverges, it may see more steps than finish() */
    void (*observe)(void *user, const spl_samples *block, size_t begin, size_t end);
    /* by the calling thread, after all nodes: rows to the sinks; false ends the loop */
    bool (*finish)(void *user, const spl_samples *block);
    /* several short blocks may be shown as one, which takes less time */
    bool collect;
    /* by the calling thread, before the steps from first_step on, as many as are shown at
     * once, are advanced: fill `recording`, which is zero but for what is given. Not for
     * the reference engine, nor for networks with subnetworks */
    void (*place)(void *user, uint64_t first_step, spl_recording *recording);
} spl_block_hooks;

/* Where a state left the bounds. */
typedef struct spl_divergence {
    bool happened;
    size_t node, state;
    double value;
    uint64_t step; /* the step that produced it */
    /* of a subnetwork that failed in the last block, which is then lost; the message is
     * the last error of the calling thread */
    spl_status status;
} spl_divergence;

#endif
