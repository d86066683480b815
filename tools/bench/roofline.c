#include "roofline.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop_list.h"
#include "measure.h"

#define DECLARE(target) extern const bench_loops bench_loops_##target;
LOOP_TARGET_LIST(DECLARE)

#define ADDRESS(target) &bench_loops_##target,
static const bench_loops *const all_loops[] = {LOOP_TARGET_LIST(ADDRESS)};

enum { N_LOOPS = sizeof all_loops / sizeof *all_loops };
/* At the start, and in turns with a run. */
enum { REPETITIONS = 7, REPETITIONS_AGAIN = 3 };
static const double REPETITION_S = 2e-3;

/* Operations of one Heun step of a Larter-Breakspear node with shared exponentials, as
 * counted in its machine code: 65 fused multiply-adds, 43 products, 45 sums and
 * differences, 15 minima and maxima, 15 of integers and bits; beside them, on a unit of
 * their own, six divisions. */
static const double OPERATIONS = 183.0;
static const double DIVISIONS = 6.0;
/* A normal by Box & Muller: half of the 32 multiply-adds of a pair (logarithm, sine,
 * cosine), of its division and of its square root, which takes about two divisions. */
static const double NORMAL_MULTIPLICATIONS = 16.0;
static const double NORMAL_DIVISIONS = 1.5;
/* Transposes of coupling, noise and rates, and the store into the history: an estimate.
 */
static const double HISTORY_CYCLES = 3.7;

typedef struct loop_job {
    const bench_loops *loops;
    enum { MULTIPLY, OPERATE, DIVIDE, LOAD, PHILOX, CLOCK } what;
    const double *values;
    size_t n;
} loop_job;

/* 64 additions that wait for each other, `count` times, a cycle each: of a number that
 * only a register holds, for some processors add constants before anything is executed.
 */
static void add_in_turn(long count)
{
    uint64_t sum = 0;
    uint64_t addend = 1;
    for (long k = 0; k < count; k++) {
        UNROLL
        for (int i = 0; i < 64; i++) {
            __asm__ volatile("" : "+r"(addend));
            sum += addend;
            __asm__ volatile("" : "+r"(sum));
        }
    }
}

static double time_once(const loop_job *job, long count)
{
    const double start = clock_thread();
    switch (job->what) {
    case MULTIPLY:
        job->loops->multiply(count);
        break;
    case OPERATE:
        job->loops->operate(count);
        break;
    case DIVIDE:
        job->loops->divide(count);
        break;
    case LOAD:
        job->loops->load(count, job->values, job->n);
        break;
    case PHILOX:
        job->loops->philox(count);
        break;
    case CLOCK:
        add_in_turn(count);
        break;
    }
    return clock_thread() - start;
}

/* Nanoseconds of one unit of work, the best of some repetitions. */
static double time_best(const loop_job *job, int repetitions)
{
    long count = 1;
    double best = INFINITY;
    while (time_once(job, count) < REPETITION_S) {
        count *= 2;
    }
    for (int i = 0; i < repetitions; i++) {
        best = fmin(best, time_once(job, count));
    }
    return 1e9 * best / (double)count;
}

static size_t cache_bytes(int name, size_t otherwise)
{
    const long bytes = sysconf(name);
    return bytes > 0 ? (size_t)bytes : otherwise;
}

/* Half of L1 and of L2; of L3 what surely is not in L2. */
static void choose_sizes(size_t bytes[3])
{
    const size_t l1 = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
    const size_t l2 = cache_bytes(_SC_LEVEL2_CACHE_SIZE, 512 << 10);
    const size_t l3 = cache_bytes(_SC_LEVEL3_CACHE_SIZE, 8 << 20);
    bytes[0] = l1 / 2;
    bytes[1] = l2 / 2;
    bytes[2] = 4 * l2 < l3 / 2 || l3 < 2 * l2 ? 4 * l2 : l3 / 2;
}

/* Loads from the first `n_levels` caches. Result: false if memory is short. */
static bool time_loads(
    const bench_loops *loops, int n_levels, int repetitions, bench_roofline *roofline)
{
    choose_sizes(roofline->load_bytes);
    const size_t n_values = roofline->load_bytes[n_levels - 1] / sizeof(double);
    double *values = calloc(n_values + 1, sizeof *values);
    if (values == NULL) {
        return false;
    }
    for (size_t i = 0; i < n_values; i++) {
        values[i] = (double)i; /* pages of their own, not the one of zeros */
    }
    for (int level = 0; level < n_levels; level++) {
        const loop_job job = {
            loops, LOAD, values, roofline->load_bytes[level] / sizeof *values};
        roofline->load_ns[level] =
            time_best(&job, repetitions) * (double)loops->lanes / (double)job.n;
    }
    free(values);
    return true;
}

static void time_operations(
    const bench_loops *loops, int repetitions, bench_roofline *roofline)
{
    roofline->clock_ghz = 64.0 / time_best(&(loop_job){.what = CLOCK}, repetitions);
    roofline->multiply_ns =
        time_best(&(loop_job){loops, MULTIPLY, NULL, 0}, repetitions) / LOOP_CHAINS;
    roofline->operation_ns =
        time_best(&(loop_job){loops, OPERATE, NULL, 0}, repetitions) /
        (LOOP_CHAINS * LOOP_OPERATIONS);
    roofline->divide_ns =
        time_best(&(loop_job){loops, DIVIDE, NULL, 0}, repetitions) / LOOP_CHAINS;
    roofline->philox_ns = time_best(&(loop_job){loops, PHILOX, NULL, 0}, repetitions) /
                          (PHILOX_BLOCKS * 4.0 * (double)loops->lanes);
}

static const bench_loops *loops_of(const char *target)
{
    for (size_t i = 0; i < N_LOOPS; i++) {
        if (strcmp(all_loops[i]->target, target) == 0) {
            return all_loops[i];
        }
    }
    return NULL;
}

bool roofline_measure(const char *target, bench_roofline *roofline)
{
    const bench_loops *loops = loops_of(target);
    if (loops == NULL) {
        return false;
    }
    *roofline = (bench_roofline){.target = loops->target, .lanes = loops->lanes};
    time_operations(loops, REPETITIONS, roofline);
    return time_loads(loops, 3, REPETITIONS, roofline);
}

bool roofline_again(bench_roofline *roofline)
{
    const bench_loops *loops = loops_of(roofline->target);
    time_operations(loops, REPETITIONS_AGAIN, roofline);
    return time_loads(loops, 1, REPETITIONS_AGAIN, roofline);
}

void roofline_bound(
    const bench_roofline *roofline, size_t n_nodes, size_t n_edges, bench_bound *bound)
{
    const double multiply = roofline->multiply_ns / (double)roofline->lanes;
    const double operation = roofline->operation_ns / (double)roofline->lanes;
    const double divide = roofline->divide_ns / (double)roofline->lanes;
    const double nodes = (double)n_nodes;
    *bound = (bench_bound){
        .dynamics = nodes * fmax(OPERATIONS * operation, DIVISIONS * divide),
        /* an edge loads one sample of the past per step */
        .coupling = (double)n_edges * roofline->load_ns[0] / (double)roofline->lanes,
        .noise = nodes * (roofline->philox_ns + fmax(NORMAL_MULTIPLICATIONS * multiply,
                                                    NORMAL_DIVISIONS * divide)),
        .history = nodes * HISTORY_CYCLES / roofline->clock_ghz,
    };
}

double bound_total(const bench_bound *bound)
{
    return bound->dynamics + bound->coupling + bound->noise + bound->history;
}
