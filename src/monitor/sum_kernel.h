/* Sums over the samples of a bin, and of bins; compiled once per SIMD target, with the
 * same bits on each. */
#ifndef SPL_MONITOR_SUM_KERNEL_H
#define SPL_MONITOR_SUM_KERNEL_H

#include <stddef.h>

#include "simd/dispatch.h"

typedef struct spl_bin_kernels {
    /* Add `count` consecutive samples to the sums of n nodes, one after the other: the
     * order of the additions, and with it the bits, does not depend on how steps are
     * grouped into calls.
     *   sum      [n], in and out
     *   sample   [count][stride] */
    void (*add)(double *sum, const double *sample, size_t stride, size_t count, size_t n);
    /* mean[i] = sum[i] / count, n nodes; may be the same place. */
    void (*divide)(double *mean, const double *sum, double count, size_t n);
    /* Add weights[m] * x to each of `count` sums.
     *   sums   [count][n], in and out
     *   x      [n] */
    void (*spread)(double *const *sums, const double *weights, size_t count,
        const double *x, size_t n);
} spl_bin_kernels;

extern const spl_bin_kernels spl_bin_kernels_scalar, spl_bin_kernels_v3,
    spl_bin_kernels_v4;

#endif
