#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

spl_status spl_file_status(int error_number, spl_status other)
{
    return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG
               ? SPL_ERR_DISK_FULL
               : other;
}

static const char *remedy(int error_number)
{
    return error_number == EFBIG ? "raise the limit of file sizes (ulimit -f)"
           : spl_file_status(error_number, SPL_OK) == SPL_ERR_DISK_FULL
               ? "free space"
               : "check the disk";
}

spl_status spl_file_write_at(
    int fd, const char *path, const void *data, size_t bytes, uint64_t offset)
{
    const char *at = data;
    while (bytes > 0) {
        ssize_t n = pwrite(fd, at, bytes, (off_t)offset);
        if (n < 0 && errno != EINTR) {
            return spl_error(spl_file_status(errno, SPL_ERR_FILE_WRITE),
                "%s: cannot be written: %s; %s", path, strerror(errno), remedy(errno));
        }
        if (n > 0) {
            at += n;
            bytes -= (size_t)n;
            offset += (uint64_t)n;
        }
    }
    return SPL_OK;
}

spl_status spl_file_read_at(
    int fd, const char *path, void *data, size_t bytes, uint64_t offset)
{
    char *at = data;
    while (bytes > 0) {
        ssize_t n = pread(fd, at, bytes, (off_t)offset);
        if (n == 0) {
            return spl_error(
                SPL_ERR_FILE_READ, "%s: ends early; it is damaged or was cut", path);
        }
        if (n < 0 && errno != EINTR) {
            return spl_error(
                SPL_ERR_FILE_READ, "%s: cannot be read: %s", path, strerror(errno));
        }
        if (n > 0) {
            at += n;
            bytes -= (size_t)n;
            offset += (uint64_t)n;
        }
    }
    return SPL_OK;
}

static spl_status not_synced(const char *path)
{
    return spl_error(spl_file_status(errno, SPL_ERR_FILE_WRITE),
        "%s: cannot be brought to the disk: %s; %s", path, strerror(errno),
        remedy(errno));
}

spl_status spl_file_sync(int fd, const char *path)
{
    return fsync(fd) == 0 ? SPL_OK : not_synced(path);
}

spl_status spl_file_sync_data(int fd, const char *path)
{
    return fdatasync(fd) == 0 ? SPL_OK : not_synced(path);
}

bool spl_file_is_at(int fd, const char *path)
{
    struct stat mine;
    struct stat theirs;
    return fstat(fd, &mine) == 0 && stat(path, &theirs) == 0 &&
           mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino;
}

char *spl_file_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return spl_strdup(".");
    }
    char *folder = spl_strdup(path);
    if (folder != NULL) {
        folder[slash == path ? 1 : slash - path] = '\0';
    }
    return folder;
}

spl_status spl_file_sync_folder(const char *path)
{
    char *folder = spl_file_folder(path);
    if (folder == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* some file systems cannot sync a folder and say EINVAL: nothing more can be done */
    const bool synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    spl_status status = synced ? SPL_OK : not_synced(path);
    if (fd >= 0) {
        close(fd);
    }
    free(folder);
    return status;
}

spl_status spl_file_rename(const char *from, const char *to)
{
    if (rename(from, to) != 0) {
        return spl_error(SPL_ERR_FILE_WRITE, "%s: cannot be renamed to %s: %s", from, to,
            strerror(errno));
    }
    return spl_file_sync_folder(to);
}

spl_status spl_file_delete_leftover(const char *path)
{
    if (unlink(path) == 0) {
        return spl_file_sync_folder(path);
    }
    return errno == ENOENT
               ? SPL_OK
               : spl_error(SPL_ERR_FILE_CREATE, "%s: left over and cannot be deleted: %s",
                     path, strerror(errno));
}
