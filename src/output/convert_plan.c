/* What of a results file is to be copied: the rows that are durable in one moment. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "output/convert.h"
#include "output/internal.h"
#include "output/opened.h"

bool spl_convert_row(const spl_item_shape *shape, uint64_t *values)
{
    uint64_t bytes = shape->item_bytes > 0 ? shape->item_bytes : sizeof(char *);
    bool fits = true;
    *values = 1;
    for (uint32_t r = 0; r < shape->rank; r++) {
        fits = fits && !__builtin_mul_overflow(bytes, shape->dims[r], &bytes) &&
               bytes <= INT64_MAX / 2;
        if (r > 0 && fits) {
            *values *= shape->dims[r];
        }
    }
    return fits;
}

uint64_t spl_convert_piece(const spl_item_shape *shape)
{
    uint64_t values = 1;
    const uint64_t n_rows = shape->rank > 0 ? shape->dims[0] : 1;
    const uint64_t bytes = shape->item_bytes > 0 ? shape->item_bytes : sizeof(char *);
    if (!spl_convert_row(shape, &values) || values == 0 || n_rows == 0) {
        return 1;
    }
    const uint64_t most = SPL_PIECE_BYTES / bytes / values;
    const uint64_t rows = spl_rows_per_block((size_t)values, n_rows);
    return rows <= most ? rows : most > 0 ? most : 1;
}

bool spl_convert_has_rows(const spl_convert_stream *stream, const char *name,
    const spl_item_shape *shape, uint64_t rows)
{
    const bool time = strcmp(name, "time") == 0 && shape->rank == 1;
    return shape->dims[0] == rows &&
           (time || (shape->rank == 2 && shape->dims[1] == stream->width));
}

/* Checksums have a monitor by its name, all else by the path of its group. */
static spl_status name_stream(
    spl_convert_stream *to, const spl_results_stream *stream, const char *path)
{
    static const char monitors[] = "/monitors/";
    const size_t length = strlen(monitors);
    spl_text group = {0};
    spl_opened_group(&group, stream);
    to->group = group.data;
    if (!group.failed) {
        const bool monitor = strncmp(group.data, monitors, length) == 0;
        to->label = spl_strdup(group.data + (monitor ? length : 0));
    }
    return to->label == NULL ? spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path)
                             : SPL_OK;
}

typedef struct slots {
    unsigned char bytes[2 * SPL_SLOT_BYTES];
    bool whole;
} slots;

static spl_status take_slots(
    void *user, uint64_t first, uint64_t count, const void *data, size_t bytes)
{
    slots *s = user;
    (void)first;
    (void)count;
    s->whole = bytes == sizeof s->bytes;
    if (s->whole) {
        memcpy(s->bytes, data, bytes);
    }
    return SPL_OK;
}

/* Both slots at one time, so that rows and journal belong together. */
static spl_status read_slots(spl_convert_plan *plan)
{
    spl_status status = SPL_OK;
    slots s = {.whole = false};
    uint64_t n_rows[SPL_MAX_STREAMS];
    const spl_convert_plan only = {.path = plan->path, .only = "progress"};
    const spl_convert_sink sink = {.user = &s, .rows = take_slots};
    SPL_TRY(spl_convert_read(&only, &sink, NULL, NULL));
    for (size_t i = 0; i < plan->n_streams; i++) {
        n_rows[i] = plan->streams[i].n_rows;
    }
    if (!s.whole ||
        spl_slot_choose(&plan->newest, s.bytes, plan->n_streams, n_rows) < 0) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: /progress: no valid slot; the file is damaged",
            plan->path);
    }
out:
    return status;
}

spl_status spl_convert_plan_init(
    spl_convert_plan *plan, const spl_results_info *info, bool trim)
{
    spl_status status = SPL_OK;
    *plan = (spl_convert_plan){.path = info->path, .trim = trim};
    plan->streams = calloc(info->n_streams + 1, sizeof *plan->streams);
    if (plan->streams == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", info->path);
    }
    plan->n_streams = info->n_streams;
    for (size_t s = 0; s < info->n_streams; s++) {
        spl_convert_stream *stream = &plan->streams[s];
        const spl_results_stream *from = &info->streams[s];
        stream->n_rows = from->n_rows;
        stream->width = from->width;
        SPL_TRY(name_stream(stream, from, info->path));
    }
    SPL_TRY(read_slots(plan));
    for (size_t s = 0; s < plan->n_streams; s++) {
        spl_convert_stream *stream = &plan->streams[s];
        stream->durable = plan->newest.rows[s];
        stream->kept = trim ? stream->durable : stream->n_rows;
    }
out:
    return status;
}

spl_status spl_convert_plan_of_copy(
    spl_convert_plan *copy, const spl_convert_plan *plan, const char *path)
{
    spl_status status = SPL_OK;
    *copy = *plan;
    copy->path = path;
    copy->trim = false;
    copy->streams = calloc(plan->n_streams + 1, sizeof *copy->streams);
    if (copy->streams == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    copy->n_streams = plan->n_streams;
    for (size_t s = 0; s < plan->n_streams; s++) {
        const spl_convert_stream *from = &plan->streams[s];
        spl_convert_stream *to = &copy->streams[s];
        *to = *from;
        to->n_rows = from->kept;
        to->label = spl_strdup(from->label);
        to->group = spl_strdup(from->group);
        if (to->label == NULL || to->group == NULL) {
            SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
        }
    }
out:
    return status;
}

void spl_convert_plan_deinit(spl_convert_plan *plan)
{
    for (size_t s = 0; plan->streams != NULL && s < plan->n_streams; s++) {
        free(plan->streams[s].label);
        free(plan->streams[s].group);
    }
    free(plan->streams);
    *plan = (spl_convert_plan){0};
}
