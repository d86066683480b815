#include "sim/threads.h"

#include <math.h>
#include <sched.h>

/* A block below about 10 us gains nothing from a second thread: 5 us of block for each
 * (measured, c76 gains 1.5 at 13.5 us, loses at 7 us). */
static const double NS_PER_THREAD = 5.0e3;

int spl_choose_threads(const spl_settings *settings, double block_ns, size_t most)
{
    int threads = settings->threads;
    if (settings->reference) {
        return 1;
    }
    if (threads == 0) {
        cpu_set_t cpus;
        int available = 1;
        if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) {
            available = CPU_COUNT(&cpus);
        }
        const double gain = block_ns / NS_PER_THREAD;
        threads = gain < 1.0 ? 1 : gain > 1024.0 ? 1024 : (int)gain;
        threads = threads < available ? threads : available;
    }
    return (size_t)threads > most ? (int)most : threads;
}

/* The next trial is at least a second after the last one and after twenty times what that
 * took. A trial is too short to see others on the processors, who come and go by some
 * milliseconds: where all threads turn out to be slower than one, one goes on alone, each
 * time for twice as long. */
static const double TRIAL_EVERY_S = 1.0;
static const double TRIAL_EVERY = 20.0;
static const double WATCH_S = 0.01;
static const double SHORTEST_PAUSE_S = 0.1, LONGEST_PAUSE_S = 1.6;

static void watch_anew(spl_thread_choice *choice)
{
    choice->watched_s = 0.0;
    choice->watched_steps = 0;
}

static void choose(spl_thread_choice *choice, bool alone, double now_s, double later_s)
{
    double pause_s = TRIAL_EVERY_S;
    if (alone) {
        pause_s = choice->pause_s =
            fmin(fmax(2.0 * choice->pause_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S);
    }
    choice->alone = alone;
    choice->next_trial_s = now_s + fmax(pause_s, later_s);
    watch_anew(choice);
}

void spl_threads_tried(
    spl_thread_choice *choice, double now_s, uint64_t steps, double one_s, double all_s)
{
    choice->one_s = one_s / (double)steps;
    /* what it took since the last trial counts too: it wrote rows meanwhile */
    if (choice->alone && choice->watched_steps > 0) {
        choice->one_s =
            fmax(choice->one_s, choice->watched_s / (double)choice->watched_steps);
    }
    choose(choice, all_s >= one_s, now_s, TRIAL_EVERY * (one_s + all_s));
}

bool spl_threads_are_slower(
    spl_thread_choice *choice, double now_s, uint64_t steps, double seconds)
{
    choice->watched_s += seconds;
    choice->watched_steps += steps;
    /* who advances by few steps at a time never comes to a trial */
    if (choice->alone || choice->one_s == 0.0 || choice->watched_s < WATCH_S) {
        return false;
    }
    if (choice->watched_s > (double)choice->watched_steps * choice->one_s) {
        choose(choice, true, now_s, 0.0);
        return true;
    }
    choice->pause_s = 0.0;
    watch_anew(choice);
    return false;
}
