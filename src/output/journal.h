/* NAME.spk, the spike journal of a run: how many spikes come is not known beforehand, so
 * they are appended here, and become a SONATA file at the end.
 *
 * All numbers little-endian. A header:
 *   magic u64, version u32, bytes of the whole header u32, uuid of the run 36 characters
 *   and 4 zeros, dt f64 (ms), first step u64, number of populations u32, zero u32; for
 *   each population: size u64, bytes of its name u32, bytes of its region u32, name,
 *   region; CRC32C u32 of all that.
 * Then frames, each from the step at which the one before ended:
 *   magic u32, bytes of the payload u32, step_from u64, step_to u64, CRC32C u32 of these
 *   24 bytes and the payload, zero u32; payload, for each population in order: count u32,
 *   times f64 (ms) in ascending order, neurons u32, ascending among equal times.
 * A frame holds the spikes of the steps step_from + 1 .. step_to. Nothing is ever
 * rewritten: what is behind the last valid frame was torn by a crash, and is cut. */
#ifndef SPL_OUTPUT_JOURNAL_H
#define SPL_OUTPUT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum {
    SPL_JOURNAL_UUID_BYTES = 37,
    SPL_JOURNAL_MAX_HEADER = 64 << 20,
    SPL_JOURNAL_MAX_POPULATIONS = 1 << 20,
    SPL_JOURNAL_MAX_NAME = 1024
};
/* Spikes of one frame, so that its payload has at most 2^32 - 1 bytes. */
#define SPL_JOURNAL_MAX_SPIKES ((uint64_t)1 << 28)

typedef struct spl_journal_population {
    const char *name, *region; /* region "": of no node */
    uint64_t size;
} spl_journal_population;

typedef struct spl_journal_header {
    char uuid[SPL_JOURNAL_UUID_BYTES];
    double dt_ms;
    uint64_t first_step; /* the first frame begins here */
    size_t n_populations;
    const spl_journal_population *populations;
} spl_journal_header;

/* Spikes of one population. */
typedef struct spl_spike_columns {
    size_t n;
    const double *time;     /* ms */
    const uint32_t *neuron; /* index in the population */
} spl_spike_columns;

typedef enum spl_journal_found {
    SPL_JOURNAL_NONE,
    SPL_JOURNAL_OWN,
    SPL_JOURNAL_OTHER
} spl_journal_found;

/* An open journal that grows. */
typedef struct spl_journal {
    int fd; /* -1: none */
    char *path;
    size_t n_populations;
    uint64_t bytes;    /* of header and whole frames */
    uint64_t end_step; /* of the last frame */
} spl_journal;

/* Create a journal with its header on the disk. `journal` may be released after a
 * failure, which leaves no file but the one that was there. replace   take the place of a
 * journal; without it none may exist Result: SPL_OK; SPL_ERR_FILE_CREATE;
 * SPL_ERR_DISK_FULL; SPL_ERR_FILE_WRITE; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_journal_create(spl_journal *journal, const char *path,
    const spl_journal_header *header, bool replace);
/* Go on with one: find its last valid frame and cut what is behind. Steps up to
 * journal->end_step are in it and must not be appended again.
 *   header   what the journal of this run must say
 * Result: SPL_OK; SPL_ERR_FORMAT for the journal of another run; as spl_journal_read. */
SPL_MUST_CHECK spl_status spl_journal_resume(
    spl_journal *journal, const char *path, const spl_journal_header *header);
/* Is there a whole header of the run `uuid`, or of another? *found is SPL_JOURNAL_NONE if
 * there is no file. Result: SPL_OK; SPL_ERR_FILE_READ; as spl_journal_read. */
SPL_MUST_CHECK spl_status spl_journal_find(
    const char *path, const char *uuid, spl_journal_found *found);
/* Append one frame from journal->end_step to `step_to`; `populations` are as many as the
 * header's. Result: SPL_OK; SPL_ERR_DISK_FULL; SPL_ERR_FILE_WRITE; SPL_ERR_LIMIT. */
SPL_MUST_CHECK spl_status spl_journal_append(
    spl_journal *journal, uint64_t step_to, const spl_spike_columns *populations);
/* Close it; the file stays. */
void spl_journal_deinit(spl_journal *journal);

/* Reading, as untrusted input: bounds before checksums before memory. */

typedef struct spl_journal_frame {
    uint64_t step_from, step_to;
    uint64_t end; /* offset behind the frame */
} spl_journal_frame;

typedef struct spl_journal_reader {
    int fd; /* borrowed */
    const char *path;
    uint64_t file_bytes, header_bytes;
    spl_journal_header header;
    spl_journal_population *populations;
    char *names;      /* theirs, and their regions */
    uint64_t *first;  /* [n_populations]: offset of the times of the frame at hand */
    uint32_t *counts; /* [n_populations]: its spikes */
    spl_journal_frame frame;
    bool whole; /* nothing but valid frames up to the end of the file */
} spl_journal_reader;

/* Read the header of an open journal. Zero-initialise `reader`; release it also after a
 * failure. `path` is borrowed. Result: SPL_OK; SPL_ERR_FORMAT if it is damaged or no
 * journal; SPL_ERR_FILE_READ; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_journal_read(
    spl_journal_reader *reader, int fd, const char *path);
/* Go to the next frame. *found is false behind the last valid one; then reader->whole
 * tells whether anything was behind it. Result: SPL_OK; SPL_ERR_FILE_READ. */
SPL_MUST_CHECK spl_status spl_journal_next(spl_journal_reader *reader, bool *found);
/* Read spikes [from, from + n) of population `p` in the frame at hand, as they are: order
 * and neurons are the caller's to check. Result: SPL_OK; SPL_ERR_FILE_READ. */
SPL_MUST_CHECK spl_status spl_journal_spikes(const spl_journal_reader *reader, size_t p,
    size_t from, size_t n, double *time, uint32_t *neuron);
/* Back to before the first frame. */
void spl_journal_rewind(spl_journal_reader *reader);
void spl_journal_reader_deinit(spl_journal_reader *reader);

#endif
