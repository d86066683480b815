/* The neuron models by name. */
#include <string.h>

#include "base/status.h"
#include "base/str.h"
#include "spiking/kernel.h"
#include "spiking/neuron_list.h"
#include "spiking/parameterisation.h"

const char *const spl_neuron_scheme_names[SPL_N_NEURON_SCHEMES] = {
    [SPL_NEURON_EXP_EULER] = "exp_euler",
    [SPL_NEURON_EULER] = "euler",
    [SPL_NEURON_IZH2003] = "izh2003",
    [SPL_NEURON_IZH2004] = "izh2004",
};

#define DECLARE_KERNELS(name) extern const spl_neuron_kernels spl_neuron_##name##_scalar;
#define DECLARE_FORM(name)    extern const spl_neuron_parameterisation spl_neuron_##name;
SPL_NEURON_LIST(DECLARE_KERNELS)
SPL_PARAMETERISATION_LIST(DECLARE_FORM)

#define KERNELS(name) &spl_neuron_##name##_scalar,
#define FORM(name)    &spl_neuron_##name,
static const spl_neuron_kernels *const kernels[] = {SPL_NEURON_LIST(KERNELS)};
static const spl_neuron_parameterisation *const forms[] = {
    SPL_PARAMETERISATION_LIST(FORM)};
enum {
    N_KERNELS = sizeof kernels / sizeof *kernels,
    N_FORMS = sizeof forms / sizeof *forms
};

size_t spl_neuron_model_count(void)
{
    return N_KERNELS + N_FORMS;
}

const spl_neuron_model *spl_neuron_model_at(size_t i)
{
    return i < N_KERNELS             ? kernels[i]->model
           : i < N_KERNELS + N_FORMS ? &forms[i - N_KERNELS]->model
                                     : NULL;
}

const spl_neuron_model *spl_neuron_model_find(const char *name)
{
    const char *names[N_KERNELS + N_FORMS + 1] = {NULL};
    for (size_t i = 0; i < spl_neuron_model_count(); i++) {
        names[i] = spl_neuron_model_at(i)->name;
        if (strcmp(names[i], name) == 0) {
            return spl_neuron_model_at(i);
        }
    }
    spl_error_unknown("neuron model", name, names);
    return NULL;
}

const spl_neuron_parameterisation *spl_neuron_parameterisation_of(
    const spl_neuron_model *model)
{
    for (size_t i = 0; i < N_FORMS; i++) {
        if (model == &forms[i]->model) {
            return forms[i];
        }
    }
    return NULL;
}
