/* What the kinds of monitors share: the insides of a monitor and the operations of a
 * kind. For the files of this folder only. */
#ifndef SPL_MONITOR_KIND_H
#define SPL_MONITOR_KIND_H

#include "base/arena.h"
#include "monitor/monitor.h"
#include "monitor/sum_kernel.h"
#include "simd/dispatch.h"

/* The rows that end within a block. */
typedef struct spl_row_range {
    uint64_t first; /* index of the first */
    size_t count;
} spl_row_range;

/* Where a monitor stands before a block. */
typedef struct spl_place {
    uint64_t first_step; /* of the block */
    uint64_t step;       /* the first to be observed: later if it is in no bin */
    uint64_t row;        /* that is under way, and its last step */
    uint64_t row_end;
    uint64_t bin_end; /* UINT64_MAX: no bins */
} spl_place;

/* Nothing here counts rows or steps: where a monitor stands follows from the number of
 * the step alone, so the arrays `sum` and `state` are all that a checkpoint needs. */
struct spl_monitor {
    spl_monitor_spec spec;
    spl_monitor_run run;
    spl_monitor_shape shape;
    const struct spl_monitor_ops *ops;
    uint64_t row_steps;  /* a row at steps n_transient + row_steps * 1, 2, ... */
    uint64_t bin_steps;  /* bins end at bin_origin + bin_steps * 1, 2, ...; 0: no bins */
    uint64_t bin_origin; /* at most n_transient; earlier steps are in no bin */
    size_t piece_steps;  /* bins are sums of whole pieces; 0: of steps */
    size_t n_taps;       /* of a haemodynamic kernel */
    spl_target target;   /* of the SIMD kernels */
    size_t max_rows;     /* that can end within one block */
    bool in_place;       /* the rows are samples of the block, and stay where they are */
    spl_place next;      /* of the block behind the last, to spare divisions */
    size_t n_sum, n_piece, n_state, n_table;
    double *rows;  /* [n_variables][rows of the block][width] */
    double *sum;   /* [n_variables][n_nodes], over the bin so far, whole pieces */
    double *piece; /* the same over the piece so far; sum itself if a bin is one piece */
    double *state; /* the kind's own */
    double *table; /* the kind's constants */
    spl_arena arena;
};

/* Operations of a kind; any may be NULL. A monitor's variable v at node i has the sum
 * sum[v * n_nodes + i]. */
struct spl_monitor_ops {
    /* Check the options; set bin_steps, bin_origin, n_taps, n_state, n_table and the
     * shape, which hold what suits a plain sample. Allocates nothing. */
    spl_status (*plan)(spl_monitor *monitor);
    /* Fill the table and the state, both zeroed. */
    void (*start)(spl_monitor *monitor);
    /* Take in variable `v` of a full bin, the one that ends at `step`; `sum` is over the
     * nodes. */
    void (*bin)(spl_monitor *monitor, uint64_t step, size_t v, const double *sum,
        size_t begin, size_t end);
    /* Write variable `v` of the row at `step`, after the bin that ends there; `values`
     * are the sums of that bin, or the samples of that step if there are no bins; `row`
     * has the monitor's width. */
    void (*row)(spl_monitor *monitor, uint64_t step, size_t v, const double *values,
        double *row, size_t begin, size_t end);
    /* With all nodes observed, before the rows leave. */
    spl_status (*finish)(
        spl_monitor *monitor, const spl_samples *block, spl_row_range rows);
};

/* Step at which row `row` ends. */
uint64_t spl_monitor_row_step(const spl_monitor *monitor, uint64_t row);

/* Row of the block's buffer. */
double *spl_monitor_row(
    const spl_monitor *monitor, spl_row_range rows, size_t v, uint64_t row);

/* Samples of variable v of the monitor at one step of the block. */
const double *spl_monitor_values(
    const spl_monitor *monitor, const spl_samples *block, size_t v, uint64_t step);

/* The kernels of the monitor's target. */
const spl_bin_kernels *spl_monitor_kernels(const spl_monitor *monitor);

/* Row operation of the monitors that record the sample itself. */
void spl_monitor_copy_row(spl_monitor *monitor, uint64_t step, size_t v,
    const double *values, double *row, size_t begin, size_t end);

/* Whole steps of a time that the message calls `what`; see spl_monitor_steps. */
SPL_MUST_CHECK spl_status spl_whole_steps(
    const char *what, double time_ms, double dt_ms, uint64_t *steps);

#endif
