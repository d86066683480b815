/* verify - is a results file what it should be? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "state.h"
#include "talk.h"
#include "tool.h"

/* What the findings go to. */
typedef struct report {
    json_writer *json; /* NULL: lines of text */
    size_t n_damage, n_notes;
} report;

static void tell(void *user, const spl_results_finding *finding)
{
    report *r = user;
    r->n_damage += finding->damage;
    r->n_notes += !finding->damage;
    if (r->json == NULL) {
        fputs(finding->damage ? "damage     " : "note       ", stdout);
        print_text(stdout, finding->text);
        putchar('\n');
        return;
    }
    json_begin(r->json, NULL, '{');
    json_flag(r->json, "damage", finding->damage);
    json_text(r->json, "file", finding->file);
    json_text(r->json, "dataset", finding->dataset);
    if (finding->row != SPL_RESULTS_NO_ROW) {
        json_whole(r->json, "row", finding->row);
    }
    json_text(r->json, "text", finding->text);
    json_end(r->json, '}');
}

static void print_stream(const spl_results_stream *stream)
{
    fputs("rows       ", stdout);
    print_text(stdout, stream->name);
    printf(": %" PRIu64 " of %" PRIu64 " rows of ", stream->n_durable, stream->n_rows);
    print_text(stdout, stream->variables);
    if (stream->n_confirmed == stream->n_durable) {
        fputs("; checksums right\n", stdout);
    } else if (stream->n_confirmed > 0) {
        printf("; checksums right up to row %" PRIu64 "\n", stream->n_confirmed - 1);
    } else {
        fputs("; none confirmed by a checksum\n", stdout);
    }
}

static void print_verdict(const report *r, const char *path, const spl_results_info *info)
{
    for (size_t s = 0; info != NULL && s < info->n_streams; s++) {
        print_stream(&info->streams[s]);
    }
    if (info != NULL) {
        state_print(path, state_of(info->status, info->live), info->message, info->step,
            info->copy);
    }
    fputs("verdict    ", stdout);
    print_text(stdout, path);
    if (r->n_damage > 0) {
        printf(": damaged, %zu finding%s\n", r->n_damage, r->n_damage > 1 ? "s" : "");
    } else {
        fputs(": good\n", stdout);
    }
}

static void write_verdict(json_writer *json, bool good, const spl_results_info *info)
{
    json_flag(json, "good", good);
    if (info == NULL) {
        return;
    }
    const char *state = state_of(info->status, info->live);
    json_text(json, "state", state);
    json_text(json, "message", info->message);
    json_text(json, "copy", info->copy);
    json_whole(json, "step", info->step);
    json_flag(json, "can_resume", state_can_resume(state, info->copy));
    json_begin(json, "streams", '[');
    for (size_t s = 0; s < info->n_streams; s++) {
        const spl_results_stream *stream = &info->streams[s];
        json_begin(json, NULL, '{');
        json_text(json, "name", stream->name);
        json_text(json, "variables", stream->variables);
        json_whole(json, "rows", stream->n_rows);
        json_whole(json, "durable", stream->n_durable);
        json_whole(json, "confirmed", stream->n_confirmed);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static spl_status check(const char *path, bool as_json, bool quiet, size_t *n_damage)
{
    json_writer json = {.file = stdout};
    report r = {.json = as_json ? &json : NULL};
    spl_results_info *info = NULL;
    if (as_json) {
        json_begin(&json, NULL, '{');
        json_text(&json, "file", path);
        json_begin(&json, "findings", '[');
    }
    const spl_status status = spl_results_check(path, tell, &r, &info);
    if (as_json) {
        json_end(&json, ']');
        write_verdict(&json, status == SPL_OK && r.n_damage == 0, info);
        json_end(&json, '}');
    } else if (status == SPL_OK && !quiet) {
        print_verdict(&r, path, info);
    }
    spl_results_free(info);
    *n_damage = r.n_damage;
    return status;
}

static int run(const tool_arguments *arguments)
{
    char digest[65];
    size_t n_damage = 0;
    if (arguments->n_operands == 0) {
        talk_error("no results file given; see splenium verify --help");
        return EXIT_USAGE;
    }
    const bool digest_alone = argument_of(arguments, "digest") != NULL;
    spl_status status =
        digest_alone
            ? spl_results_digest(arguments->operands[0], digest)
            : check(arguments->operands[0], argument_of(arguments, "json") != NULL,
                  argument_of(arguments, "quiet") != NULL, &n_damage);
    if (status == SPL_ERR_NOT_FOUND) {
        status = SPL_ERR_FORMAT;
    }
    if (status != SPL_OK) {
        return report_error(status);
    }
    if (digest_alone) {
        puts(digest);
    }
    return n_damage > 0 ? EXIT_BAD_DATA : EXIT_DONE;
}

static const tool_option options[] = {
    {"digest", 0, NULL, NULL,
        "check nothing; print SHA-256 over all datasets but /config and /performance, "
        "which say how the file was made. Files with the same digest hold the same "
        "results"},
    OPTION_JSON,
    {"quiet", 'q', NULL, NULL, "print findings only"},
    OPTION_HELP,
};

const tool_verb verb_verify = {
    .name = "verify",
    .operands = "RESULTS.h5",
    .n_operands = 1,
    .summary = "check a results file, or hash it",
    .page =
        "Check a results file and what lies beside it, whatever became of the run: that "
        "every dataset is there, inside the file and apart from the others; both slots "
        "of /progress, which say how many rows are on the disk; CRC-32C of each complete "
        "block of these rows; that state, rows and message fit each other; the state at "
        "the end; the checkpoints NAME.ckpt and NAME.ckpt.prev; the journal of the "
        "spikes NAME.spk or their file NAME.spikes.h5.\n"
        "\n"
        "Prints a line for each finding, with the dataset and its first bad rows, then "
        "the rows of each monitor, how the run stands and the command that goes on with "
        "it. 'damage' is what no crash leaves: somebody or the disk has changed the "
        "file. 'note' is what a killed run may leave; resume copes with it. 'killed' is "
        "a run that says it is running although nobody writes its file.\n"
        "\n"
        "Reads all that is durable, once, in pieces. The run may go on meanwhile: it is "
        "not disturbed. Rows behind the last complete block, texts, the connectome and "
        "the parameters have no checksums. Nothing is changed or repaired. Exit status "
        "0: good; 65: there was damage.",
    .examples = "  splenium verify rest76.h5\n"
                "  splenium verify rest76.h5 --json\n"
                "  splenium verify --digest rest76.h5",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
