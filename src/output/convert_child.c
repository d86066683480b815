/* All that a results file holds, sent from the sandbox object by object. */
#include "output/convert.h"

#include <endian.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/str.h"
#include "h5/sandbox.h"
#include "h5/walk.h"
#include "output/internal.h"
#include "output/layout.h"

enum { MAX_LINKS = 4096, MAX_ATTRIBUTES = 1000, MAX_SCALES = 8 };

typedef struct child {
    int fd;
    spl_h5_source source;
    hid_t file;
    const spl_convert_plan *plan;
    unsigned char *buffer; /* [capacity] */
    size_t capacity;
    uint64_t *seen; /* [seen_capacity]: addresses of datasets */
    size_t n_seen, seen_capacity;
    hid_t types[SPL_N_ITEM_TYPES]; /* of all but texts */
} child;

static spl_status no_memory(const child *c)
{
    return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", c->source.path);
}

static void list_types(child *c)
{
    const hid_t types[SPL_N_ITEM_TYPES] = {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_STD_I8LE,
        H5T_STD_I16LE, H5T_STD_I32LE, H5T_STD_I64LE, H5T_STD_U8LE, H5T_STD_U16LE,
        H5T_STD_U32LE, H5T_STD_U64LE, spl_layout_flag_type(), spl_layout_code_type(), -1,
        -1};
    memcpy(c->types, types, sizeof types);
}

/* Result: false for a type that results do not have. */
static bool find_type(const child *c, hid_t type, spl_item_shape *shape)
{
    const size_t bytes = H5Tget_size(type);
    shape->item_bytes = bytes;
    if (H5Tget_class(type) == H5T_STRING) {
        const bool variable = H5Tis_variable_str(type) > 0;
        shape->type = variable ? SPL_ITEM_TEXT : SPL_ITEM_FIXED;
        shape->item_bytes = variable ? 0 : bytes;
        shape->padding = variable ? 0 : (uint32_t)H5Tget_strpad(type);
        shape->charset = variable ? 0 : (uint32_t)H5Tget_cset(type);
        return variable || (bytes > 0 && bytes <= SPL_ATTRIBUTE_BYTES);
    }
    for (uint32_t i = 0; i < SPL_ITEM_TEXT; i++) {
        if (H5Tequal(type, c->types[i]) > 0) {
            shape->type = i;
            return true;
        }
    }
    return false;
}

/* The n texts of c->buffer, one behind the other with their NULs. HDF5 has allocated
 * them. */
static spl_status join_texts(const child *c, size_t n, spl_text *joined)
{
    spl_status status = SPL_OK;
    char **texts = (char **)(void *)c->buffer;
    for (size_t i = 0; i < n; i++) {
        const char *text = texts[i] != NULL ? texts[i] : "";
        const size_t length = strlen(text) + 1;
        if (status == SPL_OK && length > SPL_PIECE_MAX_BYTES - joined->length) {
            status =
                spl_error(SPL_ERR_LIMIT, "%s: texts of more than 64 MiB", c->source.path);
        }
        if (status == SPL_OK) {
            spl_text_add_bytes(joined, text, length);
        }
        H5free_memory(texts[i]);
    }
    return status == SPL_OK && joined->failed ? no_memory(c) : status;
}

/* Head, name and values as one record. */
static spl_status send_attribute_values(const child *c, const spl_item_shape *shape,
    const char *name, const void *values, size_t bytes)
{
    spl_status status = SPL_OK;
    spl_text record = {0};
    spl_text_add_bytes(&record, (const char *)shape, sizeof *shape);
    spl_text_add_bytes(&record, name, strlen(name) + 1);
    spl_text_add_bytes(&record, values, bytes);
    if (record.failed) {
        status = no_memory(c);
    } else {
        status = spl_sandbox_send(
            c->fd, SPL_CONVERT_ATTRIBUTE, 1, 1, record.data, record.length);
    }
    spl_text_deinit(&record);
    return status;
}

/* Result: false if it is not of a form that results have. */
static bool look_at_attribute(
    const child *c, hid_t attribute, hid_t type, spl_item_shape *shape)
{
    hid_t space = H5Aget_space(attribute);
    hsize_t dims[H5S_MAX_RANK] = {0};
    const int rank = space >= 0 ? H5Sget_simple_extent_dims(space, dims, NULL) : -1;
    bool good = rank >= 0 && rank <= 1 && find_type(c, type, shape) &&
                H5Sget_simple_extent_type(space) != H5S_NULL;
    shape->rank = rank == 1;
    shape->dims[0] = rank == 1 ? dims[0] : 0;
    const uint64_t n = rank == 1 ? dims[0] : 1;
    const uint64_t bytes = shape->item_bytes > 0 ? shape->item_bytes : sizeof(char *);
    good = good && n <= SPL_ATTRIBUTE_BYTES / bytes;
    if (space >= 0) {
        H5Sclose(space);
    }
    return good;
}

static spl_status send_attribute(
    const child *c, hid_t attribute, const char *path, const char *name)
{
    spl_status status = SPL_OK;
    spl_item_shape shape = {0};
    spl_text joined = {0};
    hid_t type = H5Aget_type(attribute);
    if (type < 0 || !look_at_attribute(c, attribute, type, &shape)) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: %s: the attribute '%s' is of a kind that results do not have; delete it",
            c->source.path, path, name);
    }
    const size_t n = shape.rank > 0 ? (size_t)shape.dims[0] : 1;
    if (n > 0 && H5Aread(attribute, type, c->buffer) < 0) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: %s: the attribute '%s' cannot be read",
            c->source.path, path, name);
    }
    if (shape.type == SPL_ITEM_TEXT) {
        SPL_TRY(join_texts(c, n, &joined));
        if (joined.length > SPL_ATTRIBUTE_BYTES) {
            SPL_FAIL(SPL_ERR_LIMIT, "%s: %s: the attribute '%s' is longer than 64 KiB",
                c->source.path, path, name);
        }
    }
    SPL_TRY(shape.type == SPL_ITEM_TEXT
                ? send_attribute_values(c, &shape, name, joined.data, joined.length)
                : send_attribute_values(
                      c, &shape, name, c->buffer, n * (size_t)shape.item_bytes));
out:
    spl_text_deinit(&joined);
    if (type >= 0) {
        H5Tclose(type);
    }
    return status;
}

/* What HDF5 keeps in attributes of its own, and makes again with the scales. */
static bool belongs_to_scales(const char *name)
{
    return strcmp(name, "CLASS") == 0 || strcmp(name, "NAME") == 0 ||
           strcmp(name, "DIMENSION_LIST") == 0 || strcmp(name, "REFERENCE_LIST") == 0;
}

static spl_status send_attributes(
    const child *c, hid_t object, const char *path, bool dataset)
{
    spl_status status = SPL_OK;
    const uint64_t n = spl_h5_n_attributes(object);
    hid_t attribute = -1;
    if (n > MAX_ATTRIBUTES) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: %s: %llu attributes are not those of results",
            c->source.path, path, (unsigned long long)n);
    }
    for (uint64_t i = 0; i < n; i++) {
        char name[SPL_ITEM_MAX_NAME];
        attribute = H5Aopen_by_idx(
            object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT);
        const ssize_t length =
            attribute >= 0 ? H5Aget_name(attribute, sizeof name, name) : -1;
        if (length <= 0 || (size_t)length >= sizeof name) {
            SPL_FAIL(SPL_ERR_FORMAT, "%s: %s: an attribute that cannot be read",
                c->source.path, path);
        }
        if (!dataset || !belongs_to_scales(name)) {
            SPL_TRY(send_attribute(c, attribute, path, name));
        }
        H5Aclose(attribute);
        attribute = -1;
    }
out:
    if (attribute >= 0) {
        H5Aclose(attribute);
    }
    return status;
}

typedef struct scales {
    size_t n;
    uint64_t addresses[MAX_SCALES];
} scales;

static herr_t note_scale(hid_t set, unsigned dim, hid_t scale, void *data)
{
    scales *found = data;
    (void)set;
    (void)dim;
    if (found->n == MAX_SCALES) {
        return -1;
    }
    found->addresses[found->n++] = spl_h5_address(scale);
    return 0;
}

static spl_status send_scales(const child *c, const spl_h5_dataset *d)
{
    spl_status status = SPL_OK;
    for (unsigned dim = 0; dim < (unsigned)d->rank; dim++) {
        scales found = {0};
        const int n = H5DSget_num_scales(d->id, dim);
        if (n < 0 || n > MAX_SCALES ||
            (n > 0 && H5DSiterate_scales(d->id, dim, NULL, note_scale, &found) < 0)) {
            SPL_TRY(spl_h5_bad_dataset(d, "axes that cannot be read"));
        }
        for (size_t i = 0; i < found.n; i++) {
            SPL_TRY(spl_sandbox_send(
                c->fd, SPL_CONVERT_SCALE, dim, found.addresses[i], "", 0));
        }
    }
out:
    H5Eclear2(H5E_DEFAULT);
    return status;
}

/* Everything of a dataset but its rows. */
static spl_status send_head(const child *c, const spl_h5_dataset *d,
    const spl_item_shape *shape, const char *path)
{
    spl_status status = SPL_OK;
    spl_item_head head = {.shape = *shape, .address = spl_h5_address(d->id)};
    spl_text record = {0};
    char scale[SPL_ITEM_MAX_NAME] = "";
    head.is_scale = H5DSis_scale(d->id) > 0;
    if (head.is_scale && H5DSget_scale_name(d->id, scale, sizeof scale) < 0) {
        SPL_TRY(spl_h5_bad_dataset(d, "an axis without a name"));
    }
    scale[sizeof scale - 1] = '\0';
    spl_text_add_bytes(&record, (const char *)&head, sizeof head);
    spl_text_add_bytes(&record, path, strlen(path) + 1);
    spl_text_add_bytes(&record, scale, strlen(scale) + 1);
    if (record.failed) {
        SPL_TRY(no_memory(c));
    }
    SPL_TRY(
        spl_sandbox_send(c->fd, SPL_CONVERT_DATASET, 1, 1, record.data, record.length));
    SPL_TRY(send_attributes(c, d->id, path, true));
    SPL_TRY(send_scales(c, d));
out:
    spl_text_deinit(&record);
    return status;
}

/* Read values [first, first + count) of the outermost dimension into the buffer. */
static spl_status read_rows(const child *c, const spl_h5_dataset *d, hsize_t first,
    hsize_t count, uint64_t row_values)
{
    hsize_t start[H5S_MAX_RANK] = {first};
    hsize_t extent[H5S_MAX_RANK];
    const hsize_t n = count * row_values;
    const hid_t space = H5Dget_space(d->id);
    const hid_t memory = H5Screate_simple(1, &n, NULL);
    memcpy(extent, d->dims, sizeof extent);
    extent[0] = count;
    const bool selected = space >= 0 && memory >= 0 &&
                          (d->rank == 0 || H5Sselect_hyperslab(space, H5S_SELECT_SET,
                                               start, NULL, extent, NULL) >= 0);
    const bool read =
        selected && H5Dread(d->id, d->type, memory, space, H5P_DEFAULT, c->buffer) >= 0;
    if (memory >= 0) {
        H5Sclose(memory);
    }
    if (space >= 0) {
        H5Sclose(space);
    }
    return read ? SPL_OK : spl_h5_bad_dataset(d, "cannot be read");
}

static spl_status send_piece(
    const child *c, const spl_item_shape *shape, uint64_t first, uint64_t count, size_t n)
{
    spl_text joined = {0};
    spl_status status = SPL_OK;
    if (shape->type != SPL_ITEM_TEXT) {
        return spl_sandbox_send(c->fd, SPL_CONVERT_ROWS, first, count, c->buffer,
            n * (size_t)shape->item_bytes);
    }
    SPL_TRY(join_texts(c, n, &joined));
    SPL_TRY(spl_sandbox_send(
        c->fd, SPL_CONVERT_ROWS, first, count, joined.data, joined.length));
out:
    spl_text_deinit(&joined);
    return status;
}

/* The rows that the copy has. */
static spl_status send_rows(
    child *c, const spl_h5_dataset *d, const spl_item_shape *shape, uint64_t row_values)
{
    spl_status status = SPL_OK;
    const uint64_t n_rows = shape->rank > 0 ? shape->dims[0] : 1;
    const uint64_t piece = spl_convert_piece(shape);
    const uint64_t bytes = piece * row_values * d->item_bytes;
    if (row_values == 0 || n_rows == 0) {
        goto out;
    }
    if (bytes > SPL_PIECE_MAX_BYTES) {
        SPL_TRY(spl_h5_bad_dataset(d, "rows of more than 64 MiB"));
    }
    SPL_TRY(spl_h5_make_room(&c->buffer, &c->capacity, (size_t)bytes, &c->source));
    for (uint64_t first = 0; first < n_rows; first += piece) {
        const uint64_t count = n_rows - first < piece ? n_rows - first : piece;
        SPL_TRY(read_rows(c, d, first, count, row_values));
        SPL_TRY(send_piece(c, shape, first, count, (size_t)(count * row_values)));
    }
out:
    return status;
}

static spl_status open_stream(
    hid_t *group, const child *c, const spl_convert_stream *stream)
{
    spl_status status = SPL_OK;
    char first[SPL_ITEM_MAX_NAME];
    hid_t parent = -1;
    const char *name = strrchr(stream->group, '/');
    *group = c->file;
    if (name != stream->group) {
        snprintf(first, sizeof first, "%.*s", (int)(name - stream->group) - 1,
            stream->group + 1);
        SPL_TRY(spl_h5_open_group(&parent, c->file, &c->source, first));
    }
    SPL_TRY(
        spl_h5_open_group(group, parent >= 0 ? parent : c->file, &c->source, name + 1));
out:
    if (parent >= 0) {
        H5Gclose(parent);
    }
    return status;
}

/* Checksum of the last block of a copy that ends in the middle of it. The variable has
 * the name of its checksums. */
static spl_status send_last_checksum(child *c, const spl_convert_stream *stream,
    const spl_h5_dataset *checksums, uint64_t rows_per_block)
{
    spl_status status = SPL_OK;
    const uint64_t block = stream->kept / rows_per_block;
    uint32_t crc = 0;
    spl_h5_dataset d = {.id = -1, .type = -1};
    hid_t group = -1;
    SPL_TRY(open_stream(&group, c, stream));
    SPL_TRY(spl_h5_open_dataset(&d, group, &c->source, stream->group, checksums->name));
    if (d.id < 0 || d.rank != 2 || d.dims[0] < stream->kept || stream->width == 0 ||
        d.dims[1] != stream->width || d.item_bytes > 8) {
        SPL_TRY(spl_h5_bad_dataset(checksums, "there are no such rows"));
    }
    SPL_TRY(spl_h5_check_storage(&d));
    const uint64_t row_bytes = stream->width * d.item_bytes;
    const uint64_t fitting = SPL_PIECE_BYTES / row_bytes;
    if (fitting == 0) {
        SPL_TRY(spl_h5_bad_dataset(&d, "rows of more than 8 MiB"));
    }
    for (uint64_t row = block * rows_per_block; row < stream->kept;) {
        const uint64_t left = stream->kept - row;
        const uint64_t count = left < fitting ? left : fitting;
        SPL_TRY(spl_h5_make_room(
            &c->buffer, &c->capacity, (size_t)(count * row_bytes), &c->source));
        SPL_TRY(read_rows(c, &d, row, count, stream->width));
        crc = spl_crc32c(crc, c->buffer, (size_t)(count * row_bytes));
        row += count;
    }
    const uint32_t stored = htole32(crc);
    SPL_TRY(spl_sandbox_send(c->fd, SPL_CONVERT_ROWS, block, 1, &stored, sizeof stored));
out:
    spl_h5_close_dataset(&d);
    if (group >= 0) {
        H5Gclose(group);
    }
    return status;
}

/* Those of whole blocks as they are; the last one is made if the copy ends inside it. */
static spl_status send_checksums(child *c, const spl_convert_stream *stream,
    const spl_h5_dataset *d, spl_item_shape *shape, const char *path)
{
    spl_status status = SPL_OK;
    const uint64_t rows_per_block = spl_h5_read_count(d->id, "rows_per_block");
    if (rows_per_block == 0 || shape->type != SPL_ITEM_U4) {
        return spl_h5_bad_dataset(d, "not the checksums of rows");
    }
    const uint64_t whole = stream->kept / rows_per_block;
    const bool partial = stream->kept % rows_per_block != 0;
    /* the last block of the run may be short, and has a checksum of its own */
    const bool made = partial && stream->kept < stream->n_rows;
    const uint64_t n = whole + partial;
    if (n > shape->dims[0]) {
        return spl_h5_bad_dataset(d, "fewer checksums than blocks of rows");
    }
    shape->dims[0] = n;
    SPL_TRY(send_head(c, d, shape, path));
    shape->dims[0] = n - made;
    SPL_TRY(send_rows(c, d, shape, 1));
    if (made) {
        SPL_TRY(send_last_checksum(c, stream, d, rows_per_block));
    }
out:
    return status;
}

/* The stream whose rows, or checksums of rows, stand in a group; NULL: none. */
static const spl_convert_stream *stream_of(
    const child *c, const char *group, bool *checksums)
{
    static const char prefix[] = "/checksums";
    *checksums = strncmp(group, prefix, strlen(prefix)) == 0;
    for (size_t s = 0; s < c->plan->n_streams; s++) {
        const spl_convert_stream *stream = &c->plan->streams[s];
        const char *label = group + (*checksums ? strlen(prefix) : 0);
        label += *checksums && *stream->label != '/' && *label == '/';
        if (strcmp(label, *checksums ? stream->label : stream->group) == 0) {
            return stream;
        }
    }
    return NULL;
}

/* Was this dataset sent under another name? */
static spl_status note(child *c, uint64_t address, bool *seen)
{
    *seen = false;
    for (size_t i = 0; i < c->n_seen && !*seen; i++) {
        *seen = c->seen[i] == address;
    }
    if (*seen || c->n_seen == SPL_ITEM_MAX_OBJECTS) {
        return SPL_OK;
    }
    if (c->n_seen == c->seen_capacity) {
        const size_t capacity = 2 * c->seen_capacity + 64;
        uint64_t *more = realloc(c->seen, capacity * sizeof *more);
        if (more == NULL) {
            return no_memory(c);
        }
        c->seen = more;
        c->seen_capacity = capacity;
    }
    c->seen[c->n_seen++] = address;
    return SPL_OK;
}

static spl_status look_at_dataset(
    const child *c, const spl_h5_dataset *d, spl_item_shape *shape)
{
    spl_status status = SPL_OK;
    SPL_TRY(spl_h5_check_storage(d));
    if (d->rank > SPL_ITEM_MAX_RANK || !find_type(c, d->type, shape)) {
        SPL_TRY(spl_h5_bad_dataset(d, "of a type that results do not have; delete it"));
    }
    shape->rank = (uint32_t)d->rank;
    for (int r = 0; r < d->rank; r++) {
        shape->dims[r] = d->dims[r];
    }
out:
    return status;
}

static spl_status too_long(const child *c, const char *path)
{
    return spl_error(
        SPL_ERR_LIMIT, "%s: %.80s...: a name is too long", c->source.path, path);
}

static spl_status send_dataset(
    void *user, hid_t group, const char *group_path, const char *name)
{
    spl_status status = SPL_OK;
    child *c = user;
    spl_h5_dataset d = {.id = -1, .type = -1};
    spl_item_shape shape = {0};
    uint64_t row_values;
    bool checksums = false;
    bool seen;
    char path[SPL_ITEM_MAX_NAME];
    const int length = snprintf(path, sizeof path, "%s/%s", group_path, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return too_long(c, path);
    }
    SPL_TRY(spl_h5_open_dataset(&d, group, &c->source, group_path, name));
    SPL_TRY(look_at_dataset(c, &d, &shape));
    SPL_TRY(note(c, spl_h5_address(d.id), &seen));
    if (seen) {
        SPL_TRY(spl_sandbox_send(
            c->fd, SPL_CONVERT_LINK, 1, spl_h5_address(d.id), path, strlen(path) + 1));
        goto out;
    }
    if (!spl_convert_row(&shape, &row_values)) {
        SPL_TRY(spl_h5_bad_dataset(&d, "larger than its file"));
    }
    const spl_convert_stream *stream = stream_of(c, group_path, &checksums);
    if (stream != NULL && checksums && d.rank == 1) {
        SPL_TRY(send_checksums(c, stream, &d, &shape, path));
        goto out;
    }
    if (stream != NULL && spl_convert_has_rows(stream, name, &shape, stream->n_rows)) {
        shape.dims[0] = stream->kept;
    }
    SPL_TRY(send_head(c, &d, &shape, path));
    SPL_TRY(send_rows(c, &d, &shape, row_values));
out:
    spl_h5_close_dataset(&d);
    return status;
}

static spl_status send_group(void *user, hid_t group, const char *path)
{
    spl_status status = SPL_OK;
    const child *c = user;
    if (strlen(path) >= SPL_ITEM_MAX_NAME) {
        return too_long(c, path);
    }
    SPL_TRY(spl_sandbox_send(c->fd, SPL_CONVERT_GROUP, 1, 1, path, strlen(path) + 1));
    SPL_TRY(send_attributes(c, group, path, false));
out:
    return status;
}

spl_status spl_convert_child(int fd, const char *path, const void *user)
{
    spl_status status = SPL_OK;
    child c = {.fd = fd, .file = -1, .plan = user};
    char format[32];
    SPL_TRY(spl_h5_open_file(&c.file, &c.source, path));
    SPL_TRY(spl_sandbox_lock());
    SPL_TRY(spl_h5_make_room(&c.buffer, &c.capacity, SPL_ATTRIBUTE_BYTES, &c.source));
    list_types(&c);
    spl_h5_read_text(c.file, "format", format, sizeof format);
    if (strcmp(format, "splenium-results") != 0) {
        SPL_TRY(spl_sandbox_send(fd, SPL_CONVERT_OTHER, 1, 1, "", 0));
    } else if (c.plan->only != NULL) {
        SPL_TRY(send_dataset(&c, c.file, "", c.plan->only));
    } else {
        SPL_TRY(spl_h5_walk(c.file, &c.source, MAX_LINKS, send_group, send_dataset, &c));
    }
out:
    free(c.buffer);
    free(c.seen);
    return status;
}
