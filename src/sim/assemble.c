#include "sim/assemble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coupling/registry.h"
#include "model/registry.h"
#include "sim/hosts.h"
#include "sim/threads.h"
#include "simd/dispatch.h"

_Static_assert(SPL_BLOCK_LIMIT == SPL_MAX_BLOCK, "the bound of simulation.block");

/* One Heun node-step is about 11 ns, half of it in single precision. */
static const double NODE_STEP_NS = SPL_REAL_BYTES == 8 ? 11.0 : 5.5;

/* Most threads that steps between two barriers can feed. */
static int count_threads(
    const spl_settings *settings, const spl_network *network, size_t steps)
{
    const double step_ns = (double)network->n_nodes * NODE_STEP_NS +
                           spl_jobs_cost(network->jobs, network->n_jobs);
    return spl_choose_threads(settings, step_ns * (double)steps,
        network->stride / SPL_TILE + spl_jobs_threads(network->jobs, network->n_jobs));
}

/* What the parts of a block cost, ns: a node, however many steps there are; an edge in a
 * panel of which all, half or a quarter is used. What they cost at a step: a long edge,
 * in a window all of which is used; a near edge; a tied node, beyond what others do. 998
 * nodes of 36 edges: panels, nodes and windows on Zen 3, the rest on Emerald Rapids. Only
 * ratios count. A history beyond the caches is waited for: a panel for its lines, which
 * are 3, a window for its 7 (not measured), a near edge and the memory of tied tiles at
 * every step. */
typedef struct {
    double node, panel, half_panel, quarter_panel, window, near, tied_node;
} block_costs;
static const block_costs costs_in_cache = {17.0, 3.2, 2.1, 1.7, 0.15, 20.0, 11.0};
static const block_costs costs_in_memory = {17.0, 14.0, 12.0, 11.0, 0.7, 20.0, 80.0};
static const size_t CACHE_BYTES = (size_t)32 << 20;

/* Where half of the edges are long, and a window holds a block. */
static bool has_windows(const spl_plan *plan)
{
    return 2 * plan->n_long >= plan->n_edges && plan->n_long > 0 &&
           plan->block <= SPL_WINDOW;
}

static double cost_of_step(const spl_plan *plan)
{
    const size_t history = plan->n_nodes * plan->pitch * sizeof(spl_real);
    const block_costs *costs = history > CACHE_BYTES ? &costs_in_memory : &costs_in_cache;
    const size_t n_long = has_windows(plan) ? plan->n_long : 0;
    const double far = (double)(plan->n_edges - n_long - plan->n_near);
    const size_t used = SPL_WINDOW / plan->block * plan->block;
    const double windows =
        n_long > 0 ? (double)n_long * costs->window * SPL_WINDOW / (double)used : 0.0;
    const double per_block = plan->block > SPL_PANEL / 2   ? costs->panel
                             : plan->block > SPL_PANEL / 4 ? costs->half_panel
                                                           : costs->quarter_panel;
    const double tied = (double)plan->unit_start[plan->n_tied] * SPL_TILE;
    const double nodes = (double)plan->n_nodes * costs->node;
    return (nodes + far * per_block) / (double)plan->block + windows +
           (double)plan->n_near * costs->near + tied * costs->tied_node;
}

/* Partition for one block length: what a step costs, INFINITY if threads would have to
 * share a unit. */
static spl_status try_block(
    spl_network *network, const spl_settings *settings, size_t block, double *cost)
{
    spl_status status = SPL_OK;
    spl_plan *plan = network->plan;
    SPL_TRY(spl_plan_partition(plan, block));
    network->threads = count_threads(settings, network, block);
    const size_t threads = (size_t)network->threads;
    const size_t share = (network->stride / SPL_TILE + threads - 1) / threads;
    const bool fits = threads == 1 || spl_plan_largest_tied(plan) <= share;
    *cost = fits ? cost_of_step(plan) / (double)threads : INFINITY;
out:
    return status;
}

/* Choose the block and with it the threads. One thread takes whatever is cheapest;
 * several need units that can be dealt evenly, else they share everything and wait for
 * each other after every stage. */
static spl_status choose_block(spl_network *network, const spl_settings *settings)
{
    spl_status status = SPL_OK;
    spl_plan *plan = network->plan;
    /* normals come for four steps at once; whole vectors need no masks */
    const size_t shortest =
        plan->delay_min < SPL_PANEL / 2 ? plan->delay_min : plan->delay_min / 4 * 4;
    size_t candidates[] = {SPL_PANEL, SPL_PANEL / 2, SPL_PANEL / 4, shortest};
    size_t n_candidates =
        plan->n_undelayed == 0 && plan->delay_max > 0 && plan->delay_min < SPL_PANEL ? 4
                                                                                     : 3;
    if (settings->block > 0) {
        candidates[0] = settings->block;
        n_candidates = 1;
    }
    size_t best = candidates[0];
    double least = INFINITY;
    for (size_t c = 0; c < n_candidates; c++) {
        double cost = INFINITY;
        SPL_TRY(try_block(network, settings, candidates[c], &cost));
        if (cost < least) {
            best = candidates[c];
            least = cost;
        }
    }
    const bool fits = isfinite(least);
    SPL_TRY(spl_plan_partition(plan, best));
    network->threads = count_threads(settings, network, fits ? best : 1);
    network->together =
        network->threads > 1 && (!fits || spl_hosts_want_lockstep(network));
    if (network->together) {
        spl_plan_tie_all(plan);
    }
out:
    return status;
}

static spl_status choose_kernels(spl_network *network, const spl_settings *settings)
{
    spl_target target = SPL_TARGET_SCALAR;
    spl_status status = spl_target_choose(&target);
    if (status != SPL_OK) {
        return status;
    }
    if (settings->reference) {
        target = SPL_TARGET_SCALAR;
    }
    const spl_coupling_kernels *coupling =
        spl_coupling_kernels_of(settings->coupling, target);
    network->target = target;
    network->model = spl_model_kernels_of(settings->model, target);
    network->sum = spl_sum_kernels_of(target);
    network->rng = spl_rng_kernels_of(target);
    network->scheme = spl_scheme_find(settings->integrator);
    spl_bug_assert(network->scheme >= 0);
    network->n_states = settings->model->n_states;
    network->n_channels = coupling->n_channels;
    network->coupling = (spl_coupling_run){
        .info = settings->coupling,
        .n_channels = coupling->n_channels,
        .sends_state = settings->sends_observable ? -1 : (int)settings->sends_state,
        .couple = coupling->couple,
        .n_nodes = (double)settings->n_nodes,
    };
    memcpy(network->coupling.params, settings->coupling_params,
        sizeof network->coupling.params);
    return SPL_OK;
}

/* Dense if the undelayed edges fill enough of the matrix; only where nothing is delayed,
 * because that is what was measured. */
static bool choose_dense(const spl_network *network, const spl_settings *settings)
{
    const spl_plan *plan = network->plan;
    const double density =
        (double)plan->n_undelayed / ((double)plan->n_nodes * (double)plan->n_nodes);
    if (plan->n_undelayed == 0 || plan->delay_max > 0 || settings->reference) {
        return false;
    }
    return settings->undelayed == SPL_UNDELAYED_DENSE ||
           (settings->undelayed == SPL_UNDELAYED_AUTO && density > SPL_DENSE_ABOVE);
}

static void layout_reference(spl_network *network, spl_arena *arena)
{
    const size_t stride = network->stride;
    const size_t bytes = sizeof(spl_real);
    const size_t states = network->n_states * stride;
    network->y = spl_arena_take(arena, states, bytes);
    network->sum_of_stages = spl_arena_take(arena, states, bytes);
    network->x_before = spl_arena_take(arena, states, bytes);
    network->f_before = spl_arena_take(arena, states, bytes);
    network->c = spl_arena_take(arena, stride, bytes);
    network->step_noise = spl_arena_take(arena, states, bytes);
}

/* `tied`: of a tied tile, which feeds back or not; else of a thread or a free tile. */
static spl_scratch layout_scratch(
    const spl_network *network, spl_arena *arena, bool tied, bool feeds_back)
{
    const size_t bytes = sizeof(spl_real);
    const size_t block = network->plan->block;
    const size_t sums = network->n_channels * SPL_TILE;
    const size_t states = network->n_states * SPL_TILE;
    spl_scratch scratch = {
        .sums = spl_arena_take(arena, (block + 1) * sums, bytes),
        .half = spl_arena_take(arena, block * sums, bytes),
        .noise = spl_arena_take(arena, block * states, bytes),
        .sent = spl_arena_take(arena, (block + 1) * sums, bytes),
        .sent_half = spl_arena_take(arena, block * sums, bytes),
        .extreme = spl_arena_take(arena, SPL_TILE, bytes),
    };
    if (tied) {
        scratch.y = spl_arena_take(arena, states, bytes);
        scratch.sum_of_stages = spl_arena_take(arena, states, bytes);
        scratch.x_before = spl_arena_take(arena, states, bytes);
        scratch.f_before = spl_arena_take(arena, states, bytes);
        scratch.gates = spl_arena_take(arena, network->model->n_gates * SPL_TILE, bytes);
        scratch.c = spl_arena_take(arena, SPL_TILE, bytes);
        scratch.stage_sums = spl_arena_take(arena, sums, bytes);
        scratch.local = feeds_back ? spl_arena_take(arena, 2 * SPL_TILE, bytes) : NULL;
    }
    return scratch;
}

/* Working memory of the threads, and of the tiles that wait for others. */
static void layout_working(spl_network *network, spl_arena *arena)
{
    const spl_plan *plan = network->plan;
    const size_t n_tiles = network->stride / SPL_TILE;
    const size_t n_tied = network->reference ? 0 : plan->unit_start[plan->n_tied];
    network->scratch =
        spl_arena_take(arena, (size_t)network->threads, sizeof(spl_scratch));
    network->lost = spl_arena_take(arena, n_tiles, sizeof *network->lost);
    network->tied = spl_arena_take(arena, n_tiles, sizeof(spl_scratch));
    network->tied_sent = spl_arena_take(arena, n_tiles, sizeof(spl_real *));
    network->tied_sent_half = spl_arena_take(arena, n_tiles, sizeof(spl_real *));
    for (int t = 0; t < network->threads; t++) {
        const spl_scratch scratch = layout_scratch(network, arena, false, false);
        if (arena->base != NULL) {
            network->scratch[t] = scratch;
        }
    }
    for (size_t t = 0; t < n_tied; t++) {
        const bool feeds_back =
            network->feeds_back != NULL && network->feeds_back[plan->tile[t]];
        const spl_scratch scratch = layout_scratch(network, arena, true, feeds_back);
        if (arena->base != NULL) {
            network->tied[plan->tile[t]] = scratch;
            network->tied_sent[plan->tile[t]] = scratch.sent;
            network->tied_sent_half[plan->tile[t]] = scratch.sent_half;
        }
    }
    for (size_t t = n_tied; t < n_tiles; t++) {
        if (!network->reference && spl_has_hosts(network, plan->tile[t])) {
            const spl_scratch scratch = layout_scratch(network, arena, false, false);
            if (arena->base != NULL) {
                network->tied[plan->tile[t]] = scratch;
            }
        }
    }
}

static spl_windows layout_windows(const spl_network *network, spl_arena *arena)
{
    const spl_plan *plan = network->plan;
    spl_windows windows = {0};
    if (!network->reference && has_windows(plan)) {
        const size_t rows = network->n_channels * network->stride;
        windows.sums = spl_arena_take(arena, rows * SPL_WINDOW, sizeof *windows.sums);
        windows.first = spl_arena_take(arena, rows / SPL_TILE, sizeof *windows.first);
        /* where they are worth their pass over the nodes */
        if (SPL_HALF_WINDOW % plan->block == 0 && plan->n_half > plan->n_nodes) {
            windows.halves =
                spl_arena_take(arena, rows / SPL_TILE, sizeof *windows.halves);
        }
    }
    return windows;
}

enum { KEPT_BYTES = 49152 };

/* Rows of several short blocks wait for the monitors, as many as do not push everything
 * else out of the nearest cache. What subnetworks did is told block by block. */
static size_t choose_rows(const spl_network *network, const spl_settings *settings)
{
    const size_t block = network->plan->block;
    const size_t row = network->run.n_slots * network->stride * sizeof(spl_real);
    const size_t kept = row > 0 ? KEPT_BYTES / row : SPL_MAX_BLOCK;
    return settings->n_subnetworks > 0 || kept < block ? block : kept;
}

/* Steps that fit into these rows as sums over pieces, but for what the monitors make of
 * them no more than are worth their while. In single precision monitors sum in double. */
static size_t choose_steps_in_pieces(
    const spl_network *network, const spl_settings *settings)
{
    const size_t piece = spl_piece_steps(settings->dt);
    const size_t row = network->run.n_slots * network->stride * sizeof(spl_real);
    if (piece == 0 || row == 0 || SPL_REAL_BYTES != sizeof(double) ||
        network->reference || settings->n_subnetworks > 0) {
        return 0;
    }
    const size_t fitting = (network->n_rows - 1) * piece + 1;
    const size_t worth = KEPT_BYTES / row * piece;
    const size_t most = fitting < worth ? fitting : worth;
    return most < network->n_rows ? network->n_rows : most;
}

/* The same without rows: what goes on between blocks has left all caches meanwhile, and
 * of large networks a few steps take long enough. */
static size_t choose_steps_in_f4(const spl_network *network)
{
    enum { NODE_STEPS = 1 << 17, MOST = 256 };
    const size_t worth = NODE_STEPS / network->stride;
    const size_t most = worth < MOST ? worth : MOST;
    return most < network->n_rows ? network->n_rows : most;
}

/* Runs twice: to measure, then to place. */
static void layout(
    spl_network *network, spl_arena *arena, const spl_settings *settings, bool dense)
{
    const size_t stride = network->stride;
    const size_t row = network->run.n_slots * stride;
    const size_t bytes = sizeof(spl_real);
    const size_t history = network->n_channels * network->n_nodes * network->plan->pitch;
    const spl_scheme *scheme = &spl_schemes[network->scheme];
    const bool half =
        scheme->n_stages == 4 && !settings->frozen && network->plan->delay_max > 0;
    network->run.params = spl_arena_take(arena, network->run.n_params * stride, bytes);
    network->run.state = spl_arena_take(arena, network->n_states * stride, bytes);
    network->backup = spl_arena_take(arena, network->n_states * stride, bytes);
    network->history = spl_arena_take(arena, history, bytes);
    network->half_history = half ? spl_arena_take(arena, history, bytes) : NULL;
    network->windows = layout_windows(network, arena);
    network->half_windows = half ? layout_windows(network, arena) : (spl_windows){0};
    network->carry = spl_arena_take(arena, network->n_channels * stride, bytes);
    network->exponentials =
        spl_arena_take(arena, network->model->n_gates * 2 * stride, bytes);
    network->present[0] = spl_arena_take(arena, network->n_channels * stride, bytes);
    network->present[1] = spl_arena_take(arena, network->n_channels * stride, bytes);
    network->coupling.scale = spl_arena_take(arena, stride, bytes);
    network->coupling.shift = spl_arena_take(arena, stride, bytes);
    network->coupling.own = spl_arena_take(arena, stride, bytes);
    network->coupling.self = spl_arena_take(arena, stride, bytes);
    network->coupling.norm = spl_arena_take(arena, stride, bytes);
    network->rows = row > 0 ? spl_arena_take(arena, network->n_rows * row, bytes) : NULL;
    network->record = network->rows;
    network->piece_backup =
        network->n_steps_in_pieces > 0 ? spl_arena_take(arena, row, bytes) : NULL;
    network->shown = (double *)network->rows;
    if (SPL_REAL_BYTES != sizeof(double) && row > 0) {
        network->shown = spl_arena_take(arena, network->n_rows * row, sizeof(double));
    }
    if (dense) {
        network->matrix = spl_arena_take(arena, stride * network->n_nodes, bytes);
    }
    for (size_t s = 0; s < network->n_states; s++) {
        network->run.noise_scale[s] =
            network->noisy[s] ? spl_arena_take(arena, stride, bytes) : NULL;
    }
    if (network->process == SPL_NOISE_COLOURED) {
        network->eta = spl_arena_take(arena, network->n_states * stride, bytes);
        network->eta_backup = spl_arena_take(arena, network->n_states * stride, bytes);
        network->eta_scale = spl_arena_take(arena, network->n_states * stride, bytes);
    }
    if (network->reference) {
        layout_reference(network, arena);
    }
    network->host_load =
        spl_arena_take(arena, (size_t)network->threads, sizeof *network->host_load);
    layout_working(network, arena);
}

/* Node whose values lane i holds: padding copies the last one. */
static size_t source_of(const spl_network *network, size_t i)
{
    return i < network->n_nodes ? i : network->n_nodes - 1;
}

static void fill_params(spl_network *network, const spl_settings *settings)
{
    for (size_t first = 0; first < network->stride; first += SPL_TILE) {
        spl_real *params = (spl_real *)spl_tile_params(&network->run, first);
        for (size_t p = 0; p < settings->model->n_params; p++) {
            for (size_t lane = 0; lane < SPL_TILE; lane++) {
                const size_t i = source_of(network, first + lane);
                params[p * SPL_TILE + lane] =
                    (spl_real)settings->params[p * network->n_nodes + i];
            }
        }
        network->model->derive(params, SPL_TILE);
    }
}

/* One exponential for several gates if every node allows it: a matter of the parameters
 * alone, so that no result depends on the machine. */
static void choose_gates(spl_network *network)
{
    const spl_model_kernels *kernels = network->model;
    bool shared = kernels->shared != NULL;
    for (size_t i = 0; i < network->n_nodes && shared; i++) {
        shared = kernels->node_shares_gates(
            spl_tile_params(&network->run, i), SPL_TILE, i % SPL_TILE);
    }
    if (shared) {
        network->model = kernels->shared;
        network->one = network->one != NULL ? network->one->shared : NULL;
    }
}

/* c = scale sum + shift + own x for the affine couplings, self and norm for the others. A
 * node without in-strength gets no input at all, never NaN. */
static void fill_coupling(spl_network *network, const spl_settings *settings)
{
    const spl_coupling_kernels *kernels =
        spl_coupling_kernels_of(settings->coupling, SPL_TARGET_SCALAR);
    const spl_coupling_run *coupling = &network->coupling;
    spl_real *scale = (spl_real *)coupling->scale;
    spl_real *shift = (spl_real *)coupling->shift;
    spl_real *own = (spl_real *)coupling->own;
    spl_real *self = (spl_real *)coupling->self;
    spl_real *norm = (spl_real *)coupling->norm;
    double a = 1.0;
    double b = 0.0;
    for (size_t p = 0; p < settings->coupling->n_params && kernels->affine; p++) {
        if (strcmp(settings->coupling->params[p].name, "a") == 0) {
            a = settings->coupling_params[p];
        } else if (strcmp(settings->coupling->params[p].name, "b") == 0) {
            b = settings->coupling_params[p];
        }
    }
    for (size_t i = 0; i < network->n_nodes; i++) {
        const double strength = network->plan->row_sum[i];
        const bool isolated = settings->in_strength && strength == 0.0;
        const double weight = network->plan->self_weight[i];
        const double factor = !settings->in_strength ? a : isolated ? 0.0 : a / strength;
        norm[i] = (spl_real)(!settings->in_strength ? 1.0
                             : isolated             ? 0.0
                                                    : 1.0 / strength);
        self[i] = (spl_real)weight;
        scale[i] = (spl_real)factor;
        shift[i] = (spl_real)(isolated ? 0.0 : b);
        own[i] = (spl_real)(factor * (weight - (kernels->difference ? strength : 0.0)));
    }
}

/* Tile by tile, the columns of a tile together. */
static void fill_matrix(spl_network *network)
{
    const spl_plan *plan = network->plan;
    spl_real *matrix = (spl_real *)network->matrix;
    for (size_t i = 0; i < plan->n_nodes; i++) {
        spl_real *tile = matrix + i / SPL_TILE * SPL_TILE * plan->n_nodes;
        for (size_t e = plan->undelayed[i]; e < plan->start[i + 1]; e++) {
            tile[(size_t)plan->source[e] * SPL_TILE + i % SPL_TILE] = plan->weight[e];
        }
    }
}

static void fill_noise(spl_network *network, const spl_settings *settings)
{
    const double dt = settings->dt;
    for (size_t s = 0; s < network->n_states; s++) {
        spl_real *scale = (spl_real *)network->run.noise_scale[s];
        for (size_t i = 0; i < network->stride && scale != NULL; i++) {
            const double g =
                settings->noise_strength[s * network->n_nodes + source_of(network, i)];
            if (network->process == SPL_NOISE_COLOURED) {
                scale[i] = (spl_real)(g != 0.0 ? dt : 0.0);
                network->eta_scale[s * network->stride + i] = (spl_real)g;
            } else {
                scale[i] = (spl_real)(g * sqrt(dt));
            }
        }
    }
    network->run.multiplicative = settings->noise == SPL_NOISE_MULTIPLICATIVE;
    network->run.noise_a = settings->noise_a;
    network->run.noise_b = settings->noise_b;
    if (network->process == SPL_NOISE_COLOURED) {
        network->eta_decay = exp(-dt / settings->noise_tau);
        network->eta_kick = sqrt(-expm1(-2.0 * dt / settings->noise_tau));
        network->eta_mean = settings->noise_mean;
    }
}

static void choose_record(spl_network *network, const bool *record)
{
    int n_slots = 0;
    for (size_t v = 0; v < SPL_MAX_STATES + 2; v++) {
        network->slot[v] = v < network->n_states + 2 && record[v] ? n_slots++ : -1;
    }
    memcpy(network->run.slot, network->slot, sizeof network->slot);
    network->run.n_slots = (size_t)n_slots;
}

static void choose_noise(spl_network *network, const spl_settings *settings)
{
    network->process =
        settings->noise == SPL_NOISE_OU ? SPL_NOISE_COLOURED : SPL_NOISE_WHITE;
    for (size_t s = 0; s < network->n_states && settings->noise != SPL_NOISE_NONE; s++) {
        for (size_t i = 0; i < network->n_nodes; i++) {
            if (settings->noise_strength[s * network->n_nodes + i] != 0.0) {
                network->noisy[s] = true;
            }
        }
    }
}

void spl_network_reset(spl_network *network, const spl_settings *settings)
{
    for (size_t j = 0; j < network->n_jobs; j++) {
        spl_subnetwork_reset(network->jobs[j].subnetwork);
    }
    for (size_t s = 0; s < network->n_states; s++) {
        const spl_init *init = &settings->init[s];
        for (size_t lane = 0; lane < network->stride; lane++) {
            const size_t i = source_of(network, lane);
            const uint32_t stream =
                SPL_STREAM_START + (settings->start_shared ? 0 : (uint32_t)s);
            double value = init->low;
            if (init->value != NULL) {
                value = init->value[i];
            } else if (init->high != init->low) {
                value += (init->high - init->low) *
                         spl_rng_uniform(network->seed, stream, (uint32_t)i, 0);
            }
            network->run.state[s * network->stride + lane] = (spl_real)value;
        }
        /* the process starts from its stationary law: draw "step 0" of a stream of its
         * own */
        for (size_t first = 0; first < network->stride && network->eta != NULL;
             first += SPL_TILE) {
            network->rng->normals(network->seed, SPL_STREAM_ETA + (uint32_t)s, 0, 1,
                (uint32_t)first, SPL_TILE, network->eta + s * network->stride + first,
                SPL_TILE);
        }
    }
    spl_network_start(network);
}

/* Which nodes send what they are mixed with something else, [n_nodes] in *out, the
 * caller's; NULL without subnetworks. */
static spl_status find_mixing(const spl_network *network, bool **out)
{
    if (network->n_hosts == 0) {
        return SPL_OK;
    }
    *out = calloc(network->n_nodes, sizeof **out);
    if (*out == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: %zu nodes", network->n_nodes);
    }
    for (size_t h = 0; h < network->n_hosts; h++) {
        const spl_host *host = &network->hosts[h];
        (*out)[host->node] = host->interface->mode == SPL_MODE_ATTACH;
    }
    return SPL_OK;
}

/* A plan of the network's own, or that of another. */
static spl_status take_plan(spl_network *network, const spl_settings *settings,
    const spl_connectome *connectome, const spl_network *like)
{
    spl_status status = SPL_OK;
    spl_edges edges;
    bool *mixes = NULL;
    spl_delay_rule rule = {
        .dt = settings->dt,
        .speed = settings->speed,
        .one_delay = settings->one_delay,
        .delay = settings->delay,
        .frozen = settings->frozen,
    };
    if (like != NULL) {
        network->plan = like->plan;
        network->shares_plan = true;
        network->threads = like->threads;
        network->together = like->together;
        return SPL_OK;
    }
    spl_connectome_edges(connectome, &edges);
    SPL_TRY(find_mixing(network, &mixes));
    rule.mixes = mixes;
    SPL_TRY(spl_plan_create(&network->plan, network->n_nodes, &edges, &rule));
    network->plan->stepwise = network->feeds_back;
    SPL_TRY(choose_block(network, settings));
out:
    free(mixes);
    return status;
}

spl_status spl_network_assemble(spl_network *network, spl_arena *arena,
    const spl_settings *settings, const spl_connectome *connectome, const bool *record,
    const spl_network *like)
{
    spl_status status = SPL_OK;
    network->n_nodes = settings->n_nodes;
    network->stride = spl_padded(settings->n_nodes);
    network->seed = settings->seed;
    network->reference = settings->reference;
    network->divergence_limit = settings->divergence_limit;
    SPL_TRY(choose_kernels(network, settings));
    SPL_TRY(spl_hosts_create(network, settings));
    SPL_TRY(take_plan(network, settings, connectome, like));
    network->run.n_params = settings->model->n_params + network->model->n_derived;
    choose_record(network, record);
    choose_noise(network, settings);
    const bool dense = like == NULL && choose_dense(network, settings);
    network->n_rows = choose_rows(network, settings);
    network->n_steps_in_pieces = choose_steps_in_pieces(network, settings);
    network->n_steps_in_f4 = choose_steps_in_f4(network);

    layout(network, arena, settings, dense);
    SPL_TRY(spl_arena_commit(arena));
    layout(network, arena, settings, dense);

    network->run.stride = network->stride;
    network->run.dt = settings->dt;
    network->run.frozen = settings->frozen;
    network->run.coupling = &network->coupling;
    fill_params(network, settings);
    choose_gates(network);
    fill_coupling(network, settings);
    spl_hosts_settle(network);
    fill_noise(network, settings);
    if (dense) {
        fill_matrix(network);
    } else if (like != NULL) {
        network->matrix = like->matrix;
    }
    spl_network_reset(network, settings);
out:
    return status;
}

void spl_network_release(spl_network *network, spl_arena *arena)
{
    if (!network->shares_plan) {
        spl_plan_free(network->plan);
    }
    spl_hosts_release(network);
    spl_arena_deinit(arena);
    *network = (spl_network){0};
}
