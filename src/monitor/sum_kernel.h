/* Sums over the samples of a bin, and of bins; compiled once per SIMD target, with the
 * same bits on each. */
#ifndef SPL_MONITOR_SUM_KERNEL_H
#define SPL_MONITOR_SUM_KERNEL_H

#include <stddef.h>

#include "simd/dispatch.h"

/* The number of weights for which `spread` is made; with others it takes longer. */
enum { SPL_SPREAD_AT_ONCE = 8 };

typedef struct spl_bin_kernels {
    /* Add `count` consecutive samples to the sums of n nodes, one after the other: the
     * order of the additions, and with it the bits, does not depend on how steps are
     * grouped into calls.
     *   sum      [n], in and out
     *   sample   [count][stride] */
    void (*add)(double *sum, const double *sample, size_t stride, size_t count, size_t n);
    /* mean[i] = sum[i] / count, n nodes; may be the same place. A whole number of steps,
     * at most 2^50. */
    void (*divide)(double *mean, const double *sum, double count, size_t n);
    /* Add weights[m] * x[m] to the sums of n nodes, one after the other.
     *   sum   [n], in and out
     *   x     [count][stride] */
    void (*spread)(double *sum, const double *weights, size_t count, const double *x,
        size_t stride, size_t n);
} spl_bin_kernels;

extern const spl_bin_kernels spl_bin_kernels_scalar, spl_bin_kernels_v3,
    spl_bin_kernels_v4;

#endif
