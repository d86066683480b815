/* Stock HDF5, and nothing of ours: neither the code that opens results files nor the one
 * that chooses a slot. */
#include "results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"

enum { MAX_OBJECTS = 512 };

static void give_up(const char *what, const char *path)
{
    fprintf(stderr, "replay: the reference: %s: %s\n", what, path);
    exit(EXIT_FAILURE);
}

uint32_t crash_crc32c(const uint8_t *data, size_t n)
{
    static uint32_t table[256];
    uint32_t crc = UINT32_MAX;
    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            table[i] = i;
            for (int bit = 0; bit < 8; bit++) {
                table[i] = table[i] >> 1 ^ (table[i] & 1 ? UINT32_C(0x82F63B78) : 0);
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xFF];
    }
    return ~crc;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text);
    return n >= strlen(end) && strcmp(text + n - strlen(end), end) == 0;
}

/* Listed before all that they belong to. */
static bool has_checksums(const crash_reference *r, const char *path)
{
    for (size_t i = 0; i < r->n_objects; i++) {
        if (starts_with(r->objects[i].path, "/checksums") &&
            strcmp(r->objects[i].path + strlen("/checksums"), path) == 0) {
            return r->objects[i].kind == CRASH_CHECKSUMS;
        }
    }
    return false;
}

static bool is_sum(const char *path)
{
    return (starts_with(path, "/populations/") || starts_with(path, "/subnetworks/")) &&
           (ends_with(path, "/spikes") || ends_with(path, "/external_events") ||
               ends_with(path, "/clips"));
}

static crash_object_kind kind_of(const crash_reference *r, const char *path, bool strings)
{
    if (strings) {
        return CRASH_STRINGS;
    }
    if (starts_with(path, "/monitors/")) {
        return ends_with(path, "/time") ? CRASH_FIXED : CRASH_ROWS;
    }
    if (has_checksums(r, path)) {
        return CRASH_ROWS;
    }
    if (is_sum(path)) {
        return CRASH_FINAL;
    }
    if (ends_with(path, "/mapping/time")) {
        return CRASH_FREE; /* first, last, step: the last changes with the duration */
    }
    return starts_with(path, "/checksums/")     ? CRASH_CHECKSUMS
           : starts_with(path, "/state/final/") ? CRASH_FINAL
           : starts_with(path, "/performance/") ? CRASH_FREE
           : strcmp(path, "/progress") == 0     ? CRASH_SLOTS
           : strcmp(path, "/status/code") == 0  ? CRASH_CODE
           : starts_with(path, "/status/")      ? CRASH_FREE
                                                : CRASH_FIXED;
}

/* An open dataset. */
typedef struct set {
    hid_t id, type;
    bool strings;
    size_t n, bytes;
} set;

static void close_set(set *s)
{
    if (s->type >= 0) {
        H5Tclose(s->type);
    }
    if (s->id >= 0) {
        H5Dclose(s->id);
    }
}

static bool open_set(set *s, hid_t file, const char *path)
{
    hsize_t dims[H5S_MAX_RANK];
    *s = (set){.id = H5Dopen2(file, path, H5P_DEFAULT), .type = -1, .n = 1};
    if (s->id < 0) {
        return false;
    }
    const hid_t space = H5Dget_space(s->id);
    const int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    s->type = H5Dget_type(s->id);
    if (rank < 0 || s->type < 0) {
        return false;
    }
    s->strings = H5Tis_variable_str(s->type) > 0;
    s->bytes = H5Tget_size(s->type);
    for (int r = 0; r < rank; r++) {
        if (r == 0) {
            s->n = (size_t)dims[r];
        } else {
            s->bytes *= (size_t)dims[r];
        }
    }
    return true;
}

static bool read_set(const set *s, void *out)
{
    return H5Dread(s->id, s->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0;
}

static size_t count_links(hid_t file, const char *path)
{
    H5G_info_t info;
    return H5Gget_info_by_name(file, path, &info, H5P_DEFAULT) < 0 ? SIZE_MAX
                                                                   : (size_t)info.nlinks;
}

static void load_set(crash_reference *r, crash_object *object, hid_t file)
{
    set s;
    if (!open_set(&s, file, object->path)) {
        give_up("cannot be opened", object->path);
    }
    object->kind = kind_of(r, object->path, s.strings);
    object->n = s.n;
    object->bytes = s.bytes;
    if (!s.strings) {
        object->data = crash_allocate(NULL, s.n * s.bytes);
        if (!read_set(&s, object->data)) {
            give_up("cannot be read", object->path);
        }
    }
    if (object->kind == CRASH_SLOTS) {
        r->slots_offset = H5Dget_offset(s.id);
        memcpy(&r->end.step, object->data + 8, sizeof r->end.step);
    }
    if (s.n * s.bytes > r->buffer_bytes) {
        r->buffer_bytes = s.n * s.bytes;
    }
    close_set(&s);
}

static void load_group(crash_reference *r, hid_t file, const char *path)
{
    crash_object *group = &r->objects[r->n_objects++];
    *group = (crash_object){.kind = CRASH_GROUP, .n_links = count_links(file, path)};
    snprintf(group->path, sizeof group->path, "%s", path);
    for (size_t i = 0; i < group->n_links; i++) {
        char name[CRASH_MAX_PATH / 2];
        H5O_info_t info;
        if (r->n_objects == MAX_OBJECTS ||
            H5Lget_name_by_idx(file, path, H5_INDEX_NAME, H5_ITER_INC, i, name,
                sizeof name, H5P_DEFAULT) < 0 ||
            H5Oget_info_by_idx1(
                file, path, H5_INDEX_NAME, H5_ITER_INC, i, &info, H5P_DEFAULT) < 0) {
            give_up("cannot be listed", path);
        }
        crash_object *object = &r->objects[r->n_objects];
        char below[2 * CRASH_MAX_PATH];
        snprintf(
            below, sizeof below, "%s%s%s", path, ends_with(path, "/") ? "" : "/", name);
        if (strlen(below) >= CRASH_MAX_PATH) {
            give_up("has long names", path);
        }
        if (info.type == H5O_TYPE_GROUP) {
            load_group(r, file, below);
        } else {
            *object = (crash_object){.n_links = 0};
            memcpy(object->path, below, strlen(below) + 1);
            r->n_objects++;
            load_set(r, object, file);
        }
    }
}

/* Names of the streams in the order of the slots. */
static void load_streams(crash_reference *r, hid_t file)
{
    char *names[CRASH_MAX_STREAMS];
    const hid_t attribute =
        H5Aopen_by_name(file, "/progress", "streams", H5P_DEFAULT, H5P_DEFAULT);
    const hid_t type = H5Aget_type(attribute);
    const hid_t space = H5Aget_space(attribute);
    const hssize_t n = H5Sget_simple_extent_npoints(space);
    if (n < 0 || n > CRASH_MAX_STREAMS || H5Aread(attribute, type, names) < 0) {
        give_up("no streams", "/progress");
    }
    r->n_streams = (size_t)n;
    for (size_t i = 0; i < r->n_streams; i++) {
        snprintf(r->streams[i], sizeof r->streams[i], "%s%s/",
            names[i][0] == '/' ? "" : "/", names[i]);
    }
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, names);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
}

static void find_stream(crash_reference *r, crash_object *object, hid_t file)
{
    const bool prefixed =
        object->kind == CRASH_CHECKSUMS || starts_with(object->path, "/monitors/");
    const char *rest = prefixed ? strchr(object->path + 1, '/') : object->path;
    size_t s = 0;
    while (s < r->n_streams && !starts_with(rest, r->streams[s])) {
        s++;
    }
    if (s == r->n_streams) {
        give_up("of no stream", object->path);
    }
    object->stream = s;
    if (object->kind == CRASH_CHECKSUMS) {
        const hid_t attribute = H5Aopen_by_name(
            file, object->path, "rows_per_block", H5P_DEFAULT, H5P_DEFAULT);
        if (H5Aread(attribute, H5T_NATIVE_UINT64, &r->rows_per_block[s]) < 0) {
            give_up("no rows per block", object->path);
        }
        H5Aclose(attribute);
    }
}

void crash_reference_load(crash_reference *reference, const char *path)
{
    memset(reference, 0, sizeof *reference);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) {
        give_up("cannot be opened", path);
    }
    reference->objects = crash_allocate(NULL, MAX_OBJECTS * sizeof *reference->objects);
    load_group(reference, file, "/");
    load_streams(reference, file);
    for (size_t i = 0; i < reference->n_objects; i++) {
        crash_object *object = &reference->objects[i];
        if (object->kind == CRASH_ROWS || object->kind == CRASH_CHECKSUMS) {
            find_stream(reference, object, file);
        }
    }
    reference->buffer = crash_allocate(NULL, reference->buffer_bytes);
    H5Fclose(file);
}

void crash_reference_deinit(crash_reference *reference)
{
    for (size_t i = 0; i < reference->n_objects; i++) {
        free(reference->objects[i].data);
    }
    free(reference->objects);
    free(reference->buffer);
    free(reference->known);
}

/* Rules for a slot: {step + 1, step, journal bytes, n, rows[n], CRC-32C}. */
static bool decode(const crash_reference *r, const uint64_t *slot, crash_durable *out)
{
    const size_t n = r->n_streams;
    if (slot[0] == 0 || slot[0] != slot[1] + 1 || slot[3] != n ||
        slot[4 + n] != crash_crc32c((const uint8_t *)slot, 8 * (4 + n))) {
        return false;
    }
    out->step = slot[1];
    out->journal_bytes = slot[2];
    memcpy(out->rows, slot + 4, n * sizeof *out->rows);
    return true;
}

static bool choose_slot(
    const crash_reference *r, const uint64_t *slots, crash_durable *out)
{
    crash_durable second;
    const bool first_valid = decode(r, slots, out);
    const bool second_valid = decode(r, slots + CRASH_SLOT_WORDS, &second);
    if (second_valid && (!first_valid || second.step > out->step)) {
        *out = second;
    }
    return first_valid || second_valid;
}

/* How many items of a dataset of n must be right. A run that will be extended, or is
 * complete and shorter than the reference, has another end. */
static size_t count_right(const crash_reference *r, const crash_object *object, size_t n,
    const crash_durable *durable)
{
    const bool at_end = durable->complete && durable->step == r->end.step;
    const uint64_t rows = durable->rows[object->stream];
    switch (object->kind) {
    case CRASH_FIXED:
        return n < object->n ? n : object->n;
    case CRASH_ROWS:
        return durable->complete ? n : (size_t)rows;
    case CRASH_CHECKSUMS:
        return at_end ? n : (size_t)(rows / r->rows_per_block[object->stream]);
    case CRASH_FINAL:
        return at_end ? n : 0;
    default:
        return 0;
    }
}

static crash_verdict check_strings(const set *s)
{
    char **strings = crash_allocate(NULL, s->n * sizeof *strings);
    const hid_t space = H5Dget_space(s->id);
    const bool good = read_set(s, strings);
    if (good) {
        H5Dvlen_reclaim(s->type, space, H5P_DEFAULT, strings);
    }
    H5Sclose(space);
    free(strings);
    return good ? CRASH_GOOD : CRASH_UNREADABLE;
}

static crash_verdict check_set(const crash_reference *r, const crash_object *object,
    hid_t file, const crash_durable *durable)
{
    crash_verdict verdict = CRASH_UNREADABLE;
    set s;
    if (!open_set(&s, file, object->path) ||
        s.strings != (object->kind == CRASH_STRINGS) || s.bytes != object->bytes) {
        goto out;
    }
    if (s.strings) {
        verdict = check_strings(&s);
        goto out;
    }
    if (s.n * s.bytes > r->buffer_bytes || !read_set(&s, r->buffer)) {
        goto out;
    }
    const size_t right = count_right(r, object, s.n, durable);
    verdict = right > s.n                                                   ? CRASH_WRONG
              : right > object->n                                           ? CRASH_WRONG
              : memcmp(r->buffer, object->data, right * object->bytes) != 0 ? CRASH_WRONG
                                                                            : CRASH_GOOD;
out:
    close_set(&s);
    return verdict;
}

static bool read_uuid(hid_t file, char uuid[CRASH_UUID])
{
    char *text = NULL;
    const hid_t attribute = H5Aopen(file, "uuid", H5P_DEFAULT);
    if (attribute < 0) {
        return false;
    }
    const hid_t type = H5Aget_type(attribute);
    const bool good = H5Tis_variable_str(type) > 0 &&
                      H5Aread(attribute, type, &text) >= 0 &&
                      strlen(text) == CRASH_UUID - 1;
    if (good) {
        memcpy(uuid, text, CRASH_UUID);
    }
    H5free_memory(text);
    H5Tclose(type);
    H5Aclose(attribute);
    return good;
}

static crash_verdict read_durable(
    const crash_reference *r, hid_t file, crash_durable *durable, const char **why)
{
    static uint64_t slots[2 * CRASH_SLOT_WORDS];
    uint8_t code = UINT8_MAX;
    set progress;
    set status = {.id = -1, .type = -1};
    crash_verdict verdict = CRASH_UNREADABLE;
    *why = "slots or code";
    if (open_set(&progress, file, "/progress") &&
        progress.n * progress.bytes == sizeof slots && read_set(&progress, slots) &&
        open_set(&status, file, "/status/code") && status.n * status.bytes == 1 &&
        read_set(&status, &code)) {
        verdict =
            choose_slot(r, slots, durable) && code <= 4 ? CRASH_GOOD : CRASH_UNREADABLE;
    }
    durable->complete = code == 1;
    close_set(&progress);
    close_set(&status);
    return verdict;
}

static bool changes(crash_object_kind kind)
{
    return kind != CRASH_GROUP && kind != CRASH_FIXED && kind != CRASH_STRINGS;
}

/* Remember a file that is right, and where its changing datasets lie. */
static void learn(crash_reference *r, hid_t file, const uint8_t *data, size_t bytes)
{
    r->known = crash_allocate(r->known, bytes);
    memcpy(r->known, data, bytes);
    r->known_bytes = bytes;
    r->n_extents = 0;
    for (size_t i = 0; i < r->n_objects; i++) {
        set s;
        if (changes(r->objects[i].kind) && open_set(&s, file, r->objects[i].path)) {
            const size_t begin = (size_t)H5Dget_offset(s.id);
            if (r->n_extents == CRASH_MAX_EXTENTS) {
                give_up("too many datasets", r->objects[i].path);
            }
            r->extents[r->n_extents].begin = begin;
            r->extents[r->n_extents++].end = begin + s.n * s.bytes;
            close_set(&s);
        }
    }
}

/* Does a file differ from the known one in changing datasets only? */
static bool is_known(const crash_reference *r, const uint8_t *data, size_t bytes)
{
    if (r->known == NULL || bytes != r->known_bytes) {
        return false;
    }
    for (size_t at = 0; at < bytes;) {
        size_t next = bytes; /* begin of the next extent */
        size_t end = bytes;
        for (size_t i = 0; i < r->n_extents; i++) {
            if (r->extents[i].begin >= at && r->extents[i].begin < next) {
                next = r->extents[i].begin;
                end = r->extents[i].end;
            }
        }
        if (memcmp(data + at, r->known + at, next - at) != 0) {
            return false;
        }
        at = end;
    }
    return true;
}

crash_verdict crash_results_check(crash_reference *reference, const char *path,
    const uint8_t *data, size_t bytes, crash_durable *durable, const char **why)
{
    const bool known = is_known(reference, data, bytes);
    *why = "file";
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) {
        return CRASH_UNREADABLE;
    }
    crash_verdict verdict = read_durable(reference, file, durable, why);
    for (size_t i = 0; i < reference->n_objects && verdict == CRASH_GOOD; i++) {
        const crash_object *object = &reference->objects[i];
        if (known && !changes(object->kind)) {
            continue;
        }
        if (object->kind != CRASH_GROUP) {
            verdict = check_set(reference, object, file, durable);
        } else if (count_links(file, object->path) != object->n_links) {
            verdict = CRASH_UNREADABLE;
        }
        *why = verdict != CRASH_GOOD ? object->path : "";
    }
    /* last: HDF5 may search for ever for a text in a damaged file */
    if (verdict == CRASH_GOOD && !read_uuid(file, durable->uuid)) {
        *why = "uuid";
        verdict = CRASH_UNREADABLE;
    }
    if (verdict == CRASH_GOOD && !known) {
        learn(reference, file, data, bytes);
    }
    H5Fclose(file);
    return verdict;
}
