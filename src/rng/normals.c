/* Normals in vector blocks: lanes over nodes, four steps per call of the generator. */
#include <string.h>

#include "rng/philox.h"
#include "rng/rng.h"

enum {
    N_VECTORS = SPL_TILE / SPL_LANES,
    /* vectors of counters, one lane per node */
    N_COUNTERS = SPL_TILE / VEC_WORDS,
    AT_ONCE = N_COUNTERS < 2 ? N_COUNTERS : 2
};

/* Node of a lane of counter vector u, counted from the first of the tile: in single
 * precision two vectors take turns, see philox_word. */
VEC_INLINE size_t node_of(size_t u, size_t lane)
{
    const size_t turns = SPL_LANES / VEC_WORDS;
    return u / turns * SPL_LANES + lane * turns + u % turns;
}

typedef vec_u64 counters[N_COUNTERS][4];

/* Word k of the nodes of vector u. */
VEC_INLINE vec_uint word_of(counters words, size_t u, size_t k)
{
    return philox_word((const vec_u64(*)[4])(words + u * N_COUNTERS / N_VECTORS), k);
}

/* Four steps of the tile of nodes from `node` on: step s at z + s * step_stride. All
 * logarithms come before all the rest: a processor looks ahead too little to overlap
 * whole chains from word to normal (1.9 against 2.2 ns per normal on v3). */
VEC_INLINE void draw_group(const philox_keys *keys, uint32_t stream, uint64_t group,
    uint64_t node, spl_real *z, size_t step_stride)
{
    counters words;
    vec minus_two_ln_u[N_VECTORS][2];
    for (size_t u = 0; u < N_COUNTERS; u++) {
        vec_u64 nodes;
        for (size_t lane = 0; lane < VEC_WORDS; lane++) {
            nodes[lane] = node_of(u, lane);
        }
        words[u][0] = (vec_u64){0} + (group & 0xffffffffu);
        words[u][1] = (vec_u64){0} + (group >> 32);
        words[u][2] = nodes + node;
        words[u][3] = (vec_u64){0} + stream;
    }
    for (size_t u = 0; u < N_COUNTERS; u += AT_ONCE) {
        philox_side_by_side(AT_ONCE, words + u, keys);
    }
    for (size_t u = 0; u < N_VECTORS; u++) {
        for (size_t pair = 0; pair < 2; pair++) {
            minus_two_ln_u[u][pair] = minus_two_log(word_of(words, u, 2 * pair));
        }
    }
    SPL_RELOAD();
    for (size_t u = 0; u < N_VECTORS; u++) {
        for (size_t pair = 0; pair < 2; pair++) {
            vec z0;
            vec z1;
            box_muller(
                minus_two_ln_u[u][pair], word_of(words, u, 2 * pair + 1), &z0, &z1);
            vec_store(z + 2 * pair * step_stride + u * SPL_LANES, z0);
            vec_store(z + (2 * pair + 1) * step_stride + u * SPL_LANES, z1);
        }
    }
}

static void normals(uint64_t seed, uint32_t stream, uint64_t first_step, size_t n_steps,
    uint32_t first_node, size_t n_nodes, spl_real *out, size_t step_stride)
{
    const philox_keys keys = philox_keys_of(seed);
    const uint64_t end = first_step + n_steps;
    for (uint64_t group = first_step / 4; group * 4 < end; group++) {
        for (size_t i = 0; i < n_nodes; i += SPL_TILE) {
            const uint64_t node = (uint64_t)first_node + i;
            if (group * 4 >= first_step && group * 4 + 4 <= end) {
                draw_group(&keys, stream, group, node,
                    out + (group * 4 - first_step) * step_stride + i, step_stride);
                continue;
            }
            spl_real z[4][SPL_TILE];
            draw_group(&keys, stream, group, node, &z[0][0], SPL_TILE);
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
