/* Subnetworks behind an interface that does not know their precision: steps cut into
 * chunks, threads that meet between them, and the rate that goes back to the node. */
#include "spiking/subnetwork.h"

#include <stdlib.h>
#include <string.h>

#include "spiking/core.h"

static const spl_subnetwork_ops *ops_of(const spl_subnetwork_spec *spec)
{
    return spec->single ? &spl_subnetwork_single : &spl_subnetwork_double;
}

uint64_t spl_subnetwork_memory(
    const spl_subnetwork_spec *spec, const spl_subnetwork_run *run)
{
    return ops_of(spec)->memory(spec, run);
}

spl_status spl_subnetwork_create(
    spl_subnetwork **out, const spl_subnetwork_spec *spec, const spl_subnetwork_run *run)
{
    return ops_of(spec)->create(out, spec, run);
}

void spl_subnetwork_free(spl_subnetwork *subnetwork)
{
    if (subnetwork != NULL) {
        subnetwork->ops->free(subnetwork);
    }
}

/* Neurons that Q_hat is the rate of. */
static void choose_senders(spl_subnetwork *subnetwork)
{
    const spl_subnetwork_spec *spec = subnetwork->spec;
    bool any = false;
    for (size_t p = 0; p < spec->n_populations; p++) {
        any = any || spec->populations[p].excitatory;
    }
    for (size_t p = 0; p < spec->n_populations; p++) {
        const spl_population_spec *population = &spec->populations[p];
        subnetwork->sends[p] = population->excitatory || !any;
        subnetwork->n_neurons += population->size;
        subnetwork->n_sending += subnetwork->sends[p] ? population->size : 0;
    }
}

spl_status spl_population_record_reserve(
    spl_population_record *record, size_t more, const char *name)
{
    if (record->n_spikes + more <= record->capacity) {
        return SPL_OK;
    }
    const size_t wanted = record->n_spikes + more;
    const size_t capacity = wanted + wanted / 2 + 1024;
    double *time = realloc(record->time, capacity * sizeof *time);
    record->time = time != NULL ? time : record->time;
    uint32_t *neuron = realloc(record->neuron, capacity * sizeof *neuron);
    record->neuron = neuron != NULL ? neuron : record->neuron;
    if (time == NULL || neuron == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY,
            "out of memory: %zu spikes of %s between two blocks", wanted, name);
    }
    record->capacity = capacity;
    return SPL_OK;
}

/* Room for what a block is expected to fire, so that stepping hardly ever allocates. */
static bool init_record(
    spl_population_record *record, const spl_population_spec *spec, size_t max_steps)
{
    const size_t recorded = max_steps * (2 + spec->n_receptors) * spec->n_recorded;
    record->rate = calloc(max_steps, sizeof *record->rate);
    record->mean_V = calloc(max_steps, sizeof *record->mean_V);
    record->events = calloc(max_steps, sizeof *record->events);
    record->count = calloc(max_steps, sizeof *record->count);
    record->recorded = recorded > 0 ? calloc(recorded, sizeof *record->recorded) : NULL;
    return record->rate != NULL && record->mean_V != NULL && record->events != NULL &&
           record->count != NULL && (recorded == 0 || record->recorded != NULL) &&
           spl_population_record_reserve(record, spec->size / 4, spec->name) == SPL_OK;
}

spl_status spl_subnetwork_init(spl_subnetwork *subnetwork,
    const spl_subnetwork_spec *spec, const spl_subnetwork_run *run)
{
    const size_t n = spec->n_populations;
    const size_t steps = run->max_steps;
    subnetwork->spec = spec;
    subnetwork->run = *run;
    subnetwork->h = run->dt / (double)spec->n_substeps;
    subnetwork->filter = spl_rate_filter_of(&spec->interface, run->dt);
    subnetwork->sends = calloc(n, sizeof *subnetwork->sends);
    subnetwork->records = calloc(n, sizeof *subnetwork->records);
    subnetwork->populations = calloc(n, sizeof *subnetwork->populations);
    subnetwork->drive = calloc(steps, sizeof *subnetwork->drive);
    subnetwork->filtered = calloc(steps, sizeof *subnetwork->filtered);
    subnetwork->Q_hat = calloc(steps, sizeof *subnetwork->Q_hat);
    bool all = subnetwork->sends != NULL && subnetwork->records != NULL &&
               subnetwork->populations != NULL && subnetwork->drive != NULL &&
               subnetwork->filtered != NULL && subnetwork->Q_hat != NULL;
    for (size_t p = 0; p < n && all; p++) {
        all = init_record(&subnetwork->records[p], &spec->populations[p], steps);
    }
    if (!all) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: subnetwork %s", spec->name);
    }
    choose_senders(subnetwork);
    return SPL_OK;
}

void spl_subnetwork_deinit(spl_subnetwork *subnetwork)
{
    const size_t n = subnetwork->spec != NULL ? subnetwork->spec->n_populations : 0;
    for (size_t p = 0; p < n && subnetwork->records != NULL; p++) {
        spl_population_record *record = &subnetwork->records[p];
        free(record->time);
        free(record->neuron);
        free(record->rate);
        free(record->mean_V);
        free(record->events);
        free(record->count);
        free(record->recorded);
    }
    free(subnetwork->sends);
    free(subnetwork->records);
    free(subnetwork->populations);
    free(subnetwork->drive);
    free(subnetwork->filtered);
    free(subnetwork->Q_hat);
}

void spl_subnetwork_reset(spl_subnetwork *subnetwork)
{
    spl_rate_filter_reset(&subnetwork->filter, &subnetwork->spec->interface);
    subnetwork->status = SPL_OK;
    subnetwork->ops->reset(subnetwork);
    spl_subnetwork_begin(subnetwork);
}

void spl_subnetwork_begin(spl_subnetwork *subnetwork)
{
    const spl_subnetwork_spec *spec = subnetwork->spec;
    for (size_t p = 0; p < spec->n_populations; p++) {
        subnetwork->records[p].n_spikes = 0;
    }
    subnetwork->block = (spl_subnetwork_block){
        .drive = subnetwork->drive,
        .filtered = subnetwork->filtered,
        .Q_hat = subnetwork->Q_hat,
        .n_populations = spec->n_populations,
        .populations = subnetwork->populations,
    };
}

static void wait_for_team(const spl_team *team)
{
    if (team->count > 1) {
        team->wait(team->barrier);
    }
}

/* Keep the outcome of a piece that one thread does, for the others. */
static void note(spl_subnetwork *subnetwork, spl_status status)
{
    if (status != SPL_OK && subnetwork->status == SPL_OK) {
        const char *message = spl_last_error();
        const size_t length = strnlen(message, sizeof subnetwork->message - 1);
        memcpy(subnetwork->message, message, length);
        subnetwork->message[length] = '\0';
        subnetwork->status = status;
    }
}

static void open_steps(
    spl_subnetwork *subnetwork, uint64_t k, size_t n, const double *drive)
{
    spl_subnetwork_block *block = &subnetwork->block;
    const size_t at = block->n_steps;
    spl_bug_assert(at + n <= subnetwork->run.max_steps);
    if (at == 0) {
        block->first_step = k + 1;
    }
    spl_bug_assert(block->first_step + at == k + 1);
    subnetwork->first_substep = k * subnetwork->spec->n_substeps;
    for (size_t s = 0; s < n; s++) {
        subnetwork->drive[at + s] = drive != NULL ? drive[s] : 0.0;
    }
    for (size_t p = 0; p < subnetwork->spec->n_populations; p++) {
        memset(subnetwork->records[p].count + at, 0, n * sizeof(uint64_t));
    }
    note(subnetwork, subnetwork->ops->open(subnetwork, k, n, drive));
}

/* Rates of the steps, and what the node sees of them. */
static void close_steps(spl_subnetwork *subnetwork, size_t n, double *Q_hat)
{
    const spl_subnetwork_spec *spec = subnetwork->spec;
    spl_subnetwork_block *block = &subnetwork->block;
    const double dt = subnetwork->run.dt;
    const size_t at = block->n_steps;
    note(subnetwork, subnetwork->ops->close(subnetwork, at, n));
    for (size_t s = at; s < at + n; s++) {
        uint64_t n_spikes = 0;
        for (size_t p = 0; p < spec->n_populations; p++) {
            spl_population_record *record = &subnetwork->records[p];
            record->rate[s] =
                (double)record->count[s] / ((double)spec->populations[p].size * dt);
            n_spikes += subnetwork->sends[p] ? record->count[s] : 0;
        }
        spl_rate_filter_step(
            &subnetwork->filter, (double)n_spikes / ((double)subnetwork->n_sending * dt));
        subnetwork->filtered[s] = spl_rate_filtered(&subnetwork->filter);
        subnetwork->Q_hat[s] = spl_subnetwork_Q_hat(subnetwork);
    }
    if (Q_hat != NULL) {
        memcpy(Q_hat, subnetwork->Q_hat + at, n * sizeof *Q_hat);
    }
    for (size_t p = 0; p < spec->n_populations; p++) {
        const spl_population_record *record = &subnetwork->records[p];
        subnetwork->populations[p] = (spl_population_block){
            .rate = record->rate,
            .mean_V = record->mean_V,
            .events = record->events,
            .n_spikes = record->n_spikes,
            .spike_time = record->time,
            .spike_neuron = record->neuron,
            .recorded = record->recorded,
        };
    }
    block->n_steps = at + n;
}

spl_status spl_subnetwork_advance(spl_subnetwork *subnetwork, uint64_t k, size_t n,
    const double *drive, double *Q_hat, const spl_team *team)
{
    static const spl_team one = {.count = 1};
    const spl_subnetwork_ops *ops = subnetwork->ops;
    const uint64_t n_substeps = n * subnetwork->spec->n_substeps;
    const uint64_t start = k * subnetwork->spec->n_substeps;
    team = team != NULL ? team : &one;
    if (team->index == 0 && subnetwork->status == SPL_OK) {
        open_steps(subnetwork, k, n, drive);
    }
    wait_for_team(team);
    for (uint64_t at = 0; at < n_substeps && subnetwork->status == SPL_OK;) {
        const uint64_t left = n_substeps - at;
        const size_t count = left < subnetwork->chunk ? (size_t)left : subnetwork->chunk;
        ops->advance(subnetwork, start + at, count, team);
        wait_for_team(team);
        if (team->index == 0) {
            note(subnetwork, ops->gather(subnetwork, start + at, count));
        }
        wait_for_team(team);
        if (subnetwork->status == SPL_OK) {
            ops->deliver(subnetwork, start + at, count, team);
        }
        /* who delivers to neurons need not be who advances them */
        wait_for_team(team);
        at += count;
    }
    if (team->index == 0 && subnetwork->status == SPL_OK) {
        close_steps(subnetwork, n, Q_hat);
    }
    wait_for_team(team);
    const spl_status status = subnetwork->status;
    return status == SPL_OK ? SPL_OK : spl_error(status, "%s", subnetwork->message);
}

double spl_subnetwork_Q_hat(const spl_subnetwork *subnetwork)
{
    return spl_interface_Q_hat(&subnetwork->spec->interface, subnetwork->run.Q_max,
        spl_rate_filtered(&subnetwork->filter));
}

const spl_subnetwork_block *spl_subnetwork_last(const spl_subnetwork *subnetwork)
{
    return &subnetwork->block;
}

size_t spl_subnetwork_state_bytes(const spl_subnetwork *subnetwork)
{
    return sizeof subnetwork->filter.x + subnetwork->ops->state_bytes(subnetwork);
}

void spl_subnetwork_copy_state(const spl_subnetwork *subnetwork, void *out)
{
    const size_t bytes = sizeof subnetwork->filter.x;
    memcpy(out, subnetwork->filter.x, bytes);
    subnetwork->ops->copy_state(subnetwork, (char *)out + bytes);
}

spl_status spl_subnetwork_put_state(
    spl_subnetwork *subnetwork, const void *state, size_t bytes)
{
    const size_t expected = spl_subnetwork_state_bytes(subnetwork);
    const size_t head = sizeof subnetwork->filter.x;
    if (bytes != expected) {
        return spl_error(SPL_ERR_FORMAT,
            "state of subnetwork %s: %zu bytes, this configuration has %zu",
            subnetwork->spec->name, bytes, expected);
    }
    memcpy(subnetwork->filter.x, state, head);
    subnetwork->status = SPL_OK;
    subnetwork->ops->put_state(subnetwork, (const char *)state + head);
    spl_subnetwork_begin(subnetwork);
    return SPL_OK;
}

double spl_subnetwork_Q_max(const spl_subnetwork *subnetwork)
{
    return subnetwork->run.Q_max;
}

size_t spl_subnetwork_n_neurons(const spl_subnetwork *subnetwork)
{
    return subnetwork->n_neurons;
}

size_t spl_subnetwork_n_sending(const spl_subnetwork *subnetwork)
{
    return subnetwork->n_sending;
}

uint64_t spl_subnetwork_n_synapses(const spl_subnetwork *subnetwork)
{
    return subnetwork->n_synapses;
}

uint64_t spl_subnetwork_n_short_delays(const spl_subnetwork *subnetwork)
{
    return subnetwork->n_short_delays;
}

uint64_t spl_subnetwork_bytes(const spl_subnetwork *subnetwork)
{
    return subnetwork->bytes;
}

double spl_subnetwork_cost(const spl_subnetwork *subnetwork)
{
    return subnetwork->ops->cost(subnetwork);
}
