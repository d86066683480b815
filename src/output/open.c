/* Going on in a results file that exists: what a killed or interrupted run left. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/str.h"
#include "h5/h5.h"
#include "output/internal.h"
#include "splenium/results.h"

static spl_status wrong_stream(const spl_output_spec *spec, const char *name,
    uint64_t n_rows, const char *now_name, uint64_t now_rows)
{
    return spl_error(SPL_ERR_FORMAT,
        "%s: monitor %s has %llu rows, this run would have %llu of %s; the file was "
        "written by another run",
        spec->path, name, (unsigned long long)n_rows, (unsigned long long)now_rows,
        now_name);
}

/* Streams with as many rows as the file has, which may be fewer than the run will. */
static spl_status take_streams(spl_stream *streams, const spl_output_spec *spec,
    const spl_results_info *info, bool *extends)
{
    spl_status status = SPL_OK;
    *extends = false;
    if (info->n_streams != spec->n_streams) {
        return spl_error(SPL_ERR_FORMAT, "%s: %zu monitors, this run has %zu", spec->path,
            info->n_streams, spec->n_streams);
    }
    for (size_t s = 0; s < spec->n_streams; s++) {
        const spl_results_stream *stored = &info->streams[s];
        streams[s] = spec->streams[s];
        if (strcmp(stored->name, streams[s].name) != 0 ||
            strcmp(stored->kind, streams[s].kind) != 0 || stored->n_rows == 0 ||
            stored->n_rows > streams[s].n_rows) {
            SPL_TRY(wrong_stream(
                spec, stored->name, stored->n_rows, streams[s].name, streams[s].n_rows));
        }
        *extends = *extends || stored->n_rows < streams[s].n_rows;
        streams[s].n_rows = stored->n_rows;
    }
out:
    return status;
}

static spl_status read_code(const spl_output *output, spl_run_code *code)
{
    unsigned char byte;
    spl_status status = spl_file_read_at(
        output->fd, output->path, &byte, 1, output->places.all[SPL_PLACE_STATUS].offset);
    if (status == SPL_OK && byte > SPL_RUN_INTERRUPTED) {
        return spl_error(
            SPL_ERR_FORMAT, "%s: /status/code: %d means nothing", output->path, byte);
    }
    *code = (spl_run_code)byte;
    return status;
}

/* The journal of a complete run has become the file of spikes, and its checkpoints are
 * gone: if it shall become longer, it begins again, with a new journal. One that is there
 * is its own, or that of a run which was to replace it and ended before it had. */
static spl_status open_journal(spl_output *output, const spl_output_spec *spec,
    const spl_results_info *info, bool extends)
{
    spl_status status = SPL_OK;
    const bool complete = strcmp(info->status, "complete") == 0;
    spl_journal_found found = SPL_JOURNAL_OWN;
    char *path = spl_output_beside(spec->path, ".spk");
    if (path == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
    }
    if (complete && extends) {
        SPL_TRY(spl_journal_find(path, output->uuid, &found));
    }
    if (!complete || extends) {
        SPL_TRY(spl_output_open_journal(output, spec, found == SPL_JOURNAL_OWN));
    }
out:
    free(path);
    return status;
}

/* Files that a killed process was making; none of them is needed. */
static void delete_unfinished(const spl_output_spec *spec)
{
    static const char *const endings[] = {".spk.tmp", ".spikes.h5.tmp"};
    spl_text temporary = {0};
    spl_text_add(&temporary, "%s.tmp", spec->path);
    if (!temporary.failed) {
        /* who makes one anew asks again */
        (void)!spl_file_delete_leftover(temporary.data);
    }
    spl_text_deinit(&temporary);
    for (size_t i = 0; spec->n_populations > 0 && i < 2; i++) {
        char *path = spl_output_beside(spec->path, endings[i]);
        if (path != NULL) {
            (void)!spl_file_delete_leftover(path);
        }
        free(path);
    }
}

/* Everything behind the lock. */
static spl_status open_locked(
    spl_output *output, const spl_output_spec *spec, spl_output_found *found)
{
    spl_status status = SPL_OK;
    spl_results_info *info = NULL;
    uint64_t n_rows[SPL_MAX_STREAMS];
    spl_output_spec stored = *spec;
    spl_stream *streams = calloc(spec->n_streams + 1, sizeof *streams);
    if (streams == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
    }
    SPL_TRY(spl_results_describe(spec->path, &info));
    if (strlen(info->uuid) != SPL_UUID_BYTES - 1) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: @uuid is none; the file is damaged", spec->path);
    }
    memcpy(output->uuid, info->uuid, SPL_UUID_BYTES);
    snprintf(found->version, sizeof found->version, "%s", info->software_version);
    snprintf(found->message, sizeof found->message, "%s", info->message);
    SPL_TRY(take_streams(streams, spec, info, &found->extends));
    stored.streams = streams;
    SPL_TRY(spl_places_list(&output->places, &stored));
    if (spec->n_populations > 0) {
        SPL_TRY(open_journal(output, spec, info, found->extends));
        stored.first_step = output->journal.end_step;
    }
    SPL_TRY(spl_writer_init(output, &stored));
    SPL_TRY(spl_places_find_strictly(&output->places, spec->path, false));
    SPL_TRY(spl_output_open_for_writing(output, spec->path));
    const spl_slots slots = spl_writer_slots(output, n_rows);
    SPL_TRY(spl_slots_newest(&slots, &found->newest));
    SPL_TRY(read_code(output, &found->code));
out:
    spl_results_free(info);
    free(streams);
    return status;
}

spl_status spl_output_open(
    spl_output **out, const spl_output_spec *spec, spl_output_found *found)
{
    spl_status status = SPL_OK;
    spl_output *output = calloc(1, sizeof *output);
    *out = NULL;
    *found = (spl_output_found){0};
    if (output == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
    }
    output->fd = -1;
    output->journal.fd = -1;
    output->lock.fd = -1;
    output->reopened = true;
    output->path = spl_strdup(spec->path);
    if (output->path == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
    }
    SPL_TRY(spl_h5_init());
    if (access(spec->path, F_OK) != 0) {
        SPL_FAIL(SPL_ERR_FILE_MISSING, "%s: %s", spec->path, strerror(errno));
    }
    SPL_TRY(spl_lock_take(&output->lock, spec->path));
    /* names that a killed run had just given must not be lost after those to come */
    SPL_TRY(spl_file_sync_folder(spec->path));
    delete_unfinished(spec);
    SPL_TRY(open_locked(output, spec, found));
    *out = output;
    output = NULL;
out:
    spl_output_free(output);
    return status;
}

spl_status spl_output_read_final(
    const spl_output *output, double *values, uint64_t *step, bool *valid)
{
    spl_status status = SPL_OK;
    const spl_places *places = &output->places;
    const size_t first = SPL_N_FIXED_PLACES + places->n_performance;
    uint64_t record[2];
    uint32_t crc = 0;
    *valid = false;
    SPL_TRY(spl_file_read_at(output->fd, output->path, record, sizeof record,
        places->all[SPL_PLACE_RECORD].offset));
    for (size_t i = 0; i < places->n_final; i++) {
        const spl_place *place = &places->all[first + i];
        SPL_TRY(spl_file_read_at(
            output->fd, output->path, values, (size_t)place->bytes, place->offset));
        crc = spl_crc32c(crc, values, (size_t)place->bytes);
        for (size_t k = 0; k < place->bytes / sizeof *values; k++) {
            uint64_t word;
            memcpy(&word, values, sizeof word);
            word = le64toh(word);
            memcpy(values++, &word, sizeof word);
        }
    }
    *step = le64toh(record[0]);
    *valid = *step > 0 && le64toh(record[1]) == crc;
out:
    return status;
}

spl_status spl_output_look_up_final(
    const spl_output_spec *spec, double *values, uint64_t *step, bool *valid)
{
    spl_status status = SPL_OK;
    spl_output output = {.fd = -1, .path = (char *)spec->path};
    /* the rows may be compressed, or cut, in a copy */
    spl_output_spec state = *spec;
    state.n_streams = state.n_performance = state.n_populations = 0;
    SPL_TRY(spl_places_list(&output.places, &state));
    SPL_TRY(spl_places_find_strictly(&output.places, spec->path, false));
    output.fd = open(spec->path, O_RDONLY | O_CLOEXEC);
    if (output.fd < 0) {
        SPL_FAIL(
            SPL_ERR_FILE_READ, "%s: cannot be opened: %s", spec->path, strerror(errno));
    }
    SPL_TRY(spl_output_read_final(&output, values, step, valid));
out:
    if (output.fd >= 0) {
        close(output.fd);
    }
    spl_places_deinit(&output.places);
    return status;
}

/* Checksum of the rows that are there of the block under way. */
static spl_status resume_checksum(spl_output *output, spl_ring *ring, size_t v,
    const uint32_t *expected, unsigned char *block)
{
    const spl_place *rows = &output->places.all[ring->first_place + 2 * v];
    const size_t row_bytes = ring->width * ring->item_bytes;
    const uint64_t first = ring->appended / ring->rows_per_block * ring->rows_per_block;
    const size_t bytes = (size_t)(ring->appended - first) * row_bytes;
    spl_status status = spl_file_read_at(
        output->fd, output->path, block, bytes, rows->offset + first * row_bytes);
    if (status != SPL_OK) {
        return status;
    }
    ring->crc[v] = spl_crc32c(0, block, bytes);
    if (expected != NULL && bytes > 0 && ring->crc[v] != *expected) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: %s: rows %llu to %llu are not those of the checkpoint; the file was "
            "damaged by something else",
            output->path, rows->path, (unsigned long long)first,
            (unsigned long long)(ring->appended - 1));
    }
    return SPL_OK;
}

/* Go on behind the rows of the checkpoint; those up to the newest record are compared
 * when they come again. */
static spl_status resume_ring(
    spl_output *output, size_t s, const spl_output_from *from, const uint32_t *checksums)
{
    spl_status status = SPL_OK;
    spl_ring *ring = &output->rings[s];
    if (from->rows[s] > ring->n_rows || from->rows[s] > from->durable[s]) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: monitor %s: the checkpoint is ahead of its %llu durable rows",
            output->path, ring->name, (unsigned long long)from->durable[s]);
    }
    unsigned char *block = malloc(ring->rows_per_block * ring->width * ring->item_bytes);
    if (block == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", output->path);
    }
    ring->appended = ring->written = from->rows[s];
    ring->durable = from->accept_change ? 0 : from->durable[s];
    for (size_t v = 0; v < ring->n_variables; v++) {
        SPL_TRY(resume_checksum(
            output, ring, v, checksums != NULL ? &checksums[v] : NULL, block));
    }
    if (ring->durable > ring->appended) {
        ring->compared = block;
        block = NULL;
    }
out:
    free(block);
    return status;
}

/* The first row of /performance/starts without a time, else the last. */
static spl_status find_start_row(spl_output *output)
{
    uint64_t starts[SPL_MAX_STARTS][SPL_START_VALUES];
    spl_status status = spl_file_read_at(output->fd, output->path, starts, sizeof starts,
        output->places.all[SPL_PLACE_STARTS].offset);
    size_t row = 0;
    while (row < SPL_MAX_STARTS - 1 && starts[row][0] != 0) {
        row++;
    }
    output->start_row = row;
    return status;
}

spl_status spl_output_continue(spl_output *output, const spl_output_from *from)
{
    spl_status status = SPL_OK;
    const uint32_t *checksums = from->checksums;
    if (output->n_populations > 0 && output->journal.end_step < from->step) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: ends at step %llu, before the checkpoint at step %llu; it is damaged",
            output->journal.path, (unsigned long long)output->journal.end_step,
            (unsigned long long)from->step);
    }
    for (size_t s = 0; s < output->n_streams; s++) {
        SPL_TRY(resume_ring(output, s, from, checksums));
        if (checksums != NULL) {
            checksums += output->rings[s].n_variables;
        }
    }
    output->step = from->step;
    output->start[1] = (double)from->step;
    SPL_TRY(find_start_row(output));
    SPL_TRY(spl_output_put_start(output));
    SPL_TRY(spl_output_put_code(output, SPL_RUN_RUNNING, ""));
    SPL_TRY(spl_file_sync_data(output->fd, output->path));
    SPL_TRY(spl_writer_start(output));
out:
    return status;
}

spl_status spl_output_clean_up(spl_output *output)
{
    spl_status status = SPL_OK;
    char *journal = spl_output_beside(output->path, ".spk");
    /* killed as soon as it was complete, a run has not brought that to the disk */
    SPL_TRY(spl_file_sync_data(output->fd, output->path));
    spl_checkpoint_delete(output->path);
    if (journal != NULL && output->n_populations > 0) {
        unlink(journal);
    }
out:
    free(journal);
    spl_lock_release(&output->lock);
    return status;
}
