/* Results files in the sandbox: opens by name what our layout has, and sends it. */
#include "output/results.h"

#include "h5/strict.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "h5/h5.h"
#include "output/convert.h"
#include "output/progress.h"

enum { MAX_NAME = 256, MAX_VARIABLES = 64, MAX_DATASETS = MAX_VARIABLES + 2 };

typedef struct child {
    int fd;
    spl_h5_source source;
    hid_t file;
} child;

static spl_status send_text(const child *c, spl_results_kind kind, const char *text)
{
    return spl_sandbox_send(c->fd, kind, 1, 1, text, strlen(text));
}

static spl_status send_attribute(
    const child *c, spl_results_kind kind, hid_t object, const char *name)
{
    char text[SPL_RESULTS_MAX_TEXT];
    spl_h5_read_text(object, name, text, sizeof text);
    return send_text(c, kind, text);
}

/* A group of the layout, which must be there. */
static spl_status need_group(hid_t *group, const child *c, hid_t where, const char *name)
{
    spl_status status = spl_h5_open_group(group, where, &c->source, name);
    if (status == SPL_OK && *group < 0) {
        status = spl_error(SPL_ERR_FORMAT,
            "%s: %s: no such group in this results file; it is damaged", c->source.path,
            name);
    }
    return status;
}

/* A dataset of the layout, of the given class and at most `max_bytes` in all. */
static spl_status need_dataset(
    spl_h5_dataset *d, const child *c, hid_t where, const char *group, const char *name)
{
    spl_status status = SPL_OK;
    SPL_TRY(spl_h5_open_dataset(d, where, &c->source, group, name));
    if (d->id < 0) {
        SPL_TRY(
            spl_h5_bad_dataset(d, "no such dataset in this results file; it is damaged"));
    }
    SPL_TRY(spl_h5_check_storage(d));
out:
    return status;
}

static uint64_t n_values(const spl_h5_dataset *d)
{
    uint64_t n = 1;
    for (int r = 0; r < d->rank; r++) {
        /* the storage check has bounded the product */
        n *= d->dims[r];
    }
    return n;
}

/* Whole numbers; an enum is read as its bytes. */
static spl_status read_words(const child *c, hid_t where, const char *group,
    const char *name, uint64_t *words, size_t n)
{
    spl_status status = SPL_OK;
    unsigned char byte = 0;
    spl_h5_dataset d;
    SPL_TRY(need_dataset(&d, c, where, group, name));
    const bool code = d.type_class == H5T_ENUM && d.item_bytes == 1;
    if ((!code && d.type_class != H5T_INTEGER) || n_values(&d) != n) {
        SPL_TRY(spl_h5_bad_dataset(&d, "not of the type and shape of a results file"));
    }
    const herr_t read =
        code && n == 1
            ? H5Dread(d.id, d.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &byte)
            : H5Dread(d.id, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, words);
    if (read < 0) {
        SPL_TRY(spl_h5_bad_dataset(&d, "cannot be read"));
    }
    if (code) {
        words[0] = byte;
    }
out:
    spl_h5_close_dataset(&d);
    return status;
}

/* A scalar string, of fixed or variable length, as a heap copy. */
static spl_status read_string(const child *c, hid_t where, const char *group,
    const char *name, size_t max_bytes, char **text)
{
    spl_status status = SPL_OK;
    spl_h5_dataset d;
    char *variable = NULL;
    *text = NULL;
    SPL_TRY(need_dataset(&d, c, where, group, name));
    const bool is_variable = H5Tis_variable_str(d.type) > 0;
    if (d.type_class != H5T_STRING || n_values(&d) != 1 ||
        (!is_variable && d.item_bytes > max_bytes)) {
        SPL_TRY(spl_h5_bad_dataset(&d, "not a text of a results file"));
    }
    *text = calloc(1, (is_variable ? 0 : d.item_bytes) + 1);
    if (*text == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", c->source.path);
    }
    if (H5Dread(d.id, d.type, H5S_ALL, H5S_ALL, H5P_DEFAULT,
            is_variable ? (void *)&variable : (void *)*text) < 0) {
        SPL_TRY(spl_h5_bad_dataset(&d, "cannot be read"));
    }
    if (variable != NULL) {
        if (strlen(variable) > max_bytes) {
            SPL_FAIL(SPL_ERR_LIMIT, "%s: %s/%s: more than %zu bytes", c->source.path,
                group, name, max_bytes);
        }
        free(*text);
        *text = variable;
    }
out:
    spl_h5_close_dataset(&d);
    return status;
}

static spl_status send_string(const child *c, spl_results_kind kind, hid_t where,
    const char *group, const char *name, size_t max_bytes)
{
    char *text = NULL;
    spl_status status = read_string(c, where, group, name, max_bytes, &text);
    if (status == SPL_OK) {
        status = send_text(c, kind, text);
    }
    /* what HDF5 allocated goes with the process */
    return status;
}

static spl_status send_state(const child *c)
{
    spl_status status = SPL_OK;
    spl_results_state state = {0};
    spl_h5_dataset labels = {.id = -1, .type = -1};
    hid_t group = -1;
    hid_t connectome = -1;
    SPL_TRY(need_group(&group, c, c->file, "/status"));
    SPL_TRY(read_words(c, group, "/status", "code", &state.code, 1));
    SPL_TRY(read_words(c, group, "/status", "escaped_nodes", &state.escaped_nodes, 1));
    SPL_TRY(send_string(c, SPL_RESULTS_MESSAGE, group, "/status", "message", 256));
    SPL_TRY(spl_h5_open_group(&connectome, c->file, &c->source, "/connectome"));
    if (connectome >= 0) {
        SPL_TRY(need_dataset(&labels, c, connectome, "/connectome", "labels"));
        state.n_nodes = labels.rank == 1 ? labels.dims[0] : 0;
    }
    SPL_TRY(spl_sandbox_send(c->fd, SPL_RESULTS_STATE, 1, 1, &state, sizeof state));
out:
    return status;
}

/* Names of the variables of a monitor: every dataset but its axes. */
static spl_status send_variables(const child *c, hid_t group, const char *path)
{
    spl_status status = SPL_OK;
    spl_text names = {0};
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0 || info.nlinks > MAX_DATASETS) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: %s: not a monitor of a results file",
            c->source.path, path);
    }
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[MAX_NAME];
        ssize_t length = H5Lget_name_by_idx(
            group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT);
        if (length <= 0 || length >= MAX_NAME) {
            SPL_FAIL(SPL_ERR_FORMAT, "%s: %s: a variable without a usable name",
                c->source.path, path);
        }
        if (strcmp(name, "time") != 0 && strcmp(name, "region") != 0) {
            spl_text_add(&names, "%s%s", names.length > 0 ? " " : "", name);
        }
    }
    if (names.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", c->source.path);
    }
    SPL_TRY(send_text(c, SPL_RESULTS_VARIABLES, names.length > 0 ? names.data : ""));
out:
    spl_text_deinit(&names);
    return status;
}

/* Length of an axis of a monitor. */
static spl_status read_length(
    const child *c, hid_t group, const char *path, const char *axis, uint64_t *length)
{
    spl_status status = SPL_OK;
    spl_h5_dataset d;
    SPL_TRY(need_dataset(&d, c, group, path, axis));
    if (d.rank != 1) {
        SPL_TRY(spl_h5_bad_dataset(&d, "not an axis"));
    }
    *length = d.dims[0];
out:
    spl_h5_close_dataset(&d);
    return status;
}

static spl_status send_stream(const child *c, hid_t monitors, const char *name)
{
    spl_status status = SPL_OK;
    spl_results_numbers numbers;
    spl_text path = {0};
    hid_t group = -1;
    spl_text_add(&path, "/monitors/%s", name);
    if (path.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", c->source.path);
    }
    SPL_TRY(need_group(&group, c, monitors, name));
    SPL_TRY(read_length(c, group, path.data, "time", &numbers.n_rows));
    SPL_TRY(read_length(c, group, path.data, "region", &numbers.width));
    numbers.first_time_ms = spl_h5_read_number(group, "start_time");
    numbers.period_ms = spl_h5_read_number(group, "sample_period");
    SPL_TRY(spl_sandbox_send(c->fd, SPL_RESULTS_STREAM, 1, 1, &numbers, sizeof numbers));
    SPL_TRY(send_text(c, SPL_RESULTS_NAME, name));
    SPL_TRY(send_attribute(c, SPL_RESULTS_KIND, group, "kind"));
    SPL_TRY(send_variables(c, group, path.data));
out:
    spl_text_deinit(&path);
    return status;
}

/* A stream that is no monitor: `group` is open, `path` its path. The rows are those of
 * the variable named first. */
static spl_status send_other(const child *c, hid_t group, const char *path,
    const char *name, const char *kind, const char *first, const char *variables)
{
    spl_status status = SPL_OK;
    spl_results_numbers numbers = {0};
    spl_h5_dataset d;
    SPL_TRY(need_dataset(&d, c, group, path, first));
    if (d.rank != 2) {
        SPL_TRY(spl_h5_bad_dataset(&d, "not of the shape of a results file"));
    }
    numbers.n_rows = d.dims[0];
    numbers.width = d.dims[1];
    numbers.first_time_ms = spl_h5_read_number(group, "start_time");
    numbers.period_ms = spl_h5_read_number(group, "sample_period");
    SPL_TRY(spl_sandbox_send(c->fd, SPL_RESULTS_STREAM, 1, 1, &numbers, sizeof numbers));
    SPL_TRY(send_text(c, SPL_RESULTS_NAME, name));
    SPL_TRY(send_text(c, SPL_RESULTS_KIND, kind));
    SPL_TRY(send_text(c, SPL_RESULTS_VARIABLES, variables));
out:
    spl_h5_close_dataset(&d);
    return status;
}

static spl_status send_report(const child *c, const char *label, const char *name)
{
    spl_status status = SPL_OK;
    hid_t reports = -1;
    hid_t group = -1;
    SPL_TRY(need_group(&reports, c, c->file, "/report"));
    SPL_TRY(need_group(&group, c, reports, name));
    SPL_TRY(send_other(c, group, label, name, "report", "data", "data"));
out:
    return status;
}

/* One entry of the list of streams that is a path. */
static spl_status send_by_path(const child *c, const char *label)
{
    spl_status status = SPL_OK;
    hid_t group = -1;
    const bool populations = strcmp(label, "/populations") == 0;
    if (strncmp(label, "/report/", strlen("/report/")) == 0) {
        return send_report(c, label, label + strlen("/report/"));
    }
    SPL_TRY(need_group(&group, c, c->file, label));
    SPL_TRY(populations ? send_other(c, group, label, "populations", "populations",
                              "rate", "rate mean_V")
                        : send_other(c, group, label, "subnetworks", "subnetworks",
                              "filtered_rate", "filtered_rate drive Q_hat"));
out:
    return status;
}

static bool is_plain_name(const char *name)
{
    return name != NULL && *name != '\0' && strlen(name) < MAX_NAME &&
           strchr(name, '/') == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool is_path(const char *label)
{
    const size_t prefix = strlen("/report/");
    return label != NULL &&
           (strcmp(label, "/populations") == 0 || strcmp(label, "/subnetworks") == 0 ||
               (strncmp(label, "/report/", prefix) == 0 &&
                   is_plain_name(label + prefix)));
}

/* The monitors in the order of the slots are an attribute of /progress. */
static spl_status send_streams(const child *c, const spl_h5_dataset *progress)
{
    spl_status status = SPL_OK;
    hid_t attribute = H5Aopen(progress->id, "streams", H5P_DEFAULT);
    hid_t type = attribute >= 0 ? H5Aget_type(attribute) : -1;
    hid_t space = attribute >= 0 ? H5Aget_space(attribute) : -1;
    const hssize_t n = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    char *names[SPL_MAX_STREAMS] = {NULL};
    hid_t monitors = -1;
    if (type < 0 || n < 0 || n > SPL_MAX_STREAMS || H5Tis_variable_str(type) <= 0 ||
        (n > 0 && H5Aread(attribute, type, names) < 0)) {
        SPL_TRY(spl_h5_bad_dataset(progress, "no list of monitors"));
    }
    for (hssize_t i = 0; i < n; i++) {
        if (is_path(names[i])) {
            SPL_TRY(send_by_path(c, names[i]));
            continue;
        }
        if (monitors < 0) {
            SPL_TRY(need_group(&monitors, c, c->file, "/monitors"));
        }
        if (!is_plain_name(names[i])) {
            SPL_TRY(spl_h5_bad_dataset(progress, "a monitor without a usable name"));
        }
        SPL_TRY(send_stream(c, monitors, names[i]));
    }
out:
    return status;
}

static spl_status send_progress(const child *c)
{
    spl_status status = SPL_OK;
    unsigned char slots[2 * SPL_SLOT_BYTES];
    spl_h5_dataset d;
    SPL_TRY(need_dataset(&d, c, c->file, "/", "progress"));
    if (d.type_class != H5T_INTEGER || d.item_bytes != 8 || d.rank != 2 ||
        d.dims[0] != 2 || d.dims[1] != SPL_SLOT_WORDS) {
        SPL_TRY(spl_h5_bad_dataset(&d, "not of the type and shape of a results file"));
    }
    /* little-endian in the file, little-endian here */
    if (H5Dread(d.id, H5T_STD_U64LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, slots) < 0) {
        SPL_TRY(spl_h5_bad_dataset(&d, "cannot be read"));
    }
    SPL_TRY(spl_sandbox_send(c->fd, SPL_RESULTS_SLOTS, 1, 1, slots, sizeof slots));
    SPL_TRY(send_streams(c, &d));
out:
    spl_h5_close_dataset(&d);
    return status;
}

/* Whole numbers, one for each population, as a heap array. */
static spl_status read_column(
    const child *c, hid_t group, const char *name, size_t n, uint64_t **words)
{
    *words = calloc(n + 1, sizeof **words);
    return *words == NULL
               ? spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", c->source.path)
               : read_words(c, group, "/populations", name, *words, n);
}

/* Texts, one for each population; HDF5 allocates them, and all goes with the process. */
static spl_status read_texts(
    const child *c, hid_t group, const char *name, size_t n, char ***texts)
{
    spl_status status = SPL_OK;
    spl_h5_dataset d;
    SPL_TRY(need_dataset(&d, c, group, "/populations", name));
    if (d.type_class != H5T_STRING || H5Tis_variable_str(d.type) <= 0 ||
        n_values(&d) != n) {
        SPL_TRY(spl_h5_bad_dataset(&d, "not of the type and shape of a results file"));
    }
    *texts = calloc(n + 1, sizeof **texts);
    if (*texts == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", c->source.path);
    }
    if (H5Dread(d.id, d.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *texts) < 0) {
        SPL_TRY(spl_h5_bad_dataset(&d, "cannot be read"));
    }
out:
    spl_h5_close_dataset(&d);
    return status;
}

/* A text of the file, cut to what the parent takes. */
static spl_status send_cut(const child *c, spl_results_kind kind, const char *text)
{
    const size_t length = text != NULL ? strnlen(text, SPL_RESULTS_MAX_TEXT) : 0;
    return spl_sandbox_send(c->fd, kind, 1, 1, text != NULL ? text : "", length);
}

/* Truths are stored as an enum of a byte. */
static spl_status read_flags(
    const child *c, hid_t group, const char *name, size_t n, int8_t **flags)
{
    spl_status status = SPL_OK;
    spl_h5_dataset d;
    SPL_TRY(need_dataset(&d, c, group, "/populations", name));
    *flags = calloc(n + 1, sizeof **flags);
    if (*flags == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", c->source.path);
    }
    if (d.type_class != H5T_ENUM || d.item_bytes != 1 || n_values(&d) != n ||
        H5Dread(d.id, d.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *flags) < 0) {
        SPL_TRY(spl_h5_bad_dataset(&d, "not of the type and shape of a results file"));
    }
out:
    spl_h5_close_dataset(&d);
    return status;
}

static spl_status send_table(const child *c, hid_t group, size_t n)
{
    spl_status status = SPL_OK;
    uint64_t *sizes;
    uint64_t *spikes;
    uint64_t *events;
    int8_t *excitatory;
    char **names;
    char **regions;
    SPL_TRY(read_column(c, group, "size", n, &sizes));
    SPL_TRY(read_column(c, group, "spikes", n, &spikes));
    SPL_TRY(read_column(c, group, "external_events", n, &events));
    SPL_TRY(read_flags(c, group, "excitatory", n, &excitatory));
    SPL_TRY(read_texts(c, group, "population", n, &names));
    SPL_TRY(read_texts(c, group, "region", n, &regions));
    for (size_t p = 0; p < n; p++) {
        const spl_results_counts counts = {
            sizes[p], excitatory[p] != 0, spikes[p], events[p]};
        SPL_TRY(spl_sandbox_send(
            c->fd, SPL_RESULTS_POPULATION, 1, 1, &counts, sizeof counts));
        SPL_TRY(send_cut(c, SPL_RESULTS_POPULATION_NAME, names[p]));
        SPL_TRY(send_cut(c, SPL_RESULTS_POPULATION_REGION, regions[p]));
    }
out:
    return status;
}

/* The table of the populations, if there is one. */
static spl_status send_populations(const child *c)
{
    spl_status status = SPL_OK;
    spl_h5_dataset names = {.id = -1, .type = -1};
    hid_t group = -1;
    SPL_TRY(send_attribute(c, SPL_RESULTS_SPIKES_FILE, c->file, "spikes_file"));
    SPL_TRY(spl_h5_open_group(&group, c->file, &c->source, "/populations"));
    if (group < 0) {
        goto out;
    }
    const uint64_t first_step = spl_h5_read_count(group, "first_step");
    SPL_TRY(spl_sandbox_send(
        c->fd, SPL_RESULTS_FIRST_STEP, 1, 1, &first_step, sizeof first_step));
    SPL_TRY(need_dataset(&names, c, group, "/populations", "population"));
    if (names.rank != 1 || names.dims[0] > SPL_RESULTS_MAX_POPULATIONS) {
        SPL_TRY(spl_h5_bad_dataset(&names, "not a table of populations"));
    }
    SPL_TRY(send_table(c, group, (size_t)names.dims[0]));
out:
    spl_h5_close_dataset(&names);
    return status;
}

static spl_status send_description(const child *c)
{
    spl_status status = SPL_OK;
    hid_t model = -1;
    SPL_TRY(send_attribute(c, SPL_RESULTS_TITLE, c->file, "title"));
    SPL_TRY(send_attribute(c, SPL_RESULTS_CREATED, c->file, "created"));
    SPL_TRY(send_attribute(c, SPL_RESULTS_VERSION, c->file, "software_version"));
    SPL_TRY(send_attribute(c, SPL_RESULTS_UUID, c->file, "uuid"));
    SPL_TRY(send_attribute(c, SPL_RESULTS_COMMAND, c->file, "command_line"));
    SPL_TRY(send_attribute(c, SPL_RESULTS_COPY, c->file, SPL_CONVERT_MARK));
    SPL_TRY(spl_h5_open_group(&model, c->file, &c->source, "/model"));
    SPL_TRY(model >= 0 ? send_attribute(c, SPL_RESULTS_MODEL, model, "name")
                       : send_text(c, SPL_RESULTS_MODEL, ""));
    SPL_TRY(send_state(c));
    SPL_TRY(send_progress(c));
    SPL_TRY(send_populations(c));
out:
    return status;
}

static spl_status send_config(const child *c)
{
    spl_status status = SPL_OK;
    hid_t config = -1;
    hid_t connectome = -1;
    SPL_TRY(need_group(&config, c, c->file, "/config"));
    SPL_TRY(send_string(
        c, SPL_RESULTS_JSON, config, "/config", "resolved_json", SPL_RESULTS_MAX_JSON));
    SPL_TRY(spl_h5_open_group(&connectome, c->file, &c->source, "/connectome"));
    SPL_TRY(connectome >= 0 ? send_attribute(c, SPL_RESULTS_SHA256, connectome, "sha256")
                            : send_text(c, SPL_RESULTS_SHA256, ""));
out:
    return status;
}

spl_status spl_results_child(int fd, const char *path, const void *user)
{
    spl_status status = SPL_OK;
    const bool *config = user;
    child c = {.fd = fd, .file = -1};
    char format[32];
    SPL_TRY(spl_h5_open_file(&c.file, &c.source, path));
    SPL_TRY(spl_sandbox_lock());
    spl_h5_read_text(c.file, "format", format, sizeof format);
    if (strcmp(format, "splenium-results") != 0) {
        return spl_sandbox_send(fd, SPL_RESULTS_OTHER, 1, 1, "", 0);
    }
    SPL_TRY(*config ? send_config(&c) : send_description(&c));
out:
    return status;
}
