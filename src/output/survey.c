#include "output/survey.h"

#include <stdlib.h>
#include <string.h>

/* What HDF5 itself needs in the child. */
#define CHILD_BYTES ((size_t)512 << 20)

static const uint64_t type_bytes[] = {[SPL_PLACE_F4] = 4,
    [SPL_PLACE_F8] = 8,
    [SPL_PLACE_U4] = 4,
    [SPL_PLACE_U8] = 8,
    [SPL_PLACE_CODE] = 1,
    [SPL_PLACE_TEXT] = SPL_MESSAGE_BYTES};

static spl_status no_memory(const spl_sandbox *sandbox)
{
    return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", sandbox->path);
}

/* Do type, shape, bytes and offset fit each other? */
static bool is_sane(const spl_survey_numbers *is)
{
    const uint64_t most = (uint64_t)1 << 62;
    const bool known = is->type <= SPL_PLACE_TEXT;
    uint64_t bytes = known ? type_bytes[is->type] : 1;
    if ((!known && is->type != SPL_SURVEY_OTHER) || is->rank > 3 || is->contiguous > 1 ||
        is->offset > most || is->bytes > most || is->rows_per_block > most) {
        return false;
    }
    for (uint64_t r = 0; r < is->rank; r++) {
        if (__builtin_mul_overflow(bytes, is->dims[r], &bytes) || bytes > most) {
            return false;
        }
    }
    return !known || !is->contiguous || is->bytes == bytes;
}

static spl_status add_set(spl_survey *survey, const spl_sandbox *sandbox,
    const spl_survey_numbers *is, char *path)
{
    if (survey->n == survey->capacity) {
        const size_t capacity = 2 * survey->capacity + 64;
        spl_survey_set *more = realloc(survey->sets, capacity * sizeof *more);
        if (more == NULL) {
            free(path);
            return no_memory(sandbox);
        }
        survey->sets = more;
        survey->capacity = capacity;
    }
    survey->sets[survey->n++] = (spl_survey_set){.path = path, .is = *is};
    return SPL_OK;
}

/* A text of the payload: no NUL, no control character, so that it may be printed. */
static spl_status take_path(char **path, spl_sandbox *sandbox, uint64_t bytes)
{
    spl_status status = SPL_OK;
    char *text = bytes <= SPL_SURVEY_MAX_PATH ? calloc(1, (size_t)bytes + 1) : NULL;
    *path = NULL;
    if (bytes > SPL_SURVEY_MAX_PATH) {
        return spl_sandbox_nonsense(sandbox);
    }
    if (text == NULL) {
        return no_memory(sandbox);
    }
    SPL_TRY(spl_sandbox_take(sandbox, text, (size_t)bytes));
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F) {
            SPL_TRY(spl_sandbox_nonsense(sandbox));
        }
    }
    *path = text;
    text = NULL;
out:
    free(text);
    return status;
}

static spl_status take_set(
    spl_survey *survey, spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    spl_status status = SPL_OK;
    spl_survey_numbers is;
    char *path = NULL;
    if (record->bytes <= sizeof is || survey->n == SPL_SURVEY_MAX_SETS ||
        survey->path_bytes > SPL_SURVEY_MAX_PATHS) {
        return spl_sandbox_nonsense(sandbox);
    }
    SPL_TRY(spl_sandbox_take(sandbox, &is, sizeof is));
    SPL_TRY(take_path(&path, sandbox, record->bytes - sizeof is));
    survey->path_bytes += (size_t)record->bytes;
    if (!is_sane(&is)) {
        status = spl_error(SPL_ERR_FORMAT,
            "%s: %s: its type, shape and size contradict each "
            "other; the file is damaged",
            sandbox->path, path);
        free(path);
        goto out;
    }
    SPL_TRY(add_set(survey, sandbox, &is, path));
out:
    return status;
}

static spl_status take_array(
    spl_survey *survey, spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    if (survey->arrays == NULL) {
        survey->arrays = calloc(SPL_SURVEY_MAX_ARRAYS, sizeof *survey->arrays);
    }
    if (survey->arrays == NULL) {
        return no_memory(sandbox);
    }
    if (survey->n_arrays == SPL_SURVEY_MAX_ARRAYS) {
        return spl_sandbox_nonsense(sandbox);
    }
    const spl_status status =
        take_path(&survey->arrays[survey->n_arrays], sandbox, record->bytes);
    survey->n_arrays += status == SPL_OK;
    return status;
}

static spl_status take_record(
    spl_survey *survey, spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    spl_status status = SPL_OK;
    switch (record->kind) {
    case SPL_SURVEY_FILE:
        if (record->bytes != sizeof survey->file) {
            return spl_sandbox_nonsense(sandbox);
        }
        SPL_TRY(spl_sandbox_take(sandbox, &survey->file, sizeof survey->file));
        survey->file.uuid[sizeof survey->file.uuid - 1] = '\0';
        break;
    case SPL_SURVEY_SET:
        return take_set(survey, sandbox, record);
    case SPL_SURVEY_ARRAY:
        return take_array(survey, sandbox, record);
    default:
        return spl_sandbox_nonsense(sandbox);
    }
out:
    return status;
}

static int compare(const void *a, const void *b)
{
    const spl_survey_set *x = a;
    const spl_survey_set *y = b;
    return strcmp(x->path, y->path);
}

spl_status spl_survey_make(spl_survey *survey, const char *path)
{
    spl_status status = SPL_OK;
    spl_sandbox sandbox = {.child = -1, .fd = -1};
    spl_sandbox_record record;
    SPL_TRY(spl_sandbox_start(&sandbox, path, spl_survey_child, NULL, CHILD_BYTES));
    for (;;) {
        SPL_TRY(spl_sandbox_next(&sandbox, &record));
        if (record.kind == 0) {
            break;
        }
        SPL_TRY(take_record(survey, &sandbox, &record));
    }
    if (survey->n > 0) {
        qsort(survey->sets, survey->n, sizeof *survey->sets, compare);
    }
out:
    spl_sandbox_stop(&sandbox);
    return status;
}

void spl_survey_deinit(spl_survey *survey)
{
    for (size_t i = 0; i < survey->n; i++) {
        free(survey->sets[i].path);
    }
    for (size_t i = 0; i < survey->n_arrays; i++) {
        free(survey->arrays[i]);
    }
    free(survey->sets);
    free(survey->arrays);
    *survey = (spl_survey){0};
}

const spl_survey_set *spl_survey_find(const spl_survey *survey, const char *path)
{
    const spl_survey_set key = {.path = (char *)path};
    return survey->n > 0
               ? bsearch(&key, survey->sets, survey->n, sizeof *survey->sets, compare)
               : NULL;
}
