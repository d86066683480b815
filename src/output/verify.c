/* What was written, read again: success of every call so far proves nothing. */
#include <endian.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "output/internal.h"

spl_status spl_output_check_path(const spl_output *output)
{
    return spl_file_is_at(output->fd, output->path)
               ? SPL_OK
               : spl_error(SPL_ERR_FILE_WRITE,
                     "%s: moved, deleted or replaced during the run, which therefore "
                     "ends; if it was moved, splenium resume goes on with it there",
                     output->path);
}

/* Compare the checksum of every block of one variable with its rows. */
static spl_status check_blocks(
    const spl_output *output, const spl_ring *ring, size_t v, unsigned char *block)
{
    spl_status status = SPL_OK;
    const spl_place *rows = &output->places.all[ring->first_place + 2 * v];
    const spl_place *checksums = rows + 1;
    const size_t row_bytes = ring->width * ring->item_bytes;
    for (uint64_t first = 0; first < ring->n_rows; first += ring->rows_per_block) {
        const uint64_t left = ring->n_rows - first;
        const size_t count =
            left < ring->rows_per_block ? (size_t)left : ring->rows_per_block;
        const uint64_t offset = rows->offset + first * row_bytes;
        uint32_t stored;
        SPL_TRY(
            spl_file_read_at(output->fd, output->path, block, count * row_bytes, offset));
        spl_cache_was_read(
            &output->cache, output->fd, offset, offset + count * row_bytes);
        SPL_TRY(spl_file_read_at(output->fd, output->path, &stored, sizeof stored,
            checksums->offset + first / ring->rows_per_block * sizeof stored));
        if (le32toh(stored) != spl_crc32c(0, block, count * row_bytes)) {
            SPL_FAIL(SPL_ERR_FILE_WRITE,
                "%s: %s: rows %llu to %llu do not read back as they were written; check "
                "the disk and run again",
                output->path, rows->path, (unsigned long long)first,
                (unsigned long long)(first + count - 1));
        }
    }
out:
    return status;
}

static spl_status check_stream(const spl_output *output, const spl_ring *ring)
{
    spl_status status = SPL_OK;
    unsigned char *block = malloc(ring->rows_per_block * ring->width * ring->item_bytes);
    if (block == NULL) {
        return spl_error(
            SPL_ERR_NO_MEMORY, "%s: out of memory for the verification", output->path);
    }
    for (size_t v = 0; v < ring->n_variables; v++) {
        SPL_TRY(check_blocks(output, ring, v, block));
    }
out:
    free(block);
    return status;
}

spl_status spl_output_verify(spl_output *output)
{
    spl_status status = SPL_OK;
    SPL_TRY(spl_output_check_path(output));
    SPL_TRY(output->reopened
                ? spl_places_find_strictly(&output->places, output->path, true)
                : spl_places_find(&output->places, output->path, true));
    for (size_t s = 0; s < output->n_streams; s++) {
        SPL_TRY(check_stream(output, &output->rings[s]));
    }
out:
    return status;
}
