#include "sim/threads.h"

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
