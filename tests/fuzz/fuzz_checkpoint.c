/* Any bytes as a checkpoint, also with the checksum that belongs to them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "fuzz.h"
#include "output/checkpoint.h"

enum { AT_BYTES = 16, END_BYTES = 8, MAX_BYTES = 1 << 20 };

static void load(const uint8_t *data, size_t size)
{
    char path[64];
    spl_checkpoint checkpoint;
    const int fd = memfd_create("checkpoint", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (spl_checkpoint_load(&checkpoint, path, MAX_BYTES) == SPL_OK) {
        unsigned sum = 0;
        for (size_t i = 0; i < checkpoint.n_sections; i++) {
            for (uint64_t b = 0; b < checkpoint.sections[i].bytes; b++) {
                sum += checkpoint.sections[i].data[b];
            }
        }
        volatile unsigned read_all = sum;
        (void)read_all;
        spl_checkpoint_deinit(&checkpoint);
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    load(data, size);
    if (size < SPL_CHECKPOINT_HEADER + END_BYTES) {
        return 0;
    }
    uint8_t *sealed = malloc(size);
    if (sealed == NULL) {
        abort();
    }
    const uint64_t bytes = size;
    memcpy(sealed, data, size);
    memcpy(sealed + AT_BYTES, &bytes, sizeof bytes);
    const uint64_t crc = spl_crc32c(0, sealed, size - END_BYTES);
    memcpy(sealed + size - END_BYTES, &crc, sizeof crc);
    load(sealed, size);
    free(sealed);
    return 0;
}
