/* Weighted sums over edges: the only part of a step in which nodes meet. */
#ifndef SPL_COUPLING_SUMS_H
#define SPL_COUPLING_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "delay/plan.h"
#include "simd/dispatch.h"
#include "simd/tile.h"

/* Samples of the block under way, which the history does not have yet: sample k0 + m of
 * node j, m >= first, is sent[j / SPL_TILE][m * step + channel * SPL_TILE + j %
 * SPL_TILE].
 */
typedef struct spl_recent {
    int64_t k0, first;
    size_t step, channel;
    spl_real *const *sent; /* [tiles]; NULL for tiles without near edges */
} spl_recent;

/* Edges begin[i] .. end[i] of each node i, and the sums of those before them. */
typedef struct spl_sum_edges {
    const uint32_t *begin; /* plan->start; plan->long_end, half_end: shorter than a
                              window, than half of one */
    const uint32_t *end;   /* plan->near: at least a block; plan->undelayed: with delay */
    /* [SPL_TILE][SPL_WINDOW], from the first step on; NULL: zero */
    const spl_real *before;
} spl_sum_edges;

typedef struct spl_sum_kernels {
    /* Sums of SPL_WINDOW consecutive steps from step k on, for the SPL_TILE nodes from
     * `first` on, over their edges before plan->long_end.
     *   history   [n_nodes][pitch] of one channel
     *   out       [SPL_TILE][SPL_WINDOW]; rows beyond the last node are zero */
    void (*window)(const spl_plan *plan, const spl_real *history, int64_t k, size_t first,
        spl_real *out);
    /* Add the edges between plan->long_end and plan->half_end to the sums of
     * SPL_HALF_WINDOW consecutive steps from step k on.
     *   sums      [SPL_TILE][SPL_WINDOW], from step k on */
    void (*half_window)(const spl_plan *plan, const spl_real *history, int64_t k,
        size_t first, spl_real *sums);
    /* Sums of `n_columns` <= SPL_PANEL consecutive steps from step k on, for the SPL_TILE
     * nodes from `first` on.
     *   history   [n_nodes][pitch] of one channel
     *   out       [n_columns][out_step], SPL_TILE lanes each; lanes beyond the last node
     *             are zero
     * Reads samples k - d .. k + n_columns - 1 - d and no others. */
    void (*delayed)(const spl_plan *plan, const spl_sum_edges *edges,
        const spl_real *history, int64_t k, size_t n_columns, size_t first, spl_real *out,
        size_t out_step);
    /* Add the near edges with delay to the sums [SPL_TILE] of the tile's nodes at step
     * k0 + at, in list order. */
    void (*near)(const spl_plan *plan, const spl_real *history, const spl_recent *recent,
        int64_t at, size_t first, spl_real *sums);
    /* The way back: samples of n_steps <= SPL_PANEL consecutive steps from step k on,
     * sent [n_steps][sent_step], SPL_TILE lanes each, become those of the history. */
    void (*put)(const spl_plan *plan, spl_real *history, int64_t k, size_t n_steps,
        size_t first, const spl_real *sent, size_t sent_step);
    /* Add the edges without delay to the sums of nodes [begin, end) in list order.
     *   sent   [stride] present samples;   sums [end - begin], in and out */
    void (*undelayed)(const spl_plan *plan, const spl_real *sent, size_t begin,
        size_t end, spl_real *sums);
    /* The same sums over a whole row of the matrix of edges without delay, whose zeros
     * change no bit: of the tile's nodes, for n_runs networks at once.
     *   matrix   [tiles][n_nodes][SPL_TILE]
     *   sent     run r at sent + r * sent_step;   sums   at sums + r * sums_step */
    void (*dense)(const spl_plan *plan, const spl_real *matrix, size_t first,
        size_t n_runs, const spl_real *sent, size_t sent_step, spl_real *sums,
        size_t sums_step);
} spl_sum_kernels;

#define spl_sum_kernels_of SPL_PRECISE(spl_sum_kernels_of)
const spl_sum_kernels *spl_sum_kernels_of(spl_target target);

/* Undelayed networks above this density go through the dense matrix, with the same bits:
 * measured on Zen 3, 0.1 ns per weight while the matrix lies in L2, 0.2 in L3, against
 * 0.6 ns per edge (docs/performance.md). */
#define SPL_DENSE_ABOVE 0.22

#endif
