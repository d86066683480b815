/* What a results file says about its run. */
#ifndef SPLENIUM_RESULTS_H
#define SPLENIUM_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "splenium/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One monitor, or, of a spiking network, "populations", "subnetworks" (rates of all) or a
 * "report" of chosen neurons of the population `name`. */
typedef struct spl_results_stream {
    const char *name, *kind;
    const char *variables; /* names separated by blanks */
    uint64_t n_rows;       /* of the whole run */
    uint64_t n_durable;    /* rows that are there; later ones read as zeros */
    uint64_t n_confirmed;  /* rows below have the right checksum; 0 but in a check */
    size_t width;          /* values per row: nodes, or 1 for an average over them */
    double first_time_ms, period_ms;
} spl_results_stream;

/* One population of neurons. */
typedef struct spl_results_population {
    const char *name, *region; /* region of its node, "" without one */
    uint64_t size;
    bool excitatory;
    uint64_t n_spikes, n_events; /* spikes and external events since recording began */
    double mean_rate_hz;         /* NAN before anything was recorded */
} spl_results_population;

/* All texts are valid UTF-8 without control characters; "" where the file has none. */
typedef struct spl_results_info {
    const char *path;
    const char *status;  /* "running", "complete", "failed", "diverged", "interrupted" */
    const char *message; /* why it ended, "" if nothing was to say */
    bool live; /* a process is writing it now; status "running" without it: killed */
    const char *copy; /* "trimmed", "compressed" or both: made by splenium convert, and no
                         run can go on in it; "" for what a run has written */
    uint64_t step;    /* output of all steps below is there */
    uint64_t escaped_nodes;
    const char *title, *created, *software_version, *uuid, *command_line, *model;
    size_t n_nodes;
    size_t n_streams;
    const spl_results_stream *streams;
    size_t n_populations;
    const spl_results_population *populations;
    const char
        *spikes_file; /* that has or will have the spikes; "" without populations */
} spl_results_info;

/* Read what a results file says, also while its run goes on. The file may come from
 * anybody: it is parsed in a child process, and nothing in it is believed unchecked.
 *   out   receives the description; free with spl_results_free
 * Result: SPL_OK; SPL_ERR_NOT_FOUND if the file is readable but no results file (then it
 * may be a connectome); SPL_ERR_FILE_MISSING, _FILE_READ; SPL_ERR_FORMAT if it is damaged
 * or hostile; SPL_ERR_LIMIT; SPL_ERR_NO_MEMORY. */
SPL_API SPL_MUST_CHECK spl_status spl_results_describe(
    const char *path, spl_results_info **out);
/* NULL is fine. */
SPL_API void spl_results_free(spl_results_info *info);

/* Hash all datasets of a results file but those that say how it was made (/config,
 * /performance): two runs with the same results have the same digest, whatever threads,
 * interruptions and machines they had.
 *   digest   receives SHA-256 as hex
 * Result: as spl_results_describe. Cost: reads the whole file. */
SPL_API SPL_MUST_CHECK spl_status spl_results_digest(const char *path, char digest[65]);

#define SPL_RESULTS_NO_ROW UINT64_MAX

/* One thing that a check has found. */
typedef struct spl_results_finding {
    bool damage;         /* false: a note, e.g. of what a killed run leaves */
    const char *file;    /* the results file, or one of those beside it */
    const char *dataset; /* in it; "" if it is about the file as a whole */
    uint64_t row;        /* first bad row, or SPL_RESULTS_NO_ROW */
    const char *text;    /* one line: file, dataset, what is wrong, what to do */
} spl_results_finding;
/* The texts live until it returns. */
typedef void spl_results_tell(void *user, const spl_results_finding *finding);

/* Check a results file and what belongs to it: that all datasets are there, inside the
 * file and apart; both slots of /progress; the checksum of every complete block of
 * durable rows; that state, rows and message fit each other; the final state; the
 * checkpoints, the spike journal or the file of spikes beside it. Works while a run
 * writes the file and does not disturb it. The file may come from anybody, as for
 * spl_results_describe; memory does not grow with it.
 *   tell   is called for each finding
 *   out    receives the description, with n_confirmed; NULL if damage left nothing to
 *          describe. Free with spl_results_free
 * Result: SPL_OK, whatever was found; SPL_ERR_NOT_FOUND if it is no results file;
 * SPL_ERR_FILE_MISSING; SPL_ERR_FILE_READ; SPL_ERR_NO_MEMORY. Cost: reads all that is
 * durable once. */
SPL_API SPL_MUST_CHECK spl_status spl_results_check(
    const char *path, spl_results_tell *tell, void *user, spl_results_info **out);

/* The last durable row of one variable. */
typedef struct spl_watch_value {
    const char *stream, *variable;
    uint64_t n_durable, n_rows;
    double time_ms;        /* of that row; NAN before the first one */
    double mean, min, max; /* over its values; NAN if they cannot be read */
} spl_watch_value;

/* How a run stands; texts and values live until the next look. */
typedef struct spl_watch_view {
    const char *status, *message, *copy; /* as in spl_results_info */
    bool live;
    bool replaced; /* another file has taken the name since the look before, e.g. a longer
                      one of the same run */
    uint64_t step; /* output of all steps below is there */
    uint64_t start_step; /* where it was begun or resumed last */
    double start_s;      /* when: seconds since 1970, UTC; 0: not known */
    size_t n_values;
    const spl_watch_value *values;
} spl_watch_view;

/* A results file that is followed. */
typedef struct spl_watch spl_watch;

/* Begin to follow a results file, also that of a run which is over. Nothing of it is
 * locked or kept from the run, and it may come from anybody. Close with spl_watch_close.
 * Result: as spl_results_describe. */
SPL_API SPL_MUST_CHECK spl_status spl_watch_open(spl_watch **out, const char *path);
/* Look how it stands now: a few reads, and a row of each variable. Result: SPL_OK;
 * SPL_ERR_FILE_MISSING; SPL_ERR_FILE_READ; SPL_ERR_FORMAT; as spl_watch_open if the file
 * was replaced. */
SPL_API SPL_MUST_CHECK spl_status spl_watch_look(spl_watch *watch, spl_watch_view *view);
/* NULL is fine. */
SPL_API void spl_watch_close(spl_watch *watch);

#ifdef __cplusplus
}
#endif
#endif
