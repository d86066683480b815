/* Inside the output module: the file's datasets, its slots and its writer. */
#ifndef SPL_OUTPUT_INTERNAL_H
#define SPL_OUTPUT_INTERNAL_H

#include <endian.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"
#include "base/str.h"
#include "output/cache.h"
#include "output/checkpoint.h"
#include "output/journal.h"
#include "output/output.h"
#include "output/progress.h"
#include "output/queue.h"

enum {
    SPL_PAGE_BYTES = 4096, /* larger datasets start on a page */
    SPL_MESSAGE_BYTES = 256,
    SPL_MAX_STARTS = 64,
    SPL_START_VALUES = 4 /* UTC seconds, step, threads, wall seconds */
};

/* Sums that the run keeps: spikes and events of each population, clips of each
 * subnetwork. */
enum { SPL_COUNT_SPIKES, SPL_COUNT_EVENTS, SPL_COUNT_CLIPS, SPL_N_COUNTS };

/* places.c: the datasets that the run writes, all of fixed size */

typedef enum {
    SPL_PLACE_F4,
    SPL_PLACE_F8,
    SPL_PLACE_U4,
    SPL_PLACE_U8,
    SPL_PLACE_CODE, /* one byte, an enum */
    SPL_PLACE_TEXT  /* SPL_MESSAGE_BYTES, zero padded */
} spl_place_type;

typedef struct spl_place {
    char *path; /* inside the file, "/monitors/tavg/V" */
    spl_place_type type;
    int rank;
    uint64_t dims[3];
    uint64_t bytes;
    uint64_t offset; /* known once the file exists */
} spl_place;

/* Those that every file has; then performance, final state, sums of spiking populations,
 * rows and checksums. */
enum {
    SPL_PLACE_PROGRESS,
    SPL_PLACE_STATUS,
    SPL_PLACE_MESSAGE,
    SPL_PLACE_ESCAPED,
    SPL_PLACE_STARTS,
    SPL_PLACE_RECORD,
    SPL_N_FIXED_PLACES
};

typedef struct spl_places {
    size_t n, n_performance, n_final;
    size_t first_count;      /* SPL_N_COUNTS, if there are populations */
    size_t *first_of_stream; /* rows of variable v: + 2 v, its checksums: + 2 v + 1 */
    spl_place *all;
} spl_places;

/* List the datasets of `spec`, without offsets. Zero-initialise; release with
 * spl_places_deinit also after a failure. Result: SPL_OK; SPL_ERR_ARGUMENT for a spec
 * that makes no file; SPL_ERR_LIMIT if a size overflows; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_places_list(
    spl_places *places, const spl_output_spec *spec);
void spl_places_deinit(spl_places *places);
/* Append one to places->all, which has room for it. Result: SPL_OK; SPL_ERR_ARGUMENT if
 * it would be empty; SPL_ERR_LIMIT; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_places_add(spl_places *places, spl_place_type type,
    int rank, const uint64_t *dims, const char *group, const char *name);
/* Open a results file read-only and find the offsets. Checks superblock, layout, sizes
 * and that nothing overlaps. `known` also compares with the offsets already there.
 * Result: SPL_OK; SPL_ERR_FILE_CREATE, or SPL_ERR_FILE_WRITE if `known`. */
SPL_MUST_CHECK spl_status spl_places_find(
    spl_places *places, const char *path, bool known);
/* The same for a file that comes from anywhere, in the sandbox; types and shapes are
 * checked as well. Result: SPL_OK; SPL_ERR_FORMAT, or SPL_ERR_FILE_WRITE if `known`. */
SPL_MUST_CHECK spl_status spl_places_find_strictly(
    spl_places *places, const char *path, bool known);
/* Check that the places lie inside the file and that none overlaps with another; `code`
 * is that of the error. */
SPL_MUST_CHECK spl_status spl_places_check(
    const spl_places *places, const char *path, uint64_t file_bytes, spl_status code);
/* The group of a stream, and what /progress calls it: the name of a monitor, else the
 * path of the group. */
void spl_stream_group(spl_text *path, const spl_stream *stream);
void spl_stream_label(spl_text *label, const spl_stream *stream);
/* Rows between two writes: a MiB per variable, within bounds, at most what is recorded.
 */
size_t spl_rows_per_block(size_t width, uint64_t n_rows);

/* layout.c: write the new file with HDF5. Result: SPL_OK; SPL_ERR_FILE_CREATE;
 * SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_layout_write(const char *path, const spl_output_spec *spec,
    const spl_places *places, const char *uuid);

/* create.c */

/* Ask before anything is written whether `bytes` fit: HDF5 may crash at exit after a disk
 * full, and a limit of file sizes comes with a signal. Result: SPL_OK; SPL_ERR_DISK_FULL.
 */
SPL_MUST_CHECK spl_status spl_output_check_room(const char *path, uint64_t bytes);
/* Make sure of every byte of a file. Result: SPL_OK; SPL_ERR_DISK_FULL;
 * SPL_ERR_FILE_CREATE. */
SPL_MUST_CHECK spl_status spl_output_allocate(int fd, const char *path);

/* lock.c */

/* The path of a file that belongs to a results file: NAME.h5 gives NAME and the suffix.
 * The caller frees it; NULL when out of memory. */
char *spl_output_beside(const char *results, const char *suffix);

typedef struct spl_lock {
    int fd; /* -1: not held */
    char *path;
} spl_lock;
/* Take the lock of a results file; it stays until spl_lock_release, which also deletes
 * its file. Result: SPL_OK; SPL_ERR_FILE_CREATE if another process holds it or the folder
 * cannot be written; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_lock_take(spl_lock *lock, const char *results);
void spl_lock_release(spl_lock *lock);
/* Does a running process hold it? */
bool spl_lock_is_held(const char *results);

/* A number of a row in the file, which has 4 or 8 bytes, little-endian. */
static inline double spl_stored_number(const unsigned char *at, size_t item_bytes)
{
    uint64_t word;
    uint32_t half;
    double f8;
    float f4;
    if (item_bytes == sizeof half) {
        memcpy(&half, at, sizeof half);
        half = le32toh(half);
        memcpy(&f4, &half, sizeof f4);
        return (double)f4;
    }
    memcpy(&word, at, sizeof word);
    word = le64toh(word);
    memcpy(&f8, &word, sizeof f8);
    return f8;
}

/* writer.c: rows on their way to the file */

/* Rows of one monitor in the type of the file. Row r lies in slot r mod capacity, two
 * blocks of rows: one is filled while the other is written. */
typedef struct spl_ring {
    char *name;
    size_t n_variables, width, item_bytes;
    size_t rows_per_block, capacity;
    uint64_t n_rows;
    size_t first_place;
    unsigned char *data; /* [n_variables][capacity][width] items */
    uint32_t *crc;       /* [n_variables]: of the block under way, as written so far */
    _Atomic uint64_t appended; /* by the stepping thread */
    _Atomic uint64_t written;  /* by the I/O thread, under the mutex */
    uint64_t durable;          /* rows below come again and are compared; 0: none */
    unsigned char *compared;   /* [rows_per_block] rows of the file, or NULL */
} spl_ring;

struct spl_output {
    char *path;
    char uuid[SPL_UUID_BYTES];
    int fd; /* of the results file, with a shared lock */
    spl_lock lock;
    spl_places places;
    size_t n_streams;
    spl_ring *rings;
    double flush_every;
    int64_t start_ns; /* monotonic */
    double start[SPL_START_VALUES];
    size_t start_row; /* of /performance/starts */
    bool reopened;    /* the file may come from anywhere */
    _Atomic uint64_t written_bytes;
    spl_cache cache; /* of the I/O thread, then of the verification */
    size_t n_populations, n_subnetworks;
    bool *no_spikes;       /* [n_populations]: counted, not written */
    spl_journal journal;   /* grows in the I/O thread; fd -1 without populations */
    spl_spike_queue queue; /* under the mutex */
    uint64_t *counts[SPL_N_COUNTS];     /* the same */
    uint64_t *counts_out[SPL_N_COUNTS]; /* of the I/O thread */

    bool waitable; /* mutex and conditions exist */
    bool running;  /* the I/O thread exists */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t work, room;
    _Atomic uint64_t step;      /* by the stepping thread, when its rows were appended */
    _Atomic(spl_status) status; /* of the I/O thread, under the mutex with the message */
    char message[1024];
    /* under the mutex */
    bool stop;
    spl_checkpoint *checkpoint; /* to be written; NULL: none is under way */
    spl_record checkpoint_record;
    char checkpoint_problem[512]; /* why the last one failed, "" if nobody must know */
};

SPL_MUST_CHECK spl_status spl_writer_init(
    spl_output *output, const spl_output_spec *spec);
SPL_MUST_CHECK spl_status spl_writer_start(spl_output *output);
/* Let the I/O thread write and publish what is there, and wait for its end. Result: what
 * went wrong in it, now or before. */
SPL_MUST_CHECK spl_status spl_writer_stop(spl_output *output);
void spl_writer_deinit(spl_output *output);
/* Put the present step and row counts into a record. */
void spl_writer_record(const spl_output *output, spl_record *record);
/* Where the slots are; `n_rows` receives the lengths of the streams. */
spl_slots spl_writer_slots(const spl_output *output, uint64_t n_rows[SPL_MAX_STREAMS]);
/* Nanoseconds of the monotonic clock. */
int64_t spl_monotonic_ns(void);

/* create.c: open for the run, with a shared lock. */
SPL_MUST_CHECK spl_status spl_output_open_for_writing(
    spl_output *output, const char *path);

/* The journal of the spikes: there before the results file has its name, so that no run
 * is without one. Result: as spl_journal_create or, if it exists, spl_journal_resume. */
SPL_MUST_CHECK spl_status spl_output_open_journal(
    spl_output *output, const spl_output_spec *spec, bool exists);

/* finish.c: write the row of /performance/starts that belongs to this run; the message,
 * then the code. */
SPL_MUST_CHECK spl_status spl_output_put_start(spl_output *output);
/* Write /state/final, one pointer per array, and its record. */
SPL_MUST_CHECK spl_status spl_output_put_final(
    spl_output *output, uint64_t step, const double *const *final);
SPL_MUST_CHECK spl_status spl_output_put_code(
    spl_output *output, spl_run_code code, const char *message);

/* verify.c */

/* The name must still lead to the file that is written: what is written elsewhere is lost
 * or not looked for, and what lies beside the name belongs to somebody else. Result:
 * SPL_OK; SPL_ERR_FILE_WRITE. */
SPL_MUST_CHECK spl_status spl_output_check_path(const spl_output *output);
/* Open the finished file again, compare offsets and every checksum. Result: SPL_OK;
 * SPL_ERR_FILE_WRITE naming dataset and rows. */
SPL_MUST_CHECK spl_status spl_output_verify(spl_output *output);

#endif
