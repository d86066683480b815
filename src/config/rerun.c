#include "config/rerun.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "config/config.h"
#include "config/layers.h"
#include "config/regions.h"
#include "config/resolve.h"
#include "output/checkpoint.h"
#include "output/results.h"

static spl_status no_memory(void)
{
    return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
}

/* The name of the results file without its ending: "a/rest.h5" gives "rest_rerun.h5". */
static char *rerun_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t length = strlen(name);
    if (length > 3 && strcmp(name + length - 3, ".h5") == 0) {
        length -= 3;
    } else if (length > 5 && strcmp(name + length - 5, ".ckpt") == 0) {
        length -= 5;
    }
    spl_text text = {0};
    spl_text_add_bytes(&text, name, length);
    spl_text_add(&text, "_rerun.h5");
    return text.data;
}

spl_status spl_config_from_results(spl_config **out, const char *path, const char *json)
{
    spl_status status = spl_config_from_text(out, path, json, strlen(json));
    if (status != SPL_OK) {
        return status;
    }
    spl_node *output = spl_node_find((*out)->root, "output");
    if (output != NULL && output->kind == SPL_NODE_MAP) {
        spl_node_remove(output, "file");
        spl_node_remove(output, "force");
    }
    (*out)->rerun = rerun_name(path);
    (*out)->results = spl_absolute_path(path);
    if ((*out)->rerun == NULL || (*out)->results == NULL) {
        spl_config_free(*out);
        *out = NULL;
        return no_memory();
    }
    return SPL_OK;
}

spl_status spl_rerun_load(spl_config **out, const char *path)
{
    char *json = NULL;
    char sha256[SPL_SHA256_HEX];
    spl_status status = spl_results_config(path, &json, sha256);
    if (status == SPL_OK) {
        status = spl_config_from_results(out, path, json);
    }
    if (status == SPL_OK) {
        memcpy((*out)->sha256, sha256, sizeof sha256);
    }
    free(json);
    return status;
}

spl_status spl_rerun_load_checkpoint(spl_config **out, const char *path)
{
    spl_status status = SPL_OK;
    spl_checkpoint checkpoint = {0};
    *out = NULL;
    SPL_TRY(spl_checkpoint_load(&checkpoint, path, UINT64_MAX));
    const spl_section *config = spl_checkpoint_find(&checkpoint, SPL_SECTION_CONFIG);
    if (config == NULL || config->bytes > SPL_RESULTS_MAX_JSON) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: no configuration in this checkpoint", path);
    }
    SPL_TRY(spl_config_from_text(
        out, path, (const char *)config->data, (size_t)config->bytes));
    spl_node *output = spl_node_find((*out)->root, "output");
    if (output != NULL && output->kind == SPL_NODE_MAP) {
        spl_node_remove(output, "file");
        spl_node_remove(output, "force");
    }
    (*out)->rerun = rerun_name(path);
    if ((*out)->rerun == NULL) {
        spl_config_free(*out);
        *out = NULL;
        status = no_memory();
    }
out:
    spl_checkpoint_deinit(&checkpoint);
    return status;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Would the stored matrices, made under `then`, also be those of `now`? Lengths that the
 * run no longer needs may be there. */
static bool same_source(
    const spl_connectome_options *now, const spl_connectome_options *then)
{
    return same_text(now->file, then->file) && same_text(now->weights, then->weights) &&
           same_text(now->lengths, then->lengths) &&
           same_text(now->labels, then->labels) &&
           same_text(now->centres, then->centres) && now->from_to == then->from_to &&
           now->lengths_in_metres == then->lengths_in_metres &&
           now->allow_negative == then->allow_negative &&
           now->self_connections == then->self_connections &&
           now->zero_length == then->zero_length && now->triangular == then->triangular &&
           now->normalise == then->normalise &&
           (now->missing_lengths == then->missing_lengths ||
               now->missing_lengths == SPL_MISSING_LENGTHS_ZERO);
}

/* Did --set leave alone how the connectome is read? */
static spl_status compare_options(
    const spl_config *config, const spl_connectome_options *options, bool *unchanged)
{
    spl_status status = SPL_OK;
    spl_config stored = *config;
    spl_connectome_options then = {0};
    spl_tree tree = {0};
    stored.n_sets = 0;
    SPL_TRY(spl_tree_build(&tree, &stored));
    status = spl_resolve_source(&then, &tree);
    if (status != SPL_ERR_FILE_MISSING) {
        SPL_TRY(status);
    }
    status = SPL_OK;
    *unchanged = same_source(options, &then);
out:
    spl_source_deinit(&then);
    spl_tree_deinit(&tree);
    return status;
}

/* The matrices are kept as used: normalised, transposed, all policies applied. */
static spl_status load_stored(
    const spl_config *config, const spl_connectome_options *options, spl_connectome **out)
{
    const spl_connectome_options neutral = {.file = config->results,
        .allow_negative = true,
        .zero_length = SPL_ZERO_LENGTH_ACCEPT,
        .triangular = SPL_TRIANGULAR_ACCEPT,
        .missing_lengths = SPL_MISSING_LENGTHS_ZERO,
        .max_nodes = options->max_nodes,
        .max_member_bytes = options->max_member_bytes};
    return spl_connectome_load(out, &neutral);
}

/* Load the files; *same tells whether they are those of the first run. */
static spl_status load_files(const spl_config *config,
    const spl_connectome_options *options, spl_connectome **out, bool *same)
{
    spl_connectome_info info;
    spl_status status = spl_connectome_load(out, options);
    if (status == SPL_OK) {
        status = spl_connectome_describe(*out, false, &info);
    }
    *same = status == SPL_OK && strcmp(info.sha256, config->sha256) == 0;
    return status;
}

spl_status spl_rerun_connectome(
    const spl_config *config, const spl_connectome_options *options, spl_connectome **out)
{
    bool unchanged = false;
    bool same = false;
    *out = NULL;
    spl_status status = compare_options(config, options, &unchanged);
    if (status != SPL_OK) {
        return status;
    }
    if (unchanged && *config->sha256 == '\0') {
        /* made of arrays: there are no files to look for */
        return load_stored(config, options, out);
    }
    status = load_files(config, options, out, &same);
    if (same || !unchanged || status == SPL_ERR_NO_MEMORY) {
        return status;
    }
    if (status == SPL_OK) {
        spl_warn("%s: not what it was when %s was made; the matrices kept there are used",
            options->file != NULL ? options->file : options->weights, config->results);
    } else {
        spl_warn(
            "%s; the matrices kept in %s are used", spl_last_error(), config->results);
    }
    spl_connectome_free(*out);
    *out = NULL;
    return load_stored(config, options, out);
}
