#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "output/journal.h"
#include "output/journal_format.h"

enum { PIECE_BYTES = 1 << 16 };

static spl_status damaged(const spl_journal_reader *reader, const char *what)
{
    return spl_error(SPL_ERR_FORMAT, "%s: %s; the spike journal is damaged or none",
        reader->path, what);
}

/* A name as text of its own: without a NUL, ends with one. */
static char *copy_name(char **pool, const unsigned char *bytes, size_t length)
{
    char *name = *pool;
    if (memchr(bytes, '\0', length) != NULL) {
        return NULL;
    }
    memcpy(name, bytes, length);
    name[length] = '\0';
    *pool += length + 1;
    return name;
}

/* Populations of a header of `bytes` whose checksum is right. The names are copied to
 * `pool`, which is as long as the header and has two NULs for each population. */
static bool parse_populations(
    spl_journal_reader *reader, const unsigned char *header, size_t bytes, char *pool)
{
    size_t at = SPL_JOURNAL_FIXED_BYTES;
    for (size_t p = 0; p < reader->header.n_populations; p++) {
        spl_journal_population *population = &reader->populations[p];
        if (bytes - 4 - at < SPL_JOURNAL_POPULATION_BYTES) {
            return false;
        }
        const size_t name_bytes = spl_get_u32(header + at + 8);
        const size_t region_bytes = spl_get_u32(header + at + 12);
        population->size = spl_get_u64(header + at);
        at += SPL_JOURNAL_POPULATION_BYTES;
        if (name_bytes > SPL_JOURNAL_MAX_NAME || region_bytes > SPL_JOURNAL_MAX_NAME ||
            name_bytes == 0 || name_bytes + region_bytes > bytes - 4 - at) {
            return false;
        }
        population->name = copy_name(&pool, header + at, name_bytes);
        population->region = copy_name(&pool, header + at + name_bytes, region_bytes);
        if (population->name == NULL || population->region == NULL) {
            return false;
        }
        at += name_bytes + region_bytes;
    }
    return at == bytes - 4;
}

static spl_status parse_header(
    spl_journal_reader *reader, const unsigned char *bytes, size_t n)
{
    spl_status status = SPL_OK;
    spl_journal_header *header = &reader->header;
    if (spl_get_u32(bytes + n - 4) != spl_crc32c(0, bytes, n - 4)) {
        SPL_TRY(damaged(reader, "the header's checksum is wrong"));
    }
    memcpy(header->uuid, bytes + 16, SPL_JOURNAL_UUID_BYTES - 1);
    header->dt_ms = spl_get_f64(bytes + 56);
    header->first_step = spl_get_u64(bytes + 64);
    header->n_populations = spl_get_u32(bytes + 72);
    if (header->n_populations >
            (n - SPL_JOURNAL_FIXED_BYTES) / SPL_JOURNAL_POPULATION_BYTES ||
        header->n_populations > SPL_JOURNAL_MAX_POPULATIONS) {
        SPL_TRY(damaged(reader, "the header names more populations than it holds"));
    }
    const size_t n_populations = header->n_populations;
    reader->populations = calloc(n_populations + 1, sizeof *reader->populations);
    reader->first = calloc(n_populations + 1, sizeof *reader->first);
    reader->counts = calloc(n_populations + 1, sizeof *reader->counts);
    reader->names = malloc(n + 2 * n_populations);
    if (reader->populations == NULL || reader->first == NULL || reader->counts == NULL ||
        reader->names == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", reader->path);
    }
    header->populations = reader->populations;
    if (!parse_populations(reader, bytes, n, reader->names) ||
        !(header->dt_ms > 0.0 && isfinite(header->dt_ms))) {
        SPL_TRY(damaged(reader, "the header makes no sense"));
    }
out:
    return status;
}

spl_status spl_journal_read(spl_journal_reader *reader, int fd, const char *path)
{
    spl_status status = SPL_OK;
    unsigned char fixed[SPL_JOURNAL_FIXED_BYTES];
    unsigned char *bytes = NULL;
    struct stat what;
    *reader = (spl_journal_reader){.fd = fd, .path = path};
    if (fstat(fd, &what) != 0 || !S_ISREG(what.st_mode)) {
        SPL_FAIL(SPL_ERR_FILE_READ, "%s: not a file", path);
    }
    reader->file_bytes = (uint64_t)what.st_size;
    if (reader->file_bytes < sizeof fixed + 4) {
        SPL_TRY(damaged(reader, "shorter than a header"));
    }
    SPL_TRY(spl_file_read_at(fd, path, fixed, sizeof fixed, 0));
    if (spl_get_u64(fixed) != SPL_JOURNAL_MAGIC) {
        SPL_TRY(damaged(reader, "does not begin as a spike journal"));
    }
    if (spl_get_u32(fixed + 8) != SPL_JOURNAL_VERSION) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: version %u of the spike journal; this program reads version %d", path,
            (unsigned)spl_get_u32(fixed + 8), SPL_JOURNAL_VERSION);
    }
    const size_t n = spl_get_u32(fixed + 12);
    if (n < sizeof fixed + 4 || n > SPL_JOURNAL_MAX_HEADER || n > reader->file_bytes) {
        SPL_TRY(damaged(reader, "the header's length is impossible"));
    }
    bytes = malloc(n);
    if (bytes == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    SPL_TRY(spl_file_read_at(fd, path, bytes, n, 0));
    SPL_TRY(parse_header(reader, bytes, n));
    reader->header_bytes = n;
    spl_journal_rewind(reader);
out:
    free(bytes);
    return status;
}

void spl_journal_rewind(spl_journal_reader *reader)
{
    reader->whole = false;
    reader->frame = (spl_journal_frame){.step_from = reader->header.first_step,
        .step_to = reader->header.first_step,
        .end = reader->header_bytes};
}

void spl_journal_reader_deinit(spl_journal_reader *reader)
{
    free(reader->names);
    free(reader->populations);
    free(reader->first);
    free(reader->counts);
    *reader = (spl_journal_reader){.fd = -1};
}

/* Continue the checksum over bytes of the file. */
static spl_status sum_bytes(
    const spl_journal_reader *reader, uint64_t from, uint64_t to, uint32_t *crc)
{
    spl_status status = SPL_OK;
    unsigned char piece[PIECE_BYTES];
    for (uint64_t at = from; at < to;) {
        const size_t n = to - at < PIECE_BYTES ? (size_t)(to - at) : PIECE_BYTES;
        SPL_TRY(spl_file_read_at(reader->fd, reader->path, piece, n, at));
        *crc = spl_crc32c(*crc, piece, n);
        at += n;
    }
out:
    return status;
}

/* Find the columns of a payload. *fits: they fill it. */
static spl_status find_columns(
    spl_journal_reader *reader, uint64_t at, uint64_t end, bool *fits)
{
    spl_status status = SPL_OK;
    *fits = false;
    for (size_t p = 0; p < reader->header.n_populations; p++) {
        unsigned char count[4];
        if (end - at < sizeof count) {
            goto out;
        }
        SPL_TRY(spl_file_read_at(reader->fd, reader->path, count, sizeof count, at));
        at += sizeof count;
        reader->first[p] = at;
        reader->counts[p] = spl_get_u32(count);
        if ((end - at) / SPL_JOURNAL_SPIKE_BYTES < reader->counts[p]) {
            goto out;
        }
        at += (uint64_t)SPL_JOURNAL_SPIKE_BYTES * reader->counts[p];
    }
    *fits = at == end;
out:
    return status;
}

spl_status spl_journal_next(spl_journal_reader *reader, bool *found)
{
    spl_status status = SPL_OK;
    unsigned char head[SPL_JOURNAL_FRAME_BYTES];
    const uint64_t at = reader->frame.end;
    const uint64_t left = reader->file_bytes - at;
    bool fits = false;
    *found = false;
    reader->whole = left == 0;
    if (left < sizeof head) {
        goto out;
    }
    SPL_TRY(spl_file_read_at(reader->fd, reader->path, head, sizeof head, at));
    const uint64_t payload = spl_get_u32(head + 4);
    const spl_journal_frame frame = {.step_from = spl_get_u64(head + 8),
        .step_to = spl_get_u64(head + 16),
        .end = at + sizeof head + payload};
    if (spl_get_u32(head) != SPL_JOURNAL_FRAME_MAGIC || payload > left - sizeof head ||
        spl_get_u32(head + 28) != 0 || frame.step_from != reader->frame.step_to ||
        frame.step_to < frame.step_from) {
        goto out;
    }
    uint32_t crc = spl_crc32c(0, head, SPL_JOURNAL_SUMMED_BYTES);
    SPL_TRY(sum_bytes(reader, at + sizeof head, frame.end, &crc));
    if (crc != spl_get_u32(head + SPL_JOURNAL_SUMMED_BYTES)) {
        goto out;
    }
    SPL_TRY(find_columns(reader, at + sizeof head, frame.end, &fits));
    if (fits) {
        reader->frame = frame;
        *found = true;
    }
out:
    return status;
}

spl_status spl_journal_spikes(const spl_journal_reader *reader, size_t p, size_t from,
    size_t n, double *time, uint32_t *neuron)
{
    spl_status status = SPL_OK;
    const uint64_t times = reader->first[p];
    const uint64_t neurons = times + sizeof *time * (uint64_t)reader->counts[p];
    spl_bug_assert(from <= reader->counts[p] && n <= reader->counts[p] - from);
    SPL_TRY(spl_file_read_at(
        reader->fd, reader->path, time, n * sizeof *time, times + from * sizeof *time));
    SPL_TRY(spl_file_read_at(reader->fd, reader->path, neuron, n * sizeof *neuron,
        neurons + from * sizeof *neuron));
    for (size_t i = 0; i < n; i++) {
        time[i] = spl_get_f64((const unsigned char *)&time[i]);
        neuron[i] = le32toh(neuron[i]);
    }
out:
    return status;
}
