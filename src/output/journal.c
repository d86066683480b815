#include "output/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/str.h"
#include "output/journal_format.h"

/* Bytes that are encoded at once. */
enum { PIECE_BYTES = 1 << 16 };

static uint64_t header_bytes(const spl_journal_header *header)
{
    uint64_t bytes = SPL_JOURNAL_FIXED_BYTES + 4;
    for (size_t p = 0; p < header->n_populations; p++) {
        bytes += SPL_JOURNAL_POPULATION_BYTES + strlen(header->populations[p].name) +
                 strlen(header->populations[p].region);
    }
    return bytes;
}

/* What the reader would refuse is not written. */
static spl_status check_header(const char *path, const spl_journal_header *header)
{
    bool fits = header->n_populations <= SPL_JOURNAL_MAX_POPULATIONS;
    for (size_t p = 0; p < header->n_populations && fits; p++) {
        fits = strlen(header->populations[p].name) <= SPL_JOURNAL_MAX_NAME &&
               strlen(header->populations[p].region) <= SPL_JOURNAL_MAX_NAME;
    }
    return fits && header_bytes(header) <= SPL_JOURNAL_MAX_HEADER
               ? SPL_OK
               : spl_error(SPL_ERR_LIMIT,
                     "%s: %zu populations, or a name of more than %d bytes, are more "
                     "than a spike journal holds",
                     path, header->n_populations, SPL_JOURNAL_MAX_NAME);
}

static unsigned char *put_bytes(unsigned char *at, const char *text)
{
    const size_t length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}

static void encode_header(
    unsigned char *out, size_t bytes, const spl_journal_header *header)
{
    memset(out, 0, bytes);
    spl_put_u64(out, SPL_JOURNAL_MAGIC);
    spl_put_u32(out + 8, SPL_JOURNAL_VERSION);
    spl_put_u32(out + 12, (uint32_t)bytes);
    put_bytes(out + 16, header->uuid);
    spl_put_f64(out + 56, header->dt_ms);
    spl_put_u64(out + 64, header->first_step);
    spl_put_u32(out + 72, (uint32_t)header->n_populations);
    unsigned char *at = out + SPL_JOURNAL_FIXED_BYTES;
    for (size_t p = 0; p < header->n_populations; p++) {
        const spl_journal_population *population = &header->populations[p];
        spl_put_u64(at, population->size);
        spl_put_u32(at + 8, (uint32_t)strlen(population->name));
        spl_put_u32(at + 12, (uint32_t)strlen(population->region));
        at = put_bytes(at + SPL_JOURNAL_POPULATION_BYTES, population->name);
        at = put_bytes(at, population->region);
    }
    spl_put_u32(at, spl_crc32c(0, out, bytes - 4));
}

static spl_status write_header(spl_journal *journal, const spl_journal_header *header)
{
    const size_t bytes = (size_t)header_bytes(header);
    unsigned char *encoded = malloc(bytes);
    if (encoded == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", journal->path);
    }
    encode_header(encoded, bytes, header);
    spl_status status = spl_file_write_at(journal->fd, journal->path, encoded, bytes, 0);
    free(encoded);
    journal->bytes = bytes;
    return status == SPL_OK ? spl_file_sync(journal->fd, journal->path) : status;
}

/* The name only ever stands for a journal with its header. */
static spl_status create_as(spl_journal *journal, const char *temporary,
    const spl_journal_header *header, bool replace)
{
    spl_status status = SPL_OK;
    if (!replace && access(journal->path, F_OK) == 0) {
        SPL_FAIL(SPL_ERR_FILE_CREATE, "%s: cannot be created: %s", journal->path,
            strerror(EEXIST));
    }
    SPL_TRY(spl_file_delete_leftover(temporary));
    journal->fd =
        open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (journal->fd < 0) {
        SPL_FAIL(
            SPL_ERR_FILE_CREATE, "%s: cannot be created: %s", temporary, strerror(errno));
    }
    SPL_TRY(write_header(journal, header));
    SPL_TRY(spl_file_rename(temporary, journal->path));
out:
    if (status != SPL_OK && journal->fd >= 0) {
        unlink(spl_file_is_at(journal->fd, journal->path) ? journal->path : temporary);
    }
    return status;
}

spl_status spl_journal_create(spl_journal *journal, const char *path,
    const spl_journal_header *header, bool replace)
{
    spl_status status = SPL_OK;
    spl_text temporary = {0};
    *journal = (spl_journal){
        .fd = -1, .n_populations = header->n_populations, .end_step = header->first_step};
    SPL_TRY(check_header(path, header));
    journal->path = spl_strdup(path);
    spl_text_add(&temporary, "%s.tmp", path);
    if (journal->path == NULL || temporary.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    SPL_TRY(create_as(journal, temporary.data, header, replace));
out:
    spl_text_deinit(&temporary);
    return status;
}

spl_status spl_journal_find(const char *path, const char *uuid, spl_journal_found *found)
{
    spl_status status = SPL_OK;
    spl_journal_reader reader = {0};
    *found = SPL_JOURNAL_NONE;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? SPL_OK
                               : spl_error(SPL_ERR_FILE_READ, "%s: cannot be opened: %s",
                                     path, strerror(errno));
    }
    SPL_TRY(spl_journal_read(&reader, fd, path));
    *found = strcmp(reader.header.uuid, uuid) == 0 ? SPL_JOURNAL_OWN : SPL_JOURNAL_OTHER;
out:
    spl_journal_reader_deinit(&reader);
    close(fd);
    return status;
}

static bool same_header(const spl_journal_header *a, const spl_journal_header *b)
{
    bool same = strcmp(a->uuid, b->uuid) == 0 && a->dt_ms == b->dt_ms &&
                a->first_step == b->first_step && a->n_populations == b->n_populations;
    for (size_t p = 0; same && p < a->n_populations; p++) {
        same = a->populations[p].size == b->populations[p].size &&
               strcmp(a->populations[p].name, b->populations[p].name) == 0;
    }
    return same;
}

/* Find the end of the last valid frame. */
static spl_status find_end(spl_journal *journal, const spl_journal_header *header)
{
    spl_status status = SPL_OK;
    spl_journal_reader reader = {0};
    bool found = true;
    SPL_TRY(spl_journal_read(&reader, journal->fd, journal->path));
    if (!same_header(&reader.header, header)) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: the spike journal of another run (uuid %s, not %s, or other "
            "populations); move it away",
            journal->path, reader.header.uuid, header->uuid);
    }
    while (found) {
        SPL_TRY(spl_journal_next(&reader, &found));
    }
    journal->bytes = reader.frame.end;
    journal->end_step = reader.frame.step_to;
    if (!reader.whole) {
        if (ftruncate(journal->fd, (off_t)journal->bytes) != 0) {
            SPL_FAIL(SPL_ERR_FILE_WRITE, "%s: its torn end cannot be cut: %s",
                journal->path, strerror(errno));
        }
        SPL_TRY(spl_file_sync(journal->fd, journal->path));
    }
out:
    spl_journal_reader_deinit(&reader);
    return status;
}

spl_status spl_journal_resume(
    spl_journal *journal, const char *path, const spl_journal_header *header)
{
    spl_status status = SPL_OK;
    *journal = (spl_journal){.fd = -1, .n_populations = header->n_populations};
    journal->path = spl_strdup(path);
    if (journal->path == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    journal->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (journal->fd < 0) {
        SPL_FAIL(errno == ENOENT ? SPL_ERR_FILE_MISSING : SPL_ERR_FILE_READ,
            "%s: cannot be opened: %s", path, strerror(errno));
    }
    SPL_TRY(find_end(journal, header));
out:
    return status;
}

/* Bytes of a frame on their way to the file, in pieces. */
typedef struct pieces {
    const spl_journal *journal;
    uint64_t offset; /* of the piece under way */
    size_t used;
    uint32_t crc;
    unsigned char bytes[PIECE_BYTES];
} pieces;

static spl_status write_piece(pieces *out)
{
    out->crc = spl_crc32c(out->crc, out->bytes, out->used);
    spl_status status = spl_file_write_at(
        out->journal->fd, out->journal->path, out->bytes, out->used, out->offset);
    out->offset += out->used;
    out->used = 0;
    return status;
}

/* Room for one more number of `bytes`. */
static spl_status make_room(pieces *out, size_t bytes)
{
    return out->used + bytes > PIECE_BYTES ? write_piece(out) : SPL_OK;
}

static spl_status put_population(pieces *out, const spl_spike_columns *spikes)
{
    spl_status status = SPL_OK;
    SPL_TRY(make_room(out, 4));
    spl_put_u32(out->bytes + out->used, (uint32_t)spikes->n);
    out->used += 4;
    for (size_t i = 0; i < spikes->n; i++) {
        SPL_TRY(make_room(out, 8));
        spl_put_f64(out->bytes + out->used, spikes->time[i]);
        out->used += 8;
    }
    for (size_t i = 0; i < spikes->n; i++) {
        SPL_TRY(make_room(out, 4));
        spl_put_u32(out->bytes + out->used, spikes->neuron[i]);
        out->used += 4;
    }
out:
    return status;
}

static spl_status write_frame(pieces *out, unsigned char *head, uint64_t payload_bytes,
    const spl_spike_columns *populations)
{
    spl_status status = SPL_OK;
    const spl_journal *journal = out->journal;
    out->offset = journal->bytes + SPL_JOURNAL_FRAME_BYTES;
    out->crc = spl_crc32c(0, head, SPL_JOURNAL_SUMMED_BYTES);
    for (size_t p = 0; p < journal->n_populations; p++) {
        SPL_TRY(put_population(out, &populations[p]));
    }
    SPL_TRY(write_piece(out));
    spl_bug_assert(
        out->offset == journal->bytes + SPL_JOURNAL_FRAME_BYTES + payload_bytes);
    /* last, so that a frame cut short has no head */
    spl_put_u32(head + SPL_JOURNAL_SUMMED_BYTES, out->crc);
    SPL_TRY(spl_file_write_at(
        journal->fd, journal->path, head, SPL_JOURNAL_FRAME_BYTES, journal->bytes));
out:
    return status;
}

spl_status spl_journal_append(
    spl_journal *journal, uint64_t step_to, const spl_spike_columns *populations)
{
    spl_status status = SPL_OK;
    unsigned char head[SPL_JOURNAL_FRAME_BYTES] = {0};
    uint64_t n_spikes = 0;
    for (size_t p = 0; p < journal->n_populations; p++) {
        n_spikes += populations[p].n;
    }
    spl_bug_assert(step_to >= journal->end_step);
    if (n_spikes > SPL_JOURNAL_MAX_SPIKES) {
        return spl_error(SPL_ERR_LIMIT,
            "%s: %llu spikes at once are more than a spike journal holds; reduce the "
            "populations' activity",
            journal->path, (unsigned long long)n_spikes);
    }
    const uint64_t payload_bytes =
        4 * (uint64_t)journal->n_populations + SPL_JOURNAL_SPIKE_BYTES * n_spikes;
    pieces *out = malloc(sizeof *out);
    if (out == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", journal->path);
    }
    out->journal = journal;
    out->used = 0;
    spl_put_u32(head, SPL_JOURNAL_FRAME_MAGIC);
    spl_put_u32(head + 4, (uint32_t)payload_bytes);
    spl_put_u64(head + 8, journal->end_step);
    spl_put_u64(head + 16, step_to);
    SPL_TRY(write_frame(out, head, payload_bytes, populations));
    journal->bytes = out->offset;
    journal->end_step = step_to;
out:
    free(out);
    return status;
}

void spl_journal_deinit(spl_journal *journal)
{
    if (journal->path != NULL && journal->fd >= 0) {
        close(journal->fd);
    }
    free(journal->path);
    *journal = (spl_journal){.fd = -1};
}
