#include <string.h>

#include "base/status.h"
#include "model/model_list.h"
#include "model/registry.h"

#define DECLARE(name)                                                      \
    extern const spl_model_kernels SPL_PRECISE(spl_model_##name##_scalar), \
        SPL_PRECISE(spl_model_##name##_v3), SPL_PRECISE(spl_model_##name##_v4);
SPL_MODEL_LIST(DECLARE)

#define ROW(name)                                                                  \
    {&SPL_PRECISE(spl_model_##name##_scalar), &SPL_PRECISE(spl_model_##name##_v3), \
        &SPL_PRECISE(spl_model_##name##_v4)},
static const spl_model_kernels *const models[][SPL_N_TARGETS] = {SPL_MODEL_LIST(ROW)};

const spl_model_kernels *spl_model_kernels_of(const spl_model *model, spl_target target)
{
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        if (strcmp(models[i][target]->model->name, model->name) == 0) {
            return models[i][target];
        }
    }
    spl_bug_abort("model is not registered", __FILE__, __LINE__);
}
