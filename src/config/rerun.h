/* Running again what a results file stores. */
#ifndef SPL_CONFIG_RERUN_H
#define SPL_CONFIG_RERUN_H

#include "base/status.h"
#include "splenium/config.h"
#include "splenium/connectome.h"

/* Make a configuration of what a results file stores. The run is the same, its output is
 * not: output.file becomes <name>_rerun.h5 in the current directory unless it is set.
 *   path   the results file
 *   json   its resolved configuration
 * Result: as spl_config_load. */
SPL_MUST_CHECK spl_status spl_config_from_results(
    spl_config **out, const char *path, const char *json);

/* The same with the configuration read from the file. */
SPL_MUST_CHECK spl_status spl_rerun_load(spl_config **out, const char *path);

/* The same with that of a checkpoint. */
SPL_MUST_CHECK spl_status spl_rerun_load_checkpoint(spl_config **out, const char *path);

/* Load the connectome of a rerun: the files that the configuration names if they are
 * still the same, else the matrices that the results file keeps.
 *   options   as resolved from the configuration with all its settings */
SPL_MUST_CHECK spl_status spl_rerun_connectome(const spl_config *config,
    const spl_connectome_options *options, spl_connectome **out);

#endif
