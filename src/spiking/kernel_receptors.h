/* Receptors of the neurons of one vector: arrivals, decay, and what comes of them. Part
 * of kernel files. */
#ifndef SPL_SPIKING_KERNEL_RECEPTORS_H
#define SPL_SPIKING_KERNEL_RECEPTORS_H

#include "simd/vec_math.h"
#include "spiking/kernel.h"

/* Input of a sub-step: I(V) = H - G V, whose derivative is -G + dJ. */
typedef struct {
    vec G, H, dJ;
    vec jump; /* of V, after the integration */
} neuron_input;

/* Take what arrives at the neurons from i on. */
VEC_INLINE vec take_arrivals(spl_real *arrivals, size_t i)
{
    const vec a = vec_load(arrivals + i);
    vec_store(arrivals + i, vec_set(0.0));
    return a;
}

/* Let arrivals a into an exponential receptor: they are added, decay, and act. */
VEC_INLINE vec receive_exponential(spl_real *g, size_t i, vec a, vec decay)
{
    const vec next = (vec_load(g + i) + a) * decay;
    vec_store(g + i, next);
    return next;
}

/* The same for every kernel that has state, with what flows in over the sub-step; returns
 * its g. */
VEC_INLINE vec receive(
    const spl_receptor_run *r, const spl_real inflow[2], vec scale, size_t i, vec a)
{
    const vec in0 = inflow[0] * scale;
    const vec in1 = inflow[1] * scale;
    const vec decay0 = r->decay[0] - (vec){0};
    const vec decay1 = r->decay[1] - (vec){0};
    const vec gain = r->gain - (vec){0};
    vec x = vec_load(r->g[0] + i);
    if (r->kernel == SPL_KERNEL_EXPONENTIAL) {
        x = vec_fma(x + a, decay0, in0);
        vec_store(r->g[0] + i, x);
        return x;
    }
    vec y = vec_load(r->g[1] + i);
    if (r->kernel == SPL_KERNEL_DUAL) {
        x = vec_fma(vec_fma(gain, a, x), decay0, in0);
        y = vec_fma(vec_fma(gain, a, y), decay1, in1);
        vec_store(r->g[0] + i, x);
        vec_store(r->g[1] + i, y);
        return x - y;
    }
    /* alpha: g' = -g / tau + (e / tau) y, y' = -y / tau over one sub-step, exactly */
    y = y + a;
    x = vec_fma(vec_fma(gain, y, x), decay0, in0);
    y = vec_fma(y, decay0, in1);
    vec_store(r->g[0] + i, x);
    vec_store(r->g[1] + i, y);
    return x;
}

/* Share of NMDA channels that magnesium leaves open, and its derivative. */
VEC_INLINE vec unblocked(const spl_receptor_run *r, vec V, vec *derivative)
{
    if (r->block == SPL_BLOCK_IZHIKEVICH2008) {
        const vec x = (V + vec_set(80.0)) * vec_set(1.0 / 60.0);
        const vec q = vec_set(1.0) / vec_fma(x, x, vec_set(1.0));
        *derivative = vec_set(2.0 / 60.0) * x * q * q;
        return x * x * q;
    }
    /* Jahr & Stevens 1990 */
    const vec e = r->Mg * vec_exp(vec_set(-0.062) * V);
    const vec q = vec_set(1.0) / (vec_set(1.0) + e);
    *derivative = vec_set(0.062) * e * q * q;
    return q;
}

/* Add the input through one receptor of any kind. */
VEC_INLINE void add_receptor(const spl_receptor_run *r, const spl_real inflow[2],
    vec scale, size_t i, vec a, vec V, neuron_input *in)
{
    if (r->kernel == SPL_KERNEL_DELTA) {
        in->jump = in->jump + a;
        return;
    }
    a = scale * a;
    if (r->kernel == SPL_KERNEL_PULSE) {
        in->H = in->H + a;
        return;
    }
    const vec g = receive(r, inflow, scale, i, a);
    if (r->effect == SPL_RECEPTOR_CURRENT) {
        in->H = in->H + g;
        return;
    }
    vec open = g;
    if (r->block != SPL_BLOCK_NONE) {
        vec derivative;
        open = g * unblocked(r, V, &derivative);
        in->dJ = vec_fma(g * derivative, vec_set(r->E) - V, in->dJ);
    }
    in->G = in->G + open;
    in->H = vec_fma(open, vec_set(r->E), in->H);
}

/* A constant of the neurons from i on. */
VEC_INLINE vec load_constant(const spl_neuron_constant *constant, size_t i)
{
    return vec_load(constant->value + (i & constant->mask));
}

/* Append the neurons of a group that fired, one bit each, in order. */
VEC_INLINE void append_spikes(spl_neuron_step *step, size_t group, uint64_t fired)
{
    const size_t left = step->n - group;
    if (left < SPL_NEURON_GROUP) {
        fired &= ((uint64_t)1 << left) - 1;
    }
    while (fired != 0) {
        const size_t i = step->first + group + (size_t)__builtin_ctzll(fired);
        step->spike[step->n_spikes++] = (uint32_t)i;
        fired &= fired - 1;
    }
}

#endif
