/* The configuration, from YAML text to spl_settings. */
#ifndef SPL_CONFIG_CONFIG_H
#define SPL_CONFIG_CONFIG_H

#include "config/settings.h"
#include "splenium/config.h"

/* Make a configuration from YAML or JSON text; `path` names it in messages, and relative
 * paths in it start at its folder. Result: as spl_config_load. */
SPL_MUST_CHECK spl_status spl_config_from_text(
    spl_config **out, const char *path, const char *text, size_t length);

/* Resolve everything against the connectome: labels, per-region values, monitors,
 * presets. The run has the fewest whole steps that cover transient and duration (within a
 * relative 1e-9), and so has the transient.
 *   connectome   as of spl_config_connectome; not looked at when subnetworks run alone
 *   out   zero-initialised; free with spl_settings_free also after a failure
 * Result: SPL_OK; SPL_ERR_CONFIG, or SPL_ERR_USAGE if --set is to blame;
 * SPL_ERR_FILE_MISSING, _FILE_READ, _FORMAT (per-region files); SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_config_resolve(
    const spl_config *config, const spl_connectome *connectome, spl_settings *out);

#endif
