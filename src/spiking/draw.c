#define SPL_LANES  1
#define SPL_TARGET one
#include "spiking/draw.h"

#include <string.h>

#include "rng/rng.h"
#include "simd/vec_math.h"

double spl_exact_exp(double x)
{
    return vec_exp(vec_set(x))[0];
}

double spl_exact_log(double x)
{
    return vec_log(vec_set(x))[0];
}

double spl_exact_exprel(double x)
{
    return vec_exprel(vec_set(x))[0];
}

/* Normals of the tile from `first` on: first a multiple of SPL_TILE, in the units of this
 * file, which are those of double precision. */
static void normal_tile(uint64_t seed, uint32_t stream, size_t first, double *out)
{
    const spl_rng_kernels *kernels = spl_rng_kernels_of(SPL_TARGET_SCALAR);
    kernels->normals(seed, stream, 0, 1, (uint32_t)first, SPL_TILE, out, SPL_TILE);
}

static double bounded(const spl_draw *draw, double value)
{
    return fmin(fmax(value, draw->low), draw->high);
}

static void fill_normal(const spl_draw *draw, uint64_t seed, uint32_t stream,
    size_t first, size_t n, double *out)
{
    double z[SPL_TILE];
    size_t tile = SIZE_MAX;
    for (size_t i = first; i < first + n; i++) {
        if (i / SPL_TILE != tile) {
            tile = i / SPL_TILE;
            normal_tile(seed, stream, tile * SPL_TILE, z);
        }
        const double x = draw->a + draw->b * z[i % SPL_TILE];
        out[i - first] =
            bounded(draw, draw->kind == SPL_DRAW_LOGNORMAL ? spl_exact_exp(x) : x);
    }
}

void spl_draw_fill(const spl_draw *draw, uint64_t seed, uint32_t stream, size_t first,
    size_t n, double *out)
{
    switch (draw->kind) {
    case SPL_DRAW_CONSTANT:
        for (size_t i = 0; i < n; i++) {
            out[i] = draw->a;
        }
        break;
    case SPL_DRAW_UNIFORM:
        for (size_t i = 0; i < n; i++) {
            const double u = spl_rng_uniform(seed, stream, (uint32_t)(first + i), 0);
            out[i] = bounded(draw, draw->a + (draw->b - draw->a) * u);
        }
        break;
    case SPL_DRAW_NORMAL:
    case SPL_DRAW_LOGNORMAL:
        fill_normal(draw, seed, stream, first, n, out);
        break;
    case SPL_DRAW_GIVEN:
        spl_bug_assert(first + n <= draw->n_values);
        memcpy(out, draw->values + first, n * sizeof *out);
        break;
    }
}
