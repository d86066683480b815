/* Populations of a subnetwork: sizes, neurons, initial state. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/spiking.h"

enum { MAX_POPULATIONS = 64 };

typedef spl_population_reading reading;

static spl_status no_memory(void)
{
    return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
}

const char *spl_default_populations(const char *model)
{
    /* Izhikevich (2003) */
    static const char heterogeneous[] =
        "[{name: E, type: excitatory, heterogeneity: izhikevich2003,"
        " init: {V: {uniform: [-70, -50]}}},"
        " {name: I, type: inhibitory, heterogeneity: izhikevich2003,"
        " init: {V: {uniform: [-70, -50]}}}]";
    return strcmp(model, "izhikevich_ltc") == 0  ? heterogeneous
           : strcmp(model, "poisson_relay") == 0 ? "[{name: E, type: excitatory}]"
                                                 : NULL;
}

static spl_status find_model(
    const spl_neuron_model **model, const spl_value *value, const spl_node *item)
{
    *model = spl_neuron_model_find(value->text);
    return *model != NULL
               ? SPL_OK
               : spl_node_error_prefix(value->node != NULL ? value->node : item);
}

/* Name, type, model and the values of all keys of fixed name. */
static spl_status open_population(reading *r, size_t index)
{
    spl_status status = SPL_OK;
    const spl_subnetwork_spec *subnetwork = r->all->spec;
    const spl_node *name = spl_node_find(r->item, "name");
    spl_text full = {0};
    if (r->item->kind != SPL_NODE_MAP || name == NULL) {
        SPL_TRY(spl_node_error(r->item, false,
            "%s: a population must be a map with a name, e.g. {name: E, size: 800}",
            r->all->place));
    }
    SPL_TRY(spl_read_identifier(name, "population"));
    snprintf(r->place, sizeof r->place, "%s.populations.%s", r->all->place, name->text);
    spl_text_add(&full, "%s.%s", subnetwork->name, name->text);
    r->spec->name = full.data;
    if (full.failed) {
        SPL_TRY(no_memory());
    }
    for (size_t p = 0; p < index; p++) {
        if (strcmp(subnetwork->populations[p].name, full.data) == 0) {
            SPL_TRY(spl_node_error(name, false,
                "%s: a second population named '%s'; give each its own name",
                r->all->place, name->text));
        }
    }
    const spl_node *model = spl_node_find(r->item, "model");
    const spl_value given = {.node = model, .text = model != NULL ? model->text : NULL};
    if (model != NULL && model->kind != SPL_NODE_SCALAR) {
        SPL_TRY(spl_node_error(
            model, false, "%s.model must be the name of a neuron model", r->place));
    }
    SPL_TRY(find_model(&r->spec->model,
        model != NULL ? &given : &r->all->values[SPL_SUB_MODEL], r->item));
    SPL_TRY(spl_read_map(r->values, spl_population_rows, SPL_N_POPULATION_KEYS, r->item,
        r->place, r->spec->model->params, r->spec->model->n_params));
    r->spec->excitatory = r->values[SPL_POP_TYPE].word == 0;
out:
    return status;
}

/* Share of a population that gives neither size nor fraction: populations of one type
 * divide what is theirs, everything if there is no other type. */
static double usual_fraction(const reading *readings, size_t n, size_t p)
{
    size_t like = 0;
    size_t unlike = 0;
    for (size_t i = 0; i < n; i++) {
        const bool same = readings[i].spec->excitatory == readings[p].spec->excitatory;
        like += same;
        unlike += !same;
    }
    const double inhibitory = readings[p].all->values[SPL_SUB_INHIBITORY].number;
    const double share = unlike == 0                    ? 1.0
                         : readings[p].spec->excitatory ? 1.0 - inhibitory
                                                        : inhibitory;
    return share / (double)like;
}

static spl_status check_size(const reading *r, uint64_t size, const spl_node *node)
{
    if (size == 0) {
        return spl_node_error(node, false,
            "%s: a population of no neurons; make it larger, or leave it out", r->place);
    }
    if (size > SPL_MAX_NEURONS) {
        return spl_node_error(node, false,
            "%s: %llu neurons; at most %llu in a population", r->place,
            (unsigned long long)size, (unsigned long long)SPL_MAX_NEURONS);
    }
    return SPL_OK;
}

/* Sizes by fraction are differences of rounded partial sums: shares that add up to 1 give
 * `size` neurons together. */
static spl_status read_sizes(reading *readings, size_t n)
{
    spl_status status = SPL_OK;
    const spl_subnetwork_reading *all = readings[0].all;
    const spl_value *total = &all->values[SPL_SUB_SIZE];
    const spl_value *inhibitory = &all->values[SPL_SUB_INHIBITORY];
    double sum = 0.0;
    bool shared = false;
    bool usual = false;
    SPL_TRY(check_size(&readings[0], total->count, total->node));
    if (inhibitory->number > 1.0) {
        SPL_TRY(spl_node_error(inhibitory->node, false,
            "%s.inhibitory_fraction: '%s' must not be above 1", all->place,
            inhibitory->node->text));
    }
    for (size_t p = 0; p < n; p++) {
        reading *r = &readings[p];
        const spl_value *size = &r->values[SPL_POP_SIZE];
        const spl_value *fraction = &r->values[SPL_POP_FRACTION];
        if (size->node != NULL) {
            SPL_TRY(spl_refuse_given(fraction, &spl_population_rows[SPL_POP_FRACTION],
                r->place, "size is given as well; give one"));
            SPL_TRY(check_size(r, size->count, size->node));
            r->spec->size = (size_t)size->count;
            continue;
        }
        const bool own = fraction->node != NULL;
        const double before = sum;
        sum += own ? fraction->number : usual_fraction(readings, n, p);
        if (sum > 1.0 + 1e-9) {
            SPL_TRY(spl_node_error(own ? fraction->node : r->item, false,
                "%s: the fractions add up to %.10g; they must not exceed 1", r->place,
                sum));
        }
        shared = true;
        usual = usual || !own;
        r->spec->size = (size_t)(rint(sum * (double)total->count) -
                                 rint(before * (double)total->count));
        SPL_TRY(check_size(r, r->spec->size, own ? fraction->node : r->item));
    }
    if (!shared) {
        SPL_TRY(spl_refuse_given(total, &spl_subnetwork_rows[SPL_SUB_SIZE], all->place,
            "unused; every population gives its own size"));
    }
    if (!usual) {
        SPL_TRY(spl_refuse_given(inhibitory, &spl_subnetwork_rows[SPL_SUB_INHIBITORY],
            all->place, "unused; every population gives its size or fraction"));
    }
out:
    return status;
}

static spl_draw *find_param(spl_population_spec *spec, const char *name, size_t length)
{
    for (size_t p = 0; p < spec->model->n_params; p++) {
        const char *candidate = spec->model->params[p].name;
        if (strlen(candidate) == length && memcmp(candidate, name, length) == 0) {
            return &spec->params[p];
        }
    }
    return NULL;
}

/* "a=0.02 b=0.2 V=-63" */
static void apply_preset(spl_population_spec *spec, const spl_neuron_preset *preset)
{
    for (const char *text = preset->settings; *text != '\0';) {
        const size_t name = strcspn(text, "=");
        const size_t length = strcspn(text, " ");
        char number[64];
        double value = 0.0;
        snprintf(
            number, sizeof number, "%.*s", (int)(length - name - 1), text + name + 1);
        spl_bug_assert(spl_parse_double(number, false, &value));
        spl_draw *draw = find_param(spec, text, name);
        for (size_t s = 0; s < spec->model->n_states && draw == NULL; s++) {
            if (strlen(spec->model->states[s]) == name &&
                memcmp(spec->model->states[s], text, name) == 0) {
                draw = &spec->init[s];
                spec->u_follows = spec->u_follows && s != 1;
            }
        }
        spl_bug_assert(draw != NULL);
        *draw = spl_draw_constant(value);
        text += length;
        text += strspn(text, " ");
    }
}

static spl_status read_preset(reading *r)
{
    const spl_value *value = &r->values[SPL_POP_PRESET];
    const spl_neuron_model *model = r->spec->model;
    if (*value->text == '\0') {
        return SPL_OK;
    }
    const char *names[65] = {NULL};
    for (size_t i = 0; i < model->n_presets && i < 64; i++) {
        names[i] = model->presets[i].name;
        if (strcmp(names[i], value->text) == 0) {
            apply_preset(r->spec, &model->presets[i]);
            return SPL_OK;
        }
    }
    return spl_unknown_name(value->node, "preset", value->text, names);
}

/* The numbers that one r drives, and the two that stay: Izhikevich (2003). */
static const struct heterogeneous {
    const char *name;
    bool of_excitatory; /* driven in excitatory, else in inhibitory neurons */
    double fixed;       /* in the others */
} heterogeneous[] = {
    {"a", false, 0.02}, {"b", false, 0.2}, {"c", true, -65.0}, {"d", true, 2.0}};
enum { N_HETEROGENEOUS = sizeof heterogeneous / sizeof *heterogeneous };

static spl_status read_heterogeneity(reading *r)
{
    spl_status status = SPL_OK;
    spl_population_spec *spec = r->spec;
    const spl_value *value = &r->values[SPL_POP_HETEROGENEITY];
    spec->heterogeneity = (spl_heterogeneity)value->word;
    if (spec->heterogeneity == SPL_HETEROGENEITY_NONE) {
        return SPL_OK;
    }
    SPL_TRY(
        spl_refuse_given(&r->values[SPL_POP_PRESET], &spl_population_rows[SPL_POP_PRESET],
            r->place, "heterogeneity gives the same numbers; leave one of them out"));
    for (size_t i = 0; i < N_HETEROGENEOUS; i++) {
        const struct heterogeneous *h = &heterogeneous[i];
        spl_draw *draw = find_param(spec, h->name, 1);
        const spl_node *given = spl_node_find(r->item, h->name);
        if (draw == NULL) {
            SPL_TRY(spl_node_error(value->node, false,
                "%s.heterogeneity: %s has no parameter %s for %s to vary; leave it out",
                r->place, spec->model->name, h->name, value->node->text));
        }
        if (h->of_excitatory != spec->excitatory) {
            *draw = spl_draw_constant(h->fixed);
        } else if (given != NULL) {
            SPL_TRY(spl_node_error(given, true,
                "%s.%s: heterogeneity: %s draws it; set heterogeneity to none as well",
                r->place, h->name, value->node->text));
        }
    }
out:
    return status;
}

static spl_status read_params(reading *r)
{
    spl_status status = SPL_OK;
    spl_population_spec *spec = r->spec;
    const spl_neuron_model *model = spec->model;
    for (size_t p = 0; p < model->n_params; p++) {
        spec->params[p] = spl_draw_constant(model->params[p].value);
    }
    spec->u_follows = model->n_states > 1;
    for (size_t s = 0; s < model->n_states; s++) {
        spec->init[s] = spl_draw_constant(model->initial[s].value);
    }
    SPL_TRY(read_preset(r));
    SPL_TRY(read_heterogeneity(r));
    for (size_t p = 0; p < model->n_params; p++) {
        const spl_field *field = &model->params[p];
        const spl_node *node = spl_node_find(r->item, field->name);
        char what[SPL_MAX_PLACE + 64];
        snprintf(what, sizeof what, "%s.%s", r->place, field->name);
        if (node != NULL) {
            SPL_TRY(spl_read_draw(&spec->params[p], node, what, field->unit, field->rule,
                spec->size, "neurons"));
        }
    }
out:
    return status;
}

static spl_status read_init(reading *r)
{
    spl_status status = SPL_OK;
    const spl_node *map = r->values[SPL_POP_INIT].node;
    char what[SPL_MAX_PLACE + 64];
    if (map == NULL) {
        return SPL_OK;
    }
    snprintf(what, sizeof what, "%s.init", r->place);
    if (map->kind != SPL_NODE_MAP) {
        SPL_TRY(spl_node_error(map, false,
            "%s must be a map by state, e.g. {V: {uniform: [-70, -50]}}", what));
    }
    for (const spl_node *child = map->first; child != NULL; child = child->next) {
        size_t state = 0;
        snprintf(what, sizeof what, "%s.init", r->place);
        SPL_TRY(spl_find_state(&state, r, child, what));
        snprintf(what, sizeof what, "%s.init.%s", r->place, child->key);
        free(r->spec->init[state].values);
        SPL_TRY(spl_read_draw(&r->spec->init[state], child, what, "1", SPL_RULE_FINITE,
            r->spec->size, "neurons"));
        r->spec->u_follows = r->spec->u_follows && state != 1;
    }
out:
    return status;
}

static spl_status read_population(reading *r)
{
    spl_status status = SPL_OK;
    const spl_value *values = r->values;
    const spl_value *record = &values[SPL_POP_RECORD_SPIKES];
    spl_population_spec *spec = r->spec;
    SPL_TRY(read_params(r));
    SPL_TRY(read_init(r));
    spec->tau_ref = values[SPL_POP_TAU_REF].number;
    spec->V_min =
        isnan(values[SPL_POP_V_MIN].number) ? -INFINITY : values[SPL_POP_V_MIN].number;
    SPL_TRY(spl_read_currents(r));
    SPL_TRY(spl_read_backgrounds(r));
    SPL_TRY(spl_read_record(r));
    spec->record_spikes =
        record->node != NULL ? record->flag : r->all->values[SPL_SUB_RECORD_SPIKES].flag;
    spec->driven = values[SPL_POP_DRIVEN].flag &&
                   (r->all->spec->hosted || r->all->spec->interface.nu0 > 0.0);
out:
    return status;
}

static spl_status read_list(spl_subnetwork_reading *all, const spl_node *list)
{
    spl_status status = SPL_OK;
    size_t n = 0;
    reading *readings = NULL;
    if (list->kind != SPL_NODE_LIST || list->n_children == 0 ||
        list->n_children > MAX_POPULATIONS) {
        SPL_TRY(spl_node_error(list, false,
            "%s.populations must be a list of 1 to %d maps, e.g. [{name: E, size: 800}]",
            all->place, MAX_POPULATIONS));
    }
    readings = calloc(list->n_children, sizeof *readings);
    all->spec->populations = calloc(list->n_children, sizeof *all->spec->populations);
    if (readings == NULL || all->spec->populations == NULL) {
        SPL_TRY(no_memory());
    }
    for (const spl_node *item = list->first; item != NULL; item = item->next, n++) {
        readings[n] =
            (reading){.all = all, .spec = &all->spec->populations[n], .item = item};
        all->spec->n_populations++;
        SPL_TRY(open_population(&readings[n], n));
    }
    SPL_TRY(read_sizes(readings, n));
    for (size_t p = 0; p < n; p++) {
        SPL_TRY(read_population(&readings[p]));
    }
out:
    free(readings);
    return status;
}

spl_status spl_read_populations(spl_subnetwork_reading *all)
{
    spl_status status = SPL_OK;
    static const spl_origin origin = {.label = (char *)"default populations",
        .directory = (char *)"",
        .code = SPL_ERR_CONFIG};
    spl_node *made = NULL;
    const spl_value *model = &all->values[SPL_SUB_MODEL];
    const spl_node *list = all->values[SPL_SUB_POPULATIONS].node;
    all->default_network = list == NULL || list->optional;
    if (list == NULL) {
        const spl_neuron_model *known = NULL;
        SPL_TRY(find_model(&known, model, all->item));
        const char *text = spl_default_populations(known->name);
        if (text == NULL) {
            SPL_TRY(spl_node_error(all->item, false,
                "%s: there is no default network of %s; give populations", all->place,
                known->name));
        }
        SPL_TRY(spl_parse_yaml(&made, text, strlen(text), &origin));
        for (spl_node *item = made->first; item != NULL; item = item->next) {
            item->origin = all->item->origin; /* a size is to blame, not the default */
            item->line = all->item->line;
            item->column = all->item->column;
        }
        list = made;
    }
    SPL_TRY(read_list(all, list));
out:
    spl_node_free(made);
    return status;
}
