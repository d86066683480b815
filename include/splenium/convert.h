/* Copies of results files: compressed, trimmed, as spikes, for The Virtual Brain. */
#ifndef SPLENIUM_CONVERT_H
#define SPLENIUM_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "splenium/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What all functions here share: the results file is opened for reading only and may come
 * from anybody; it is parsed in a child process and nothing in it is believed unchecked.
 * Rows that do not match their checksums are refused. A new file is written under its
 * name with ".tmp" behind it, read back and compared with the original bit for bit,
 * brought to the disk and renamed: under its own name it is whole or not there. A failure
 * leaves nothing behind and the original as it was. Memory does not grow with the file:
 * some 30 MiB, more if one row has more than 8 MiB. */

/* How to convert. Zero-initialised: a plain copy. */
typedef struct spl_convert_options {
    int compress;             /* level of deflate, 1 to 9; 0: none */
    bool trim;                /* leave out rows that are not durable */
    bool in_place;            /* replace the file by its copy; spl_convert only */
    bool force;               /* replace an existing file */
    bool (*stop)(void *user); /* asked now and then; true ends it; may be NULL */
    void *user;
} spl_convert_options;

/* Copy a results file with all its datasets, groups and attributes. The copy is a results
 * file: the digest is the same, unless rows were left out. Rows, times and matrices of a
 * compressed one are in chunks, shuffled and deflated; without `compress` they are
 * contiguous again.
 *   in        results file; if a run is writing it, only with `trim`: then the rows that
 *             are durable at the beginning are copied
 *   out       the new file; NULL with `in_place`
 *   options   NULL: the defaults
 * Result: SPL_OK;
 *   SPL_ERR_ARGUMENT      options that exclude each other, out is in
 *   SPL_ERR_USAGE         in is being written and `trim` is not set; `in_place` for a run
 *                         that could be resumed, without `force`
 *   SPL_ERR_FILE_MISSING, SPL_ERR_FILE_READ
 *   SPL_ERR_FORMAT        in is no results file, damaged or hostile
 *   SPL_ERR_LIMIT         a row or a text of more than 64 MiB
 *   SPL_ERR_FILE_CREATE   out exists, is being written, or its folder cannot be written
 *   SPL_ERR_FILE_WRITE, SPL_ERR_DISK_FULL
 *   SPL_ERR_INTERRUPTED   stop() said so
 *   SPL_ERR_NO_MEMORY
 * Thread safety: as HDF5, one call at a time. Cost: reads in once and out once. */
SPL_API SPL_MUST_CHECK spl_status spl_convert(
    const char *in, const char *out, const spl_convert_options *options);

/* Make the SONATA file of the spikes of a run that was interrupted or killed, out of its
 * journal; both stay as they are.
 *   in         results file; its journal NAME.spk lies beside it
 *   out        the new file; NULL: NAME.spikes.h5 beside in
 *   options    only `force` is looked at; NULL: the defaults
 *   n_spikes   receives their number; may be NULL
 * Result: as spl_convert; SPL_ERR_FILE_MISSING if there is no journal; SPL_ERR_USAGE if a
 * run is writing it, or had no spiking populations. */
SPL_API SPL_MUST_CHECK spl_status spl_convert_spikes(const char *in, const char *out,
    const spl_convert_options *options, uint64_t *n_spikes);

/* Export connectome and monitors as The Virtual Brain (data version 5) stores them: one
 * file of a connectivity, and one of a time series for each monitor, with its durable
 * rows. The names have identifiers that follow from the run and its number of rows.
 *   in         results file with a connectome
 *   folder     for the files; made if it is not there
 *   options    compress, force, stop; NULL: the defaults
 *   n_series   receives the number of time series; may be NULL
 * Result: as spl_convert; SPL_ERR_USAGE if there is nothing to export. Memory: the
 * connectome as a whole, and the block of rows. */
SPL_API SPL_MUST_CHECK spl_status spl_convert_tvb(const char *in, const char *folder,
    const spl_convert_options *options, size_t *n_series);

#ifdef __cplusplus
}
#endif
#endif
