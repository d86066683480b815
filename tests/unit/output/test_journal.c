/* The spike journal: what was appended is read again, whatever a crash left behind it. */
#include <sys/stat.h>

#include "base/crc32c.h"
#include "output/journal_format.h"
#include "support/test_main.h"
#include "unit/output/folder.h"
#include "unit/output/spikes_support.h"

enum { FRAMES = 4, STEPS = 4 };

static size_t read_all(const char *path, unsigned char *bytes, size_t max)
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    const size_t n = fread(bytes, 1, max, file);
    ck_assert_uint_lt(n, max);
    fclose(file);
    return n;
}

static void write_all(const char *path, const unsigned char *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
    ck_assert_int_eq(fclose(file), 0);
}

/* Where the frames of a sound journal begin, and where the last one ends. */
static void find_frames(const unsigned char *bytes, size_t n, size_t begins[FRAMES + 1])
{
    begins[0] = spl_get_u32(bytes + 12);
    for (size_t f = 0; f < FRAMES; f++) {
        begins[f + 1] =
            begins[f] + SPL_JOURNAL_FRAME_BYTES + spl_get_u32(bytes + begins[f] + 4);
    }
    ck_assert_uint_eq(begins[FRAMES], n);
}

static uint64_t step_of(size_t n_frames)
{
    return FAKE_FIRST_STEP + n_frames * STEPS;
}

START_TEST(everything_comes_back)
{
    bool whole;
    spl_journal_reader reader = {0};
    fake_journal("a.spk", FRAMES, STEPS);
    ck_assert_uint_eq(fake_check("a.spk", &whole), step_of(FRAMES));
    ck_assert(whole);
    int fd = open("a.spk", O_RDONLY);
    ck_assert_int_eq(spl_journal_read(&reader, fd, "a.spk"), SPL_OK);
    ck_assert_str_eq(reader.header.uuid, fake_uuid);
    ck_assert(reader.header.dt_ms == fake_dt);
    ck_assert_uint_eq(reader.header.first_step, FAKE_FIRST_STEP);
    ck_assert_uint_eq(reader.header.n_populations, FAKE_POPULATIONS);
    ck_assert_str_eq(reader.header.populations[0].name, "thal.E");
    ck_assert_str_eq(reader.header.populations[0].region, "rA1");
    ck_assert_uint_eq(reader.header.populations[0].size, 800);
    ck_assert_str_eq(reader.header.populations[2].name, "alone.I");
    ck_assert_str_eq(reader.header.populations[2].region, "");
    ck_assert_uint_eq(reader.header.populations[2].size, 4294967295);
    spl_journal_reader_deinit(&reader);
    close(fd);
}
END_TEST

START_TEST(a_frame_of_many_pieces_comes_back)
{
    bool whole;
    fake_journal("a.spk", 2, 40000);
    ck_assert_uint_eq(fake_check("a.spk", &whole), FAKE_FIRST_STEP + 80000);
    ck_assert(whole);
}
END_TEST

START_TEST(a_run_without_populations_has_a_journal)
{
    const spl_journal_header header = {.uuid = "u", .dt_ms = 1.0, .first_step = 3};
    spl_journal journal;
    spl_journal_reader reader = {0};
    bool found;
    ck_assert_int_eq(spl_journal_create(&journal, "a.spk", &header, false), SPL_OK);
    ck_assert_int_eq(spl_journal_append(&journal, 5, NULL), SPL_OK);
    ck_assert_int_eq(spl_journal_read(&reader, journal.fd, "a.spk"), SPL_OK);
    ck_assert_int_eq(spl_journal_next(&reader, &found), SPL_OK);
    ck_assert(found && reader.frame.step_from == 3 && reader.frame.step_to == 5);
    spl_journal_reader_deinit(&reader);
    spl_journal_deinit(&journal);
}
END_TEST

/* Every length that a crash can leave: the whole frames in it are found, none else; the
 * run goes on behind them and ends with the bytes of an undisturbed one. */
START_TEST(a_torn_end_is_cut)
{
    static unsigned char bytes[1 << 16];
    static unsigned char again[1 << 16];
    const spl_journal_header header = fake_header();
    size_t begins[FRAMES + 1];
    fake_journal("a.spk", FRAMES, STEPS);
    const size_t n = read_all("a.spk", bytes, sizeof bytes);
    find_frames(bytes, n, begins);
    for (size_t length = 0; length <= n; length++) {
        bool whole;
        size_t frames = 0;
        write_all("b.spk", bytes, length);
        while (frames < FRAMES && begins[frames + 1] <= length) {
            frames++;
        }
        if (length < begins[0]) {
            ck_assert_uint_eq(fake_check("b.spk", &whole), 0);
            continue;
        }
        ck_assert_uint_eq(fake_check("b.spk", &whole), step_of(frames));
        ck_assert_int_eq(whole, length == begins[frames]);
        spl_journal journal;
        ck_assert_int_eq(spl_journal_resume(&journal, "b.spk", &header), SPL_OK);
        ck_assert_uint_eq(journal.bytes, begins[frames]);
        for (uint64_t from = journal.end_step; from < step_of(FRAMES); from += STEPS) {
            ck_assert_uint_eq(journal.end_step, from);
            ck_assert_int_eq(spl_journal_append(&journal, from + STEPS,
                                 fake_columns(from, from + STEPS)),
                SPL_OK);
        }
        spl_journal_deinit(&journal);
        ck_assert_uint_eq(read_all("b.spk", again, sizeof again), n);
        ck_assert_mem_eq(again, bytes, n);
    }
}
END_TEST

/* A changed byte is never read: the frames before it are, those behind it are not. */
START_TEST(a_changed_byte_ends_the_journal)
{
    static unsigned char bytes[1 << 16];
    size_t begins[FRAMES + 1];
    fake_journal("a.spk", FRAMES, STEPS);
    const size_t n = read_all("a.spk", bytes, sizeof bytes);
    find_frames(bytes, n, begins);
    for (size_t i = 0; i < n; i++) {
        bool whole;
        size_t frames = 0;
        bytes[i] ^= (unsigned char)(1U << i % 8);
        write_all("b.spk", bytes, n);
        bytes[i] ^= (unsigned char)(1U << i % 8);
        while (frames < FRAMES && begins[frames + 1] <= i) {
            frames++;
        }
        ck_assert_uint_eq(
            fake_check("b.spk", &whole), i < begins[0] ? 0 : step_of(frames));
        ck_assert(!whole);
    }
}
END_TEST

START_TEST(frames_follow_each_other)
{
    static unsigned char bytes[1 << 16];
    static unsigned char wrong[1 << 16];
    size_t begins[FRAMES + 1];
    bool whole;
    fake_journal("a.spk", FRAMES, STEPS);
    const size_t n = read_all("a.spk", bytes, sizeof bytes);
    find_frames(bytes, n, begins);
    /* without the third frame the fourth does not follow */
    memcpy(wrong, bytes, begins[2]);
    memcpy(wrong + begins[2], bytes + begins[3], n - begins[3]);
    write_all("b.spk", wrong, n - (begins[3] - begins[2]));
    ck_assert_uint_eq(fake_check("b.spk", &whole), step_of(2));
    ck_assert(!whole);
    /* the same one twice */
    memcpy(wrong, bytes, n);
    memcpy(wrong + n, bytes + begins[FRAMES - 1], n - begins[FRAMES - 1]);
    write_all("b.spk", wrong, n + (n - begins[FRAMES - 1]));
    ck_assert_uint_eq(fake_check("b.spk", &whole), step_of(FRAMES));
    ck_assert(!whole);
}
END_TEST

/* Put a right checksum under a wrong frame. */
static void seal(unsigned char *frame, size_t payload_bytes)
{
    uint32_t crc = spl_crc32c(0, frame, SPL_JOURNAL_SUMMED_BYTES);
    crc = spl_crc32c(crc, frame + SPL_JOURNAL_FRAME_BYTES, payload_bytes);
    spl_put_u32(frame + SPL_JOURNAL_SUMMED_BYTES, crc);
}

START_TEST(counts_must_fill_the_payload)
{
    static unsigned char bytes[1 << 16];
    size_t begins[FRAMES + 1];
    const uint32_t counts[] = {0, 1, 1000, UINT32_MAX};
    fake_journal("a.spk", FRAMES, STEPS);
    const size_t n = read_all("a.spk", bytes, sizeof bytes);
    find_frames(bytes, n, begins);
    unsigned char *frame = bytes + begins[1];
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        bool whole;
        spl_put_u32(frame + SPL_JOURNAL_FRAME_BYTES, counts[i]);
        seal(frame, begins[2] - begins[1] - SPL_JOURNAL_FRAME_BYTES);
        write_all("b.spk", bytes, n);
        ck_assert_uint_eq(fake_check("b.spk", &whole), step_of(1));
    }
}
END_TEST

START_TEST(a_journal_is_found_and_replaced)
{
    spl_journal_header header = fake_header();
    spl_journal journal;
    spl_journal_found found;
    bool whole;
    ck_assert_int_eq(spl_journal_find("a.spk", header.uuid, &found), SPL_OK);
    ck_assert_int_eq(found, SPL_JOURNAL_NONE);
    fake_journal("a.spk", FRAMES, STEPS);
    ck_assert_int_eq(spl_journal_find("a.spk", header.uuid, &found), SPL_OK);
    ck_assert_int_eq(found, SPL_JOURNAL_OWN);
    header.uuid[0] = '9';
    ck_assert_int_eq(spl_journal_find("a.spk", header.uuid, &found), SPL_OK);
    ck_assert_int_eq(found, SPL_JOURNAL_OTHER);
    ck_assert_int_eq(spl_journal_create(&journal, "a.spk", &header, true), SPL_OK);
    spl_journal_deinit(&journal);
    ck_assert_int_eq(spl_journal_find("a.spk", header.uuid, &found), SPL_OK);
    ck_assert_int_eq(found, SPL_JOURNAL_OWN);
    ck_assert_uint_eq(fake_check("a.spk", &whole), FAKE_FIRST_STEP);
    ck_assert(whole);
    ck_assert_int_eq(truncate("a.spk", 50), 0);
    ck_assert_int_eq(spl_journal_find("a.spk", header.uuid, &found), SPL_ERR_FORMAT);
}
END_TEST

START_TEST(another_runs_journal_is_refused)
{
    spl_journal_header header = fake_header();
    spl_journal journal;
    fake_journal("a.spk", FRAMES, STEPS);
    ck_assert_int_eq(
        spl_journal_create(&journal, "a.spk", &header, false), SPL_ERR_FILE_CREATE);
    spl_journal_deinit(&journal);
    header.uuid[0] = '9';
    ck_assert_int_eq(spl_journal_resume(&journal, "a.spk", &header), SPL_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "another run"));
    spl_journal_deinit(&journal);
    header = fake_header();
    header.n_populations = 2;
    ck_assert_int_eq(spl_journal_resume(&journal, "a.spk", &header), SPL_ERR_FORMAT);
    spl_journal_deinit(&journal);
    ck_assert_int_eq(
        spl_journal_resume(&journal, "b.spk", &header), SPL_ERR_FILE_MISSING);
    spl_journal_deinit(&journal);
    /* refused, not touched */
    bool whole;
    ck_assert_uint_eq(fake_check("a.spk", &whole), step_of(FRAMES));
    ck_assert(whole);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output_journal");
    TCase *tests = tcase_create("journal");
    tcase_add_checked_fixture(tests, folder_setup, folder_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, everything_comes_back);
    tcase_add_test(tests, a_frame_of_many_pieces_comes_back);
    tcase_add_test(tests, a_run_without_populations_has_a_journal);
    tcase_add_test(tests, a_torn_end_is_cut);
    tcase_add_test(tests, a_changed_byte_ends_the_journal);
    tcase_add_test(tests, frames_follow_each_other);
    tcase_add_test(tests, counts_must_fill_the_payload);
    tcase_add_test(tests, a_journal_is_found_and_replaced);
    tcase_add_test(tests, another_runs_journal_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
