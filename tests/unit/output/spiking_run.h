/* The small run without a simulator, with spiking populations as well: the spikes of
 * spikes_support.h, their rates, and a report of two neurons. */
#ifndef TEST_OUTPUT_SPIKING_RUN_H
#define TEST_OUTPUT_SPIKING_RUN_H

#include "unit/output/spikes_support.h"
#include "unit/output/support.h"

enum {
    SPIKING_POPULATIONS = FAKE_STREAMS,
    SPIKING_SUBNETWORKS,
    SPIKING_REPORT,
    SPIKING_STREAMS,
    SPIKING_NEURONS = 2,
    SPIKING_ELEMENTS = 3
};

typedef struct spiking_run {
    fake_run base;
    spl_stream streams[SPIKING_STREAMS];
    uint64_t first_step;
} spiking_run;

/* nodes: with a connectome and its monitors; else populations alone. */
static inline void spiking_init(spiking_run *run, const char *path, bool nodes)
{
    static const char *const rates[] = {"rate", "mean_V"};
    static const char *const rate_units[] = {"kHz", "mV"};
    static const char *const filtered[] = {"filtered_rate", "drive", "Q_hat"};
    static const char *const data[] = {"data"};
    static const char *const elements[] = {"V", "u", "AMPA"};
    static const char *const units[] = {"mV", "mV/ms", "1/ms"};
    static const uint32_t neurons[SPIKING_NEURONS] = {3, 700};
    static const spl_report report = {.n_neurons = SPIKING_NEURONS,
        .n_elements = SPIKING_ELEMENTS,
        .neurons = neurons,
        .elements = elements,
        .units = units};
    static const spl_output_population populations[FAKE_POPULATIONS] = {
        {"thal.E", "thal", "rA1", 800, true, false},
        {"thal.silent", "thal", "rA1", 10, false, false},
        {"alone.I", "alone", "", 4294967295, false, false},
    };
    static const spl_output_subnetwork subnetworks[] = {
        {"thal", "rA1", "attach"}, {"alone", "", "alone"}};
    fake_init(&run->base, path);
    memcpy(run->streams, run->base.streams, sizeof run->base.streams);
    const spl_stream table = {.name = "populations",
        .kind = "populations",
        .form = SPL_STREAM_POPULATIONS,
        .n_variables = 2,
        .variables = rates,
        .units = rate_units,
        .n_rows = FAKE_ROWS,
        .width = FAKE_POPULATIONS,
        .first_time_ms = 1.0,
        .period_ms = 1.0};
    spl_stream *streams = run->streams;
    streams[SPIKING_POPULATIONS] = table;
    streams[SPIKING_SUBNETWORKS] = table;
    streams[SPIKING_SUBNETWORKS].name = "subnetworks";
    streams[SPIKING_SUBNETWORKS].kind = "subnetworks";
    streams[SPIKING_SUBNETWORKS].form = SPL_STREAM_SUBNETWORKS;
    streams[SPIKING_SUBNETWORKS].n_variables = 3;
    streams[SPIKING_SUBNETWORKS].variables = filtered;
    streams[SPIKING_SUBNETWORKS].units = NULL;
    streams[SPIKING_SUBNETWORKS].width = 2;
    streams[SPIKING_REPORT] = table;
    streams[SPIKING_REPORT].name = "thal.E";
    streams[SPIKING_REPORT].kind = "report";
    streams[SPIKING_REPORT].form = SPL_STREAM_REPORT;
    streams[SPIKING_REPORT].n_variables = 1;
    streams[SPIKING_REPORT].variables = data;
    streams[SPIKING_REPORT].width = (size_t)SPIKING_NEURONS * SPIKING_ELEMENTS;
    streams[SPIKING_REPORT].report = &report;
    spl_output_spec *spec = &run->base.spec;
    spec->streams = nodes ? run->streams : run->streams + FAKE_STREAMS;
    spec->n_streams = nodes ? SPIKING_STREAMS : SPIKING_STREAMS - FAKE_STREAMS;
    spec->connectome = nodes ? spec->connectome : NULL;
    spec->n_populations = FAKE_POPULATIONS;
    spec->populations = populations;
    spec->n_subnetworks = 2;
    spec->subnetworks = subnetworks;
    run->first_step = 0;
}

static inline void spiking_deinit(spiking_run *run)
{
    fake_deinit(&run->base);
}

/* Value i of a row of a stream that is no monitor. */
static inline double spiking_value(size_t s, size_t v, uint64_t row, size_t i)
{
    return s == SPIKING_POPULATIONS && v == 0 ? 0.001 * (double)fake_count(i, row + 1)
                                              : fake_value(s, v, row, i);
}

static inline spl_status spiking_rows(spl_output *output, const spiking_run *run,
    size_t s, uint64_t from, uint64_t to, bool nodes)
{
    const spl_stream *stream = &run->streams[s];
    const size_t n_rows = (size_t)(to - from);
    double *values =
        malloc(stream->n_variables * n_rows * stream->width * sizeof *values);
    size_t at = 0;
    for (size_t v = 0; v < stream->n_variables; v++) {
        for (uint64_t row = from; row < to; row++) {
            for (size_t i = 0; i < stream->width; i++) {
                values[at++] = spiking_value(s, v, row, i);
            }
        }
    }
    const spl_frame frame = {.monitor = nodes ? s : s - FAKE_STREAMS,
        .name = stream->name,
        .first_row = from,
        .n_rows = n_rows,
        .n_variables = stream->n_variables,
        .width = stream->width,
        .values = values};
    spl_status status = spl_output_append(output, &frame);
    free(values);
    return status;
}

static inline spl_status spiking_spikes(spl_output *output, uint64_t from, uint64_t to)
{
    static uint64_t counts[FAKE_POPULATIONS][FAKE_ROWS];
    spl_spike_block blocks[FAKE_POPULATIONS];
    const spl_spike_columns *columns = fake_columns(from, to);
    for (size_t p = 0; p < FAKE_POPULATIONS; p++) {
        for (uint64_t step = from; step < to; step++) {
            counts[p][step - from] = fake_count(p, step + 1);
        }
        blocks[p] = (spl_spike_block){counts[p], columns[p].time, columns[p].neuron};
    }
    return spl_output_append_spikes(output, from, (size_t)(to - from), blocks);
}

/* Append all that the steps [from, to) give. */
static inline spl_status spiking_steps(
    spl_output *output, const spiking_run *run, uint64_t from, uint64_t to)
{
    const bool nodes = run->base.spec.connectome != NULL;
    uint64_t spikes[FAKE_POPULATIONS];
    const uint64_t events[FAKE_POPULATIONS] = {to, 0, 2 * to};
    const uint64_t clips[] = {to / 2, 0};
    spl_status status = SPL_OK;
    for (size_t s = SPIKING_POPULATIONS; s < SPIKING_STREAMS && status == SPL_OK; s++) {
        status = spiking_rows(output, run, s, from, to, nodes);
    }
    if (status == SPL_OK) {
        status = spiking_spikes(output, from, to);
    }
    for (size_t p = 0; p < FAKE_POPULATIONS; p++) {
        spikes[p] = fake_total(p, 0, to);
    }
    spl_output_count(output, spikes, events, clips);
    if (status == SPL_OK && nodes) {
        status = fake_steps(output, &run->base, from, to);
    } else if (status == SPL_OK) {
        spl_output_step(output, to);
    }
    return status;
}

/* The whole life of a file in one call. */
static inline spl_status spiking_make(
    spiking_run *run, spl_run_code code, uint64_t block, uint64_t steps)
{
    spl_output *output = NULL;
    spl_status status = spl_output_create(&output, &run->base.spec);
    for (uint64_t step = 0; step < steps && status == SPL_OK; step += block) {
        const uint64_t end = step + block < steps ? step + block : steps;
        status = spiking_steps(output, run, step, end);
    }
    if (status == SPL_OK) {
        status = fake_finish(output, code, "", steps);
    }
    spl_output_free(output);
    return status;
}

#endif
