/* Numbers that are formed once, in double whatever the precision of the subnetwork: draws
 * from distributions, and exponentials that have the same bits on every machine. */
#ifndef SPL_SPIKING_DRAW_H
#define SPL_SPIKING_DRAW_H

#include "spiking/spec.h"

/* Values number first .. first + n - 1 of a draw under (seed, stream); value i depends on
 * nothing but these and i. Drawn values beyond the bounds are set to the bound. */
void spl_draw_fill(const spl_draw *draw, uint64_t seed, uint32_t stream, size_t first,
    size_t n, double *out);

/* e^x, ln x and (e^x - 1) / x as the kernels form them; the C library's last bit may
 * differ between processors. */
double spl_exact_exp(double x);
double spl_exact_log(double x);
double spl_exact_exprel(double x);

#endif
