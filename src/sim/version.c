#include "splenium/version.h"

#include "base/build_info.h"
#include "connectome/connectome.h"
#include "h5/h5.h"
#include "sim/commit.h"
#include "simd/dispatch.h"

const char *spl_version(void)
{
    return SPL_VERSION;
}

void spl_build_describe(spl_build_info *info)
{
    spl_target target = SPL_TARGET_SCALAR;
    *info = (spl_build_info){
        .version = SPL_VERSION,
        .commit = SPL_COMMIT,
        .compiler = SPL_COMPILER,
        .targets = SPL_TARGETS,
        .target = spl_target_choose(&target) == SPL_OK ? spl_target_names[target] : "",
        .blas = spl_blas_name(),
        .blas_core = spl_blas_core(),
        .hdf5_version = spl_h5_version(),
    };
}
