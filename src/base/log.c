#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static spl_log_callback *log_callback;
static void *log_user;

void spl_log_set(spl_log_callback *callback, void *user)
{
    log_callback = callback;
    log_user = user;
}

static void emit(spl_log_level level, const char *format, va_list args)
{
    char text[2048];
    if (log_callback == NULL) {
        return;
    }
    vsnprintf(text, sizeof text, format, args);
    log_callback(log_user, level, text);
}

void spl_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    emit(SPL_LOG_WARNING, format, args);
    va_end(args);
}

void spl_notice(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    emit(SPL_LOG_NOTICE, format, args);
    va_end(args);
}
