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
} spl_stream;

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
    const spl_connectome *connectome;
    double speed;        /* mm/ms */
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

/* Tell that all rows of steps below `step` were appended: the next progress slot may say
 * so. Cheap. */
void spl_output_step(spl_output *output, uint64_t step);

/* End the file in good order, whatever happened: last rows, final state (one data pointer
 * per final array, NULL to leave all out), performance (values in the order of the
 * names), message, code. With SPL_RUN_COMPLETE the file is opened again and verified. */
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
