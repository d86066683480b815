/* temporal_average - mean of the states of one period, which ends at step n:
 * n - istep + 1 .. n. Windows start after the transient and are never partial.
 *
 * The stamp is the middle of these samples, (n - (istep - 1) / 2) * dt. TVB stamps
 * (n - istep / 2) * dt, half a step earlier. */
#include "monitor/kind.h"

enum { STAMP_MIDDLE, STAMP_END, STAMP_TVB };
static const char *const stamps[] = {"middle", "end", "tvb", NULL};

static spl_status plan(spl_monitor *monitor)
{
    monitor->bin_steps = monitor->row_steps;
    monitor->bin_origin = monitor->run.n_transient;
    double end = (double)spl_monitor_row_step(monitor, 0);
    double width = (double)monitor->row_steps;
    int stamp = monitor->spec.choices[0];
    if (stamp == STAMP_MIDDLE) {
        monitor->shape.first_time_ms = (end - 0.5 * (width - 1.0)) * monitor->run.dt_ms;
    } else if (stamp == STAMP_TVB) {
        monitor->shape.first_time_ms = (end - 0.5 * width) * monitor->run.dt_ms;
    }
    monitor->shape.middle = stamp != STAMP_END;
    return SPL_OK;
}

static void write_row(spl_monitor *monitor, uint64_t step, size_t v, const double *values,
    double *row, size_t begin, size_t end)
{
    (void)step;
    (void)v;
    spl_monitor_kernels(monitor)->divide(
        row + begin, values + begin, (double)monitor->row_steps, end - begin);
}

static const spl_choice choices[] = {
    {"stamp", stamps, "time of a row: middle or end of its window, or TVB's"},
};

static const struct spl_monitor_ops ops = {.plan = plan, .row = write_row};

extern const spl_monitor_kind spl_monitor_kind_temporal_average;
const spl_monitor_kind spl_monitor_kind_temporal_average = {
    .name = "temporal_average",
    .summary = "mean of the states of each period",
    .period_ms = 1.0,
    .n_choices = sizeof choices / sizeof *choices,
    .choices = choices,
    .ops = &ops,
};
