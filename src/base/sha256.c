#include "base/sha256.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK_BYTES = 1 << 16 };

void spl_sha256_start(spl_sha256 *hash)
{
    sha256_init(hash);
}

void spl_sha256_add(spl_sha256 *hash, const void *bytes, size_t length)
{
    sha256_update(hash, length, bytes);
}

void spl_sha256_end(spl_sha256 *hash, char hex[SPL_SHA256_HEX])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(hash, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
}

void spl_sha256_bytes(const void *bytes, size_t length, char hex[SPL_SHA256_HEX])
{
    spl_sha256 hash;
    spl_sha256_start(&hash);
    spl_sha256_add(&hash, bytes, length);
    spl_sha256_end(&hash, hex);
}

spl_status spl_sha256_files(
    const char *const *paths, size_t n_paths, char hex[SPL_SHA256_HEX])
{
    spl_sha256 hash;
    spl_sha256_start(&hash);
    for (size_t i = 0; i < n_paths; i++) {
        uint8_t chunk[CHUNK_BYTES];
        FILE *file = fopen(paths[i], "rbe");
        size_t n;
        if (file == NULL) {
            return spl_error(SPL_ERR_FILE_READ, "%s: cannot be read again: %s", paths[i],
                strerror(errno));
        }
        while ((n = fread(chunk, 1, sizeof chunk, file)) > 0) {
            spl_sha256_add(&hash, chunk, n);
        }
        bool failed = ferror(file) != 0;
        fclose(file);
        if (failed) {
            return spl_error(SPL_ERR_FILE_READ, "%s: cannot be read", paths[i]);
        }
    }
    spl_sha256_end(&hash, hex);
    return SPL_OK;
}
