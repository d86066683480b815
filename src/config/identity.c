#include "config/identity.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/tree.h"

enum { MAX_SHOWN = 40 };

/* Sections and keys without influence on any result. */
static const char *const free_keys[] = {"output", "simulation.threads",
    "simulation.block", "simulation.duration", "connectome.file", "connectome.weights",
    "connectome.lengths", "connectome.labels", "connectome.centres",
    "connectome.max_nodes", "connectome.max_member_bytes"};

static bool is_free(const char *path)
{
    for (size_t i = 0; i < sizeof free_keys / sizeof *free_keys; i++) {
        if (strcmp(free_keys[i], path) == 0) {
            return true;
        }
    }
    return false;
}

static spl_status parse(spl_node **root, const char *json, const spl_origin *origin)
{
    *root = NULL;
    spl_status status = spl_parse_yaml(root, json, strlen(json), origin);
    if (status == SPL_OK && (*root == NULL || (*root)->kind != SPL_NODE_MAP)) {
        spl_node_free(*root);
        *root = NULL;
        status = spl_error(SPL_ERR_CONFIG, "%s: not a configuration", origin->label);
    }
    return status;
}

/* Path of a child: "section.key", "list[3]". */
static void add_step(spl_text *path, const spl_node *child, size_t index)
{
    if (child->key == NULL) {
        spl_text_add(path, "[%zu]", index);
    } else {
        spl_text_add(path, "%s%s", path->length > 0 ? "." : "", child->key);
    }
}

static void cut(spl_text *path, size_t length)
{
    if (path->data != NULL) {
        path->data[length] = '\0';
        path->length = length;
    }
}

/* Every scalar with its path, one a line. */
static void add_lines(spl_text *lines, spl_text *path, const spl_node *node)
{
    const size_t length = path->length;
    size_t index = 0;
    if (node->kind == SPL_NODE_SCALAR) {
        spl_text_add(lines, "%s=%s\n", path->data, node->text);
        return;
    }
    for (const spl_node *child = node->first; child != NULL; child = child->next) {
        add_step(path, child, index++);
        if (!path->failed && !is_free(path->data)) {
            add_lines(lines, path, child);
        }
        cut(path, length);
    }
}

spl_status spl_config_identity(const char *json, char identity[SPL_SHA256_HEX])
{
    const spl_origin origin = {.label = (char *)"configuration",
        .directory = (char *)"",
        .positions = true,
        .code = SPL_ERR_CONFIG};
    spl_node *root = NULL;
    spl_text lines = {0};
    spl_text path = {0};
    spl_status status = parse(&root, json, &origin);
    if (status == SPL_OK) {
        add_lines(&lines, &path, root);
        if (lines.failed || path.failed) {
            status = spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
        } else {
            spl_sha256_bytes(lines.data, lines.length, identity);
        }
    }
    spl_text_deinit(&lines);
    spl_text_deinit(&path);
    spl_node_free(root);
    return status;
}

static void show(spl_text *out, const spl_node *node)
{
    if (node == NULL) {
        spl_text_add(out, "nothing");
    } else if (node->kind == SPL_NODE_SCALAR) {
        spl_text_add(out, "%.*s", MAX_SHOWN, *node->text != '\0' ? node->text : "''");
    } else {
        spl_text_add(out, "a list of %zu", node->n_children);
    }
}

/* The child of `other` that belongs to `child`, by key or by place. */
static const spl_node *partner(
    const spl_node *other, const spl_node *child, const spl_node *beside)
{
    return child->key != NULL ? spl_node_find(other, child->key) : beside;
}

/* Find the first difference below two nodes of the same path. */
static bool differs(
    spl_text *out, spl_text *path, const spl_node *before, const spl_node *now)
{
    const size_t length = path->length;
    size_t index = 0;
    if (before == NULL || now == NULL || before->kind != now->kind ||
        (before->kind != SPL_NODE_SCALAR && before->n_children != now->n_children) ||
        (before->kind == SPL_NODE_SCALAR && strcmp(before->text, now->text) != 0)) {
        spl_text_add(out, "%s: ", path->data != NULL ? path->data : "");
        show(out, before);
        spl_text_add(out, ", now ");
        show(out, now);
        return true;
    }
    const spl_node *beside = now->first;
    for (const spl_node *child = before->first; child != NULL; child = child->next) {
        add_step(path, child, index++);
        if (!path->failed && !is_free(path->data) &&
            differs(out, path, child, partner(now, child, beside))) {
            return true;
        }
        beside = beside != NULL ? beside->next : NULL;
        cut(path, length);
    }
    return false;
}

spl_status spl_config_difference(
    const char *before, const char *now, char *text, size_t size)
{
    spl_status status = SPL_OK;
    const spl_origin origin = {.label = (char *)"configuration",
        .directory = (char *)"",
        .positions = true,
        .code = SPL_ERR_CONFIG};
    spl_node *old = NULL;
    spl_node *new = NULL;
    spl_text out = {0};
    spl_text path = {0};
    *text = '\0';
    SPL_TRY(parse(&old, before, &origin));
    SPL_TRY(parse(&new, now, &origin));
    if (differs(&out, &path, old, new)) {
        snprintf(text, size, "%s", out.data != NULL ? out.data : "");
    }
    if (out.failed || path.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
    }
out:
    spl_text_deinit(&out);
    spl_text_deinit(&path);
    spl_node_free(old);
    spl_node_free(new);
    return status;
}

spl_status spl_config_json_number(
    const char *json, const char *section, const char *name, double *value)
{
    const spl_origin origin = {.label = (char *)"configuration",
        .directory = (char *)"",
        .positions = true,
        .code = SPL_ERR_CONFIG};
    spl_node *root = NULL;
    spl_status status = parse(&root, json, &origin);
    if (status == SPL_OK) {
        const spl_node *node = spl_node_find(spl_node_find(root, section), name);
        if (node == NULL || node->kind != SPL_NODE_SCALAR ||
            !spl_parse_double(node->text, true, value)) {
            status = spl_error(
                SPL_ERR_CONFIG, "%s.%s: no number in the configuration", section, name);
        }
    }
    spl_node_free(root);
    return status;
}
