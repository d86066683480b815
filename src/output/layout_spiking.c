/* Populations, subnetworks and reports of chosen neurons in the new results file. */
#include <hdf5_hl.h>
#include <stdlib.h>

#include "h5/h5.h"
#include "output/layout.h"
#include "output/put.h"

/* Texts of one column of a table. */
typedef const char *column_text(const spl_output_spec *spec, size_t i);

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static const char *population_name(const spl_output_spec *spec, size_t i)
{
    return spec->populations[i].name;
}

static const char *population_subnetwork(const spl_output_spec *spec, size_t i)
{
    return spec->populations[i].subnetwork;
}

static const char *population_region(const spl_output_spec *spec, size_t i)
{
    return spec->populations[i].region;
}

static const char *subnetwork_name(const spl_output_spec *spec, size_t i)
{
    return spec->subnetworks[i].name;
}

static const char *subnetwork_region(const spl_output_spec *spec, size_t i)
{
    return spec->subnetworks[i].region;
}

static const char *subnetwork_mode(const spl_output_spec *spec, size_t i)
{
    return spec->subnetworks[i].mode;
}

/* A dataset without an axis would make h5netcdf refuse the whole group. */
static spl_status attach(hid_t group, const char *name, hid_t scale)
{
    hid_t set = H5Dopen2(group, name, H5P_DEFAULT);
    spl_status status =
        set >= 0 && H5DSattach_scale(set, scale, 0) >= 0
            ? SPL_OK
            : spl_h5_error(SPL_ERR_FILE_CREATE, "%s: no axis can be attached", name);
    spl_close_object(set, name, &status);
    return status;
}

/* Collect a column; the caller frees it. */
static const char **collect(const spl_output_spec *spec, column_text *text, size_t n)
{
    const char **texts = calloc(n + 1, sizeof *texts);
    for (size_t i = 0; texts != NULL && i < n; i++) {
        texts[i] = or_empty(text(spec, i));
    }
    return texts;
}

static spl_status put_column(const spl_layout *l, hid_t group, const char *name,
    column_text *text, size_t n, hid_t scale)
{
    spl_status status = SPL_OK;
    const char **texts = collect(l->spec, text, n);
    if (texts == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory for the results file");
    }
    SPL_TRY(spl_put_strings(group, name, 1, texts, n));
    SPL_TRY(attach(group, name, scale));
out:
    free(texts);
    return status;
}

/* Sizes and kinds of the populations, and the sums that the run writes. */
static spl_status put_populations(const spl_layout *l, hid_t group, hid_t scale)
{
    spl_status status = SPL_OK;
    const spl_output_spec *spec = l->spec;
    const size_t n = spec->n_populations;
    uint64_t *sizes = calloc(n + 1, sizeof *sizes);
    int8_t *excitatory = calloc(n + 1, sizeof *excitatory);
    if (sizes == NULL || excitatory == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory for the results file");
    }
    for (size_t p = 0; p < n; p++) {
        sizes[p] = spec->populations[p].size;
        excitatory[p] = spec->populations[p].excitatory;
    }
    SPL_TRY(spl_layout_vector(group, "size", H5T_STD_U64LE, H5T_NATIVE_UINT64, n, sizes));
    SPL_TRY(attach(group, "size", scale));
    SPL_TRY(spl_layout_flags(group, "excitatory", excitatory, n));
    SPL_TRY(attach(group, "excitatory", scale));
    SPL_TRY(put_column(l, group, "subnetwork", population_subnetwork, n, scale));
    SPL_TRY(put_column(l, group, "region", population_region, n, scale));
    SPL_TRY(attach(group, "spikes", scale));
    SPL_TRY(attach(group, "external_events", scale));
    SPL_TRY(spl_put_count(group, "first_step", spec->first_step));
out:
    free(sizes);
    free(excitatory);
    return status;
}

static spl_status put_subnetworks(const spl_layout *l, hid_t group, hid_t scale)
{
    spl_status status = SPL_OK;
    const size_t n = l->spec->n_subnetworks;
    SPL_TRY(put_column(l, group, "region", subnetwork_region, n, scale));
    SPL_TRY(put_column(l, group, "mode", subnetwork_mode, n, scale));
    SPL_TRY(attach(group, "clips", scale));
out:
    return status;
}

/* /populations or /subnetworks: rows by time and name. */
static spl_status write_table(const spl_layout *l, size_t s)
{
    spl_status status = SPL_OK;
    const spl_stream *stream = &l->spec->streams[s];
    const spl_place *first = &l->places->all[l->places->first_of_stream[s]];
    const bool populations = stream->form == SPL_STREAM_POPULATIONS;
    const char *path = populations ? "/populations" : "/subnetworks";
    const char **names =
        collect(l->spec, populations ? population_name : subnetwork_name, stream->width);
    hid_t time = -1;
    hid_t scale = -1;
    hid_t group = H5Gopen2(l->file, path, H5P_DEFAULT);
    if (names == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory for the results file");
    }
    SPL_TRY(spl_layout_describe(group, stream));
    SPL_TRY(spl_layout_axes(group, stream, populations ? "population" : "subnetwork",
        names, stream->width, &time, &scale));
    for (size_t v = 0; v < stream->n_variables; v++) {
        SPL_TRY(spl_layout_variable(l, stream, v, first + 2 * v, time, scale));
    }
    SPL_TRY(populations ? put_populations(l, group, scale)
                        : put_subnetworks(l, group, scale));
out:
    free(names);
    spl_close_object(scale, "names", &status);
    spl_close_object(time, "time", &status);
    spl_close_object(group, path, &status);
    return status;
}

/* SONATA, "Frame-oriented, node/cell element recordings": which values of a row are
 * whose. Entry i of index_pointers is where those of neuron i begin. */
static spl_status put_mapping(hid_t group, const spl_report *report)
{
    spl_status status = SPL_OK;
    const size_t n = report->n_neurons;
    const size_t n_elements = report->n_elements;
    uint64_t *words = calloc(n + 1, sizeof *words);
    uint32_t *elements = calloc(n * n_elements + 1, sizeof *elements);
    if (words == NULL || elements == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory for the results file");
    }
    for (size_t i = 0; i < n; i++) {
        words[i] = report->neurons[i];
    }
    SPL_TRY(
        spl_layout_vector(group, "node_ids", H5T_STD_U64LE, H5T_NATIVE_UINT64, n, words));
    for (size_t i = 0; i <= n; i++) {
        words[i] = i * n_elements;
    }
    SPL_TRY(spl_layout_vector(
        group, "index_pointers", H5T_STD_U64LE, H5T_NATIVE_UINT64, n + 1, words));
    for (size_t i = 0; i < n * n_elements; i++) {
        elements[i] = (uint32_t)(i % n_elements);
    }
    SPL_TRY(spl_layout_vector(group, "element_ids", H5T_STD_U32LE, H5T_NATIVE_UINT32,
        n * n_elements, elements));
out:
    free(words);
    free(elements);
    return status;
}

/* Times of the first row, of the row behind the last one, and between two. */
static spl_status put_report_times(hid_t mapping, const spl_stream *stream)
{
    const hsize_t three = 3;
    const double times[] = {stream->first_time_ms,
        stream->first_time_ms + (double)stream->n_rows * stream->period_ms,
        stream->period_ms};
    return spl_put_doubles(mapping, "time", 1, &three, times, "ms");
}

static spl_status write_report(const spl_layout *l, size_t s)
{
    spl_status status = SPL_OK;
    const spl_stream *stream = &l->spec->streams[s];
    const spl_report *report = stream->report;
    const spl_place *first = &l->places->all[l->places->first_of_stream[s]];
    hid_t mapping = -1;
    hid_t reports = H5Gopen2(l->file, "/report", H5P_DEFAULT);
    hid_t group = H5Gopen2(reports, stream->name, H5P_DEFAULT);
    SPL_TRY(spl_layout_describe(group, stream));
    SPL_TRY(spl_put_texts(group, "elements", report->elements, report->n_elements));
    SPL_TRY(spl_put_texts(group, "element_units", report->units, report->n_elements));
    SPL_TRY(spl_layout_variable(l, stream, 0, first, -1, -1));
    mapping = H5Gcreate2(group, "mapping", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    SPL_TRY(put_mapping(mapping, report));
    SPL_TRY(put_report_times(mapping, stream));
out:
    spl_close_object(mapping, "mapping", &status);
    spl_close_object(group, stream->name, &status);
    spl_close_object(reports, "/report", &status);
    return status;
}

spl_status spl_layout_spiking(const spl_layout *l, size_t s)
{
    return l->spec->streams[s].form == SPL_STREAM_REPORT ? write_report(l, s)
                                                         : write_table(l, s);
}
