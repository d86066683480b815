/* Elementary functions on vectors: the same bits on every target, no branches. Products
 * that feed a sum are written as vec_fma. One text for both precisions, which differ in
 * constants and in the length of the series; where two bounds are given, the second is
 * that of single precision. Bounds are asserted by tests/unit/simd.
 * NaN stays NaN if the low 12 (9) bits of its payload are zero, as in every NaN that
 * comes out of arithmetic on numbers: exponents are set by adding to the bits. */
#ifndef SPL_SIMD_VEC_MATH_H
#define SPL_SIMD_VEC_MATH_H

#include <stdbool.h>

#include "simd/vec.h"

#ifdef SPL_SINGLE
#define VEC_PICK(in_double, in_single) (in_single)
#else
#define VEC_PICK(in_double, in_single) (in_double)
#endif

/* The format of a number. */
enum { VEC_MANTISSA = VEC_PICK(52, 23), VEC_BIAS = VEC_PICK(1023, 127) };

/* Horner's scheme, highest power first. */
VEC_INLINE vec vec_polynomial(const size_t degree, const double *terms, vec x)
{
    vec p = vec_set(terms[0]);
    SPL_UNROLL
    for (size_t term = 1; term <= degree; term++) {
        p = vec_fma(p, x, vec_set(terms[term]));
    }
    return p;
}
#define VEC_POLYNOMIAL(terms, x) \
    vec_polynomial(sizeof(terms) / sizeof *(terms)-1, terms, x)

/* 2^f for f in [-1/2, 1/2]: minimax polynomials, relative error before rounding 2.1e-16
 * and, with the constant term held at 1, 9.2e-8; tools/make-polynomials. */
#ifdef SPL_SINGLE
static const double vec_exp2_terms[] = {0.0013264727629875134, 0.009671512646245915,
    0.05550733741753073, 0.24022242085258252, 0.693146977600288, 1.0};
#else
static const double vec_exp2_terms[] = {7.037281155599816e-09, 1.0208537884876919e-07,
    1.32156628102318e-06, 1.525265811641539e-05, 0.0001540352996121211,
    0.0013333558228562463, 0.009618129108034494, 0.05550410866445882, 0.24022650695908768,
    0.6931471805599497, 1.0};
#endif
enum { VEC_EXP2_DEGREE = sizeof vec_exp2_terms / sizeof *vec_exp2_terms - 1 };

VEC_INLINE vec vec_exp2_fraction(vec f)
{
    return VEC_POLYNOMIAL(vec_exp2_terms, f);
}

VEC_INLINE vec vec_clamp(vec x, double limit)
{
    return vec_min(vec_set(limit), vec_max(vec_set(-limit), x));
}

/* x + 1.5 * 2^52 (2^23) has the nearest integer of x in its low bits (round to nearest is
 * in force). */
#define VEC_ROUND_MAGIC VEC_PICK(0x1.8p52, 0x1.8p23)

/* The integer n in the low bits of `rounded`, moved to where a number has its exponent,
 * and p 2^n. */
VEC_INLINE vec_uint vec_exponent(vec rounded)
{
    return vec_bits(rounded) << VEC_MANTISSA;
}

VEC_INLINE vec vec_scale(vec p, vec_uint exponent)
{
    return vec_from_bits(vec_bits(p) + exponent);
}

/* 2^x clamped to |x| <= limit, at most that of vec_exp2. */
VEC_INLINE vec vec_exp2_clamped(vec x, double limit)
{
    x = vec_clamp(x, limit);
    const vec rounded = x + vec_set(VEC_ROUND_MAGIC);
    const vec nearest = rounded - vec_set(VEC_ROUND_MAGIC);
    const vec p = vec_exp2_fraction(vec_from_nearest(x, nearest));
    return vec_scale(p, vec_exponent(rounded));
}

/* 2^x, relative error below 4.5e-16, 1.8e-7, x clamped to [-1000, 1000], [-125, 125]. */
VEC_INLINE vec vec_exp2(vec x)
{
    return vec_exp2_clamped(x, VEC_PICK(1000.0, 125.0));
}

/* C(f^2) = f coth(f ln 2 / 2) for |f| <= 1/2, of which 2^f = (C + f) / (C - f): C is
 * even, so that half as many terms do as for 2^f, in chains half as long. Minimax
 * polynomials for that quotient, relative error before rounding 1.9e-16, 3.1e-10;
 * tools/make-polynomials. Both are scaled in single precision so that the quotient is
 * 1 / 1 for f = 0: 1.4 may change where 2^-VEC_GATE_LIMIT of it is added. */
#define VEC_COTH_SCALE VEC_PICK(1.0, 0.3465735881137228)
#ifdef SPL_SINGLE
static const double vec_coth_terms[] = {
    -0.00031900497253526745, 0.04003755106872907, 1.0};
#else
static const double vec_coth_terms[] = {-1.2605117866708586e-07, 1.0581925616407683e-05,
    -0.0009250684489467421, 0.11552453009203811, 2.8853900817779428};
#endif
enum { VEC_COTH_DEGREE = sizeof vec_coth_terms / sizeof *vec_coth_terms - 1 };

/* Exponents are clamped, which keeps the exponent trick from wrapping for nodes that run
 * away. C + f and C - f are at most 2^VEC_COTH_BITS, so that a power is too, beside its
 * 2^VEC_GATE_LIMIT. */
enum {
    VEC_MAX_GATES = 9,
    VEC_GATE_LIMIT = VEC_PICK(60, 24),
    VEC_COTH_BITS = VEC_PICK(2, 1)
};

/* A power of 2 on its way: vec_begin_powers fills the first pair, vec_end_powers turns it
 * into the second or the gate. */
typedef union {
    struct {
        vec f;             /* of the exponent t = n + f, |f| <= 1/2 */
        vec_uint exponent; /* n, where the exponent of a number is */
    };
    struct {
        vec a, b; /* 2^t = b / a: (C + f) 2^n and C - f */
    };
    vec gate; /* 1 / (1 + 2^t) = a / (a + b) */
} vec_power;

/* Each operation of the next two is done for all n <= VEC_MAX_GATES before the next: they
 * are chains, and a processor looks ahead too little to overlap chains that follow each
 * other. They are two so that who forms powers of many nodes calls the first for all of
 * them before the second: half as long a chain each time, and 16 registers hold what is
 * under way. */
#define VEC_EACH SPL_UNROLL for (size_t k = 0; k < n; k++)
VEC_INLINE void vec_begin_powers(const size_t n, const vec *t, vec_power *power)
{
    vec x[VEC_MAX_GATES];
    vec rounded[VEC_MAX_GATES];
    const vec magic = vec_set(VEC_ROUND_MAGIC);
    VEC_EACH x[k] = vec_clamp(t[k], VEC_GATE_LIMIT);
    VEC_EACH rounded[k] = x[k] + magic;
    VEC_EACH x[k] = vec_from_nearest(x[k], rounded[k] - magic);
    VEC_EACH power[k].f = x[k];
    VEC_EACH power[k].exponent = vec_exponent(rounded[k]);
}

/* The compiler knows which of them become a gate, with a division of their own. */
VEC_INLINE void vec_end_powers(const size_t n, const bool *is_gate, vec_power *power)
{
    vec f[VEC_MAX_GATES];
    vec z[VEC_MAX_GATES];
    vec p[VEC_MAX_GATES];
    vec_uint exponent[VEC_MAX_GATES];
    VEC_EACH f[k] = power[k].f;
    VEC_EACH exponent[k] = power[k].exponent;
    VEC_EACH z[k] = f[k] * f[k];
    VEC_EACH f[k] = vec_set(VEC_COTH_SCALE) * f[k];
    VEC_EACH p[k] = vec_set(vec_coth_terms[0]);
    SPL_UNROLL
    for (size_t term = 1; term <= VEC_COTH_DEGREE; term++) {
        VEC_EACH p[k] = vec_fma(p[k], z[k], vec_set(vec_coth_terms[term]));
    }
    VEC_EACH z[k] = p[k] - f[k];
    VEC_EACH p[k] = vec_scale(p[k] + f[k], exponent[k]);
    VEC_EACH
    {
        if (is_gate[k]) {
            power[k].gate = z[k] / (z[k] + p[k]);
        } else {
            power[k].a = z[k];
            power[k].b = p[k];
        }
    }
}
#undef VEC_EACH

/* One or two quotients a / d by one division, which takes a processor as long as 16
 * multiplications: begun for both, ended by each one's share. The product of both d must
 * not overflow. The compiler knows n, and whether both have the same a: two
 * multiplications and a rounding less. */
enum { VEC_MAX_QUOTIENTS = 2 };
typedef struct {
    vec by;
    vec share[VEC_MAX_QUOTIENTS];
} vec_quotients;

VEC_INLINE vec_quotients vec_begin_quotients(
    const size_t n, const bool same, const vec *a, const vec *d)
{
    if (n == 1) {
        return (vec_quotients){.by = a[0] / d[0]};
    }
    const vec product = d[0] * d[1];
    if (same) {
        return (vec_quotients){a[0] / product, {d[1], d[0]}};
    }
    return (vec_quotients){vec_set(1.0) / product, {a[0] * d[1], a[1] * d[0]}};
}

VEC_INLINE vec vec_end_quotient(const size_t n, const vec_quotients q, const size_t which)
{
    return n == 1 ? q.by : q.by * q.share[which];
}

/* 1 / (1 + 2^(a x + b)), which is (1 + tanh((x - T) / delta)) / 2 for
 * a = -2 / (delta ln 2), b = 2 T / (delta ln 2). Absolute error below 2.3e-16, 1.4e-7; of
 * gates that share a division (vec_begin_quotients) below 5e-16, 2.6e-7. */
VEC_INLINE vec vec_gate(vec x, vec a, vec b)
{
    static const bool is_gate = true;
    const vec t = vec_fma(x, a, b);
    vec_power power;
    vec_begin_powers(1, &t, &power);
    vec_end_powers(1, &is_gate, &power);
    return power.gate;
}

/* e^x, relative error below 4.5e-16, 2.5e-7, x clamped to [-690, 690], [-86, 86]:
 * x = n ln 2 + r, the sum of two numbers stands for ln 2. */
VEC_INLINE vec vec_exp(vec x)
{
    x = vec_clamp(x, VEC_PICK(690.0, 86.0));
    const vec magic = vec_set(VEC_ROUND_MAGIC);
    const vec rounded = vec_fma(x, vec_set(M_LOG2E), magic);
    const vec n = rounded - magic;
    vec r = vec_fma(n, vec_set(-0.6931471805599453), x);
    r = vec_fma(n, vec_set(VEC_PICK(-2.3190468138462996e-17, 1.9046542121259336e-09)), r);
    return vec_scale(vec_exp2_fraction(r * vec_set(M_LOG2E)), vec_exponent(rounded));
}

/* (e^x - 1) / x, 1 at x = 0; relative error below 1e-15, 7e-7 in the range of vec_exp.
 * Taylor series below 1/2 (first term left out: 0.5^14 / 15! = 5e-17, 0.5^8 / 9! = 1e-8),
 * the quotient above. */
static const double vec_exprel_terms[] = {
#ifndef SPL_SINGLE
    1.1470745597729725e-11, 1.6059043836821613e-10, 2.08767569878681e-09,
    2.505210838544172e-08, 2.755731922398589e-07, 2.7557319223985893e-06,
#endif
    2.48015873015873e-05, 0.0001984126984126984, 0.001388888888888889,
    0.008333333333333333, 0.041666666666666664, 0.16666666666666666, 0.5, 1.0};
VEC_INLINE vec vec_exprel(vec x)
{
    const vec p = VEC_POLYNOMIAL(vec_exprel_terms, x);
    const vec quotient = (vec_exp(x) - vec_set(1.0)) / x;
    return vec_select(vec_max(x, -x) < vec_set(0.5), p, quotient);
}

/* The same numbers, faster where arguments of 1/2 and more are rare. */
VEC_INLINE vec vec_exprel_small(vec x)
{
    const vec p = VEC_POLYNOMIAL(vec_exprel_terms, x);
    const vec_mask small = vec_max(x, -x) < vec_set(0.5);
    return vec_any(~small) ? vec_select(small, p, vec_exprel(x)) : p;
}

/* x = 2^e (1 + f) for positive normal x, f in [-1/4, 1/2). */
VEC_INLINE void vec_split(vec x, vec *e, vec *f)
{
    const vec_uint three_quarters = vec_bits(vec_set(0.75));
    const vec_uint shifted = vec_bits(x) + (vec_bits(vec_set(1.0)) - three_quarters);
    const vec integer = vec_set(VEC_PICK(0x1p52, 0x1p23));
    *e = vec_from_bits(shifted >> VEC_MANTISSA | vec_bits(integer)) -
         vec_set(VEC_PICK(0x1p52, 0x1p23) + VEC_BIAS);
    *f = vec_from_bits((shifted & (((spl_bits)1 << VEC_MANTISSA) - 1)) + three_quarters) -
         vec_set(1.0);
}

/* e ln 2 + ln(1 + f), ln(1 + f) = 2 atanh(s), s = f / (f + 2), |s| <= 1/5, as an odd
 * series to s^23, s^9. */
static const double vec_log_terms[] = {
#ifndef SPL_SINGLE
    0.08695652173913043, 0.09523809523809523, 0.10526315789473684, 0.11764705882352941,
    0.13333333333333333, 0.15384615384615385, 0.18181818181818182,
#endif
    0.2222222222222222, 0.2857142857142857, 0.4, 0.6666666666666666};
VEC_INLINE vec vec_log_split(vec e, vec f)
{
    const vec s = f / (f + vec_set(2.0));
    const vec z = s * s;
    const vec p = VEC_POLYNOMIAL(vec_log_terms, z);
    /* f - s f = 2 s, with less rounding */
    const vec ln_m = vec_fma(s * z, p, vec_fma(-s, f, f));
    return vec_fma(e, vec_set(M_LN2), ln_m);
}

/* ln x for positive normal x, relative error below 3e-16, 1.5e-7. */
VEC_INLINE vec vec_log(vec x)
{
    vec e;
    vec f;
    vec_split(x, &e, &f);
    return vec_select(x == x, vec_log_split(e, f), x);
}

/* sin x and cos x for |x| <= pi / 4 (Taylor, errors below 1e-16, 5e-8). */
static const double vec_sine_terms[] = {
#ifndef SPL_SINGLE
    -7.647163731819816e-13, 1.6059043836821613e-10, -2.505210838544172e-08,
#endif
    2.7557319223985893e-06, -0.0001984126984126984, 0.008333333333333333,
    -0.16666666666666666};
static const double vec_cosine_terms[] = {
#ifndef SPL_SINGLE
    4.779477332387385e-14, -1.1470745597729725e-11, 2.08767569878681e-09,
    -2.755731922398589e-07,
#endif
    2.48015873015873e-05, -0.001388888888888889, 0.041666666666666664, -0.5, 1.0};
VEC_INLINE void vec_sincos_reduced(vec x, vec *sine, vec *cosine)
{
    const vec z = x * x;
    *sine = vec_fma(VEC_POLYNOMIAL(vec_sine_terms, z) * z, x, x);
    *cosine = VEC_POLYNOMIAL(vec_cosine_terms, z);
}

/* Rotate (sine, cosine) of a reduced angle by `quadrant` quarter turns; only two bits
 * count. */
VEC_INLINE void vec_rotate(vec_uint quadrant, vec *sine, vec *cosine)
{
    const int to_sign = 8 * SPL_REAL_BYTES - 2;
    const vec_uint odd = -(quadrant & 1);
    const vec_uint sign = vec_bits(vec_set(-0.0));
    const vec_uint sine_sign = (quadrant << to_sign) & sign;
    const vec_uint cosine_sign = sine_sign ^ (odd & sign);
    const vec_uint swap = (vec_bits(*sine) ^ vec_bits(*cosine)) & odd;
    *sine = vec_from_bits(vec_bits(*sine) ^ swap ^ sine_sign);
    *cosine = vec_from_bits(vec_bits(*cosine) ^ swap ^ cosine_sign);
}

/* sin x and cos x for |x| < 1e5, absolute error below 1.5e-16, 1.2e-7: pi / 2 as a sum of
 * three numbers. */
VEC_INLINE void vec_sincos(vec x, vec *sine, vec *cosine)
{
    const vec magic = vec_set(VEC_ROUND_MAGIC);
    const vec rounded = vec_fma(x, vec_set(M_2_PI), magic);
    const vec n = rounded - magic;
    vec r = vec_fma(n, vec_set(-1.5707963267948966), x);
    r = vec_fma(n, vec_set(VEC_PICK(-6.123233995736766e-17, 4.371138828673793e-08)), r);
    r = vec_fma(n, vec_set(VEC_PICK(1.4973849048591833e-33, 1.7151245100058819e-15)), r);
    vec_sincos_reduced(r, sine, cosine);
    vec_rotate(vec_bits(rounded), sine, cosine);
}

#endif
