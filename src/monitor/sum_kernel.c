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

/* Some bins, so few that their rows stay in the nearest cache for the next nodes. */
enum { BINS_AT_ONCE = 32 };

VEC_INLINE void weigh_vectors(double *y, const double *const *bin, const double *tap,
    size_t count, const size_t n_vectors)
{
    vec total[AT_ONCE];
    for (size_t v = 0; v < n_vectors; v++) {
        total[v] = vec_load(y + v * SPL_LANES);
    }
    for (size_t m = 0; m < count; m++) {
        SPL_UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            total[v] = total[v] + tap[m] * vec_load(bin[m] + v * SPL_LANES);
        }
    }
    for (size_t v = 0; v < n_vectors; v++) {
        vec_store(y + v * SPL_LANES, total[v]);
    }
}

static void weigh_few(
    double *y, const double **bin, const double *tap, size_t count, size_t n)
{
    size_t i = 0;
    for (; i + SPL_LANES <= n;) {
        const size_t n_vectors = i + AT_ONCE * SPL_LANES <= n ? AT_ONCE : 1;
        if (n_vectors > 1) {
            weigh_vectors(y + i, bin, tap, count, AT_ONCE);
        } else {
            weigh_vectors(y + i, bin, tap, count, 1);
        }
        i += n_vectors * SPL_LANES;
        for (size_t m = 0; m < count; m++) {
            bin[m] += n_vectors * SPL_LANES;
        }
    }
    for (size_t at = 0; i < n; i++, at++) {
        for (size_t m = 0; m < count; m++) {
            y[i] += tap[m] * bin[m][at];
        }
    }
}

static void weigh(double *y, const double *ring, size_t n_slots, size_t stride,
    size_t newest, const double *tap, size_t count, size_t n)
{
    size_t slot = newest;
    for (size_t m = 0; m < count; m += BINS_AT_ONCE) {
        const double *bin[BINS_AT_ONCE];
        const size_t few = count - m < BINS_AT_ONCE ? count - m : BINS_AT_ONCE;
        for (size_t b = 0; b < few; b++) {
            bin[b] = ring + slot * stride;
            slot = slot > 0 ? slot - 1 : n_slots - 1;
        }
        weigh_few(y, bin, tap + m, few, n);
    }
}

const spl_bin_kernels SPL_TARGETED(spl_bin_kernels) = {.add = add, .weigh = weigh};
