/* Where a results file of unknown origin has the datasets that a run writes: found in the
 * sandbox, judged here. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "h5/sandbox.h"
#include "h5/strict.h"
#include "output/child.h"
#include "output/internal.h"

/* What HDF5 itself needs in the child. */
#define CHILD_BYTES ((size_t)512 << 20)

enum { KIND_OFFSETS = 1, MAX_PATH = 1024 };

bool spl_place_has_type(const spl_h5_dataset *d, spl_place_type type)
{
    static const struct {
        H5T_class_t type_class;
        size_t bytes;
    } types[] = {[SPL_PLACE_F4] = {H5T_FLOAT, 4},
        [SPL_PLACE_F8] = {H5T_FLOAT, 8},
        [SPL_PLACE_U4] = {H5T_INTEGER, 4},
        [SPL_PLACE_U8] = {H5T_INTEGER, 8},
        [SPL_PLACE_CODE] = {H5T_ENUM, 1},
        [SPL_PLACE_TEXT] = {H5T_STRING, SPL_MESSAGE_BYTES}};
    const bool one_byte = types[type].bytes == 1 || type == SPL_PLACE_TEXT;
    return d->type_class == types[type].type_class &&
           d->item_bytes == types[type].bytes && H5Tis_variable_str(d->type) <= 0 &&
           (one_byte || H5Tget_order(d->type) == H5T_ORDER_LE);
}

static bool has_shape(const spl_h5_dataset *d, const spl_place *place)
{
    bool same = d->rank == place->rank;
    for (int r = 0; r < place->rank && same; r++) {
        same = d->dims[r] == place->dims[r];
    }
    return same;
}

static bool is_contiguous(const spl_h5_dataset *d, const spl_place *place)
{
    const hid_t plist = H5Dget_create_plist(d->id);
    const bool contiguous = plist >= 0 && H5Pget_layout(plist) == H5D_CONTIGUOUS &&
                            H5Pget_external_count(plist) == 0 &&
                            H5Dget_offset(d->id) != HADDR_UNDEF &&
                            H5Dget_storage_size(d->id) == place->bytes;
    if (plist >= 0) {
        H5Pclose(plist);
    }
    return contiguous;
}

static bool is_chunked(const spl_h5_dataset *d)
{
    const hid_t plist = H5Dget_create_plist(d->id);
    const bool chunked = plist >= 0 && H5Pget_layout(plist) == H5D_CHUNKED;
    if (plist >= 0) {
        H5Pclose(plist);
    }
    return chunked;
}

/* Open the group of a path, link by link; "" is the root. */
static spl_status open_group(
    hid_t *group, hid_t file, const spl_h5_source *source, char *path)
{
    spl_status status = SPL_OK;
    char *rest = NULL;
    *group = file;
    for (char *name = strtok_r(path, "/", &rest); name != NULL && *group >= 0;
         name = strtok_r(NULL, "/", &rest)) {
        const hid_t parent = *group;
        status = spl_h5_open_group(group, parent, source, name);
        if (parent != file) {
            H5Gclose(parent);
        }
        if (status != SPL_OK) {
            return status;
        }
    }
    return *group >= 0 ? SPL_OK
                       : spl_error(SPL_ERR_FORMAT,
                             "%s: a group is missing in this results file; it is damaged",
                             source->path);
}

static spl_status find_one(
    uint64_t *offset, hid_t file, const spl_h5_source *source, const spl_place *place)
{
    spl_status status = SPL_OK;
    spl_h5_dataset d = {.id = -1, .type = -1};
    hid_t group = -1;
    char path[MAX_PATH];
    const char *slash = strrchr(place->path, '/');
    const size_t length = (size_t)(slash - place->path);
    if (length >= sizeof path) {
        return spl_error(SPL_ERR_LIMIT, "%s: a name is too long", source->path);
    }
    memcpy(path, place->path, length);
    path[length] = '\0';
    SPL_TRY(open_group(&group, file, source, path));
    SPL_TRY(spl_h5_open_dataset(&d, group, source, "", slash + 1));
    if (d.id >= 0 && is_chunked(&d)) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: %s is compressed, so that a run cannot go on in it; make a plain copy "
            "with splenium convert",
            source->path, place->path);
    }
    if (d.id < 0 || !spl_place_has_type(&d, place->type) || !has_shape(&d, place) ||
        !is_contiguous(&d, place)) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: %s is not what this run writes; the file was changed, or written by "
            "another version",
            source->path, place->path);
    }
    *offset = H5Dget_offset(d.id);
out:
    spl_h5_close_dataset(&d);
    if (group >= 0 && group != file) {
        H5Gclose(group);
    }
    return status;
}

static spl_status find_child(int fd, const char *path, const void *user)
{
    spl_status status = SPL_OK;
    const spl_places *places = user;
    spl_h5_source source;
    hid_t file = -1;
    uint64_t *offsets = calloc(places->n, sizeof *offsets);
    if (offsets == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    SPL_TRY(spl_h5_open_file(&file, &source, path));
    SPL_TRY(spl_sandbox_lock());
    for (size_t i = 0; i < places->n; i++) {
        SPL_TRY(find_one(&offsets[i], file, &source, &places->all[i]));
    }
    SPL_TRY(spl_sandbox_send(
        fd, KIND_OFFSETS, 1, places->n, offsets, places->n * sizeof *offsets));
out:
    free(offsets);
    return status;
}

static spl_status take_offsets(spl_sandbox *sandbox, uint64_t *offsets, size_t n)
{
    spl_status status = SPL_OK;
    spl_sandbox_record record;
    SPL_TRY(spl_sandbox_next(sandbox, &record));
    if (record.kind != KIND_OFFSETS || record.bytes != n * sizeof *offsets) {
        return spl_sandbox_nonsense(sandbox);
    }
    SPL_TRY(spl_sandbox_take(sandbox, offsets, n * sizeof *offsets));
    SPL_TRY(spl_sandbox_next(sandbox, &record));
    if (record.kind != 0) {
        return spl_sandbox_nonsense(sandbox);
    }
out:
    return status;
}

spl_status spl_places_find_strictly(spl_places *places, const char *path, bool known)
{
    spl_status status = SPL_OK;
    struct stat what;
    spl_sandbox sandbox = {.child = -1, .fd = -1};
    uint64_t *offsets = calloc(places->n, sizeof *offsets);
    if (offsets == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    SPL_TRY(spl_sandbox_start(&sandbox, path, find_child, places, CHILD_BYTES));
    SPL_TRY(take_offsets(&sandbox, offsets, places->n));
    for (size_t i = 0; i < places->n; i++) {
        spl_place *place = &places->all[i];
        if (known && offsets[i] != place->offset) {
            SPL_FAIL(SPL_ERR_FILE_WRITE,
                "%s: %s is not where it was put; the file was changed", path,
                place->path);
        }
        place->offset = offsets[i];
    }
    if (stat(path, &what) != 0) {
        SPL_FAIL(SPL_ERR_FILE_READ, "%s: cannot be read", path);
    }
    SPL_TRY(spl_places_check(places, path, (uint64_t)what.st_size, SPL_ERR_FORMAT));
out:
    spl_sandbox_stop(&sandbox);
    free(offsets);
    return status;
}
