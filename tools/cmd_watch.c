/* watch - follow a run by its results file. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "progress.h"
#include "state.h"
#include "talk.h"
#include "tool.h"

enum { LINE_BYTES = 65536, PAGE_COLUMNS = 80 };
static const double longest_interval_s = 1e6;

typedef enum { FORM_LINES, FORM_BAR, FORM_JSON } watch_form;

/* What is known of a run besides the view. */
typedef struct follower {
    const char *path;
    watch_form form;
    double dt_ms, duration_ms;
    double seen_s, seen_ms; /* when the run was last seen to have gone on, and where */
    double factor;          /* times real time since the look before; NAN: not known */
    bool bar;               /* stands on the last line */
    char line[LINE_BYTES];
    size_t length;
} follower;

/* The line on the terminal is left as it is; then the signal does what it always does. */
static void leave_line(int signal_number)
{
    const ssize_t written = write(STDOUT_FILENO, "\n", 1);
    (void)written;
    raise(signal_number);
}

static double now_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void __attribute__((format(printf, 2, 3)))
add(follower *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n =
        vsnprintf(f->line + f->length, sizeof f->line - f->length, format, args);
    va_end(args);
    f->length += n > 0 ? (size_t)n : 0;
    f->length = f->length < sizeof f->line ? f->length : sizeof f->line - 1;
}

/* Simulated per wall-clock time since the run was begun or resumed. */
static double mean_factor(const follower *f, const spl_watch_view *view)
{
    const double wall_s = now_s(CLOCK_REALTIME) - view->start_s;
    const double done_ms = ((double)view->step - (double)view->start_step) * f->dt_ms;
    return view->start_s > 0.0 && wall_s > 0.0 && done_ms > 0.0
               ? done_ms / 1000.0 / wall_s
               : (double)NAN;
}

/* Rows become durable in steps: between two of them the factor stays. */
static void measure(follower *f, const spl_watch_view *view)
{
    const double time_ms = (double)view->step * f->dt_ms;
    const double wall_s = now_s(CLOCK_MONOTONIC);
    if (view->replaced || isnan(f->seen_ms) || time_ms < f->seen_ms) {
        f->factor = mean_factor(f, view);
    } else if (time_ms > f->seen_ms) {
        f->factor = (time_ms - f->seen_ms) / 1000.0 / (wall_s - f->seen_s);
    } else {
        return;
    }
    f->seen_s = wall_s;
    f->seen_ms = time_ms;
}

static double remaining_s(const follower *f, const spl_watch_view *view)
{
    const double left_ms = f->duration_ms - (double)view->step * f->dt_ms;
    return left_ms / 1000.0 / mean_factor(f, view);
}

static void compose(follower *f, const spl_watch_view *view, const char *state)
{
    char remaining[24];
    const double time_ms = (double)view->step * f->dt_ms;
    f->length = 0;
    add(f, "%3.0f %% | %s | sim %.6g/%.6g s | step %llu",
        floor(100.0 * time_ms / f->duration_ms), state, time_ms / 1000.0,
        f->duration_ms / 1000.0, (unsigned long long)view->step);
    if (strcmp(state, "running") == 0) {
        format_clock(remaining, sizeof remaining, remaining_s(f, view));
        if (!isnan(f->factor)) {
            add(f, " | %.3gx real time", f->factor);
        }
        add(f, " | ETA %s", remaining);
    }
    for (size_t i = 0; i < view->n_values; i++) {
        const spl_watch_value *value = &view->values[i];
        if (isnan(value->time_ms)) {
            add(f, " | %s %s -", value->stream, value->variable);
        } else {
            add(f, " | %s %s %.3g [%.3g, %.3g]", value->stream, value->variable,
                value->mean, value->min, value->max);
        }
    }
}

static void write_object(const follower *f, const spl_watch_view *view, const char *state)
{
    json_writer json = {.file = stdout, .one_line = true};
    json_begin(&json, NULL, '{');
    json_text(&json, "state", state);
    json_text(&json, "message", view->message);
    json_whole(&json, "step", view->step);
    json_real(&json, "time_ms", (double)view->step * f->dt_ms);
    json_real(&json, "duration_ms", f->duration_ms);
    json_real(&json, "realtime_factor", f->factor);
    json_real(&json, "remaining_s",
        strcmp(state, "running") == 0 ? remaining_s(f, view) : (double)NAN);
    json_begin(&json, "values", '[');
    for (size_t i = 0; i < view->n_values; i++) {
        const spl_watch_value *value = &view->values[i];
        json_begin(&json, NULL, '{');
        json_text(&json, "stream", value->stream);
        json_text(&json, "variable", value->variable);
        json_whole(&json, "durable", value->n_durable);
        json_whole(&json, "rows", value->n_rows);
        json_real(&json, "time_ms", value->time_ms);
        json_real(&json, "mean", value->mean);
        json_real(&json, "min", value->min);
        json_real(&json, "max", value->max);
        json_end(&json, '}');
    }
    json_end(&json, ']');
    json_end(&json, '}');
}

static int columns(void)
{
    struct winsize size = {0};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col
                                                                           : PAGE_COLUMNS;
}

static void show(follower *f, const spl_watch_view *view, const char *state)
{
    if (f->form == FORM_JSON) {
        write_object(f, view, state);
        return;
    }
    compose(f, view, state);
    if (f->form == FORM_LINES) {
        puts(f->line);
        return;
    }
    const size_t most = (size_t)columns() - 1;
    if (f->length > most) {
        f->line[most] = '\0';
    }
    printf("\r%s\033[K", f->line);
    f->bar = true;
}

static void end_bar(follower *f)
{
    if (f->bar) {
        putchar('\n');
        f->bar = false;
    }
}

/* Length of the run and of a step, which the file's configuration tells. */
static spl_status read_configuration(follower *f)
{
    spl_status status = SPL_OK;
    spl_config *config = NULL;
    TOOL_TRY(spl_config_load(&config, f->path));
    TOOL_TRY(spl_config_number(config, "simulation.dt", &f->dt_ms));
    TOOL_TRY(spl_config_number(config, "simulation.duration", &f->duration_ms));
out:
    spl_config_free(config);
    return status;
}

static int code_of_state(const char *state)
{
    return strcmp(state, "running") == 0 || strcmp(state, "complete") == 0 ? EXIT_DONE
           : strcmp(state, "diverged") == 0                                ? EXIT_DIVERGED
           : strcmp(state, "failed") == 0                                  ? EXIT_IO
                                          : EXIT_INTERRUPTED;
}

static void pause_s(double seconds)
{
    const struct timespec wait = {
        .tv_sec = (time_t)seconds, .tv_nsec = (long)(1e9 * fmod(seconds, 1.0))};
    nanosleep(&wait, NULL);
}

/* Look and show until the run is over. *code is that of its state. */
static spl_status follow(
    follower *f, spl_watch *watch, double interval_s, bool once, int *code)
{
    spl_status status = SPL_OK;
    for (;;) {
        spl_watch_view view;
        TOOL_TRY(spl_watch_look(watch, &view));
        if (view.replaced) {
            TOOL_TRY(read_configuration(f));
        }
        const char *state = state_of(view.status, view.live);
        const bool runs = strcmp(state, "running") == 0;
        measure(f, &view);
        show(f, &view, state);
        *code = code_of_state(state);
        if (!runs && f->form != FORM_JSON) {
            end_bar(f);
            state_print(f->path, state, view.message, view.step, view.copy);
        }
        if (!runs || once || fflush(stdout) != 0) {
            break;
        }
        pause_s(interval_s);
    }
out:
    end_bar(f);
    return status;
}

static bool parse_interval(const char *word, double *seconds)
{
    char *end = NULL;
    *seconds = 1.0;
    if (word == NULL) {
        return true;
    }
    *seconds = strtod(word, &end);
    return end != word && *end == '\0' && *seconds > 0.0 &&
           *seconds <= longest_interval_s;
}

static watch_form choose_form(bool as_json)
{
    const char *terminal = getenv("TERM");
    const bool bar =
        isatty(STDOUT_FILENO) && (terminal == NULL || strcmp(terminal, "dumb") != 0);
    return as_json ? FORM_JSON : bar ? FORM_BAR : FORM_LINES;
}

static int run(const tool_arguments *arguments)
{
    spl_status status = SPL_OK;
    spl_watch *watch = NULL;
    double interval_s;
    int code = EXIT_INTERNAL;
    const char *interval = argument_of(arguments, "interval");
    if (arguments->n_operands == 0) {
        talk_error("no results file given; see splenium watch --help");
        return EXIT_USAGE;
    }
    if (!parse_interval(interval, &interval_s)) {
        talk_error("--interval '%s' is not a number of seconds above 0", interval);
        return EXIT_USAGE;
    }
    follower *f = calloc(1, sizeof *f);
    if (f == NULL) {
        talk_error("out of memory");
        return EXIT_INTERNAL;
    }
    f->path = arguments->operands[0];
    f->form = choose_form(argument_of(arguments, "json") != NULL);
    f->seen_ms = f->factor = NAN;
    TOOL_TRY(spl_watch_open(&watch, f->path));
    TOOL_TRY(read_configuration(f));
    if (f->form == FORM_BAR) {
        const struct sigaction action = {
            .sa_handler = leave_line, .sa_flags = (int)SA_RESETHAND};
        sigaction(SIGINT, &action, NULL);
    }
    TOOL_TRY(follow(f, watch, interval_s, argument_of(arguments, "once") != NULL, &code));
out:
    if (status != SPL_OK) {
        report_error(status);
        code = exit_code_of(status == SPL_ERR_NOT_FOUND ? SPL_ERR_FORMAT : status);
    }
    spl_watch_close(watch);
    free(f);
    return code;
}

static const tool_option options[] = {
    {"interval", 0, "SECONDS", NULL, "time between two looks, 1 if not given"},
    {"once", 0, NULL, NULL, "look once and end; exit status 0 if the run goes on"},
    {"json", 0, NULL, NULL, "print one JSON object a line on standard output"},
    OPTION_HELP,
};

const tool_verb verb_watch = {
    .name = "watch",
    .operands = "RESULTS.h5",
    .n_operands = 1,
    .summary = "follow a run by its results file",
    .page =
        "Print how far a run is, once a second: state, simulated and whole time, steps, "
        "speed since the look before, time left at the mean speed, and of each variable "
        "of each monitor mean, least and largest value over the nodes in the last row "
        "that is on the disk. On a terminal one line is written again and again, "
        "elsewhere a line for each look.\n"
        "\n"
        "The run is not disturbed: its file is read, never locked or written. What is "
        "shown is what a crash would leave, so it moves once in output.flush_every. A "
        "file that a longer run replaces is followed on.\n"
        "\n"
        "Ends with the run, in a line that says how, and the command that goes on with "
        "it. Exit status then: 0 complete; 74 failed; 75 interrupted, or killed: it says "
        "it is running but nobody writes its file; 76 diverged. A signal to the watcher "
        "does not reach the run.",
    .examples = "  splenium watch rest76.h5\n"
                "  splenium watch rest76.h5 --once\n"
                "  splenium watch rest76.h5 --interval 60 >>rest76.log &\n"
                "  splenium watch rest76.h5 && python3 analyse.py",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
