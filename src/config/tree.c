#include "config/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

spl_node *spl_node_create(spl_node_kind kind, const char *text, const spl_origin *origin)
{
    spl_node *node = calloc(1, sizeof *node);
    if (node == NULL) {
        return NULL;
    }
    node->kind = kind;
    node->origin = origin;
    if (text != NULL) {
        node->text = spl_strdup(text);
        if (node->text == NULL) {
            free(node);
            return NULL;
        }
    }
    return node;
}

spl_node *spl_node_copy(const spl_node *node)
{
    spl_node *copy = spl_node_create(node->kind, node->text, node->origin);
    if (copy == NULL) {
        return NULL;
    }
    copy->line = node->line;
    copy->column = node->column;
    copy->key_line = node->key_line;
    copy->key_column = node->key_column;
    copy->partial = node->partial;
    copy->optional = node->optional;
    if (node->key != NULL) {
        copy->key = spl_strdup(node->key);
        if (copy->key == NULL) {
            spl_node_free(copy);
            return NULL;
        }
    }
    for (const spl_node *child = node->first; child != NULL; child = child->next) {
        spl_node *twin = spl_node_copy(child);
        if (twin == NULL) {
            spl_node_free(copy);
            return NULL;
        }
        spl_node_append(copy, twin);
    }
    return copy;
}

/* Recursion is as deep as the parser's cap on nesting. */
void spl_node_free(spl_node *node)
{
    if (node == NULL) {
        return;
    }
    for (spl_node *child = node->first; child != NULL;) {
        spl_node *next = child->next;
        spl_node_free(child);
        child = next;
    }
    free(node->text);
    free(node->key);
    free(node);
}

void spl_node_append(spl_node *parent, spl_node *child)
{
    child->next = NULL;
    if (parent->last == NULL) {
        parent->first = child;
    } else {
        parent->last->next = child;
    }
    parent->last = child;
    parent->n_children++;
}

spl_node *spl_node_find(const spl_node *map, const char *key)
{
    if (map == NULL || map->kind != SPL_NODE_MAP) {
        return NULL;
    }
    for (spl_node *child = map->first; child != NULL; child = child->next) {
        if (strcmp(child->key, key) == 0) {
            return child;
        }
    }
    return NULL;
}

void spl_node_remove(spl_node *map, const char *key)
{
    spl_node *before = NULL;
    for (spl_node *child = map->first; child != NULL; child = child->next) {
        if (strcmp(child->key, key) == 0) {
            if (before == NULL) {
                map->first = child->next;
            } else {
                before->next = child->next;
            }
            if (map->last == child) {
                map->last = before;
            }
            map->n_children--;
            spl_node_free(child);
            return;
        }
        before = child;
    }
}

spl_status spl_node_put(spl_node *map, const char *key, spl_node *child)
{
    char *name = spl_strdup(key);
    if (child == NULL || name == NULL) {
        free(name);
        spl_node_free(child);
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
    }
    spl_node_remove(map, key);
    free(child->key);
    child->key = name;
    spl_node_append(map, child);
    return SPL_OK;
}

static void write_place(spl_text *place, const spl_node *node, bool at_key)
{
    const spl_origin *origin = node->origin;
    spl_text_add(place, "%s", origin->label);
    if (origin->positions) {
        bool key = at_key && node->key_line > 0;
        spl_text_add(place, ":%zu:%zu", key ? node->key_line : node->line,
            key ? node->key_column : node->column);
    }
}

spl_status spl_node_error(const spl_node *node, bool at_key, const char *format, ...)
{
    char message[1600];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    spl_text place = {0};
    write_place(&place, node, at_key);
    spl_status status = spl_error(
        node->origin->code, "%s: %s", place.data != NULL ? place.data : "", message);
    spl_text_deinit(&place);
    return status;
}

spl_status spl_node_error_prefix(const spl_node *node)
{
    return spl_node_error(node, false, "%s", spl_last_error());
}
