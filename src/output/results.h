/* Reading results files back, as untrusted input. */
#ifndef SPL_OUTPUT_RESULTS_H
#define SPL_OUTPUT_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "base/status.h"
#include "h5/sandbox.h"

enum {
    SPL_RESULTS_MAX_TEXT = 4096, /* attributes; longer ones are cut */
    SPL_RESULTS_MAX_POPULATIONS = 1 << 16,
    SPL_RESULTS_MAX_JSON = 64 << 20 /* as for a configuration file */
};

/* What the child sends. Texts of the file come without a NUL. */
typedef enum {
    SPL_RESULTS_OTHER = 1, /* an HDF5 file of another kind; nothing follows */
    SPL_RESULTS_TITLE,
    SPL_RESULTS_CREATED,
    SPL_RESULTS_VERSION,
    SPL_RESULTS_UUID,
    SPL_RESULTS_COMMAND,
    SPL_RESULTS_MODEL,
    SPL_RESULTS_COPY,
    SPL_RESULTS_MESSAGE,
    SPL_RESULTS_STATE, /* spl_results_state */
    SPL_RESULTS_SLOTS, /* 2 x SPL_SLOT_BYTES as they lie in the file */
    /* per monitor, in the order of the slots */
    SPL_RESULTS_STREAM, /* spl_results_numbers */
    SPL_RESULTS_NAME,
    SPL_RESULTS_KIND,
    SPL_RESULTS_VARIABLES,
    /* of spiking populations */
    SPL_RESULTS_SPIKES_FILE,
    SPL_RESULTS_FIRST_STEP, /* u64 */
    SPL_RESULTS_POPULATION, /* spl_results_counts; for each, with both texts */
    SPL_RESULTS_POPULATION_NAME,
    SPL_RESULTS_POPULATION_REGION,
    /* of the configuration */
    SPL_RESULTS_JSON,
    SPL_RESULTS_SHA256
} spl_results_kind;

typedef struct spl_results_state {
    uint64_t code, escaped_nodes, n_nodes;
} spl_results_state;

typedef struct spl_results_numbers {
    uint64_t n_rows, width;
    double first_time_ms, period_ms;
} spl_results_numbers;

typedef struct spl_results_counts {
    uint64_t size, excitatory, n_spikes, n_events;
} spl_results_counts;

/* results_child.c; *user is a bool: the configuration instead of the description */
spl_status spl_results_child(int fd, const char *path, const void *user);

/* Texts of strangers end on terminals: put '?' for what is not to be printed. */
void spl_results_clean(char *text);
/* The name of /status/code, as in spl_results_info; NULL if it means nothing. */
const char *spl_results_state_name(uint64_t code);

/* Read the resolved configuration of a results file.
 *   json     receives the text; the caller frees it
 *   sha256   receives the hash of the connectome's files, "" if it had none
 * Result: SPL_OK; SPL_ERR_FORMAT also for an HDF5 file of another kind; as
 * spl_results_describe. */
SPL_MUST_CHECK spl_status spl_results_config(
    const char *path, char **json, char sha256[SPL_SHA256_HEX]);

#endif
