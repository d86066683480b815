/* Clocks and order statistics of the benchmark. */
#ifndef SPL_BENCH_MEASURE_H
#define SPL_BENCH_MEASURE_H

#include <stddef.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_ROUNDS = 64 };

/* Some repetitions of one measurement. */
typedef struct sample {
    size_t count;
    double value[MAX_ROUNDS];
} sample;

static inline void sample_add(sample *s, double value)
{
    s->value[s->count++] = value;
}

static inline int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Value below which a share `q` of the sample lies, linear between neighbours. */
static inline double quantile(const sample *s, double q)
{
    sample sorted = *s;
    qsort(sorted.value, sorted.count, sizeof *sorted.value, by_value);
    const double at = q * (double)(sorted.count - 1);
    const size_t below = (size_t)at;
    const size_t above = below + 1 < sorted.count ? below + 1 : below;
    return sorted.value[below] +
           (at - (double)below) * (sorted.value[above] - sorted.value[below]);
}

/* Seconds of processor time of this thread: waiting for other programs does not count. */
static inline double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
