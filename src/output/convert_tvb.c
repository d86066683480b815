/* Export for The Virtual Brain: a connectivity and a time series for each monitor. The
 * rows come in one pass over the results file, a variable of a monitor after the other.
 */
#include "output/convert_tvb.h"

#include <errno.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "h5/h5.h"
#include "output/internal.h"

/* What TVB's matrices may have; ours of larger networks are sparse. */
enum { MAX_NODES = 20000 };

typedef struct export
{
    const char *in, *folder;
    const spl_convert_options *options;
    spl_results_info *info;
    spl_convert_plan plan;
    spl_connectome *connectome;
    spl_text labels; /* of the regions, as JSON */
    spl_tvb_file connectivity;
    spl_tvb_series *series; /* [n_series] */
    size_t n_series;
    spl_tvb_series *current; /* that rows belong to, or NULL */
    bool made;               /* the folder */
}
export;

static bool is_monitor(const spl_results_stream *stream)
{
    return strcmp(stream->kind, "populations") != 0 &&
           strcmp(stream->kind, "subnetworks") != 0 &&
           strcmp(stream->kind, "report") != 0;
}

static spl_status check_contents(const export *e)
{
    const spl_results_info *info = e->info;
    bool any = false;
    size_t n_others = 0;
    for (size_t s = 0; s < info->n_streams; s++) {
        any = any || (is_monitor(&info->streams[s]) && info->streams[s].n_durable > 0);
        n_others += !is_monitor(&info->streams[s]);
    }
    if (info->n_nodes == 0 || !any) {
        return spl_error(SPL_ERR_USAGE,
            "%s: no %s, so there is nothing for The Virtual Brain", e->in,
            info->n_nodes == 0 ? "connectome" : "row of a monitor");
    }
    if (n_others > 0) {
        spl_notice("%s: tables of spiking populations are left out: The Virtual Brain "
                   "has nothing like them",
            e->in);
    }
    return SPL_OK;
}

/* The matrices are kept as used: all policies were applied. */
static spl_status load_connectome(export *e)
{
    spl_status status = SPL_OK;
    const spl_connectome_options neutral = {.file = e->in,
        .allow_negative = true,
        .zero_length = SPL_ZERO_LENGTH_ACCEPT,
        .triangular = SPL_TRIANGULAR_ACCEPT,
        .missing_lengths = SPL_MISSING_LENGTHS_ZERO};
    SPL_TRY(spl_connectome_load(&e->connectome, &neutral));
    const size_t n = spl_connectome_n_nodes(e->connectome);
    if (n > MAX_NODES) {
        SPL_FAIL(SPL_ERR_LIMIT,
            "%s: %zu regions; The Virtual Brain stores dense matrices, of at most %d "
            "here",
            e->in, n, MAX_NODES);
    }
    for (size_t i = 0; i < n; i++) {
        spl_text_add(&e->labels, "%s\"", i > 0 ? ", " : "");
        spl_tvb_add_ascii(&e->labels, spl_connectome_label(e->connectome, i), true);
        spl_text_add(&e->labels, "\"");
    }
    if (e->labels.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", e->in);
    }
out:
    return status;
}

static spl_status make_folder(export *e)
{
    struct stat what;
    e->made = mkdir(e->folder, 0777) == 0;
    if (!e->made &&
        (errno != EEXIST || stat(e->folder, &what) != 0 || !S_ISDIR(what.st_mode))) {
        return spl_error(SPL_ERR_FILE_CREATE, "%s: no such folder can be made: %s",
            e->folder, strerror(errno == EEXIST ? ENOTDIR : errno));
    }
    return SPL_OK;
}

/* An identifier for each file that the same export has again. */
static spl_status name_file(const export *e, spl_tvb_file *file, const char *kind,
    const char *what, uint64_t rows)
{
    spl_status status = SPL_OK;
    spl_text seed = {0};
    spl_text_add(&seed, "%s %s %llu", e->info->uuid, what, (unsigned long long)rows);
    if (seed.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", e->in);
    }
    SPL_TRY(spl_tvb_name(file, e->folder, kind, seed.data));
    SPL_TRY(spl_convert_check_target(file->path, e->options->force));
out:
    spl_text_deinit(&seed);
    return status;
}

static spl_status name_files(export *e)
{
    spl_status status = SPL_OK;
    SPL_TRY(name_file(e, &e->connectivity, "Connectivity", "/connectome", 0));
    e->series = calloc(e->plan.n_streams + 1, sizeof *e->series);
    if (e->series == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", e->in);
    }
    for (size_t s = 0; s < e->plan.n_streams; s++) {
        const spl_convert_stream *stream = &e->plan.streams[s];
        spl_tvb_series *series = &e->series[e->n_series];
        if (!is_monitor(&e->info->streams[s]) || stream->kept == 0) {
            continue;
        }
        series->file.file = -1;
        e->n_series++;
        SPL_TRY(spl_tvb_series_init(series, stream, &e->info->streams[s]));
        SPL_TRY(
            name_file(e, &series->file, "TimeSeriesRegion", stream->group, stream->kept));
    }
out:
    return status;
}

/* Is this dataset a variable of an exported monitor? Then its rows go there. */
static spl_status take_dataset(
    void *user, const char *path, const spl_item_shape *shape, const char *scale)
{
    export *e = user;
    const char *name = strrchr(path, '/') + 1;
    const size_t length = (size_t)(name - 1 - path);
    (void)scale;
    e->current = NULL;
    for (size_t i = 0; i < e->n_series && e->current == NULL; i++) {
        spl_tvb_series *series = &e->series[i];
        const char *group = series->stream->group;
        const bool here = strlen(group) == length && strncmp(group, path, length) == 0;
        for (size_t v = 0; here && v < series->n_variables; v++) {
            if (strcmp(series->variables[v], name) == 0) {
                e->current = series;
                series->variable = v;
            }
        }
    }
    spl_tvb_series *series = e->current;
    if (series == NULL) {
        return SPL_OK;
    }
    const bool first = series->shape.dims[0] == 0;
    if (shape->rank != 2 || shape->dims[0] != series->stream->kept ||
        shape->dims[1] != series->stream->width || shape->type > SPL_ITEM_F8 ||
        (!first && shape->type != series->shape.type)) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: %s: not a variable of the type and shape of its monitor", e->in, path);
    }
    series->shape = *shape;
    const bool regions = shape->dims[1] == spl_connectome_n_nodes(e->connectome);
    return first ? spl_tvb_series_open(series, e->info->title, e->connectivity.gid,
                       regions ? e->labels.data : "\"mean\"", e->options->compress)
                 : SPL_OK;
}

static spl_status take_rows(
    void *user, uint64_t first, uint64_t count, const void *data, size_t bytes)
{
    export *e = user;
    return e->current != NULL ? spl_tvb_series_rows(e->current, first, count, data, bytes)
                              : SPL_OK;
}

static spl_status finish_series(export *e)
{
    spl_status status = SPL_OK;
    for (size_t i = 0; i < e->n_series; i++) {
        spl_tvb_series *series = &e->series[i];
        for (size_t v = 0; v < series->n_variables; v++) {
            if (!series->done[v]) {
                SPL_FAIL(SPL_ERR_FORMAT, "%s: %s/%s: its rows are not there", e->in,
                    series->stream->group, series->variables[v]);
            }
        }
        SPL_TRY(spl_tvb_series_finish(series));
    }
out:
    return status;
}

static spl_status give_name(spl_tvb_file *file)
{
    const spl_status status = spl_file_rename(file->temporary, file->path);
    file->renamed = status == SPL_OK;
    return status;
}

/* All files are whole: the connectivity first, to which the others refer. */
static spl_status give_names(export *e)
{
    spl_status status = SPL_OK;
    SPL_TRY(give_name(&e->connectivity));
    for (size_t i = 0; i < e->n_series; i++) {
        SPL_TRY(give_name(&e->series[i].file));
    }
out:
    return status;
}

static spl_status write_files(export *e)
{
    spl_status status = SPL_OK;
    const spl_convert_sink sink = {.user = e, .dataset = take_dataset, .rows = take_rows};
    SPL_TRY(name_files(e));
    SPL_TRY(spl_tvb_put_connectivity(&e->connectivity, e->connectome));
    SPL_TRY(spl_convert_read(&e->plan, &sink, NULL, NULL));
    SPL_TRY(finish_series(e));
    SPL_TRY(give_names(e));
out:
    return status;
}

/* Without the files of an export that failed, nor the folder. */
static void deinit(export *e, bool failed)
{
    if (failed && e->connectivity.renamed) {
        unlink(e->connectivity.path);
    }
    spl_tvb_deinit(&e->connectivity);
    for (size_t i = 0; i < e->n_series; i++) {
        if (failed && e->series[i].file.renamed) {
            unlink(e->series[i].file.path);
        }
        spl_tvb_series_deinit(&e->series[i]);
    }
    if (failed && e->made) {
        rmdir(e->folder);
    }
    free(e->series);
    spl_text_deinit(&e->labels);
    spl_connectome_free(e->connectome);
    spl_convert_plan_deinit(&e->plan);
    spl_results_free(e->info);
}

spl_status spl_convert_tvb(const char *in, const char *folder,
    const spl_convert_options *options, size_t *n_series)
{
    static const spl_convert_options defaults = {.compress = 0};
    spl_status status = SPL_OK;
    export e = {.in = in,
        .folder = folder,
        .options = options != NULL ? options : &defaults,
        .connectivity = {.file = -1}};
    if (e.options->compress < 0 || e.options->compress > 9) {
        return spl_error(SPL_ERR_ARGUMENT, "compression level %d is not one of 0 to 9",
            e.options->compress);
    }
    SPL_TRY(spl_h5_init());
    SPL_TRY(spl_convert_describe(&e.info, in));
    SPL_TRY(check_contents(&e));
    SPL_TRY(spl_convert_plan_init(&e.plan, e.info, true));
    e.plan.stop = e.options->stop;
    e.plan.user = e.options->user;
    SPL_TRY(load_connectome(&e));
    SPL_TRY(make_folder(&e));
    SPL_TRY(write_files(&e));
    if (n_series != NULL) {
        *n_series = e.n_series;
    }
out:
    deinit(&e, status != SPL_OK);
    return status;
}
