/* A straightforward simulation, never tuned: the denominator of every published ratio,
 * and an oracle. Larter-Breakspear nodes, Heun with coupling per stage, mean-rate
 * coupling, additive noise on V. */
#ifndef SPL_BENCH_NAIVE_H
#define SPL_BENCH_NAIVE_H

#include <stdint.h>

#include "config/settings.h"

typedef struct naive naive;

/* Make the network of resolved settings.
 *   weights, lengths   [n][n], target by source
 *   state              [3][n]: V, W, Z at the start
 * Returns NULL if memory is out. */
naive *naive_create(const spl_settings *settings, const double *weights,
    const double *lengths, const double *state);
void naive_free(naive *net);

/* Advance by one step; `normals` [n] are those of V, NULL: draw them. */
void naive_step(naive *net, const double *normals);

/* The present states, [3][n]. */
void naive_copy_state(const naive *net, double *state);

#endif
