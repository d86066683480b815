#include "connectome/hdf5_sparse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Records of one matrix, in the order of their arrival. */
enum { KIND_SHAPE, KIND_INDPTR, KIND_INDICES, KIND_DATA, N_KINDS };
/* Values of one record: the child needs little memory, whatever the file claims. */
enum { PART = 1 << 18, MAX_PATH = 128, MAX_ENCODING = 64 };
/* Of the parent, until more has come. */
enum { FIRST_ROOM = 1 << 12 };

typedef struct sender {
    int fd;
    uint32_t kinds;
    const spl_h5_source *source;
    hid_t group;
    char path[MAX_PATH];
} sender;

static spl_status open_vector(spl_h5_dataset *d, const sender *s, const char *name)
{
    spl_status status = SPL_OK;
    SPL_TRY(spl_h5_open_dataset(d, s->group, s->source, s->path, name));
    if (d->id < 0) {
        SPL_TRY(
            spl_h5_bad_dataset(d, "no such dataset in this sparse matrix; store data, "
                                  "indices and indptr as scipy.sparse has them"));
    }
    if (d->rank != 1 || d->dims[0] > SPL_MAX_SPARSE_ENTRIES) {
        SPL_TRY(spl_h5_bad_dataset(d, "not a vector of at most 2^31 - 1 numbers"));
    }
    SPL_TRY(spl_h5_check_storage(d));
out:
    return status;
}

/* Send a vector in parts, each with its place. */
static spl_status send_vector(const sender *s, const spl_h5_dataset *d, uint32_t kind,
    hid_t type, size_t item_bytes)
{
    spl_status status = SPL_OK;
    const size_t most = d->dims[0] < PART ? (size_t)d->dims[0] + 1 : PART;
    void *values = malloc(most * item_bytes);
    if (values == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", s->source->path);
    }
    for (hsize_t first = 0; first < d->dims[0]; first += PART) {
        const hsize_t left = d->dims[0] - first;
        const hsize_t count = left < PART ? left : PART;
        SPL_TRY(spl_h5_read_part(d, first, count, type, values));
        SPL_TRY(spl_sandbox_send(
            s->fd, s->kinds + kind, first, count, values, count * item_bytes));
    }
out:
    free(values);
    return status;
}

/* A vector of as many whole numbers as `expected` says. */
static spl_status send_whole(const sender *s, const char *name, uint32_t kind, hid_t type,
    size_t item_bytes, uint64_t expected)
{
    spl_status status = SPL_OK;
    spl_h5_dataset d;
    SPL_TRY(open_vector(&d, s, name));
    if (d.type_class != H5T_INTEGER || d.item_bytes > 8) {
        SPL_TRY(spl_h5_bad_dataset(&d, "holds no whole numbers of at most 8 bytes"));
    }
    if (d.dims[0] != expected) {
        char what[128];
        snprintf(what, sizeof what,
            "%llu numbers, expected %llu by shape and data; save the matrix again",
            (unsigned long long)d.dims[0], (unsigned long long)expected);
        SPL_TRY(spl_h5_bad_dataset(&d, what));
    }
    SPL_TRY(send_vector(s, &d, kind, type, item_bytes));
out:
    spl_h5_close_dataset(&d);
    return status;
}

/* SciPy users store the shape as a dataset, AnnData as an attribute. */
static spl_status read_shape(const sender *s, uint64_t shape[2])
{
    spl_status status = SPL_OK;
    spl_h5_dataset d;
    SPL_TRY(spl_h5_open_dataset(&d, s->group, s->source, s->path, "shape"));
    if (d.id < 0) {
        if (!spl_h5_read_pair(s->group, "shape", shape)) {
            SPL_TRY(spl_h5_bad_dataset(&d,
                "neither a dataset nor an attribute of two numbers; store the shape"));
        }
    } else {
        SPL_TRY(spl_h5_check_storage(&d));
        if (d.rank != 1 || d.dims[0] != 2 || d.type_class != H5T_INTEGER) {
            SPL_TRY(spl_h5_bad_dataset(&d, "not two whole numbers"));
        }
        SPL_TRY(spl_h5_read_part(&d, 0, 2, H5T_NATIVE_UINT64, shape));
    }
out:
    spl_h5_close_dataset(&d);
    return status;
}

static spl_status check_encoding(const sender *s)
{
    char encoding[MAX_ENCODING];
    spl_h5_read_text(s->group, "encoding-type", encoding, sizeof encoding);
    if (*encoding != '\0' && strcmp(encoding, "csr_matrix") != 0) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: %s: encoding '%s' is not read; store a csr_matrix", s->source->path,
            s->path, encoding);
    }
    return SPL_OK;
}

/* Do both groups share a dataset? Also where the second has none of that name. */
static bool shares(const sender *s, hid_t pattern, const char *name)
{
    if (pattern < 0) {
        return false;
    }
    if (H5Lexists(s->group, name, H5P_DEFAULT) <= 0) {
        return true;
    }
    hid_t a = H5Oopen(s->group, name, H5P_DEFAULT);
    hid_t b = H5Oopen(pattern, name, H5P_DEFAULT);
    const bool same = a >= 0 && b >= 0 && spl_h5_is_same(a, b);
    if (a >= 0) {
        H5Oclose(a);
    }
    if (b >= 0) {
        H5Oclose(b);
    }
    H5Eclear2(H5E_DEFAULT);
    return same;
}

spl_status spl_h5_send_sparse(int fd, const spl_h5_source *source, hid_t parent,
    const char *path, spl_member member, hid_t pattern, hid_t *group)
{
    spl_status status = SPL_OK;
    const char *name = spl_member_name(member);
    spl_h5_dataset data = {.id = -1, .type = -1};
    uint64_t shape[2] = {0, 0};
    sender s = {.fd = fd,
        .kinds = SPL_SPARSE_KINDS + (member == SPL_MEMBER_LENGTHS ? N_KINDS : 0),
        .source = source};
    snprintf(s.path, sizeof s.path, "%s%s%s", path, path[1] == '\0' ? "" : "/", name);
    SPL_TRY(spl_h5_open_group(group, parent, source, name));
    s.group = *group;
    SPL_TRY(check_encoding(&s));
    SPL_TRY(read_shape(&s, shape));
    SPL_TRY(open_vector(&data, &s, "data"));
    if ((data.type_class != H5T_FLOAT && data.type_class != H5T_INTEGER) ||
        data.item_bytes > 8) {
        SPL_TRY(spl_h5_bad_dataset(&data, "holds no numbers of at most 8 bytes"));
    }
    const bool shared = shares(&s, pattern, "indices") && shares(&s, pattern, "indptr");
    const uint64_t announced[] = {data.dims[0], !shared};
    SPL_TRY(spl_sandbox_send(
        fd, s.kinds + KIND_SHAPE, shape[0], shape[1], announced, sizeof announced));
    if (!shared) {
        /* signed: as unsigned, HDF5 would turn a negative one into 0; here it becomes one
         * that is too large */
        SPL_TRY(send_whole(
            &s, "indptr", KIND_INDPTR, H5T_NATIVE_INT64, sizeof(uint64_t), shape[0] + 1));
        SPL_TRY(send_whole(&s, "indices", KIND_INDICES, H5T_NATIVE_INT32, sizeof(int32_t),
            data.dims[0]));
    }
    SPL_TRY(send_vector(&s, &data, KIND_DATA, H5T_NATIVE_DOUBLE, sizeof(double)));
out:
    spl_h5_close_dataset(&data);
    return status;
}

/* From here on the parent. */

static spl_status take_shape(spl_raw *raw, spl_sparse_arrival *arrival,
    spl_sandbox *sandbox, const spl_sandbox_record *record, size_t member)
{
    spl_status status = SPL_OK;
    spl_sparse *sparse = &raw->sparse[member];
    uint64_t announced[2];
    if (arrival->announced || record->bytes != sizeof announced ||
        raw->tables[member].data != NULL) {
        return spl_sandbox_nonsense(sandbox);
    }
    SPL_TRY(spl_sandbox_take(sandbox, announced, sizeof announced));
    if (asprintf(&raw->places[member], "%s: %s", sandbox->path,
            spl_member_name((spl_member)member)) < 0) {
        raw->places[member] = NULL;
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", sandbox->path);
    }
    SPL_TRY(spl_sparse_announce(sparse, raw->places[member], record->rows,
        record->columns, announced[0], FIRST_ROOM));
    *arrival = (spl_sparse_arrival){.announced = true,
        .own_pattern = announced[1] != 0,
        .start_room = sparse->rows < FIRST_ROOM ? sparse->rows + 1 : FIRST_ROOM,
        .source_room = sparse->count < FIRST_ROOM ? sparse->count + 1 : FIRST_ROOM,
        .data_room = sparse->count < FIRST_ROOM ? sparse->count + 1 : FIRST_ROOM};
    if (!arrival->own_pattern) {
        if (member != SPL_MEMBER_LENGTHS) {
            SPL_TRY(spl_sandbox_nonsense(sandbox));
        }
        free(sparse->start);
        free(sparse->source);
        sparse->start = NULL;
        sparse->source = NULL;
    }
out:
    return status;
}

/* Take a part of an array that will have `most` items, of which *n_taken have come. */
static spl_status take_part(void **array, size_t item_bytes, size_t most, size_t *room,
    size_t *n_taken, spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    spl_status status = SPL_OK;
    const size_t count = (size_t)record->columns;
    if (*array == NULL || record->rows != *n_taken || count > most ||
        record->bytes != count * item_bytes) {
        return spl_sandbox_nonsense(sandbox);
    }
    SPL_TRY(
        spl_sandbox_make_room(sandbox, array, room, *n_taken, count, most, item_bytes));
    SPL_TRY(spl_sandbox_take(
        sandbox, (char *)*array + *n_taken * item_bytes, count * item_bytes));
    *n_taken += count;
out:
    return status;
}

spl_status spl_h5_take_sparse(spl_raw *raw, spl_sparse_arrival arrivals[2],
    spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    const size_t member = (record->kind - SPL_SPARSE_KINDS) / N_KINDS;
    spl_sparse *sparse = &raw->sparse[member];
    spl_sparse_arrival *arrival = &arrivals[member];
    _Static_assert(sizeof(size_t) == sizeof(uint64_t), "indptr is taken as it comes");
    switch ((record->kind - SPL_SPARSE_KINDS) % N_KINDS) {
    case KIND_SHAPE:
        return take_shape(raw, arrival, sandbox, record, member);
    case KIND_INDPTR:
        return take_part((void **)&sparse->start, sizeof *sparse->start, sparse->rows + 1,
            &arrival->start_room, &arrival->n_start, sandbox, record);
    case KIND_INDICES:
        return take_part((void **)&sparse->source, sizeof *sparse->source, sparse->count,
            &arrival->source_room, &arrival->n_source, sandbox, record);
    default:
        return take_part((void **)&sparse->data, sizeof *sparse->data, sparse->count,
            &arrival->data_room, &arrival->n_data, sandbox, record);
    }
}

bool spl_h5_has_arrived(const spl_raw *raw, const spl_sparse_arrival arrivals[2])
{
    for (size_t m = 0; m < 2; m++) {
        const spl_sparse *sparse = &raw->sparse[m];
        const spl_sparse_arrival *a = &arrivals[m];
        if (a->announced && (a->n_data != sparse->count ||
                                (a->own_pattern && (a->n_start != sparse->rows + 1 ||
                                                       a->n_source != sparse->count)))) {
            return false;
        }
    }
    return true;
}
