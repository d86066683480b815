/* Connection rules (names and meaning are NEST's): which pairs a projection
 * has. A rule goes through its rows, of sources or of targets, and hands out the other
 * ends in chunks; a row depends on the key and its own number alone. */
#ifndef SPL_SPIKING_CONNECT_H
#define SPL_SPIKING_CONNECT_H

#include "base/status.h"
#include "spiking/selection.h"

enum { SPL_CONNECT_CHUNK = 1024, SPL_CONNECT_GAPS = 4 * SPL_BLOCK_UNIFORMS };

/* Some synapses of one row. Synapse i is number first + i of the row in the streams of
 * weights and delays. */
typedef struct spl_pairs {
    uint32_t row;
    uint64_t first;
    size_t n;
    const uint32_t *other; /* targets, or sources if rows are of targets */
} spl_pairs;

typedef struct spl_connector {
    const spl_projection_spec *spec;
    const spl_draw_kernels *kernels;
    const struct spl_connect_kind *kind;
    uint64_t seed; /* of the projection */
    size_t n_rows, n_others;
    bool without_own; /* the pair (i, i) is an autapse that is not allowed */
    bool distinct;    /* degrees: no multapses */
    /* where it is */
    size_t row;
    bool in_row;
    uint64_t place;   /* in the row */
    uint64_t cursor;  /* next other end to look at */
    uint64_t pending; /* fixed_total_number: the next pair */
    bool complement;  /* marked are those left out */
    uint32_t *mark;   /* [n_others] row + 1 of the row that last drew it */
    double ln_not;    /* pairwise_bernoulli: ln(1 - p) */
    size_t gap;       /* and skips drawn ahead: the next of gaps */
    uint64_t next_block;
    spl_words words;
    spl_selection selection;
    double gaps[SPL_CONNECT_GAPS];
    uint32_t others[SPL_CONNECT_CHUNK];
} spl_connector;

/* Whether a rule can be met. Result: SPL_OK; SPL_ERR_CONFIG; SPL_ERR_LIMIT. */
SPL_MUST_CHECK spl_status spl_connect_check(
    const spl_projection_spec *spec, size_t n_from, size_t n_to);
/* Synapses, the expected number where it is random. */
double spl_connect_expected(const spl_projection_spec *spec, size_t n_from, size_t n_to);
bool spl_connect_rows_are_targets(const spl_projection_spec *spec);
/* Whether the rule gives all targets the same number of synapses, and that number. */
bool spl_connect_has_indegree(const spl_projection_spec *spec);
uint64_t spl_connect_indegree(const spl_projection_spec *spec, size_t n_from);
/* Whether targets come in ascending order within each source. */
bool spl_connect_is_sorted(const spl_projection_spec *spec);

/* `spec` was checked and outlives the connector. Result: SPL_OK; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_connector_init(spl_connector *connector,
    const spl_projection_spec *spec, size_t n_from, size_t n_to, uint64_t seed,
    const spl_draw_kernels *kernels);
void spl_connector_deinit(spl_connector *connector);
/* Back to the first row. */
void spl_connector_rewind(spl_connector *connector);
/* The next chunk, valid until the next call; false at the end. */
bool spl_connector_next(spl_connector *connector, spl_pairs *out);

#endif
