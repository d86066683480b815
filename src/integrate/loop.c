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
    size_t n_kept;  /* steps before it that the monitors have not seen yet */
    bool show;      /* they see these steps and the block at its end */
    bool stop;
    _Atomic bool suspicious; /* some state left the bounds in the running block */
} loop_state;

/* Next run of neighbouring tiles from plan->tile[*at] on, before `end`, as nodes
 * [*first, *last) below `limit`; false after the last. */
static bool next_nodes(const spl_plan *plan, size_t limit, size_t *at, size_t end,
    size_t *first, size_t *last)
{
    const uint32_t *tile = plan->tile;
    size_t next = *at;
    if (next >= end) {
        return false;
    }
    for (next++; next < end && tile[next] == tile[next - 1] + 1; next++) {
    }
    *first = (size_t)tile[*at] * SPL_TILE;
    *last = *first + (next - *at) * SPL_TILE;
    *first = *first < limit ? *first : limit;
    *last = *last < limit ? *last : limit;
    *at = next;
    return true;
}

/* Copy what lies at the tiles plan->tile[begin .. end). */
static void copy_tiles(const spl_network *network, size_t begin, size_t end, spl_real *to,
    const spl_real *from)
{
    size_t first;
    size_t last;
    while (next_nodes(network->plan, network->stride, &begin, end, &first, &last)) {
        for (size_t s = 0; s < network->n_states; s++) {
            const size_t place = s * network->stride + first;
            memcpy(to + place, from + place, (last - first) * sizeof *to);
        }
    }
}

/* Before a block. The states of free tiles, and sums of them, are saved by their kernel,
 * which has them at hand. */
static void save_states(spl_network *network, const spl_worker *worker)
{
    const size_t n_tied = network->plan->unit_start[network->plan->n_tied];
    const bool all = network->reference || network->together || worker->end < n_tied;
    size_t begin = worker->begin;
    size_t first;
    size_t last;
    copy_tiles(
        network, begin, all ? worker->end : n_tied, network->backup, network->run.state);
    while (next_nodes(network->plan, network->stride, &begin, all ? worker->end : n_tied,
        &first, &last)) {
        spl_record_save(network, first, last);
    }
    if (network->eta != NULL) {
        copy_tiles(
            network, worker->begin, worker->end, network->eta_backup, network->eta);
    }
}

/* First state outside the bounds, node by node of a state. A NaN fails every comparison,
 * so the test is for being inside. */
static bool inside(const spl_network *network, spl_divergence *where)
{
    for (size_t s = 0; s < network->n_states; s++) {
        const spl_real *state = network->run.state + s * network->stride;
        for (size_t i = 0; i < network->n_nodes; i++) {
            if (!(fabs((double)state[i]) <= network->divergence_limit) &&
                spl_is_integrated(network, i)) {
                where->state = s;
                where->node = i;
                where->value = (double)state[i];
                return false;
            }
        }
    }
    return true;
}

/* Tiles that go through a block, and then to the monitors while their rows are in the
 * nearest cache: a tied unit, a few free tiles, one with hosts, or everything. Returns
 * the end of the group that begins at plan->tile[begin]. */
enum { FREE_TILES = 128 / SPL_TILE };
static size_t end_of_group(
    const spl_network *network, const spl_worker *worker, size_t begin, size_t *unit)
{
    const spl_plan *plan = network->plan;
    if (network->reference) {
        return worker->end;
    }
    if (*unit < plan->n_tied) {
        return plan->unit_start[++*unit];
    }
    size_t end = begin + 1;
    while (end < worker->end && end < begin + FREE_TILES &&
           !spl_has_hosts(network, plan->tile[begin]) &&
           !spl_has_hosts(network, plan->tile[end])) {
        end++;
    }
    return end;
}

/* Whether plan->tile[at] is a free tile with hosts, which goes through a block in three
 * pieces. */
static bool is_hosted(const spl_network *network, size_t at)
{
    const spl_plan *plan = network->plan;
    return !network->reference && at >= plan->unit_start[plan->n_tied] &&
           spl_has_hosts(network, plan->tile[at]);
}

/* Returns whether the states of the group stayed inside at every step. */
static bool advance_group(spl_network *network, const spl_worker *worker, size_t begin,
    size_t end, size_t n_steps)
{
    const spl_plan *plan = network->plan;
    bool all_inside = true;
    if (network->reference) {
        spl_divergence nowhere;
        spl_advance_reference(network, n_steps);
        return inside(network, &nowhere);
    }
    if (begin < plan->unit_start[plan->n_tied]) {
        return spl_advance_tied(
            network, worker, plan->tile + begin, end - begin, n_steps);
    }
    for (size_t t = begin; t < end; t++) {
        all_inside = spl_advance_block(network, worker->scratch,
                         (size_t)plan->tile[t] * SPL_TILE, n_steps) &&
                     all_inside;
    }
    return all_inside;
}

static spl_samples samples_of(const loop_state *team)
{
    return spl_record_samples(team->network, team->n_kept + team->n_steps);
}

/* Show the tiles plan->tile[begin .. end) to the hooks. */
static void observe(const loop_state *team, size_t begin, size_t end)
{
    const spl_network *network = team->network;
    const spl_samples samples = samples_of(team);
    size_t first;
    size_t last;
    if (samples.n_steps == 0 || network->rows == NULL) {
        return;
    }
    while (next_nodes(network->plan, network->n_nodes, &begin, end, &first, &last)) {
        if (first == last) {
            continue;
        }
        spl_record_widen(network, samples.n_steps, first, last);
        if (team->hooks->observe != NULL) {
            team->hooks->observe(team->hooks->user, &samples, first, last);
        }
    }
}

/* Tiles that are lost are observed later, when it is known how far they were good. */
static void end_group(loop_state *team, size_t begin, size_t end, bool good)
{
    memset(team->network->lost + begin, !good, end - begin);
    if (good) {
        observe(team, begin, end);
    }
}

/* Subnetworks of free tiles between their nodes and what these send. */
static bool advance_hosted(loop_state *team, const spl_worker *worker, bool show)
{
    spl_network *network = team->network;
    bool all_inside = true;
    spl_barrier_wait(worker->barrier);
    spl_host_share(network, 0, team->n_steps, &worker->member);
    spl_advance_unhosted(network, team->n_steps, &worker->member);
    spl_barrier_wait(worker->barrier);
    for (size_t t = worker->begin; t < worker->end; t++) {
        if (is_hosted(network, t)) {
            const size_t first = (size_t)network->plan->tile[t] * SPL_TILE;
            const bool good = spl_finish_hosted(network, first, team->n_steps);
            all_inside = all_inside && good;
            if (show) {
                end_group(team, t, t + 1, good);
            }
        }
    }
    return all_inside;
}

/* The worker's part of a block; false if a state left the bounds. */
static bool advance(loop_state *team, const spl_worker *worker, bool show)
{
    spl_network *network = team->network;
    bool all_inside = true;
    size_t unit = worker->first_unit;
    if (network->together) {
        /* also who has no tile waits with the others, and has a share of the hosts */
        all_inside =
            spl_advance_tied(network, worker, network->plan->tile + worker->begin,
                worker->end - worker->begin, team->n_steps);
        if (show) {
            end_group(team, worker->begin, worker->end, all_inside);
        }
        spl_advance_unhosted(network, team->n_steps, &worker->member);
        return all_inside;
    }
    for (size_t begin = worker->begin; begin < worker->end;) {
        const size_t end = end_of_group(network, worker, begin, &unit);
        if (is_hosted(network, begin)) {
            spl_begin_hosted(
                network, (size_t)network->plan->tile[begin] * SPL_TILE, team->n_steps);
        } else {
            const bool good = advance_group(network, worker, begin, end, team->n_steps);
            all_inside = all_inside && good;
            if (show) {
                end_group(team, begin, end, good);
            }
        }
        begin = end;
    }
    if (network->n_jobs > 0 && !network->reference) {
        all_inside = advance_hosted(team, worker, show) && all_inside;
    }
    return all_inside;
}

/* Short blocks are not worth the monitors' while each: they see several at a time, as
 * long as there is space for another one. */
static void plan_block(loop_state *team)
{
    spl_network *network = team->network;
    const uint64_t left = team->end - network->step;
    const size_t block = network->reference ? 1 : network->plan->block;
    team->n_steps = left < block ? (size_t)left : block;
    if (team->n_kept == 0 && !team->stop) {
        spl_record_begin(network, team->hooks, left);
    }
    team->show = !team->hooks->collect || left <= block ||
                 team->n_kept + team->n_steps + block > network->most_kept;
    spl_record_behind(network, team->n_kept);
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
        .member = {.count = 1, .barrier = alone},
    };
}

/* Repeat the block step by step from its start until the step that leaves the bounds is
 * found. The samples and states written again are the same, so the rows before it are
 * still right. Returns the number of good steps. */
static size_t replay(loop_state *team)
{
    spl_network *network = team->network;
    const size_t n_steps = team->n_steps;
    const uint64_t start = network->step;
    const size_t bytes = network->n_states * network->stride * sizeof(spl_real);
    spl_barrier alone;
    const spl_worker worker = everything(network, &alone);
    memcpy(network->run.state, network->backup, bytes);
    if (network->eta != NULL) {
        memcpy(network->eta, network->eta_backup, bytes);
    }
    spl_network_carry(network);
    network->knows_gates = false;
    network->replaying = true;
    team->n_steps = 1;
    spl_record_repeat(network);
    while (network->step < start + n_steps) {
        spl_record_behind(network, team->n_kept + (size_t)(network->step - start));
        if (!advance(team, &worker, false)) {
            break;
        }
        network->step++;
    }
    const size_t good = (size_t)(network->step - start);
    spl_record_behind(network, team->n_kept);
    network->step = start;
    network->replaying = false;
    return good;
}

/* What a unit costs, in free tiles; a subnetwork of a free tile is not dealt with it. A
 * tied tile, which goes stage by stage, costs as much as 1.8 (998 nodes, AVX-512). */
static double weight_of(const spl_network *network, size_t unit)
{
    static const double tile_ns = 11.0 * SPL_TILE;
    static const double tied_tile = 1.8;
    const spl_plan *plan = network->plan;
    double weight = (double)(plan->unit_start[unit + 1] - plan->unit_start[unit]) *
                    (unit < plan->n_tied ? tied_tile : 1.0);
    for (size_t t = plan->unit_start[unit];
         unit < plan->n_tied && t < plan->unit_start[unit + 1]; t++) {
        for (size_t h = 0; spl_has_hosts(network, plan->tile[t]) &&
                           h < network->first_host[plan->tile[t] + 1] -
                                   network->first_host[plan->tile[t]];
             h++) {
            weight +=
                network->hosts[network->first_host[plan->tile[t]] + h].job->cost_ns /
                tile_ns;
        }
    }
    return weight;
}

/* Units of thread `index` of `count`: each takes its share of the work that is left, in
 * whole units; half a unit is left to the others, for the first thread has the monitors.
 */
static void deal_units(
    const spl_network *network, size_t index, size_t count, spl_worker *mine)
{
    const spl_plan *plan = network->plan;
    double left = 0.0;
    for (size_t unit = 0; unit < plan->n_units; unit++) {
        left += weight_of(network, unit);
    }
    size_t unit = 0;
    for (size_t t = 0; t <= index; t++) {
        const double share = left / (double)(count - t);
        double taken = 0.0;
        mine->first_unit = unit;
        for (; unit < plan->n_units; unit++) {
            const double weight = weight_of(network, unit);
            if (t + 1 < count && taken + weight / 2 >= share) {
                break;
            }
            taken += weight;
        }
        left -= taken;
        mine->end_unit = unit;
    }
    mine->begin = plan->unit_start[mine->first_unit];
    mine->end = plan->unit_start[mine->end_unit];
}

static spl_worker deal(loop_state *team, size_t index)
{
    spl_network *network = team->network;
    spl_worker worker = {
        .index = (int)index,
        .scratch = &network->scratch[index],
        .barrier = &team->barrier,
        .member = {index, team->barrier.team, &team->barrier},
    };
    if (network->together) {
        const size_t n_tiles = network->stride / SPL_TILE;
        worker.begin = index * n_tiles / team->barrier.team;
        worker.end = (index + 1) * n_tiles / team->barrier.team;
    } else {
        deal_units(network, index, team->barrier.team, &worker);
    }
    return worker;
}

/* Cut the block off before the step that left the bounds. Tiles that stayed inside may
 * have been observed to its end; the rows up to there are right. */
static void find_divergence(loop_state *team)
{
    const size_t good = team->n_steps > 1 ? replay(team) : 0;
    inside(team->network, team->divergence);
    team->divergence->happened = true;
    team->divergence->step = team->network->step + good + 1;
    team->n_steps = good;
    team->stop = true;
    for (size_t t = 0; t < team->network->stride / SPL_TILE; t++) {
        if (!team->show || team->network->lost[t]) {
            observe(team, t, t + 1);
        }
    }
    team->show = true;
}

/* The block in which a subnetwork fails is lost. */
static void find_failure(loop_state *team)
{
    const spl_network *network = team->network;
    team->divergence->status = spl_jobs_status(network->jobs, network->n_jobs);
    if (team->divergence->status != SPL_OK) {
        team->n_steps = 0;
        team->stop = true;
    }
}

/* By the calling thread after every block, while the others wait. */
static void between_blocks(void *user)
{
    loop_state *team = user;
    spl_network *network = team->network;
    if (team->suspicious) {
        find_divergence(team);
    } else {
        find_failure(team);
    }
    const spl_samples samples = samples_of(team);
    if (team->show && team->hooks->finish != NULL &&
        !team->hooks->finish(team->hooks->user, &samples)) {
        team->stop = true;
    }
    network->step += team->n_steps;
    /* a host has changed the state of its node since */
    network->knows_gates = network->n_hosts == 0;
    team->n_kept = team->show ? 0 : samples.n_steps;
    team->stop = team->stop || network->step == team->end;
    plan_block(team);
}

static void work(loop_state *team, size_t index)
{
    const spl_worker worker = deal(team, index);
    while (!team->stop) {
        save_states(team->network, &worker);
        if (!advance(team, &worker, team->show)) {
            team->suspicious = true;
        }
        spl_barrier_meet(worker.barrier, worker.index, between_blocks, team);
    }
}

/* A call of one network; finish with a team. */
static loop_state begin(spl_network *network, uint64_t n_steps,
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
    network->knows_gates = false;
    plan_block(&team);
    return team;
}

static void fetch(const void *first, size_t bytes)
{
    enum { LINE = 64 };
    for (size_t at = 0; at < bytes; at += LINE) {
        __builtin_prefetch((const char *)first + at);
    }
}

/* What the cache of a core holds is fetched in order, before it is asked for here and
 * there: other networks may have had the core meanwhile. Of an ensemble whose members
 * take turns of 1024 steps a hundredth of the time or two. */
static void fetch_network(const spl_network *network, uint64_t n_steps)
{
    enum { MOST_BYTES = 1 << 20 };
    const spl_plan *plan = network->plan;
    const size_t bytes = sizeof(spl_real);
    const size_t history = network->n_channels * network->n_nodes * plan->pitch * bytes;
    if (n_steps < plan->ring || history > MOST_BYTES) {
        return;
    }
    fetch(network->history, history);
    fetch(plan->source, plan->n_edges * sizeof *plan->source);
    fetch(plan->delay, plan->n_edges * sizeof *plan->delay);
    fetch(plan->weight, plan->n_edges * sizeof *plan->weight);
    fetch(network->run.params, network->run.n_params * network->stride * bytes);
    if (network->windows.sums != NULL) {
        fetch(network->windows.sums,
            network->n_channels * network->stride * SPL_WINDOW * bytes);
    }
}

void spl_network_advance(spl_network *network, uint64_t n_steps,
    const spl_block_hooks *hooks, spl_divergence *divergence)
{
    loop_state team = begin(network, n_steps, hooks, divergence);
    /* clang's runtime allocates for a region even of one thread */
    if (network->reference || network->threads == 1) {
        team.barrier.team = 1;
        spl_jobs_deal(network->jobs, network->n_jobs, network->host_load, 1);
        fetch_network(network, n_steps);
        work(&team, 0);
        return;
    }
#pragma omp parallel num_threads(network->threads)
    {
#pragma omp single
        {
            team.barrier.team = (unsigned)omp_get_num_threads();
            spl_jobs_deal(
                network->jobs, network->n_jobs, network->host_load, team.barrier.team);
        }
        work(&team, (size_t)omp_get_thread_num());
    }
}

/* One block of the first n networks, which all go on by the same steps. */
static void advance_together(loop_state **teams, size_t n, const spl_batch *batch)
{
    spl_network *networks[SPL_MAX_BATCH];
    bool inside_all[SPL_MAX_BATCH];
    for (size_t r = 0; r < n; r++) {
        const spl_worker worker = deal(teams[r], 0);
        networks[r] = teams[r]->network;
        save_states(networks[r], &worker);
    }
    spl_advance_batch(networks, n, batch, teams[0]->n_steps, inside_all);
    for (size_t r = 0; r < n; r++) {
        const size_t n_tiles = networks[r]->stride / SPL_TILE;
        memset(networks[r]->lost, !inside_all[r], n_tiles);
        teams[r]->suspicious = !inside_all[r];
        if (inside_all[r] && teams[r]->show) {
            observe(teams[r], 0, n_tiles);
        }
        between_blocks(teams[r]);
    }
}

void spl_network_advance_batch(spl_network *const *networks, size_t n, spl_batch *batch,
    uint64_t n_steps, const spl_block_hooks *hooks, spl_divergence *divergence)
{
    loop_state all[SPL_MAX_BATCH];
    loop_state *running[SPL_MAX_BATCH];
    size_t n_running = 0;
    for (size_t r = 0; r < n; r++) {
        all[r] =
            begin(networks[r], n_steps, hooks != NULL ? &hooks[r] : NULL, &divergence[r]);
        all[r].barrier.team = 1;
        running[n_running++] = &all[r];
    }
    while (n_running > 0) {
        if (!running[0]->stop) {
            advance_together(running, n_running, batch);
        }
        size_t left = 0;
        for (size_t r = 0; r < n_running; r++) {
            if (!running[r]->stop) {
                running[left++] = running[r];
            }
        }
        n_running = left;
    }
}

/* The history is another: what was summed of it is not known any more. */
static void forget(const spl_network *network, const spl_windows *windows)
{
    const size_t n_tiles = network->stride / SPL_TILE;
    for (size_t t = 0; t < network->n_channels * n_tiles && windows->sums != NULL; t++) {
        windows->first[t] = INT64_MIN;
    }
}

void spl_network_carry(spl_network *network)
{
    const spl_plan *plan = network->plan;
    const int64_t k = (int64_t)network->step;
    const spl_sum_edges delayed = {.begin = plan->start, .end = plan->undelayed};
    forget(network, &network->windows);
    forget(network, &network->half_windows);
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        const spl_real *history = spl_channel(network, network->history, channel);
        spl_real *carry = network->carry + channel * network->stride;
        spl_real *present = network->present[0] + channel * network->stride;
        for (size_t i = 0; i < network->n_nodes; i++) {
            present[i] = history[i * plan->pitch + spl_plan_slot(plan, k)];
        }
        for (size_t first = 0; first < network->stride; first += SPL_TILE) {
            network->sum->delayed(
                plan, &delayed, history, k, 1, first, carry + first, SPL_TILE);
        }
        network->sum->undelayed(plan, present, 0, network->stride, carry);
    }
}

/* What the hosts of a tile send at the start and before. */
static void mix_tile(spl_network *network, size_t first, spl_real *sent)
{
    const size_t tile = first / SPL_TILE;
    for (size_t h = 0; spl_has_hosts(network, tile) &&
                       h < network->first_host[tile + 1] - network->first_host[tile];
         h++) {
        spl_host *host = &network->hosts[network->first_host[tile] + h];
        spl_real *sample = &sent[host->node - first];
        *sample = spl_host_mix(network, host, 0, *sample, false);
    }
}

void spl_network_start(spl_network *network)
{
    const size_t n_channels = network->n_channels;
    spl_real *zero = network->scratch->sums;
    network->step = 0;
    memset(zero, 0, n_channels * SPL_TILE * sizeof *zero);
    for (size_t j = 0; j < network->n_jobs; j++) {
        network->jobs[j].status = SPL_OK;
    }
    for (size_t h = 0; h < network->n_hosts; h++) {
        network->hosts[h].clips = 0;
        spl_host_begin(network, &network->hosts[h], 0);
        spl_host_rest(network, &network->hosts[h], 0);
    }
    for (size_t first = 0; first < network->stride; first += SPL_TILE) {
        spl_real *sent = network->scratch->sent;
        network->model->present(&network->run, first, zero, sent, NULL);
        mix_tile(network, first, sent);
        for (size_t channel = 0; channel < n_channels; channel++) {
            for (size_t lane = 0; lane < SPL_TILE; lane++) {
                const spl_real sample = sent[channel * SPL_TILE + lane];
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
