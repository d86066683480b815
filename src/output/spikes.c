#include "output/spikes.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/str.h"
#include "h5/h5.h"
#include "output/internal.h"
#include "output/journal.h"
#include "output/put.h"

/* SONATA, "Spike file": root attributes. */
static const uint32_t sonata_magic = 0x0A7A;
static const uint32_t sonata_version[2] = {0, 1};

enum { PIECE = 8192, SORTED_BY_TIME = 2 };

/* One population on its way. */
typedef struct train {
    uint64_t n, done;
    size_t place; /* of its times; its neurons and the checksums of both follow */
    double last_time;
    uint32_t last_neuron;
    uint32_t crc[2]; /* of times and neurons as written */
} train;

typedef struct conversion {
    const char *path;
    char *temporary;
    int fd;
    spl_journal_reader reader;
    spl_places places;
    train *trains; /* [n_populations] */
    double time[PIECE];
    uint32_t neuron[PIECE];
    uint64_t words[2][PIECE];
} conversion;

/* First pass: how many spikes each population has in the valid frames. */
static spl_status count_spikes(conversion *c, uint64_t *n_spikes)
{
    spl_status status = SPL_OK;
    const size_t n_populations = c->reader.header.n_populations;
    bool found = true;
    *n_spikes = 0;
    c->trains = calloc(n_populations + 1, sizeof *c->trains);
    if (c->trains == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", c->path);
    }
    for (;;) {
        SPL_TRY(spl_journal_next(&c->reader, &found));
        if (!found) {
            break;
        }
        for (size_t p = 0; p < n_populations; p++) {
            c->trains[p].n += c->reader.counts[p];
            *n_spikes += c->reader.counts[p];
        }
    }
out:
    return status;
}

/* A silent population gets no group: readers of SONATA take the first spike of each. */
static spl_status list_places(conversion *c)
{
    spl_status status = SPL_OK;
    const spl_journal_header *header = &c->reader.header;
    const uint64_t two = 2;
    spl_text group = {0};
    c->places.all = calloc(3 * header->n_populations + 1, sizeof *c->places.all);
    if (c->places.all == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", c->path);
    }
    for (size_t p = 0; p < header->n_populations; p++) {
        train *t = &c->trains[p];
        t->place = c->places.n;
        if (t->n > 0) {
            group.length = 0;
            spl_text_add(&group, "/spikes/%s", header->populations[p].name);
            if (group.failed) {
                SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", c->path);
            }
            SPL_TRY(spl_places_add(
                &c->places, SPL_PLACE_F8, 1, &t->n, group.data, "timestamps"));
            SPL_TRY(spl_places_add(
                &c->places, SPL_PLACE_U8, 1, &t->n, group.data, "node_ids"));
            SPL_TRY(spl_places_add(&c->places, SPL_PLACE_U4, 1, &two, "/checksums",
                header->populations[p].name));
        }
    }
out:
    spl_text_deinit(&group);
    return status;
}

static spl_status put_u32(hid_t object, const char *name, const uint32_t *values, int n)
{
    const hsize_t dims = (hsize_t)n;
    hid_t space = n > 1 ? H5Screate_simple(1, &dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t attribute =
        H5Acreate2(object, name, H5T_STD_U32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    spl_status status =
        attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_UINT32, values) >= 0
            ? SPL_OK
            : spl_h5_error(SPL_ERR_FILE_CREATE, "%s: cannot be stored", name);
    spl_close_object(attribute, name, &status);
    spl_close_id(space);
    return status;
}

static spl_status put_sorting(hid_t group)
{
    static const char *const names[] = {"none", "by_id", "by_time"};
    const uint8_t by_time = SORTED_BY_TIME;
    hid_t type = H5Tenum_create(H5T_STD_U8LE);
    bool good = type >= 0;
    for (uint8_t i = 0; i < sizeof names / sizeof *names; i++) {
        good = good && H5Tenum_insert(type, names[i], &i) >= 0;
    }
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute =
        good ? H5Acreate2(group, "sorting", type, space, H5P_DEFAULT, H5P_DEFAULT) : -1;
    spl_status status =
        attribute >= 0 && H5Awrite(attribute, type, &by_time) >= 0
            ? SPL_OK
            : spl_h5_error(SPL_ERR_FILE_CREATE, "sorting: cannot be stored");
    spl_close_object(attribute, "sorting", &status);
    spl_close_id(space);
    spl_close_id(type);
    return status;
}

static spl_status create_set(hid_t file, const spl_place *place, const char *unit)
{
    spl_status status = SPL_OK;
    const hsize_t n = place->dims[0];
    hid_t set = -1;
    SPL_TRY(spl_put_dataset(&set, file, place->path,
        place->type == SPL_PLACE_F8   ? H5T_IEEE_F64LE
        : place->type == SPL_PLACE_U8 ? H5T_STD_U64LE
                                      : H5T_STD_U32LE,
        1, &n));
    if (unit != NULL) {
        SPL_TRY(spl_put_text(set, "units", unit));
    }
out:
    spl_close_object(set, place->path, &status);
    return status;
}

static spl_status create_population(
    const conversion *c, hid_t file, hid_t spikes, size_t p)
{
    spl_status status = SPL_OK;
    const spl_journal_population *population = &c->reader.header.populations[p];
    const spl_place *place = &c->places.all[c->trains[p].place];
    hid_t group = -1;
    SPL_TRY(create_set(file, &place[0], "ms"));
    SPL_TRY(create_set(file, &place[1], NULL));
    SPL_TRY(create_set(file, &place[2], NULL));
    group = H5Gopen2(spikes, population->name, H5P_DEFAULT);
    SPL_TRY(put_sorting(group));
    SPL_TRY(spl_put_text(group, "region", population->region));
    SPL_TRY(spl_put_count(group, "size", population->size));
out:
    spl_close_object(group, population->name, &status);
    return status;
}

static spl_status create_root(const conversion *c, hid_t file, hid_t *spikes)
{
    spl_status status = SPL_OK;
    const spl_journal_reader *reader = &c->reader;
    SPL_TRY(put_u32(file, "magic", &sonata_magic, 1));
    SPL_TRY(put_u32(file, "version", sonata_version, 2));
    SPL_TRY(spl_put_text(file, "run_uuid", reader->header.uuid));
    SPL_TRY(spl_put_number(file, "dt", reader->header.dt_ms));
    SPL_TRY(spl_put_count(file, "first_step", reader->header.first_step));
    SPL_TRY(spl_put_count(file, "last_step", reader->frame.step_to));
    *spikes = H5Gcreate2(file, "spikes", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (*spikes < 0) {
        SPL_TRY(spl_h5_error(SPL_ERR_FILE_CREATE, "/spikes: cannot be stored"));
    }
out:
    return status;
}

/* All but the spikes themselves. */
static spl_status create_layout(conversion *c)
{
    spl_status status = SPL_OK;
    hid_t spikes = -1;
    hid_t access = spl_put_access_list();
    hid_t file =
        access >= 0 ? H5Fcreate(c->temporary, H5F_ACC_EXCL, H5P_DEFAULT, access) : -1;
    if (file < 0) {
        SPL_TRY(spl_h5_error(SPL_ERR_FILE_CREATE, "%s: cannot be created", c->temporary));
    }
    SPL_TRY(create_root(c, file, &spikes));
    for (size_t p = 0; p < c->reader.header.n_populations; p++) {
        if (c->trains[p].n > 0) {
            SPL_TRY(create_population(c, file, spikes, p));
        }
    }
    if (H5Fflush(file, H5F_SCOPE_GLOBAL) < 0) {
        SPL_TRY(spl_h5_error(SPL_ERR_FILE_CREATE, "%s: cannot be flushed", c->temporary));
    }
out:
    spl_close_object(spikes, "/spikes", &status);
    if (file >= 0 && H5Fclose(file) < 0 && status == SPL_OK) {
        status = spl_h5_error(SPL_ERR_FILE_CREATE, "%s: cannot be closed", c->temporary);
    }
    spl_close_id(access);
    return status;
}

/* What the journal says must be what the file promises: spikes of these neurons, in the
 * order of time. */
static spl_status check_piece(const conversion *c, size_t p, size_t n)
{
    const spl_journal_population *population = &c->reader.header.populations[p];
    double time = c->trains[p].last_time;
    uint32_t neuron = c->trains[p].last_neuron;
    for (size_t i = 0; i < n; i++) {
        const bool first = c->trains[p].done + i == 0;
        const bool later =
            c->time[i] > time || (c->time[i] == time && c->neuron[i] > neuron);
        if (!isfinite(c->time[i]) || c->neuron[i] >= population->size ||
            !(first || later)) {
            return spl_error(SPL_ERR_FORMAT,
                "%s: population %s: spike %llu (%.17g ms, neuron %u of %llu) does not "
                "follow the one before; the spike journal is damaged",
                c->reader.path, population->name,
                (unsigned long long)(c->trains[p].done + i), c->time[i],
                (unsigned)c->neuron[i], (unsigned long long)population->size);
        }
        time = c->time[i];
        neuron = c->neuron[i];
    }
    return SPL_OK;
}

/* Write the n spikes in the buffers behind those of population p that are there. */
static spl_status write_piece(conversion *c, size_t p, size_t n)
{
    spl_status status = SPL_OK;
    train *t = &c->trains[p];
    for (size_t i = 0; i < n; i++) {
        memcpy(&c->words[0][i], &c->time[i], sizeof c->time[i]);
        c->words[0][i] = htole64(c->words[0][i]);
        c->words[1][i] = htole64(c->neuron[i]);
    }
    for (size_t column = 0; column < 2; column++) {
        const size_t bytes = n * sizeof *c->words[column];
        const uint64_t offset = c->places.all[t->place + column].offset + 8 * t->done;
        t->crc[column] = spl_crc32c(t->crc[column], c->words[column], bytes);
        SPL_TRY(spl_file_write_at(c->fd, c->temporary, c->words[column], bytes, offset));
    }
    t->last_time = c->time[n - 1];
    t->last_neuron = c->neuron[n - 1];
    t->done += n;
out:
    return status;
}

static spl_status write_frame(conversion *c)
{
    spl_status status = SPL_OK;
    for (size_t p = 0; p < c->reader.header.n_populations; p++) {
        const size_t count = c->reader.counts[p];
        for (size_t from = 0; from < count; from += PIECE) {
            const size_t n = count - from < PIECE ? count - from : PIECE;
            SPL_TRY(spl_journal_spikes(&c->reader, p, from, n, c->time, c->neuron));
            SPL_TRY(check_piece(c, p, n));
            if (n > c->trains[p].n - c->trains[p].done) {
                SPL_FAIL(
                    SPL_ERR_FILE_READ, "%s: changed while it was read", c->reader.path);
            }
            SPL_TRY(write_piece(c, p, n));
        }
    }
out:
    return status;
}

/* Both checksums as the file has them. */
static void encode_checksums(const train *t, uint32_t crc[2])
{
    crc[0] = htole32(t->crc[0]);
    crc[1] = htole32(t->crc[1]);
}

static spl_status write_checksums(conversion *c)
{
    spl_status status = SPL_OK;
    for (size_t p = 0; p < c->reader.header.n_populations; p++) {
        const train *t = &c->trains[p];
        uint32_t crc[2];
        encode_checksums(t, crc);
        if (t->n > 0) {
            SPL_TRY(spl_file_write_at(c->fd, c->temporary, crc, sizeof crc,
                c->places.all[t->place + 2].offset));
        }
    }
out:
    return status;
}

/* Second pass: the spikes. */
static spl_status write_spikes(conversion *c)
{
    spl_status status = SPL_OK;
    bool found = true;
    spl_journal_rewind(&c->reader);
    for (;;) {
        SPL_TRY(spl_journal_next(&c->reader, &found));
        if (!found) {
            break;
        }
        SPL_TRY(write_frame(c));
    }
    SPL_TRY(write_checksums(c));
    SPL_TRY(spl_file_sync(c->fd, c->temporary));
out:
    return status;
}

static spl_status compare_column(conversion *c, const spl_place *place, uint32_t wanted)
{
    spl_status status = SPL_OK;
    uint32_t crc = 0;
    for (uint64_t at = 0; at < place->bytes;) {
        const uint64_t left = place->bytes - at;
        const size_t n = left < sizeof c->words[0] ? (size_t)left : sizeof c->words[0];
        SPL_TRY(
            spl_file_read_at(c->fd, c->temporary, c->words[0], n, place->offset + at));
        crc = spl_crc32c(crc, c->words[0], n);
        at += n;
    }
    if (crc != wanted) {
        SPL_FAIL(SPL_ERR_FILE_WRITE,
            "%s: %s does not read back as it was written; check the disk", c->temporary,
            place->path);
    }
out:
    return status;
}

/* Success of every call so far proves nothing: open it again. */
static spl_status compare(conversion *c)
{
    spl_status status = SPL_OK;
    SPL_TRY(spl_places_find(&c->places, c->temporary, true));
    for (size_t p = 0; p < c->reader.header.n_populations; p++) {
        const train *t = &c->trains[p];
        if (t->done != t->n) {
            SPL_FAIL(SPL_ERR_FILE_READ, "%s: changed while it was read", c->reader.path);
        }
        for (size_t column = 0; column < 2 && t->n > 0; column++) {
            SPL_TRY(compare_column(c, &c->places.all[t->place + column], t->crc[column]));
        }
        if (t->n > 0) {
            uint32_t crc[2];
            encode_checksums(t, crc);
            SPL_TRY(compare_column(
                c, &c->places.all[t->place + 2], spl_crc32c(0, crc, sizeof crc)));
        }
    }
out:
    return status;
}

static spl_status convert(conversion *c, uint64_t *n_spikes)
{
    spl_status status = SPL_OK;
    SPL_TRY(count_spikes(c, n_spikes));
    SPL_TRY(list_places(c));
    /* HDF5 may crash on a full disk: ask first */
    SPL_TRY(spl_output_check_room(
        c->path, 16 * *n_spikes + 4096 * (uint64_t)(c->places.n + 4)));
    SPL_TRY(spl_file_delete_leftover(c->temporary));
    SPL_TRY(create_layout(c));
    SPL_TRY(spl_places_find(&c->places, c->temporary, false));
    c->fd = open(c->temporary, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (c->fd < 0) {
        SPL_FAIL(SPL_ERR_FILE_CREATE, "%s: cannot be opened: %s", c->temporary,
            strerror(errno));
    }
    SPL_TRY(spl_output_allocate(c->fd, c->temporary));
    SPL_TRY(write_spikes(c));
    SPL_TRY(compare(c));
    SPL_TRY(spl_file_rename(c->temporary, c->path));
out:
    return status;
}

static spl_status open_journal(
    conversion *c, int *fd, const char *journal, const char *uuid)
{
    spl_status status = SPL_OK;
    *fd = open(journal, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) {
        SPL_FAIL(errno == ENOENT ? SPL_ERR_FILE_MISSING : SPL_ERR_FILE_READ,
            "%s: cannot be opened: %s", journal, strerror(errno));
    }
    SPL_TRY(spl_journal_read(&c->reader, *fd, journal));
    if (strcmp(c->reader.header.uuid, uuid) != 0) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: the spike journal of another run (uuid %s, not %s)",
            journal, c->reader.header.uuid, uuid);
    }
out:
    return status;
}

spl_status spl_spikes_write(
    const char *path, const char *journal, const char *uuid, uint64_t *n_spikes)
{
    spl_status status = SPL_OK;
    uint64_t n = 0;
    int journal_fd = -1;
    spl_text temporary = {0};
    conversion *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    c->path = path;
    c->fd = -1;
    spl_text_add(&temporary, "%s.tmp", path);
    if (temporary.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    c->temporary = temporary.data;
    SPL_TRY(spl_h5_init());
    SPL_TRY(open_journal(c, &journal_fd, journal, uuid));
    status = convert(c, &n);
    if (status != SPL_OK) {
        unlink(c->temporary);
    }
    if (n_spikes != NULL) {
        *n_spikes = n;
    }
out:
    if (c->fd >= 0) {
        close(c->fd);
    }
    if (journal_fd >= 0) {
        close(journal_fd);
    }
    spl_journal_reader_deinit(&c->reader);
    spl_places_deinit(&c->places);
    free(c->trains);
    free(c);
    spl_text_deinit(&temporary);
    return status;
}
