#include "config/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/spiking.h"

/* BOLD is dropped again if the run is shorter than its period. */
const char spl_default_monitors[] = "[{name: tavg, kind: temporal_average, period: 1},"
                                    " {name: bold, kind: bold, period: 1 s}]";

static const spl_origin monitors_origin = {
    .label = (char *)"default monitors", .directory = (char *)"", .code = SPL_ERR_CONFIG};

static const char *const root_names[] = {"format", "title", "simulation", "connectome",
    "coupling", "model", "noise", "monitors", "subnetworks", "output", NULL};

static spl_status no_memory(void)
{
    return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
}

static bool is_section(const char *name)
{
    return strcmp(name, "format") != 0 && strcmp(name, "title") != 0 &&
           strcmp(name, "monitors") != 0 && strcmp(name, "subnetworks") != 0;
}

static bool is_root_name(const char *name)
{
    size_t i = 0;
    while (root_names[i] != NULL && strcmp(root_names[i], name) != 0) {
        i++;
    }
    return root_names[i] != NULL;
}

/* Two ways to say the same thing: the later layer removes what the earlier one said. */
static void remove_rivals(spl_node *section, const char *name, const char *item)
{
    static const char *const rivals[][3] = {
        {"connectome", "file", "weights"},
        {"connectome", "file", "lengths"},
        {"connectome", "file", "labels"},
        {"connectome", "file", "centres"},
        {"connectome", "weights", "file"},
        {"noise", "sigma", "nsig"},
        {"noise", "nsig", "sigma"},
    };
    for (size_t i = 0; i < sizeof rivals / sizeof *rivals; i++) {
        if (strcmp(section->key, rivals[i][0]) != 0 || strcmp(name, rivals[i][1]) != 0) {
            continue;
        }
        spl_node *rival = spl_node_find(section, rivals[i][2]);
        if (item == NULL || (rival != NULL && rival->kind != SPL_NODE_MAP)) {
            spl_node_remove(section, rivals[i][2]);
        } else if (rival != NULL) {
            spl_node_remove(rival, item);
        }
    }
}

/* Put every child of `from` into `section`. */
static spl_status overlay_section(spl_node *section, const spl_node *from)
{
    spl_status status = SPL_OK;
    for (const spl_node *child = from->first; child != NULL; child = child->next) {
        remove_rivals(section, child->key, NULL);
    }
    for (const spl_node *child = from->first; child != NULL && status == SPL_OK;
         child = child->next) {
        status = spl_node_put(section, child->key, spl_node_copy(child));
    }
    return status;
}

/* Return the section of that name, made if need be; NULL when out of memory. */
static spl_node *open_section(spl_node *root, const char *name, const spl_origin *origin)
{
    spl_node *section = spl_node_find(root, name);
    if (section == NULL || section->kind != SPL_NODE_MAP) {
        if (spl_node_put(root, name, spl_node_create(SPL_NODE_MAP, NULL, origin)) !=
            SPL_OK) {
            return NULL;
        }
        section = spl_node_find(root, name);
    }
    return section;
}

/* A section or a key without sections, set as a whole. */
static spl_status put_whole(spl_node *root, const char *name, const spl_node *value)
{
    if (!is_section(name) || !is_root_name(name)) {
        return spl_node_put(root, name, spl_node_copy(value));
    }
    if (value->kind == SPL_NODE_SCALAR && *value->text == '\0') {
        return SPL_OK;
    }
    if (value->kind != SPL_NODE_MAP) {
        return spl_node_error(
            value, false, "%s must be a map of keys, e.g. {key: value}", name);
    }
    spl_node *section = open_section(root, name, value->origin);
    return section != NULL ? overlay_section(section, value) : no_memory();
}

/* Wrap `value` into a map of one key; NULL when out of memory. */
static spl_node *wrap(const char *key, const spl_node *value)
{
    spl_node *map = spl_node_create(SPL_NODE_MAP, NULL, value->origin);
    if (map != NULL && spl_node_put(map, key, spl_node_copy(value)) != SPL_OK) {
        spl_node_free(map);
        return NULL;
    }
    if (map != NULL) {
        map->line = value->line;
        map->column = value->column;
    }
    return map;
}

/* One item of a map by label (or by state): a single number so far becomes the item
 * `others` of the map. */
static spl_status put_item(spl_node *parent, const char *name, const char *item,
    const char *others, const spl_node *value)
{
    spl_status status = SPL_OK;
    spl_node *map = spl_node_find(parent, name);
    if (strcmp(item, "file") == 0) {
        return spl_node_put(parent, name, wrap("file", value));
    }
    if (map == NULL || map->kind == SPL_NODE_SCALAR) {
        bool partial = map == NULL;
        spl_node *made = partial ? spl_node_create(SPL_NODE_MAP, NULL, value->origin)
                                 : wrap(others, map);
        SPL_TRY(spl_node_put(parent, name, made));
        map = spl_node_find(parent, name);
        map->partial = partial;
    }
    if (map->kind == SPL_NODE_LIST || spl_node_find(map, "file") != NULL) {
        return spl_node_error(value, false,
            "%s.%s is a list or a file; single items of it cannot be set", parent->key,
            name);
    }
    SPL_TRY(spl_node_put(map, item, spl_node_copy(value)));
out:
    return status;
}

static spl_status refuse_path(const spl_layer *layer, const char *what)
{
    return spl_node_error(layer->value, false, "unknown key '%s'; %s", layer->key, what);
}

/* monitors.NAME.OPTION */
static spl_status put_monitor(spl_node *root, char *path, const spl_layer *layer)
{
    spl_status status = SPL_OK;
    spl_text known = {0};
    spl_node *made = NULL;
    char *option = strchr(path, '.');
    if (option == NULL || option[1] == '\0' || strchr(option + 1, '.') != NULL) {
        return refuse_path(layer, "monitors are set by monitors.NAME.OPTION");
    }
    *option++ = '\0';
    spl_node *list = spl_node_find(root, "monitors");
    if (list == NULL) {
        SPL_TRY(spl_parse_yaml(
            &made, spl_default_monitors, strlen(spl_default_monitors), &monitors_origin));
        for (spl_node *item = made->first; item != NULL; item = item->next) {
            item->optional = true;
        }
        status = spl_node_put(root, "monitors", made);
        made = NULL;
        SPL_TRY(status);
        list = spl_node_find(root, "monitors");
    }
    for (spl_node *item = list->first; item != NULL; item = item->next) {
        spl_node *name = spl_node_find(item, "name");
        name = name != NULL ? name : spl_node_find(item, "kind");
        if (name == NULL || name->kind != SPL_NODE_SCALAR) {
            continue;
        }
        if (strcmp(name->text, path) == 0) {
            item->optional = false;
            SPL_TRY(spl_node_put(item, option, spl_node_copy(layer->value)));
            goto out;
        }
        spl_text_add(&known, "%s%s", known.length > 0 ? ", " : "", name->text);
    }
    SPL_TRY(spl_node_error(layer->value, false, "no monitor is named '%s'; known: %s",
        path, known.data != NULL ? known.data : "none"));
out:
    spl_text_deinit(&known);
    return status;
}

/* model.init.STATE or model.init.STATE.file; noise.sigma.STATE[.LABEL] */
static spl_status put_by_state(spl_node *section, const char *name, char *path,
    const char *others, const spl_layer *layer)
{
    spl_status status = SPL_OK;
    char *label = strchr(path, '.');
    if (label == NULL) {
        remove_rivals(section, name, path);
        return put_item(section, name, path, others, layer->value);
    }
    *label++ = '\0';
    remove_rivals(section, name, path);
    spl_node *states = spl_node_find(section, name);
    if (states == NULL || states->kind != SPL_NODE_MAP) {
        spl_node *made = states != NULL && *others != '\0'
                             ? wrap(others, states)
                             : spl_node_create(SPL_NODE_MAP, NULL, layer->value->origin);
        SPL_TRY(spl_node_put(section, name, made));
        states = spl_node_find(section, name);
    }
    SPL_TRY(put_item(states, path, label, "default", layer->value));
out:
    return status;
}

spl_status spl_layer_apply(spl_node *root, const spl_layer *layer)
{
    spl_status status = SPL_OK;
    spl_node *section = NULL;
    char *path = spl_strdup(layer->key);
    if (path == NULL) {
        return no_memory();
    }
    char *name = strchr(path, '.');
    if (name == NULL) {
        SPL_TRY(put_whole(root, path, layer->value));
        goto out;
    }
    *name++ = '\0';
    if (strcmp(path, "monitors") == 0) {
        SPL_TRY(put_monitor(root, name, layer));
        goto out;
    }
    if (strcmp(path, "subnetworks") == 0) {
        SPL_TRY(spl_put_subnetwork(root, name, layer));
        goto out;
    }
    if (!is_section(path)) {
        SPL_TRY(refuse_path(layer, "this key has no parts"));
    }
    section = open_section(root, path, layer->value->origin);
    if (section == NULL) {
        status = no_memory();
        goto out;
    }
    char *rest = strchr(name, '.');
    if (rest == NULL) {
        remove_rivals(section, name, NULL);
        SPL_TRY(spl_node_put(section, name, spl_node_copy(layer->value)));
        goto out;
    }
    *rest++ = '\0';
    bool model = strcmp(path, "model") == 0;
    bool strength = strcmp(name, "sigma") == 0 || strcmp(name, "nsig") == 0;
    if (model && strcmp(name, "init") == 0) {
        SPL_TRY(put_by_state(section, name, rest, "rule", layer));
    } else if (strcmp(path, "noise") == 0 && strength) {
        SPL_TRY(put_by_state(section, name, rest, "first", layer));
    } else if (model && spl_schema_find("model", name) == NULL) {
        SPL_TRY(put_item(section, name, rest, "default", layer->value));
    } else {
        SPL_TRY(refuse_path(layer, "this key has no parts"));
    }
out:
    free(path);
    return status;
}

/* The last explicit value of a key; NULL if neither the file nor --set gives it. `name`
 * NULL: of anything in the section. */
static const spl_node *find_explicit(
    const spl_config *config, const char *section, const char *name)
{
    char key[128];
    snprintf(key, sizeof key, "%s%s%s", section, name != NULL ? "." : "",
        name != NULL ? name : "");
    size_t length = strlen(key);
    for (size_t i = config->n_sets; i-- > 0;) {
        const spl_layer *layer = config->sets[i];
        if (strncmp(layer->key, key, length) == 0 &&
            (layer->key[length] == '\0' || layer->key[length] == '.')) {
            return layer->value;
        }
        const spl_node *whole = name != NULL && strcmp(layer->key, section) == 0
                                    ? spl_node_find(layer->value, name)
                                    : NULL;
        if (whole != NULL) {
            return whole;
        }
    }
    const spl_node *map = spl_node_find(config->root, section);
    return name != NULL ? spl_node_find(map, name) : map;
}

/* A preset gives way as a whole in matters that the user decides: who sets a speed means
 * it to count, also against a preset of one delay for all edges; the same for noise. */
static bool gives_way(const spl_config *config, const char *key)
{
    if (strcmp(key, "connectome.delay") == 0 || strcmp(key, "connectome.delays") == 0) {
        return find_explicit(config, "connectome", "speed") != NULL ||
               find_explicit(config, "connectome", "delay") != NULL ||
               find_explicit(config, "connectome", "delays") != NULL;
    }
    return strcmp(key, "noise.kind") == 0 && find_explicit(config, "noise", NULL) != NULL;
}

static spl_status apply_preset(spl_tree *tree, const spl_config *config)
{
    spl_status status = SPL_OK;
    for (const spl_setting *s = tree->preset->settings; s->key != NULL; s++) {
        if (gives_way(config, s->key)) {
            continue;
        }
        spl_layer layer = {.origin = tree->preset_origin, .key = (char *)s->key};
        SPL_TRY(spl_parse_value(&layer.value, s->value, false, &tree->preset_origin));
        status = layer.value != NULL ? spl_layer_apply(tree->root, &layer) : SPL_OK;
        spl_node_free(layer.value);
        SPL_TRY(status);
    }
out:
    return status;
}

static spl_status choose_model(spl_tree *tree, const spl_config *config)
{
    const spl_node *name = find_explicit(config, "model", "name");
    tree->model = spl_model_find(
        name != NULL ? name->text : spl_schema[SPL_KEY_MODEL_NAME].key.value);
    if (tree->model == NULL) {
        return name != NULL ? spl_node_error_prefix(name) : SPL_ERR_INTERNAL;
    }
    const spl_node *preset = find_explicit(config, "model", "preset");
    if (preset == NULL || *preset->text == '\0') {
        return SPL_OK;
    }
    const char *names[65] = {NULL};
    for (size_t i = 0; i < tree->model->n_presets && i < 64; i++) {
        names[i] = tree->model->presets[i].name;
        if (strcmp(names[i], preset->text) == 0) {
            tree->preset = &tree->model->presets[i];
        }
    }
    if (tree->preset == NULL) {
        return spl_unknown_name(preset, "preset", preset->text, names);
    }
    spl_text label = {0};
    spl_text_add(&label, "preset %s", tree->preset->name);
    tree->preset_origin.label = label.data;
    return label.failed ? no_memory() : SPL_OK;
}

static spl_status choose_coupling(spl_tree *tree)
{
    const spl_node *name =
        spl_node_find(spl_node_find(tree->root, "coupling"), "function");
    tree->coupling = spl_coupling_find(
        name != NULL ? name->text : spl_schema[SPL_KEY_COUPLING_FUNCTION].key.value);
    if (tree->coupling == NULL) {
        return name != NULL ? spl_node_error_prefix(name) : SPL_ERR_INTERNAL;
    }
    return SPL_OK;
}

/* Names that a section takes: rows of the schema, then those of its component. */
static spl_status refuse_key(
    const spl_node *node, const char *section, const spl_field *fields, size_t n_fields)
{
    const char **names = calloc(SPL_N_KEYS + n_fields + 1, sizeof *names);
    if (names == NULL) {
        return no_memory();
    }
    size_t n = 0;
    size_t length = strlen(section);
    for (size_t i = 0; i < SPL_N_KEYS; i++) {
        const char *key = spl_schema[i].key.key;
        if (strncmp(key, section, length) == 0 && key[length] == '.') {
            names[n++] = key + length + 1;
        }
    }
    for (size_t i = 0; i < n_fields; i++) {
        names[n++] = fields[i].name;
    }
    spl_status status = spl_unknown_key(node, node->key, section, names);
    free(names);
    return status;
}

static spl_status check_section(const spl_node *section, const spl_field *fields,
    size_t n_fields, bool skip_components)
{
    spl_status status = SPL_OK;
    for (const spl_node *child = section->first; child != NULL; child = child->next) {
        const spl_schema_row *row = spl_schema_find(section->key, child->key);
        if (row != NULL) {
            spl_value value;
            SPL_TRY(spl_read_value(&value, child, row->key.key, row));
            continue;
        }
        bool known = skip_components;
        for (size_t i = 0; i < n_fields && !known; i++) {
            known = strcmp(fields[i].name, child->key) == 0;
        }
        if (!known) {
            SPL_TRY(refuse_key(child, section->key, fields, n_fields));
        }
    }
out:
    return status;
}

spl_status spl_check_keys(
    const spl_node *root, const spl_model *model, const spl_coupling *coupling)
{
    spl_status status = SPL_OK;
    for (const spl_node *child = root->first; child != NULL; child = child->next) {
        if (!is_root_name(child->key)) {
            SPL_TRY(spl_unknown_key(child, child->key, "", root_names));
        }
        if (!is_section(child->key)) {
            spl_value value;
            SPL_TRY(spl_read_value(
                &value, child, child->key, spl_schema_find("", child->key)));
        } else if (child->kind == SPL_NODE_MAP) {
            bool of_model = strcmp(child->key, "model") == 0;
            bool of_coupling = strcmp(child->key, "coupling") == 0;
            bool skip = model == NULL && (of_model || of_coupling);
            const spl_field *fields = of_model && !skip      ? model->params
                                      : of_coupling && !skip ? coupling->params
                                                             : NULL;
            size_t n_fields = of_model && !skip      ? model->n_params
                              : of_coupling && !skip ? coupling->n_params
                                                     : 0;
            SPL_TRY(check_section(child, fields, n_fields, skip));
        } else if (child->kind == SPL_NODE_LIST || *child->text != '\0') {
            SPL_TRY(spl_node_error(
                child, false, "%s must be a map of keys, e.g. {key: value}", child->key));
        }
    }
out:
    return status;
}

/* Values of all keys of fixed name, from the tree or from the table's default. */
static spl_status read_values(spl_tree *tree, const spl_config *config)
{
    spl_status status = SPL_OK;
    tree->defaults = spl_node_create(SPL_NODE_LIST, NULL, &tree->default_origin);
    if (tree->defaults == NULL) {
        return no_memory();
    }
    for (size_t i = 0; i < SPL_N_KEYS; i++) {
        const spl_schema_row *row = &spl_schema[i];
        const char *dot = strchr(row->key.key, '.');
        const spl_node *node = NULL;
        if (dot == NULL) {
            node = spl_node_find(tree->root, row->key.key);
        } else {
            for (const spl_node *s = tree->root->first; s != NULL; s = s->next) {
                size_t length = (size_t)(dot - row->key.key);
                if (strlen(s->key) == length &&
                    memcmp(s->key, row->key.key, length) == 0) {
                    node = spl_node_find(s, dot + 1);
                }
            }
        }
        if (node != NULL) {
            SPL_TRY(spl_read_value(&tree->values[i], node, row->key.key, row));
            continue;
        }
        bool rerun = i == SPL_KEY_OUTPUT_FILE && config->rerun != NULL;
        spl_node *preset = spl_node_create(SPL_NODE_SCALAR,
            rerun ? config->rerun : row->key.value, &tree->default_origin);
        if (preset == NULL) {
            return no_memory();
        }
        spl_node_append(tree->defaults, preset);
        SPL_TRY(spl_read_value(&tree->values[i], preset, row->key.key, row));
        if (row->type == SPL_TYPE_TREE) {
            tree->values[i].node = NULL;
        }
    }
out:
    return status;
}

spl_status spl_tree_build(spl_tree *tree, const spl_config *config)
{
    spl_status status = SPL_OK;
    tree->default_origin = (spl_origin){
        .label = (char *)"defaults", .directory = (char *)"", .code = SPL_ERR_CONFIG};
    tree->preset_origin = tree->default_origin;
    tree->preset_origin.label = NULL;
    tree->root = spl_node_create(SPL_NODE_MAP, NULL, &tree->default_origin);
    if (tree->root == NULL) {
        return no_memory();
    }
    SPL_TRY(choose_model(tree, config));
    if (tree->preset != NULL) {
        SPL_TRY(apply_preset(tree, config));
    }
    if (config->root != NULL) {
        for (const spl_node *s = config->root->first; s != NULL; s = s->next) {
            SPL_TRY(put_whole(tree->root, s->key, s));
        }
    }
    for (size_t i = 0; i < config->n_sets; i++) {
        SPL_TRY(spl_layer_apply(tree->root, config->sets[i]));
    }
    SPL_TRY(choose_coupling(tree));
    SPL_TRY(spl_check_keys(tree->root, tree->model, tree->coupling));
    SPL_TRY(read_values(tree, config));
out:
    return status;
}

void spl_tree_deinit(spl_tree *tree)
{
    spl_node_free(tree->root);
    spl_node_free(tree->defaults);
    free(tree->preset_origin.label);
    *tree = (spl_tree){0};
}
