/* TVB's connectivity files and our own results files. HDF5 parses them in a forked child,
 * which sends arrays; this side believes none of their sizes. */
#include "connectome/hdf5_sparse.h"

#include "h5/h5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Records beside those of the members, whose kind is the member + 1. */
enum { KIND_LABELS = 100, KIND_FORM, KIND_NORMALISATION, KIND_SHA256, KIND_DROPPED };
enum { MAX_TEXT = 256, FIRST_TEXT = 1 << 16 };

/* Names in the two layouts, NULL where the layout has none. */
typedef struct layout {
    const char *form, *group, *labels;
    const char *members[SPL_MEMBER_INFO];
} layout;

static const layout tvb_layout = {"TVB HDF5", "/", "region_labels",
    {"weights", "tract_lengths", "centres", "orientations", "areas", "cortical",
        "hemispheres"}};
static const layout results_layout = {"splenium results", "/connectome", "labels",
    {"weights", "tract_lengths", "centres", "orientations", "areas", "cortical",
        "hemispheres"}};

/* The child's work. */
typedef struct child {
    int fd;
    spl_h5_source source;
    hid_t file, group;
    hid_t weights; /* the group of sparse weights, or -1 */
    const layout *layout;
    size_t max_nodes;
} child;

static size_t most_rows(size_t max_nodes)
{
    return max_nodes > SPL_MAX_SPARSE_NODES ? max_nodes : SPL_MAX_SPARSE_NODES;
}

/* Rank 1 or 2, at most max_nodes each way; a vector is a matrix of one column. */
static spl_status check_shape(spl_h5_dataset *d, const child *c)
{
    if (d->rank != 1 && d->rank != 2) {
        return spl_h5_bad_dataset(d, "neither a vector nor a matrix");
    }
    d->dims[1] = d->rank == 1 ? 1 : d->dims[1];
    if (d->dims[0] == 0 || d->dims[1] == 0) {
        return spl_h5_bad_dataset(d, "empty");
    }
    /* what has a row for each node may belong to sparse weights */
    const bool square = strcmp(d->name, c->layout->members[SPL_MEMBER_WEIGHTS]) == 0 ||
                        strcmp(d->name, c->layout->members[SPL_MEMBER_LENGTHS]) == 0;
    const size_t most =
        !square && d->dims[1] <= 3 ? most_rows(c->max_nodes) : c->max_nodes;
    if (d->dims[0] > most || d->dims[1] > most) {
        return spl_error(SPL_ERR_LIMIT,
            "%s: %s: shape %llu x %llu, above the limit of %zu nodes; raise "
            "connectome.max_nodes",
            c->source.path, d->name, (unsigned long long)d->dims[0],
            (unsigned long long)d->dims[1], most);
    }
    return SPL_OK;
}

/* id < 0 and SPL_OK if there is none of that name. */
static spl_status open_member(spl_h5_dataset *d, const child *c, const char *name)
{
    spl_status status =
        spl_h5_open_dataset(d, c->group, &c->source, c->layout->group, name);
    if (status == SPL_OK && d->id >= 0) {
        SPL_TRY(check_shape(d, c));
        SPL_TRY(spl_h5_check_storage(d));
    }
out:
    return status;
}

/* An enum has no conversion to double: read its integers. */
static spl_status read_enum(const spl_h5_dataset *d, double *data)
{
    spl_status status = SPL_OK;
    size_t count = d->dims[0] * d->dims[1];
    size_t bytes = d->item_bytes;
    unsigned char *raw = calloc(count, bytes);
    if (raw == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", d->source->path);
    }
    if (bytes != 1) {
        SPL_TRY(spl_h5_bad_dataset(d, "an enum wider than one byte is not read"));
    }
    if (H5Dread(d->id, d->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) < 0) {
        SPL_TRY(spl_h5_bad_dataset(d, "cannot be read"));
    }
    for (size_t i = 0; i < count; i++) {
        data[i] = (double)raw[i];
    }
out:
    free(raw);
    return status;
}

static spl_status send_numbers(const child *c, size_t member)
{
    spl_status status = SPL_OK;
    double *data = NULL;
    spl_h5_dataset d;
    SPL_TRY(open_member(&d, c, c->layout->members[member]));
    if (d.id < 0) {
        return SPL_OK;
    }
    size_t count = d.dims[0] * d.dims[1];
    data = calloc(count, sizeof *data);
    if (data == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory for %zu numbers", c->source.path,
            count);
    }
    if (d.type_class == H5T_ENUM) {
        SPL_TRY(read_enum(&d, data));
    } else if ((d.type_class != H5T_FLOAT && d.type_class != H5T_INTEGER) ||
               d.item_bytes > 8) {
        SPL_TRY(spl_h5_bad_dataset(&d, "holds no numbers of at most 8 bytes"));
    } else if (H5Dread(d.id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) <
               0) {
        SPL_TRY(spl_h5_bad_dataset(&d, "cannot be read"));
    }
    SPL_TRY(spl_sandbox_send(
        c->fd, (uint32_t)member + 1, d.dims[0], d.dims[1], data, count * sizeof *data));
out:
    free(data);
    spl_h5_close_dataset(&d);
    return status;
}

/* Weights and lengths are matrices or groups of sparse ones. */
static spl_status send_matrix(child *c, spl_member member)
{
    hid_t group = -1;
    if (!spl_h5_is_group(c->group, spl_member_name(member))) {
        return send_numbers(c, member);
    }
    spl_status status = spl_h5_send_sparse(
        c->fd, &c->source, c->group, c->layout->group, member, c->weights, &group);
    if (member == SPL_MEMBER_WEIGHTS) {
        c->weights = group;
    }
    /* what is left open goes with the process */
    return status;
}

/* Copy the strings one behind the other; `stride` is 0 for variable-length ones. */
static spl_status pack_labels(const spl_h5_dataset *d, const char *fixed, size_t stride,
    char *const *variable, char **packed, size_t *n_bytes)
{
    size_t room = 0;
    for (size_t i = 0; i < d->dims[0]; i++) {
        const char *label = stride > 0 ? fixed + i * stride : variable[i];
        const size_t most = stride > 0 ? stride : SPL_MAX_LABEL_BYTES;
        room += 1 + (label == NULL ? 0 : strnlen(label, most));
    }
    *packed = malloc(room);
    if (*packed == NULL) {
        return spl_error(
            SPL_ERR_NO_MEMORY, "%s: out of memory for the labels", d->source->path);
    }
    for (size_t i = 0; i < d->dims[0]; i++) {
        const char *label = stride > 0 ? fixed + i * stride : variable[i];
        size_t length =
            label == NULL ? 0
                          : strnlen(label, stride > 0 ? stride : SPL_MAX_LABEL_BYTES + 1);
        if (length > SPL_MAX_LABEL_BYTES) {
            return spl_h5_bad_dataset(d, "a label of more than 1024 bytes; shorten it");
        }
        /* fixed strings may be padded with blanks */
        while (stride > 0 && length > 0 && label[length - 1] == ' ') {
            length--;
        }
        if (length > 0) {
            memcpy(*packed + *n_bytes, label, length);
        }
        (*packed)[*n_bytes + length] = '\0';
        *n_bytes += length + 1;
    }
    return SPL_OK;
}

static spl_status send_labels(const child *c)
{
    spl_status status = SPL_OK;
    void *strings = NULL;
    char *packed = NULL;
    size_t n_bytes = 0;
    hid_t memory_type = -1;
    spl_h5_dataset d;
    SPL_TRY(open_member(&d, c, c->layout->labels));
    if (d.id < 0) {
        return SPL_OK;
    }
    size_t size = d.item_bytes;
    if (d.type_class != H5T_STRING || d.dims[1] != 1 || size == 0 ||
        size > SPL_MAX_LABEL_BYTES) {
        SPL_TRY(spl_h5_bad_dataset(&d, "not a list of strings of at most 1024 bytes"));
    }
    bool variable = H5Tis_variable_str(d.type) > 0;
    size_t item = variable ? sizeof(char *) : size;
    memory_type = H5Tcopy(d.type);
    strings = calloc(d.dims[0], item);
    if (strings == NULL || memory_type < 0) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory for the labels", c->source.path);
    }
    if (H5Dread(d.id, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, strings) < 0) {
        SPL_TRY(spl_h5_bad_dataset(&d, "cannot be read"));
    }
    SPL_TRY(pack_labels(&d, strings, variable ? 0 : size, strings, &packed, &n_bytes));
    SPL_TRY(spl_sandbox_send(c->fd, KIND_LABELS, d.dims[0], 1, packed, n_bytes));
out:
    /* variable strings go with the process */
    free(strings);
    free(packed);
    if (memory_type >= 0) {
        H5Tclose(memory_type);
    }
    spl_h5_close_dataset(&d);
    return status;
}

/* What only a results file has. */
static spl_status send_provenance(const child *c)
{
    spl_status status = SPL_OK;
    char text[MAX_TEXT];
    spl_h5_read_text(c->group, "normalisation", text, sizeof text);
    SPL_TRY(spl_sandbox_send(c->fd, KIND_NORMALISATION, 1, 1, text, strlen(text)));
    spl_h5_read_text(c->group, "sha256", text, sizeof text);
    SPL_TRY(spl_sandbox_send(c->fd, KIND_SHA256, 1, 1, text, strlen(text)));
    SPL_TRY(spl_sandbox_send(
        c->fd, KIND_DROPPED, spl_h5_read_count(c->group, "dropped_self"), 1, "", 0));
out:
    return status;
}

/* A results file keeps its connectome in a group. */
static spl_status find_group(child *c)
{
    char format[MAX_TEXT];
    spl_h5_read_text(c->file, "format", format, sizeof format);
    if (strcmp(format, "splenium-results") != 0) {
        c->layout = &tvb_layout;
        c->group = H5Gopen2(c->file, "/", H5P_DEFAULT);
        return c->group >= 0
                   ? SPL_OK
                   : spl_h5_error(SPL_ERR_FORMAT, "%s: no root", c->source.path);
    }
    c->layout = &results_layout;
    spl_status status =
        spl_h5_open_group(&c->group, c->file, &c->source, c->layout->group);
    if (status == SPL_OK && c->group < 0) {
        status = spl_error(SPL_ERR_FORMAT,
            "%s: %s: no such group in this results file; it is damaged", c->source.path,
            c->layout->group);
    }
    return status;
}

static spl_status run_child(int fd, const char *path, const void *user)
{
    spl_status status = SPL_OK;
    const spl_limits *limits = user;
    child c = {.fd = fd, .file = -1, .group = -1, .weights = -1};
    c.max_nodes = limits->max_nodes;
    SPL_TRY(spl_h5_open_file(&c.file, &c.source, path));
    SPL_TRY(spl_sandbox_lock());
    SPL_TRY(find_group(&c));
    SPL_TRY(spl_sandbox_send(fd, KIND_FORM, c.layout == &results_layout, 1, "", 0));
    SPL_TRY(send_matrix(&c, SPL_MEMBER_WEIGHTS));
    SPL_TRY(send_matrix(&c, SPL_MEMBER_LENGTHS));
    for (size_t m = SPL_MEMBER_CENTRES; m < SPL_MEMBER_INFO; m++) {
        SPL_TRY(send_numbers(&c, m));
    }
    SPL_TRY(send_labels(&c));
    if (c.layout == &results_layout) {
        SPL_TRY(send_provenance(&c));
    }
out:
    return status;
}

/* From here on the parent. */

static spl_status take_table(spl_raw *raw, spl_sandbox *sandbox,
    const spl_sandbox_record *record, const spl_limits *limits)
{
    size_t member = record->kind - 1;
    const bool square = member == SPL_MEMBER_WEIGHTS || member == SPL_MEMBER_LENGTHS;
    const size_t most = square ? limits->max_nodes : most_rows(limits->max_nodes);
    if (raw->places[member] != NULL || record->rows == 0 || record->columns == 0 ||
        record->rows > most || record->columns > most ||
        record->bytes / record->columns / sizeof(double) != record->rows ||
        record->bytes % (record->columns * sizeof(double)) != 0) {
        return spl_sandbox_nonsense(sandbox);
    }
    if (asprintf(&raw->places[member], "%s: %s", sandbox->path,
            tvb_layout.members[member]) < 0) {
        raw->places[member] = NULL;
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", sandbox->path);
    }
    spl_status status = spl_table_init(&raw->tables[member], raw->places[member],
        (size_t)record->rows, (size_t)record->columns);
    return status == SPL_OK ? spl_sandbox_take(sandbox, raw->tables[member].data,
                                  (size_t)record->bytes)
                            : status;
}

/* The memory grows with what arrives: a size that lies is not believed. */
static spl_status take_text(
    char **text, spl_sandbox *sandbox, const spl_sandbox_record *record, size_t max_bytes)
{
    spl_status status = SPL_OK;
    size_t there = 0;
    if (*text != NULL || record->bytes > max_bytes) {
        return spl_sandbox_nonsense(sandbox);
    }
    do {
        const size_t left = (size_t)record->bytes - there;
        const size_t most = there > FIRST_TEXT ? there : FIRST_TEXT;
        const size_t next = left < most ? left : most;
        char *grown = realloc(*text, there + next + 1);
        if (grown == NULL) {
            SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", sandbox->path);
        }
        *text = grown;
        grown[there + next] = '\0';
        SPL_TRY(spl_sandbox_take(sandbox, grown + there, next));
        there += next;
    } while (there < record->bytes);
out:
    return status;
}

/* The labels go through the checks of a text file: one per line, UTF-8, not empty. */
static spl_status take_labels(spl_raw *raw, spl_sandbox *sandbox,
    const spl_sandbox_record *record, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    char *packed = NULL;
    size_t count = 0;
    if (raw->labels != NULL || record->rows > most_rows(limits->max_nodes)) {
        return spl_sandbox_nonsense(sandbox);
    }
    SPL_TRY(take_text(
        &packed, sandbox, record, (size_t)record->rows * (SPL_MAX_LABEL_BYTES + 1)));
    for (size_t i = 0; i < record->bytes; i++) {
        count += packed[i] == '\0';
    }
    if (count != record->rows ||
        (record->bytes > 0 && packed[record->bytes - 1] != '\0')) {
        SPL_TRY(spl_sandbox_nonsense(sandbox));
    }
    if (asprintf(&raw->labels_place, "%s: labels", sandbox->path) < 0) {
        raw->labels_place = NULL;
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", sandbox->path);
    }
    SPL_TRY(spl_labels_check(packed, count, raw->labels_place));
    raw->labels = packed;
    raw->n_labels = count;
    packed = NULL;
out:
    free(packed);
    return status;
}

static bool is_hash(const char *text)
{
    return strlen(text) == SPL_SHA256_HEX - 1 &&
           strspn(text, "0123456789abcdef") == SPL_SHA256_HEX - 1;
}

static spl_status take_record(spl_raw *raw, spl_sparse_arrival arrivals[2],
    spl_sandbox *sandbox, const spl_sandbox_record *record, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    char *text = NULL;
    if (record->kind >= SPL_SPARSE_KINDS && record->kind < SPL_SPARSE_KINDS_END) {
        return spl_h5_take_sparse(raw, arrivals, sandbox, record);
    }
    if (record->kind <= SPL_MEMBER_INFO) {
        return take_table(raw, sandbox, record, limits);
    }
    switch (record->kind) {
    case KIND_LABELS:
        return take_labels(raw, sandbox, record, limits);
    case KIND_FORM:
        raw->form = record->rows != 0 ? results_layout.form : tvb_layout.form;
        return record->bytes == 0 ? SPL_OK : spl_sandbox_nonsense(sandbox);
    case KIND_NORMALISATION:
        SPL_TRY(take_text(&raw->normalisation, sandbox, record, MAX_TEXT));
        SPL_TRY(spl_labels_check(raw->normalisation, 1, sandbox->path));
        break;
    case KIND_SHA256:
        SPL_TRY(take_text(&text, sandbox, record, MAX_TEXT));
        if (is_hash(text)) {
            memcpy(raw->sha256, text, SPL_SHA256_HEX);
        }
        break;
    case KIND_DROPPED:
        raw->n_dropped_self =
            record->rows <= most_rows(limits->max_nodes) ? (size_t)record->rows : 0;
        return record->bytes == 0 ? SPL_OK : spl_sandbox_nonsense(sandbox);
    default:
        return spl_sandbox_nonsense(sandbox);
    }
out:
    free(text);
    return status;
}

static spl_status take_all(spl_raw *raw, spl_sandbox *sandbox, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    spl_sandbox_record record;
    spl_sparse_arrival arrivals[2] = {{0}};
    raw->form = tvb_layout.form;
    for (;;) {
        SPL_TRY(spl_sandbox_next(sandbox, &record));
        if (record.kind == 0) {
            break;
        }
        SPL_TRY(take_record(raw, arrivals, sandbox, &record, limits));
    }
    if (raw->places[SPL_MEMBER_WEIGHTS] == NULL) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: no dataset weights at its root; this HDF5 file is no connectome",
            sandbox->path);
    }
    if (!spl_h5_has_arrived(raw, arrivals)) {
        SPL_TRY(spl_sandbox_nonsense(sandbox));
    }
out:
    return status;
}

static bool probe(
    const char *path, const struct stat *what, const char *head, size_t n_head)
{
    (void)path;
    (void)what;
    return spl_is_hdf5(head, n_head);
}

static spl_status load(
    spl_raw *raw, const spl_connectome_options *options, const spl_limits *limits)
{
    /* the widest matrix, in the file's type and as doubles, and what HDF5 itself needs */
    const size_t matrix_bytes = limits->max_nodes * limits->max_nodes * sizeof(double);
    spl_status status = SPL_OK;
    spl_sandbox sandbox = {.child = -1, .fd = -1};
    SPL_TRY(spl_sandbox_start(
        &sandbox, options->file, run_child, limits, matrix_bytes + ((size_t)512 << 20)));
    SPL_TRY(take_all(raw, &sandbox, limits));
    if (strcmp(raw->form, tvb_layout.form) == 0) {
        if (raw->sparse[SPL_MEMBER_WEIGHTS].data != NULL) {
            raw->form = "sparse HDF5";
        }
        SPL_TRY(spl_sha256_files(&options->file, 1, raw->sha256));
    }
out:
    spl_sandbox_stop(&sandbox);
    return status;
}

const spl_reader spl_reader_hdf5 = {.probe = probe, .load = load};
