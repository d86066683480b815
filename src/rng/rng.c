#define SPL_LANES  1
#define SPL_TARGET one
#include "rng/rng.h"

#include "rng/philox.h"

double spl_rng_uniform(uint64_t seed, uint32_t stream, uint32_t node, uint64_t draw)
{
    vec_u64 words[4] = {{draw & 0xffffffffu}, {draw >> 32}, {node}, {stream}};
    philox_words(words, seed);
    /* 52 bits and a half: one bit more, and the half would round some results to 1 */
    const uint64_t bits = (words[0][0] << 20) | (words[1][0] >> 12);
    return ((double)bits + 0.5) * 0x1p-52;
}
