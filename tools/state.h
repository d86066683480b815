/* How the run of a results file stands. */
#ifndef SPL_TOOLS_STATE_H
#define SPL_TOOLS_STATE_H

#include "splenium/splenium.h"

/* The state of a run, or "killed" for one that says it is running but nobody writes it.
 */
const char *state_of(const spl_results_info *info);
/* Is there something to go on with? */
bool state_can_resume(const spl_results_info *info);

#endif
