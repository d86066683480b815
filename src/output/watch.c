/* Following a run by its results file, with plain reads at places learnt once. */
#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "h5/h5.h"
#include "output/internal.h"
#include "output/opened.h"
#include "output/results.h"

enum { PIECE_BYTES = 1 << 16 };

/* A variable and where its rows are. */
typedef struct variable {
    size_t stream;
    char *name;
    const spl_survey_set *rows; /* NULL: not as a run writes them */
} variable;

struct spl_watch {
    char *path;
    spl_opened file;
    const spl_survey_set *code, *message, *starts;
    size_t n_variables, capacity;
    variable *variables;
    spl_watch_value *values; /* [capacity] */
    char text[SPL_MESSAGE_BYTES + 1];
};

static spl_status no_memory(const spl_watch *watch)
{
    return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", watch->path);
}

static bool is_inside(const spl_watch *watch, const spl_survey_set *set)
{
    return set->is.contiguous && set->is.offset <= watch->file.file_bytes &&
           set->is.bytes <= watch->file.file_bytes - set->is.offset;
}

static spl_status find_fixed(const spl_survey_set **set, const spl_watch *watch,
    const char *path, spl_place_type type, uint64_t bytes)
{
    *set = spl_survey_find(&watch->file.survey, path);
    return *set != NULL && (*set)->is.type == type && (*set)->is.bytes == bytes &&
                   is_inside(watch, *set)
               ? SPL_OK
               : spl_error(SPL_ERR_FORMAT,
                     "%s: %s: not as a run writes it; see splenium verify", watch->path,
                     path);
}

static spl_status add_variable(
    spl_watch *watch, size_t stream, const char *group, const char *name)
{
    spl_status status = SPL_OK;
    const spl_results_stream *s = &watch->file.info->streams[stream];
    spl_text path = {0};
    if (watch->n_variables == watch->capacity) {
        const size_t capacity = 2 * watch->capacity + 16;
        variable *more = realloc(watch->variables, capacity * sizeof *more);
        watch->variables = more != NULL ? more : watch->variables;
        free(watch->values);
        watch->values = calloc(capacity, sizeof *watch->values);
        if (more == NULL || watch->values == NULL) {
            status = no_memory(watch);
            goto out;
        }
        watch->capacity = capacity;
    }
    spl_text_add(&path, "%s/%s", group, name);
    variable *v = &watch->variables[watch->n_variables];
    *v = (variable){.stream = stream, .name = spl_strdup(name)};
    if (v->name == NULL || path.failed) {
        free(v->name);
        status = no_memory(watch);
        goto out;
    }
    watch->n_variables++;
    const spl_survey_set *rows = spl_survey_find(&watch->file.survey, path.data);
    if (rows != NULL && is_inside(watch, rows) && rows->is.rank == 2 &&
        (rows->is.type == SPL_PLACE_F4 || rows->is.type == SPL_PLACE_F8) &&
        rows->is.dims[0] == s->n_rows && rows->is.dims[1] == s->width) {
        v->rows = rows;
    }
out:
    spl_text_deinit(&path);
    return status;
}

static spl_status add_stream(spl_watch *watch, size_t stream)
{
    spl_status status = SPL_OK;
    const spl_results_stream *s = &watch->file.info->streams[stream];
    spl_text group = {0};
    char *names = spl_strdup(s->variables);
    char *rest = NULL;
    spl_opened_group(&group, s);
    if (names == NULL || group.failed) {
        status = no_memory(watch);
        goto out;
    }
    for (char *name = strtok_r(names, " ", &rest); name != NULL;
         name = strtok_r(NULL, " ", &rest)) {
        SPL_TRY(add_variable(watch, stream, group.data, name));
    }
out:
    free(names);
    spl_text_deinit(&group);
    return status;
}

static void forget(spl_watch *watch)
{
    for (size_t v = 0; v < watch->n_variables; v++) {
        free(watch->variables[v].name);
    }
    watch->n_variables = 0;
    spl_opened_close(&watch->file);
}

static spl_status learn(spl_watch *watch)
{
    spl_status status = SPL_OK;
    forget(watch);
    SPL_TRY(spl_opened_open(&watch->file, watch->path));
    SPL_TRY(find_fixed(&watch->code, watch, "/status/code", SPL_PLACE_CODE, 1));
    SPL_TRY(find_fixed(
        &watch->message, watch, "/status/message", SPL_PLACE_TEXT, SPL_MESSAGE_BYTES));
    SPL_TRY(find_fixed(&watch->starts, watch, "/performance/starts", SPL_PLACE_F8,
        (uint64_t)SPL_MAX_STARTS * SPL_START_VALUES * sizeof(double)));
    for (size_t s = 0; s < watch->file.info->n_streams; s++) {
        SPL_TRY(add_stream(watch, s));
    }
out:
    return status;
}

spl_status spl_watch_open(spl_watch **out, const char *path)
{
    spl_status status = SPL_OK;
    bool is_hdf5 = false;
    spl_watch *watch = calloc(1, sizeof *watch);
    *out = NULL;
    if (watch == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    watch->path = spl_strdup(path);
    if (watch->path == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    SPL_TRY(spl_h5_probe(path, &is_hdf5));
    SPL_TRY(learn(watch));
    *out = watch;
    watch = NULL;
out:
    spl_watch_close(watch);
    return status;
}

void spl_watch_close(spl_watch *watch)
{
    if (watch != NULL) {
        forget(watch);
        free(watch->variables);
        free(watch->values);
        free(watch->path);
        free(watch);
    }
}

/* Mean, least and largest of a row. */
static spl_status read_row(
    const spl_watch *watch, const variable *v, uint64_t row, spl_watch_value *value)
{
    spl_status status = SPL_OK;
    unsigned char piece[PIECE_BYTES];
    const size_t item = v->rows->is.type == SPL_PLACE_F8 ? 8 : 4;
    const uint64_t bytes = v->rows->is.dims[1] * item;
    double sum = 0.0;
    for (uint64_t at = 0; at < bytes;) {
        const size_t n = bytes - at < PIECE_BYTES ? (size_t)(bytes - at) : PIECE_BYTES;
        SPL_TRY(spl_file_read_at(watch->file.fd, watch->path, piece, n,
            v->rows->is.offset + row * bytes + at));
        for (size_t i = 0; i < n; i += item) {
            const double x = spl_stored_number(piece + i, item);
            sum += x;
            value->min = fmin(value->min, x);
            value->max = fmax(value->max, x);
        }
        at += n;
    }
    value->mean = sum / (double)v->rows->is.dims[1];
out:
    return status;
}

static spl_status read_values(spl_watch *watch, const spl_record *newest)
{
    spl_status status = SPL_OK;
    for (size_t i = 0; i < watch->n_variables; i++) {
        const variable *v = &watch->variables[i];
        const spl_results_stream *stream = &watch->file.info->streams[v->stream];
        const uint64_t n = newest->rows[v->stream];
        watch->values[i] = (spl_watch_value){.stream = stream->name,
            .variable = v->name,
            .n_durable = n,
            .n_rows = stream->n_rows,
            .time_ms = n > 0 ? stream->first_time_ms + (double)(n - 1) * stream->period_ms
                             : (double)NAN,
            .mean = NAN,
            .min = NAN,
            .max = NAN};
        if (n > 0 && v->rows != NULL && stream->width > 0) {
            SPL_TRY(read_row(watch, v, n - 1, &watch->values[i]));
        }
    }
out:
    return status;
}

/* The code, then its message, which was there before. */
static spl_status read_status(spl_watch *watch, spl_watch_view *view)
{
    spl_status status = SPL_OK;
    unsigned char code;
    SPL_TRY(
        spl_file_read_at(watch->file.fd, watch->path, &code, 1, watch->code->is.offset));
    SPL_TRY(spl_file_read_at(watch->file.fd, watch->path, watch->text, SPL_MESSAGE_BYTES,
        watch->message->is.offset));
    watch->text[SPL_MESSAGE_BYTES] = '\0';
    spl_results_clean(watch->text);
    view->status = spl_results_state_name(code);
    view->message = watch->text;
    if (view->status == NULL) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: /status/code: %d means nothing", watch->path, code);
    }
out:
    return status;
}

/* The last row of /performance/starts that was written. */
static spl_status read_start(const spl_watch *watch, spl_watch_view *view)
{
    double starts[SPL_MAX_STARTS][SPL_START_VALUES];
    uint64_t words[SPL_MAX_STARTS * SPL_START_VALUES];
    const spl_status status = spl_file_read_at(
        watch->file.fd, watch->path, words, sizeof words, watch->starts->is.offset);
    if (status != SPL_OK) {
        return status;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        words[i] = le64toh(words[i]);
    }
    memcpy(starts, words, sizeof starts);
    for (size_t i = 0; i < SPL_MAX_STARTS && starts[i][0] > 0.0; i++) {
        view->start_s = starts[i][0];
        view->start_step =
            starts[i][1] >= 0.0 && starts[i][1] < 0x1p63 ? (uint64_t)starts[i][1] : 0;
    }
    return SPL_OK;
}

static spl_status learn_again_if_replaced(spl_watch *watch, bool *replaced)
{
    struct stat what;
    *replaced = !spl_file_is_at(watch->file.fd, watch->path);
    if (*replaced && stat(watch->path, &what) != 0) {
        return spl_error(errno == ENOENT ? SPL_ERR_FILE_MISSING : SPL_ERR_FILE_READ,
            "%s: no longer there: %s", watch->path, strerror(errno));
    }
    return *replaced ? learn(watch) : SPL_OK;
}

spl_status spl_watch_look(spl_watch *watch, spl_watch_view *view)
{
    spl_status status = SPL_OK;
    unsigned char slots[2 * SPL_SLOT_BYTES];
    spl_record newest;
    *view = (spl_watch_view){0};
    SPL_TRY(learn_again_if_replaced(watch, &view->replaced));
    /* before the code is read: who lets go of the lock has written it */
    view->live = spl_lock_is_held(watch->path);
    SPL_TRY(read_status(watch, view));
    SPL_TRY(spl_opened_slots(&watch->file, view->live, slots));
    if (spl_slot_choose(&newest, slots, watch->file.info->n_streams, watch->file.n_rows) <
        0) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: /progress: no valid slot; the file is damaged",
            watch->path);
    }
    SPL_TRY(read_start(watch, view));
    SPL_TRY(read_values(watch, &newest));
    view->copy = watch->file.info->copy;
    view->step = newest.step;
    view->n_values = watch->n_variables;
    view->values = watch->values;
out:
    return status;
}
