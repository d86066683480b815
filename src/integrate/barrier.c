#include <sched.h>
#include <stdatomic.h>

#include "integrate/barrier.h"

/* A pure spin barrier took 200 times as long on a busy machine; about 2000 pauses are a
 * few microseconds, longer than a balanced block needs. */
enum { SPINS = 2000 };

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Until `place` holds another value. */
static void wait_until_not(const _Atomic unsigned *place, unsigned value)
{
    int spins = 0;
    while (atomic_load_explicit(place, memory_order_acquire) == value) {
        pause_briefly();
        if (++spins == SPINS) {
            sched_yield();
            spins = 0;
        }
    }
}

static void open_gate(spl_barrier *barrier, unsigned generation)
{
    atomic_store_explicit(&barrier->count, 0, memory_order_relaxed);
    atomic_store_explicit(&barrier->generation, generation + 1, memory_order_release);
}

void spl_barrier_wait(spl_barrier *barrier)
{
    if (barrier->team <= 1) {
        return;
    }
    const unsigned generation =
        atomic_load_explicit(&barrier->generation, memory_order_acquire);
    if (atomic_fetch_add_explicit(&barrier->count, 1, memory_order_acq_rel) ==
        barrier->team - 1) {
        open_gate(barrier, generation);
    } else {
        wait_until_not(&barrier->generation, generation);
    }
}

void spl_barrier_meet(
    spl_barrier *barrier, int index, void (*work)(void *user), void *user)
{
    const unsigned generation =
        atomic_load_explicit(&barrier->generation, memory_order_acquire);
    if (index != 0) {
        atomic_fetch_add_explicit(&barrier->count, 1, memory_order_acq_rel);
        wait_until_not(&barrier->generation, generation);
        return;
    }
    for (unsigned here = 0; here != barrier->team - 1;) {
        here = atomic_load_explicit(&barrier->count, memory_order_acquire);
        if (here != barrier->team - 1) {
            wait_until_not(&barrier->count, here);
        }
    }
    work(user);
    open_gate(barrier, generation);
}
