#define SPL_LANES  1
#define SPL_TARGET single
#include "rng/rng.h"

#include "rng/philox.h"

extern const spl_rng_kernels spl_rng_kernels_scalar, spl_rng_kernels_v3,
    spl_rng_kernels_v4;

const spl_rng_kernels *spl_rng_kernels_of(spl_target target)
{
    static const spl_rng_kernels *const kernels[SPL_N_TARGETS] = {
        &spl_rng_kernels_scalar, &spl_rng_kernels_v3, &spl_rng_kernels_v4};
    return kernels[target];
}

double spl_rng_uniform(uint64_t seed, uint32_t stream, uint32_t node, uint64_t draw)
{
    vec_u64 words[4] = {{draw & 0xffffffffu}, {draw >> 32}, {node}, {stream}};
    philox_words(words, seed);
    /* 52 bits and a half: one bit more, and the half would round some results to 1 */
    const uint64_t bits = (words[0][0] << 20) | (words[1][0] >> 12);
    return ((double)bits + 0.5) * 0x1p-52;
}
