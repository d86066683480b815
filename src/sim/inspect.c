/* What a run is and where it stands. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sim/sim.h"

/* Steps of an estimate that are not timed. */
enum { WARM_UP_STEPS = 64 };

uint64_t spl_sim_steps_done(const spl_sim *sim)
{
    return sim->engine->ops->step(sim->engine);
}

double spl_sim_time(const spl_sim *sim)
{
    return (double)spl_sim_steps_done(sim) * sim->settings.dt;
}

spl_status spl_sim_state(const spl_sim *sim, const char *name, double *out)
{
    const spl_engine *engine = sim->engine;
    const size_t n_nodes = sim->settings.n_nodes;
    const spl_model *model = sim->settings.model;
    const char *names[SPL_MAX_STATES + 3] = {NULL};
    for (size_t s = 0; s < model->n_states; s++) {
        names[s] = model->states[s].name;
        if (strcmp(names[s], name) == 0) {
            for (size_t i = 0; i < n_nodes; i++) {
                out[i] = engine->ops->state(engine, s, i);
            }
            return SPL_OK;
        }
    }
    names[model->n_states] = model->observable;
    names[model->n_states + 1] = "Q";
    if (strcmp(name, model->observable) != 0 && strcmp(name, "Q") != 0) {
        return spl_error_unknown("state", name, names);
    }
    for (size_t i = 0; i < n_nodes; i++) {
        out[i] = engine->ops->observable(engine, i);
    }
    return SPL_OK;
}

void spl_sim_describe(const spl_sim *sim, spl_sim_info *info)
{
    const spl_settings *settings = &sim->settings;
    const spl_engine *engine = sim->engine;
    *info = (spl_sim_info){
        .n_nodes = settings->n_nodes,
        .n_edges = engine->n_edges,
        .delay_min = engine->delay_min,
        .delay_median = engine->delay_median,
        .delay_max = engine->delay_max,
        .block = engine->block,
        .threads = engine->max_threads,
        .engine = engine->reference ? "reference" : "production",
        .target = spl_target_names[engine->target],
        .path = engine->path,
        .precision = engine->precision,
        .gates = engine->gates,
        .model = settings->alone ? "" : settings->model->name,
        .preset = settings->preset != NULL ? settings->preset : "",
        .coupling = settings->alone ? "" : settings->coupling->name,
        .integrator = settings->alone ? "" : settings->integrator,
        .coupling_stages = settings->frozen ? "frozen" : "per-stage",
        .n_steps = settings->n_steps,
        .n_transient = settings->n_transient,
        .first_step = sim->first_step,
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

size_t spl_sim_population_count(const spl_sim *sim)
{
    return sim->recorder != NULL ? spl_recorder_n_populations(sim->recorder) : 0;
}

void spl_sim_population_at(const spl_sim *sim, size_t i, spl_sim_population *population)
{
    spl_recorder_population(sim->recorder, i, spl_sim_steps_done(sim), population);
}

/* To the state of the copy, or without one to the initial state. */
static void go_back(spl_sim *sim, const void *copy)
{
    if (copy != NULL) {
        sim->engine->ops->restore(sim->engine, copy);
    } else {
        sim->engine->ops->reset(sim->engine, &sim->settings);
    }
}

spl_status spl_sim_estimate(spl_sim *sim, uint64_t n, double *seconds)
{
    spl_status status = SPL_OK;
    spl_engine *engine = sim->engine;
    const spl_block_hooks hooks = {.user = sim, .observe = spl_sim_observe};
    const uint64_t step = spl_sim_steps_done(sim);
    const uint64_t left = sim->settings.n_steps - step;
    const uint64_t warm_up = n < WARM_UP_STEPS ? n : WARM_UP_STEPS;
    spl_divergence where;
    size_t n_saved = 0;
    char *copy = NULL;
    double *saved = NULL;
    for (size_t m = 0; m < sim->n_monitors; m++) {
        n_saved += spl_monitor_state_size(sim->monitors[m]);
    }
    SPL_TRY(spl_branch_begin(sim));
    /* at the start there is nothing to copy: the settings tell it again */
    const bool copied = step > 0 || sim->branched;
    copy = copied ? malloc(engine->copy_bytes) : NULL;
    saved = malloc((n_saved + 1) * sizeof *saved);
    if ((copied && copy == NULL) || saved == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: a copy of %zu bytes of the network",
            engine->copy_bytes);
    }
    if (copy != NULL) {
        engine->ops->save(engine, copy);
    }
    for (size_t m = 0, at = 0; m < sim->n_monitors; m++) {
        spl_monitor_save(sim->monitors[m], saved + at);
        at += spl_monitor_state_size(sim->monitors[m]);
    }
    /* threads and caches first */
    engine->ops->advance(engine, warm_up < left ? warm_up : left, &hooks, &where);
    go_back(sim, copy);
    const double begin_s = spl_now();
    engine->ops->advance(engine, n < left ? n : left, &hooks, &where);
    const double wall_s = spl_now() - begin_s;
    const uint64_t done = spl_sim_steps_done(sim) - step;
    *seconds = done > 0 ? wall_s / (double)done * (double)left : 0.0;

    go_back(sim, copy);
    for (size_t m = 0, at = 0; m < sim->n_monitors; m++) {
        spl_monitor_restore(sim->monitors[m], saved + at);
        at += spl_monitor_state_size(sim->monitors[m]);
    }
out:
    free(copy);
    free(saved);
    return status;
}
