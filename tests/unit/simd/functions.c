/* Compiled once per SIMD target and precision, as the kernels are. */
#include "functions.h"

#include "simd/vec_math.h"

#define APPLY(name, expression)                                          \
    static void apply_##name(const spl_real *x, spl_real *out, size_t n) \
    {                                                                    \
        for (size_t i = 0; i < n; i += SPL_LANES) {                      \
            const vec v = vec_load(x + i);                               \
            vec_store(out + i, expression);                              \
        }                                                                \
    }

VEC_INLINE vec sine_of(vec x)
{
    vec sine;
    vec cosine;
    vec_sincos(x, &sine, &cosine);
    return sine;
}

VEC_INLINE vec cosine_of(vec x)
{
    vec sine;
    vec cosine;
    vec_sincos(x, &sine, &cosine);
    return cosine;
}

/* Gate `which` of n that share a division; the one beside it is of another number. */
VEC_INLINE vec gate_beside(vec x, const size_t n, const size_t which)
{
    static const bool is_gate[VEC_MAX_QUOTIENTS]; /* none is one */
    vec a[VEC_MAX_QUOTIENTS];
    vec d[VEC_MAX_QUOTIENTS];
    vec_power power[VEC_MAX_QUOTIENTS];
    for (size_t k = 0; k < n; k++) {
        const double factor = k == which ? 1.0 : k == 0 ? -1.0 : 0.7;
        a[k] = x * vec_set(-2.0 * M_LOG2E * factor);
    }
    vec_begin_powers(n, a, power);
    vec_end_powers(n, is_gate, power);
    for (size_t k = 0; k < n; k++) {
        a[k] = power[k].a;
        d[k] = a[k] + power[k].b;
    }
    return vec_end_quotient(n, vec_begin_quotients(n, false, a, d), which);
}

/* The same of the square of an exponential, beside a gate of a multiple of that square.
 */
VEC_INLINE vec gate_of_square(vec x, const size_t which)
{
    static const bool is_gate = false;
    const vec t = x * vec_set(-M_LOG2E);
    vec_power power;
    vec_begin_powers(1, &t, &power);
    vec_end_powers(1, &is_gate, &power);
    const vec a = power.a * power.a;
    const vec b = power.b * power.b;
    vec d[VEC_MAX_QUOTIENTS];
    for (size_t k = 0; k < VEC_MAX_QUOTIENTS; k++) {
        d[k] = vec_fma(vec_set(k == which ? 1.0 : 0.3), b, a);
    }
    return vec_end_quotient(
        VEC_MAX_QUOTIENTS, vec_begin_quotients(VEC_MAX_QUOTIENTS, true, &a, d), which);
}

VEC_INLINE vec from_nearest(vec x)
{
    const vec magic = vec_set(VEC_ROUND_MAGIC);
    x = vec_clamp(x, VEC_GATE_LIMIT);
    x = vec_from_nearest(x, x + magic - magic);
    return vec_select(x == vec_set(0.0), vec_set(0.0), x); /* of either sign */
}

APPLY(exp2, vec_exp2(v))
APPLY(exp, vec_exp(v))
APPLY(exprel, vec_exprel(v))
APPLY(gate, vec_gate(v, vec_set(-2.0 * M_LOG2E), vec_set(0.0)))
APPLY(gate_alone, gate_beside(v, 1, 0))
APPLY(gate_1_of_2, gate_beside(v, 2, 0))
APPLY(gate_2_of_2, gate_beside(v, 2, 1))
APPLY(gate_1_of_squares, gate_of_square(v, 0))
APPLY(gate_2_of_squares, gate_of_square(v, 1))
APPLY(log, vec_log(v))
APPLY(sine, sine_of(v))
APPLY(cosine, cosine_of(v))
APPLY(fma, vec_fma(v, vec_set(1.0 / 3.0), vec_set(-1.0 / 7.0)))
APPLY(fnma, vec_fnma(v, vec_set(1.0 / 3.0), vec_set(-1.0 / 7.0)))
APPLY(sqrt, vec_sqrt(v))
APPLY(clamp, vec_clamp(v, 2.5))
APPLY(from_nearest, from_nearest(v))
APPLY(further, vec_further(vec_set(0.5), vec_select(v == v, v, vec_set(0.0))))
APPLY(select, vec_select(v < vec_set(0.5), v, vec_set(-2.0)))
APPLY(from_integer, vec_from_integer(vec_bits(v) >> (8 * SPL_REAL_BYTES - VEC_MANTISSA)))
#ifndef SPL_SINGLE
APPLY(mul_u32, vec_from_bits(vec_mul_u32(vec_bits(v), vec_bits(v) >> 7)))
#endif

static const function list[] = {
    {"exp2", apply_exp2},
    {"exp", apply_exp},
    {"exprel", apply_exprel},
    {"gate", apply_gate},
    {"gate_alone", apply_gate_alone},
    {"gate_1_of_2", apply_gate_1_of_2},
    {"gate_2_of_2", apply_gate_2_of_2},
    {"gate_1_of_squares", apply_gate_1_of_squares},
    {"gate_2_of_squares", apply_gate_2_of_squares},
    {"log", apply_log},
    {"sine", apply_sine},
    {"cosine", apply_cosine},
    {"fma", apply_fma},
    {"fnma", apply_fnma},
    {"sqrt", apply_sqrt},
    {"clamp", apply_clamp},
    {"from_nearest", apply_from_nearest},
    {"further", apply_further},
    {"select", apply_select},
    {"from_integer", apply_from_integer},
#ifndef SPL_SINGLE
    {"mul_u32", apply_mul_u32},
#endif
};

static void load_first(const spl_real *p, size_t count, spl_real *out)
{
    for (size_t i = 0; i < WIDTH; i += SPL_LANES) {
        vec_store(out + i, vec_load_first(p + i, count > i ? count - i : 0));
    }
}

static void transpose(const spl_real *in, spl_real *out)
{
    for (size_t i = 0; i < WIDTH; i += SPL_LANES) {
        for (size_t j = 0; j < WIDTH; j += SPL_LANES) {
            vec row[SPL_LANES];
            for (size_t k = 0; k < SPL_LANES; k++) {
                row[k] = vec_load(in + (i + k) * WIDTH + j);
            }
            vec_transpose(row);
            for (size_t k = 0; k < SPL_LANES; k++) {
                vec_store(out + (j + k) * WIDTH + i, row[k]);
            }
        }
    }
}

const function_table SPL_TARGETED(functions) = {
    sizeof list / sizeof *list, list, load_first, transpose};
