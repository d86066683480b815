#include "sandbox.h"

#include <execinfo.h>
#include <fcntl.h>
#include <hdf5.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "h5/h5.h"
#include "h5/sandbox.h"

#define KIND_ERROR UINT32_MAX

/* To waitpid() a process group that is not there: it must not wait for the taster. */
enum { NOBODY = -INT_MAX };
enum { LONG_TIME_S = 1000, TRY_S = 10, MAX_MESSAGE = 1023, MAX_FRAMES = 64 };
enum { SIGNATURE_BYTES = 8 };

/* What a pipe would carry. */
static int answers = -1;
static const uint8_t *answer;
static size_t answer_bytes;

spl_status __wrap_spl_sandbox_start(spl_sandbox *sandbox, const char *path,
    spl_sandbox_child *child, const void *user, size_t memory_bytes);
spl_status __wrap_spl_sandbox_start_patient(spl_sandbox *sandbox, const char *path,
    spl_sandbox_child *child, const void *user, size_t memory_bytes, unsigned patience);
spl_status __wrap_spl_sandbox_lock(void);

spl_status __wrap_spl_sandbox_lock(void)
{
    return SPL_OK;
}

/* HDF5 leaks on damaged files, and a child leaves its memory to the system. By the name
 * of its source, for stacks of allocations are cut short. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5\nleak:_child.c\nleak:run_child\n";
}

/* What a process that ends leaves to the system. */
static void close_all(void)
{
    hid_t open[64];
    ssize_t n;
    while ((n = H5Fget_obj_ids((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL, 64, open)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            /* any of them may have closed another */
            while (H5Iis_valid(open[i]) > 0 && H5Idec_ref(open[i]) > 0) {
            }
        }
    }
}

static void write_all(int fd, const void *data, size_t bytes)
{
    if (write(fd, data, bytes) != (ssize_t)bytes) {
        abort();
    }
}

spl_status __wrap_spl_sandbox_start(spl_sandbox *sandbox, const char *path,
    spl_sandbox_child *child, const void *user, size_t memory_bytes)
{
    (void)memory_bytes;
    *sandbox = (spl_sandbox){.child = NOBODY, .path = path, .seconds = LONG_TIME_S};
    sandbox->fd = fcntl(answers, F_DUPFD_CLOEXEC, 0);
    if (sandbox->fd < 0 || ftruncate(answers, 0) != 0 ||
        lseek(answers, 0, SEEK_SET) != 0) {
        abort();
    }
    if (answer != NULL) {
        write_all(sandbox->fd, answer, answer_bytes);
    } else {
        const spl_status status = child(sandbox->fd, path, user);
        const char *message = status != SPL_OK ? spl_last_error() : "";
        const spl_sandbox_record end = {.kind = status != SPL_OK ? KIND_ERROR : 0,
            .status = status,
            .bytes = strnlen(message, MAX_MESSAGE)};
        write_all(sandbox->fd, &end, sizeof end);
        write_all(sandbox->fd, message, end.bytes);
        close_all();
    }
    lseek(sandbox->fd, 0, SEEK_SET);
    clock_gettime(CLOCK_MONOTONIC, &sandbox->deadline);
    sandbox->deadline.tv_sec += LONG_TIME_S;
    return SPL_OK;
}

/* HDF5 1.10 does crash on damaged files; that is what the sandbox is for. So a process of
 * its own, the taster, reads each file first; a new one takes the place of one that died.
 */
static struct {
    pid_t process;
    int socket, reports;
    unsigned long deaths;
} taster = {.socket = -1, .reports = -1};

/* One file for both processes, in memory if possible. It has a real name: HDF5 resolves
 * links, and one of /proc/self/fd to a file without a name leads nowhere. */
static char file_path[64];
static int file = -1;

static void on_signal(int number)
{
    void *frames[MAX_FRAMES];
    (void)number;
    /* without this function and the return from it */
    const int n = backtrace(frames, MAX_FRAMES);
    if (n > 2) {
        backtrace_symbols_fd(frames + 2, n - 2, STDERR_FILENO);
    }
    _exit(1);
}

/* libFuzzer's handlers would store the input that it knew at the time of the fork. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void take_signals(void)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF};
    static uint8_t stack[1 << 16];
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigaltstack(&other, NULL);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
        sigaction(deadly[i], &action, NULL);
    }
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(NULL);
    }
}

static _Noreturn void taste(int socket, fuzz_reader *read)
{
    static const struct itimerval none;
    static const struct itimerval most = {.it_value = {.tv_sec = TRY_S}};
    char token;
    answers = memfd_create("answers", MFD_CLOEXEC);
    dup2(taster.reports, STDERR_FILENO);
    take_signals();
    while (recv(socket, &token, 1, 0) == 1) {
        setitimer(ITIMER_PROF, &most, NULL);
        read(file_path);
        setitimer(ITIMER_PROF, &none, NULL);
        send(socket, &token, 1, MSG_NOSIGNAL);
    }
    _exit(0);
}

static void start_taster(fuzz_reader *read)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0 ||
        ftruncate(taster.reports, 0) != 0) {
        abort();
    }
    lseek(taster.reports, 0, SEEK_SET);
    taster.process = fork();
    if (taster.process < 0) {
        abort();
    }
    if (taster.process == 0) {
        close(ends[0]);
        taste(ends[1], read);
    }
    close(ends[1]);
    taster.socket = ends[0];
}

/* The innermost frame that is neither the C library's nor a sanitizer's. */
static bool is_ours(char *report)
{
    static const char *const others[] = {"__asan", "__interceptor", "__sanitizer",
        "libc.so", "libasan", "libubsan", "fuzzer::"};
    char *rest = NULL;
    for (char *line = strtok_r(report, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        bool passes = strstr(line, "0x") == NULL ||
                      (strchr(line, '#') == NULL && strchr(line, '[') == NULL);
        /* what sanitizers put in place of a function has neither source nor library; its
         * name is known, unlike those of hidden functions */
        passes = passes || (strstr(line, ".c:") == NULL && strstr(line, ".so") == NULL &&
                               strstr(line, "(+0x") == NULL);
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
            passes = passes || strstr(line, others[i]) != NULL;
        }
        if (strstr(line, "runtime error") != NULL) {
            return true;
        }
        if (!passes) {
            return strstr(line, "libhdf5") == NULL;
        }
    }
    return false;
}

static void judge_death(void)
{
    static char report[1 << 16];
    static char copy[sizeof report];
    const ssize_t n = pread(taster.reports, report, sizeof report - 1, 0);
    report[n > 0 ? n : 0] = '\0';
    memcpy(copy, report, sizeof copy);
    if (is_ours(copy)) {
        fputs(report, stderr);
        abort();
    }
    close(taster.socket);
    taster.socket = -1;
    taster.deaths++;
    /* libFuzzer's clock interrupts */
    while (waitpid(taster.process, NULL, 0) != taster.process) {
    }
}

/* Result: false if the taster died of it. */
static bool survives(fuzz_reader *read)
{
    char token = 0;
    ssize_t n;
    if (taster.socket < 0) {
        start_taster(read);
    }
    send(taster.socket, &token, 1, MSG_NOSIGNAL);
    while ((n = recv(taster.socket, &token, 1, 0)) < 0) {
    }
    if (n == 0) {
        judge_death();
    }
    return n == 1;
}

static void end_reading(void)
{
    unlink(file_path);
    fprintf(stderr, "HDF5 died of %lu files\n", taster.deaths);
}

static void open_files(void)
{
    snprintf(file_path, sizeof file_path, "%s/splenium-fuzz-%d.h5",
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", getpid());
    file = open(file_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    answers = memfd_create("answers", MFD_CLOEXEC);
    taster.reports = memfd_create("report", MFD_CLOEXEC);
    if (file < 0 || answers < 0 || taster.reports < 0 || spl_h5_init() != SPL_OK ||
        H5set_free_list_limits(-1, -1, -1, -1, -1, -1) < 0) {
        abort();
    }
    atexit(end_reading);
}

void fuzz_read(const uint8_t *data, size_t size, fuzz_reader *read)
{
    static const char signature[] = "\x89HDF\r\n\x1a\n";
    const bool is_answer = size > 0 && data[0] == '!';
    if (file < 0) {
        open_files();
    }
    answer = is_answer ? data + 1 : NULL;
    answer_bytes = is_answer ? size - 1 : 0;
    size = is_answer ? 0 : size;
    /* other files do not get as far as HDF5 */
    if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size ||
        pwrite(file, signature, SIGNATURE_BYTES, 0) != SIGNATURE_BYTES) {
        abort();
    }
    if (is_answer || survives(read)) {
        read(file_path);
    }
}

spl_status __wrap_spl_sandbox_start_patient(spl_sandbox *sandbox, const char *path,
    spl_sandbox_child *child, const void *user, size_t memory_bytes, unsigned patience)
{
    (void)patience;
    return __wrap_spl_sandbox_start(sandbox, path, child, user, memory_bytes);
}
