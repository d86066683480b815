/* The loop over blocks: one parallel region per call, whole tiles dealt to threads,
 * barriers in between. Results depend on neither the number of threads nor the length of
 * the blocks. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "integrate/internal.h"

/* Rows of one BLAS panel stay with one thread. */
enum { PANEL_TILES = 4 };

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

static void save_states(spl_network *network, size_t begin, size_t end)
{
    for (size_t s = 0; s < network->n_states; s++) {
        const size_t at = s * network->stride + begin;
        memcpy(network->backup + at, network->run.state + at,
            (end - begin) * sizeof(spl_real));
        if (network->eta != NULL) {
            memcpy(network->eta_backup + at, network->eta + at,
                (end - begin) * sizeof(spl_real));
        }
    }
}

/* A NaN fails every comparison, so the test is for being inside. */
static bool inside(
    const spl_network *network, size_t begin, size_t end, spl_divergence *where)
{
    const size_t last = end < network->n_nodes ? end : network->n_nodes;
    for (size_t s = 0; s < network->n_states; s++) {
        const spl_real *state = network->run.state + s * network->stride;
        for (size_t i = begin; i < last; i++) {
            if (!(fabs(state[i]) <= network->divergence_limit)) {
                if (where != NULL) {
                    where->state = s;
                    where->node = i;
                    where->value = state[i];
                }
                return false;
            }
        }
    }
    return true;
}

/* Returns whether the worker's states stayed inside at every step. */
static bool advance(spl_network *network, const spl_worker *worker, size_t n_steps)
{
    if (network->reference) {
        spl_advance_reference(network, n_steps);
    } else if (network->plan->n_undelayed > 0) {
        spl_advance_lockstep(network, worker, n_steps);
    } else {
        return spl_advance_block(network, worker, n_steps);
    }
    return inside(network, worker->begin, worker->end, NULL);
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

/* Repeat the block step by step from its start until the step that leaves the bounds is
 * found. The samples and states written again are the same, so the rows before it are
 * still right. One thread; carry was overwritten by the block and is summed again.
 * Returns the number of good steps. */
static size_t replay(loop_state *team)
{
    spl_network *network = team->network;
    const uint64_t start = network->step;
    const size_t bytes = network->n_states * network->stride * sizeof(spl_real);
    const spl_worker worker = {.end = network->stride, .scratch = network->scratch};
    spl_real *record = network->record;
    memcpy(network->run.state, network->backup, bytes);
    if (network->eta != NULL) {
        memcpy(network->eta, network->eta_backup, bytes);
    }
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        for (size_t first = 0; first < network->stride; first += SPL_TILE) {
            network->sum->delayed(network->plan,
                spl_channel(network, network->history, channel), (int64_t)start, 1, first,
                network->carry + channel * network->stride + first, SPL_TILE);
        }
    }
    size_t good = 0;
    for (; good < team->n_steps; good++) {
        if (record != NULL) {
            network->record = record + good * network->run.n_slots * network->stride;
        }
        if (!spl_advance_block(network, &worker, 1)) {
            break;
        }
        network->step++;
    }
    network->record = record;
    network->step = start;
    return good;
}

static void find_divergence(loop_state *team)
{
    /* other engines take blocks of one step: it is this one */
    const size_t good = team->n_steps > 1 ? replay(team) : 0;
    inside(team->network, 0, team->network->stride, team->divergence);
    team->divergence->happened = true;
    team->divergence->step = team->network->step + good + 1;
    team->n_steps = good;
    team->stop = true;
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

/* After a block: let the hooks see it. Every thread comes here. */
static void show_block(loop_state *team, const spl_worker *worker)
{
    spl_network *network = team->network;
    const spl_samples samples = samples_of(network, team->n_steps);
    const size_t end = worker->end < network->n_nodes ? worker->end : network->n_nodes;
    if (team->n_steps > 0 && network->record != NULL && worker->begin < end) {
        show_columns(network, team->n_steps, worker->begin, end);
        if (team->hooks->observe != NULL) {
            team->hooks->observe(team->hooks->user, &samples, worker->begin, end);
        }
    }
    spl_barrier_wait(worker->barrier);
    if (worker->index == 0) {
        if (team->hooks->finish != NULL &&
            !team->hooks->finish(team->hooks->user, &samples)) {
            team->stop = true;
        }
        network->step += team->n_steps;
    }
}

static void choose_block(loop_state *team)
{
    const uint64_t left = team->end - team->network->step;
    const bool single = team->network->reference || team->network->plan->n_undelayed > 0;
    const size_t block = single ? 1 : team->network->plan->block;
    team->n_steps = left < block ? (size_t)left : block;
    team->stop = team->stop || left == 0;
}

static void work(loop_state *team, const spl_worker *worker)
{
    spl_network *network = team->network;
    for (;;) {
        if (worker->index == 0) {
            choose_block(team);
        }
        spl_barrier_wait(worker->barrier);
        if (team->stop) {
            return;
        }
        save_states(network, worker->begin, worker->end);
        if (!advance(network, worker, team->n_steps)) {
            team->suspicious = true;
        }
        spl_barrier_wait(worker->barrier);
        if (team->suspicious && worker->index == 0) {
            find_divergence(team);
        }
        if (team->suspicious) {
            spl_barrier_wait(worker->barrier);
        }
        show_block(team, worker);
    }
}

/* One thread of a team of `count`: whole units, so that a panel has one owner. */
static void join(loop_state *team, size_t index, size_t count)
{
    spl_network *network = team->network;
    const size_t unit = SPL_TILE * (network->matrix != NULL ? PANEL_TILES : 1);
    const size_t n_units = (network->stride + unit - 1) / unit;
    spl_worker worker = {
        .index = (int)index,
        .begin = index * n_units / count * unit,
        .end = (index + 1) * n_units / count * unit,
        .scratch = &network->scratch[index],
        .barrier = &team->barrier,
    };
    if (worker.end > network->stride) {
        worker.end = network->stride;
    }
    work(team, &worker);
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
    };
    *divergence = (spl_divergence){0};
    /* clang's runtime allocates for a region even of one thread */
    if (network->reference || network->threads == 1) {
        team.barrier.team = 1;
        join(&team, 0, 1);
        return;
    }
#pragma omp parallel num_threads(network->threads)
    {
#pragma omp single
        team.barrier.team = omp_get_num_threads();
        join(&team, (size_t)omp_get_thread_num(), (size_t)team.barrier.team);
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
                network->present[0][channel * network->stride + first + lane] = sample;
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
    for (size_t channel = 0; channel < n_channels; channel++) {
        spl_real *carry = network->carry + channel * network->stride;
        const spl_real *present = network->present[0] + channel * network->stride;
        for (size_t first = 0; first < network->stride; first += SPL_TILE) {
            network->sum->delayed(network->plan,
                spl_channel(network, network->history, channel), 0, 1, first,
                carry + first, SPL_TILE);
        }
        if (network->matrix != NULL) {
            spl_sum_dense(
                network->plan, network->matrix, present, 0, network->stride, carry);
        } else {
            network->sum->undelayed(network->plan, present, 0, network->stride, carry);
        }
    }
}
