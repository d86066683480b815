/* The registry of coupling functions. Read-only, valid for ever. */
#ifndef SPLENIUM_COUPLING_H
#define SPLENIUM_COUPLING_H

#include <stdbool.h>

#include "splenium/component.h"
#include "splenium/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SPL_COUPLING_MAX_PARAMS 8

typedef struct spl_coupling {
    const char *name;
    const char *summary; /* the formula */
    /* What enters the formula as x_j unless `coupling.observable` says otherwise: true
     * for the model's observable (Q_V of Larter-Breakspear), false for its first state
     * (V). */
    bool sends_observable;
    bool in_strength; /* default of coupling.normalise: divide each node's sum by its
                         in-strength */
    size_t n_params;
    const spl_field *params;
} spl_coupling;

SPL_API size_t spl_coupling_count(void);
SPL_API const spl_coupling *spl_coupling_at(size_t i);
/* Return the function of that name, or NULL with spl_last_error() set (it names the
 * closest). */
SPL_API const spl_coupling *spl_coupling_find(const char *name);

#ifdef __cplusplus
}
#endif
#endif
