/* exp2 and the logistic gate on vectors: FMA only, the same bits on every target. */
#ifndef SPL_SIMD_VEC_MATH_H
#define SPL_SIMD_VEC_MATH_H

#include "simd/vec.h"

/* 2^x for x in [-1000, 1000], clamped outside; NaN stays NaN.
 * Minimax polynomial of degree 10 on [-1/2, 1/2], relative error 2.1e-16 before rounding;
 * the nearest integer appears in the low bits of x + 1.5 * 2^52 and is added to the
 * exponent. Measured against long double on [-700, 700]: see tests/unit/simd. */
VEC_INLINE vec vec_exp2_clamped(vec x, double limit)
{
    const vec magic = vec_set(0x1.8p52);
    x = vec_max(vec_set(-limit), x);
    x = vec_min(vec_set(limit), x);
    vec rounded = x + magic;
    vec f = x - (rounded - magic);
    vec p = vec_set(7.037281155599816e-09);
    p = vec_fma(p, f, vec_set(1.0208537884876919e-07));
    p = vec_fma(p, f, vec_set(1.32156628102318e-06));
    p = vec_fma(p, f, vec_set(1.525265811641539e-05));
    p = vec_fma(p, f, vec_set(0.0001540352996121211));
    p = vec_fma(p, f, vec_set(0.0013333558228562463));
    p = vec_fma(p, f, vec_set(0.009618129108034494));
    p = vec_fma(p, f, vec_set(0.05550410866445882));
    p = vec_fma(p, f, vec_set(0.24022650695908768));
    p = vec_fma(p, f, vec_set(0.6931471805599497));
    p = vec_fma(p, f, vec_set(1.0));
    return vec_from_bits(vec_bits(p) + (vec_bits(rounded) << 52));
}

VEC_INLINE vec vec_exp2(vec x)
{
    return vec_exp2_clamped(x, 1000.0);
}

/* 1 / (1 + 2^(a x + b)), which is (1 + tanh((x - T) / delta)) / 2 for
 * a = -2 / (delta ln 2), b = 2 T / (delta ln 2); absolute error below 2.3e-16.
 * The clamp at 60 keeps the exponent trick from wrapping for nodes that run away. */
VEC_INLINE vec vec_gate(vec x, vec a, vec b)
{
    return 1.0 / (1.0 + vec_exp2_clamped(vec_fma(x, a, b), 60.0));
}

#endif
