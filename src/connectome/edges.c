#include "connectome/edges.h"

#include <math.h>
#include <stdlib.h>

#include "connectome/connectome.h"
#include "h5/h5.h"

enum { SOURCE, TARGET, WEIGHT, DELAY, MOST_COLUMNS };

spl_status spl_edge_list_init(
    spl_edge_list *list, const char *path, size_t n, bool weight, bool delay)
{
    list->source = calloc(n + 1, sizeof *list->source);
    list->target = calloc(n + 1, sizeof *list->target);
    list->weight = weight ? calloc(n + 1, sizeof *list->weight) : NULL;
    list->delay = delay ? calloc(n + 1, sizeof *list->delay) : NULL;
    if (list->source == NULL || list->target == NULL ||
        (weight && list->weight == NULL) || (delay && list->delay == NULL)) {
        return spl_error(
            SPL_ERR_NO_MEMORY, "%s: out of memory for %zu connections", path, n);
    }
    list->n = n;
    return SPL_OK;
}

void spl_edge_list_deinit(spl_edge_list *list)
{
    free(list->source);
    free(list->target);
    free(list->weight);
    free(list->delay);
    *list = (spl_edge_list){0};
}

/* An index was written as a decimal number. */
static spl_status take_index(
    uint32_t *index, const char *path, const spl_table *table, size_t row, size_t column)
{
    const double value = table->data[row * table->columns + column];
    if (!(value >= 0.0 && value <= UINT32_MAX) || value != rint(value)) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: row %zu, column %zu: %.10g is no index of a neuron; these are whole "
            "numbers from 0",
            path, row + 1, column + 1, value);
    }
    *index = (uint32_t)value;
    return SPL_OK;
}

static spl_status read_text(spl_edge_list *list, const char *path)
{
    spl_status status = SPL_OK;
    const spl_limits limits = {.max_nodes = INT32_MAX, .max_member_bytes = SIZE_MAX / 4};
    spl_blob blob = {0};
    spl_table table = {0};
    SPL_TRY(spl_blob_read(&blob, path, limits.max_member_bytes));
    SPL_TRY(spl_blob_inflate(&blob, path, false, &limits));
    SPL_TRY(spl_text_matrix(&table, path, &blob, SPL_TEXT_PLAIN, &limits));
    if (table.columns < 2 || table.columns > MOST_COLUMNS) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: %zu columns; a list of connections has source, target, and perhaps "
            "weight "
            "and delay",
            path, table.columns);
    }
    SPL_TRY(spl_edge_list_init(
        list, path, table.rows, table.columns > WEIGHT, table.columns > DELAY));
    for (size_t i = 0; i < table.rows; i++) {
        SPL_TRY(take_index(&list->source[i], path, &table, i, SOURCE));
        SPL_TRY(take_index(&list->target[i], path, &table, i, TARGET));
        if (list->weight != NULL) {
            list->weight[i] = table.data[i * table.columns + WEIGHT];
        }
        if (list->delay != NULL) {
            list->delay[i] = table.data[i * table.columns + DELAY];
        }
    }
out:
    spl_table_deinit(&table);
    spl_blob_deinit(&blob);
    return status;
}

spl_status spl_edge_list_read(spl_edge_list *list, const char *path)
{
    bool is_hdf5 = false;
    spl_status status = spl_h5_probe(path, &is_hdf5);
    return status != SPL_OK ? status
           : is_hdf5        ? spl_edge_list_read_hdf5(list, path)
                            : read_text(list, path);
}
