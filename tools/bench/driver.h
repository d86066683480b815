/* A real run with its results file, interrupted for the programs it is compared with. */
#ifndef SPL_TOOLS_BENCH_DRIVER_H
#define SPL_TOOLS_BENCH_DRIVER_H

#include "network.h"

typedef struct bench_driver {
    bench_contender *others; /* one repetition of each follows one of the run */
    size_t n_others;
    size_t rounds;
    double window_s;
    bench_sample us;      /* per step: processor time of all threads of the run */
    bench_sample wall_us; /* the same in wall time */
    uint64_t n_steps;     /* of the last repetition */
    uint64_t escaped_nodes;
    bench_facts facts;
} bench_driver;

/* Run `settings` on the network with a results file in the temporary folder, which is
 * deleted afterwards. `step_us` is about what a step takes. Result: SPL_OK; errors of the
 * run or of a contender. */
SPL_MUST_CHECK spl_status driver_run(bench_driver *driver, const bench_setting *setting,
    bench_network *network, const spl_setting *settings, double step_us);

#endif
