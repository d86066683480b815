/* How many threads a run gets. */
#ifndef SPL_SIM_THREADS_H
#define SPL_SIM_THREADS_H

#include <stddef.h>

#include "config/settings.h"

/* Those of the settings; if automatic, as many as a block of block_ns nanoseconds feeds
 * and this process may use. Never more than `most` that have something to do. */
int spl_choose_threads(const spl_settings *settings, double block_ns, size_t most);

#endif
