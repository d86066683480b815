/* connectome.*: which files, read how. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "config/config_paths.h"
#include "config/regions.h"
#include "config/resolve.h"

static const char DATA_SET[] = "dk68.zip";

/* The data set shipped with the program: environment, installation, source tree. */
static spl_status find_data_set(char **path)
{
    const char *environment = getenv("SPLENIUM_DATA");
    const char *const folders[] = {environment, SPL_DATADIR "/splenium", SPL_SOURCE_DATA};
    spl_text tried = {0};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        spl_text candidate = {0};
        if (folders[i] == NULL || *folders[i] == '\0') {
            continue;
        }
        spl_text_add(&candidate, "%s/%s", folders[i], DATA_SET);
        /* without memory not the next one: that may be other data */
        if (candidate.failed || access(candidate.data, R_OK) == 0) {
            *path = candidate.failed ? NULL : spl_absolute_path(candidate.data);
            spl_text_deinit(&candidate);
            spl_text_deinit(&tried);
            return *path != NULL ? SPL_OK : spl_error(SPL_ERR_NO_MEMORY, "out of memory");
        }
        spl_text_deinit(&candidate);
        spl_text_add(&tried, "%s%s", tried.length > 0 ? ", " : "", folders[i]);
    }
    spl_status status = spl_error(SPL_ERR_FILE_MISSING,
        "%s: not found in %s; set SPLENIUM_DATA to its folder, or connectome.file to a "
        "connectome",
        DATA_SET, tried.data != NULL ? tried.data : "");
    spl_text_deinit(&tried);
    return status;
}

/* NULL for an empty value; a relative path stays one, as messages quote it. */
static spl_status take_path(const char **path, const spl_value *value)
{
    *path = NULL;
    if (*value->text == '\0') {
        return SPL_OK;
    }
    *path = spl_path_of(value->node);
    return *path != NULL ? SPL_OK
                         : spl_error(SPL_ERR_NO_MEMORY, "connectome: out of memory");
}

static spl_status take_paths(spl_connectome_options *options, const spl_value *values)
{
    spl_status status = SPL_OK;
    char *shipped = NULL;
    SPL_TRY(take_path(&options->file, &values[SPL_KEY_FILE]));
    SPL_TRY(take_path(&options->weights, &values[SPL_KEY_WEIGHTS]));
    SPL_TRY(take_path(&options->lengths, &values[SPL_KEY_LENGTHS]));
    SPL_TRY(take_path(&options->labels, &values[SPL_KEY_LABELS]));
    SPL_TRY(take_path(&options->centres, &values[SPL_KEY_CENTRES]));
    const spl_value *separate = options->weights != NULL   ? &values[SPL_KEY_WEIGHTS]
                                : options->lengths != NULL ? &values[SPL_KEY_LENGTHS]
                                : options->labels != NULL  ? &values[SPL_KEY_LABELS]
                                : options->centres != NULL ? &values[SPL_KEY_CENTRES]
                                                           : NULL;
    if (separate != NULL && options->file != NULL) {
        SPL_TRY(spl_node_error(separate->node, true,
            "connectome.file is given as well; give either one file or separate files"));
    }
    if (separate != NULL && options->weights == NULL) {
        SPL_TRY(spl_node_error(separate->node, true,
            "connectome.weights is missing; separate files need at least the weights"));
    }
    if (separate == NULL && options->file == NULL) {
        SPL_TRY(find_data_set(&shipped));
        options->file = shipped;
    }
out:
    return status;
}

spl_status spl_resolve_source(spl_connectome_options *options, const spl_tree *tree)
{
    spl_status status = SPL_OK;
    const spl_value *values = tree->values;
    /* the enumerations follow the order of the words in the schema */
    *options = (spl_connectome_options){
        .from_to = values[SPL_KEY_ORIENTATION].word == 1,
        .lengths_in_metres = values[SPL_KEY_LENGTH_UNIT].word == 1,
        .allow_negative = values[SPL_KEY_ALLOW_NEGATIVE].flag,
        .self_connections = (spl_self_connections)values[SPL_KEY_SELF_CONNECTIONS].word,
        .zero_length = (spl_zero_length)values[SPL_KEY_ZERO_LENGTH].word,
        .triangular = (spl_triangular)values[SPL_KEY_TRIANGULAR].word,
        .normalise = (spl_normalise)values[SPL_KEY_NORMALISE].word,
        .missing_lengths = (spl_missing_lengths)values[SPL_KEY_MISSING_LENGTHS].word,
        .max_nodes = (size_t)values[SPL_KEY_MAX_NODES].count,
        .max_member_bytes = (size_t)values[SPL_KEY_MAX_MEMBER_BYTES].count,
    };
    const bool by_length = values[SPL_KEY_DELAYS].flag &&
                           isnan(values[SPL_KEY_DELAY].number) &&
                           isfinite(values[SPL_KEY_SPEED].number);
    if (!by_length && options->missing_lengths == SPL_MISSING_LENGTHS_ERROR) {
        options->missing_lengths = SPL_MISSING_LENGTHS_ZERO;
    }
    SPL_TRY(take_paths(options, values));
out:
    return status;
}

void spl_source_deinit(spl_connectome_options *options)
{
    free((char *)options->file);
    free((char *)options->weights);
    free((char *)options->lengths);
    free((char *)options->labels);
    free((char *)options->centres);
    *options = (spl_connectome_options){0};
}
