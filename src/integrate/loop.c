/* The loop over blocks: one parallel region per call, whole units dealt to threads, one
 * barrier per block. Results depend on neither the number of threads nor the length of
 * the blocks. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "integrate/internal.h"

typedef struct {
    spl_network *network;
    const spl_block_hooks *hooks;
    spl_divergence *divergence;
    spl_barrier barrier;
    uint64_t end;   /* last step of this call */
    size_t n_steps; /* of the running block */
    bool stop;
    _Atomic bool suspicious; /* some state left the bounds in the running block */
} loop_state;

bool spl_worker_nodes(const spl_network *network, const spl_worker *worker, size_t limit,
    size_t *at, size_t *first, size_t *last)
{
    const uint32_t *tile = network->plan->tile;
    size_t next = *at;
    if (next >= worker->end) {
        return false;
    }
    for (next++; next < worker->end && tile[next] == tile[next - 1] + 1; next++) {
    }
    *first = (size_t)tile[*at] * SPL_TILE;
    *last = *first + (next - *at) * SPL_TILE;
    *first = *first < limit ? *first : limit;
    *last = *last < limit ? *last : limit;
    *at = next;
    return true;
}

static void save_states(spl_network *network, const spl_worker *worker)
{
    size_t at = worker->begin;
    size_t first;
    size_t last;
    while (spl_worker_nodes(network, worker, network->stride, &at, &first, &last)) {
        const size_t bytes = (last - first) * sizeof(spl_real);
        for (size_t s = 0; s < network->n_states; s++) {
            const size_t place = s * network->stride + first;
            memcpy(network->backup + place, network->run.state + place, bytes);
            if (network->eta != NULL) {
                memcpy(network->eta_backup + place, network->eta + place, bytes);
            }
        }
    }
}

/* First state outside the bounds, node by node of a state. A NaN fails every comparison,
 * so the test is for being inside. */
static bool inside(const spl_network *network, spl_divergence *where)
{
    for (size_t s = 0; s < network->n_states; s++) {
        const spl_real *state = network->run.state + s * network->stride;
        for (size_t i = 0; i < network->n_nodes; i++) {
            if (!(fabs((double)state[i]) <= network->divergence_limit)) {
                where->state = s;
                where->node = i;
                where->value = (double)state[i];
                return false;
            }
        }
    }
    return true;
}

/* Returns whether the worker's states stayed inside at every step. */
static bool advance(spl_network *network, const spl_worker *worker, size_t n_steps)
{
    const spl_plan *plan = network->plan;
    bool all_inside = true;
    if (network->reference) {
        spl_divergence nowhere;
        spl_advance_reference(network, n_steps);
        return inside(network, &nowhere);
    }
    if (network->together) {
        return spl_advance_tied(network, worker, plan->tile + worker->begin,
            worker->end - worker->begin, n_steps);
    }
    for (size_t u = worker->first_unit; u < worker->end_unit; u++) {
        const uint32_t *tiles = plan->tile + plan->unit_start[u];
        if (u < plan->n_tied) {
            const size_t n_tiles = plan->unit_start[u + 1] - plan->unit_start[u];
            all_inside =
                spl_advance_tied(network, worker, tiles, n_tiles, n_steps) && all_inside;
        } else {
            all_inside = spl_advance_block(network, worker->scratch,
                             (size_t)*tiles * SPL_TILE, n_steps) &&
                         all_inside;
        }
    }
    return all_inside;
}

static spl_samples samples_of(const spl_network *network, size_t n_steps)
{
    return (spl_samples){
        .first_step = network->step + 1,
        .n_steps = n_steps,
        .n_variables = network->run.n_slots,
        .stride = network->stride,
        .values = network->shown,
    };
}

/* Monitors take doubles. */
static void show_columns(
    const spl_network *network, size_t n_steps, size_t begin, size_t end)
{
    const size_t n_rows = n_steps * network->run.n_slots;
    if ((const void *)network->shown == (const void *)network->record) {
        return;
    }
    for (size_t row = 0; row < n_rows; row++) {
        for (size_t i = begin; i < end; i++) {
            network->shown[row * network->stride + i] =
                (double)network->record[row * network->stride + i];
        }
    }
}

/* Show the worker's part of the block to the hooks. */
static void observe(const loop_state *team, const spl_worker *worker)
{
    const spl_network *network = team->network;
    const spl_samples samples = samples_of(network, team->n_steps);
    size_t at = worker->begin;
    size_t first;
    size_t last;
    if (team->n_steps == 0 || network->record == NULL) {
        return;
    }
    while (spl_worker_nodes(network, worker, network->n_nodes, &at, &first, &last)) {
        if (first == last) {
            continue;
        }
        show_columns(network, team->n_steps, first, last);
        if (team->hooks->observe != NULL) {
            team->hooks->observe(team->hooks->user, &samples, first, last);
        }
    }
}

static void plan_block(loop_state *team)
{
    const uint64_t left = team->end - team->network->step;
    const size_t block = team->network->reference ? 1 : team->network->plan->block;
    team->n_steps = left < block ? (size_t)left : block;
}

/* Everything, for one thread. */
static spl_worker everything(spl_network *network, spl_barrier *alone)
{
    *alone = (spl_barrier){.team = 1};
    return (spl_worker){
        .end_unit = network->plan->n_units,
        .end = network->stride / SPL_TILE,
        .scratch = network->scratch,
        .barrier = alone,
    };
}

/* Repeat the block step by step from its start until the step that leaves the bounds is
 * found. The samples and states written again are the same, so the rows before it are
 * still right. Returns the number of good steps. */
static size_t replay(loop_state *team)
{
    spl_network *network = team->network;
    const uint64_t start = network->step;
    const size_t bytes = network->n_states * network->stride * sizeof(spl_real);
    spl_barrier alone;
    const spl_worker worker = everything(network, &alone);
    spl_real *record = network->record;
    memcpy(network->run.state, network->backup, bytes);
    if (network->eta != NULL) {
        memcpy(network->eta, network->eta_backup, bytes);
    }
    spl_network_carry(network);
    size_t good = 0;
    for (; good < team->n_steps; good++) {
        if (record != NULL) {
            network->record = record + good * network->run.n_slots * network->stride;
        }
        if (!advance(network, &worker, 1)) {
            break;
        }
        network->step++;
    }
    network->record = record;
    network->step = start;
    return good;
}

/* Units of thread `index` of `count`: each takes its share of the tiles that are left, in
 * whole units. */
static void deal_units(const spl_plan *plan, size_t index, size_t count, spl_worker *mine)
{
    const size_t n_tiles = plan->stride / SPL_TILE;
    size_t unit = 0;
    for (size_t t = 0; t <= index; t++) {
        const size_t left = n_tiles - plan->unit_start[unit];
        const size_t end = plan->unit_start[unit] + (left + count - t - 1) / (count - t);
        mine->first_unit = unit;
        while (unit < plan->n_units && plan->unit_start[unit] < end) {
            unit++;
        }
        mine->end_unit = unit;
    }
    mine->begin = plan->unit_start[mine->first_unit];
    mine->end = plan->unit_start[mine->end_unit];
}

/* Tiles of the one unit that all share: whole panels of a dense product. */
static void deal_tiles(
    const spl_network *network, size_t index, size_t count, spl_worker *mine)
{
    const size_t n_tiles = network->stride / SPL_TILE;
    const size_t panel = network->matrix != NULL ? SPL_DENSE_TILES : 1;
    const size_t n_panels = (n_tiles + panel - 1) / panel;
    mine->begin = index * n_panels / count * panel;
    mine->end = (index + 1) * n_panels / count * panel;
    mine->end = mine->end < n_tiles ? mine->end : n_tiles;
}

static spl_worker deal(loop_state *team, size_t index)
{
    spl_network *network = team->network;
    spl_worker worker = {
        .index = (int)index,
        .scratch = &network->scratch[index],
        .barrier = &team->barrier,
    };
    if (network->together) {
        deal_tiles(network, index, team->barrier.team, &worker);
    } else {
        deal_units(network->plan, index, team->barrier.team, &worker);
    }
    return worker;
}

/* Cut the block off before the step that left the bounds. Threads whose own nodes stayed
 * inside have observed all of it; the rows up to there are right. */
static void find_divergence(loop_state *team)
{
    const size_t good = team->n_steps > 1 ? replay(team) : 0;
    inside(team->network, team->divergence);
    team->divergence->happened = true;
    team->divergence->step = team->network->step + good + 1;
    team->n_steps = good;
    team->stop = true;
    for (size_t t = 0; t < team->barrier.team; t++) {
        if (team->network->scratch[t].lost) {
            const spl_worker worker = deal(team, t);
            observe(team, &worker);
        }
    }
}

/* By the calling thread after every block, while the others wait. */
static void between_blocks(void *user)
{
    loop_state *team = user;
    spl_network *network = team->network;
    if (team->suspicious) {
        find_divergence(team);
    }
    const spl_samples samples = samples_of(network, team->n_steps);
    if (team->hooks->finish != NULL &&
        !team->hooks->finish(team->hooks->user, &samples)) {
        team->stop = true;
    }
    network->step += team->n_steps;
    team->stop = team->stop || network->step == team->end;
    plan_block(team);
}

static void work(loop_state *team, size_t index)
{
    const spl_worker worker = deal(team, index);
    while (!team->stop) {
        save_states(team->network, &worker);
        worker.scratch->lost = !advance(team->network, &worker, team->n_steps);
        if (worker.scratch->lost) {
            team->suspicious = true;
        } else {
            observe(team, &worker);
        }
        spl_barrier_meet(worker.barrier, worker.index, between_blocks, team);
    }
}

void spl_network_advance(spl_network *network, uint64_t n_steps,
    const spl_block_hooks *hooks, spl_divergence *divergence)
{
    static const spl_block_hooks none = {0};
    loop_state team = {
        .network = network,
        .hooks = hooks != NULL ? hooks : &none,
        .divergence = divergence,
        .end = network->step + n_steps,
        .stop = n_steps == 0,
    };
    *divergence = (spl_divergence){0};
    plan_block(&team);
    /* clang's runtime allocates for a region even of one thread */
    if (network->reference || network->threads == 1) {
        team.barrier.team = 1;
        work(&team, 0);
        return;
    }
#pragma omp parallel num_threads(network->threads)
    {
#pragma omp single
        team.barrier.team = (unsigned)omp_get_num_threads();
        work(&team, (size_t)omp_get_thread_num());
    }
}

void spl_network_carry(spl_network *network)
{
    const spl_plan *plan = network->plan;
    const int64_t k = (int64_t)network->step;
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        const spl_real *history = spl_channel(network, network->history, channel);
        spl_real *carry = network->carry + channel * network->stride;
        spl_real *present = network->present[0] + channel * network->stride;
        for (size_t i = 0; i < network->n_nodes; i++) {
            present[i] = history[i * plan->pitch + spl_plan_slot(plan, k)];
        }
        for (size_t first = 0; first < network->stride; first += SPL_TILE) {
            network->sum->delayed(
                plan, plan->undelayed, history, k, 1, first, carry + first, SPL_TILE);
        }
        if (network->matrix != NULL) {
            spl_sum_dense(plan, network->matrix, present, 0, network->stride, carry);
        } else {
            network->sum->undelayed(plan, present, 0, network->stride, carry);
        }
    }
}

void spl_network_start(spl_network *network)
{
    const size_t n_channels = network->n_channels;
    spl_real *zero = network->scratch->sums;
    network->step = 0;
    memset(zero, 0, n_channels * SPL_TILE * sizeof *zero);
    for (size_t first = 0; first < network->stride; first += SPL_TILE) {
        network->model->present(&network->run, first, zero, network->scratch->sent, NULL);
        for (size_t channel = 0; channel < n_channels; channel++) {
            for (size_t lane = 0; lane < SPL_TILE; lane++) {
                const spl_real sample = network->scratch->sent[channel * SPL_TILE + lane];
                if (first + lane >= network->n_nodes) {
                    continue;
                }
                const size_t at = (first + lane) * network->plan->pitch;
                for (size_t slot = 0; slot < network->plan->pitch; slot++) {
                    spl_channel(network, network->history, channel)[at + slot] = sample;
                    if (network->half_history != NULL) {
                        spl_channel(network, network->half_history, channel)[at + slot] =
                            sample;
                    }
                }
            }
        }
    }
    spl_network_carry(network);
}
