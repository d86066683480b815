#include "measure.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

void sample_add(bench_sample *sample, double value)
{
    if (sample->count < BENCH_MAX_ROUNDS) {
        sample->value[sample->count++] = value;
    }
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

double sample_quantile(const bench_sample *sample, double q)
{
    if (sample->count == 0) {
        return NAN;
    }
    bench_sample sorted = *sample;
    qsort(sorted.value, sorted.count, sizeof *sorted.value, by_value);
    const double at = q * (double)(sorted.count - 1);
    const size_t below = (size_t)at;
    const size_t above = below + 1 < sorted.count ? below + 1 : below;
    return sorted.value[below] +
           (at - (double)below) * (sorted.value[above] - sorted.value[below]);
}

double sample_median(const bench_sample *sample)
{
    return sample_quantile(sample, 0.5);
}

void sample_divide(const bench_sample *a, const bench_sample *b, bench_sample *ratio)
{
    ratio->count = 0;
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        sample_add(ratio, a->value[i] / b->value[i]);
    }
}

void sample_subtract(const bench_sample *a, const bench_sample *b, bench_sample *rest)
{
    rest->count = 0;
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        sample_add(rest, a->value[i] - b->value[i]);
    }
}

static double read_clock(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double clock_wall(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double clock_thread(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

double clock_process(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

bool contender_prepare(bench_contender *contender, uint64_t warm_up, double window_s)
{
    contender->n_steps = 64;
    if (contender->advance(contender->user, warm_up) < 0.0) {
        return false;
    }
    for (;;) {
        const double seconds = contender->advance(contender->user, contender->n_steps);
        if (seconds < 0.0) {
            return false;
        }
        if (seconds >= window_s / 4.0) {
            const double scale = window_s / seconds;
            contender->n_steps =
                (uint64_t)ceil((double)contender->n_steps * fmax(scale, 1e-3));
            return true;
        }
        contender->n_steps *= 2;
    }
}

/* A busy neighbour comes and goes within a repetition: in short slices both meet it. Each
 * takes as many steps as its own time is long, and enough of them that what a slice
 * begins with, short blocks and a cold cache, does not count: of 1024 steps of 998 nodes
 * in single precision it was a twentieth. */
enum { MAX_SLICES = 8, SLICE_STEPS = 4096 };
static uint64_t slices_of(uint64_t n_steps, uint64_t most)
{
    const uint64_t n = n_steps / SLICE_STEPS;
    return n < 1 ? 1 : n < most ? n : most;
}

bool contender_repeat(bench_contender *contender)
{
    bench_contender *beside = contender->beside;
    uint64_t slices = 1;
    if (beside != NULL) {
        slices = slices_of(beside->n_steps, slices_of(contender->n_steps, MAX_SLICES));
    }
    const uint64_t n_own = contender->n_steps / slices;
    const uint64_t n_beside = beside != NULL ? beside->n_steps / slices : 1;
    double seconds[2] = {0.0, 0.0};
    for (uint64_t slice = 0; slice < slices; slice++) {
        const double other =
            beside != NULL ? beside->advance(beside->user, n_beside) : 0.0;
        const double own = contender->advance(contender->user, n_own);
        if (own < 0.0 || other < 0.0) {
            return false;
        }
        seconds[0] += own;
        seconds[1] += other;
    }
    sample_add(&contender->us, 1e6 * seconds[0] / (double)(slices * n_own));
    if (beside != NULL) {
        sample_add(&contender->beside_us, 1e6 * seconds[1] / (double)(slices * n_beside));
    }
    return true;
}

static cpu_set_t *allowed(void)
{
    static cpu_set_t set;
    static bool known = false;
    if (!known) {
        CPU_ZERO(&set);
        known = sched_getaffinity(0, sizeof set, &set) == 0;
    }
    return &set;
}

int processors_allowed(void)
{
    return CPU_COUNT(allowed());
}

void processors_pin(void)
{
    cpu_set_t one;
    allowed();
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
}

void processors_unpin(void)
{
    sched_setaffinity(0, sizeof *allowed(), allowed());
}
