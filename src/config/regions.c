#include "config/regions.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "connectome/connectome.h"

char *spl_path_of(const spl_node *node)
{
    spl_text path = {0};
    const char *directory = *node->text != '/' ? node->origin->directory : "";
    spl_text_add(&path, "%s%s", directory, node->text);
    return path.data;
}

char *spl_absolute_path(const char *path)
{
    if (*path == '/') {
        return spl_strdup(path);
    }
    spl_text absolute = {0};
    char *here = getcwd(NULL, 0);
    if (here != NULL) {
        spl_text_add(&absolute, "%s/%s", strcmp(here, "/") == 0 ? "" : here, path);
        free(here);
    }
    return absolute.data;
}

static spl_status check_rule(const spl_node *node, const char *what, const char *path,
    size_t i, double value, spl_rule rule)
{
    bool bad = (rule == SPL_RULE_POSITIVE && !(value > 0.0)) ||
               (rule == SPL_RULE_NOT_NEGATIVE && !(value >= 0.0));
    if (bad) {
        return spl_node_error(node, false, "%s: value %zu of %s is %.10g; it must be %s",
            what, i + 1, path, value,
            rule == SPL_RULE_POSITIVE ? "greater than 0" : "at least 0");
    }
    return SPL_OK;
}

static spl_status read_table(
    spl_table *table, const char *path, const char *what, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    spl_blob blob = {0};
    SPL_TRY(spl_blob_read(&blob, path, limits->max_member_bytes));
    SPL_TRY(spl_blob_inflate(&blob, path, false, limits));
    SPL_TRY(spl_is_npy(blob.bytes, blob.length)
                ? spl_npy_parse(table, path, &blob, limits)
                : spl_text_matrix(table, path, &blob, SPL_TEXT_PLAIN, limits));
out:
    spl_blob_deinit(&blob);
    return status != SPL_OK ? spl_error_prefix(status, "%s", what) : SPL_OK;
}

spl_status spl_read_table(
    spl_table *table, const spl_node *file, const char *what, size_t max_rows)
{
    spl_status status = SPL_OK;
    const spl_limits limits = {
        .max_nodes = max_rows, .max_member_bytes = (size_t)1 << 30};
    char *path = NULL;
    if (file->kind != SPL_NODE_SCALAR || *file->text == '\0') {
        SPL_TRY(spl_node_error(file, false, "%s.file must be the name of a file", what));
    }
    path = spl_path_of(file);
    if (path == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", what);
    }
    SPL_TRY(read_table(table, path, what, &limits));
out:
    free(path);
    return status;
}

spl_status spl_read_numbers(double *out, const spl_node *file, const char *what,
    spl_rule rule, size_t n, const char *things)
{
    spl_status status = SPL_OK;
    spl_table table = {0};
    /* generous, so that a file of wrong length is told by its own message below */
    SPL_TRY(spl_read_table(&table, file, what, 20000 + n));
    bool vector = table.rows == 1 || table.columns == 1;
    if (!vector || table.rows * table.columns != n) {
        SPL_TRY(spl_node_error(file, false,
            "%s: %s holds %zu x %zu numbers; one for each of the %zu %s is needed", what,
            file->text, table.rows, table.columns, n, things));
    }
    for (size_t i = 0; i < n; i++) {
        SPL_TRY(check_rule(file, what, file->text, i, table.data[i], rule));
    }
    memcpy(out, table.data, n * sizeof *out);
out:
    spl_table_deinit(&table);
    return status;
}

spl_status spl_read_region_file(
    double *out, const spl_node *file, const char *what, spl_rule rule, size_t n_nodes)
{
    return spl_read_numbers(out, file, what, rule, n_nodes, "regions");
}

spl_status spl_read_list(double *out, const spl_node *list, const char *what,
    const char *unit, spl_rule rule, size_t n, const char *things)
{
    spl_status status = SPL_OK;
    size_t i = 0;
    if (list->kind != SPL_NODE_LIST || list->n_children != n) {
        SPL_TRY(spl_node_error(list, false,
            "%s: %zu values for %zu %s; give one number for all or one for each", what,
            list->n_children, n, things));
    }
    for (const spl_node *item = list->first; item != NULL; item = item->next) {
        SPL_TRY(spl_read_quantity(&out[i++], item, what, unit, rule, ""));
    }
out:
    return status;
}

spl_status spl_read_region_list(double *out, const spl_node *list, const char *what,
    const char *unit, spl_rule rule, size_t n_nodes)
{
    return spl_read_list(out, list, what, unit, rule, n_nodes, "regions");
}

static spl_status read_by_label(double *out, const spl_node *map, const char *what,
    const char *unit, spl_rule rule, const spl_connectome *connectome)
{
    spl_status status = SPL_OK;
    const size_t n_nodes = spl_connectome_n_nodes(connectome);
    const spl_node *others = spl_node_find(map, "default");
    bool *given = calloc(n_nodes > 0 ? n_nodes : 1, sizeof *given);
    if (given == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", what);
    }
    if (others != NULL) {
        double value;
        SPL_TRY(spl_read_quantity(&value, others, what, unit, rule, ""));
        for (size_t i = 0; i < n_nodes; i++) {
            out[i] = value;
        }
    }
    for (const spl_node *item = map->first; item != NULL; item = item->next) {
        size_t node = 0;
        if (item == others) {
            continue;
        }
        if (spl_connectome_find(connectome, item->key, &node) != SPL_OK) {
            SPL_TRY(spl_node_error(item, true, "%s: %s", what, spl_last_error()));
        }
        given[node] = true;
        SPL_TRY(spl_read_quantity(&out[node], item, what, unit, rule, ""));
    }
    for (size_t i = 0; i < n_nodes && others == NULL && !map->partial; i++) {
        if (!given[i]) {
            SPL_TRY(spl_node_error(map, false,
                "%s: no value for region '%s'; add it, or default: x for all others",
                what, spl_connectome_label(connectome, i)));
        }
    }
out:
    free(given);
    return status;
}

spl_status spl_read_regions(double *out, const spl_node *node, const char *what,
    const char *unit, spl_rule rule, const spl_connectome *connectome)
{
    const size_t n_nodes = spl_connectome_n_nodes(connectome);
    if (node->kind == SPL_NODE_LIST) {
        return spl_read_region_list(out, node, what, unit, rule, n_nodes);
    }
    if (node->kind == SPL_NODE_SCALAR) {
        double value = 0.0;
        spl_status status = spl_read_quantity(&value, node, what, unit, rule, "");
        for (size_t i = 0; i < n_nodes && status == SPL_OK; i++) {
            out[i] = value;
        }
        return status;
    }
    const spl_node *file = spl_node_find(node, "file");
    if (file == NULL) {
        return read_by_label(out, node, what, unit, rule, connectome);
    }
    if (node->n_children > 1) {
        return spl_node_error(node, false,
            "%s: 'file' stands beside other keys; it is reserved for {file: F}", what);
    }
    return spl_read_region_file(out, file, what, rule, n_nodes);
}
