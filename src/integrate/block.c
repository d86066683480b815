/* Blocks of steps without synchronisation, for tiles whose edges are all at least a block
 * long: sums of the next B steps from known samples, then B steps of the tile on its own.
 */
#include <string.h>

#include "integrate/internal.h"

/* What is known of a tile's sums of steps k .. k + n_steps - 1, [SPL_TILE][SPL_WINDOW]:
 * those of the long edges, formed for a window from k on unless an earlier block has done
 * so, and where blocks divide half a window, those of the next shorter edges too.
 * edges->begin becomes the first edges that are not in them. */
static const spl_real *long_sums(const spl_network *network, const spl_real *history,
    const spl_windows *windows, size_t channel, size_t first, int64_t k, size_t n_steps,
    spl_sum_edges *edges)
{
    const spl_plan *plan = network->plan;
    spl_real *sums = windows->sums + (channel * network->stride + first) * SPL_WINDOW;
    const size_t tile = (channel * network->stride + first) / SPL_TILE;
    const int64_t end = k + (int64_t)n_steps;
    int64_t *from = &windows->first[tile];
    int64_t none = INT64_MIN;
    int64_t *halves = windows->halves != NULL ? &windows->halves[tile] : &none;
    if (k < *from || end > *from + SPL_WINDOW || (k < *halves && end > *halves)) {
        network->sum->window(plan, history, k, first, sums);
        *from = k;
        *halves = k;
    }
    edges->begin = plan->long_end;
    if (windows->halves != NULL) {
        edges->begin = plan->half_end;
        if (k == *halves) {
            network->sum->half_window(plan, history, k, first, sums + (k - *from));
            *halves = k + SPL_HALF_WINDOW;
        }
    }
    return sums + (k - *from);
}

/* Sums of the delayed edges of a tile for steps k .. k + n_steps - 1. */
static void sum_delayed(const spl_network *network, spl_real *all_history,
    const spl_windows *windows, size_t channel, size_t first, int64_t k, size_t n_steps,
    spl_real *out)
{
    const spl_plan *plan = network->plan;
    const size_t width = network->n_channels * SPL_TILE;
    const spl_real *history = spl_channel(network, all_history, channel);
    spl_sum_edges edges = {.begin = plan->start, .end = plan->near};
    const spl_real *known = NULL;
    if (windows->sums != NULL) {
        known = long_sums(network, history, windows, channel, first, k, n_steps, &edges);
    }
    for (size_t s = 0; s < n_steps; s += SPL_PANEL) {
        const size_t count = n_steps - s < SPL_PANEL ? n_steps - s : SPL_PANEL;
        edges.before = known != NULL ? known + s : NULL;
        network->sum->delayed(
            plan, &edges, history, k + (int64_t)s, count, first, out + s * width, width);
    }
}

void spl_fill_sums(
    const spl_network *network, const spl_scratch *scratch, size_t first, size_t n_steps)
{
    const size_t width = network->n_channels * SPL_TILE;
    const int64_t k = (int64_t)network->step;
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        spl_real *sums = scratch->sums + channel * SPL_TILE;
        memcpy(sums, network->carry + channel * network->stride + first,
            SPL_TILE * sizeof *sums);
        sum_delayed(network, network->history, &network->windows, channel, first, k + 1,
            n_steps, sums + width);
        if (network->half_history != NULL) {
            sum_delayed(network, network->half_history, &network->half_windows, channel,
                first, k, n_steps, scratch->half + channel * SPL_TILE);
        }
    }
}

/* Samples `sent` [n_samples][n_channels][SPL_TILE] become the history's from step k on.
 */
static void put_history(const spl_network *network, spl_real *history, size_t first,
    int64_t k, size_t n_samples, const spl_real *sent)
{
    const size_t width = network->n_channels * SPL_TILE;
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        for (size_t s = 0; s < n_samples; s += SPL_PANEL) {
            const size_t count = n_samples - s < SPL_PANEL ? n_samples - s : SPL_PANEL;
            network->sum->put(network->plan, spl_channel(network, history, channel),
                k + (int64_t)s, count, first, sent + s * width + channel * SPL_TILE,
                width);
        }
    }
}

void spl_put_samples(
    const spl_network *network, const spl_scratch *scratch, size_t first, size_t n_steps)
{
    const size_t width = network->n_channels * SPL_TILE;
    const int64_t k = (int64_t)network->step;
    put_history(network, network->history, first, k + 1, n_steps, scratch->sent + width);
    if (network->half_history != NULL) {
        put_history(
            network, network->half_history, first, k, n_steps, scratch->sent_half);
    }
}

void spl_keep_sums(
    const spl_network *network, const spl_scratch *scratch, size_t first, size_t n_steps)
{
    const size_t width = network->n_channels * SPL_TILE;
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        memcpy(network->carry + channel * network->stride + first,
            scratch->sums + n_steps * width + channel * SPL_TILE,
            SPL_TILE * sizeof(spl_real));
    }
}

/* A NaN fails every comparison, so the test is for being inside. Padding does not count,
 * nor do nodes that a subnetwork replaces.
 */
bool spl_tile_inside(const spl_network *network, size_t first, const spl_real *extreme)
{
    bool all = true;
    for (size_t lane = 0; lane < SPL_TILE && first + lane < network->n_nodes; lane++) {
        all = all && (extreme[lane] <= network->divergence_limit ||
                         !spl_is_integrated(network, first + lane));
    }
    return all;
}

/* From the sums of the block to the samples. */
static void advance_nodes(
    spl_network *network, const spl_scratch *scratch, size_t first, size_t n_steps)
{
    spl_fill_sums(network, scratch, first, n_steps);
    const bool noise =
        spl_noise_fill(network, first, network->step, n_steps, scratch->noise);
    const size_t left = network->n_nodes - first;
    const spl_kernel_block block = {
        .first = first,
        .n_nodes = left < SPL_TILE ? left : SPL_TILE,
        .n_steps = n_steps,
        .sums = scratch->sums,
        .half = scratch->half,
        .noise = noise ? scratch->noise : NULL,
        .sent = scratch->sent,
        .sent_half = network->half_history != NULL ? scratch->sent_half : NULL,
        .record = network->record,
        .f4 = network->f4,
        .f4_pitch = network->recording.f4_pitch,
        .piece_steps =
            network->recording.piece_steps > 0 ? network->recording.piece_steps : 1,
        .piece_left = network->piece_left,
        .piece_backup = network->piece_backup,
        .extreme = scratch->extreme,
        .exponentials = network->exponentials + first * network->model->n_gates * 2,
        .known = network->knows_gates,
        .backup = network->backup,
        .carry = network->carry,
    };
    network->model->block[network->scheme](&network->run, &block);
}

bool spl_advance_block(
    spl_network *network, spl_scratch *scratch, size_t first, size_t n_steps)
{
    advance_nodes(network, scratch, first, n_steps);
    spl_put_samples(network, scratch, first, n_steps);
    return spl_tile_inside(network, first, scratch->extreme);
}

void spl_begin_hosted(spl_network *network, size_t first, size_t n_steps)
{
    const size_t tile = first / SPL_TILE;
    const spl_scratch *scratch = &network->tied[tile];
    advance_nodes(network, scratch, first, n_steps);
    for (size_t h = network->first_host[tile]; h < network->first_host[tile + 1]; h++) {
        spl_host *host = &network->hosts[h];
        const size_t lane = host->node - first;
        spl_host_begin(network, host, scratch->sent[lane]);
        for (size_t s = 0; s < n_steps && !host->stepwise; s++) {
            spl_host_set_drive(network, host, s, scratch->sums[s * SPL_TILE + lane],
                scratch->sent[s * SPL_TILE + lane]);
        }
    }
}

bool spl_finish_hosted(spl_network *network, size_t first, size_t n_steps)
{
    const size_t tile = first / SPL_TILE;
    const spl_scratch *scratch = &network->tied[tile];
    for (size_t h = network->first_host[tile]; h < network->first_host[tile + 1]; h++) {
        spl_host *host = &network->hosts[h];
        spl_real *sent = scratch->sent + (host->node - first);
        spl_real *half = scratch->sent_half + (host->node - first);
        for (size_t s = 0; s < n_steps; s++) {
            sent[(s + 1) * SPL_TILE] =
                spl_host_mix(network, host, s + 1, sent[(s + 1) * SPL_TILE], true);
            half[s * SPL_TILE] = spl_host_mix_half(network, host, s, half[s * SPL_TILE]);
        }
        spl_host_end(network, host, scratch, n_steps);
    }
    spl_put_samples(network, scratch, first, n_steps);
    return spl_tile_inside(network, first, scratch->extreme);
}
