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

/* Word k of SPL_LANES nodes, of counters whose lanes are nodes in order; in single
 * precision a vector has twice as many nodes as words, those of even and of odd number.
 */
VEC_INLINE vec_uint philox_word(const vec_u64 (*counter)[4], size_t k)
{
#if defined(SPL_SINGLE) && SPL_LANES > 1
    return (vec_uint)(counter[0][k] | counter[1][k] << 32);
#elif defined(SPL_SINGLE)
    return (vec_uint){(spl_bits)counter[0][k][0]};
#else
    return counter[0][k];
#endif
}

/* ln u, u = (word + 1/2) 2^-32. In single precision u is the sum of a high and a low part
 * and rounds once; from 3/4 on, where ln u loses the low part, f = u - 1 is summed
 * itself. */
VEC_INLINE vec vec_log_uniform(vec_uint word)
{
#ifdef SPL_SINGLE
    const vec high = vec_from_integer(word >> 9);
    const vec low = (vec_from_integer(word & 0x1ffu) + 0.5) * vec_set(0x1p-32);
    vec e;
    vec f;
    vec_split(vec_fma(high, vec_set(0x1p-23), low), &e, &f);
    const vec near_one = vec_fma(high - 0x1p23, vec_set(0x1p-23), low);
    return vec_log_split(e, vec_select(high < 0x1.8p22, f, near_one));
#else
    return vec_log((vec_from_integer(word) + 0.5) * 0x1p-32);
#endif
}

/* Angle in quarter turns, (n + 1/2) 2^-30 - 1/2 of the low 30 bits. */
VEC_INLINE vec vec_turn(vec_uint word)
{
#ifdef SPL_SINGLE
    const vec high = vec_from_integer(word >> 7 & 0x7fffffu) - 0x1p22;
    const vec low = (vec_from_integer(word & 0x7fu) + 0.5) * vec_set(0x1p-30);
    return vec_fma(high, vec_set(0x1p-23), low);
#else
    return vec_fma(
        vec_from_integer(word & 0x3fffffffu) + 0.5, vec_set(0x1p-30), vec_set(-0.5));
#endif
}

/* Two independent normals of two words (Box & Muller 1958). The first word gives the
 * radius, so |z| <= 6.76; the second quadrant (2 bits) and angle (30 bits). */
VEC_INLINE void box_muller(vec_uint word0, vec_uint word1, vec *z0, vec *z1)
{
    const vec radius = vec_sqrt(vec_set(-2.0) * vec_log_uniform(word0));
    vec sine;
    vec cosine;
    vec_sincos_reduced(vec_turn(word1) * vec_set(M_PI_2), &sine, &cosine);
    vec_rotate(word1 >> 30, &sine, &cosine);
    *z0 = radius * cosine;
    *z1 = radius * sine;
}

#endif
