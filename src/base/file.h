/* Durable files: whole writes, whole reads, syncs and renames that say what failed. */
#ifndef SPL_BASE_FILE_H
#define SPL_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Write all bytes at `offset`, over short writes and EINTR. `path` is for the message.
 * Result: SPL_OK; SPL_ERR_DISK_FULL; SPL_ERR_FILE_WRITE. */
SPL_MUST_CHECK spl_status spl_file_write_at(
    int fd, const char *path, const void *data, size_t bytes, uint64_t offset);
/* Read all bytes at `offset`. Result: SPL_OK; SPL_ERR_FILE_READ, also at the end of the
 * file. */
SPL_MUST_CHECK spl_status spl_file_read_at(
    int fd, const char *path, void *data, size_t bytes, uint64_t offset);

/* Bring contents and metadata to the disk. After a failure the state of the file is
 * unknown: the kernel reports an error once and may drop the pages, so never try again.
 * Result: SPL_OK; SPL_ERR_DISK_FULL; SPL_ERR_FILE_WRITE. */
SPL_MUST_CHECK spl_status spl_file_sync(int fd, const char *path);
/* The same for contents only; enough where the size does not change. */
SPL_MUST_CHECK spl_status spl_file_sync_data(int fd, const char *path);

/* The folder of a path: names that came or went are on the disk then. */
SPL_MUST_CHECK spl_status spl_file_sync_folder(const char *path);
/* Delete what a killed process left, if anything, for good: a power cut could else bring
 * it back in the place of the next file of that name.
 * Result: SPL_OK; SPL_ERR_FILE_CREATE, SPL_ERR_FILE_WRITE. */
SPL_MUST_CHECK spl_status spl_file_delete_leftover(const char *path);
/* Rename, then sync the folder, without which a power cut may undo it.
 * Result: SPL_OK; SPL_ERR_FILE_WRITE. */
SPL_MUST_CHECK spl_status spl_file_rename(const char *from, const char *to);

/* Does `path` lead to the open file itself, not to another one of that name? */
bool spl_file_is_at(int fd, const char *path);

/* The folder of a path: "a/b" gives "a", "b" gives ".", "/b" gives "/". The caller frees
 * it; NULL when out of memory. */
char *spl_file_folder(const char *path);

/* SPL_ERR_DISK_FULL for the errors that mean "no room", else `other`. */
spl_status spl_file_status(int error_number, spl_status other);

#endif
