/* Looking after the nodes: parameters that cannot work, states that leave the bounds,
 * nodes that leave the attractor. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sim/sim.h"
#include "spiking/interface.h"

void spl_guard_params(const spl_sim *sim)
{
    const spl_engine *engine = sim->engine;
    const size_t n_nodes = sim->settings.n_nodes;
    char first_text[256] = "";
    size_t first = 0;
    size_t count = 0;
    for (size_t i = 0; i < n_nodes; i++) {
        char text[sizeof first_text];
        if (engine->ops->check(engine, i, text, sizeof text)) {
            if (count++ == 0) {
                first = i;
                memcpy(first_text, text, sizeof first_text);
            }
        }
    }
    if (count > 0) {
        spl_warn("model: %zu of %zu nodes, first node %zu (%s): %s", count, n_nodes,
            first, spl_connectome_label(sim->connectome, first), first_text);
    }
}

/* Fano factors of counts: of independent neurons, and of the default network with its
 * recurrence (measured, near 5 Hz). */
static const double FANO_POISSON = 1.0;
static const double FANO_RECURRENT = 4.0;

/* Of the rate that a node sends, where a third of the largest is expected: LB nodes sit
 * at <Q> = 0.31 - 0.36 of Q_max. */
static void tell_noise(const spl_subnetwork_spec *spec, const spl_subnetwork *subnetwork)
{
    const spl_interface_spec *interface = &spec->interface;
    const size_t n = spl_subnetwork_n_sending(subnetwork);
    const double rate = interface->r_max / 3.0;
    spl_notice("subnetwork %s: %zu neurons send Qhat through a filter of %g ms; at %.3g "
               "Hz each its standard deviation is %.2g (independent) to %.2g (recurrent) "
               "of the mean",
        spec->name, n, interface->tau_f, 1e3 * rate,
        spl_interface_noise(interface, n, rate, FANO_POISSON),
        spl_interface_noise(interface, n, rate, FANO_RECURRENT));
}

void spl_guard_subnetworks(const spl_sim *sim)
{
    for (size_t n = 0; n < sim->engine->n_subnetworks; n++) {
        const spl_subnetwork_spec *spec = &sim->settings.subnetworks[n];
        const spl_subnetwork *subnetwork = sim->engine->jobs[n].subnetwork;
        const uint64_t n_short = spl_subnetwork_n_short_delays(subnetwork);
        if (n_short > 0) {
            spl_warn("subnetwork %s: %llu of %llu delays are below half a sub-step of %g "
                     "ms and count as one sub-step",
                spec->name, (unsigned long long)n_short,
                (unsigned long long)spl_subnetwork_n_synapses(subnetwork),
                sim->settings.dt / (double)spec->n_substeps);
        }
        if (spec->hosted && spec->interface.mode != SPL_MODE_PROBE) {
            tell_noise(spec, subnetwork);
        }
    }
}

spl_status spl_guard_divergence(const spl_sim *sim, const spl_divergence *where)
{
    const spl_settings *settings = &sim->settings;
    char text[256] = "";
    if (sim->engine->ops->check(sim->engine, where->node, text, sizeof text)) {
        return spl_error(SPL_ERR_DIVERGED,
            "node %zu (%s): %s = %.6g is beyond simulation.divergence_limit %.6g at "
            "%.10g ms (step %llu); %s",
            where->node, spl_connectome_label(sim->connectome, where->node),
            settings->model->states[where->state].name, where->value,
            settings->divergence_limit, (double)where->step * settings->dt,
            (unsigned long long)where->step, text);
    }
    return spl_error(SPL_ERR_DIVERGED,
        "node %zu (%s): %s = %.6g is beyond simulation.divergence_limit %.6g at %.10g ms "
        "(step %llu); check the initial state (model.init: %s), coupling and noise, or "
        "reduce simulation.dt",
        where->node, spl_connectome_label(sim->connectome, where->node),
        settings->model->states[where->state].name, where->value,
        settings->divergence_limit, (double)where->step * settings->dt,
        (unsigned long long)where->step, settings->start);
}

spl_status spl_guard_escaped(spl_sim *sim)
{
    const spl_settings *settings = &sim->settings;
    const spl_model *model = settings->model;
    size_t first = 0;
    sim->escaped_nodes = 0;
    if (settings->alone) {
        return SPL_OK;
    }
    for (size_t i = settings->n_nodes; i-- > 0;) {
        if (sim->engine->ops->is_integrated(sim->engine, i) &&
            sim->engine->ops->state(sim->engine, 0, i) < model->escaped_below) {
            sim->escaped_nodes++;
            first = i;
        }
    }
    if (sim->escaped_nodes == 0 || sim->escaped_told) {
        return SPL_OK;
    }
    sim->escaped_told = true;
    char text[512];
    snprintf(text, sizeof text,
        "%llu of %zu nodes left the attractor (%s < %g), first node %zu (%s), by %.10g "
        "ms; start inside its basin (model.init: %s) and check coupling and noise",
        (unsigned long long)sim->escaped_nodes, settings->n_nodes, model->states[0].name,
        model->escaped_below, first, spl_connectome_label(sim->connectome, first),
        spl_sim_time(sim), model->starts[0].name);
    if (settings->escaped_error) {
        return spl_error(SPL_ERR_DIVERGED, "%s", text);
    }
    spl_warn("%s", text);
    return SPL_OK;
}
