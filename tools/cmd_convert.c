/* convert - copies of results: compressed, trimmed, for other programs. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "talk.h"
#include "tool.h"

static volatile sig_atomic_t interrupted;

static void note_signal(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static bool is_interrupted(void *user)
{
    (void)user;
    return interrupted != 0;
}

/* A signal ends the work in good order: nothing half done stays. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* "gzip1" ... "gzip9"; 0 for anything else. */
static int level_of(const char *word)
{
    return strncmp(word, "gzip", 4) == 0 && word[4] >= '1' && word[4] <= '9' &&
                   word[5] == '\0'
               ? word[4] - '0'
               : 0;
}

/* What the command line asks for. */
typedef struct request {
    const char *operands[3];
    size_t n_operands;
    const char *tvb;
    bool spikes;
    spl_convert_options options;
} request;

/* The level may follow --compress as a word of its own, which is no file then. */
static bool read_level(request *r, const char *given)
{
    r->options.compress = given == NULL ? 0 : *given == '\0' ? 1 : level_of(given);
    for (size_t i = 0; given != NULL && *given == '\0' && i < r->n_operands; i++) {
        const int level = level_of(r->operands[i]);
        if (level > 0) {
            r->options.compress = level;
            r->n_operands--;
            memmove(&r->operands[i], &r->operands[i + 1],
                (r->n_operands - i) * sizeof *r->operands);
            break;
        }
    }
    if (given != NULL && r->options.compress == 0) {
        talk_error("--compress '%s' is not one of gzip1 ... gzip9", given);
        return false;
    }
    return true;
}

static bool read_request(request *r, const tool_arguments *arguments)
{
    for (; r->n_operands < arguments->n_operands; r->n_operands++) {
        r->operands[r->n_operands] = arguments->operands[r->n_operands];
    }
    r->tvb = argument_of(arguments, "tvb");
    r->spikes = argument_of(arguments, "spikes") != NULL;
    r->options.trim = argument_of(arguments, "trim") != NULL;
    r->options.in_place = argument_of(arguments, "in-place") != NULL;
    r->options.force = argument_of(arguments, "force") != NULL;
    r->options.stop = is_interrupted;
    if (!read_level(r, argument_of(arguments, "compress"))) {
        return false;
    }
    const bool copies = !r->spikes && r->tvb == NULL && !r->options.in_place;
    if (r->n_operands == 0) {
        talk_error("no results file given; see splenium convert --help");
    } else if (r->spikes + (r->tvb != NULL) + r->options.in_place > 1) {
        talk_error("--spikes, --tvb and --in-place exclude each other");
    } else if (r->spikes && (r->options.compress > 0 || r->options.trim)) {
        talk_error("--spikes takes neither --compress nor --trim");
    } else if (copies && r->n_operands == 1) {
        talk_error("no name for the copy of %s; give one, or --in-place, --spikes, --tvb",
            r->operands[0]);
    } else if (r->n_operands > (copies || r->spikes ? 2 : 1)) {
        talk_error("unexpected argument '%s'; see splenium convert --help",
            r->operands[r->n_operands - 1]);
    } else {
        return true;
    }
    return false;
}

static double megabytes(const char *path)
{
    struct stat what;
    return stat(path, &what) == 0 ? (double)what.st_size * 1e-6 : 0.0;
}

static spl_status convert(const request *r)
{
    const char *in = r->operands[0];
    const char *out = r->n_operands > 1 ? r->operands[1] : NULL;
    const double before = megabytes(in);
    spl_status status;
    uint64_t n_spikes = 0;
    size_t n_series = 0;
    if (r->spikes) {
        status = spl_convert_spikes(in, out, &r->options, &n_spikes);
        if (status == SPL_OK) {
            talk_note("%llu spikes of %s%s%s", (unsigned long long)n_spikes, in,
                out != NULL ? ", in " : "", out != NULL ? out : "");
        }
    } else if (r->tvb != NULL) {
        status = spl_convert_tvb(in, r->tvb, &r->options, &n_series);
        if (status == SPL_OK) {
            talk_note(
                "a connectivity and %zu time series of %s, in %s", n_series, in, r->tvb);
        }
    } else {
        status = spl_convert(in, out, &r->options);
        out = out != NULL ? out : in;
        if (status == SPL_OK) {
            talk_note("%s: %.2f MB of %.2f MB, compared with %s", out, megabytes(out),
                before, in);
        }
    }
    return status;
}

static int run(const tool_arguments *arguments)
{
    request r = {.n_operands = 0};
    if (argument_of(arguments, "quiet") != NULL) {
        talk_quiet();
    }
    if (!read_request(&r, arguments)) {
        return EXIT_USAGE;
    }
    catch_signals();
    const spl_status status = convert(&r);
    return status == SPL_OK ? EXIT_DONE : report_error(status);
}

static const tool_option options[] = {
    {"compress", 0, "[=gzipN]", NULL,
        "chunks of rows, shuffled and deflated, N 1 to 9; gzip1 if left out, higher "
        "levels gain little"},
    {"trim", 0, NULL, NULL,
        "leave out the rows that are not durable: those that an interrupted or killed "
        "run has not reached. Also copies a run that goes on"},
    {"spikes", 0, NULL, NULL,
        "write NAME.spikes.h5, or OUT, from the spike journal of a run that was "
        "interrupted or killed"},
    {"tvb", 0, "DIR", NULL,
        "export connectome and monitors for The Virtual Brain into the folder DIR"},
    {"in-place", 0, NULL, NULL, "replace RESULTS.h5 by its copy"},
    {"force", 0, NULL, NULL,
        "replace existing files; with --in-place also a run that could be resumed"},
    OPTION_QUIET,
    OPTION_HELP,
};

const tool_verb verb_convert = {
    .name = "convert",
    .operands = "RESULTS.h5 [OUT.h5]",
    .n_operands = 3,
    .summary = "copy results: compressed, trimmed, for TVB",
    .page =
        "Copy a results file with everything in it. RESULTS.h5 is only read, unless "
        "--in-place is given; its rows are compared with their checksums on the way. The "
        "copy is written as OUT.h5.tmp, read back, compared bit for bit with the "
        "original, brought to the disk, then renamed: under its own name it is whole or "
        "not there, and a failure leaves nothing behind.\n"
        "\n"
        "A copy is a results file for info, verify --digest, run and run --from. One "
        "that is compressed or trimmed cannot be resumed; without --compress a copy is "
        "as the run wrote it.\n"
        "\n"
        "Neither journal nor checkpoints are copied or deleted. The spikes of a finished "
        "run are in NAME.spikes.h5 already.",
    .examples = "  splenium convert rest76.h5 small.h5 --compress\n"
                "  splenium convert killed.h5 part.h5 --trim --compress gzip4\n"
                "  splenium convert killed.h5 --spikes\n"
                "  splenium convert rest76.h5 --tvb for_tvb",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
