/* What drives a population beside its synapses, and what of it is recorded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/regions.h"
#include "config/spiking.h"
#include "connectome/connectome.h"

enum { MAX_CURRENT_STEPS = 1000000 };

typedef spl_population_reading reading;

static spl_status no_memory(void)
{
    return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
}

spl_status spl_find_state(
    size_t *state, const reading *r, const spl_node *child, const char *what)
{
    const char *names[SPL_NEURON_MAX_STATES + 1] = {NULL};
    for (size_t s = 0; s < r->spec->model->n_states; s++) {
        names[s] = r->spec->model->states[s];
        if (strcmp(names[s], child->key) == 0) {
            *state = s;
            return SPL_OK;
        }
    }
    return spl_unknown_key(child, child->key, what, names);
}

static spl_status read_sigma(reading *r)
{
    spl_status status = SPL_OK;
    const spl_node *node = r->values[SPL_POP_SIGMA].node;
    double sigma[SPL_NEURON_MAX_STATES] = {0.0};
    char what[SPL_MAX_PLACE + 64];
    if (node == NULL) {
        return SPL_OK;
    }
    snprintf(what, sizeof what, "%s.sigma", r->place);
    if (r->spec->model->n_states == 0) {
        SPL_TRY(spl_node_error(
            node, true, "%s: unused; %s has no state", what, r->spec->model->name));
    }
    if (node->kind == SPL_NODE_SCALAR) {
        SPL_TRY(spl_read_quantity(&sigma[0], node, what, "1", SPL_RULE_NOT_NEGATIVE, ""));
    } else if (node->kind == SPL_NODE_MAP) {
        for (const spl_node *child = node->first; child != NULL; child = child->next) {
            size_t state = 0;
            SPL_TRY(spl_find_state(&state, r, child, what));
            SPL_TRY(spl_read_quantity(
                &sigma[state], child, what, "1", SPL_RULE_NOT_NEGATIVE, ""));
        }
    } else {
        SPL_TRY(spl_node_error(node, false,
            "%s must be a number for V, or a map by state, e.g. {V: 5, u: 0}", what));
    }
    r->spec->sigma_V = sigma[0];
    r->spec->sigma_u = sigma[1];
out:
    return status;
}

/* [[time, current], ...] */
static spl_status read_step_list(reading *r, const spl_node *list, const char *what)
{
    spl_status status = SPL_OK;
    size_t i = 0;
    for (const spl_node *pair = list->first; pair != NULL; pair = pair->next, i++) {
        spl_current_step *step = &r->spec->current_steps[i];
        if (pair->kind != SPL_NODE_LIST || pair->n_children != 2) {
            SPL_TRY(spl_node_error(
                pair, false, "%s: each step must be [time, current]", what));
        }
        SPL_TRY(spl_read_quantity(
            &step->time, pair->first, what, "ms", SPL_RULE_NOT_NEGATIVE, ""));
        SPL_TRY(
            spl_read_quantity(&step->value, pair->last, what, "1", SPL_RULE_FINITE, ""));
    }
out:
    return status;
}

static spl_status read_current_steps(reading *r)
{
    spl_status status = SPL_OK;
    const spl_node *node = r->values[SPL_POP_CURRENT_STEPS].node;
    const spl_node *file = spl_node_find(node, "file");
    spl_table table = {0};
    char what[SPL_MAX_PLACE + 64];
    snprintf(what, sizeof what, "%s.current_steps", r->place);
    if (node == NULL) {
        return SPL_OK;
    }
    if (file != NULL && node->n_children == 1) {
        SPL_TRY(spl_read_table(&table, file, what, MAX_CURRENT_STEPS));
    }
    const bool list = node->kind == SPL_NODE_LIST;
    if ((!list && table.columns != 2) || node->n_children > MAX_CURRENT_STEPS) {
        SPL_TRY(spl_node_error(node, false,
            "%s must be a list of at most %d [time, current], or {file: F} with two "
            "columns",
            what, MAX_CURRENT_STEPS));
    }
    const size_t n = list ? node->n_children : table.rows;
    r->spec->current_steps = calloc(n + 1, sizeof *r->spec->current_steps);
    if (r->spec->current_steps == NULL) {
        SPL_TRY(no_memory());
    }
    r->spec->n_current_steps = n;
    for (size_t i = 0; i < n && !list; i++) {
        r->spec->current_steps[i] =
            (spl_current_step){table.data[2 * i], table.data[2 * i + 1]};
    }
    if (list) {
        SPL_TRY(read_step_list(r, node, what));
    }
    for (size_t i = 1; i < n; i++) {
        if (!(r->spec->current_steps[i].time > r->spec->current_steps[i - 1].time)) {
            SPL_TRY(spl_node_error(node, false,
                "%s: step %zu, at %.10g ms, does not come after the one before it", what,
                i + 1, r->spec->current_steps[i].time));
        }
    }
out:
    spl_table_deinit(&table);
    return status;
}

spl_status spl_read_currents(reading *r)
{
    spl_status status = SPL_OK;
    const spl_node *current = r->values[SPL_POP_CURRENT].node;
    char what[SPL_MAX_PLACE + 64];
    r->spec->current = spl_draw_constant(0.0);
    snprintf(what, sizeof what, "%s.current", r->place);
    if (current != NULL) {
        SPL_TRY(spl_read_draw(&r->spec->current, current, what, "1", SPL_RULE_FINITE,
            r->spec->size, "neurons"));
    }
    SPL_TRY(read_current_steps(r));
    SPL_TRY(read_sigma(r));
out:
    return status;
}

static spl_status read_background(
    reading *r, spl_background *background, const spl_node *item)
{
    spl_status status = SPL_OK;
    spl_value values[SPL_N_BACKGROUND_KEYS];
    char place[SPL_MAX_PLACE + 64];
    snprintf(place, sizeof place, "%s.background", r->place);
    SPL_TRY(spl_read_map(
        values, spl_background_rows, SPL_N_BACKGROUND_KEYS, item, place, NULL, 0));
    SPL_TRY(spl_require_given(
        &values[SPL_BACK_RATE], &spl_background_rows[SPL_BACK_RATE], item, place));
    SPL_TRY(spl_require_given(
        &values[SPL_BACK_WEIGHT], &spl_background_rows[SPL_BACK_WEIGHT], item, place));
    const spl_node *receptor = values[SPL_BACK_RECEPTOR].node;
    SPL_TRY(spl_find_receptor(r->all, receptor != NULL ? receptor : item,
        values[SPL_BACK_RECEPTOR].text, &background->receptor));
    background->rate = values[SPL_BACK_RATE].number;
    background->weight = values[SPL_BACK_WEIGHT].number;
    background->scaled = values[SPL_BACK_SCALED].flag;
    SPL_TRY(
        spl_check_events(background->rate, r->all->h, values[SPL_BACK_RATE].node, place));
    SPL_TRY(spl_check_weight(background->weight, &r->all->receptors[background->receptor],
        values[SPL_BACK_WEIGHT].node, place));
out:
    return status;
}

spl_status spl_read_backgrounds(reading *r)
{
    spl_status status = SPL_OK;
    const spl_node *list = r->values[SPL_POP_BACKGROUND].node;
    if (list == NULL) {
        return SPL_OK;
    }
    if (list->kind != SPL_NODE_LIST || list->n_children > SPL_MAX_BACKGROUNDS) {
        SPL_TRY(spl_node_error(list, false,
            "%s.background must be a list of at most %d maps, e.g. [{receptor: AMPA, "
            "rate: 1, weight: 0.024}]",
            r->place, SPL_MAX_BACKGROUNDS));
    }
    for (const spl_node *item = list->first; item != NULL; item = item->next) {
        SPL_TRY(read_background(r, &r->spec->backgrounds[r->spec->n_backgrounds], item));
        r->spec->n_backgrounds++;
    }
out:
    return status;
}

static int ascending(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static spl_status read_index(reading *r, const spl_node *node)
{
    static const spl_schema_row row = {.type = SPL_TYPE_COUNT};
    spl_value value;
    char what[SPL_MAX_PLACE + 64];
    snprintf(what, sizeof what, "%s.record", r->place);
    spl_status status = spl_read_value(&value, node, what, &row);
    if (status == SPL_OK && value.count >= r->spec->size) {
        status = spl_node_error(node, false,
            "%s: there is no neuron %llu; those of this population are 0 to %zu", what,
            (unsigned long long)value.count, r->spec->size - 1);
    }
    if (status == SPL_OK) {
        r->spec->recorded[r->spec->n_recorded++] = (uint32_t)value.count;
    }
    return status;
}

spl_status spl_read_record(reading *r)
{
    spl_status status = SPL_OK;
    const spl_node *node = r->values[SPL_POP_RECORD].node;
    spl_population_spec *spec = r->spec;
    if (node == NULL) {
        return SPL_OK;
    }
    const bool all = node->kind == SPL_NODE_SCALAR && strcmp(node->text, "all") == 0;
    if (!all && node->kind != SPL_NODE_LIST) {
        SPL_TRY(spl_node_error(node, false,
            "%s.record must be a list of indices, e.g. [0, 1, 2], or all", r->place));
    }
    const size_t n = all ? spec->size : node->n_children;
    spec->recorded = calloc(n + 1, sizeof *spec->recorded);
    if (spec->recorded == NULL) {
        SPL_TRY(no_memory());
    }
    for (size_t i = 0; i < n && all; i++) {
        spec->recorded[spec->n_recorded++] = (uint32_t)i;
    }
    for (const spl_node *item = node->first; item != NULL; item = item->next) {
        SPL_TRY(read_index(r, item));
    }
    qsort(spec->recorded, spec->n_recorded, sizeof *spec->recorded, ascending);
    for (size_t i = 1; i < spec->n_recorded; i++) {
        if (spec->recorded[i] == spec->recorded[i - 1]) {
            SPL_TRY(spl_node_error(node, false, "%s.record names neuron %u twice",
                r->place, spec->recorded[i]));
        }
    }
out:
    return status;
}
