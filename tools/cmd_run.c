/* run - one simulation, from a connectome to a results file. */
#include <math.h>
#include <signal.h>
#include <string.h>

#include "json.h"
#include "preview.h"
#include "progress.h"
#include "summary.h"
#include "talk.h"
#include "tool.h"

/* What a run is made of; all of it is freed at the end, whatever happened. */
typedef struct run_parts {
    spl_config *config;
    spl_connectome *connectome;
    spl_sim *sim;
    tool_summary *summary;
} run_parts;

/* The run that SIGINT and SIGTERM end. */
static spl_sim *volatile running;
static volatile sig_atomic_t n_signals;

/* The first signal asks the run to end in good order, the second one kills. */
static void stop(int signal_number)
{
    spl_sim *sim = running;
    if (n_signals++ > 0 || sim == NULL) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    } else {
        spl_sim_stop(sim);
    }
}

static void catch_signals(spl_sim *sim)
{
    struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART};
    running = sim;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void release_signals(void)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    running = NULL;
}

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

static void print_summary(
    const spl_sim_info *info, double time_ms, const summary_values *values)
{
    char bytes[24];
    double asked_ms = (double)info->n_steps * info->dt_ms;
    format_bytes(bytes, sizeof bytes, info->output_bytes);
    printf("network    %zu nodes, %zu edges; delays %.4g .. %.4g ms, median %.4g ms\n",
        info->n_nodes, info->n_edges, info->delay_min * info->dt_ms,
        info->delay_max * info->dt_ms, info->delay_median * info->dt_ms);
    printf("model      %s%s%s, coupling %s, %s, dt %.6g ms\n", info->model,
        *info->preset != '\0' ? ", preset " : "", info->preset, info->coupling,
        info->integrator, info->dt_ms);
    printf("run        %.6g", time_ms / 1000.0);
    if (time_ms < asked_ms * (1.0 - 1e-9)) {
        printf(" of %.6g", asked_ms / 1000.0);
    }
    printf(" s simulated in %.3g s, %.3g x real time\n", info->wall_s,
        time_ms / 1000.0 / info->wall_s);
    print_activity(values);
    fputs("results    ", stdout);
    print_text(stdout, *info->output != '\0' ? info->output : "none");
    printf(*info->output != '\0' ? " (%s)\n" : "\n", bytes);
}

static void write_summary(
    const spl_sim_info *info, double time_ms, const summary_values *values)
{
    json_writer json = {.file = stdout};
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
    json_real(&json, "wall_s", info->wall_s);
    json_real(&json, "realtime_factor", time_ms / 1000.0 / info->wall_s);
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
    json_text(&json, "output", info->output);
    json_whole(&json, "output_bytes", info->output_bytes);
    json_end(&json, '}');
}

/* The numbers of a run that ended in good order, on standard output. */
static spl_status summarise(const run_parts *parts, bool as_json)
{
    summary_values values;
    spl_sim_info info;
    double time_ms = spl_sim_time(parts->sim);
    if (!as_json && talk_is_quiet()) {
        return SPL_OK;
    }
    spl_status status = summary_compute(parts->summary, &values);
    spl_sim_describe(parts->sim, &info);
    if (status == SPL_OK && as_json) {
        write_summary(&info, time_ms, &values);
    } else if (status == SPL_OK) {
        print_summary(&info, time_ms, &values);
    }
    fflush(stdout);
    return status;
}

static spl_status simulate(
    run_parts *parts, const tool_arguments *arguments, tool_progress *progress)
{
    spl_sim_info info;
    spl_status status = summary_create(&parts->summary, parts->sim);
    if (status != SPL_OK) {
        return status;
    }
    spl_sim_describe(parts->sim, &info);
    say_start(&info, argument_of(arguments, "verbose") != NULL);
    spl_sim_set_sink(parts->sim, summary_take, parts->summary);
    catch_signals(parts->sim);
    status = spl_sim_run(parts->sim, arguments->command_line, progress_report, progress);
    release_signals();
    progress_end(progress);
    return status;
}

/* After the run: what it recorded, its warnings, and last of all what went wrong. */
static spl_status conclude(
    const run_parts *parts, const tool_arguments *arguments, spl_status status)
{
    if (status == SPL_OK || status == SPL_ERR_INTERRUPTED) {
        spl_status summary_status =
            summarise(parts, argument_of(arguments, "json") != NULL);
        status = status == SPL_OK ? summary_status : status;
    }
    talk_repeat_warnings();
    return status;
}

static int run(const tool_arguments *arguments)
{
    const char *file = arguments->n_operands > 0 ? arguments->operands[0] : NULL;
    const char *form = argument_of(arguments, "progress");
    spl_status status = SPL_OK;
    run_parts parts = {0};
    tool_progress progress;
    if (argument_of(arguments, "quiet") != NULL) {
        talk_quiet();
    }
    if (!progress_start(&progress, form, talk_is_quiet())) {
        talk_error("--progress '%s' is not one of: auto | plain | json | none", form);
        return EXIT_USAGE;
    }
    TOOL_TRY(input_configure(&parts.config, NULL, arguments, file, false));
    TOOL_TRY(spl_config_connectome(parts.config, &parts.connectome));
    TOOL_TRY(spl_sim_create(&parts.sim, parts.config, parts.connectome));
    if (argument_of(arguments, "dry-run") != NULL) {
        TOOL_TRY(preview(parts.config, parts.connectome, parts.sim));
    } else {
        TOOL_TRY(conclude(&parts, arguments, simulate(&parts, arguments, &progress)));
    }
out:
    if (status != SPL_OK) {
        report_error(status);
    }
    spl_sim_free(parts.sim);
    summary_free(parts.summary);
    spl_connectome_free(parts.connectome);
    spl_config_free(parts.config);
    return exit_code_of(status);
}

static const tool_option options[] = {
    {"output", 'o', "OUT.h5", "output.file", "results file; '' for none"},
    {"force", 0, NULL, "output.force", "replace an existing results file"},
    {"threads", 0, "N", "simulation.threads", "number of threads, 0 = automatic"},
    OPTION_SET,
    {"progress", 0, "FORM", NULL,
        "how to show progress on standard error: auto (a bar on a terminal, a line every "
        "10 s elsewhere), plain (lines), json (one object a line), none"},
    {"dry-run", 0, NULL, NULL,
        "check everything, print the resolved configuration and what the run would take, "
        "run nothing"},
    {"json", 0, NULL, NULL, "print the summary at the end as JSON"},
    {"quiet", 'q', NULL, NULL,
        "no start line, no progress, no summary: warnings and errors only"},
    {"verbose", 'v', NULL, NULL, "a start line with compiler, libraries and engine"},
    OPTION_HELP,
};

const tool_verb verb_run = {
    .name = "run",
    .operands = "[CONFIG.yaml | CONNECTOME | RESULTS.h5]",
    .n_operands = 1,
    .summary = "run a simulation and write its results file",
    .page =
        "Run one simulation. The argument is told by its contents: a configuration in "
        "YAML; a connectome (a TVB zip, a folder, .npz, HDF5), on which the "
        "default settings run; or a results file, whose stored configuration runs again. "
        "Without an argument the defaults run on the connectome shipped with the "
        "program.\n"
        "\n"
        "Settings come from the defaults, then the model's preset, then the file, then "
        "the command line, where the last one wins. Relative paths inside a file are "
        "relative to that file, on the command line to the current directory.\n"
        "\n"
        "Rows go to the results file while the run goes on; h5py and xarray can read it "
        "at any moment. SIGINT (Ctrl-C) or SIGTERM end the run at the next block with "
        "everything recorded so far in the file; a second signal ends it at once. At the "
        "end, a summary of the run is printed on standard output.",
    .examples =
        "  splenium run\n"
        "  splenium run connectivity_76.zip -o rest76.h5\n"
        "  splenium run rest76.yaml --set model.d_V=0.6 --set 'simulation.duration=60 "
        "s'\n"
        "  splenium run results.h5 -o again.h5",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .lists_keys = true,
    .run = run,
};
