/* A resolved configuration: every default filled in, every per-region value spread over
 * the nodes. This is all that the simulation reads; nothing below it knows YAML. */
#ifndef SPL_CONFIG_SETTINGS_H
#define SPL_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/monitor.h"
#include "spiking/spec.h"
#include "splenium/coupling.h"
#include "splenium/model.h"

/* Most steps of a block, see delay/plan.h. */
#define SPL_BLOCK_LIMIT 64

typedef enum {
    SPL_NOISE_NONE,
    SPL_NOISE_ADDITIVE,
    SPL_NOISE_MULTIPLICATIVE,
    SPL_NOISE_OU
} spl_noise_kind;
typedef enum {
    SPL_UNDELAYED_AUTO,
    SPL_UNDELAYED_DENSE,
    SPL_UNDELAYED_SPARSE
} spl_undelayed;

/* Initial values of one state. */
typedef struct spl_init {
    double low, high; /* uniform; equal: a constant */
    double *value;    /* [n_nodes] given values, or NULL; owned by the settings */
} spl_init;

typedef struct spl_settings {
    char *title;
    /* simulation.* (times in ms) */
    double duration, transient, dt;
    uint64_t n_steps, n_transient; /* all steps incl. the transient; the transient */
    const char *integrator;        /* a name of the scheme table, static */
    bool frozen;                   /* coupling_stages: frozen */
    bool reference;                /* engine: reference */
    bool single;                   /* precision: single */
    uint64_t seed;
    int threads;  /* 0 = automatic */
    size_t block; /* steps per block, at most SPL_BLOCK_LIMIT; 0 = automatic */
    spl_undelayed undelayed;
    double divergence_limit; /* INFINITY: off */
    bool escaped_error;      /* escaped nodes end the run */
    /* connectome.* that concerns the run: delays */
    double speed;   /* mm/ms; INFINITY: no delays */
    bool one_delay; /* connectome.delay given: the same delay on every edge */
    double delay;   /* ms */
    /* coupling.* */
    const spl_coupling *coupling;
    double coupling_params[SPL_COUPLING_MAX_PARAMS];
    bool in_strength;
    bool sends_observable; /* x_j is the model's observable */
    size_t sends_state;    /* else this state */
    /* model.* */
    const spl_model *model;
    const char *preset;          /* "" if none */
    double *params;              /* [n_params][n_nodes] */
    char *start;                 /* name of the start rule, or "custom" */
    const spl_start *start_rule; /* the rule that states not given follow */
    bool start_shared;           /* one uniform draw per node for all states */
    spl_init init[SPL_MAX_STATES];
    /* noise.* */
    spl_noise_kind noise;
    double *noise_strength;  /* [n_states][n_nodes]: g of g sqrt(dt) N; for ou the
                                stationary sd */
    double noise_tau;        /* ou: correlation time, ms */
    double noise_mean;       /* ou */
    double noise_a, noise_b; /* multiplicative: g (a x + b) */
    /* monitors; variables 0 .. n_states-1 are the states, n_states the observable,
     * n_states+1 the coupling input "c" */
    size_t n_monitors;
    spl_monitor_spec *monitors;
    /* subnetworks */
    size_t n_subnetworks;
    spl_subnetwork_spec *subnetworks;
    /* Nothing but subnetworks: n_nodes is 0, model, coupling, start_rule, params,
     * noise_strength are NULL, there are no monitors, and spl_config_connectome gives no
     * connectome. */
    bool alone;
    /* output.* */
    char *from;   /* file whose state the run begins in, or NULL */
    char *output; /* path; NULL: no file */
    bool force;
    double flush_every;                  /* s, wall clock */
    double checkpoint_every, stop_after; /* s, wall clock; INFINITY: never */
    /* for the results file; owned */
    char *yaml;          /* the input verbatim, "" if none */
    char *resolved_json; /* valid input again */
    size_t n_nodes;
} spl_settings;

void spl_settings_free(spl_settings *settings);

#endif
