#include "output/progress.h"

#include <endian.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/file.h"

/* seq, step, journal, n, rows[n], checksum */
enum { WORD_ROWS = 4 };

static uint64_t get_word(const unsigned char *slot, size_t i)
{
    uint64_t word;
    memcpy(&word, slot + 8 * i, sizeof word);
    return le64toh(word);
}

static void put_word(unsigned char *slot, size_t i, uint64_t word)
{
    word = htole64(word);
    memcpy(slot + 8 * i, &word, sizeof word);
}

void spl_slot_encode(unsigned char slot[SPL_SLOT_BYTES], const spl_record *record)
{
    const size_t n = record->n_streams;
    memset(slot, 0, SPL_SLOT_BYTES);
    put_word(slot, 0, record->step + 1);
    put_word(slot, 1, record->step);
    put_word(slot, 2, record->journal_bytes);
    put_word(slot, 3, n);
    for (size_t i = 0; i < n; i++) {
        put_word(slot, WORD_ROWS + i, record->rows[i]);
    }
    put_word(slot, WORD_ROWS + n, spl_crc32c(0, slot, 8 * (WORD_ROWS + n)));
}

bool spl_slot_decode(spl_record *record, const unsigned char slot[SPL_SLOT_BYTES],
    size_t n_streams, const uint64_t *n_rows)
{
    const uint64_t seq = get_word(slot, 0);
    *record = (spl_record){.step = get_word(slot, 1),
        .journal_bytes = get_word(slot, 2),
        .n_streams = n_streams};
    if (seq == 0 || seq - 1 != record->step || n_streams > SPL_MAX_STREAMS ||
        get_word(slot, 3) != n_streams ||
        get_word(slot, WORD_ROWS + n_streams) !=
            spl_crc32c(0, slot, 8 * (WORD_ROWS + n_streams))) {
        return false;
    }
    for (size_t i = 0; i < n_streams; i++) {
        record->rows[i] = get_word(slot, WORD_ROWS + i);
        if (record->rows[i] > n_rows[i]) {
            return false;
        }
    }
    return true;
}

int spl_slot_choose(spl_record *newest, const unsigned char slots[2 * SPL_SLOT_BYTES],
    size_t n_streams, const uint64_t *n_rows)
{
    spl_record second;
    const bool first_valid = spl_slot_decode(newest, slots, n_streams, n_rows);
    const bool second_valid =
        spl_slot_decode(&second, slots + SPL_SLOT_BYTES, n_streams, n_rows);
    if (second_valid && (!first_valid || second.step > newest->step)) {
        *newest = second;
        return 1;
    }
    return first_valid ? 0 : -1;
}

static spl_status find_newest(const spl_slots *slots, spl_record *newest, int *index)
{
    unsigned char bytes[2 * SPL_SLOT_BYTES];
    spl_status status =
        spl_file_read_at(slots->fd, slots->path, bytes, sizeof bytes, slots->offset);
    if (status != SPL_OK) {
        return status;
    }
    *index = spl_slot_choose(newest, bytes, slots->n_streams, slots->n_rows);
    if (*index < 0) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: /progress: no valid slot; the file was damaged by something else",
            slots->path);
    }
    return SPL_OK;
}

spl_status spl_slots_newest(const spl_slots *slots, spl_record *newest)
{
    int index;
    return find_newest(slots, newest, &index);
}

static spl_status write_slot(const spl_slots *slots, const spl_record *record, int index)
{
    unsigned char bytes[SPL_SLOT_BYTES];
    spl_slot_encode(bytes, record);
    spl_status status = spl_file_write_at(slots->fd, slots->path, bytes, sizeof bytes,
        slots->offset + (uint64_t)index * SPL_SLOT_BYTES);
    return status == SPL_OK ? spl_file_sync_data(slots->fd, slots->path) : status;
}

spl_status spl_slots_publish(const spl_slots *slots, const spl_record *record)
{
    spl_record newest;
    int index;
    spl_status status = find_newest(slots, &newest, &index);
    if (status != SPL_OK || record->step <= newest.step) {
        return status;
    }
    return write_slot(slots, record, 1 - index);
}

spl_status spl_slots_finish(const spl_slots *slots, const spl_record *record)
{
    spl_record newest;
    int index;
    spl_status status = find_newest(slots, &newest, &index);
    if (status == SPL_OK && record->step < newest.step) {
        return SPL_OK;
    }
    if (status == SPL_OK) {
        status = write_slot(slots, record, 1 - index);
    }
    return status == SPL_OK ? write_slot(slots, record, index) : status;
}
