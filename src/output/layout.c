/* The new results file as HDF5 writes it: everything but what the run adds. */
#include <hdf5.h>
#include <hdf5_hl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/build_info.h"
#include "base/sha256.h"
#include "h5/h5.h"
#include "output/layout.h"
#include "output/put.h"

/* Times are written in pieces, so that a long run needs no memory for all of them. */
enum { TIMES_AT_ONCE = 8192 };

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

spl_status spl_layout_group(hid_t *group, const spl_layout *l, const char *path)
{
    const bool exists = H5Lexists(l->file, path, H5P_DEFAULT) > 0;
    *group = exists ? H5Gopen2(l->file, path, H5P_DEFAULT)
                    : H5Gcreate2(l->file, path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    return *group >= 0 ? SPL_OK
                       : spl_h5_error(SPL_ERR_FILE_CREATE, "%s: no such group", path);
}

/* The name of the file that will have the spikes, in the folder of this one. */
static spl_status write_spikes_file(const spl_layout *l)
{
    char *path = spl_output_beside(l->spec->path, ".spikes.h5");
    if (path == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory for the results file");
    }
    const char *slash = strrchr(path, '/');
    spl_status status =
        spl_put_text(l->file, "spikes_file", slash != NULL ? slash + 1 : path);
    free(path);
    return status;
}

static spl_status write_root(const spl_layout *l, const char *uuid)
{
    spl_status status = SPL_OK;
    const spl_output_spec *spec = l->spec;
    char created[32];
    struct tm utc;
    const time_t now = time(NULL);
    gmtime_r(&now, &utc);
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &utc);
    const spl_attribute own[] = {{"format", "splenium-results"},
        {"format_version", "1.0"}, {"created", created}, {"software", "splenium"},
        {"software_version", SPL_VERSION}, {"command_line", or_empty(spec->command_line)},
        {"title", or_empty(spec->title)}, {"uuid", uuid}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        SPL_TRY(spl_put_text(l->file, own[i].name, own[i].value));
    }
    if (spec->n_populations > 0) {
        SPL_TRY(write_spikes_file(l));
    }
    for (size_t i = 0; i < spec->n_attributes; i++) {
        SPL_TRY(spl_put_text(
            l->file, spec->attributes[i].name, or_empty(spec->attributes[i].value)));
    }
out:
    return status;
}

static spl_status write_config(const spl_layout *l)
{
    spl_status status = SPL_OK;
    const char *yaml = or_empty(l->spec->yaml);
    const char *json = or_empty(l->spec->resolved_json);
    char hash[SPL_SHA256_HEX];
    hid_t set = -1;
    SPL_TRY(spl_put_strings(l->file, "/config/yaml", 0, &yaml, 1));
    SPL_TRY(spl_put_strings(l->file, "/config/resolved_json", 0, &json, 1));
    spl_sha256_bytes(yaml, strlen(yaml), hash);
    set = H5Dopen2(l->file, "/config/yaml", H5P_DEFAULT);
    SPL_TRY(spl_put_text(set, "sha256", hash));
out:
    spl_close_object(set, "/config/yaml", &status);
    return status;
}

hid_t spl_layout_flag_type(void)
{
    const int8_t values[] = {0, 1};
    hid_t type = H5Tenum_create(H5T_STD_I8LE);
    if (type >= 0 && (H5Tenum_insert(type, "FALSE", &values[0]) < 0 ||
                         H5Tenum_insert(type, "TRUE", &values[1]) < 0)) {
        H5Tclose(type);
        type = -1;
    }
    return type;
}

spl_status spl_layout_flags(hid_t group, const char *name, const int8_t *flags, hsize_t n)
{
    spl_status status = SPL_OK;
    hid_t set = -1;
    hid_t type = -1;
    if (flags == NULL) {
        goto out;
    }
    type = spl_layout_flag_type();
    if (type < 0) {
        SPL_TRY(spl_h5_error(SPL_ERR_FILE_CREATE, "%s: no type", name));
    }
    SPL_TRY(spl_put_dataset(&set, group, name, type, 1, &n));
    if (H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, flags) < 0) {
        SPL_TRY(spl_h5_error(SPL_ERR_FILE_CREATE, "%s: cannot be stored", name));
    }
out:
    spl_close_object(set, name, &status);
    spl_close_id(type);
    return status;
}

static spl_status put_if_known(hid_t group, const char *name, int rank,
    const hsize_t *dims, const double *data, const char *unit)
{
    return data != NULL ? spl_put_doubles(group, name, rank, dims, data, unit) : SPL_OK;
}

spl_status spl_layout_vector(hid_t group, const char *name, hid_t type, hid_t memory_type,
    hsize_t n, const void *data)
{
    spl_status status = SPL_OK;
    hid_t set = -1;
    SPL_TRY(spl_put_dataset(&set, group, name, type, 1, &n));
    if (n > 0 && H5Dwrite(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
        SPL_TRY(spl_h5_error(SPL_ERR_FILE_CREATE, "%s: cannot be stored", name));
    }
out:
    spl_close_object(set, name, &status);
    return status;
}

static spl_status put_shape(hid_t group, uint64_t n_nodes)
{
    const hsize_t two = 2;
    const uint64_t shape[] = {n_nodes, n_nodes};
    hid_t space = H5Screate_simple(1, &two, NULL);
    hid_t attribute = space >= 0 ? H5Acreate2(group, "shape", H5T_STD_I64LE, space,
                                       H5P_DEFAULT, H5P_DEFAULT)
                                 : -1;
    spl_status status =
        attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_UINT64, shape) >= 0
            ? SPL_OK
            : spl_h5_error(SPL_ERR_FILE_CREATE, "shape: cannot be stored");
    spl_close_object(attribute, "shape", &status);
    spl_close_id(space);
    return status;
}

/* A group that SciPy users and AnnData read as a CSR matrix. The lengths have the indices
 * of the weights, by links to the same datasets. */
static spl_status put_sparse(const spl_layout *l, const char *path,
    const spl_edges *edges, const double *data, const char *unit)
{
    static const char *const pattern[] = {"indices", "indptr"};
    spl_status status = SPL_OK;
    hid_t group = -1;
    SPL_TRY(spl_layout_group(&group, l, path));
    SPL_TRY(spl_put_text(group, "encoding-type", "csr_matrix"));
    SPL_TRY(spl_put_text(group, "encoding-version", "0.1.0"));
    SPL_TRY(put_shape(group, l->n_nodes));
    SPL_TRY(spl_put_doubles(group, "data", 1, &(hsize_t){edges->n_entries}, data, unit));
    if (data == edges->weights) {
        SPL_TRY(spl_layout_vector(group, pattern[0], H5T_STD_I32LE, H5T_NATIVE_INT32,
            edges->n_entries, edges->source));
        SPL_TRY(spl_layout_vector(group, pattern[1], H5T_STD_I64LE, H5T_NATIVE_UINT64,
            l->n_nodes + 1, edges->start));
    }
    for (size_t i = 0; data != edges->weights && i < 2; i++) {
        char name[64];
        snprintf(name, sizeof name, "/connectome/weights/%s", pattern[i]);
        if (H5Lcreate_hard(l->file, name, group, pattern[i], H5P_DEFAULT, H5P_DEFAULT) <
            0) {
            SPL_TRY(spl_h5_error(SPL_ERR_FILE_CREATE, "%s: cannot be stored", path));
        }
    }
out:
    spl_close_object(group, path, &status);
    return status;
}

static spl_status put_entries(const spl_layout *l, hid_t group)
{
    spl_status status = SPL_OK;
    const hsize_t square[] = {l->n_nodes, l->n_nodes};
    spl_edges edges;
    spl_connectome_edges(l->spec->connectome, &edges);
    if (edges.start == NULL) {
        SPL_TRY(spl_put_doubles(group, "weights", 2, square, edges.weights, NULL));
        SPL_TRY(spl_put_doubles(
            group, "tract_lengths", 2, square, edges.tract_lengths, "mm"));
    } else {
        SPL_TRY(put_sparse(l, "/connectome/weights", &edges, edges.weights, NULL));
        SPL_TRY(put_sparse(
            l, "/connectome/tract_lengths", &edges, edges.tract_lengths, "mm"));
    }
out:
    return status;
}

static spl_status write_connectome(const spl_layout *l)
{
    spl_status status = SPL_OK;
    const spl_connectome *c = l->spec->connectome;
    const hsize_t points[] = {l->n_nodes, 3};
    spl_connectome_info info;
    hid_t group = -1;
    SPL_TRY(spl_connectome_describe(c, false, &info));
    SPL_TRY(spl_layout_group(&group, l, "/connectome"));
    SPL_TRY(put_entries(l, group));
    SPL_TRY(spl_put_strings(group, "labels", 1, l->labels, l->n_nodes));
    SPL_TRY(put_if_known(group, "centres", 2, points, spl_connectome_centres(c), "mm"));
    SPL_TRY(put_if_known(
        group, "orientations", 2, points, spl_connectome_orientations(c), NULL));
    SPL_TRY(put_if_known(group, "areas", 1, points, spl_connectome_areas(c), "mm2"));
    SPL_TRY(spl_layout_flags(group, "cortical", spl_connectome_cortical(c), l->n_nodes));
    SPL_TRY(spl_layout_flags(
        group, "hemispheres", spl_connectome_hemispheres(c), l->n_nodes));
    const spl_attribute texts[] = {{"source_file", info.source}, {"sha256", info.sha256},
        {"normalisation", info.normalisation}, {"speed_unit", "mm/ms"},
        {"direction", "weights[to,from]"}, {"length_unit", "mm"},
        {"weight_unit", "arbitrary"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        SPL_TRY(spl_put_text(group, texts[i].name, texts[i].value));
    }
    SPL_TRY(spl_put_number(group, "speed", l->spec->speed));
    SPL_TRY(spl_put_count(group, "dropped_self", info.n_dropped_self));
out:
    spl_close_object(group, "/connectome", &status);
    return status;
}

static spl_status write_model(const spl_layout *l)
{
    spl_status status = SPL_OK;
    hid_t group = -1;
    SPL_TRY(spl_layout_group(&group, l, "/model"));
    SPL_TRY(spl_put_text(group, "name", or_empty(l->spec->model)));
    for (size_t i = 0; i < l->spec->n_params; i++) {
        const spl_array *param = &l->spec->params[i];
        const hsize_t n = param->dims[0];
        SPL_TRY(spl_put_doubles(
            group, param->name, (int)param->rank, &n, param->data, param->unit));
    }
out:
    spl_close_object(group, "/model", &status);
    return status;
}

hid_t spl_layout_code_type(void)
{
    static const struct {
        const char *name;
        uint8_t value;
    } codes[] = {{"running", SPL_RUN_RUNNING}, {"complete", SPL_RUN_COMPLETE},
        {"failed", SPL_RUN_FAILED}, {"diverged", SPL_RUN_DIVERGED},
        {"interrupted", SPL_RUN_INTERRUPTED}};
    hid_t type = H5Tenum_create(H5T_STD_U8LE);
    for (size_t i = 0; type >= 0 && i < sizeof codes / sizeof *codes; i++) {
        if (H5Tenum_insert(type, codes[i].name, &codes[i].value) < 0) {
            H5Tclose(type);
            type = -1;
        }
    }
    return type;
}

static hid_t message_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, SPL_MESSAGE_BYTES) < 0 ||
                         H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
                         H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        type = -1;
    }
    return type;
}

static hid_t type_of(spl_place_type type)
{
    switch (type) {
    case SPL_PLACE_F4:
        return H5Tcopy(H5T_IEEE_F32LE);
    case SPL_PLACE_F8:
        return H5Tcopy(H5T_IEEE_F64LE);
    case SPL_PLACE_U4:
        return H5Tcopy(H5T_STD_U32LE);
    case SPL_PLACE_U8:
        return H5Tcopy(H5T_STD_U64LE);
    case SPL_PLACE_CODE:
        return spl_layout_code_type();
    case SPL_PLACE_TEXT:
    default:
        return message_type();
    }
}

static spl_status create_places(const spl_layout *l)
{
    spl_status status = SPL_OK;
    hid_t type = -1;
    for (size_t i = 0; i < l->places->n; i++) {
        const spl_place *place = &l->places->all[i];
        hsize_t dims[3];
        hid_t set;
        for (int r = 0; r < place->rank; r++) {
            dims[r] = place->dims[r];
        }
        type = type_of(place->type);
        SPL_TRY(spl_put_dataset(&set, l->file, place->path, type, place->rank, dims));
        spl_close_object(set, place->path, &status);
        SPL_TRY(status);
        spl_close_id(type);
        type = -1;
    }
out:
    spl_close_id(type);
    return status;
}

/* The checksum of the final state covers its arrays in this order. */
static spl_status write_arrays(const spl_layout *l)
{
    spl_status status = SPL_OK;
    const size_t n = l->spec->n_final;
    const char **names = calloc(n + 1, sizeof *names);
    hid_t set = H5Dopen2(l->file, "/state/final/record", H5P_DEFAULT);
    if (names == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory for the results file");
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = l->spec->final[i].name;
    }
    SPL_TRY(spl_put_texts(set, "arrays", names, n));
out:
    free(names);
    spl_close_object(set, "/state/final/record", &status);
    return status;
}

/* Slot 0 says that nothing is durable yet; slot 1 was never written. */
static spl_status write_progress(const spl_layout *l)
{
    spl_status status = SPL_OK;
    static const unsigned char never[SPL_SLOT_BYTES];
    unsigned char slots[2 * SPL_SLOT_BYTES];
    const spl_record start = {.n_streams = l->spec->n_streams};
    const char **names = calloc(l->spec->n_streams + 1, sizeof *names);
    spl_text *labels = calloc(l->spec->n_streams + 1, sizeof *labels);
    bool failed = false;
    hid_t set = H5Dopen2(l->file, "/progress", H5P_DEFAULT);
    if (names == NULL || labels == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory for the results file");
    }
    for (size_t s = 0; s < l->spec->n_streams; s++) {
        spl_stream_label(&labels[s], &l->spec->streams[s]);
        names[s] = labels[s].data;
        failed = failed || labels[s].failed;
    }
    if (failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory for the results file");
    }
    SPL_TRY(spl_put_texts(set, "streams", names, l->spec->n_streams));
    spl_slot_encode(slots, &start);
    memcpy(slots + SPL_SLOT_BYTES, never, sizeof never);
    /* the bytes are those of the file already */
    if (H5Dwrite(set, H5T_STD_U64LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, slots) < 0) {
        SPL_TRY(spl_h5_error(SPL_ERR_FILE_CREATE, "/progress: cannot be stored"));
    }
out:
    for (size_t s = 0; labels != NULL && s < l->spec->n_streams; s++) {
        spl_text_deinit(&labels[s]);
    }
    free(labels);
    free(names);
    spl_close_object(set, "/progress", &status);
    return status;
}

/* Row r has the time first + r period, never accumulated. */
static spl_status write_times(hid_t set, const spl_stream *stream)
{
    spl_status status = SPL_OK;
    double times[TIMES_AT_ONCE];
    hid_t space = H5Dget_space(set);
    hid_t memory = -1;
    for (uint64_t row = 0; row < stream->n_rows; row += TIMES_AT_ONCE) {
        const uint64_t left = stream->n_rows - row;
        const hsize_t first = row;
        const hsize_t count = left < TIMES_AT_ONCE ? left : TIMES_AT_ONCE;
        for (size_t i = 0; i < count; i++) {
            times[i] = stream->first_time_ms + (double)(row + i) * stream->period_ms;
        }
        memory = H5Screate_simple(1, &count, NULL);
        if (memory < 0 ||
            H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &count, NULL) < 0 ||
            H5Dwrite(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, times) < 0) {
            SPL_TRY(spl_h5_error(SPL_ERR_FILE_CREATE, "time: cannot be stored"));
        }
        spl_close_id(memory);
        memory = -1;
    }
out:
    spl_close_id(memory);
    spl_close_id(space);
    return status;
}

static spl_status make_scale(hid_t set, const char *name)
{
    return set >= 0 && H5DSset_scale(set, name) >= 0
               ? SPL_OK
               : spl_h5_error(
                     SPL_ERR_FILE_CREATE, "%s: no dimension scale can be made", name);
}

spl_status spl_layout_variable(const spl_layout *l, const spl_stream *stream, size_t v,
    const spl_place *place, hid_t time, hid_t scale)
{
    spl_status status = SPL_OK;
    hid_t set = H5Dopen2(l->file, place[0].path, H5P_DEFAULT);
    hid_t checksums = H5Dopen2(l->file, place[1].path, H5P_DEFAULT);
    SPL_TRY(spl_put_text(
        set, "units", stream->units != NULL ? or_empty(stream->units[v]) : ""));
    SPL_TRY(spl_put_text(set, "long_name",
        stream->long_names != NULL ? or_empty(stream->long_names[v]) : ""));
    if (time >= 0 &&
        (H5DSattach_scale(set, time, 0) < 0 || H5DSattach_scale(set, scale, 1) < 0)) {
        SPL_TRY(spl_h5_error(
            SPL_ERR_FILE_CREATE, "%s: no axes can be attached", place[0].path));
    }
    SPL_TRY(spl_put_count(
        checksums, "rows_per_block", spl_rows_per_block(stream->width, stream->n_rows)));
out:
    spl_close_object(checksums, place[1].path, &status);
    spl_close_object(set, place[0].path, &status);
    return status;
}

spl_status spl_layout_describe(hid_t group, const spl_stream *stream)
{
    spl_status status = SPL_OK;
    SPL_TRY(spl_put_text(group, "kind", or_empty(stream->kind)));
    SPL_TRY(spl_put_number(group, "sample_period", stream->period_ms));
    SPL_TRY(spl_put_text(group, "sample_period_unit", "ms"));
    SPL_TRY(spl_put_number(group, "sample_rate_hz", 1000.0 / stream->period_ms));
    SPL_TRY(spl_put_number(group, "start_time", stream->first_time_ms));
    SPL_TRY(spl_put_text(group, "time_stamp", stream->middle ? "middle" : "end"));
    SPL_TRY(spl_put_count(group, "transient_rows", stream->n_transient_rows));
out:
    return status;
}

spl_status spl_layout_axes(hid_t group, const spl_stream *stream, const char *axis,
    const char *const *texts, size_t n, hid_t *time, hid_t *scale)
{
    spl_status status = SPL_OK;
    const hsize_t n_rows = stream->n_rows;
    SPL_TRY(spl_put_dataset(time, group, "time", H5T_IEEE_F64LE, 1, &n_rows));
    SPL_TRY(spl_put_text(*time, "units", "ms"));
    SPL_TRY(make_scale(*time, "time"));
    SPL_TRY(write_times(*time, stream));
    SPL_TRY(spl_put_strings(group, axis, 1, texts, n));
    *scale = H5Dopen2(group, axis, H5P_DEFAULT);
    SPL_TRY(make_scale(*scale, axis));
out:
    return status;
}

static spl_status write_monitor(const spl_layout *l, size_t s)
{
    spl_status status = SPL_OK;
    static const char *const mean[] = {"mean"};
    const spl_stream *stream = &l->spec->streams[s];
    const spl_place *first = &l->places->all[l->places->first_of_stream[s]];
    const bool average = stream->width != l->n_nodes;
    hid_t group = -1;
    hid_t time = -1;
    hid_t region = -1;
    hid_t monitors = H5Gopen2(l->file, "/monitors", H5P_DEFAULT);
    group = H5Gopen2(monitors, stream->name, H5P_DEFAULT);
    SPL_TRY(spl_layout_describe(group, stream));
    SPL_TRY(spl_layout_axes(group, stream, "region", average ? mean : l->labels,
        average ? 1 : l->n_nodes, &time, &region));
    for (size_t v = 0; v < stream->n_variables; v++) {
        SPL_TRY(spl_layout_variable(l, stream, v, first + 2 * v, time, region));
    }
out:
    spl_close_object(region, "region", &status);
    spl_close_object(time, "time", &status);
    spl_close_object(group, stream->name, &status);
    spl_close_object(monitors, "/monitors", &status);
    return status;
}

static spl_status write_all(const spl_layout *l, const char *uuid)
{
    spl_status status = SPL_OK;
    /* first, so that none of them gets space that HDF5 used and freed: all are zeros */
    SPL_TRY(create_places(l));
    SPL_TRY(write_progress(l));
    SPL_TRY(write_arrays(l));
    SPL_TRY(write_root(l, uuid));
    SPL_TRY(write_config(l));
    if (l->spec->connectome != NULL) {
        SPL_TRY(write_connectome(l));
        SPL_TRY(write_model(l));
    }
    for (size_t s = 0; s < l->spec->n_streams; s++) {
        SPL_TRY(l->spec->streams[s].form == SPL_STREAM_MONITOR
                    ? write_monitor(l, s)
                    : spl_layout_spiking(l, s));
    }
    if (H5Fflush(l->file, H5F_SCOPE_GLOBAL) < 0) {
        SPL_TRY(spl_h5_error(SPL_ERR_FILE_CREATE, "cannot be flushed"));
    }
out:
    return status;
}

spl_status spl_layout_write(const char *path, const spl_output_spec *spec,
    const spl_places *places, const char *uuid)
{
    spl_status status = SPL_OK;
    spl_layout l = {.file = -1, .spec = spec, .places = places};
    hid_t access = spl_put_access_list();
    l.n_nodes = spec->connectome != NULL ? spl_connectome_n_nodes(spec->connectome) : 0;
    l.labels = calloc(l.n_nodes + 1, sizeof *l.labels);
    if (l.labels == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory for the labels", path);
    }
    for (size_t i = 0; i < l.n_nodes; i++) {
        l.labels[i] = spl_connectome_label(spec->connectome, i);
    }
    l.file = access >= 0 ? H5Fcreate(path, H5F_ACC_EXCL, H5P_DEFAULT, access) : -1;
    if (l.file < 0) {
        SPL_TRY(spl_h5_error(SPL_ERR_FILE_CREATE, "%s: cannot be created", path));
    }
    status = write_all(&l, uuid);
    if (status != SPL_OK) {
        spl_error_prefix(status, "%s", path);
    }
out:
    /* a close that succeeds proves nothing, but one that fails does */
    if (l.file >= 0 && H5Fclose(l.file) < 0 && status == SPL_OK) {
        status = spl_h5_error(SPL_ERR_FILE_CREATE, "%s: cannot be closed", path);
    }
    spl_close_id(access);
    free(l.labels);
    return status;
}
