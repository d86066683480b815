/* What must be true of a results file that a crash left. */
#ifndef SPL_CRASH_RESULTS_H
#define SPL_CRASH_RESULTS_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CRASH_MAX_PATH = 256,
    CRASH_MAX_STREAMS = 16,
    CRASH_UUID = 37,
    CRASH_SLOT_WORDS = 512,
    CRASH_MAX_EXTENTS = 128
};

typedef enum {
    CRASH_GROUP,
    CRASH_FIXED,     /* the same from the first moment on */
    CRASH_ROWS,      /* those below the durable count are right */
    CRASH_CHECKSUMS, /* those of whole durable blocks are right */
    CRASH_FINAL,     /* right in a complete file */
    CRASH_SLOTS,
    CRASH_CODE,
    CRASH_STRINGS, /* of variable length: readable */
    CRASH_FREE     /* changes, and differs between runs */
} crash_object_kind;

typedef struct crash_object {
    char path[CRASH_MAX_PATH];
    crash_object_kind kind;
    size_t n_links;  /* of a group */
    size_t stream;   /* of rows and checksums */
    size_t n, bytes; /* items along the first axis, bytes of one */
    uint8_t *data;
} crash_object;

/* What a slot says is durable. */
typedef struct crash_durable {
    char uuid[CRASH_UUID]; /* of the run */
    uint64_t step, journal_bytes;
    uint64_t rows[CRASH_MAX_STREAMS];
    bool complete;
} crash_durable;

/* A finished run that nothing disturbed. */
typedef struct crash_reference {
    size_t n_objects;
    crash_object *objects;
    size_t n_streams;
    char streams[CRASH_MAX_STREAMS][CRASH_MAX_PATH];
    uint64_t rows_per_block[CRASH_MAX_STREAMS];
    uint64_t slots_offset; /* of /progress in its file */
    crash_durable end;
    /* the last file that was right in everything; where in it what changes lies */
    uint8_t *known;
    size_t known_bytes, n_extents;
    struct {
        size_t begin, end;
    } extents[CRASH_MAX_EXTENTS];
    uint8_t *buffer; /* for the largest dataset */
    size_t buffer_bytes;
} crash_reference;

typedef enum { CRASH_GOOD, CRASH_UNREADABLE, CRASH_WRONG, CRASH_BEHIND } crash_verdict;

void crash_reference_load(crash_reference *reference, const char *path);
void crash_reference_deinit(crash_reference *reference);
/* Check one file, which holds `data`. Where nothing differs from a file that was right
 * but in the datasets that change during a run, only those are read again. `durable`
 * receives what its newest slot says; `why` the first thing that is wrong. Result: GOOD,
 * UNREADABLE or WRONG. */
crash_verdict crash_results_check(crash_reference *reference, const char *path,
    const uint8_t *data, size_t bytes, crash_durable *durable, const char **why);
/* CRC-32C (reflected polynomial 0x82F63B78). */
uint32_t crash_crc32c(const uint8_t *data, size_t n);

#endif
