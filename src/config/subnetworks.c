/* Spiking subnetworks: where they are, their grid, their interface to the node. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/regions.h"
#include "config/resolve.h"
#include "config/spiking.h"

enum { MAX_SUBNETWORKS = 4096 };
/* Longest sub-step that is taken without being asked for, ms. */
static const double LONGEST_SUBSTEP = 0.5;

static spl_status no_memory(void)
{
    return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
}

spl_status spl_check_weight(
    double weight, const spl_receptor *receptor, const spl_node *node, const char *place)
{
    if (receptor->effect != SPL_RECEPTOR_CONDUCTANCE || weight >= 0.0) {
        return SPL_OK;
    }
    if (!isfinite(weight)) {
        return spl_node_error(node, false,
            "%s: weights without lower bound for the conductance %s; give the "
            "distribution low: 0",
            place, receptor->name);
    }
    return spl_node_error(node, false,
        "%s: the conductance %s cannot be %.10g; weights must be at least 0, the sign "
        "comes from E",
        place, receptor->name, weight);
}

spl_status spl_check_events(
    double rate, double h, const spl_node *node, const char *place)
{
    if (rate * h > SPL_MAX_EVENTS) {
        return spl_node_error(node, false,
            "%s: %.10g events per ms are %.10g in a sub-step of %.10g ms; at most %.10g, "
            "that is %.10g kHz",
            place, rate, rate * h, h, SPL_MAX_EVENTS, SPL_MAX_EVENTS / h);
    }
    return SPL_OK;
}

/* Is the name free? */
static spl_status read_name(spl_subnetwork_reading *reading, const spl_settings *settings)
{
    const spl_node *item = reading->item;
    const spl_node *name = spl_node_find(item, "name");
    if (item->kind != SPL_NODE_MAP || name == NULL) {
        return spl_node_error(item, false,
            "a subnetwork must be a map with a name, e.g. {name: thal, region: rA1, "
            "size: 1000}");
    }
    spl_status status = spl_read_identifier(name, "subnetwork");
    if (status != SPL_OK) {
        return status;
    }
    for (const spl_subnetwork_spec *s = settings->subnetworks; s < reading->spec; s++) {
        if (strcmp(s->name, name->text) == 0) {
            return spl_node_error(name, false,
                "a second subnetwork named '%s'; give each its own name", name->text);
        }
    }
    reading->spec->name = spl_strdup(name->text);
    snprintf(reading->place, sizeof reading->place, "subnetworks.%s", name->text);
    return reading->spec->name != NULL ? SPL_OK : no_memory();
}

/* A node by label, else by index. */
static spl_status find_node(
    size_t *node, const spl_subnetwork_reading *reading, const spl_connectome *connectome)
{
    const spl_value *region = &reading->values[SPL_SUB_REGION];
    char *end = NULL;
    if (spl_connectome_find(connectome, region->text, node) == SPL_OK) {
        return SPL_OK;
    }
    errno = 0;
    const unsigned long long index = strtoull(region->text, &end, 10);
    if (*region->text < '0' || *region->text > '9' || *end != '\0') {
        return spl_node_error(
            region->node, false, "%s.region: %s", reading->place, spl_last_error());
    }
    const size_t n_nodes = spl_connectome_n_nodes(connectome);
    if (errno == ERANGE || index >= n_nodes) {
        return spl_node_error(region->node, false,
            "%s.region: there is no node %s; they are 0 to %zu", reading->place,
            region->text, n_nodes - 1);
    }
    *node = (size_t)index;
    return SPL_OK;
}

static spl_status read_region(spl_subnetwork_reading *reading,
    const spl_settings *settings, const spl_connectome *connectome)
{
    spl_status status = SPL_OK;
    spl_subnetwork_spec *spec = reading->spec;
    size_t found = 0;
    spec->hosted = reading->values[SPL_SUB_REGION].node != NULL;
    if (!spec->hosted) {
        return SPL_OK;
    }
    SPL_TRY(find_node(&spec->node, reading, connectome));
    for (const spl_subnetwork_spec *s = settings->subnetworks; s < spec; s++) {
        if (s->hosted && s->node == spec->node) {
            SPL_TRY(spl_node_error(reading->values[SPL_SUB_REGION].node, false,
                "%s.region: '%s' carries subnetwork %s already; put all populations of a "
                "node into one subnetwork",
                reading->place, spl_connectome_label(connectome, spec->node), s->name));
        }
    }
    const char *label = spl_connectome_label(connectome, spec->node);
    spl_text region = {0};
    if (spl_connectome_find(connectome, label, &found) == SPL_OK) {
        spl_text_add(&region, "%s", label);
    } else {
        spl_text_add(&region, "%zu", spec->node);
    }
    spec->region = region.data;
    status = region.failed ? no_memory() : SPL_OK;
out:
    return status;
}

/* h = dt / m: the longest of at most 0.5 ms, or the one given. */
static spl_status read_grid(spl_subnetwork_reading *reading, const spl_settings *settings)
{
    const spl_value *substep = &reading->values[SPL_SUB_SUBSTEP];
    const double dt = settings->dt;
    double m = fmax(ceil(dt / LONGEST_SUBSTEP * (1.0 - 1e-12)), 1.0);
    if (substep->node != NULL) {
        m = rint(dt / substep->number);
        if (!(m >= 1.0) || fabs(m * substep->number - dt) > 1e-9 * dt) {
            return spl_node_error(substep->node, false,
                "%s.substep: %.10g ms does not divide simulation.dt = %.10g ms; give dt "
                "or a whole fraction of it",
                reading->place, substep->number, dt);
        }
    }
    if (m > SPL_MAX_SUBSTEPS) {
        return spl_node_error(substep->node != NULL ? substep->node : reading->item,
            false, "%s: %.10g sub-steps in simulation.dt = %.10g ms; at most %u",
            reading->place, m, dt, SPL_MAX_SUBSTEPS);
    }
    reading->spec->n_substeps = (uint32_t)m;
    reading->dt = dt;
    reading->h = dt / m;
    return SPL_OK;
}

static spl_status refuse_keys(const spl_subnetwork_reading *reading, const size_t *keys,
    size_t n, const char *reason)
{
    spl_status status = SPL_OK;
    for (size_t i = 0; i < n; i++) {
        SPL_TRY(spl_refuse_given(&reading->values[keys[i]], &spl_subnetwork_rows[keys[i]],
            reading->place, reason));
    }
out:
    return status;
}

static double given_or(const spl_value *value, double usual)
{
    return value->node != NULL ? value->number : usual;
}

/* C of the node, LB's own split of its input; 1 if the model has no such parameter. */
static double split_of(const spl_settings *settings, size_t node)
{
    for (size_t p = 0; p < settings->model->n_params; p++) {
        if (strcmp(settings->model->params[p].name, "C") == 0) {
            return settings->params[p * settings->n_nodes + node];
        }
    }
    return 1.0;
}

/* alpha, beta, kc, kl and what each mode allows of them. */
static spl_status read_mode(
    const spl_subnetwork_reading *reading, const spl_settings *settings)
{
    spl_status status = SPL_OK;
    const spl_value *values = reading->values;
    spl_interface_spec *interface = &reading->spec->interface;
    const double C = split_of(settings, reading->spec->node);
    const size_t fixed[] = {SPL_SUB_ALPHA, SPL_SUB_BETA};
    interface->mode = (spl_host_mode)values[SPL_SUB_MODE].word;
    switch (interface->mode) {
    case SPL_MODE_PROBE:
        interface->alpha = given_or(&values[SPL_SUB_ALPHA], 1.0);
        interface->beta = given_or(&values[SPL_SUB_BETA], 0.0);
        if (interface->alpha != 1.0 || interface->beta != 0.0) {
            SPL_TRY(refuse_keys(reading, fixed, 2,
                "mode: probe leaves the node as it is, with alpha 1 and beta 0; use "
                "mode: "
                "attach"));
        }
        break;
    case SPL_MODE_REPLACE:
        interface->alpha = given_or(&values[SPL_SUB_ALPHA], 0.0);
        interface->beta = given_or(&values[SPL_SUB_BETA], 1.0);
        if (interface->alpha != 0.0 || given_or(&values[SPL_SUB_KL], 0.0) != 0.0) {
            const size_t of_node[] = {
                interface->alpha != 0.0 ? SPL_SUB_ALPHA : SPL_SUB_KL};
            SPL_TRY(refuse_keys(reading, of_node, 1,
                "must be 0 in mode: replace, where the node has no Q_V of its own; use "
                "mode: attach"));
        }
        break;
    default:
        interface->beta = values[SPL_SUB_BETA].node != NULL
                              ? values[SPL_SUB_BETA].number
                              : 1.0 - given_or(&values[SPL_SUB_ALPHA], 0.5);
        interface->alpha = given_or(&values[SPL_SUB_ALPHA], 1.0 - interface->beta);
        if (interface->alpha < 0.0 || interface->beta < 0.0) {
            SPL_TRY(refuse_keys(reading, fixed, 2,
                "above 1 makes the other weight negative; give both alpha and beta"));
        }
    }
    const bool replace = interface->mode == SPL_MODE_REPLACE;
    interface->kc = given_or(&values[SPL_SUB_KC], replace ? 1.0 : C);
    interface->kl = given_or(&values[SPL_SUB_KL], replace ? 0.0 : fmax(1.0 - C, 0.0));
out:
    return status;
}

/* Do the equations of the node take what it sends? */
static spl_status read_local_feedback(
    const spl_subnetwork_reading *reading, const spl_settings *settings)
{
    const size_t key = SPL_SUB_LOCAL_FEEDBACK;
    spl_interface_spec *interface = &reading->spec->interface;
    interface->local_feedback = reading->values[key].flag;
    if (!interface->local_feedback) {
        return SPL_OK;
    }
    if (interface->mode != SPL_MODE_ATTACH) {
        return refuse_keys(reading, &key, 1,
            "only in mode: attach the node has equations that could take what it sends");
    }
    if (!settings->model->local_terms) {
        return spl_node_error(reading->values[key].node, false,
            "%s.local_feedback: the equations of %s do not contain its observable; leave "
            "it out",
            reading->place, settings->model->name);
    }
    return SPL_OK;
}

/* One spike per sub-step is what the grid can carry of a rate, and SPL_MAX_EVENTS of the
 * events from outside. */
static spl_status check_rates(const spl_subnetwork_reading *reading)
{
    spl_status status = SPL_OK;
    const spl_interface_spec *interface = &reading->spec->interface;
    const spl_value *values = reading->values;
    char place[SPL_MAX_PLACE + 16];
    if (interface->r_max * reading->h > 1.0) {
        const spl_node *node = values[SPL_SUB_R_MAX].node;
        SPL_TRY(spl_node_error(node != NULL ? node : reading->item, false,
            "%s.r_max: %.10g kHz is more than one spike in each sub-step of %.10g ms; at "
            "most %.10g kHz",
            reading->place, interface->r_max, reading->h, 1.0 / reading->h));
    }
    snprintf(place, sizeof place, "%s.nu0", reading->place);
    SPL_TRY(
        spl_check_events(interface->nu0, reading->h, values[SPL_SUB_NU0].node, place));
    if (reading->spec->hosted) {
        /* at D = (kc + kl) Q_max, where coupling input and node are at their highest */
        const double highest = interface->K_ext * fmax(interface->k_I, 1.0) *
                               interface->r_max * (interface->kc + interface->kl);
        const spl_node *node = values[SPL_SUB_K_EXT].node;
        node = node != NULL ? node : values[SPL_SUB_R_MAX].node;
        snprintf(place, sizeof place, "%s.K_ext", reading->place);
        SPL_TRY(spl_check_events(interface->nu0 + highest, reading->h,
            node != NULL ? node : reading->item, place));
    }
out:
    return status;
}

static spl_status read_interface(
    spl_subnetwork_reading *reading, const spl_settings *settings)
{
    static const size_t of_host[] = {SPL_SUB_MODE, SPL_SUB_ALPHA, SPL_SUB_BETA,
        SPL_SUB_KC, SPL_SUB_KL, SPL_SUB_LOCAL_FEEDBACK, SPL_SUB_K_EXT, SPL_SUB_K_I};
    spl_status status = SPL_OK;
    const spl_value *values = reading->values;
    spl_interface_spec *interface = &reading->spec->interface;
    *interface = (spl_interface_spec){
        .beta = 1.0,
        .kc = 1.0,
        .drive = (spl_drive_kind)values[SPL_SUB_DRIVE].word,
        .J = values[SPL_SUB_J].number,
        .r_max = values[SPL_SUB_R_MAX].number,
        .K_ext = values[SPL_SUB_K_EXT].number,
        .k_I = values[SPL_SUB_K_I].number,
        .nu0 = values[SPL_SUB_NU0].number,
        .tau_f = values[SPL_SUB_TAU_F].number,
        .second_pole = values[SPL_SUB_SECOND_POLE].flag,
        .scaled = values[SPL_SUB_SCALED].flag,
        .x0 = values[SPL_SUB_X0].number,
        .V_ref = values[SPL_SUB_V_REF].number,
    };
    if (reading->spec->hosted) {
        SPL_TRY(read_mode(reading, settings));
        SPL_TRY(read_local_feedback(reading, settings));
    } else {
        interface->mode = SPL_MODE_REPLACE;
        SPL_TRY(refuse_keys(reading, of_host, sizeof of_host / sizeof *of_host,
            "unused without region; name the node that carries the subnetwork"));
    }
    SPL_TRY(check_rates(reading));
    const spl_node *node = values[SPL_SUB_RECEPTOR].node;
    node = node != NULL ? node : reading->item;
    SPL_TRY(spl_find_receptor(
        reading, node, values[SPL_SUB_RECEPTOR].text, &reading->drive_receptor));
    const spl_node *J = values[SPL_SUB_J].node;
    char place[SPL_MAX_PLACE + 16];
    snprintf(place, sizeof place, "%s.J", reading->place);
    SPL_TRY(spl_check_weight(interface->J, &reading->receptors[reading->drive_receptor],
        J != NULL ? J : reading->item, place));
out:
    return status;
}

/* What a node sends is the rate of excitatory neurons; what it receives must have a
 * place to go. */
static spl_status check_populations(const spl_subnetwork_reading *reading)
{
    const spl_subnetwork_spec *spec = reading->spec;
    const size_t nu0 = SPL_SUB_NU0;
    bool excitatory = !spec->hosted;
    bool driven = false;
    for (size_t p = 0; p < spec->n_populations; p++) {
        excitatory = excitatory || spec->populations[p].excitatory;
        driven = driven || spec->populations[p].driven;
    }
    if (!excitatory) {
        return spl_node_error(reading->item, false,
            "%s: no population is excitatory, so the node has nothing to send; give one "
            "type: excitatory",
            reading->place);
    }
    return driven || spec->interface.nu0 == 0.0
               ? SPL_OK
               : refuse_keys(
                     reading, &nu0, 1, "unused; set driven: true of a population");
}

static spl_status read_subnetwork(spl_subnetwork_reading *reading,
    const spl_settings *settings, const spl_connectome *connectome)
{
    spl_status status = SPL_OK;
    spl_subnetwork_spec *spec = reading->spec;
    const spl_value *values = reading->values;
    SPL_TRY(read_name(reading, settings));
    SPL_TRY(spl_read_map(reading->values, spl_subnetwork_rows, SPL_N_SUBNETWORK_KEYS,
        reading->item, reading->place, NULL, 0));
    spec->calibration = spl_strdup(values[SPL_SUB_CALIBRATION].text);
    if (spec->calibration == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: %s", reading->place);
    }
    spec->scheme = (spl_neuron_scheme)values[SPL_SUB_SCHEME].word;
    spec->located = values[SPL_SUB_CROSSING].word == 1;
    spec->linearise_input = values[SPL_SUB_LINEARISE].flag;
    spec->single = values[SPL_SUB_PRECISION].word == 0;
    SPL_TRY(read_region(reading, settings, connectome));
    SPL_TRY(read_grid(reading, settings));
    SPL_TRY(spl_read_receptors(reading));
    SPL_TRY(read_interface(reading, settings));
    SPL_TRY(spl_read_populations(reading));
    SPL_TRY(check_populations(reading));
    SPL_TRY(spl_read_projections(reading));
    SPL_TRY(spl_close_receptors(reading));
out:
    return status;
}

bool spl_subnetworks_alone(const spl_tree *tree)
{
    const spl_node *list = tree->values[SPL_KEY_SUBNETWORKS].node;
    const spl_node *connectome = spl_node_find(tree->root, "connectome");
    if (list == NULL || list->kind != SPL_NODE_LIST || list->n_children == 0 ||
        (connectome != NULL && connectome->n_children > 0)) {
        return false;
    }
    for (const spl_node *item = list->first; item != NULL; item = item->next) {
        if (spl_node_find(item, "region") != NULL) {
            return false;
        }
    }
    return true;
}

/* Settings of nodes that do not exist are errors. */
static spl_status refuse_nodes(const spl_tree *tree)
{
    static const char *const sections[] = {"model", "coupling", "noise", "monitors"};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        const spl_node *section = spl_node_find(tree->root, sections[i]);
        if (section != NULL && section->n_children > 0) {
            return spl_node_error(section->first, true,
                "%s: unused, there are no nodes; give a subnetwork a region, or name a "
                "connectome",
                sections[i]);
        }
    }
    return SPL_OK;
}

spl_status spl_resolve_subnetworks(
    spl_settings *settings, const spl_tree *tree, const spl_connectome *connectome)
{
    spl_status status = SPL_OK;
    const spl_node *list = tree->values[SPL_KEY_SUBNETWORKS].node;
    spl_subnetwork_reading *reading = NULL;
    if (list == NULL) {
        return SPL_OK;
    }
    if (list->kind != SPL_NODE_LIST || list->n_children > MAX_SUBNETWORKS) {
        SPL_TRY(spl_node_error(list, false,
            "subnetworks must be a list of at most %d maps, e.g. [{name: thal, region: "
            "rA1, size: 1000}]",
            MAX_SUBNETWORKS));
    }
    if (settings->alone) {
        SPL_TRY(refuse_nodes(tree));
    }
    settings->subnetworks = calloc(list->n_children + 1, sizeof *settings->subnetworks);
    reading = malloc(sizeof *reading);
    if (settings->subnetworks == NULL || reading == NULL) {
        SPL_TRY(no_memory());
    }
    for (const spl_node *item = list->first; item != NULL; item = item->next) {
        *reading = (spl_subnetwork_reading){
            .spec = &settings->subnetworks[settings->n_subnetworks++], .item = item};
        status = read_subnetwork(reading, settings, connectome);
        spl_receptors_deinit(reading);
        SPL_TRY(status);
    }
out:
    free(reading);
    return status;
}
