/* A library to preload: logs every change that the program makes to the files below
 * CRASH_FOLDER into CRASH_LOG (log.h). Changes are serialised, so the log has their true
 * order. A way of writing that it does not know, of such a file, ends the program.
 *   CRASH_KILL=n       kill the program in place of its n-th change
 *   CRASH_FAIL=n:e     its n-th change fails with the error number e; e = 0: of a write
 *                      only a half is done
 *   CRASH_FAIL=n:e:    all changes fail from the n-th on
 *   CRASH_STOP=n       stop (SIGSTOP) before its n-th change and each later one, until
 *                      whoever started it says SIGCONT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "log.h"

enum { MAX_FDS = 1024, LOG_FD = 1000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool recording;
static bool recorded[MAX_FDS]; /* fds of files below the folder */
static char folder[PATH_MAX];
static long n_changes;
static long kill_at = -1;
static long stop_from = -1;
static long fail_at = -1;
static int fail_with;
static bool fail_ever_after;

static void give_up(const char *why)
{
    fprintf(stderr, "recorder: %s\n", why);
    abort();
}

/* Forked children read only, and close what they do not know. */
static void stop_recording(void)
{
    recording = false;
}

static void put(const void *data, size_t bytes)
{
    const char *at = data;
    while (bytes > 0) {
        const long n = syscall(SYS_write, LOG_FD, at, bytes);
        if (n <= 0) {
            give_up("the log cannot be written");
        }
        at += n;
        bytes -= (size_t)n;
    }
}

static void put_record(crash_operation operation, int fd, uint64_t value,
    const void *data, size_t bytes, const char *other)
{
    const crash_record record = {.operation = operation,
        .fd = fd,
        .value = value,
        .bytes = bytes,
        .other_bytes = other != NULL ? strlen(other) : 0};
    put(&record, sizeof record);
    put(data, bytes);
    put(other, (size_t)record.other_bytes);
}

__attribute__((constructor)) static void start(void)
{
    const char *log = getenv("CRASH_LOG");
    const char *kill_text = getenv("CRASH_KILL");
    const char *stop_text = getenv("CRASH_STOP");
    const char *fail_text = getenv("CRASH_FAIL");
    const char *where = getenv("CRASH_FOLDER");
    if (log == NULL || where == NULL || realpath(where, folder) == NULL) {
        return;
    }
    const int fd = (int)syscall(
        SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || dup3(fd, LOG_FD, O_CLOEXEC) != LOG_FD) {
        give_up("the log cannot be opened");
    }
    syscall(SYS_close, fd);
    kill_at = kill_text != NULL ? atol(kill_text) : -1;
    stop_from = stop_text != NULL ? atol(stop_text) : -1;
    if (fail_text != NULL) {
        char after = '\0';
        fail_ever_after =
            sscanf(fail_text, "%ld:%d%c", &fail_at, &fail_with, &after) == 3;
    }
    pthread_atfork(NULL, NULL, stop_recording);
    recording = true;
    put_record(CRASH_START, -1, 0, NULL, 0, NULL);
}

/* The name of a path relative to the folder, or NULL if it is not below it. */
static const char *name_of(int at, const char *path, char *buffer)
{
    const size_t length = strlen(folder);
    if (!recording || (*path != '/' && at != AT_FDCWD)) {
        return NULL;
    }
    if (*path == '/') {
        snprintf(buffer, 2 * PATH_MAX, "%s", path);
    } else {
        char here[PATH_MAX];
        if (getcwd(here, sizeof here) == NULL) {
            return NULL;
        }
        path += strncmp(path, "./", 2) == 0 ? 2 : 0;
        snprintf(buffer, 2 * PATH_MAX, "%s/%s", here, strcmp(path, ".") == 0 ? "" : path);
    }
    if (strncmp(buffer, folder, length) != 0 ||
        (buffer[length] != '/' && buffer[length] != '\0')) {
        return NULL;
    }
    return buffer[length] == '/' ? buffer + length + 1 : buffer + length;
}

static bool is_recorded(int fd)
{
    return recording && fd >= 0 && fd < MAX_FDS && recorded[fd];
}

/* Begin a change: nobody else changes anything until it is logged. Result: false if it
 * shall fail, errno says how. */
static bool begin(void)
{
    pthread_mutex_lock(&mutex);
    n_changes++;
    if (n_changes == kill_at) {
        kill(getpid(), SIGKILL);
    }
    if (stop_from > 0 && n_changes >= stop_from) {
        /* to this thread: one sent to the process reaches another first */
        syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSTOP);
    }
    if (fail_with == 0 ||
        (fail_ever_after ? n_changes < fail_at : n_changes != fail_at)) {
        return true;
    }
    pthread_mutex_unlock(&mutex);
    errno = fail_with;
    return false;
}

/* Between begin and end of a write: how much of it is done. */
static size_t portion(size_t bytes)
{
    return fail_with == 0 && n_changes == fail_at ? (bytes + 1) / 2 : bytes;
}

/* End a change, errno as the real call left it. */
static void end(bool done, crash_operation operation, int fd, uint64_t value,
    const void *data, size_t bytes, const char *other)
{
    const int error = errno;
    if (done) {
        put_record(operation, fd, value, data, bytes, other);
    }
    pthread_mutex_unlock(&mutex);
    errno = error;
}

static void end_names(bool done, crash_operation operation, const char *a, const char *b)
{
    end(done, operation, -1, 0, a, strlen(a), b);
}

static int open_recorded(int at, const char *path, int flags, mode_t mode)
{
    char buffer[2 * PATH_MAX];
    const char *name = name_of(at, path, buffer);
    /* readers change nothing, but the folder is synced through such an fd */
    const bool changes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) ||
                         (name != NULL && *name == '\0');
    if (name == NULL || !changes) {
        return (int)syscall(SYS_openat, at, path, flags, mode);
    }
    if (!begin()) {
        return -1;
    }
    const int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    if (fd >= MAX_FDS) {
        give_up("too many files");
    }
    if (fd >= 0) {
        recorded[fd] = true;
    }
    end(fd >= 0, CRASH_OPEN, fd, (uint64_t)flags, name, strlen(name), NULL);
    return fd;
}

static mode_t read_mode(int flags, va_list more)
{
    return flags & O_CREAT ? va_arg(more, mode_t) : 0;
}

#define OPEN(name)                                         \
    int name(const char *path, int flags, ...)             \
    {                                                      \
        va_list more;                                      \
        va_start(more, flags);                             \
        const mode_t mode = read_mode(flags, more);        \
        va_end(more);                                      \
        return open_recorded(AT_FDCWD, path, flags, mode); \
    }
#define OPENAT(name)                                   \
    int name(int at, const char *path, int flags, ...) \
    {                                                  \
        va_list more;                                  \
        va_start(more, flags);                         \
        const mode_t mode = read_mode(flags, more);    \
        va_end(more);                                  \
        return open_recorded(at, path, flags, mode);   \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int creat(const char *path, mode_t mode)
{
    return open_recorded(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* of glibc's headers, with _FORTIFY_SOURCE */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int at, const char *path, int flags);
int __openat64_2(int at, const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return open_recorded(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return open_recorded(AT_FDCWD, path, flags, 0);
}

int __openat_2(int at, const char *path, int flags)
{
    return open_recorded(at, path, flags, 0);
}

int __openat64_2(int at, const char *path, int flags)
{
    return open_recorded(at, path, flags, 0);
}

int close(int fd)
{
    if (!is_recorded(fd)) {
        return (int)syscall(SYS_close, fd);
    }
    /* no change of any file, so no kill point */
    pthread_mutex_lock(&mutex);
    recorded[fd] = false;
    const int result = (int)syscall(SYS_close, fd);
    end(true, CRASH_CLOSE, fd, 0, NULL, 0, NULL);
    return result;
}

static ssize_t pwrite_recorded(int fd, const void *data, size_t bytes, off_t offset)
{
    if (!is_recorded(fd)) {
        return syscall(SYS_pwrite64, fd, data, bytes, offset);
    }
    if (!begin()) {
        return -1;
    }
    const ssize_t n = syscall(SYS_pwrite64, fd, data, portion(bytes), offset);
    end(n > 0, CRASH_WRITE, fd, (uint64_t)offset, data, n > 0 ? (size_t)n : 0, NULL);
    return n;
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset)
{
    return pwrite_recorded(fd, data, bytes, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off_t offset)
{
    return pwrite_recorded(fd, data, bytes, offset);
}

ssize_t write(int fd, const void *data, size_t bytes)
{
    if (!is_recorded(fd)) {
        return syscall(SYS_write, fd, data, bytes);
    }
    if (!begin()) {
        return -1;
    }
    const ssize_t n = syscall(SYS_write, fd, data, portion(bytes));
    const off_t end_of_write = lseek(fd, 0, SEEK_CUR);
    end(n > 0, CRASH_WRITE, fd, (uint64_t)(end_of_write - n), data, n > 0 ? (size_t)n : 0,
        NULL);
    return n;
}

static ssize_t refuse(int fd)
{
    if (is_recorded(fd)) {
        give_up("a way of writing that is not recorded");
    }
    return -1;
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    return is_recorded(fd) ? refuse(fd) : syscall(SYS_writev, fd, parts, n);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
    return is_recorded(fd) ? refuse(fd) : syscall(SYS_pwritev, fd, parts, n, offset, 0);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int n, off_t offset)
{
    return is_recorded(fd) ? refuse(fd) : syscall(SYS_pwritev, fd, parts, n, offset, 0);
}

static void *mmap_recorded(
    void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    if ((protection & PROT_WRITE) && (flags & MAP_SHARED) && is_recorded(fd)) {
        give_up("a writable mapping");
    }
    return (void *)syscall(SYS_mmap, address, bytes, protection, flags, fd, offset);
}

void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    return mmap_recorded(address, bytes, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    return mmap_recorded(address, bytes, protection, flags, fd, offset);
}

static int truncate_recorded(int fd, off_t size)
{
    if (!is_recorded(fd)) {
        return (int)syscall(SYS_ftruncate, fd, size);
    }
    if (!begin()) {
        return -1;
    }
    const int result = (int)syscall(SYS_ftruncate, fd, size);
    end(result == 0, CRASH_TRUNCATE, fd, (uint64_t)size, NULL, 0, NULL);
    return result;
}

int ftruncate(int fd, off_t size)
{
    return truncate_recorded(fd, size);
}

int ftruncate64(int fd, off_t size)
{
    return truncate_recorded(fd, size);
}

static int allocate_recorded(int fd, int mode, off_t offset, off_t bytes)
{
    if (!is_recorded(fd)) {
        return (int)syscall(SYS_fallocate, fd, mode, offset, bytes);
    }
    if (mode != 0) {
        give_up("fallocate with a mode");
    }
    if (!begin()) {
        return -1;
    }
    const int result = (int)syscall(SYS_fallocate, fd, mode, offset, bytes);
    end(result == 0, CRASH_ALLOCATE, fd, (uint64_t)(offset + bytes), NULL, 0, NULL);
    return result;
}

int fallocate(int fd, int mode, off_t offset, off_t bytes)
{
    return allocate_recorded(fd, mode, offset, bytes);
}

int fallocate64(int fd, int mode, off_t offset, off_t bytes)
{
    return allocate_recorded(fd, mode, offset, bytes);
}

int posix_fallocate(int fd, off_t offset, off_t bytes)
{
    return allocate_recorded(fd, 0, offset, bytes) == 0 ? 0 : errno;
}

int posix_fallocate64(int fd, off_t offset, off_t bytes)
{
    return allocate_recorded(fd, 0, offset, bytes) == 0 ? 0 : errno;
}

static int sync_recorded(long call, crash_operation operation, int fd)
{
    if (!is_recorded(fd)) {
        return (int)syscall(call, fd);
    }
    if (!begin()) {
        return -1;
    }
    const int result = (int)syscall(call, fd);
    end(result == 0, operation, fd, 0, NULL, 0, NULL);
    return result;
}

int fsync(int fd)
{
    return sync_recorded(SYS_fsync, CRASH_SYNC, fd);
}

int fdatasync(int fd)
{
    return sync_recorded(SYS_fdatasync, CRASH_SYNC_DATA, fd);
}

/* No change, so not logged, but it may fail as others do. */
int flock(int fd, int operation)
{
    if (!is_recorded(fd)) {
        return (int)syscall(SYS_flock, fd, operation);
    }
    if (!begin()) {
        return -1;
    }
    const int result = (int)syscall(SYS_flock, fd, operation);
    end(false, CRASH_OPEN, fd, 0, NULL, 0, NULL);
    return result;
}

static int rename_recorded(
    int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    char buffers[2][2 * PATH_MAX];
    const char *a = name_of(from_at, from, buffers[0]);
    const char *b = name_of(to_at, to, buffers[1]);
    if (a == NULL && b == NULL) {
        return (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    }
    if (a == NULL || b == NULL || flags != 0) {
        give_up("a rename across the folder's border, or with flags");
    }
    if (!begin()) {
        return -1;
    }
    const int result = (int)syscall(SYS_renameat2, from_at, from, to_at, to, 0);
    end_names(result == 0, CRASH_RENAME, a, b);
    return result;
}

int rename(const char *from, const char *to)
{
    return rename_recorded(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return rename_recorded(from_at, from, to_at, to, 0);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    return rename_recorded(from_at, from, to_at, to, flags);
}

int link(const char *from, const char *to)
{
    char buffers[2][2 * PATH_MAX];
    const char *a = name_of(AT_FDCWD, from, buffers[0]);
    const char *b = name_of(AT_FDCWD, to, buffers[1]);
    if (a == NULL || b == NULL) {
        return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
    }
    if (!begin()) {
        return -1;
    }
    const int result = (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
    end_names(result == 0, CRASH_LINK, a, b);
    return result;
}

static int unlink_recorded(int at, const char *path, int flags)
{
    char buffer[2 * PATH_MAX];
    const char *name = name_of(at, path, buffer);
    if (name == NULL) {
        return (int)syscall(SYS_unlinkat, at, path, flags);
    }
    if (!begin()) {
        return -1;
    }
    const int result = (int)syscall(SYS_unlinkat, at, path, flags);
    end_names(result == 0, CRASH_UNLINK, name, NULL);
    return result;
}

int unlink(const char *path)
{
    return unlink_recorded(AT_FDCWD, path, 0);
}

int unlinkat(int at, const char *path, int flags)
{
    return unlink_recorded(at, path, flags);
}

int remove(const char *path)
{
    return unlink_recorded(AT_FDCWD, path, 0);
}

int mkdir(const char *path, mode_t mode)
{
    char buffer[2 * PATH_MAX];
    const char *name = name_of(AT_FDCWD, path, buffer);
    if (name == NULL) {
        return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    }
    if (!begin()) {
        return -1;
    }
    const int result = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    end_names(result == 0, CRASH_MKDIR, name, NULL);
    return result;
}
