/* The files beside results: checkpoints, the journal of the spikes, the spikes. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "output/check.h"
#include "output/checkpoint.h"
#include "output/journal.h"

static spl_status no_memory(const spl_checker *c)
{
    return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", c->file.path);
}

/* A run that goes on may have ended since its state was read: then its journal has become
 * the file of spikes. */
static spl_status is_over(const spl_checker *c, bool *over)
{
    unsigned char code = 0;
    const spl_status status = spl_file_read_at(c->file.fd, c->file.path, &code, 1,
        spl_survey_find(&c->file.survey, "/status/code")->is.offset);
    *over = code == SPL_RUN_COMPLETE || code == SPL_RUN_DIVERGED;
    return status;
}

static spl_status check_checkpoint(const spl_checker *c, bool previous)
{
    spl_status status = SPL_OK;
    spl_checkpoint about;
    char *path = spl_checkpoint_path(c->file.path, previous);
    if (path == NULL) {
        return no_memory(c);
    }
    status = spl_checkpoint_inspect(&about, path);
    if (status == SPL_ERR_FILE_MISSING) {
        status = SPL_OK;
        goto out;
    }
    if (status == SPL_ERR_FORMAT) {
        spl_check_say(c, true, path, "", SPL_RESULTS_NO_ROW, "%s; resume takes %s",
            spl_last_error() + strlen(path) + 2,
            previous ? "the newer one" : "the one before it, if that is whole");
        status = SPL_OK;
        goto out;
    }
    SPL_TRY(spl_check_error(c, path, status));
    if (strcmp(about.uuid, c->file.info->uuid) != 0) {
        spl_check_say(c, true, path, "", SPL_RESULTS_NO_ROW,
            "a checkpoint of another run (uuid %s, not %s); move it away", about.uuid,
            c->file.info->uuid);
    } else if (about.step > c->newest.step && !c->file.info->live) {
        spl_check_say(c, true, path, "", SPL_RESULTS_NO_ROW,
            "is of step %" PRIu64 ", ahead of the results at step %" PRIu64
            "; one of the two files is an older copy",
            about.step, c->newest.step);
    }
out:
    free(path);
    return status;
}

/* A copy is beside the spikes of its original, or far from them: the attribute has the
 * name of the original's. */
static bool is_copy(const spl_checker *c)
{
    char *own = spl_output_beside(c->file.path, ".spikes.h5");
    const char *slash = own != NULL ? strrchr(own, '/') : NULL;
    const bool differs =
        own != NULL && *c->file.info->spikes_file != '\0' &&
        strcmp(c->file.info->spikes_file, slash != NULL ? slash + 1 : own) != 0;
    free(own);
    return differs;
}

/* Path of the journal or of the spikes, under the name of the file or, if there is none,
 * under that of its original. The caller frees it; NULL when out of memory. */
static char *find_beside(const spl_checker *c, const char *suffix)
{
    static const char ending[] = ".spikes.h5";
    const char *name = c->file.info->spikes_file;
    const size_t length = strlen(name);
    char *own = spl_output_beside(c->file.path, suffix);
    char *folder = spl_file_folder(c->file.path);
    spl_text other = {0};
    if (own != NULL && folder != NULL && access(own, F_OK) != 0 &&
        strchr(name, '/') == NULL && length > strlen(ending) &&
        strcmp(name + length - strlen(ending), ending) == 0) {
        spl_text_add(
            &other, "%s/%.*s%s", folder, (int)(length - strlen(ending)), name, suffix);
    }
    free(folder);
    if (other.data != NULL && access(other.data, F_OK) == 0) {
        free(own);
        return other.data;
    }
    spl_text_deinit(&other);
    return own;
}

/* All frames as far as the slots say that they are durable. */
static spl_status check_frames(
    const spl_checker *c, spl_journal_reader *reader, const char *path)
{
    spl_status status = SPL_OK;
    bool found = true;
    if (strcmp(reader->header.uuid, c->file.info->uuid) != 0) {
        spl_check_say(c, true, path, "", SPL_RESULTS_NO_ROW,
            "the spike journal of another run (uuid %s, not %s); move it away",
            reader->header.uuid, c->file.info->uuid);
        goto out;
    }
    while (
        found && (!c->file.info->live || reader->frame.end < c->newest.journal_bytes)) {
        SPL_TRY(spl_journal_next(reader, &found));
    }
    if (reader->frame.end < c->newest.journal_bytes) {
        spl_check_say(c, true, path, "", SPL_RESULTS_NO_ROW,
            "the frame at byte %" PRIu64 ", behind step %" PRIu64 ", is damaged; %" PRIu64
            " bytes were durable: take a copy, or run again",
            reader->frame.end, reader->frame.step_to, c->newest.journal_bytes);
    } else if (!c->file.info->live && !reader->whole) {
        spl_check_say(c, false, path, "", SPL_RESULTS_NO_ROW,
            "%" PRIu64
            " bytes behind its last frame are torn, as a crash may leave them; "
            "resume cuts them",
            reader->file_bytes - reader->frame.end);
    }
out:
    return status;
}

/* *exists is false if there is none. */
static spl_status check_journal(const spl_checker *c, const char *path, bool *exists)
{
    spl_status status = SPL_OK;
    spl_journal_reader reader = {.fd = -1};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *exists = fd >= 0 || errno != ENOENT;
    if (fd < 0 && *exists) {
        SPL_FAIL(SPL_ERR_FILE_READ, "%s: cannot be opened: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        SPL_TRY(spl_journal_read(&reader, fd, path));
        SPL_TRY(check_frames(c, &reader, path));
    }
out:
    spl_journal_reader_deinit(&reader);
    if (fd >= 0) {
        close(fd);
    }
    return spl_check_error(c, path, status);
}

/* The file of spikes under check. */
typedef struct spikes {
    const char *path;
    int fd;
    uint64_t file_bytes;
    spl_survey survey;
} spikes;

static const spl_survey_set *find_column(
    const spikes *s, const char *group, const char *population, const char *name)
{
    spl_text path = {0};
    spl_text_add(&path, "%s/%s%s%s", group, population, *name != '\0' ? "/" : "", name);
    const spl_survey_set *set =
        path.failed ? NULL : spl_survey_find(&s->survey, path.data);
    spl_text_deinit(&path);
    return set;
}

static bool lies_inside(const spikes *s, const spl_survey_set *set)
{
    return set->is.contiguous && set->is.offset <= s->file_bytes &&
           set->is.bytes <= s->file_bytes - set->is.offset;
}

/* Times and neurons of one population. Without a group it was silent or not recorded. */
static spl_status check_population(
    const spl_checker *c, const spikes *s, const spl_results_population *population)
{
    spl_status status = SPL_OK;
    const spl_survey_set *columns[] = {
        find_column(s, "/spikes", population->name, "timestamps"),
        find_column(s, "/spikes", population->name, "node_ids")};
    const spl_survey_set *checksums = find_column(s, "/checksums", population->name, "");
    static const uint64_t types[] = {SPL_PLACE_F8, SPL_PLACE_U8};
    uint32_t stored[2];
    if (columns[0] == NULL && columns[1] == NULL && checksums == NULL) {
        return SPL_OK;
    }
    for (size_t i = 0; i < 2; i++) {
        if (columns[i] == NULL || columns[i]->is.type != types[i] ||
            columns[i]->is.rank != 1 || columns[i]->is.dims[0] != population->n_spikes ||
            !lies_inside(s, columns[i])) {
            spl_check_say(c, true, s->path, population->name, SPL_RESULTS_NO_ROW,
                "has not the %" PRIu64 " spikes that %s counts; run again",
                population->n_spikes, c->file.path);
            return SPL_OK;
        }
    }
    if (checksums == NULL || checksums->is.type != SPL_PLACE_U4 ||
        checksums->is.bytes != sizeof stored || !lies_inside(s, checksums)) {
        spl_check_say(c, true, s->path, population->name, SPL_RESULTS_NO_ROW,
            "has no checksums; the file was changed by another program");
        return SPL_OK;
    }
    SPL_TRY(
        spl_file_read_at(s->fd, s->path, stored, sizeof stored, checksums->is.offset));
    for (size_t i = 0; i < 2; i++) {
        uint32_t crc = 0;
        SPL_TRY(spl_check_sum(
            c, s->fd, s->path, columns[i]->is.offset, columns[i]->is.bytes, &crc));
        if (crc != le32toh(stored[i])) {
            spl_check_say(c, true, s->path, columns[i]->path, 0,
                "does not match its checksum; it was changed, or the disk fails: take a "
                "copy, or run again");
        }
    }
out:
    return status;
}

static spl_status check_all_spikes(const spl_checker *c, spikes *s)
{
    spl_status status = SPL_OK;
    SPL_TRY(spl_survey_make(&s->survey, s->path));
    if (strcmp(s->survey.file.uuid, c->file.info->uuid) != 0) {
        spl_check_say(c, true, s->path, "", SPL_RESULTS_NO_ROW,
            "the spikes of another run (uuid %s, not %s); move it away",
            s->survey.file.uuid, c->file.info->uuid);
        goto out;
    }
    if (s->survey.file.last_step != c->newest.step && !c->file.info->live) {
        spl_check_say(c, !is_copy(c), s->path, "", SPL_RESULTS_NO_ROW,
            "ends at step %" PRIu64 ", the run ended at step %" PRIu64
            "; one of the two files is an older copy",
            s->survey.file.last_step, c->newest.step);
        goto out;
    }
    for (size_t p = 0; p < c->file.info->n_populations && !c->file.info->live; p++) {
        SPL_TRY(check_population(c, s, &c->file.info->populations[p]));
    }
out:
    return status;
}

static spl_status check_spikes(const spl_checker *c, const char *path)
{
    spl_status status = SPL_OK;
    spikes s = {.path = path};
    s.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (s.fd < 0 && errno == ENOENT) {
        spl_check_say(c, !is_copy(c), path, "", SPL_RESULTS_NO_ROW,
            "missing; it has the spikes of this run: move it here from where it is, "
            "under "
            "this name");
        goto out;
    }
    const off_t end = s.fd >= 0 ? lseek(s.fd, 0, SEEK_END) : -1;
    if (end < 0) {
        SPL_FAIL(SPL_ERR_FILE_READ, "%s: cannot be opened: %s", path, strerror(errno));
    }
    s.file_bytes = (uint64_t)end;
    SPL_TRY(check_all_spikes(c, &s));
out:
    spl_survey_deinit(&s.survey);
    if (s.fd >= 0) {
        close(s.fd);
    }
    return spl_check_error(c, path, status);
}

/* In the journal until the run is over, then in a file of their own. A run that failed
 * may have either. */
static spl_status check_spiking(const spl_checker *c)
{
    spl_status status = SPL_OK;
    bool over = false;
    bool exists = false;
    char *journal = find_beside(c, ".spk");
    char *file = find_beside(c, ".spikes.h5");
    if (journal == NULL || file == NULL) {
        status = no_memory(c);
        goto out;
    }
    SPL_TRY(is_over(c, &over));
    if (!over) {
        SPL_TRY(check_journal(c, journal, &exists));
        /* it may have become the other file just now */
        SPL_TRY(is_over(c, &over));
    }
    if (over || (!exists && spl_check_is(c, "failed"))) {
        SPL_TRY(check_spikes(c, file));
    } else if (!exists) {
        spl_check_say(c, !is_copy(c), journal, "", SPL_RESULTS_NO_ROW, "%s",
            *c->file.info->copy == '\0'
                ? "missing; it has the spikes so far, and the run cannot be resumed "
                  "without it: move it here from where it is, under this name"
                : "missing; the spikes so far are in the journal beside the file of "
                  "which this copy was made");
    }
out:
    free(journal);
    free(file);
    return status;
}

spl_status spl_check_beside(const spl_checker *c)
{
    spl_status status = SPL_OK;
    /* of a complete run they are left over, if they are there at all */
    if (!spl_check_is(c, "complete")) {
        SPL_TRY(check_checkpoint(c, true));
        SPL_TRY(check_checkpoint(c, false));
    }
    if (c->file.info->n_populations > 0) {
        SPL_TRY(check_spiking(c));
    }
out:
    return status;
}
