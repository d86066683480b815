/* What only the files of a population at run time know. */
#ifndef SPL_SPIKING_POPULATION_PRIVATE_H
#define SPL_SPIKING_POPULATION_PRIVATE_H

#include "rng/rng.h"
#include "spiking/kernel.h"
#include "spiking/parameterisation.h"
#include "spiking/population.h"
#include "spiking/receptor.h"

/* Random events on every neuron: of a background, or of the node, whose table is one of
 * each step. */
typedef struct event_source {
    uint32_t stream;
    size_t receptor;
    spl_real weight;
    double rate; /* 1/ms, constant part */
    spl_event_table table;
} event_source;

enum { MAX_SOURCES = SPL_MAX_BACKGROUNDS + 1 };

struct spl_population_private {
    spl_population_setup setup;
    const spl_neuron_parameterisation *form; /* NULL: the model's own parameters */
    const spl_neuron_model *base;            /* the model whose kernels run */
    const spl_neuron_kernels *kernels;
    const spl_population_kernels *shared;
    const spl_rng_kernels *rng;
    spl_neuron_run run;
    spl_real *constant[SPL_NEURON_MAX_CONSTANTS]; /* behind run.constant */
    spl_receptor_constants receptor[SPL_MAX_RECEPTORS];
    /* the drive of the node */
    int driven;             /* receptor that it enters; -1: none */
    bool has_source;        /* it comes as source[0] */
    double nu_per_D;        /* 1/ms */
    uint64_t drive_k;       /* first mean-field step of the drive that is set, */
    size_t drive_n;         /* number of them */
    spl_step_drive *drive;  /* [max_steps] */
    spl_event_table *table; /* [max_steps], of source[0] if it is the node's */
    size_t n_sources;
    event_source source[MAX_SOURCES];
    uint64_t *current_from; /* [n_current_steps] first sub-step of each */
};

#endif
