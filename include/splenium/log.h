/* Where warnings and notices of the library go. */
#ifndef SPLENIUM_LOG_H
#define SPLENIUM_LOG_H

#include "splenium/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { SPL_LOG_NOTICE, SPL_LOG_WARNING } spl_log_level;

/* Receive one line without a newline; `text` is borrowed for the call. */
typedef void spl_log_callback(void *user, spl_log_level level, const char *text);

/* Set the receiver of this process' messages; NULL (the start) drops them. Not
 * thread-safe: call it before anything else. */
SPL_API void spl_log_set(spl_log_callback *callback, void *user);

#ifdef __cplusplus
}
#endif
#endif
