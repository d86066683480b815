#include "sandbox.h"

#include <fcntl.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "h5/h5.h"
#include "h5/sandbox.h"

#define KIND_ERROR UINT32_MAX

enum { LONG_TIME_S = 1000, MAX_MESSAGE = 1023 };

static const uint8_t *answer;
static size_t answer_bytes;

spl_status __wrap_spl_sandbox_start(spl_sandbox *sandbox, const char *path,
    spl_sandbox_child *child, const void *user, size_t memory_bytes);
spl_status __wrap_spl_sandbox_lock(void);

spl_status __wrap_spl_sandbox_lock(void)
{
    return SPL_OK;
}

/* HDF5 leaks on damaged files, and a child leaves its memory to the system. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5\nleak:spl_results_child\nleak:run_child\n";
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

/* HDF5 1.10 does crash on damaged files; that is what the sandbox is for. So a process of
 * its own tries first. Result: false if that died. A report of a sanitizer in which HDF5
 * does not occur is one of us: then the fuzzer dies too. */
static bool survives(const char *file, spl_sandbox_child *child, const void *user)
{
    static char report[1 << 16];
    const int reports = memfd_create("report", MFD_CLOEXEC);
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int ended;
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(reports, STDERR_FILENO);
        alarm(LONG_TIME_S / 100);
        /* a refusal is as good as an answer */
        (void)!child(null, file, user);
        _exit(0);
    }
    if (reports < 0 || null < 0 || pid < 0) {
        abort();
    }
    /* libFuzzer's clock interrupts */
    while (waitpid(pid, &ended, 0) != pid) {
    }
    const ssize_t n = pread(reports, report, sizeof report - 1, 0);
    report[n > 0 ? n : 0] = '\0';
    if ((strstr(report, "Sanitizer") != NULL ||
            strstr(report, "runtime error") != NULL) &&
        strstr(report, "libhdf5") == NULL) {
        fputs(report, stderr);
        abort();
    }
    close(reports);
    close(null);
    return ended == 0;
}

spl_status __wrap_spl_sandbox_start(spl_sandbox *sandbox, const char *path,
    spl_sandbox_child *child, const void *user, size_t memory_bytes)
{
    (void)memory_bytes;
    *sandbox = (spl_sandbox){.child = -1, .path = path, .seconds = LONG_TIME_S};
    sandbox->fd = memfd_create("answer", MFD_CLOEXEC);
    if (sandbox->fd < 0) {
        abort();
    }
    if (answer != NULL) {
        write_all(sandbox->fd, answer, answer_bytes);
    } else if (survives(path, child, user)) {
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

static char file_path[64];

static void delete_file(void)
{
    unlink(file_path);
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
    if (*file_path == '\0') {
        snprintf(file_path, sizeof file_path, "%s/splenium-fuzz-%d.h5",
            access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", getpid());
        atexit(delete_file);
    }
    const int fd = open(file_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        abort();
    }
    write_all(fd, data, size);
    close(fd);
    return file_path;
}

void fuzz_answer(const uint8_t *data, size_t size)
{
    answer = data;
    answer_bytes = size;
}
