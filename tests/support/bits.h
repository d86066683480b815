/* Networks for tests: made without files, run by either engine in any way, compared bit
 * for bit. In the precision that the test is compiled for; outcomes are doubles. */
#ifndef SPL_TEST_BITS_H
#define SPL_TEST_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/settings.h"
#include "integrate/network.h"

/* What is simulated. */
typedef struct bits_case {
    size_t n_nodes;
    double *weights; /* [n_nodes][n_nodes], target by source */
    double *lengths; /* mm; the speed is 1 mm/ms */
    spl_settings settings;
    const double *given_normals; /* [n_given][n_states][n_nodes], borrowed, or NULL */
    uint64_t n_given;
} bits_case;

/* How it is simulated; zero-initialised: production engine, one thread, best target, all
 * steps in one call, every variable recorded. */
typedef struct bits_way {
    bool reference;
    int threads;      /* 0: 1 */
    int target;       /* 1 + spl_target; 0: the best */
    uint64_t chunk;   /* steps per call; 0: all */
    bool collect;     /* several blocks are shown as one */
    bool places;      /* states go to places of their own, in f4 and sometimes only there,
                         or are summed; not with the reference engine or subnetworks */
    bool pieces;      /* they are always summed if they can be; likewise */
    size_t block;     /* steps per block; 0: automatic */
    unsigned dropped; /* bit v: variable v is not recorded */
    bool large;       /* subnetworks count as large: all threads share them */
} bits_way;

/* What a step's rows are. */
typedef enum {
    BITS_STEP,   /* its states and all other variables */
    BITS_SUMMED, /* none: the states were added to the sum of a piece */
    BITS_SUM     /* this sum, the step being the last of the piece */
} bits_sums;

/* What came out. Variables as for the monitors: states, observable, coupling input. */
typedef struct bits_outcome {
    size_t n_nodes, n_states, n_variables;
    uint64_t n_steps; /* rows seen by the hooks */
    unsigned dropped;
    double *rows;    /* [n_steps][n_variables][n_nodes], zeros if dropped */
    unsigned *in_f4; /* [n_steps]: bit v: variable v was recorded in f4 only */
    bits_sums *sums; /* [n_steps] */
    size_t piece_steps;
    uint64_t n_sums; /* pieces of which the rows are the sums */
    double *state;   /* [n_states][n_nodes] */
    double *history; /* [channels][nodes][longest delay + 1]: samples, the oldest first */
    size_t n_history;
    size_t block; /* of the plan */
    bool dense;
    uint64_t steps_done;
    spl_divergence divergence;
    uint32_t *streams; /* [n_streams]: checksums of what subnetworks leave, and states */
    size_t n_streams;
    uint64_t clips, spikes;
} bits_outcome;

/* A network of `n_nodes` without edges at the model's and the coupling's defaults: Heun,
 * dt 0.1, no noise, the start drawn from the model's first rule. */
bits_case *bits_create(
    size_t n_nodes, const spl_model *model, const spl_coupling *coupling);
void bits_free(bits_case *c);

/* The kinds of networks that take different paths through the engines. */
typedef enum {
    BITS_DELAYED,   /* every delay at least a whole block */
    BITS_SELF,      /* the same, and self-edges without delay */
    BITS_SHORT,     /* shortest delay 1 to 15 steps */
    BITS_ONE_DELAY, /* one delay for all edges */
    BITS_UNDELAYED, /* no delays: sparse sums */
    BITS_MIXED,     /* edges with and without delay */
    BITS_FEW,       /* some edges of 0 to 15 steps between long ones */
    BITS_ISOLATED,  /* some nodes without edges */
    BITS_NEGATIVE,  /* weights of both signs */
    BITS_UNITS,     /* 1 to 15 steps within a tile, long edges between tiles */
    BITS_N_KINDS
} bits_kind;
extern const char *const bits_kind_names[BITS_N_KINDS];

/* Draw edges of a kind; `density` is the share of all pairs that are joined. */
void bits_draw_edges(bits_case *c, bits_kind kind, double density, uint64_t *random);
/* Draw parameters of every node, and of the coupling, inside their suggested ranges. */
void bits_draw_params(bits_case *c, uint64_t *random);
/* Give every node widths that let its gates share an exponential: d_Ca = d_Na = d_K / 2.
 */
void bits_share_gates(bits_case *c);
/* Draw strengths for every state and node; some states stay without noise. */
void bits_draw_noise(bits_case *c, spl_noise_kind kind, uint64_t *random);

/* A network of the case, to be stepped by hand. */
typedef struct bits_network {
    spl_network network;
    spl_arena arena;
} bits_network;
void bits_open(bits_network *b, const bits_case *c, const bits_way *way);
void bits_close(bits_network *b);

/* Run n steps. */
bits_outcome *bits_run(const bits_case *c, const bits_way *way, uint64_t n_steps);
void bits_outcome_free(bits_outcome *outcome);
/* Value of a variable of a node after step n = 1, 2, ... */
double bits_row(const bits_outcome *o, uint64_t step, size_t variable, size_t node);

/* Abort the test unless every value that both recorded has the same bits, of f4 if one
 * is; `what` says which runs these are. */
void bits_same(const bits_outcome *a, const bits_outcome *b, const char *what);
/* The same of the rows alone, as many as a has. */
void bits_same_rows(const bits_outcome *a, const bits_outcome *b, const char *what);
/* A bound on what rounding does in double precision, or its like in single. */
double bits_rounding(double bound);
/* Largest difference between all recorded values. */
double bits_distance(const bits_outcome *a, const bits_outcome *b);
/* All recorded values are finite. */
bool bits_finite(const bits_outcome *o);

/* The targets this CPU runs, as values of bits_way.target; returns their number. */
size_t bits_targets(int targets[SPL_N_TARGETS]);

#endif
