/* Sparse matrices from outside, which must be proved right before anyone follows their
 * indices. */
#include "connectome/connectome.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void spl_sparse_deinit(spl_sparse *sparse)
{
    free(sparse->start);
    free(sparse->source);
    free(sparse->data);
    *sparse = (spl_sparse){0};
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

spl_status spl_sparse_announce(spl_sparse *sparse, const char *place, size_t rows,
    size_t columns, size_t count, size_t room)
{
    *sparse = (spl_sparse){.rows = rows, .columns = columns, .count = count};
    if (rows > SPL_MAX_SPARSE_NODES || columns > SPL_MAX_SPARSE_NODES ||
        count > SPL_MAX_SPARSE_ENTRIES) {
        return spl_error(SPL_ERR_LIMIT,
            "%s: %zu x %zu with %zu stored entries; the largest sparse connectome has "
            "2^24 nodes and 2^31 - 1 entries",
            place, rows, columns, count);
    }
    const size_t entry_bytes = sizeof *sparse->source + sizeof *sparse->data;
    spl_status status = spl_memory_check(
        count * entry_bytes + (rows + 1) * sizeof *sparse->start, "a sparse matrix");
    if (status != SPL_OK) {
        return status;
    }
    sparse->start = calloc(least(rows + 1, room), sizeof *sparse->start);
    sparse->source = calloc(least(count + 1, room), sizeof *sparse->source);
    sparse->data = calloc(least(count + 1, room), sizeof *sparse->data);
    if (sparse->start == NULL || sparse->source == NULL || sparse->data == NULL) {
        spl_sparse_deinit(sparse);
        return spl_error(SPL_ERR_NO_MEMORY,
            "%s: out of memory for %zu stored entries of %zu nodes", place, count, rows);
    }
    return SPL_OK;
}

spl_status spl_sparse_init(
    spl_sparse *sparse, const char *place, size_t rows, size_t columns, size_t count)
{
    return spl_sparse_announce(sparse, place, rows, columns, count, SIZE_MAX);
}

/* Rows one behind the other, columns inside the matrix. */
static spl_status check_pattern(const spl_sparse *m, const char *place)
{
    if (m->start[0] != 0 || m->start[m->rows] != m->count) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: indptr runs from %zu to %zu, expected 0 to %zu, the number of stored "
            "entries; save the matrix again",
            place, m->start[0], m->start[m->rows], m->count);
    }
    for (size_t i = 0; i < m->rows; i++) {
        if (m->start[i + 1] < m->start[i] || m->start[i + 1] > m->count) {
            return spl_error(SPL_ERR_FORMAT,
                "%s: indptr[%zu] is %zu after %zu; it must not fall, nor exceed %zu; "
                "save the matrix again",
                place, i + 1, m->start[i + 1], m->start[i], m->count);
        }
    }
    for (size_t k = 0; k < m->count; k++) {
        if (m->source[k] < 0 || (size_t)m->source[k] >= m->columns) {
            return spl_error(SPL_ERR_FORMAT,
                "%s: indices[%zu] is %d, outside 0 to %zu; save the matrix again", place,
                k, (int)m->source[k], m->columns - 1);
        }
    }
    return SPL_OK;
}

typedef struct item {
    int32_t source;
    double a, b;
} item;

static int compare_items(const void *a, const void *b)
{
    const int32_t x = ((const item *)a)->source;
    const int32_t y = ((const item *)b)->source;
    return (x > y) - (x < y);
}

static bool is_sorted(const spl_sparse *m, size_t row)
{
    for (size_t k = m->start[row] + 1; k < m->start[row + 1]; k++) {
        if (m->source[k] < m->source[k - 1]) {
            return false;
        }
    }
    return true;
}

static size_t longest_row(const spl_sparse *m)
{
    size_t longest = 0;
    for (size_t i = 0; i < m->rows; i++) {
        const size_t length = m->start[i + 1] - m->start[i];
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* Sort the columns of each row, and with them the data, and `other` on the same pattern
 * if it is not NULL. SciPy keeps them in any order. */
static spl_status sort_rows(spl_sparse *m, double *other, const char *place)
{
    item *items = calloc(longest_row(m) + 1, sizeof *items);
    if (items == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", place);
    }
    for (size_t i = 0; i < m->rows; i++) {
        const size_t first = m->start[i];
        const size_t length = m->start[i + 1] - first;
        if (is_sorted(m, i)) {
            continue;
        }
        for (size_t k = 0; k < length; k++) {
            items[k] = (item){m->source[first + k], m->data[first + k],
                other != NULL ? other[first + k] : 0.0};
        }
        qsort(items, length, sizeof *items, compare_items);
        for (size_t k = 0; k < length; k++) {
            m->source[first + k] = items[k].source;
            m->data[first + k] = items[k].a;
            if (other != NULL) {
                other[first + k] = items[k].b;
            }
        }
    }
    free(items);
    return SPL_OK;
}

static spl_status refuse_repeated(const spl_sparse *m, const char *place)
{
    for (size_t i = 0; i < m->rows; i++) {
        for (size_t k = m->start[i] + 1; k < m->start[i + 1]; k++) {
            if (m->source[k] == m->source[k - 1]) {
                return spl_error(SPL_ERR_CONNECTOME,
                    "%s: row %zu column %d is stored twice; call sum_duplicates() or "
                    "remove one",
                    place, i + 1, (int)m->source[k] + 1);
            }
        }
    }
    return SPL_OK;
}

static spl_status check_finite(
    const spl_entries *e, const double *data, const char *place)
{
    for (size_t k = 0; k < e->count; k++) {
        if (!isfinite(data[k])) {
            const size_t i = spl_row_of(e, k);
            return spl_error(SPL_ERR_FORMAT,
                "%s: row %zu column %zu: %g is not a usable value; replace it or remove "
                "the entry",
                place, i + 1, spl_column(e, i, k) + 1, data[k]);
        }
    }
    return SPL_OK;
}

/* Both patterns are sorted. */
static spl_status compare_patterns(
    const spl_sparse *weights, const spl_sparse *lengths, char *const places[])
{
    for (size_t i = 0; i < weights->rows; i++) {
        const size_t first = weights->start[i];
        const size_t bytes = (weights->start[i + 1] - first) * sizeof *weights->source;
        if (lengths->start[i] != first ||
            lengths->start[i + 1] != weights->start[i + 1] ||
            memcmp(weights->source + first, lengths->source + first, bytes) != 0) {
            return spl_error(SPL_ERR_CONNECTOME,
                "%s and %s store different entries in row %zu; give every stored weight "
                "a stored length, zeros too",
                places[SPL_MEMBER_WEIGHTS], places[SPL_MEMBER_LENGTHS], i + 1);
        }
    }
    return SPL_OK;
}

static spl_status check_shapes(
    const spl_sparse *weights, const spl_sparse *lengths, char *const places[])
{
    if (weights->rows != weights->columns || weights->rows == 0) {
        return spl_error(SPL_ERR_CONNECTOME,
            "%s: %zu rows and %zu columns; weights must be square and not empty",
            places[SPL_MEMBER_WEIGHTS], weights->rows, weights->columns);
    }
    if (lengths->data != NULL &&
        (lengths->rows != weights->rows || lengths->columns != weights->columns)) {
        return spl_error(SPL_ERR_CONNECTOME,
            "%s is %zu x %zu, but %s is %zu x %zu; both must have the shape N x N",
            places[SPL_MEMBER_WEIGHTS], weights->rows, weights->columns,
            places[SPL_MEMBER_LENGTHS], lengths->rows, lengths->columns);
    }
    if (lengths->data != NULL && lengths->count != weights->count) {
        return spl_error(SPL_ERR_CONNECTOME,
            "%s stores %zu entries, but %s stores %zu; give every stored weight a stored "
            "length, zeros too",
            places[SPL_MEMBER_WEIGHTS], weights->count, places[SPL_MEMBER_LENGTHS],
            lengths->count);
    }
    return SPL_OK;
}

spl_status spl_sparse_take(spl_entries *entries, spl_raw *raw)
{
    spl_status status = SPL_OK;
    spl_sparse *weights = &raw->sparse[SPL_MEMBER_WEIGHTS];
    spl_sparse *lengths = &raw->sparse[SPL_MEMBER_LENGTHS];
    const char *place = raw->places[SPL_MEMBER_WEIGHTS];
    const char *lengths_place = raw->places[SPL_MEMBER_LENGTHS];
    const bool own_pattern = lengths->data != NULL && lengths->start != NULL;
    SPL_TRY(check_shapes(weights, lengths, raw->places));
    SPL_TRY(check_pattern(weights, place));
    if (own_pattern) {
        SPL_TRY(check_pattern(lengths, lengths_place));
        SPL_TRY(sort_rows(lengths, NULL, lengths_place));
    }
    SPL_TRY(sort_rows(weights, own_pattern ? NULL : lengths->data, place));
    SPL_TRY(refuse_repeated(weights, place));
    if (own_pattern) {
        SPL_TRY(compare_patterns(weights, lengths, raw->places));
    }
    *entries = (spl_entries){.n_nodes = weights->rows,
        .count = weights->count,
        .start = weights->start,
        .source = weights->source,
        .weights = weights->data,
        .lengths = lengths->data};
    *weights = (spl_sparse){0};
    lengths->data = NULL;
    spl_sparse_deinit(lengths);
    SPL_TRY(check_finite(entries, entries->weights, place));
    if (entries->lengths != NULL) {
        SPL_TRY(check_finite(entries, entries->lengths, lengths_place));
    }
out:
    return status;
}
