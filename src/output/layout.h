/* Inside the writing of a new results file: what its parts share. */
#ifndef SPL_OUTPUT_LAYOUT_H
#define SPL_OUTPUT_LAYOUT_H

#include <hdf5.h>

#include "output/internal.h"

typedef struct spl_layout {
    hid_t file;
    const spl_output_spec *spec;
    const spl_places *places;
    size_t n_nodes;
    const char **labels; /* [n_nodes] */
} spl_layout;

/* layout.c. Every function: result SPL_OK; SPL_ERR_FILE_CREATE; SPL_ERR_NO_MEMORY. */

/* Open a group, which is made if there is none. Close *group. */
SPL_MUST_CHECK spl_status spl_layout_group(
    hid_t *group, const spl_layout *l, const char *path);
/* Types of a truth and of how a run ended. Close them; negative if HDF5 fails. */
hid_t spl_layout_flag_type(void);
hid_t spl_layout_code_type(void);
/* Truths as h5py and TVB store them; NULL: not stored. */
SPL_MUST_CHECK spl_status spl_layout_flags(
    hid_t group, const char *name, const int8_t *flags, hsize_t n);
/* Whole numbers as they are. */
SPL_MUST_CHECK spl_status spl_layout_vector(hid_t group, const char *name,
    hid_t file_type, hid_t memory_type, hsize_t n, const void *data);
/* What a stream's group says of its rows. */
SPL_MUST_CHECK spl_status spl_layout_describe(hid_t group, const spl_stream *stream);
/* Datasets `time` and, of the given texts, `axis`: dimension scales. Close both. */
SPL_MUST_CHECK spl_status spl_layout_axes(hid_t group, const spl_stream *stream,
    const char *axis, const char *const *texts, size_t n, hid_t *time, hid_t *scale);
/* Variable v of a stream: meaning, the axes unless negative, and its checksums. */
SPL_MUST_CHECK spl_status spl_layout_variable(const spl_layout *l,
    const spl_stream *stream, size_t v, const spl_place *place, hid_t time, hid_t scale);

/* layout_spiking.c: streams that are no monitors. */
SPL_MUST_CHECK spl_status spl_layout_spiking(const spl_layout *l, size_t s);

#endif
