/* A run: network and monitors from settings, stepped in chunks between which the nodes
 * are looked after, rows handed to the caller's sink and to the results file. */
#include "sim/sim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "config/config.h"
#include "model/registry.h"
#include "sim/assemble.h"

/* Escaped nodes are counted at multiples of this step, so that what is found, and when,
 * depends on neither blocks nor threads. */
enum { CHECK_STEPS = 1024 };
/* An automatic run tries its number of threads within one such interval, at least a
 * second after the last time and after twenty times what the trial took. */
enum { TRIAL_STEPS = 128, N_TRIALS = CHECK_STEPS / TRIAL_STEPS / 2 };
static const double TRIAL_EVERY_S = 1.0;
static const double TRIAL_EVERY = 20.0;

/* Steps of an estimate that are not timed. */
enum { WARM_UP_STEPS = 64 };

static const double REPORT_EVERY_S = 0.1;

/* Say once, before the run, that the parameters of some nodes cannot work. */
static void check_params(const spl_sim *sim)
{
    const spl_network *network = &sim->network;
    const spl_model_kernels *kernels = network->model;
    char first_text[256] = "";
    size_t first = 0;
    size_t count = 0;
    for (size_t i = 0; i < network->n_nodes && kernels->check != NULL; i++) {
        char text[sizeof first_text];
        if (kernels->check(network->run.params, network->stride, i, text, sizeof text)) {
            if (count++ == 0) {
                first = i;
                memcpy(first_text, text, sizeof first_text);
            }
        }
    }
    if (count > 0) {
        spl_warn("model: %zu of %zu nodes, first node %zu (%s): %s", count,
            network->n_nodes, first, spl_connectome_label(sim->connectome, first),
            first_text);
    }
}

/* The monitors speak of variables, the network of slots of its record. */
static spl_status open_monitors(spl_sim *sim)
{
    spl_status status = SPL_OK;
    const spl_settings *settings = &sim->settings;
    const spl_monitor_run run = {
        .n_nodes = settings->n_nodes,
        .dt_ms = settings->dt,
        .n_transient = settings->n_transient,
        .n_steps = settings->n_steps,
    };
    sim->monitors = calloc(settings->n_monitors + 1, sizeof *sim->monitors);
    if (sim->monitors == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: monitors");
    }
    for (size_t m = 0; m < settings->n_monitors; m++) {
        spl_monitor_spec spec = settings->monitors[m];
        for (size_t v = 0; v < spec.n_variables; v++) {
            const int slot = sim->network.run.slot[spec.variable[v]];
            spl_bug_assert(slot >= 0);
            spec.variable[v] = (size_t)slot;
        }
        SPL_TRY(spl_monitor_open(&sim->monitors[m], &spec, &run, SPL_MAX_BLOCK));
        sim->n_monitors++;
        sim->memory_bytes += spl_monitor_memory(&spec, &run, SPL_MAX_BLOCK);
    }
out:
    return status;
}

static uint64_t plan_bytes(const spl_plan *plan)
{
    return plan->n_edges *
               (sizeof *plan->source + sizeof *plan->delay + sizeof *plan->weight) +
           plan->n_nodes * (sizeof *plan->start + sizeof *plan->undelayed) +
           plan->stride * 2 * sizeof(double);
}

spl_status spl_sim_create(
    spl_sim **out, const spl_config *config, spl_connectome *connectome)
{
    spl_status status = SPL_OK;
    bool record[SPL_MAX_STATES + 2] = {false};
    *out = NULL;
    spl_sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: a run");
    }
    sim->connectome = spl_connectome_ref(connectome);
    SPL_TRY(spl_config_resolve(config, connectome, &sim->settings));
    for (size_t m = 0; m < sim->settings.n_monitors; m++) {
        const spl_monitor_spec *spec = &sim->settings.monitors[m];
        for (size_t v = 0; v < spec->n_variables; v++) {
            record[spec->variable[v]] = true;
        }
    }
    SPL_TRY(spl_network_assemble(
        &sim->network, &sim->arena, &sim->settings, connectome, record));
    sim->max_threads = sim->network.threads;
    sim->memory_bytes = sizeof *sim + sim->arena.size + plan_bytes(sim->network.plan);
    SPL_TRY(open_monitors(sim));
    if (sim->settings.output != NULL) {
        SPL_TRY(spl_results_create(NULL, &sim->output_bytes, sim, NULL));
    }
    check_params(sim);
    *out = sim;
    sim = NULL;
out:
    spl_sim_free(sim);
    return status;
}

void spl_sim_free(spl_sim *sim)
{
    if (sim == NULL) {
        return;
    }
    for (size_t m = 0; m < sim->n_monitors; m++) {
        spl_monitor_close(sim->monitors[m]);
    }
    free(sim->monitors);
    spl_output_free(sim->output);
    spl_network_release(&sim->network, &sim->arena);
    spl_settings_free(&sim->settings);
    spl_connectome_free(sim->connectome);
    free(sim);
}

void spl_sim_set_sink(spl_sim *sim, spl_sim_sink *sink, void *user)
{
    sim->sink = sink;
    sim->sink_user = user;
}

void spl_sim_stop(spl_sim *sim)
{
    atomic_store_explicit(&sim->stop, true, memory_order_relaxed);
}

static spl_status take_frame(void *user, const spl_frame *frame)
{
    spl_sim *sim = user;
    spl_status status = SPL_OK;
    if (sim->sink != NULL) {
        SPL_TRY(sim->sink(sim->sink_user, frame));
    }
    if (sim->output != NULL) {
        SPL_TRY(spl_output_append(sim->output, frame));
    }
out:
    return status;
}

static void find_range(const spl_sim *sim, double *low, double *high)
{
    const double *state = sim->network.run.state;
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < sim->network.n_nodes; i++) {
        *low = fmin(*low, state[i]);
        *high = fmax(*high, state[i]);
    }
}

static void report(spl_sim *sim, uint64_t step)
{
    const spl_settings *settings = &sim->settings;
    spl_sim_progress progress = {
        .step = step,
        .n_steps = settings->n_steps,
        .time_ms = (double)step * settings->dt,
        .duration_ms = (double)settings->n_steps * settings->dt,
        .wall_s = spl_now() - sim->start_s,
        .output_bytes = sim->output != NULL ? spl_output_written(sim->output) : 0,
    };
    find_range(sim, &progress.v_min, &progress.v_max);
    sim->report(sim->report_user, &progress);
}

static void observe(void *user, const spl_samples *block, size_t begin, size_t end)
{
    spl_sim *sim = user;
    for (size_t m = 0; m < sim->n_monitors; m++) {
        spl_monitor_observe(sim->monitors[m], block, begin, end);
    }
}

static bool finish_block(void *user, const spl_samples *block)
{
    spl_sim *sim = user;
    const uint64_t step = block->first_step - 1 + block->n_steps;
    for (size_t m = 0; m < sim->n_monitors && sim->status == SPL_OK; m++) {
        sim->status = spl_monitor_flush(sim->monitors[m], block, m, take_frame, sim);
    }
    if (sim->status != SPL_OK) {
        return false;
    }
    if (sim->output != NULL) {
        spl_output_step(sim->output, step);
    }
    if (sim->report != NULL && spl_now() >= sim->next_report_s) {
        report(sim, step);
        sim->next_report_s = spl_now() + REPORT_EVERY_S;
    }
    return !atomic_load_explicit(&sim->stop, memory_order_relaxed);
}

static spl_status diverged(const spl_sim *sim, const spl_divergence *where)
{
    const spl_network *network = &sim->network;
    const spl_settings *settings = &sim->settings;
    char text[256] = "";
    if (network->model->check != NULL &&
        network->model->check(
            network->run.params, network->stride, where->node, text, sizeof text)) {
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

/* Count the nodes that left the attractor; finite for a long time, they look alive. */
static spl_status count_escaped(spl_sim *sim)
{
    const spl_settings *settings = &sim->settings;
    const double *state = sim->network.run.state;
    const spl_model *model = settings->model;
    size_t first = 0;
    sim->escaped_nodes = 0;
    for (size_t i = sim->network.n_nodes; i-- > 0;) {
        if (state[i] < model->escaped_below) {
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
        (unsigned long long)sim->escaped_nodes, sim->network.n_nodes,
        model->states[0].name, model->escaped_below, first,
        spl_connectome_label(sim->connectome, first), spl_sim_time(sim),
        model->starts[0].name);
    if (settings->escaped_error) {
        return spl_error(SPL_ERR_DIVERGED, "%s", text);
    }
    spl_warn("%s", text);
    return SPL_OK;
}

/* Advance to step `stop` without a break. */
static spl_status advance_chunk(spl_sim *sim, uint64_t stop)
{
    spl_status status = SPL_OK;
    const spl_block_hooks hooks = {
        .user = sim, .observe = observe, .finish = finish_block};
    spl_network *network = &sim->network;
    spl_divergence where;
    spl_network_advance(network, stop - network->step, &hooks, &where);
    SPL_TRY(sim->status);
    if (where.happened) {
        SPL_TRY(diverged(sim, &where));
    }
    if (network->step % CHECK_STEPS == 0 || network->step == sim->settings.n_steps) {
        SPL_TRY(count_escaped(sim));
    }
    if (network->step < stop) {
        SPL_FAIL(SPL_ERR_INTERRUPTED,
            "interrupted at %.10g of %.10g ms; the rows so far are kept",
            spl_sim_time(sim), (double)sim->settings.n_steps * sim->settings.dt);
    }
out:
    return status;
}

/* Find out whether all threads are faster than one: on a busy machine they may wait for
 * each other ten times as long as they work. Both are tried in turn on the steps to come,
 * which have the same bits either way. */
static spl_status try_threads(spl_sim *sim)
{
    spl_status status = SPL_OK;
    double seconds[2] = {0.0, 0.0};
    for (int trial = 0; trial < 2 * N_TRIALS; trial++) {
        const int many = trial % 2;
        const double begin_s = spl_now();
        sim->network.threads = many ? sim->max_threads : 1;
        SPL_TRY(advance_chunk(sim, sim->network.step + TRIAL_STEPS));
        seconds[many] += spl_now() - begin_s;
    }
    sim->network.threads = seconds[1] < seconds[0] ? sim->max_threads : 1;
    const double spent = seconds[0] + seconds[1];
    sim->next_trial_s = spl_now() + fmax(TRIAL_EVERY_S, TRIAL_EVERY * spent);
out:
    return status;
}

/* Advance to step `end`; the one loop of all runs. */
static spl_status advance_to(spl_sim *sim, uint64_t end)
{
    spl_status status = SPL_OK;
    const spl_network *network = &sim->network;
    const bool automatic = sim->settings.threads == 0 && sim->max_threads > 1;
    while (network->step < end) {
        const uint64_t next = (network->step / CHECK_STEPS + 1) * CHECK_STEPS;
        const uint64_t stop = next < end ? next : end;
        if (automatic && spl_now() >= sim->next_trial_s && stop == next &&
            network->step % CHECK_STEPS == 0) {
            SPL_TRY(try_threads(sim));
        } else {
            SPL_TRY(advance_chunk(sim, stop));
        }
    }
out:
    return status;
}

spl_status spl_sim_step(spl_sim *sim, uint64_t n_steps)
{
    const uint64_t left = sim->settings.n_steps - sim->network.step;
    if (n_steps > left) {
        return spl_error(SPL_ERR_ARGUMENT,
            "%llu steps asked for, %llu are left of simulation.duration",
            (unsigned long long)n_steps, (unsigned long long)left);
    }
    if (sim->status != SPL_OK) {
        return spl_error(SPL_ERR_ARGUMENT, "this run has failed; create a new one");
    }
    const spl_status status = advance_to(sim, sim->network.step + n_steps);
    sim->status = status == SPL_ERR_INTERRUPTED ? SPL_OK : status;
    return status;
}

static spl_run_code code_of(spl_status status)
{
    return status == SPL_OK                ? SPL_RUN_COMPLETE
           : status == SPL_ERR_DIVERGED    ? SPL_RUN_DIVERGED
           : status == SPL_ERR_INTERRUPTED ? SPL_RUN_INTERRUPTED
                                           : SPL_RUN_FAILED;
}

spl_status spl_sim_run(
    spl_sim *sim, const char *command_line, spl_sim_report *report_to, void *user)
{
    spl_status status = SPL_OK;
    if (sim->ran || sim->network.step > 0) {
        return spl_error(SPL_ERR_ARGUMENT, "this run has begun; create a new one");
    }
    sim->ran = true;
    sim->report = report_to;
    sim->report_user = user;
    sim->start_s = spl_now();
    if (sim->settings.output != NULL) {
        SPL_TRY(spl_results_create(&sim->output, &sim->output_bytes, sim, command_line));
    }
    const double begin_s = spl_now();
    sim->create_s = begin_s - sim->start_s;
    status = advance_to(sim, sim->settings.n_steps);
    sim->status = status;
    sim->integrate_s = spl_now() - begin_s;
    sim->wall_s = spl_now() - sim->start_s;
    if (sim->output != NULL) {
        /* the reason of the run's end stays the last error */
        char *message = spl_strdup(status != SPL_OK ? spl_last_error() : "");
        const spl_status ended = spl_results_finish(
            sim->output, sim, code_of(status), message != NULL ? message : "");
        if (status == SPL_OK) {
            status = ended;
        } else if (message != NULL) {
            spl_error(status, "%s", message);
        }
        free(message);
    }
    if (sim->report != NULL) {
        report(sim, sim->network.step);
    }
    sim->wall_s = spl_now() - sim->start_s;
out:
    spl_output_free(sim->output);
    sim->output = NULL;
    return status;
}

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
        one->observe(network->run.params, network->stride, i, state, &out[i]);
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
        .delay_min = plan->n_undelayed > 0 ? 0 : plan->delay_min,
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
    const spl_block_hooks hooks = {.user = sim, .observe = observe};
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
