/* The registry of monitors, and the frames in which they hand over their rows. */
#ifndef SPLENIUM_MONITOR_H
#define SPLENIUM_MONITOR_H

#include <stdint.h>

#include "splenium/component.h"
#include "splenium/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SPL_MONITOR_MAX_OPTIONS 24

/* An option that is one of some words. */
typedef struct spl_choice {
    const char *name;
    const char *const *words; /* ends with NULL; the first is the default */
    const char *meaning;
} spl_choice;

/* Operations of a kind; internal. */
struct spl_monitor_ops;

typedef struct spl_monitor_kind {
    const char *name;
    const char *summary;
    double period_ms; /* default; 0: every step, and no period may be given */
    /* default variable; NULL: the first state; "observable": what the model sends; "c":
     * coupling input only */
    const char *variable;
    size_t n_options, n_choices;
    const spl_field *options; /* numeric */
    const spl_choice *choices;
    const struct spl_monitor_ops *ops;
} spl_monitor_kind;

SPL_API size_t spl_monitor_count(void);
SPL_API const spl_monitor_kind *spl_monitor_at(size_t i);
/* Return the kind of that name, or NULL with spl_last_error() set (it names the closest).
 */
SPL_API const spl_monitor_kind *spl_monitor_find(const char *name);

/* Finished rows of one monitor. */
typedef struct spl_frame {
    size_t monitor;     /* index in the order of the configuration */
    const char *name;   /* the monitor's name */
    uint64_t first_row; /* index of the first row of this frame */
    size_t n_rows;
    size_t n_variables;
    size_t width;         /* nodes per row, or 1 */
    const double *values; /* [n_variables][n_rows][width] */
} spl_frame;

#ifdef __cplusplus
}
#endif
#endif
