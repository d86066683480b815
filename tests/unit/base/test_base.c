#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/str.h"
#include "support/test_main.h"

START_TEST(messages_survive_their_own_arguments)
{
    ck_assert_int_eq(spl_error(SPL_ERR_FORMAT, "row %d", 17), SPL_ERR_FORMAT);
    ck_assert_int_eq(spl_error_prefix(SPL_ERR_FORMAT, "a.zip"), SPL_ERR_FORMAT);
    ck_assert_str_eq(spl_last_error(), "a.zip: row 17");
    ck_assert_int_eq(spl_error(SPL_ERR_CONFIG, "<%s>", spl_last_error()), SPL_ERR_CONFIG);
    ck_assert_str_eq(spl_last_error(), "<a.zip: row 17>");
    ck_assert_str_eq(spl_strerror(SPL_ERR_DIVERGED), "the simulation diverged");
    ck_assert_str_eq(spl_strerror(-9999), "unknown status");
}
END_TEST

START_TEST(numbers_are_decimal_and_whole)
{
    static const char *const bad[] = {"", " 1", "1 ", "0x10", "1_000", "nan", "1e", "1d3",
        "1,5", "--1", ".", "inf", "1e999"};
    double value = 0.0;
    ck_assert(spl_parse_double("1e-3", false, &value) && value == 1e-3);
    ck_assert(spl_parse_double("010", false, &value) && value == 10.0);
    ck_assert(spl_parse_double("-.5E+1", false, &value) && value == -5.0);
    ck_assert(spl_parse_double(".inf", true, &value) && isinf(value));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(!spl_parse_double(bad[i], false, &value), "accepted '%s'", bad[i]);
    }
}
END_TEST

START_TEST(suggestions_are_close)
{
    const char *const names[] = {"speed", "normalise", "file", NULL};
    ck_assert_str_eq(spl_suggest("speeed", names), "speed");
    ck_assert_str_eq(spl_suggest("normalize", names), "normalise");
    ck_assert_ptr_null(spl_suggest("weights", names));
    const char *const states[] = {"d_K", "d_V", "V", NULL};
    ck_assert_str_eq(spl_suggest("d_v", states), "d_V");
    ck_assert_ptr_null(spl_suggest("Q", states));
}
END_TEST

START_TEST(json_text_reads_back)
{
    spl_text text = {0};
    spl_text_add_json(&text, "a\"b\\\n");
    spl_text_add_json_double(&text, 0.1);
    spl_text_add_json_double(&text, INFINITY);
    ck_assert(!text.failed);
    ck_assert_str_eq(text.data, "\"a\\\"b\\\\\\u000a\"0.1\"inf\"");
    spl_text_deinit(&text);
}
END_TEST

/* A locale that writes a comma may be missing on the machine; then only the C part runs.
 */
START_TEST(doubles_ignore_the_locale)
{
    spl_text text = {0};
    locale_t german = newlocale(LC_ALL_MASK, "de_DE.UTF-8", (locale_t)0);
    locale_t before = german != (locale_t)0 ? uselocale(german) : (locale_t)0;
    spl_text_add_json_double(&text, 0.30000000000000004);
    spl_text_add(&text, " ");
    spl_text_add_json_double(&text, 1e-5);
    spl_text_add(&text, " ");
    spl_text_add_json_double(&text, -1.5e300);
    if (german != (locale_t)0) {
        uselocale(before);
        freelocale(german);
    }
    ck_assert_str_eq(text.data, "0.30000000000000004 1.0e-05 -1.5e+300");
    spl_text_deinit(&text);
}
END_TEST

START_TEST(arena_measures_then_places)
{
    spl_arena arena = {0};
    double *numbers = NULL;
    for (int pass = 0; pass < 2; pass++) {
        char *byte = spl_arena_take(&arena, 1, 1);
        numbers = spl_arena_take(&arena, 9, sizeof *numbers);
        ck_assert_int_eq(byte == NULL, pass == 0);
        if (pass == 0) {
            ck_assert_int_eq(spl_arena_commit(&arena), SPL_OK);
        }
    }
    ck_assert_uint_eq((size_t)numbers % SPL_ALIGNMENT, 0);
    ck_assert_double_eq(numbers[8], 0.0);
    spl_arena_deinit(&arena);
    spl_arena_take(&arena, SIZE_MAX, 2);
    ck_assert_int_eq(spl_arena_commit(&arena), SPL_ERR_NO_MEMORY);
}
END_TEST

static void check_ways(uint32_t crc, const unsigned char *bytes, size_t n)
{
    const uint32_t expected = spl_crc32c_by(SPL_CRC32C_TABLES, crc, bytes, n);
    ck_assert_uint_eq(spl_crc32c_by(SPL_CRC32C_INSTRUCTION, crc, bytes, n), expected);
    ck_assert_uint_eq(spl_crc32c(crc, bytes, n), expected);
}

START_TEST(checksums_are_those_of_the_standard)
{
    unsigned char bytes[32];
    ck_assert_uint_eq(spl_crc32c(0, "123456789", 9), 0xE3069283);
    /* RFC 3720, B.4 */
    memset(bytes, 0, sizeof bytes);
    ck_assert_uint_eq(spl_crc32c(0, bytes, sizeof bytes), 0x8A9136AA);
    memset(bytes, 0xFF, sizeof bytes);
    ck_assert_uint_eq(spl_crc32c(0, bytes, sizeof bytes), 0x62A8AB43);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)i;
    }
    ck_assert_uint_eq(spl_crc32c(0, bytes, sizeof bytes), 0x46DD794E);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        uint32_t crc = spl_crc32c(0, bytes, cut);
        ck_assert_uint_eq(spl_crc32c(crc, bytes + cut, sizeof bytes - cut), 0x46DD794E);
    }
    ck_assert_uint_eq(spl_crc32c(0, NULL, 0), 0);

    /* every way, at any place and of any length */
    static unsigned char long_bytes[10000];
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof long_bytes; i++) {
        random = random * 1664525u + 1013904223u;
        long_bytes[i] = (unsigned char)(random >> 24);
    }
    for (size_t first = 0; first < 9; first++) {
        for (size_t n = 0; n <= 300; n++) {
            check_ways(random, long_bytes + first, n);
        }
    }
    /* long enough for stretches side by side and for folding, once and again, and a rest
     */
    for (size_t n = 500; n + 5 <= sizeof long_bytes; n += n % 256 < 16 ? 1 : 61) {
        check_ways(random, long_bytes + 5, n);
    }
}
END_TEST

START_TEST(hashes_are_those_of_the_standard)
{
    char hex[SPL_SHA256_HEX];
    spl_sha256_bytes("abc", 3, hex);
    ck_assert_str_eq(
        hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

static void check_folder(const char *path, const char *folder)
{
    char *found = spl_file_folder(path);
    ck_assert_str_eq(found, folder);
    free(found);
}

START_TEST(files_are_written_and_read_whole)
{
    char path[] = "/tmp/splenium-base-XXXXXX";
    char other[64];
    char text[6] = "";
    int fd = mkstemp(path);
    snprintf(other, sizeof other, "%s.to", path);
    ck_assert_int_eq(spl_file_write_at(fd, path, "abc", 3, 4), SPL_OK);
    ck_assert_int_eq(spl_file_read_at(fd, path, text, 4, 3), SPL_OK);
    ck_assert_mem_eq(text, "\0abc", 4);
    ck_assert_int_eq(spl_file_sync(fd, path), SPL_OK);
    ck_assert_int_eq(spl_file_sync_data(fd, path), SPL_OK);
    ck_assert_int_eq(spl_file_read_at(fd, "x", text, 4, 4), SPL_ERR_FILE_READ);
    ck_assert_str_eq(spl_last_error(), "x: ends early; it is damaged or was cut");
    ck_assert(spl_file_is_at(fd, path));
    ck_assert_int_eq(spl_file_rename(path, other), SPL_OK);
    ck_assert(!spl_file_is_at(fd, path) && spl_file_is_at(fd, other));
    ck_assert_int_eq(spl_file_rename(path, other), SPL_ERR_FILE_WRITE);
    unlink(other);
    close(fd);
    ck_assert_int_eq(spl_file_write_at(fd, "x", "a", 1, 0), SPL_ERR_FILE_WRITE);
    ck_assert_str_eq(
        spl_last_error(), "x: cannot be written: Bad file descriptor; check the disk");
    ck_assert_int_eq(spl_file_sync(fd, "x"), SPL_ERR_FILE_WRITE);
    check_folder("a/b/c", "a/b");
    check_folder("/c", "/");
    check_folder("c", ".");
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("base");
    TCase *tests = tcase_create("base");
    tcase_add_test(tests, messages_survive_their_own_arguments);
    tcase_add_test(tests, numbers_are_decimal_and_whole);
    tcase_add_test(tests, suggestions_are_close);
    tcase_add_test(tests, json_text_reads_back);
    tcase_add_test(tests, doubles_ignore_the_locale);
    tcase_add_test(tests, arena_measures_then_places);
    tcase_add_test(tests, checksums_are_those_of_the_standard);
    tcase_add_test(tests, hashes_are_those_of_the_standard);
    tcase_add_test(tests, files_are_written_and_read_whole);
    suite_add_tcase(suite, tests);
    return suite;
}
