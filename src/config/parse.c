#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/str.h"
#include "config/tree.h"

/* Nothing of ours nests deeper than monitors[].options or model.PARAMETER.LABEL. */
enum { MAX_DEPTH = 16 };
/* 32 parameters of 20000 nodes are 640000 values. */
enum { MAX_NODES = 700000 };

typedef struct parser {
    yaml_parser_t yaml;
    const spl_origin *origin;
    size_t n_nodes;
} parser;

static spl_status fail_at(
    const parser *p, yaml_mark_t mark, const char *what, const char *remedy)
{
    const spl_node place = {
        .line = mark.line + 1, .column = mark.column + 1, .origin = p->origin};
    return spl_node_error(&place, false, "%s; %s", what, remedy);
}

static spl_status next_event(parser *p, yaml_event_t *event)
{
    if (yaml_parser_parse(&p->yaml, event)) {
        return SPL_OK;
    }
    if (p->yaml.error == YAML_MEMORY_ERROR) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", p->origin->label);
    }
    const char *problem = p->yaml.problem != NULL ? p->yaml.problem : "syntax error";
    if (p->yaml.error == YAML_READER_ERROR) {
        return spl_error(p->origin->code, "%s: byte %zu: %s; the text must be UTF-8",
            p->origin->label, p->yaml.problem_offset, problem);
    }
    return fail_at(p, p->yaml.problem_mark, problem,
        "check indentation, brackets and quotes (YAML)");
}

/* Tags, anchors and aliases are not needed here, and aliases allow expansion bombs. */
static spl_status refuse_extras(const parser *p, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL;
    bool tagged = false;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return fail_at(
            p, event->start_mark, "aliases are not supported", "write the value out");
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tagged = event->data.scalar.tag != NULL ||
                 (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                     !event->data.scalar.plain_implicit);
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tagged = event->data.sequence_start.tag != NULL ||
                 !event->data.sequence_start.implicit;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tagged =
            event->data.mapping_start.tag != NULL || !event->data.mapping_start.implicit;
        break;
    default:
        break;
    }
    if (anchor != NULL) {
        return fail_at(p, event->start_mark, "anchors are not supported", "remove it");
    }
    if (tagged) {
        return fail_at(p, event->start_mark, "tags are not supported",
            "remove it; the schema knows the type of every key");
    }
    return SPL_OK;
}

/* Make the node of a scalar or the empty node of a collection. */
static spl_status make_node(parser *p, const yaml_event_t *event, spl_node **out)
{
    spl_node_kind kind = event->type == YAML_SCALAR_EVENT           ? SPL_NODE_SCALAR
                         : event->type == YAML_SEQUENCE_START_EVENT ? SPL_NODE_LIST
                                                                    : SPL_NODE_MAP;
    const char *text = NULL;
    if (kind == SPL_NODE_SCALAR) {
        text = (const char *)event->data.scalar.value;
        if (strlen(text) != event->data.scalar.length) {
            return fail_at(p, event->start_mark, "NUL character in a value", "remove it");
        }
    }
    if (++p->n_nodes > MAX_NODES) {
        return fail_at(p, event->start_mark, "more than 700000 values",
            "put per-region values into files: {file: F}");
    }
    *out = spl_node_create(kind, text, p->origin);
    if (*out == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", p->origin->label);
    }
    (*out)->line = event->start_mark.line + 1;
    (*out)->column = event->start_mark.column + 1;
    return SPL_OK;
}

static int compare_keys(const void *a, const void *b)
{
    const spl_node *x = *(const spl_node *const *)a;
    const spl_node *y = *(const spl_node *const *)b;
    int order = strcmp(x->key, y->key);
    if (order != 0) {
        return order;
    }
    return x->key_line != y->key_line
               ? (x->key_line < y->key_line ? -1 : 1)
               : (x->key_column > y->key_column) - (x->key_column < y->key_column);
}

/* By sorting, since a map by label may have thousands of keys. */
static spl_status refuse_duplicates(const spl_node *map)
{
    spl_status status = SPL_OK;
    if (map->n_children < 2) {
        return SPL_OK;
    }
    const spl_node **sorted = malloc(map->n_children * sizeof *sorted);
    if (sorted == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", map->origin->label);
    }
    size_t n = 0;
    for (const spl_node *child = map->first; child != NULL; child = child->next) {
        sorted[n++] = child;
    }
    qsort(sorted, n, sizeof *sorted, compare_keys);
    for (size_t i = 1; i < n && status == SPL_OK; i++) {
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0) {
            status = spl_node_error(sorted[i], true,
                "duplicate key '%s', first at line %zu; remove one of them",
                sorted[i]->key, sorted[i - 1]->key_line);
        }
    }
    free(sorted);
    return status;
}

static spl_status parse_node(
    parser *p, const yaml_event_t *event, size_t depth, spl_node **out);

/* Read items until the collection ends. In a map, every other scalar is a key. */
static spl_status parse_children(parser *p, spl_node *parent, size_t depth)
{
    spl_status status = SPL_OK;
    yaml_event_t event = {0};
    char *key = NULL;
    size_t key_line = 0;
    size_t key_column = 0;
    for (;;) {
        SPL_TRY(next_event(p, &event));
        if (event.type == YAML_SEQUENCE_END_EVENT ||
            event.type == YAML_MAPPING_END_EVENT) {
            break;
        }
        spl_node *child = NULL;
        SPL_TRY(parse_node(p, &event, depth, &child));
        if (parent->kind == SPL_NODE_MAP && key == NULL) {
            bool plain = child->kind == SPL_NODE_SCALAR;
            bool merge = plain && strcmp(child->text, "<<") == 0;
            if (!plain || merge) {
                spl_node_free(child);
                SPL_TRY(fail_at(p, event.start_mark,
                    merge ? "merge keys are not supported" : "a key must be a word",
                    merge ? "write the keys out" : "quote braces and brackets"));
            }
            key = child->text;
            key_line = child->line;
            key_column = child->column;
            child->text = NULL;
            spl_node_free(child);
        } else {
            child->key = key;
            child->key_line = key_line;
            child->key_column = key_column;
            key = NULL;
            spl_node_append(parent, child);
        }
        yaml_event_delete(&event);
        event = (yaml_event_t){0};
    }
    status = parent->kind == SPL_NODE_MAP ? refuse_duplicates(parent) : SPL_OK;
out:
    yaml_event_delete(&event);
    free(key);
    return status;
}

static spl_status parse_node(
    parser *p, const yaml_event_t *event, size_t depth, spl_node **out)
{
    spl_status status = SPL_OK;
    spl_node *node = NULL;
    SPL_TRY(refuse_extras(p, event));
    SPL_TRY(make_node(p, event, &node));
    if (node->kind != SPL_NODE_SCALAR) {
        if (depth >= MAX_DEPTH) {
            SPL_TRY(fail_at(p, event->start_mark, "nested more than 16 levels deep",
                "no key needs that"));
        }
        SPL_TRY(parse_children(p, node, depth + 1));
    }
    *out = node;
    node = NULL;
out:
    spl_node_free(node);
    return status;
}

static spl_status parse_stream(parser *p, spl_node **out)
{
    spl_status status = SPL_OK;
    yaml_event_t event = {0};
    bool ended = false;
    while (!ended) {
        SPL_TRY(next_event(p, &event));
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (*out != NULL) {
                SPL_TRY(fail_at(p, event.start_mark, "a second document",
                    "a configuration is one document"));
            }
            break;
        case YAML_STREAM_END_EVENT:
            ended = true;
            break;
        default:
            SPL_TRY(parse_node(p, &event, 0, out));
        }
        yaml_event_delete(&event);
        event = (yaml_event_t){0};
    }
out:
    yaml_event_delete(&event);
    return status;
}

spl_status spl_parse_yaml(
    spl_node **out, const char *text, size_t length, const spl_origin *origin)
{
    static const char bom[] = "\xef\xbb\xbf";
    parser p = {.origin = origin};
    *out = NULL;
    if (!yaml_parser_initialize(&p.yaml)) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", origin->label);
    }
    if (length >= 3 && memcmp(text, bom, 3) == 0) {
        text += 3;
        length -= 3;
    }
    yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p.yaml, (const unsigned char *)text, length);
    spl_status status = parse_stream(&p, out);
    yaml_parser_delete(&p.yaml);
    if (status != SPL_OK) {
        spl_node_free(*out);
        *out = NULL;
    }
    return status;
}

spl_status spl_parse_value(
    spl_node **out, const char *text, bool plain, const spl_origin *origin)
{
    static const char blanks[] = " \t\r\n";
    const char *begin = text + strspn(text, blanks);
    const char *flow = plain ? "\"'" : "\"'[{";
    if (*begin != '\0' && strchr(flow, *begin) != NULL) {
        return spl_parse_yaml(out, text, strlen(text), origin);
    }
    *out = spl_node_create(SPL_NODE_SCALAR, begin, origin);
    if (*out == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", origin->label);
    }
    size_t length = strlen(begin);
    while (length > 0 && strchr(blanks, begin[length - 1]) != NULL) {
        length--;
    }
    (*out)->text[length] = '\0';
    return SPL_OK;
}
