/* Receptors of a subnetwork: those predefined, changed and added to by the key receptors;
 * and which of them a population has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/spiking.h"

/* AMPA, NMDA and GABA as in Izhikevich & Edelman (2008), GABA_A as the default network
 * needs it; the Mg block of Jahr & Stevens (1990). */
static const spl_receptor predefined[] = {
    {.name = (char *)"AMPA", .tau_decay = 5.0, .E = 0.0},
    {.name = (char *)"GABA_A", .tau_decay = 10.0, .E = -80.0},
    {.name = (char *)"GABA_B", .tau_decay = 150.0, .E = -90.0},
    {.name = (char *)"NMDA",
        .block = SPL_BLOCK_JAHR_STEVENS,
        .tau_decay = 150.0,
        .E = 0.0,
        .Mg = 1.2},
    {.name = (char *)"delta", .kernel = SPL_KERNEL_DELTA, .effect = SPL_RECEPTOR_CURRENT},
    {.name = (char *)"pulse", .kernel = SPL_KERNEL_PULSE, .effect = SPL_RECEPTOR_CURRENT},
};
enum { N_PREDEFINED = sizeof predefined / sizeof *predefined };

static bool has_memory(const spl_receptor *receptor)
{
    return receptor->kernel != SPL_KERNEL_DELTA && receptor->kernel != SPL_KERNEL_PULSE;
}

/* Keys that say nothing about a receptor of this kind are errors. */
static spl_status refuse_unused(
    const spl_receptor *receptor, const spl_value *values, const char *place)
{
    spl_status status = SPL_OK;
    const bool memory = has_memory(receptor);
    const bool dual = receptor->kernel == SPL_KERNEL_DUAL;
    const bool conductance = receptor->effect == SPL_RECEPTOR_CONDUCTANCE;
    const struct {
        size_t key;
        bool used;
        const char *reason;
    } checks[] = {
        {SPL_REC_EFFECT, memory, "unused; delta and pulse have none"},
        {SPL_REC_TAU, memory && !dual,
            "unused with this kernel; a dual one takes tau_rise and tau_decay"},
        {SPL_REC_TAU_RISE, dual, "unused; only kernel: dual takes it"},
        {SPL_REC_TAU_DECAY, dual, "unused; other kernels than dual take tau"},
        {SPL_REC_E, conductance, "unused; only a conductance has a reversal potential"},
        {SPL_REC_BLOCK, conductance, "unused; only a conductance can be blocked"},
        {SPL_REC_MG, receptor->block == SPL_BLOCK_JAHR_STEVENS,
            "unused; only block: jahr_stevens takes it"},
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        if (!checks[i].used) {
            SPL_TRY(spl_refuse_given(&values[checks[i].key],
                &spl_receptor_rows[checks[i].key], place, checks[i].reason));
        }
    }
out:
    return status;
}

/* Kernel, effect and block; a changed one forgets what went with the former. */
static void read_kind(spl_receptor *receptor, const spl_value *values)
{
    if (values[SPL_REC_KERNEL].node != NULL) {
        receptor->kernel = (spl_receptor_kernel)values[SPL_REC_KERNEL].word;
    }
    if (values[SPL_REC_EFFECT].node != NULL) {
        receptor->effect = (spl_receptor_effect)values[SPL_REC_EFFECT].word;
    }
    if (!has_memory(receptor)) {
        receptor->effect = SPL_RECEPTOR_CURRENT;
    }
    if (values[SPL_REC_BLOCK].node != NULL) {
        receptor->block = (spl_receptor_block)values[SPL_REC_BLOCK].word;
        receptor->Mg =
            receptor->block == SPL_BLOCK_JAHR_STEVENS ? values[SPL_REC_MG].number : 0.0;
    }
    if (receptor->effect != SPL_RECEPTOR_CONDUCTANCE) {
        receptor->block = SPL_BLOCK_NONE;
        receptor->Mg = 0.0;
        receptor->E = 0.0;
    }
    if (receptor->kernel != SPL_KERNEL_DUAL) {
        receptor->tau_rise = 0.0;
    }
    if (!has_memory(receptor)) {
        receptor->tau_decay = 0.0;
    }
}

/* Read one number, or keep what is predefined; `known` tells whether something is. */
static spl_status take_number(double *number, const spl_value *values, size_t key,
    bool known, const spl_node *map, const char *place)
{
    if (values[key].node != NULL) {
        *number = values[key].number;
        return SPL_OK;
    }
    return known ? SPL_OK
                 : spl_require_given(&values[key], &spl_receptor_rows[key], map, place);
}

static spl_status read_receptor(
    spl_receptor *receptor, bool known, const spl_node *map, const char *place)
{
    spl_status status = SPL_OK;
    spl_value values[SPL_N_RECEPTOR_KEYS];
    const bool had_E = known && receptor->effect == SPL_RECEPTOR_CONDUCTANCE;
    SPL_TRY(spl_read_map(
        values, spl_receptor_rows, SPL_N_RECEPTOR_KEYS, map, place, NULL, 0));
    read_kind(receptor, values);
    SPL_TRY(refuse_unused(receptor, values, place));
    if (receptor->kernel == SPL_KERNEL_DUAL) {
        SPL_TRY(take_number(
            &receptor->tau_rise, values, SPL_REC_TAU_RISE, false, map, place));
    }
    if (has_memory(receptor)) {
        const size_t key =
            receptor->kernel == SPL_KERNEL_DUAL ? SPL_REC_TAU_DECAY : SPL_REC_TAU;
        SPL_TRY(take_number(&receptor->tau_decay, values, key,
            known && receptor->tau_decay > 0.0, map, place));
    }
    if (receptor->effect == SPL_RECEPTOR_CONDUCTANCE) {
        SPL_TRY(take_number(&receptor->E, values, SPL_REC_E, had_E, map, place));
    }
    if (receptor->block == SPL_BLOCK_JAHR_STEVENS && values[SPL_REC_MG].node != NULL) {
        receptor->Mg = values[SPL_REC_MG].number;
    }
out:
    return status;
}

/* Add a receptor in the order of the names. Result: its index. */
static spl_status insert(
    spl_subnetwork_reading *reading, const spl_receptor *receptor, size_t *index)
{
    size_t i = reading->n_receptors;
    char *name = spl_strdup(receptor->name);
    if (name == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
    }
    for (; i > 0 && strcmp(reading->receptors[i - 1].name, name) > 0; i--) {
        reading->receptors[i] = reading->receptors[i - 1];
        reading->defined[i] = reading->defined[i - 1];
    }
    reading->receptors[i] = *receptor;
    reading->receptors[i].name = name;
    reading->defined[i] = NULL;
    reading->n_receptors++;
    *index = i;
    return SPL_OK;
}

static bool find(const spl_subnetwork_reading *reading, const char *name, size_t *index)
{
    for (size_t i = 0; i < reading->n_receptors; i++) {
        if (strcmp(reading->receptors[i].name, name) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

spl_status spl_read_receptors(spl_subnetwork_reading *reading)
{
    spl_status status = SPL_OK;
    const spl_node *map = reading->values[SPL_SUB_RECEPTORS].node;
    char place[SPL_MAX_PLACE];
    size_t index = 0;
    for (size_t i = 0; i < N_PREDEFINED; i++) {
        SPL_TRY(insert(reading, &predefined[i], &index));
    }
    if (map == NULL) {
        goto out;
    }
    if (map->kind != SPL_NODE_MAP) {
        SPL_TRY(spl_node_error(map, false,
            "%s.receptors must be a map by name, e.g. {AMPA: {tau: 5}}", reading->place));
    }
    for (const spl_node *item = map->first; item != NULL; item = item->next) {
        const spl_node name = {.text = item->key,
            .origin = item->origin,
            .line = item->key_line,
            .column = item->key_column};
        SPL_TRY(spl_read_identifier(&name, "receptor"));
        const bool known = find(reading, item->key, &index);
        if (!known) {
            if (reading->n_receptors == SPL_MAX_RECEPTORS) {
                SPL_TRY(spl_node_error(item, true,
                    "%s.receptors: more than %d with those predefined; leave some out",
                    reading->place, SPL_MAX_RECEPTORS));
            }
            SPL_TRY(insert(reading, &(spl_receptor){.name = item->key}, &index));
        }
        reading->defined[index] = item;
        snprintf(place, sizeof place, "%s.receptors.%s", reading->place, item->key);
        SPL_TRY(read_receptor(&reading->receptors[index], known, item, place));
    }
out:
    return status;
}

spl_status spl_find_receptor(const spl_subnetwork_reading *reading, const spl_node *node,
    const char *name, size_t *index)
{
    if (find(reading, name, index)) {
        return SPL_OK;
    }
    const char *names[SPL_MAX_RECEPTORS + 1] = {NULL};
    for (size_t i = 0; i < reading->n_receptors; i++) {
        names[i] = reading->receptors[i].name;
    }
    return spl_unknown_name(node, "receptor", name, names);
}

/* Receptors of the subnetwork that something enters in population `p`. */
static void mark_used(const spl_subnetwork_reading *reading, size_t p, bool *used)
{
    const spl_subnetwork_spec *spec = reading->spec;
    const spl_population_spec *population = &spec->populations[p];
    if (population->driven) {
        used[reading->drive_receptor] = true;
    }
    for (size_t b = 0; b < population->n_backgrounds; b++) {
        used[population->backgrounds[b].receptor] = true;
    }
    for (size_t i = 0; i < spec->n_projections; i++) {
        if (spec->projections[i].to == p) {
            used[spec->projections[i].receptor] = true;
        }
    }
}

static spl_status close_population(
    const spl_subnetwork_reading *reading, size_t p, const bool *used)
{
    size_t local[SPL_MAX_RECEPTORS] = {0};
    spl_subnetwork_spec *spec = reading->spec;
    spl_population_spec *population = &spec->populations[p];
    for (size_t i = 0; i < reading->n_receptors; i++) {
        if (!used[i]) {
            continue;
        }
        local[i] = population->n_receptors;
        spl_receptor *receptor = &population->receptors[population->n_receptors];
        *receptor = reading->receptors[i];
        receptor->name = spl_strdup(reading->receptors[i].name);
        if (receptor->name == NULL) {
            return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
        }
        population->n_receptors++;
        if (population->driven && i == reading->drive_receptor) {
            spec->interface.receptor = receptor->name;
        }
    }
    for (size_t b = 0; b < population->n_backgrounds; b++) {
        population->backgrounds[b].receptor = local[population->backgrounds[b].receptor];
    }
    for (size_t i = 0; i < spec->n_projections; i++) {
        if (spec->projections[i].to == p) {
            spec->projections[i].receptor = local[spec->projections[i].receptor];
        }
    }
    return SPL_OK;
}

spl_status spl_close_receptors(spl_subnetwork_reading *reading)
{
    spl_status status = SPL_OK;
    bool any[SPL_MAX_RECEPTORS] = {false};
    for (size_t p = 0; p < reading->spec->n_populations; p++) {
        bool used[SPL_MAX_RECEPTORS] = {false};
        mark_used(reading, p, used);
        SPL_TRY(close_population(reading, p, used));
        for (size_t i = 0; i < reading->n_receptors; i++) {
            any[i] = any[i] || used[i];
        }
    }
    for (size_t i = 0; i < reading->n_receptors; i++) {
        if (reading->defined[i] != NULL && !any[i]) {
            SPL_TRY(spl_node_error(reading->defined[i], true,
                "%s.receptors.%s: unused; no projection, background or drive enters it",
                reading->place, reading->receptors[i].name));
        }
    }
out:
    return status;
}

void spl_receptors_deinit(spl_subnetwork_reading *reading)
{
    for (size_t i = 0; i < reading->n_receptors; i++) {
        free(reading->receptors[i].name);
    }
}
