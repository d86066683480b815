/* Power spectra by Welch's method, as scipy.signal.welch with its defaults but for the
 * number of samples of a segment. */
#ifndef SPL_TEST_SPECTRUM_H
#define SPL_TEST_SPECTRUM_H

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

enum { SPECTRUM_MAX = 1024 };

/* Fourier transform in place, radix 2; n is a power of two. */
static inline void fourier(double complex *x, size_t n)
{
    for (size_t i = 1, j = 0; i < n; i++) {
        size_t bit = n >> 1;
        for (; j & bit; bit >>= 1) {
            j ^= bit;
        }
        j ^= bit;
        if (i < j) {
            const double complex other = x[i];
            x[i] = x[j];
            x[j] = other;
        }
    }
    for (size_t length = 2; length <= n; length *= 2) {
        for (size_t first = 0; first < n; first += length) {
            for (size_t k = 0; k < length / 2; k++) {
                const double complex turn =
                    cexp(-2.0 * I * M_PI * (double)k / (double)length);
                const double complex a = x[first + k];
                const double complex b = turn * x[first + k + length / 2];
                x[first + k] = a + b;
                x[first + k + length / 2] = a - b;
            }
        }
    }
}

/* Add the one-sided density of a signal to `density` [segment / 2 + 1]: periodic Hann
 * window, half overlap, mean of every segment removed.
 *   x          n_samples samples at every `stride`-th double, at `rate` Hz
 *   segment    a power of two up to SPECTRUM_MAX */
static inline void add_welch(double *density, const double *x, size_t n_samples,
    size_t stride, double rate, size_t segment)
{
    static double window[SPECTRUM_MAX];
    double energy = 0.0;
    const size_t n_segments = (n_samples - segment / 2) / (segment / 2);
    for (size_t k = 0; k < segment; k++) {
        window[k] = 0.5 - 0.5 * cos(2.0 * M_PI * (double)k / (double)segment);
        energy += window[k] * window[k];
    }
    for (size_t s = 0; s < n_segments; s++) {
        double complex part[SPECTRUM_MAX];
        const double *from = x + s * (segment / 2) * stride;
        double mean = 0.0;
        for (size_t k = 0; k < segment; k++) {
            mean += from[k * stride] / (double)segment;
        }
        for (size_t k = 0; k < segment; k++) {
            part[k] = window[k] * (from[k * stride] - mean);
        }
        fourier(part, segment);
        for (size_t f = 0; f <= segment / 2; f++) {
            const double power = creal(part[f] * conj(part[f])) / (rate * energy);
            const bool twice = f > 0 && f < segment / 2;
            density[f] += (twice ? 2.0 : 1.0) * power / (double)n_segments;
        }
    }
}

/* Frequency of the largest value. */
static inline double peak_frequency(const double *density, double rate, size_t segment)
{
    size_t peak = 0;
    for (size_t f = 1; f <= segment / 2; f++) {
        peak = density[f] > density[peak] ? f : peak;
    }
    return (double)peak * rate / (double)segment;
}

#endif
