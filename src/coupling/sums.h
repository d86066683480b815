/* Weighted sums over edges: the only part of a step in which nodes meet. */
#ifndef SPL_COUPLING_SUMS_H
#define SPL_COUPLING_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "delay/plan.h"
#include "simd/dispatch.h"
#include "simd/tile.h"

typedef struct spl_sum_kernels {
    /* Sums of `n_columns` <= SPL_MAX_BLOCK consecutive steps from step k on, for the
     * SPL_TILE nodes from `first` on: over the edges with delay; those without are left
     * out.
     *   history   [n_nodes][pitch] of one channel
     *   out       [n_columns][out_step], SPL_TILE lanes each; lanes beyond the last node
     *             are zero
     * Reads samples k - d .. k + n_columns - 1 - d and no others. */
    void (*delayed)(const spl_plan *plan, const spl_real *history, int64_t k,
        size_t n_columns, size_t first, spl_real *out, size_t out_step);
    /* The way back: samples of n_steps <= SPL_MAX_BLOCK consecutive steps from step k on,
     * sent [n_steps][sent_step], SPL_TILE lanes each, become those of the history. */
    void (*put)(const spl_plan *plan, spl_real *history, int64_t k, size_t n_steps,
        size_t first, const spl_real *sent, size_t sent_step);
    /* Add the edges without delay to the sums of nodes [begin, end) in list order.
     *   sent   [stride] present samples;   sums [stride], in and out */
    void (*undelayed)(const spl_plan *plan, const spl_real *sent, size_t begin,
        size_t end, spl_real *sums);
} spl_sum_kernels;

#define spl_sum_kernels_of SPL_PRECISE(spl_sum_kernels_of)
const spl_sum_kernels *spl_sum_kernels_of(spl_target target);

/* Fill the dense matrix of the edges without delay, [stride][stride] by rows, for
 * spl_sum_dense, and bind BLAS to one thread. */
#define spl_dense_fill SPL_PRECISE(spl_dense_fill)
void spl_dense_fill(const spl_plan *plan, spl_real *matrix);

/* The same sums by BLAS, for the rows [begin, end), multiples of SPL_TILE: panels of
 * fixed size, one thread, so the bits depend on neither threads nor the dealing. */
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
