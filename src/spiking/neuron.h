/* Neuron models: their tables, and what their kernels do to a block of neurons. A model
 * is one file that ends in one descriptor, found through the list in meson.build. */
#ifndef SPL_SPIKING_NEURON_H
#define SPL_SPIKING_NEURON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simd/dispatch.h"
#include "simd/tile.h"
#include "splenium/neuron.h"

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

extern const char *const spl_neuron_scheme_names[SPL_N_NEURON_SCHEMES];

#endif
