#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/resolve.h"

enum { MAX_MONITORS = 64, MAX_NAME = 64 };

static const char *const fixed_names[] = {"name", "kind", "period", "variables", "dtype"};
enum { N_FIXED = sizeof fixed_names / sizeof *fixed_names };

/* A name becomes a group of the results file and a part of dotted keys. */
static spl_status read_name(
    spl_monitor_spec *spec, const spl_node *item, const spl_settings *settings)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const spl_node *node = spl_node_find(item, "name");
    node = node != NULL ? node : spl_node_find(item, "kind");
    if (node == NULL) {
        return spl_node_error(item, false,
            "a monitor without kind; add kind: raw or "
            "another of `splenium models`");
    }
    if (node->kind != SPL_NODE_SCALAR) {
        return spl_node_error(node, false, "the name of a monitor must be a single word");
    }
    size_t length = strlen(node->text);
    if (length == 0 || length > MAX_NAME || strspn(node->text, letters) != length) {
        return spl_node_error(node, false,
            "monitor name '%s'; use 1 to 64 letters, digits, '_' or '-'", node->text);
    }
    for (size_t i = 0; i < settings->n_monitors; i++) {
        if (strcmp(settings->monitors[i].name, node->text) == 0) {
            return spl_node_error(node, false,
                "a second monitor named '%s'; give each its own name", node->text);
        }
    }
    spec->name = spl_strdup(node->text);
    return spec->name != NULL ? SPL_OK
                              : spl_error(SPL_ERR_NO_MEMORY, "monitors: out of memory");
}

static spl_status read_kind(spl_monitor_spec *spec, const spl_node *item)
{
    const spl_node *node = spl_node_find(item, "kind");
    if (node == NULL) {
        return spl_node_error(item, false,
            "monitors.%s has no kind; add one, e.g. kind: temporal_average", spec->name);
    }
    if (node->kind != SPL_NODE_SCALAR) {
        return spl_node_error(
            node, false, "monitors.%s.kind must be a single word", spec->name);
    }
    if (strcmp(node->text, "spikes") == 0) {
        return spl_node_error(node, false,
            "monitors.%s: spikes are recorded without a monitor; remove it (a population "
            "with record_spikes: false has none)",
            spec->name);
    }
    spec->kind = spl_monitor_find(node->text);
    return spec->kind != NULL ? SPL_OK : spl_node_error_prefix(node);
}

static spl_status check_keys(const spl_monitor_spec *spec, const spl_node *item)
{
    const spl_monitor_kind *kind = spec->kind;
    const char *names[N_FIXED + 2 * SPL_MONITOR_MAX_OPTIONS + 1] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < N_FIXED; i++) {
        names[n++] = fixed_names[i];
    }
    for (size_t i = 0; i < kind->n_options; i++) {
        names[n++] = kind->options[i].name;
    }
    for (size_t i = 0; i < kind->n_choices; i++) {
        names[n++] = kind->choices[i].name;
    }
    for (const spl_node *child = item->first; child != NULL; child = child->next) {
        size_t i = 0;
        while (i < n && strcmp(names[i], child->key) != 0) {
            i++;
        }
        if (i == n) {
            char place[MAX_NAME + 16];
            snprintf(place, sizeof place, "monitors.%s", spec->name);
            return spl_unknown_key(child, child->key, place, names);
        }
    }
    return SPL_OK;
}

/* Index of an observed variable: states, the observable, the coupling input. */
static spl_status find_variable(size_t *index, const char **name, const spl_model *model,
    const spl_node *node, const char *word)
{
    const char *names[SPL_MAX_STATES + 4] = {NULL};
    for (size_t s = 0; s < model->n_states; s++) {
        names[s] = model->states[s].name;
    }
    names[model->n_states] = model->observable;
    names[model->n_states + 1] = "c";
    names[model->n_states + 2] = "Q"; /* another name of the observable */
    for (size_t i = 0; i < model->n_states + 3; i++) {
        if (strcmp(names[i], word) == 0) {
            *index = i < model->n_states + 2 ? i : model->n_states;
            *name = names[i];
            return SPL_OK;
        }
    }
    return spl_unknown_name(node, "variable", word, names);
}

static spl_status add_variable(spl_monitor_spec *spec, const spl_model *model,
    const spl_node *node, const char *word)
{
    size_t index = 0;
    const char *name = NULL;
    if (node->kind != SPL_NODE_SCALAR) {
        return spl_node_error(
            node, false, "monitors.%s.variables must be names", spec->name);
    }
    spl_status status = find_variable(&index, &name, model, node, word);
    if (status != SPL_OK) {
        return status;
    }
    bool input_only =
        spec->kind->variable != NULL && strcmp(spec->kind->variable, "c") == 0;
    if (input_only && index != model->n_states + 1) {
        return spl_node_error(node, false,
            "monitors.%s: a monitor of kind %s records 'c' only; leave out variables",
            spec->name, spec->kind->name);
    }
    for (size_t v = 0; v < spec->n_variables; v++) {
        if (spec->variable[v] == index) {
            return spl_node_error(node, false,
                "monitors.%s.variables names '%s' twice; remove one", spec->name, word);
        }
    }
    if (spec->n_variables == SPL_MONITOR_MAX_VARIABLES) {
        return spl_node_error(node, false,
            "monitors.%s.variables: more than %d; use a second monitor", spec->name,
            SPL_MONITOR_MAX_VARIABLES);
    }
    spec->variable[spec->n_variables] = index;
    spec->variable_name[spec->n_variables++] = name;
    return SPL_OK;
}

static spl_status read_variables(
    spl_monitor_spec *spec, const spl_node *item, const spl_model *model)
{
    const spl_node *node = spl_node_find(item, "variables");
    const char *usual = spec->kind->variable;
    spl_status status = SPL_OK;
    if (node == NULL) {
        const spl_node place = {.origin = item->origin};
        usual = usual == NULL                      ? model->states[0].name
                : strcmp(usual, "observable") == 0 ? model->observable
                                                   : usual;
        return add_variable(spec, model, &place, usual);
    }
    if (node->kind == SPL_NODE_SCALAR) {
        return add_variable(spec, model, node, node->text);
    }
    if (node->kind != SPL_NODE_LIST || node->n_children == 0) {
        return spl_node_error(node, false,
            "monitors.%s.variables must be a list of names, e.g. [V, W]", spec->name);
    }
    for (const spl_node *name = node->first; name != NULL && status == SPL_OK;
         name = name->next) {
        status = add_variable(spec, model, name, name->text);
    }
    return status;
}

static spl_status read_period(
    spl_monitor_spec *spec, const spl_node *item, const spl_settings *settings)
{
    char what[MAX_NAME + 32];
    uint64_t steps = 0;
    const spl_node *node = spl_node_find(item, "period");
    const bool every_step = spec->kind->period_ms == 0.0;
    spec->period_ms = every_step ? settings->dt : spec->kind->period_ms;
    if (node == NULL) {
        return SPL_OK;
    }
    if (every_step) {
        return spl_node_error(node, true,
            "monitors.%s: a monitor of kind %s records every step; leave out period, or "
            "use kind subsample",
            spec->name, spec->kind->name);
    }
    snprintf(what, sizeof what, "monitors.%s.period", spec->name);
    spl_status status =
        spl_read_quantity(&spec->period_ms, node, what, "ms", SPL_RULE_POSITIVE, "");
    if (status == SPL_OK &&
        spl_monitor_steps(spec->period_ms, settings->dt, &steps) != SPL_OK) {
        status =
            spl_node_error(node, false, "monitors.%s: %s", spec->name, spl_last_error());
    }
    return status;
}

static spl_status read_options(spl_monitor_spec *spec, const spl_node *item)
{
    spl_status status = SPL_OK;
    const spl_monitor_kind *kind = spec->kind;
    char what[MAX_NAME + 96];
    for (size_t i = 0; i < kind->n_options; i++) {
        const spl_field *field = &kind->options[i];
        const spl_node *node = spl_node_find(item, field->name);
        spec->options[i] = field->value;
        snprintf(what, sizeof what, "monitors.%s.%s", spec->name, field->name);
        if (node != NULL) {
            SPL_TRY(spl_read_quantity(
                &spec->options[i], node, what, field->unit, field->rule, ""));
        }
    }
    for (size_t i = 0; i < kind->n_choices; i++) {
        const spl_choice *choice = &kind->choices[i];
        const spl_node *node = spl_node_find(item, choice->name);
        size_t index = 0;
        snprintf(what, sizeof what, "monitors.%s.%s", spec->name, choice->name);
        if (node == NULL) {
            continue;
        }
        if (node->kind != SPL_NODE_SCALAR) {
            SPL_TRY(spl_node_error(node, false, "%s must be a single word", what));
        }
        while (choice->words[index] != NULL &&
               strcmp(choice->words[index], node->text) != 0) {
            index++;
        }
        if (choice->words[index] == NULL) {
            SPL_TRY(spl_unknown_name(node, choice->name, node->text, choice->words));
        }
        spec->choices[i] = (int)index;
    }
out:
    return status;
}

static spl_status read_dtype(spl_monitor_spec *spec, const spl_node *item)
{
    char what[MAX_NAME + 32];
    size_t word = 0;
    const spl_node *node = spl_node_find(item, "dtype");
    snprintf(what, sizeof what, "monitors.%s.dtype", spec->name);
    spl_status status =
        node != NULL ? spl_read_word(&word, node, what, "f4 | f8") : SPL_OK;
    spec->f8 = word == 1;
    return status;
}

static spl_status resolve_monitor(
    spl_settings *settings, const spl_node *item, const spl_tree *tree)
{
    spl_status status = SPL_OK;
    spl_monitor_shape shape;
    const spl_monitor_run run = {.n_nodes = settings->n_nodes,
        .dt_ms = settings->dt,
        .n_transient = settings->n_transient,
        .n_steps = settings->n_steps};
    if (item->kind != SPL_NODE_MAP) {
        return spl_node_error(item, false,
            "a monitor must be a map, e.g. {name: tavg, kind: temporal_average}");
    }
    spl_monitor_spec *spec = &settings->monitors[settings->n_monitors];
    SPL_TRY(read_name(spec, item, settings));
    settings->n_monitors++; /* from here on its name is freed with the settings */
    SPL_TRY(read_kind(spec, item));
    SPL_TRY(check_keys(spec, item));
    SPL_TRY(read_period(spec, item, settings));
    SPL_TRY(read_variables(spec, item, tree->model));
    SPL_TRY(read_dtype(spec, item));
    SPL_TRY(read_options(spec, item));
    if (spl_monitor_plan(spec, &run, &shape) != SPL_OK) {
        SPL_TRY(spl_node_error_prefix(item));
    }
out:
    return status;
}

/* A default monitor gives way if the run is too short for a single row. */
static bool too_short(const spl_settings *settings, const spl_node *item)
{
    double period = 0.0;
    const spl_node *node = spl_node_find(item, "period");
    return item->optional &&
           spl_read_quantity(&period, node, "period", "ms", SPL_RULE_POSITIVE, "") ==
               SPL_OK &&
           period > (double)(settings->n_steps - settings->n_transient) * settings->dt *
                        (1.0 + 1e-9);
}

spl_status spl_resolve_monitors(spl_settings *settings, const spl_tree *tree)
{
    spl_status status = SPL_OK;
    spl_node *made = NULL;
    const spl_node *list = tree->values[SPL_KEY_MONITORS].node;
    if (list == NULL) {
        SPL_TRY(spl_parse_yaml(&made, spl_default_monitors, strlen(spl_default_monitors),
            &tree->default_origin));
        for (spl_node *item = made->first; item != NULL; item = item->next) {
            item->optional = true;
        }
        list = made;
    }
    if (list->kind != SPL_NODE_LIST || list->n_children > MAX_MONITORS) {
        SPL_TRY(spl_node_error(list, false,
            "monitors must be a list of at most %d maps, e.g. [{name: tavg, kind: "
            "temporal_average}]",
            MAX_MONITORS));
    }
    settings->monitors = calloc(list->n_children + 1, sizeof *settings->monitors);
    if (settings->monitors == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "monitors: out of memory");
    }
    for (const spl_node *item = list->first; item != NULL; item = item->next) {
        /* the first one stays: a run that records nothing is told why */
        if (item == list->first || !too_short(settings, item)) {
            SPL_TRY(resolve_monitor(settings, item, tree));
        }
    }
out:
    spl_node_free(made);
    return status;
}
