/* raw - the state after every step, stamped n * dt. */
#include "monitor/kind.h"

static const struct spl_monitor_ops ops = {.row = spl_monitor_copy_row};

extern const spl_monitor_kind spl_monitor_kind_raw;
const spl_monitor_kind spl_monitor_kind_raw = {
    .name = "raw",
    .summary = "the state after every step",
    .ops = &ops,
};
