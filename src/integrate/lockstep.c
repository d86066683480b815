/* Stages in lockstep, for networks with undelayed edges: every stage needs what all other
 * nodes show at that stage, hence a barrier per stage. Under `frozen` coupling only the
 * first stage does. */
#include <string.h>

#include "integrate/internal.h"

/* Sums of the delayed edges of the worker's nodes at step k. */
static void sum_delayed(const spl_network *network, const spl_worker *worker,
    const spl_real *history, int64_t k, size_t channel, spl_real *sums)
{
    const spl_real *samples = history + channel * network->n_nodes * network->plan->pitch;
    for (size_t first = worker->begin; first < worker->end; first += SPL_TILE) {
        network->sum->delayed(network->plan, samples, k, 1, first,
            sums + channel * network->stride + first, SPL_TILE);
    }
}

static void add_undelayed(const spl_network *network, const spl_worker *worker,
    const spl_real *present, spl_real *sums)
{
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        const size_t at = channel * network->stride;
        if (network->matrix != NULL) {
            spl_sum_dense(network->plan, network->matrix, present + at, worker->begin,
                worker->end, sums + at);
        } else {
            network->sum->undelayed(
                network->plan, present + at, worker->begin, worker->end, sums + at);
        }
    }
}

/* Complete sums of the worker's nodes at a time of the step: history at k (or half a step
 * later) and the samples all nodes show now. */
static void sum_all(const spl_network *network, const spl_worker *worker,
    const spl_real *history, int64_t k, const spl_real *present, spl_real *sums)
{
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        sum_delayed(network, worker, history, k, channel, sums);
    }
    add_undelayed(network, worker, present, sums);
}

/* Run one stage on the worker's tiles; what they show next goes to `present`. */
static void run_stage(spl_network *network, const spl_worker *worker, size_t stage,
    bool noise, const spl_real *sums, spl_real *present)
{
    const size_t n_channels = network->n_channels;
    const bool dense = network->half_history != NULL;
    spl_real *sent_half = worker->scratch->sent_half;
    for (size_t first = worker->begin; first < worker->end; first += SPL_TILE) {
        spl_real *tile_sums = worker->scratch->sums;
        spl_real *sent = worker->scratch->sent;
        for (size_t channel = 0; channel < n_channels; channel++) {
            memcpy(tile_sums + channel * SPL_TILE,
                sums + channel * network->stride + first, SPL_TILE * sizeof *tile_sums);
        }
        const spl_kernel_stage kernel = {
            .first = first,
            .stage = stage,
            .sums = tile_sums,
            .noise = noise ? network->step_noise + first * network->n_states : NULL,
            .y = network->y,
            .slope = network->slope,
            .c = network->c,
            .sent = sent,
            .x_before = dense ? network->x_before : NULL,
            .f_before = network->f_before,
            .sent_half = sent_half,
        };
        network->model->stage[network->scheme](&network->run, &kernel);
        for (size_t channel = 0; channel < n_channels; channel++) {
            memcpy(present + channel * network->stride + first, sent + channel * SPL_TILE,
                SPL_TILE * sizeof *present);
            /* the past before step 0 is constant: it stands already */
            if (dense && stage == 0 && network->step > 0) {
                spl_real *nodes = spl_channel(network, network->half_history, channel);
                for (size_t lane = 0; lane < SPL_TILE && first + lane < network->n_nodes;
                     lane++) {
                    spl_history_put(network->plan,
                        nodes + (first + lane) * network->plan->pitch,
                        (int64_t)network->step - 1, sent_half[channel * SPL_TILE + lane]);
                }
            }
        }
    }
}

static void put_present(
    const spl_network *network, const spl_worker *worker, const spl_real *present)
{
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        spl_real *nodes = spl_channel(network, network->history, channel);
        for (size_t i = worker->begin; i < worker->end && i < network->n_nodes; i++) {
            spl_history_put(network->plan, nodes + i * network->plan->pitch,
                (int64_t)network->step + 1, present[channel * network->stride + i]);
        }
    }
}

/* Row of the monitors for the state just reached, whose complete sums are in carry. */
static void record_present(
    const spl_network *network, const spl_worker *worker, spl_real *row)
{
    for (size_t first = worker->begin; first < worker->end; first += SPL_TILE) {
        spl_real *tile_sums = worker->scratch->sums;
        for (size_t channel = 0; channel < network->n_channels; channel++) {
            memcpy(tile_sums + channel * SPL_TILE,
                network->carry + channel * network->stride + first,
                SPL_TILE * sizeof *tile_sums);
        }
        network->model->present(
            &network->run, first, tile_sums, worker->scratch->sent, row);
    }
}

/* Only blocks of one step come here. */
void spl_advance_lockstep(spl_network *network, const spl_worker *worker, size_t n_steps)
{
    const spl_scheme *scheme = &spl_schemes[network->scheme];
    const int64_t k = (int64_t)network->step;
    bool noise = false;
    bool half_known = false;
    size_t now = 0;
    spl_bug_assert(n_steps == 1);

    for (size_t first = worker->begin; first < worker->end; first += SPL_TILE) {
        noise = spl_noise_fill(network, first, network->step, 1,
            network->step_noise + first * network->n_states);
        for (size_t state = 0; state < network->n_states; state++) {
            const size_t at = state * network->stride + first;
            memcpy(network->y + at, network->run.state + at, SPL_TILE * sizeof(spl_real));
        }
    }
    for (size_t stage = 0; stage < scheme->n_stages; stage++) {
        const spl_real *sums = network->carry;
        if (stage > 0 && !network->run.frozen) {
            if (scheme->time[stage] == 0.5) {
                if (!half_known) {
                    for (size_t channel = 0; channel < network->n_channels; channel++) {
                        const spl_real *history = network->half_history != NULL
                                                      ? network->half_history
                                                      : network->history;
                        sum_delayed(
                            network, worker, history, k, channel, network->half_sums);
                    }
                    half_known = true;
                }
                for (size_t channel = 0; channel < network->n_channels; channel++) {
                    const size_t at = channel * network->stride + worker->begin;
                    memcpy(network->stage_sums + at, network->half_sums + at,
                        (worker->end - worker->begin) * sizeof(spl_real));
                }
                add_undelayed(
                    network, worker, network->present[now], network->stage_sums);
            } else {
                sum_all(network, worker, network->history, k + 1, network->present[now],
                    network->stage_sums);
            }
            sums = network->stage_sums;
        }
        now = 1 - now;
        run_stage(network, worker, stage, noise, sums, network->present[now]);
        spl_barrier_wait(worker->barrier);
    }
    put_present(network, worker, network->present[now]);
    sum_all(
        network, worker, network->history, k + 1, network->present[now], network->carry);
    spl_real *row = spl_record_row(network, 0);
    if (row != NULL) {
        record_present(network, worker, row);
    }
}
