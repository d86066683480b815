/* Random numbers of projections in vector blocks: lanes over counters. */
#include "rng/philox.h"
#include "spiking/synapse_draws.h"

enum {
    N_VECTORS = SPL_DRAW_LANES / SPL_LANES,
    AT_ONCE = N_VECTORS < 2 ? N_VECTORS : 2 /* a compromise of latency and registers */
};

typedef uint32_t half_words __attribute__((vector_size(4 * SPL_LANES)));
typedef uint32_t half_words_memory
    __attribute__((vector_size(4 * SPL_LANES), aligned(4)));

VEC_INLINE void draw_block(
    const philox_keys *keys, spl_draw_key key, uint64_t block, vec_u64 (*words)[4])
{
    vec_u64 lanes;
    for (size_t lane = 0; lane < SPL_LANES; lane++) {
        lanes[lane] = lane;
    }
    for (size_t v = 0; v < N_VECTORS; v++) {
        const vec_u64 counter = lanes + (block * SPL_DRAW_LANES + v * SPL_LANES);
        words[v][0] = counter & 0xffffffffu;
        words[v][1] = counter >> 32;
        words[v][2] = (vec_u64){0} + key.row;
        words[v][3] = (vec_u64){0} + key.stream;
    }
    for (size_t v = 0; v < N_VECTORS; v += AT_ONCE) {
        philox_side_by_side(AT_ONCE, words + v, keys);
    }
}

static void words(spl_draw_key key, uint64_t first_block, size_t n_blocks, uint32_t *out)
{
    const philox_keys keys = philox_keys_of(key.seed);
    for (size_t block = 0; block < n_blocks; block++) {
        vec_u64 drawn[N_VECTORS][4];
        draw_block(&keys, key, first_block + block, drawn);
        for (size_t v = 0; v < N_VECTORS; v++) {
            for (size_t word = 0; word < 4; word++) {
                uint32_t *place = out + block * SPL_BLOCK_WORDS + word * SPL_DRAW_LANES;
                *(half_words_memory *)(place + v * SPL_LANES) =
                    __builtin_convertvector(drawn[v][word], half_words);
            }
        }
    }
}

static void uniforms(spl_draw_key key, uint64_t first_block, size_t n_blocks, double *out)
{
    const philox_keys keys = philox_keys_of(key.seed);
    const vec one = vec_set(1.0);
    for (size_t block = 0; block < n_blocks; block++) {
        vec_u64 drawn[N_VECTORS][4];
        draw_block(&keys, key, first_block + block, drawn);
        for (size_t v = 0; v < N_VECTORS; v++) {
            for (size_t i = 0; i < 2; i++) {
                const vec_u64 high = drawn[v][2 * i] & 0xffffffffu;
                const vec_u64 low = drawn[v][2 * i + 1] & 0xffffffffu;
                /* 1 + n 2^-52, from which all but 2^-53 is taken away */
                const vec u = vec_from_bits(high << 20 | low >> 12 | vec_bits(one)) -
                              vec_set(1.0 - 0x1p-53);
                vec_store(
                    out + block * SPL_BLOCK_UNIFORMS + i * SPL_DRAW_LANES + v * SPL_LANES,
                    u);
            }
        }
    }
}

static void normals(spl_draw_key key, uint64_t first_block, size_t n_blocks, double *out)
{
    const philox_keys keys = philox_keys_of(key.seed);
    for (size_t block = 0; block < n_blocks; block++) {
        vec_u64 drawn[N_VECTORS][4];
        draw_block(&keys, key, first_block + block, drawn);
        for (size_t v = 0; v < N_VECTORS; v++) {
            for (size_t i = 0; i < 2; i++) {
                vec z0;
                vec z1;
                box_muller(minus_two_log(split_uniform(drawn[v][2 * i])),
                    drawn[v][2 * i + 1], &z0, &z1);
                double *place = out + block * SPL_BLOCK_NORMALS + 2 * i * SPL_DRAW_LANES +
                                v * SPL_LANES;
                vec_store(place, z0);
                vec_store(place + SPL_DRAW_LANES, z1);
            }
        }
    }
}

static void logs(double *x, size_t n)
{
    for (size_t i = 0; i < n; i += SPL_LANES) {
        vec_store(x + i, vec_log(vec_load(x + i)));
    }
}

static void exps(double *x, size_t n)
{
    for (size_t i = 0; i < n; i += SPL_LANES) {
        vec_store(x + i, vec_exp(vec_load(x + i)));
    }
}

const spl_draw_kernels SPL_TARGETED(spl_draw_kernels);
const spl_draw_kernels SPL_TARGETED(spl_draw_kernels) = {
    .words = words, .uniforms = uniforms, .normals = normals, .logs = logs, .exps = exps};
