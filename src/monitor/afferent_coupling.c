/* afferent_coupling - the coupling input after every step: the sum just computed from the
 * state at n * dt, which is the one that the next step uses. */
#include "monitor/kind.h"

static const struct spl_monitor_ops ops = {.row = spl_monitor_copy_row};

extern const spl_monitor_kind spl_monitor_kind_afferent_coupling;
const spl_monitor_kind spl_monitor_kind_afferent_coupling = {
    .name = "afferent_coupling",
    .summary = "the coupling input of every node after every step",
    .variable = "c",
    .ops = &ops,
};
