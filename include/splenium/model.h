/* The registry of node models: what each has to offer. Read-only, valid for ever. */
#ifndef SPLENIUM_MODEL_H
#define SPLENIUM_MODEL_H

#include <stdbool.h>

#include "splenium/component.h"
#include "splenium/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SPL_MAX_STATES 8

/* A named set of settings, all of them overridable. */
typedef struct spl_preset {
    const char *name;
    const char *source; /* paper or program it comes from */
    const char *note;
    const spl_setting *settings; /* ends with {NULL, NULL} */
} spl_preset;

/* A named rule for the initial state: uniform in [low, high] per state. */
typedef struct spl_start {
    const char *name;
    const char *note;
    bool shared; /* one draw per node serves all states */
    double low[SPL_MAX_STATES], high[SPL_MAX_STATES];
} spl_start;

typedef struct spl_model {
    const char *name;
    const char *summary;    /* one line */
    const char *page;       /* equations, source, regimes; plain text */
    const char *observable; /* name of what the model sends by default, e.g. "Q_V" */
    size_t n_states, n_params, n_presets, n_starts;
    const spl_field *states;
    const spl_field *params;
    const spl_preset *presets;
    const spl_start *starts; /* the first is the default */
    double
        escaped_below; /* first state below this: the node left the attractor for ever */
    bool local_terms;  /* the equations of a node contain its own observable */
} spl_model;

SPL_API size_t spl_model_count(void);
/* Return model `i` in the order of the registry, NULL past the end. */
SPL_API const spl_model *spl_model_at(size_t i);
/* Return the model of that name, or NULL with spl_last_error() set (it names the
 * closest). */
SPL_API const spl_model *spl_model_find(const char *name);

#ifdef __cplusplus
}
#endif
#endif
