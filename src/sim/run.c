/* The one loop of all runs: chunks between which the nodes are looked after, rows handed
 * to the caller's sink and to the results file. */
#include <math.h>
#include <stdlib.h>

#include "base/str.h"
#include "sim/sim.h"

/* Escaped nodes are counted at multiples of this step, so that what is found, and when,
 * depends on neither blocks nor threads. */
enum { CHECK_STEPS = 1024 };
/* An automatic run tries its number of threads within one such interval, at least a
 * second after the last time and after twenty times what the trial took. */
enum { TRIAL_STEPS = 128, N_TRIALS = CHECK_STEPS / TRIAL_STEPS / 2 };
static const double TRIAL_EVERY_S = 1.0;
static const double TRIAL_EVERY = 20.0;

static const double REPORT_EVERY_S = 0.1;

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
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < sim->settings.n_nodes; i++) {
        const double value = sim->engine->ops->state(sim->engine, 0, i);
        *low = fmin(*low, value);
        *high = fmax(*high, value);
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

void spl_sim_observe(void *user, const spl_samples *block, size_t begin, size_t end)
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

/* Advance to step `stop` without a break. */
static spl_status advance_chunk(spl_sim *sim, uint64_t stop)
{
    spl_status status = SPL_OK;
    const spl_block_hooks hooks = {
        .user = sim, .observe = spl_sim_observe, .finish = finish_block};
    spl_divergence where;
    sim->engine->ops->advance(
        sim->engine, stop - spl_sim_steps_done(sim), &hooks, &where);
    const uint64_t step = spl_sim_steps_done(sim);
    SPL_TRY(sim->status);
    SPL_TRY(where.status);
    if (where.happened) {
        SPL_TRY(spl_guard_divergence(sim, &where));
    }
    if (step % CHECK_STEPS == 0 || step == sim->settings.n_steps) {
        SPL_TRY(spl_guard_escaped(sim));
    }
    if (step < stop) {
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
    spl_engine *engine = sim->engine;
    double seconds[2] = {0.0, 0.0};
    for (int trial = 0; trial < 2 * N_TRIALS; trial++) {
        const int many = trial % 2;
        const double begin_s = spl_now();
        engine->ops->set_threads(engine, many ? engine->max_threads : 1);
        SPL_TRY(advance_chunk(sim, spl_sim_steps_done(sim) + TRIAL_STEPS));
        seconds[many] += spl_now() - begin_s;
    }
    engine->ops->set_threads(engine, seconds[1] < seconds[0] ? engine->max_threads : 1);
    const double spent = seconds[0] + seconds[1];
    sim->next_trial_s = spl_now() + fmax(TRIAL_EVERY_S, TRIAL_EVERY * spent);
out:
    return status;
}

/* Advance to step `end`; the one loop of all runs. */
static spl_status advance_to(spl_sim *sim, uint64_t end)
{
    spl_status status = SPL_OK;
    const bool automatic = sim->settings.threads == 0 && sim->engine->max_threads > 1;
    for (uint64_t step = spl_sim_steps_done(sim); step < end;
         step = spl_sim_steps_done(sim)) {
        const uint64_t next = (step / CHECK_STEPS + 1) * CHECK_STEPS;
        const uint64_t stop = next < end ? next : end;
        if (automatic && spl_now() >= sim->next_trial_s && stop == next &&
            step % CHECK_STEPS == 0) {
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
    const uint64_t left = sim->settings.n_steps - spl_sim_steps_done(sim);
    if (n_steps > left) {
        return spl_error(SPL_ERR_ARGUMENT,
            "%llu steps asked for, %llu are left of simulation.duration",
            (unsigned long long)n_steps, (unsigned long long)left);
    }
    if (sim->status != SPL_OK) {
        return spl_error(SPL_ERR_ARGUMENT, "this run has failed; create a new one");
    }
    const spl_status status = advance_to(sim, spl_sim_steps_done(sim) + n_steps);
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
    if (sim->ran || spl_sim_steps_done(sim) > 0) {
        return spl_error(SPL_ERR_ARGUMENT, "this run has begun; create a new one");
    }
    sim->ran = true;
    sim->report = report_to;
    sim->report_user = user;
    sim->start_s = spl_now();
    if (sim->settings.output != NULL) {
        SPL_TRY(spl_results_create(&sim->output, sim, command_line));
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
        report(sim, spl_sim_steps_done(sim));
    }
    sim->wall_s = spl_now() - sim->start_s;
out:
    spl_output_free(sim->output);
    sim->output = NULL;
    return status;
}
