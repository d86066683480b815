/* What a spiking subnetwork is to be: every default filled in, nothing drawn yet. The
 * configuration writes it, the other files of this module read it. Times in ms, rates in
 * 1/ms, V in mV, u and currents in mV/ms, conductances in 1/ms (C = 1). */
#ifndef SPL_SPIKING_SPEC_H
#define SPL_SPIKING_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "spiking/neuron.h"

/* Limits that keep every index in its type and every sum of sizes in 64 bits. */
#define SPL_MAX_RECEPTORS   16
#define SPL_MAX_BACKGROUNDS 16
#define SPL_MAX_DELAY_STEPS 65535
#define SPL_MAX_NEURONS     2147483647u    /* of a population */
#define SPL_MAX_SYNAPSES    1099511627776u /* of a projection: 2^40 */
#define SPL_MAX_SUBSTEPS    10000u         /* of a mean-field step */
/* Most external events that a neuron may expect in a sub-step, from one source. Counts
 * are drawn in parts of a few expected events each, so time grows with it. */
#define SPL_MAX_EVENTS      100.0

/* One number per neuron or per synapse. */
typedef enum {
    SPL_DRAW_CONSTANT,
    SPL_DRAW_UNIFORM,   /* in [a, b) */
    SPL_DRAW_NORMAL,    /* mean a, standard deviation b, then set to low or high beyond */
    SPL_DRAW_LOGNORMAL, /* exp of a normal: a, b are those of the logarithm */
    SPL_DRAW_GIVEN      /* values[n_values] */
} spl_draw_kind;

typedef struct spl_draw {
    spl_draw_kind kind;
    double a, b;
    double low, high; /* -INFINITY, INFINITY: no bound */
    double *values;   /* owned by the spec */
    size_t n_values;
} spl_draw;

/* Receptors: state of the target neuron, shared by all projections that end on it. */
typedef enum {
    SPL_KERNEL_EXPONENTIAL, /* g' = -g / tau_decay */
    SPL_KERNEL_DUAL,        /* difference of two exponentials, unit peak */
    SPL_KERNEL_ALPHA,       /* t / tau exp(1 - t / tau), unit peak */
    SPL_KERNEL_DELTA,       /* a jump of V after the integration */
    SPL_KERNEL_PULSE        /* added to I for the one sub-step of arrival */
} spl_receptor_kernel;

typedef enum {
    SPL_RECEPTOR_CONDUCTANCE, /* g (E - V) */
    SPL_RECEPTOR_CURRENT      /* g itself, of either sign */
} spl_receptor_effect;

typedef enum {
    SPL_BLOCK_NONE,
    SPL_BLOCK_JAHR_STEVENS,  /* B = 1 / (1 + Mg / 3.57 exp(-0.062 V)) */
    SPL_BLOCK_IZHIKEVICH2008 /* s = ((V + 80) / 60)^2, B = s / (1 + s) */
} spl_receptor_block;

typedef struct spl_receptor {
    char *name;
    spl_receptor_kernel kernel;
    spl_receptor_effect effect;
    spl_receptor_block block;
    double tau_rise, tau_decay; /* exponential and alpha use tau_decay */
    double E;
    double Mg; /* mM */
} spl_receptor;

/* Independent Poisson events on every neuron of a population. */
typedef struct spl_background {
    size_t receptor;
    double rate, weight; /* 1/ms; as a weight of the receptor */
    bool scaled; /* weight times (e^eps - 1) / eps, eps = h / tau: mean as of h -> 0 */
} spl_background;

typedef struct spl_current_step {
    double time, value; /* from this time on */
} spl_current_step;

typedef enum {
    SPL_HETEROGENEITY_NONE,
    SPL_HETEROGENEITY_2003 /* one r per neuron drives a, b or c, d (Izhikevich 2003) */
} spl_heterogeneity;

typedef struct spl_population_spec {
    char *name; /* "subnetwork.population", unique in the run; its random streams depend
                   on it and the seed alone */
    size_t size;
    bool excitatory;
    const spl_neuron_model *model;
    spl_heterogeneity heterogeneity;
    spl_draw params[SPL_NEURON_MAX_PARAMS];
    spl_draw init[SPL_NEURON_MAX_STATES]; /* V, u */
    bool u_follows;                       /* u starts at b (V0 - V_r) */
    double tau_ref;                       /* 0: none */
    double V_min;                         /* -INFINITY: none */
    /* those that a projection, a background or the drive enters, sorted by name */
    size_t n_receptors;
    spl_receptor receptors[SPL_MAX_RECEPTORS];
    size_t n_backgrounds;
    spl_background backgrounds[SPL_MAX_BACKGROUNDS];
    spl_draw current;       /* constant I per neuron, mV/ms */
    size_t n_current_steps; /* added to it, ascending in time */
    spl_current_step *current_steps;
    double sigma_V, sigma_u; /* white noise, mV/sqrt(ms) and mV/ms/sqrt(ms) */
    bool driven;             /* external events of the interface reach it */
    /* V, u, g of these neurons at the end of every mean-field step */
    size_t n_recorded;
    uint32_t *recorded; /* ascending */
    bool record_spikes; /* its spikes are written; rates always are */
} spl_population_spec;

typedef enum {
    SPL_CONNECT_ALL_TO_ALL,
    SPL_CONNECT_ONE_TO_ONE,
    SPL_CONNECT_PAIRWISE_BERNOULLI,
    SPL_CONNECT_FIXED_INDEGREE,
    SPL_CONNECT_FIXED_OUTDEGREE,
    SPL_CONNECT_FIXED_TOTAL_NUMBER,
    SPL_CONNECT_LIST
} spl_connect_rule;

typedef struct spl_synapse_list {
    size_t n;
    uint32_t *source, *target; /* indices in the populations */
    double *weight, *delay;    /* or NULL: from the draws */
    char *file;                /* absolute path */
    char sha256[SPL_SHA256_HEX];
} spl_synapse_list;

typedef struct spl_projection_spec {
    char *name; /* "from>to:receptor", with "#n" from the second of the same name on */
    size_t from, to; /* populations of the subnetwork */
    size_t receptor; /* of the target */
    spl_connect_rule rule;
    double p;        /* pairwise_bernoulli */
    uint64_t number; /* K of the degrees, M of the total */
    bool allow_autapses, allow_multapses;
    bool by_indegree;       /* weights divided by the in-degree of their target */
    spl_draw weight, delay; /* delay in ms */
    spl_synapse_list list;
} spl_projection_spec;

/* How a subnetwork and the node that carries it speak to each other. */
typedef enum { SPL_MODE_PROBE, SPL_MODE_REPLACE, SPL_MODE_ATTACH } spl_host_mode;
typedef enum {
    SPL_DRIVE_POISSON,
    SPL_DRIVE_CONDUCTANCE,
    SPL_DRIVE_CURRENT
} spl_drive_kind;

typedef struct spl_interface_spec {
    spl_host_mode mode;
    double alpha, beta;  /* Q_out = alpha Q_V(V) + beta Qhat */
    double kc, kl;       /* D = kc c + kl Q_V(V) */
    bool local_feedback; /* the node's own equations take Q_out where they have Q_V(V) */
    spl_drive_kind drive;
    double J;     /* weight of one external event, 1/ms */
    double r_max; /* kHz at Q = Q_max */
    double K_ext; /* virtual afferents; nu = nu0 + K_ext r_max D / Q_max */
    double k_I;   /* K_ext of inhibitory populations is k_I times that */
    double nu0;   /* 1/ms */
    double tau_f; /* ms, of the rate filter */
    bool second_pole;
    bool scaled;  /* as spl_background.scaled */
    double x0;    /* kHz, x at the start */
    double V_ref; /* mV, drive: current */
    /* name of the receptor that the drive enters, in each population that is driven (all
     * of these have it); owned by the spec's receptors; NULL if none is driven */
    const char *receptor;
} spl_interface_spec;

typedef struct spl_subnetwork_spec {
    char *name;
    char *calibration; /* what was measured before, "" if nothing; for the results */
    bool hosted;  /* carried by `node`; else it runs alone: no D, Qhat goes nowhere */
    size_t node;  /* at most one subnetwork on each */
    char *region; /* its label, or its index if several nodes bear that; NULL if alone */
    spl_neuron_scheme scheme;
    bool located;         /* crossing: located */
    bool linearise_input; /* LTC */
    bool single;          /* precision: float32 */
    uint32_t n_substeps;  /* h = dt / n_substeps */
    spl_interface_spec interface;
    size_t n_populations;
    spl_population_spec *populations;
    size_t n_projections;
    spl_projection_spec *projections;
} spl_subnetwork_spec;

void spl_subnetwork_spec_deinit(spl_subnetwork_spec *spec);

#endif
