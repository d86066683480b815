#include "spiking/synapse_draws.h"

#include <math.h>

#include "base/status.h"

extern const spl_draw_kernels spl_draw_kernels_scalar, spl_draw_kernels_v3,
    spl_draw_kernels_v4;

/* Draws that are made at a time. */
enum { CHUNK = 8 * SPL_BLOCK_NORMALS };

/* What no normal of rng/philox.h exceeds: of 32-bit words. */
#define MOST_NORMAL 6.77

const spl_draw_kernels *spl_draw_kernels_of(spl_target target)
{
    static const spl_draw_kernels *const kernels[SPL_N_TARGETS] = {
        &spl_draw_kernels_scalar, &spl_draw_kernels_v3, &spl_draw_kernels_v4};
    return kernels[target];
}

static double bounded(const spl_draw *draw, double x)
{
    const double raised = x < draw->low ? draw->low : x;
    return raised > draw->high ? draw->high : raised;
}

/* Draws `first` .. first + n - 1, at most CHUNK, without bounds. */
static void draw_some(const spl_draw_kernels *kernels, const spl_draw *draw,
    spl_draw_key key, uint64_t first, size_t n, double *out)
{
    double values[CHUNK + SPL_BLOCK_NORMALS];
    const bool uniform = draw->kind == SPL_DRAW_UNIFORM;
    const size_t per_block = uniform ? SPL_BLOCK_UNIFORMS : SPL_BLOCK_NORMALS;
    const size_t skipped = (size_t)(first % per_block);
    const size_t n_blocks = (skipped + n + per_block - 1) / per_block;
    if (uniform) {
        kernels->uniforms(key, first / per_block, n_blocks, values);
    } else {
        kernels->normals(key, first / per_block, n_blocks, values);
    }
    const double offset = draw->a;
    const double scale = uniform ? draw->b - draw->a : draw->b;
    for (size_t i = 0; i < n_blocks * per_block; i++) {
        values[i] = offset + scale * values[i];
    }
    if (draw->kind == SPL_DRAW_LOGNORMAL) {
        kernels->exps(values, n_blocks * per_block);
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = values[skipped + i];
    }
}

void spl_draw_values(const spl_draw_kernels *kernels, const spl_draw *draw,
    spl_draw_key key, uint64_t first, size_t n, double *out)
{
    spl_bug_assert(draw->kind != SPL_DRAW_GIVEN);
    for (size_t done = 0; done < n; done += CHUNK) {
        const size_t some = n - done < CHUNK ? n - done : CHUNK;
        if (draw->kind == SPL_DRAW_CONSTANT) {
            for (size_t i = 0; i < some; i++) {
                out[done + i] = draw->a;
            }
        } else {
            draw_some(kernels, draw, key, first + done, some, out + done);
        }
        for (size_t i = done; i < done + some; i++) {
            out[i] = bounded(draw, out[i]);
        }
    }
}

double spl_synapse_draw_most(const spl_draw *draw)
{
    double most = draw->a;
    if (draw->kind == SPL_DRAW_UNIFORM) {
        most = fmax(draw->a, draw->b);
    } else if (draw->kind != SPL_DRAW_CONSTANT) {
        most += MOST_NORMAL * fabs(draw->b);
    }
    return bounded(draw, draw->kind == SPL_DRAW_LOGNORMAL ? exp(most) : most);
}
