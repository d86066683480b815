/* How many threads a run gets, and whether it goes on with all of them. */
#ifndef SPL_SIM_THREADS_H
#define SPL_SIM_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/settings.h"

/* Those of the settings; if automatic, as many as a block of block_ns nanoseconds feeds
 * and this process may use. Never more than `most` that have something to do. */
int spl_choose_threads(const spl_settings *settings, double block_ns, size_t most);

/* Whether one thread goes on alone where the number is automatic: on a busy machine
 * threads may wait for each other ten times as long as they work. Zeroed, nothing was
 * tried and all go on. Times are seconds of one clock. */
typedef struct spl_thread_choice {
    bool alone;
    double next_trial_s;
    double pause_s; /* how long one went on alone at least, the last time */
    double one_s;   /* a step takes with one, 0: not tried yet */
    /* since the last choice, or that all were last found to be faster */
    double watched_s;
    uint64_t watched_steps;
} spl_thread_choice;

/* One thread took `one_s` for `steps`, all took `all_s`, in turns, until now. */
void spl_threads_tried(
    spl_thread_choice *choice, double now_s, uint64_t steps, double one_s, double all_s);
/* Those that go on took `seconds` for `steps`, until now. Result: whether all did and
 * turn out to be slower: one goes on alone from now on. */
bool spl_threads_are_slower(
    spl_thread_choice *choice, double now_s, uint64_t steps, double seconds);

#endif
