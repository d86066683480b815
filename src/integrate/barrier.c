#include <sched.h>
#include <stdatomic.h>

#include "integrate/internal.h"

/* A pure spin barrier took 200 times as long on a busy machine; about 2000 pauses are a
 * few microseconds, longer than a balanced block needs. */
enum { SPINS = 2000 };

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
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
        atomic_store_explicit(&barrier->count, 0, memory_order_relaxed);
        atomic_store_explicit(&barrier->generation, generation + 1, memory_order_release);
        return;
    }
    int spins = 0;
    while (
        atomic_load_explicit(&barrier->generation, memory_order_acquire) == generation) {
        pause_briefly();
        if (++spins == SPINS) {
            sched_yield();
            spins = 0;
        }
    }
}
