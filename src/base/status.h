/* Raising errors inside the library: store a message, return a code. */
#ifndef SPL_BASE_STATUS_H
#define SPL_BASE_STATUS_H

#include <stdarg.h>

#include "splenium/status.h"

/* Store the message of the last error of this thread and return `status`. */
spl_status spl_error(spl_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Put "context: " in front of the stored message; returns `status` for chaining. */
spl_status spl_error_prefix(spl_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Both need `spl_status status` and a label `out:` in the calling function. */
#define SPL_TRY(call)           \
    do {                        \
        status = (call);        \
        if (status != SPL_OK) { \
            goto out;           \
        }                       \
    } while (0)

#define SPL_FAIL(code, ...)                      \
    do {                                         \
        status = spl_error((code), __VA_ARGS__); \
        goto out;                                \
    } while (0)

/* A broken invariant of our own, never of a user's data; stays on in release builds. */
#define spl_bug_assert(condition) \
    ((condition) ? (void)0 : spl_bug_abort(#condition, __FILE__, __LINE__))
void spl_bug_abort(const char *condition, const char *file, int line)
    __attribute__((noreturn));

#endif
