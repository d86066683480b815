/* The two slots of /progress, which say how many rows are durable. */
#ifndef SPL_OUTPUT_PROGRESS_H
#define SPL_OUTPUT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum {
    SPL_SLOT_WORDS = 512, /* a page each: two slots never share a sector */
    SPL_SLOT_BYTES = SPL_SLOT_WORDS * 8,
    SPL_MAX_STREAMS = 500
};

/* What one slot says: output of all steps below `step` is durable, rows[i] of stream i.
 */
typedef struct spl_record {
    uint64_t step;
    uint64_t journal_bytes; /* of the spike journal */
    size_t n_streams;
    uint64_t rows[SPL_MAX_STREAMS];
} spl_record;

/* Write the record as the bytes of a slot, checksum included. */
void spl_slot_encode(unsigned char slot[SPL_SLOT_BYTES], const spl_record *record);
/* Read a slot. Result: false if it was never written, is torn or does not fit the
 * streams, of which `n_rows` are the lengths. */
bool spl_slot_decode(spl_record *record, const unsigned char slot[SPL_SLOT_BYTES],
    size_t n_streams, const uint64_t *n_rows);
/* Choose the newest valid slot of the two. Result: its index, or -1 if none is valid,
 * which means a damaged file, never "no rows". */
int spl_slot_choose(spl_record *newest, const unsigned char slots[2 * SPL_SLOT_BYTES],
    size_t n_streams, const uint64_t *n_rows);

/* Where the slots of an open file are. */
typedef struct spl_slots {
    int fd;
    const char *path;
    uint64_t offset;
    size_t n_streams;
    const uint64_t *n_rows;
} spl_slots;

/* Read the newest record. Result: SPL_OK; SPL_ERR_FORMAT if no slot is valid;
 * SPL_ERR_FILE_READ. */
SPL_MUST_CHECK spl_status spl_slots_newest(const spl_slots *slots, spl_record *newest);

/* Publish a record, all of which must be durable: into the slot that does not hold the
 * newest one, then sync. Does nothing unless its step exceeds the newest one's, so that a
 * run that recomputes never takes anything back. Result: SPL_OK; SPL_ERR_FORMAT if no
 * slot is valid; as spl_file_write_at and spl_file_sync_data. */
SPL_MUST_CHECK spl_status spl_slots_publish(
    const spl_slots *slots, const spl_record *record);
/* Put the last record into both slots, a sync after each: the final bytes do not depend
 * on how often the run was synced. Does nothing if a newer one is there. */
SPL_MUST_CHECK spl_status spl_slots_finish(
    const spl_slots *slots, const spl_record *record);

#endif
