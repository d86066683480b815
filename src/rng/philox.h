/* Philox4x32-10 (Salmon et al. 2011, SC'11) on vectors, bit for bit that of Random123.
 * The layout of the counter is part of every result and never changes:
 *   counter = { group low, group high, node, stream }, key = { seed low, seed high }. */
#ifndef SPL_RNG_PHILOX_H
#define SPL_RNG_PHILOX_H

#include "simd/vec_math.h"

enum { PHILOX_ROUNDS = 10 };

/* Keys of the rounds, one in every lane. */
typedef struct {
    vec_u64 round[PHILOX_ROUNDS][2];
} philox_keys;

VEC_INLINE philox_keys philox_keys_of(uint64_t seed)
{
    philox_keys keys;
    uint32_t key0 = (uint32_t)seed;
    uint32_t key1 = (uint32_t)(seed >> 32);
    for (size_t round = 0; round < PHILOX_ROUNDS; round++) {
        keys.round[round][0] = (vec_u64){0} + key0;
        keys.round[round][1] = (vec_u64){0} + key1;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return keys;
}

static const uint64_t philox_multiplier[2] = {0xD2511F53u, 0xCD9E8D57u};

/* Rounds from `first` on of n independent counters, one lane per node, round by round for
 * all of them: a round waits for the one before. Words are in the low halves of the
 * lanes, the high halves hold anything: products take the low ones. */
VEC_INLINE void philox_rounds(
    const size_t first, const size_t n, vec_u64 (*counter)[4], const philox_keys *keys)
{
    const vec_u64 multiplier0 = (vec_u64){0} + philox_multiplier[0];
    const vec_u64 multiplier1 = (vec_u64){0} + philox_multiplier[1];
    SPL_UNROLL
    for (size_t round = first; round < PHILOX_ROUNDS; round++) {
        SPL_UNROLL
        for (size_t i = 0; i < n; i++) {
            vec_u64 *c = counter[i];
            const vec_u64 product0 = vec_mul_u32(multiplier0, c[0]);
            const vec_u64 product1 = vec_mul_u32(multiplier1, c[2]);
            c[0] = (product1 >> 32) ^ (c[1] ^ keys->round[round][0]);
            c[2] = (product0 >> 32) ^ (c[3] ^ keys->round[round][1]);
            c[1] = product1;
            c[3] = product0;
        }
    }
}

/* Replace n independent counters by their random words. */
VEC_INLINE void philox_side_by_side(
    const size_t n, vec_u64 (*counter)[4], const philox_keys *keys)
{
    philox_rounds(0, n, counter, keys);
}

/* The same of counters that differ in their nodes alone, counter[i][2] on entry: most of
 * the first three rounds is one number for all of them. */
VEC_INLINE void philox_of_nodes(const size_t n, vec_u64 (*counter)[4], uint64_t group,
    uint32_t stream, const philox_keys *keys)
{
    const uint64_t low = 0xffffffffu;
    const vec_u64 multiplier0 = (vec_u64){0} + philox_multiplier[0];
    const vec_u64 multiplier1 = (vec_u64){0} + philox_multiplier[1];
    const uint64_t first = philox_multiplier[0] * (group & low);
    const uint64_t second =
        philox_multiplier[1] * (((first >> 32) ^ stream ^ keys->round[0][1][0]) & low);
    const vec_u64 xor1 = (vec_u64){0} + ((group >> 32) ^ keys->round[0][0][0]);
    const vec_u64 xor2[2] = {(vec_u64){0} + ((second >> 32) ^ keys->round[1][0][0]),
        (vec_u64){0} + (first ^ keys->round[1][1][0])};
    const vec_u64 xor3 = (vec_u64){0} + (second ^ keys->round[2][0][0]);
    SPL_UNROLL
    for (size_t i = 0; i < n; i++) {
        vec_u64 *c = counter[i];
        const vec_u64 of_node = vec_mul_u32(multiplier1, c[2]);
        const vec_u64 next = vec_mul_u32(multiplier0, (of_node >> 32) ^ xor1);
        const vec_u64 product0 = vec_mul_u32(multiplier0, of_node ^ xor2[0]);
        const vec_u64 product1 = vec_mul_u32(multiplier1, (next >> 32) ^ xor2[1]);
        c[0] = (product1 >> 32) ^ xor3;
        c[2] = (product0 >> 32) ^ (next ^ keys->round[2][1]);
        c[1] = product1;
        c[3] = product0;
    }
    philox_rounds(3, n, counter, keys);
}

/* The words of one counter per lane, high halves zero. */
VEC_INLINE void philox_words(vec_u64 counter[4], uint64_t seed)
{
    const philox_keys keys = philox_keys_of(seed);
    philox_side_by_side(1, (vec_u64(*)[4])counter, &keys);
    for (size_t word = 0; word < 4; word++) {
        counter[word] &= 0xffffffffu;
    }
}

/* Word k of SPL_LANES nodes, of counters whose lanes are nodes in order; in single
 * precision a vector has twice as many nodes as words, those of even and of odd number.
 */
VEC_INLINE vec_uint philox_word(const vec_u64 (*counter)[4], size_t k)
{
#if defined(SPL_SINGLE) && SPL_LANES > 1
    return (vec_uint)((counter[0][k] & 0xffffffffu) | counter[1][k] << 32);
#elif defined(SPL_SINGLE)
    return (vec_uint){(spl_bits)counter[0][k][0]};
#else
    return counter[0][k];
#endif
}

/* u = (word + 1/2) 2^-32 of the low 32 bits of a lane in parts whose logarithm is a sum:
 * u = 2^e (1 + f), f in [-1/4, 1/2); in double s = f / (f + 2), ln(1 + f) = 2 atanh(s).
 * A processor looks ahead too little to overlap whole chains from word to logarithm, so
 * that the first halves of many come before the second. */
typedef struct {
    vec e;
    vec VEC_PICK(s, f);
} log_parts;

/* -2 ln u; relative error below 4e-16. In single precision u is the sum of a high and a
 * low part and rounds once; from 3/4 on, where ln u loses the low part, f = u - 1 is
 * summed itself. */
#ifdef SPL_SINGLE
VEC_INLINE log_parts split_uniform(vec_uint word)
{
    const vec high = vec_from_integer(word >> 9);
    const vec at_2_23 = vec_from_bits((word & 0x1ffu) | vec_bits(vec_set(0x1p23)));
    const vec low = (at_2_23 - vec_set(0x1p23 - 0.5)) * vec_set(0x1p-32);
    vec e;
    vec f;
    vec_split(vec_fma(high, vec_set(0x1p-23), low), &e, &f);
    const vec near_one = vec_fma(high - 0x1p23, vec_set(0x1p-23), low);
    return (log_parts){e, vec_select(high < 0x1.8p22, f, near_one)};
}

VEC_INLINE vec minus_two_log(const log_parts u)
{
    return vec_set(-2.0) * vec_log_split(u.e, u.f);
}
#else
VEC_INLINE log_parts split_uniform(vec_uint word)
{
    /* 2^20 + word 2^-32, from which all but the half is taken away */
    const vec_uint at_2_20 = (word & 0xffffffffu) | vec_bits(vec_set(0x1p20));
    const vec u = vec_from_bits(at_2_20) - vec_set(0x1p20 - 0x1p-33);
    vec e;
    vec f;
    vec_split(u, &e, &f);
    return (log_parts){e, f / (f + vec_set(2.0))};
}

/* -2 ln((1 + s) / (1 - s)) / s in s^2 <= 1/25: minimax polynomial, highest power first;
 * tools/make-polynomials. */
static const double minus_two_log_terms[] = {-0.30777185639124266, -0.30494261031085773,
    -0.3637307857752873, -0.4444426583678031, -0.5714285897236692, -0.7999999999081175,
    -1.333333333333509, -4.0};
VEC_INLINE vec minus_two_log(const log_parts u)
{
    const vec ratio = VEC_POLYNOMIAL(minus_two_log_terms, u.s * u.s);
    return vec_fma(u.e, vec_set(-2.0 * M_LN2), u.s * ratio);
}
#endif

/* Sine and cosine of (n + 1/2) 2^-30 - 1/2 quarter turns, n the low 30 bits of a lane. */
#ifdef SPL_SINGLE
VEC_INLINE void sincos_turn(vec_uint word, vec *sine, vec *cosine)
{
    /* 2 n + 1 - 2^30, which rounds once */
    const vec_mask odd = ((vec_mask)(word << 2 ^ 0x80000000u) >> 1) | 1;
    const vec turn = __builtin_convertvector(odd, vec);
    vec_sincos_reduced(turn * vec_set(M_PI_2 * 0x1p-31), sine, cosine);
}
#else
/* sin(pi t / 2) / t and cos(pi t / 2) in t^2 <= 1/4: minimax polynomials, highest power
 * first; tools/make-polynomials. The constant 1 is its neighbour's. */
static const double sine_turn_terms[] = {5.633720856452633e-08, -3.5986417534099325e-06,
    0.00016044115029141055, -0.004681754132282397, 0.07969262624603957,
    -0.6459640975062443, 1.5707963267948966};
static const double cosine_turn_terms[] = {4.6546177954479527e-07,
    -2.5200084147535964e-05, 0.0009192599355831378, -0.020863480733058964,
    0.2536695078997531, -1.2337005501361489, 1.0};
VEC_INLINE void sincos_turn(vec_uint word, vec *sine, vec *cosine)
{
    /* 2^21 + (2 n + 1) 2^-31 */
    const vec_uint at_2_21 = (word << 34 >> 33) | (vec_bits(vec_set(0x1p21)) | 1);
    const vec t = vec_from_bits(at_2_21) - vec_set(0x1p21 + 0.5);
    const vec z = t * t;
    *sine = t * VEC_POLYNOMIAL(sine_turn_terms, z);
    *cosine = VEC_POLYNOMIAL(cosine_turn_terms, z);
}
#endif

/* Two independent normals (Box & Muller 1958) of -2 ln u, u of one word, so |z| <= 6.76,
 * and another word: quadrant (2 bits) and angle (30 bits). */
VEC_INLINE void box_muller(vec minus_two_ln_u, vec_uint word, vec *z0, vec *z1)
{
    const vec radius = vec_sqrt(minus_two_ln_u);
    vec sine;
    vec cosine;
    sincos_turn(word, &sine, &cosine);
    vec_rotate(word >> 30, &sine, &cosine);
    *z0 = radius * cosine;
    *z1 = radius * sine;
}

#endif
