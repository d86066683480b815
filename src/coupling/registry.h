/* The coupling functions and their kernels by target. */
#ifndef SPL_COUPLING_REGISTRY_H
#define SPL_COUPLING_REGISTRY_H

#include "coupling/coupling.h"
#include "simd/dispatch.h"

/* Kernels of a registered coupling function on a target. */
#define spl_coupling_kernels_of SPL_PRECISE(spl_coupling_kernels_of)
const spl_coupling_kernels *spl_coupling_kernels_of(
    const spl_coupling *coupling, spl_target target);

#endif
