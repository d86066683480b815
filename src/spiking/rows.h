/* The synapses of one projection: rows by source, cut at the parts of the target
 * population. A thread that owns a part adds all spikes to it alone, in the order of
 * emission sub-step, projection and source, so sums depend on neither threads nor parts.
 */
#ifndef SPL_SPIKING_ROWS_H
#define SPL_SPIKING_ROWS_H

#include "base/status.h"
#include "spiking/spec.h"

typedef struct spl_rows spl_rows;

/* Neurons of a part of a population of n: a multiple of SPL_NEURON_BLOCK, at most 65536,
 * so that a target fits 16 bits; a function of n alone. */
size_t spl_part_size(size_t n);

#endif
