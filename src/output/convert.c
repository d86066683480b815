/* New files out of results files: written under another name, read back, then renamed. */
#include "output/convert.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "h5/h5.h"
#include "output/internal.h"
#include "output/spikes.h"

/* Slots and headers of any results file. */
enum { SMALLEST_BYTES = 16384 };

static const spl_convert_options defaults = {.compress = 0};

spl_status spl_convert_describe(spl_results_info **info, const char *path)
{
    const spl_status status = spl_results_describe(path, info);
    return status == SPL_ERR_NOT_FOUND ? SPL_ERR_FORMAT : status;
}

spl_status spl_convert_check_target(const char *path, bool force)
{
    struct stat what;
    if (lstat(path, &what) != 0) {
        return SPL_OK;
    }
    if (!S_ISREG(what.st_mode)) {
        return spl_error(SPL_ERR_FILE_CREATE,
            "%s: exists and is not a file; choose another name", path);
    }
    return force ? SPL_OK
                 : spl_error(SPL_ERR_FILE_CREATE,
                       "%s: exists already; choose another name, or replace it with "
                       "--force",
                       path);
}

spl_status spl_convert_temporary(char **temporary, const char *path)
{
    spl_text text = {0};
    spl_text_add(&text, "%s.tmp", path);
    *temporary = text.data;
    if (text.failed) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    return spl_file_delete_leftover(text.data);
}

static spl_status sync_with_mode(const char *path, const mode_t *mode)
{
    spl_status status = SPL_OK;
    const int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || (mode != NULL && fchmod(fd, *mode) != 0)) {
        SPL_FAIL(
            SPL_ERR_FILE_WRITE, "%s: cannot be opened again: %s", path, strerror(errno));
    }
    SPL_TRY(spl_file_sync(fd, path));
out:
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

spl_status spl_convert_sync(const char *path)
{
    return sync_with_mode(path, NULL);
}

/* One copy on its way. */
typedef struct copy {
    const spl_convert_options *options;
    const char *in, *out;
    char *real, *temporary; /* of in, if it is to be replaced; of out */
    mode_t mode;            /* of in */
    uint64_t in_bytes;
    spl_lock lock;
    spl_results_info *info;
    spl_convert_plan plan;
} copy;

static spl_status check_options(const copy *c)
{
    const bool level = c->options->compress >= 0 && c->options->compress <= 9;
    struct stat in;
    struct stat out;
    if (!level) {
        return spl_error(SPL_ERR_ARGUMENT, "compression level %d is not one of 0 to 9",
            c->options->compress);
    }
    if (c->options->in_place == (c->out != NULL)) {
        return spl_error(SPL_ERR_ARGUMENT,
            "%s: convert needs either the name of a new file or --in-place", c->in);
    }
    if (c->out != NULL && stat(c->in, &in) == 0 && stat(c->out, &out) == 0 &&
        in.st_dev == out.st_dev && in.st_ino == out.st_ino) {
        return spl_error(SPL_ERR_ARGUMENT,
            "%s: the same file as %s; use --in-place to replace it by its copy", c->out,
            c->in);
    }
    return SPL_OK;
}

/* May the file be copied in this way now? */
static spl_status check_run(const copy *c)
{
    const spl_results_info *info = c->info;
    const bool open =
        strcmp(info->status, "running") == 0 || strcmp(info->status, "interrupted") == 0;
    bool any = info->n_streams == 0;
    for (size_t s = 0; s < info->n_streams; s++) {
        any = any || info->streams[s].n_durable > 0;
    }
    if (info->live && (c->options->in_place || !c->options->trim)) {
        return spl_error(SPL_ERR_USAGE, "%s: a run is writing it; wait for its end%s",
            c->in, c->options->in_place ? "" : ", or copy what is durable with --trim");
    }
    if (c->options->in_place && open && !c->options->force) {
        return spl_error(SPL_ERR_USAGE,
            "%s: this run could no longer be resumed; name a new file instead of "
            "--in-place, or use --force as well",
            c->in);
    }
    if (c->options->trim && !any) {
        return spl_error(
            SPL_ERR_FORMAT, "%s: no row is durable, nothing can be kept", c->in);
    }
    return SPL_OK;
}

/* The file itself, where a link leads to it: a rename would replace the link. */
static spl_status find_in(copy *c)
{
    struct stat what;
    if (c->options->in_place) {
        c->out = c->in;
    }
    if (c->options->in_place && lstat(c->in, &what) == 0 && S_ISLNK(what.st_mode)) {
        c->real = realpath(c->in, NULL);
        if (c->real == NULL) {
            return spl_error(
                SPL_ERR_FILE_MISSING, "%s: cannot be opened: %s", c->in, strerror(errno));
        }
        c->in = c->out = c->real;
    }
    if (stat(c->in, &what) == 0) {
        c->mode = what.st_mode & 07777;
        c->in_bytes = (uint64_t)what.st_size;
    }
    return SPL_OK;
}

/* Has the copy fewer rows than its run has? */
static bool is_trimmed(const copy *c)
{
    bool trimmed = strncmp(c->info->copy, "trimmed", strlen("trimmed")) == 0;
    for (size_t s = 0; s < c->plan.n_streams; s++) {
        trimmed = trimmed || c->plan.streams[s].kept < c->plan.streams[s].n_rows;
    }
    return trimmed;
}

static spl_status write_copy(copy *c, spl_convert_list *list)
{
    spl_status status = SPL_OK;
    spl_convert_writer *writer = NULL;
    SPL_TRY(spl_convert_writer_create(&writer, c->temporary, c->options->compress));
    const spl_convert_sink sink = spl_convert_writer_sink(writer);
    SPL_TRY(spl_convert_read(&c->plan, &sink, list, spl_convert_writer_open));
    SPL_TRY(spl_convert_writer_mark(writer, is_trimmed(c)));
    SPL_TRY(spl_convert_writer_close(writer));
out:
    spl_convert_writer_free(writer);
    return status;
}

/* Success of every call so far proves nothing: read it again, as if it were a stranger's.
 */
static spl_status compare_copy(const copy *c, const spl_convert_list *list)
{
    spl_status status = SPL_OK;
    spl_convert_plan plan = {.path = NULL};
    spl_convert_list found = {.n = 0};
    spl_results_info *info = NULL;
    SPL_TRY(spl_convert_plan_of_copy(&plan, &c->plan, c->temporary));
    SPL_TRY(spl_convert_read(&plan, NULL, &found, NULL));
    SPL_TRY(spl_convert_list_compare(list, &found, c->temporary));
    SPL_TRY(spl_convert_describe(&info, c->temporary));
out:
    spl_results_free(info);
    spl_convert_list_deinit(&found);
    spl_convert_plan_deinit(&plan);
    return status;
}

static spl_status make_copy(copy *c)
{
    spl_status status = SPL_OK;
    spl_convert_list list = {.n = 0};
    SPL_TRY(write_copy(c, &list));
    SPL_TRY(compare_copy(c, &list));
    SPL_TRY(sync_with_mode(c->temporary, c->options->in_place ? &c->mode : NULL));
    SPL_TRY(spl_file_rename(c->temporary, c->out));
out:
    spl_convert_list_deinit(&list);
    if (status != SPL_OK) {
        unlink(c->temporary);
    }
    return status;
}

static spl_status copy_results(copy *c)
{
    spl_status status = SPL_OK;
    SPL_TRY(check_options(c));
    SPL_TRY(find_in(c));
    SPL_TRY(spl_convert_describe(&c->info, c->in));
    SPL_TRY(check_run(c));
    SPL_TRY(spl_convert_check_target(c->out, c->options->force || c->options->in_place));
    SPL_TRY(spl_lock_take(&c->lock, c->out));
    SPL_TRY(spl_convert_temporary(&c->temporary, c->out));
    SPL_TRY(spl_convert_plan_init(&c->plan, c->info, c->options->trim));
    c->plan.stop = c->options->stop;
    c->plan.user = c->options->user;
    /* what a file of fewer, or compressed, rows takes is not known before */
    SPL_TRY(spl_output_check_room(c->out,
        c->options->compress == 0 && !c->options->trim ? c->in_bytes : SMALLEST_BYTES));
    SPL_TRY(make_copy(c));
out:
    return status;
}

spl_status spl_convert(
    const char *in, const char *out, const spl_convert_options *options)
{
    spl_status status = SPL_OK;
    copy c = {.options = options != NULL ? options : &defaults,
        .in = in,
        .out = out,
        .lock = {.fd = -1}};
    SPL_TRY(spl_h5_init());
    SPL_TRY(copy_results(&c));
out:
    spl_convert_plan_deinit(&c.plan);
    spl_results_free(c.info);
    spl_lock_release(&c.lock);
    free(c.temporary);
    free(c.real);
    return status;
}

static spl_status check_journal(
    const spl_results_info *info, const char *in, const char *journal, const char *spikes)
{
    struct stat what;
    if (info->n_populations == 0) {
        return spl_error(SPL_ERR_USAGE,
            "%s: this run had no spiking populations, so there are no spikes", in);
    }
    if (info->live) {
        return spl_error(
            SPL_ERR_USAGE, "%s: a run is writing it; wait for its end, or stop it", in);
    }
    if (stat(journal, &what) != 0 && errno == ENOENT) {
        return stat(spikes, &what) == 0
                   ? spl_error(SPL_ERR_FILE_MISSING,
                         "%s: no such journal; the spikes are in %s already", journal,
                         spikes)
                   : spl_error(SPL_ERR_FILE_MISSING,
                         "%s: the journal that has the spikes of %s is not there; keep "
                         "both in one folder",
                         journal, in);
    }
    return SPL_OK;
}

spl_status spl_convert_spikes(const char *in, const char *out,
    const spl_convert_options *options, uint64_t *n_spikes)
{
    spl_status status = SPL_OK;
    spl_results_info *info = NULL;
    char *journal = spl_output_beside(in, ".spk");
    char *spikes = spl_output_beside(in, ".spikes.h5");
    spl_lock lock = {.fd = -1};
    if (journal == NULL || spikes == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", in);
    }
    out = out != NULL ? out : spikes;
    SPL_TRY(spl_h5_init());
    SPL_TRY(spl_convert_describe(&info, in));
    SPL_TRY(check_journal(info, in, journal, spikes));
    SPL_TRY(spl_convert_check_target(out, options != NULL && options->force));
    /* that of the run, which then cannot go on meanwhile, or of the new file */
    SPL_TRY(spl_lock_take(&lock, out == spikes ? in : out));
    SPL_TRY(spl_spikes_write(out, journal, info->uuid, n_spikes));
out:
    spl_lock_release(&lock);
    spl_results_free(info);
    free(journal);
    free(spikes);
    return status;
}
