/* The models and their kernels by target. */
#ifndef SPL_MODEL_REGISTRY_H
#define SPL_MODEL_REGISTRY_H

#include "model/kernel.h"
#include "simd/dispatch.h"

/* Kernels of a registered model on a target. */
#define spl_model_kernels_of SPL_PRECISE(spl_model_kernels_of)
const spl_model_kernels *spl_model_kernels_of(const spl_model *model, spl_target target);

/* Index of a scheme by name, -1 with spl_last_error() set (it names the closest). */
int spl_scheme_find(const char *name);

#endif
