/* What a run is and where it stands. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/registry.h"
#include "sim/sim.h"

/* Steps of an estimate that are not timed. */
enum { WARM_UP_STEPS = 64 };

uint64_t spl_sim_steps_done(const spl_sim *sim)
{
    return sim->network.step;
}

double spl_sim_time(const spl_sim *sim)
{
    return (double)sim->network.step * sim->settings.dt;
}

spl_status spl_sim_state(const spl_sim *sim, const char *name, double *out)
{
    const spl_network *network = &sim->network;
    const spl_model *model = sim->settings.model;
    const char *names[SPL_MAX_STATES + 3] = {NULL};
    for (size_t s = 0; s < model->n_states; s++) {
        names[s] = model->states[s].name;
        if (strcmp(names[s], name) == 0) {
            memcpy(out, network->run.state + s * network->stride,
                network->n_nodes * sizeof *out);
            return SPL_OK;
        }
    }
    names[model->n_states] = model->observable;
    names[model->n_states + 1] = "Q";
    if (strcmp(name, model->observable) != 0 && strcmp(name, "Q") != 0) {
        return spl_error_unknown("state", name, names);
    }
    const spl_model_kernels *one = spl_model_kernels_of(model, SPL_TARGET_SCALAR);
    for (size_t i = 0; i < network->n_nodes; i++) {
        double state[SPL_MAX_STATES];
        for (size_t s = 0; s < model->n_states; s++) {
            state[s] = network->run.state[s * network->stride + i];
        }
        one->observe(
            spl_tile_params(&network->run, i), SPL_TILE, i % SPL_TILE, state, &out[i]);
    }
    return SPL_OK;
}

static const char *path_of(const spl_network *network)
{
    return network->reference                ? "reference"
           : network->matrix != NULL         ? "undelayed dense"
           : network->plan->n_undelayed == 0 ? "delayed blocks"
           : network->plan->delay_max == 0   ? "undelayed sparse"
                                             : "lockstep";
}

void spl_sim_describe(const spl_sim *sim, spl_sim_info *info)
{
    const spl_settings *settings = &sim->settings;
    const spl_network *network = &sim->network;
    const spl_plan *plan = network->plan;
    const bool single = network->reference || plan->n_undelayed > 0;
    *info = (spl_sim_info){
        .n_nodes = network->n_nodes,
        .n_edges = plan->n_edges + plan->n_self,
        .delay_min = plan->delay_min,
        .delay_median = plan->delay_median,
        .delay_max = plan->delay_max,
        .block = single ? 1 : plan->block,
        .threads = sim->max_threads,
        .engine = network->reference ? "reference" : "production",
        .target = spl_target_names[network->target],
        .path = path_of(network),
        .model = settings->model->name,
        .preset = settings->preset,
        .coupling = settings->coupling->name,
        .integrator = settings->integrator,
        .coupling_stages = settings->frozen ? "frozen" : "per-stage",
        .n_steps = settings->n_steps,
        .n_transient = settings->n_transient,
        .dt_ms = settings->dt,
        .memory_bytes = sim->memory_bytes,
        .output_bytes = sim->output_bytes,
        .output = settings->output != NULL ? settings->output : "",
        .escaped_nodes = sim->escaped_nodes,
        .wall_s = sim->wall_s,
    };
}

size_t spl_sim_monitor_count(const spl_sim *sim)
{
    return sim->n_monitors;
}

void spl_sim_monitor_at(const spl_sim *sim, size_t i, spl_sim_monitor *monitor)
{
    const spl_monitor_spec *spec = &sim->settings.monitors[i];
    spl_monitor_shape shape;
    spl_monitor_describe(sim->monitors[i], &shape);
    *monitor = (spl_sim_monitor){
        .name = spec->name,
        .kind = spec->kind->name,
        .n_rows = shape.n_rows,
        .width = shape.width,
        .first_time_ms = shape.first_time_ms,
        .period_ms = shape.period_ms,
        .transformed = *shape.unit[0] != '\0',
        .n_variables = spec->n_variables,
        .variables = spec->variable_name,
    };
}

spl_status spl_sim_estimate(spl_sim *sim, uint64_t n, double *seconds)
{
    spl_status status = SPL_OK;
    spl_network *network = &sim->network;
    const spl_block_hooks hooks = {.user = sim, .observe = spl_sim_observe};
    const uint64_t step = network->step;
    const uint64_t left = sim->settings.n_steps - step;
    spl_divergence where;
    size_t n_saved = 0;
    for (size_t m = 0; m < sim->n_monitors; m++) {
        n_saved += spl_monitor_state_size(sim->monitors[m]);
    }
    char *copy = malloc(sim->arena.size + 1);
    double *saved = malloc((n_saved + 1) * sizeof *saved);
    if (copy == NULL || saved == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: a copy of %zu bytes of the network",
            sim->arena.size);
    }
    memcpy(copy, sim->arena.base, sim->arena.size);
    for (size_t m = 0, at = 0; m < sim->n_monitors; m++) {
        spl_monitor_save(sim->monitors[m], saved + at);
        at += spl_monitor_state_size(sim->monitors[m]);
    }
    /* threads and caches first */
    spl_network_advance(
        network, left < WARM_UP_STEPS ? left : WARM_UP_STEPS, &hooks, &where);
    memcpy(sim->arena.base, copy, sim->arena.size);
    network->step = step;
    const double begin_s = spl_now();
    spl_network_advance(network, n < left ? n : left, &hooks, &where);
    const double wall_s = spl_now() - begin_s;
    const uint64_t done = network->step - step;
    *seconds = done > 0 ? wall_s / (double)done * (double)left : 0.0;

    memcpy(sim->arena.base, copy, sim->arena.size);
    network->step = step;
    for (size_t m = 0, at = 0; m < sim->n_monitors; m++) {
        spl_monitor_restore(sim->monitors[m], saved + at);
        at += spl_monitor_state_size(sim->monitors[m]);
    }
out:
    free(copy);
    free(saved);
    return status;
}
