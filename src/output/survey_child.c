/* A results file in the sandbox: tells of every dataset what it is and where it lies. */
#include <stdlib.h>
#include <string.h>

#include "h5/h5.h"
#include "h5/walk.h"
#include "output/child.h"
#include "output/survey.h"

typedef struct walker {
    int fd;
    spl_h5_source source;
    hid_t file;
    size_t n_sets;
} walker;

static uint64_t type_of(const spl_h5_dataset *d)
{
    for (int type = SPL_PLACE_F4; type <= SPL_PLACE_TEXT; type++) {
        if (spl_place_has_type(d, (spl_place_type)type)) {
            return (uint64_t)type;
        }
    }
    return SPL_SURVEY_OTHER;
}

static void find_storage(const spl_h5_dataset *d, spl_survey_numbers *is)
{
    const hid_t plist = H5Dget_create_plist(d->id);
    const haddr_t offset = H5Dget_offset(d->id);
    if (plist >= 0) {
        is->contiguous = H5Pget_layout(plist) == H5D_CONTIGUOUS && offset != HADDR_UNDEF;
        H5Pclose(plist);
    }
    if (is->contiguous) {
        is->offset = offset;
        is->bytes = H5Dget_storage_size(d->id);
    }
}

static spl_status send_set(void *user, hid_t group, const char *path, const char *name)
{
    spl_status status = SPL_OK;
    walker *w = user;
    spl_h5_dataset d;
    unsigned char payload[sizeof(spl_survey_numbers) + SPL_SURVEY_MAX_PATH];
    spl_survey_numbers is = {0};
    const size_t n_path = strlen(path);
    const size_t n_name = strlen(name);
    SPL_TRY(spl_h5_open_dataset(&d, group, &w->source, path, name));
    if (d.rank > 3 || n_path + 1 + n_name > SPL_SURVEY_MAX_PATH ||
        ++w->n_sets > SPL_SURVEY_MAX_SETS) {
        SPL_TRY(spl_h5_bad_dataset(&d, "not of a results file"));
    }
    SPL_TRY(spl_h5_check_storage(&d));
    is.object = spl_h5_address(d.id);
    is.type = type_of(&d);
    is.rank = (uint64_t)d.rank;
    for (int r = 0; r < d.rank; r++) {
        is.dims[r] = d.dims[r];
    }
    find_storage(&d, &is);
    is.rows_per_block = spl_h5_read_count(d.id, "rows_per_block");
    memcpy(payload, &is, sizeof is);
    memcpy(payload + sizeof is, path, n_path);
    payload[sizeof is + n_path] = '/';
    memcpy(payload + sizeof is + n_path + 1, name, n_name);
    SPL_TRY(spl_sandbox_send(
        w->fd, SPL_SURVEY_SET, 1, 1, payload, sizeof is + n_path + 1 + n_name));
out:
    spl_h5_close_dataset(&d);
    return status;
}

static spl_status send_file(const walker *w)
{
    spl_survey_file about = {0};
    H5F_info2_t info;
    hsize_t user_block = 0;
    const hid_t plist = H5Fget_create_plist(w->file);
    if (H5Fget_info2(w->file, &info) < 0 || plist < 0 ||
        H5Pget_userblock(plist, &user_block) < 0) {
        return spl_h5_error(SPL_ERR_FORMAT, "%s: no superblock", w->source.path);
    }
    H5Pclose(plist);
    about.superblock = info.super.version;
    about.user_block = user_block;
    about.last_step = spl_h5_read_count(w->file, "last_step");
    spl_h5_read_text(w->file, "uuid", about.uuid, sizeof about.uuid);
    if (*about.uuid == '\0') {
        spl_h5_read_text(w->file, "run_uuid", about.uuid, sizeof about.uuid);
    }
    return spl_sandbox_send(w->fd, SPL_SURVEY_FILE, 1, 1, &about, sizeof about);
}

/* The order of the arrays of the final state, if the file has one and tells it. */
static spl_status send_arrays(const walker *w)
{
    spl_status status = SPL_OK;
    char *names[SPL_SURVEY_MAX_ARRAYS] = {NULL};
    const bool exists = spl_h5_is_group(w->file, "state") &&
                        spl_h5_is_group(w->file, "state/final") &&
                        H5Lexists(w->file, "state/final/record", H5P_DEFAULT) > 0;
    const hid_t attribute = exists ? H5Aopen_by_name(w->file, "state/final/record",
                                         "arrays", H5P_DEFAULT, H5P_DEFAULT)
                                   : -1;
    const hid_t type = attribute >= 0 ? H5Aget_type(attribute) : -1;
    const hid_t space = attribute >= 0 ? H5Aget_space(attribute) : -1;
    const hssize_t n = space >= 0 ? H5Sget_simple_extent_npoints(space) : 0;
    if (attribute < 0) {
        return SPL_OK;
    }
    if (n < 0 || n > SPL_SURVEY_MAX_ARRAYS || H5Tis_variable_str(type) <= 0 ||
        H5Aread(attribute, type, names) < 0) {
        SPL_TRY(spl_h5_error(SPL_ERR_FORMAT, "%s: /state/final/record: no list of arrays",
            w->source.path));
    }
    for (hssize_t i = 0; i < n; i++) {
        const char *name = names[i] != NULL ? names[i] : "";
        SPL_TRY(spl_sandbox_send(
            w->fd, SPL_SURVEY_ARRAY, 1, 1, name, strnlen(name, SPL_SURVEY_MAX_PATH)));
    }
out:
    /* what HDF5 allocated and opened goes with the process */
    return status;
}

spl_status spl_survey_child(int fd, const char *path, const void *user)
{
    spl_status status = SPL_OK;
    walker w = {.fd = fd, .file = -1};
    (void)user;
    SPL_TRY(spl_h5_open_file(&w.file, &w.source, path));
    SPL_TRY(spl_sandbox_lock());
    SPL_TRY(send_file(&w));
    SPL_TRY(spl_h5_walk(w.file, &w.source, SPL_SURVEY_MAX_SETS, NULL, send_set, &w));
    SPL_TRY(send_arrays(&w));
out:
    return status;
}
