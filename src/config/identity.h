/* Which settings define the results of a run, and whether two runs agree in them. */
#ifndef SPL_CONFIG_IDENTITY_H
#define SPL_CONFIG_IDENTITY_H

#include <stddef.h>

#include "base/sha256.h"
#include "base/status.h"

/* Hash all keys of a resolved configuration but those that change no result: threads,
 * blocks, output.*, limits and paths of the connectome (its contents have a hash of their
 * own); nor the duration, which may grow. Result: SPL_OK; SPL_ERR_CONFIG if `json` is no
 * configuration; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_config_identity(
    const char *json, char identity[SPL_SHA256_HEX]);

/* Tell the first key that defines results and differs: "simulation.seed: 42, now 43"; ""
 * if none does. Result: as spl_config_identity. */
SPL_MUST_CHECK spl_status spl_config_difference(
    const char *before, const char *now, char *text, size_t size);

/* Read a number of a resolved configuration, e.g. "simulation.duration". Result: SPL_OK;
 * SPL_ERR_CONFIG if there is none. */
SPL_MUST_CHECK spl_status spl_config_json_number(
    const char *json, const char *section, const char *name, double *value);

#endif
