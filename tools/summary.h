/* A few numbers about the activity of a run, from the last rows of one of its monitors.
 */
#ifndef SPL_TOOLS_SUMMARY_H
#define SPL_TOOLS_SUMMARY_H

#include "splenium/splenium.h"

typedef struct tool_summary tool_summary;

typedef struct summary_values {
    const char *monitor, *variable; /* NULL: no monitor records a state of all nodes */
    size_t n_rows;
    double span_ms;      /* that the rows cover, at the end of the run */
    double mean;         /* over nodes and rows */
    double frequency_hz; /* peak of the node-averaged Welch spectrum; NAN: too short */
    double resolution_hz;
    double mean_fc; /* mean Pearson correlation of all pairs of nodes; NAN: undefined */
} summary_values;

/* Make a summary of the first monitor that delivers the first state of all nodes at a
 * regular period; if there is none, it takes nothing and knows nothing. Free with
 * summary_free. Result: SPL_OK; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status summary_create(tool_summary **out, const spl_sim *sim);
/* Bytes that the summary of a run takes besides the run. */
uint64_t summary_memory(const spl_sim *sim);
/* Let the run give it the rows: those of the results file in the end, without one as they
 * come. Allocates nothing. */
void summary_attach(tool_summary *summary, spl_sim *sim);
/* Result: SPL_OK; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status summary_compute(
    const tool_summary *summary, summary_values *values);
void summary_free(tool_summary *summary);

#endif
