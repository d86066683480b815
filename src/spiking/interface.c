#include "spiking/interface.h"

#include <math.h>

spl_rate_filter spl_rate_filter_of(const spl_interface_spec *spec, double dt)
{
    spl_rate_filter filter = {
        .decay = exp(-dt / spec->tau_f),
        .n_poles = spec->second_pole ? 2 : 1,
    };
    spl_rate_filter_reset(&filter, spec);
    return filter;
}

void spl_rate_filter_reset(spl_rate_filter *filter, const spl_interface_spec *spec)
{
    filter->x[0] = spec->x0;
    filter->x[1] = spec->x0;
}

void spl_rate_filter_step(spl_rate_filter *filter, double rate)
{
    double in = rate;
    for (size_t pole = 0; pole < filter->n_poles; pole++) {
        filter->x[pole] = filter->decay * filter->x[pole] + (1.0 - filter->decay) * in;
        in = filter->x[pole];
    }
}

double spl_interface_Q_hat(const spl_interface_spec *spec, double Q_max, double x)
{
    return Q_max * x / spec->r_max;
}

double spl_interface_voltage(double Q_hat, double Q_max, double V_T, double d_V)
{
    const double margin = 1e-3;
    const double share = fmin(fmax(Q_hat / Q_max, margin), 1.0 - margin);
    return V_T + d_V * atanh(2.0 * share - 1.0);
}

double spl_interface_noise(
    const spl_interface_spec *spec, size_t n_excitatory, double rate, double fano)
{
    const double poles = spec->second_pole ? 2.0 : 1.0;
    return sqrt(fano / (2.0 * poles * spec->tau_f * (double)n_excitatory * rate));
}
