/* From a reader's tables to a connectome, by the policies: orientation, symmetrise,
 * diagonal, checks, normalise, in this order, so that what was asked for holds for the
 * matrix in use. */
#include "connectome/connectome.h"

#include "base/log.h"
#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void spl_raw_deinit(spl_raw *raw)
{
    for (size_t m = 0; m < SPL_N_MEMBERS; m++) {
        free(raw->places[m]);
        spl_table_deinit(&raw->tables[m]);
    }
    spl_sparse_deinit(&raw->sparse[SPL_MEMBER_WEIGHTS]);
    spl_sparse_deinit(&raw->sparse[SPL_MEMBER_LENGTHS]);
    free(raw->labels);
    free(raw->labels_place);
    free(raw->info);
    free(raw->normalisation);
    *raw = (spl_raw){0};
}

/* One row, or one column: the N numbers of areas, cortical and hemispheres. */
static bool is_vector(const spl_table *table, size_t n_nodes)
{
    return (table->rows == n_nodes && table->columns == 1) ||
           (table->rows == 1 && table->columns == n_nodes);
}

static spl_status check_square(const spl_raw *raw)
{
    const spl_table *w = &raw->tables[SPL_MEMBER_WEIGHTS];
    const spl_table *lengths = &raw->tables[SPL_MEMBER_LENGTHS];
    size_t n = w->rows;
    if (w->rows != w->columns) {
        return spl_error(SPL_ERR_CONNECTOME,
            "%s: %zu rows and %zu columns; weights must be square",
            raw->places[SPL_MEMBER_WEIGHTS], w->rows, w->columns);
    }
    if (lengths->data != NULL && (lengths->rows != n || lengths->columns != n)) {
        return spl_error(SPL_ERR_CONNECTOME,
            "%s is %zu x %zu, but %s is %zu x %zu; both must have the shape N x N",
            raw->places[SPL_MEMBER_WEIGHTS], n, n, raw->places[SPL_MEMBER_LENGTHS],
            lengths->rows, lengths->columns);
    }
    return SPL_OK;
}

/* What belongs to the n nodes of the weights. */
static spl_status check_nodes(const spl_raw *raw, size_t n)
{
    for (size_t m = SPL_MEMBER_CENTRES; m < SPL_MEMBER_INFO; m++) {
        const spl_table *table = &raw->tables[m];
        bool vectors = m == SPL_MEMBER_CENTRES || m == SPL_MEMBER_ORIENTATIONS;
        if (table->data == NULL) {
            continue;
        }
        if (vectors ? table->rows != n || table->columns != 3 : !is_vector(table, n)) {
            return spl_error(SPL_ERR_CONNECTOME,
                "%s: %zu x %zu numbers, expected %zu x %d as %s has %zu nodes",
                raw->places[m], table->rows, table->columns, n, vectors ? 3 : 1,
                raw->places[SPL_MEMBER_WEIGHTS], n);
        }
    }
    if (raw->labels != NULL && raw->n_labels != n) {
        return spl_error(SPL_ERR_CONNECTOME,
            "%s: %zu labels, expected %zu as %s has %zu nodes", raw->labels_place,
            raw->n_labels, n, raw->places[SPL_MEMBER_WEIGHTS], n);
    }
    return SPL_OK;
}

static spl_status check_finite(const spl_raw *raw)
{
    for (size_t m = 0; m < SPL_MEMBER_INFO; m++) {
        const spl_table *table = &raw->tables[m];
        for (size_t k = 0; k < table->rows * table->columns; k++) {
            if (!isfinite(table->data[k])) {
                return spl_error(SPL_ERR_FORMAT,
                    "%s: row %zu column %zu: %g is not a usable value; replace it (write "
                    "0 where there is no connection)",
                    raw->places[m], k / table->columns + 1, k % table->columns + 1,
                    table->data[k]);
            }
        }
    }
    return SPL_OK;
}

static spl_status apply_triangular(
    spl_connectome *c, const spl_raw *raw, const spl_connectome_options *options)
{
    spl_triangle empty = spl_empty_triangle(&c->entries, c->entries.weights);
    if (empty == SPL_TRIANGLE_NONE || options->triangular == SPL_TRIANGULAR_ACCEPT) {
        return SPL_OK;
    }
    if (options->triangular == SPL_TRIANGULAR_ERROR) {
        bool lower = (empty == SPL_TRIANGLE_LOWER) != options->from_to;
        return spl_error(SPL_ERR_CONNECTOME,
            "%s: all weights %s the diagonal are 0; set connectome.triangular to "
            "symmetrise or accept",
            raw->places[SPL_MEMBER_WEIGHTS], lower ? "below" : "above");
    }
    return spl_entries_symmetrise(&c->entries);
}

/* Entry of the diagonal in row i, or SIZE_MAX. */
static size_t find_self(const spl_entries *entries, size_t i)
{
    if (entries->start == NULL) {
        return i * entries->n_nodes + i;
    }
    for (size_t k = entries->start[i]; k < entries->start[i + 1]; k++) {
        if ((size_t)entries->source[k] == i) {
            return k;
        }
    }
    return SIZE_MAX;
}

static spl_status apply_diagonal(
    spl_connectome *c, const spl_raw *raw, const spl_connectome_options *options)
{
    double *weights = c->entries.weights;
    size_t n_self = 0;
    for (size_t i = 0; i < c->n_nodes; i++) {
        size_t k = find_self(&c->entries, i);
        n_self += k != SIZE_MAX && weights[k] != 0.0;
    }
    if (n_self > 0 && options->self_connections == SPL_SELF_ERROR) {
        return spl_error(SPL_ERR_CONNECTOME,
            "%s: %zu nonzero weights on the diagonal; set connectome.self_connections to "
            "keep or drop",
            raw->places[SPL_MEMBER_WEIGHTS], n_self);
    }
    if (options->self_connections == SPL_SELF_DROP) {
        for (size_t i = 0; i < c->n_nodes; i++) {
            size_t k = find_self(&c->entries, i);
            if (k != SIZE_MAX) {
                weights[k] = 0.0;
            }
        }
        c->n_dropped_self += n_self;
        if (n_self > 0) {
            spl_notice("%s: %zu self-connections dropped",
                raw->places[SPL_MEMBER_WEIGHTS], n_self);
        }
    } else if (n_self > 0) {
        spl_notice(
            "%s: %zu self-connections kept", raw->places[SPL_MEMBER_WEIGHTS], n_self);
    }
    return SPL_OK;
}

/* Name an entry by its place in the file, which may be the transpose. */
static spl_status refuse_entry(const char *place, const spl_connectome *c, size_t k,
    const spl_connectome_options *options, const char *what)
{
    size_t i = spl_row_of(&c->entries, k);
    size_t row = i + 1;
    size_t column = spl_column(&c->entries, i, k) + 1;
    return spl_error(SPL_ERR_CONNECTOME, "%s: row %zu column %zu: %s", place,
        options->from_to ? column : row, options->from_to ? row : column, what);
}

static spl_status check_signs(
    const spl_connectome *c, const spl_raw *raw, const spl_connectome_options *options)
{
    char what[160];
    const double *weights = c->entries.weights;
    const double *lengths = c->entries.lengths;
    for (size_t k = 0; k < c->entries.count; k++) {
        if (weights[k] < 0.0 && !options->allow_negative) {
            snprintf(what, sizeof what,
                "negative weight %g; set connectome.allow_negative: true if it is meant",
                weights[k]);
            return refuse_entry(raw->places[SPL_MEMBER_WEIGHTS], c, k, options, what);
        }
        if (lengths[k] < 0.0) {
            snprintf(what, sizeof what,
                "negative tract length %g; lengths are distances in mm, correct the file",
                lengths[k]);
            return refuse_entry(raw->places[SPL_MEMBER_LENGTHS], c, k, options, what);
        }
    }
    return SPL_OK;
}

static spl_status check_zero_lengths(
    const spl_connectome *c, const spl_raw *raw, const spl_connectome_options *options)
{
    const spl_entries *entries = &c->entries;
    size_t n_zero = 0;
    size_t first = 0;
    if (raw->places[SPL_MEMBER_LENGTHS] == NULL ||
        options->zero_length == SPL_ZERO_LENGTH_ACCEPT) {
        return SPL_OK;
    }
    for (size_t i = 0; i < c->n_nodes; i++) {
        for (size_t k = spl_row(entries, i); k < spl_row(entries, i + 1); k++) {
            if (entries->weights[k] != 0.0 && entries->lengths[k] == 0.0 &&
                spl_column(entries, i, k) != i) {
                first = n_zero == 0 ? k : first;
                n_zero++;
            }
        }
    }
    if (n_zero > 0 && options->zero_length == SPL_ZERO_LENGTH_ERROR) {
        return refuse_entry(raw->places[SPL_MEMBER_LENGTHS], c, first, options,
            "length 0 of an edge between two nodes; correct it or set "
            "connectome.zero_length to warn or accept");
    }
    if (n_zero > 0) {
        spl_warn("%s: %zu edges between different nodes have length 0: they act without "
                 "delay",
            raw->places[SPL_MEMBER_LENGTHS], n_zero);
    }
    return SPL_OK;
}

static spl_status find_isolated(spl_connectome *c, const spl_raw *raw)
{
    const spl_entries *entries = &c->entries;
    size_t n_isolated = c->n_nodes;
    bool *isolated = malloc(c->n_nodes * sizeof *isolated);
    c->isolated = isolated;
    if (isolated == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory for %zu nodes", c->n_nodes);
    }
    memset(isolated, true, c->n_nodes * sizeof *isolated);
    for (size_t i = 0; i < c->n_nodes; i++) {
        for (size_t k = spl_row(entries, i); k < spl_row(entries, i + 1); k++) {
            if (entries->weights[k] != 0.0) {
                isolated[i] = isolated[spl_column(entries, i, k)] = false;
            }
        }
    }
    for (size_t i = 0; i < c->n_nodes; i++) {
        n_isolated -= !isolated[i];
    }
    if (n_isolated > 0) {
        spl_warn("%s: %zu of %zu nodes have no connection at all",
            raw->places[SPL_MEMBER_WEIGHTS], n_isolated, c->n_nodes);
    }
    return SPL_OK;
}

static void fill_euclidean(const spl_entries *entries, const double *centres)
{
    for (size_t i = 0; i < entries->n_nodes; i++) {
        for (size_t k = spl_row(entries, i); k < spl_row(entries, i + 1); k++) {
            const double *a = centres + 3 * i;
            const double *b = centres + 3 * spl_column(entries, i, k);
            double dx = a[0] - b[0];
            double dy = a[1] - b[1];
            double dz = a[2] - b[2];
            entries->lengths[k] = sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
}

/* Lengths of the file, or those that stand in for them. */
static spl_status make_lengths(
    spl_connectome *c, spl_raw *raw, const spl_connectome_options *options)
{
    spl_entries *entries = &c->entries;
    const double *centres = raw->tables[SPL_MEMBER_CENTRES].data;
    const char *source = raw->places[SPL_MEMBER_WEIGHTS];
    if (entries->lengths != NULL) {
        for (size_t k = 0; options->lengths_in_metres && k < entries->count; k++) {
            entries->lengths[k] *= 1000.0;
        }
        return SPL_OK;
    }
    if (options->missing_lengths == SPL_MISSING_LENGTHS_ERROR) {
        return spl_error(SPL_ERR_CONNECTOME,
            "%s: no tract_lengths beside these weights; add them, or set "
            "connectome.speed: "
            "inf or connectome.missing_lengths: euclidean",
            source);
    }
    bool euclidean = options->missing_lengths == SPL_MISSING_LENGTHS_EUCLIDEAN;
    if (euclidean && centres == NULL) {
        return spl_error(SPL_ERR_CONNECTOME,
            "%s: neither tract_lengths nor centres beside these weights, so there are no "
            "Euclidean lengths; add centres",
            source);
    }
    entries->lengths = calloc(entries->count + 1, sizeof *entries->lengths);
    if (entries->lengths == NULL) {
        return spl_error(
            SPL_ERR_NO_MEMORY, "%s: out of memory for %zu nodes", source, c->n_nodes);
    }
    if (euclidean) {
        fill_euclidean(entries, centres);
    }
    return SPL_OK;
}

/* The two matrices in whichever form the reader brought them. */
static spl_status take_entries(spl_connectome *c, spl_raw *raw)
{
    const bool sparse[] = {raw->sparse[SPL_MEMBER_WEIGHTS].data != NULL,
        raw->sparse[SPL_MEMBER_LENGTHS].data != NULL};
    if (sparse[1] != (sparse[0] && raw->places[SPL_MEMBER_LENGTHS] != NULL)) {
        return spl_error(SPL_ERR_CONNECTOME,
            "%s is %s, but %s is %s; store both in the same way",
            raw->places[SPL_MEMBER_WEIGHTS], sparse[0] ? "sparse" : "a full matrix",
            raw->places[SPL_MEMBER_LENGTHS], sparse[1] ? "sparse" : "a full matrix");
    }
    spl_status status = sparse[0] ? spl_sparse_take(&c->entries, raw) : check_square(raw);
    if (status == SPL_OK && !sparse[0]) {
        spl_table *w = &raw->tables[SPL_MEMBER_WEIGHTS];
        c->entries.n_nodes = w->rows;
        c->entries.count = w->rows * w->rows;
    }
    c->n_nodes = c->entries.n_nodes;
    return status;
}

static spl_status make_labels(spl_connectome *c, spl_raw *raw)
{
    size_t n = c->n_nodes;
    spl_table *centres = &raw->tables[SPL_MEMBER_CENTRES];
    const char *source = raw->places[SPL_MEMBER_WEIGHTS];
    char **given = raw->labels != NULL ? &raw->labels : &centres->labels;
    c->labels = calloc(n + 1, sizeof *c->labels);
    if (*given != NULL) {
        c->label_text = *given;
        *given = NULL;
    } else {
        spl_text indices = {0};
        for (size_t i = 0; i < n; i++) {
            spl_text_add(&indices, "%zu", i);
            spl_text_add_bytes(&indices, "", 1);
        }
        c->label_text = indices.data;
        if (strcmp(raw->form, "arrays") != 0) {
            spl_warn("%s: no labels: regions are called by their index, 0 to %zu%s",
                source, n - 1, centres->data == NULL ? ", and no positions" : "");
        }
        if (indices.failed) {
            return spl_error(
                SPL_ERR_NO_MEMORY, "%s: out of memory for the labels", source);
        }
    }
    if (c->labels == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory for the labels", source);
    }
    const char *label = c->label_text;
    for (size_t i = 0; i < n; i++) {
        c->labels[i] = label;
        label += strlen(label) + 1;
    }
    return SPL_OK;
}

static spl_status make_flags(
    int8_t **flags, const spl_raw *raw, spl_member member, size_t n)
{
    const spl_table *table = &raw->tables[member];
    if (table->data == NULL) {
        return SPL_OK;
    }
    *flags = calloc(n, sizeof **flags);
    if (*flags == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", raw->places[member]);
    }
    for (size_t i = 0; i < n; i++) {
        if (table->data[i] != 0.0 && table->data[i] != 1.0) {
            return spl_error(SPL_ERR_CONNECTOME,
                "%s: row %zu column %zu: %g is neither 0 nor 1; write 0, 1, true or "
                "false",
                raw->places[member], i / table->columns + 1, i % table->columns + 1,
                table->data[i]);
        }
        (*flags)[i] = (int8_t)table->data[i];
    }
    return SPL_OK;
}

static spl_status make_hemispheres(spl_connectome *c, const spl_raw *raw)
{
    spl_status status = SPL_OK;
    const char *rule = "member hemispheres";
    SPL_TRY(make_flags(&c->hemispheres, raw, SPL_MEMBER_HEMISPHERES, c->n_nodes));
    if (c->hemispheres == NULL) {
        c->hemispheres = calloc(c->n_nodes, sizeof *c->hemispheres);
        if (c->hemispheres == NULL) {
            SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory for %zu nodes", c->n_nodes);
        }
        if (!spl_hemispheres_derive(c->labels, c->n_nodes, c->hemispheres, &rule)) {
            free(c->hemispheres);
            c->hemispheres = NULL;
        }
    }
    snprintf(c->hemisphere_rule, sizeof c->hemisphere_rule, "%s", rule);
out:
    return status;
}

static void take_data(double **to, spl_table *table)
{
    *to = table->data;
    table->data = NULL;
}

static spl_status make_texts(spl_connectome *c, spl_raw *raw, const char *source,
    const spl_connectome_options *options)
{
    static const char *const kinds[] = {"none", "tract", "region", "spectral"};
    spl_text members = {0};
    for (size_t m = 0; m < SPL_N_MEMBERS; m++) {
        if (raw->places[m] != NULL) {
            spl_text_add(&members, "%s%s", members.length > 0 ? " " : "",
                spl_member_name((spl_member)m));
        }
    }
    c->members = members.data;
    c->form = raw->form;
    c->text_bytes = raw->text_bytes;
    c->n_dropped_self = raw->n_dropped_self;
    memcpy(c->sha256, raw->sha256, sizeof c->sha256);
    c->source = spl_strdup(source);
    c->info = spl_strdup(raw->info != NULL ? raw->info : "");
    bool stored = options->normalise == SPL_NORMALISE_NONE && raw->normalisation != NULL;
    c->normalisation =
        spl_strdup(stored ? raw->normalisation : kinds[options->normalise]);
    if (members.failed || c->source == NULL || c->info == NULL ||
        c->normalisation == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", source);
    }
    return SPL_OK;
}

static spl_status warn_duplicates(const spl_connectome *c, const char *source)
{
    size_t n_duplicates;
    spl_status status = spl_count_duplicates(c, &n_duplicates);
    if (status == SPL_OK && n_duplicates > 0) {
        spl_warn("%s: only %zu distinct labels for %zu nodes: labels cannot name single "
                 "regions",
            source, c->n_nodes - n_duplicates, c->n_nodes);
    }
    return status;
}

static spl_status apply_policies(
    spl_connectome *c, spl_raw *raw, const spl_connectome_options *options)
{
    spl_status status = SPL_OK;
    if (options->from_to) {
        SPL_TRY(spl_entries_transpose(&c->entries));
    }
    SPL_TRY(apply_triangular(c, raw, options));
    SPL_TRY(apply_diagonal(c, raw, options));
    SPL_TRY(check_signs(c, raw, options));
    SPL_TRY(check_zero_lengths(c, raw, options));
    SPL_TRY(find_isolated(c, raw));
    SPL_TRY(spl_weights_normalise(
        &c->entries, options->normalise, raw->places[SPL_MEMBER_WEIGHTS]));
out:
    return status;
}

spl_status spl_assemble(spl_connectome **out, spl_raw *raw, const char *source,
    const spl_connectome_options *options)
{
    spl_status status = SPL_OK;
    spl_connectome *c = calloc(1, sizeof *c);
    *out = NULL;
    if (c == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", source);
    }
    atomic_init(&c->references, 1);
    SPL_TRY(take_entries(c, raw));
    SPL_TRY(check_nodes(raw, c->n_nodes));
    SPL_TRY(check_finite(raw));
    SPL_TRY(make_texts(c, raw, source, options));
    if (c->entries.weights == NULL) {
        take_data(&c->entries.weights, &raw->tables[SPL_MEMBER_WEIGHTS]);
        take_data(&c->entries.lengths, &raw->tables[SPL_MEMBER_LENGTHS]);
    }
    SPL_TRY(make_lengths(c, raw, options));
    SPL_TRY(make_labels(c, raw));
    SPL_TRY(make_flags(&c->cortical, raw, SPL_MEMBER_CORTICAL, c->n_nodes));
    SPL_TRY(make_hemispheres(c, raw));
    take_data(&c->centres, &raw->tables[SPL_MEMBER_CENTRES]);
    take_data(&c->orientations, &raw->tables[SPL_MEMBER_ORIENTATIONS]);
    take_data(&c->areas, &raw->tables[SPL_MEMBER_AREAS]);
    SPL_TRY(apply_policies(c, raw, options));
    SPL_TRY(warn_duplicates(c, source));
    *out = c;
    c = NULL;
out:
    spl_connectome_free(c);
    return status;
}
