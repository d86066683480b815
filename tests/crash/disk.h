/* A folder on a disk, as a crash may leave it: what its files hold now, what is durable,
 * and every change since. */
#ifndef SPL_CRASH_DISK_H
#define SPL_CRASH_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

enum {
    CRASH_SECTOR = 512,
    CRASH_MAX_NAME = 128,
    CRASH_MAX_NAMES = 32,
    CRASH_MAX_FDS = 1024
};

/* A growing array of bytes. */
typedef struct crash_bytes {
    size_t size, capacity;
    uint8_t *data;
} crash_bytes;

/* A change of a file that is not yet durable: `data` written, or a new size. */
typedef struct crash_change {
    crash_operation operation;
    uint64_t value; /* offset or size */
    size_t bytes;
    const uint8_t *data; /* in the log */
} crash_change;

typedef struct crash_file {
    crash_bytes now, durable, left; /* left: by a loss of power */
    size_t n_changes, capacity;
    crash_change *changes;
} crash_file;

/* Which file a name stands for. */
typedef struct crash_names {
    size_t n;
    struct {
        char name[CRASH_MAX_NAME];
        size_t file;
    } all[CRASH_MAX_NAMES];
} crash_names;

/* A change of the names that is not yet durable. */
typedef struct crash_renaming {
    crash_operation operation; /* OPEN: a new name for `file` */
    size_t file;
    char name[CRASH_MAX_NAME], other[CRASH_MAX_NAME];
} crash_renaming;

typedef struct crash_disk {
    size_t n_files;
    crash_file *files;
    crash_names now, durable;
    size_t n_renamings, capacity;
    crash_renaming *renamings;
    /* open files; -1: none, -2: the folder */
    long fds[CRASH_MAX_FDS];
} crash_disk;

/* What a reader finds in the folder; bytes are borrowed. */
typedef struct crash_state {
    size_t n;
    struct {
        const char *name;
        const crash_bytes *bytes;
    } all[CRASH_MAX_NAMES];
} crash_state;

/* One entry of a log in memory. */
typedef struct crash_entry {
    crash_record record;
    const uint8_t *data; /* data or name */
    const char *other;
} crash_entry;

void crash_disk_init(crash_disk *disk);
void crash_disk_deinit(crash_disk *disk);
/* Apply an entry; of a write only the first `bytes`, which are no more than it has. */
void crash_disk_apply(crash_disk *disk, const crash_entry *entry, size_t bytes);
/* Does the entry change what a reader could see? */
bool crash_changes(const crash_disk *disk, const crash_entry *entry);
/* The file of a name, or NULL. */
crash_file *crash_find(crash_disk *disk, const crash_names *names, const char *name);
/* The file of an entry that has an fd, or NULL. */
crash_file *crash_file_of(crash_disk *disk, const crash_entry *entry);

/* The folder as the running system sees it, or as it is on the disk for certain. */
void crash_state_now(crash_state *state, const crash_disk *disk);
void crash_state_durable(crash_state *state, const crash_disk *disk);
/* Contents of a name, or NULL. */
const crash_bytes *crash_state_find(const crash_state *state, const char *name);

/* What a loss of power may leave: of the names, any of the changes since the last sync of
 * the folder, each with probability p; of a file, any version of any sector. */
void crash_state_lost(crash_state *state, crash_disk *disk, double p, uint64_t *random);

/* The same of the names alone: of their changes those whose bits are set in `which`
 * happened, counted from the first one since the last sync of the folder; files are what
 * is durable. */
void crash_state_renamed(crash_state *state, const crash_disk *disk, uint64_t which);

void crash_bytes_set(crash_bytes *bytes, const uint8_t *data, size_t size);
/* Write at `offset`, behind the end too. */
void crash_bytes_put(
    crash_bytes *bytes, const uint8_t *data, size_t size, uint64_t offset);
/* Uniform in [0, 1). */
double crash_uniform(uint64_t *random);
void *crash_allocate(void *memory, size_t bytes);

#endif
