/* The new file of a conversion, as HDF5 writes it from what was received. */
#include <hdf5.h>
#include <hdf5_hl.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "h5/h5.h"
#include "output/convert.h"
#include "output/internal.h"
#include "output/layout.h"
#include "output/put.h"

struct spl_convert_writer {
    char *path;
    int level;
    bool compressed; /* any dataset */
    hid_t file;
    hid_t object; /* group or dataset that attributes and rows belong to */
    spl_item_shape shape;
    hid_t type;
};

static spl_status failed(const spl_convert_writer *w, const char *what)
{
    return spl_h5_error(SPL_ERR_FILE_WRITE, "%s: %s: cannot be stored", w->path, what);
}

static hid_t text_type(const spl_item_shape *shape)
{
    const bool variable = shape->type == SPL_ITEM_TEXT;
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 &&
        (H5Tset_size(type, variable ? H5T_VARIABLE : (size_t)shape->item_bytes) < 0 ||
            H5Tset_cset(type, variable ? H5T_CSET_UTF8 : (H5T_cset_t)shape->charset) <
                0 ||
            (!variable && H5Tset_strpad(type, (H5T_str_t)shape->padding) < 0))) {
        H5Tclose(type);
        type = -1;
    }
    return type;
}

static hid_t make_type(const spl_item_shape *shape)
{
    const hid_t numbers[] = {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_STD_I8LE, H5T_STD_I16LE,
        H5T_STD_I32LE, H5T_STD_I64LE, H5T_STD_U8LE, H5T_STD_U16LE, H5T_STD_U32LE,
        H5T_STD_U64LE};
    switch (shape->type) {
    case SPL_ITEM_FLAG:
        return spl_layout_flag_type();
    case SPL_ITEM_CODE:
        return spl_layout_code_type();
    case SPL_ITEM_TEXT:
    case SPL_ITEM_FIXED:
        return text_type(shape);
    default:
        return H5Tcopy(numbers[shape->type]);
    }
}

static hid_t make_space(const spl_item_shape *shape)
{
    hsize_t dims[SPL_ITEM_MAX_RANK];
    for (uint32_t r = 0; r < shape->rank; r++) {
        dims[r] = shape->dims[r];
    }
    return shape->rank > 0 ? H5Screate_simple((int)shape->rank, dims, NULL)
                           : H5Screate(H5S_SCALAR);
}

static spl_status close_object(spl_convert_writer *w)
{
    spl_status status = SPL_OK;
    spl_close_object(w->object, w->path, &status);
    spl_close_id(w->type);
    w->object = w->type = -1;
    return status;
}

static spl_status write_group(void *user, const char *path)
{
    spl_convert_writer *w = user;
    spl_status status = close_object(w);
    if (status != SPL_OK) {
        return status;
    }
    w->object = *path == '\0'
                    ? H5Gopen2(w->file, "/", H5P_DEFAULT)
                    : H5Gcreate2(w->file, path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    return w->object >= 0 ? SPL_OK : failed(w, path);
}

/* What the program writes or finds by its place in the file stays in one piece: only
 * rows, times and matrices are compressed. */
static bool is_compressed(const spl_convert_writer *w, const char *path)
{
    static const char *const whole[] = {
        "/progress", "/status/", "/checksums/", "/state/", "/performance/"};
    uint64_t values = 1;
    bool chunked = w->level > 0 && w->shape.rank > 0 && w->shape.type < SPL_ITEM_TEXT &&
                   spl_convert_row(&w->shape, &values) &&
                   w->shape.dims[0] * values * w->shape.item_bytes > SPL_PAGE_BYTES;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        chunked = chunked && strncmp(path, whole[i], strlen(whole[i])) != 0;
    }
    return chunked;
}

static hid_t make_list(spl_convert_writer *w, const char *path)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    bool good = list >= 0 && H5Pset_obj_track_times(list, false) >= 0;
    if (good && is_compressed(w, path)) {
        w->compressed = true;
        hsize_t chunk[SPL_ITEM_MAX_RANK];
        for (uint32_t r = 0; r < w->shape.rank; r++) {
            chunk[r] = r > 0 ? w->shape.dims[r] : spl_convert_piece(&w->shape);
        }
        good = H5Pset_chunk(list, (int)w->shape.rank, chunk) >= 0 &&
               H5Pset_shuffle(list) >= 0 && H5Pset_deflate(list, (unsigned)w->level) >= 0;
    } else if (good && w->shape.type != SPL_ITEM_TEXT) {
        /* HDF5 refuses variable-length strings that are never filled */
        good = H5Pset_layout(list, H5D_CONTIGUOUS) >= 0 &&
               H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY) >= 0 &&
               H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) >= 0;
    }
    if (list >= 0 && !good) {
        H5Pclose(list);
        list = -1;
    }
    return list;
}

/* Without a cache, every chunk is written when its rows come, and an error seen there. */
static hid_t make_access(void)
{
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    if (access >= 0 && H5Pset_chunk_cache(access, 0, 0, 1.0) < 0) {
        H5Pclose(access);
        access = -1;
    }
    return access;
}

static spl_status write_dataset(
    void *user, const char *path, const spl_item_shape *shape, const char *scale)
{
    spl_convert_writer *w = user;
    hid_t space = -1;
    hid_t list = -1;
    hid_t access = -1;
    spl_status status = SPL_OK;
    SPL_TRY(close_object(w));
    w->shape = *shape;
    w->type = make_type(shape);
    space = make_space(shape);
    list = make_list(w, path);
    access = make_access();
    if (w->type >= 0 && space >= 0 && list >= 0 && access >= 0) {
        w->object = H5Dcreate2(w->file, path, w->type, space, H5P_DEFAULT, list, access);
    }
    if (w->object < 0 || (scale != NULL && H5DSset_scale(w->object, scale) < 0)) {
        SPL_TRY(failed(w, path));
    }
out:
    spl_close_id(access);
    spl_close_id(list);
    spl_close_id(space);
    return status;
}

static spl_status write_link(void *user, const char *path, const char *target)
{
    spl_convert_writer *w = user;
    spl_status status = close_object(w);
    if (status == SPL_OK &&
        H5Lcreate_hard(w->file, target, w->file, path, H5P_DEFAULT, H5P_DEFAULT) < 0) {
        status = failed(w, path);
    }
    return status;
}

/* Pointers to n texts that lie one behind the other; the caller frees them. */
static const char **point_to(const void *data, size_t n)
{
    const char *text = data;
    const char **texts = malloc((n + 1) * sizeof *texts);
    for (size_t i = 0; texts != NULL && i < n; i++) {
        texts[i] = text;
        text += strlen(text) + 1;
    }
    return texts;
}

static spl_status write_attribute(
    void *user, const char *name, const spl_item_shape *shape, const void *values)
{
    spl_convert_writer *w = user;
    spl_status status = SPL_OK;
    const size_t n = shape->rank > 0 ? (size_t)shape->dims[0] : 1;
    const char **texts = shape->type == SPL_ITEM_TEXT ? point_to(values, n) : NULL;
    hid_t type = make_type(shape);
    hid_t space = make_space(shape);
    hid_t attribute = -1;
    if (shape->type == SPL_ITEM_TEXT && texts == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", w->path);
    }
    if (type >= 0 && space >= 0 && w->object >= 0) {
        attribute = H5Acreate2(w->object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    }
    if (attribute < 0 ||
        (n > 0 && H5Awrite(attribute, type,
                      texts != NULL ? (const void *)texts : values) < 0)) {
        SPL_TRY(failed(w, name));
    }
out:
    spl_close_object(attribute, name, &status);
    spl_close_id(space);
    spl_close_id(type);
    free(texts);
    return status;
}

static spl_status write_rows(
    void *user, uint64_t first, uint64_t count, const void *data, size_t bytes)
{
    spl_convert_writer *w = user;
    spl_status status = SPL_OK;
    hsize_t start[SPL_ITEM_MAX_RANK] = {first};
    hsize_t extent[SPL_ITEM_MAX_RANK] = {count};
    hsize_t n = count;
    const char **texts = NULL;
    hid_t memory = -1;
    hid_t space = H5Dget_space(w->object);
    (void)bytes;
    for (uint32_t r = 1; r < w->shape.rank; r++) {
        extent[r] = w->shape.dims[r];
        n *= extent[r];
    }
    if (w->shape.type == SPL_ITEM_TEXT) {
        texts = point_to(data, (size_t)n);
        if (texts == NULL) {
            SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", w->path);
        }
    }
    memory = H5Screate_simple(1, &n, NULL);
    if (space < 0 || memory < 0 ||
        (w->shape.rank > 0 &&
            H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, extent, NULL) < 0) ||
        H5Dwrite(w->object, w->type, memory, space, H5P_DEFAULT,
            texts != NULL ? (const void *)texts : data) < 0) {
        SPL_TRY(failed(w, "rows"));
    }
out:
    spl_close_id(memory);
    spl_close_id(space);
    free(texts);
    return status;
}

static spl_status write_axis(
    void *user, const char *path, unsigned dim, const char *scale_path)
{
    spl_convert_writer *w = user;
    hid_t set = -1;
    hid_t scale = -1;
    spl_status status = SPL_OK;
    SPL_TRY(close_object(w));
    set = H5Dopen2(w->file, path, H5P_DEFAULT);
    scale = H5Dopen2(w->file, scale_path, H5P_DEFAULT);
    if (set < 0 || scale < 0 || H5DSattach_scale(set, scale, dim) < 0) {
        SPL_TRY(failed(w, path));
    }
out:
    spl_close_object(scale, scale_path, &status);
    spl_close_object(set, path, &status);
    return status;
}

spl_status spl_convert_writer_create(
    spl_convert_writer **out, const char *path, int level)
{
    spl_convert_writer *w = calloc(1, sizeof *w);
    *out = w;
    if (w == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    w->file = w->object = w->type = -1;
    w->level = level;
    w->path = spl_strdup(path);
    return w->path != NULL ? SPL_OK
                           : spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
}

spl_convert_sink spl_convert_writer_sink(spl_convert_writer *writer)
{
    return (spl_convert_sink){.user = writer,
        .group = write_group,
        .dataset = write_dataset,
        .link = write_link,
        .attribute = write_attribute,
        .rows = write_rows,
        .attach = write_axis};
}

spl_status spl_convert_writer_open(void *writer)
{
    spl_convert_writer *w = writer;
    spl_status status = SPL_OK;
    hid_t access = spl_put_access_list();
    w->file = access >= 0 ? H5Fcreate(w->path, H5F_ACC_EXCL, H5P_DEFAULT, access) : -1;
    if (w->file < 0) {
        status = spl_h5_error(SPL_ERR_FILE_CREATE, "%s: cannot be created", w->path);
    }
    /* behind the error, which it would clear */
    spl_close_id(access);
    return status;
}

spl_status spl_convert_writer_mark(spl_convert_writer *w, bool trimmed)
{
    spl_status status = SPL_OK;
    hid_t root = -1;
    if (!trimmed && !w->compressed) {
        return SPL_OK;
    }
    SPL_TRY(close_object(w));
    root = H5Gopen2(w->file, "/", H5P_DEFAULT);
    SPL_TRY(spl_put_text(root, SPL_CONVERT_MARK,
        !w->compressed ? "trimmed"
        : trimmed      ? "trimmed, compressed"
                       : "compressed"));
out:
    spl_close_object(root, SPL_CONVERT_MARK, &status);
    return status;
}

spl_status spl_convert_writer_close(spl_convert_writer *w)
{
    spl_status status = close_object(w);
    if (w->file >= 0 && status == SPL_OK && H5Fflush(w->file, H5F_SCOPE_GLOBAL) < 0) {
        status = spl_h5_error(SPL_ERR_FILE_WRITE, "%s: cannot be flushed", w->path);
    }
    if (w->file >= 0 && H5Fclose(w->file) < 0 && status == SPL_OK) {
        status = spl_h5_error(SPL_ERR_FILE_WRITE, "%s: cannot be closed", w->path);
    }
    w->file = -1;
    return status;
}

void spl_convert_writer_free(spl_convert_writer *w)
{
    if (w == NULL) {
        return;
    }
    /* whoever gives up has an error already */
    (void)!spl_convert_writer_close(w);
    free(w->path);
    free(w);
}
