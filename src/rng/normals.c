/* Normals in vector blocks: lanes over nodes, four steps per call of the generator. */
#include <string.h>

#include "rng/philox.h"
#include "rng/rng.h"

enum {
    N_VECTORS = SPL_TILE / SPL_LANES,
    /* vectors of counters, one lane per node */
    N_COUNTERS = SPL_TILE / VEC_WORDS,
    COUNTERS_OF_ONE = SPL_LANES / VEC_WORDS
};
_Static_assert(SPL_TILE % SPL_NORMALS_GROUP == 0 && SPL_NORMALS_GROUP % SPL_LANES == 0,
    "a tile is made of whole groups, these of whole vectors");

/* Node of a lane of counter vector u, counted from the first of the tile: in single
 * precision two vectors take turns, see philox_word. */
VEC_INLINE size_t node_of(size_t u, size_t lane)
{
    return u / COUNTERS_OF_ONE * SPL_LANES + lane * COUNTERS_OF_ONE + u % COUNTERS_OF_ONE;
}

typedef vec_u64 counters[N_COUNTERS][4];

/* Word k of the nodes of vector u. */
VEC_INLINE vec_uint word_of(counters words, size_t u, size_t k)
{
    return philox_word((const vec_u64(*)[4])(words + u * COUNTERS_OF_ONE), k);
}

/* Counters that take turns: their words should stay in registers, of which there are 16
 * with vectors of 32 bytes. Measured with these, of a whole tile, ns per normal:
 * one 1.80, two 1.67, three 1.59, four 1.64, five 1.85; in single precision two 1.23,
 * three 1.26, four 1.18, five 1.23. */
enum { AT_ONCE = VEC_BYTES == 64 ? 5 : VEC_PICK(3, 4) };

/* Four steps of n_nodes nodes, at most a tile, from `node` on: step s at z + s *
 * step_stride. The compiler knows n_nodes. All logarithms come before all the rest, in
 * two parts: a processor looks ahead too little to overlap whole chains from word to
 * normal. */
VEC_INLINE void draw_group(const philox_keys *keys, uint32_t stream, uint64_t group,
    uint64_t node, const size_t n_nodes, spl_real *z, size_t step_stride)
{
    const size_t n_vectors = n_nodes / SPL_LANES;
    const size_t n_counters = n_nodes / VEC_WORDS;
    counters words;
    log_parts u[N_VECTORS][2];
    vec minus_two_ln_u[N_VECTORS][2];
    for (size_t i = 0; i < n_counters; i++) {
        vec_u64 nodes;
        for (size_t lane = 0; lane < VEC_WORDS; lane++) {
            nodes[lane] = node_of(i, lane);
        }
        words[i][2] = nodes + node;
    }
    for (size_t c = 0; c < n_counters; c += AT_ONCE) {
        /* constants for the compiler, which unrolls this */
        if (c + AT_ONCE <= n_counters) {
            philox_of_nodes(AT_ONCE, words + c, group, stream, keys);
        } else {
            philox_of_nodes(n_counters % AT_ONCE, words + c, group, stream, keys);
        }
    }
    for (size_t v = 0; v < n_vectors; v++) {
        for (size_t pair = 0; pair < 2; pair++) {
            u[v][pair] = split_uniform(word_of(words, v, 2 * pair));
        }
    }
    SPL_RELOAD();
    for (size_t v = 0; v < n_vectors; v++) {
        for (size_t pair = 0; pair < 2; pair++) {
            minus_two_ln_u[v][pair] = minus_two_log(u[v][pair]);
        }
    }
    SPL_RELOAD();
    for (size_t v = 0; v < n_vectors; v++) {
        for (size_t pair = 0; pair < 2; pair++) {
            vec z0;
            vec z1;
            box_muller(
                minus_two_ln_u[v][pair], word_of(words, v, 2 * pair + 1), &z0, &z1);
            vec_store(z + 2 * pair * step_stride + v * SPL_LANES, z0);
            vec_store(z + (2 * pair + 1) * step_stride + v * SPL_LANES, z1);
        }
    }
}

/* Those of steps [first_step, end) among the four. */
VEC_INLINE void draw_steps(const philox_keys *keys, uint32_t stream, uint64_t group,
    uint64_t first_step, uint64_t end, uint64_t node, const size_t n_nodes, spl_real *out,
    size_t step_stride)
{
    if (group * 4 >= first_step && group * 4 + 4 <= end) {
        draw_group(keys, stream, group, node, n_nodes,
            out + (group * 4 - first_step) * step_stride, step_stride);
        return;
    }
    spl_real z[4][SPL_TILE];
    draw_group(keys, stream, group, node, n_nodes, &z[0][0], SPL_TILE);
    for (uint64_t s = 0; s < 4; s++) {
        const uint64_t step = group * 4 + s;
        if (step >= first_step && step < end) {
            memcpy(out + (step - first_step) * step_stride, z[s], n_nodes * sizeof **z);
        }
    }
}

static void normals(uint64_t seed, uint32_t stream, uint64_t first_step, size_t n_steps,
    uint32_t first_node, size_t n_nodes, spl_real *out, size_t step_stride)
{
    enum { PAIR = 2 * SPL_NORMALS_GROUP };
    const philox_keys keys = philox_keys_of(seed);
    const uint64_t end = first_step + n_steps;
    for (uint64_t group = first_step / 4; group * 4 < end; group++) {
        size_t i = 0;
        for (; i + SPL_TILE <= n_nodes; i += SPL_TILE) {
            draw_steps(&keys, stream, group, first_step, end, first_node + (uint64_t)i,
                SPL_TILE, out + i, step_stride);
        }
        for (; i + PAIR <= n_nodes; i += PAIR) {
            draw_steps(&keys, stream, group, first_step, end, first_node + (uint64_t)i,
                PAIR, out + i, step_stride);
        }
        for (; i < n_nodes; i += SPL_NORMALS_GROUP) {
            draw_steps(&keys, stream, group, first_step, end, first_node + (uint64_t)i,
                SPL_NORMALS_GROUP, out + i, step_stride);
        }
    }
}

const spl_rng_kernels SPL_TARGETED(spl_rng_kernels);
const spl_rng_kernels SPL_TARGETED(spl_rng_kernels) = {.normals = normals};
