/* NAME.lock beside NAME.h5: held by the process that writes. The results file itself must
 * not carry an exclusive lock, or HDF5's readers could not open it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "output/internal.h"

/* A reader that asks whether a run goes on holds the lock for an instant. */
enum { TRIES = 20, WAIT_MS = 5 };

char *spl_output_beside(const char *results, const char *suffix)
{
    spl_text text = {0};
    size_t length = strlen(results);
    if (length > 3 && strcmp(results + length - 3, ".h5") == 0) {
        length -= 3;
    }
    spl_text_add_bytes(&text, results, length);
    spl_text_add(&text, "%s", suffix);
    if (text.failed) {
        spl_text_deinit(&text);
    }
    return text.data;
}

static spl_status cannot_open(const char *results, int error_number)
{
    char *folder = spl_file_folder(results);
    const char *where = folder != NULL ? folder : "";
    spl_status status =
        error_number == ENOENT
            ? spl_error(SPL_ERR_FILE_CREATE,
                  "%s: the folder %s does not exist; make it, or choose another "
                  "output.file",
                  results, where)
            : spl_error(SPL_ERR_FILE_CREATE,
                  "%s: nothing can be created in the folder %s: %s; choose another "
                  "output.file",
                  results, where, strerror(error_number));
    free(folder);
    return status;
}

static spl_status try_once(spl_lock *lock, const char *results, bool *busy)
{
    spl_status status = SPL_OK;
    *busy = false;
    int fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        return cannot_open(results, errno);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        *busy = errno == EWOULDBLOCK || errno == EINTR;
        if (!*busy && errno != ENOLCK && errno != ENOSYS && errno != EOPNOTSUPP) {
            SPL_FAIL(SPL_ERR_FILE_CREATE,
                "%s: cannot be locked: %s; choose another "
                "output.file",
                lock->path, strerror(errno));
        }
        if (!*busy) {
            spl_warn("%s: this file system has no locks: nothing keeps a second run from "
                     "writing the same results",
                lock->path);
        }
    }
    /* whoever deletes a lock file holds it: a lock on a file that is no longer at its
     * path protects nothing */
    *busy = *busy || !spl_file_is_at(fd, lock->path);
    if (!*busy) {
        lock->fd = fd;
        fd = -1;
    }
out:
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

spl_status spl_lock_take(spl_lock *lock, const char *results)
{
    spl_status status = SPL_OK;
    const struct timespec wait = {.tv_nsec = WAIT_MS * 1000000L};
    bool busy = true;
    *lock = (spl_lock){.fd = -1, .path = spl_output_beside(results, ".lock")};
    if (lock->path == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", results);
    }
    for (int i = 0; i < TRIES && busy; i++) {
        if (i > 0) {
            nanosleep(&wait, NULL);
        }
        SPL_TRY(try_once(lock, results, &busy));
    }
    if (busy) {
        SPL_FAIL(SPL_ERR_FILE_CREATE,
            "%s: another run is writing it (it holds %s); choose another output.file",
            results, lock->path);
    }
out:
    if (status != SPL_OK) {
        free(lock->path);
        lock->path = NULL;
    }
    return status;
}

void spl_lock_release(spl_lock *lock)
{
    if (lock->path != NULL && lock->fd >= 0) {
        /* in a folder that has taken the place of ours it is another run's */
        if (spl_file_is_at(lock->fd, lock->path)) {
            unlink(lock->path);
        }
        close(lock->fd);
    }
    free(lock->path);
    *lock = (spl_lock){.fd = -1};
}

bool spl_lock_is_held(const char *results)
{
    /* a link to the file has no lock of its own */
    char *real = realpath(results, NULL);
    char *path = spl_output_beside(real != NULL ? real : results, ".lock");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0) {
        close(fd);
    }
    free(path);
    free(real);
    return held;
}
