/* SHA-256 of inputs, as hex, for provenance. */
#ifndef SPL_BASE_SHA256_H
#define SPL_BASE_SHA256_H

#include <stddef.h>

#include "base/status.h"

enum { SPL_SHA256_HEX = 65 };

void spl_sha256_bytes(const void *bytes, size_t length, char hex[SPL_SHA256_HEX]);
/* The hash of the files' contents one after another. Result: SPL_OK; SPL_ERR_FILE_READ.
 */
SPL_MUST_CHECK spl_status spl_sha256_files(
    const char *const *paths, size_t n_paths, char hex[SPL_SHA256_HEX]);

#endif
