/* global_average - mean over the nodes, once per period, of the state at that step. */
#include "monitor/kind.h"

static spl_status plan(spl_monitor *monitor)
{
    monitor->shape.width = 1;
    return SPL_OK;
}

/* Summed in the order of the nodes, on one thread: the bits do not depend on who observed
 * which nodes. */
static spl_status finish(
    spl_monitor *monitor, const spl_samples *block, spl_row_range rows)
{
    size_t n_nodes = monitor->run.n_nodes;
    for (size_t v = 0; v < monitor->spec.n_variables; v++) {
        for (uint64_t row = rows.first; row < rows.first + rows.count; row++) {
            const double *values =
                spl_monitor_values(monitor, block, v, spl_monitor_row_step(monitor, row));
            double sum = 0.0;
            for (size_t i = 0; i < n_nodes; i++) {
                sum += values[i];
            }
            *spl_monitor_row(monitor, rows, v, row) = sum / (double)n_nodes;
        }
    }
    return SPL_OK;
}

static const struct spl_monitor_ops ops = {.plan = plan, .finish = finish};

extern const spl_monitor_kind spl_monitor_kind_global_average;
const spl_monitor_kind spl_monitor_kind_global_average = {
    .name = "global_average",
    .summary = "mean over the nodes of the state once per period",
    .period_ms = 1.0,
    .ops = &ops,
};
