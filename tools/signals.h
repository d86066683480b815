/* Signals that end a run in good order. */
#ifndef TOOL_SIGNALS_H
#define TOOL_SIGNALS_H

#include <splenium/splenium.h>

/* SIGINT, SIGTERM and SIGUSR1 ask `sim` to end: the first with a checkpoint, the second
 * without, the third ends the program at once. SIGPIPE and SIGXFSZ become errors of the
 * writes. */
void signals_catch(spl_sim *sim);
void signals_release(void);

#endif
