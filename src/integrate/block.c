/* Blocks of steps without synchronisation, for networks all of whose edges between nodes
 * are delayed: sums of the next B steps from known samples, then B steps of each tile on
 * its own. */
#include <string.h>

#include "integrate/internal.h"

static void fill_sums(
    const spl_network *network, const spl_scratch *scratch, size_t first, size_t n_steps)
{
    const size_t n_channels = network->n_channels;
    const size_t out_step = n_channels * SPL_TILE;
    const int64_t k = (int64_t)network->step;
    for (size_t channel = 0; channel < n_channels; channel++) {
        spl_real *sums = scratch->sums + channel * SPL_TILE;
        memcpy(sums, network->carry + channel * network->stride + first,
            SPL_TILE * sizeof *sums);
        network->sum->delayed(network->plan,
            spl_channel(network, network->history, channel), k + 1, n_steps, first,
            sums + out_step, out_step);
        if (network->half_history != NULL) {
            network->sum->delayed(network->plan,
                spl_channel(network, network->half_history, channel), k, n_steps, first,
                scratch->half + channel * SPL_TILE, out_step);
        }
    }
}

/* Samples `sent` [n_samples][n_channels][SPL_TILE] become the history's from step k on.
 */
static void put_history(const spl_network *network, spl_real *history, size_t first,
    int64_t k, size_t n_samples, const spl_real *sent)
{
    const size_t n_channels = network->n_channels;
    for (size_t channel = 0; channel < n_channels; channel++) {
        network->sum->put(network->plan, spl_channel(network, history, channel), k,
            n_samples, first, sent + channel * SPL_TILE, n_channels * SPL_TILE);
    }
}

/* A NaN fails every comparison, so the test is for being inside. Padding does not count.
 */
static bool inside(const spl_network *network, size_t first, const spl_real *extreme)
{
    bool all = true;
    for (size_t lane = 0; lane < SPL_TILE && first + lane < network->n_nodes; lane++) {
        all = all && extreme[lane] <= network->divergence_limit;
    }
    return all;
}

bool spl_advance_block(spl_network *network, const spl_worker *worker, size_t n_steps)
{
    bool all_inside = true;
    const size_t width = network->n_channels * SPL_TILE;
    const int64_t k = (int64_t)network->step;
    const spl_scratch *scratch = worker->scratch;
    for (size_t first = worker->begin; first < worker->end; first += SPL_TILE) {
        fill_sums(network, scratch, first, n_steps);
        const bool noise =
            spl_noise_fill(network, first, network->step, n_steps, scratch->noise);
        const spl_kernel_block block = {
            .first = first,
            .n_steps = n_steps,
            .sums = scratch->sums,
            .half = scratch->half,
            .noise = noise ? scratch->noise : NULL,
            .sent = scratch->sent,
            .sent_half = network->half_history != NULL ? scratch->sent_half : NULL,
            .record = network->record,
            .extreme = scratch->extreme,
        };
        network->model->block[network->scheme](&network->run, &block);
        all_inside = inside(network, first, scratch->extreme) && all_inside;

        put_history(
            network, network->history, first, k + 1, n_steps, scratch->sent + width);
        if (network->half_history != NULL) {
            put_history(
                network, network->half_history, first, k, n_steps, scratch->sent_half);
        }
        for (size_t channel = 0; channel < network->n_channels; channel++) {
            memcpy(network->carry + channel * network->stride + first,
                scratch->sums + n_steps * width + channel * SPL_TILE,
                SPL_TILE * sizeof(spl_real));
        }
    }
    return all_inside;
}
