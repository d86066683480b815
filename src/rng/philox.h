/* Philox4x32-10 (Salmon et al. 2011, SC'11) on vectors, bit for bit that of Random123.
 * The layout of the counter is part of every result and never changes:
 *   counter = { group low, group high, node, stream }, key = { seed low, seed high }. */
#ifndef SPL_RNG_PHILOX_H
#define SPL_RNG_PHILOX_H

#include "simd/vec_math.h"

/* Replace n independent counters by their random words, one lane per node; words are in
 * the low halves of the lanes, the high halves are zero. Round by round for all of them:
 * a round waits for the one before. */
VEC_INLINE void philox_side_by_side(const size_t n, vec_u64 (*counter)[4], uint64_t seed)
{
    uint32_t key0 = (uint32_t)seed;
    uint32_t key1 = (uint32_t)(seed >> 32);
    const vec_u64 multiplier0 = (vec_u64){0} + 0xD2511F53u;
    const vec_u64 multiplier1 = (vec_u64){0} + 0xCD9E8D57u;
    for (int round = 0; round < 10; round++) {
        SPL_UNROLL
        for (size_t i = 0; i < n; i++) {
            vec_u64 *c = counter[i];
            const vec_u64 product0 = vec_mul_u32(multiplier0, c[0]);
            const vec_u64 product1 = vec_mul_u32(multiplier1, c[2]);
            /* high halves may hold anything in between: products take the low ones */
            c[0] = (product1 >> 32) ^ c[1] ^ key0;
            c[2] = (product0 >> 32) ^ c[3] ^ key1;
            c[1] = product1;
            c[3] = product0;
        }
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    SPL_UNROLL
    for (size_t i = 0; i < n; i++) {
        for (size_t word = 0; word < 4; word++) {
            counter[i][word] &= 0xffffffffu;
        }
    }
}

VEC_INLINE void philox_words(vec_u64 counter[4], uint64_t seed)
{
    philox_side_by_side(1, (vec_u64(*)[4])counter, seed);
}

/* Two independent normals of two words (Box & Muller 1958). The first word gives the
 * radius, so |z| <= 6.76; the second quadrant (2 bits) and angle (30 bits). */
VEC_INLINE void box_muller(vec_u64 word0, vec_u64 word1, vec *z0, vec *z1)
{
    const vec u = (vec_from_u52(word0) + 0.5) * 0x1p-32;
    const vec radius = vec_sqrt(-2.0 * vec_log(u));
    const vec turn =
        vec_fma(vec_from_u52(word1 & 0x3fffffffu) + 0.5, vec_set(0x1p-30), vec_set(-0.5));
    vec sine;
    vec cosine;
    vec_sincos_reduced(turn * M_PI_2, &sine, &cosine);
    vec_rotate(word1 >> 30, &sine, &cosine);
    *z0 = radius * cosine;
    *z1 = radius * sine;
}

#endif
