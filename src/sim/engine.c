/* The engine of one precision: a network and what the rest of sim asks of it. */
#include "sim/engine.h"

#include <stdlib.h>
#include <string.h>

#include "model/registry.h"
#include "sim/assemble.h"

#ifdef SPL_SINGLE
#define OPS spl_engine_single
#else
#define OPS spl_engine_double
#endif

typedef struct {
    spl_engine base;
    spl_arena arena;
    spl_network network;
    const spl_model *model;
    const spl_model_kernels *one; /* evaluates single nodes */
} engine;

static const spl_network *network_of(const spl_engine *base)
{
    return &((const engine *)base)->network;
}

static void advance(spl_engine *base, uint64_t n_steps, const spl_block_hooks *hooks,
    spl_divergence *divergence)
{
    spl_network_advance(&((engine *)base)->network, n_steps, hooks, divergence);
}

/* Without delays a step is mostly the product with the matrix, read once for all. */
static bool batches(const spl_engine *base)
{
    const spl_network *network = network_of(base);
    const spl_plan *plan = network->plan;
    return network->n_jobs == 0 && network->matrix != NULL && !network->reference &&
           !network->together &&
           plan->unit_start[plan->n_tied] == plan->stride / SPL_TILE;
}

static void advance_batch(spl_engine *const *engines, size_t n, void *memory,
    uint64_t n_steps, const spl_block_hooks *hooks, spl_divergence *divergence)
{
    spl_network *networks[SPL_MAX_BATCH];
    spl_batch batch = {.present = memory};
    for (size_t r = 0; r < n; r++) {
        networks[r] = &((engine *)engines[r])->network;
    }
    batch.sums =
        batch.present + networks[0]->n_channels * SPL_MAX_BATCH * networks[0]->stride;
    spl_network_advance_batch(networks, n, &batch, n_steps, hooks, divergence);
}

static uint64_t step(const spl_engine *base)
{
    return network_of(base)->step;
}

static void set_threads(spl_engine *base, int threads)
{
    ((engine *)base)->network.threads = threads;
}

static int threads(const spl_engine *base)
{
    return network_of(base)->threads;
}

static double state(const spl_engine *base, size_t which, size_t node)
{
    const spl_network *network = network_of(base);
    return network->run.state[which * network->stride + node];
}

static double observable(const spl_engine *base, size_t node)
{
    const spl_network *network = network_of(base);
    spl_real states[SPL_MAX_STATES];
    spl_real q = 0;
    if (!spl_is_integrated(network, node)) {
        const spl_plan *plan = network->plan;
        return network
            ->history[node * plan->pitch + spl_plan_slot(plan, (int64_t)network->step)];
    }
    for (size_t s = 0; s < network->n_states; s++) {
        states[s] = network->run.state[s * network->stride + node];
    }
    ((const engine *)base)
        ->one->observe(
            spl_tile_params(&network->run, node), SPL_TILE, node % SPL_TILE, states, &q);
    return q;
}

static bool is_integrated(const spl_engine *base, size_t node)
{
    return spl_is_integrated(network_of(base), node);
}

/* Where the clips of a subnetwork are counted; NULL if no node carries it. */
static uint64_t *find_clips(const spl_network *network, size_t index)
{
    for (size_t h = 0; h < network->n_hosts; h++) {
        if (network->hosts[h].job == &network->jobs[index]) {
            return &network->hosts[h].clips;
        }
    }
    return NULL;
}

static uint64_t clips(const spl_engine *base, size_t index)
{
    const uint64_t *count = find_clips(network_of(base), index);
    return count != NULL ? *count : 0;
}

static void set_clips(spl_engine *base, size_t index, uint64_t value)
{
    uint64_t *count = find_clips(network_of(base), index);
    if (count != NULL) {
        *count = value;
    }
}

static bool check(const spl_engine *base, size_t node, char *text, size_t size)
{
    const spl_network *network = network_of(base);
    return network->model->check != NULL && spl_is_integrated(network, node) &&
           network->model->check(spl_tile_params(&network->run, node), SPL_TILE,
               node % SPL_TILE, text, size);
}

/* Samples that a continuation needs: the present one and delay_max before it. */
static size_t n_samples(const spl_plan *plan)
{
    return (size_t)plan->delay_max + 1;
}

static size_t list_final(const spl_engine *base, spl_array *arrays)
{
    const spl_network *network = network_of(base);
    const spl_model *model = ((const engine *)base)->model;
    const size_t n_nodes = network->n_nodes;
    size_t n = 0;
    for (size_t s = 0; s < model->n_states; s++) {
        arrays[n++] = (spl_array){.name = model->states[s].name,
            .rank = 1,
            .dims = {n_nodes},
            .unit = model->states[s].unit};
    }
    const spl_array history = {.name = "history",
        .rank = 3,
        .dims = {network->n_channels, n_nodes, n_samples(network->plan)},
        .unit = "1"};
    arrays[n++] = history;
    if (network->half_history != NULL) {
        arrays[n] = history;
        arrays[n++].name = "history_half_steps";
    }
    if (network->eta != NULL) {
        arrays[n++] = (spl_array){
            .name = "noise",
            .rank = 2,
            .dims = {model->n_states, n_nodes},
            .unit = "1",
        };
    }
    return n;
}

/* Copy a ring in the order of time, oldest sample first, up to sample `newest`. */
static double *copy_history(
    double *out, const spl_network *network, const spl_real *ring, int64_t newest)
{
    const spl_plan *plan = network->plan;
    const size_t count = n_samples(plan);
    const size_t n_rows = network->n_channels * network->n_nodes;
    const int64_t oldest = newest - (int64_t)count + 1;
    for (size_t row = 0; row < n_rows; row++) {
        for (size_t s = 0; s < count; s++) {
            *out++ = ring[row * plan->pitch + spl_plan_slot(plan, oldest + (int64_t)s)];
        }
    }
    return out;
}

/* Copy an array [n_states][stride] without its padding. */
static double *copy_states(
    double *out, const spl_network *network, const spl_real *states)
{
    for (size_t s = 0; s < network->n_states; s++) {
        for (size_t i = 0; i < network->n_nodes; i++) {
            *out++ = states[s * network->stride + i];
        }
    }
    return out;
}

static double *copy_final(const spl_engine *base, double *out)
{
    const spl_network *network = network_of(base);
    const int64_t now = (int64_t)network->step;
    out = copy_states(out, network, network->run.state);
    out = copy_history(out, network, network->history, now);
    if (network->half_history != NULL) {
        out = copy_history(out, network, network->half_history, now - 1);
    }
    if (network->eta != NULL) {
        out = copy_states(out, network, network->eta);
    }
    return out;
}

static const double *put_history(
    const double *in, const spl_network *network, spl_real *ring, int64_t newest)
{
    const spl_plan *plan = network->plan;
    const size_t count = n_samples(plan);
    const size_t n_rows = network->n_channels * network->n_nodes;
    const int64_t oldest = newest - (int64_t)count + 1;
    for (size_t row = 0; row < n_rows; row++) {
        for (size_t s = 0; s < count; s++) {
            spl_history_put(
                plan, ring + row * plan->pitch, oldest + (int64_t)s, (spl_real)*in++);
        }
    }
    return in;
}

/* The padding copies the last node. */
static const double *put_states(
    const double *in, const spl_network *network, spl_real *states)
{
    const size_t n_nodes = network->n_nodes;
    for (size_t s = 0; s < network->n_states; s++, in += n_nodes) {
        for (size_t i = 0; i < network->stride; i++) {
            states[s * network->stride + i] = (spl_real)in[i < n_nodes ? i : n_nodes - 1];
        }
    }
    return in;
}

static const double *put_final(spl_engine *base, const double *in, uint64_t at_step)
{
    spl_network *network = &((engine *)base)->network;
    const int64_t now = (int64_t)at_step;
    in = put_states(in, network, network->run.state);
    in = put_history(in, network, network->history, now);
    if (network->half_history != NULL) {
        in = put_history(in, network, network->half_history, now - 1);
    }
    if (network->eta != NULL) {
        in = put_states(in, network, network->eta);
    }
    network->step = at_step;
    spl_network_carry(network);
    return in;
}

static void set_noise_start(spl_engine *base, uint64_t steps)
{
    ((engine *)base)->network.noise_start = steps;
}

static void save(const spl_engine *base, void *copy)
{
    const engine *self = (const engine *)base;
    const spl_network *network = &self->network;
    char *to = copy;
    memcpy(to, &network->step, sizeof network->step);
    to += sizeof network->step;
    memcpy(to, self->arena.base, self->arena.size);
    to += self->arena.size;
    for (size_t h = 0; h < network->n_hosts; h++) {
        memcpy(to, &network->hosts[h].clips, sizeof(uint64_t));
        to += sizeof(uint64_t);
    }
    for (size_t j = 0; j < network->n_jobs; j++) {
        spl_subnetwork_copy_state(network->jobs[j].subnetwork, to);
        to += spl_subnetwork_state_bytes(network->jobs[j].subnetwork);
    }
}

static void restore(spl_engine *base, const void *copy)
{
    engine *self = (engine *)base;
    spl_network *network = &self->network;
    const char *from = copy;
    memcpy(&network->step, from, sizeof network->step);
    from += sizeof network->step;
    memcpy(self->arena.base, from, self->arena.size);
    from += self->arena.size;
    for (size_t h = 0; h < network->n_hosts; h++) {
        memcpy(&network->hosts[h].clips, from, sizeof(uint64_t));
        from += sizeof(uint64_t);
    }
    for (size_t j = 0; j < network->n_jobs; j++) {
        spl_subnetwork *subnetwork = network->jobs[j].subnetwork;
        const size_t bytes = spl_subnetwork_state_bytes(subnetwork);
        const spl_status status = spl_subnetwork_put_state(subnetwork, from, bytes);
        spl_bug_assert(status == SPL_OK);
        network->jobs[j].status = SPL_OK;
        from += bytes;
    }
}

static void reset(spl_engine *base, const spl_settings *settings)
{
    engine *self = (engine *)base;
    spl_network_reset(&self->network, settings);
}

static const char *path_of(const spl_network *network)
{
    const spl_plan *plan = network->plan;
    return network->reference        ? "reference"
           : network->matrix != NULL ? "undelayed dense"
           : plan->n_near == 0       ? "delayed blocks"
           : plan->delay_max == 0    ? "undelayed sparse"
           : network->together       ? "lockstep"
                                     : "delayed blocks, near edges in units";
}

static uint64_t plan_bytes(const spl_plan *plan)
{
    return plan->n_edges *
               (sizeof *plan->source + sizeof *plan->delay + sizeof *plan->weight) +
           plan->n_nodes *
               (sizeof *plan->start + sizeof *plan->near + sizeof *plan->undelayed) +
           plan->stride * 2 * sizeof(double);
}

static void engine_free(spl_engine *base)
{
    if (base == NULL) {
        return;
    }
    engine *self = (engine *)base;
    spl_network_release(&self->network, &self->arena);
    free(self);
}

static spl_status engine_create(spl_engine **out, const spl_settings *settings,
    const spl_connectome *connectome, const bool *record, const spl_engine *like)
{
    spl_status status = SPL_OK;
    engine *self = calloc(1, sizeof *self);
    *out = NULL;
    if (self == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: the engine of a run");
    }
    spl_network *network = &self->network;
    SPL_TRY(spl_network_assemble(network, &self->arena, settings, connectome, record,
        like != NULL ? network_of(like) : NULL));
    const spl_plan *plan = network->plan;
    self->model = settings->model;
    self->one = spl_model_kernels_of(settings->model, SPL_TARGET_SCALAR);
    self->one = network->model->shares_gates ? self->one->shared : self->one;
    self->base = (spl_engine){
        .ops = &OPS,
        .precision = SPL_PRECISION_NAME,
        .target = network->target,
        .reference = network->reference,
        .path = path_of(network),
        .gates = network->model->shares_gates ? "shared" : "separate",
        .n_edges = plan->n_edges + plan->n_self,
        .delay_min = plan->delay_min,
        .delay_median = plan->delay_median,
        .delay_max = plan->delay_max,
        .block = network->reference ? 1 : plan->block,
        .max_block = network->n_rows,
        .max_threads = network->threads,
        .memory_bytes =
            sizeof *self + self->arena.size + (like == NULL ? plan_bytes(plan) : 0),
        .copy_bytes = sizeof network->step + self->arena.size,
        .batch_bytes =
            2 * network->n_channels * SPL_MAX_BATCH * network->stride * sizeof(spl_real),
    };
    memcpy(self->base.slot, network->slot, sizeof self->base.slot);
    self->base.n_subnetworks = network->n_jobs;
    self->base.jobs = network->jobs;
    self->base.copy_bytes += network->n_hosts * sizeof(uint64_t);
    for (size_t j = 0; j < network->n_jobs; j++) {
        self->base.memory_bytes += spl_subnetwork_bytes(network->jobs[j].subnetwork);
        self->base.copy_bytes += spl_subnetwork_state_bytes(network->jobs[j].subnetwork);
    }
    *out = &self->base;
    self = NULL;
out:
    engine_free((spl_engine *)self);
    return status;
}

const spl_engine_ops OPS = {
    .create = engine_create,
    .free = engine_free,
    .advance = advance,
    .batches = batches,
    .advance_batch = advance_batch,
    .step = step,
    .set_threads = set_threads,
    .threads = threads,
    .state = state,
    .observable = observable,
    .is_integrated = is_integrated,
    .clips = clips,
    .set_clips = set_clips,
    .check = check,
    .list_final = list_final,
    .copy_final = copy_final,
    .put_final = put_final,
    .set_noise_start = set_noise_start,
    .reset = reset,
    .save = save,
    .restore = restore,
};
