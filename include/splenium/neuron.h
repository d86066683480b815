/* The registry of neuron models of spiking subnetworks. Read-only, valid for ever. */
#ifndef SPLENIUM_NEURON_H
#define SPLENIUM_NEURON_H

#include "splenium/component.h"
#include "splenium/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Named values of parameters and initial states. */
typedef struct spl_neuron_preset {
    const char *name, *source;
    const char *settings; /* "a=0.02 b=0.2 ...", names of parameters and states */
} spl_neuron_preset;

typedef struct spl_neuron_model {
    const char *name, *doc;
    size_t n_params, n_states;
    const spl_field *params; /* default, bounds, unit, meaning */
    const char *const *states;
    const spl_field *initial; /* [n_states]: default start; that of u only if the
                                 configuration does not let it follow V */
    const spl_neuron_preset *presets;
    size_t n_presets;
} spl_neuron_model;

SPL_API size_t spl_neuron_model_count(void);
/* Return neuron model `i` in the order of the registry, NULL past the end. */
SPL_API const spl_neuron_model *spl_neuron_model_at(size_t i);
/* Return the neuron model of that name, or NULL with spl_last_error() set (it names the
 * closest). */
SPL_API const spl_neuron_model *spl_neuron_model_find(const char *name);

#ifdef __cplusplus
}
#endif
#endif
