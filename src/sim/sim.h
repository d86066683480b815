/* Inside the sim module: a run and its parts. */
#ifndef SPL_SIM_SIM_H
#define SPL_SIM_SIM_H

#include <stdatomic.h>
#include <time.h>

#include "config/settings.h"
#include "output/output.h"
#include "sim/engine.h"
#include "sim/recorder.h"
#include "sim/threads.h"
#include "splenium/sim.h"

struct spl_sim {
    spl_settings settings;
    spl_connectome *connectome;
    spl_engine *engine;
    size_t n_monitors;
    spl_monitor **monitors;
    bool has_raw_f4;      /* one of them could have its rows written to their place */
    bool all_take_pieces; /* of states: kernels may sum these */
    bool *placed; /* [n_monitors]: the rows of the running block were so written */
    uint64_t memory_bytes;
    uint64_t output_bytes; /* 0 without a results file */

    /* of the subnetworks, NULL without */
    spl_recorder *recorder;
    const spl_subnetwork_block **blocks; /* [n_subnetworks] */
    uint64_t *clips;                     /* the same */

    spl_sim_sink *sink;
    void *sink_user;
    bool collects_rows;
    /* of one monitor, when the run is over; NULL: nobody asks */
    spl_sim_sink *last_sink;
    void *last_user;
    size_t last_monitor;
    uint64_t n_last;
    spl_sim_spike_sink *spike_sink;
    void *spike_sink_user;
    spl_output *output;  /* while a run writes one */
    _Atomic int n_stops; /* how often the run was asked to end */
    spl_checkpoint checkpoint;
    double next_checkpoint_s, stop_s; /* monotonic clock */
    double looked_s;                  /* at the clock, last */
    int blocks_at_once, blocks_left;  /* from look to look; until the next */
    bool checkpoint_due;
    char connectome_hash[SPL_SHA256_HEX], identity[SPL_SHA256_HEX]; /* "": not yet */
    spl_thread_choice choice; /* of an automatic number of threads; monotonic clock */
    bool ran;
    uint64_t first_step; /* of this start */
    bool branched;       /* the state of another run was taken over */
    uint64_t noise_start;

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

/* As spl_sim_create, with settings that `change` may alter before they are used. */
SPL_MUST_CHECK spl_status spl_sim_create_changed(spl_sim **out, const spl_config *config,
    spl_connectome *connectome, void (*change)(spl_settings *settings));

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

/* branch.c: take over the state of simulation.from, if it is set and was not yet. Result:
 * SPL_OK; SPL_ERR_CONFIG if it does not fit; as spl_checkpoint_load, spl_config_load. */
SPL_MUST_CHECK spl_status spl_branch_begin(spl_sim *sim);

/* resume.c */

/* Open the results file of the run and bring engine and monitors to where it goes on.
 *   done   receives true if the file is complete */
SPL_MUST_CHECK spl_status spl_resume_open(
    spl_sim *sim, const char *command_line, bool accept_change, bool *done);

/* run.c: the hook of the network by which the monitors observe a block. */
void spl_sim_observe(void *user, const spl_samples *block, size_t begin, size_t end);

/* checkpoint.c */

/* Allocate sim->checkpoint for a run that writes results. */
SPL_MUST_CHECK spl_status spl_checkpoint_prepare(
    spl_sim *sim, const spl_output_spec *spec);
/* Bytes that it takes. */
uint64_t spl_checkpoint_memory(const spl_sim *sim);
/* Copy the state between two blocks and hand it to the output. */
SPL_MUST_CHECK spl_status spl_checkpoint_take(spl_sim *sim);
/* Where the states of engine and monitors lie in sim->checkpoint, in the order of
 * /state/final. */
double *spl_checkpoint_state(const spl_sim *sim);
/* Put them into the run, which has done `step` steps from now on. */
SPL_MUST_CHECK spl_status spl_checkpoint_put(spl_sim *sim, uint64_t step);
/* Read a checkpoint of this very run into sim->checkpoint: of the same uuid, version,
 * connectome and configuration. Result: as spl_checkpoint_load; SPL_ERR_CONFIG if it
 * belongs to another run, with what is different. */
SPL_MUST_CHECK spl_status spl_checkpoint_take_back(spl_sim *sim, const char *path);
/* Wait until the last one is written, and warn if it could not be. */
void spl_checkpoint_finish(spl_sim *sim);

/* results.c: the run as the output module wants it */

/* Streams of the results file: those of the monitors, then those of the populations; and
 * the rows that one of them has after `step` steps. */
size_t spl_results_n_streams(const spl_sim *sim);
uint64_t spl_results_rows(const spl_sim *sim, size_t stream, uint64_t step);

/* Bytes of the results file, and of memory that writing it takes. */
SPL_MUST_CHECK spl_status spl_results_size(
    const spl_sim *sim, uint64_t *file, uint64_t *memory);
/* Describe the results file of the run; free with spl_results_spec_free. */
SPL_MUST_CHECK spl_status spl_results_spec_create(
    spl_output_spec **out, const spl_sim *sim, const char *command_line);
void spl_results_spec_free(spl_output_spec *spec);
/* End it with the final state and the performance so far. */
SPL_MUST_CHECK spl_status spl_results_finish(
    spl_output *output, const spl_sim *sim, spl_run_code code, const char *message);

#endif
