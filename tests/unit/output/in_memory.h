/* What the system keeps of a file in memory, and what it was asked to let go. Only the
 * second is ours alone: a system short of memory takes any page. Defines posix_fadvise,
 * so one file of a program includes it. */
#ifndef TEST_OUTPUT_IN_MEMORY_H
#define TEST_OUTPUT_IN_MEMORY_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How often this program asked for memory to be let go; the bytes of the last time. */
static atomic_size_t n_let_go;
static _Atomic uint64_t let_go_from;
static _Atomic uint64_t let_go_to;

/* The system's own, counted. */
int posix_fadvise(int fd, off_t from, off_t bytes, int advice)
{
    if (advice == POSIX_FADV_DONTNEED) {
        let_go_from = (uint64_t)from;
        let_go_to = (uint64_t)(from + bytes);
        n_let_go++;
    }
    return syscall(SYS_fadvise64, fd, from, bytes, advice) == 0 ? 0 : errno;
}

static inline size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Whole pages of bytes [from, to) that are in memory; `from` begins a page. */
static inline size_t pages_in_memory(int fd, uint64_t from, uint64_t to)
{
    const size_t n = (size_t)(to - from) / page_bytes();
    unsigned char *in = malloc(n);
    void *map = mmap(NULL, n * page_bytes(), PROT_READ, MAP_SHARED, fd, (off_t)from);
    size_t count = 0;
    ck_assert_ptr_nonnull(in);
    ck_assert(map != MAP_FAILED);
    ck_assert_int_eq(mincore(map, n * page_bytes(), in), 0);
    for (size_t i = 0; i < n; i++) {
        count += in[i] & 1;
    }
    munmap(map, n * page_bytes());
    free(in);
    return count;
}

/* A file that has no name. Not in /dev/shm, which is memory. */
static inline int open_nameless(void)
{
    char path[] = "/tmp/splenium-memory-XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    unlink(path);
    return fd;
}

/* Whether files in /tmp leave memory when they are asked to: some file systems keep
 * everything. */
static inline bool memory_is_given_back(void)
{
    static const char some[1 << 16] = {1};
    const int fd = open_nameless();
    ck_assert_int_eq(write(fd, some, sizeof some), sizeof some);
    ck_assert_int_eq(fdatasync(fd), 0);
    const size_t before = pages_in_memory(fd, 0, sizeof some);
    ck_assert_int_eq(posix_fadvise(fd, 0, sizeof some, POSIX_FADV_DONTNEED), 0);
    const size_t after = pages_in_memory(fd, 0, sizeof some);
    close(fd);
    if (before == 0 || after > 0) {
        fprintf(stderr, "# skipped: /tmp keeps what it likes in memory\n");
    }
    return before > 0 && after == 0;
}

#endif
