/* Monitors: sampling, averaging and haemodynamics of the states, step after step, in
 * bounded memory. A monitor turns samples into rows; where the rows go is not its
 * business. */
#ifndef SPL_MONITOR_MONITOR_H
#define SPL_MONITOR_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "splenium/monitor.h"

#define SPL_MONITOR_MAX_VARIABLES 8

/* Settings of one monitor, resolved by config. Strings are borrowed from the settings. */
typedef struct spl_monitor_spec {
    const char *name;
    const spl_monitor_kind *kind;
    double period_ms; /* already a whole number of steps, see spl_monitor_steps */
    size_t n_variables;
    /* indices into the block's observed variables */
    size_t variable[SPL_MONITOR_MAX_VARIABLES];
    const char *variable_name[SPL_MONITOR_MAX_VARIABLES];
    bool f8;
    double options[SPL_MONITOR_MAX_OPTIONS]; /* in the order of kind->options */
    int choices[SPL_MONITOR_MAX_OPTIONS]; /* in the order of kind->choices: index of the
                                             word */
} spl_monitor_spec;

/* The run a monitor watches. Step n ends at time n * dt; n = 0 is the start and is not
 * observed. */
typedef struct spl_monitor_run {
    size_t n_nodes;
    double dt_ms;
    uint64_t n_transient; /* steps integrated but not recorded */
    uint64_t n_steps;     /* all steps, the transient included */
} spl_monitor_run;

/* States of a block of consecutive steps, or their sums over pieces of a millisecond. */
typedef struct spl_samples {
    uint64_t first_step; /* step number n of the first sample */
    size_t n_steps;
    size_t n_variables;
    size_t stride; /* >= n_nodes */
    /* 0: a row is a step; else the sum over the piece that ends at a multiple of so many
     * steps. The first is whole though the block may begin within it; the last is only
     * begun if the block ends within it */
    size_t piece_steps;
    const double *values; /* [rows][n_variables][stride] */
} spl_samples;

/* Steps of a piece: those of a millisecond; 0 if that is no whole number of steps, at
 * least two and at most a million. */
size_t spl_piece_steps(double dt_ms);

typedef struct spl_monitor spl_monitor;

/* Make the monitor of `spec` for `run`.
 *   max_block   most rows of a block, be they steps or pieces
 * Result: SPL_OK; SPL_ERR_CONFIG if it would never record a row or an option is out of
 * bounds; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_monitor_open(spl_monitor **out,
    const spl_monitor_spec *spec, const spl_monitor_run *run, size_t max_block);
void spl_monitor_close(spl_monitor *monitor);

/* Take in the block for nodes [begin, end). Threads may call it side by side on disjoint
 * ranges. */
void spl_monitor_observe(
    spl_monitor *monitor, const spl_samples *block, size_t begin, size_t end);

/* Whether the monitor can take pieces: it needs no state but in sums over whole ones. */
bool spl_monitor_takes_pieces(const spl_monitor *monitor);

/* Variable v of the piece that is under way before `first_step`, over the nodes; NULL if
 * none is, or if the monitor does not observe these steps. It must take pieces. */
const double *spl_monitor_begun(
    const spl_monitor *monitor, size_t v, uint64_t first_step);

/* Whether the rows are nothing but the samples of every step, in f4. */
bool spl_monitor_is_raw_f4(const spl_monitor *monitor);

/* Finished rows where they lie: row r of variable v at frame.values + v * variable_step +
 * r * row_step. */
typedef struct spl_rows {
    spl_frame frame;
    size_t variable_step, row_step;
} spl_rows;

/* After all nodes of a block were observed: the rows that it finished, valid until the
 * next block; none: rows->frame.n_rows is 0.
 *   index   becomes frame.monitor
 * Result: SPL_OK; SPL_ERR_DIVERGED if the haemodynamics left their domain. */
SPL_MUST_CHECK spl_status spl_monitor_finish(
    spl_monitor *monitor, const spl_samples *block, size_t index, spl_rows *rows);

/* Bring rows of the monitor together, as a frame promises them. */
void spl_monitor_gather(spl_monitor *monitor, spl_rows *rows);

/* What the monitor will record, known before the run (also for the file's metadata). */
typedef struct spl_monitor_shape {
    uint64_t n_rows;
    size_t width;         /* n_nodes, or 1 for an average over nodes */
    double first_time_ms; /* time stamp of row 0 */
    double period_ms;
    bool middle; /* stamps are the middle of the window, else its end */
    const char
        *unit[SPL_MONITOR_MAX_VARIABLES]; /* per variable, "" = that of the state */
    uint64_t n_transient_rows; /* leading rows whose haemodynamic kernel reaches back
                                  before the start, where the input counts as zero */
} spl_monitor_shape;
void spl_monitor_describe(const spl_monitor *monitor, spl_monitor_shape *shape);
/* The same from the settings alone, without memory of its own; errors as
 * spl_monitor_open. */
SPL_MUST_CHECK spl_status spl_monitor_plan(
    const spl_monitor_spec *spec, const spl_monitor_run *run, spl_monitor_shape *shape);
/* Bytes that spl_monitor_open would allocate. */
size_t spl_monitor_memory(
    const spl_monitor_spec *spec, const spl_monitor_run *run, size_t max_block);

/* Doubles that continue a monitor exactly, and their copy out and in between two blocks:
 * sums of the windows under way, rings of bins, haemodynamic states. Where the monitor
 * stands follows from the number of the step alone. */
size_t spl_monitor_state_size(const spl_monitor *monitor);
void spl_monitor_save(const spl_monitor *monitor, double *out);
void spl_monitor_restore(spl_monitor *monitor, const double *saved);

/* Rows that have left the monitor after so many steps of the run. */
uint64_t spl_monitor_rows(const spl_monitor *monitor, uint64_t step);

/* Whole steps of a period: rint(period / dt). Result: SPL_ERR_CONFIG, naming the nearest
 * multiple of dt, if the period is none (relative 1e-9) or below dt. */
SPL_MUST_CHECK spl_status spl_monitor_steps(
    double period_ms, double dt_ms, uint64_t *steps);

#endif
