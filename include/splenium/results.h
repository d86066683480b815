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
    bool live;     /* a process is writing it now; status "running" without it: killed */
    uint64_t step; /* output of all steps below is there */
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

#ifdef __cplusplus
}
#endif
#endif
