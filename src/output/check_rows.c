/* Rows, as far as they are durable, and the final state against their checksums. */
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/str.h"
#include "output/check.h"

/* Blocks are read again while a run goes on, which may be overwriting rows of its own
 * with --accept-change. */
enum { READS = 4, WAIT_MS = 20 };

/* A variable of a stream under check. */
typedef struct variable {
    const spl_survey_set *rows, *checksums;
    const spl_results_stream *stream;
    uint64_t row_bytes, rows_per_block;
} variable;

static bool is_monitor(const char *group)
{
    return strncmp(group, "/monitors/", strlen("/monitors/")) == 0;
}

static spl_status no_memory(const spl_checker *c)
{
    return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", c->file.path);
}

/* Find rows and checksums of one variable. *found is false after a word about what is
 * wrong. */
static spl_status find_variable(
    const spl_checker *c, const char *group, const char *name, variable *v, bool *found)
{
    spl_status status = SPL_OK;
    const uint64_t dims[] = {v->stream->n_rows, v->stream->width};
    spl_text rows = {0};
    spl_text checksums = {0};
    *found = false;
    spl_text_add(&rows, "%s/%s", group, name);
    spl_text_add(&checksums, "/checksums%s/%s",
        is_monitor(group) ? group + strlen("/monitors") : group, name);
    if (rows.failed || checksums.failed) {
        status = no_memory(c);
        goto out;
    }
    const spl_survey_set *sums = spl_survey_find(&c->file.survey, checksums.data);
    const spl_survey_set *set = spl_survey_find(&c->file.survey, rows.data);
    const bool f8 = set != NULL && set->is.type == SPL_PLACE_F8;
    v->rows =
        spl_check_need_anywhere(c, rows.data, f8 ? SPL_PLACE_F8 : SPL_PLACE_F4, 2, dims);
    v->rows_per_block = sums != NULL ? sums->is.rows_per_block : 0;
    const uint64_t r = v->rows_per_block > 0 ? v->rows_per_block : 1;
    const uint64_t n_blocks = dims[0] / r + (dims[0] % r != 0);
    v->checksums = spl_check_need(c, checksums.data, SPL_PLACE_U4, 1, &n_blocks);
    *found = v->rows != NULL && v->checksums != NULL && dims[0] > 0;
    v->row_bytes = *found ? v->stream->width * (f8 ? 8 : 4) : 0;
out:
    spl_text_deinit(&rows);
    spl_text_deinit(&checksums);
    return status;
}

static spl_status check_block(
    const spl_checker *c, const variable *v, uint64_t first, uint64_t count, bool *right)
{
    spl_status status = SPL_OK;
    const struct timespec wait = {.tv_nsec = WAIT_MS * 1000000L};
    *right = false;
    for (int i = 0; i < READS && !*right; i++) {
        uint32_t stored;
        uint32_t crc = 0;
        if (i > 0) {
            nanosleep(&wait, NULL);
        }
        SPL_TRY(spl_check_sum(c, c->file.fd, c->file.path,
            v->rows->is.offset + first * v->row_bytes, count * v->row_bytes, &crc));
        SPL_TRY(spl_file_read_at(c->file.fd, c->file.path, &stored, sizeof stored,
            v->checksums->is.offset + first / v->rows_per_block * sizeof stored));
        *right = le32toh(stored) == crc;
        if (!c->file.info->live) {
            break;
        }
    }
out:
    return status;
}

/* Of rows behind the last complete block no checksum is known yet. */
static uint64_t last_block(const variable *v)
{
    const uint64_t durable = v->stream->n_durable;
    return durable == v->stream->n_rows ? durable
                                        : durable / v->rows_per_block * v->rows_per_block;
}

/* Every complete block. Lowers *confirmed to the first row that is not. */
static spl_status check_variable(
    const spl_checker *c, const variable *v, uint64_t *confirmed)
{
    spl_status status = SPL_OK;
    const uint64_t end = last_block(v);
    uint64_t n_bad = 0;
    uint64_t bad = 0;
    uint64_t bad_count = 0;
    for (uint64_t first = 0; first < end; first += v->rows_per_block) {
        const uint64_t left = end - first;
        const uint64_t count = left < v->rows_per_block ? left : v->rows_per_block;
        bool right;
        SPL_TRY(check_block(c, v, first, count, &right));
        if (!right && n_bad++ == 0) {
            bad = first;
            bad_count = count;
        }
    }
    if (n_bad > 0) {
        spl_check_say(c, true, c->file.path, v->rows->path, bad,
            "rows %" PRIu64 " to %" PRIu64 " do not match their checksum%s; they were "
            "changed, or the disk fails: take a copy, or run again",
            bad, bad + bad_count - 1, n_bad > 1 ? ", nor do later ones" : "");
    }
    const uint64_t right = n_bad > 0 ? bad : end;
    *confirmed = right < *confirmed ? right : *confirmed;
out:
    return status;
}

static spl_status check_axis(const spl_checker *c, const char *group, uint64_t n_rows)
{
    spl_text path = {0};
    spl_text_add(&path, "%s/time", group);
    if (path.failed) {
        return no_memory(c);
    }
    spl_check_need_anywhere(c, path.data, SPL_PLACE_F8, 1, &n_rows);
    spl_text_deinit(&path);
    return SPL_OK;
}

static spl_status check_stream(spl_checker *c, spl_results_stream *stream)
{
    spl_status status = SPL_OK;
    spl_text group = {0};
    char *names = spl_strdup(stream->variables);
    char *rest = NULL;
    uint64_t confirmed = stream->n_durable;
    spl_opened_group(&group, stream);
    if (names == NULL || group.failed) {
        status = no_memory(c);
        goto out;
    }
    if (strcmp(stream->kind, "report") != 0) {
        SPL_TRY(check_axis(c, group.data, stream->n_rows));
    }
    for (char *name = strtok_r(names, " ", &rest); name != NULL;
         name = strtok_r(NULL, " ", &rest)) {
        variable v = {.stream = stream};
        bool found;
        SPL_TRY(find_variable(c, group.data, name, &v, &found));
        if (found && v.rows_per_block == 0) {
            spl_check_say(c, true, c->file.path, v.checksums->path, SPL_RESULTS_NO_ROW,
                "does not tell the rows of a block; the file was changed by another "
                "program");
        } else if (found && v.rows->is.contiguous) {
            SPL_TRY(check_variable(c, &v, &confirmed));
            continue;
        } else if (found) {
            c->compressed = true;
            confirmed = last_block(&v) < confirmed ? last_block(&v) : confirmed;
            continue;
        }
        confirmed = 0;
    }
    stream->n_confirmed = confirmed;
out:
    spl_text_deinit(&group);
    free(names);
    return spl_check_error(c, c->file.path, status);
}

spl_status spl_check_rows(spl_checker *c)
{
    spl_status status = SPL_OK;
    for (size_t s = 0; s < c->file.info->n_streams; s++) {
        SPL_TRY(check_stream(c, &c->file.streams[s]));
    }
    if (c->compressed) {
        SPL_TRY(spl_check_copy(c));
    }
out:
    return status;
}

/* Checksum of all arrays of the final state; *known is false if the file does not tell
 * their order or lacks one. */
static spl_status sum_final(const spl_checker *c, uint32_t *crc, bool *known)
{
    spl_status status = SPL_OK;
    spl_text path = {0};
    *crc = 0;
    *known = c->file.survey.arrays != NULL;
    for (size_t i = 0; i < c->file.survey.n_arrays; i++) {
        path.length = 0;
        spl_text_add(&path, "/state/final/%s", c->file.survey.arrays[i]);
        if (path.failed) {
            status = no_memory(c);
            goto out;
        }
        const spl_survey_set *set = spl_survey_find(&c->file.survey, path.data);
        if (set == NULL || set->is.type != SPL_PLACE_F8 || !set->is.contiguous) {
            *known = false;
            spl_check_say(c, true, c->file.path, path.data, SPL_RESULTS_NO_ROW,
                "missing, or not what a run writes; the file was changed");
            continue;
        }
        SPL_TRY(spl_check_sum(
            c, c->file.fd, c->file.path, set->is.offset, set->is.bytes, crc));
    }
out:
    spl_text_deinit(&path);
    return status;
}

/* While the run goes on, and where it was killed, the state may be half written. */
spl_status spl_check_final(const spl_checker *c)
{
    spl_status status = SPL_OK;
    const bool complete = spl_check_is(c, "complete");
    const bool promised = complete || spl_check_is(c, "interrupted");
    uint64_t record[2];
    uint32_t crc = 0;
    bool known = false;
    if (c->file.info->live) {
        return SPL_OK;
    }
    SPL_TRY(spl_file_read_at(c->file.fd, c->file.path, record, sizeof record,
        spl_survey_find(&c->file.survey, "/state/final/record")->is.offset));
    const uint64_t step = le64toh(record[0]);
    if (step == 0 && !complete) {
        goto out;
    }
    SPL_TRY(sum_final(c, &crc, &known));
    if (complete && step != c->newest.step) {
        spl_check_say(c, true, c->file.path, "/state/final/record", SPL_RESULTS_NO_ROW,
            "is of step %" PRIu64 ", the run ended at step %" PRIu64
            "; the file was changed",
            step, c->newest.step);
    } else if (known && le64toh(record[1]) != crc) {
        spl_check_say(c, promised, c->file.path, "/state/final/record",
            SPL_RESULTS_NO_ROW,
            promised ? "the state at step %" PRIu64
                       " does not match its checksum; do not "
                       "branch from this file: run again, or resume from a checkpoint"
                     : "the state at step %" PRIu64 " was not stored in whole; resume "
                       "takes a checkpoint",
            step);
    }
out:
    return spl_check_error(c, c->file.path, status);
}
