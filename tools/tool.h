/* What the verbs of the command share: their descriptor, their arguments, exit codes. */
#ifndef SPL_TOOLS_TOOL_H
#define SPL_TOOLS_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "splenium/splenium.h"

enum { TOOL_MAX_OPTIONS = 24 };

/* One option of a verb. The table is the only list: it feeds the parser and --help. */
typedef struct tool_option {
    const char *name;     /* long form without its dashes */
    char letter;          /* short form, or 0 */
    const char *argument; /* what its argument is called; NULL: it takes none; "[=X]": X
                             may be left out */
    const char *key;      /* configuration key it stands for, or NULL */
    const char *meaning;
} tool_option;

/* Rows that several verbs have. */
#define OPTION_SET                                                                 \
    {                                                                              \
        "set", 0, "KEY=VALUE", NULL,                                               \
            "set a configuration key; may be repeated, the last one wins. Paths "  \
            "are relative to the current directory, VALUE may be a list [...] or " \
            "a map {...}"                                                          \
    }
#define OPTION_MAX_HOURS                                                           \
    {                                                                              \
        "max-hours", 0, "H", NULL,                                                 \
            "stop after so many hours of wall-clock time as after a signal, e.g. " \
            "before a queue kills the job (output.stop_after)"                     \
    }
#define OPTION_JSON                                            \
    {                                                          \
        "json", 0, NULL, NULL, "print JSON on standard output" \
    }
#define OPTION_QUIET                                                      \
    {                                                                     \
        "quiet", 'q', NULL, NULL, "print nothing but warnings and errors" \
    }
#define OPTION_HELP                                \
    {                                              \
        "help", 'h', NULL, NULL, "print this page" \
    }

typedef struct tool_arguments tool_arguments;

/* A verb; each cmd_<verb>.c ends in one of these. */
typedef struct tool_verb {
    const char *name;
    const char *operands; /* as in the synopsis, "" if it takes none */
    size_t n_operands;    /* at most */
    const char *summary;  /* one line */
    const char *page;     /* what it does; paragraphs separated by a newline */
    const char *examples; /* one a line, or NULL */
    const tool_option *options;
    size_t n_options;
    bool lists_keys; /* --help lists every configuration key */
    int (*run)(const tool_arguments *arguments); /* returns the exit code */
} tool_verb;

/* A parsed command line. */
struct tool_arguments {
    const tool_verb *verb;
    const char *command_line;             /* all of it, for the provenance of results */
    const char *values[TOOL_MAX_OPTIONS]; /* argument by option, "" if it takes none;
                                             NULL: not given */
    spl_setting *settings;                /* --set and its short forms, in their order */
    size_t n_settings;
    char **operands;
    size_t n_operands;
};

/* Exit codes of sysexits.h, but 2 for usage. */
enum {
    EXIT_DONE = 0,
    EXIT_USAGE = 2,
    EXIT_BAD_DATA = 65,
    EXIT_NO_INPUT = 66,
    EXIT_INTERNAL = 70,
    EXIT_NO_OUTPUT = 73,
    EXIT_IO = 74,
    EXIT_INTERRUPTED = 75,
    EXIT_DIVERGED = 76
};

/* Leave for `out:` with the status of a failed call. */
#define TOOL_TRY(call)          \
    do {                        \
        status = (call);        \
        if (status != SPL_OK) { \
            goto out;           \
        }                       \
    } while (0)

/* splenium.c */

/* Exit code of a status. */
int exit_code_of(spl_status status);
/* Print the last error of the library; returns the exit code of `status`. */
int report_error(spl_status status);

/* options.c */

/* Parse what follows the verb. Result: 0; EXIT_USAGE or EXIT_INTERNAL after a message.
 * Free with arguments_deinit in either case. */
int arguments_parse(
    tool_arguments *arguments, const tool_verb *verb, int argc, char **argv);
void arguments_deinit(tool_arguments *arguments);
/* Argument of the option of that long name, "" if it takes none, NULL if not given. */
const char *argument_of(const tool_arguments *arguments, const char *name);
/* Print the table of options. */
void print_options(FILE *file, const tool_option *options, size_t n_options);
/* Print every configuration key with type, default, unit and meaning. */
void print_keys(FILE *file);

/* input.c */

/* Make the configuration of a command line: defaults or what the file says, then the
 * settings. The file, which may be NULL, is told by its contents: a results file with a
 * configuration inside, a connectome for the defaults to run on, or else a text.
 *   text_is_matrix   a text holds weights, not a configuration
 *   results          receives the description of a results file, else NULL; the caller
 *                    frees it with spl_results_free; may be NULL
 * Result: as spl_config_load, spl_config_set and spl_results_describe. */
SPL_MUST_CHECK spl_status input_configure(spl_config **out, spl_results_info **results,
    const tool_arguments *arguments, const char *file, bool text_is_matrix);

/* Set output.stop_after to a number of hours; NULL changes nothing. Result: as
 * spl_config_set. */
SPL_MUST_CHECK spl_status input_limit_hours(spl_config *config, const char *hours);

#endif
