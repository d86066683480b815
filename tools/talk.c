#include "talk.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "splenium/log.h"

enum { MAX_WARNINGS = 64, LINE_BYTES = 2560, PAGE_COLUMNS = 80 };

/* Standard error belongs to the whole process, and so does its state. */
static struct {
    bool quiet;
    bool bar; /* a bar stands on the last line */
    size_t n_warnings;
    struct {
        char *text;
        size_t count;
    } warnings[MAX_WARNINGS];
} talk;

static bool has_colour(void)
{
    const char *no_colour = getenv("NO_COLOR");
    return talk_has_terminal() && (no_colour == NULL || *no_colour == '\0');
}

bool talk_has_terminal(void)
{
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

void print_text(FILE *file, const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    for (; *c != '\0'; c++) {
        /* C1 controls are two bytes in UTF-8 */
        bool c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;
        if (*c < 0x20 || *c == 0x7f || c1) {
            fputc('?', file);
            c += c1;
        } else {
            fputc(*c, file);
        }
    }
}

void print_word(FILE *file, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_-./=:,+@%";
    if (*word != '\0' && word[strspn(word, plain)] == '\0') {
        fputs(word, file);
        return;
    }
    fputc('\'', file);
    for (const char *c = word; *c != '\0'; c++) {
        const char text[] = {*c, '\0'};
        if (*c == '\'') {
            fputs("'\\''", file);
        } else {
            print_text(file, text);
        }
    }
    fputc('\'', file);
}

static void clear_bar(void)
{
    if (talk.bar) {
        fputs("\r\033[K", stderr);
        talk.bar = false;
    }
}

static void say(const char *kind, const char *colour, const char *text)
{
    clear_bar();
    fputs("splenium: ", stderr);
    if (*kind != '\0') {
        bool coloured = *colour != '\0' && has_colour();
        fprintf(
            stderr, "%s%s%s: ", coloured ? colour : "", kind, coloured ? "\033[0m" : "");
    }
    print_text(stderr, text);
    fputc('\n', stderr);
    fflush(stderr);
}

/* Every distinct warning is said once and counted. */
static void warn(const char *text)
{
    for (size_t i = 0; i < talk.n_warnings; i++) {
        if (strcmp(talk.warnings[i].text, text) == 0) {
            talk.warnings[i].count++;
            return;
        }
    }
    say("warning", "\033[33m", text);
    char *copy = talk.n_warnings < MAX_WARNINGS ? strdup(text) : NULL;
    if (copy != NULL) {
        talk.warnings[talk.n_warnings].text = copy;
        talk.warnings[talk.n_warnings++].count = 1;
    }
}

static void receive(void *user, spl_log_level level, const char *text)
{
    (void)user;
    if (level == SPL_LOG_WARNING) {
        warn(text);
    } else if (!talk.quiet) {
        say("", "", text);
    }
}

void talk_start(void)
{
    spl_log_set(receive, NULL);
}

void talk_quiet(void)
{
    talk.quiet = true;
}

bool talk_is_quiet(void)
{
    return talk.quiet;
}

void talk_error(const char *format, ...)
{
    char text[LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say("", "", text);
}

void talk_note(const char *format, ...)
{
    char text[LINE_BYTES];
    va_list args;
    if (talk.quiet) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say("", "", text);
}

void talk_repeat_warnings(void)
{
    if (talk.quiet || talk.n_warnings == 0) {
        return;
    }
    talk_note("%zu warning%s during this run:", talk.n_warnings,
        talk.n_warnings == 1 ? "" : "s");
    for (size_t i = 0; i < talk.n_warnings; i++) {
        fputs("  ", stderr);
        print_text(stderr, talk.warnings[i].text);
        fprintf(stderr, " (%zu x)\n", talk.warnings[i].count);
    }
}

void talk_bar(const char *text)
{
    struct winsize size = {0};
    int columns = PAGE_COLUMNS;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        columns = size.ws_col;
    }
    clear_bar();
    if (text != NULL) {
        fprintf(stderr, "\r%.*s\033[K", columns - 1, text);
        talk.bar = true;
    }
    fflush(stderr);
}

void print_wrapped(FILE *file, size_t indent, size_t column, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, " \n");
        if (column > indent && column + 1 + length > PAGE_COLUMNS) {
            fputc('\n', file);
            column = 0;
        }
        if (column < indent) {
            fprintf(file, "%*s", (int)(indent - column), "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', file);
            column++;
        }
        fwrite(text, 1, length, file);
        column += length;
        text += length;
        if (*text == '\n') {
            fputc('\n', file);
            column = 0;
        }
        text += *text != '\0';
    }
    fputc('\n', file);
}

/* Edit distance with one row; the words are short. */
static size_t distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    size_t row[LONGEST + 1];
    size_t n = strlen(b);
    if (n > LONGEST || strlen(a) > LONGEST) {
        return LONGEST;
    }
    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < shift ? change : shift;
        }
    }
    return row[n];
}

const char *closest_name(const char *word, const char *const *names)
{
    size_t limit = strlen(word) / 3;
    size_t least = (limit > 1 ? limit : 1) + 1;
    const char *closest = NULL;
    for (; *names != NULL; names++) {
        size_t d = distance(word, *names);
        if (d < least) {
            least = d;
            closest = *names;
        }
    }
    return closest;
}
