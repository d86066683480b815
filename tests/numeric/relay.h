/* Ten LB nodes, node 0 with Poisson neurons that relay its own Q_V. */
#ifndef SPL_TEST_RELAY_H
#define SPL_TEST_RELAY_H

#include <math.h>

#include "support/network_run.h"
#include "support/random.h"
#include "support/spiking.h"

typedef struct relay_result {
    double mean, sd;         /* of Q_0 as sent, after the first 5 s */
    double spikes, expected; /* over the whole run */
    double V1_mean, V1_sd;   /* of node 1, after the same */
} relay_result;

enum { RELAY_NODES = 10 };

typedef struct relay_sums {
    const spl_network *network;
    uint64_t dropped;
    double n, Q, Q2, V, V2, spikes, expected;
    double Q_max, r_max, dt;
    size_t n_neurons;
} relay_sums;

/* Slots: the states V, W, Z. Q_0 as sent is in the history. */
static inline bool relay_take(void *user, const spl_samples *block)
{
    relay_sums *sums = user;
    const spl_network *network = sums->network;
    for (size_t s = 0; s < block->n_steps; s++) {
        const uint64_t step = block->first_step + s;
        const double Q = network->history[spl_plan_slot(network->plan, (int64_t)step)];
        const double V = block->values[s * block->n_variables * block->stride + 1];
        if (step > sums->dropped) {
            sums->n += 1.0;
            sums->Q += Q;
            sums->Q2 += Q * Q;
            sums->V += V;
            sums->V2 += V * V;
        }
    }
    if (network->n_jobs > 0) {
        const spl_subnetwork_block *last =
            spl_subnetwork_last(network->jobs[0].subnetwork);
        sums->spikes += (double)last->populations[0].n_spikes;
        for (size_t s = 0; s < block->n_steps; s++) {
            sums->expected += (double)sums->n_neurons * sums->r_max * last->drive[s] /
                              sums->Q_max * sums->dt;
        }
    }
    return true;
}

/* Dense random weights, no self-edges, all delays 10 ms. */
static inline spl_connectome *relay_connectome(void)
{
    double weights[RELAY_NODES * RELAY_NODES];
    double lengths[RELAY_NODES * RELAY_NODES];
    uint64_t random = 4;
    for (size_t e = 0; e < RELAY_NODES * RELAY_NODES; e++) {
        const bool self = e % (RELAY_NODES + 1) == 0;
        weights[e] = self ? 0.0 : random_uniform(&random, 0.0, 1.0);
        lengths[e] = self ? 0.0 : 10.0;
    }
    return make_connectome(RELAY_NODES, weights, lengths);
}

/* n_neurons 0: LB alone. Nodes start inside the basin: at d_V = 0.50 one that starts in
 * U(0, 0.1) leaves it. */
static inline relay_result relay_run(double d_V, size_t n_neurons, double seconds)
{
    spl_connectome *connectome = relay_connectome();
    network_run run;
    network_settle(&run, connectome,
        "simulation: {dt: 0.1, duration: %g, seed: 2, threads: 1}\n"
        "connectome: {speed: 1}\n"
        "coupling: {function: mean_rate, normalise: in_strength}\n"
        "model: {d_V: %g}\n",
        1e3 * seconds, d_V);
    spl_subnetwork_spec spec = make_subnetwork("relay");
    if (n_neurons > 0) {
        add_population(&spec, "E", "poisson_relay", n_neurons, true);
        spec.interface.mode = SPL_MODE_ATTACH;
        spec.interface.alpha = 0.0;
        spec.interface.beta = 1.0;
        spec.interface.kc = 0.0;
        spec.interface.kl = 1.0;
        spec.interface.r_max = 0.05;
        spec.interface.tau_f = 10.0;
        spec.interface.x0 = 0.3 * 0.05;
        spec.node = 0;
        run.settings.subnetworks = calloc(1, sizeof spec);
        run.settings.subnetworks[0] = spec;
        run.settings.n_subnetworks = 1;
    } else {
        spl_subnetwork_spec_deinit(&spec);
    }
    network_assemble(&run, connectome);
    relay_sums sums = {.network = &run.network,
        .dropped = 50000,
        .Q_max = network_param(&run, "QV_max")[0],
        .r_max = 0.05,
        .dt = 0.1,
        .n_neurons = n_neurons};
    const spl_block_hooks hooks = {.user = &sums, .finish = relay_take};
    spl_divergence divergence;
    spl_network_advance(
        &run.network, (uint64_t)(seconds * 1e4 + 0.5), &hooks, &divergence);
    ck_assert_msg(divergence.status == SPL_OK, "%s", spl_last_error());
    ck_assert_msg(!divergence.happened, "node %zu is at %g at step %d", divergence.node,
        divergence.value, (int)divergence.step);
    network_close(&run);
    spl_connectome_free(connectome);
    relay_result result = {
        .mean = sums.Q / sums.n,
        .spikes = sums.spikes,
        .expected = sums.expected,
        .V1_mean = sums.V / sums.n,
    };
    result.sd = sqrt(sums.Q2 / sums.n - result.mean * result.mean);
    result.V1_sd = sqrt(sums.V2 / sums.n - result.V1_mean * result.V1_mean);
    return result;
}

#endif
