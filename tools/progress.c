#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "talk.h"

enum { LINE_BYTES = 256 };
/* Wall time between two bars and between two lines. */
static const double bar_s = 0.5;
static const double line_s = 10.0;

bool progress_start(tool_progress *progress, const char *word, bool quiet)
{
    *progress = (struct tool_progress){.form = PROGRESS_NONE};
    if (word == NULL || strcmp(word, "auto") == 0) {
        progress->form = talk_has_terminal() ? PROGRESS_BAR : PROGRESS_PLAIN;
    } else if (strcmp(word, "plain") == 0) {
        progress->form = PROGRESS_PLAIN;
    } else if (strcmp(word, "json") == 0) {
        progress->form = PROGRESS_JSON;
    } else if (strcmp(word, "none") != 0) {
        return false;
    }
    if (quiet) {
        progress->form = PROGRESS_NONE;
    }
    return true;
}

void format_clock(char *text, size_t size, double seconds)
{
    /* from a run of which nothing is known yet */
    if (!(seconds >= 0.0 && seconds < 1e9)) {
        snprintf(text, size, "?");
        return;
    }
    unsigned long whole = (unsigned long)ceil(seconds);
    if (whole < 3600) {
        snprintf(text, size, "%lu:%02lu", whole / 60, whole % 60);
    } else {
        snprintf(
            text, size, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
    }
}

void format_bytes(char *text, size_t size, uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit < sizeof units / sizeof *units - 1) {
        value /= 1000.0;
        unit++;
    }
    snprintf(text, size, "%.3g %s", value, units[unit]);
}

static double remaining_s(const spl_sim_progress *now)
{
    double done_ms = now->time_ms - now->begin_ms;
    if (done_ms <= 0.0) {
        return NAN;
    }
    return now->wall_s * (now->duration_ms - now->time_ms) / done_ms;
}

static double realtime_factor(const spl_sim_progress *now)
{
    return (now->time_ms - now->begin_ms) / 1000.0 / now->wall_s;
}

static void format_line(char *text, size_t size, const spl_sim_progress *now)
{
    char remaining[24];
    char bytes[24];
    char range[64] = "";
    double percent = 100.0 * (double)now->step / (double)now->n_steps;
    format_clock(remaining, sizeof remaining, remaining_s(now));
    format_bytes(bytes, sizeof bytes, now->output_bytes);
    if (!isnan(now->v_min)) {
        snprintf(range, sizeof range, " | V in [%.2g, %.2g]", now->v_min, now->v_max);
    }
    snprintf(text, size,
        "%3.0f %% | sim %.1f/%.6g s | %.3gx real time | ETA %s%s | out %s",
        floor(percent), now->time_ms / 1000.0, now->duration_ms / 1000.0,
        realtime_factor(now), remaining, range, bytes);
}

/* The bar proper, in front of the numbers. */
static void draw(const spl_sim_progress *now)
{
    enum { CELLS = 10 };
    char line[LINE_BYTES];
    char text[LINE_BYTES + CELLS + 4];
    char cells[CELLS + 1];
    size_t n_full = (size_t)((double)CELLS * (double)now->step / (double)now->n_steps);
    for (size_t i = 0; i < CELLS; i++) {
        cells[i] = i < n_full ? '#' : '.';
    }
    cells[CELLS] = '\0';
    format_line(line, sizeof line, now);
    snprintf(text, sizeof text, "[%s] %s", cells, line);
    talk_bar(text);
}

static void write_object(const spl_sim_progress *now)
{
    json_writer json = {.file = stderr, .one_line = true};
    json_begin(&json, NULL, '{');
    json_whole(&json, "step", now->step);
    json_whole(&json, "n_steps", now->n_steps);
    json_real(&json, "time_ms", now->time_ms);
    json_real(&json, "duration_ms", now->duration_ms);
    json_real(&json, "wall_s", now->wall_s);
    json_real(&json, "realtime_factor", realtime_factor(now));
    json_real(&json, "remaining_s", remaining_s(now));
    json_real(&json, "v_min", now->v_min);
    json_real(&json, "v_max", now->v_max);
    json_whole(&json, "output_bytes", now->output_bytes);
    json_end(&json, '}');
    fflush(stderr);
}

static void say(tool_progress *progress)
{
    char line[LINE_BYTES];
    const spl_sim_progress *now = &progress->latest;
    if (progress->form == PROGRESS_BAR) {
        draw(now);
    } else if (progress->form == PROGRESS_PLAIN) {
        format_line(line, sizeof line, now);
        talk_note("%s", line);
    } else if (progress->form == PROGRESS_JSON) {
        write_object(now);
    }
    progress->said_s = now->wall_s;
    progress->pending = false;
}

void progress_report(void *user, const spl_sim_progress *now)
{
    tool_progress *progress = user;
    double interval = progress->form == PROGRESS_PLAIN ? line_s : bar_s;
    progress->latest = *now;
    progress->pending = true;
    if (now->wall_s - progress->said_s >= interval) {
        say(progress);
    }
}

void progress_end(tool_progress *progress)
{
    if (progress->form == PROGRESS_BAR) {
        talk_bar(NULL);
    } else if (progress->pending) {
        say(progress);
    }
}
