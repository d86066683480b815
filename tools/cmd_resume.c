/* resume - go on with a run that was interrupted or killed, or make it longer. */
#include "simulate.h"
#include "talk.h"

static spl_status configure(spl_config **out, const tool_arguments *arguments)
{
    spl_status status = SPL_OK;
    spl_results_info *info = NULL;
    const char *file = arguments->operands[0];
    /* refuses what is no results file with the reason */
    TOOL_TRY(spl_results_describe(file, &info));
    TOOL_TRY(spl_config_load(out, file));
    TOOL_TRY(spl_config_set(*out, "output.file", file));
    for (size_t i = 0; i < arguments->n_settings; i++) {
        TOOL_TRY(spl_config_set(
            *out, arguments->settings[i].key, arguments->settings[i].value));
    }
    TOOL_TRY(input_limit_hours(*out, argument_of(arguments, "max-hours")));
out:
    spl_results_free(info);
    return status == SPL_ERR_NOT_FOUND ? SPL_ERR_FORMAT : status;
}

static int run(const tool_arguments *arguments)
{
    const char *form = argument_of(arguments, "progress");
    spl_status status = SPL_OK;
    tool_run parts = {.resumes = true};
    tool_progress progress;
    if (argument_of(arguments, "quiet") != NULL) {
        talk_quiet();
    }
    if (arguments->n_operands == 0) {
        talk_error("no results file given; see splenium resume --help");
        return EXIT_USAGE;
    }
    if (!progress_start(&progress, form, talk_is_quiet())) {
        talk_error("--progress '%s' is not one of: auto | plain | json | none", form);
        return EXIT_USAGE;
    }
    TOOL_TRY(configure(&parts.config, arguments));
    TOOL_TRY(spl_config_connectome(parts.config, &parts.connectome));
    TOOL_TRY(spl_sim_create(&parts.sim, parts.config, parts.connectome));
    TOOL_TRY(simulate(&parts, arguments, &progress));
out:
    if (status != SPL_OK) {
        report_error(status);
    }
    simulate_deinit(&parts);
    return exit_code_of(status);
}

static const tool_option options[] = {
    {"threads", 0, "N", "simulation.threads", "number of threads, 0 = automatic"},
    {"checkpoint-every", 0, "TIME", "output.checkpoint_every",
        "wall-clock time between two checkpoints"},
    OPTION_MAX_HOURS,
    OPTION_SET,
    {"accept-change", 0, NULL, NULL,
        "overwrite stored rows that this machine computes differently"},
    {"progress", 0, "FORM", NULL, "how to show progress, see splenium run --help"},
    {"json", 0, NULL, NULL, "print the summary at the end as JSON"},
    OPTION_QUIET,
    {"verbose", 'v', NULL, NULL, "a start line with compiler, libraries and engine"},
    OPTION_HELP,
};

const tool_verb verb_resume = {
    .name = "resume",
    .operands = "RESULTS.h5",
    .n_operands = 1,
    .summary = "go on with a run that was interrupted or killed",
    .page =
        "Go on in a results file where the newest checkpoint beside it stands. The "
        "finished file holds the same bits as that of a run which was never interrupted, "
        "whatever the number of threads or the kind of processor before and after. Rows "
        "that were there already are compared with those that come again.\n"
        "\n"
        "Settings are those of the run. --set takes simulation.threads, simulation.block "
        "and output.*, which change no result, and a longer simulation.duration, which "
        "extends the run, also a complete one. For other changes begin a new run: "
        "'splenium run'.\n"
        "\n"
        "A run that ended in good order needs nothing; what a killed one left beside it "
        "is deleted.",
    .examples = "  splenium resume rest76.h5\n"
                "  splenium resume rest76.h5 --threads 4 --max-hours 11.5\n"
                "  splenium resume rest76.h5 --set 'simulation.duration=600 s'",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
