/* Counter-based random numbers: a pure function of (seed, stream, step, node), whoever
 * asks and when. The streams are part of every result and never change. */
#ifndef SPL_RNG_RNG_H
#define SPL_RNG_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "simd/dispatch.h"
#include "simd/tile.h"

#define SPL_STREAM_NOISE 0x00000u /* + state: noise of the steps */
#define SPL_STREAM_ETA   0x08000u /* + state: start of coloured noise */
#define SPL_STREAM_START 0x10000u /* + state: initial values */

/* Nodes for which normals are drawn at once, at least: a vector of AVX-512. */
#define SPL_NORMALS_GROUP (64 / SPL_REAL_BYTES)

typedef struct spl_rng_kernels {
    /* Standard normals of steps [first_step, first_step + n_steps) for n_nodes nodes (a
     * multiple of SPL_NORMALS_GROUP) from first_node on: out[s * step_stride + i]. Four
     * steps share one call of the generator; surplus is discarded. */
    void (*normals)(uint64_t seed, uint32_t stream, uint64_t first_step, size_t n_steps,
        uint32_t first_node, size_t n_nodes, spl_real *out, size_t step_stride);
} spl_rng_kernels;

#define spl_rng_kernels_of SPL_PRECISE(spl_rng_kernels_of)
const spl_rng_kernels *spl_rng_kernels_of(spl_target target);

/* Draw number `draw` of (seed, stream, node): one of the 2^52 odd multiples of 2^-53
 * in (0, 1). */
double spl_rng_uniform(uint64_t seed, uint32_t stream, uint32_t node, uint64_t draw);

#endif
