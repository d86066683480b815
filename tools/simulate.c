/* Doing a run and telling about it, for the verbs that do one. */
#include "simulate.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "json.h"
#include "signals.h"
#include "summary.h"
#include "talk.h"

enum { MOST_POPULATIONS = 16 };

static void say_start(const spl_sim_info *info, bool verbose)
{
    spl_build_info build;
    spl_build_describe(&build);
    if (verbose) {
        talk_note("version %s, %s, target %s of %s, %s core %s, HDF5 %s, %d thread%s, %s "
                  "engine, %s",
            build.version, build.compiler, info->target, build.targets, build.blas,
            build.blas_core, build.hdf5_version, info->threads,
            info->threads == 1 ? "" : "s", info->engine, info->path);
    } else {
        talk_note("version %s, target %s, BLAS core %s, %d thread%s", build.version,
            info->target, build.blas_core, info->threads, info->threads == 1 ? "" : "s");
    }
}

static void print_activity(const summary_values *values)
{
    if (values->monitor == NULL) {
        puts(
            "activity   not summarised: no monitor records the first state of all nodes");
        return;
    }
    printf(
        "activity   mean %s %.4g; dominant frequency ", values->variable, values->mean);
    if (isnan(values->frequency_hz)) {
        fputs("unknown", stdout);
    } else {
        printf("%.4g Hz (+- %.2g)", values->frequency_hz, values->resolution_hz / 2.0);
    }
    if (isnan(values->mean_fc)) {
        fputs("; mean FC undefined\n", stdout);
    } else {
        printf("; mean FC %.3f\n", values->mean_fc);
    }
    fputs("           of monitor ", stdout);
    print_text(stdout, values->monitor);
    printf(", last %.6g s\n", values->span_ms / 1000.0);
}

/* Neurons and what they did; a long list is cut. */
static void print_populations(const spl_sim *sim)
{
    const size_t n = spl_sim_population_count(sim);
    for (size_t i = 0; i < n && i < MOST_POPULATIONS; i++) {
        spl_sim_population population;
        spl_sim_population_at(sim, i, &population);
        fputs("neurons    ", stdout);
        print_text(stdout, population.name);
        printf(": %" PRIu64 " %s", population.size,
            population.excitatory ? "excitatory" : "inhibitory");
        if (*population.region != '\0') {
            fputs(" in ", stdout);
            print_text(stdout, population.region);
        }
        printf("; %" PRIu64 " spikes", population.n_spikes);
        if (!isnan(population.mean_rate_hz)) {
            printf(", mean rate %.4g Hz", population.mean_rate_hz);
        }
        putchar('\n');
    }
    if (n > MOST_POPULATIONS) {
        printf("           and %zu more populations\n", n - MOST_POPULATIONS);
    }
}

static void print_network(const spl_sim_info *info, const spl_sim *sim)
{
    if (info->n_nodes > 0) {
        printf(
            "network    %zu nodes, %zu edges; delays %.4g .. %.4g ms, median %.4g ms\n",
            info->n_nodes, info->n_edges, info->delay_min * info->dt_ms,
            info->delay_max * info->dt_ms, info->delay_median * info->dt_ms);
        printf("model      %s%s%s, coupling %s, %s, dt %.6g ms\n", info->model,
            *info->preset != '\0' ? ", preset " : "", info->preset, info->coupling,
            info->integrator, info->dt_ms);
    }
    print_populations(sim);
}

static void print_summary(const spl_sim *sim, const spl_sim_info *info, double time_ms,
    const summary_values *values)
{
    char bytes[24];
    double asked_ms = (double)info->n_steps * info->dt_ms;
    double begin_ms = (double)info->first_step * info->dt_ms;
    format_bytes(bytes, sizeof bytes, info->output_bytes);
    print_network(info, sim);
    printf("run        %.6g", time_ms / 1000.0);
    if (time_ms < asked_ms * (1.0 - 1e-9)) {
        printf(" of %.6g", asked_ms / 1000.0);
    }
    if (info->first_step > 0) {
        printf(" s, resumed at %.6g s;", begin_ms / 1000.0);
    } else {
        printf(" s simulated");
    }
    printf(" in %.3g s, %.3g x real time\n", info->wall_s,
        (time_ms - begin_ms) / 1000.0 / info->wall_s);
    if (info->n_nodes > 0) {
        print_activity(values);
    }
    fputs("results    ", stdout);
    print_text(stdout, *info->output != '\0' ? info->output : "none");
    printf(*info->output != '\0' ? " (%s)\n" : "\n", bytes);
}

static void write_populations(json_writer *json, const spl_sim *sim)
{
    json_begin(json, "populations", '[');
    for (size_t i = 0; i < spl_sim_population_count(sim); i++) {
        spl_sim_population population;
        spl_sim_population_at(sim, i, &population);
        json_begin(json, NULL, '{');
        json_text(json, "name", population.name);
        json_text(json, "region", population.region);
        json_whole(json, "size", population.size);
        json_flag(json, "excitatory", population.excitatory);
        json_whole(json, "spikes", population.n_spikes);
        json_whole(json, "external_events", population.n_events);
        json_real(json, "mean_rate_hz", population.mean_rate_hz);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_summary(const spl_sim *sim, const spl_sim_info *info, double time_ms,
    const summary_values *values)
{
    json_writer json = {.file = stdout};
    double begin_ms = (double)info->first_step * info->dt_ms;
    json_begin(&json, NULL, '{');
    json_text(&json, "version", spl_version());
    json_whole(&json, "nodes", info->n_nodes);
    json_whole(&json, "edges", info->n_edges);
    json_begin(&json, "delays_ms", '{');
    json_real(&json, "min", info->delay_min * info->dt_ms);
    json_real(&json, "median", info->delay_median * info->dt_ms);
    json_real(&json, "max", info->delay_max * info->dt_ms);
    json_end(&json, '}');
    json_text(&json, "model", info->model);
    json_text(&json, "preset", info->preset);
    json_text(&json, "coupling", info->coupling);
    json_text(&json, "integrator", info->integrator);
    json_text(&json, "engine", info->engine);
    json_text(&json, "precision", info->precision);
    json_text(&json, "target", info->target);
    json_whole(&json, "threads", (uint64_t)info->threads);
    json_real(&json, "dt_ms", info->dt_ms);
    json_real(&json, "asked_ms", (double)info->n_steps * info->dt_ms);
    json_real(&json, "simulated_ms", time_ms);
    json_real(&json, "resumed_at_ms", begin_ms);
    json_real(&json, "wall_s", info->wall_s);
    json_real(&json, "realtime_factor", (time_ms - begin_ms) / 1000.0 / info->wall_s);
    json_whole(&json, "escaped_nodes", info->escaped_nodes);
    json_begin(&json, "activity", '{');
    json_text(&json, "monitor", values->monitor != NULL ? values->monitor : "");
    json_text(&json, "variable", values->variable != NULL ? values->variable : "");
    json_real(&json, "span_ms", values->span_ms);
    json_real(&json, "mean", values->mean);
    json_real(&json, "dominant_frequency_hz", values->frequency_hz);
    json_real(&json, "frequency_resolution_hz", values->resolution_hz);
    json_real(&json, "mean_fc", values->mean_fc);
    json_end(&json, '}');
    write_populations(&json, sim);
    json_text(&json, "output", info->output);
    json_whole(&json, "output_bytes", info->output_bytes);
    json_end(&json, '}');
}

static bool wants_json(const tool_arguments *arguments)
{
    return argument_of(arguments, "json") != NULL;
}

static bool wants_summary(const tool_arguments *arguments)
{
    return wants_json(arguments) || !talk_is_quiet();
}

/* The numbers of a run that ended in good order, on standard output. */
static spl_status summarise(const tool_run *parts, bool as_json)
{
    summary_values values;
    spl_sim_info info;
    double time_ms = spl_sim_time(parts->sim);
    spl_status status = summary_compute(parts->summary, &values);
    spl_sim_describe(parts->sim, &info);
    if (status == SPL_OK && as_json) {
        write_summary(parts->sim, &info, time_ms, &values);
    } else if (status == SPL_OK) {
        print_summary(parts->sim, &info, time_ms, &values);
    }
    fflush(stdout);
    return status;
}

static spl_status integrate(
    tool_run *parts, const tool_arguments *arguments, tool_progress *progress)
{
    spl_sim_info info;
    spl_status status = SPL_OK;
    if (wants_summary(arguments)) {
        status = summary_create(&parts->summary, parts->sim);
        if (status != SPL_OK) {
            return status;
        }
        summary_attach(parts->summary, parts->sim);
    }
    spl_sim_describe(parts->sim, &info);
    say_start(&info, argument_of(arguments, "verbose") != NULL);
    signals_catch(parts->sim);
    if (parts->resumes) {
        status = spl_sim_resume(parts->sim, arguments->command_line,
            argument_of(arguments, "accept-change") != NULL, progress_report, progress);
    } else {
        status =
            spl_sim_run(parts->sim, arguments->command_line, progress_report, progress);
    }
    signals_release();
    progress_end(progress);
    return status;
}

spl_status simulate(
    tool_run *parts, const tool_arguments *arguments, tool_progress *progress)
{
    spl_status status = integrate(parts, arguments, progress);
    spl_sim_info info;
    spl_sim_describe(parts->sim, &info);
    /* a complete file that was resumed has run nothing */
    const bool has_run = status == SPL_OK && info.wall_s > 0.0;
    if ((has_run || status == SPL_ERR_INTERRUPTED) && wants_summary(arguments)) {
        spl_status summary_status = summarise(parts, wants_json(arguments));
        status = status == SPL_OK ? summary_status : status;
    }
    talk_repeat_warnings();
    return status;
}

void simulate_deinit(tool_run *parts)
{
    spl_sim_free(parts->sim);
    summary_free(parts->summary);
    spl_connectome_free(parts->connectome);
    spl_config_free(parts->config);
    *parts = (tool_run){0};
}
