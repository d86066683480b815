/* One step of the Balloon-Windkessel model on many nodes; compiled once per SIMD target,
 * with the same bits on each. */
#ifndef SPL_MONITOR_BALLOON_KERNEL_H
#define SPL_MONITOR_BALLOON_KERNEL_H

#include <stddef.h>

#include "simd/dispatch.h"

typedef struct spl_balloon {
    double kappa, gamma, inv_tau, inv_alpha, rho;
    double h;         /* step in s */
    double n_samples; /* that the sums run over */
} spl_balloon;

/* Advance nodes 0 .. n-1 by a step of Heun's method.
 *   sum          [n] sums of the input over the step
 *   x, f, v, q   [n] states, in and out; a stage outside f > 0, v > 0 leaves NaN in q */
typedef void spl_balloon_kernel(const spl_balloon *balloon, const double *sum, double *x,
    double *f, double *v, double *q, size_t n);

typedef struct spl_balloon_kernels {
    spl_balloon_kernel *advance;
} spl_balloon_kernels;

extern const spl_balloon_kernels spl_balloon_kernels_scalar, spl_balloon_kernels_v3,
    spl_balloon_kernels_v4;

#endif
