#include "sim/recorder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const rate_variables[] = {"rate", "mean_V"};
static const char *const rate_units[] = {"kHz", "mV"};
static const char *const rate_names[] = {
    "spikes per neuron and ms", "mean membrane potential at the end of the step"};
static const char *const filtered_variables[] = {"filtered_rate", "drive", "Q_hat"};
static const char *const filtered_units[] = {"kHz", "1", "1"};
static const char *const filtered_names[] = {"low-pass filtered rate x",
    "input D from the network", "rate as the node's observable, before any clipping"};
static const char *const report_variables[] = {"data"};
static const char *const report_units[] = {"see element_units"};
static const char *const report_names[] = {"elements of the recorded neurons"};
static const char *const mode_names[] = {[SPL_MODE_PROBE] = "probe",
    [SPL_MODE_REPLACE] = "replace",
    [SPL_MODE_ATTACH] = "attach"};

/* One population of one subnetwork. */
typedef struct {
    size_t subnetwork, index;
    const spl_population_spec *spec;
    size_t n_elements; /* V, u and each receptor's g */
    size_t stream;     /* of its report */
} place;

struct spl_recorder {
    const spl_settings *settings;
    size_t n_populations, n_subnetworks;
    place *places;                      /* [n_populations] */
    spl_output_population *populations; /* the same */
    spl_output_subnetwork *subnetworks;
    size_t n_streams;
    spl_stream *streams; /* populations, subnetworks, reports */
    spl_report *reports; /* [n_populations]; without neurons where there is none */
    const char *(*elements)[2 + SPL_MAX_RECEPTORS];
    const char *(*units)[2 + SPL_MAX_RECEPTORS];
    /* sums */
    uint64_t *spikes, *events; /* [n_populations] */
    uint64_t *clips;           /* [n_subnetworks] */
    /* of the block at hand */
    size_t max_block, most_values; /* values: of a row of any stream, all variables */
    double *values;                /* [max_block * most_values] */
    uint64_t *counts;              /* [n_populations][max_block] */
    spl_spike_block *blocks;       /* [n_populations] */
    uint64_t memory_bytes;
};

static void *take_memory(spl_recorder *recorder, size_t count, size_t bytes)
{
    recorder->memory_bytes += (uint64_t)count * bytes;
    return calloc(count + 1, bytes);
}

static spl_status allocate(spl_recorder *r)
{
    const size_t n = r->n_populations;
    r->places = take_memory(r, n, sizeof *r->places);
    r->populations = take_memory(r, n, sizeof *r->populations);
    r->subnetworks = take_memory(r, r->n_subnetworks, sizeof *r->subnetworks);
    r->streams = take_memory(r, n + 2, sizeof *r->streams);
    r->reports = take_memory(r, n, sizeof *r->reports);
    r->elements = take_memory(r, n, sizeof *r->elements);
    r->units = take_memory(r, n, sizeof *r->units);
    r->spikes = take_memory(r, n, sizeof *r->spikes);
    r->events = take_memory(r, n, sizeof *r->events);
    r->clips = take_memory(r, r->n_subnetworks, sizeof *r->clips);
    r->counts = take_memory(r, n * r->max_block, sizeof *r->counts);
    r->blocks = take_memory(r, n, sizeof *r->blocks);
    return r->places != NULL && r->populations != NULL && r->subnetworks != NULL &&
                   r->streams != NULL && r->reports != NULL && r->elements != NULL &&
                   r->units != NULL && r->spikes != NULL && r->events != NULL &&
                   r->clips != NULL && r->counts != NULL && r->blocks != NULL
               ? SPL_OK
               : spl_error(SPL_ERR_NO_MEMORY, "out of memory: recording of spikes");
}

static spl_stream *add_stream(spl_recorder *r, spl_stream stream)
{
    const spl_settings *settings = r->settings;
    const size_t n_values = stream.width * stream.n_variables;
    stream.n_rows = settings->n_steps - settings->n_transient;
    stream.first_time_ms = (double)(settings->n_transient + 1) * settings->dt;
    stream.period_ms = settings->dt;
    r->most_values = n_values > r->most_values ? n_values : r->most_values;
    r->streams[r->n_streams] = stream;
    return &r->streams[r->n_streams++];
}

static void add_tables(spl_recorder *r)
{
    add_stream(r, (spl_stream){.name = "populations",
                      .kind = "populations",
                      .form = SPL_STREAM_POPULATIONS,
                      .n_variables = 2,
                      .variables = rate_variables,
                      .units = rate_units,
                      .long_names = rate_names,
                      .width = r->n_populations});
    add_stream(r, (spl_stream){.name = "subnetworks",
                      .kind = "subnetworks",
                      .form = SPL_STREAM_SUBNETWORKS,
                      .n_variables = 3,
                      .variables = filtered_variables,
                      .units = filtered_units,
                      .long_names = filtered_names,
                      .width = r->n_subnetworks});
}

static const char *unit_of_g(const spl_receptor *receptor)
{
    const bool jump = receptor->kernel == SPL_KERNEL_DELTA;
    return jump ? "mV" : receptor->effect == SPL_RECEPTOR_CURRENT ? "mV/ms" : "1/ms";
}

static void add_report(spl_recorder *r, size_t p)
{
    const spl_population_spec *spec = r->places[p].spec;
    const size_t n_elements = r->places[p].n_elements;
    if (spec->n_recorded == 0) {
        return;
    }
    r->elements[p][0] = "V";
    r->elements[p][1] = "u";
    r->units[p][0] = "mV";
    r->units[p][1] = "mV/ms";
    for (size_t k = 0; k < spec->n_receptors; k++) {
        r->elements[p][2 + k] = spec->receptors[k].name;
        r->units[p][2 + k] = unit_of_g(&spec->receptors[k]);
    }
    r->reports[p] = (spl_report){.n_neurons = spec->n_recorded,
        .n_elements = n_elements,
        .neurons = spec->recorded,
        .elements = r->elements[p],
        .units = r->units[p]};
    r->places[p].stream = r->n_streams;
    add_stream(r, (spl_stream){.name = spec->name,
                      .kind = "report",
                      .form = SPL_STREAM_REPORT,
                      .report = &r->reports[p],
                      .n_variables = 1,
                      .variables = report_variables,
                      .units = report_units,
                      .long_names = report_names,
                      .width = spec->n_recorded * n_elements});
}

static void describe_all(spl_recorder *r, const spl_connectome *connectome)
{
    size_t p = 0;
    for (size_t s = 0; s < r->n_subnetworks; s++) {
        const spl_subnetwork_spec *subnetwork = &r->settings->subnetworks[s];
        const char *region = subnetwork->hosted && connectome != NULL
                                 ? spl_connectome_label(connectome, subnetwork->node)
                                 : "";
        r->subnetworks[s] = (spl_output_subnetwork){.name = subnetwork->name,
            .region = region,
            .mode =
                subnetwork->hosted ? mode_names[subnetwork->interface.mode] : "alone"};
        for (size_t i = 0; i < subnetwork->n_populations; i++, p++) {
            const spl_population_spec *spec = &subnetwork->populations[i];
            r->places[p] = (place){.subnetwork = s,
                .index = i,
                .spec = spec,
                .n_elements = 2 + spec->n_receptors};
            r->populations[p] = (spl_output_population){.name = spec->name,
                .subnetwork = subnetwork->name,
                .region = region,
                .size = spec->size,
                .excitatory = spec->excitatory,
                .no_spikes = !spec->record_spikes};
        }
    }
}

spl_status spl_recorder_create(spl_recorder **out, const spl_settings *settings,
    const spl_connectome *connectome, size_t max_block)
{
    spl_status status = SPL_OK;
    spl_recorder *r = calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: recording of spikes");
    }
    r->settings = settings;
    r->n_subnetworks = settings->n_subnetworks;
    r->max_block = max_block;
    for (size_t s = 0; s < settings->n_subnetworks; s++) {
        r->n_populations += settings->subnetworks[s].n_populations;
    }
    if (settings->n_steps <= settings->n_transient) {
        SPL_FAIL(SPL_ERR_CONFIG,
            "simulation.transient: %.10g of %.10g ms leave nothing to record; shorten "
            "it, or lengthen simulation.duration",
            settings->transient, (double)settings->n_steps * settings->dt);
    }
    SPL_TRY(allocate(r));
    describe_all(r, connectome);
    add_tables(r);
    for (size_t p = 0; p < r->n_populations; p++) {
        add_report(r, p);
    }
    r->values = take_memory(r, max_block * r->most_values, sizeof *r->values);
    if (r->values == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: recording of spikes");
    }
    *out = r;
    r = NULL;
out:
    spl_recorder_free(r);
    return status;
}

void spl_recorder_free(spl_recorder *r)
{
    if (r == NULL) {
        return;
    }
    free(r->places);
    free(r->populations);
    free(r->subnetworks);
    free(r->streams);
    free(r->reports);
    free(r->elements);
    free(r->units);
    free(r->spikes);
    free(r->events);
    free(r->clips);
    free(r->values);
    free(r->counts);
    free(r->blocks);
    free(r);
}

uint64_t spl_recorder_memory(const spl_recorder *recorder)
{
    return recorder->memory_bytes;
}

size_t spl_recorder_streams(const spl_recorder *recorder, const spl_stream **streams)
{
    *streams = recorder->streams;
    return recorder->n_streams;
}

uint64_t spl_recorder_rows(const spl_recorder *recorder, uint64_t step)
{
    const uint64_t n_transient = recorder->settings->n_transient;
    return step > n_transient ? step - n_transient : 0;
}

void spl_recorder_describe(const spl_recorder *recorder, spl_output_spec *spec)
{
    spec->n_populations = recorder->n_populations;
    spec->populations = recorder->populations;
    spec->n_subnetworks = recorder->n_subnetworks;
    spec->subnetworks = recorder->subnetworks;
    spec->first_step = recorder->settings->n_transient;
}

/* Spikes of step k: the rate is their number over neurons and time, and gives it back
 * exactly. */
static uint64_t count_of(const spl_recorder *r, size_t p, double rate)
{
    const double n = (double)r->places[p].spec->size;
    return (uint64_t)llround(rate * (n * r->settings->dt));
}

static const spl_population_block *block_of(
    const spl_recorder *r, const spl_subnetwork_block *const *blocks, size_t p)
{
    return &blocks[r->places[p].subnetwork]->populations[r->places[p].index];
}

/* Count, step by step, what population p did behind `skip` steps of the transient. */
static void count_population(spl_recorder *r, size_t p, const spl_population_block *block,
    size_t skip, size_t n_steps)
{
    uint64_t *counts = r->counts + p * r->max_block;
    uint64_t skipped = 0;
    uint64_t n = 0;
    for (size_t k = 0; k < n_steps; k++) {
        const uint64_t count = count_of(r, p, block->rate[k]);
        if (k < skip) {
            skipped += count;
        } else {
            counts[k - skip] = count;
            n += count;
            r->events[p] += block->events[k];
        }
    }
    r->spikes[p] += n;
    spl_bug_assert(skipped + n <= block->n_spikes);
    r->blocks[p] = (spl_spike_block){.counts = counts};
    if (n > 0) {
        r->blocks[p].time_ms = block->spike_time + skipped;
        r->blocks[p].neuron = block->spike_neuron + skipped;
    }
}

static uint64_t spikes_of(const spl_recorder *r, size_t p, size_t n_steps)
{
    uint64_t n = 0;
    for (size_t k = 0; k < n_steps; k++) {
        n += r->counts[p * r->max_block + k];
    }
    return n;
}

static spl_status tell_sink(const spl_recorder *r, uint64_t first_step, size_t skip,
    size_t n_steps, const spl_subnetwork_block *const *blocks,
    const spl_recorder_sinks *sinks)
{
    spl_status status = SPL_OK;
    for (size_t p = 0; sinks->sink != NULL && p < r->n_populations; p++) {
        const spl_population_block *block = block_of(r, blocks, p);
        const spl_spikes spikes = {.population = p,
            .name = r->places[p].spec->name,
            .first_step = first_step,
            .n_steps = n_steps,
            .rate = block->rate + skip,
            .mean_V = block->mean_V + skip,
            .n_spikes = (size_t)spikes_of(r, p, n_steps),
            .time_ms = r->blocks[p].time_ms,
            .neuron = r->blocks[p].neuron};
        SPL_TRY(sinks->sink(sinks->user, &spikes));
    }
out:
    return status;
}

/* Append rows that stand in r->values. */
static spl_status append(const spl_recorder *r, size_t stream, uint64_t first_row,
    size_t n_rows, const spl_recorder_sinks *sinks)
{
    const spl_stream *what = &r->streams[stream];
    const spl_frame frame = {.monitor = sinks->first_stream + stream,
        .name = what->name,
        .first_row = first_row,
        .n_rows = n_rows,
        .n_variables = what->n_variables,
        .width = what->width,
        .values = r->values};
    return spl_output_append(sinks->output, &frame);
}

static void fill_rates(spl_recorder *r, size_t skip, size_t n_rows,
    const spl_subnetwork_block *const *blocks)
{
    const size_t width = r->n_populations;
    for (size_t p = 0; p < width; p++) {
        const spl_population_block *block = block_of(r, blocks, p);
        for (size_t k = 0; k < n_rows; k++) {
            r->values[k * width + p] = block->rate[skip + k];
            r->values[(n_rows + k) * width + p] = block->mean_V[skip + k];
        }
    }
}

static void fill_filtered(spl_recorder *r, size_t skip, size_t n_rows,
    const spl_subnetwork_block *const *blocks)
{
    const size_t width = r->n_subnetworks;
    for (size_t s = 0; s < width; s++) {
        const spl_subnetwork_block *block = blocks[s];
        for (size_t k = 0; k < n_rows; k++) {
            double *row = r->values + k * width + s;
            row[0] = block->filtered[skip + k];
            row[n_rows * width] = block->drive != NULL ? block->drive[skip + k] : 0.0;
            row[2 * n_rows * width] = block->Q_hat[skip + k];
        }
    }
}

/* The blocks have elements by neurons, a report has neurons by elements. */
static void fill_report(spl_recorder *r, size_t p, size_t skip, size_t n_rows,
    const spl_population_block *block)
{
    const size_t n = r->places[p].spec->n_recorded;
    const size_t n_elements = r->places[p].n_elements;
    for (size_t k = 0; k < n_rows; k++) {
        const float *from = block->recorded + (skip + k) * n * n_elements;
        double *row = r->values + k * n * n_elements;
        for (size_t e = 0; e < n_elements; e++) {
            for (size_t i = 0; i < n; i++) {
                row[i * n_elements + e] = (double)from[e * n + i];
            }
        }
    }
}

void spl_recorder_count(const spl_recorder *r, const uint64_t *clips, spl_output *output)
{
    spl_output_count(output, r->spikes, r->events, clips);
}

static spl_status write_block(spl_recorder *r, uint64_t first_step, size_t skip,
    size_t n_rows, const spl_subnetwork_block *const *blocks,
    const spl_recorder_sinks *sinks)
{
    spl_status status = SPL_OK;
    const uint64_t first_row = first_step - r->settings->n_transient;
    fill_rates(r, skip, n_rows, blocks);
    SPL_TRY(append(r, 0, first_row, n_rows, sinks));
    fill_filtered(r, skip, n_rows, blocks);
    SPL_TRY(append(r, 1, first_row, n_rows, sinks));
    for (size_t p = 0; p < r->n_populations; p++) {
        if (r->reports[p].n_neurons > 0) {
            fill_report(r, p, skip, n_rows, block_of(r, blocks, p));
            SPL_TRY(append(r, r->places[p].stream, first_row, n_rows, sinks));
        }
    }
    SPL_TRY(spl_output_append_spikes(sinks->output, first_step, n_rows, r->blocks));
    spl_recorder_count(r, r->clips, sinks->output);
out:
    return status;
}

spl_status spl_recorder_take(spl_recorder *r, uint64_t first_step, size_t n_steps,
    const spl_subnetwork_block *const *blocks, const uint64_t *clips,
    const spl_recorder_sinks *sinks)
{
    spl_status status = SPL_OK;
    const uint64_t n_transient = r->settings->n_transient;
    const uint64_t before = first_step < n_transient ? n_transient - first_step : 0;
    const size_t skip = before < n_steps ? (size_t)before : n_steps;
    const size_t n_rows = n_steps - skip;
    spl_bug_assert(n_steps <= r->max_block);
    memcpy(r->clips, clips, r->n_subnetworks * sizeof *clips);
    if (n_rows == 0) {
        return SPL_OK;
    }
    for (size_t p = 0; p < r->n_populations; p++) {
        count_population(r, p, block_of(r, blocks, p), skip, n_steps);
    }
    SPL_TRY(tell_sink(r, first_step + skip, skip, n_rows, blocks, sinks));
    if (sinks->output != NULL) {
        SPL_TRY(write_block(r, first_step + skip, skip, n_rows, blocks, sinks));
    }
out:
    return status;
}

size_t spl_recorder_n_populations(const spl_recorder *recorder)
{
    return recorder->n_populations;
}

void spl_recorder_population(
    const spl_recorder *r, size_t i, uint64_t n_steps, spl_sim_population *population)
{
    const uint64_t n_transient = r->settings->n_transient;
    const spl_output_population *what = &r->populations[i];
    const double ms =
        n_steps > n_transient ? (double)(n_steps - n_transient) * r->settings->dt : 0.0;
    *population = (spl_sim_population){
        .name = what->name,
        .subnetwork = what->subnetwork,
        .region = what->region,
        .size = what->size,
        .excitatory = what->excitatory,
        .n_recorded = r->reports[i].n_neurons,
        .n_spikes = r->spikes[i],
        .n_events = r->events[i],
        .mean_rate_hz = ms > 0.0
                            ? 1000.0 * (double)r->spikes[i] / (ms * (double)what->size)
                            : (double)NAN,
    };
}

size_t spl_recorder_state_size(const spl_recorder *recorder)
{
    return 2 * recorder->n_populations;
}

void spl_recorder_save(const spl_recorder *recorder, uint64_t *words)
{
    const size_t n = recorder->n_populations;
    memcpy(words, recorder->spikes, n * sizeof *words);
    memcpy(words + n, recorder->events, n * sizeof *words);
}

void spl_recorder_restore(spl_recorder *recorder, const uint64_t *words)
{
    const size_t n = recorder->n_populations;
    memcpy(recorder->spikes, words, n * sizeof *words);
    memcpy(recorder->events, words + n, n * sizeof *words);
}
