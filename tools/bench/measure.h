/* Clocks, order statistics, and programs that take turns on one processor. */
#ifndef SPL_TOOLS_BENCH_MEASURE_H
#define SPL_TOOLS_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_MAX_ROUNDS = 64 };

/* Repetitions of one measurement. */
typedef struct bench_sample {
    size_t count;
    double value[BENCH_MAX_ROUNDS];
} bench_sample;

/* Later values of a full sample are dropped. */
void sample_add(bench_sample *sample, double value);
/* Value below which a share `q` of the sample lies, linear between neighbours; NAN of an
 * empty sample. */
double sample_quantile(const bench_sample *sample, double q);
double sample_median(const bench_sample *sample);
/* Round by round a / b, or a - b. */
void sample_divide(const bench_sample *a, const bench_sample *b, bench_sample *ratio);
void sample_subtract(const bench_sample *a, const bench_sample *b, bench_sample *rest);

/* Seconds: wall time, processor time of this thread, and of all threads. */
double clock_wall(void);
double clock_thread(void);
double clock_process(void);

/* How long to measure. */
typedef struct bench_effort {
    size_t rounds;
    double window_s;      /* of one repetition of the product and of what it is compared
                             with */
    double part_window_s; /* of its variants */
    uint64_t warm_up;     /* steps before the first repetition */
} bench_effort;

/* One of the programs that take turns. */
typedef struct bench_contender {
    /* Advance by some steps; returns the seconds they took, negative after a failure. */
    double (*advance)(void *user, uint64_t n_steps);
    void *user;
    uint64_t n_steps; /* of one repetition */
    bench_sample us;  /* per step */
    /* another one that a repetition takes turns with, slice by slice, and what its steps
     * took meanwhile; NULL: none */
    struct bench_contender *beside;
    bench_sample beside_us;
} bench_contender;

/* Warm up and find out how many steps take `window_s`. Result: false after a failure. */
bool contender_prepare(bench_contender *contender, uint64_t warm_up, double window_s);
/* One repetition, and one of the contender beside it. Result: false after a failure. */
bool contender_repeat(bench_contender *contender);

/* The processors this process may use; 0 if that cannot be found out. */
int processors_allowed(void);
/* Stay on the processor of the moment, or on all those allowed at the start. */
void processors_pin(void);
void processors_unpin(void);

#endif
