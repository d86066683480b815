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
    const size_t n_before = n_let_go;
    write_some(&cache, FILE_MIB, 1024, 0.4);
    ck_assert(!spl_cache_gives_back(&cache));
    spl_cache_was_read(&cache, fd, 0, MIB);
    ck_assert_uint_eq(n_let_go, n_before);
}
END_TEST

/* That the last request of all `n` was for [from, to) MiB, and was heard where the
 * system listens. */
static void check_let_go(size_t n, int from, int to, bool listens)
{
    ck_assert_uint_eq(n_let_go, n);
    ck_assert_uint_eq(let_go_from, (uint64_t)from * MIB);
    ck_assert_uint_eq(let_go_to, (uint64_t)to * MIB);
    ck_assert(!listens || kept(from, to) == 0);
}

START_TEST(dear_memory_is_given_back_and_the_file_is_right)
{
    spl_cache cache = {0};
    const bool listens = memory_is_given_back();
    const size_t n = n_let_go;
    size_t n_wrong = 0;
    write_some(&cache, ENOUGH - 1, 1024, 3.0);
    ck_assert(!spl_cache_gives_back(&cache));
    ck_assert_uint_eq(n_let_go, n);
    /* the eighth one ends 8 MiB */
    spl_cache_wrote(&cache, fd, 0, (uint64_t)(ENOUGH - 1) * MIB, (uint64_t)ENOUGH * MIB,
        (int64_t)3 * MIB);
    ck_assert(spl_cache_gives_back(&cache));
    check_let_go(n + 1, 0, ENOUGH, listens);
    /* from here on whatever it takes, but not at every write */
    spl_cache_wrote(&cache, fd, 0, (uint64_t)8 * MIB, (uint64_t)15 * MIB, 0);
    ck_assert_uint_eq(n_let_go, n + 1);
    spl_cache_wrote(&cache, fd, 0, (uint64_t)15 * MIB, (uint64_t)17 * MIB, 0);
    check_let_go(n + 2, 0, 17, listens);
    for (int i = 0; i < FILE_MIB; i++) {
        ck_assert_int_eq(pread(fd, data, MIB, (off_t)i * MIB), MIB);
        for (size_t k = 0; k < MIB; k++) {
            n_wrong += data[k] != i + 1;
        }
    }
    ck_assert_uint_eq(n_wrong, 0);
    spl_cache_was_read(&cache, fd, (uint64_t)2 * MIB, (uint64_t)3 * MIB);
    check_let_go(n + 3, 2, 3, listens);
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
