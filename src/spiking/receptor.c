#include "spiking/receptor.h"

#include <math.h>

#include "spiking/draw.h"

/* 1 - e^-x */
static double fall(double x)
{
    return x * spl_exact_exprel(-x);
}

/* g_decay - g_rise times this has its peak at 1, tp after an arrival. */
static double dual_gain(double tau_decay, double tau_rise)
{
    const double tp = tau_decay * tau_rise / (tau_decay - tau_rise) *
                      spl_exact_log(tau_decay / tau_rise);
    return 1.0 / (spl_exact_exp(-tp / tau_decay) - spl_exact_exp(-tp / tau_rise));
}

static spl_receptor_constants exponential(double tau, double h)
{
    const double eps = h / tau;
    return (spl_receptor_constants){
        .kernel = SPL_KERNEL_EXPONENTIAL,
        .n_arrays = 1,
        .decay = {spl_exact_exp(-eps)},
        .gain = 1.0,
        .inflow = {tau * fall(eps)},
        .area = tau,
        .scale = spl_exact_exprel(eps),
    };
}

static spl_receptor_constants dual(double tau_decay, double tau_rise, double h)
{
    const double A = dual_gain(tau_decay, tau_rise);
    const spl_receptor_constants decay = exponential(tau_decay, h);
    const spl_receptor_constants rise = exponential(tau_rise, h);
    const double area = A * (tau_decay - tau_rise);
    return (spl_receptor_constants){
        .kernel = SPL_KERNEL_DUAL,
        .n_arrays = 2,
        .decay = {decay.decay[0], rise.decay[0]},
        .gain = A,
        .inflow = {A * decay.inflow[0], A * rise.inflow[0]},
        .area = area,
        .scale = area / (A * (tau_decay / decay.scale - tau_rise / rise.scale)),
    };
}

/* (t / tau) e^(1 - t / tau): y of an arrival falls off, and g' = (e y - g) / tau. */
static spl_receptor_constants alpha(double tau, double h)
{
    const double eps = h / tau;
    const double e = spl_exact_exp(1.0);
    const double decay = spl_exact_exp(-eps);
    return (spl_receptor_constants){
        .kernel = SPL_KERNEL_ALPHA,
        .n_arrays = 2,
        .decay = {decay, decay},
        .gain = e * eps,
        .inflow = {e * tau * (fall(eps) - eps * decay), tau * fall(eps)},
        .area = e * tau,
        /* the sum over whole sub-steps k of e k eps e^(-k eps) */
        .scale = fall(eps) * fall(eps) / (eps * eps * decay),
    };
}

spl_receptor_constants spl_receptor_constants_of(const spl_receptor *r, double h)
{
    switch (r->kernel) {
    case SPL_KERNEL_EXPONENTIAL:
        return exponential(r->tau_decay, h);
    case SPL_KERNEL_DUAL:
        /* closer than this the difference of the two loses all its digits */
        return fabs(r->tau_decay - r->tau_rise) > 1e-6 * r->tau_decay
                   ? dual(r->tau_decay, r->tau_rise, h)
                   : alpha(r->tau_decay, h);
    case SPL_KERNEL_ALPHA:
        return alpha(r->tau_decay, h);
    case SPL_KERNEL_DELTA:
        return (spl_receptor_constants){
            .kernel = SPL_KERNEL_DELTA, .jump = h, .area = 1.0, .scale = 1.0};
    case SPL_KERNEL_PULSE:
        break;
    }
    return (spl_receptor_constants){
        .kernel = SPL_KERNEL_PULSE, .current = h, .area = h, .scale = 1.0};
}

double spl_receptor_current(const spl_receptor *r, double V)
{
    const bool conducts =
        r->effect == SPL_RECEPTOR_CONDUCTANCE && r->kernel < SPL_KERNEL_DELTA;
    if (!conducts) {
        return 1.0;
    }
    double B = 1.0;
    if (r->block == SPL_BLOCK_JAHR_STEVENS) {
        B = 1.0 / (1.0 + r->Mg / 3.57 * spl_exact_exp(-0.062 * V));
    } else if (r->block == SPL_BLOCK_IZHIKEVICH2008) {
        const double s = (V + 80.0) * (V + 80.0) / 3600.0;
        B = s / (1.0 + s);
    }
    return B * (r->E - V);
}
