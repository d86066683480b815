/* Version and build of the library. */
#ifndef SPLENIUM_VERSION_H
#define SPLENIUM_VERSION_H

#include "splenium/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Return the version, e.g. "0.1.0"; static. */
SPL_API const char *spl_version(void);

typedef struct spl_build_info {
    const char *version, *compiler;
    const char *commit; /* of the source, with "-dirty" if it was changed; or "unknown" */
    const char *targets; /* SIMD targets built in, separated by blanks */
    const char *target;  /* the one in use; "" if SPL_TARGET names one this CPU lacks */
    const char *blas, *blas_core;
    const char *hdf5_version;
} spl_build_info;
/* Describe build and machine; the strings are static. */
SPL_API void spl_build_describe(spl_build_info *info);

#ifdef __cplusplus
}
#endif
#endif
