/* How far a run is: a bar on a terminal, plain lines or JSON elsewhere. */
#ifndef SPL_TOOLS_PROGRESS_H
#define SPL_TOOLS_PROGRESS_H

#include "splenium/splenium.h"

typedef enum { PROGRESS_NONE, PROGRESS_BAR, PROGRESS_PLAIN, PROGRESS_JSON } progress_form;

typedef struct tool_progress {
    progress_form form;
    double said_s;           /* wall time of the last line */
    spl_sim_progress latest; /* what the run told last */
    bool pending;            /* it was not said */
} tool_progress;

/* Choose the form: "auto" (or NULL) is a bar on a terminal and plain lines elsewhere.
 * Result: false if the word is none of auto, plain, json, none. */
bool progress_start(tool_progress *progress, const char *word, bool quiet);
/* Report function for spl_sim_run; `user` is the progress. */
void progress_report(void *user, const spl_sim_progress *now);
/* Take the bar away; lines and JSON end with where the run ended. */
void progress_end(tool_progress *progress);

/* Write seconds as 0:57 or 1:02:03. */
void format_clock(char *text, size_t size, double seconds);
/* Write a number of bytes as 34 MB; decimal units. */
void format_bytes(char *text, size_t size, uint64_t bytes);

#endif
