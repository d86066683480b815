/* The configuration, from YAML text to spl_settings. */
#ifndef SPL_CONFIG_CONFIG_H
#define SPL_CONFIG_CONFIG_H

#include "config/settings.h"
#include "splenium/config.h"

/* Resolve everything against the connectome: labels, per-region values, monitors,
 * presets. out   zero-initialised; free with spl_settings_free also after a failure
 * Result: SPL_OK; SPL_ERR_CONFIG, SPL_ERR_FILE_MISSING (per-region files),
 * SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_config_resolve(
    const spl_config *config, const spl_connectome *connectome, spl_settings *out);

#endif
