#include "output/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "h5/h5.h"
#include "output/internal.h"
#include "splenium/results.h"

/* What HDF5 itself needs in the child. */
#define CHILD_BYTES ((size_t)512 << 20)

static const char *const code_names[] = {[SPL_RUN_RUNNING] = "running",
    [SPL_RUN_COMPLETE] = "complete",
    [SPL_RUN_FAILED] = "failed",
    [SPL_RUN_DIVERGED] = "diverged",
    [SPL_RUN_INTERRUPTED] = "interrupted"};
enum { N_CODES = sizeof code_names / sizeof *code_names };

const char *spl_results_state_name(uint64_t code)
{
    return code < N_CODES ? code_names[code] : NULL;
}

/* What has arrived so far. */
typedef struct arrived {
    spl_results_info *info;
    spl_results_stream *streams; /* [SPL_MAX_STREAMS] */
    spl_results_population *populations;
    size_t populations_capacity;
    uint64_t first_step;
    bool has_state, has_slots;
    unsigned char slots[2 * SPL_SLOT_BYTES];
} arrived;

static spl_status no_memory(const char *path)
{
    return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
}

/* Bytes of the UTF-8 character at `c` that may be printed; 0 for anything else. */
static size_t printable(const unsigned char *c)
{
    if (c[0] < 0x80) {
        return c[0] >= 0x20 && c[0] != 0x7F ? 1 : 0;
    }
    size_t length = c[0] >= 0xF0 ? 4 : c[0] >= 0xE0 ? 3 : 2;
    if (c[0] < 0xC2 || c[0] > 0xF4) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((c[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    /* control characters, overlong forms, surrogates, beyond U+10FFFF */
    const bool bad = (c[0] == 0xC2 && c[1] < 0xA0) || (c[0] == 0xE0 && c[1] < 0xA0) ||
                     (c[0] == 0xED && c[1] >= 0xA0) || (c[0] == 0xF0 && c[1] < 0x90) ||
                     (c[0] == 0xF4 && c[1] >= 0x90);
    return bad ? 0 : length;
}

void spl_results_clean(char *text)
{
    unsigned char *c = (unsigned char *)text;
    while (*c != '\0') {
        size_t length = printable(c);
        if (length == 0) {
            *c = '?';
            length = 1;
        }
        c += length;
    }
}

static spl_status take_text(
    char **text, spl_sandbox *sandbox, const spl_sandbox_record *record, size_t max_bytes)
{
    if (record->bytes > max_bytes) {
        return spl_sandbox_nonsense(sandbox);
    }
    *text = calloc(1, (size_t)record->bytes + 1);
    return *text != NULL ? spl_sandbox_take(sandbox, *text, (size_t)record->bytes)
                         : no_memory(sandbox->path);
}

/* A text for the description, of which there must be only one. */
static spl_status take_clean(
    const char **to, spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    char *text = NULL;
    if (to == NULL || *to != NULL) {
        return spl_sandbox_nonsense(sandbox);
    }
    spl_status status =
        take_text(&text, sandbox, record, (size_t)4 * SPL_RESULTS_MAX_TEXT);
    if (text != NULL) {
        spl_results_clean(text);
    }
    *to = text;
    return status;
}

static spl_status take_struct(
    void *to, size_t bytes, spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    return record->bytes == bytes ? spl_sandbox_take(sandbox, to, bytes)
                                  : spl_sandbox_nonsense(sandbox);
}

static spl_status take_state(
    arrived *a, spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    spl_results_state state = {0};
    spl_status status = take_struct(&state, sizeof state, sandbox, record);
    if (status == SPL_OK && a->has_state) {
        status = spl_sandbox_nonsense(sandbox);
    }
    if (status == SPL_OK && state.code >= N_CODES) {
        status = spl_error(SPL_ERR_FORMAT, "%s: /status/code: %llu means nothing",
            sandbox->path, (unsigned long long)state.code);
    }
    if (status == SPL_OK) {
        a->has_state = true;
        a->info->status = code_names[state.code];
        a->info->escaped_nodes = state.escaped_nodes;
        a->info->n_nodes = (size_t)state.n_nodes;
    }
    return status;
}

static spl_status take_stream(
    arrived *a, spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    spl_results_numbers numbers = {0};
    spl_status status = take_struct(&numbers, sizeof numbers, sandbox, record);
    if (status == SPL_OK &&
        (a->info->n_streams == SPL_MAX_STREAMS || !isfinite(numbers.first_time_ms) ||
            !isfinite(numbers.period_ms))) {
        status = spl_sandbox_nonsense(sandbox);
    }
    if (status == SPL_OK) {
        a->streams[a->info->n_streams++] = (spl_results_stream){
            .n_rows = numbers.n_rows,
            .width = (size_t)numbers.width,
            .first_time_ms = numbers.first_time_ms,
            .period_ms = numbers.period_ms,
        };
    }
    return status;
}

static spl_status take_population(
    arrived *a, spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    spl_results_info *info = a->info;
    spl_results_counts counts = {0};
    const spl_status status = take_struct(&counts, sizeof counts, sandbox, record);
    if (status != SPL_OK) {
        return status;
    }
    if (info->n_populations == SPL_RESULTS_MAX_POPULATIONS) {
        return spl_sandbox_nonsense(sandbox);
    }
    if (info->n_populations == a->populations_capacity) {
        const size_t capacity = 2 * a->populations_capacity + 16;
        spl_results_population *more =
            realloc(a->populations, capacity * sizeof *a->populations);
        if (more == NULL) {
            return no_memory(sandbox->path);
        }
        info->populations = a->populations = more;
        a->populations_capacity = capacity;
    }
    a->populations[info->n_populations++] = (spl_results_population){.size = counts.size,
        .excitatory = counts.excitatory != 0,
        .n_spikes = counts.n_spikes,
        .n_events = counts.n_events};
    return SPL_OK;
}

/* Where the text of a kind belongs; NULL if it belongs nowhere. */
static const char **place_of(arrived *a, uint32_t kind)
{
    spl_results_stream *stream =
        a->info->n_streams > 0 ? &a->streams[a->info->n_streams - 1] : NULL;
    spl_results_population *population =
        a->info->n_populations > 0 ? &a->populations[a->info->n_populations - 1] : NULL;
    switch (kind) {
    case SPL_RESULTS_TITLE:
        return &a->info->title;
    case SPL_RESULTS_CREATED:
        return &a->info->created;
    case SPL_RESULTS_VERSION:
        return &a->info->software_version;
    case SPL_RESULTS_UUID:
        return &a->info->uuid;
    case SPL_RESULTS_COMMAND:
        return &a->info->command_line;
    case SPL_RESULTS_MODEL:
        return &a->info->model;
    case SPL_RESULTS_COPY:
        return &a->info->copy;
    case SPL_RESULTS_MESSAGE:
        return &a->info->message;
    case SPL_RESULTS_NAME:
        return stream != NULL ? &stream->name : NULL;
    case SPL_RESULTS_KIND:
        return stream != NULL ? &stream->kind : NULL;
    case SPL_RESULTS_VARIABLES:
        return stream != NULL ? &stream->variables : NULL;
    case SPL_RESULTS_SPIKES_FILE:
        return &a->info->spikes_file;
    case SPL_RESULTS_POPULATION_NAME:
        return population != NULL ? &population->name : NULL;
    case SPL_RESULTS_POPULATION_REGION:
        return population != NULL ? &population->region : NULL;
    default:
        return NULL;
    }
}

static spl_status take_record(
    arrived *a, spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    switch (record->kind) {
    case SPL_RESULTS_OTHER:
        return spl_error(SPL_ERR_NOT_FOUND,
            "%s: an HDF5 file, but not one of results of splenium", sandbox->path);
    case SPL_RESULTS_STATE:
        return take_state(a, sandbox, record);
    case SPL_RESULTS_SLOTS:
        a->has_slots = true;
        return take_struct(a->slots, sizeof a->slots, sandbox, record);
    case SPL_RESULTS_STREAM:
        return take_stream(a, sandbox, record);
    case SPL_RESULTS_FIRST_STEP:
        return take_struct(&a->first_step, sizeof a->first_step, sandbox, record);
    case SPL_RESULTS_POPULATION:
        return take_population(a, sandbox, record);
    default:
        return take_clean(place_of(a, record->kind), sandbox, record);
    }
}

/* Every text and number must have come. */
static bool is_whole(const arrived *a)
{
    const spl_results_info *info = a->info;
    bool whole = a->has_state && a->has_slots && info->title != NULL &&
                 info->created != NULL && info->software_version != NULL &&
                 info->uuid != NULL && info->command_line != NULL &&
                 info->model != NULL && info->copy != NULL && info->message != NULL &&
                 info->spikes_file != NULL;
    for (size_t s = 0; s < info->n_streams; s++) {
        whole = whole && a->streams[s].name != NULL && a->streams[s].kind != NULL &&
                a->streams[s].variables != NULL;
    }
    for (size_t p = 0; p < info->n_populations; p++) {
        whole =
            whole && a->populations[p].name != NULL && a->populations[p].region != NULL;
    }
    return whole;
}

/* Durable are the rows that the newest valid slot says; all of them once complete. */
static spl_status count_durable(arrived *a, const char *path)
{
    spl_record newest;
    uint64_t n_rows[SPL_MAX_STREAMS];
    const size_t n = a->info->n_streams;
    for (size_t s = 0; s < n; s++) {
        n_rows[s] = a->streams[s].n_rows;
    }
    if (spl_slot_choose(&newest, a->slots, n, n_rows) < 0) {
        return spl_error(
            SPL_ERR_FORMAT, "%s: /progress: no valid slot; the file is damaged", path);
    }
    a->info->step = newest.step;
    for (size_t s = 0; s < n; s++) {
        a->streams[s].n_durable = newest.rows[s];
    }
    return SPL_OK;
}

/* Spikes a second and neuron since recording began: the table of rates has a row for each
 * step, a step's period apart. */
static void find_rates(arrived *a)
{
    double ms = 0.0;
    for (size_t s = 0; s < a->info->n_streams; s++) {
        const spl_results_stream *stream = &a->streams[s];
        if (strcmp(stream->kind, "populations") == 0 && a->info->step > a->first_step) {
            ms = stream->period_ms * (double)(a->info->step - a->first_step);
        }
    }
    for (size_t p = 0; p < a->info->n_populations; p++) {
        spl_results_population *population = &a->populations[p];
        population->mean_rate_hz =
            ms > 0.0 && population->size > 0
                ? 1000.0 * (double)population->n_spikes / (ms * (double)population->size)
                : (double)NAN;
    }
}

static spl_status collect(arrived *a, spl_sandbox *sandbox)
{
    spl_status status = SPL_OK;
    spl_sandbox_record record;
    for (;;) {
        SPL_TRY(spl_sandbox_next(sandbox, &record));
        if (record.kind == 0) {
            break;
        }
        SPL_TRY(take_record(a, sandbox, &record));
    }
    if (!is_whole(a)) {
        SPL_TRY(spl_sandbox_nonsense(sandbox));
    }
    SPL_TRY(count_durable(a, sandbox->path));
    find_rates(a);
out:
    return status;
}

spl_status spl_results_describe(const char *path, spl_results_info **out)
{
    spl_status status = SPL_OK;
    const bool config = false;
    bool is_hdf5 = false;
    /* before the code is read: who lets go of the lock has written it */
    const bool held = spl_lock_is_held(path);
    spl_sandbox sandbox = {.child = -1, .fd = -1};
    arrived a = {.info = calloc(1, sizeof *a.info)};
    *out = NULL;
    a.streams = calloc(SPL_MAX_STREAMS, sizeof *a.streams);
    if (a.info == NULL || a.streams == NULL) {
        free(a.streams);
        status = no_memory(path);
        goto out;
    }
    a.info->streams = a.streams;
    a.info->path = spl_strdup(path);
    if (a.info->path == NULL) {
        status = no_memory(path);
        goto out;
    }
    SPL_TRY(spl_h5_probe(path, &is_hdf5));
    if (!is_hdf5) {
        SPL_FAIL(SPL_ERR_NOT_FOUND, "%s: not an HDF5 file, so not results", path);
    }
    SPL_TRY(spl_sandbox_start(&sandbox, path, spl_results_child, &config, CHILD_BYTES));
    SPL_TRY(collect(&a, &sandbox));
    a.info->live = held && (strcmp(a.info->status, code_names[SPL_RUN_RUNNING]) == 0 ||
                               spl_lock_is_held(path));
    *out = a.info;
    a.info = NULL;
out:
    spl_sandbox_stop(&sandbox);
    spl_results_free(a.info);
    return status;
}

void spl_results_free(spl_results_info *info)
{
    if (info == NULL) {
        return;
    }
    for (size_t s = 0; s < info->n_streams; s++) {
        free((char *)info->streams[s].name);
        free((char *)info->streams[s].kind);
        free((char *)info->streams[s].variables);
    }
    for (size_t p = 0; p < info->n_populations; p++) {
        free((char *)info->populations[p].name);
        free((char *)info->populations[p].region);
    }
    free((spl_results_stream *)info->streams);
    free((spl_results_population *)info->populations);
    free((char *)info->spikes_file);
    free((char *)info->path);
    free((char *)info->message);
    free((char *)info->title);
    free((char *)info->created);
    free((char *)info->software_version);
    free((char *)info->uuid);
    free((char *)info->command_line);
    free((char *)info->model);
    free((char *)info->copy);
    free(info);
}

static spl_status take_config(
    spl_sandbox *sandbox, const spl_sandbox_record *record, char **json, char **sha256)
{
    switch (record->kind) {
    case SPL_RESULTS_OTHER:
        return spl_error(SPL_ERR_FORMAT,
            "%s: an HDF5 file, but not one of results of splenium; give a configuration, "
            "results or a connectome",
            sandbox->path);
    case SPL_RESULTS_JSON:
        return *json == NULL ? take_text(json, sandbox, record, SPL_RESULTS_MAX_JSON)
                             : spl_sandbox_nonsense(sandbox);
    case SPL_RESULTS_SHA256:
        return *sha256 == NULL ? take_text(sha256, sandbox, record, SPL_SHA256_HEX)
                               : spl_sandbox_nonsense(sandbox);
    default:
        return spl_sandbox_nonsense(sandbox);
    }
}

spl_status spl_results_config(const char *path, char **json, char sha256[SPL_SHA256_HEX])
{
    spl_status status = SPL_OK;
    const bool config = true;
    spl_sandbox sandbox = {.child = -1, .fd = -1};
    spl_sandbox_record record;
    char *hash = NULL;
    *json = NULL;
    SPL_TRY(spl_sandbox_start(&sandbox, path, spl_results_child, &config,
        CHILD_BYTES + 3 * (size_t)SPL_RESULTS_MAX_JSON));
    for (;;) {
        SPL_TRY(spl_sandbox_next(&sandbox, &record));
        if (record.kind == 0) {
            break;
        }
        SPL_TRY(take_config(&sandbox, &record, json, &hash));
    }
    if (*json == NULL || hash == NULL) {
        SPL_TRY(spl_sandbox_nonsense(&sandbox));
    }
    const bool known = strlen(hash) == SPL_SHA256_HEX - 1;
    memcpy(sha256, known ? hash : "", known ? SPL_SHA256_HEX : 1);
out:
    spl_sandbox_stop(&sandbox);
    free(hash);
    if (status != SPL_OK) {
        free(*json);
        *json = NULL;
    }
    return status;
}
