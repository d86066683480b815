/* A time series of regions as The Virtual Brain stores it. */
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "h5/h5.h"
#include "output/convert_tvb.h"
#include "output/internal.h"
#include "output/put.h"

enum { SERIES_RANK = 4, TIMES_AT_ONCE = 8192 };

spl_status spl_tvb_series_init(spl_tvb_series *series, const spl_convert_stream *stream,
    const spl_results_stream *what)
{
    char *rest = NULL;
    series->stream = stream;
    series->what = what;
    series->data = series->type = -1;
    series->names = spl_strdup(what->variables);
    const size_t most = strlen(what->variables) / 2 + 1;
    series->variables = calloc(most + 1, sizeof *series->variables);
    series->hashes = calloc(most + 1, sizeof *series->hashes);
    series->done = calloc(most + 1, sizeof *series->done);
    if (series->names == NULL || series->variables == NULL || series->hashes == NULL ||
        series->done == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory for the export");
    }
    for (char *name = strtok_r(series->names, " ", &rest); name != NULL;
         name = strtok_r(NULL, " ", &rest)) {
        series->variables[series->n_variables++] = name;
    }
    return SPL_OK;
}

static spl_status failed(const spl_tvb_series *series, const char *what)
{
    return spl_h5_error(
        SPL_ERR_FILE_WRITE, "%s: %s: cannot be stored", series->file.temporary, what);
}

/* {"State Variable": ["V", "W"], "Region": [...]} */
static spl_status put_labels(const spl_tvb_series *series, const char *labels)
{
    spl_status status = SPL_OK;
    spl_text text = {0};
    spl_text_add(&text, "{\"State Variable\": [");
    for (size_t v = 0; v < series->n_variables; v++) {
        spl_text_add(&text, "%s\"", v > 0 ? ", " : "");
        spl_tvb_add_ascii(&text, series->variables[v], true);
        spl_text_add(&text, "\"");
    }
    spl_text_add(&text, "], \"Region\": [%s]}", labels);
    if (text.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", series->file.temporary);
    }
    SPL_TRY(spl_put_text(series->file.file, "TVB_labels_dimensions", text.data));
    SPL_TRY(spl_put_text(series->file.file, "TVB_labels_ordering",
        "[\"Time\", \"State Variable\", \"Region\", \"Mode\"]"));
out:
    spl_text_deinit(&text);
    return status;
}

static spl_status put_attributes(
    const spl_tvb_series *series, const char *title, const char *gid, const char *labels)
{
    spl_status status = SPL_OK;
    hid_t file = series->file.file;
    const double period = series->what->period_ms;
    spl_text name = {0};
    spl_text_add(&name, "%s%s%s", title, *title != '\0' ? ": " : "", series->what->name);
    if (name.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", series->file.temporary);
    }
    SPL_TRY(spl_put_text(file, "TVB_title", name.data));
    SPL_TRY(spl_tvb_put_urn(file, "TVB_connectivity", gid));
    SPL_TRY(put_labels(series, labels));
    SPL_TRY(spl_put_number(file, "TVB_start_time", series->what->first_time_ms));
    SPL_TRY(spl_put_number(file, "TVB_sample_period", period));
    SPL_TRY(spl_put_text(file, "TVB_sample_period_unit", "ms"));
    SPL_TRY(
        spl_put_number(file, "TVB_sample_rate", period > 0.0 ? 1000.0 / period : 0.0));
    SPL_TRY(spl_tvb_put_int(file, "TVB_nr_dimensions", SERIES_RANK));
out:
    spl_text_deinit(&name);
    return status;
}

/* Row r has the time first + r period, as in the results. */
static spl_status put_times(const spl_tvb_series *series)
{
    spl_status status = SPL_OK;
    const hsize_t n = series->stream->kept;
    double times[TIMES_AT_ONCE];
    hid_t set = -1;
    hid_t space = -1;
    SPL_TRY(spl_put_dataset(&set, series->file.file, "time", H5T_IEEE_F64LE, 1, &n));
    space = H5Dget_space(set);
    for (hsize_t first = 0; first < n; first += TIMES_AT_ONCE) {
        const hsize_t count = n - first < TIMES_AT_ONCE ? n - first : TIMES_AT_ONCE;
        for (hsize_t i = 0; i < count; i++) {
            times[i] = series->what->first_time_ms +
                       (double)(first + i) * series->what->period_ms;
        }
        hid_t memory = H5Screate_simple(1, &count, NULL);
        const bool good =
            memory >= 0 && space >= 0 &&
            H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &count, NULL) >= 0 &&
            H5Dwrite(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, times) >= 0;
        status = good ? SPL_OK : failed(series, "time");
        spl_close_id(memory);
        SPL_TRY(status);
    }
out:
    spl_close_id(space);
    spl_close_object(set, "time", &status);
    return status;
}

/* One variable in a chunk, as they come. TVB's own chunks of one sample are slow. */
static spl_status create_data(spl_tvb_series *series, int level)
{
    const spl_item_shape *shape = &series->shape;
    const hsize_t dims[SERIES_RANK] = {
        shape->dims[0], series->n_variables, shape->dims[1], 1};
    const hsize_t chunk[SERIES_RANK] = {spl_convert_piece(shape), 1, shape->dims[1], 1};
    hid_t space = H5Screate_simple(SERIES_RANK, dims, NULL);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    bool good = space >= 0 && list >= 0 && access >= 0 &&
                H5Pset_chunk(list, SERIES_RANK, chunk) >= 0 &&
                H5Pset_obj_track_times(list, false) >= 0 &&
                H5Pset_chunk_cache(access, 0, 0, 1.0) >= 0;
    if (good && level > 0) {
        good = H5Pset_shuffle(list) >= 0 && H5Pset_deflate(list, (unsigned)level) >= 0;
    }
    series->type = H5Tcopy(shape->type == SPL_ITEM_F4 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE);
    series->data = good ? H5Dcreate2(series->file.file, "data", series->type, space,
                              H5P_DEFAULT, list, access)
                        : -1;
    const spl_status status = series->data >= 0 ? SPL_OK : failed(series, "data");
    spl_close_id(access);
    spl_close_id(list);
    spl_close_id(space);
    return status;
}

spl_status spl_tvb_series_open(spl_tvb_series *series, const char *title, const char *gid,
    const char *labels, int level)
{
    spl_status status = SPL_OK;
    const spl_item_shape *shape = &series->shape;
    const uint64_t bytes = level > 0 ? 0
                                     : series->n_variables * shape->dims[0] *
                                           shape->dims[1] * shape->item_bytes;
    SPL_TRY(spl_tvb_create(&series->file,
        "tvb.adapters.datatypes.h5.time_series_h5.TimeSeriesRegionH5",
        bytes + 8 * shape->dims[0]));
    SPL_TRY(put_attributes(series, title, gid, labels));
    SPL_TRY(put_times(series));
    SPL_TRY(create_data(series, level));
out:
    return status;
}

/* Rows of one variable on their way to the file, or from it. */
static spl_status move_rows(const spl_tvb_series *series, size_t variable, uint64_t first,
    uint64_t count, const void *from, void *to)
{
    spl_status status = SPL_OK;
    const hsize_t start[SERIES_RANK] = {first, variable, 0, 0};
    const hsize_t extent[SERIES_RANK] = {count, 1, series->shape.dims[1], 1};
    const hsize_t n = count * series->shape.dims[1];
    hid_t space = H5Dget_space(series->data);
    hid_t memory = H5Screate_simple(1, &n, NULL);
    if (space < 0 || memory < 0 ||
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, extent, NULL) < 0 ||
        (from != NULL
                ? H5Dwrite(series->data, series->type, memory, space, H5P_DEFAULT, from)
                : H5Dread(series->data, series->type, memory, space, H5P_DEFAULT, to)) <
            0) {
        status = failed(series, from != NULL ? "data" : "what was written");
    }
    spl_close_id(memory);
    spl_close_id(space);
    return status;
}

spl_status spl_tvb_series_rows(spl_tvb_series *series, uint64_t first, uint64_t count,
    const void *rows, size_t bytes)
{
    if (first == 0) {
        spl_sha256_start(&series->hashes[series->variable]);
    }
    spl_sha256_add(&series->hashes[series->variable], rows, bytes);
    series->done[series->variable] = first + count == series->stream->kept;
    return move_rows(series, series->variable, first, count, rows, NULL);
}

static spl_status compare_variable(
    spl_tvb_series *series, size_t variable, void *rows, uint64_t piece)
{
    spl_status status = SPL_OK;
    const uint64_t n_rows = series->stream->kept;
    const size_t row_bytes = (size_t)(series->shape.dims[1] * series->shape.item_bytes);
    char wanted[SPL_SHA256_HEX];
    char found[SPL_SHA256_HEX];
    spl_sha256 hash;
    spl_sha256_start(&hash);
    for (uint64_t first = 0; first < n_rows; first += piece) {
        const uint64_t count = n_rows - first < piece ? n_rows - first : piece;
        SPL_TRY(move_rows(series, variable, first, count, NULL, rows));
        spl_sha256_add(&hash, rows, (size_t)count * row_bytes);
    }
    spl_sha256_end(&hash, found);
    spl_sha256_end(&series->hashes[variable], wanted);
    if (strcmp(found, wanted) != 0) {
        SPL_FAIL(SPL_ERR_FILE_WRITE,
            "%s: data of %s does not read back as it was written; check the disk",
            series->file.temporary, series->variables[variable]);
    }
out:
    return status;
}

static spl_status close_data(spl_tvb_series *series)
{
    spl_status status = SPL_OK;
    spl_close_object(series->data, "data", &status);
    series->data = -1;
    return status == SPL_OK ? spl_tvb_close(&series->file) : status;
}

spl_status spl_tvb_series_finish(spl_tvb_series *series)
{
    spl_status status = SPL_OK;
    const uint64_t piece = spl_convert_piece(&series->shape);
    void *rows =
        malloc((size_t)(piece * series->shape.dims[1] * series->shape.item_bytes) + 1);
    if (rows == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", series->file.temporary);
    }
    SPL_TRY(close_data(series));
    series->file.file = H5Fopen(series->file.temporary, H5F_ACC_RDONLY, H5P_DEFAULT);
    series->data = H5Dopen2(series->file.file, "data", H5P_DEFAULT);
    for (size_t v = 0; v < series->n_variables; v++) {
        SPL_TRY(compare_variable(series, v, rows, piece));
    }
    SPL_TRY(close_data(series));
    SPL_TRY(spl_convert_sync(series->file.temporary));
out:
    free(rows);
    return status;
}

void spl_tvb_series_deinit(spl_tvb_series *series)
{
    spl_close_id(series->data);
    spl_close_id(series->type);
    series->data = series->type = -1;
    spl_tvb_deinit(&series->file);
    free(series->names);
    free(series->variables);
    free(series->hashes);
    free(series->done);
}
