#include "coupling/registry.h"

#include <string.h>

#include "base/status.h"
#include "base/str.h"
#include "coupling/coupling_list.h"

#define DECLARE(name) extern const spl_coupling_kernels spl_coupling_##name##_scalar;
SPL_COUPLING_LIST(DECLARE)

#define ROW(name) &spl_coupling_##name##_scalar,
static const spl_coupling_kernels *const couplings[] = {SPL_COUPLING_LIST(ROW)};
enum { N_COUPLINGS = sizeof couplings / sizeof *couplings };

size_t spl_coupling_count(void)
{
    return N_COUPLINGS;
}

const spl_coupling *spl_coupling_at(size_t i)
{
    return i < N_COUPLINGS ? couplings[i]->info : NULL;
}

const spl_coupling *spl_coupling_find(const char *name)
{
    const char *names[N_COUPLINGS + 1] = {NULL};
    for (size_t i = 0; i < N_COUPLINGS; i++) {
        names[i] = spl_coupling_at(i)->name;
        if (strcmp(names[i], name) == 0) {
            return spl_coupling_at(i);
        }
    }
    spl_error_unknown("coupling function", name, names);
    return NULL;
}
