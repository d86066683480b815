/* How the run of a results file stands. */
#ifndef SPL_TOOLS_STATE_H
#define SPL_TOOLS_STATE_H

#include "splenium/splenium.h"

/* The state of a run, or "killed" for one that says it is running but nobody writes it.
 */
const char *state_of(const char *status, bool live);
/* Is there something to go on with, given the state? */
bool state_can_resume(const char *state);
/* Print how a run stands, in a line "run" and, if it can go on, a line "to go on". */
void state_print(const char *path, const char *state, const char *message, uint64_t step);

#endif
