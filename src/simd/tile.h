/* Tiles: nodes that advance together. */
#ifndef SPL_SIMD_TILE_H
#define SPL_SIMD_TILE_H

#include <stddef.h>

/* The number of a run's arrays: states, parameters, history, sums, noise. Time, and what
 * is computed once, stays double. */
typedef double spl_real;

/* Arrays over nodes are padded to a multiple of it; padding lanes copy the last node. */
#define SPL_TILE 16

static inline size_t spl_padded(size_t n_nodes)
{
    return (n_nodes + SPL_TILE - 1) / SPL_TILE * SPL_TILE;
}

#endif
