/* Tiles: nodes that advance together, and the precision of their numbers.
 * What depends on the precision is compiled twice from one text: in double, and with
 * -DSPL_SINGLE in single, where the external names carry a suffix. */
#ifndef SPL_SIMD_TILE_H
#define SPL_SIMD_TILE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* spl_real is the number of a run's arrays: states, parameters, weights, history, sums,
 * noise. Time, and what is computed once, stays double.
 * Arrays over nodes are padded to a multiple of SPL_TILE; padding lanes copy the last
 * node. The vectors of a tile take turns in the kernels, so that the processor overlaps
 * their chains of operations: with AVX-512 there are five of them. Of 76 regions, tiles
 * of 32 nodes left two vectors alone, which took as long as four: 6 % of a step. */
#ifdef SPL_SINGLE
typedef float spl_real;
#define SPL_REAL_BYTES     4
#define SPL_TILE           80
#define SPL_PRECISE(name)  name##_single
#define SPL_PRECISION_NAME "single"
#else
typedef double spl_real;
#define SPL_REAL_BYTES     8
#define SPL_TILE           40
#define SPL_PRECISE(name)  name
#define SPL_PRECISION_NAME "double"
#endif

static inline size_t spl_padded(size_t n_nodes)
{
    return (n_nodes + SPL_TILE - 1) / SPL_TILE * SPL_TILE;
}

/* a * b + c with one rounding */
static inline spl_real spl_fma(spl_real a, spl_real b, spl_real c)
{
#ifdef SPL_SINGLE
    return fmaf(a, b, c);
#else
    return fma(a, b, c);
#endif
}

#endif
