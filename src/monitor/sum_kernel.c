#include "monitor/sum_kernel.h"

#include "simd/vec.h"

/* An addition waits for the one before: several vectors of nodes take turns. */
enum { AT_ONCE = 4 };

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

static void add(double *sum, const double *sample, size_t stride, size_t count, size_t n)
{
    size_t i = 0;
    for (; i + AT_ONCE * SPL_LANES <= n; i += AT_ONCE * SPL_LANES) {
        add_vectors(sum + i, sample + i, stride, count, AT_ONCE);
    }
    for (; i + SPL_LANES <= n; i += SPL_LANES) {
        add_vectors(sum + i, sample + i, stride, count, 1);
    }
    for (; i < n; i++) {
        for (size_t s = 0; s < count; s++) {
            sum[i] += sample[s * stride + i];
        }
    }
}

const spl_bin_kernels SPL_TARGETED(spl_bin_kernels) = {.add = add};
