/* What must be true of the spikes that a crash left: of the journal, and of the file that
 * takes its place. */
#ifndef SPL_CRASH_SPIKES_H
#define SPL_CRASH_SPIKES_H

#include "disk.h"
#include "results.h"

enum { CRASH_MAX_POPULATIONS = 16 };

typedef struct crash_train {
    char name[CRASH_MAX_NAME];
    size_t n;
    double *times; /* ms */
    uint64_t *neurons;
} crash_train;

/* The spikes of a finished run that nothing disturbed, and what was right before. */
typedef struct crash_spikes {
    bool any; /* a run with spiking populations */
    size_t n_trains;
    crash_train trains[CRASH_MAX_POPULATIONS];
    crash_bytes journal; /* frames seen that are right */
    crash_bytes file;
    uint64_t file_step;
} crash_spikes;

/* Of NAME.spikes.h5 beside the results file NAME.h5, if it is there. */
void crash_spikes_load(crash_spikes *spikes, const char *results);
void crash_spikes_deinit(crash_spikes *spikes);
/* Check a journal: it belongs to the run `uuid`, its frames are whole up to the durable
 * bytes, and all whole ones hold the spikes of their steps. `step` receives their end.
 * Result: GOOD or WRONG. */
crash_verdict crash_journal_check(crash_spikes *spikes, const crash_bytes *journal,
    const char *uuid, uint64_t durable_bytes, uint64_t *step, const char **why);
/* Check a file of spikes, which is written to `path` for that: all spikes up to its last
 * step, which `step` receives. Result: GOOD, UNREADABLE or WRONG. */
crash_verdict crash_spikes_check(crash_spikes *spikes, const char *path,
    const crash_bytes *file, uint64_t *step, const char **why);

#endif
