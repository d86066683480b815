/* The integration schemes. */
#ifndef SPLENIUM_INTEGRATOR_H
#define SPLENIUM_INTEGRATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "splenium/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A scheme; the strings are static. */
typedef struct spl_integrator {
    const char *name; /* as in simulation.integrator */
    const char *formula;
    int order; /* without noise */
} spl_integrator;

SPL_API size_t spl_integrator_count(void);
/* Describe integrator `i` in the order of the table. Result: false past the end. */
SPL_API bool spl_integrator_at(size_t i, spl_integrator *integrator);

#ifdef __cplusplus
}
#endif
#endif
