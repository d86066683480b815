/* The resolved configuration as JSON, which the YAML reader takes back: every value is
 * explicit, so that later defaults and presets change nothing. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/regions.h"
#include "config/resolve.h"
#include "config/spiking.h"

/* Start the next key of the object that is being written. */
static void add_key(spl_text *json, const char *indent, const char *key)
{
    bool first = json->length > 0 && json->data[json->length - 1] == '{';
    spl_text_add(json, "%s\n%s", first ? "" : ",", indent);
    spl_text_add_json(json, key);
    spl_text_add(json, ": ");
}

static void add_array(spl_text *json, const double *values, size_t n)
{
    spl_text_add(json, "[");
    for (size_t i = 0; i < n; i++) {
        spl_text_add(json, "%s", i > 0 ? ", " : "");
        spl_text_add_json_double(json, values[i]);
    }
    spl_text_add(json, "]");
}

/* One number if all are the same bits, else the list. */
static void add_regions(spl_text *json, const double *values, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (memcmp(&values[i], &values[0], sizeof *values) != 0) {
            add_array(json, values, n);
            return;
        }
    }
    spl_text_add_json_double(json, values[0]);
}

/* As an absolute path: the text may be read from another folder. */
static spl_status add_path(spl_text *json, const char *seen)
{
    char *path = *seen != '\0' ? spl_absolute_path(seen) : spl_strdup("");
    if (path == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
    }
    spl_text_add_json(json, path);
    free(path);
    return SPL_OK;
}

static spl_status add_path_value(spl_text *json, const spl_value *value)
{
    char *seen = *value->text != '\0' ? spl_path_of(value->node) : spl_strdup("");
    if (seen == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
    }
    spl_status status = add_path(json, seen);
    free(seen);
    return status;
}

static spl_status add_value(
    spl_text *json, const spl_value *value, const spl_schema_row *row)
{
    char word[32];
    switch (row->type) {
    case SPL_TYPE_COUNT:
        spl_text_add(json, "%" PRIu64, value->count);
        return SPL_OK;
    case SPL_TYPE_PATH:
        return add_path_value(json, value);
    case SPL_TYPE_FLAG:
        spl_text_add(json, "%s", value->flag ? "true" : "false");
        return SPL_OK;
    case SPL_TYPE_WORD:
        spl_schema_word(row->words, value->word, word);
        spl_text_add_json(json, word);
        return SPL_OK;
    case SPL_TYPE_TEXT:
    case SPL_TYPE_NAME:
        spl_text_add_json(json, value->text);
        return SPL_OK;
    default:
        if (isnan(value->number)) {
            spl_text_add(json, "\"none\"");
        } else {
            spl_text_add_json_double(json, value->number);
        }
        return SPL_OK;
    }
}

static void add_coupling(spl_text *json, const spl_settings *settings)
{
    const spl_coupling *coupling = settings->coupling;
    add_key(json, "    ", "normalise");
    spl_text_add_json(json, settings->in_strength ? "in_strength" : "none");
    add_key(json, "    ", "observable");
    spl_text_add_json(json, settings->sends_observable
                                ? settings->model->observable
                                : settings->model->states[settings->sends_state].name);
    for (size_t p = 0; p < coupling->n_params; p++) {
        add_key(json, "    ", coupling->params[p].name);
        spl_text_add_json_double(json, settings->coupling_params[p]);
    }
}

static void add_model(spl_text *json, const spl_settings *settings)
{
    const spl_model *model = settings->model;
    for (size_t p = 0; p < model->n_params; p++) {
        add_key(json, "    ", model->params[p].name);
        add_regions(json, settings->params + p * settings->n_nodes, settings->n_nodes);
    }
    add_key(json, "    ", "init");
    spl_text_add(json, "{");
    add_key(json, "      ", "rule");
    spl_text_add_json(json, settings->start_rule->name);
    for (size_t s = 0; s < model->n_states; s++) {
        const spl_init *init = &settings->init[s];
        add_key(json, "      ", model->states[s].name);
        if (init->value != NULL) {
            spl_text_add(json, "{\"values\": ");
            add_array(json, init->value, settings->n_nodes);
            spl_text_add(json, "}");
        } else {
            add_array(json, (double[]){init->low, init->high}, 2);
        }
    }
    spl_text_add(json, "\n    }");
}

static void add_noise(spl_text *json, const spl_settings *settings)
{
    add_key(json, "    ", "sigma");
    spl_text_add(json, "{");
    for (size_t s = 0; s < settings->model->n_states; s++) {
        add_key(json, "      ", settings->model->states[s].name);
        add_regions(
            json, settings->noise_strength + s * settings->n_nodes, settings->n_nodes);
    }
    spl_text_add(json, "\n    }");
}

static void add_monitor(spl_text *json, const spl_monitor_spec *spec)
{
    static const char indent[] = "      ";
    const spl_monitor_kind *kind = spec->kind;
    spl_text_add(json, "    {");
    add_key(json, indent, "name");
    spl_text_add_json(json, spec->name);
    add_key(json, indent, "kind");
    spl_text_add_json(json, kind->name);
    if (kind->period_ms != 0.0) {
        add_key(json, indent, "period");
        spl_text_add_json_double(json, spec->period_ms);
    }
    add_key(json, indent, "variables");
    for (size_t v = 0; v < spec->n_variables; v++) {
        spl_text_add(json, v == 0 ? "[" : ", ");
        spl_text_add_json(json, spec->variable_name[v]);
    }
    spl_text_add(json, "]");
    add_key(json, indent, "dtype");
    spl_text_add_json(json, spec->f8 ? "f8" : "f4");
    for (size_t i = 0; i < kind->n_options; i++) {
        add_key(json, indent, kind->options[i].name);
        spl_text_add_json_double(json, spec->options[i]);
    }
    for (size_t i = 0; i < kind->n_choices; i++) {
        add_key(json, indent, kind->choices[i].name);
        spl_text_add_json(json, kind->choices[i].words[spec->choices[i]]);
    }
    spl_text_add(json, "\n    }");
}

static void add_monitors(spl_text *json, const spl_settings *settings)
{
    add_key(json, "  ", "monitors");
    spl_text_add(json, "[");
    for (size_t i = 0; i < settings->n_monitors; i++) {
        spl_text_add(json, i > 0 ? ",\n" : "\n");
        add_monitor(json, &settings->monitors[i]);
    }
    spl_text_add(json, "\n  ]");
}

/* What a component adds to the end of its section. */
static void close_section(
    spl_text *json, const spl_settings *settings, const char *section)
{
    static const struct {
        const char *section;
        void (*add)(spl_text *, const spl_settings *);
    } parts[] = {{"coupling", add_coupling}, {"model", add_model}, {"noise", add_noise}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(parts[i].section, section) == 0) {
            parts[i].add(json, settings);
        }
    }
    spl_text_add(json, "\n  }");
}

/* Values that the resolution decides and its parts write. */
static bool written_elsewhere(size_t id)
{
    return spl_schema[id].type == SPL_TYPE_TREE || id == SPL_KEY_COUPLING_NORMALISE ||
           id == SPL_KEY_OBSERVABLE;
}

/* Sections of nodes, where there are none. */
static bool left_out(const spl_settings *settings, const char *key)
{
    static const char *const prefixes[] = {
        "connectome.", "coupling.", "model.", "noise.", "monitors"};
    for (size_t i = 0; settings->alone && i < sizeof prefixes / sizeof *prefixes; i++) {
        if (strncmp(key, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Lists of maps, which have code of their own. */
static bool add_list(spl_text *json, const spl_settings *settings, size_t id)
{
    if (id == SPL_KEY_MONITORS) {
        add_monitors(json, settings);
    } else if (id == SPL_KEY_SUBNETWORKS) {
        add_key(json, "  ", "subnetworks");
        spl_add_subnetworks(json, settings);
    }
    return id == SPL_KEY_MONITORS || id == SPL_KEY_SUBNETWORKS;
}

static spl_status add_row(spl_text *json, const spl_tree *tree, size_t id,
    const char *name, const char *indent, const spl_connectome_options *source)
{
    if (written_elsewhere(id)) {
        return SPL_OK;
    }
    add_key(json, indent, name);
    if (id == SPL_KEY_FILE) { /* also where the default data set was found */
        return add_path(json, source->file != NULL ? source->file : "");
    }
    return add_value(json, &tree->values[id], &spl_schema[id]);
}

spl_status spl_write_json(spl_settings *settings, const spl_tree *tree)
{
    spl_status status = SPL_OK;
    spl_connectome_options source = {0};
    spl_text json = {0};
    char section[32] = "";
    /* without the shipped data set a connectome made by the caller still serves */
    status = settings->alone ? SPL_OK : spl_resolve_source(&source, tree);
    if (status != SPL_ERR_FILE_MISSING) {
        SPL_TRY(status);
    }
    status = SPL_OK;
    spl_text_add(&json, "{");
    for (size_t id = 0; id < SPL_N_KEYS; id++) {
        const char *key = spl_schema[id].key.key;
        if (left_out(settings, key)) {
            continue;
        }
        const char *dot = strchr(key, '.');
        size_t length = dot != NULL ? (size_t)(dot - key) : 0;
        if (strlen(section) != length || strncmp(section, key, length) != 0) {
            if (*section != '\0') {
                close_section(&json, settings, section);
            }
            memcpy(section, key, length);
            section[length] = '\0';
            if (length > 0) {
                add_key(&json, "  ", section);
                spl_text_add(&json, "{");
            }
        }
        if (add_list(&json, settings, id)) {
            continue;
        }
        if (length > 0) {
            SPL_TRY(add_row(&json, tree, id, dot + 1, "    ", &source));
        } else {
            SPL_TRY(add_row(&json, tree, id, key, "  ", &source));
        }
    }
    spl_text_add(&json, "\n  }\n}\n");
    if (json.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
    }
    settings->resolved_json = json.data;
    json = (spl_text){0};
out:
    spl_text_deinit(&json);
    spl_source_deinit(&source);
    return status;
}
