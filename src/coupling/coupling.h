/* Coupling of a run: which samples the nodes send, and what becomes of the weighted sums.
 */
#ifndef SPL_COUPLING_COUPLING_H
#define SPL_COUPLING_COUPLING_H

#include <stdbool.h>
#include <stddef.h>

#include "simd/tile.h"
#include "splenium/coupling.h"

#define SPL_MAX_CHANNELS 2

/* Per-node arrays of a run, all [stride].
 *   sent_j = pre(x_j),  sum_i = sum over edges of w_ij sent_j(t - d_ij),  c_i =
 * post(sum_i, x_i) Self-edges without delay are not in the sums: they act through `own`
 * or `self`. */
typedef struct spl_coupling_run {
    const spl_coupling *info;
    size_t n_channels;
    int sends_state; /* x is this state; -1: the model's observable */
    double params[SPL_COUPLING_MAX_PARAMS];
    /* affine couplings (couple == NULL): sent = x, c = scale * sum + shift + own * x */
    const spl_real *scale, *shift, *own;
    /* all others: weights of self-edges without delay, factor on the sums (1 or 1 /
     * in-strength) */
    const spl_real *self, *norm;
    double n_nodes; /* for formulas that divide by it */
    /* Coupling input and sent samples of `count` nodes from `first` on; sums and sent are
     * [n_channels][SPL_TILE], x and c [count]. */
    void (*couple)(const struct spl_coupling_run *run, size_t first, size_t count,
        const spl_real *sums, const spl_real *x, spl_real *c, spl_real *sent);
} spl_coupling_run;

/* One coupling function on one target. */
typedef struct spl_coupling_kernels {
    const spl_coupling *info;
    size_t n_channels;
    bool affine;     /* c = a sum + b */
    bool sends_x;    /* what is sent is x itself */
    bool difference; /* c = a (sum - row_sum x) */
    void (*couple)(const spl_coupling_run *run, size_t first, size_t count,
        const spl_real *sums, const spl_real *x, spl_real *c, spl_real *sent);
} spl_coupling_kernels;

#endif
