/* What a run would do, without running it: `validate` and `run --dry-run`. */
#ifndef SPL_TOOLS_PREVIEW_H
#define SPL_TOOLS_PREVIEW_H

#include "splenium/splenium.h"

/* Print the resolved configuration on standard output as JSON; say on standard error what
 * the run would take: memory, output, and time, from some real steps on a copy of the
 * state. Result: as spl_config_resolved and spl_sim_estimate. */
SPL_MUST_CHECK spl_status preview(
    const spl_config *config, const spl_connectome *connectome, spl_sim *sim);

#endif
