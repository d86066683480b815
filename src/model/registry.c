#include "model/registry.h"

#include <string.h>

#include "base/status.h"
#include "base/str.h"
#include "model/model_list.h"
#include "splenium/integrator.h"

#define DECLARE(name) extern const spl_model_kernels spl_model_##name##_scalar;
SPL_MODEL_LIST(DECLARE)

#define ROW(name) &spl_model_##name##_scalar,
static const spl_model_kernels *const models[] = {SPL_MODEL_LIST(ROW)};
enum { N_MODELS = sizeof models / sizeof *models };

size_t spl_model_count(void)
{
    return N_MODELS;
}

const spl_model *spl_model_at(size_t i)
{
    return i < N_MODELS ? models[i]->model : NULL;
}

const spl_model *spl_model_find(const char *name)
{
    const char *names[N_MODELS + 1] = {NULL};
    for (size_t i = 0; i < N_MODELS; i++) {
        names[i] = spl_model_at(i)->name;
        if (strcmp(names[i], name) == 0) {
            return spl_model_at(i);
        }
    }
    spl_error_unknown("model", name, names);
    return NULL;
}

size_t spl_integrator_count(void)
{
    return SPL_N_SCHEMES;
}

bool spl_integrator_at(size_t i, spl_integrator *integrator)
{
    if (i >= SPL_N_SCHEMES) {
        return false;
    }
    *integrator = (spl_integrator){
        spl_schemes[i].name, spl_schemes[i].formula, spl_schemes[i].order};
    return true;
}

int spl_scheme_find(const char *name)
{
    const char *names[SPL_N_SCHEMES + 1] = {NULL};
    for (int i = 0; i < SPL_N_SCHEMES; i++) {
        names[i] = spl_schemes[i].name;
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    spl_error_unknown("integrator", name, names);
    return -1;
}
