/* How the run of a results file stands. */
#ifndef SPL_TOOLS_STATE_H
#define SPL_TOOLS_STATE_H

#include "splenium/splenium.h"

/* The state of a run, or "killed" for one that says it is running but nobody writes it.
 */
const char *state_of(const char *status, bool live);
/* Is there something to go on with in this file? `copy` as in spl_results_info. */
bool state_can_resume(const char *state, const char *copy);
/* Print the command that goes on with the run, or why this file is not the one to go on
 * with; nothing if the run is over. */
void state_print_advice(const char *path, const char *state, const char *copy);
/* Print how a run stands in a line "run", and the advice. */
void state_print(const char *path, const char *state, const char *message, uint64_t step,
    const char *copy);

#endif
