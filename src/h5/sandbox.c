#include "h5/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a file may take: some time, and more for one that is really there. */
enum { MAX_SECONDS = 30, BYTES_PER_SECOND = 50000000 };
enum { PIPE_FD = 3, KIND_END = 0, MAX_MESSAGE = 1024 };
/* No caller uses this kind: the payload is the message of the child's error. */
#define KIND_ERROR UINT32_MAX

static spl_status write_all(int fd, const void *data, size_t bytes)
{
    const char *at = data;
    while (bytes > 0) {
        ssize_t n = write(fd, at, bytes);
        if (n < 0 && errno != EINTR) {
            return spl_error(SPL_ERR_INTERNAL, "the parent no longer listens");
        }
        at += n > 0 ? n : 0;
        bytes -= n > 0 ? (size_t)n : 0;
    }
    return SPL_OK;
}

spl_status spl_sandbox_send(int fd, uint32_t kind, uint64_t rows, uint64_t columns,
    const void *payload, size_t bytes)
{
    const spl_sandbox_record record = {
        .kind = kind, .rows = rows, .columns = columns, .bytes = bytes};
    spl_status status = write_all(fd, &record, sizeof record);
    return status == SPL_OK ? write_all(fd, payload, bytes) : status;
}

static bool set_limit(__rlimit_resource_t resource, rlim_t value)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) {
        return false;
    }
    struct rlimit both = limit;
    both.rlim_cur = both.rlim_max = value < limit.rlim_max ? value : limit.rlim_max;
    /* valgrind keeps the hard limit of descriptors for itself */
    limit.rlim_cur = both.rlim_cur;
    return setrlimit(resource, &both) == 0 || setrlimit(resource, &limit) == 0;
}

spl_status spl_sandbox_lock(void)
{
    return set_limit(RLIMIT_NOFILE, 0)
               ? SPL_OK
               : spl_error(SPL_ERR_INTERNAL, "the sandbox cannot forbid opening files");
}

/* Relative to the present size: sanitizers reserve terabytes of addresses. */
static bool limit_memory(size_t memory_bytes)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    bool known = file != NULL && fscanf(file, "%llu", &pages) == 1;
    if (file != NULL) {
        fclose(file);
    }
    rlim_t present = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
    return known && set_limit(RLIMIT_AS, present + memory_bytes);
}

static unsigned seconds_for(const char *path)
{
    struct stat what;
    const off_t most = (off_t)86400 * BYTES_PER_SECOND;
    const off_t bytes = stat(path, &what) == 0 ? what.st_size : 0;
    return MAX_SECONDS + (unsigned)((bytes < most ? bytes : most) / BYTES_PER_SECOND);
}

/* Leave nothing to a child that a file may take over: no other descriptors, no files
 * written, no core, little time. */
static bool enter_child(
    int pipe_fd, unsigned cpu_seconds, unsigned seconds, size_t memory_bytes)
{
    static const int defaults[] = {SIGINT, SIGTERM, SIGALRM, SIGSEGV, SIGBUS, SIGXCPU};
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || !limit_memory(memory_bytes)) {
        return false;
    }
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        signal(defaults[i], SIG_DFL);
    }
    signal(SIGPIPE, SIG_IGN);
    bool ok = true;
    if (pipe_fd != PIPE_FD) {
        ok = dup2(pipe_fd, PIPE_FD) == PIPE_FD;
    } else {
        ok = fcntl(pipe_fd, F_SETFD, 0) == 0;
    }
    for (int fd = 0; fd < PIPE_FD; fd++) {
        ok = ok && (null == fd || dup2(null, fd) == fd);
    }
    alarm(seconds);
    return ok && close_range(PIPE_FD + 1, ~0U, 0) == 0 && set_limit(RLIMIT_FSIZE, 0) &&
           set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_CPU, cpu_seconds);
}

static void run_child(int pipe_fd, const char *path, spl_sandbox_child *child,
    const void *user, unsigned cpu_seconds, unsigned seconds, size_t memory_bytes)
{
    if (!enter_child(pipe_fd, cpu_seconds, seconds, memory_bytes)) {
        _exit(1);
    }
    spl_status status = child(PIPE_FD, path, user);
    spl_sandbox_record record = {.kind = KIND_END, .status = status};
    const char *message = "";
    if (status != SPL_OK) {
        message = spl_last_error();
        record.kind = KIND_ERROR;
        record.bytes = strnlen(message, MAX_MESSAGE - 1);
    }
    if (write_all(PIPE_FD, &record, sizeof record) != SPL_OK ||
        write_all(PIPE_FD, message, record.bytes) != SPL_OK) {
        _exit(1);
    }
    /* no exit handlers: they belong to the parent */
    _exit(0);
}

spl_status spl_sandbox_start(spl_sandbox *sandbox, const char *path,
    spl_sandbox_child *child, const void *user, size_t memory_bytes)
{
    return spl_sandbox_start_patient(sandbox, path, child, user, memory_bytes, 1);
}

spl_status spl_sandbox_start_patient(spl_sandbox *sandbox, const char *path,
    spl_sandbox_child *child, const void *user, size_t memory_bytes, unsigned patience)
{
    int ends[2];
    *sandbox = (spl_sandbox){.child = -1, .fd = -1, .path = path};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return spl_error(SPL_ERR_INTERNAL, "%s: no pipe to a reading process: %s", path,
            strerror(errno));
    }
    const unsigned cpu_seconds = seconds_for(path);
    const unsigned seconds = patience * cpu_seconds;
    sandbox->seconds = seconds;
    clock_gettime(CLOCK_MONOTONIC, &sandbox->deadline);
    sandbox->deadline.tv_sec += seconds + 5;
    sandbox->child = fork();
    if (sandbox->child == 0) {
        run_child(ends[1], path, child, user, cpu_seconds, seconds, memory_bytes);
    }
    close(ends[1]);
    sandbox->fd = ends[0];
    if (sandbox->child < 0) {
        spl_sandbox_stop(sandbox);
        return spl_error(
            SPL_ERR_INTERNAL, "%s: no reading process: %s", path, strerror(errno));
    }
    return SPL_OK;
}

/* The child closed the pipe too early: say how it ended. */
static spl_status explain_death(spl_sandbox *sandbox)
{
    int ended = 0;
    pid_t pid = waitpid(sandbox->child, &ended, 0);
    sandbox->child = -1;
    if (pid > 0 && WIFSIGNALED(ended)) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: reading it ended by signal %d (%s): the file is damaged or hostile; "
            "make it again",
            sandbox->path, WTERMSIG(ended), strsignal(WTERMSIG(ended)));
    }
    return spl_error(SPL_ERR_FORMAT,
        "%s: the reading process ended before its answer was complete; make the file "
        "again",
        sandbox->path);
}

spl_status spl_sandbox_take(spl_sandbox *sandbox, void *data, size_t bytes)
{
    char *at = data;
    while (bytes > 0) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        long left = (sandbox->deadline.tv_sec - now.tv_sec) * 1000;
        struct pollfd ready = {.fd = sandbox->fd, .events = POLLIN};
        int count = left > 0 ? poll(&ready, 1, (int)left) : 0;
        if (count == 0) {
            return spl_error(SPL_ERR_FORMAT,
                "%s: not read after %u s: the file is damaged or hostile; make it again",
                sandbox->path, sandbox->seconds);
        }
        ssize_t n = count > 0 ? read(sandbox->fd, at, bytes) : -1;
        if (n == 0) {
            return explain_death(sandbox);
        }
        if (n < 0 && errno != EINTR) {
            return spl_error(SPL_ERR_FILE_READ, "%s: the reading process: %s",
                sandbox->path, strerror(errno));
        }
        at += n > 0 ? n : 0;
        bytes -= n > 0 ? (size_t)n : 0;
    }
    return SPL_OK;
}

spl_status spl_sandbox_make_room(const spl_sandbox *sandbox, void **items, size_t *room,
    size_t first, size_t count, size_t most, size_t item_bytes)
{
    if (first > most || count > most - first) {
        return spl_sandbox_nonsense(sandbox);
    }
    if (first + count <= *room) {
        return SPL_OK;
    }
    const size_t twice = 2 * *room < most ? 2 * *room : most;
    const size_t more = first + count > twice ? first + count : twice;
    void *grown = reallocarray(*items, more, item_bytes);
    if (grown == NULL) {
        return spl_error(
            SPL_ERR_NO_MEMORY, "%s: out of memory for %zu numbers", sandbox->path, more);
    }
    *items = grown;
    *room = more;
    return SPL_OK;
}

spl_status spl_sandbox_nonsense(const spl_sandbox *sandbox)
{
    return spl_error(SPL_ERR_FORMAT,
        "%s: the reading process sent nonsense: the file is damaged or hostile; make it "
        "again",
        sandbox->path);
}

/* A message from a child that a file may have taken over: printable, one line, a code of
 * ours. */
static spl_status pass_error(spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    char message[MAX_MESSAGE] = "";
    spl_status status = SPL_OK;
    if (record->bytes >= sizeof message) {
        SPL_TRY(spl_sandbox_nonsense(sandbox));
    }
    SPL_TRY(spl_sandbox_take(sandbox, message, record->bytes));
    for (char *c = message; *c != '\0'; c++) {
        *c = (unsigned char)*c < 0x20 || *c == 0x7F ? '?' : *c;
    }
    bool known = record->status == SPL_ERR_FILE_READ || record->status == SPL_ERR_LIMIT ||
                 record->status == SPL_ERR_NO_MEMORY ||
                 record->status == SPL_ERR_INTERNAL ||
                 record->status == SPL_ERR_FILE_MISSING;
    status = spl_error(known ? record->status : SPL_ERR_FORMAT, "%s", message);
out:
    return status;
}

spl_status spl_sandbox_next(spl_sandbox *sandbox, spl_sandbox_record *record)
{
    spl_status status = spl_sandbox_take(sandbox, record, sizeof *record);
    if (status == SPL_OK && record->kind == KIND_ERROR) {
        status = pass_error(sandbox, record);
    }
    return status;
}

void spl_sandbox_stop(spl_sandbox *sandbox)
{
    if (sandbox->fd >= 0) {
        close(sandbox->fd);
    }
    if (sandbox->child > 0) {
        kill(sandbox->child, SIGKILL);
        while (waitpid(sandbox->child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    *sandbox = (spl_sandbox){.child = -1, .fd = -1};
}
