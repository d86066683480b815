#include "connectome/connectome.h"

#include "base/memory.h"
#include "h5/h5.h"

#include <stdlib.h>

void spl_table_deinit(spl_table *table)
{
    free(table->data);
    free(table->labels);
    *table = (spl_table){0};
}

spl_status spl_table_init(
    spl_table *table, const char *place, size_t rows, size_t columns)
{
    size_t count;
    *table = (spl_table){.rows = rows, .columns = columns, .separator = ' '};
    if (__builtin_mul_overflow(rows, columns, &count)) {
        return spl_error(
            SPL_ERR_LIMIT, "%s: %zu x %zu numbers are too many", place, rows, columns);
    }
    uint64_t bytes;
    if (__builtin_mul_overflow(count, sizeof *table->data, &bytes)) {
        bytes = UINT64_MAX;
    }
    spl_status status = spl_memory_check(bytes, place);
    if (status != SPL_OK) {
        return status;
    }
    table->data = calloc(count > 0 ? count : 1, sizeof *table->data);
    if (table->data == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory for %zu x %zu numbers",
            place, rows, columns);
    }
    return SPL_OK;
}

spl_status spl_table_parse(spl_table *table, spl_member member, const char *place,
    const spl_blob *blob, const spl_limits *limits)
{
    if (spl_is_npy(blob->bytes, blob->length)) {
        return spl_npy_parse(table, place, blob, limits);
    }
    if (spl_is_hdf5(blob->bytes, blob->length)) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: HDF5 inside another container is not read; store text or .npy", place);
    }
    if (member == SPL_MEMBER_CENTRES) {
        return spl_text_centres(table, place, blob, limits);
    }
    bool flags = member == SPL_MEMBER_CORTICAL || member == SPL_MEMBER_HEMISPHERES;
    return spl_text_matrix(
        table, place, blob, flags ? SPL_TEXT_FLAGS : SPL_TEXT_PLAIN, limits);
}
