/* Making a run longer: a new, larger file with what the old one holds takes its place.
 * Until the rename the old one is whole, afterwards the new one is. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/str.h"
#include "output/internal.h"

/* Rows of one variable, block by block of the new file, and the checksums of the whole
 * ones. */
static spl_status copy_variable(spl_output *to, const spl_output *from, size_t s,
    size_t v, uint64_t n_rows, unsigned char *block)
{
    spl_status status = SPL_OK;
    const spl_ring *ring = &to->rings[s];
    const spl_place *old = &from->places.all[from->rings[s].first_place + 2 * v];
    const spl_place *new = &to->places.all[ring->first_place + 2 * v];
    const size_t row_bytes = ring->width * ring->item_bytes;
    for (uint64_t first = 0; first < n_rows; first += ring->rows_per_block) {
        const uint64_t left = n_rows - first;
        const size_t count =
            left < ring->rows_per_block ? (size_t)left : ring->rows_per_block;
        SPL_TRY(spl_file_read_at(from->fd, from->path, block, count * row_bytes,
            old->offset + first * row_bytes));
        SPL_TRY(spl_file_write_at(
            to->fd, to->path, block, count * row_bytes, new->offset + first *row_bytes));
        if (count == ring->rows_per_block || first + count == ring->n_rows) {
            const uint32_t crc = htole32(spl_crc32c(0, block, count * row_bytes));
            SPL_TRY(spl_file_write_at(to->fd, to->path, &crc, sizeof crc,
                new[1].offset + first / ring->rows_per_block * sizeof crc));
        }
    }
out:
    return status;
}

static spl_status copy_rows(
    spl_output *to, const spl_output *from, const uint64_t *n_rows)
{
    spl_status status = SPL_OK;
    unsigned char *block = NULL;
    for (size_t s = 0; s < to->n_streams; s++) {
        const spl_ring *ring = &to->rings[s];
        block = malloc(ring->rows_per_block * ring->width * ring->item_bytes);
        if (block == NULL) {
            SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", to->path);
        }
        for (size_t v = 0; v < ring->n_variables; v++) {
            SPL_TRY(copy_variable(to, from, s, v, n_rows[s], block));
        }
        free(block);
        block = NULL;
    }
out:
    free(block);
    return status;
}

/* When the run was begun and resumed so far. */
static spl_status copy_starts(spl_output *to, const spl_output *from)
{
    unsigned char starts[SPL_MAX_STARTS * SPL_START_VALUES * 8];
    spl_status status = spl_file_read_at(from->fd, from->path, starts, sizeof starts,
        from->places.all[SPL_PLACE_STARTS].offset);
    return status == SPL_OK ? spl_file_write_at(to->fd, to->path, starts, sizeof starts,
                                  to->places.all[SPL_PLACE_STARTS].offset)
                            : status;
}

/* The new file, complete and on the disk, under its temporary name. */
static spl_status fill(spl_output *to, const spl_output *from,
    const spl_output_spec *spec, const char *temporary, const spl_record *newest,
    const spl_output_from *origin, const double *const *final)
{
    spl_status status = SPL_OK;
    uint64_t n_rows[SPL_MAX_STREAMS];
    SPL_TRY(spl_file_delete_leftover(temporary));
    SPL_TRY(spl_layout_write(temporary, spec, &to->places, to->uuid));
    SPL_TRY(spl_places_find(&to->places, temporary, false));
    SPL_TRY(spl_output_open_for_writing(to, temporary));
    SPL_TRY(spl_output_allocate(to->fd, temporary));
    SPL_TRY(copy_starts(to, from));
    SPL_TRY(copy_rows(to, from, newest->rows));
    if (final != NULL) {
        SPL_TRY(spl_output_put_final(to, origin->step, final));
    }
    SPL_TRY(spl_file_sync(to->fd, temporary));
    const spl_slots slots = spl_writer_slots(to, n_rows);
    SPL_TRY(spl_slots_publish(&slots, newest));
out:
    return status;
}

static spl_status extend(spl_output *to, spl_output *from, const spl_output_spec *spec,
    const spl_output_found *found, const spl_output_from *origin,
    const double *const *final)
{
    spl_status status = SPL_OK;
    spl_text temporary = {0};
    if (found->code == SPL_RUN_COMPLETE) {
        SPL_TRY(spl_output_verify(from));
    }
    SPL_TRY(spl_output_check_room(spec->path, spl_output_bytes(spec)));
    spl_text_add(&temporary, "%s.tmp", spec->path);
    if (temporary.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
    }
    status = fill(to, from, spec, temporary.data, &found->newest, origin, final);
    if (status == SPL_OK) {
        status = spl_file_rename(temporary.data, spec->path);
    }
    if (status != SPL_OK) {
        unlink(temporary.data);
        goto out;
    }
    SPL_TRY(spl_output_continue(to, origin));
out:
    spl_text_deinit(&temporary);
    return status;
}

spl_status spl_output_extend(spl_output **output, const spl_output_spec *spec,
    const spl_output_found *found, const spl_output_from *origin,
    const double *const *final)
{
    spl_status status = SPL_OK;
    spl_output *from = *output;
    spl_output *to = calloc(1, sizeof *to);
    if (to == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
    }
    to->fd = -1;
    to->journal.fd = -1;
    to->lock.fd = -1;
    to->path = spl_strdup(spec->path);
    memcpy(to->uuid, from->uuid, sizeof to->uuid);
    if (to->path == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", spec->path);
    }
    /* the journal goes on where it ends */
    spl_output_spec writing = *spec;
    if (spec->n_populations > 0) {
        to->journal = from->journal;
        from->journal = (spl_journal){.fd = -1};
        writing.first_step = to->journal.end_step;
    }
    SPL_TRY(spl_places_list(&to->places, spec));
    SPL_TRY(spl_writer_init(to, &writing));
    SPL_TRY(extend(to, from, spec, found, origin, final));
    to->lock = from->lock;
    from->lock = (spl_lock){.fd = -1};
    *output = to;
    to = from;
out:
    spl_output_free(to);
    return status;
}
