/* Inside the sim module: a run and its parts. */
#ifndef SPL_SIM_SIM_H
#define SPL_SIM_SIM_H

#include <stdatomic.h>
#include <time.h>

#include "config/settings.h"
#include "output/output.h"
#include "sim/engine.h"
#include "splenium/sim.h"

struct spl_sim {
    spl_settings settings;
    spl_connectome *connectome;
    spl_engine *engine;
    size_t n_monitors;
    spl_monitor **monitors;
    uint64_t memory_bytes;
    uint64_t output_bytes; /* 0 without a results file */

    spl_sim_sink *sink;
    void *sink_user;
    spl_output *output; /* while a run writes one */
    _Atomic bool stop;
    double next_trial_s; /* monotonic clock */
    bool ran;

    spl_status status; /* of the hooks, which cannot return one */
    uint64_t escaped_nodes;
    bool escaped_told;

    spl_sim_report *report;
    void *report_user;
    double start_s, next_report_s; /* monotonic clock */
    double wall_s, create_s, integrate_s;
};

/* Seconds on the monotonic clock. */
static inline double spl_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* guard.c */

/* Say once, before the run, that the parameters of some nodes cannot work. */
void spl_guard_params(const spl_sim *sim);
/* Say once, before the run, what the subnetworks will do that is not what was asked for:
 * delays rounded up to a sub-step, and how noisy their rates will be. */
void spl_guard_subnetworks(const spl_sim *sim);
/* The error of a state that left the bounds: node, value, time, what to do. */
spl_status spl_guard_divergence(const spl_sim *sim, const spl_divergence *where);
/* Count the nodes that left the attractor; finite for a long time, they look alive. Warns
 * the first time. Result: SPL_OK; SPL_ERR_DIVERGED if the settings make it an error. */
SPL_MUST_CHECK spl_status spl_guard_escaped(spl_sim *sim);

/* run.c: the hook of the network by which the monitors observe a block. */
void spl_sim_observe(void *user, const spl_samples *block, size_t begin, size_t end);

/* results.c: the run as the output module wants it */

/* Bytes of the results file, and of memory that writing it takes. */
SPL_MUST_CHECK spl_status spl_results_size(
    const spl_sim *sim, uint64_t *file, uint64_t *memory);
/* Create the results file of the run. */
SPL_MUST_CHECK spl_status spl_results_create(
    spl_output **output, const spl_sim *sim, const char *command_line);
/* End it with the final state and the performance so far. */
SPL_MUST_CHECK spl_status spl_results_finish(
    spl_output *output, const spl_sim *sim, spl_run_code code, const char *message);

#endif
