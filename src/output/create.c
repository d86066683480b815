/* Creation of a results file, so that its name only ever stands for a whole file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "h5/h5.h"
#include "output/internal.h"

static uint64_t add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t pages(uint64_t bytes)
{
    const uint64_t page = SPL_PAGE_BYTES;
    return bytes >= page ? add(bytes, page - 1) / page * page : bytes;
}

/* A dataset's header with its attributes and links, as HDF5 1.10 writes them. */
enum { HEADER_BYTES = 1024, STRING_BYTES = 32, FILE_BYTES = 16384 };

static uint64_t text_bytes(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

static uint64_t connectome_bytes(const spl_connectome *c, uint64_t *labels)
{
    const uint64_t n = spl_connectome_n_nodes(c);
    *labels = STRING_BYTES * n;
    for (uint64_t i = 0; i < n; i++) {
        *labels += text_bytes(spl_connectome_label(c, i));
    }
    spl_edges edges;
    spl_connectome_edges(c, &edges);
    uint64_t bytes = 2 * pages(8 * edges.n_entries);
    if (edges.start != NULL) {
        bytes +=
            pages(4 * edges.n_entries) + pages(8 * (n + 1)) + (uint64_t)4 * HEADER_BYTES;
    }
    return bytes + 2 * pages(24 * n) + pages(8 * n) + 2 * n + *labels +
           (uint64_t)8 * HEADER_BYTES;
}

/* The table of the populations and that of the subnetworks. */
static uint64_t population_bytes(const spl_output_spec *spec)
{
    uint64_t bytes = 0;
    for (size_t p = 0; p < spec->n_populations; p++) {
        const spl_output_population *population = &spec->populations[p];
        bytes += 3 * STRING_BYTES + 9 + text_bytes(population->name) +
                 text_bytes(population->subnetwork) + text_bytes(population->region);
    }
    for (size_t i = 0; i < spec->n_subnetworks; i++) {
        const spl_output_subnetwork *subnetwork = &spec->subnetworks[i];
        bytes += 3 * STRING_BYTES + text_bytes(subnetwork->name) +
                 text_bytes(subnetwork->region) + text_bytes(subnetwork->mode);
    }
    return bytes > 0 ? add(pages(bytes), (uint64_t)16 * HEADER_BYTES) : 0;
}

/* What a report says of its neurons. */
static uint64_t mapping_bytes(const spl_report *report)
{
    return report != NULL ? 16 * (uint64_t)report->n_neurons +
                                4 * (uint64_t)report->n_neurons * report->n_elements +
                                (uint64_t)16 * HEADER_BYTES
                          : 0;
}

static uint64_t count_bytes(const spl_output_spec *spec, const spl_places *places)
{
    uint64_t labels = 0;
    uint64_t bytes = FILE_BYTES;
    if (spec->connectome != NULL) {
        bytes = add(bytes, connectome_bytes(spec->connectome, &labels));
    }
    bytes = add(bytes, population_bytes(spec));
    for (size_t i = 0; i < places->n; i++) {
        bytes = add(bytes, add(pages(places->all[i].bytes), HEADER_BYTES));
    }
    for (size_t s = 0; s < spec->n_streams; s++) {
        const spl_stream *stream = &spec->streams[s];
        bytes = add(bytes, pages(mapping_bytes(stream->report)));
        bytes = add(bytes, pages(8 * stream->n_rows));
        bytes = add(bytes, (uint64_t)4 * HEADER_BYTES);
        bytes = add(bytes, stream->width > 1 ? labels : STRING_BYTES);
    }
    for (size_t i = 0; i < spec->n_params; i++) {
        const spl_array *param = &spec->params[i];
        bytes = add(bytes, pages(8 * (param->rank > 0 ? param->dims[0] : 1)));
        bytes = add(bytes, HEADER_BYTES);
    }
    bytes = add(bytes, text_bytes(spec->yaml) + text_bytes(spec->resolved_json));
    return add(bytes, text_bytes(spec->command_line) + text_bytes(spec->title));
}

uint64_t spl_output_bytes(const spl_output_spec *spec)
{
    spl_places places = {0};
    /* what no file can hold has no size */
    uint64_t bytes = spl_places_list(&places, spec) == SPL_OK ? count_bytes(spec, &places)
                                                              : UINT64_MAX;
    spl_places_deinit(&places);
    return bytes;
}

static spl_status disk_full(const char *path, uint64_t bytes, const char *why)
{
    return spl_error(SPL_ERR_DISK_FULL,
        "%s: need %.1f MB: %s; free space, record less, or choose another output.file",
        path, (double)bytes * 1e-6, why);
}

spl_status spl_output_check_room(const char *path, uint64_t bytes)
{
    struct statvfs disk;
    struct rlimit limit;
    char *folder = spl_file_folder(path);
    const bool known = folder != NULL && statvfs(folder, &disk) == 0 && disk.f_blocks > 0;
    free(folder);
    if (known && bytes / disk.f_frsize >= disk.f_bavail) {
        return disk_full(path, bytes, strerror(ENOSPC));
    }
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        bytes > limit.rlim_cur) {
        return disk_full(path, bytes, "above the limit of file sizes (ulimit -f)");
    }
    return SPL_OK;
}

/* Never over another file, unless told so, and then only over a file. */
static spl_status check_path(const char *path, bool force)
{
    struct stat what;
    if (lstat(path, &what) != 0) {
        return SPL_OK;
    }
    if (!S_ISREG(what.st_mode)) {
        return spl_error(SPL_ERR_FILE_CREATE,
            "%s: exists and is not a file; choose another output.file", path);
    }
    if (!force) {
        return spl_error(SPL_ERR_FILE_CREATE,
            "%s: exists already; choose another output.file, or replace it with --force "
            "(output.force: true)",
            path);
    }
    return SPL_OK;
}

/* Results and spikes. */
static spl_status check_target(const spl_output_spec *spec)
{
    static const char *const suffixes[] = {".spk", ".spikes.h5"};
    spl_status status = SPL_OK;
    char *path = NULL;
    SPL_TRY(check_path(spec->path, spec->force));
    for (size_t i = 0; spec->n_populations > 0 && i < 2; i++) {
        path = spl_output_beside(spec->path, suffixes[i]);
        if (path == NULL) {
            SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
        }
        SPL_TRY(check_path(path, spec->force));
        free(path);
        path = NULL;
    }
out:
    free(path);
    return status;
}

static spl_status make_uuid(char uuid[SPL_UUID_BYTES])
{
    unsigned char r[16];
    if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r) {
        return spl_error(SPL_ERR_INTERNAL, "no random bytes: %s", strerror(errno));
    }
    /* RFC 4122: version 4, variant 1 */
    r[6] = (unsigned char)((r[6] & 0x0F) | 0x40);
    r[8] = (unsigned char)((r[8] & 0x3F) | 0x80);
    snprintf(uuid, SPL_UUID_BYTES,
        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0],
        r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13],
        r[14], r[15]);
    return SPL_OK;
}

spl_status spl_output_allocate(int fd, const char *path)
{
    struct stat what;
    if (fstat(fd, &what) != 0) {
        return spl_error(
            SPL_ERR_FILE_CREATE, "%s: cannot be examined: %s", path, strerror(errno));
    }
    int error;
    do {
        error = posix_fallocate(fd, 0, what.st_size);
    } while (error == EINTR);
    if (error == EOPNOTSUPP || error == EINVAL || error == ENOSYS) {
        spl_warn("%s: this file system cannot reserve space: the disk may still become "
                 "full during the run",
            path);
        error = ftruncate(fd, what.st_size) == 0 ? 0 : errno;
        if (error == 0) {
            return spl_output_check_room(path, (uint64_t)what.st_size);
        }
    }
    if (error == 0) {
        return SPL_OK;
    }
    return spl_file_status(error, SPL_OK) == SPL_ERR_DISK_FULL
               ? disk_full(path, (uint64_t)what.st_size, strerror(error))
               : spl_error(SPL_ERR_FILE_CREATE, "%s: cannot be allocated: %s", path,
                     strerror(error));
}

/* Open for the run. Readers share the lock; HDF5 in mode r+ is refused, which could move
 * what we write to. */
spl_status spl_output_open_for_writing(spl_output *output, const char *path)
{
    output->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (output->fd < 0) {
        return spl_error(
            SPL_ERR_FILE_CREATE, "%s: cannot be opened: %s", path, strerror(errno));
    }
    if (flock(output->fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return spl_error(SPL_ERR_FILE_CREATE,
            "%s: another program has it open for writing; close that", path);
    }
    return SPL_OK;
}

spl_status spl_output_open_journal(
    spl_output *output, const spl_output_spec *spec, bool exists)
{
    spl_status status = SPL_OK;
    char *path = spl_output_beside(spec->path, ".spk");
    spl_journal_population *populations =
        calloc(spec->n_populations + 1, sizeof *populations);
    spl_journal_header header = {.dt_ms = spec->dt_ms,
        .first_step = spec->first_step,
        .n_populations = spec->n_populations,
        .populations = populations};
    if (path == NULL || populations == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
    }
    memcpy(header.uuid, output->uuid, sizeof header.uuid);
    for (size_t p = 0; p < spec->n_populations; p++) {
        populations[p] = (spl_journal_population){.name = spec->populations[p].name,
            .region = spec->populations[p].region,
            .size = spec->populations[p].size};
    }
    SPL_TRY(exists ? spl_journal_resume(&output->journal, path, &header)
                   : spl_journal_create(&output->journal, path, &header,
                         spec->force || output->reopened));
out:
    free(path);
    free(populations);
    return status;
}

/* Delete the spikes of the run whose file this one replaces. */
static spl_status remove_replaced_spikes(const spl_output_spec *spec)
{
    spl_status status = SPL_OK;
    char *path = spl_output_beside(spec->path, ".spikes.h5");
    if (path == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
    }
    if (spec->force && unlink(path) != 0 && errno != ENOENT) {
        SPL_FAIL(
            SPL_ERR_FILE_CREATE, "%s: cannot be replaced: %s", path, strerror(errno));
    }
out:
    free(path);
    return status;
}

/* What a run that is replaced has stays until this one has all that it needs. */
static spl_status make_file(
    spl_output *output, const spl_output_spec *spec, const char *temporary)
{
    spl_status status = SPL_OK;
    SPL_TRY(make_uuid(output->uuid));
    SPL_TRY(spl_file_delete_leftover(temporary));
    SPL_TRY(spl_layout_write(temporary, spec, &output->places, output->uuid));
    SPL_TRY(spl_places_find(&output->places, temporary, false));
    SPL_TRY(spl_output_open_for_writing(output, temporary));
    SPL_TRY(spl_output_allocate(output->fd, temporary));
    SPL_TRY(spl_output_put_start(output));
    SPL_TRY(spl_file_sync(output->fd, temporary));
    if (spec->n_populations > 0) {
        SPL_TRY(spl_output_open_journal(output, spec, false));
    }
    spl_checkpoint_delete(output->path);
    SPL_TRY(spl_file_rename(temporary, output->path));
    if (spec->n_populations > 0) {
        SPL_TRY(remove_replaced_spikes(spec));
    }
out:
    return status;
}

/* Everything between the lock and the running writer; on failure nothing stays. */
static spl_status create_locked(spl_output *output, const spl_output_spec *spec)
{
    spl_status status = SPL_OK;
    spl_text temporary = {0};
    SPL_TRY(check_target(spec));
    SPL_TRY(spl_output_check_room(spec->path, count_bytes(spec, &output->places)));
    spl_text_add(&temporary, "%s.tmp", spec->path);
    if (temporary.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
    }
    status = make_file(output, spec, temporary.data);
    if (status == SPL_OK) {
        status = spl_writer_start(output);
    }
    if (status != SPL_OK) {
        unlink(temporary.data);
        if (output->fd >= 0 && spl_file_is_at(output->fd, spec->path)) {
            unlink(spec->path);
        }
        if (output->journal.fd >= 0) {
            unlink(output->journal.path);
        }
    }
out:
    spl_text_deinit(&temporary);
    return status;
}

spl_status spl_output_create(spl_output **out, const spl_output_spec *spec)
{
    spl_status status = SPL_OK;
    spl_output *output = calloc(1, sizeof *output);
    *out = NULL;
    if (output == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
    }
    output->fd = -1;
    output->journal.fd = -1;
    output->lock.fd = -1;
    output->path = spl_strdup(spec->path);
    if (output->path == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
    }
    SPL_TRY(spl_h5_init());
    SPL_TRY(spl_places_list(&output->places, spec));
    SPL_TRY(spl_writer_init(output, spec));
    SPL_TRY(spl_lock_take(&output->lock, spec->path));
    SPL_TRY(create_locked(output, spec));
    *out = output;
    output = NULL;
out:
    spl_output_free(output);
    return status;
}

const char *spl_output_uuid(const spl_output *output)
{
    return output->uuid;
}

void spl_output_free(spl_output *output)
{
    if (output == NULL) {
        return;
    }
    if (output->running) {
        /* an error has been reported by append, or belongs to a run that was given up */
        (void)!spl_writer_stop(output);
    }
    spl_writer_deinit(output);
    if (output->fd >= 0) {
        close(output->fd);
    }
    spl_journal_deinit(&output->journal);
    spl_lock_release(&output->lock);
    spl_places_deinit(&output->places);
    free(output->path);
    free(output);
}
