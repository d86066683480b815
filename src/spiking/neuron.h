/* Neuron models: their tables, and what their kernels do to a block of neurons. A model
 * is one file that ends in one descriptor, found through the list in meson.build. */
#ifndef SPL_SPIKING_NEURON_H
#define SPL_SPIKING_NEURON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simd/dispatch.h"
#include "simd/tile.h"
#include "splenium/component.h"

#define SPL_NEURON_MAX_PARAMS  20
#define SPL_NEURON_MAX_STATES  2
#define SPL_NEURON_MAX_DERIVED 8

/* Neurons of a block: the unit of work of the state update. Sums over a population go
 * over blocks in order, so they depend on nothing but its size. */
#define SPL_NEURON_BLOCK 1024
/* Neurons of a group: state arrays are padded to whole groups. The four words of a call
 * of the random generator belong to neurons of one group, 16 apart. */
#define SPL_NEURON_GROUP 64

typedef enum {
    SPL_NEURON_EXP_EULER,
    SPL_NEURON_EULER,
    SPL_NEURON_IZH2003,
    SPL_NEURON_IZH2004,
    SPL_N_NEURON_SCHEMES
} spl_neuron_scheme;

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

size_t spl_neuron_model_count(void);
const spl_neuron_model *spl_neuron_model_at(size_t index);
const spl_neuron_model *spl_neuron_model_find(const char *name);
extern const char *const spl_neuron_scheme_names[SPL_N_NEURON_SCHEMES];

#endif
