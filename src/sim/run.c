/* The one loop of all runs: chunks between which the nodes are looked after, rows handed
 * to the caller's sink and to the results file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sim/sim.h"

/* Escaped nodes are counted at multiples of this step, so that what is found, and when,
 * depends on neither blocks nor threads. */
enum { CHECK_STEPS = 1024 };
/* An automatic run tries its number of threads within one such interval. */
enum { TRIAL_STEPS = 128, N_TRIALS = CHECK_STEPS / TRIAL_STEPS / 2 };

static const double REPORT_EVERY_S = 0.1;
/* Short blocks do not look at the clock each: that takes as long as a step of four nodes.
 */
static const double LOOK_EVERY_S = 5e-4;

void spl_sim_set_sink(spl_sim *sim, spl_sim_sink *sink, void *user)
{
    sim->sink = sink;
    sim->sink_user = user;
}

void spl_sim_collect_rows(spl_sim *sim, bool collect)
{
    sim->collects_rows = collect;
}

void spl_sim_set_last_rows(
    spl_sim *sim, size_t i, uint64_t n_rows, spl_sim_sink *sink, void *user)
{
    sim->last_monitor = i;
    sim->n_last = n_rows;
    sim->last_sink = sink;
    sim->last_user = user;
}

void spl_sim_set_spike_sink(spl_sim *sim, spl_sim_spike_sink *sink, void *user)
{
    sim->spike_sink = sink;
    sim->spike_sink_user = user;
}

void spl_sim_stop(spl_sim *sim)
{
    atomic_fetch_add_explicit(&sim->n_stops, 1, memory_order_relaxed);
}

/* Rows of monitor m that the block finished. */
static spl_status take_rows(spl_sim *sim, const spl_samples *block, size_t m)
{
    spl_status status = SPL_OK;
    spl_rows rows;
    SPL_TRY(spl_monitor_finish(sim->monitors[m], block, m, &rows));
    if (rows.frame.n_rows == 0) {
        return SPL_OK;
    }
    if (sim->sink != NULL) {
        spl_monitor_gather(sim->monitors[m], &rows);
        SPL_TRY(sim->sink(sim->sink_user, &rows.frame));
    }
    if (sim->output != NULL && sim->placed[m]) {
        SPL_TRY(spl_output_append_placed(sim->output, &rows.frame));
    } else if (sim->output != NULL) {
        SPL_TRY(spl_output_append_rows(
            sim->output, &rows.frame, rows.variable_step, rows.row_step));
    }
out:
    return status;
}

/* Places for n rows of monitor m, if they are what the kernels can write there. */
static bool place(const spl_sim *sim, size_t m, uint64_t first_step, size_t n_steps,
    spl_recording *recording)
{
    const spl_monitor_spec *spec = &sim->settings.monitors[m];
    const uint64_t first_row = spl_monitor_rows(sim->monitors[m], first_step - 1);
    const uint64_t end_row = spl_monitor_rows(sim->monitors[m], first_step - 1 + n_steps);
    bool can = spl_monitor_is_raw_f4(sim->monitors[m]) && end_row - first_row == n_steps;
    for (size_t v = 0; v < spec->n_variables && can; v++) {
        can = spec->variable[v] < sim->settings.model->n_states &&
              recording->f4[spec->variable[v]] == NULL;
    }
    size_t variable_step = 0;
    float *row =
        can ? spl_output_place(sim->output, m, first_row, n_steps, &variable_step) : NULL;
    for (size_t v = 0; v < spec->n_variables && row != NULL; v++) {
        recording->f4[spec->variable[v]] = row + v * variable_step;
    }
    return row != NULL;
}

/* So many steps that their rows in f4 lie together, if those of a few do. */
static size_t steps_with_room(const spl_sim *sim, const spl_recording *recording)
{
    size_t n_steps = recording->n_steps_in_f4;
    for (size_t m = 0; m < sim->n_monitors; m++) {
        if (spl_monitor_is_raw_f4(sim->monitors[m])) {
            const size_t room = spl_output_room(sim->output, m);
            n_steps = room < n_steps ? room : n_steps;
        }
    }
    return n_steps > recording->n_steps ? n_steps : recording->n_steps;
}

/* States of n steps go from the kernels to where the file is written from; whether all
 * that are wanted do. */
static bool place_f4(
    spl_sim *sim, uint64_t first_step, size_t n_steps, spl_recording *recording)
{
    bool all = true;
    memset(recording->f4, 0, sizeof recording->f4);
    memset(recording->not_f8, true, sizeof recording->not_f8);
    recording->f4_pitch = sim->settings.n_nodes;
    for (size_t m = 0; m < sim->n_monitors; m++) {
        const spl_monitor_spec *spec = &sim->settings.monitors[m];
        sim->placed[m] = place(sim, m, first_step, n_steps, recording);
        all = all && sim->placed[m];
        for (size_t v = 0; v < spec->n_variables && !sim->placed[m]; v++) {
            recording->not_f8[spec->variable[v]] = false;
        }
    }
    return all;
}

/* States are summed over pieces, which go on from what the monitors have of them. */
static void begin_pieces(
    const spl_sim *sim, uint64_t first_step, spl_recording *recording)
{
    recording->piece_steps = spl_piece_steps(sim->settings.dt);
    for (size_t m = 0; m < sim->n_monitors; m++) {
        const spl_monitor_spec *spec = &sim->settings.monitors[m];
        for (size_t v = 0; v < spec->n_variables; v++) {
            const double *begun = spl_monitor_begun(sim->monitors[m], v, first_step);
            if (begun != NULL) {
                recording->begun[spec->variable[v]] = begun;
            }
        }
    }
}

/* The hook that finds the shortest way for what the monitors want. */
static void place_rows(void *user, uint64_t first_step, spl_recording *recording)
{
    spl_sim *sim = user;
    if (recording->n_steps_in_pieces > 0 && sim->all_take_pieces) {
        begin_pieces(sim, first_step, recording);
    } else if (sim->has_raw_f4 && sim->output != NULL && sim->sink == NULL) {
        recording->n_steps_in_f4 = steps_with_room(sim, recording);
        recording->f4_alone =
            place_f4(sim, first_step, recording->n_steps_in_f4, recording);
        if (!recording->f4_alone) {
            place_f4(sim, first_step, recording->n_steps, recording);
        }
    }
}

static void find_range(const spl_sim *sim, double *low, double *high)
{
    *low = sim->settings.n_nodes > 0 ? INFINITY : (double)NAN;
    *high = -*low;
    for (size_t i = 0; i < sim->settings.n_nodes; i++) {
        const double value = sim->engine->ops->state(sim->engine, 0, i);
        *low = fmin(*low, value);
        *high = fmax(*high, value);
    }
}

static int n_stops(spl_sim *sim)
{
    return atomic_load_explicit(&sim->n_stops, memory_order_relaxed);
}

static void report(spl_sim *sim, uint64_t step)
{
    const spl_settings *settings = &sim->settings;
    spl_sim_progress progress = {
        .step = step,
        .n_steps = settings->n_steps,
        .time_ms = (double)step * settings->dt,
        .duration_ms = (double)settings->n_steps * settings->dt,
        .begin_ms = (double)sim->first_step * settings->dt,
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

/* After so many blocks as took about LOOK_EVERY_S: tell of the progress; is a checkpoint
 * due, or all of the run's time used up? */
static void look_at_clock(spl_sim *sim, uint64_t step)
{
    if (--sim->blocks_left > 0) {
        return;
    }
    const double now = spl_now();
    const bool soon = now - sim->looked_s < 0.5 * LOOK_EVERY_S;
    const bool late = now - sim->looked_s > LOOK_EVERY_S;
    const bool longer = soon && sim->blocks_at_once < 64;
    sim->blocks_at_once = late ? 1 : sim->blocks_at_once << longer;
    sim->blocks_left = sim->blocks_at_once;
    sim->looked_s = now;
    if (sim->report != NULL && now >= sim->next_report_s) {
        report(sim, step);
        sim->next_report_s = spl_now() + REPORT_EVERY_S;
    }
    if (sim->output == NULL) {
        return;
    }
    if (now >= sim->stop_s && n_stops(sim) == 0) {
        spl_sim_stop(sim);
    }
    sim->checkpoint_due =
        now >= sim->next_checkpoint_s && !spl_output_checkpoint_busy(sim->output);
}

/* What the subnetworks did in the steps of a block. */
static spl_status record_spikes(spl_sim *sim, const spl_samples *block)
{
    const spl_engine *engine = sim->engine;
    const spl_recorder_sinks sinks = {.sink = sim->spike_sink,
        .user = sim->spike_sink_user,
        .output = sim->output,
        .first_stream = sim->n_monitors};
    for (size_t s = 0; s < sim->settings.n_subnetworks; s++) {
        sim->blocks[s] = spl_subnetwork_last(engine->jobs[s].subnetwork);
        sim->clips[s] = engine->ops->clips(engine, s);
    }
    return spl_recorder_take(sim->recorder, block->first_step - 1, block->n_steps,
        sim->blocks, sim->clips, &sinks);
}

static bool finish_block(void *user, const spl_samples *block)
{
    spl_sim *sim = user;
    const uint64_t step = block->first_step - 1 + block->n_steps;
    for (size_t m = 0; m < sim->n_monitors && sim->status == SPL_OK; m++) {
        sim->status = take_rows(sim, block, m);
    }
    if (sim->status == SPL_OK && sim->recorder != NULL) {
        sim->status = record_spikes(sim, block);
    }
    if (sim->status != SPL_OK) {
        return false;
    }
    if (sim->output != NULL) {
        spl_output_step(sim->output, step);
        /* with slow monitors the next row is far away */
        sim->status = spl_output_state(sim->output);
    }
    if (sim->status != SPL_OK) {
        return false;
    }
    look_at_clock(sim, step);
    return n_stops(sim) == 0 && !sim->checkpoint_due;
}

/* Advance until step `stop`, a checkpoint or a request to end. */
static spl_status advance_some(spl_sim *sim, uint64_t stop)
{
    spl_status status = SPL_OK;
    const bool places = !sim->settings.reference && sim->settings.n_subnetworks == 0;
    const spl_block_hooks hooks = {.user = sim,
        .observe = spl_sim_observe,
        .finish = finish_block,
        .collect = sim->sink == NULL || sim->collects_rows,
        .place = places ? place_rows : NULL};
    spl_divergence where;
    memset(sim->placed, false, sim->n_monitors * sizeof *sim->placed);
    sim->checkpoint_due = false;
    sim->engine->ops->advance(
        sim->engine, stop - spl_sim_steps_done(sim), &hooks, &where);
    SPL_TRY(sim->status);
    SPL_TRY(where.status);
    if (where.happened) {
        SPL_TRY(spl_guard_divergence(sim, &where));
    }
    if (sim->checkpoint_due) {
        SPL_TRY(spl_checkpoint_take(sim));
        sim->next_checkpoint_s = spl_now() + sim->settings.checkpoint_every;
    }
out:
    return status;
}

static spl_status interrupted(const spl_sim *sim)
{
    const double all_ms = (double)sim->settings.n_steps * sim->settings.dt;
    return sim->output == NULL
               ? spl_error(SPL_ERR_INTERRUPTED, "interrupted at %.10g of %.10g ms",
                     spl_sim_time(sim), all_ms)
               : spl_error(SPL_ERR_INTERRUPTED,
                     "interrupted at %.10g of %.10g ms; the rows so far are kept; to go "
                     "on: splenium resume %s",
                     spl_sim_time(sim), all_ms, sim->settings.output);
}

/* Advance to step `stop` without a break but for checkpoints. */
static spl_status advance_chunk(spl_sim *sim, uint64_t stop)
{
    spl_status status = SPL_OK;
    do {
        SPL_TRY(advance_some(sim, stop));
    } while (sim->checkpoint_due && n_stops(sim) == 0 && spl_sim_steps_done(sim) < stop);
    const uint64_t step = spl_sim_steps_done(sim);
    if (step % CHECK_STEPS == 0 || step == sim->settings.n_steps) {
        SPL_TRY(spl_guard_escaped(sim));
    }
    if (step < stop) {
        SPL_TRY(interrupted(sim));
    }
out:
    return status;
}

static void use_threads(const spl_sim *sim, bool one)
{
    sim->engine->ops->set_threads(sim->engine, one ? 1 : sim->engine->max_threads);
}

static spl_status try_steps(spl_sim *sim, bool one, double *seconds)
{
    const double begin_s = spl_now();
    use_threads(sim, one);
    const spl_status status = advance_chunk(sim, spl_sim_steps_done(sim) + TRIAL_STEPS);
    *seconds += spl_now() - begin_s;
    return status;
}

/* Find out whether all threads are faster than one. Both are tried in turn on the steps
 * to come, which have the same bits either way, until all have taken as long as one would
 * take for the whole trial. */
static spl_status try_threads(spl_sim *sim)
{
    spl_status status = SPL_OK;
    double one_s = 0.0;
    double all_s = 0.0;
    int pairs = 0;
    do {
        SPL_TRY(try_steps(sim, true, &one_s));
        SPL_TRY(try_steps(sim, false, &all_s));
        pairs++;
    } while (pairs < N_TRIALS && pairs * all_s < N_TRIALS * one_s);
    spl_threads_tried(
        &sim->choice, spl_now(), (uint64_t)pairs * TRIAL_STEPS, one_s, all_s);
    use_threads(sim, sim->choice.alone);
out:
    return status;
}

/* Advance to step `stop`, and see how long it takes. */
static spl_status advance_watched(spl_sim *sim, uint64_t stop)
{
    const uint64_t n_steps = stop - spl_sim_steps_done(sim);
    const double begin_s = spl_now();
    const spl_status status = advance_chunk(sim, stop);
    const double now_s = spl_now();
    if (spl_threads_are_slower(&sim->choice, now_s, n_steps, now_s - begin_s)) {
        use_threads(sim, true);
    }
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
        if (!automatic) {
            SPL_TRY(advance_chunk(sim, stop));
        } else if (spl_now() >= sim->choice.next_trial_s && stop == next &&
                   step % CHECK_STEPS == 0) {
            SPL_TRY(try_threads(sim));
        } else {
            SPL_TRY(advance_watched(sim, stop));
        }
        /* asked for while the last block of a chunk was advanced */
        if (n_stops(sim) > 0 && spl_sim_steps_done(sim) < end) {
            SPL_TRY(interrupted(sim));
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
    spl_status status = spl_branch_begin(sim);
    if (status != SPL_OK) {
        return status;
    }
    status = advance_to(sim, spl_sim_steps_done(sim) + n_steps);
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

/* A full disk is the end of this process, but not of the run. */
static spl_status add_advice(const spl_sim *sim, spl_status status)
{
    char *message = status == SPL_ERR_DISK_FULL ? spl_strdup(spl_last_error()) : NULL;
    if (message != NULL) {
        spl_error(
            status, "%s; to go on: splenium resume %s", message, sim->settings.output);
    }
    free(message);
    return status;
}

/* Bring the results file to its end, whatever happened. */
static spl_status end_output(spl_sim *sim, spl_status status)
{
    /* the reason of the run's end stays the last error */
    char *message = spl_strdup(status != SPL_OK ? spl_last_error() : "");
    spl_status taken = SPL_OK;
    /* whoever asks a second time is in a hurry */
    if (status == SPL_ERR_INTERRUPTED && n_stops(sim) == 1) {
        taken = spl_checkpoint_take(sim);
    }
    spl_checkpoint_finish(sim);
    const spl_status ended = spl_results_finish(
        sim->output, sim, code_of(status), message != NULL ? message : "");
    if (status == SPL_OK) {
        status = ended;
    } else if (status == SPL_ERR_INTERRUPTED && ended != SPL_OK) {
        status = ended;
    } else if (taken != SPL_OK) {
        status = taken;
    } else if (message != NULL) {
        spl_error(status, "%s", message);
    }
    free(message);
    return add_advice(sim, status);
}

/* The last rows to who asked for them, piece by piece. */
static spl_status show_last_rows(const spl_sim *sim)
{
    enum { PIECE_BYTES = 1 << 18 };
    spl_status status = SPL_OK;
    const size_t m = sim->last_monitor;
    const size_t n_variables = sim->settings.monitors[m].n_variables;
    const uint64_t end = spl_monitor_rows(sim->monitors[m], spl_sim_steps_done(sim));
    spl_monitor_shape shape;
    spl_monitor_describe(sim->monitors[m], &shape);
    const size_t row_values = n_variables * shape.width;
    const size_t fitting = PIECE_BYTES / (row_values * sizeof(double));
    const size_t piece = fitting > 0 ? fitting : 1;
    double *values = calloc(piece, row_values * sizeof *values);
    if (values == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: the last rows of %s",
            sim->settings.monitors[m].name);
    }
    for (uint64_t row = end > sim->n_last ? end - sim->n_last : 0; row < end;) {
        const size_t n_rows = end - row < piece ? (size_t)(end - row) : piece;
        for (size_t v = 0; v < n_variables; v++) {
            SPL_TRY(spl_output_read_rows(
                sim->output, m, v, row, n_rows, values + v * n_rows * shape.width));
        }
        const spl_frame frame = {.monitor = m,
            .name = sim->settings.monitors[m].name,
            .first_row = row,
            .n_rows = n_rows,
            .n_variables = n_variables,
            .width = shape.width,
            .values = values};
        SPL_TRY(sim->last_sink(sim->last_user, &frame));
        row += n_rows;
    }
out:
    free(values);
    return status;
}

/* The reason of the run's end stays the last error. */
static spl_status end_with_last_rows(const spl_sim *sim, spl_status status)
{
    char *message = status != SPL_OK ? spl_strdup(spl_last_error()) : NULL;
    const spl_status shown = show_last_rows(sim);
    if (shown != SPL_OK && message != NULL) {
        spl_error(status, "%s", message);
    }
    free(message);
    return status != SPL_OK ? status : shown;
}

/* Integrate what is left and end the results file. */
static spl_status run_to_end(spl_sim *sim)
{
    const double begin_s = spl_now();
    sim->first_step = spl_sim_steps_done(sim);
    sim->create_s = begin_s - sim->start_s;
    sim->next_checkpoint_s = begin_s + sim->settings.checkpoint_every;
    sim->stop_s = sim->start_s + sim->settings.stop_after;
    spl_status status = advance_to(sim, sim->settings.n_steps);
    sim->integrate_s = spl_now() - begin_s;
    sim->wall_s = spl_now() - sim->start_s;
    if (sim->output != NULL) {
        status = end_output(sim, status);
    }
    sim->status = status;
    if (sim->report != NULL) {
        report(sim, spl_sim_steps_done(sim));
    }
    sim->wall_s = spl_now() - sim->start_s;
    if (sim->output != NULL && sim->last_sink != NULL &&
        (status == SPL_OK || status == SPL_ERR_INTERRUPTED)) {
        status = end_with_last_rows(sim, status);
    }
    return status;
}

spl_status spl_sim_run(
    spl_sim *sim, const char *command_line, spl_sim_report *report_to, void *user)
{
    spl_status status = SPL_OK;
    spl_output_spec *spec = NULL;
    if (sim->ran || spl_sim_steps_done(sim) > 0) {
        return spl_error(SPL_ERR_ARGUMENT, "this run has begun; create a new one");
    }
    sim->ran = true;
    sim->report = report_to;
    sim->report_user = user;
    sim->start_s = spl_now();
    SPL_TRY(spl_branch_begin(sim));
    if (sim->settings.output != NULL) {
        SPL_TRY(spl_results_spec_create(&spec, sim, command_line));
        SPL_TRY(spl_checkpoint_prepare(sim, spec));
        SPL_TRY(spl_output_create(&sim->output, spec));
    }
    SPL_TRY(run_to_end(sim));
out:
    spl_results_spec_free(spec);
    spl_output_free(sim->output);
    sim->output = NULL;
    return status;
}

spl_status spl_sim_resume(spl_sim *sim, const char *command_line, bool accept_change,
    spl_sim_report *report_to, void *user)
{
    spl_status status = SPL_OK;
    bool done = false;
    if (sim->ran || spl_sim_steps_done(sim) > 0) {
        return spl_error(SPL_ERR_ARGUMENT, "this run has begun; create a new one");
    }
    if (sim->settings.output == NULL) {
        return spl_error(
            SPL_ERR_ARGUMENT, "output.file is empty; name the results file to go on in");
    }
    sim->ran = true;
    sim->report = report_to;
    sim->report_user = user;
    sim->start_s = spl_now();
    SPL_TRY(spl_resume_open(sim, command_line, accept_change, &done));
    if (!done) {
        SPL_TRY(run_to_end(sim));
    }
out:
    spl_output_free(sim->output);
    sim->output = NULL;
    return status;
}
