/* Barriers of the teams of threads. */
#ifndef SPL_INTEGRATE_BARRIER_H
#define SPL_INTEGRATE_BARRIER_H

/* A barrier for a team inside one parallel region: spins for a bounded time, then yields,
 * so that an oversubscribed machine does not burn the time of the thread it waits for. */
typedef struct spl_barrier {
    unsigned team;
    _Atomic unsigned count;
    _Atomic unsigned generation;
} spl_barrier;
void spl_barrier_wait(spl_barrier *barrier);
/* The same with work in between, by the thread whose index is 0, while all others wait.
 */
void spl_barrier_meet(
    spl_barrier *barrier, int index, void (*work)(void *user), void *user);

#endif
