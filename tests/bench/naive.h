/* A straightforward simulation, never tuned: the denominator of every published ratio,
 * and an oracle. Larter-Breakspear nodes, Heun with coupling per stage, mean-rate
 * coupling divided by in-strength, additive noise on V. It knows nothing of the library
 * but the names of the parameters; `splenium bench` times it. */
#ifndef SPL_BENCH_NAIVE_H
#define SPL_BENCH_NAIVE_H

#include <stdint.h>

#include "splenium/model.h"

typedef struct naive naive;

/* The network; nothing is kept. */
typedef struct naive_input {
    size_t n_nodes;
    const size_t *start;         /* [n_nodes + 1]: edges by target */
    const int32_t *source;       /* [start[n_nodes]] */
    const double *weights;       /* of the edges, nonzero */
    const double *tract_lengths; /* of the edges, mm */
    double speed, dt;            /* mm/ms, ms */
    const spl_model *model;
    const double *params; /* [n_params][n_nodes] in the order of the model */
    double a, b;          /* of the coupling */
    double noise;         /* g of g dW, on V */
    uint64_t seed;
} naive_input;

/* Make the network from the state [3][n]: V, W, Z. Returns NULL if memory is out. */
naive *naive_create(const naive_input *input, const double *state);
void naive_free(naive *net);

/* Advance by one step. */
void naive_step(naive *net);

/* The present states, [3][n]. */
void naive_copy_state(const naive *net, double *state);

#endif
