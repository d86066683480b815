#include "output/opened.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum {
    OPENINGS = 20,   /* a run that becomes longer replaces its file */
    SLOT_READS = 50, /* of a slot that is being written */
    WAIT_MS = 5
};

void spl_opened_close(spl_opened *file)
{
    if (file->path != NULL && file->fd >= 0) {
        close(file->fd);
    }
    spl_survey_deinit(&file->survey);
    spl_results_free(file->info);
    *file = (spl_opened){.fd = -1};
}

static spl_status open_once(spl_opened *file, const char *path)
{
    spl_status status = SPL_OK;
    struct stat what;
    *file = (spl_opened){.path = path};
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file->fd < 0 || fstat(file->fd, &what) != 0) {
        SPL_FAIL(errno == ENOENT ? SPL_ERR_FILE_MISSING : SPL_ERR_FILE_READ,
            "%s: cannot be opened: %s", path, strerror(errno));
    }
    SPL_TRY(spl_results_describe(path, &file->info));
    SPL_TRY(spl_survey_make(&file->survey, path));
    file->file_bytes = (uint64_t)what.st_size;
    file->streams = (spl_results_stream *)file->info->streams;
    for (size_t s = 0; s < file->info->n_streams; s++) {
        file->n_rows[s] = file->info->streams[s].n_rows;
    }
out:
    return status;
}

spl_status spl_opened_open(spl_opened *file, const char *path)
{
    for (int i = 0; i < OPENINGS; i++) {
        const spl_status status = open_once(file, path);
        if (file->fd < 0 || spl_file_is_at(file->fd, path)) {
            return status;
        }
        spl_opened_close(file);
    }
    return spl_error(
        SPL_ERR_FILE_READ, "%s: replaced again and again while it was read", path);
}

bool spl_slot_is_empty(const unsigned char slot[SPL_SLOT_BYTES])
{
    static const unsigned char never[SPL_SLOT_BYTES];
    return memcmp(slot, never, sizeof never) == 0;
}

static bool is_whole(const spl_opened *file, const unsigned char *slot)
{
    spl_record record;
    return spl_slot_is_empty(slot) ||
           spl_slot_decode(&record, slot, file->info->n_streams, file->n_rows);
}

spl_status spl_opened_slots(
    const spl_opened *file, bool live, unsigned char slots[2 * SPL_SLOT_BYTES])
{
    const struct timespec wait = {.tv_nsec = WAIT_MS * 1000000L};
    const spl_survey_set *set = spl_survey_find(&file->survey, "/progress");
    if (set == NULL || !set->is.contiguous ||
        set->is.bytes != (uint64_t)2 * SPL_SLOT_BYTES) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: /progress: not as a run writes it; the file was made by another program",
            file->path);
    }
    for (int i = 0; i < SLOT_READS; i++) {
        const spl_status status = spl_file_read_at(
            file->fd, file->path, slots, (size_t)2 * SPL_SLOT_BYTES, set->is.offset);
        if (status != SPL_OK || !live ||
            (is_whole(file, slots) && is_whole(file, slots + SPL_SLOT_BYTES))) {
            return status;
        }
        nanosleep(&wait, NULL);
    }
    return SPL_OK;
}

static bool is_called(const spl_results_stream *stream, const char *kind)
{
    return strcmp(stream->kind, kind) == 0 && strcmp(stream->name, kind) == 0;
}

void spl_opened_group(spl_text *path, const spl_results_stream *stream)
{
    if (is_called(stream, "populations") || is_called(stream, "subnetworks")) {
        spl_text_add(path, "/%s", stream->name);
    } else if (strcmp(stream->kind, "report") == 0) {
        spl_text_add(path, "/report/%s", stream->name);
    } else {
        spl_text_add(path, "/monitors/%s", stream->name);
    }
}
