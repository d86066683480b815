/* Reading of untrusted files by library code that may crash or hang: in a forked child
 * with narrow limits, which sends records through a pipe. */
#ifndef SPL_H5_SANDBOX_H
#define SPL_H5_SANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/status.h"

/* One array on its way to the parent, which must judge all of it. */
typedef struct spl_sandbox_record {
    uint32_t kind; /* the caller's; 0 ends the stream */
    int32_t status;
    uint64_t rows, columns;
    uint64_t bytes; /* of the payload that follows */
} spl_sandbox_record;

typedef struct spl_sandbox {
    pid_t child;
    int fd;
    struct timespec deadline;
    unsigned seconds; /* what the file may take */
    const char *path;
} spl_sandbox;

/* Runs in the child: opens `path`, calls spl_sandbox_lock, then spl_sandbox_send. */
typedef spl_status spl_sandbox_child(int fd, const char *path, const void *user);

/* Start `child` in a new process. `memory_bytes` is what it may allocate beyond the
 * present process. Result: SPL_OK; SPL_ERR_INTERNAL if the system refuses. */
SPL_MUST_CHECK spl_status spl_sandbox_start(spl_sandbox *sandbox, const char *path,
    spl_sandbox_child *child, const void *user, size_t memory_bytes);
/* The same for a parent that needs time of its own between two records: the child waits
 * `patience` times longer, but may not compute longer. */
SPL_MUST_CHECK spl_status spl_sandbox_start_patient(spl_sandbox *sandbox,
    const char *path, spl_sandbox_child *child, const void *user, size_t memory_bytes,
    unsigned patience);

/* In the child: from now on no further file can be opened. */
SPL_MUST_CHECK spl_status spl_sandbox_lock(void);
/* In the child: send one record. */
SPL_MUST_CHECK spl_status spl_sandbox_send(int fd, uint32_t kind, uint64_t rows,
    uint64_t columns, const void *payload, size_t bytes);

/* In the parent: wait for the next record; kind 0 after the last. An error of the child
 * becomes this thread's last error. Result: SPL_OK; the child's code; SPL_ERR_FORMAT if
 * it died, with the signal, or was late. */
SPL_MUST_CHECK spl_status spl_sandbox_next(
    spl_sandbox *sandbox, spl_sandbox_record *record);
/* In the parent: take `bytes` of the payload. */
SPL_MUST_CHECK spl_status spl_sandbox_take(
    spl_sandbox *sandbox, void *data, size_t bytes);
/* In the parent: make room for `count` items in an array that has `first` already and
 * will have `most`. It grows with what arrives, for a number that was announced may be a
 * lie: *items has room for *room. Result: SPL_OK; SPL_ERR_FORMAT if they are too many;
 * SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_sandbox_make_room(const spl_sandbox *sandbox, void **items,
    size_t *room, size_t first, size_t count, size_t most, size_t item_bytes);
/* In the parent: the error of a record that no honest child sends. */
spl_status spl_sandbox_nonsense(const spl_sandbox *sandbox);
/* Stop the child, if it still runs; safe after a failed start. */
void spl_sandbox_stop(spl_sandbox *sandbox);

#endif
