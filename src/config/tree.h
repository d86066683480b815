/* The tree that YAML text becomes: scalars are kept as text with their place, so that the
 * schema alone decides about types. */
#ifndef SPL_CONFIG_TREE_H
#define SPL_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Where a node comes from; outlives every tree that refers to it. */
typedef struct spl_origin {
    char *label;     /* "rest76.yaml", "--set simulation.dt=1", "preset tvb" */
    char *directory; /* of relative paths: ends in '/' or is empty */
    bool positions;  /* errors carry line:column behind the label */
    spl_status code; /* SPL_ERR_CONFIG for files, SPL_ERR_USAGE for --set */
} spl_origin;

typedef enum { SPL_NODE_SCALAR, SPL_NODE_LIST, SPL_NODE_MAP } spl_node_kind;

typedef struct spl_node {
    spl_node_kind kind;
    char *text; /* of a scalar */
    char *key;  /* in a map, else NULL */
    size_t line, column, key_line, key_column;
    const spl_origin *origin;
    bool partial;                  /* a by-label map over values set elsewhere */
    bool optional;                 /* a default monitor that nobody touched */
    struct spl_node *first, *last; /* children */
    struct spl_node *next;
    size_t n_children;
} spl_node;

/* Make a node; `text` may be NULL. Result: NULL when out of memory. */
spl_node *spl_node_create(spl_node_kind kind, const char *text, const spl_origin *origin);
/* Copy a node with all below it, its key included. Result: NULL when out of memory. */
spl_node *spl_node_copy(const spl_node *node);
void spl_node_free(spl_node *node);
void spl_node_append(spl_node *parent, spl_node *child);
/* Find a child of a map; NULL if `map` is NULL, no map, or has none of that name. */
spl_node *spl_node_find(const spl_node *map, const char *key);
/* Put `child` under `key`, in the place of what was there; takes `child` over, also when
 * it fails. Result: SPL_OK; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_node_put(spl_node *map, const char *key, spl_node *child);
void spl_node_remove(spl_node *map, const char *key);

/* Raise an error at the place of a node: "file:line:column: " or "--set key=value: ".
 * `at_key` points at the key instead of the value. */
spl_status spl_node_error(const spl_node *node, bool at_key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Put the place of a node in front of the last error, with the node's own code. */
spl_status spl_node_error_prefix(const spl_node *node);

/* parse.c */

/* Parse one YAML document. An empty one gives *out = NULL. */
SPL_MUST_CHECK spl_status spl_parse_yaml(
    spl_node **out, const char *text, size_t length, const spl_origin *origin);
/* Parse the value of --set: flow syntax if it starts with [ { " or ', else plain text.
 *   plain   take everything but quoted text as it stands (titles, paths) */
SPL_MUST_CHECK spl_status spl_parse_value(
    spl_node **out, const char *text, bool plain, const spl_origin *origin);

#endif
