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

typedef struct spl_sum_kernels {
    /* Sums of `n_columns` <= SPL_PANEL consecutive steps from step k on, for the SPL_TILE
     * nodes from `first` on: over the edges of node i before end[i].
     *   end       plan->near: edges of at least a block; plan->undelayed: all with delay
     *   history   [n_nodes][pitch] of one channel
     *   out       [n_columns][out_step], SPL_TILE lanes each; lanes beyond the last node
     *             are zero
     * Reads samples k - d .. k + n_columns - 1 - d and no others. */
    void (*delayed)(const spl_plan *plan, const uint32_t *end, const spl_real *history,
        int64_t k, size_t n_columns, size_t first, spl_real *out, size_t out_step);
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
} spl_sum_kernels;

#define spl_sum_kernels_of SPL_PRECISE(spl_sum_kernels_of)
const spl_sum_kernels *spl_sum_kernels_of(spl_target target);

/* Fill the dense matrix of the edges without delay, [stride][stride] by rows, for
 * spl_sum_dense, and bind BLAS to one thread. */
#define spl_dense_fill SPL_PRECISE(spl_dense_fill)
void spl_dense_fill(const spl_plan *plan, spl_real *matrix);

/* Tiles of one BLAS call; a constant, because the bits depend on it. */
#define SPL_DENSE_TILES 4

/* The same sums [end - begin] by BLAS, for the rows [begin, end), begin a multiple of
 * SPL_DENSE_TILES tiles: panels of fixed size, one thread, so the bits depend on neither
 * threads nor the dealing. */
#define spl_sum_dense SPL_PRECISE(spl_sum_dense)
void spl_sum_dense(const spl_plan *plan, const spl_real *matrix, const spl_real *sent,
    size_t begin, size_t end, spl_real *sums);

/* Version and build of the BLAS library, and the CPU kernel it has chosen, on which its
 * last bits depend; static. */
const char *spl_blas_name(void);
const char *spl_blas_core(void);

/* Undelayed networks above this density go through the dense matrix: measured while the
 * matrix lies in L2 or L3, 0.10 ns per weight against 0.45 ns per nonzero
 * (docs/performance.md). */
#define SPL_DENSE_ABOVE 0.22

#endif
