/* SHA-256 as hex: of inputs, for provenance, and of what must be equal. */
#ifndef SPL_BASE_SHA256_H
#define SPL_BASE_SHA256_H

#include <nettle/sha2.h>
#include <stddef.h>

#include "base/status.h"

enum { SPL_SHA256_HEX = 65 };

/* Piece by piece: start, add, end. */
typedef struct sha256_ctx spl_sha256;
void spl_sha256_start(spl_sha256 *hash);
void spl_sha256_add(spl_sha256 *hash, const void *bytes, size_t length);
void spl_sha256_end(spl_sha256 *hash, char hex[SPL_SHA256_HEX]);

void spl_sha256_bytes(const void *bytes, size_t length, char hex[SPL_SHA256_HEX]);
/* The hash of the files' contents one after another. Result: SPL_OK; SPL_ERR_FILE_READ.
 */
SPL_MUST_CHECK spl_status spl_sha256_files(
    const char *const *paths, size_t n_paths, char hex[SPL_SHA256_HEX]);

#endif
