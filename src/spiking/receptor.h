/* Constants of receptors on a grid of sub-steps. */
#ifndef SPL_SPIKING_RECEPTOR_H
#define SPL_SPIKING_RECEPTOR_H

#include "spiking/spec.h"

typedef struct spl_receptor_constants {
    spl_receptor_kernel kernel; /* a dual of equal times is an alpha function */
    size_t n_arrays;
    double decay[2]; /* e^(-h / tau) of the arrays */
    double gain;     /* dual: A of the unit peak; alpha: e h / tau */
    /* Deterministic drive of weight times rate 1: what flows into the arrays in a
     * sub-step, after their decay, so that g at rest is `area`. */
    double inflow[2];
    double jump, current; /* the same into delta and pulse */
    double area;          /* integral of the kernel, ms; of V or I there */
    double scale;         /* what makes the mean g of random events that of h -> 0 */
} spl_receptor_constants;

spl_receptor_constants spl_receptor_constants_of(const spl_receptor *receptor, double h);

/* Current at V that a conductance of 1 is worth: B(V) (E - V), or 1. */
double spl_receptor_current(const spl_receptor *receptor, double V);

#endif
