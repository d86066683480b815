/* Opening what an untrusted file holds: by name, through hard links only, never into
 * other files or plug-ins. For the sandbox's child. Include behind hdf5.h. */
#ifndef SPL_H5_STRICT_H
#define SPL_H5_STRICT_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* The file, for messages and for the check that no dataset is larger than it. */
typedef struct spl_h5_source {
    const char *path;
    uint64_t bytes;
} spl_h5_source;

/* A dataset and what it was found to be. */
typedef struct spl_h5_dataset {
    const spl_h5_source *source;
    const char *group, *name;
    hid_t id, type; /* -1: there is none of that name */
    H5T_class_t type_class;
    size_t item_bytes;
    int rank;
    hsize_t dims[H5S_MAX_RANK];
} spl_h5_dataset;

/* Open a file read-only. Result: SPL_OK; SPL_ERR_FORMAT. */
SPL_MUST_CHECK spl_status spl_h5_open_file(
    hid_t *file, spl_h5_source *source, const char *path);
/* Open a group. Result: SPL_OK, with *group = -1 if there is none; SPL_ERR_FORMAT if it
 * is no group or is reached by another kind of link. */
SPL_MUST_CHECK spl_status spl_h5_open_group(
    hid_t *group, hid_t where, const spl_h5_source *source, const char *name);
/* Does the name lead to a group? Opens nothing; any kind of link will do, as opening it
 * checks. */
bool spl_h5_is_group(hid_t where, const char *name);
/* Are these two the same object of one file, under two names? */
bool spl_h5_is_same(hid_t a, hid_t b);
/* Where an object's header lies, which is the same under all its names; UINT64_MAX if it
 * cannot be told. */
uint64_t spl_h5_address(hid_t object);
/* Number of its attributes; 0 if it cannot be told. */
uint64_t spl_h5_n_attributes(hid_t object);
/* Open a dataset of `where`, the group called `group`, and look at type and shape.
 * Result: SPL_OK, with id = -1 if there is none; SPL_ERR_FORMAT. Release with
 * spl_h5_close_dataset also after a failure. */
SPL_MUST_CHECK spl_status spl_h5_open_dataset(spl_h5_dataset *dataset, hid_t where,
    const spl_h5_source *source, const char *group, const char *name);
/* Check that the values lie in the file itself, under filters that come with HDF5, and
 * not more of them than the file can hold. The caller has bounded the dims. */
SPL_MUST_CHECK spl_status spl_h5_check_storage(const spl_h5_dataset *dataset);
void spl_h5_close_dataset(spl_h5_dataset *dataset);
/* Read `count` values from `first` on of a vector, as `type`. */
SPL_MUST_CHECK spl_status spl_h5_read_part(const spl_h5_dataset *dataset, hsize_t first,
    hsize_t count, hid_t type, void *values);

/* Let a buffer have at least so many bytes; what was in it is lost. The caller's, also
 * after a failure: free. Result: SPL_OK; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_h5_make_room(
    unsigned char **buffer, size_t *capacity, size_t bytes, const spl_h5_source *source);

/* Raise SPL_ERR_FORMAT: "path: group/name: what". */
spl_status spl_h5_bad_dataset(const spl_h5_dataset *dataset, const char *what);

/* Read a scalar string attribute of less than `size` bytes; "" if it is none. */
void spl_h5_read_text(hid_t object, const char *name, char *text, size_t size);
/* Read a scalar attribute as a number; 0 if it is none. */
uint64_t spl_h5_read_count(hid_t object, const char *name);
/* Read an attribute of two whole numbers; false if it is none. */
bool spl_h5_read_pair(hid_t object, const char *name, uint64_t pair[2]);
double spl_h5_read_number(hid_t object, const char *name);

#endif
