/* Maths of the interface between a node and its subnetwork: filtered rate, the mean field
 * it stands for, the noise it carries. */
#ifndef SPL_SPIKING_INTERFACE_H
#define SPL_SPIKING_INTERFACE_H

#include "spiking/spec.h"

/* Causal low-pass of the rate with gain 1 at rest, exact for a rate that is constant over
 * a step: x' = decay x + (1 - decay) A; a second pole does the same to x. */
typedef struct spl_rate_filter {
    double decay; /* e^(-dt / tau_f) */
    double x[2];  /* kHz */
    size_t n_poles;
} spl_rate_filter;

spl_rate_filter spl_rate_filter_of(const spl_interface_spec *spec, double dt);
/* Back to x0. */
void spl_rate_filter_reset(spl_rate_filter *filter, const spl_interface_spec *spec);
/* Take in the rate of a step. */
void spl_rate_filter_step(spl_rate_filter *filter, double rate);
static inline double spl_rate_filtered(const spl_rate_filter *filter)
{
    return filter->x[filter->n_poles - 1];
}

/* Qhat of a filtered rate, not clipped. */
double spl_interface_Q_hat(const spl_interface_spec *spec, double Q_max, double x);

/* The potential at which a node with Q = Q_max (1 + tanh((V - V_T) / d_V)) / 2 fires
 * Q_hat, which is kept within 1e-3 of the bounds. */
double spl_interface_voltage(double Q_hat, double Q_max, double V_T, double d_V);

/* sd(Qhat) / Qhat = sqrt(F / (2 tau_f N r)) of N neurons at the rate r (kHz) whose counts
 * have the Fano factor F; a second pole halves the variance. */
double spl_interface_noise(
    const spl_interface_spec *spec, size_t n_excitatory, double rate, double fano);

#endif
