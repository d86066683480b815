#include "h5/h5.h"

#include <hdf5.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

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
        snprintf(reason, 256, "%s", entry->desc);
    }
    return 0;
}

spl_status spl_h5_error(spl_status status, const char *format, ...)
{
    char context[512];
    char reason[256] = "";
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
