/* Doing a run and telling about it, for the verbs that do one. */
#ifndef TOOL_SIMULATE_H
#define TOOL_SIMULATE_H

#include "progress.h"
#include "summary.h"
#include "tool.h"

/* What a run is made of; all of it is freed at the end, whatever happened. */
typedef struct tool_run {
    spl_config *config;
    spl_connectome *connectome;
    spl_sim *sim;
    tool_summary *summary;
    bool resumes; /* goes on in its results file */
} tool_run;

/* Run to the end or until a signal: start line, progress, the summary at the end, the
 * warnings again. The error is not yet printed.
 * Result: as spl_sim_run. */
SPL_MUST_CHECK spl_status simulate(
    tool_run *parts, const tool_arguments *arguments, tool_progress *progress);
void simulate_deinit(tool_run *parts);

#endif
