#include "output/put.h"

#include "h5/h5.h"
#include "output/internal.h"

static spl_status failed(const char *name)
{
    return spl_h5_error(SPL_ERR_FILE_CREATE, "%s: cannot be stored", name);
}

void spl_close_id(hid_t id)
{
    if (id >= 0) {
        H5Idec_ref(id);
    }
}

void spl_close_object(hid_t id, const char *name, spl_status *status)
{
    if (id >= 0 && H5Idec_ref(id) < 0 && *status == SPL_OK) {
        *status = failed(name);
    }
}

hid_t spl_put_access_list(void)
{
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    if (list >= 0 &&
        (H5Pset_libver_bounds(list, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18) < 0 ||
            H5Pset_alignment(list, SPL_PAGE_BYTES, SPL_PAGE_BYTES) < 0 ||
            H5Pset_fclose_degree(list, H5F_CLOSE_STRONG) < 0)) {
        H5Pclose(list);
        list = -1;
    }
    return list;
}

static hid_t text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 &&
        (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        type = -1;
    }
    return type;
}

static spl_status put_attribute(hid_t object, const char *name, hid_t file_type,
    hid_t memory_type, hid_t space, const void *data)
{
    hid_t attribute = space >= 0 && file_type >= 0 ? H5Acreate2(object, name, file_type,
                                                         space, H5P_DEFAULT, H5P_DEFAULT)
                                                   : -1;
    spl_status status = attribute >= 0 && H5Awrite(attribute, memory_type, data) >= 0
                            ? SPL_OK
                            : failed(name);
    spl_close_object(attribute, name, &status);
    spl_close_id(space);
    return status;
}

spl_status spl_put_text(hid_t object, const char *name, const char *text)
{
    hid_t type = text_type();
    spl_status status =
        put_attribute(object, name, type, type, H5Screate(H5S_SCALAR), &text);
    spl_close_id(type);
    return status;
}

spl_status spl_put_number(hid_t object, const char *name, double value)
{
    return put_attribute(
        object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, H5Screate(H5S_SCALAR), &value);
}

spl_status spl_put_count(hid_t object, const char *name, uint64_t value)
{
    return put_attribute(
        object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, H5Screate(H5S_SCALAR), &value);
}

spl_status spl_put_texts(
    hid_t object, const char *name, const char *const *texts, size_t n)
{
    const hsize_t dims = n;
    hid_t type = text_type();
    spl_status status = put_attribute(
        object, name, type, type, H5Screate_simple(1, &dims, NULL), (const void *)texts);
    spl_close_id(type);
    return status;
}

/* Links whose groups are made on the way. */
static hid_t link_list(void)
{
    hid_t list = H5Pcreate(H5P_LINK_CREATE);
    if (list >= 0 && H5Pset_create_intermediate_group(list, 1) < 0) {
        H5Pclose(list);
        list = -1;
    }
    return list;
}

static hid_t fixed_list(void)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    if (list >= 0 && (H5Pset_layout(list, H5D_CONTIGUOUS) < 0 ||
                         H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY) < 0 ||
                         H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) < 0 ||
                         H5Pset_obj_track_times(list, false) < 0)) {
        H5Pclose(list);
        list = -1;
    }
    return list;
}

spl_status spl_put_dataset(
    hid_t *set, hid_t where, const char *name, hid_t type, int rank, const hsize_t *dims)
{
    hid_t space = rank > 0 ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t links = link_list();
    hid_t list = fixed_list();
    *set = space >= 0 && links >= 0 && list >= 0
               ? H5Dcreate2(where, name, type, space, links, list, H5P_DEFAULT)
               : -1;
    spl_close_id(list);
    spl_close_id(links);
    spl_close_id(space);
    return *set >= 0 ? SPL_OK : failed(name);
}

spl_status spl_put_doubles(hid_t where, const char *name, int rank, const hsize_t *dims,
    const double *data, const char *unit)
{
    spl_status status = SPL_OK;
    hid_t set = -1;
    SPL_TRY(spl_put_dataset(&set, where, name, H5T_IEEE_F64LE, rank, dims));
    if (H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
        SPL_TRY(failed(name));
    }
    if (unit != NULL) {
        SPL_TRY(spl_put_text(set, "units", unit));
    }
out:
    spl_close_object(set, name, &status);
    return status;
}

spl_status spl_put_strings(
    hid_t where, const char *name, int rank, const char *const *texts, size_t n)
{
    const hsize_t dims = n;
    /* HDF5 refuses variable-length strings that are never filled */
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t links = link_list();
    hid_t type = text_type();
    hid_t space = rank > 0 ? H5Screate_simple(1, &dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t set = list >= 0 && H5Pset_obj_track_times(list, false) >= 0 && links >= 0 &&
                        type >= 0 && space >= 0
                    ? H5Dcreate2(where, name, type, space, links, list, H5P_DEFAULT)
                    : -1;
    spl_status status = set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                        (const void *)texts) >= 0
                            ? SPL_OK
                            : failed(name);
    spl_close_object(set, name, &status);
    spl_close_id(space);
    spl_close_id(type);
    spl_close_id(links);
    spl_close_id(list);
    return status;
}
