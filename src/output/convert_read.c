/* What the sandbox sends of a results file, record by record: judged, compared with its
 * checksums, and passed on. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crc32c.h"
#include "base/str.h"
#include "h5/sandbox.h"
#include "output/convert.h"
#include "output/internal.h"

/* What HDF5 needs in the child, and texts and rows on their way. */
#define CHILD_BYTES (((size_t)512 << 20) + 4 * (size_t)SPL_PIECE_MAX_BYTES)
/* The child waits while deflate works, here. */
enum { PATIENCE = 40 };

/* Checksums of a variable. */
typedef struct checks {
    char *path; /* of the variable */
    uint64_t n, n_known, rows_per_block;
    uint32_t *values;
} checks;

/* An axis of a dataset, found once all are known. */
typedef struct axis {
    size_t set; /* index of the dataset */
    unsigned dim;
    uint64_t address;
} axis;

typedef struct dataset {
    char *path;
    uint64_t address;
} dataset;

typedef struct reader {
    const spl_convert_plan *plan;
    const spl_convert_sink *sink;
    spl_convert_list *list; /* or NULL */
    spl_sandbox sandbox;
    uint64_t file_bytes;
    unsigned char *buffer;
    size_t capacity, n_objects;
    dataset *sets;
    size_t n_sets, sets_capacity;
    axis *axes;
    size_t n_axes, axes_capacity;
    checks *checks; /* [n_checks] */
    size_t n_checks, checks_capacity;
    /* of the object that came last */
    bool is_dataset, is_root;
    const char *path; /* of a dataset, else NULL */
    spl_item_shape shape;
    uint64_t row_values, next_row, n_rows;
    const spl_convert_stream *stream; /* that has its rows, or NULL */
    checks *made;                     /* it is checksums; else NULL */
    const checks *wanted;             /* it has checksums; else NULL */
    uint64_t durable;
    uint32_t crc; /* of the block under way */
} reader;

static spl_status no_memory(const reader *r)
{
    return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", r->plan->path);
}

/* Room for one more in a growing array. */
static bool grow(void **all, size_t n, size_t *capacity, size_t item_bytes)
{
    if (n < *capacity) {
        return true;
    }
    const size_t more = 2 * *capacity + 64;
    void *grown = realloc(*all, more * item_bytes);
    if (grown == NULL) {
        return false;
    }
    *all = grown;
    *capacity = more;
    return true;
}

static spl_status take(reader *r, const spl_sandbox_record *record, uint64_t most)
{
    const uint64_t bytes = record->bytes;
    if (bytes > most) {
        return spl_sandbox_nonsense(&r->sandbox);
    }
    if (bytes + 1 > r->capacity) {
        free(r->buffer);
        r->capacity = 0;
        r->buffer = malloc((size_t)bytes + 1);
        if (r->buffer == NULL) {
            return no_memory(r);
        }
        r->capacity = (size_t)bytes + 1;
    }
    r->buffer[bytes] = '\0';
    return spl_sandbox_take(&r->sandbox, r->buffer, (size_t)bytes);
}

/* A path below the root, or the root itself; it is `bytes` long with its NUL. */
static bool is_path(const char *path, size_t bytes, bool root)
{
    return bytes > 0 && bytes <= SPL_ITEM_MAX_NAME && path[bytes - 1] == '\0' &&
           strlen(path) == bytes - 1 && (*path == '/' ? path[1] != '\0' : root) &&
           strstr(path, "//") == NULL && (*path == '/' || *path == '\0');
}

static bool is_shape(const spl_item_shape *shape, uint32_t max_rank, uint64_t *values)
{
    static const uint8_t bytes[SPL_N_ITEM_TYPES] = {
        4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 1, 1, 0, 0};
    const bool known = shape->type < SPL_N_ITEM_TYPES && shape->rank <= max_rank;
    const bool sized = known && (shape->type == SPL_ITEM_FIXED
                                        ? shape->item_bytes > 0 &&
                                              shape->item_bytes <= SPL_ATTRIBUTE_BYTES
                                        : shape->item_bytes == bytes[shape->type]);
    return sized && shape->padding <= 2 && shape->charset <= 1 &&
           spl_convert_row(shape, values);
}

/* Not more than the file can hold, as the child has checked before: HDF5 writes all of a
 * dataset of texts once it has one, and a child that a file has taken over must not fill
 * the disk. Deflate makes a thousandth of zeros; texts have two words each in a file. */
static bool fits(const reader *r, const spl_item_shape *shape, uint64_t row_values)
{
    const bool text = shape->type == SPL_ITEM_TEXT;
    const uint64_t rows = shape->rank > 0 ? shape->dims[0] : 1;
    const uint64_t bytes = rows * row_values * (text ? 8 : shape->item_bytes);
    return bytes <= r->file_bytes || (!text && (bytes <= (uint64_t)SPL_PIECE_MAX_BYTES ||
                                                   bytes / 1000 <= r->file_bytes));
}

/* Are these n texts, each with its NUL? */
static bool are_texts(const unsigned char *data, size_t bytes, uint64_t n)
{
    uint64_t ends = 0;
    for (size_t i = 0; i < bytes; i++) {
        ends += data[i] == '\0';
    }
    return ends == n && (bytes == 0 || data[bytes - 1] == '\0');
}

/* The whole of the last dataset must have come. */
static spl_status end_object(reader *r)
{
    const bool whole = !r->is_dataset || r->next_row == r->n_rows;
    r->is_dataset = r->is_root = false;
    r->made = NULL;
    if (r->list != NULL) {
        spl_convert_list_end(r->list);
    }
    return whole && ++r->n_objects <= SPL_ITEM_MAX_OBJECTS
               ? SPL_OK
               : spl_sandbox_nonsense(&r->sandbox);
}

static spl_status begin_entry(reader *r, const char *path, const void *what, size_t bytes)
{
    if (r->list == NULL) {
        return SPL_OK;
    }
    const spl_status status = spl_convert_list_begin(r->list, path);
    if (status == SPL_OK) {
        spl_convert_list_add(r->list, what, bytes);
    }
    return status;
}

static void add_to_entry(reader *r, const void *data, size_t bytes)
{
    if (r->list != NULL) {
        spl_convert_list_add(r->list, data, bytes);
    }
}

static spl_status take_group(reader *r, const spl_sandbox_record *record)
{
    spl_status status = SPL_OK;
    SPL_TRY(end_object(r));
    SPL_TRY(take(r, record, SPL_ITEM_MAX_NAME));
    const char *path = (const char *)r->buffer;
    if (!is_path(path, (size_t)record->bytes, true)) {
        SPL_TRY(spl_sandbox_nonsense(&r->sandbox));
    }
    r->is_root = *path == '\0';
    SPL_TRY(begin_entry(r, path, "group", 5));
    if (r->sink->group != NULL) {
        SPL_TRY(r->sink->group(r->sink->user, path));
    }
out:
    return status;
}

/* The stream that has rows in this dataset; name: of the dataset. */
static const spl_convert_stream *find_stream(const reader *r, const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    const size_t length = (size_t)(name - 1 - path);
    for (size_t s = 0; s < r->plan->n_streams; s++) {
        const spl_convert_stream *stream = &r->plan->streams[s];
        if (strlen(stream->group) == length &&
            strncmp(stream->group, path, length) == 0 &&
            spl_convert_has_rows(stream, name, &r->shape, stream->kept)) {
            return stream;
        }
    }
    return NULL;
}

/* Path of the variable of which these are the checksums; NULL: it is no checksums. */
static spl_status note_checks(reader *r, const char *path)
{
    static const char prefix[] = "/checksums/";
    spl_text variable = {0};
    const char *rest = path + strlen(prefix);
    if (strncmp(path, prefix, strlen(prefix)) != 0 || r->shape.type != SPL_ITEM_U4 ||
        r->shape.rank != 1) {
        return SPL_OK;
    }
    for (size_t s = 0; s < r->plan->n_streams; s++) {
        const spl_convert_stream *stream = &r->plan->streams[s];
        const char *label = stream->label + (*stream->label == '/');
        const size_t length = strlen(label);
        if (strncmp(rest, label, length) == 0 && rest[length] == '/' &&
            strchr(rest + length + 1, '/') == NULL) {
            spl_text_add(&variable, "%s%s", stream->group, rest + length);
            break;
        }
    }
    if (variable.data == NULL && !variable.failed) {
        return SPL_OK;
    }
    if (variable.failed ||
        !grow((void **)&r->checks, r->n_checks, &r->checks_capacity, sizeof *r->checks)) {
        spl_text_deinit(&variable);
        return no_memory(r);
    }
    r->made = &r->checks[r->n_checks++];
    *r->made = (checks){.path = variable.data, .n = r->shape.dims[0]};
    return SPL_OK;
}

static void find_checks(reader *r, const char *path)
{
    r->wanted = NULL;
    r->crc = 0;
    r->durable = r->stream != NULL ? r->stream->durable : 0;
    for (size_t i = 0; i < r->n_checks && r->stream != NULL; i++) {
        if (strcmp(r->checks[i].path, path) == 0 && r->checks[i].rows_per_block > 0) {
            r->wanted = &r->checks[i];
        }
    }
}

static spl_status note_set(reader *r, const char *path, uint64_t address)
{
    char *copy = spl_strdup(path);
    if (copy == NULL ||
        !grow((void **)&r->sets, r->n_sets, &r->sets_capacity, sizeof *r->sets)) {
        free(copy);
        return no_memory(r);
    }
    r->sets[r->n_sets++] = (dataset){.path = copy, .address = address};
    r->path = copy;
    return SPL_OK;
}

static const char *path_at(const reader *r, uint64_t address)
{
    for (size_t i = 0; i < r->n_sets; i++) {
        if (r->sets[i].address == address) {
            return r->sets[i].path;
        }
    }
    return NULL;
}

/* Head, path and name of the scale, which is NULL if there is none. */
static bool split_head(spl_item_head *head, const unsigned char *data, size_t bytes,
    const char **path, const char **scale)
{
    if (bytes <= sizeof *head) {
        return false;
    }
    memcpy(head, data, sizeof *head);
    *path = (const char *)data + sizeof *head;
    const size_t rest = bytes - sizeof *head;
    const size_t length = strlen(*path) + 1;
    if (length >= rest || !is_path(*path, length, false) ||
        strlen(*path + length) + 1 != rest - length) {
        return false;
    }
    *scale = head->is_scale ? *path + length : NULL;
    return true;
}

static spl_status take_dataset(reader *r, const spl_sandbox_record *record)
{
    spl_status status = SPL_OK;
    spl_item_head head;
    const char *path = "";
    const char *scale = NULL;
    SPL_TRY(end_object(r));
    SPL_TRY(take(r, record, sizeof head + (uint64_t)2 * SPL_ITEM_MAX_NAME));
    if (!split_head(&head, r->buffer, (size_t)record->bytes, &path, &scale) ||
        !is_shape(&head.shape, SPL_ITEM_MAX_RANK, &r->row_values) ||
        !fits(r, &head.shape, r->row_values)) {
        SPL_TRY(spl_sandbox_nonsense(&r->sandbox));
    }
    r->shape = head.shape;
    r->n_rows = r->shape.rank > 0 ? r->shape.dims[0] : 1;
    r->n_rows = r->row_values > 0 ? r->n_rows : 0;
    r->next_row = 0;
    r->is_dataset = true;
    r->stream = find_stream(r, path);
    SPL_TRY(note_set(r, path, head.address));
    SPL_TRY(note_checks(r, path));
    find_checks(r, path);
    SPL_TRY(begin_entry(r, path, &head.shape, sizeof head.shape));
    add_to_entry(r, scale, scale != NULL ? strlen(scale) + 1 : 0);
    if (r->sink->dataset != NULL) {
        SPL_TRY(r->sink->dataset(r->sink->user, path, &r->shape, scale));
    }
out:
    return status;
}

static spl_status take_link(reader *r, const spl_sandbox_record *record)
{
    spl_status status = SPL_OK;
    const char *target = path_at(r, record->columns);
    SPL_TRY(end_object(r));
    SPL_TRY(take(r, record, SPL_ITEM_MAX_NAME));
    const char *path = (const char *)r->buffer;
    if (target == NULL || !is_path(path, (size_t)record->bytes, false)) {
        SPL_TRY(spl_sandbox_nonsense(&r->sandbox));
    }
    SPL_TRY(begin_entry(r, path, target, strlen(target) + 1));
    if (r->sink->link != NULL) {
        SPL_TRY(r->sink->link(r->sink->user, path, target));
    }
out:
    return status;
}

static spl_status take_attribute(reader *r, const spl_sandbox_record *record)
{
    spl_status status = SPL_OK;
    spl_item_shape shape;
    uint64_t values;
    SPL_TRY(take(r, record, 2 * (uint64_t)SPL_ATTRIBUTE_BYTES));
    const char *name = (const char *)r->buffer + sizeof shape;
    const size_t length = record->bytes > sizeof shape ? strlen(name) + 1 : 0;
    if (length <= 1 || length > SPL_ITEM_MAX_NAME ||
        sizeof shape + length > record->bytes) {
        return spl_sandbox_nonsense(&r->sandbox);
    }
    memcpy(&shape, r->buffer, sizeof shape);
    const unsigned char *data = r->buffer + sizeof shape + length;
    const size_t bytes = (size_t)record->bytes - sizeof shape - length;
    const uint64_t n = shape.rank > 0 ? shape.dims[0] : 1;
    if (!is_shape(&shape, 1, &values) ||
        (shape.type == SPL_ITEM_TEXT ? !are_texts(data, bytes, n)
                                     : bytes != n * shape.item_bytes)) {
        SPL_TRY(spl_sandbox_nonsense(&r->sandbox));
    }
    /* that of an older copy; the writer says what the new one is */
    if (r->is_root && strcmp(name, SPL_CONVERT_MARK) == 0) {
        goto out;
    }
    add_to_entry(r, r->buffer, (size_t)record->bytes);
    if (r->made != NULL && strcmp(name, "rows_per_block") == 0 &&
        shape.type == SPL_ITEM_U8 && n == 1) {
        memcpy(&r->made->rows_per_block, data, sizeof r->made->rows_per_block);
        r->made->rows_per_block = le64toh(r->made->rows_per_block);
    }
    if (r->sink->attribute != NULL) {
        SPL_TRY(r->sink->attribute(r->sink->user, name, &shape, data));
    }
out:
    return status;
}

static spl_status take_scale(reader *r, const spl_sandbox_record *record)
{
    if (!r->is_dataset || record->bytes != 0 || record->rows >= r->shape.rank) {
        return spl_sandbox_nonsense(&r->sandbox);
    }
    if (!grow((void **)&r->axes, r->n_axes, &r->axes_capacity, sizeof *r->axes)) {
        return no_memory(r);
    }
    r->axes[r->n_axes++] = (axis){
        .set = r->n_sets - 1, .dim = (unsigned)record->rows, .address = record->columns};
    return r->n_axes <= SPL_ITEM_MAX_OBJECTS ? SPL_OK : spl_sandbox_nonsense(&r->sandbox);
}

/* Compare the rows that have come with the checksums of their blocks. Of a run that is
 * not over, the last block may have none yet. */
static spl_status check_rows(reader *r, uint64_t first, uint64_t count)
{
    const checks *wanted = r->wanted;
    const size_t row_bytes = (size_t)(r->row_values * r->shape.item_bytes);
    const unsigned char *at = r->buffer;
    for (uint64_t row = first; row < first + count;) {
        const uint64_t block = row / wanted->rows_per_block;
        const uint64_t left = wanted->rows_per_block - row % wanted->rows_per_block;
        const uint64_t here = first + count - row < left ? first + count - row : left;
        r->crc = spl_crc32c(r->crc, at, (size_t)here * row_bytes);
        at += here * row_bytes;
        row += here;
        if (here != left && row != r->n_rows) {
            continue;
        }
        if (row <= r->durable &&
            (block >= wanted->n_known || wanted->values[block] != r->crc)) {
            return spl_error(SPL_ERR_FORMAT,
                "%s: %s: rows %llu to %llu do not match their checksum; the file is "
                "damaged",
                r->plan->path, r->path,
                (unsigned long long)(block * wanted->rows_per_block),
                (unsigned long long)(row - 1));
        }
        r->crc = 0;
    }
    return SPL_OK;
}

/* Keep checksums until their rows come, which are behind them in the order of names. */
static spl_status keep_checks(reader *r, uint64_t first, uint64_t count)
{
    checks *made = r->made;
    /* whoever makes more checksums than this wants memory, not checks */
    const bool too_many = made->rows_per_block < 64 && made->n > 64;
    if (made->values == NULL && !too_many) {
        made->values = calloc((size_t)made->n, sizeof *made->values);
        if (made->values == NULL) {
            return no_memory(r);
        }
    }
    for (uint64_t i = 0; i < count && !too_many; i++) {
        uint32_t value;
        memcpy(&value, r->buffer + i * sizeof value, sizeof value);
        made->values[first + i] = le32toh(value);
    }
    made->n_known = too_many ? 0 : first + count;
    made->rows_per_block = too_many ? 0 : made->rows_per_block;
    return SPL_OK;
}

/* What says how many rows there are, as it must be in a copy with fewer. */
static void trim_values(reader *r, size_t bytes)
{
    if (strcmp(r->path, "/progress") == 0 && bytes == (size_t)2 * SPL_SLOT_BYTES) {
        spl_slot_encode(r->buffer, &r->plan->newest);
        spl_slot_encode(r->buffer + SPL_SLOT_BYTES, &r->plan->newest);
    }
    for (size_t s = 0; s < r->plan->n_streams; s++) {
        const spl_convert_stream *stream = &r->plan->streams[s];
        const size_t length = strlen(stream->group);
        double times[3];
        if (strncmp(r->path, stream->group, length) == 0 && bytes == sizeof times &&
            strcmp(r->path + length, "/mapping/time") == 0) {
            memcpy(times, r->buffer, sizeof times);
            times[1] = times[0] + (double)stream->kept * times[2];
            memcpy(r->buffer, times, sizeof times);
        }
    }
}

static spl_status take_rows(reader *r, const spl_sandbox_record *record)
{
    spl_status status = SPL_OK;
    const uint64_t first = record->rows;
    const uint64_t count = record->columns;
    SPL_TRY(take(r, record, SPL_PIECE_MAX_BYTES));
    const size_t bytes = (size_t)record->bytes;
    if (!r->is_dataset || first != r->next_row || count == 0 ||
        count > r->n_rows - first ||
        (r->shape.type == SPL_ITEM_TEXT
                ? !are_texts(r->buffer, bytes, count * r->row_values)
                : bytes != count * r->row_values * r->shape.item_bytes)) {
        SPL_TRY(spl_sandbox_nonsense(&r->sandbox));
    }
    r->next_row = first + count;
    if (r->plan->trim) {
        trim_values(r, bytes);
    }
    if (r->made != NULL) {
        SPL_TRY(keep_checks(r, first, count));
    }
    if (r->wanted != NULL) {
        SPL_TRY(check_rows(r, first, count));
    }
    add_to_entry(r, r->buffer, bytes);
    if (r->sink->rows != NULL) {
        SPL_TRY(r->sink->rows(r->sink->user, first, count, r->buffer, bytes));
    }
    if (r->plan->stop != NULL && r->plan->stop(r->plan->user)) {
        SPL_FAIL(
            SPL_ERR_INTERRUPTED, "%s: interrupted; nothing was changed", r->plan->path);
    }
out:
    return status;
}

static spl_status take_record(reader *r, const spl_sandbox_record *record)
{
    switch (record->kind) {
    case SPL_CONVERT_OTHER:
        return spl_error(SPL_ERR_FORMAT,
            "%s: an HDF5 file, but not one of results of splenium", r->plan->path);
    case SPL_CONVERT_GROUP:
        return take_group(r, record);
    case SPL_CONVERT_DATASET:
        return take_dataset(r, record);
    case SPL_CONVERT_LINK:
        return take_link(r, record);
    case SPL_CONVERT_ATTRIBUTE:
        return take_attribute(r, record);
    case SPL_CONVERT_SCALE:
        return take_scale(r, record);
    case SPL_CONVERT_ROWS:
        return take_rows(r, record);
    default:
        return spl_sandbox_nonsense(&r->sandbox);
    }
}

/* Axes of datasets that were left out are left out. */
static spl_status attach_axes(reader *r)
{
    spl_status status = SPL_OK;
    for (size_t i = 0; i < r->n_axes; i++) {
        const axis *a = &r->axes[i];
        const char *scale = path_at(r, a->address);
        if (scale == NULL) {
            continue;
        }
        SPL_TRY(begin_entry(r, r->sets[a->set].path, &a->dim, sizeof a->dim));
        add_to_entry(r, scale, strlen(scale) + 1);
        if (r->sink->attach != NULL) {
            SPL_TRY(r->sink->attach(r->sink->user, r->sets[a->set].path, a->dim, scale));
        }
    }
    if (r->list != NULL) {
        spl_convert_list_end(r->list);
    }
out:
    return status;
}

static void deinit(reader *r)
{
    spl_sandbox_stop(&r->sandbox);
    for (size_t i = 0; i < r->n_sets; i++) {
        free(r->sets[i].path);
    }
    for (size_t i = 0; i < r->n_checks; i++) {
        free(r->checks[i].path);
        free(r->checks[i].values);
    }
    free(r->sets);
    free(r->checks);
    free(r->axes);
    free(r->buffer);
}

spl_status spl_convert_read(const spl_convert_plan *plan, const spl_convert_sink *sink,
    spl_convert_list *list, spl_status (*made)(void *user))
{
    static const spl_convert_sink none = {.user = NULL};
    spl_status status = SPL_OK;
    spl_sandbox_record record;
    struct stat what;
    reader r = {.plan = plan,
        .sink = sink != NULL ? sink : &none,
        .list = list,
        .sandbox = {.child = -1, .fd = -1}};
    r.file_bytes = stat(plan->path, &what) == 0 ? (uint64_t)what.st_size : 0;
    SPL_TRY(spl_sandbox_start_patient(
        &r.sandbox, plan->path, spl_convert_child, plan, CHILD_BYTES, PATIENCE));
    if (made != NULL) {
        SPL_TRY(made(sink->user));
    }
    for (;;) {
        SPL_TRY(spl_sandbox_next(&r.sandbox, &record));
        if (record.kind == 0) {
            break;
        }
        SPL_TRY(take_record(&r, &record));
    }
    SPL_TRY(end_object(&r));
    SPL_TRY(attach_axes(&r));
out:
    deinit(&r);
    return status;
}
