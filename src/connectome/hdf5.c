/* TVB's connectivity files and our own results files. HDF5 parses them in a forked child,
 * which sends arrays; this side believes none of their sizes. */
#include "connectome/connectome.h"

#include "h5/h5.h"
#include "h5/sandbox.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* HDF5 1.12 numbered these names; 1.10 has them without numbers. */
#if !H5_VERSION_GE(1, 12, 0)
#define H5Lget_info1 H5Lget_info
#define H5L_info1_t  H5L_info_t
#define H5O_info1_t  H5O_info_t
#endif

/* Records beside those of the members, whose kind is the member + 1. */
enum { KIND_LABELS = 100, KIND_FORM, KIND_NORMALISATION, KIND_SHA256, KIND_DROPPED };
enum { MAX_TEXT = 256 };

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
    const char *path;
    hid_t file, group;
    const layout *layout;
    size_t max_nodes;
    size_t file_bytes;
} child;

/* What a dataset was found to be. */
typedef struct dataset {
    const char *path, *group, *name;
    hid_t id, type;
    H5T_class_t type_class;
    size_t rows, columns;
} dataset;

static spl_status bad_dataset(const dataset *d, const char *what)
{
    return spl_h5_error(SPL_ERR_FORMAT, "%s: %s%s%s: %s", d->path, d->group,
        d->group[1] == '\0' ? "" : "/", d->name, what);
}

/* Contiguous, compact or chunked with the filters that come with HDF5: nothing that leads
 * to other files or plug-ins. */
static spl_status check_storage(const dataset *d, const child *c, size_t item_bytes)
{
    spl_status status = SPL_OK;
    hid_t plist = H5Dget_create_plist(d->id);
    if (plist < 0) {
        return bad_dataset(d, "unreadable properties");
    }
    H5D_layout_t kind = H5Pget_layout(plist);
    if (kind != H5D_CONTIGUOUS && kind != H5D_COMPACT && kind != H5D_CHUNKED) {
        SPL_TRY(bad_dataset(d, "virtual datasets are not read; store the numbers"));
    }
    if (H5Pget_external_count(plist) != 0) {
        SPL_TRY(bad_dataset(d, "external storage is not read; store the numbers"));
    }
    int n_filters = H5Pget_nfilters(plist);
    for (int i = 0; i < n_filters; i++) {
        unsigned flags;
        unsigned config;
        size_t n_values = 0;
        H5Z_filter_t filter =
            H5Pget_filter2(plist, (unsigned)i, &flags, &n_values, NULL, 0, NULL, &config);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32) {
            SPL_TRY(bad_dataset(
                d, "only the filters deflate, shuffle and fletcher32 are read"));
        }
    }
    if (kind != H5D_CHUNKED && d->rows * d->columns * item_bytes > c->file_bytes) {
        SPL_TRY(bad_dataset(d, "larger than its file"));
    }
out:
    H5Pclose(plist);
    return status;
}

/* Rank 1 or 2, at most max_nodes each way. */
static spl_status check_shape(dataset *d, const child *c)
{
    spl_status status = SPL_OK;
    hsize_t dims[H5S_MAX_RANK] = {0};
    hid_t space = H5Dget_space(d->id);
    int rank = H5Sget_simple_extent_ndims(space);
    if (space < 0 || (rank != 1 && rank != 2) ||
        H5Sget_simple_extent_dims(space, dims, NULL) != rank) {
        SPL_TRY(bad_dataset(d, "neither a vector nor a matrix"));
    }
    dims[1] = rank == 1 ? 1 : dims[1];
    if (dims[0] == 0 || dims[1] == 0) {
        SPL_TRY(bad_dataset(d, "empty"));
    }
    if (dims[0] > c->max_nodes || dims[1] > c->max_nodes) {
        SPL_FAIL(SPL_ERR_LIMIT,
            "%s: %s: shape %llu x %llu, above the limit of %zu nodes; raise "
            "connectome.max_nodes",
            d->path, d->name, (unsigned long long)dims[0], (unsigned long long)dims[1],
            c->max_nodes);
    }
    d->rows = (size_t)dims[0];
    d->columns = (size_t)dims[1];
out:
    if (space >= 0) {
        H5Sclose(space);
    }
    return status;
}

static void close_dataset(dataset *d)
{
    if (d->type >= 0) {
        H5Tclose(d->type);
    }
    if (d->id >= 0) {
        H5Dclose(d->id);
    }
}

/* Open by name through a hard link only; d->id < 0 and SPL_OK if there is none. */
static spl_status open_dataset(dataset *d, const child *c, const char *name)
{
    spl_status status = SPL_OK;
    H5L_info1_t link;
    H5O_info1_t object;
    *d = (dataset){
        .path = c->path, .group = c->layout->group, .name = name, .id = -1, .type = -1};
    if (H5Lexists(c->group, name, H5P_DEFAULT) <= 0) {
        H5Eclear2(H5E_DEFAULT);
        return SPL_OK;
    }
    if (H5Lget_info1(c->group, name, &link, H5P_DEFAULT) < 0 ||
        link.type != H5L_TYPE_HARD) {
        SPL_TRY(bad_dataset(d, "only hard links are followed; store the data itself"));
    }
    if (H5Oget_info_by_name2(c->group, name, &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0 ||
        object.type != H5O_TYPE_DATASET) {
        SPL_TRY(bad_dataset(d, "not a dataset"));
    }
    d->id = H5Dopen2(c->group, name, H5P_DEFAULT);
    d->type = d->id >= 0 ? H5Dget_type(d->id) : -1;
    if (d->type < 0) {
        SPL_TRY(bad_dataset(d, "cannot be opened"));
    }
    d->type_class = H5Tget_class(d->type);
    if (H5Tcommitted(d->type) != 0) {
        SPL_TRY(bad_dataset(d, "named types are not read"));
    }
    SPL_TRY(check_shape(d, c));
    SPL_TRY(check_storage(d, c, H5Tget_size(d->type)));
out:
    if (status != SPL_OK) {
        close_dataset(d);
    }
    return status;
}

/* An enum has no conversion to double: read its integers. */
static spl_status read_enum(const dataset *d, double *data)
{
    spl_status status = SPL_OK;
    size_t count = d->rows * d->columns;
    size_t bytes = H5Tget_size(d->type);
    unsigned char *raw = calloc(count, bytes);
    if (raw == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", d->path);
    }
    if (bytes != 1) {
        SPL_TRY(bad_dataset(d, "an enum wider than one byte is not read"));
    }
    if (H5Dread(d->id, d->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) < 0) {
        SPL_TRY(bad_dataset(d, "cannot be read"));
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
    dataset d;
    SPL_TRY(open_dataset(&d, c, c->layout->members[member]));
    if (d.id < 0) {
        return SPL_OK;
    }
    size_t count = d.rows * d.columns;
    data = calloc(count, sizeof *data);
    if (data == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory for %zu numbers", c->path, count);
    }
    if (d.type_class == H5T_ENUM) {
        SPL_TRY(read_enum(&d, data));
    } else if ((d.type_class != H5T_FLOAT && d.type_class != H5T_INTEGER) ||
               H5Tget_size(d.type) > 8) {
        SPL_TRY(bad_dataset(&d, "holds no numbers of at most 8 bytes"));
    } else if (H5Dread(d.id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) <
               0) {
        SPL_TRY(bad_dataset(&d, "cannot be read"));
    }
    SPL_TRY(spl_sandbox_send(
        c->fd, (uint32_t)member + 1, d.rows, d.columns, data, count * sizeof *data));
out:
    free(data);
    close_dataset(&d);
    return status;
}

/* Copy the strings one behind the other; `stride` is 0 for variable-length ones. */
static spl_status pack_labels(const dataset *d, const char *fixed, size_t stride,
    char *const *variable, char **packed, size_t *n_bytes)
{
    *packed = malloc(d->rows * (SPL_MAX_LABEL_BYTES + 1));
    if (*packed == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory for the labels", d->path);
    }
    for (size_t i = 0; i < d->rows; i++) {
        const char *label = stride > 0 ? fixed + i * stride : variable[i];
        size_t length =
            label == NULL ? 0
                          : strnlen(label, stride > 0 ? stride : SPL_MAX_LABEL_BYTES + 1);
        if (length > SPL_MAX_LABEL_BYTES) {
            return bad_dataset(d, "a label of more than 1024 bytes; shorten it");
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
    dataset d;
    SPL_TRY(open_dataset(&d, c, c->layout->labels));
    if (d.id < 0) {
        return SPL_OK;
    }
    size_t size = H5Tget_size(d.type);
    if (d.type_class != H5T_STRING || d.columns != 1 || size == 0 ||
        size > SPL_MAX_LABEL_BYTES) {
        SPL_TRY(bad_dataset(&d, "not a list of strings of at most 1024 bytes"));
    }
    bool variable = H5Tis_variable_str(d.type) > 0;
    size_t item = variable ? sizeof(char *) : size;
    memory_type = H5Tcopy(d.type);
    strings = calloc(d.rows, item);
    if (strings == NULL || memory_type < 0) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory for the labels", c->path);
    }
    if (H5Dread(d.id, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, strings) < 0) {
        SPL_TRY(bad_dataset(&d, "cannot be read"));
    }
    SPL_TRY(pack_labels(&d, strings, variable ? 0 : size, strings, &packed, &n_bytes));
    SPL_TRY(spl_sandbox_send(c->fd, KIND_LABELS, d.rows, 1, packed, n_bytes));
out:
    /* variable strings go with the process */
    free(strings);
    free(packed);
    if (memory_type >= 0) {
        H5Tclose(memory_type);
    }
    close_dataset(&d);
    return status;
}

/* A short scalar string attribute; the empty string if it is none. */
static void read_text(hid_t object, const char *name, char text[MAX_TEXT])
{
    hid_t attribute = -1;
    hid_t type = -1;
    hid_t space = -1;
    char *variable = NULL;
    text[0] = '\0';
    if (H5Aexists(object, name) > 0) {
        attribute = H5Aopen(object, name, H5P_DEFAULT);
        type = attribute >= 0 ? H5Aget_type(attribute) : -1;
        space = attribute >= 0 ? H5Aget_space(attribute) : -1;
    }
    if (type >= 0 && H5Tget_class(type) == H5T_STRING &&
        H5Sget_simple_extent_npoints(space) == 1) {
        if (H5Tis_variable_str(type) > 0) {
            if (H5Aread(attribute, type, &variable) >= 0 && variable != NULL) {
                snprintf(text, MAX_TEXT, "%s", variable);
            }
        } else if (H5Tget_size(type) < MAX_TEXT && H5Aread(attribute, type, text) >= 0) {
            text[H5Tget_size(type)] = '\0';
        }
    }
    if (space >= 0) {
        H5Sclose(space);
    }
    if (type >= 0) {
        H5Tclose(type);
    }
    if (attribute >= 0) {
        H5Aclose(attribute);
    }
    H5Eclear2(H5E_DEFAULT);
}

static uint64_t read_count(hid_t object, const char *name)
{
    unsigned long long value = 0;
    hid_t attribute =
        H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
    hid_t space = attribute >= 0 ? H5Aget_space(attribute) : -1;
    if (space >= 0 && H5Sget_simple_extent_npoints(space) == 1 &&
        H5Aread(attribute, H5T_NATIVE_ULLONG, &value) < 0) {
        value = 0;
    }
    if (space >= 0) {
        H5Sclose(space);
    }
    if (attribute >= 0) {
        H5Aclose(attribute);
    }
    H5Eclear2(H5E_DEFAULT);
    return value;
}

/* What only a results file has. */
static spl_status send_provenance(const child *c)
{
    spl_status status = SPL_OK;
    char text[MAX_TEXT];
    read_text(c->group, "normalisation", text);
    SPL_TRY(spl_sandbox_send(c->fd, KIND_NORMALISATION, 1, 1, text, strlen(text)));
    read_text(c->group, "sha256", text);
    SPL_TRY(spl_sandbox_send(c->fd, KIND_SHA256, 1, 1, text, strlen(text)));
    SPL_TRY(spl_sandbox_send(
        c->fd, KIND_DROPPED, read_count(c->group, "dropped_self"), 1, "", 0));
out:
    return status;
}

/* A results file keeps its connectome in a group, reached by a hard link. */
static spl_status find_group(child *c)
{
    char format[MAX_TEXT];
    H5L_info1_t link;
    H5O_info1_t object;
    c->layout = &tvb_layout;
    read_text(c->file, "format", format);
    if (strcmp(format, "splenium-results") == 0) {
        c->layout = &results_layout;
        if (H5Lexists(c->file, "connectome", H5P_DEFAULT) <= 0 ||
            H5Lget_info1(c->file, "connectome", &link, H5P_DEFAULT) < 0 ||
            link.type != H5L_TYPE_HARD ||
            H5Oget_info_by_name2(
                c->file, "connectome", &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0 ||
            object.type != H5O_TYPE_GROUP) {
            return spl_h5_error(SPL_ERR_FORMAT,
                "%s: /connectome: no such group in this results file; it is damaged",
                c->path);
        }
    }
    c->group = H5Gopen2(c->file, c->layout->group, H5P_DEFAULT);
    return c->group >= 0
               ? SPL_OK
               : spl_h5_error(SPL_ERR_FORMAT, "%s: %s", c->path, c->layout->group);
}

static spl_status run_child(int fd, const char *path, const void *user)
{
    spl_status status = SPL_OK;
    const spl_limits *limits = user;
    struct stat what;
    child c = {.fd = fd, .path = path, .file = -1, .group = -1};
    c.max_nodes = limits->max_nodes;
    SPL_TRY(spl_h5_init());
    c.file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (c.file < 0 || stat(path, &what) != 0) {
        SPL_TRY(spl_h5_error(SPL_ERR_FORMAT, "%s: not a readable HDF5 file", path));
    }
    c.file_bytes = (size_t)what.st_size;
    SPL_TRY(spl_sandbox_lock());
    SPL_TRY(find_group(&c));
    SPL_TRY(spl_sandbox_send(fd, KIND_FORM, c.layout == &results_layout, 1, "", 0));
    for (size_t m = 0; m < SPL_MEMBER_INFO; m++) {
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

static spl_status nonsense(const spl_sandbox *sandbox)
{
    return spl_error(SPL_ERR_FORMAT,
        "%s: the reading process sent nonsense: the file is damaged or hostile; make it "
        "again",
        sandbox->path);
}

static spl_status take_table(spl_raw *raw, spl_sandbox *sandbox,
    const spl_sandbox_record *record, const spl_limits *limits)
{
    size_t member = record->kind - 1;
    if (raw->tables[member].data != NULL || record->rows == 0 || record->columns == 0 ||
        record->rows > limits->max_nodes || record->columns > limits->max_nodes ||
        record->bytes != record->rows * record->columns * sizeof(double)) {
        return nonsense(sandbox);
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

static spl_status take_text(
    char **text, spl_sandbox *sandbox, const spl_sandbox_record *record, size_t max_bytes)
{
    if (*text != NULL || record->bytes > max_bytes) {
        return nonsense(sandbox);
    }
    *text = calloc(1, (size_t)record->bytes + 1);
    if (*text == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", sandbox->path);
    }
    return spl_sandbox_take(sandbox, *text, (size_t)record->bytes);
}

/* The labels go through the checks of a text file: one per line, UTF-8, not empty. */
static spl_status take_labels(spl_raw *raw, spl_sandbox *sandbox,
    const spl_sandbox_record *record, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    char *packed = NULL;
    size_t count = 0;
    if (raw->labels != NULL || record->rows > limits->max_nodes) {
        return nonsense(sandbox);
    }
    SPL_TRY(take_text(
        &packed, sandbox, record, (size_t)record->rows * (SPL_MAX_LABEL_BYTES + 1)));
    for (size_t i = 0; i < record->bytes; i++) {
        count += packed[i] == '\0';
    }
    if (count != record->rows ||
        (record->bytes > 0 && packed[record->bytes - 1] != '\0')) {
        SPL_TRY(nonsense(sandbox));
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

static spl_status take_record(spl_raw *raw, spl_sandbox *sandbox,
    const spl_sandbox_record *record, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    char *text = NULL;
    if (record->kind <= SPL_MEMBER_INFO) {
        return take_table(raw, sandbox, record, limits);
    }
    switch (record->kind) {
    case KIND_LABELS:
        return take_labels(raw, sandbox, record, limits);
    case KIND_FORM:
        raw->form = record->rows != 0 ? results_layout.form : tvb_layout.form;
        return record->bytes == 0 ? SPL_OK : nonsense(sandbox);
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
        raw->n_dropped_self = record->rows < limits->max_nodes ? (size_t)record->rows : 0;
        return record->bytes == 0 ? SPL_OK : nonsense(sandbox);
    default:
        return nonsense(sandbox);
    }
out:
    free(text);
    return status;
}

static spl_status take_all(spl_raw *raw, spl_sandbox *sandbox, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    spl_sandbox_record record;
    raw->form = tvb_layout.form;
    for (;;) {
        SPL_TRY(spl_sandbox_next(sandbox, &record));
        if (record.kind == 0) {
            break;
        }
        SPL_TRY(take_record(raw, sandbox, &record, limits));
    }
    if (raw->tables[SPL_MEMBER_WEIGHTS].data == NULL) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: no dataset weights at its root; this HDF5 file is no connectome",
            sandbox->path);
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
        SPL_TRY(spl_sha256_files(&options->file, 1, raw->sha256));
    }
out:
    spl_sandbox_stop(&sandbox);
    return status;
}

const spl_reader spl_reader_hdf5 = {.probe = probe, .load = load};
