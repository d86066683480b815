/* Normals in vector blocks: lanes over nodes, four steps per call of the generator. */
#include <string.h>

#include "rng/philox.h"
#include "rng/rng.h"

enum { N_VECTORS = SPL_TILE / SPL_LANES, AT_ONCE = N_VECTORS < 2 ? N_VECTORS : 2 };

/* Four steps of the tile of nodes from `node` on: z [4][SPL_TILE]. */
VEC_INLINE void draw_group(
    uint64_t seed, uint32_t stream, uint64_t group, uint64_t node, spl_real *z)
{
    vec_u64 words[N_VECTORS][4];
    vec_u64 lanes;
    for (size_t lane = 0; lane < SPL_LANES; lane++) {
        lanes[lane] = lane;
    }
    for (size_t u = 0; u < N_VECTORS; u++) {
        words[u][0] = (vec_u64){0} + (group & 0xffffffffu);
        words[u][1] = (vec_u64){0} + (group >> 32);
        words[u][2] = lanes + (node + u * SPL_LANES);
        words[u][3] = (vec_u64){0} + stream;
    }
    for (size_t u = 0; u < N_VECTORS; u += AT_ONCE) {
        philox_side_by_side(AT_ONCE, words + u, seed);
    }
    for (size_t u = 0; u < N_VECTORS; u++) {
        for (size_t pair = 0; pair < 4; pair += 2) {
            vec z0;
            vec z1;
            box_muller(words[u][pair], words[u][pair + 1], &z0, &z1);
            vec_store(z + pair * SPL_TILE + u * SPL_LANES, z0);
            vec_store(z + (pair + 1) * SPL_TILE + u * SPL_LANES, z1);
        }
    }
}

static void normals(uint64_t seed, uint32_t stream, uint64_t first_step, size_t n_steps,
    uint32_t first_node, size_t n_nodes, spl_real *out, size_t step_stride)
{
    const uint64_t end = first_step + n_steps;
    for (uint64_t group = first_step / 4; group * 4 < end; group++) {
        for (size_t i = 0; i < n_nodes; i += SPL_TILE) {
            spl_real z[4][SPL_TILE];
            draw_group(seed, stream, group, (uint64_t)first_node + i, &z[0][0]);
            for (uint64_t s = 0; s < 4; s++) {
                const uint64_t step = group * 4 + s;
                if (step >= first_step && step < end) {
                    memcpy(
                        out + (step - first_step) * step_stride + i, z[s], sizeof z[s]);
                }
            }
        }
    }
}

const spl_rng_kernels SPL_TARGETED(spl_rng_kernels);
const spl_rng_kernels SPL_TARGETED(spl_rng_kernels) = {.normals = normals};
