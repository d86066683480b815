/* subsample - the state once per period, stamped n * dt; nothing is averaged, so whatever
 * is faster than the period is aliased. */
#include "monitor/kind.h"

static const struct spl_monitor_ops ops = {.row = spl_monitor_copy_row};

extern const spl_monitor_kind spl_monitor_kind_subsample;
const spl_monitor_kind spl_monitor_kind_subsample = {
    .name = "subsample",
    .summary = "the state once per period",
    .period_ms = 1.0,
    .ops = &ops,
};
