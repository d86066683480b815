/* Model, coupling and noise: settings whose names come from a component's tables. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/regions.h"
#include "config/resolve.h"

enum { MAX_KEY = 160 };

static double *allocate(size_t rows, size_t columns)
{
    size_t count;
    if (__builtin_mul_overflow(rows, columns, &count)) {
        return NULL;
    }
    return calloc(count > 0 ? count : 1, sizeof(double));
}

static spl_status no_memory(void)
{
    return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
}

static void fill(double *out, size_t n, double value)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = value;
    }
}

/* States of a map must exist; `reserved` may stand among them. */
static spl_status check_states(
    const spl_node *map, const char *what, const spl_model *model, const char *reserved)
{
    const char *names[SPL_MAX_STATES + 1] = {NULL};
    for (size_t s = 0; s < model->n_states; s++) {
        names[s] = model->states[s].name;
    }
    for (const spl_node *item = map->first; item != NULL; item = item->next) {
        bool known = strcmp(item->key, reserved) == 0;
        for (size_t s = 0; s < model->n_states; s++) {
            known = known || strcmp(item->key, names[s]) == 0;
        }
        if (!known) {
            return spl_unknown_key(item, item->key, what, names);
        }
    }
    return SPL_OK;
}

/* A number, [low, high], {file: F} or {values: [N numbers]}. */
static spl_status read_init(spl_init *init, const spl_node *node, const char *what,
    const spl_field *state, size_t n_nodes)
{
    spl_status status = SPL_OK;
    if (node->kind == SPL_NODE_SCALAR) {
        SPL_TRY(
            spl_read_quantity(&init->low, node, what, state->unit, SPL_RULE_FINITE, ""));
        init->high = init->low;
        goto out;
    }
    if (node->kind == SPL_NODE_LIST) {
        if (node->n_children != 2) {
            SPL_TRY(spl_node_error(node, false,
                "%s: a list of %zu values; give the two ends of a range, [low, high], or "
                "{file: F}",
                what, node->n_children));
        }
        SPL_TRY(spl_read_quantity(
            &init->low, node->first, what, state->unit, SPL_RULE_FINITE, ""));
        SPL_TRY(spl_read_quantity(
            &init->high, node->last, what, state->unit, SPL_RULE_FINITE, ""));
        if (init->low > init->high) {
            SPL_TRY(spl_node_error(node, false,
                "%s: the range [%.10g, %.10g] is upside down; give [low, high]", what,
                init->low, init->high));
        }
        goto out;
    }
    const spl_node *file = spl_node_find(node, "file");
    const spl_node *values = spl_node_find(node, "values");
    if (node->n_children != 1 || (file == NULL && values == NULL)) {
        SPL_TRY(spl_node_error(node, false,
            "%s: a map; give a number, [low, high], {file: F} or {values: [...]}", what));
    }
    init->value = allocate(n_nodes, 1);
    if (init->value == NULL) {
        status = no_memory();
        goto out;
    }
    SPL_TRY(file != NULL
                ? spl_read_region_file(init->value, file, what, SPL_RULE_FINITE, n_nodes)
                : spl_read_region_list(
                      init->value, values, what, state->unit, SPL_RULE_FINITE, n_nodes));
out:
    return status;
}

static spl_status find_start(
    const spl_start **start, const spl_model *model, const spl_node *node)
{
    const char *names[33] = {NULL};
    if (node->kind != SPL_NODE_SCALAR) {
        return spl_node_error(
            node, false, "model.init.rule must be the name of a start rule");
    }
    for (size_t i = 0; i < model->n_starts && i < 32; i++) {
        names[i] = model->starts[i].name;
        if (strcmp(names[i], node->text) == 0) {
            *start = &model->starts[i];
            return SPL_OK;
        }
    }
    return spl_unknown_name(node, "start rule", node->text, names);
}

static spl_status resolve_init(
    spl_settings *settings, const spl_tree *tree, size_t n_nodes)
{
    spl_status status = SPL_OK;
    const spl_model *model = settings->model;
    const spl_node *node = tree->values[SPL_KEY_INIT].node;
    const spl_start *start = &model->starts[0];
    const bool map = node != NULL && node->kind == SPL_NODE_MAP;
    const spl_node *rule = map ? spl_node_find(node, "rule") : node;
    bool custom = false;
    if (map) {
        SPL_TRY(check_states(node, "model.init", model, "rule"));
    }
    if (rule != NULL) {
        SPL_TRY(find_start(&start, model, rule));
    }
    for (size_t s = 0; s < model->n_states; s++) {
        spl_init *init = &settings->init[s];
        char what[MAX_KEY];
        *init = (spl_init){.low = start->low[s], .high = start->high[s]};
        const spl_node *given = map ? spl_node_find(node, model->states[s].name) : NULL;
        if (given == NULL) {
            continue;
        }
        snprintf(what, sizeof what, "model.init.%s", model->states[s].name);
        SPL_TRY(read_init(init, given, what, &model->states[s], n_nodes));
        custom = custom || init->value != NULL || init->low != start->low[s] ||
                 init->high != start->high[s];
    }
    settings->start_rule = start;
    settings->start_shared = start->shared;
    settings->start = spl_strdup(custom ? "custom" : start->name);
    if (settings->start == NULL) {
        status = no_memory();
    }
out:
    return status;
}

spl_status spl_resolve_model(
    spl_settings *settings, const spl_tree *tree, const spl_connectome *connectome)
{
    spl_status status = SPL_OK;
    const spl_model *model = tree->model;
    const size_t n_nodes = spl_connectome_n_nodes(connectome);
    const spl_node *section = spl_node_find(tree->root, "model");
    settings->model = model;
    settings->preset = tree->preset != NULL ? tree->preset->name : "";
    settings->params = allocate(model->n_params, n_nodes);
    if (settings->params == NULL) {
        status = no_memory();
        goto out;
    }
    for (size_t p = 0; p < model->n_params; p++) {
        const spl_field *field = &model->params[p];
        double *out = settings->params + p * n_nodes;
        const spl_node *node = spl_node_find(section, field->name);
        fill(out, n_nodes, field->value);
        if (node != NULL) {
            char what[MAX_KEY];
            snprintf(what, sizeof what, "model.%s", field->name);
            SPL_TRY(
                spl_read_regions(out, node, what, field->unit, field->rule, connectome));
        }
    }
    SPL_TRY(resolve_init(settings, tree, n_nodes));
out:
    return status;
}

static spl_status resolve_observable(spl_settings *settings, const spl_tree *tree)
{
    const spl_model *model = tree->model;
    const spl_value *value = &tree->values[SPL_KEY_OBSERVABLE];
    const char *names[SPL_MAX_STATES + 3] = {"auto", model->observable};
    settings->sends_observable = strcmp(value->text, "auto") == 0
                                     ? tree->coupling->sends_observable
                                     : strcmp(value->text, model->observable) == 0 ||
                                           strcmp(value->text, "Q") == 0;
    bool known = settings->sends_observable || strcmp(value->text, "auto") == 0;
    for (size_t s = 0; s < model->n_states; s++) {
        names[2 + s] = model->states[s].name;
        if (strcmp(value->text, names[2 + s]) == 0) {
            settings->sends_state = s;
            known = true;
        }
    }
    return known ? SPL_OK
                 : spl_unknown_name(value->node, "observable", value->text, names);
}

spl_status spl_resolve_coupling(spl_settings *settings, const spl_tree *tree)
{
    enum { AUTO, IN_STRENGTH }; /* order of the words in the schema */
    spl_status status = SPL_OK;
    const spl_coupling *coupling = tree->coupling;
    const spl_node *section = spl_node_find(tree->root, "coupling");
    const size_t normalise = tree->values[SPL_KEY_COUPLING_NORMALISE].word;
    settings->coupling = coupling;
    settings->in_strength =
        normalise == AUTO ? coupling->in_strength : normalise == IN_STRENGTH;
    for (size_t p = 0; p < coupling->n_params; p++) {
        const spl_field *field = &coupling->params[p];
        const spl_node *node = spl_node_find(section, field->name);
        settings->coupling_params[p] = field->value;
        if (node != NULL) {
            char what[MAX_KEY];
            snprintf(what, sizeof what, "coupling.%s", field->name);
            SPL_TRY(spl_read_quantity(
                &settings->coupling_params[p], node, what, field->unit, field->rule, ""));
        }
    }
    SPL_TRY(resolve_observable(settings, tree));
out:
    return status;
}

/* What a map by state (or a single number, for the first state) says about state `s`. */
static const spl_node *strength_of(const spl_node *node, const spl_model *model, size_t s)
{
    if (node == NULL || node->kind != SPL_NODE_MAP) {
        return s == 0 ? node : NULL;
    }
    const spl_node *item = spl_node_find(node, model->states[s].name);
    return item == NULL && s == 0 ? spl_node_find(node, "first") : item;
}

static spl_status resolve_strength(spl_settings *settings, const spl_tree *tree, size_t s,
    const spl_connectome *connectome)
{
    spl_status status = SPL_OK;
    const spl_model *model = tree->model;
    const size_t n_nodes = spl_connectome_n_nodes(connectome);
    const spl_node *sigma = strength_of(tree->values[SPL_KEY_SIGMA].node, model, s);
    const spl_node *nsig = strength_of(tree->values[SPL_KEY_NSIG].node, model, s);
    double *out = settings->noise_strength + s * n_nodes;
    char what[MAX_KEY];
    if (sigma != NULL && nsig != NULL) {
        return spl_node_error(sigma, true,
            "noise.sigma and noise.nsig both give %s; keep one of them",
            model->states[s].name);
    }
    const spl_node *node = sigma != NULL ? sigma : nsig;
    if (node == NULL) {
        return SPL_OK;
    }
    snprintf(what, sizeof what, "noise.%s.%s", sigma != NULL ? "sigma" : "nsig",
        model->states[s].name);
    SPL_TRY(spl_read_regions(out, node, what, "1", SPL_RULE_NOT_NEGATIVE, connectome));
    for (size_t i = 0; i < n_nodes && nsig != NULL; i++) {
        out[i] = settings->noise == SPL_NOISE_OU
                     ? sqrt(2.0 * out[i] / settings->noise_tau)
                     : sqrt(2.0 * out[i]);
    }
out:
    return status;
}

spl_status spl_resolve_noise(
    spl_settings *settings, const spl_tree *tree, const spl_connectome *connectome)
{
    static const double DEFAULT_NSIG = 1.0e-5; /* on the first state */
    spl_status status = SPL_OK;
    const spl_value *values = tree->values;
    const size_t n_nodes = spl_connectome_n_nodes(connectome);
    const spl_node *sigma = values[SPL_KEY_SIGMA].node;
    const spl_node *nsig = values[SPL_KEY_NSIG].node;
    settings->noise = (spl_noise_kind)values[SPL_KEY_NOISE_KIND].word;
    settings->noise_tau = values[SPL_KEY_TAU].number;
    settings->noise_mean = values[SPL_KEY_MEAN].number;
    settings->noise_a = values[SPL_KEY_NOISE_A].number;
    settings->noise_b = values[SPL_KEY_NOISE_B].number;
    settings->noise_strength = allocate(tree->model->n_states, n_nodes);
    if (settings->noise_strength == NULL) {
        status = no_memory();
        goto out;
    }
    if (sigma != NULL && sigma->kind == SPL_NODE_MAP) {
        SPL_TRY(check_states(sigma, "noise.sigma", tree->model, "first"));
    }
    if (nsig != NULL && nsig->kind == SPL_NODE_MAP) {
        SPL_TRY(check_states(nsig, "noise.nsig", tree->model, "first"));
    }
    if (sigma == NULL && nsig == NULL) {
        fill(settings->noise_strength, n_nodes,
            settings->noise == SPL_NOISE_OU
                ? sqrt(2.0 * DEFAULT_NSIG / settings->noise_tau)
                : sqrt(2.0 * DEFAULT_NSIG));
    }
    for (size_t s = 0; s < tree->model->n_states; s++) {
        SPL_TRY(resolve_strength(settings, tree, s, connectome));
    }
out:
    return status;
}
