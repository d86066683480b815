/* Settings of a run: defaults, then a YAML file, then single keys. */
#ifndef SPLENIUM_CONFIG_H
#define SPLENIUM_CONFIG_H

#include <stddef.h>

#include "splenium/connectome.h"
#include "splenium/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct spl_config spl_config;

/* Make a configuration of defaults; free with spl_config_free. */
SPL_API SPL_MUST_CHECK spl_status spl_config_defaults(spl_config **out);
/* Make a configuration from a YAML file, or from the resolved configuration inside a
 * results file. Relative paths in the file are relative to it. Errors read
 * file:line:column: what is wrong. Names that belong to a model, a coupling function or a
 * monitor are checked when the configuration is used, since --set may still change these.
 * Result: SPL_OK; SPL_ERR_FILE_MISSING, _FILE_READ; SPL_ERR_CONFIG; SPL_ERR_FORMAT;
 * SPL_ERR_LIMIT above 64 MiB; SPL_ERR_NO_MEMORY. */
SPL_API SPL_MUST_CHECK spl_status spl_config_load(spl_config **out, const char *path);
/* Set one key, e.g. "model.d_V" to "0.65", "model.C.rA1" to "0.2", "monitors.bold.period"
 * to "2 s". The value is YAML flow syntax if it starts with a bracket, a brace or a
 * quote, else plain text, typed by the schema; relative paths are relative to the current
 * directory. Later settings win over earlier ones and over the file. Result: SPL_OK;
 * SPL_ERR_USAGE if it cannot be parsed or the key is unknown; SPL_ERR_NO_MEMORY. What
 * only shows later (an unknown parameter or label) is SPL_ERR_USAGE as well. */
SPL_API SPL_MUST_CHECK spl_status spl_config_set(
    spl_config *config, const char *key, const char *value);
SPL_API void spl_config_free(spl_config *config);

/* Load the connectome that the configuration names, else the data set shipped with the
 * program: dk68.zip in the folder of the environment variable SPLENIUM_DATA, where it is
 * installed, or in the source tree. Tract lengths may be absent when no delay depends on
 * them. The configuration of a results file takes the files it names if their contents
 * are still the same, else, with a warning, the matrices which the results file keeps, so
 * that the run is the same; settings that change how a connectome is read need the files.
 * Result: as spl_connectome_load; SPL_ERR_CONFIG, SPL_ERR_USAGE. */
SPL_API SPL_MUST_CHECK spl_status spl_config_connectome(
    const spl_config *config, spl_connectome **out);

/* Read what a key of fixed name holds after all settings: a number in the unit of the
 * key, NAN for none, 0 or 1 for a flag. Result: SPL_OK; SPL_ERR_NOT_FOUND if there is no
 * such key or its value is no number; SPL_ERR_CONFIG, SPL_ERR_USAGE. */
SPL_API SPL_MUST_CHECK spl_status spl_config_number(
    const spl_config *config, const char *key, double *value);

/* One key of the schema, for help and documentation. */
typedef struct spl_config_key {
    const char *key;   /* dotted path */
    const char *type;  /* "number", "time", "one of: a | b", "per region", ... */
    const char *value; /* default as text */
    const char *unit;  /* of a bare number, "" if none */
    const char *meaning;
} spl_config_key;
SPL_API size_t spl_config_key_count(void);
SPL_API const spl_config_key *spl_config_key_at(size_t i);

/* Return every setting resolved against `connectome` as JSON text (itself valid input);
 * the caller frees it with free(). */
SPL_API SPL_MUST_CHECK spl_status spl_config_resolved(
    const spl_config *config, const spl_connectome *connectome, char **json);

#ifdef __cplusplus
}
#endif
#endif
