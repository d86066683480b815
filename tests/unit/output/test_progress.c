/* The rules of the progress slots. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/progress.h"
#include "support/test_main.h"

static const uint64_t lengths[] = {100, 50};
enum { N = 2 };

static void encode(unsigned char *slot, uint64_t step, uint64_t a, uint64_t b)
{
    const spl_record record = {.step = step, .n_streams = N, .rows = {a, b}};
    spl_slot_encode(slot, &record);
}

START_TEST(a_slot_has_the_documented_words)
{
    unsigned char slot[SPL_SLOT_BYTES];
    uint64_t words[SPL_SLOT_WORDS];
    encode(slot, 7, 5, 3);
    memcpy(words, slot, sizeof words);
    ck_assert_uint_eq(words[0], 8);
    ck_assert_uint_eq(words[1], 7);
    ck_assert_uint_eq(words[2], 0);
    ck_assert_uint_eq(words[3], N);
    ck_assert_uint_eq(words[4], 5);
    ck_assert_uint_eq(words[5], 3);
    /* of the bytes of words 0 to 5, by a program of its own, bit by bit */
    ck_assert_uint_eq(words[6], 0x4d63813b);
    for (size_t i = 7; i < SPL_SLOT_WORDS; i++) {
        ck_assert_uint_eq(words[i], 0);
    }
}
END_TEST

START_TEST(the_newest_valid_slot_counts)
{
    unsigned char slots[2 * SPL_SLOT_BYTES] = {0};
    unsigned char *second = slots + SPL_SLOT_BYTES;
    spl_record record;
    ck_assert_int_eq(spl_slot_choose(&record, slots, N, lengths), -1);
    encode(slots, 0, 0, 0);
    ck_assert_int_eq(spl_slot_choose(&record, slots, N, lengths), 0);
    ck_assert_uint_eq(record.step, 0);
    encode(second, 10, 9, 4);
    ck_assert_int_eq(spl_slot_choose(&record, slots, N, lengths), 1);
    ck_assert_uint_eq(record.step, 10);
    ck_assert_uint_eq(record.rows[0], 9);
    ck_assert_uint_eq(record.rows[1], 4);
    encode(slots, 20, 19, 8);
    ck_assert_int_eq(spl_slot_choose(&record, slots, N, lengths), 0);
    encode(second, 20, 19, 8);
    ck_assert_int_ge(spl_slot_choose(&record, slots, N, lengths), 0);
    ck_assert_uint_eq(record.rows[0], 19);
}
END_TEST

START_TEST(every_torn_slot_is_told)
{
    unsigned char slots[2 * SPL_SLOT_BYTES];
    unsigned char *second = slots + SPL_SLOT_BYTES;
    spl_record record;
    encode(slots, 10, 9, 4);
    encode(second, 30, 29, 14);
    for (size_t byte = 0; byte < 8 * 7; byte++) {
        second[byte] ^= 0x10;
        ck_assert_int_eq(spl_slot_choose(&record, slots, N, lengths), 0);
        ck_assert_uint_eq(record.step, 10);
        second[byte] ^= 0x10;
    }
    second[0] ^= 1;
    slots[40] ^= 1;
    ck_assert_int_eq(spl_slot_choose(&record, slots, N, lengths), -1);
}
END_TEST

START_TEST(records_that_cannot_be_are_not_believed)
{
    unsigned char slots[2 * SPL_SLOT_BYTES] = {0};
    spl_record record;
    encode(slots, 10, 101, 4); /* more rows than there are, and a good checksum */
    ck_assert_int_eq(spl_slot_choose(&record, slots, N, lengths), -1);
    encode(slots, UINT64_MAX, 1, 1); /* seq would be 0 */
    ck_assert_int_eq(spl_slot_choose(&record, slots, N, lengths), -1);
    encode(slots, 10, 9, 4);
    ck_assert_int_eq(spl_slot_choose(&record, slots, 1, lengths), -1);
    ck_assert_int_eq(spl_slot_choose(&record, slots, N, lengths), 0);
    /* 500 streams fill a slot, 508 would reach beyond */
    ck_assert_int_lt(4 + SPL_MAX_STREAMS, SPL_SLOT_WORDS);
}
END_TEST

typedef struct disk {
    char path[32];
    spl_slots slots;
} disk;

static void open_disk(disk *d)
{
    unsigned char slots[2 * SPL_SLOT_BYTES] = {0};
    strcpy(d->path, "/tmp/splenium-slots-XXXXXX");
    d->slots = (spl_slots){.fd = mkstemp(d->path),
        .path = d->path,
        .offset = 4096,
        .n_streams = N,
        .n_rows = lengths};
    encode(slots, 0, 0, 0);
    ck_assert_int_eq(pwrite(d->slots.fd, slots, sizeof slots, 4096), sizeof slots);
}

static void read_disk(const disk *d, unsigned char slots[2 * SPL_SLOT_BYTES])
{
    ck_assert_int_eq(pread(d->slots.fd, slots, 2 * SPL_SLOT_BYTES, 4096), 8192);
}

static void close_disk(disk *d)
{
    close(d->slots.fd);
    unlink(d->path);
}

START_TEST(publishing_alternates_and_never_goes_back)
{
    disk d;
    unsigned char slots[2 * SPL_SLOT_BYTES];
    unsigned char before[2 * SPL_SLOT_BYTES];
    spl_record record = {.n_streams = N};
    spl_record newest;
    open_disk(&d);
    for (uint64_t step = 1; step <= 4; step++) {
        record.step = 10 * step;
        record.rows[0] = step;
        read_disk(&d, before);
        ck_assert_int_eq(spl_slots_publish(&d.slots, &record), SPL_OK);
        read_disk(&d, slots);
        ck_assert_int_eq(
            spl_slot_choose(&newest, slots, N, lengths), step % 2 == 1 ? 1 : 0);
        ck_assert_uint_eq(newest.step, 10 * step);
        /* the other slot is untouched */
        const size_t other = step % 2 == 1 ? 0 : SPL_SLOT_BYTES;
        ck_assert_mem_eq(slots + other, before + other, SPL_SLOT_BYTES);
    }
    /* a run that recomputes from an older checkpoint takes nothing back */
    read_disk(&d, before);
    record.step = 40;
    record.rows[0] = 2;
    ck_assert_int_eq(spl_slots_publish(&d.slots, &record), SPL_OK);
    record.step = 25;
    ck_assert_int_eq(spl_slots_publish(&d.slots, &record), SPL_OK);
    read_disk(&d, slots);
    ck_assert_mem_eq(slots, before, sizeof slots);
    /* a torn newest slot is the one to be overwritten */
    slots[SPL_SLOT_BYTES * 0 + 8] ^= 1;
    ck_assert_int_eq(pwrite(d.slots.fd, slots, sizeof slots, 4096), sizeof slots);
    record.step = 35;
    ck_assert_int_eq(spl_slots_publish(&d.slots, &record), SPL_OK);
    read_disk(&d, slots);
    ck_assert_int_eq(spl_slot_choose(&newest, slots, N, lengths), 0);
    ck_assert_uint_eq(newest.step, 35);
    ck_assert_mem_eq(slots + SPL_SLOT_BYTES, before + SPL_SLOT_BYTES, SPL_SLOT_BYTES);
    close_disk(&d);
}
END_TEST

START_TEST(both_slots_end_equal)
{
    disk d;
    unsigned char slots[2 * SPL_SLOT_BYTES];
    unsigned char wanted[SPL_SLOT_BYTES];
    spl_record record = {.step = 90, .n_streams = N, .rows = {100, 50}};
    encode(wanted, 90, 100, 50);
    for (int published = 0; published < 2; published++) {
        open_disk(&d);
        if (published != 0) {
            ck_assert_int_eq(spl_slots_publish(&d.slots, &record), SPL_OK);
        }
        ck_assert_int_eq(spl_slots_finish(&d.slots, &record), SPL_OK);
        read_disk(&d, slots);
        ck_assert_mem_eq(slots, wanted, sizeof wanted);
        ck_assert_mem_eq(slots + SPL_SLOT_BYTES, wanted, sizeof wanted);
        close_disk(&d);
    }
}
END_TEST

START_TEST(no_valid_slot_is_damage)
{
    disk d;
    const spl_record record = {.step = 5, .n_streams = N};
    open_disk(&d);
    ck_assert_int_eq(pwrite(d.slots.fd, "x", 1, 4096), 1);
    ck_assert_int_eq(spl_slots_publish(&d.slots, &record), SPL_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(spl_last_error(),
        ": /progress: no valid slot; the file was damaged by something else"));
    close_disk(&d);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output_progress");
    TCase *tcase = tcase_create("output_progress");
    tcase_add_test(tcase, a_slot_has_the_documented_words);
    tcase_add_test(tcase, the_newest_valid_slot_counts);
    tcase_add_test(tcase, every_torn_slot_is_told);
    tcase_add_test(tcase, records_that_cannot_be_are_not_believed);
    tcase_add_test(tcase, publishing_alternates_and_never_goes_back);
    tcase_add_test(tcase, both_slots_end_equal);
    tcase_add_test(tcase, no_valid_slot_is_damage);
    suite_add_tcase(suite, tcase);
    return suite;
}
