/* The BLAS library of this build. */
#include <cblas.h>

#include "connectome/connectome.h"

const char *spl_blas_name(void)
{
    return openblas_get_config();
}

const char *spl_blas_core(void)
{
    return openblas_get_corename();
}
