/* The results file: created whole, then rows written in place behind a progress record.
 */
#ifndef SPL_OUTPUT_OUTPUT_H
#define SPL_OUTPUT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "output/checkpoint.h"
#include "output/progress.h"
#include "splenium/connectome.h"
#include "splenium/monitor.h"

/* What the rows of a stream are, and where in the file they go. */
typedef enum {
    SPL_STREAM_MONITOR,     /* /monitors/NAME: a value per node, or one */
    SPL_STREAM_POPULATIONS, /* /populations: a value per population */
    SPL_STREAM_SUBNETWORKS, /* /subnetworks: a value per subnetwork */
    SPL_STREAM_REPORT /* /report/NAME: chosen neurons, as a frame report of SONATA */
} spl_stream_form;

/* The neurons of a report and what is known of each. A row has all elements of the first
 * neuron, then those of the next; the one variable is "data". */
typedef struct spl_report {
    size_t n_neurons, n_elements;
    const uint32_t *neurons;                    /* indices in the population */
    const char *const *elements, *const *units; /* [n_elements] */
} spl_report;

/* One monitor's rows; strings are borrowed until spl_output_create returns. */
typedef struct spl_stream {
    const char *name, *kind;
    size_t n_variables;
    const char *const *variables;
    const char *const *units;      /* per variable */
    const char *const *long_names; /* per variable */
    uint64_t n_rows;
    size_t width; /* n_nodes, or 1: then there is no region dimension scale but "mean" */
    bool f8;
    double first_time_ms, period_ms;
    bool middle;
    /* leading rows that a filter's start-up has touched, e.g. a haemodynamic kernel */
    uint64_t n_transient_rows;
    spl_stream_form form;     /* of all but monitors there are f4 rows only */
    const spl_report *report; /* of a report */
} spl_stream;

/* A population of neurons, and a subnetwork of populations. Strings are borrowed until
 * spl_output_create returns. */
typedef struct spl_output_population {
    const char *name, *subnetwork, *region; /* region of the node, "" without one */
    uint64_t size;
    bool excitatory;
    bool no_spikes; /* are to be written: counted, not kept */
} spl_output_population;
typedef struct spl_output_subnetwork {
    const char *name, *region, *mode;
} spl_output_subnetwork;

/* A named array known before the run (data given) or at its end (data NULL, see finish).
 */
typedef struct spl_array {
    const char *name;
    size_t rank;
    size_t dims[3];
    const double *data;
    const char *unit;
} spl_array;

/* A string attribute of the root. */
typedef struct spl_attribute {
    const char *name, *value;
} spl_attribute;

typedef struct spl_output_spec {
    const char *path;
    bool force;         /* replace an existing file */
    double flush_every; /* s, wall clock */
    double dt_ms;
    int threads; /* of the run, for /performance/starts */
    const char *title, *command_line, *yaml, *resolved_json;
    const spl_connectome *connectome; /* NULL: a run without nodes */
    double speed;                     /* mm/ms */
    size_t n_attributes; /* further provenance for the root: versions, target, BLAS */
    const spl_attribute *attributes;
    const char *model;
    size_t n_params;
    const spl_array *params; /* under /model, rank 0 or 1 */
    size_t n_streams;
    const spl_stream *streams;
    size_t n_final; /* under /state/final, data NULL */
    const spl_array *final;
    size_t n_performance; /* names of f64 scalars under /performance */
    const char *const *performance;
    /* with populations there is a spike journal, in the end a file of spikes */
    size_t n_populations, n_subnetworks;
    const spl_output_population *populations;
    const spl_output_subnetwork *subnetworks;
    uint64_t first_step; /* recording begins behind this step */
} spl_output_spec;

typedef enum {
    SPL_RUN_RUNNING = 0,
    SPL_RUN_COMPLETE = 1,
    SPL_RUN_FAILED = 2,
    SPL_RUN_DIVERGED = 3,
    SPL_RUN_INTERRUPTED = 4
} spl_run_code;

typedef struct spl_output spl_output;

/* Create the whole file, allocate it, rename it into place, close HDF5; starts the I/O
 * thread. Result: SPL_OK; SPL_ERR_FILE_CREATE (exists, no directory, locked);
 * SPL_ERR_DISK_FULL; leaves no file behind on failure. */
SPL_MUST_CHECK spl_status spl_output_create(
    spl_output **out, const spl_output_spec *spec);

/* What an existing results file was found to hold. */
typedef struct spl_output_found {
    spl_run_code code;
    bool extends;      /* the run of the spec is longer than that of the file */
    spl_record newest; /* of the two slots */
    char version[SPL_VERSION_BYTES]; /* of the software that made it */
    char message[256];               /* why it ended */
} spl_output_found;

/* Open the results file of a run of the same spec, which may be longer than the file's:
 * takes the lock, checks that the file holds what that run writes. Nothing is written
 * yet. Result: SPL_OK; SPL_ERR_FILE_MISSING, _FILE_READ; SPL_ERR_FORMAT;
 * SPL_ERR_FILE_CREATE if a run is writing it; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_output_open(
    spl_output **out, const spl_output_spec *spec, spl_output_found *found);

/* Read /state/final of an open file.
 *   values   receives all arrays of the spec, one behind the other
 *   valid    false if none was stored, or it was torn */
SPL_MUST_CHECK spl_status spl_output_read_final(
    const spl_output *output, double *values, uint64_t *step, bool *valid);

/* The same of a file that stays closed otherwise: no lock is taken. `spec` is that of the
 * run which wrote it. */
SPL_MUST_CHECK spl_status spl_output_look_up_final(
    const spl_output_spec *spec, double *values, uint64_t *step, bool *valid);

/* Where a run goes on. */
typedef struct spl_output_from {
    uint64_t step;
    const uint64_t *rows, *durable; /* [n_streams]: at that step; of the newest record */
    const uint32_t *checksums;      /* per variable, of the block under way; or NULL */
    bool accept_change;             /* overwrite durable rows that come out different */
} spl_output_from;

/* Go on in an open file: append takes the rows behind `rows` from now on. Rows that were
 * durable already are compared with those that come again; a difference ends the run with
 * SPL_ERR_INTERNAL. Result: SPL_OK; SPL_ERR_FORMAT; SPL_ERR_FILE_READ, _FILE_WRITE. */
SPL_MUST_CHECK spl_status spl_output_continue(
    spl_output *output, const spl_output_from *from);

/* Put a longer file, that of `spec`, into the place of an open one, and go on in it: rows
 * and the record are copied, the new name is taken over at once. *output is the new one
 * after success, else the old one.
 *   final   a pointer per final array: the state at origin->step; NULL: none
 * Result: as spl_output_create and spl_output_continue. */
SPL_MUST_CHECK spl_status spl_output_extend(spl_output **output,
    const spl_output_spec *spec, const spl_output_found *found,
    const spl_output_from *origin, const double *const *final);

/* Read rows back that a finished run has written, [n_rows][width] of one variable.
 * Result: SPL_OK; SPL_ERR_FILE_READ. */
SPL_MUST_CHECK spl_status spl_output_read_rows(const spl_output *output, size_t stream,
    size_t variable, uint64_t first_row, size_t n_rows, double *out);

/* Delete what a finished run does not need, once the disk knows that it is finished:
 * checkpoints, journal, lock. Result: SPL_OK; SPL_ERR_DISK_FULL; SPL_ERR_FILE_WRITE. */
SPL_MUST_CHECK spl_status spl_output_clean_up(spl_output *output);

/* Take over the rows of a frame (copied). frame->monitor is the index of the stream.
 * Never waits for the disk unless both buffers are full. An earlier error of the I/O
 * thread is returned here. */
SPL_MUST_CHECK spl_status spl_output_append(spl_output *output, const spl_frame *frame);

/* The same of rows that lie apart: row r of variable v at frame->values + v *
 * variable_step + r * row_step. */
SPL_MUST_CHECK spl_status spl_output_append_rows(
    spl_output *output, const spl_frame *frame, size_t variable_step, size_t row_step);

/* How many of a stream's next rows have places that lie together and are free now. */
size_t spl_output_room(const spl_output *output, size_t stream);

/* Where rows first_row .. first_row + n_rows - 1 of a stream in f4, the next ones, may be
 * written before they are appended: row after row, variable v at v * *variable_step
 * floats. NULL where there is no room for so many. */
float *spl_output_place(spl_output *output, size_t stream, uint64_t first_row,
    size_t n_rows, size_t *variable_step);
/* Append rows that were written there; values of the frame are not looked at. */
SPL_MUST_CHECK spl_status spl_output_append_placed(
    spl_output *output, const spl_frame *frame);

/* Spikes of one population in a block of steps, by time, then neuron. */
typedef struct spl_spike_block {
    const uint64_t *counts; /* [n_steps] */
    const double *time_ms;
    const uint32_t *neuron; /* index in the population */
} spl_spike_block;

/* Take over (copied) the spikes of the steps first_step + 1 .. first_step + n_steps of
 * every population. Steps that the journal has already are passed over. Waits only while
 * the I/O thread is many spikes behind. An earlier error of that thread is returned here.
 */
SPL_MUST_CHECK spl_status spl_output_append_spikes(spl_output *output,
    uint64_t first_step, size_t n_steps, const spl_spike_block *populations);

/* Sums since the recording began, for the file's reader: spikes and external events of
 * each population, clips of each subnetwork's Q. */
void spl_output_count(spl_output *output, const uint64_t *spikes, const uint64_t *events,
    const uint64_t *clips);

/* Tell that all rows of steps below `step` were appended: the next progress slot may say
 * so. Cheap. */
void spl_output_step(spl_output *output, uint64_t step);
/* What has gone wrong in the I/O thread so far. Result: SPL_OK; that error, which is then
 * the last error of this thread. Cheap. */
SPL_MUST_CHECK spl_status spl_output_state(spl_output *output);

/* Hand over a checkpoint of the step told last, of which all rows were appended. The I/O
 * thread fills in rows and checksums and writes it behind a slot of that step. The
 * checkpoint belongs to the output until spl_output_checkpoint_wait returns; none may be
 * under way. */
void spl_output_checkpoint(spl_output *output, spl_checkpoint *checkpoint);
/* Is one under way? */
bool spl_output_checkpoint_busy(spl_output *output);
/* Wait until none is. */
void spl_output_checkpoint_wait(spl_output *output);
/* Copy why a checkpoint could not be written; false if there is nothing new to tell. The
 * run goes on, its older checkpoints are still there. */
bool spl_output_checkpoint_problem(spl_output *output, char *text, size_t size);
/* Identity of the run, as in the file; lives as long as the output. */
const char *spl_output_uuid(const spl_output *output);

/* End the file in good order, whatever happened: last rows, final state (one data pointer
 * per final array, NULL to leave all out), performance (values in the order of the
 * names), message, code. With SPL_RUN_COMPLETE the file is opened again and verified. The
 * spikes of a run that is over, complete or diverged, move from the journal to their
 * file.
 */
SPL_MUST_CHECK spl_status spl_output_finish(spl_output *output, spl_run_code code,
    const char *message, uint64_t step, uint64_t escaped_nodes,
    const double *const *final, const double *performance);

/* Bytes the file will have (without HDF5's own, which are added as an estimate). */
uint64_t spl_output_bytes(const spl_output_spec *spec);

/* Bytes of memory that writing takes. */
uint64_t spl_output_memory(const spl_output_spec *spec);

/* Bytes of rows written so far. */
uint64_t spl_output_written(const spl_output *output);

/* Release everything; safe after any failure, NULL is fine. A file not finished keeps
 * code running. */
void spl_output_free(spl_output *output);

#endif
