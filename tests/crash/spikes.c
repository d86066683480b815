/* The journal's frames are read here as its format says, by nothing of ours. */
#include "spikes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIXED = 80, POPULATION = 16, FRAME = 32, SUMMED = 24, AT_UUID = 16, UUID = 36 };

static void give_up(const char *what, const char *path)
{
    fprintf(stderr, "replay: %s: %s\n", path, what);
    exit(EXIT_FAILURE);
}

static uint32_t get_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t get_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* A column of a train, n items of 8 bytes; NULL if it cannot be read. */
static void *read_column(hid_t file, const char *train, const char *name, size_t *n)
{
    char path[2 * CRASH_MAX_NAME];
    snprintf(path, sizeof path, "/spikes/%s/%s", train, name);
    const hid_t set = H5Dopen2(file, path, H5P_DEFAULT);
    if (set < 0) {
        return NULL;
    }
    const hid_t type = H5Dget_type(set);
    const hid_t space = H5Dget_space(set);
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    uint64_t *column = NULL;
    *n = 0;
    if (count >= 0 && H5Tget_size(type) == sizeof *column) {
        *n = (size_t)count;
        column = crash_allocate(NULL, *n * sizeof *column);
        if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, column) < 0) {
            free(column);
            column = NULL;
        }
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(set);
    return column;
}

static bool read_train(hid_t file, crash_train *train)
{
    size_t n;
    train->times = read_column(file, train->name, "timestamps", &train->n);
    train->neurons = read_column(file, train->name, "node_ids", &n);
    return train->times != NULL && train->neurons != NULL && n == train->n;
}

static void free_train(crash_train *train)
{
    free(train->times);
    free(train->neurons);
}

static bool read_number(hid_t file, const char *name, hid_t type, void *value)
{
    const hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    const bool good = attribute >= 0 && H5Aread(attribute, type, value) >= 0;
    if (attribute >= 0) {
        H5Aclose(attribute);
    }
    return good;
}

void crash_spikes_load(crash_spikes *spikes, const char *results)
{
    char path[4096];
    H5G_info_t info;
    memset(spikes, 0, sizeof *spikes);
    snprintf(path, sizeof path, "%.*s.spikes.h5", (int)strlen(results) - 3, results);
    if (access(path, F_OK) != 0) {
        return;
    }
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0 || H5Gget_info_by_name(file, "/spikes", &info, H5P_DEFAULT) < 0 ||
        info.nlinks > CRASH_MAX_POPULATIONS) {
        give_up("cannot be opened", path);
    }
    spikes->any = true;
    for (size_t i = 0; i < info.nlinks; i++) {
        crash_train *train = &spikes->trains[spikes->n_trains++];
        if (H5Lget_name_by_idx(file, "/spikes", H5_INDEX_NAME, H5_ITER_INC, i,
                train->name, sizeof train->name, H5P_DEFAULT) < 0 ||
            !read_train(file, train)) {
            give_up("cannot be read", path);
        }
    }
    H5Fclose(file);
}

void crash_spikes_deinit(crash_spikes *spikes)
{
    for (size_t i = 0; i < spikes->n_trains; i++) {
        free_train(&spikes->trains[i]);
    }
    free(spikes->journal.data);
    free(spikes->file.data);
}

/* A frame's or file's part of a population: spikes [*done, *done + n). */
typedef struct part {
    const crash_train *train; /* NULL: of a silent one */
    size_t done;
} part;

static const crash_train *find_train(const crash_spikes *spikes, const char *name)
{
    for (size_t i = 0; i < spikes->n_trains; i++) {
        if (strcmp(spikes->trains[i].name, name) == 0) {
            return &spikes->trains[i];
        }
    }
    return NULL;
}

/* None that belongs to the steps up to `end` ms is missing. */
static bool is_complete(const part *p, double end)
{
    return p->train == NULL || p->done == p->train->n ||
           p->train->times[p->done] > end + 1e-6;
}

/* The next n spikes of a frame, times and then neurons. */
static bool check_columns(part *p, const uint8_t *at, size_t n)
{
    if (n == 0) {
        return true;
    }
    if (p->train == NULL || n > p->train->n - p->done ||
        memcmp(at, p->train->times + p->done, 8 * n) != 0) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (get_u32(at + 8 * n + 4 * i) != p->train->neurons[p->done + i]) {
            return false;
        }
    }
    p->done += n;
    return true;
}

/* Spikes of one whole frame; false if they are not those of its steps. */
static bool check_frame(
    const uint8_t *frame, size_t bytes, part *parts, size_t n_parts, double end)
{
    size_t at = FRAME;
    for (size_t p = 0; p < n_parts; p++) {
        const size_t n = at + 4 <= bytes ? get_u32(frame + at) : SIZE_MAX / 16;
        at += 4;
        if (n > (bytes - at) / 12 || !check_columns(&parts[p], frame + at, n) ||
            !is_complete(&parts[p], end)) {
            return false;
        }
        at += 12 * n;
    }
    return at == bytes;
}

/* The populations of a header; false if it is not whole. */
static bool read_header(
    const crash_spikes *spikes, const crash_bytes *journal, part *parts, size_t *n_parts)
{
    const uint8_t *data = journal->data;
    const size_t bytes = journal->size >= FIXED ? get_u32(data + 12) : 0;
    size_t at = FIXED;
    if (bytes < FIXED || bytes > journal->size || memcmp(data, "SPLSPIKE", 8) != 0 ||
        get_u32(data + bytes - 4) != crash_crc32c(data, bytes - 4) ||
        get_u32(data + 72) > CRASH_MAX_POPULATIONS) {
        return false;
    }
    *n_parts = get_u32(data + 72);
    for (size_t p = 0; p < *n_parts; p++) {
        char name[CRASH_MAX_NAME];
        snprintf(name, sizeof name, "%.*s", (int)get_u32(data + at + 8),
            (const char *)data + at + POPULATION);
        parts[p] = (part){.train = find_train(spikes, name)};
        at += POPULATION + get_u32(data + at + 8) + get_u32(data + at + 12);
    }
    return at == bytes - 4;
}

/* Bytes of the frame at `at` if it is whole, else 0. */
static size_t whole_frame(const crash_bytes *journal, size_t at, uint64_t step)
{
    const uint8_t *frame = journal->data + at;
    const size_t left = journal->size - at;
    if (left < FRAME || memcmp(frame, "SPKF", 4) != 0 ||
        get_u32(frame + 4) > left - FRAME || get_u64(frame + 8) != step) {
        return 0;
    }
    const size_t bytes = FRAME + get_u32(frame + 4);
    uint8_t *summed = crash_allocate(NULL, bytes);
    memcpy(summed, frame, SUMMED);
    memcpy(summed + SUMMED, frame + FRAME, bytes - FRAME);
    const uint32_t crc = crash_crc32c(summed, bytes - (FRAME - SUMMED));
    free(summed);
    return crc == get_u32(frame + SUMMED) ? bytes : 0;
}

crash_verdict crash_journal_check(crash_spikes *spikes, const crash_bytes *journal,
    const char *uuid, uint64_t durable_bytes, uint64_t *step, const char **why)
{
    part parts[CRASH_MAX_POPULATIONS];
    size_t n_parts;
    crash_bytes *known = &spikes->journal;
    *why = "the journal's header";
    if (!read_header(spikes, journal, parts, &n_parts) ||
        memcmp(journal->data + AT_UUID, uuid, UUID) != 0) {
        return CRASH_WRONG;
    }
    size_t at = get_u32(journal->data + 12);
    double dt;
    memcpy(&dt, journal->data + 56, sizeof dt);
    *step = get_u64(journal->data + 64);
    const bool same = known->size > 0 && journal->size >= known->size &&
                      memcmp(known->data, journal->data, known->size) == 0;
    for (size_t bytes; at < journal->size; at += bytes) {
        /* what was right before need not be summed again */
        bytes = same && at < known->size ? FRAME + get_u32(journal->data + at + 4)
                                         : whole_frame(journal, at, *step);
        if (bytes == 0) {
            break;
        }
        *step = get_u64(journal->data + at + 16);
        *why = "the journal's spikes";
        if (!check_frame(journal->data + at, bytes, parts, n_parts, (double)*step * dt)) {
            return CRASH_WRONG;
        }
    }
    *why = "the journal ends early";
    if (at < durable_bytes) {
        return CRASH_WRONG;
    }
    crash_bytes_set(known, journal->data, at);
    return CRASH_GOOD;
}

static void write_file(const char *path, const crash_bytes *bytes)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, bytes->data, bytes->size) != (ssize_t)bytes->size) {
        give_up("cannot be written", path);
    }
    close(fd);
}

/* Spikes of one population, up to `end` ms. */
static crash_verdict check_train(const crash_train *wanted, hid_t file, double end)
{
    crash_train found = {.n = 0};
    part all = {.train = wanted};
    memcpy(found.name, wanted->name, sizeof found.name);
    char path[2 * CRASH_MAX_NAME];
    snprintf(path, sizeof path, "/spikes/%s", wanted->name);
    const bool exists = H5Lexists(file, path, H5P_DEFAULT) > 0;
    const bool readable = !exists || read_train(file, &found);
    const bool right =
        readable && found.n <= wanted->n &&
        (found.n == 0 || (memcmp(found.times, wanted->times, 8 * found.n) == 0 &&
                             memcmp(found.neurons, wanted->neurons, 8 * found.n) == 0));
    free_train(&found);
    all.done = found.n;
    return !readable                         ? CRASH_UNREADABLE
           : right && is_complete(&all, end) ? CRASH_GOOD
                                             : CRASH_WRONG;
}

crash_verdict crash_spikes_check(crash_spikes *spikes, const char *path,
    const crash_bytes *bytes, uint64_t *step, const char **why)
{
    crash_bytes *known = &spikes->file;
    double dt;
    crash_verdict verdict = CRASH_UNREADABLE;
    *why = "the file of spikes";
    if (known->size == bytes->size &&
        memcmp(known->data, bytes->data, known->size) == 0) {
        *step = spikes->file_step;
        return CRASH_GOOD;
    }
    write_file(path, bytes);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) {
        return CRASH_UNREADABLE;
    }
    if (read_number(file, "last_step", H5T_NATIVE_UINT64, step) &&
        read_number(file, "dt", H5T_NATIVE_DOUBLE, &dt)) {
        verdict = CRASH_GOOD;
        for (size_t i = 0; i < spikes->n_trains && verdict == CRASH_GOOD; i++) {
            verdict = check_train(&spikes->trains[i], file, (double)*step * dt);
        }
    }
    H5Fclose(file);
    if (verdict == CRASH_GOOD) {
        crash_bytes_set(known, bytes->data, bytes->size);
        spikes->file_step = *step;
    }
    return verdict;
}
