/* One network run. */
#ifndef SPLENIUM_SIM_H
#define SPLENIUM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "splenium/config.h"
#include "splenium/connectome.h"
#include "splenium/monitor.h"
#include "splenium/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct spl_sim spl_sim;

/* Make a run: network, monitors, initial state. The configuration is copied, the
 * connectome gets one more reference. Free with spl_sim_free. Result: SPL_OK; what
 * spl_config_resolve returns; SPL_ERR_UNSUPPORTED for a forced SIMD target the CPU lacks;
 * SPL_ERR_NO_MEMORY. */
SPL_API SPL_MUST_CHECK spl_status spl_sim_create(
    spl_sim **out, const spl_config *config, spl_connectome *connectome);
SPL_API void spl_sim_free(spl_sim *sim);

/* Receive every frame of every monitor, before the results file does; NULL: nobody. The
 * frame is borrowed for the call; a non-zero result ends the run with that status. */
typedef spl_status spl_sim_sink(void *user, const spl_frame *frame);
SPL_API void spl_sim_set_sink(spl_sim *sim, spl_sim_sink *sink, void *user);
/* Whether the sink may have the rows of several short blocks at a time. It is then called
 * less often, and small networks run a little faster; unless it is asked for, every block
 * is told of at its end. Not to be changed while the run goes on. */
SPL_API void spl_sim_collect_rows(spl_sim *sim, bool collect);
/* Let `sink` have the last n_rows rows of monitor `i` (in the order of the configuration,
 * i < spl_sim_monitor_count), or as many as there are, when spl_sim_run or spl_sim_resume
 * is over, complete or interrupted: read back from the results file, so that they cost
 * the run nothing, and rounded as they are there. Without a results file it is not
 * called; a non-zero result becomes that of a complete run. */
SPL_API void spl_sim_set_last_rows(
    spl_sim *sim, size_t i, uint64_t n_rows, spl_sim_sink *sink, void *user);

/* What a population of neurons did in the steps first_step + 1 .. first_step + n_steps.
 */
typedef struct spl_spikes {
    size_t population; /* index, as of spl_sim_population_at */
    const char *name;
    uint64_t first_step;
    size_t n_steps;
    const double *rate;   /* [n_steps] spikes per neuron and ms (kHz) */
    const double *mean_V; /* [n_steps] mV, at the end of each step */
    size_t n_spikes;      /* by time, then neuron */
    const double *time_ms;
    const uint32_t *neuron; /* index in the population */
} spl_spikes;

/* Receive every population's activity block by block, before the results file does; NULL:
 * nobody. As with frames, steps of the transient are left out, everything is borrowed for
 * the call, and a non-zero result ends the run with that status. */
typedef spl_status spl_sim_spike_sink(void *user, const spl_spikes *spikes);
SPL_API void spl_sim_set_spike_sink(spl_sim *sim, spl_sim_spike_sink *sink, void *user);

typedef struct spl_sim_progress {
    uint64_t step, n_steps;
    double time_ms, duration_ms;
    double begin_ms;     /* where this start of the run began, 0 unless it was resumed */
    double wall_s;       /* of this start */
    double v_min, v_max; /* of the first state over all nodes, now; NAN without nodes */
    uint64_t output_bytes;
} spl_sim_progress;
/* Called at most about ten times a second between blocks. */
typedef void spl_sim_report(void *user, const spl_sim_progress *progress);

/* Run to the end and write the results file that the configuration names (none if
 * output.file is empty). `command_line` is stored as provenance, may be NULL. Result:
 * SPL_OK; SPL_ERR_DIVERGED with node, variable and time in the message;
 * SPL_ERR_INTERRUPTED after spl_sim_stop; errors of the output. All rows so far are in
 * the file in every case. */
SPL_API SPL_MUST_CHECK spl_status spl_sim_run(
    spl_sim *sim, const char *command_line, spl_sim_report *report, void *user);

/* Go on in the results file that the configuration names, from its newest checkpoint; the
 * finished file is that of a run which was never interrupted, bit for bit. The
 * configuration is the one the file holds, see spl_config_load, with output.file set to
 * the file; threads, blocks and output.* may differ. A longer simulation.duration extends
 * the run. Of a complete file only what a killed run left behind is deleted.
 *   accept_change   overwrite rows that come out different, as on another processor
 * Result: as spl_sim_run; SPL_ERR_CONFIG if a setting differs or the checkpoint belongs
 * to another run; SPL_ERR_FORMAT if file or checkpoints are damaged; SPL_ERR_FILE_CREATE
 * if a run is writing the file. */
SPL_API SPL_MUST_CHECK spl_status spl_sim_resume(spl_sim *sim, const char *command_line,
    bool accept_change, spl_sim_report *report, void *user);

/* Advance by n steps without a results file; monitors feed the sink of spl_sim_set_sink.
 */
SPL_API SPL_MUST_CHECK spl_status spl_sim_step(spl_sim *sim, uint64_t n_steps);

/* Ask a run to end at the next block, with a checkpoint; asked twice, it ends without
 * one. Async-signal-safe. */
SPL_API void spl_sim_stop(spl_sim *sim);

SPL_API uint64_t spl_sim_steps_done(const spl_sim *sim);
SPL_API double spl_sim_time(const spl_sim *sim); /* ms */
/* Copy the current values of a state or of the observable ("V", "Q") to out[n_nodes].
 * Result: SPL_OK; SPL_ERR_NOT_FOUND. */
SPL_API SPL_MUST_CHECK spl_status spl_sim_state(
    const spl_sim *sim, const char *name, double *out);

/* What a run will take and how it will go; strings are static or borrowed from the sim.
 */
typedef struct spl_sim_info {
    size_t n_nodes, n_edges;
    /* steps, over the edges that have one; 0 if none does */
    uint32_t delay_min, delay_median, delay_max;
    size_t block; /* steps per block */
    int threads;
    const char *engine, *target, *path; /* e.g. "production", "v4", "delayed blocks" */
    const char *precision;              /* "double", "single" */
    const char *gates; /* exponentials of the model's gates: "shared", "separate" */
    const char *model, *preset, *coupling, *integrator, *coupling_stages;
    uint64_t n_steps, n_transient;
    uint64_t first_step; /* where this start of the run began, 0 unless it was resumed */
    double dt_ms;
    uint64_t memory_bytes, output_bytes;
    const char *output; /* path or "" */
    uint64_t escaped_nodes;
    double wall_s; /* of the run so far */
} spl_sim_info;
SPL_API void spl_sim_describe(const spl_sim *sim, spl_sim_info *info);

/* What a monitor of a run records; strings are borrowed from the sim. */
typedef struct spl_sim_monitor {
    const char *name, *kind;
    uint64_t n_rows;
    size_t width; /* nodes per row, or 1 */
    double first_time_ms, period_ms;
    bool transformed; /* by a forward model: the rows are not in the variables' units */
    size_t n_variables;
    const char *const *variables;
} spl_sim_monitor;
SPL_API size_t spl_sim_monitor_count(const spl_sim *sim);
/* Describe monitor `i` in the order of the configuration, as in frames; i < count. */
SPL_API void spl_sim_monitor_at(const spl_sim *sim, size_t i, spl_sim_monitor *monitor);

/* A population of neurons and what it has done; strings are borrowed from the sim. */
typedef struct spl_sim_population {
    const char *name, *subnetwork;
    const char *region; /* of its node, "" without one */
    uint64_t size;
    bool excitatory;
    size_t n_recorded; /* neurons of which V, u and g are recorded */
    /* since the end of the transient */
    uint64_t n_spikes, n_events; /* events: external ones */
    double mean_rate_hz;         /* NAN before */
} spl_sim_population;
SPL_API size_t spl_sim_population_count(const spl_sim *sim);
/* Describe population `i` in the order of the configuration, i < count. */
SPL_API void spl_sim_population_at(
    const spl_sim *sim, size_t i, spl_sim_population *population);

/* Seconds that the whole run will take, from `n` real steps on a throw-away copy of the
 * state. */
SPL_API SPL_MUST_CHECK spl_status spl_sim_estimate(
    spl_sim *sim, uint64_t n, double *seconds);

#ifdef __cplusplus
}
#endif
#endif
