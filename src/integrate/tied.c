/* Tied tiles: nodes between which edges are shorter than the block advance step by step,
 * in lockstep. All longer edges are summed a block ahead as everywhere; to each step the
 * near ones are added in list order, so that a sum has the same bits as any other way.
 * Edges without delay tie the stages of a step too. A unit that one thread owns needs no
 * barrier; if all threads share one, they wait for each other after every stage that
 * others look at. */
#include <string.h>

#include "integrate/internal.h"

typedef struct {
    spl_network *network;
    const spl_worker *worker;
    const uint32_t *tiles;
    size_t n_tiles;
    size_t n_steps;
    size_t width; /* of a step in the arrays of a tile */
    bool noise;
    bool undelayed;         /* there are edges without delay */
    bool near;              /* there are near edges with delay */
    size_t now;             /* which of the two arrays `present` was shown last */
    const spl_batch *batch; /* of several networks, or NULL */
    size_t run;             /* this one among them */
} tied_unit;

static spl_scratch *scratch_of(const tied_unit *unit, size_t t)
{
    return &unit->network->tied[unit->tiles[t]];
}

static size_t first_of(const tied_unit *unit, size_t t)
{
    return (size_t)unit->tiles[t] * SPL_TILE;
}

static void wait_for_others(const tied_unit *unit)
{
    if (unit->network->together) {
        spl_barrier_wait(unit->worker->barrier);
    }
}

/* Place of a network's nodes in the arrays of the batch. */
static size_t place_in_batch(const tied_unit *unit, size_t channel)
{
    return (channel * SPL_MAX_BATCH + unit->run) * unit->network->stride;
}

/* The dense products of all networks of a batch, from what they show now. */
static void multiply(const tied_unit *units, size_t n)
{
    const spl_network *network = units->network;
    const spl_batch *batch = units->batch;
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        const size_t at = place_in_batch(units, channel);
        memset(batch->sums + at, 0, n * network->stride * sizeof *batch->sums);
        for (size_t first = 0; first < network->stride; first += SPL_TILE) {
            network->sum->dense(network->plan, network->matrix, first, n,
                batch->present + at, network->stride, batch->sums + at + first,
                network->stride);
        }
    }
}

/* Add the edges without delay to the sums of a tile, from what is shown now; in a batch
 * multiply() has formed them. */
static void add_undelayed(const tied_unit *unit, size_t t, spl_real *sums)
{
    const spl_network *network = unit->network;
    const size_t first = first_of(unit, t);
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        if (unit->batch != NULL) {
            const spl_real *formed =
                unit->batch->sums + place_in_batch(unit, channel) + first;
            for (size_t lane = 0; lane < SPL_TILE; lane++) {
                sums[channel * SPL_TILE + lane] += formed[lane];
            }
            continue;
        }
        const spl_real *present = network->present[unit->now] + channel * network->stride;
        spl_real *tile = sums + channel * SPL_TILE;
        if (network->matrix != NULL) {
            network->sum->dense(
                network->plan, network->matrix, first, 1, present, 0, tile, 0);
        } else {
            network->sum->undelayed(
                network->plan, present, first, first + SPL_TILE, tile);
        }
    }
}

/* Add the near edges with delay at step k0 + at of the history, or of that of half steps.
 */
static void add_near(const tied_unit *unit, size_t t, bool half, size_t at)
{
    const spl_network *network = unit->network;
    const spl_scratch *scratch = scratch_of(unit, t);
    spl_recent recent = {
        .k0 = (int64_t)network->step,
        .first = half ? 0 : 1,
        .step = unit->width,
        .sent = half ? network->tied_sent_half : network->tied_sent,
    };
    spl_real *history = half ? network->half_history : network->history;
    spl_real *sums = (half ? scratch->half : scratch->sums) + at * unit->width;
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        recent.channel = channel;
        network->sum->near(network->plan, spl_channel(network, history, channel), &recent,
            (int64_t)at, first_of(unit, t), sums + channel * SPL_TILE);
    }
}

/* Hosts of a tile of the unit are [*begin, *end); none if the network has none. */
static void hosts_of(const tied_unit *unit, size_t t, size_t *begin, size_t *end)
{
    const spl_network *network = unit->network;
    *begin = 0;
    *end = 0;
    if (spl_has_hosts(network, unit->tiles[t])) {
        *begin = network->first_host[unit->tiles[t]];
        *end = network->first_host[unit->tiles[t] + 1];
    }
}

/* What local terms of a host take at the stage state whose observable is x. */
static void put_local(
    const tied_unit *unit, size_t t, spl_host *host, size_t step, spl_real x)
{
    if (host->interface->local_feedback) {
        spl_real *local = scratch_of(unit, t)->local + host->node % SPL_TILE;
        spl_host_local(unit->network, host, step, x, local, local + SPL_TILE);
    }
}

static void begin_hosts(const tied_unit *unit, size_t t)
{
    size_t h;
    size_t end;
    for (hosts_of(unit, t, &h, &end); h < end; h++) {
        spl_host *host = &unit->network->hosts[h];
        spl_host_begin(unit->network, host, spl_host_observable(unit->network, host));
        put_local(unit, t, host, 0, host->x);
    }
}

/* From what is known at the start of the step. Threads that share the unit share the
 * subnetworks too. */
static void advance_hosts(const tied_unit *unit, size_t step)
{
    spl_network *network = unit->network;
    const bool together = network->together;
    size_t h;
    size_t end;
    if (network->n_hosts == 0) {
        return;
    }
    for (size_t t = 0; t < unit->n_tiles; t++) {
        const spl_real *sums = scratch_of(unit, t)->sums + step * unit->width;
        for (hosts_of(unit, t, &h, &end); h < end; h++) {
            spl_host *host = &network->hosts[h];
            spl_host_set_drive(network, host, step, sums[host->node % SPL_TILE], host->x);
            if (!together) {
                spl_host_advance(network, host, step, 1, NULL, false);
            }
        }
    }
    wait_for_others(unit);
    if (together) {
        spl_host_share(network, step, 1, &unit->worker->member);
    }
    wait_for_others(unit);
}

/* What hosts show after a stage of a step, and half a step back. */
static void mix_stage(
    const tied_unit *unit, size_t t, size_t step, size_t stage, spl_real *sent)
{
    spl_network *network = unit->network;
    const spl_scratch *scratch = scratch_of(unit, t);
    const bool last = stage + 1 == spl_schemes[network->scheme].n_stages;
    size_t h;
    size_t end;
    for (hosts_of(unit, t, &h, &end); h < end; h++) {
        spl_host *host = &network->hosts[h];
        const size_t lane = host->node % SPL_TILE;
        if (stage == 0 && step > 0 && network->half_history != NULL) {
            spl_real *half = scratch->sent_half + (step - 1) * unit->width + lane;
            *half = spl_host_mix_half(network, host, step - 1, *half);
        }
        host->x = last ? sent[lane] : host->x;
        put_local(unit, t, host, last ? step + 1 : step, sent[lane]);
        sent[lane] =
            spl_host_mix(network, host, last ? step + 1 : step, sent[lane], last);
    }
}

static void end_hosts(const tied_unit *unit, size_t t)
{
    spl_network *network = unit->network;
    const spl_scratch *scratch = scratch_of(unit, t);
    size_t h;
    size_t end;
    for (hosts_of(unit, t, &h, &end); h < end; h++) {
        spl_host *host = &network->hosts[h];
        if (network->half_history != NULL) {
            spl_real *half = scratch->sent_half + (unit->n_steps - 1) * unit->width +
                             host->node % SPL_TILE;
            *half = spl_host_mix_half(network, host, unit->n_steps - 1, *half);
        }
        spl_host_end(network, host, scratch, unit->n_steps);
    }
}

static void begin_block(tied_unit *unit)
{
    spl_network *network = unit->network;
    for (size_t t = 0; t < unit->n_tiles; t++) {
        begin_hosts(unit, t);
        const spl_scratch *scratch = scratch_of(unit, t);
        const size_t first = first_of(unit, t);
        spl_fill_sums(network, scratch, first, unit->n_steps);
        unit->noise =
            spl_noise_fill(network, first, network->step, unit->n_steps, scratch->noise);
        if (!network->knows_gates) {
            network->model->open(&network->run, first, scratch->gates);
        }
        memset(scratch->extreme, 0, SPL_TILE * sizeof *scratch->extreme);
    }
}

/* Sums of a tile at a stage of step `step`, in memory of the tile. */
static const spl_real *stage_sums(
    const tied_unit *unit, size_t t, size_t step, size_t stage)
{
    const spl_network *network = unit->network;
    const spl_scheme *scheme = &spl_schemes[network->scheme];
    const spl_scratch *scratch = scratch_of(unit, t);
    const spl_real *known = scratch->sums + step * unit->width;
    if (stage == 0 || network->run.frozen) {
        return known;
    }
    known += unit->width;
    if (scheme->time[stage] == 0.5) {
        known = scratch->half + step * unit->width; /* zero if nothing is delayed */
    }
    if (!network->plan->sums_present[unit->tiles[t]]) {
        return known;
    }
    memcpy(scratch->stage_sums, known, unit->width * sizeof *known);
    add_undelayed(unit, t, scratch->stage_sums);
    return scratch->stage_sums;
}

/* To the array that nobody reads now. */
static void show_next(const tied_unit *unit, size_t t, const spl_real *sent)
{
    const spl_network *network = unit->network;
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        spl_real *present =
            unit->batch != NULL
                ? unit->batch->present + place_in_batch(unit, channel)
                : network->present[1 - unit->now] + channel * network->stride;
        memcpy(present + first_of(unit, t), sent + channel * SPL_TILE,
            SPL_TILE * sizeof *sent);
    }
}

/* Row for a tile's new states, in which a sum begins with zero. */
static spl_real *row_of(const spl_network *network, size_t step, size_t first)
{
    spl_real *row = spl_record_row(network, step);
    for (size_t slot = 0; slot < network->run.n_slots && spl_begins_piece(network, step);
         slot++) {
        memset(row + slot * network->stride + first, 0, SPL_TILE * sizeof *row);
    }
    return row;
}

static void run_stage(const tied_unit *unit, size_t t, size_t step, size_t stage,
    const spl_real *sums, spl_real *sent)
{
    spl_network *network = unit->network;
    const spl_scratch *scratch = scratch_of(unit, t);
    const bool dense = network->half_history != NULL;
    const bool last = stage + 1 == spl_schemes[network->scheme].n_stages;
    const bool inputs_before =
        stage == 0 && step > 0 && network->recording.piece_steps == 0;
    /* known since the last block */
    _Alignas(SPL_ALIGNMENT) spl_real nowhere[SPL_MAX_CHANNELS * SPL_TILE];
    const spl_kernel_stage kernel = {
        .first = first_of(unit, t),
        .stage = stage,
        .sums = sums,
        .noise =
            unit->noise ? scratch->noise + step * network->n_states * SPL_TILE : NULL,
        .local = scratch->local,
        .y = scratch->y,
        .gates = scratch->gates,
        .sum = scratch->sum_of_stages,
        .c = scratch->c,
        .sent = sent,
        .extreme = scratch->extreme,
        .x_before = dense ? scratch->x_before : NULL,
        .f_before = scratch->f_before,
        .sent_half = step > 0 ? scratch->sent_half + (step - 1) * unit->width : nowhere,
        .row = last ? row_of(network, step, first_of(unit, t)) : NULL,
        .adds = network->recording.piece_steps > 0,
        .f4 = network->f4,
        .f4_at = step * network->recording.f4_pitch,
        .n_nodes = network->n_nodes - first_of(unit, t),
        .row_before = inputs_before ? spl_record_row(network, step - 1) : NULL,
    };
    network->model->stage[network->scheme](&network->run, &kernel);
}

/* One stage of all tiles. */
static void advance_stage(tied_unit *unit, size_t step, size_t stage)
{
    const spl_network *network = unit->network;
    const bool last = stage + 1 == spl_schemes[network->scheme].n_stages;
    /* under frozen coupling nobody looks at the stages between */
    const bool shown = last || !network->run.frozen;
    for (size_t t = 0; t < unit->n_tiles; t++) {
        _Alignas(SPL_ALIGNMENT) spl_real other[SPL_MAX_CHANNELS * SPL_TILE];
        spl_real *sent =
            last ? scratch_of(unit, t)->sent + (step + 1) * unit->width : other;
        if (stage == 1 && unit->near && network->half_history != NULL) {
            add_near(unit, t, true, step);
        }
        run_stage(unit, t, step, stage, stage_sums(unit, t, step, stage), sent);
        mix_stage(unit, t, step, stage, sent);
        if (shown && unit->undelayed) {
            show_next(unit, t, sent);
        }
    }
    if (shown) {
        unit->now = 1 - unit->now;
        wait_for_others(unit);
    }
}

/* The sums at the end of a step are those at the start of the next. */
static void end_step(const tied_unit *unit, size_t step)
{
    for (size_t t = 0; t < unit->n_tiles; t++) {
        if (unit->network->plan->sums_present[unit->tiles[t]]) {
            add_undelayed(unit, t, scratch_of(unit, t)->sums + (step + 1) * unit->width);
        }
    }
}

static void advance_step(tied_unit *unit, size_t step)
{
    advance_hosts(unit, step);
    for (size_t t = 0; t < unit->n_tiles && unit->near; t++) {
        add_near(unit, t, false, step + 1);
    }
    for (size_t stage = 0; stage < spl_schemes[unit->network->scheme].n_stages; stage++) {
        advance_stage(unit, step, stage);
    }
    end_step(unit, step);
}

/* One step of several networks. */
static void advance_step_of_all(tied_unit *units, size_t n, size_t step)
{
    const spl_network *network = units->network;
    const size_t n_stages = spl_schemes[network->scheme].n_stages;
    for (size_t stage = 0; stage < n_stages; stage++) {
        if (stage > 0 && !network->run.frozen) {
            multiply(units, n);
        }
        for (size_t r = 0; r < n; r++) {
            advance_stage(&units[r], step, stage);
        }
    }
    multiply(units, n);
    for (size_t r = 0; r < n; r++) {
        end_step(&units[r], step);
    }
}

/* What the state at the end of the block shows of the last step. */
static bool end_block(const tied_unit *unit)
{
    spl_network *network = unit->network;
    const int *slot = network->run.slot + network->n_states;
    spl_real *row = spl_record_row(network, unit->n_steps - 1);
    bool all_inside = true;
    for (size_t t = 0; t < unit->n_tiles; t++) {
        const spl_scratch *scratch = scratch_of(unit, t);
        const spl_real *sums = scratch->sums + unit->n_steps * unit->width;
        const size_t first = first_of(unit, t);
        if (network->half_history != NULL) {
            const spl_kernel_stage kernel = {
                .first = first,
                .sums = sums,
                .local = scratch->local,
                .gates = scratch->gates,
                .x_before = scratch->x_before,
                .f_before = scratch->f_before,
                .sent_half = scratch->sent_half + (unit->n_steps - 1) * unit->width,
            };
            network->model->half(&network->run, &kernel);
        }
        if (row != NULL && (slot[0] >= 0 || slot[1] >= 0)) {
            _Alignas(SPL_ALIGNMENT) spl_real sent[SPL_MAX_CHANNELS * SPL_TILE];
            network->model->present(&network->run, first, sums, sent, row);
        }
        end_hosts(unit, t);
        spl_put_samples(network, scratch, first, unit->n_steps);
        spl_keep_sums(network, scratch, first, unit->n_steps);
        all_inside = spl_tile_inside(network, first, scratch->extreme) && all_inside;
    }
    return all_inside;
}

static tied_unit unit_of(
    spl_network *network, const uint32_t *tiles, size_t n_tiles, size_t n_steps)
{
    const spl_plan *plan = network->plan;
    return (tied_unit){
        .network = network,
        .tiles = tiles,
        .n_tiles = n_tiles,
        .n_steps = n_steps,
        .width = network->n_channels * SPL_TILE,
        .undelayed = plan->n_undelayed > 0,
        .near = plan->n_near > plan->n_undelayed,
    };
}

bool spl_advance_tied(spl_network *network, const spl_worker *worker,
    const uint32_t *tiles, size_t n_tiles, size_t n_steps)
{
    tied_unit unit = unit_of(network, tiles, n_tiles, n_steps);
    unit.worker = worker;
    begin_block(&unit);
    for (size_t step = 0; step < n_steps; step++) {
        advance_step(&unit, step);
    }
    return end_block(&unit);
}

void spl_advance_batch(spl_network *const *networks, size_t n, const spl_batch *batch,
    size_t n_steps, bool *inside)
{
    tied_unit units[SPL_MAX_BATCH];
    for (size_t r = 0; r < n; r++) {
        const spl_plan *plan = networks[r]->plan;
        units[r] = unit_of(networks[r], plan->tile, plan->stride / SPL_TILE, n_steps);
        units[r].batch = batch;
        units[r].run = r;
        begin_block(&units[r]);
    }
    for (size_t step = 0; step < n_steps; step++) {
        advance_step_of_all(units, n, step);
    }
    for (size_t r = 0; r < n; r++) {
        inside[r] = end_block(&units[r]);
    }
}
