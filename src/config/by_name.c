/* --set subnetworks.NAME...: parts of subnetworks by their names. */
#include <string.h>

#include "base/str.h"
#include "config/spiking.h"

/* NAME.populations.NAME.init.V.file */
enum { MAX_DEPTH = 5 };

static const spl_origin populations_origin = {.label = (char *)"default populations",
    .directory = (char *)"",
    .code = SPL_ERR_CONFIG};

static spl_status refuse_path(const spl_layer *layer, const char *what)
{
    return spl_node_error(layer->value, false, "unknown key '%s'; %s", layer->key, what);
}

static const char *text_of(const spl_node *map, const char *key)
{
    const spl_node *node = spl_node_find(map, key);
    return node != NULL && node->kind == SPL_NODE_SCALAR ? node->text : NULL;
}

/* The name of an item of a list, with or without the receptor of a projection:
 * subnetworks and populations have a name, projections are called "FROM>TO" or
 * "FROM>TO:RECEPTOR". Empty if it has none. */
static void name_item(spl_text *name, const spl_node *item, bool with_receptor)
{
    const char *own = text_of(item, "name");
    const char *from = text_of(item, "from");
    const char *to = text_of(item, "to");
    const char *receptor = text_of(item, "receptor");
    if (own != NULL) {
        spl_text_add(name, "%s", own);
    } else if (from != NULL && to != NULL) {
        spl_text_add(name, "%s>%s", from, to);
        if (with_receptor && receptor != NULL) {
            spl_text_add(name, ":%s", receptor);
        }
    }
}

static bool has_name(const spl_node *item, const char *name)
{
    bool same = false;
    for (int with_receptor = 0; with_receptor < 2; with_receptor++) {
        spl_text text = {0};
        name_item(&text, item, with_receptor == 1);
        same = same || (text.data != NULL && strcmp(text.data, name) == 0);
        spl_text_deinit(&text);
    }
    return same;
}

static spl_status refuse_item(
    const spl_node *list, const char *name, const spl_layer *layer)
{
    spl_text known = {0};
    for (const spl_node *item = list != NULL ? list->first : NULL; item != NULL;
         item = item->next) {
        spl_text_add(&known, "%s", known.length > 0 ? ", " : "");
        name_item(&known, item, true);
    }
    spl_status status = spl_node_error(layer->value, false,
        "nothing is named '%s'; known: %s", name, known.length > 0 ? known.data : "none");
    spl_text_deinit(&known);
    return status;
}

static spl_status find_item(
    spl_node **item, const spl_node *list, const char *name, const spl_layer *layer)
{
    *item = NULL;
    for (spl_node *child = list != NULL ? list->first : NULL; child != NULL;
         child = child->next) {
        if (!has_name(child, name)) {
            continue;
        }
        if (*item != NULL) {
            return spl_node_error(layer->value, false,
                "'%s' is the name of several; set the list as a whole", name);
        }
        *item = child;
    }
    return *item != NULL ? SPL_OK : refuse_item(list, name, layer);
}

/* The populations of a subnetwork that lists none, so that one of them can be changed. */
static spl_status open_populations(spl_node *subnetwork)
{
    spl_node *made = NULL;
    const spl_node *model = spl_node_find(subnetwork, "model");
    const char *name = model != NULL && model->kind == SPL_NODE_SCALAR
                           ? model->text
                           : spl_subnetwork_rows[SPL_SUB_MODEL].key.value;
    const char *text = spl_default_populations(name);
    if (spl_node_find(subnetwork, "populations") != NULL || text == NULL) {
        return SPL_OK;
    }
    spl_status status = spl_parse_yaml(&made, text, strlen(text), &populations_origin);
    if (status == SPL_OK) {
        made->optional = true;
        status = spl_node_put(subnetwork, "populations", made);
    }
    return status;
}

/* The rest of a path, from a map or a list of maps on. */
static spl_status put_below(spl_node *parent, char *path, const spl_layer *layer)
{
    spl_status status = SPL_OK;
    char *rest = strchr(path, '.');
    spl_node *child = NULL;
    if (rest == NULL && parent->kind == SPL_NODE_MAP) {
        return spl_node_put(parent, path, spl_node_copy(layer->value));
    }
    if (rest == NULL || rest[1] == '\0') {
        return refuse_path(layer, "a key of it must follow");
    }
    *rest++ = '\0';
    if (parent->kind == SPL_NODE_LIST) {
        SPL_TRY(find_item(&child, parent, path, layer));
    } else {
        child = spl_node_find(parent, path);
        if (child == NULL &&
            (strcmp(path, "projections") == 0 || strcmp(path, "populations") == 0)) {
            return refuse_path(layer, "the subnetwork lists none; list them to set one");
        }
        if (child == NULL) {
            SPL_TRY(spl_node_put(
                parent, path, spl_node_create(SPL_NODE_MAP, NULL, layer->value->origin)));
            child = spl_node_find(parent, path);
        }
    }
    if (child->kind == SPL_NODE_SCALAR) {
        return refuse_path(layer, "what it would be a part of is a single value");
    }
    SPL_TRY(put_below(child, rest, layer));
out:
    return status;
}

spl_status spl_put_subnetwork(spl_node *root, char *path, const spl_layer *layer)
{
    spl_status status = SPL_OK;
    spl_node *list = spl_node_find(root, "subnetworks");
    spl_node *item = NULL;
    char *rest = strchr(path, '.');
    size_t depth = 0;
    for (const char *c = path; *c != '\0'; c++) {
        depth += *c == '.';
    }
    if (rest == NULL || rest[1] == '\0' || depth > MAX_DEPTH) {
        return refuse_path(layer, "subnetworks are set by subnetworks.NAME.KEY");
    }
    *rest++ = '\0';
    SPL_TRY(find_item(&item, list, path, layer));
    if (strncmp(rest, "populations.", strlen("populations.")) == 0) {
        SPL_TRY(open_populations(item));
    }
    SPL_TRY(put_below(item, rest, layer));
out:
    return status;
}
