#include "h5/strict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "h5/h5.h"

/* HDF5 1.12 numbered these names; 1.10 has them without numbers. */
#if !H5_VERSION_GE(1, 12, 0)
#define H5Lget_info1 H5Lget_info
#define H5L_info1_t  H5L_info_t
#define H5O_info1_t  H5O_info_t
#endif

spl_status spl_h5_open_file(hid_t *file, spl_h5_source *source, const char *path)
{
    struct stat what;
    spl_status status = spl_h5_init();
    *file = status == SPL_OK ? H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT) : -1;
    if (status == SPL_OK && (*file < 0 || stat(path, &what) != 0)) {
        return spl_h5_error(SPL_ERR_FORMAT, "%s: not a readable HDF5 file", path);
    }
    *source = (spl_h5_source){
        .path = path, .bytes = status == SPL_OK ? (uint64_t)what.st_size : 0};
    return status;
}

/* What a name leads to; *found is false if there is no such link. */
static const char *look_up(hid_t where, const char *name, H5O_type_t wanted, bool *found)
{
    H5L_info1_t link;
    H5O_info1_t object;
    *found = H5Lexists(where, name, H5P_DEFAULT) > 0;
    if (!*found) {
        H5Eclear2(H5E_DEFAULT);
        return NULL;
    }
    if (H5Lget_info1(where, name, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD) {
        return "only hard links are followed; store the data itself";
    }
    if (H5Oget_info_by_name2(where, name, &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0 ||
        object.type != wanted) {
        return wanted == H5O_TYPE_GROUP ? "not a group" : "not a dataset";
    }
    return NULL;
}

spl_status spl_h5_open_group(
    hid_t *group, hid_t where, const spl_h5_source *source, const char *name)
{
    bool found;
    const char *wrong = look_up(where, name, H5O_TYPE_GROUP, &found);
    *group = -1;
    if (wrong == NULL && found) {
        *group = H5Gopen2(where, name, H5P_DEFAULT);
        wrong = *group < 0 ? "cannot be opened" : NULL;
    }
    return wrong == NULL
               ? SPL_OK
               : spl_h5_error(SPL_ERR_FORMAT, "%s: %s: %s", source->path, name, wrong);
}

bool spl_h5_is_group(hid_t where, const char *name)
{
    H5O_info1_t object;
    const bool is_group =
        H5Lexists(where, name, H5P_DEFAULT) > 0 &&
        H5Oget_info_by_name2(where, name, &object, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
        object.type == H5O_TYPE_GROUP;
    H5Eclear2(H5E_DEFAULT);
    return is_group;
}

bool spl_h5_is_same(hid_t a, hid_t b)
{
    H5O_info1_t first;
    H5O_info1_t second;
    return H5Oget_info2(a, &first, H5O_INFO_BASIC) >= 0 &&
           H5Oget_info2(b, &second, H5O_INFO_BASIC) >= 0 &&
           first.fileno == second.fileno && first.addr == second.addr;
}

uint64_t spl_h5_address(hid_t object)
{
    H5O_info1_t info;
    return H5Oget_info2(object, &info, H5O_INFO_BASIC) >= 0 ? info.addr : UINT64_MAX;
}

uint64_t spl_h5_n_attributes(hid_t object)
{
    H5O_info1_t info;
    return H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS) >= 0 ? info.num_attrs : 0;
}

spl_status spl_h5_make_room(
    unsigned char **buffer, size_t *capacity, size_t bytes, const spl_h5_source *source)
{
    if (bytes <= *capacity) {
        return SPL_OK;
    }
    free(*buffer);
    *buffer = malloc(bytes);
    *capacity = *buffer != NULL ? bytes : 0;
    return *buffer != NULL
               ? SPL_OK
               : spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", source->path);
}

spl_status spl_h5_bad_dataset(const spl_h5_dataset *d, const char *what)
{
    return spl_h5_error(SPL_ERR_FORMAT, "%s: %s%s%s: %s", d->source->path, d->group,
        strcmp(d->group, "/") == 0 ? "" : "/", d->name, what);
}

static spl_status look_at(spl_h5_dataset *d)
{
    hid_t space = H5Dget_space(d->id);
    d->type = H5Dget_type(d->id);
    if (d->type < 0 || space < 0) {
        return spl_h5_bad_dataset(d, "cannot be opened");
    }
    d->type_class = H5Tget_class(d->type);
    d->item_bytes = H5Tget_size(d->type);
    /* H5S_MAX_RANK bounds what HDF5 itself accepts */
    d->rank = H5Sget_simple_extent_dims(space, d->dims, NULL);
    H5Sclose(space);
    if (d->rank < 0) {
        return spl_h5_bad_dataset(d, "no shape");
    }
    if (d->item_bytes == 0) {
        return spl_h5_bad_dataset(d, "values without bytes; the file is damaged");
    }
    if (H5Tcommitted(d->type) != 0) {
        return spl_h5_bad_dataset(d, "named types are not read");
    }
    return SPL_OK;
}

spl_status spl_h5_open_dataset(spl_h5_dataset *d, hid_t where,
    const spl_h5_source *source, const char *group, const char *name)
{
    bool found;
    *d = (spl_h5_dataset){
        .source = source, .group = group, .name = name, .id = -1, .type = -1};
    const char *wrong = look_up(where, name, H5O_TYPE_DATASET, &found);
    if (wrong != NULL) {
        return spl_h5_bad_dataset(d, wrong);
    }
    if (!found) {
        return SPL_OK;
    }
    d->id = H5Dopen2(where, name, H5P_DEFAULT);
    return d->id >= 0 ? look_at(d) : spl_h5_bad_dataset(d, "cannot be opened");
}

void spl_h5_close_dataset(spl_h5_dataset *d)
{
    if (d->type >= 0) {
        H5Tclose(d->type);
    }
    if (d->id >= 0) {
        H5Dclose(d->id);
    }
    d->id = d->type = -1;
}

static const char *check_filters(hid_t plist)
{
    int n_filters = H5Pget_nfilters(plist);
    for (int i = 0; i < n_filters; i++) {
        unsigned flags;
        unsigned config;
        size_t n_values = 0;
        H5Z_filter_t filter =
            H5Pget_filter2(plist, (unsigned)i, &flags, &n_values, NULL, 0, NULL, &config);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32) {
            return "only the filters deflate, shuffle and fletcher32 are read";
        }
    }
    return NULL;
}

/* Compressed data of more than 64 MiB may be 1000 times what the file has, as in
 * archives. */
static bool fits(const spl_h5_dataset *d, bool compressed)
{
    const uint64_t most = (uint64_t)64 << 20;
    uint64_t bytes = d->item_bytes;
    for (int r = 0; r < d->rank; r++) {
        if (__builtin_mul_overflow(bytes, d->dims[r], &bytes)) {
            return false;
        }
    }
    return bytes <= d->source->bytes ||
           (compressed && (bytes <= most || bytes / 1000 <= d->source->bytes));
}

spl_status spl_h5_check_storage(const spl_h5_dataset *d)
{
    hid_t plist = H5Dget_create_plist(d->id);
    if (plist < 0) {
        return spl_h5_bad_dataset(d, "unreadable properties");
    }
    const H5D_layout_t kind = H5Pget_layout(plist);
    const char *wrong = NULL;
    if (kind != H5D_CONTIGUOUS && kind != H5D_COMPACT && kind != H5D_CHUNKED) {
        wrong = "virtual datasets are not read; store the numbers";
    } else if (H5Pget_external_count(plist) != 0) {
        wrong = "external storage is not read; store the numbers";
    } else {
        wrong = check_filters(plist);
    }
    if (wrong == NULL && !fits(d, kind == H5D_CHUNKED)) {
        wrong = "larger than its file";
    }
    H5Pclose(plist);
    return wrong == NULL ? SPL_OK : spl_h5_bad_dataset(d, wrong);
}

spl_status spl_h5_read_part(
    const spl_h5_dataset *d, hsize_t first, hsize_t count, hid_t type, void *values)
{
    hid_t file = H5Dget_space(d->id);
    hid_t memory = H5Screate_simple(1, &count, NULL);
    const bool read =
        file >= 0 && memory >= 0 &&
        H5Sselect_hyperslab(file, H5S_SELECT_SET, &first, NULL, &count, NULL) >= 0 &&
        H5Dread(d->id, type, memory, file, H5P_DEFAULT, values) >= 0;
    if (memory >= 0) {
        H5Sclose(memory);
    }
    if (file >= 0) {
        H5Sclose(file);
    }
    return read ? SPL_OK : spl_h5_bad_dataset(d, "cannot be read");
}

/* An attribute of n values; -1 if there is none. */
static hid_t open_attribute(hid_t object, const char *name, hssize_t n)
{
    hid_t attribute =
        H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
    hid_t space = attribute >= 0 ? H5Aget_space(attribute) : -1;
    if (space >= 0 && H5Sget_simple_extent_npoints(space) != n) {
        H5Aclose(attribute);
        attribute = -1;
    }
    if (space >= 0) {
        H5Sclose(space);
    }
    return attribute;
}

void spl_h5_read_text(hid_t object, const char *name, char *text, size_t size)
{
    char *variable = NULL;
    hid_t attribute = open_attribute(object, name, 1);
    hid_t type = attribute >= 0 ? H5Aget_type(attribute) : -1;
    text[0] = '\0';
    if (type >= 0 && H5Tget_class(type) == H5T_STRING) {
        if (H5Tis_variable_str(type) > 0) {
            if (H5Aread(attribute, type, &variable) >= 0 && variable != NULL) {
                snprintf(text, size, "%s", variable);
                H5free_memory(variable);
            }
        } else if (H5Tget_size(type) < size && H5Aread(attribute, type, text) >= 0) {
            text[H5Tget_size(type)] = '\0';
        }
    }
    if (type >= 0) {
        H5Tclose(type);
    }
    if (attribute >= 0) {
        H5Aclose(attribute);
    }
    H5Eclear2(H5E_DEFAULT);
}

/* HDF5 converts any number to the type asked for, and nothing else. */
static bool read_values(
    hid_t object, const char *name, hssize_t n, hid_t type, void *values)
{
    hid_t attribute = open_attribute(object, name, n);
    const bool read = attribute >= 0 && H5Aread(attribute, type, values) >= 0;
    if (attribute >= 0) {
        H5Aclose(attribute);
    }
    H5Eclear2(H5E_DEFAULT);
    return read;
}

uint64_t spl_h5_read_count(hid_t object, const char *name)
{
    uint64_t value;
    return read_values(object, name, 1, H5T_NATIVE_UINT64, &value) ? value : 0;
}

double spl_h5_read_number(hid_t object, const char *name)
{
    double value;
    return read_values(object, name, 1, H5T_NATIVE_DOUBLE, &value) ? value : 0.0;
}

bool spl_h5_read_pair(hid_t object, const char *name, uint64_t pair[2])
{
    return read_values(object, name, 2, H5T_NATIVE_UINT64, pair);
}
