#include "worker.h"

#include <ctype.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "h5/h5.h"

/* HDF5 leaks on damaged files: a worker does not live for ever. */
enum { MOST_RUNS = 20000, TRY_S = 1, MAX_FRAMES = 64, MAX_COUNTERS = 1 << 17 };
enum { NOBODY_THERE = 2, LAST_BYTES = 4096 };

/* What fuzzer and worker share. */
typedef struct exchange {
    size_t size;
    uint8_t input[FUZZ_MAX_BYTES];
    uint8_t counters[MAX_COUNTERS];
} exchange;

static exchange *shared;
static fuzz_work *our_work;
static int channel = -1;
static int reports = -1;
static unsigned long deaths, passed_over;

/* clang's counters of edges, and their places in the code with flags between; not there
 * without -Dfuzz=true. */
extern uint8_t counters_start[] __asm__("__start___sancov_cntrs")
    __attribute__((weak, visibility("hidden")));
extern uint8_t counters_stop[] __asm__("__stop___sancov_cntrs")
    __attribute__((weak, visibility("hidden")));

extern const uintptr_t pcs_start[] __asm__("__start___sancov_pcs")
    __attribute__((weak, visibility("hidden")));
extern const uintptr_t pcs_stop[] __asm__("__stop___sancov_pcs")
    __attribute__((weak, visibility("hidden")));

static size_t n_counters(void)
{
    return counters_start != NULL ? (size_t)(counters_stop - counters_start) : 0;
}

/* As in the sandbox, HDF5 does not get all that a file says: it would clear it first.
 * Names of functions take a tenth of a second for each death: to see those of a finding,
 * run its input with ASAN_OPTIONS=symbolize=1. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "max_allocation_size_mb=32:symbolize=0";
}

static void on_signal(int number)
{
    void *frames[MAX_FRAMES];
    (void)number;
    /* if it was in the middle of an allocation, this may never end */
    signal(SIGALRM, SIG_DFL);
    alarm(1);
    /* without this function and the return from it */
    const int n = backtrace(frames, MAX_FRAMES);
    if (n > 2) {
        backtrace_symbols_fd(frames + 2, n - 2, STDERR_FILENO);
    }
    _exit(1);
}

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
}

static _Noreturn void work_on(int socket, fuzz_work *work)
{
    static const struct itimerval none;
    static const struct itimerval most = {.it_value = {.tv_sec = TRY_S}};
    char token;
    dup2(reports, STDERR_FILENO);
    take_signals();
    for (int i = 0; i < MOST_RUNS; i++) {
        if (recv(socket, &token, 1, 0) != 1) {
            _exit(NOBODY_THERE);
        }
        setitimer(ITIMER_PROF, &most, NULL);
        if (n_counters() > 0) {
            memset(counters_start, 0, n_counters());
        }
        const bool done = work(shared->input, shared->size);
        memcpy(shared->counters, counters_start, n_counters());
        setitimer(ITIMER_PROF, &none, NULL);
        send(socket, done ? "+" : "0", 1, MSG_NOSIGNAL);
    }
    _exit(0);
}

/* Between the fuzzer and its workers: a process that knows nothing of libFuzzer, whose
 * handlers would store the input at the time of a fork, and stays small. */
static _Noreturn void keep_working(int socket, fuzz_work *work, const char *scratch)
{
    int ended = 0;
    do {
        const pid_t worker = fork();
        if (worker == 0) {
            work_on(socket, work);
        }
        if (worker < 0 || waitpid(worker, &ended, 0) != worker) {
            break;
        }
        if (!WIFEXITED(ended) ||
            (WEXITSTATUS(ended) != 0 && WEXITSTATUS(ended) != NOBODY_THERE)) {
            send(socket, "-", 1, MSG_NOSIGNAL);
        }
    } while (!WIFEXITED(ended) || WEXITSTATUS(ended) != NOBODY_THERE);
    if (scratch != NULL) {
        unlink(scratch);
    }
    _exit(0);
}

static void tell_deaths(void)
{
    fprintf(stderr, "HDF5 died of %lu files; %lu like them were passed over\n", deaths,
        passed_over);
}

void fuzz_worker_start(fuzz_work *work, const char *scratch)
{
    int ends[2];
    our_work = work;
    shared = mmap(
        NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    reports = memfd_create("reports", MFD_CLOEXEC);
    if (shared == MAP_FAILED || reports < 0 || fcntl(reports, F_SETFL, O_APPEND) != 0 ||
        n_counters() > MAX_COUNTERS || spl_h5_init() != SPL_OK ||
        H5set_free_list_limits(-1, -1, -1, -1, -1, -1) < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        abort();
    }
    const pid_t keeper = fork();
    if (keeper < 0) {
        abort();
    }
    if (keeper == 0) {
        close(ends[0]);
        keep_working(ends[1], work, scratch);
    }
    close(ends[1]);
    channel = ends[0];
    atexit(tell_deaths);
}

/* From the work of the target to the last of clang's places is our code, before it that
 * of the sanitizers. Without such places, all of the program is ours. */
static bool is_in_our_code(uintptr_t address)
{
    Dl_info place;
    Dl_info here;
    const uintptr_t *const stop = pcs_stop;
    uintptr_t last = 0;
    for (const uintptr_t *pc = pcs_start; pc != stop; pc += 2) {
        last = *pc > last ? *pc : last;
    }
    if (last > 0) {
        return address >= (uintptr_t)our_work && address < last + LAST_BYTES;
    }
    return dladdr((void *)address, &place) != 0 &&
           dladdr((void *)(uintptr_t)fuzz_worker_run, &here) != 0 &&
           place.dli_fbase == here.dli_fbase;
}

static bool is_in_hdf5(uintptr_t address)
{
    Dl_info place;
    return dladdr((void *)address, &place) != 0 &&
           strstr(place.dli_fname, "libhdf5") != NULL;
}

/* Does the innermost frame that is neither the C library's nor a sanitizer's belong to
 * us? Frames are "#0 0x1234 ..." or end in "[0x1234]". */
static bool is_ours(const char *report)
{
    if (strstr(report, "runtime error") != NULL) {
        return true;
    }
    for (const char *at = report; (at = strstr(at, "0x")) != NULL; at += 2) {
        const bool frame =
            at > report && (at[-1] == '[' || (at[-1] == ' ' && at > report + 1 &&
                                                 isdigit((unsigned char)at[-2])));
        const uintptr_t address = frame ? strtoull(at, NULL, 16) : 0;
        if (frame && is_in_our_code(address)) {
            return true;
        }
        if (frame && is_in_hdf5(address)) {
            return false;
        }
    }
    return false;
}

static void judge_death(void)
{
    static char report[1 << 16];
    const ssize_t n = pread(reports, report, sizeof report - 1, 0);
    report[n > 0 ? n : 0] = '\0';
    if (is_ours(report)) {
        fputs(report, stderr);
        abort();
    }
    deaths++;
    if (ftruncate(reports, 0) != 0) {
        abort();
    }
}

void fuzz_worker_run(const uint8_t *data, size_t size)
{
    char token = '?';
    shared->size = size < FUZZ_MAX_BYTES ? size : FUZZ_MAX_BYTES;
    memcpy(shared->input, data, shared->size);
    send(channel, &token, 1, MSG_NOSIGNAL);
    /* libFuzzer's clock interrupts */
    while (recv(channel, &token, 1, 0) < 0) {
    }
    if (token == '-') {
        judge_death();
    } else if (token == '+' || token == '0') {
        passed_over += token == '0';
        memcpy(counters_start, shared->counters, n_counters());
    } else {
        abort();
    }
}
