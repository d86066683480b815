/* The end of a run: what is left, in an order that a crash may cut anywhere. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "output/internal.h"
#include "output/spikes.h"

enum { CHUNK = 8192 };

static spl_status put_bytes(
    spl_output *output, size_t place, const void *data, size_t bytes)
{
    return spl_file_write_at(
        output->fd, output->path, data, bytes, output->places.all[place].offset);
}

/* Store doubles little-endian and continue the checksum over their bytes. */
static spl_status put_doubles(
    spl_output *output, size_t place, const double *values, size_t n, uint32_t *crc)
{
    spl_status status = SPL_OK;
    uint64_t words[CHUNK];
    for (size_t done = 0; done < n; done += CHUNK) {
        const size_t count = n - done < CHUNK ? n - done : CHUNK;
        memcpy(words, values + done, count * sizeof *words);
        for (size_t i = 0; i < count; i++) {
            words[i] = htole64(words[i]);
        }
        *crc = spl_crc32c(*crc, words, count * sizeof *words);
        SPL_TRY(spl_file_write_at(output->fd, output->path, words, count * sizeof *words,
            output->places.all[place].offset + done * sizeof *words));
    }
out:
    return status;
}

spl_status spl_output_put_start(spl_output *output)
{
    uint64_t words[SPL_START_VALUES];
    memcpy(words, output->start, sizeof words);
    for (size_t i = 0; i < SPL_START_VALUES; i++) {
        words[i] = htole64(words[i]);
    }
    return spl_file_write_at(output->fd, output->path, words, sizeof words,
        output->places.all[SPL_PLACE_STARTS].offset + output->start_row * sizeof words);
}

spl_status spl_output_put_final(
    spl_output *output, uint64_t step, const double *const *final)
{
    spl_status status = SPL_OK;
    const spl_places *places = &output->places;
    const size_t first = SPL_N_FIXED_PLACES + places->n_performance;
    uint32_t crc = 0;
    for (size_t i = 0; i < places->n_final; i++) {
        SPL_TRY(put_doubles(output, first + i, final[i],
            (size_t)(places->all[first + i].bytes / sizeof(double)), &crc));
    }
    const uint64_t record[] = {htole64(step), htole64(crc)};
    SPL_TRY(put_bytes(output, SPL_PLACE_RECORD, record, sizeof record));
out:
    return status;
}

static spl_status put_performance(spl_output *output, const double *values)
{
    spl_status status = SPL_OK;
    uint32_t unused = 0;
    output->start[3] = (double)(spl_monotonic_ns() - output->start_ns) * 1e-9;
    SPL_TRY(spl_output_put_start(output));
    for (size_t i = 0; values != NULL && i < output->places.n_performance; i++) {
        SPL_TRY(put_doubles(output, SPL_N_FIXED_PLACES + i, &values[i], 1, &unused));
    }
out:
    return status;
}

/* Cut at 256 bytes, not inside a character. */
static void pad_message(char padded[SPL_MESSAGE_BYTES], const char *message)
{
    size_t length = strlen(message);
    memset(padded, 0, SPL_MESSAGE_BYTES);
    if (length > SPL_MESSAGE_BYTES) {
        length = SPL_MESSAGE_BYTES;
        while (length > 0 && ((unsigned char)message[length] & 0xC0) == 0x80) {
            length--;
        }
    }
    memcpy(padded, message, length);
}

/* The message first: whoever sees the code sees what belongs to it. */
spl_status spl_output_put_code(spl_output *output, spl_run_code code, const char *message)
{
    spl_status status = SPL_OK;
    char padded[SPL_MESSAGE_BYTES];
    const unsigned char byte = (unsigned char)code;
    pad_message(padded, message != NULL ? message : "");
    SPL_TRY(put_bytes(output, SPL_PLACE_MESSAGE, padded, sizeof padded));
    SPL_TRY(put_bytes(output, SPL_PLACE_STATUS, &byte, 1));
out:
    return status;
}

static spl_status check_rows(const spl_output *output)
{
    for (size_t s = 0; s < output->n_streams; s++) {
        const spl_ring *ring = &output->rings[s];
        if (ring->appended != ring->n_rows) {
            return spl_error(SPL_ERR_INTERNAL,
                "%s: monitor %s has %llu of %llu rows at the end; report this",
                output->path, ring->name, (unsigned long long)ring->appended,
                (unsigned long long)ring->n_rows);
        }
    }
    return SPL_OK;
}

/* The spikes of a run that is over move from the journal to their file. */
static spl_status put_spikes(spl_output *output)
{
    spl_status status = SPL_OK;
    uint64_t n_spikes = 0;
    uint64_t counted = 0;
    char *path = spl_output_beside(output->path, ".spikes.h5");
    if (path == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", output->path);
    }
    SPL_TRY(spl_spikes_write(path, output->journal.path, output->uuid, &n_spikes));
    for (size_t p = 0; p < output->n_populations; p++) {
        counted += output->no_spikes[p] ? 0 : output->counts[SPL_COUNT_SPIKES][p];
    }
    if (n_spikes != counted) {
        SPL_FAIL(SPL_ERR_INTERNAL, "%s: %llu spikes were recorded, not %llu; report this",
            path, (unsigned long long)n_spikes, (unsigned long long)counted);
    }
out:
    free(path);
    return status;
}

static spl_status put_last_record(spl_output *output, uint64_t journal_bytes)
{
    spl_record record;
    uint64_t n_rows[SPL_MAX_STREAMS];
    spl_writer_record(output, &record);
    record.journal_bytes = journal_bytes;
    const spl_slots slots = spl_writer_slots(output, n_rows);
    return spl_slots_finish(&slots, &record);
}

spl_status spl_output_finish(spl_output *output, spl_run_code code, const char *message,
    uint64_t step, uint64_t escaped_nodes, const double *const *final,
    const double *performance)
{
    spl_status status = SPL_OK;
    const uint64_t escaped = htole64(escaped_nodes);
    spl_output_step(output, step);
    SPL_TRY(spl_writer_stop(output));
    if (code == SPL_RUN_COMPLETE) {
        SPL_TRY(check_rows(output));
    }
    if (final != NULL) {
        SPL_TRY(spl_output_put_final(output, output->step, final));
    }
    SPL_TRY(put_bytes(output, SPL_PLACE_ESCAPED, &escaped, sizeof escaped));
    SPL_TRY(put_performance(output, performance));
    SPL_TRY(spl_file_sync_data(output->fd, output->path));
    const bool spikes = output->n_populations > 0;
    const bool over = spikes && (code == SPL_RUN_COMPLETE || code == SPL_RUN_DIVERGED);
    SPL_TRY(put_last_record(output, spikes ? output->journal.bytes : 0));
    if (over) {
        SPL_TRY(put_spikes(output));
        /* the journal's length tells how often the run was synced */
        SPL_TRY(put_last_record(output, 0));
    }
    if (code == SPL_RUN_COMPLETE) {
        SPL_TRY(spl_output_verify(output));
    }
    SPL_TRY(spl_output_put_code(output, code, message));
    SPL_TRY(spl_file_sync_data(output->fd, output->path));
    if (code == SPL_RUN_COMPLETE) {
        spl_checkpoint_delete(output->path);
    }
    if (over) {
        /* behind the checkpoints, which are worth nothing without it */
        unlink(output->journal.path);
    }
out:
    if (status != SPL_OK) {
        /* tell readers, without a sync: none may follow a failed one. The first error
         * stays the last error of this thread. */
        char reason[SPL_MESSAGE_BYTES];
        snprintf(reason, sizeof reason, "%s", spl_last_error());
        if (spl_output_put_code(output, SPL_RUN_FAILED, reason) != SPL_OK) {
            spl_error(status, "%s", reason);
        }
    }
    spl_lock_release(&output->lock);
    return status;
}

spl_status spl_output_read_rows(const spl_output *output, size_t stream, size_t variable,
    uint64_t first_row, size_t n_rows, double *out)
{
    spl_status status = SPL_OK;
    const spl_ring *ring = &output->rings[stream];
    const spl_place *place = &output->places.all[ring->first_place + 2 * variable];
    const size_t n = n_rows * ring->width;
    const size_t bytes = n * ring->item_bytes;
    /* at the end of `out`, where none is overwritten before it was taken */
    unsigned char *stored = (unsigned char *)(out + n) - bytes;
    SPL_TRY(spl_file_read_at(output->fd, output->path, stored, bytes,
        place->offset + first_row * ring->width * ring->item_bytes));
    for (size_t i = 0; i < n; i++) {
        out[i] = spl_stored_number(stored + i * ring->item_bytes, ring->item_bytes);
    }
out:
    return status;
}
