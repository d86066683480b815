/* Is a results file what it should be? What it holds in whole, its slots, its state. */
#include "output/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "h5/h5.h"

enum { MAX_TEXT = 4096 };

bool spl_check_is(const spl_checker *c, const char *status)
{
    return strcmp(c->file.info->status, status) == 0;
}

void spl_check_say(const spl_checker *c, bool damage, const char *file,
    const char *dataset, uint64_t row, const char *format, ...)
{
    char text[MAX_TEXT];
    va_list args;
    const int n = snprintf(
        text, sizeof text, "%s: %s%s", file, dataset, *dataset != '\0' ? ": " : "");
    if (n >= 0 && (size_t)n < sizeof text) {
        va_start(args, format);
        vsnprintf(text + n, sizeof text - (size_t)n, format, args);
        va_end(args);
    }
    const spl_results_finding finding = {
        .damage = damage, .file = file, .dataset = dataset, .row = row, .text = text};
    c->tell(c->user, &finding);
}

static bool is_at_fault(spl_status status)
{
    return status == SPL_ERR_FORMAT || status == SPL_ERR_LIMIT ||
           status == SPL_ERR_FILE_READ;
}

spl_status spl_check_error(const spl_checker *c, const char *file, spl_status status)
{
    if (!is_at_fault(status)) {
        return status;
    }
    const spl_results_finding finding = {.damage = true,
        .file = file,
        .dataset = "",
        .row = SPL_RESULTS_NO_ROW,
        .text = spl_last_error()};
    c->tell(c->user, &finding);
    return SPL_OK;
}

spl_status spl_check_sum(const spl_checker *c, int fd, const char *path, uint64_t offset,
    uint64_t bytes, uint32_t *crc)
{
    spl_status status = SPL_OK;
    for (uint64_t at = 0; at < bytes;) {
        const uint64_t left = bytes - at;
        const size_t n = left < SPL_CHECK_BUFFER ? (size_t)left : SPL_CHECK_BUFFER;
        SPL_TRY(spl_file_read_at(fd, path, c->buffer, n, offset + at));
        *crc = spl_crc32c(*crc, c->buffer, n);
        at += n;
    }
out:
    return status;
}

const spl_survey_set *spl_check_need_anywhere(const spl_checker *c, const char *path,
    spl_place_type type, int rank, const uint64_t *dims)
{
    const spl_survey_set *set = spl_survey_find(&c->file.survey, path);
    if (set == NULL) {
        spl_check_say(c, true, c->file.path, path, SPL_RESULTS_NO_ROW,
            "missing; the file is damaged: take a copy, or run again");
        return NULL;
    }
    bool same = set->is.type == type && set->is.rank == (uint64_t)rank;
    for (int r = 0; r < rank && same; r++) {
        same = set->is.dims[r] == dims[r];
    }
    if (!same) {
        spl_check_say(c, true, c->file.path, path, SPL_RESULTS_NO_ROW,
            "not of the type and shape that a run writes; the file was changed by "
            "another "
            "program");
        return NULL;
    }
    return set;
}

const spl_survey_set *spl_check_need(const spl_checker *c, const char *path,
    spl_place_type type, int rank, const uint64_t *dims)
{
    const spl_survey_set *set = spl_check_need_anywhere(c, path, type, rank, dims);
    if (set != NULL && !set->is.contiguous) {
        spl_check_say(c, true, c->file.path, path, SPL_RESULTS_NO_ROW,
            "does not lie in one piece, as a run writes it; the file was made by another "
            "program");
        return NULL;
    }
    return set;
}

/* Every file has these, whatever was run. */
static bool check_fixed(const spl_checker *c)
{
    static const struct {
        const char *path;
        spl_place_type type;
        int rank;
        uint64_t dims[2];
    } fixed[] = {{"/progress", SPL_PLACE_U8, 2, {2, SPL_SLOT_WORDS}},
        {"/status/code", SPL_PLACE_CODE, 0, {0}},
        {"/status/message", SPL_PLACE_TEXT, 0, {0}},
        {"/status/escaped_nodes", SPL_PLACE_U8, 0, {0}},
        {"/performance/starts", SPL_PLACE_F8, 2, {SPL_MAX_STARTS, SPL_START_VALUES}},
        {"/state/final/record", SPL_PLACE_U8, 1, {2}}};
    static const char *const texts[] = {"/config/yaml", "/config/resolved_json"};
    bool sound = true;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        sound = spl_check_need(c, fixed[i].path, fixed[i].type, fixed[i].rank,
                    fixed[i].dims) != NULL &&
                sound;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (spl_survey_find(&c->file.survey, texts[i]) == NULL) {
            spl_check_say(c, true, c->file.path, texts[i], SPL_RESULTS_NO_ROW,
                "missing; the file is damaged, and cannot be resumed");
        }
    }
    return sound;
}

static int compare_offsets(const void *a, const void *b)
{
    const spl_survey_numbers *x = &(*(const spl_survey_set *const *)a)->is;
    const spl_survey_numbers *y = &(*(const spl_survey_set *const *)b)->is;
    return x->offset != y->offset ? (x->offset > y->offset) - (x->offset < y->offset)
                                  : (x->object > y->object) - (x->object < y->object);
}

/* All that lies in one piece, sorted, lies inside the file and apart. One dataset may
 * have two names. */
static spl_status check_extents(const spl_checker *c, bool *sound)
{
    const spl_survey_set **order = calloc(c->file.survey.n + 1, sizeof *order);
    const spl_survey_set *before = NULL;
    size_t n = 0;
    if (order == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", c->file.path);
    }
    for (size_t i = 0; i < c->file.survey.n; i++) {
        const spl_survey_set *set = &c->file.survey.sets[i];
        if (set->is.contiguous && set->is.bytes > 0) {
            order[n++] = set;
        }
    }
    qsort(order, n, sizeof *order, compare_offsets);
    for (size_t i = 0; i < n; i++) {
        const spl_survey_numbers *is = &order[i]->is;
        if (is->offset > c->file.file_bytes ||
            is->bytes > c->file.file_bytes - is->offset) {
            *sound = false;
            spl_check_say(c, true, c->file.path, order[i]->path, SPL_RESULTS_NO_ROW,
                "ends at byte %" PRIu64 " of a file of %" PRIu64
                "; the file was cut: take a copy, or run again",
                is->offset + is->bytes, c->file.file_bytes);
        }
        if (before != NULL && before->is.object != is->object &&
            before->is.offset + before->is.bytes > is->offset) {
            *sound = false;
            spl_check_say(c, true, c->file.path, order[i]->path, SPL_RESULTS_NO_ROW,
                "lies over %s; the file is damaged or hostile", before->path);
        }
        if (before == NULL ||
            before->is.offset + before->is.bytes <= is->offset + is->bytes) {
            before = order[i];
        }
    }
    free(order);
    return SPL_OK;
}

static spl_status check_layout(const spl_checker *c, bool *sound)
{
    if (c->file.survey.file.superblock != 0 || c->file.survey.file.user_block != 0) {
        spl_check_say(c, true, c->file.path, "", SPL_RESULTS_NO_ROW,
            "HDF5 superblock %" PRIu64 ", user block of %" PRIu64
            " bytes: not as a run makes it; the file was made by another program",
            c->file.survey.file.superblock, c->file.survey.file.user_block);
    }
    *sound = check_fixed(c);
    return check_extents(c, sound);
}

typedef enum { SLOT_VALID, SLOT_NEVER_WRITTEN, SLOT_TORN } slot_state;

static slot_state judge_slot(const spl_checker *c, const unsigned char *slot)
{
    spl_record record;
    return spl_slot_decode(&record, slot, c->file.info->n_streams, c->file.n_rows)
               ? SLOT_VALID
           : spl_slot_is_empty(slot) ? SLOT_NEVER_WRITTEN
                                     : SLOT_TORN;
}

static void tell_slot(const spl_checker *c, size_t i, slot_state state)
{
    const bool complete = spl_check_is(c, "complete");
    if (state == SLOT_TORN || (state == SLOT_NEVER_WRITTEN && complete)) {
        spl_check_say(c, complete, c->file.path, "/progress", SPL_RESULTS_NO_ROW,
            "slot %zu is %s%s; slot %zu counts: step %" PRIu64, i,
            state == SLOT_TORN ? "torn" : "empty",
            complete ? ", though the run came to its end: the file was changed afterwards"
                     : ", as a crash may leave it",
            1 - i, c->newest.step);
    }
}

/* The newest record, and what is wrong with the slots. *sound is false if there is none.
 */
static spl_status check_slots(spl_checker *c, bool *sound)
{
    spl_status status = SPL_OK;
    unsigned char slots[2 * SPL_SLOT_BYTES];
    *sound = false;
    SPL_TRY(spl_opened_slots(&c->file, c->file.info->live, slots));
    const slot_state states[] = {
        judge_slot(c, slots), judge_slot(c, slots + SPL_SLOT_BYTES)};
    *sound =
        spl_slot_choose(&c->newest, slots, c->file.info->n_streams, c->file.n_rows) >= 0;
    if (!*sound) {
        spl_check_say(c, true, c->file.path, "/progress", SPL_RESULTS_NO_ROW,
            "no valid slot: nothing tells how many rows are there; take a copy, or run "
            "again");
        goto out;
    }
    for (size_t i = 0; i < 2; i++) {
        tell_slot(c, i, states[i]);
    }
    if (spl_check_is(c, "complete") && states[0] == SLOT_VALID &&
        states[1] == SLOT_VALID &&
        memcmp(slots, slots + SPL_SLOT_BYTES, SPL_SLOT_BYTES) != 0) {
        spl_check_say(c, true, c->file.path, "/progress", SPL_RESULTS_NO_ROW,
            "the two slots differ, though the run came to its end: the file was changed "
            "afterwards");
    }
    c->file.info->step = c->newest.step;
    for (size_t s = 0; s < c->file.info->n_streams; s++) {
        c->file.streams[s].n_durable = c->newest.rows[s];
    }
out:
    return spl_check_error(c, c->file.path, status);
}

static void check_status(const spl_checker *c)
{
    const bool complete = spl_check_is(c, "complete");
    const bool silent = *c->file.info->message == '\0';
    for (size_t s = 0; s < c->file.info->n_streams && complete; s++) {
        const spl_results_stream *stream = &c->file.info->streams[s];
        if (stream->n_durable < stream->n_rows) {
            spl_check_say(c, true, c->file.path, "/status/code", SPL_RESULTS_NO_ROW,
                "complete, but %s has %" PRIu64 " of %" PRIu64
                " rows; the file was changed: run again",
                stream->name, stream->n_durable, stream->n_rows);
        }
    }
    if (complete && !silent) {
        spl_check_say(c, true, c->file.path, "/status/message", SPL_RESULTS_NO_ROW,
            "'%s', though the run is complete; the file was changed",
            c->file.info->message);
    }
    if ((spl_check_is(c, "failed") || spl_check_is(c, "diverged")) && silent) {
        spl_check_say(c, false, c->file.path, "/status/message", SPL_RESULTS_NO_ROW,
            "empty: why the run %s is not told", c->file.info->status);
    }
}

static spl_status check_all(spl_checker *c)
{
    spl_status status = SPL_OK;
    bool sound = true;
    SPL_TRY(check_layout(c, &sound));
    if (!sound) {
        goto out;
    }
    SPL_TRY(check_slots(c, &sound));
    if (!sound) {
        goto out;
    }
    check_status(c);
    SPL_TRY(spl_check_rows(c));
    SPL_TRY(spl_check_final(c));
    SPL_TRY(spl_check_beside(c));
out:
    return status;
}

spl_status spl_results_check(
    const char *path, spl_results_tell *tell, void *user, spl_results_info **out)
{
    spl_status status = SPL_OK;
    bool is_hdf5 = false;
    spl_checker *c = calloc(1, sizeof *c);
    *out = NULL;
    if (c == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    c->file.fd = -1;
    c->tell = tell;
    c->user = user;
    c->buffer = malloc(SPL_CHECK_BUFFER);
    if (c->buffer == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    SPL_TRY(spl_h5_probe(path, &is_hdf5));
    status = spl_opened_open(&c->file, path);
    if (status != SPL_OK) {
        /* what cannot be read at all is one finding */
        status = spl_check_error(c, path, status);
        goto out;
    }
    SPL_TRY(check_all(c));
    *out = c->file.info;
    c->file.info = NULL;
out:
    spl_opened_close(&c->file);
    free(c->buffer);
    free(c);
    return status;
}
