/* The datasets that the run writes: their names and sizes, and where the file has them.
 */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "h5/h5.h"
#include "output/internal.h"

static const size_t type_bytes[] = {[SPL_PLACE_F4] = 4,
    [SPL_PLACE_F8] = 8,
    [SPL_PLACE_U4] = 4,
    [SPL_PLACE_U8] = 8,
    [SPL_PLACE_CODE] = 1,
    [SPL_PLACE_TEXT] = SPL_MESSAGE_BYTES};

/* That of version 0, the only one that a results file has. */
enum { SUPERBLOCK_BYTES = 96 };

size_t spl_rows_per_block(size_t width, uint64_t n_rows)
{
    uint64_t rows = ((uint64_t)1 << 20) / (4 * (uint64_t)width);
    rows = rows < 64 ? 64 : rows > 4096 ? 4096 : rows;
    return (size_t)(rows < n_rows ? rows : n_rows);
}

spl_status spl_places_add(spl_places *places, spl_place_type type, int rank,
    const uint64_t *dims, const char *group, const char *name)
{
    spl_place *place = &places->all[places->n];
    *place = (spl_place){.type = type, .rank = rank, .bytes = type_bytes[type]};
    for (int r = 0; r < rank; r++) {
        place->dims[r] = dims[r];
        if (dims[r] == 0) {
            return spl_error(SPL_ERR_ARGUMENT,
                "results file: %s/%s would be empty; record at least one value", group,
                name);
        }
        if (__builtin_mul_overflow(place->bytes, dims[r], &place->bytes) ||
            place->bytes > INT64_MAX / 2) {
            return spl_error(SPL_ERR_LIMIT,
                "results file: %s/%s would have more than 2^62 bytes; record less", group,
                name);
        }
    }
    spl_text path = {0};
    spl_text_add(&path, "%s/%s", group, name);
    if (path.failed) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory for the results file");
    }
    place->path = path.data;
    places->n++;
    return SPL_OK;
}

static spl_status add_fixed(spl_places *places)
{
    spl_status status = SPL_OK;
    const uint64_t slots[] = {2, SPL_SLOT_WORDS};
    const uint64_t starts[] = {SPL_MAX_STARTS, SPL_START_VALUES};
    const uint64_t two = 2;
    SPL_TRY(spl_places_add(places, SPL_PLACE_U8, 2, slots, "", "progress"));
    SPL_TRY(spl_places_add(places, SPL_PLACE_CODE, 0, NULL, "/status", "code"));
    SPL_TRY(spl_places_add(places, SPL_PLACE_TEXT, 0, NULL, "/status", "message"));
    SPL_TRY(spl_places_add(places, SPL_PLACE_U8, 0, NULL, "/status", "escaped_nodes"));
    SPL_TRY(spl_places_add(places, SPL_PLACE_F8, 2, starts, "/performance", "starts"));
    SPL_TRY(spl_places_add(places, SPL_PLACE_U8, 1, &two, "/state/final", "record"));
out:
    return status;
}

/* A name becomes one link of the file. */
static bool is_name(const char *name)
{
    return name != NULL && *name != '\0' && strchr(name, '/') == NULL &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static spl_status add_arrays(spl_places *places, const spl_output_spec *spec)
{
    spl_status status = SPL_OK;
    for (size_t i = 0; i < spec->n_performance; i++) {
        if (!is_name(spec->performance[i])) {
            SPL_FAIL(SPL_ERR_ARGUMENT, "results file: a performance figure has no name");
        }
        SPL_TRY(spl_places_add(
            places, SPL_PLACE_F8, 0, NULL, "/performance", spec->performance[i]));
    }
    for (size_t i = 0; i < spec->n_final; i++) {
        const spl_array *array = &spec->final[i];
        uint64_t dims[3];
        if (!is_name(array->name) || array->rank > 3) {
            SPL_FAIL(SPL_ERR_ARGUMENT,
                "results file: a final array without a name, or with more than 3 "
                "dimensions");
        }
        for (size_t r = 0; r < array->rank; r++) {
            dims[r] = array->dims[r];
        }
        SPL_TRY(spl_places_add(
            places, SPL_PLACE_F8, (int)array->rank, dims, "/state/final", array->name));
    }
out:
    return status;
}

/* Sums that end the run of a spiking network. */
static spl_status add_counts(spl_places *places, const spl_output_spec *spec)
{
    spl_status status = SPL_OK;
    const uint64_t n_populations = spec->n_populations;
    const uint64_t n_subnetworks = spec->n_subnetworks;
    places->first_count = places->n;
    if (n_populations == 0) {
        goto out;
    }
    SPL_TRY(spl_places_add(
        places, SPL_PLACE_U8, 1, &n_populations, "/populations", "spikes"));
    SPL_TRY(spl_places_add(
        places, SPL_PLACE_U8, 1, &n_populations, "/populations", "external_events"));
    SPL_TRY(
        spl_places_add(places, SPL_PLACE_U8, 1, &n_subnetworks, "/subnetworks", "clips"));
out:
    return status;
}

void spl_stream_group(spl_text *path, const spl_stream *stream)
{
    if (stream->form == SPL_STREAM_POPULATIONS) {
        spl_text_add(path, "/populations");
    } else if (stream->form == SPL_STREAM_SUBNETWORKS) {
        spl_text_add(path, "/subnetworks");
    } else {
        spl_text_add(path, "/%s/%s",
            stream->form == SPL_STREAM_MONITOR ? "monitors" : "report", stream->name);
    }
}

void spl_stream_label(spl_text *label, const spl_stream *stream)
{
    if (stream->form == SPL_STREAM_MONITOR) {
        spl_text_add(label, "%s", stream->name);
    } else {
        spl_stream_group(label, stream);
    }
}

static spl_status check_stream(const spl_stream *stream, const spl_output_spec *spec)
{
    const size_t n_nodes =
        spec->connectome != NULL ? spl_connectome_n_nodes(spec->connectome) : 1;
    const size_t n_values = stream->report != NULL
                                ? stream->report->n_neurons * stream->report->n_elements
                                : 0;
    const bool fits = stream->form == SPL_STREAM_MONITOR
                          ? stream->width == n_nodes || stream->width == 1
                      : stream->form == SPL_STREAM_POPULATIONS
                          ? stream->width == spec->n_populations
                      : stream->form == SPL_STREAM_SUBNETWORKS
                          ? stream->width == spec->n_subnetworks
                          : stream->width == n_values && stream->n_variables == 1;
    if (!is_name(stream->name) || stream->n_variables == 0 || !fits) {
        return spl_error(SPL_ERR_ARGUMENT,
            "results file: monitor '%s' needs a name, variables and rows of %zu nodes or "
            "1",
            stream->name != NULL ? stream->name : "", n_nodes);
    }
    return SPL_OK;
}

static spl_status add_stream(spl_places *places, const spl_stream *stream)
{
    spl_status status = SPL_OK;
    spl_text rows = {0};
    spl_text checksums = {0};
    spl_stream_group(&rows, stream);
    spl_text_add(
        &checksums, "/checksums%s", stream->form == SPL_STREAM_MONITOR ? "/" : "");
    spl_stream_label(&checksums, stream);
    if (rows.failed || checksums.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory for the results file");
    }
    const uint64_t dims[] = {stream->n_rows, stream->width};
    const uint64_t block = spl_rows_per_block(stream->width, stream->n_rows);
    const uint64_t n_blocks =
        block > 0 ? stream->n_rows / block + (stream->n_rows % block != 0) : 0;
    for (size_t v = 0; v < stream->n_variables; v++) {
        if (!is_name(stream->variables[v])) {
            SPL_FAIL(
                SPL_ERR_ARGUMENT, "results file: %s: a variable has no name", rows.data);
        }
        SPL_TRY(spl_places_add(places, stream->f8 ? SPL_PLACE_F8 : SPL_PLACE_F4, 2, dims,
            rows.data, stream->variables[v]));
        SPL_TRY(spl_places_add(
            places, SPL_PLACE_U4, 1, &n_blocks, checksums.data, stream->variables[v]));
    }
out:
    spl_text_deinit(&rows);
    spl_text_deinit(&checksums);
    return status;
}

static int compare_paths(const void *a, const void *b)
{
    const spl_place *const *x = a;
    const spl_place *const *y = b;
    return strcmp((*x)->path, (*y)->path);
}

static int compare_offsets(const void *a, const void *b)
{
    const spl_place *const *x = a;
    const spl_place *const *y = b;
    return ((*x)->offset > (*y)->offset) - ((*x)->offset < (*y)->offset);
}

/* Pointers to all places in some order; the caller frees them. */
static const spl_place **sorted(
    const spl_places *places, int (*compare)(const void *, const void *))
{
    const spl_place **order = malloc((places->n + 1) * sizeof *order);
    for (size_t i = 0; order != NULL && i < places->n; i++) {
        order[i] = &places->all[i];
    }
    if (order != NULL) {
        qsort(order, places->n, sizeof *order, compare);
    }
    return order;
}

static spl_status check_names(const spl_places *places)
{
    spl_status status = SPL_OK;
    const spl_place **order = sorted(places, compare_paths);
    if (order == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory for the results file");
    }
    for (size_t i = 1; i < places->n; i++) {
        const char *before = order[i - 1]->path;
        const size_t length = strlen(before);
        const char next =
            strncmp(before, order[i]->path, length) == 0 ? order[i]->path[length] : ' ';
        /* the same dataset, or a group where a dataset is */
        if (next == '\0' || next == '/') {
            SPL_FAIL(SPL_ERR_ARGUMENT,
                "results file: two datasets would be called %s; give every monitor a "
                "name of its own",
                order[i]->path);
        }
    }
out:
    free(order);
    return status;
}

spl_status spl_places_list(spl_places *places, const spl_output_spec *spec)
{
    spl_status status = SPL_OK;
    size_t n = SPL_N_FIXED_PLACES + spec->n_performance + spec->n_final + SPL_N_COUNTS;
    if (spec->n_streams > SPL_MAX_STREAMS) {
        SPL_FAIL(SPL_ERR_LIMIT, "%zu monitors; a results file holds at most %d",
            spec->n_streams, SPL_MAX_STREAMS);
    }
    for (size_t s = 0; s < spec->n_streams; s++) {
        n += 2 * spec->streams[s].n_variables;
    }
    places->all = calloc(n, sizeof *places->all);
    places->first_of_stream =
        calloc(spec->n_streams + 1, sizeof *places->first_of_stream);
    places->n_performance = spec->n_performance;
    places->n_final = spec->n_final;
    if (places->all == NULL || places->first_of_stream == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory for the results file");
    }
    SPL_TRY(add_fixed(places));
    SPL_TRY(add_arrays(places, spec));
    SPL_TRY(add_counts(places, spec));
    for (size_t s = 0; s < spec->n_streams; s++) {
        places->first_of_stream[s] = places->n;
        SPL_TRY(check_stream(&spec->streams[s], spec));
        SPL_TRY(add_stream(places, &spec->streams[s]));
    }
    SPL_TRY(check_names(places));
out:
    return status;
}

void spl_places_deinit(spl_places *places)
{
    for (size_t i = 0; i < places->n; i++) {
        free(places->all[i].path);
    }
    free(places->all);
    free(places->first_of_stream);
    *places = (spl_places){0};
}

/* Size and offset of one dataset as the file has them. */
static bool find_one(hid_t file, const spl_place *place, uint64_t *offset)
{
    bool found = false;
    hid_t set = H5Dopen2(file, place->path, H5P_DEFAULT);
    hid_t plist = set >= 0 ? H5Dget_create_plist(set) : -1;
    if (plist >= 0) {
        const haddr_t address = H5Dget_offset(set);
        found = H5Pget_layout(plist) == H5D_CONTIGUOUS && address != HADDR_UNDEF &&
                H5Dget_storage_size(set) == place->bytes;
        *offset = address;
        H5Pclose(plist);
    }
    if (set >= 0) {
        H5Dclose(set);
    }
    return found;
}

spl_status spl_places_check(
    const spl_places *places, const char *path, uint64_t file_bytes, spl_status code)
{
    spl_status status = SPL_OK;
    const spl_place **order = sorted(places, compare_offsets);
    if (order == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory for the results file");
    }
    if (places->n > 0 && order[0]->offset < SUPERBLOCK_BYTES) {
        SPL_FAIL(code, "%s: %s lies in the head of the file; it was changed", path,
            order[0]->path);
    }
    for (size_t i = 0; i < places->n; i++) {
        const uint64_t end = i + 1 < places->n ? order[i + 1]->offset : file_bytes;
        if (order[i]->offset > end || order[i]->bytes > end - order[i]->offset) {
            SPL_FAIL(code, "%s: %s overlaps with what follows; report this", path,
                order[i]->path);
        }
    }
out:
    free(order);
    return status;
}

/* Superblock 0 has no flag that a killed writer could leave behind. */
static spl_status check_superblock(hid_t file, const char *path, spl_status code)
{
    H5F_info2_t info;
    if (H5Fget_info2(file, &info) < 0) {
        return spl_h5_error(code, "%s: no superblock", path);
    }
    if (info.super.version != 0) {
        return spl_error(code, "%s: HDF5 made superblock %u instead of 0; report this",
            path, info.super.version);
    }
    return SPL_OK;
}

spl_status spl_places_find(spl_places *places, const char *path, bool known)
{
    spl_status status = SPL_OK;
    const spl_status code = known ? SPL_ERR_FILE_WRITE : SPL_ERR_FILE_CREATE;
    struct stat what;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0 || stat(path, &what) != 0) {
        SPL_TRY(spl_h5_error(code, "%s: cannot be opened again", path));
    }
    SPL_TRY(check_superblock(file, path, code));
    for (size_t i = 0; i < places->n; i++) {
        spl_place *place = &places->all[i];
        uint64_t offset = 0;
        if (!find_one(file, place, &offset) || (known && offset != place->offset)) {
            SPL_TRY(
                spl_h5_error(code, "%s: %s is not where it was put; the file was changed",
                    path, place->path));
        }
        place->offset = offset;
    }
    SPL_TRY(spl_places_check(places, path, (uint64_t)what.st_size, code));
out:
    if (file >= 0 && H5Fclose(file) < 0 && status == SPL_OK) {
        status = spl_h5_error(code, "%s: cannot be closed", path);
    }
    return status;
}
