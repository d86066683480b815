#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char last_error[2048];

const char *spl_strerror(spl_status status)
{
    switch (status) {
#define SPL_STATUS_CASE(name, value, text) \
    case name:                             \
        return text;
        SPL_STATUS_LIST(SPL_STATUS_CASE)
#undef SPL_STATUS_CASE
    default:
        return "unknown status";
    }
}

const char *spl_last_error(void)
{
    return last_error;
}

spl_status spl_error(spl_status status, const char *format, ...)
{
    char text[sizeof last_error]; /* the arguments may point into last_error */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(last_error, text, sizeof text);
    return status;
}

spl_status spl_error_prefix(spl_status status, const char *format, ...)
{
    char text[sizeof last_error];
    va_list args;
    va_start(args, format);
    int used = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof text - 3) {
        size_t room = sizeof text - (size_t)used - 3;
        size_t length = strlen(last_error);
        length = length < room ? length : room;
        memcpy(text + used, ": ", 2);
        memcpy(text + used + 2, last_error, length);
        text[(size_t)used + 2 + length] = '\0';
    }
    memcpy(last_error, text, sizeof text);
    return status;
}

void spl_bug_abort(const char *condition, const char *file, int line)
{
    fprintf(stderr, "splenium: internal error at %s:%d: %s; please report this\n", file,
        line, condition);
    abort();
}
