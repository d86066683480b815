/* Another parameterisation of a neuron model: a table of parameters, and how to make
 * those of the model from them. One is one file, found through the list in meson.build.
 */
#ifndef SPL_SPIKING_PARAMETERISATION_H
#define SPL_SPIKING_PARAMETERISATION_H

#include <string.h>

#include "spiking/neuron.h"

typedef struct spl_neuron_parameterisation {
    spl_neuron_model model;
    const char *base; /* the model whose kernels it runs on */
    /* Fill the parameters of the base. Returns 1 / C, by which u and all input are
     * multiplied. */
    double (*convert)(const double *params, double *base_params);
} spl_neuron_parameterisation;

/* The parameterisation that a model is; NULL for one with kernels of its own. */
const spl_neuron_parameterisation *spl_neuron_parameterisation_of(
    const spl_neuron_model *model);

#endif
