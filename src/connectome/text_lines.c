#include "connectome/connectome.h"

#include <stdio.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

void spl_lines_init(spl_lines *lines, const char *place, const char *text, size_t length,
    const spl_limits *limits)
{
    *lines = (spl_lines){.place = place, .next = text, .end = text + length};
    lines->max_length = (size_t)SPL_BYTES_PER_NUMBER * limits->max_nodes;
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        lines->next += 3;
    }
}

spl_status spl_lines_error(
    const spl_lines *lines, const char *at, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return spl_error(SPL_ERR_FORMAT, "%s:%zu:%zu: %s", lines->place, lines->number,
        (size_t)(at - lines->start) + 1, text);
}

/* Cut the line at its end; a lone carriage return hides all further lines. */
static spl_status take_line(spl_lines *lines)
{
    const char *start = lines->next;
    const char *newline = memchr(start, '\n', (size_t)(lines->end - start));
    size_t length = (size_t)((newline != NULL ? newline : lines->end) - start);
    lines->next = newline != NULL ? newline + 1 : lines->end;
    lines->start = start;
    lines->number++;
    if (length > lines->max_length) {
        return spl_error(SPL_ERR_LIMIT,
            "%s:%zu: the line has more than %zu bytes; raise connectome.max_nodes if it "
            "is meant to be so long",
            lines->place, lines->number, lines->max_length);
    }
    if (newline != NULL && length > 0 && start[length - 1] == '\r') {
        length--;
    }
    lines->length = length;
    const char *lone = memchr(start, '\r', length);
    if (lone != NULL) {
        return spl_lines_error(lines, lone,
            "carriage return without line feed; convert the file to LF line ends");
    }
    const char *nul = memchr(start, '\0', length);
    if (nul != NULL) {
        return spl_lines_error(lines, nul, "NUL byte; this is not a text file");
    }
    return SPL_OK;
}

spl_status spl_lines_next(spl_lines *lines, bool *more)
{
    while (lines->next < lines->end) {
        spl_status status = take_line(lines);
        if (status != SPL_OK) {
            return status;
        }
        const char *c = lines->start;
        const char *end = c + lines->length;
        while (c < end && is_blank(*c)) {
            c++;
        }
        if (c < end && *c != '#') {
            *more = true;
            return SPL_OK;
        }
    }
    *more = false;
    return SPL_OK;
}

bool spl_next_field(const char **cursor, const char *end, char separator,
    const char **field, size_t *length)
{
    const char *c = *cursor;
    if (c == NULL) {
        return false;
    }
    while (c < end && is_blank(*c)) {
        c++;
    }
    if (separator == ' ' && c == end) {
        return false;
    }
    *field = c;
    if (c < end && *c == '"') {
        const char *quote = memchr(c + 1, '"', (size_t)(end - c - 1));
        c = quote != NULL ? quote + 1 : c;
    }
    while (c < end && (separator == ' ' ? !is_blank(*c) : *c != separator)) {
        c++;
    }
    *cursor = c < end ? c + 1 : NULL;
    while (c > *field && is_blank(c[-1])) {
        c--;
    }
    *length = (size_t)(c - *field);
    return true;
}

size_t spl_utf8_length(const unsigned char *c, size_t left)
{
    if (c[0] < 0x80) {
        return 1;
    }
    size_t length = c[0] >= 0xF0 ? 4 : c[0] >= 0xE0 ? 3 : 2;
    if (c[0] < 0xC2 || c[0] > 0xF4 || length > left) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((c[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool bad = (c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xED && c[1] > 0x9F) ||
               (c[0] == 0xF0 && c[1] < 0x90) || (c[0] == 0xF4 && c[1] > 0x8F);
    return bad ? 0 : length;
}

const char *spl_show_token(const char *token, size_t length, char text[48])
{
    const size_t most = 40;
    size_t n = 0;
    size_t i = 0;
    while (i < length) {
        const unsigned char *c = (const unsigned char *)token + i;
        const size_t step = spl_utf8_length(c, length - i);
        /* U+0080 to U+009F are control characters as well */
        const bool plain =
            step > 0 && *c >= 0x20 && *c != 0x7F && !(*c == 0xC2 && c[1] < 0xA0);
        const size_t shown = plain ? step : 1;
        if (n + shown > most) {
            break;
        }
        memcpy(text + n, plain ? token + i : "?", shown);
        n += shown;
        i += step > 0 ? step : 1;
    }
    snprintf(text + n, 48 - n, "%s", i < length ? "..." : "");
    return text;
}
