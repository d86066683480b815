/* The results file: created whole, then rows written in place behind a progress record.
 */
#ifndef SPL_OUTPUT_OUTPUT_H
#define SPL_OUTPUT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
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

/* Take over the rows of a frame (copied). frame->monitor is the index of the stream.
 * Never waits for the disk unless both buffers are full. An earlier error of the I/O
 * thread is returned here. */
SPL_MUST_CHECK spl_status spl_output_append(spl_output *output, const spl_frame *frame);

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
