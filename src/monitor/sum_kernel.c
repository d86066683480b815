#include "monitor/sum_kernel.h"

#include <string.h>

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

/* The first n < SPL_LANES numbers of a vector. */
VEC_INLINE void store_first(double *to, vec x, size_t n)
{
    double all[SPL_LANES];
    vec_store(all, x);
    memcpy(to, all, n * sizeof *all);
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
    store_first(sum, total, n);
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

static void divide(double *mean, const double *sum, double count, size_t n)
{
    size_t i = 0;
    for (; i + SPL_LANES <= n; i += SPL_LANES) {
        vec_store(mean + i, vec_load(sum + i) / vec_set(count));
    }
    if (i < n) {
        store_first(mean + i, vec_load_first(sum + i, n - i) / vec_set(count), n - i);
    }
}

/* Sum by sum: each is one stream through memory. */
static void spread(
    double *const *sums, const double *weights, size_t count, const double *x, size_t n)
{
    for (size_t m = 0; m < count; m++) {
        double *sum = sums[m];
        const vec weight = vec_set(weights[m]);
        size_t i = 0;
        for (; i + SPL_LANES <= n; i += SPL_LANES) {
            vec_store(sum + i, vec_load(sum + i) + weight * vec_load(x + i));
        }
        for (; i < n; i++) {
            sum[i] += weights[m] * x[i];
        }
    }
}

const spl_bin_kernels SPL_TARGETED(spl_bin_kernels) = {
    .add = add, .divide = divide, .spread = spread};
