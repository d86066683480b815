/* What stays of a file in memory. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/cache.h"
#include "support/test_main.h"
#include "unit/output/in_memory.h"

enum { MIB = 1 << 20, FILE_MIB = 24, ENOUGH = 8 };

static int fd;
static unsigned char *data;

static void setup(void)
{
    fd = open_nameless();
    data = malloc(MIB);
    ck_assert_ptr_nonnull(data);
    for (int i = 0; i < FILE_MIB; i++) {
        memset(data, i + 1, MIB);
        ck_assert_int_eq(pwrite(fd, data, MIB, (off_t)i * MIB), MIB);
    }
    ck_assert_int_eq(fdatasync(fd), 0);
}

static void teardown(void)
{
    close(fd);
    free(data);
}

static size_t pages(int mib)
{
    return (size_t)mib * MIB / page_bytes();
}

/* Pages of [from, to) MiB that are in memory. */
static size_t kept(int from, int to)
{
    return pages_in_memory(fd, (uint64_t)from * MIB, (uint64_t)to * MIB);
}

/* `count` writes of `kib` each, from the beginning of the file on, which take `ns` a
 * byte. */
static void write_some(spl_cache *cache, int count, int kib, double ns)
{
    for (int i = 0; i < count; i++) {
        const uint64_t bytes = (uint64_t)kib * 1024;
        const uint64_t from = (uint64_t)i * bytes;
        spl_cache_wrote(cache, fd, 0, from, from + bytes, (int64_t)(ns * (double)bytes));
    }
}

START_TEST(what_was_written_fast_stays)
{
    spl_cache cache = {0};
    write_some(&cache, FILE_MIB, 1024, 0.4);
    ck_assert(!spl_cache_gives_back(&cache));
    if (memory_is_given_back()) {
        ck_assert_uint_eq(kept(0, FILE_MIB), pages(FILE_MIB));
        spl_cache_was_read(&cache, fd, 0, MIB);
        ck_assert_uint_eq(kept(0, 1), pages(1));
    }
}
END_TEST

START_TEST(dear_memory_is_given_back_and_the_file_is_right)
{
    spl_cache cache = {0};
    size_t n_wrong = 0;
    if (!memory_is_given_back()) {
        return;
    }
    write_some(&cache, ENOUGH - 1, 1024, 3.0);
    ck_assert(!spl_cache_gives_back(&cache));
    ck_assert_uint_eq(kept(0, ENOUGH), pages(ENOUGH));
    /* the eighth one ends 8 MiB */
    spl_cache_wrote(&cache, fd, 0, (uint64_t)(ENOUGH - 1) * MIB, (uint64_t)ENOUGH * MIB,
        (int64_t)3 * MIB);
    ck_assert(spl_cache_gives_back(&cache));
    ck_assert_uint_eq(kept(0, ENOUGH), 0);
    ck_assert_uint_eq(kept(ENOUGH, FILE_MIB), pages(FILE_MIB - ENOUGH));
    /* from here on whatever it takes, but not at every write */
    spl_cache_wrote(&cache, fd, 0, (uint64_t)8 * MIB, (uint64_t)15 * MIB, 0);
    ck_assert_uint_eq(kept(8, 15), pages(7));
    spl_cache_wrote(&cache, fd, 0, (uint64_t)15 * MIB, (uint64_t)17 * MIB, 0);
    ck_assert_uint_eq(kept(0, 17), 0);
    for (int i = 0; i < FILE_MIB; i++) {
        ck_assert_int_eq(pread(fd, data, MIB, (off_t)i * MIB), MIB);
        for (size_t k = 0; k < MIB; k++) {
            n_wrong += data[k] != i + 1;
        }
    }
    ck_assert_uint_eq(n_wrong, 0);
    ck_assert_uint_eq(kept(2, 3), pages(1));
    spl_cache_was_read(&cache, fd, (uint64_t)2 * MIB, (uint64_t)3 * MIB);
    ck_assert_uint_eq(kept(2, 3), 0);
}
END_TEST

START_TEST(short_writes_say_nothing)
{
    spl_cache cache = {0};
    write_some(&cache, 100, 128, 50.0);
    ck_assert(!spl_cache_gives_back(&cache));
    write_some(&cache, ENOUGH, 256, 50.0);
    ck_assert(spl_cache_gives_back(&cache));
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output_cache");
    TCase *tcase = tcase_create("cache");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_was_written_fast_stays);
    tcase_add_test(tcase, dear_memory_is_given_back_and_the_file_is_right);
    tcase_add_test(tcase, short_writes_say_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
