/* The reference engine: what a step is, in plain loops, one node after another. Every
 * other engine must give the same bits. It shares with them only the model's right-hand
 * side and the coupling function, evaluated for one node at a time by the scalar target.
 *
 *   s_i(t)  = sum over the edges of i, longest delay first: w_ij sent_j(t - d_ij)
 *   c_i(t)  = couple(s_i(t), x_i(t))
 *   k_i     = f(y_i, c_i);  y_i = x_i + a dt k_i (+ noise);  x_i' = x_i + dt sum b k_i +
 * noise
 *
 * Samples of the past come from the history. At half steps (RK4) they are Hermite
 * interpolated, undelayed ones are those of the stage itself. */
#include <math.h>
#include <string.h>

#include "integrate/internal.h"

/* What node i sends at a state y, and its coupling input there for given sums. */
static spl_real couple_node(const spl_network *network, size_t i, const spl_real *y,
    const spl_real *sums, spl_real *sent)
{
    const spl_coupling_run *coupling = &network->coupling;
    spl_real x = 0.0;
    spl_real c = 0.0;
    if (coupling->sends_state >= 0) {
        x = y[coupling->sends_state];
    } else {
        network->model->observe(
            spl_tile_params(&network->run, i), SPL_TILE, i % SPL_TILE, y, &x);
    }
    if (coupling->couple == NULL) {
        sent[0] = x;
        c = spl_fma(coupling->own[i], x,
            spl_fma(coupling->scale[i], sums[0], coupling->shift[i]));
    } else {
        spl_real tile_sums[SPL_MAX_CHANNELS * SPL_TILE];
        spl_real tile_sent[SPL_MAX_CHANNELS * SPL_TILE];
        for (size_t channel = 0; channel < network->n_channels; channel++) {
            tile_sums[channel * SPL_TILE] = sums[channel];
        }
        coupling->couple(coupling, i, 1, tile_sums, &x, &c, tile_sent);
        for (size_t channel = 0; channel < network->n_channels; channel++) {
            sent[channel] = tile_sent[channel * SPL_TILE];
        }
    }
    return c;
}

/* Sums over all edges of node i: delayed samples from `history` at step k, the others
 * from `present`. */
static void sum_edges(const spl_network *network, size_t i, const spl_real *history,
    int64_t k, const spl_real *present, spl_real *sums)
{
    const spl_plan *plan = network->plan;
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        spl_real sum = 0.0;
        for (size_t e = plan->start[i]; e < plan->start[i + 1]; e++) {
            const size_t j = (size_t)plan->source[e];
            const spl_real sample =
                plan->delay[e] == 0
                    ? present[channel * network->stride + j]
                    : history[(channel * network->n_nodes + j) * plan->pitch +
                              spl_plan_slot(plan, k - plan->delay[e])];
            sum = spl_fma(plan->weight[e], sample, sum);
        }
        sums[channel] = sum;
    }
}

static void get_node(
    const spl_network *network, const spl_real *array, size_t i, spl_real *node)
{
    for (size_t s = 0; s < network->n_states; s++) {
        node[s] = array[s * network->stride + i];
    }
}

static void put_node(
    const spl_network *network, spl_real *array, size_t i, const spl_real *node)
{
    for (size_t s = 0; s < network->n_states; s++) {
        array[s * network->stride + i] = node[s];
    }
}

/* The host of node i, or NULL. */
static spl_host *host_of(const spl_network *network, size_t i)
{
    for (size_t h = 0; h < network->n_hosts; h++) {
        if (network->hosts[h].node == i) {
            return &network->hosts[h];
        }
    }
    return NULL;
}

/* Right-hand side at a state of step `step`, counted from the present one, times
 * exprel(dt J) for the exponential scheme. */
static void slope_of(const spl_network *network, size_t i, size_t step, const spl_real *y,
    spl_real c, spl_real *k)
{
    const spl_real *params = spl_tile_params(&network->run, i);
    const size_t lane = i % SPL_TILE;
    spl_host *host = host_of(network, i);
    const bool feeds_back = host != NULL && host->interface->local_feedback;
    spl_real local[2];
    if (feeds_back) {
        spl_real x = 0.0;
        network->model->observe(params, SPL_TILE, lane, y, &x);
        spl_host_local(network, host, step, x, &local[0], &local[1]);
    }
    const spl_real *given = feeds_back ? local : NULL;
    network->model->rhs(params, SPL_TILE, lane, y, &c, given, k);
    if (spl_schemes[network->scheme].exponential) {
        spl_real jacobian[SPL_MAX_STATES];
        network->model->jacobian(params, SPL_TILE, lane, y, &c, given, jacobian);
        for (size_t s = 0; s < network->n_states; s++) {
            k[s] = k[s] * network->model->exprel((spl_real)network->run.dt * jacobian[s]);
        }
    }
}

static spl_real with_noise(const spl_network *network, size_t i, size_t s, spl_real x)
{
    const spl_real *scale = network->run.noise_scale[s];
    if (scale == NULL) {
        return x;
    }
    const size_t tile = i / SPL_TILE * SPL_TILE;
    const spl_real value =
        network->step_noise[tile * network->n_states + s * SPL_TILE + i % SPL_TILE];
    spl_real g = value * scale[i];
    if (network->run.multiplicative) {
        g = g *
            spl_fma((spl_real)network->run.noise_a, x, (spl_real)network->run.noise_b);
    }
    return x + g;
}

static void put_sample(
    spl_network *network, spl_real *history, size_t i, int64_t k, const spl_real *sent)
{
    for (size_t channel = 0; channel < network->n_channels; channel++) {
        spl_history_put(network->plan,
            spl_channel(network, history, channel) + i * network->plan->pitch, k,
            sent[channel]);
    }
}

/* Stage `stage` of node i: from y and what all nodes show in `present` to the next y. */
static void stage_of(
    spl_network *network, size_t i, size_t stage, const spl_real *present)
{
    const spl_scheme *scheme = &spl_schemes[network->scheme];
    const spl_real dt = (spl_real)network->run.dt;
    spl_real x[SPL_MAX_STATES];
    spl_real y[SPL_MAX_STATES];
    spl_real k[SPL_MAX_STATES];
    spl_real sum[SPL_MAX_STATES];
    spl_real sums[SPL_MAX_CHANNELS];
    spl_real sent[SPL_MAX_CHANNELS];
    get_node(network, network->run.state, i, x);
    get_node(network, network->y, i, y);
    get_node(network, network->sum_of_stages, i, sum);

    if (stage == 0 || !network->run.frozen) {
        const bool half = scheme->time[stage] == 0.5 && network->half_history != NULL;
        const int64_t at = (int64_t)network->step + (scheme->time[stage] == 1.0);
        sum_edges(network, i, half ? network->half_history : network->history, at,
            present, sums);
        network->c[i] = couple_node(network, i, y, sums, sent);
    }
    slope_of(network, i, 0, y, network->c[i], k);
    if (stage == 0 && network->half_history != NULL) {
        put_node(network, network->x_before, i, x);
        put_node(network, network->f_before, i, k);
    }
    const bool last = stage + 1 == scheme->n_stages;
    const spl_real weight = (spl_real)scheme->weight[stage];
    const spl_real next = last ? 0 : (spl_real)scheme->step[stage + 1];
    for (size_t s = 0; s < network->n_states; s++) {
        const spl_real noisy = with_noise(network, i, s, x[s]);
        sum[s] = spl_fma(weight * dt, k[s], stage == 0 ? noisy : sum[s]);
        y[s] = last ? sum[s]
                    : spl_fma(next * dt, k[s], scheme->noise_in_stages ? noisy : x[s]);
    }
    put_node(network, network->sum_of_stages, i, sum);
    put_node(network, network->y, i, y);
}

/* Nodes with subnetworks send Qhat of the start of the step at all its stages, at its end
 * the new one. */
static void mix_all(const spl_network *network, spl_real *present, bool last)
{
    for (size_t h = 0; h < network->n_hosts; h++) {
        spl_host *host = &network->hosts[h];
        host->x = present[host->node];
        present[host->node] = spl_host_mix(network, host, last ? 1 : 0, host->x, last);
    }
}

/* What every node shows at its y. */
static void show_all(const spl_network *network, spl_real *present, bool last)
{
    const spl_real none[SPL_MAX_CHANNELS] = {0};
    for (size_t i = 0; i < network->n_nodes; i++) {
        spl_real y[SPL_MAX_STATES];
        spl_real sent[SPL_MAX_CHANNELS];
        get_node(network, network->y, i, y);
        couple_node(network, i, y, none, sent);
        for (size_t channel = 0; channel < network->n_channels; channel++) {
            present[channel * network->stride + i] = sent[channel];
        }
    }
    mix_all(network, present, last);
}

/* The subnetworks go a step, driven by its start. */
static void advance_hosts(spl_network *network)
{
    const int64_t k = (int64_t)network->step;
    for (size_t h = 0; h < network->n_hosts; h++) {
        spl_host *host = &network->hosts[h];
        spl_real sums[SPL_MAX_CHANNELS];
        sum_edges(network, host->node, network->history, k, network->present[0], sums);
        spl_host_set_drive(network, host, 0, sums[0], host->x);
        spl_host_advance(network, host, 0, 1, NULL, false);
    }
    spl_advance_unhosted(network, 1, &(spl_crew_member){.count = 1});
}

static void record(const spl_network *network, spl_real *row)
{
    const int *slot = network->run.slot;
    for (size_t i = 0; i < network->n_nodes; i++) {
        spl_real x[SPL_MAX_STATES];
        spl_real sums[SPL_MAX_CHANNELS];
        spl_real sent[SPL_MAX_CHANNELS];
        spl_real q = 0.0;
        get_node(network, network->run.state, i, x);
        for (size_t s = 0; s < network->n_states; s++) {
            if (slot[s] >= 0) {
                row[(size_t)slot[s] * network->stride + i] = x[s];
            }
        }
        if (slot[network->n_states] >= 0) {
            network->model->observe(
                spl_tile_params(&network->run, i), SPL_TILE, i % SPL_TILE, x, &q);
            row[(size_t)slot[network->n_states] * network->stride + i] = q;
        }
        if (slot[network->n_states + 1] >= 0) {
            sum_edges(network, i, network->history, (int64_t)network->step + 1,
                network->present[0], sums);
            row[(size_t)slot[network->n_states + 1] * network->stride + i] =
                couple_node(network, i, x, sums, sent);
        }
    }
}

/* Sample half a step before the new state of node i, known once its slope is. */
static void put_half(spl_network *network, size_t i)
{
    const int64_t k = (int64_t)network->step;
    const spl_real eighth = (spl_real)0.125 * (spl_real)network->run.dt;
    spl_real x[SPL_MAX_STATES];
    spl_real slope[SPL_MAX_STATES];
    spl_real before[SPL_MAX_STATES];
    spl_real slope_before[SPL_MAX_STATES];
    spl_real half[SPL_MAX_STATES];
    spl_real sums[SPL_MAX_CHANNELS];
    spl_real sent[SPL_MAX_CHANNELS];
    const spl_real none[SPL_MAX_CHANNELS] = {0};
    get_node(network, network->run.state, i, x);
    get_node(network, network->x_before, i, before);
    get_node(network, network->f_before, i, slope_before);
    sum_edges(network, i, network->history, k + 1, network->present[0], sums);
    slope_of(network, i, 1, x, couple_node(network, i, x, sums, sent), slope);
    for (size_t s = 0; s < network->n_states; s++) {
        half[s] = spl_fma(
            eighth, slope_before[s] - slope[s], (spl_real)0.5 * (before[s] + x[s]));
    }
    couple_node(network, i, half, none, sent);
    const spl_host *host = host_of(network, i);
    if (host != NULL) {
        sent[0] = spl_host_mix_half(network, host, 0, sent[0]);
    }
    put_sample(network, network->half_history, i, k, sent);
}

void spl_advance_reference(spl_network *network, size_t n_steps)
{
    const spl_scheme *scheme = &spl_schemes[network->scheme];
    const size_t bytes = network->n_states * network->stride * sizeof(spl_real);
    spl_bug_assert(n_steps == 1);

    for (size_t first = 0; first < network->stride; first += SPL_TILE) {
        spl_noise_fill(network, first, network->step, 1,
            network->step_noise + first * network->n_states);
    }
    for (size_t h = 0; h < network->n_hosts; h++) {
        spl_host_begin(network, &network->hosts[h], 0);
    }
    memcpy(network->y, network->run.state, bytes);
    for (size_t stage = 0; stage < scheme->n_stages; stage++) {
        show_all(network, network->present[0], false);
        if (stage == 0) {
            advance_hosts(network);
        }
        for (size_t i = 0; i < network->n_nodes; i++) {
            stage_of(network, i, stage, network->present[0]);
        }
    }
    memcpy(network->run.state, network->y, bytes);
    show_all(network, network->present[0], true);
    for (size_t i = 0; i < network->n_nodes; i++) {
        spl_real sent[SPL_MAX_CHANNELS];
        for (size_t channel = 0; channel < network->n_channels; channel++) {
            sent[channel] = network->present[0][channel * network->stride + i];
        }
        put_sample(network, network->history, i, (int64_t)network->step + 1, sent);
    }
    for (size_t i = 0; i < network->n_nodes && network->half_history != NULL; i++) {
        put_half(network, i);
    }
    spl_real *row = spl_record_row(network, 0);
    if (row != NULL) {
        record(network, row);
    }
    for (size_t h = 0; h < network->n_hosts; h++) {
        spl_real sums[SPL_MAX_CHANNELS];
        sum_edges(network, network->hosts[h].node, network->history,
            (int64_t)network->step + 1, network->present[0], sums);
        spl_host_end_step(network, &network->hosts[h], 1, sums[0], row);
    }
}
