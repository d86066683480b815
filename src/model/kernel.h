/* What a model's file turns into: one table of functions per SIMD target, and the
 * arguments of its kernels. Kernels advance one tile of SPL_TILE nodes; arrays [stride]
 * run over all padded nodes. */
#ifndef SPL_MODEL_KERNEL_H
#define SPL_MODEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "coupling/coupling.h"
#include "model/schemes.h"
#include "simd/tile.h"
#include "splenium/model.h"

/* Everything that stays the same for a whole run. */
typedef struct spl_kernel_run {
    size_t stride; /* padded number of nodes */
    double dt;
    bool frozen;            /* coupling computed once per step, held over the stages */
    size_t n_params;        /* parameters and derived constants of a node */
    const spl_real *params; /* [tiles][n_params][SPL_TILE] */
    spl_real *state;        /* [n_states][stride] */
    const spl_coupling_run *coupling;
    /* noise increment of state s: value * noise_scale[s][node] (* (noise_a x + noise_b))
     */
    const spl_real *noise_scale[SPL_MAX_STATES]; /* [stride], NULL: none */
    bool multiplicative;
    double noise_a, noise_b;
    /* rows for the monitors; -1: not recorded. Slot n_states is the observable, n_states
     * + 1 the coupling input */
    int slot[SPL_MAX_STATES + 2];
    size_t n_slots;
} spl_kernel_run;

/* Parameters of the tile of a node, [n_params][SPL_TILE]: all constants of a tile lie
 * together, at distances the compiler knows. */
static inline const spl_real *spl_tile_params(const spl_kernel_run *run, size_t node)
{
    return run->params + node / SPL_TILE * run->n_params * SPL_TILE;
}

/* A block of steps k0 .. k0 + n_steps for one tile. */
typedef struct spl_kernel_block {
    size_t first;   /* first node of the tile */
    size_t n_nodes; /* of the tile; vectors of padding alone do not advance */
    size_t n_steps;
    const spl_real *sums; /* [n_steps + 1][n_channels][SPL_TILE], at k0, k0 + 1, ... */
    const spl_real
        *half; /* [n_steps][n_channels][SPL_TILE], at k0 + 1/2, ...; NULL: not needed */
    const spl_real *noise; /* [n_steps][n_states][SPL_TILE]; NULL: none */
    spl_real *sent; /* out [n_steps + 1][n_channels][SPL_TILE]: samples k0, k0 + 1, ... */
    spl_real *sent_half; /* out [n_steps][n_channels][SPL_TILE]: k0 + 1/2, ...; NULL: not
                          needed */
    spl_real *record;    /* out [n_steps][n_slots][stride], k0 + 1, ...; NULL: nothing */
    /* out [n_states]: node 0 of state s at step k0 + 1, rows f4_pitch apart, for the
     * nodes of the tile and no padding; NULL: not recorded so. NULL for all: none is */
    float *const *f4;
    size_t f4_pitch;
    /* rows of the record are sums over so many steps, of which as many are left in the
     * first, which is then in and out; 1 and 1: the states */
    size_t piece_steps, piece_left;
    spl_real *piece_backup; /* out [n_slots][stride]: these sums before the block */
    spl_real *extreme; /* out [SPL_TILE]: largest |state| of the block, NaN if one is */
    /* [n_gates][2][SPL_TILE], out: exponentials of the gates at the state behind the
     * block, which the next one takes instead of its own; in if they are `known` */
    spl_real *exponentials;
    bool known;
    /* out, of all nodes: the states before the block [n_states][stride]; the last sums
     * [n_channels][stride] */
    spl_real *backup, *carry;
} spl_kernel_block;

/* One stage of one step for one tile, for nodes that edges shorter than a block tie
 * together within it. What the stages of a tile share is [..][SPL_TILE]. */
typedef struct spl_kernel_stage {
    size_t first;
    size_t stage;
    const spl_real *sums;  /* [n_channels][SPL_TILE] at the time of this stage */
    const spl_real *noise; /* [n_states][SPL_TILE] or NULL */
    /* [2]: what local terms take at the stage state in place of the observable, NaN: the
     * observable itself; its derivative by that. NULL: the observable for all */
    const spl_real *local;
    spl_real *y;       /* [n_states]: stage state; stage 0 takes the run's */
    spl_real *gates;   /* [n_gates]: at the stage state, in and out */
    spl_real *sum;     /* [n_states]: state, noise and weighted slopes so far */
    spl_real *c;       /* [1]: coupling input, kept from stage 0 when frozen */
    spl_real *sent;    /* out [n_channels]: shown by the next stage or new state */
    spl_real *extreme; /* [1], in and out by the last stage: largest |state| */
    /* dense output at half steps, RK4 with delays: state and derivative at the start of
     * the step before, in and out by stage 0; else NULL */
    spl_real *x_before, *f_before; /* [n_states] */
    spl_real *sent_half;           /* out by stage 0 [n_channels]: half a step back */
    /* rows of the monitors [n_slots][stride], NULL: none */
    spl_real *row;        /* out by the last stage: new state */
    bool adds;            /* to the sums that are in `row` */
    spl_real *row_before; /* out by stage 0: observable and input of the present state */
    /* as in spl_kernel_block; the row of this step is f4_at behind, out by the last stage
     */
    float *const *f4;
    size_t f4_at;
    size_t n_nodes; /* of the tile; of interest for f4 alone */
} spl_kernel_stage;

typedef struct spl_model_kernels {
    const spl_model *model;
    /* The same kernels with one exponential for several gates, for runs whose nodes all
     * allow it; their last bits differ. NULL: the model has none, or these are they. */
    const struct spl_model_kernels *shared;
    bool shares_gates;
    /* Whether the parameters of a node allow it. */
    bool (*node_shares_gates)(const spl_real *params, size_t stride, size_t node);
    size_t n_derived;
    size_t n_gates;
    /* Fill the derived constants below the parameters: params[n_params +
     * n_derived][stride]. */
    void (*derive)(spl_real *params, size_t stride);
    /* Tell in `text` why the parameters of `node` can only make it diverge; false if
     * there is nothing to tell. NULL: the model knows no such case. */
    bool (*check)(
        const spl_real *params, size_t stride, size_t node, char *text, size_t size);
    /* Single evaluations for SPL_LANES nodes from `node` on; state, c, local (as in
     * spl_kernel_stage, or NULL), out are [..][SPL_LANES]. The reference engine calls
     * those of the scalar target. */
    void (*rhs)(const spl_real *params, size_t stride, size_t node, const spl_real *state,
        const spl_real *c, const spl_real *local, spl_real *out);
    void (*jacobian)(const spl_real *params, size_t stride, size_t node,
        const spl_real *state, const spl_real *c, const spl_real *local, spl_real *out);
    void (*observe)(const spl_real *params, size_t stride, size_t node,
        const spl_real *state, spl_real *out);
    /* (exp(x) - 1) / x with the bits of the kernels. */
    spl_real (*exprel)(spl_real x);
    void (*block[SPL_N_SCHEMES])(
        const spl_kernel_run *run, const spl_kernel_block *block);
    void (*stage[SPL_N_SCHEMES])(
        const spl_kernel_run *run, const spl_kernel_stage *stage);
    /* Gates [n_gates][SPL_TILE] of the present state, before its first stage. */
    void (*open)(const spl_kernel_run *run, size_t first, spl_real *gates);
    /* The sample half a step before the present state, which no stage follows: of a
     * stage 0, uses sums, gates, x_before, f_before and fills sent_half. */
    void (*half)(const spl_kernel_run *run, const spl_kernel_stage *stage);
    /* Write sent samples (and, if `row` is not NULL, the record row) of the present
     * state. */
    void (*present)(const spl_kernel_run *run, size_t first, const spl_real *sums,
        spl_real *sent, spl_real *row);
} spl_model_kernels;

#endif
