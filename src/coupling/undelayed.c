/* Sums over edges without delay as a dense matrix through BLAS. */
#include <cblas.h>

#include "coupling/sums.h"
#include "simd/tile.h"

enum { PANEL = SPL_DENSE_TILES * SPL_TILE };

#ifdef SPL_SINGLE
#define GEMV cblas_sgemv
#else
#define GEMV cblas_dgemv
#endif

void spl_dense_fill(const spl_plan *plan, spl_real *matrix)
{
    openblas_set_num_threads(1);
    for (size_t i = 0; i < plan->n_nodes; i++) {
        for (size_t e = plan->undelayed[i]; e < plan->start[i + 1]; e++) {
            matrix[i * plan->stride + (size_t)plan->source[e]] = plan->weight[e];
        }
    }
}

void spl_sum_dense(const spl_plan *plan, const spl_real *matrix, const spl_real *sent,
    size_t begin, size_t end, spl_real *sums)
{
    /* whole panels only: a row belongs to the same panel whoever computes it */
    for (size_t row = begin; row < end; row += PANEL) {
        const size_t rows = row + PANEL < plan->stride ? PANEL : plan->stride - row;
        GEMV(CblasRowMajor, CblasNoTrans, (int)rows, (int)plan->n_nodes, 1.0,
            matrix + row * plan->stride, (int)plan->stride, sent, 1, 1.0,
            sums + (row - begin), 1);
    }
}
