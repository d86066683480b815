/* Sparse matrices as scipy.sparse.save_npz writes them: a zip of data, indices, indptr,
 * shape and format. */
#include "connectome/connectome.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { DATA, INDICES, INDPTR, SHAPE, FORMAT, N_PARTS } part;

static const char *const part_names[N_PARTS] = {
    "data.npy", "indices.npy", "indptr.npy", "shape.npy", "format.npy"};

bool spl_is_zip(const char *bytes, size_t length)
{
    return length >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
}

static const spl_entry *find_part(const spl_container *container, part wanted)
{
    for (size_t i = 0; i < container->n_entries; i++) {
        if (strcmp(container->entries[i].path, part_names[wanted]) == 0) {
            return &container->entries[i];
        }
    }
    return NULL;
}

bool spl_is_sparse_npz(const spl_container *container)
{
    return find_part(container, DATA) != NULL && find_part(container, SHAPE) != NULL &&
           find_part(container, FORMAT) != NULL;
}

/* One archive on its way into a matrix. */
typedef struct job {
    const spl_container *container;
    const char *place;
    const spl_limits *limits;
} job;

/* Fetch a part; its place goes to `place` for messages. */
static spl_status fetch_part(spl_blob *blob, const job *j, part wanted, char *place)
{
    const spl_entry *entry = find_part(j->container, wanted);
    snprintf(place, 512, "%.400s: %s", j->place, part_names[wanted]);
    if (entry == NULL) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: no such member; save the matrix with scipy.sparse.save_npz, as CSR",
            place);
    }
    return j->container->fetch(blob, j->container, entry, place, false, j->limits);
}

/* A part of numbers in one column, as many as `expected` says; SIZE_MAX: any number.
 */
static spl_status read_numbers(
    spl_table *table, const job *j, part wanted, size_t expected)
{
    spl_status status = SPL_OK;
    spl_blob blob = {0};
    char place[512];
    spl_limits limits = *j->limits;
    limits.max_nodes = (size_t)SPL_MAX_SPARSE_ENTRIES;
    SPL_TRY(fetch_part(&blob, j, wanted, place));
    SPL_TRY(spl_npy_parse(table, place, &blob, &limits));
    if (table->columns != 1) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: %zu x %zu numbers, expected one row of them", place,
            table->rows, table->columns);
    }
    if (expected != SIZE_MAX && table->rows != expected) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: %zu numbers, expected %zu by shape and data; save the matrix again",
            place, table->rows, expected);
    }
out:
    spl_blob_deinit(&blob);
    return status;
}

static spl_status check_format(const job *j)
{
    spl_status status = SPL_OK;
    spl_blob blob = {0};
    char place[512];
    char format[16];
    SPL_TRY(fetch_part(&blob, j, FORMAT, place));
    SPL_TRY(spl_npy_text(format, place, &blob));
    if (strcmp(format, "csr") != 0) {
        char shown[48];
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: the format '%s' is not read; save the matrix as CSR: "
            "scipy.sparse.save_npz(file, matrix.tocsr())",
            j->place, spl_show_token(format, strlen(format), shown));
    }
out:
    spl_blob_deinit(&blob);
    return status;
}

/* A whole number from 0 to `most`. */
static spl_status take_whole(size_t *whole, const job *j, part which,
    const spl_table *table, size_t k, size_t most)
{
    const double value = table->data[k];
    if (!(value >= 0.0) || value > (double)most || value != floor(value)) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: %s: number %zu is %g, expected a whole number from 0 to %zu; save the "
            "matrix again",
            j->place, part_names[which], k + 1, value, most);
    }
    *whole = (size_t)value;
    return SPL_OK;
}

static spl_status read_shape(size_t shape[2], const job *j)
{
    spl_status status = SPL_OK;
    spl_table table = {0};
    SPL_TRY(read_numbers(&table, j, SHAPE, 2));
    for (size_t k = 0; k < 2; k++) {
        SPL_TRY(take_whole(&shape[k], j, SHAPE, &table, k, SIZE_MAX >> 11));
    }
out:
    spl_table_deinit(&table);
    return status;
}

static spl_status read_start(spl_sparse *sparse, const job *j)
{
    spl_status status = SPL_OK;
    spl_table table = {0};
    SPL_TRY(read_numbers(&table, j, INDPTR, sparse->rows + 1));
    for (size_t k = 0; k < table.rows; k++) {
        SPL_TRY(
            take_whole(&sparse->start[k], j, INDPTR, &table, k, SPL_MAX_SPARSE_ENTRIES));
    }
out:
    spl_table_deinit(&table);
    return status;
}

static spl_status read_source(spl_sparse *sparse, const job *j)
{
    spl_status status = SPL_OK;
    spl_table table = {0};
    SPL_TRY(read_numbers(&table, j, INDICES, sparse->count));
    const size_t last = sparse->columns > 0 ? sparse->columns - 1 : 0;
    for (size_t k = 0; k < table.rows; k++) {
        size_t column = 0;
        SPL_TRY(take_whole(&column, j, INDICES, &table, k, last));
        sparse->source[k] = (int32_t)column;
    }
out:
    spl_table_deinit(&table);
    return status;
}

static spl_status read_matrix(spl_sparse *sparse, const job *j)
{
    spl_status status = SPL_OK;
    spl_table data = {0};
    size_t shape[2];
    SPL_TRY(check_format(j));
    SPL_TRY(read_shape(shape, j));
    SPL_TRY(read_numbers(&data, j, DATA, SIZE_MAX));
    SPL_TRY(spl_sparse_init(sparse, j->place, shape[0], shape[1], data.rows));
    memcpy(sparse->data, data.data, data.rows * sizeof *data.data);
    spl_table_deinit(&data);
    SPL_TRY(read_start(sparse, j));
    SPL_TRY(read_source(sparse, j));
out:
    spl_table_deinit(&data);
    return status;
}

spl_status spl_sparse_npz(spl_sparse *sparse, const char *place, const spl_blob *bytes,
    const spl_limits *limits)
{
    spl_status status = SPL_OK;
    spl_entry entries[SPL_MAX_MEMBERS] = {{0}};
    spl_container container = {
        .file = place, .entries = entries, .fetch = spl_zip_fetch, .source = bytes};
    const job j = {&container, place, limits};
    SPL_TRY(spl_zip_list(entries, &container.n_entries, bytes, place));
    SPL_TRY(read_matrix(sparse, &j));
out:
    for (size_t i = 0; i < container.n_entries; i++) {
        free(entries[i].path);
    }
    return status;
}
