/* poisson_relay - neurons without state that fire at the rate their node is driven with:
 * what a spiking node does to a network if its neurons add nothing of their own. */
#include "spiking/kernel_events.h"
#include "spiking/kernel_receptors.h"
#include "spiking/streams.h"

#define MODEL_PAGE                                                                  \
    "Relay of the mean field as spikes\n"                                           \
    "Each neuron fires in each sub-step with probability h r_max D / Q_max, D the " \
    "drive "                                                                        \
    "of\n"                                                                          \
    "the node: a Poisson process on the grid. It has no state and takes no input."

static void derive(const double *params, double current, double h,
    spl_neuron_scheme scheme, double *constants)
{
    (void)params;
    (void)current;
    (void)h;
    (void)scheme;
    constants[0] = 1.0;
}

/* What arrives is dropped. */
static void drop_arrivals(const spl_neuron_run *run, spl_neuron_step *step)
{
    for (size_t r = 0; r < run->n_receptors; r++) {
        for (size_t i = 0; i < step->n; i += SPL_LANES) {
            (void)take_arrivals(step->arrivals[r], step->first + i);
        }
    }
}

static void relay(const spl_neuron_run *run, spl_neuron_step *step)
{
    const philox_keys keys = philox_keys_of(step->seed);
    const size_t n_groups = (step->n + SPL_NEURON_GROUP - 1) / SPL_NEURON_GROUP;
    uint32_t word[SPL_NEURON_BLOCK];
    drop_arrivals(run, step);
    if (step->drive->fires == 0) {
        return;
    }
    draw_batches(&keys, SPL_STREAM_RELAY, step->substep,
        step->first / SPL_NEURON_BLOCK * BLOCK_CALLS,
        n_groups * (SPL_NEURON_GROUP / BATCH_WORDS), word);
    for (size_t group = 0; group < step->n; group += SPL_NEURON_GROUP) {
        uint64_t fired = 0;
        for (size_t i = 0; i < SPL_NEURON_GROUP; i++) {
            fired |= (uint64_t)(word[group + i] < step->drive->fires) << i;
        }
        const size_t before = step->n_spikes;
        append_spikes(step, group, fired);
        if (run->located) {
            for (size_t s = before; s < step->n_spikes; s++) {
                step->fraction[s] = 1.0;
            }
        }
    }
}

static const spl_neuron_model model = {.name = "poisson_relay", .doc = MODEL_PAGE};

const spl_neuron_kernels SPL_TARGETED(spl_neuron_poisson_relay);
const spl_neuron_kernels SPL_TARGETED(spl_neuron_poisson_relay) = {
    .model = &model,
    .n_constants = 1,
    .derive = derive,
    .step = relay,
};
