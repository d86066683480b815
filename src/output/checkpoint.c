#include "output/checkpoint.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "output/internal.h"

static const char magic[8] = {'S', 'P', 'L', 'C', 'K', 'P', 'T', '\n'};

enum {
    FORM = 1,
    END_BYTES = 8,
    ENTRY_BYTES = SPL_CHECKPOINT_NAME + 8,
    PIECE_BYTES = 1 << 16
};

/* Places in the header. */
enum {
    AT_FORM = 8,
    AT_SECTIONS = 12,
    AT_BYTES = 16,
    AT_STEP = 24,
    AT_UUID = 40,
    AT_VERSION = 80,
    AT_CONNECTOME = 128,
    AT_IDENTITY = 200
};

static void put_u32(unsigned char *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof value);
}

static void put_u64(unsigned char *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof value);
}

static uint32_t get_u32(const unsigned char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static uint64_t get_u64(const unsigned char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

static bool add_size(uint64_t *total, uint64_t bytes)
{
    return bytes <= UINT64_MAX - 7 &&
           !__builtin_add_overflow(*total, (bytes + 7) / 8 * 8, total);
}

/* Bytes of the whole file; false if no file can have them. */
static bool count_bytes(const spl_section *sections, size_t n_sections, uint64_t *total)
{
    *total = SPL_CHECKPOINT_HEADER + n_sections * (uint64_t)ENTRY_BYTES;
    bool fits = true;
    for (size_t i = 0; i < n_sections && fits; i++) {
        fits = add_size(total, sections[i].bytes);
    }
    return fits && add_size(total, END_BYTES) && *total <= INT64_MAX;
}

/* Where the sections lie in the image. */
static void place_sections(spl_checkpoint *checkpoint)
{
    unsigned char *at =
        checkpoint->image + SPL_CHECKPOINT_HEADER + checkpoint->n_sections * ENTRY_BYTES;
    for (size_t i = 0; i < checkpoint->n_sections; i++) {
        checkpoint->sections[i].data = at;
        at += (checkpoint->sections[i].bytes + 7) / 8 * 8;
    }
}

static spl_status no_memory(uint64_t bytes)
{
    return spl_error(SPL_ERR_NO_MEMORY, "out of memory: a checkpoint of %llu bytes",
        (unsigned long long)bytes);
}

spl_status spl_checkpoint_lay_out(
    spl_checkpoint *checkpoint, const spl_section *sections, size_t n_sections)
{
    spl_status status = SPL_OK;
    uint64_t bytes;
    *checkpoint = (spl_checkpoint){0};
    if (n_sections > SPL_CHECKPOINT_MAX_SECTIONS ||
        !count_bytes(sections, n_sections, &bytes)) {
        return spl_error(SPL_ERR_LIMIT, "a checkpoint would be too large");
    }
    SPL_TRY(spl_memory_check(bytes, "the checkpoint"));
    checkpoint->sections = malloc((n_sections + 1) * sizeof *sections);
    checkpoint->image = calloc(1, (size_t)bytes);
    if (checkpoint->sections == NULL || checkpoint->image == NULL) {
        status = no_memory(bytes);
        goto out;
    }
    memcpy(checkpoint->sections, sections, n_sections * sizeof *sections);
    checkpoint->n_sections = n_sections;
    checkpoint->n_bytes = (size_t)bytes;
    place_sections(checkpoint);
out:
    if (status != SPL_OK) {
        spl_checkpoint_deinit(checkpoint);
    }
    return status;
}

void spl_checkpoint_deinit(spl_checkpoint *checkpoint)
{
    free(checkpoint->sections);
    free(checkpoint->image);
    *checkpoint = (spl_checkpoint){0};
}

spl_section *spl_checkpoint_find(const spl_checkpoint *checkpoint, const char *name)
{
    for (size_t i = 0; i < checkpoint->n_sections; i++) {
        if (strcmp(checkpoint->sections[i].name, name) == 0) {
            return &checkpoint->sections[i];
        }
    }
    return NULL;
}

void spl_checkpoint_seal(spl_checkpoint *checkpoint)
{
    unsigned char *image = checkpoint->image;
    unsigned char *entry = image + SPL_CHECKPOINT_HEADER;
    const size_t covered = checkpoint->n_bytes - END_BYTES;
    memset(image, 0, SPL_CHECKPOINT_HEADER);
    memcpy(image, magic, sizeof magic);
    put_u32(image + AT_FORM, FORM);
    put_u32(image + AT_SECTIONS, (uint32_t)checkpoint->n_sections);
    put_u64(image + AT_BYTES, checkpoint->n_bytes);
    put_u64(image + AT_STEP, checkpoint->step);
    memcpy(image + AT_UUID, checkpoint->uuid, sizeof checkpoint->uuid);
    memcpy(image + AT_VERSION, checkpoint->version, sizeof checkpoint->version);
    memcpy(image + AT_CONNECTOME, checkpoint->connectome, sizeof checkpoint->connectome);
    memcpy(image + AT_IDENTITY, checkpoint->identity, sizeof checkpoint->identity);
    for (size_t i = 0; i < checkpoint->n_sections; i++, entry += ENTRY_BYTES) {
        memcpy(entry, checkpoint->sections[i].name, SPL_CHECKPOINT_NAME);
        put_u64(entry + SPL_CHECKPOINT_NAME, checkpoint->sections[i].bytes);
    }
    put_u64(image + covered, spl_crc32c(0, image, covered));
}

char *spl_checkpoint_path(const char *results, bool previous)
{
    return spl_output_beside(results, previous ? ".ckpt.prev" : ".ckpt");
}

static spl_status write_file(const spl_checkpoint *checkpoint, const char *path)
{
    spl_status status = SPL_OK;
    int fd = -1;
    SPL_TRY(spl_file_delete_leftover(path));
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        SPL_FAIL(spl_file_status(errno, SPL_ERR_FILE_CREATE), "%s: cannot be created: %s",
            path, strerror(errno));
    }
    SPL_TRY(
        spl_file_write_at(fd, path, checkpoint->image, checkpoint->n_bytes, (uint64_t)0));
    SPL_TRY(spl_file_sync(fd, path));
out:
    if (fd >= 0 && close(fd) != 0 && status == SPL_OK) {
        status = spl_error(spl_file_status(errno, SPL_ERR_FILE_WRITE),
            "%s: cannot be closed: %s", path, strerror(errno));
    }
    if (status != SPL_OK && fd >= 0) {
        unlink(path);
    }
    return status;
}

spl_status spl_checkpoint_write(const spl_checkpoint *checkpoint, const char *results)
{
    spl_status status = SPL_OK;
    char *temporary = spl_output_beside(results, ".ckpt.tmp");
    char *newest = spl_checkpoint_path(results, false);
    char *previous = spl_checkpoint_path(results, true);
    if (temporary == NULL || newest == NULL || previous == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", results);
    }
    SPL_TRY(write_file(checkpoint, temporary));
    /* a power cut between the two renames, or before the folder is synced, leaves at
     * least one whole checkpoint under one of the names */
    if (rename(newest, previous) != 0 && errno != ENOENT) {
        status = spl_error(SPL_ERR_FILE_WRITE, "%s: cannot be renamed to %s: %s", newest,
            previous, strerror(errno));
        unlink(temporary);
        goto out;
    }
    SPL_TRY(spl_file_rename(temporary, newest));
out:
    free(temporary);
    free(newest);
    free(previous);
    return status;
}

void spl_checkpoint_keep_previous(const char *results)
{
    char *newest = spl_checkpoint_path(results, false);
    char *previous = spl_checkpoint_path(results, true);
    /* if it fails, both stay as they are */
    if (newest != NULL && previous != NULL && access(newest, F_OK) == 0) {
        (void)!spl_file_rename(previous, newest);
    }
    free(newest);
    free(previous);
}

void spl_checkpoint_delete(const char *results)
{
    static const char *const endings[] = {".ckpt", ".ckpt.prev", ".ckpt.tmp"};
    bool any = false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char *path = spl_output_beside(results, endings[i]);
        any = (path != NULL && unlink(path) == 0) || any;
        free(path);
    }
    if (any) {
        /* at worst a checkpoint comes back that is of no use */
        (void)!spl_file_sync_folder(results);
    }
}

static spl_status damaged(const char *path, const char *what)
{
    return spl_error(SPL_ERR_FORMAT, "%s: %s; the checkpoint is damaged", path, what);
}

/* A text of the header: terminated, printable, nothing behind it. */
static bool get_text(char *text, size_t size, const unsigned char *at)
{
    size_t length = 0;
    while (length < size && at[length] > 0x20 && at[length] < 0x7F) {
        length++;
    }
    if (length == size || at[length] != 0) {
        return false;
    }
    memcpy(text, at, length);
    memset(text + length, 0, size - length);
    return true;
}

/* Open a plain file. */
static spl_status open_file(const char *path, int *fd, uint64_t *bytes)
{
    struct stat what;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) {
        return spl_error(errno == ENOENT || errno == ENOTDIR ? SPL_ERR_FILE_MISSING
                                                             : SPL_ERR_FILE_READ,
            "%s: cannot be opened: %s", path, strerror(errno));
    }
    if (fstat(*fd, &what) != 0 || !S_ISREG(what.st_mode)) {
        return spl_error(SPL_ERR_FORMAT, "%s: not a file; no checkpoint", path);
    }
    *bytes = (uint64_t)what.st_size;
    return SPL_OK;
}

bool spl_is_checkpoint(const char *path)
{
    unsigned char head[sizeof magic];
    uint64_t bytes;
    int fd = -1;
    const bool is = open_file(path, &fd, &bytes) == SPL_OK &&
                    pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
                    memcmp(head, magic, sizeof head) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return is;
}

/* What can be known before anything is allocated. */
static spl_status check_header(
    const unsigned char *header, const char *path, uint64_t bytes, size_t *n_sections)
{
    const uint32_t n = get_u32(header + AT_SECTIONS);
    if (memcmp(header, magic, sizeof magic) != 0) {
        return spl_error(SPL_ERR_FORMAT, "%s: not a checkpoint of splenium", path);
    }
    if (get_u32(header + AT_FORM) != FORM) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: a checkpoint of form %u, this version reads form %d; resume with the "
            "version that wrote it",
            path, get_u32(header + AT_FORM), FORM);
    }
    if (get_u64(header + AT_BYTES) != bytes) {
        return damaged(path, "longer or shorter than it says");
    }
    if (n > SPL_CHECKPOINT_MAX_SECTIONS ||
        (uint64_t)n * ENTRY_BYTES > bytes - SPL_CHECKPOINT_HEADER - END_BYTES) {
        return damaged(path, "more sections than it can hold");
    }
    *n_sections = n;
    return SPL_OK;
}

/* Texts and table of an image whose checksum is right: the sections fill it exactly. */
static spl_status read_image(spl_checkpoint *c, const char *path)
{
    const unsigned char *header = c->image;
    const unsigned char *entry = header + SPL_CHECKPOINT_HEADER;
    uint64_t bytes;
    c->step = get_u64(header + AT_STEP);
    if (!get_text(c->uuid, sizeof c->uuid, header + AT_UUID) ||
        !get_text(c->version, sizeof c->version, header + AT_VERSION) ||
        !get_text(c->connectome, sizeof c->connectome, header + AT_CONNECTOME) ||
        !get_text(c->identity, sizeof c->identity, header + AT_IDENTITY)) {
        return damaged(path, "a text in its header is none");
    }
    for (size_t i = 0; i < c->n_sections; i++, entry += ENTRY_BYTES) {
        spl_section *section = &c->sections[i];
        if (!get_text(section->name, sizeof section->name, entry)) {
            return damaged(path, "a section has no name");
        }
        section->bytes = get_u64(entry + SPL_CHECKPOINT_NAME);
    }
    if (!count_bytes(c->sections, c->n_sections, &bytes) || bytes != c->n_bytes) {
        return damaged(path, "its sections do not fill it");
    }
    return SPL_OK;
}

/* What both ways of reading begin with: the header of a plain file of a possible size,
 * and room for its table. */
static spl_status begin_reading(spl_checkpoint *c, int *fd, const char *path,
    unsigned char header[SPL_CHECKPOINT_HEADER])
{
    spl_status status = SPL_OK;
    uint64_t bytes = 0;
    SPL_TRY(open_file(path, fd, &bytes));
    if (bytes < SPL_CHECKPOINT_HEADER + END_BYTES) {
        SPL_TRY(damaged(path, "too short"));
    }
    SPL_TRY(spl_file_read_at(*fd, path, header, SPL_CHECKPOINT_HEADER, (uint64_t)0));
    SPL_TRY(check_header(header, path, bytes, &c->n_sections));
    c->n_bytes = (size_t)bytes;
    c->sections = calloc(c->n_sections + 1, sizeof *c->sections);
    if (c->sections == NULL) {
        status = no_memory(bytes);
    }
out:
    return status;
}

/* Checksum of everything in front of the stored one. */
static spl_status sum_file(int fd, const char *path, size_t bytes, uint32_t *crc)
{
    spl_status status = SPL_OK;
    unsigned char piece[PIECE_BYTES];
    *crc = 0;
    for (size_t at = 0; at < bytes;) {
        const size_t n = bytes - at < sizeof piece ? bytes - at : sizeof piece;
        SPL_TRY(spl_file_read_at(fd, path, piece, n, at));
        *crc = spl_crc32c(*crc, piece, n);
        at += n;
    }
out:
    return status;
}

spl_status spl_checkpoint_inspect(spl_checkpoint *about, const char *path)
{
    spl_status status = SPL_OK;
    spl_checkpoint c = {0};
    unsigned char header[SPL_CHECKPOINT_HEADER];
    unsigned char end[END_BYTES];
    uint32_t crc = 0;
    int fd = -1;
    *about = c;
    SPL_TRY(begin_reading(&c, &fd, path, header));
    const size_t n_head = SPL_CHECKPOINT_HEADER + c.n_sections * ENTRY_BYTES;
    c.image = malloc(n_head);
    if (c.image == NULL) {
        status = no_memory(n_head);
        goto out;
    }
    SPL_TRY(spl_file_read_at(fd, path, c.image, n_head, (uint64_t)0));
    SPL_TRY(sum_file(fd, path, c.n_bytes - END_BYTES, &crc));
    SPL_TRY(spl_file_read_at(fd, path, end, sizeof end, c.n_bytes - END_BYTES));
    if (get_u64(end) != crc) {
        SPL_TRY(damaged(path, "its checksum is wrong"));
    }
    SPL_TRY(read_image(&c, path));
    *about = c;
    about->sections = NULL;
    about->image = NULL;
    about->n_sections = 0;
out:
    if (fd >= 0) {
        close(fd);
    }
    spl_checkpoint_deinit(&c);
    return status;
}

spl_status spl_checkpoint_load(
    spl_checkpoint *checkpoint, const char *path, uint64_t max_bytes)
{
    spl_status status = SPL_OK;
    spl_checkpoint c = {0};
    unsigned char header[SPL_CHECKPOINT_HEADER];
    int fd = -1;
    *checkpoint = c;
    SPL_TRY(begin_reading(&c, &fd, path, header));
    if (c.n_bytes > max_bytes) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: %zu bytes, a checkpoint of this run has at most %llu; it is damaged or "
            "belongs to another run",
            path, c.n_bytes, (unsigned long long)max_bytes);
    }
    SPL_TRY(spl_memory_check(c.n_bytes, "the checkpoint"));
    c.image = malloc(c.n_bytes);
    if (c.image == NULL) {
        status = no_memory(c.n_bytes);
        goto out;
    }
    SPL_TRY(spl_file_read_at(fd, path, c.image, c.n_bytes, (uint64_t)0));
    if (memcmp(c.image, header, sizeof header) != 0 ||
        get_u64(c.image + c.n_bytes - END_BYTES) !=
            spl_crc32c(0, c.image, c.n_bytes - END_BYTES)) {
        SPL_TRY(damaged(path, "its checksum is wrong"));
    }
    SPL_TRY(read_image(&c, path));
    place_sections(&c);
    *checkpoint = c;
    c = (spl_checkpoint){0};
out:
    if (fd >= 0) {
        close(fd);
    }
    spl_checkpoint_deinit(&c);
    return status;
}
