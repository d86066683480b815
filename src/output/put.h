/* Single attributes and datasets of a new file. Every function here: result SPL_OK;
 * SPL_ERR_FILE_CREATE with the name of what failed. */
#ifndef SPL_OUTPUT_PUT_H
#define SPL_OUTPUT_PUT_H

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* How a new file is opened: superblock 0, large datasets on pages; nothing stays open
 * once it is closed. Negative if HDF5 fails. */
hid_t spl_put_access_list(void);

/* Attributes: variable-length UTF-8 text; f64; u64; a list of texts. */
SPL_MUST_CHECK spl_status spl_put_text(hid_t object, const char *name, const char *text);
SPL_MUST_CHECK spl_status spl_put_number(hid_t object, const char *name, double value);
SPL_MUST_CHECK spl_status spl_put_count(hid_t object, const char *name, uint64_t value);
SPL_MUST_CHECK spl_status spl_put_texts(
    hid_t object, const char *name, const char *const *texts, size_t n);

/* Create a dataset whose bytes lie together at one offset, allocated now, never filled:
 * contiguous, early, without times. Groups on its path are made. Close *set. */
SPL_MUST_CHECK spl_status spl_put_dataset(
    hid_t *set, hid_t where, const char *name, hid_t type, int rank, const hsize_t *dims);
/* Create one and write doubles into it. */
SPL_MUST_CHECK spl_status spl_put_doubles(hid_t where, const char *name, int rank,
    const hsize_t *dims, const double *data, const char *unit);
/* Create a dataset of n variable-length UTF-8 strings; rank 0: one string. */
SPL_MUST_CHECK spl_status spl_put_strings(
    hid_t where, const char *name, int rank, const char *const *texts, size_t n);

/* Close a space, type or list, if it is open. */
void spl_close_id(hid_t id);
/* Close a dataset, attribute or group called `name`, if it is open. What was written may
 * reach the file only now, so that a failure becomes *status, unless there is one. */
void spl_close_object(hid_t id, const char *name, spl_status *status);

#endif
