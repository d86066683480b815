/* Subnetworks in the resolved configuration: everything explicit, so that neither
 * defaults nor presets matter when it is read again. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "config/spiking.h"

static const char indent[] = "      ";
static const char inner[] = "          ";

static void add_key(spl_text *json, const char *space, const char *key)
{
    const bool first = json->length > 0 && json->data[json->length - 1] == '{';
    spl_text_add(json, "%s\n%s", first ? "" : ",", space);
    spl_text_add_json(json, key);
    spl_text_add(json, ": ");
}

static void add_number(
    spl_text *json, const char *space, const spl_schema_row *row, double value)
{
    add_key(json, space, spl_row_name(row));
    spl_text_add_json_double(json, value);
}

static void add_count(
    spl_text *json, const char *space, const spl_schema_row *row, uint64_t value)
{
    add_key(json, space, spl_row_name(row));
    spl_text_add(json, "%" PRIu64, value);
}

static void add_text(
    spl_text *json, const char *space, const spl_schema_row *row, const char *value)
{
    add_key(json, space, spl_row_name(row));
    spl_text_add_json(json, value);
}

static void add_flag(
    spl_text *json, const char *space, const spl_schema_row *row, bool value)
{
    add_key(json, space, spl_row_name(row));
    spl_text_add(json, "%s", value ? "true" : "false");
}

static void add_word(
    spl_text *json, const char *space, const spl_schema_row *row, size_t index)
{
    char word[32];
    spl_schema_word(row->words, index, word);
    add_text(json, space, row, word);
}

static void add_drawn(
    spl_text *json, const char *space, const char *key, const spl_draw *draw)
{
    add_key(json, space, key);
    spl_add_draw(json, draw);
}

/* The receptor of a population under the name `name`, or NULL. */
static const spl_receptor *receptor_of(
    const spl_population_spec *population, const char *name)
{
    for (size_t r = 0; r < population->n_receptors; r++) {
        if (strcmp(population->receptors[r].name, name) == 0) {
            return &population->receptors[r];
        }
    }
    return NULL;
}

static void add_receptor(spl_text *json, const spl_receptor *receptor)
{
    const spl_schema_row *rows = spl_receptor_rows;
    add_key(json, inner, receptor->name);
    spl_text_add(json, "{");
    add_word(json, inner, &rows[SPL_REC_KERNEL], receptor->kernel);
    if (receptor->kernel == SPL_KERNEL_DUAL) {
        add_number(json, inner, &rows[SPL_REC_TAU_RISE], receptor->tau_rise);
        add_number(json, inner, &rows[SPL_REC_TAU_DECAY], receptor->tau_decay);
    } else if (receptor->tau_decay > 0.0) {
        add_number(json, inner, &rows[SPL_REC_TAU], receptor->tau_decay);
    }
    if (receptor->tau_decay > 0.0) {
        add_word(json, inner, &rows[SPL_REC_EFFECT], receptor->effect);
    }
    if (receptor->effect == SPL_RECEPTOR_CONDUCTANCE) {
        add_number(json, inner, &rows[SPL_REC_E], receptor->E);
        add_word(json, inner, &rows[SPL_REC_BLOCK], receptor->block);
    }
    if (receptor->block == SPL_BLOCK_JAHR_STEVENS) {
        add_number(json, inner, &rows[SPL_REC_MG], receptor->Mg);
    }
    spl_text_add(json, "}");
}

/* Every receptor that a population has; all populations mean the same by a name. */
static void add_receptors(spl_text *json, const spl_subnetwork_spec *spec)
{
    add_key(json, indent, "receptors");
    spl_text_add(json, "{");
    for (size_t p = 0; p < spec->n_populations; p++) {
        for (size_t r = 0; r < spec->populations[p].n_receptors; r++) {
            const spl_receptor *receptor = &spec->populations[p].receptors[r];
            bool seen = false;
            for (size_t q = 0; q < p; q++) {
                seen = seen || receptor_of(&spec->populations[q], receptor->name) != NULL;
            }
            if (!seen) {
                add_receptor(json, receptor);
            }
        }
    }
    spl_text_add(json, "}");
}

/* Does heterogeneity draw this parameter? Then it must not be given. */
static bool is_driven(const spl_population_spec *spec, const char *name)
{
    const char *driven = spec->heterogeneity == SPL_HETEROGENEITY_NONE ? ""
                         : spec->excitatory                            ? "cd"
                                                                       : "ab";
    return name[1] == '\0' && strchr(driven, name[0]) != NULL && *driven != '\0';
}

static void add_neurons(spl_text *json, const spl_population_spec *spec)
{
    const spl_neuron_model *model = spec->model;
    for (size_t p = 0; p < model->n_params; p++) {
        if (!is_driven(spec, model->params[p].name)) {
            add_drawn(json, inner, model->params[p].name, &spec->params[p]);
        }
    }
    const size_t n_init = model->n_states - (spec->u_follows ? 1 : 0);
    add_key(json, inner, "init");
    spl_text_add(json, "{");
    for (size_t s = 0; s < n_init; s++) {
        spl_text_add(json, s > 0 ? ", " : "");
        spl_text_add_json(json, model->states[s]);
        spl_text_add(json, ": ");
        spl_add_draw(json, &spec->init[s]);
    }
    spl_text_add(json, "}");
}

static void add_currents(spl_text *json, const spl_population_spec *spec)
{
    const spl_neuron_model *model = spec->model;
    add_drawn(json, inner, "current", &spec->current);
    add_key(json, inner, "current_steps");
    for (size_t i = 0; i < spec->n_current_steps; i++) {
        spl_text_add(json, i == 0 ? "[[" : ", [");
        spl_text_add_json_double(json, spec->current_steps[i].time);
        spl_text_add(json, ", ");
        spl_text_add_json_double(json, spec->current_steps[i].value);
        spl_text_add(json, "]");
    }
    spl_text_add(json, spec->n_current_steps > 0 ? "]" : "[]");
    if (model->n_states > 0) {
        const double sigma[] = {spec->sigma_V, spec->sigma_u};
        add_key(json, inner, "sigma");
        for (size_t s = 0; s < model->n_states; s++) {
            spl_text_add(json, s == 0 ? "{" : ", ");
            spl_text_add_json(json, model->states[s]);
            spl_text_add(json, ": ");
            spl_text_add_json_double(json, sigma[s]);
        }
        spl_text_add(json, "}");
    }
}

static void add_backgrounds(spl_text *json, const spl_population_spec *spec)
{
    const spl_schema_row *rows = spl_background_rows;
    static const char space[] = "            ";
    add_key(json, inner, "background");
    spl_text_add(json, "[");
    for (size_t b = 0; b < spec->n_backgrounds; b++) {
        const spl_background *background = &spec->backgrounds[b];
        spl_text_add(json, b > 0 ? ", {" : "{");
        add_text(json, space, &rows[SPL_BACK_RECEPTOR],
            spec->receptors[background->receptor].name);
        add_number(json, space, &rows[SPL_BACK_RATE], background->rate);
        add_number(json, space, &rows[SPL_BACK_WEIGHT], background->weight);
        add_flag(json, space, &rows[SPL_BACK_SCALED], background->scaled);
        spl_text_add(json, "}");
    }
    spl_text_add(json, "]");
}

static void add_record(spl_text *json, const spl_population_spec *spec)
{
    add_key(json, inner, "record");
    if (spec->n_recorded == spec->size) {
        spl_text_add_json(json, "all");
    } else {
        spl_text_add(json, "[");
        for (size_t i = 0; i < spec->n_recorded; i++) {
            spl_text_add(json, "%s%" PRIu32, i > 0 ? ", " : "", spec->recorded[i]);
        }
        spl_text_add(json, "]");
    }
    add_flag(
        json, inner, &spl_population_rows[SPL_POP_RECORD_SPIKES], spec->record_spikes);
}

static const char *short_name(const spl_subnetwork_spec *spec, size_t population)
{
    return spec->populations[population].name + strlen(spec->name) + 1;
}

static void add_population(
    spl_text *json, const spl_subnetwork_spec *subnetwork, size_t index)
{
    const spl_population_spec *spec = &subnetwork->populations[index];
    const spl_schema_row *rows = spl_population_rows;
    spl_text_add(json, "        {");
    add_text(json, inner, &rows[SPL_POP_NAME], short_name(subnetwork, index));
    add_count(json, inner, &rows[SPL_POP_SIZE], spec->size);
    add_word(json, inner, &rows[SPL_POP_TYPE], spec->excitatory ? 0 : 1);
    add_text(json, inner, &rows[SPL_POP_MODEL], spec->model->name);
    add_word(json, inner, &rows[SPL_POP_HETEROGENEITY], spec->heterogeneity);
    add_neurons(json, spec);
    add_number(json, inner, &rows[SPL_POP_TAU_REF], spec->tau_ref);
    if (isfinite(spec->V_min)) {
        add_number(json, inner, &rows[SPL_POP_V_MIN], spec->V_min);
    } else {
        add_text(json, inner, &rows[SPL_POP_V_MIN], "none");
    }
    add_currents(json, spec);
    add_backgrounds(json, spec);
    add_record(json, spec);
    add_flag(json, inner, &rows[SPL_POP_DRIVEN], spec->driven);
    spl_text_add(json, "\n        }");
}

static void add_projection(
    spl_text *json, const spl_subnetwork_spec *subnetwork, size_t index)
{
    const spl_projection_spec *spec = &subnetwork->projections[index];
    const spl_schema_row *rows = spl_projection_rows;
    const bool list = spec->rule == SPL_CONNECT_LIST;
    spl_text_add(json, "        {");
    add_text(json, inner, &rows[SPL_PROJ_FROM], short_name(subnetwork, spec->from));
    add_text(json, inner, &rows[SPL_PROJ_TO], short_name(subnetwork, spec->to));
    add_text(json, inner, &rows[SPL_PROJ_RECEPTOR],
        subnetwork->populations[spec->to].receptors[spec->receptor].name);
    add_word(json, inner, &rows[SPL_PROJ_RULE], spec->rule);
    if (spec->rule == SPL_CONNECT_PAIRWISE_BERNOULLI) {
        add_number(json, inner, &rows[SPL_PROJ_P], spec->p);
    } else if (spec->rule == SPL_CONNECT_FIXED_TOTAL_NUMBER) {
        add_count(json, inner, &rows[SPL_PROJ_M], spec->number);
    } else if (spec->rule == SPL_CONNECT_FIXED_INDEGREE ||
               spec->rule == SPL_CONNECT_FIXED_OUTDEGREE) {
        add_count(json, inner, &rows[SPL_PROJ_K], spec->number);
    }
    if (list) {
        add_text(json, inner, &rows[SPL_PROJ_FILE], spec->list.file);
        add_text(json, inner, &rows[SPL_PROJ_SHA256], spec->list.sha256);
    } else {
        add_flag(json, inner, &rows[SPL_PROJ_AUTAPSES], spec->allow_autapses);
        add_flag(json, inner, &rows[SPL_PROJ_MULTAPSES], spec->allow_multapses);
    }
    add_word(json, inner, &rows[SPL_PROJ_NORMALISE], spec->by_indegree ? 1 : 0);
    if (spec->list.weight == NULL) {
        add_drawn(json, inner, "weight", &spec->weight);
    }
    if (spec->list.delay == NULL) {
        add_drawn(json, inner, "delay", &spec->delay);
    }
    spl_text_add(json, "\n        }");
}

static void add_interface(spl_text *json, const spl_subnetwork_spec *spec)
{
    const spl_interface_spec *interface = &spec->interface;
    const spl_schema_row *rows = spl_subnetwork_rows;
    if (spec->hosted) {
        add_word(json, indent, &rows[SPL_SUB_MODE], interface->mode);
        add_number(json, indent, &rows[SPL_SUB_ALPHA], interface->alpha);
        add_number(json, indent, &rows[SPL_SUB_BETA], interface->beta);
        add_number(json, indent, &rows[SPL_SUB_KC], interface->kc);
        add_number(json, indent, &rows[SPL_SUB_KL], interface->kl);
        add_flag(json, indent, &rows[SPL_SUB_LOCAL_FEEDBACK], interface->local_feedback);
        add_number(json, indent, &rows[SPL_SUB_K_EXT], interface->K_ext);
        add_number(json, indent, &rows[SPL_SUB_K_I], interface->k_I);
    }
    add_word(json, indent, &rows[SPL_SUB_DRIVE], interface->drive);
    add_number(json, indent, &rows[SPL_SUB_J], interface->J);
    add_number(json, indent, &rows[SPL_SUB_R_MAX], interface->r_max);
    add_number(json, indent, &rows[SPL_SUB_NU0], interface->nu0);
    add_number(json, indent, &rows[SPL_SUB_TAU_F], interface->tau_f);
    add_flag(json, indent, &rows[SPL_SUB_SECOND_POLE], interface->second_pole);
    add_flag(json, indent, &rows[SPL_SUB_SCALED], interface->scaled);
    add_number(json, indent, &rows[SPL_SUB_X0], interface->x0);
    add_number(json, indent, &rows[SPL_SUB_V_REF], interface->V_ref);
    if (interface->receptor != NULL) {
        add_text(json, indent, &rows[SPL_SUB_RECEPTOR], interface->receptor);
    }
}

static void add_subnetwork(spl_text *json, const spl_subnetwork_spec *spec, double dt)
{
    const spl_schema_row *rows = spl_subnetwork_rows;
    spl_text_add(json, "    {");
    add_text(json, indent, &rows[SPL_SUB_NAME], spec->name);
    if (spec->hosted) {
        add_text(json, indent, &rows[SPL_SUB_REGION], spec->region);
    }
    add_word(json, indent, &rows[SPL_SUB_SCHEME], spec->scheme);
    add_word(json, indent, &rows[SPL_SUB_CROSSING], spec->located ? 1 : 0);
    add_flag(json, indent, &rows[SPL_SUB_LINEARISE], spec->linearise_input);
    add_word(json, indent, &rows[SPL_SUB_PRECISION], spec->single ? 0 : 1);
    add_number(json, indent, &rows[SPL_SUB_SUBSTEP], dt / spec->n_substeps);
    add_interface(json, spec);
    if (*spec->calibration != '\0') {
        add_text(json, indent, &rows[SPL_SUB_CALIBRATION], spec->calibration);
    }
    add_receptors(json, spec);
    add_key(json, indent, "populations");
    for (size_t p = 0; p < spec->n_populations; p++) {
        spl_text_add(json, p > 0 ? ",\n" : "[\n");
        add_population(json, spec, p);
    }
    spl_text_add(json, "\n      ]");
    add_key(json, indent, "projections");
    spl_text_add(json, "[");
    for (size_t p = 0; p < spec->n_projections; p++) {
        spl_text_add(json, p > 0 ? ",\n" : "\n");
        add_projection(json, spec, p);
    }
    spl_text_add(json, "]\n    }");
}

void spl_add_subnetworks(spl_text *json, const spl_settings *settings)
{
    spl_text_add(json, "[");
    for (size_t i = 0; i < settings->n_subnetworks; i++) {
        spl_text_add(json, i > 0 ? ",\n" : "\n");
        add_subnetwork(json, &settings->subnetworks[i], settings->dt);
    }
    spl_text_add(json, "]");
}
