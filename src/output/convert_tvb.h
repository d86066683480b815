/* The two kinds of files in which The Virtual Brain keeps connectivities and time series
 * of regions, data version 5. All strings are of variable length but the labels of the
 * regions: TVB's two readers, of the library and of the framework, take nothing else
 * both. */
#ifndef SPL_OUTPUT_CONVERT_TVB_H
#define SPL_OUTPUT_CONVERT_TVB_H

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "base/status.h"
#include "base/str.h"
#include "output/convert.h"
#include "splenium/connectome.h"

enum { SPL_TVB_GID = 33 };

/* One file on its way to its name. */
typedef struct spl_tvb_file {
    char gid[SPL_TVB_GID]; /* 32 hex digits */
    char *path, *temporary;
    hid_t file;
    bool renamed;
} spl_tvb_file;

/* Name a file in `folder`.
 *   kind   "Connectivity" or "TimeSeriesRegion"
 *   seed   from which the identifier follows */
SPL_MUST_CHECK spl_status spl_tvb_name(
    spl_tvb_file *file, const char *folder, const char *kind, const char *seed);
/* Create the file under its temporary name with the attributes that all have.
 *   bytes   that it will have */
SPL_MUST_CHECK spl_status spl_tvb_create(
    spl_tvb_file *file, const char *type, uint64_t bytes);
/* Attributes: i64; "urn:uuid:8-4-4-4-12" of an identifier. */
SPL_MUST_CHECK spl_status spl_tvb_put_int(hid_t object, const char *name, int64_t value);
SPL_MUST_CHECK spl_status spl_tvb_put_urn(
    hid_t object, const char *name, const char *gid);
SPL_MUST_CHECK spl_status spl_tvb_close(spl_tvb_file *file);
void spl_tvb_deinit(spl_tvb_file *file);

/* Write, close, read back and compare a connectivity. */
SPL_MUST_CHECK spl_status spl_tvb_put_connectivity(
    spl_tvb_file *file, const spl_connectome *connectome);

/* Add a string to ASCII text: other characters become \uXXXX. Result: was there any? */
bool spl_tvb_add_ascii(spl_text *text, const char *string, bool json);

/* A time series: data (time, variable, region, 1), filled a variable at a time. */
typedef struct spl_tvb_series {
    spl_tvb_file file;
    const spl_convert_stream *stream;
    const spl_results_stream *what;
    size_t n_variables;
    char **variables; /* [n_variables], in one piece of memory */
    char *names;
    bool *done;           /* [n_variables] */
    spl_sha256 *hashes;   /* [n_variables] of the values */
    spl_item_shape shape; /* of a variable */
    size_t variable;      /* that is coming */
    hid_t data, type;
} spl_tvb_series;

SPL_MUST_CHECK spl_status spl_tvb_series_init(spl_tvb_series *series,
    const spl_convert_stream *stream, const spl_results_stream *what);
/* Begin with the first variable: the file with all but the values.
 *   gid      of the connectivity
 *   labels   of the regions, as JSON */
SPL_MUST_CHECK spl_status spl_tvb_series_open(spl_tvb_series *series, const char *title,
    const char *gid, const char *labels, int level);
SPL_MUST_CHECK spl_status spl_tvb_series_rows(spl_tvb_series *series, uint64_t first,
    uint64_t count, const void *rows, size_t bytes);
/* Close, read back and compare. */
SPL_MUST_CHECK spl_status spl_tvb_series_finish(spl_tvb_series *series);
void spl_tvb_series_deinit(spl_tvb_series *series);

#endif
