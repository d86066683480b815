/* run - one simulation, from a connectome to a results file. */
#include "preview.h"
#include "simulate.h"
#include "talk.h"

static int run(const tool_arguments *arguments)
{
    const char *file = arguments->n_operands > 0 ? arguments->operands[0]
                                                 : argument_of(arguments, "from");
    const char *form = argument_of(arguments, "progress");
    spl_status status = SPL_OK;
    tool_run parts = {0};
    tool_progress progress;
    if (argument_of(arguments, "quiet") != NULL) {
        talk_quiet();
    }
    if (!progress_start(&progress, form, talk_is_quiet())) {
        talk_error("--progress '%s' is not one of: auto | plain | json | none", form);
        return EXIT_USAGE;
    }
    TOOL_TRY(input_configure(&parts.config, NULL, arguments, file, false));
    TOOL_TRY(input_limit_hours(parts.config, argument_of(arguments, "max-hours")));
    TOOL_TRY(spl_config_connectome(parts.config, &parts.connectome));
    TOOL_TRY(spl_sim_create(&parts.sim, parts.config, parts.connectome));
    if (argument_of(arguments, "dry-run") != NULL) {
        TOOL_TRY(preview(parts.config, parts.connectome, parts.sim));
    } else {
        TOOL_TRY(simulate(&parts, arguments, &progress));
    }
out:
    if (status != SPL_OK) {
        report_error(status);
    }
    simulate_deinit(&parts);
    return exit_code_of(status);
}

static const tool_option options[] = {
    {"output", 'o', "OUT.h5", "output.file", "results file; '' for none"},
    {"from", 0, "FILE", "simulation.from",
        "begin in the state of another run: a checkpoint (NAME.ckpt) or a results file; "
        "without an operand its configuration is taken as well"},
    {"force", 0, NULL, "output.force", "replace an existing results file"},
    {"threads", 0, "N", "simulation.threads", "number of threads, 0 = automatic"},
    {"checkpoint-every", 0, "TIME", "output.checkpoint_every",
        "wall-clock time between two checkpoints, from which 'splenium resume' goes on"},
    OPTION_MAX_HOURS,
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
        "at any moment. SIGINT (Ctrl-C), SIGTERM, SIGUSR1 or --max-hours end the run at "
        "the next block with everything recorded so far in the file and a checkpoint "
        "beside it; 'splenium resume' goes on from there, as it does after a crash. A "
        "second signal ends the run without the checkpoint, a third at once. At the end, "
        "a summary of the run is printed on standard output.",
    .examples =
        "  splenium run\n"
        "  splenium run connectivity_76.zip -o rest76.h5\n"
        "  splenium run rest76.yaml --set model.d_V=0.6 --set 'simulation.duration=60 "
        "s'\n"
        "  splenium run results.h5 -o again.h5\n"
        "  splenium run --from results.h5 -o lesion.h5 --set coupling.a=0.1",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .lists_keys = true,
    .run = run,
};
