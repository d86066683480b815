/* verify - is a results file what it should be? */
#include <stdio.h>

#include "talk.h"
#include "tool.h"

static int run(const tool_arguments *arguments)
{
    char digest[65];
    if (arguments->n_operands == 0) {
        talk_error("no results file given; see splenium verify --help");
        return EXIT_USAGE;
    }
    spl_status status = spl_results_digest(arguments->operands[0], digest);
    if (status == SPL_ERR_NOT_FOUND) {
        status = SPL_ERR_FORMAT;
    }
    if (status != SPL_OK) {
        return report_error(status);
    }
    puts(digest);
    return EXIT_DONE;
}

static const tool_option options[] = {
    {"digest", 0, NULL, NULL, "print SHA-256 over the results; the default"},
    OPTION_HELP,
};

const tool_verb verb_verify = {
    .name = "verify",
    .operands = "RESULTS.h5",
    .n_operands = 1,
    .summary = "compare results by a hash",
    .page =
        "Print SHA-256 over all datasets of a results file but /config and /performance, "
        "which say how it was made. Two files with the same digest hold the same "
        "results.",
    .examples = "  splenium verify --digest rest76.h5",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
