/* validate - check everything, run nothing. */
#include "preview.h"
#include "talk.h"
#include "tool.h"

static int run(const tool_arguments *arguments)
{
    const char *file = arguments->n_operands > 0 ? arguments->operands[0] : NULL;
    spl_status status = SPL_OK;
    spl_config *config = NULL;
    spl_connectome *connectome = NULL;
    spl_sim *sim = NULL;
    if (argument_of(arguments, "quiet") != NULL) {
        talk_quiet();
    }
    TOOL_TRY(input_configure(&config, NULL, arguments, file, false));
    TOOL_TRY(spl_config_connectome(config, &connectome));
    TOOL_TRY(spl_sim_create(&sim, config, connectome));
    TOOL_TRY(preview(config, connectome, sim));
out:
    if (status != SPL_OK) {
        report_error(status);
    }
    spl_sim_free(sim);
    spl_connectome_free(connectome);
    spl_config_free(config);
    return exit_code_of(status);
}

static const tool_option options[] = {
    {"threads", 0, "N", "simulation.threads", "number of threads, 0 = automatic"},
    OPTION_SET,
    OPTION_QUIET,
    OPTION_HELP,
};

const tool_verb verb_validate = {
    .name = "validate",
    .operands = "[CONFIG.yaml | CONNECTOME | RESULTS.h5]",
    .n_operands = 1,
    .summary = "check configuration and inputs, run nothing",
    .page =
        "Read configuration and connectome, resolve and check every setting, and make "
        "the network as 'splenium run' would with the same arguments. Prints the "
        "resolved configuration on standard output as JSON, itself valid input; and "
        "on standard error what a run would take: memory, size of the results file, "
        "and time, from some real steps. Nothing is written. 'splenium explain' lists "
        "the configuration keys.",
    .examples = "  splenium validate rest76.yaml\n"
                "  splenium validate rest76.yaml --set model.d_V=0.6 >resolved.json",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
