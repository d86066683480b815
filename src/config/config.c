#include "config/config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "config/layers.h"
#include "config/regions.h"
#include "config/rerun.h"
#include "config/resolve.h"
#include "connectome/connectome.h"
#include "h5/h5.h"
#include "model/registry.h"
#include "output/checkpoint.h"

/* The resolved configuration of 20000 nodes with 32 parameter lists has 13 MB. */
#define MAX_FILE_BYTES ((size_t)64 << 20)
/* Doubles count steps exactly up to here. */
#define MAX_STEPS      9007199254740992.0

static spl_status no_memory(void)
{
    return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
}

/* "a/b/c.yaml" lies in "a/b/", "c.yaml" in "". */
static char *directory_of(const char *path)
{
    char *directory = spl_strdup(path);
    if (directory != NULL) {
        char *slash = strrchr(directory, '/');
        directory[slash != NULL ? slash + 1 - directory : 0] = '\0';
    }
    return directory;
}

spl_status spl_config_from_text(
    spl_config **out, const char *path, const char *text, size_t length)
{
    spl_status status = SPL_OK;
    *out = NULL;
    spl_config *config = calloc(1, sizeof *config);
    if (config == NULL) {
        return no_memory();
    }
    config->origin = (spl_origin){.label = spl_strdup(path),
        .directory = directory_of(path),
        .positions = true,
        .code = SPL_ERR_CONFIG};
    config->text = malloc(length + 1);
    if (config->origin.label == NULL || config->origin.directory == NULL ||
        config->text == NULL) {
        status = no_memory();
        goto out;
    }
    memcpy(config->text, text, length);
    config->text[length] = '\0';
    SPL_TRY(spl_parse_yaml(&config->root, text, length, &config->origin));
    bool empty = config->root != NULL && config->root->kind == SPL_NODE_SCALAR &&
                 *config->root->text == '\0';
    if (empty) {
        spl_node_free(config->root);
        config->root = NULL;
    }
    if (config->root != NULL) {
        if (config->root->kind != SPL_NODE_MAP) {
            SPL_TRY(spl_node_error(config->root, false,
                "not a configuration; it must consist of lines like 'key: value'"));
        }
        SPL_TRY(spl_check_keys(config->root, NULL, NULL));
    }
    *out = config;
    config = NULL;
out:
    spl_config_free(config);
    return status;
}

spl_status spl_config_defaults(spl_config **out)
{
    return spl_config_from_text(out, "", "", 0);
}

spl_status spl_config_load(spl_config **out, const char *path)
{
    spl_status status = SPL_OK;
    spl_blob blob = {0};
    bool is_hdf5 = false;
    *out = NULL;
    SPL_TRY(spl_h5_probe(path, &is_hdf5));
    if (is_hdf5) {
        return spl_rerun_load(out, path);
    }
    if (spl_is_checkpoint(path)) {
        return spl_rerun_load_checkpoint(out, path);
    }
    status = spl_blob_read(&blob, path, MAX_FILE_BYTES);
    if (status == SPL_ERR_LIMIT) {
        SPL_FAIL(SPL_ERR_LIMIT,
            "%s: more than 64 MiB; a configuration is a text of a few lines", path);
    }
    SPL_TRY(status);
    SPL_TRY(spl_config_from_text(out, path, blob.bytes, blob.length));
out:
    spl_blob_deinit(&blob);
    return status;
}

static void free_layer(spl_layer *layer)
{
    if (layer != NULL) {
        free(layer->origin.label);
        free(layer->key);
        spl_node_free(layer->value);
        free(layer);
    }
}

/* Titles and paths are taken as they stand. */
static bool takes_plain_text(const char *key)
{
    for (size_t i = 0; i < SPL_N_KEYS; i++) {
        if (strcmp(spl_schema[i].key.key, key) == 0) {
            return spl_schema[i].type == SPL_TYPE_TEXT ||
                   spl_schema[i].type == SPL_TYPE_PATH;
        }
    }
    return false;
}

/* What can be known about one setting alone; the names of components come later. */
static spl_status check_layer(const spl_layer *layer)
{
    spl_status status = SPL_OK;
    spl_node *root = spl_node_create(SPL_NODE_MAP, NULL, &layer->origin);
    if (root == NULL) {
        return no_memory();
    }
    const bool by_name = strncmp(layer->key, "monitors.", strlen("monitors.")) == 0 ||
                         strncmp(layer->key, "subnetworks.", strlen("subnetworks.")) == 0;
    if (!by_name) {
        SPL_TRY(spl_layer_apply(root, layer));
        SPL_TRY(spl_check_keys(root, NULL, NULL));
    }
out:
    spl_node_free(root);
    return status;
}

spl_status spl_config_set(spl_config *config, const char *key, const char *value)
{
    spl_status status = SPL_OK;
    spl_text label = {0};
    spl_layer *layer = calloc(1, sizeof *layer);
    if (layer == NULL) {
        return no_memory();
    }
    spl_text_add(&label, "--set %s=%s", key, value);
    layer->origin =
        (spl_origin){.label = label.data, .directory = (char *)"", .code = SPL_ERR_USAGE};
    layer->key = spl_strdup(key);
    spl_layer **sets = realloc(config->sets, (config->n_sets + 1) * sizeof(spl_layer *));
    config->sets = sets != NULL ? sets : config->sets;
    if (label.failed || layer->key == NULL || sets == NULL) {
        status = no_memory();
        goto out;
    }
    SPL_TRY(spl_parse_value(&layer->value, value, takes_plain_text(key), &layer->origin));
    if (layer->value == NULL) {
        SPL_FAIL(SPL_ERR_USAGE, "%s: no value; write key=value", label.data);
    }
    SPL_TRY(check_layer(layer));
    config->sets[config->n_sets++] = layer;
    layer = NULL;
out:
    free_layer(layer);
    return status;
}

void spl_config_free(spl_config *config)
{
    if (config == NULL) {
        return;
    }
    spl_node_free(config->root);
    for (size_t i = 0; i < config->n_sets; i++) {
        free_layer(config->sets[i]);
    }
    free(config->sets);
    free(config->origin.label);
    free(config->origin.directory);
    free(config->text);
    free(config->rerun);
    free(config->results);
    free(config);
}

spl_status spl_config_connectome(const spl_config *config, spl_connectome **out)
{
    spl_status status = SPL_OK;
    spl_tree tree = {0};
    spl_connectome_options options = {0};
    *out = NULL;
    SPL_TRY(spl_tree_build(&tree, config));
    if (spl_subnetworks_alone(&tree)) {
        goto out;
    }
    status = spl_resolve_source(&options, &tree);
    if (status == SPL_ERR_FILE_MISSING && config->results != NULL) {
        status = SPL_OK; /* the shipped data set is gone, its matrices are kept */
    }
    SPL_TRY(status);
    SPL_TRY(config->results != NULL ? spl_rerun_connectome(config, &options, out)
                                    : spl_connectome_load(out, &options));
out:
    spl_source_deinit(&options);
    spl_tree_deinit(&tree);
    return status;
}

spl_status spl_config_number(const spl_config *config, const char *key, double *value)
{
    spl_status status = SPL_OK;
    spl_tree tree = {0};
    size_t i = 0;
    SPL_TRY(spl_tree_build(&tree, config));
    while (i < SPL_N_KEYS && strcmp(spl_schema[i].key.key, key) != 0) {
        i++;
    }
    spl_key_type type = i < SPL_N_KEYS ? spl_schema[i].type : SPL_TYPE_TREE;
    if (type == SPL_TYPE_COUNT) {
        *value = (double)tree.values[i].count;
    } else if (type == SPL_TYPE_FLAG) {
        *value = tree.values[i].flag;
    } else if (type == SPL_TYPE_NUMBER || type == SPL_TYPE_TIME ||
               type == SPL_TYPE_SPEED) {
        *value = tree.values[i].number;
    } else {
        SPL_FAIL(SPL_ERR_NOT_FOUND, "%s: not a key that holds one number", key);
    }
out:
    spl_tree_deinit(&tree);
    return status;
}

/* Whole steps that cover a time: the nearest number if it fits within rounding, else the
 * next one. */
static double cover(double time_ms, double dt_ms)
{
    double ratio = time_ms / dt_ms;
    double nearest = rint(ratio);
    return fabs(ratio - nearest) <= 1e-9 * fmax(nearest, 1.0) ? nearest : ceil(ratio);
}

static spl_status resolve_time(spl_settings *settings, const spl_tree *tree)
{
    const spl_value *values = tree->values;
    settings->duration = values[SPL_KEY_DURATION].number;
    settings->transient = values[SPL_KEY_TRANSIENT].number;
    settings->dt = values[SPL_KEY_DT].number;
    double steps = cover(settings->transient + settings->duration, settings->dt);
    double transient = cover(settings->transient, settings->dt);
    if (!(steps <= MAX_STEPS)) {
        return spl_node_error(values[SPL_KEY_DURATION].node, false,
            "simulation: %.10g ms in steps of %.10g ms are more than 2^53 steps; shorten "
            "duration and transient",
            settings->transient + settings->duration, settings->dt);
    }
    settings->n_steps = (uint64_t)steps;
    settings->n_transient = (uint64_t)transient;
    if (settings->n_steps <= settings->n_transient) {
        return spl_node_error(values[SPL_KEY_DURATION].node, false,
            "simulation.duration: %.10g ms is less than one step after the transient; "
            "lengthen it",
            settings->duration);
    }
    if (settings->dt > 0.5 && !settings->alone) {
        spl_warn("simulation.dt: %.10g ms is above 0.5 ms, where every integrator is "
                 "inaccurate for Larter-Breakspear nodes; reduce it",
            settings->dt);
    }
    return SPL_OK;
}

static spl_status resolve_simulation(spl_settings *settings, const spl_tree *tree)
{
    spl_status status = SPL_OK;
    const spl_value *values = tree->values;
    const spl_value *integrator = &values[SPL_KEY_INTEGRATOR];
    const uint64_t threads = values[SPL_KEY_THREADS].count;
    if (values[SPL_KEY_FORMAT].count != 1) {
        SPL_TRY(spl_node_error(values[SPL_KEY_FORMAT].node, false,
            "format %s is unknown; this version reads format 1",
            values[SPL_KEY_FORMAT].node->text));
    }
    SPL_TRY(resolve_time(settings, tree));
    int scheme = spl_scheme_find(integrator->text);
    if (scheme < 0) {
        SPL_TRY(spl_node_error_prefix(integrator->node));
    }
    if (threads > 4096) {
        SPL_TRY(spl_node_error(values[SPL_KEY_THREADS].node, false,
            "simulation.threads: %llu; at most 4096, 0 = automatic",
            (unsigned long long)threads));
    }
    if (values[SPL_KEY_BLOCK].count > SPL_BLOCK_LIMIT) {
        SPL_TRY(spl_node_error(values[SPL_KEY_BLOCK].node, false,
            "simulation.block: %llu; at most %d, 0 = automatic",
            (unsigned long long)values[SPL_KEY_BLOCK].count, SPL_BLOCK_LIMIT));
    }
    settings->integrator = spl_schemes[scheme].name;
    settings->frozen = values[SPL_KEY_COUPLING_STAGES].word == 1;
    settings->reference = values[SPL_KEY_ENGINE].word == 1;
    settings->single = values[SPL_KEY_PRECISION].word == 1;
    settings->seed = values[SPL_KEY_SEED].count;
    settings->threads = (int)threads;
    settings->block = (size_t)values[SPL_KEY_BLOCK].count;
    settings->undelayed = (spl_undelayed)values[SPL_KEY_UNDELAYED].word;
    settings->divergence_limit = values[SPL_KEY_DIVERGENCE_LIMIT].number;
    settings->escaped_error = values[SPL_KEY_ESCAPED].word == 1;
    const bool delays = values[SPL_KEY_DELAYS].flag;
    const double delay = values[SPL_KEY_DELAY].number;
    settings->one_delay = delays && !isnan(delay);
    settings->delay = settings->one_delay ? delay : 0.0;
    settings->speed = delays ? values[SPL_KEY_SPEED].number : INFINITY;
out:
    return status;
}

static spl_status resolve_output(
    spl_settings *settings, const spl_tree *tree, const spl_config *config)
{
    const spl_value *file = &tree->values[SPL_KEY_OUTPUT_FILE];
    settings->force = tree->values[SPL_KEY_FORCE].flag;
    settings->flush_every = tree->values[SPL_KEY_FLUSH_EVERY].number / 1000.0;
    settings->checkpoint_every = tree->values[SPL_KEY_CHECKPOINT_EVERY].number / 1000.0;
    settings->stop_after = tree->values[SPL_KEY_STOP_AFTER].number / 1000.0;
    settings->title = spl_strdup(tree->values[SPL_KEY_TITLE].text);
    settings->yaml = spl_strdup(config->text);
    settings->output = *file->text != '\0' ? spl_path_of(file->node) : NULL;
    const spl_value *from = &tree->values[SPL_KEY_FROM];
    settings->from = *from->text != '\0' ? spl_path_of(from->node) : NULL;
    bool failed = (*from->text != '\0' && settings->from == NULL) ||
                  settings->title == NULL || settings->yaml == NULL ||
                  (*file->text != '\0' && settings->output == NULL);
    return failed ? no_memory() : SPL_OK;
}

static spl_status resolve_nodes(
    spl_settings *settings, const spl_tree *tree, const spl_connectome *connectome)
{
    spl_status status = SPL_OK;
    settings->n_nodes = spl_connectome_n_nodes(connectome);
    SPL_TRY(spl_resolve_coupling(settings, tree));
    SPL_TRY(spl_resolve_model(settings, tree, connectome));
    SPL_TRY(spl_resolve_noise(settings, tree, connectome));
    SPL_TRY(spl_resolve_monitors(settings, tree));
out:
    return status;
}

spl_status spl_config_resolve(
    const spl_config *config, const spl_connectome *connectome, spl_settings *out)
{
    spl_status status = SPL_OK;
    spl_tree tree = {0};
    SPL_TRY(spl_tree_build(&tree, config));
    out->alone = spl_subnetworks_alone(&tree);
    SPL_TRY(resolve_simulation(out, &tree));
    if (!out->alone) {
        SPL_TRY(resolve_nodes(out, &tree, connectome));
    }
    SPL_TRY(spl_resolve_subnetworks(out, &tree, connectome));
    SPL_TRY(resolve_output(out, &tree, config));
    SPL_TRY(spl_write_json(out, &tree));
out:
    spl_tree_deinit(&tree);
    return status;
}

spl_status spl_config_resolved(
    const spl_config *config, const spl_connectome *connectome, char **json)
{
    spl_settings settings = {0};
    *json = NULL;
    spl_status status = spl_config_resolve(config, connectome, &settings);
    if (status == SPL_OK) {
        *json = settings.resolved_json;
        settings.resolved_json = NULL;
    }
    spl_settings_free(&settings);
    return status;
}

void spl_settings_free(spl_settings *settings)
{
    for (size_t i = 0; i < settings->n_monitors; i++) {
        free((char *)settings->monitors[i].name);
    }
    for (size_t s = 0; s < SPL_MAX_STATES; s++) {
        free(settings->init[s].value);
    }
    for (size_t i = 0; i < settings->n_subnetworks; i++) {
        spl_subnetwork_spec_deinit(&settings->subnetworks[i]);
    }
    free(settings->subnetworks);
    free(settings->monitors);
    free(settings->title);
    free(settings->params);
    free(settings->start);
    free(settings->noise_strength);
    free(settings->from);
    free(settings->output);
    free(settings->yaml);
    free(settings->resolved_json);
    *settings = (spl_settings){0};
}
