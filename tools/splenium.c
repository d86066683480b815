/* splenium - the command. It is a client of the public headers and nothing more. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "talk.h"
#include "tool.h"
#include "verb_list.h"

#define DECLARE(name) extern const tool_verb verb_##name;
TOOL_VERB_LIST(DECLARE)

#define ADDRESS(name) &verb_##name,
static const tool_verb *const verbs[] = {TOOL_VERB_LIST(ADDRESS)};
enum { N_VERBS = sizeof verbs / sizeof *verbs, MAX_STATUSES = 4, SUMMARY_COLUMN = 14 };

/* From status groups to exit codes; --help prints it. */
static const struct {
    int code;
    const char *when;
    spl_status statuses[MAX_STATUSES]; /* ends with SPL_OK, the row of which is first */
} exits[] = {
    {EXIT_DONE, "done", {SPL_OK}},
    {EXIT_USAGE, "usage: unknown verb, option or name, --set that cannot be used",
        {SPL_ERR_USAGE, SPL_ERR_ARGUMENT, SPL_ERR_NOT_FOUND, SPL_ERR_UNSUPPORTED}},
    {EXIT_BAD_DATA, "bad input: configuration, connectome, results file",
        {SPL_ERR_FORMAT, SPL_ERR_CONFIG, SPL_ERR_CONNECTOME, SPL_ERR_LIMIT}},
    {EXIT_NO_INPUT, "input missing or not readable",
        {SPL_ERR_FILE_MISSING, SPL_ERR_FILE_READ}},
    {EXIT_INTERNAL, "internal error, out of memory",
        {SPL_ERR_INTERNAL, SPL_ERR_NO_MEMORY}},
    {EXIT_NO_OUTPUT, "cannot create the output: exists, no such folder, no permission",
        {SPL_ERR_FILE_CREATE}},
    {EXIT_IO, "error while writing, disk full, before or during the run",
        {SPL_ERR_FILE_WRITE, SPL_ERR_DISK_FULL}},
    {EXIT_INTERRUPTED, "interrupted; what was recorded is in the results file",
        {SPL_ERR_INTERRUPTED}},
    {EXIT_DIVERGED, "the simulation diverged; the message names node and time",
        {SPL_ERR_DIVERGED}},
};
enum { N_EXITS = sizeof exits / sizeof *exits };

int exit_code_of(spl_status status)
{
    for (size_t row = 0; row < N_EXITS; row++) {
        for (size_t i = 0; i < MAX_STATUSES; i++) {
            if (exits[row].statuses[i] == status && (status != SPL_OK || row == 0)) {
                return exits[row].code;
            }
        }
    }
    return EXIT_INTERNAL;
}

int report_error(spl_status status)
{
    const char *message = spl_last_error();
    talk_error("%s", *message != '\0' ? message : spl_strerror(status));
    return exit_code_of(status);
}

static void print_exits(FILE *file)
{
    fputs("\nExit status:\n", file);
    for (size_t i = 0; i < N_EXITS; i++) {
        fprintf(file, "  %2d  %s\n", exits[i].code, exits[i].when);
    }
}

static void print_overview(FILE *file)
{
    fputs("Splenium simulates whole-brain networks.\n\nUsage:\n", file);
    for (size_t i = 0; i < N_VERBS; i++) {
        int column = fprintf(file, "  splenium %s", verbs[i]->name);
        fprintf(file, "%*s %s\n", SUMMARY_COLUMN + 8 - column, "", verbs[i]->summary);
    }
    fputs("  splenium VERB --help    everything about a verb\n"
          "  splenium --version [--json]\n",
        file);
    print_exits(file);
}

static void print_page(const tool_verb *verb)
{
    printf("Usage: splenium %s [OPTION]...%s%s\n\n", verb->name,
        *verb->operands != '\0' ? " " : "", verb->operands);
    print_wrapped(stdout, 0, 0, verb->page);
    printf("\nOptions:\n");
    print_options(stdout, verb->options, verb->n_options);
    if (verb->lists_keys) {
        printf("\nConfiguration keys, for --set and configuration files:\n");
        print_keys(stdout);
        printf("\nEnvironment:\n");
        print_wrapped(stdout, 2, 0,
            "SPL_TARGET=scalar|v3|v4 forces a SIMD target, SPLENIUM_DATA names the "
            "folder of the default connectome, NO_COLOR switches colour off.");
    }
    if (verb->examples != NULL) {
        printf("\nExamples:\n%s\n", verb->examples);
    }
    print_exits(stdout);
}

static void print_version(bool as_json)
{
    spl_build_info build;
    spl_build_describe(&build);
    if (!as_json) {
        printf("splenium %s, commit %s\ncompiler %s; SIMD targets %s, using %s; %s, core "
               "%s; HDF5 %s\n",
            build.version, build.commit, build.compiler, build.targets,
            *build.target != '\0' ? build.target : "none (see SPL_TARGET)", build.blas,
            build.blas_core, build.hdf5_version);
        return;
    }
    json_writer json = {.file = stdout};
    json_begin(&json, NULL, '{');
    json_text(&json, "version", build.version);
    json_text(&json, "commit", build.commit);
    json_text(&json, "compiler", build.compiler);
    json_text(&json, "targets", build.targets);
    json_text(&json, "target", build.target);
    json_text(&json, "blas", build.blas);
    json_text(&json, "blas_core", build.blas_core);
    json_text(&json, "hdf5_version", build.hdf5_version);
    json_end(&json, '}');
}

static const tool_verb *find_verb(const char *name)
{
    const char *names[N_VERBS + 1] = {NULL};
    for (size_t i = 0; i < N_VERBS; i++) {
        names[i] = verbs[i]->name;
        if (strcmp(names[i], name) == 0) {
            return verbs[i];
        }
    }
    const char *closest = closest_name(name, names);
    if (closest != NULL) {
        talk_error("unknown verb '%s'; did you mean '%s'?", name, closest);
    } else {
        talk_error("unknown verb '%s'; see splenium --help", name);
    }
    return NULL;
}

/* The words of the command line, quoted where a shell would need it. */
static char *join_words(int argc, char **argv)
{
    size_t n_bytes = 1;
    for (int i = 0; i < argc; i++) {
        n_bytes += 4 * strlen(argv[i]) + 3;
    }
    char *line = malloc(n_bytes);
    char *end = line;
    for (int i = 0; i < argc && line != NULL; i++) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789_-./=:,+@%";
        bool quote = *argv[i] == '\0' || argv[i][strspn(argv[i], plain)] != '\0';
        end = stpcpy(end, i > 0 ? " " : "");
        end = stpcpy(end, quote ? "'" : "");
        for (const char *c = argv[i]; *c != '\0'; c++) {
            if (*c == '\'') {
                end = stpcpy(end, "'\\''");
            } else {
                *end++ = *c;
            }
        }
        end = stpcpy(end, quote ? "'" : "");
    }
    return line;
}

static int run_verb(const tool_verb *verb, int argc, char **argv)
{
    tool_arguments arguments = {0};
    char *command_line = join_words(argc, argv);
    int code = EXIT_INTERNAL;
    if (command_line == NULL) {
        talk_error("out of memory");
        return code;
    }
    code = arguments_parse(&arguments, verb, argc - 1, argv + 1);
    if (code == 0 && argument_of(&arguments, "help") != NULL) {
        print_page(verb);
    } else if (code == 0) {
        arguments.command_line = command_line;
        talk_start();
        code = verb->run(&arguments);
    }
    arguments_deinit(&arguments);
    free(command_line);
    return code;
}

static int dispatch(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_overview(stdout);
        return EXIT_DONE;
    }
    if (strcmp(word, "--version") == 0) {
        bool as_json = argc > 2 && strcmp(argv[2], "--json") == 0;
        if (argc > 2 + as_json) {
            talk_error(
                "unexpected argument '%s'; see splenium --help", argv[2 + as_json]);
            return EXIT_USAGE;
        }
        print_version(as_json);
        return EXIT_DONE;
    }
    if (*word == '\0') {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    const tool_verb *verb = find_verb(word);
    return verb != NULL ? run_verb(verb, argc, argv) : EXIT_USAGE;
}

/* `splenium models | head` ends before the page does; that is nobody's mistake. */
static bool reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
}

/* Whatever could not be written to standard output makes a success an error. */
static int close_output(int code)
{
    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || code != EXIT_DONE) {
        return code;
    }
    if (!reader_is_gone()) {
        talk_error("standard output cannot be written: %s",
            errno != 0 ? strerror(errno) : "an earlier write failed");
    }
    return EXIT_IO;
}

/* Where a standard stream is closed, the next file to be opened would become it, and
 * messages would be written over results. */
static bool fill_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    if (!fill_standard_streams()) {
        return EXIT_INTERNAL;
    }
    /* names of archive members are UTF-8; numbers stay in the C locale */
    setlocale(LC_CTYPE, "C.UTF-8");
    /* a broken pipe or a file size limit is an error of the write that meets it */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return close_output(dispatch(argc, argv));
}
