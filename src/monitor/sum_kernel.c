#include "monitor/sum_kernel.h"

#include "simd/vec.h"

/* An addition waits for the one before: several vectors of nodes take turns. */
enum { AT_ONCE = 8 };

VEC_INLINE void add_vectors(double *sum, const double *sample, size_t stride,
    size_t count, const size_t n_vectors)
{
    vec total[AT_ONCE];
    for (size_t v = 0; v < n_vectors; v++) {
        total[v] = vec_load(sum + v * SPL_LANES);
    }
    for (size_t s = 0; s < count; s++) {
        SPL_UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            total[v] = total[v] + vec_load(sample + s * stride + v * SPL_LANES);
        }
    }
    for (size_t v = 0; v < n_vectors; v++) {
        vec_store(sum + v * SPL_LANES, total[v]);
    }
}

/* The last nodes, fewer than a vector has lanes. */
VEC_INLINE void add_rest(
    double *sum, const double *sample, size_t stride, size_t count, size_t n)
{
    const vec_lanes lanes = vec_first_lanes(n);
    vec total = vec_load_lanes(sum, lanes);
    for (size_t s = 0; s < count; s++) {
        total = total + vec_load_lanes(sample + s * stride, lanes);
    }
    vec_store_lanes(sum, total, lanes);
}

static void add(double *sum, const double *sample, size_t stride, size_t count, size_t n)
{
    size_t i = 0;
    for (; i + AT_ONCE * SPL_LANES <= n; i += AT_ONCE * SPL_LANES) {
        add_vectors(sum + i, sample + i, stride, count, AT_ONCE);
    }
    if (i + 4 * SPL_LANES <= n) {
        add_vectors(sum + i, sample + i, stride, count, 4);
        i += 4 * SPL_LANES;
    }
    if (i + 2 * SPL_LANES <= n) {
        add_vectors(sum + i, sample + i, stride, count, 2);
        i += 2 * SPL_LANES;
    }
    if (i + SPL_LANES <= n) {
        add_vectors(sum + i, sample + i, stride, count, 1);
        i += SPL_LANES;
    }
    if (i < n) {
        add_rest(sum + i, sample + i, stride, count, n - i);
    }
}

/* sum / count, exactly rounded, for a whole number up to 2^50; `inverse` is 1 / count,
 * rounded. The product q is within 1.5 ulp of the quotient, so sum - q * count is a small
 * multiple of ulp(q), and exact; adding it over count leaves an error of 1.5 * 2^-53 ulp
 * before the last rounding, while a quotient that is no number itself is at least
 * 1 / (2 count) ulp away from where the rounding changes. Where the remainder may lose
 * bits, and for zero and what is not finite, by division: three times the time. */
VEC_INLINE vec quotient(vec sum, vec count, vec inverse)
{
#if SPL_LANES > 1
    const vec q = sum * inverse;
    const vec exact = vec_fma(vec_fnma(q, count, sum), inverse, q);
    const vec size = vec_abs(q);
    const vec_mask usual = (size > vec_set(0x1p-900)) & (size < vec_set(0x1p900));
    return vec_any(~usual) ? sum / count : exact;
#else
    (void)inverse;
    return sum / count;
#endif
}

static void divide(double *mean, const double *sum, double count, size_t n)
{
    const vec all = vec_set(count);
    const vec inverse = vec_set(1.0 / count);
    size_t i = 0;
    for (; i + SPL_LANES <= n; i += SPL_LANES) {
        vec_store(mean + i, quotient(vec_load(sum + i), all, inverse));
    }
    if (i < n) {
        const vec_lanes lanes = vec_first_lanes(n - i);
        vec_store_lanes(mean + i, vec_load_lanes(sum + i, lanes) / all, lanes);
    }
}

VEC_INLINE void spread_counted(double *sum, const double *weights, const size_t count,
    const double *x, size_t stride, size_t n)
{
    size_t i = 0;
    for (; i + SPL_LANES <= n; i += SPL_LANES) {
        vec total = vec_load(sum + i);
        SPL_UNROLL
        for (size_t m = 0; m < count; m++) {
            total = total + vec_set(weights[m]) * vec_load(x + m * stride + i);
        }
        vec_store(sum + i, total);
    }
    if (i < n) {
        const vec_lanes lanes = vec_first_lanes(n - i);
        vec total = vec_load_lanes(sum + i, lanes);
        for (size_t m = 0; m < count; m++) {
            total =
                total + vec_set(weights[m]) * vec_load_lanes(x + m * stride + i, lanes);
        }
        vec_store_lanes(sum + i, total, lanes);
    }
}

/* A constant number of weights for the compiler in the usual case: these loops are run so
 * seldom that the processor has forgotten where they end. */
static void spread(double *sum, const double *weights, size_t count, const double *x,
    size_t stride, size_t n)
{
    if (count == SPL_SPREAD_AT_ONCE) {
        spread_counted(sum, weights, SPL_SPREAD_AT_ONCE, x, stride, n);
    } else {
        spread_counted(sum, weights, count, x, stride, n);
    }
}

const spl_bin_kernels SPL_TARGETED(spl_bin_kernels) = {
    .add = add, .divide = divide, .spread = spread};
