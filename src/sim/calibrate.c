/* Open-loop calibration of a subnetwork. */
#include "splenium/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "integrate/jobs.h"
#include "sim/sim.h"
#include "spiking/interface.h"
#include "spiking/subnetwork.h"

/* Counts of spikes for the Fano factor are taken over windows of this length. */
static const double FANO_WINDOW_MS = 5.0;
/* The slope of the curve at D* is taken between these fractions of it. */
static const double SLOPE_BELOW = 0.75, SLOPE_ABOVE = 1.25;

static void fill_defaults(spl_calibration_options *options)
{
    static const spl_calibration_options usual = {
        .mean_field_ms = 5000.0,
        .mean_field_skip_ms = 1000.0,
        .open_loop_ms = 4000.0,
        .open_loop_skip_ms = 500.0,
        .n_points = 9,
    };
#define FILL(name) options->name = options->name == 0 ? usual.name : options->name
    FILL(mean_field_ms);
    FILL(mean_field_skip_ms);
    FILL(open_loop_ms);
    FILL(open_loop_skip_ms);
    FILL(n_points);
#undef FILL
}

static spl_status check_options(const spl_calibration_options *options)
{
    if (!(options->mean_field_ms > options->mean_field_skip_ms) ||
        !(options->open_loop_ms > options->open_loop_skip_ms) ||
        options->mean_field_skip_ms < 0.0 || options->open_loop_skip_ms < 0.0) {
        return spl_error(SPL_ERR_ARGUMENT,
            "calibration: a run of %g ms of which %g ms are skipped, or of %g and %g; "
            "leave something to measure",
            options->mean_field_ms, options->mean_field_skip_ms, options->open_loop_ms,
            options->open_loop_skip_ms);
    }
    if (options->n_points < 2 || options->n_points > SPL_CALIBRATION_MAX_POINTS) {
        return spl_error(SPL_ERR_ARGUMENT, "calibration: %zu points; take 2 to %d",
            options->n_points, SPL_CALIBRATION_MAX_POINTS);
    }
    return SPL_OK;
}

static spl_status find_subnetwork(
    const spl_settings *settings, const char *name, size_t *index)
{
    size_t n_hosted = 0;
    for (size_t n = 0; n < settings->n_subnetworks; n++) {
        const spl_subnetwork_spec *spec = &settings->subnetworks[n];
        if (name != NULL && strcmp(spec->name, name) == 0) {
            *index = n;
            return spec->hosted ? SPL_OK
                                : spl_error(SPL_ERR_CONFIG,
                                      "subnetwork %s: no region carries it, so nothing "
                                      "drives it; give it a region",
                                      name);
        }
        if (spec->hosted) {
            *index = n;
            n_hosted++;
        }
    }
    if (name != NULL) {
        return spl_error(SPL_ERR_NOT_FOUND,
            "no subnetwork has the name '%s'; `splenium validate` prints them", name);
    }
    if (n_hosted != 1) {
        return spl_error(SPL_ERR_CONFIG, "%zu subnetworks are carried by a region; %s",
            n_hosted,
            n_hosted == 0 ? "there is nothing to calibrate" : "name one of them");
    }
    return SPL_OK;
}

/* The run without the neurons' answer. */
typedef struct {
    const spl_subnetwork *subnetwork;
    uint64_t skip; /* steps */
    uint64_t n;
    double sum, sum_of_squares;
} drive_sums;

static bool add_drive(void *user, const spl_samples *block)
{
    drive_sums *sums = user;
    const spl_subnetwork_block *last = spl_subnetwork_last(sums->subnetwork);
    (void)block;
    for (size_t s = 0; s < last->n_steps; s++) {
        if (last->first_step + s >= sums->skip) {
            sums->n++;
            sums->sum += last->drive[s];
            sums->sum_of_squares += last->drive[s] * last->drive[s];
        }
    }
    return true;
}

/* No node takes anything from its neurons. */
static void silence(spl_settings *settings)
{
    free(settings->output);
    settings->output = NULL;
    for (size_t n = 0; n < settings->n_subnetworks; n++) {
        spl_interface_spec *interface = &settings->subnetworks[n].interface;
        interface->mode = SPL_MODE_PROBE;
        interface->alpha = 1.0;
        interface->beta = 0.0;
        interface->local_feedback = false;
    }
}

static spl_status measure_drive(spl_calibration *out, spl_sim *sim, size_t index,
    const spl_calibration_options *options)
{
    spl_status status = SPL_OK;
    const double dt = sim->settings.dt;
    drive_sums sums = {
        .subnetwork = sim->engine->jobs[index].subnetwork,
        .skip = (uint64_t)llround(options->mean_field_skip_ms / dt),
    };
    const uint64_t n_steps = (uint64_t)llround(options->mean_field_ms / dt);
    const spl_block_hooks hooks = {.user = &sums, .finish = add_drive};
    spl_divergence where;
    sim->engine->ops->advance(sim->engine, n_steps, &hooks, &where);
    SPL_TRY(spl_jobs_status(sim->engine->jobs, sim->engine->n_subnetworks));
    if (where.happened) {
        SPL_TRY(spl_guard_divergence(sim, &where));
    }
    out->drive = sums.sum / (double)sums.n;
    const double variance =
        sums.sum_of_squares / (double)sums.n - out->drive * out->drive;
    out->drive_sd = sqrt(fmax(variance, 0.0));
out:
    return status;
}

/* Spikes of a run under constant drive. */
typedef struct {
    double n_E, n_I; /* spikes */
    double window;   /* of E in the window under way */
    size_t window_steps, n_windows;
    double sum, sum_of_squares; /* of the counts of whole windows */
} spike_sums;

static void add_step(spike_sums *sums, const spl_subnetwork_spec *spec,
    const spl_subnetwork_block *block, size_t step, double dt, size_t steps_per_window)
{
    for (size_t p = 0; p < spec->n_populations; p++) {
        const spl_population_spec *population = &spec->populations[p];
        const double n = block->populations[p].rate[step] * dt * (double)population->size;
        if (population->excitatory) {
            sums->n_E += n;
            sums->window += n;
        } else {
            sums->n_I += n;
        }
    }
    if (++sums->window_steps == steps_per_window) {
        sums->sum += sums->window;
        sums->sum_of_squares += sums->window * sums->window;
        sums->n_windows++;
        sums->window = 0.0;
        sums->window_steps = 0;
    }
}

static size_t n_neurons(const spl_subnetwork_spec *spec, bool excitatory)
{
    size_t n = 0;
    for (size_t p = 0; p < spec->n_populations; p++) {
        n +=
            spec->populations[p].excitatory == excitatory ? spec->populations[p].size : 0;
    }
    return n;
}

static double fano_of(const spike_sums *sums)
{
    const double mean = sums->sum / (double)sums->n_windows;
    return (sums->sum_of_squares / (double)sums->n_windows - mean * mean) / mean;
}

/* What the curve is measured with. */
typedef struct {
    spl_subnetwork *subnetwork;
    const spl_subnetwork_spec *spec;
    const spl_calibration_options *options;
    double dt, Q_max;
} open_loop;

static spl_status measure_point(
    const open_loop *loop, double D, spl_calibration_point *point)
{
    enum { STEPS = 16 };
    spl_status status = SPL_OK;
    const spl_interface_spec *interface = &loop->spec->interface;
    const uint64_t skip = (uint64_t)llround(loop->options->open_loop_skip_ms / loop->dt);
    const uint64_t end = (uint64_t)llround(loop->options->open_loop_ms / loop->dt);
    const size_t steps_per_window = (size_t)fmax(1.0, round(FANO_WINDOW_MS / loop->dt));
    const spl_team alone = {.count = 1};
    double drive[STEPS];
    spike_sums sums = {0};
    for (size_t s = 0; s < STEPS; s++) {
        drive[s] = D;
    }
    spl_subnetwork_reset(loop->subnetwork);
    for (uint64_t k = 0; k < end; k += STEPS) {
        const size_t n = end - k < STEPS ? (size_t)(end - k) : STEPS;
        spl_subnetwork_begin(loop->subnetwork);
        SPL_TRY(spl_subnetwork_advance(loop->subnetwork, k, n, drive, NULL, &alone));
        const spl_subnetwork_block *block = spl_subnetwork_last(loop->subnetwork);
        for (size_t s = 0; s < block->n_steps; s++) {
            if (k + s >= skip) {
                add_step(&sums, loop->spec, block, s, loop->dt, steps_per_window);
            }
        }
    }
    const double time_s = (double)(end - skip) * loop->dt * 1e-3;
    const size_t n_I = n_neurons(loop->spec, false);
    *point = (spl_calibration_point){
        .drive = D,
        .nu = interface->nu0 + interface->K_ext * interface->r_max * D / loop->Q_max,
        .rate_E_hz = sums.n_E / (double)n_neurons(loop->spec, true) / time_s,
        .rate_I_hz = n_I > 0 ? sums.n_I / (double)n_I / time_s : NAN,
        .fano = sums.sum > 0.0 ? fano_of(&sums) : NAN,
    };
out:
    return status;
}

static spl_status measure_curve(spl_calibration *out, const open_loop *loop)
{
    spl_status status = SPL_OK;
    spl_calibration_point below;
    spl_calibration_point above;
    SPL_TRY(measure_point(loop, out->drive, &out->at_drive));
    if (!(out->at_drive.rate_E_hz > 0.0)) {
        SPL_FAIL(SPL_ERR_CONFIG,
            "subnetwork %s: no neuron fires at the mean drive of %.3g (%.3g external "
            "events per ms); make J or K_ext larger",
            out->subnetwork, out->drive, out->at_drive.nu);
    }
    SPL_TRY(measure_point(loop, SLOPE_BELOW * out->drive, &below));
    SPL_TRY(measure_point(loop, SLOPE_ABOVE * out->drive, &above));
    out->gain = (above.rate_E_hz - below.rate_E_hz) /
                ((SLOPE_ABOVE - SLOPE_BELOW) * out->at_drive.rate_E_hz);
    out->n_points = loop->options->n_points;
    for (size_t i = 0; i < out->n_points; i++) {
        const double D = 2.0 * out->drive * (double)i / (double)(out->n_points - 1);
        SPL_TRY(measure_point(loop, D, &out->points[i]));
    }
out:
    return status;
}

static void conclude(spl_calibration *out, const open_loop *loop)
{
    const spl_interface_spec *interface = &loop->spec->interface;
    const double product = interface->K_ext * interface->r_max;
    const double rate = 1e-3 * out->at_drive.rate_E_hz;
    out->r_max_khz = rate * loop->Q_max / out->drive;
    out->K_ext = product / out->r_max_khz;
    out->tau_f_ms = interface->tau_f;
    out->noise = spl_interface_noise(
        interface, n_neurons(loop->spec, true), rate, out->at_drive.fano);
}

spl_status spl_calibrate(spl_calibration *out, const spl_config *config,
    spl_connectome *connectome, const spl_calibration_options *given)
{
    spl_status status = SPL_OK;
    spl_calibration_options options =
        given != NULL ? *given : (spl_calibration_options){0};
    spl_sim *sim = NULL;
    open_loop loop = {0};
    size_t index = 0;
    *out = (spl_calibration){0};
    fill_defaults(&options);
    SPL_TRY(check_options(&options));
    SPL_TRY(spl_sim_create_changed(&sim, config, connectome, silence));
    SPL_TRY(find_subnetwork(&sim->settings, options.subnetwork, &index));
    const spl_subnetwork_spec *spec = &sim->settings.subnetworks[index];
    snprintf(out->subnetwork, sizeof out->subnetwork, "%s", spec->name);
    snprintf(out->region, sizeof out->region, "%s",
        spl_connectome_label(connectome, spec->node));
    SPL_TRY(measure_drive(out, sim, index, &options));
    if (!(out->drive > 0.0)) {
        SPL_FAIL(SPL_ERR_CONFIG,
            "subnetwork %s: the mean drive of region %s is %.3g; without drive there is "
            "nothing to calibrate, check coupling, kc and kl",
            out->subnetwork, out->region, out->drive);
    }
    /* the run has made it already, with the region's Q_max */
    loop = (open_loop){
        .subnetwork = sim->engine->jobs[index].subnetwork,
        .spec = spec,
        .options = &options,
        .dt = sim->settings.dt,
        .Q_max = spl_subnetwork_Q_max(sim->engine->jobs[index].subnetwork),
    };
    SPL_TRY(measure_curve(out, &loop));
    conclude(out, &loop);
out:
    spl_sim_free(sim);
    return status;
}
