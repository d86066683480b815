/* Elementary functions on vectors: the same bits on every target, no branches. Products
 * that feed a sum are written as vec_fma. Bounds are asserted by tests/unit/simd.
 * NaN stays NaN if the low 12 bits of its payload are zero, as in every NaN that comes
 * out of arithmetic on numbers: exponents are set by adding to the bits. */
#ifndef SPL_SIMD_VEC_MATH_H
#define SPL_SIMD_VEC_MATH_H

#include "simd/vec.h"

/* 2^f for f in [-1/2, 1/2]: minimax polynomial of degree 10, highest power first;
 * relative error 2.1e-16 before rounding. */
enum { VEC_EXP2_DEGREE = 10 };
static const double vec_exp2_terms[VEC_EXP2_DEGREE + 1] = {7.037281155599816e-09,
    1.0208537884876919e-07, 1.32156628102318e-06, 1.525265811641539e-05,
    0.0001540352996121211, 0.0013333558228562463, 0.009618129108034494,
    0.05550410866445882, 0.24022650695908768, 0.6931471805599497, 1.0};

VEC_INLINE vec vec_exp2_fraction(vec f)
{
    vec p = vec_set(vec_exp2_terms[0]);
    SPL_UNROLL
    for (size_t term = 1; term <= VEC_EXP2_DEGREE; term++) {
        p = vec_fma(p, f, vec_set(vec_exp2_terms[term]));
    }
    return p;
}

VEC_INLINE vec vec_clamp(vec x, double limit)
{
    return vec_min(vec_set(limit), vec_max(vec_set(-limit), x));
}

/* x + 1.5 * 2^52 has the nearest integer of x in its low bits (round to nearest is in
 * force). */
#define VEC_ROUND_MAGIC 0x1.8p52

/* 2^x clamped to |x| <= limit <= 1000. */
VEC_INLINE vec vec_exp2_clamped(vec x, double limit)
{
    x = vec_clamp(x, limit);
    const vec rounded = x + VEC_ROUND_MAGIC;
    const vec p = vec_exp2_fraction(x - (rounded - VEC_ROUND_MAGIC));
    return vec_from_bits(vec_bits(p) + (vec_bits(rounded) << 52));
}

/* 2^x, relative error below 4.5e-16, x clamped to [-1000, 1000]. */
VEC_INLINE vec vec_exp2(vec x)
{
    return vec_exp2_clamped(x, 1000.0);
}

/* 1 / (1 + 2^t) of n <= VEC_MAX_GATES independent t, in place; absolute error below
 * 2.3e-16. The clamp at 60 keeps the exponent trick from wrapping for nodes that run
 * away. Each operation is done for all of them before the next: they are chains of some
 * twenty operations, and a processor looks ahead too little to overlap chains that follow
 * each other. */
enum { VEC_MAX_GATES = 8 };
VEC_INLINE void vec_gates(const size_t n, vec *t)
{
#define VEC_EACH_GATE SPL_UNROLL for (size_t k = 0; k < n; k++)
    vec rounded[VEC_MAX_GATES];
    vec p[VEC_MAX_GATES];
    VEC_EACH_GATE t[k] = vec_clamp(t[k], 60.0);
    VEC_EACH_GATE rounded[k] = t[k] + VEC_ROUND_MAGIC;
    VEC_EACH_GATE t[k] = t[k] - (rounded[k] - VEC_ROUND_MAGIC);
    VEC_EACH_GATE p[k] = vec_set(vec_exp2_terms[0]);
    SPL_UNROLL
    for (size_t term = 1; term <= VEC_EXP2_DEGREE; term++) {
        VEC_EACH_GATE p[k] = vec_fma(p[k], t[k], vec_set(vec_exp2_terms[term]));
    }
    VEC_EACH_GATE t[k] = vec_from_bits(vec_bits(p[k]) + (vec_bits(rounded[k]) << 52));
    VEC_EACH_GATE t[k] = 1.0 / (1.0 + t[k]);
#undef VEC_EACH_GATE
}

/* 1 / (1 + 2^(a x + b)), which is (1 + tanh((x - T) / delta)) / 2 for
 * a = -2 / (delta ln 2), b = 2 T / (delta ln 2). */
VEC_INLINE vec vec_gate(vec x, vec a, vec b)
{
    vec t = vec_fma(x, a, b);
    vec_gates(1, &t);
    return t;
}

/* e^x, relative error below 4.5e-16, x clamped to [-690, 690]: x = n ln 2 + r, the sum of
 * two doubles stands for ln 2. */
VEC_INLINE vec vec_exp(vec x)
{
    x = vec_clamp(x, 690.0);
    const vec rounded = vec_fma(x, vec_set(M_LOG2E), vec_set(VEC_ROUND_MAGIC));
    const vec n = rounded - VEC_ROUND_MAGIC;
    vec r = vec_fma(n, vec_set(-0.6931471805599453), x);
    r = vec_fma(n, vec_set(-2.3190468138462996e-17), r);
    const vec p = vec_exp2_fraction(r * M_LOG2E);
    return vec_from_bits(vec_bits(p) + (vec_bits(rounded) << 52));
}

/* (e^x - 1) / x, 1 at x = 0; relative error below 1e-15 for |x| <= 690. Taylor series
 * below 1/2 (first term left out: 0.5^14 / 15! = 5e-17), the quotient above. */
VEC_INLINE vec vec_exprel(vec x)
{
    vec p = vec_set(1.1470745597729725e-11);
    p = vec_fma(p, x, vec_set(1.6059043836821613e-10));
    p = vec_fma(p, x, vec_set(2.08767569878681e-09));
    p = vec_fma(p, x, vec_set(2.505210838544172e-08));
    p = vec_fma(p, x, vec_set(2.755731922398589e-07));
    p = vec_fma(p, x, vec_set(2.7557319223985893e-06));
    p = vec_fma(p, x, vec_set(2.48015873015873e-05));
    p = vec_fma(p, x, vec_set(0.0001984126984126984));
    p = vec_fma(p, x, vec_set(0.001388888888888889));
    p = vec_fma(p, x, vec_set(0.008333333333333333));
    p = vec_fma(p, x, vec_set(0.041666666666666664));
    p = vec_fma(p, x, vec_set(0.16666666666666666));
    p = vec_fma(p, x, vec_set(0.5));
    p = vec_fma(p, x, vec_set(1.0));
    const vec quotient = (vec_exp(x) - 1.0) / x;
    return vec_select(vec_max(x, -x) < 0.5, p, quotient);
}

/* ln x for positive normal x, relative error below 3e-16: x = 2^e m, m
 * in [3/4, 3/2), ln m = 2 atanh(s), s = (m - 1) / (m + 1), |s| <= 1/5, as an odd series
 * to s^23. */
VEC_INLINE vec vec_log(vec x)
{
    const vec_u64 three_quarters = vec_bits(vec_set(0.75));
    const vec_u64 bits = vec_bits(x);
    const vec_u64 biased = (bits - three_quarters + ((uint64_t)1023 << 52)) >> 52;
    const vec e = vec_from_u52(biased) - 1023.0;
    const vec m = vec_from_bits(bits - ((biased - 1023) << 52));
    const vec f = m - 1.0;
    const vec s = f / (f + 2.0);
    const vec z = s * s;
    vec p = vec_set(0.08695652173913043);
    p = vec_fma(p, z, vec_set(0.09523809523809523));
    p = vec_fma(p, z, vec_set(0.10526315789473684));
    p = vec_fma(p, z, vec_set(0.11764705882352941));
    p = vec_fma(p, z, vec_set(0.13333333333333333));
    p = vec_fma(p, z, vec_set(0.15384615384615385));
    p = vec_fma(p, z, vec_set(0.18181818181818182));
    p = vec_fma(p, z, vec_set(0.2222222222222222));
    p = vec_fma(p, z, vec_set(0.2857142857142857));
    p = vec_fma(p, z, vec_set(0.4));
    p = vec_fma(p, z, vec_set(0.6666666666666666));
    /* f - s f = 2 s, with less rounding */
    const vec ln_m = vec_fma(s * z, p, vec_fma(-s, f, f));
    return vec_select(x == x, vec_fma(e, vec_set(M_LN2), ln_m), x);
}

/* sin x and cos x for |x| <= pi / 4 (Taylor, errors below 1e-16). */
VEC_INLINE void vec_sincos_reduced(vec x, vec *sine, vec *cosine)
{
    const vec z = x * x;
    vec s = vec_set(-7.647163731819816e-13);
    vec c = vec_set(4.779477332387385e-14);
    s = vec_fma(s, z, vec_set(1.6059043836821613e-10));
    s = vec_fma(s, z, vec_set(-2.505210838544172e-08));
    s = vec_fma(s, z, vec_set(2.7557319223985893e-06));
    s = vec_fma(s, z, vec_set(-0.0001984126984126984));
    s = vec_fma(s, z, vec_set(0.008333333333333333));
    s = vec_fma(s, z, vec_set(-0.16666666666666666));
    c = vec_fma(c, z, vec_set(-1.1470745597729725e-11));
    c = vec_fma(c, z, vec_set(2.08767569878681e-09));
    c = vec_fma(c, z, vec_set(-2.755731922398589e-07));
    c = vec_fma(c, z, vec_set(2.48015873015873e-05));
    c = vec_fma(c, z, vec_set(-0.001388888888888889));
    c = vec_fma(c, z, vec_set(0.041666666666666664));
    c = vec_fma(c, z, vec_set(-0.5));
    c = vec_fma(c, z, vec_set(1.0));
    *sine = vec_fma(s * z, x, x);
    *cosine = c;
}

/* Rotate (sine, cosine) of a reduced angle by `quadrant` quarter turns; only two bits
 * count. */
VEC_INLINE void vec_rotate(vec_u64 quadrant, vec *sine, vec *cosine)
{
    const vec_mask odd = -(vec_mask)(quadrant & 1);
    const vec_u64 sine_sign = (quadrant & 2) << 62;
    const vec_u64 cosine_sign = ((quadrant + 1) & 2) << 62;
    const vec s = vec_select(odd, *cosine, *sine);
    const vec c = vec_select(odd, *sine, *cosine);
    *sine = vec_from_bits(vec_bits(s) ^ sine_sign);
    *cosine = vec_from_bits(vec_bits(c) ^ cosine_sign);
}

/* sin x and cos x for |x| < 1e5, absolute error below 1.5e-16: pi / 2 as a sum of three
 * doubles. */
VEC_INLINE void vec_sincos(vec x, vec *sine, vec *cosine)
{
    const vec rounded = vec_fma(x, vec_set(M_2_PI), vec_set(VEC_ROUND_MAGIC));
    const vec n = rounded - VEC_ROUND_MAGIC;
    vec r = vec_fma(n, vec_set(-1.5707963267948966), x);
    r = vec_fma(n, vec_set(-6.123233995736766e-17), r);
    r = vec_fma(n, vec_set(1.4973849048591833e-33), r);
    vec_sincos_reduced(r, sine, cosine);
    vec_rotate(vec_bits(rounded), sine, cosine);
}

#endif
