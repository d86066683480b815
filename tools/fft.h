/* Power spectra of real series. */
#ifndef SPL_TOOLS_FFT_H
#define SPL_TOOLS_FFT_H

#include <stddef.h>

/* Discrete Fourier transform in place, exp(-2 pi i j k / n); n is a power of two. */
void fft_forward(size_t n, double *re, double *im);

/* Room that welch_add needs, in doubles. */
size_t welch_scratch(size_t segment);
/* Add the power |X_k|^2, k = 0 .. segment/2, of every segment of a series to `power`.
 * Segments overlap by half; each is freed of its linear trend and multiplied by a Hann
 * window (Welch 1967). The scale is arbitrary.
 *   x       n values
 *   segment power of two, at least 2 and at most n */
void welch_add(const double *x, size_t n, size_t segment, double *scratch, double *power);

#endif
