/* An immutable, reference-counted structural connectome. */
#ifndef SPLENIUM_CONNECTOME_H
#define SPLENIUM_CONNECTOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "splenium/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct spl_connectome spl_connectome;

typedef enum { SPL_SELF_KEEP, SPL_SELF_DROP, SPL_SELF_ERROR } spl_self_connections;
typedef enum {
    SPL_ZERO_LENGTH_WARN,
    SPL_ZERO_LENGTH_ERROR,
    SPL_ZERO_LENGTH_ACCEPT
} spl_zero_length;
typedef enum {
    SPL_TRIANGULAR_ERROR,
    SPL_TRIANGULAR_SYMMETRISE,
    SPL_TRIANGULAR_ACCEPT
} spl_triangular;
typedef enum {
    SPL_NORMALISE_NONE,
    SPL_NORMALISE_TRACT,   /* divide by the largest |w|; synonym "edge" */
    SPL_NORMALISE_REGION,  /* divide by the largest |row sum|, one global factor; synonym
                              "node" */
    SPL_NORMALISE_SPECTRAL /* divide by the spectral radius */
} spl_normalise;
typedef enum {
    SPL_MISSING_LENGTHS_ERROR,
    SPL_MISSING_LENGTHS_EUCLIDEAN,
    SPL_MISSING_LENGTHS_ZERO
} spl_missing_lengths;

/* How to read a connectome. Zero-initialised is the default of every policy. The strings
 * are borrowed for the call. */
typedef struct spl_connectome_options {
    const char *file;    /* archive, folder, .npz or HDF5; or NULL and the four below */
    const char *weights; /* separate files: text (plain, gz, bz2) or .npy */
    const char *lengths, *labels, *centres; /* optional */
    bool from_to;                           /* file has weights[from, to]: transpose */
    bool lengths_in_metres;
    bool allow_negative;
    spl_self_connections self_connections;
    spl_zero_length zero_length;
    spl_triangular triangular;
    spl_normalise normalise;
    spl_missing_lengths
        missing_lengths;     /* ZERO when the run has no length-dependent delays */
    size_t max_nodes;        /* of a dense matrix; 0: 20000. Sparse ones may have 2^24 */
    size_t max_member_bytes; /* 0: 1 GiB */
} spl_connectome_options;

/* Load a connectome; every failure names file, member, place, value and remedy.
 *   out      receives the connectome, reference count 1; free with spl_connectome_free
 * Result: SPL_OK; SPL_ERR_FILE_MISSING, _FILE_READ; SPL_ERR_FORMAT for malformed files;
 * SPL_ERR_CONNECTOME for contents against a policy; SPL_ERR_LIMIT; SPL_ERR_NO_MEMORY. */
SPL_API SPL_MUST_CHECK spl_status spl_connectome_load(
    spl_connectome **out, const spl_connectome_options *options);

/* Arrays in memory. Optional ones may be NULL; all are copied. */
typedef struct spl_connectome_arrays {
    size_t n_nodes;
    const double *weights;       /* [n][n], weights[to][from] */
    const double *tract_lengths; /* [n][n], mm; NULL: all zero */
    const char *const *labels;   /* [n] UTF-8; NULL: decimal indices */
    const double *centres;       /* [n][3], mm */
    const double *orientations;  /* [n][3] */
    const double *areas;         /* [n], mm2 */
    const int8_t *cortical;      /* [n], 0 or 1 */
    const int8_t *hemispheres;   /* [n], 0 left, 1 right; NULL: derived from the labels */
    const char *info;            /* free text */
} spl_connectome_arrays;

/* Make a connectome of arrays under the same policies (file names in `options` are
 * ignored, NULL options are the defaults). */
SPL_API SPL_MUST_CHECK spl_status spl_connectome_create(spl_connectome **out,
    const spl_connectome_arrays *arrays, const spl_connectome_options *options);

/* Stored entries of weights and lengths, by target: compressed sparse rows. Those of node
 * i are start[i] .. start[i + 1]. An entry may have weight 0: then it is no edge, but its
 * length is kept. Where start and source are NULL every pair is stored, and entry i n + j
 * is that from j to i. */
typedef struct spl_edges {
    size_t n_entries;
    const size_t *start;         /* [n_nodes + 1] */
    const int32_t *source;       /* [n_entries], ascending within a row */
    const double *weights;       /* [n_entries] */
    const double *tract_lengths; /* [n_entries], mm */
} spl_edges;

/* Make a sparse connectome of up to 2^24 nodes and 2^31 - 1 entries.
 *   edges    copied; sources in any order within a row, none twice; tract_lengths NULL:
 *            all zero
 *   arrays   number of nodes and what is known of them; its two matrices are NULL
 * Result: as spl_connectome_create; SPL_ERR_CONNECTOME also for rows that are not in
 * order, sources out of range and pairs stored twice. Cost: O(nodes + entries). */
SPL_API SPL_MUST_CHECK spl_status spl_connectome_create_sparse(spl_connectome **out,
    const spl_edges *edges, const spl_connectome_arrays *arrays,
    const spl_connectome_options *options);

/* Take one more reference; returns its argument. */
SPL_API spl_connectome *spl_connectome_ref(spl_connectome *connectome);
/* Give back one reference; NULL is fine. */
SPL_API void spl_connectome_free(spl_connectome *connectome);

/* Getters; what they return is borrowed and lives as long as the connectome. */
SPL_API size_t spl_connectome_n_nodes(const spl_connectome *connectome);
/* The matrices, NULL if the connectome is sparse: then there are only its edges. */
SPL_API const double *spl_connectome_weights(const spl_connectome *connectome);
SPL_API const double *spl_connectome_tract_lengths(const spl_connectome *connectome);
/* The entries of either form. */
SPL_API void spl_connectome_edges(const spl_connectome *connectome, spl_edges *edges);
/* Neither input nor output: row and column of the weights are zero. */
SPL_API bool spl_connectome_is_isolated(const spl_connectome *connectome, size_t node);
SPL_API const char *spl_connectome_label(const spl_connectome *connectome, size_t node);
SPL_API const double *spl_connectome_centres(
    const spl_connectome *connectome); /* or NULL */
SPL_API const double *spl_connectome_orientations(
    const spl_connectome *connectome); /* or NULL */
SPL_API const double *spl_connectome_areas(
    const spl_connectome *connectome); /* or NULL */
SPL_API const int8_t *spl_connectome_cortical(
    const spl_connectome *connectome); /* or NULL */
SPL_API const int8_t *spl_connectome_hemispheres(
    const spl_connectome *connectome); /* or NULL */
/* Find the only node of that label. Result: SPL_OK; SPL_ERR_NOT_FOUND for an unknown
 * label (the message suggests the closest) or one that several nodes carry. */
SPL_API SPL_MUST_CHECK spl_status spl_connectome_find(
    const spl_connectome *connectome, const char *label, size_t *node);

/* Everything `splenium info` prints (manual: connectomes). */
typedef struct spl_connectome_info {
    const char *source; /* path as given, "" if made of arrays */
    const char *form;   /* "TVB zip", "folder", "text files", "npz", "TVB HDF5", "splenium
                           results", "sparse npz", "sparse HDF5", "arrays" */
    bool sparse;        /* stored as edges, not as matrices */
    const char *members;         /* names separated by blanks */
    const char *sha256;          /* of the input file(s), hex; "" if made of arrays */
    const char *info;            /* the member info, "" if none */
    const char *hemisphere_rule; /* "derived: label prefix r/l", "member hemispheres",
                                    "unknown" */
    const char *normalisation;
    size_t n_nodes, n_duplicate_labels, n_right, n_left;
    size_t n_edges, n_off_diagonal, n_diagonal, n_dropped_self;
    double density;
    double weight_min, weight_median, weight_max, weight_sum; /* of nonzero weights */
    size_t n_negative;
    double asymmetry;                    /* max |w - wT| */
    double max_row_sum, spectral_radius; /* the radius is NAN unless asked for, or if a
                                            large network would take too long */
    size_t n_zero_rows, n_zero_columns, n_isolated;
    double length_min, length_median, length_max; /* on edges, mm */
    double length_asymmetry; /* over pairs of which both lengths are stored */
    size_t n_zero_length, n_zero_length_off_diagonal;
    double shorter_than_straight; /* share of off-diagonal edges with a length that is
                                     below 0.99 x distance; NAN unknown */
} spl_connectome_info;

/* Fill `info`; strings are borrowed from the connectome. `spectral`: also compute the
 * radius. */
SPL_API SPL_MUST_CHECK spl_status spl_connectome_describe(
    const spl_connectome *connectome, bool spectral, spl_connectome_info *info);

/* Delays of the edges in whole steps: rint((length / speed) / dt), two divisions in this
 * order. */
typedef struct spl_delay_info {
    uint32_t min, median, max; /* over edges */
    uint32_t max_all;          /* over all stored pairs, as TVB sizes its history */
    size_t n_distinct;
    uint64_t sum;
} spl_delay_info;

/* Describe the delays at a speed in mm/ms (may be INFINITY) and a step in ms.
 * Result: SPL_OK; SPL_ERR_ARGUMENT if speed or dt is not positive; SPL_ERR_LIMIT above
 * 2^24. */
SPL_API SPL_MUST_CHECK spl_status spl_connectome_delays(
    const spl_connectome *connectome, double speed, double dt_ms, spl_delay_info *info);

#ifdef __cplusplus
}
#endif
#endif
