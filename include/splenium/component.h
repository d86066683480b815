/* Tables that describe components: parameters, states and options, with default, unit and
 * meaning. */
#ifndef SPLENIUM_COMPONENT_H
#define SPLENIUM_COMPONENT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Values for which the equations break are refused; everything else is the user's choice.
 */
typedef enum {
    SPL_RULE_FINITE,      /* any finite number */
    SPL_RULE_POSITIVE,    /* > 0: widths, time constants */
    SPL_RULE_NOT_NEGATIVE /* >= 0 */
} spl_rule;

/* One parameter, state or numeric option. */
typedef struct spl_field {
    const char *name;
    double value;     /* default */
    const char *unit; /* "1" if dimensionless */
    double low, high; /* suggested range for sweeps and help, never a bound */
    spl_rule rule;
    const char *meaning;
} spl_field;

/* One configuration key and its value as text, as it would stand after --set. */
typedef struct spl_setting {
    const char *key, *value;
} spl_setting;

#ifdef __cplusplus
}
#endif
#endif
