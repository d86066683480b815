/* Any bytes as a spike journal, up to the last spike of its last valid frame. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "fuzz.h"
#include "output/journal.h"
#include "output/journal_format.h"

enum { PIECE = 64 };

static void read_frame(const spl_journal_reader *reader)
{
    double time[PIECE];
    uint32_t neuron[PIECE];
    for (size_t p = 0; p < reader->header.n_populations; p++) {
        const size_t count = reader->counts[p];
        for (size_t from = 0; from < count; from += PIECE) {
            const size_t n = count - from < PIECE ? count - from : PIECE;
            if (spl_journal_spikes(reader, p, from, n, time, neuron) != SPL_OK) {
                spl_bug_abort("frame whole", __FILE__, __LINE__);
            }
        }
    }
}

static void read_journal(const uint8_t *data, size_t size)
{
    spl_journal_reader reader = {0};
    int fd = memfd_create("journal", MFD_CLOEXEC);
    bool found = true;
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    spl_status status = spl_journal_read(&reader, fd, "fuzz");
    while (status == SPL_OK && found) {
        status = spl_journal_next(&reader, &found);
        if (status == SPL_OK && found) {
            read_frame(&reader);
        }
    }
    spl_journal_reader_deinit(&reader);
    close(fd);
}

/* Put right checksums under whatever is there: no fuzzer finds them. */
static void seal(uint8_t *data, size_t size)
{
    size_t at = size >= SPL_JOURNAL_FIXED_BYTES ? spl_get_u32(data + 12) : 0;
    if (at < SPL_JOURNAL_FIXED_BYTES + 4 || at > size) {
        return;
    }
    spl_put_u32(data + at - 4, spl_crc32c(0, data, at - 4));
    while (size - at >= SPL_JOURNAL_FRAME_BYTES) {
        uint8_t *head = data + at;
        const size_t payload = spl_get_u32(head + 4);
        at += SPL_JOURNAL_FRAME_BYTES;
        if (payload > size - at) {
            return;
        }
        uint32_t crc = spl_crc32c(0, head, SPL_JOURNAL_SUMMED_BYTES);
        spl_put_u32(head + SPL_JOURNAL_SUMMED_BYTES, spl_crc32c(crc, data + at, payload));
        at += payload;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *sealed = malloc(size + (size == 0));
    if (sealed == NULL) {
        abort();
    }
    read_journal(data, size);
    memcpy(sealed, data, size);
    seal(sealed, size);
    read_journal(sealed, size);
    free(sealed);
    return 0;
}
