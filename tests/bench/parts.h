/* The parts of a step, timed alone. */
#ifndef SPL_BENCH_PARTS_H
#define SPL_BENCH_PARTS_H

#include "integrate/network.h"
#include "measure.h"

/* A program to be timed: `run` does `count` units of work. */
typedef struct contender {
    void (*run)(void *user, uint64_t count);
    void *user;
    uint64_t count;
} contender;

/* Double the count until a run takes `seconds`. */
void contender_calibrate(contender *c, double seconds);
/* Nanoseconds per unit of one run. */
double contender_time(const contender *c);

/* Nanoseconds per node-step of the Heun kernel alone: coupling given, no noise, state and
 * parameters of `network` in cache. */
void time_kernel(
    spl_network *network, spl_target target, size_t rounds, double seconds, sample *out);
/* Nanoseconds per edge-step of the delayed sums of all nodes, in blocks of the plan. */
void time_sums(
    spl_network *network, spl_target target, size_t rounds, double seconds, sample *out);
/* Nanoseconds per normal, drawn in tiles of 16 nodes by 16 steps. */
void time_normals(spl_target target, size_t rounds, double seconds, sample *out);

#endif
