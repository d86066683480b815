/* Warnings and notices go to one callback; the library itself never prints. */
#ifndef SPL_BASE_LOG_H
#define SPL_BASE_LOG_H

#include "splenium/log.h"

void spl_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void spl_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
