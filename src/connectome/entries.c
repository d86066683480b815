#include "connectome/connectome.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void spl_entries_deinit(spl_entries *entries)
{
    free(entries->start);
    free(entries->source);
    free(entries->weights);
    free(entries->lengths);
    *entries = (spl_entries){0};
}

size_t spl_row_of(const spl_entries *entries, size_t k)
{
    if (entries->start == NULL) {
        return k / entries->n_nodes;
    }
    size_t low = 0;
    size_t high = entries->n_nodes;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (entries->start[middle] <= k) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static spl_status allocate(spl_entries *entries, size_t n_nodes, size_t count)
{
    *entries = (spl_entries){.n_nodes = n_nodes, .count = count};
    entries->start = calloc(n_nodes + 1, sizeof *entries->start);
    entries->source = calloc(count + 1, sizeof *entries->source);
    entries->weights = calloc(count + 1, sizeof *entries->weights);
    entries->lengths = calloc(count + 1, sizeof *entries->lengths);
    if (entries->start == NULL || entries->source == NULL || entries->weights == NULL ||
        entries->lengths == NULL) {
        spl_entries_deinit(entries);
        return spl_error(SPL_ERR_NO_MEMORY,
            "out of memory for %zu connections of %zu nodes", count, n_nodes);
    }
    return SPL_OK;
}

static void transpose_matrix(double *matrix, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            double lower = matrix[i * n + j];
            matrix[i * n + j] = matrix[j * n + i];
            matrix[j * n + i] = lower;
        }
    }
}

/* A new copy with rows and columns exchanged; going through the rows in order sorts the
 * new ones. */
static spl_status make_transposed(spl_entries *out, const spl_entries *entries)
{
    const size_t n = entries->n_nodes;
    spl_status status = allocate(out, n, entries->count);
    if (status != SPL_OK) {
        return status;
    }
    /* start[j + 1] counts row j, then moves from its first entry to its end */
    for (size_t k = 0; k < entries->count; k++) {
        out->start[(size_t)entries->source[k] + 1]++;
    }
    for (size_t j = 0, before = 0; j < n; j++) {
        const size_t length = out->start[j + 1];
        out->start[j + 1] = before;
        before += length;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = entries->start[i]; k < entries->start[i + 1]; k++) {
            const size_t at = out->start[(size_t)entries->source[k] + 1]++;
            out->source[at] = (int32_t)i;
            out->weights[at] = entries->weights[k];
            out->lengths[at] = entries->lengths[k];
        }
    }
    return SPL_OK;
}

spl_status spl_entries_transpose(spl_entries *entries)
{
    if (entries->start == NULL) {
        transpose_matrix(entries->weights, entries->n_nodes);
        transpose_matrix(entries->lengths, entries->n_nodes);
        return SPL_OK;
    }
    spl_entries transposed;
    spl_status status = make_transposed(&transposed, entries);
    if (status == SPL_OK) {
        spl_entries_deinit(entries);
        *entries = transposed;
    }
    return status;
}

spl_triangle spl_empty_triangle(const spl_entries *entries, const double *matrix)
{
    bool lower = true;
    bool upper = true;
    for (size_t i = 0; i < entries->n_nodes && (lower || upper); i++) {
        const size_t end = spl_row(entries, i + 1);
        for (size_t k = spl_row(entries, i); k < end; k++) {
            const size_t j = spl_column(entries, i, k);
            lower = lower && (j >= i || matrix[k] == 0.0);
            upper = upper && (j <= i || matrix[k] == 0.0);
        }
    }
    /* both: nothing to mirror */
    return lower == upper ? SPL_TRIANGLE_NONE
           : lower        ? SPL_TRIANGLE_LOWER
                          : SPL_TRIANGLE_UPPER;
}

static void symmetrise_matrix(double *matrix, size_t n, spl_triangle empty)
{
    for (size_t i = 0; i < n && empty != SPL_TRIANGLE_NONE; i++) {
        for (size_t j = 0; j < i; j++) {
            size_t lower = i * n + j;
            size_t upper = j * n + i;
            if (empty == SPL_TRIANGLE_LOWER) {
                matrix[lower] = matrix[upper];
            } else {
                matrix[upper] = matrix[lower];
            }
        }
    }
}

/* One step of a walk along row i of two sets of entries: the next column of either, and
 * its entry in each, SIZE_MAX where it has none. False behind the last. */
typedef struct spl_pair {
    size_t column, a, b;
} spl_pair;

static bool next_pair(spl_pair *pair, const spl_entries *a, const spl_entries *b,
    size_t row, size_t *at_a, size_t *at_b)
{
    const bool more_a = *at_a < a->start[row + 1];
    const bool more_b = *at_b < b->start[row + 1];
    if (!more_a && !more_b) {
        return false;
    }
    const size_t column_a = more_a ? (size_t)a->source[*at_a] : SIZE_MAX;
    const size_t column_b = more_b ? (size_t)b->source[*at_b] : SIZE_MAX;
    pair->column = column_a < column_b ? column_a : column_b;
    pair->a = column_a == pair->column ? (*at_a)++ : SIZE_MAX;
    pair->b = column_b == pair->column ? (*at_b)++ : SIZE_MAX;
    return true;
}

static bool is_in(spl_triangle triangle, size_t i, size_t j)
{
    return (triangle == SPL_TRIANGLE_LOWER && j < i) ||
           (triangle == SPL_TRIANGLE_UPPER && j > i);
}

/* Entries of `a` and of its transpose `b` together. */
static void merge(spl_entries *out, const spl_entries *a, const spl_entries *b,
    spl_triangle empty_weights, spl_triangle empty_lengths)
{
    size_t at_a = 0;
    size_t at_b = 0;
    size_t count = 0;
    for (size_t i = 0; i < a->n_nodes; i++) {
        spl_pair pair;
        while (next_pair(&pair, a, b, i, &at_a, &at_b)) {
            const double w = pair.a != SIZE_MAX ? a->weights[pair.a] : 0.0;
            const double wt = pair.b != SIZE_MAX ? b->weights[pair.b] : 0.0;
            const bool mirrored =
                pair.a == SIZE_MAX ||
                (pair.b != SIZE_MAX && is_in(empty_lengths, i, pair.column));
            out->source[count] = (int32_t)pair.column;
            out->weights[count] = is_in(empty_weights, i, pair.column) ? wt : w;
            out->lengths[count] = mirrored ? b->lengths[pair.b] : a->lengths[pair.a];
            count++;
        }
        out->start[i + 1] = count;
    }
    out->count = count;
}

spl_status spl_entries_symmetrise(spl_entries *entries)
{
    const spl_triangle empty_weights = spl_empty_triangle(entries, entries->weights);
    const spl_triangle empty_lengths = spl_empty_triangle(entries, entries->lengths);
    if (entries->start == NULL) {
        symmetrise_matrix(entries->weights, entries->n_nodes, empty_weights);
        symmetrise_matrix(entries->lengths, entries->n_nodes, empty_lengths);
        return SPL_OK;
    }
    spl_status status = SPL_OK;
    spl_entries transposed = {0};
    spl_entries both = {0};
    if (entries->count > (size_t)SPL_MAX_SPARSE_ENTRIES / 2) {
        SPL_FAIL(SPL_ERR_LIMIT,
            "%zu connections, mirrored, are more than 2^31; store both triangles of a "
            "smaller network",
            entries->count);
    }
    SPL_TRY(make_transposed(&transposed, entries));
    SPL_TRY(allocate(&both, entries->n_nodes, 2 * entries->count));
    merge(&both, entries, &transposed, empty_weights, empty_lengths);
    spl_entries_deinit(entries);
    *entries = both;
    both = (spl_entries){0};
out:
    spl_entries_deinit(&transposed);
    spl_entries_deinit(&both);
    return status;
}

static double matrix_asymmetry(const double *matrix, size_t n)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            largest = fmax(largest, fabs(matrix[i * n + j] - matrix[j * n + i]));
        }
    }
    return largest;
}

spl_status spl_entries_asymmetry(
    const spl_entries *entries, double *weights, double *lengths)
{
    const spl_entries *a = entries;
    *weights = *lengths = 0.0;
    if (a->start == NULL) {
        *weights = matrix_asymmetry(a->weights, a->n_nodes);
        *lengths = matrix_asymmetry(a->lengths, a->n_nodes);
        return SPL_OK;
    }
    spl_entries b;
    spl_status status = make_transposed(&b, a);
    if (status != SPL_OK) {
        return status;
    }
    size_t at_a = 0;
    size_t at_b = 0;
    for (size_t i = 0; i < a->n_nodes; i++) {
        spl_pair pair;
        while (next_pair(&pair, a, &b, i, &at_a, &at_b)) {
            const double w = pair.a != SIZE_MAX ? a->weights[pair.a] : 0.0;
            const double wt = pair.b != SIZE_MAX ? b.weights[pair.b] : 0.0;
            *weights = fmax(*weights, fabs(w - wt));
            if (pair.a != SIZE_MAX && pair.b != SIZE_MAX) {
                *lengths = fmax(*lengths, fabs(a->lengths[pair.a] - b.lengths[pair.b]));
            }
        }
    }
    spl_entries_deinit(&b);
    return SPL_OK;
}
