/* Releasing a specification. */
#include "spiking/spec.h"

#include <stdlib.h>

static void deinit_population(spl_population_spec *population)
{
    for (size_t p = 0; p < SPL_NEURON_MAX_PARAMS; p++) {
        free(population->params[p].values);
    }
    for (size_t s = 0; s < SPL_NEURON_MAX_STATES; s++) {
        free(population->init[s].values);
    }
    for (size_t r = 0; r < population->n_receptors; r++) {
        free(population->receptors[r].name);
    }
    free(population->name);
    free(population->current.values);
    free(population->current_steps);
    free(population->recorded);
}

static void deinit_projection(spl_projection_spec *projection)
{
    free(projection->name);
    free(projection->weight.values);
    free(projection->delay.values);
    free(projection->list.source);
    free(projection->list.target);
    free(projection->list.weight);
    free(projection->list.delay);
    free(projection->list.file);
}

void spl_subnetwork_spec_deinit(spl_subnetwork_spec *spec)
{
    for (size_t p = 0; p < spec->n_populations; p++) {
        deinit_population(&spec->populations[p]);
    }
    for (size_t p = 0; p < spec->n_projections; p++) {
        deinit_projection(&spec->projections[p]);
    }
    free(spec->populations);
    free(spec->projections);
    free(spec->region);
    free(spec->name);
    free(spec->calibration);
    *spec = (spl_subnetwork_spec){0};
}
