#include <string.h>

#include "base/status.h"
#include "spiking/kernel.h"
#include "spiking/neuron_list.h"
#include "spiking/parameterisation.h"

#define DECLARE(name)                                                        \
    extern const spl_neuron_kernels SPL_PRECISE(spl_neuron_##name##_scalar), \
        SPL_PRECISE(spl_neuron_##name##_v3), SPL_PRECISE(spl_neuron_##name##_v4);
SPL_NEURON_LIST(DECLARE)
extern const spl_population_kernels SPL_PRECISE(spl_population_kernels_scalar),
    SPL_PRECISE(spl_population_kernels_v3), SPL_PRECISE(spl_population_kernels_v4);

#define ROW(name)                                                                    \
    {&SPL_PRECISE(spl_neuron_##name##_scalar), &SPL_PRECISE(spl_neuron_##name##_v3), \
        &SPL_PRECISE(spl_neuron_##name##_v4)},
static const spl_neuron_kernels *const models[][SPL_N_TARGETS] = {SPL_NEURON_LIST(ROW)};

const spl_neuron_kernels *spl_neuron_kernels_of(
    const spl_neuron_model *model, spl_target target)
{
    const spl_neuron_parameterisation *form = spl_neuron_parameterisation_of(model);
    const char *name = form != NULL ? form->base : model->name;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        if (strcmp(models[i][target]->model->name, name) == 0) {
            return models[i][target];
        }
    }
    spl_bug_abort("neuron model is not registered", __FILE__, __LINE__);
}

const spl_population_kernels *spl_population_kernels_of(spl_target target)
{
    static const spl_population_kernels *const kernels[SPL_N_TARGETS] = {
        &SPL_PRECISE(spl_population_kernels_scalar),
        &SPL_PRECISE(spl_population_kernels_v3), &SPL_PRECISE(spl_population_kernels_v4)};
    return kernels[target];
}
