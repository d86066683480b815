#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "talk.h"
#include "tool.h"

/* Values of long options without a short form lie above every character. */
enum { LONG_ONLY = 256, MEANING_COLUMN = 26 };

/* An argument in brackets may be left out. */
static bool is_optional(const tool_option *option)
{
    return option->argument != NULL && *option->argument == '[';
}

/* The same table in the two forms that getopt_long wants. */
typedef struct getopt_tables {
    struct option longs[TOOL_MAX_OPTIONS + 1];
    char shorts[2 * TOOL_MAX_OPTIONS + 3];
} getopt_tables;

static void make_tables(getopt_tables *tables, const tool_verb *verb)
{
    size_t n = 0;
    tables->shorts[n++] = ':'; /* silent; a missing argument is ':', not '?' */
    for (size_t i = 0; i < verb->n_options; i++) {
        const tool_option *option = &verb->options[i];
        tables->longs[i] = (struct option){.name = option->name,
            .has_arg = option->argument == NULL ? no_argument
                       : is_optional(option)    ? optional_argument
                                                : required_argument,
            .val = option->letter != 0 ? option->letter : LONG_ONLY + (int)i};
        if (option->letter != 0) {
            tables->shorts[n++] = option->letter;
            if (option->argument != NULL && !is_optional(option)) {
                tables->shorts[n++] = ':';
            }
        }
    }
    tables->longs[verb->n_options] = (struct option){0};
    tables->shorts[n] = '\0';
}

static size_t index_of(const tool_verb *verb, int value)
{
    size_t i = 0;
    while (i < verb->n_options && verb->options[i].letter != value &&
           LONG_ONLY + (int)i != value) {
        i++;
    }
    return i;
}

static int complain(const tool_verb *verb, const char *what, const char *word)
{
    talk_error("%s '%s'; see splenium %s --help", what, word, verb->name);
    return EXIT_USAGE;
}

/* getopt_long says '?' for what is unknown, ambiguous, or has a value but takes none. */
static int refuse_option(const tool_verb *verb, const char *word)
{
    const char *names[TOOL_MAX_OPTIONS + 1] = {NULL};
    char name[64];
    char letter[] = {'-', (char)optopt, '\0'};
    size_t length = strcspn(word, "=");
    size_t n_matches = 0;
    if (strncmp(word, "--", 2) != 0) {
        return complain(verb, "unknown option", letter);
    }
    snprintf(name, sizeof name, "%.*s", (int)(length > 2 ? length - 2 : 0), word + 2);
    for (size_t i = 0; i < verb->n_options; i++) {
        names[i] = verb->options[i].name;
        n_matches += strncmp(names[i], name, strlen(name)) == 0;
    }
    if (n_matches == 1 && word[length] == '=') {
        return complain(verb, "an option that takes no value:", word);
    }
    if (n_matches > 1) {
        return complain(verb, "ambiguous option", word);
    }
    const char *closest = closest_name(name, names);
    if (closest == NULL) {
        return complain(verb, "unknown option", word);
    }
    talk_error("unknown option '%s'; did you mean '--%s'?", word, closest);
    return EXIT_USAGE;
}

/* Keep KEY and VALUE of --set, or the key that the option stands for. */
static int keep_setting(
    tool_arguments *arguments, const tool_option *option, const char *argument)
{
    spl_setting *settings =
        realloc(arguments->settings, (arguments->n_settings + 1) * sizeof(spl_setting));
    if (settings == NULL) {
        talk_error("out of memory");
        return EXIT_INTERNAL;
    }
    arguments->settings = settings;
    const char *equals = option->key == NULL ? strchr(argument, '=') : NULL;
    if (option->key == NULL && (equals == NULL || equals == argument)) {
        talk_error("--set '%s': not of the form key=value; write it like --set "
                   "coupling.a=0.2",
            argument);
        return EXIT_USAGE;
    }
    char *key = option->key != NULL ? strdup(option->key)
                                    : strndup(argument, (size_t)(equals - argument));
    if (key == NULL) {
        talk_error("out of memory");
        return EXIT_INTERNAL;
    }
    const char *value = option->key == NULL        ? equals + 1
                        : option->argument == NULL ? "true"
                                                   : argument;
    settings[arguments->n_settings++] = (spl_setting){key, value};
    return 0;
}

static int take_options(
    tool_arguments *arguments, const tool_verb *verb, int argc, char **argv)
{
    getopt_tables tables;
    make_tables(&tables, verb);
    optind = 1;
    for (;;) {
        /* the word that is read next, for messages: optind moves past it */
        int value = getopt_long(argc, argv, tables.shorts, tables.longs, NULL);
        if (value == -1) {
            return 0;
        }
        if (value == '?') {
            return refuse_option(verb, argv[optind - 1]);
        }
        if (value == ':') {
            return complain(verb, "no argument after", argv[optind - 1]);
        }
        size_t i = index_of(verb, value);
        const tool_option *option = &verb->options[i];
        arguments->values[i] = optarg != NULL ? optarg : "";
        if (option->key != NULL || strcmp(option->name, "set") == 0) {
            int code = keep_setting(arguments, option, arguments->values[i]);
            if (code != 0) {
                return code;
            }
        }
    }
}

int arguments_parse(
    tool_arguments *arguments, const tool_verb *verb, int argc, char **argv)
{
    arguments->verb = verb;
    int code = take_options(arguments, verb, argc, argv);
    if (code != 0 || argument_of(arguments, "help") != NULL) {
        return code;
    }
    arguments->operands = argv + optind;
    arguments->n_operands = (size_t)(argc - optind);
    if (arguments->n_operands > verb->n_operands) {
        return complain(
            verb, "unexpected argument", arguments->operands[verb->n_operands]);
    }
    return 0;
}

void arguments_deinit(tool_arguments *arguments)
{
    for (size_t i = 0; i < arguments->n_settings; i++) {
        free((char *)arguments->settings[i].key);
    }
    free(arguments->settings);
    *arguments = (tool_arguments){0};
}

const char *argument_of(const tool_arguments *arguments, const char *name)
{
    const tool_verb *verb = arguments->verb;
    for (size_t i = 0; i < verb->n_options; i++) {
        if (strcmp(verb->options[i].name, name) == 0) {
            return arguments->values[i];
        }
    }
    return NULL;
}

void print_options(FILE *file, const tool_option *options, size_t n_options)
{
    for (size_t i = 0; i < n_options; i++) {
        const tool_option *option = &options[i];
        char letter[] = {'-', option->letter, ',', ' ', '\0'};
        int column = fprintf(file, "  %s--%s%s%s", option->letter != 0 ? letter : "    ",
            option->name, option->argument != NULL && !is_optional(option) ? " " : "",
            option->argument != NULL ? option->argument : "");
        if (column + 2 > MEANING_COLUMN) {
            fputc('\n', file);
            column = 0;
        }
        print_wrapped(file, MEANING_COLUMN, (size_t)column, option->meaning);
        if (option->key != NULL) {
            fprintf(file, "%*s(%s)\n", MEANING_COLUMN, "", option->key);
        }
    }
}

void print_keys(FILE *file)
{
    for (size_t i = 0; i < spl_config_key_count(); i++) {
        const spl_config_key *key = spl_config_key_at(i);
        bool empty = *key->value == '\0';
        char line[400];
        snprintf(line, sizeof line, "%s; %s%s%s%s", key->type,
            empty ? "no default" : "default: ", key->value,
            *key->unit != '\0' ? "; a bare number is in " : "", key->unit);
        fprintf(file, "  %s\n", key->key);
        print_wrapped(file, 6, 0, line);
        print_wrapped(file, 6, 0, key->meaning);
    }
}
