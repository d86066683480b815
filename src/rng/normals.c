/* Normals in vector blocks: lanes over nodes, four steps per call of the generator. */
#include "rng/philox.h"
#include "rng/rng.h"

static void normals(uint64_t seed, uint32_t stream, uint64_t first_step, size_t n_steps,
    uint32_t first_node, size_t n_nodes, double *out, size_t step_stride)
{
    const uint64_t end = first_step + n_steps;
    vec_u64 lanes;
    for (size_t lane = 0; lane < SPL_LANES; lane++) {
        lanes[lane] = lane;
    }
    for (uint64_t group = first_step / 4; group * 4 < end; group++) {
        for (size_t i = 0; i < n_nodes; i += SPL_LANES) {
            vec_u64 words[4] = {
                (vec_u64){0} + (group & 0xffffffffu),
                (vec_u64){0} + (group >> 32),
                lanes + (uint64_t)(first_node + i),
                (vec_u64){0} + stream,
            };
            vec z[4];
            philox_words(words, seed);
            box_muller(words[0], words[1], &z[0], &z[1]);
            box_muller(words[2], words[3], &z[2], &z[3]);
            for (uint64_t s = 0; s < 4; s++) {
                const uint64_t step = group * 4 + s;
                if (step >= first_step && step < end) {
                    vec_store(out + (step - first_step) * step_stride + i, z[s]);
                }
            }
        }
    }
}

const spl_rng_kernels SPL_TARGETED(spl_rng_kernels);
const spl_rng_kernels SPL_TARGETED(spl_rng_kernels) = {.normals = normals};
