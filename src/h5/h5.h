/* Start-up of the HDF5 library and its error stack as one line of ours. */
#ifndef SPL_H5_H5_H
#define SPL_H5_H5_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Prepare the HDF5 library for this process: no exit handler of its own (it would run
 * after an interrupted write), no printing of its error stack. Call it before every first
 * HDF5 call of a function; further calls cost nothing. Thread-safe, HDF5 itself is not.
 * Result: SPL_OK; SPL_ERR_INTERNAL if the library cannot start. */
SPL_MUST_CHECK spl_status spl_h5_init(void);

/* Store "<context>: <HDF5's own reason>" as the last error, clear HDF5's stack and return
 * `status`. The reason is the innermost entry of the stack, left out if there is none.
 * A full disk turns SPL_ERR_FILE_CREATE and _FILE_WRITE into SPL_ERR_DISK_FULL. */
spl_status spl_h5_error(spl_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Are these the first bytes of an HDF5 file, perhaps behind a user block of 512? */
bool spl_is_hdf5(const char *head, size_t n_head);
/* Look at the first bytes of a file; what is no file is not HDF5 either. Result: SPL_OK;
 * SPL_ERR_FILE_MISSING; SPL_ERR_FILE_READ. */
SPL_MUST_CHECK spl_status spl_h5_probe(const char *path, bool *is_hdf5);

/* Version of the HDF5 library at run time, e.g. "1.10.8"; static, "" if it cannot start.
 */
const char *spl_h5_version(void);

#endif
