#include "monitor/balloon_kernel.h"

#include <math.h>
#include <string.h>

#include "simd/vec.h"
#include "simd/vec_math.h"

typedef struct flow {
    vec x, f, v, q;
} flow;

/* A power of a number that is not positive is NaN, which the states then keep. */
VEC_INLINE vec positive(vec x)
{
    return vec_select(x > 0.0, x, vec_set((double)NAN));
}

/* Share of the oxygen extracted at inflow f: 1 - (1 - rho)^(1/f). */
VEC_INLINE vec extraction(vec log2_left, vec f)
{
    return 1.0 - vec_exp2(log2_left / positive(f));
}

VEC_INLINE flow slope(const spl_balloon *b, vec log2_left, vec at_rest, flow s, vec z)
{
    const vec outflow = vec_exp2(vec_log(positive(s.v)) * (b->inv_alpha * M_LOG2E));
    const vec extracted = extraction(log2_left, s.f) / at_rest;
    return (flow){
        .x = z - b->kappa * s.x - b->gamma * (s.f - 1.0),
        .f = s.x,
        .v = (s.f - outflow) * b->inv_tau,
        .q = (s.f * extracted - s.q * (outflow / s.v)) * b->inv_tau,
    };
}

VEC_INLINE flow step(flow s, flow d, double h)
{
    return (flow){s.x + h * d.x, s.f + h * d.f, s.v + h * d.v, s.q + h * d.q};
}

VEC_INLINE vec load(const double *p, size_t count)
{
    return count >= SPL_LANES ? vec_load(p) : vec_load_first(p, count);
}

VEC_INLINE void store(double *p, vec x, size_t count)
{
    if (count >= SPL_LANES) {
        vec_store(p, x);
    } else {
        memcpy(p, &x, count * sizeof *p);
    }
}

static void advance(const spl_balloon *b, const double *sum, double *x, double *f,
    double *v, double *q, size_t n)
{
    const vec log2_left = vec_log(vec_set(1.0 - b->rho)) * M_LOG2E;
    const vec at_rest = extraction(log2_left, vec_set(1.0));
    for (size_t i = 0; i < n; i += SPL_LANES) {
        const size_t count = n - i;
        const vec z = load(sum + i, count) / b->n_samples;
        const flow s = {load(x + i, count), load(f + i, count), load(v + i, count),
            load(q + i, count)};
        const flow first = slope(b, log2_left, at_rest, s, z);
        const flow second = slope(b, log2_left, at_rest, step(s, first, b->h), z);
        const flow both = {first.x + second.x, first.f + second.f, first.v + second.v,
            first.q + second.q};
        const flow next = step(s, both, 0.5 * b->h);
        store(x + i, next.x, count);
        store(f + i, next.f, count);
        store(v + i, next.v, count);
        store(q + i, next.q, count);
    }
}

const spl_balloon_kernels SPL_TARGETED(spl_balloon_kernels) = {.advance = advance};
