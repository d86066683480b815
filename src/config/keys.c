/* Maps whose keys stand in a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/spiking.h"

static spl_status no_memory(void)
{
    return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
}

const char *spl_row_name(const spl_schema_row *row)
{
    const char *dot = strrchr(row->key.key, '.');
    return dot != NULL ? dot + 1 : row->key.key;
}

static const spl_schema_row *find_row(
    const spl_schema_row *rows, size_t n_rows, const char *name)
{
    for (size_t i = 0; i < n_rows; i++) {
        if (strcmp(spl_row_name(&rows[i]), name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static spl_status refuse_key(const spl_node *node, const char *place,
    const spl_schema_row *rows, size_t n_rows, const spl_field *fields, size_t n_fields)
{
    const char **names = calloc(n_rows + n_fields + 1, sizeof *names);
    if (names == NULL) {
        return no_memory();
    }
    for (size_t i = 0; i < n_rows; i++) {
        names[i] = spl_row_name(&rows[i]);
    }
    for (size_t i = 0; i < n_fields; i++) {
        names[n_rows + i] = fields[i].name;
    }
    spl_status status = spl_unknown_key(node, node->key, place, names);
    free(names);
    return status;
}

/* A default in parentheses is for the reader of the manual alone. */
static spl_status read_default(spl_value *value, const spl_schema_row *row)
{
    const spl_origin origin = {
        .label = (char *)"defaults", .directory = (char *)"", .code = SPL_ERR_INTERNAL};
    const spl_node node = {.text = (char *)row->key.value, .origin = &origin};
    *value = (spl_value){.text = ""};
    if (row->type == SPL_TYPE_TREE || *row->key.value == '(') {
        return SPL_OK;
    }
    spl_status status = spl_read_value(value, &node, row->key.key, row);
    value->node = NULL;
    return status;
}

spl_status spl_read_map(spl_value *values, const spl_schema_row *rows, size_t n_rows,
    const spl_node *map, const char *place, const spl_field *fields, size_t n_fields)
{
    spl_status status = SPL_OK;
    char what[SPL_MAX_PLACE];
    for (size_t i = 0; i < n_rows; i++) {
        SPL_TRY(read_default(&values[i], &rows[i]));
    }
    if (map->kind != SPL_NODE_MAP) {
        SPL_TRY(spl_node_error(
            map, false, "%s must be a map of keys, e.g. {key: value}", place));
    }
    for (const spl_node *child = map->first; child != NULL; child = child->next) {
        const spl_schema_row *row = find_row(rows, n_rows, child->key);
        if (row != NULL) {
            snprintf(what, sizeof what, "%s.%s", place, child->key);
            SPL_TRY(spl_read_value(&values[row - rows], child, what, row));
            continue;
        }
        size_t i = 0;
        while (i < n_fields && strcmp(fields[i].name, child->key) != 0) {
            i++;
        }
        if (i == n_fields) {
            SPL_TRY(refuse_key(child, place, rows, n_rows, fields, n_fields));
        }
    }
out:
    return status;
}

spl_status spl_refuse_given(const spl_value *value, const spl_schema_row *row,
    const char *place, const char *reason)
{
    return value->node == NULL ? SPL_OK
                               : spl_node_error(value->node, true, "%s.%s: %s", place,
                                     spl_row_name(row), reason);
}

spl_status spl_require_given(const spl_value *value, const spl_schema_row *row,
    const spl_node *map, const char *place)
{
    return value->node != NULL ? SPL_OK
                               : spl_node_error(map, false, "%s has no %s; add one",
                                     place, spl_row_name(row));
}

spl_status spl_read_identifier(const spl_node *node, const char *what)
{
    enum { MAX_NAME = 64 };
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const char *text = node->kind == SPL_NODE_SCALAR ? node->text : "";
    size_t length = strlen(text);
    if (length == 0 || length > MAX_NAME || strspn(text, letters) != length) {
        return spl_node_error(node, false,
            "%s name '%s'; use 1 to 64 letters, digits, '_' or '-'", what, text);
    }
    return SPL_OK;
}
