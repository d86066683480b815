#include "h5/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { MAX_REASON = 512 };

static pthread_once_t start_once = PTHREAD_ONCE_INIT;
static bool started;

static void start(void)
{
    /* counts only before the first other call; where the host program made one, its
     * choice stands */
    H5dont_atexit();
    started = H5open() >= 0 && H5Eset_auto2(H5E_DEFAULT, NULL, NULL) >= 0;
}

spl_status spl_h5_init(void)
{
    pthread_once(&start_once, start);
    return started ? SPL_OK
                   : spl_error(SPL_ERR_INTERNAL,
                         "the HDF5 library does not start; check its installation");
}

/* Keep the innermost entry: it names the cause, the outer ones only the call chain. */
static herr_t keep_innermost(unsigned index, const H5E_error2_t *entry, void *reason)
{
    if (index == 0 && entry->desc != NULL) {
        snprintf(reason, MAX_REASON, "%s", entry->desc);
    }
    return 0;
}

/* Drivers tell times and addresses; keep what the system said, and its number. */
static int shorten(char *reason)
{
    static const char mark[] = "error message = '";
    int error_number = 0;
    const char *number = strstr(reason, "errno = ");
    char *said = strstr(reason, mark);
    char *end = said != NULL ? strchr(said + strlen(mark), '\'') : NULL;
    if (number == NULL || end == NULL ||
        sscanf(number, "errno = %d", &error_number) != 1) {
        return 0;
    }
    said += strlen(mark);
    memmove(reason, said, (size_t)(end - said));
    reason[end - said] = '\0';
    return error_number;
}

spl_status spl_h5_error(spl_status status, const char *format, ...)
{
    char context[512];
    char reason[MAX_REASON] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, reason);
    H5Eclear2(H5E_DEFAULT);
    for (char *c = reason; *c != '\0'; c++) {
        *c = *c == '\n' ? ' ' : *c;
    }
    if (reason[0] == '\0') {
        return spl_error(status, "%s", context);
    }
    const int error_number = shorten(reason);
    if (status == SPL_ERR_FILE_CREATE || status == SPL_ERR_FILE_WRITE) {
        status = spl_file_status(error_number, status);
    }
    return spl_error(status, "%s: %s", context, reason);
}

static char version[32];

static void read_version(void)
{
    unsigned major = 0;
    unsigned minor = 0;
    unsigned release = 0;
    H5get_libversion(&major, &minor, &release);
    snprintf(version, sizeof version, "%u.%u.%u", major, minor, release);
}

const char *spl_h5_version(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (spl_h5_init() == SPL_OK) {
        pthread_once(&once, read_version);
    }
    return version;
}

bool spl_is_hdf5(const char *head, size_t n_head)
{
    static const char signature[8] = "\x89HDF\r\n\x1a\n";
    return (n_head >= 8 && memcmp(head, signature, 8) == 0) ||
           (n_head >= 520 && memcmp(head + 512, signature, 8) == 0);
}

spl_status spl_h5_probe(const char *path, bool *is_hdf5)
{
    spl_status status = SPL_OK;
    struct stat what;
    char head[520];
    int fd = -1;
    *is_hdf5 = false;
    if (stat(path, &what) == 0 && !S_ISREG(what.st_mode)) {
        return SPL_OK; /* opening a pipe would disturb its writer */
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        SPL_FAIL(SPL_ERR_FILE_MISSING, "%s: cannot be opened: %s; check the path", path,
            strerror(errno));
    }
    ssize_t n = pread(fd, head, sizeof head, 0);
    if (n < 0) {
        SPL_FAIL(SPL_ERR_FILE_READ, "%s: cannot be read: %s", path, strerror(errno));
    }
    *is_hdf5 = spl_is_hdf5(head, (size_t)n);
out:
    if (fd >= 0) {
        close(fd);
    }
    return status;
}
