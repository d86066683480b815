/* Nodes that carry spiking subnetworks: what drives these, what they send, what is
 * recorded of a node that its subnetwork replaces. */
#include <math.h>
#include <string.h>

#include "integrate/internal.h"
#include "spiking/interface.h"

/* Place of step s, counted from the network's present, in the arrays of the block. */
static size_t place_of(const spl_network *network, const spl_host *host, size_t s)
{
    return (size_t)(network->step - host->first) + s;
}

void spl_host_begin(spl_network *network, spl_host *host, spl_real x)
{
    host->x = x;
    if (!network->replaying) {
        host->first = network->step;
        host->Q_hat[0] = spl_subnetwork_Q_hat(host->job->subnetwork);
        spl_subnetwork_begin(host->job->subnetwork);
    }
}

spl_real spl_host_observable(const spl_network *network, const spl_host *host)
{
    spl_real state[SPL_MAX_STATES];
    spl_real x = 0;
    for (size_t s = 0; s < network->n_states; s++) {
        state[s] = network->run.state[s * network->stride + host->node];
    }
    network->one->observe(spl_tile_params(&network->run, host->node), SPL_TILE,
        host->node % SPL_TILE, state, &x);
    return x;
}

/* Coupling input of the node, which shows x. */
static spl_real couple(
    const spl_network *network, const spl_host *host, spl_real sum, spl_real x)
{
    const spl_coupling_run *coupling = &network->coupling;
    const size_t i = host->node;
    spl_real c = 0;
    if (network->couple_one->affine) {
        return spl_fma(
            coupling->own[i], x, spl_fma(coupling->scale[i], sum, coupling->shift[i]));
    }
    spl_real sent = 0;
    network->couple_one->couple(coupling, i, 1, &sum, &x, &c, &sent);
    return c;
}

/* A node that its subnetwork replaces has no observable of its own: its local terms take
 * what it sends. A diverging node drives nothing; its divergence will be told. */
void spl_host_set_drive(
    const spl_network *network, spl_host *host, size_t s, spl_real sum, spl_real x)
{
    const spl_interface_spec *interface = host->interface;
    if (network->replaying) {
        return;
    }
    x = host->replaces ? spl_host_mix(network, host, s, x, false) : x;
    const double c = (double)couple(network, host, sum, x);
    const double own = host->replaces ? 0.0 : interface->kl * (double)x;
    const double drive = interface->kc * c + own;
    host->drive[place_of(network, host, s)] = isnan(drive) ? 0.0 : drive;
}

void spl_host_advance(spl_network *network, spl_host *host, size_t s, size_t n,
    const spl_crew_member *member, bool all)
{
    const size_t at = place_of(network, host, s);
    if (!network->replaying) {
        spl_job_advance(host->job, network->step + s, n, host->drive + at,
            host->Q_hat + at + 1, member, all);
    }
}

/* A free node's subnetwork whose input depends on what it sends. */
static void advance_stepwise(spl_network *network, spl_host *host, size_t n,
    const spl_crew_member *member, bool all)
{
    const spl_scratch *scratch = &network->tied[host->node / SPL_TILE];
    for (size_t s = 0; s < n; s++) {
        if (!all || member->index == 0) {
            spl_host_set_drive(
                network, host, s, scratch->sums[s * SPL_TILE + host->node % SPL_TILE], 0);
        }
        spl_host_advance(network, host, s, 1, member, all);
    }
}

void spl_host_share(
    spl_network *network, size_t s, size_t n, const spl_crew_member *member)
{
    for (int small = 0; small < 2; small++) {
        for (size_t h = 0; h < network->n_hosts; h++) {
            spl_host *host = &network->hosts[h];
            const bool mine = host->job->large || host->job->owner == member->index;
            if (host->in_unit || host->job->large == (small != 0) || !mine) {
                continue;
            }
            if (host->stepwise && !network->together) {
                advance_stepwise(network, host, n, member, host->job->large);
            } else {
                spl_host_advance(network, host, s, n, member, host->job->large);
            }
        }
    }
}

void spl_advance_unhosted(spl_network *network, size_t n, const spl_crew_member *member)
{
    if (!network->replaying) {
        spl_jobs_advance_unhosted(
            network->jobs, network->n_jobs, network->step, n, member);
    }
}

static double within(const spl_host *host, double Q)
{
    return Q < 0.0 ? 0.0 : Q > host->Q_max ? host->Q_max : Q;
}

static double sent(const spl_host *host, double x, double Q_hat)
{
    const spl_interface_spec *interface = host->interface;
    const double own = host->replaces ? 0.0 : interface->alpha * x;
    return own + interface->beta * Q_hat;
}

spl_real spl_host_mix(
    const spl_network *network, spl_host *host, size_t s, spl_real x, bool last)
{
    if (host->interface->mode == SPL_MODE_PROBE) {
        return x;
    }
    const double Q = sent(host, (double)x, host->Q_hat[place_of(network, host, s)]);
    const double clipped = within(host, Q);
    if (last && !network->replaying) {
        host->clips += clipped != Q;
    }
    return (spl_real)clipped;
}

/* The clip is left out of the derivative: that only serves the exponential scheme. */
void spl_host_local(const spl_network *network, spl_host *host, size_t s, spl_real x,
    spl_real *q, spl_real *dq)
{
    *q = spl_host_mix(network, host, s, x, false);
    *dq = (spl_real)host->interface->alpha;
}

/* Qhat half way between two steps is their mean. */
spl_real spl_host_mix_half(
    const spl_network *network, const spl_host *host, size_t s, spl_real x)
{
    const double *Q_hat = host->Q_hat + place_of(network, host, s);
    if (host->interface->mode == SPL_MODE_PROBE) {
        return x;
    }
    return (spl_real)within(host, sent(host, (double)x, 0.5 * (Q_hat[0] + Q_hat[1])));
}

static spl_real first_state(const spl_host *host, double Q_hat, spl_real sample)
{
    return host->has_voltage
               ? (spl_real)spl_interface_voltage(Q_hat, host->Q_max, host->V_T, host->d_V)
               : sample;
}

/* Row of the record of a node that is not integrated. */
static void record(const spl_network *network, const spl_host *host, size_t s,
    spl_real sum, spl_real *row)
{
    const double Q_hat = host->Q_hat[place_of(network, host, s)];
    const spl_real x = (spl_real)within(host, sent(host, 0.0, Q_hat));
    spl_real values[SPL_MAX_STATES + 2];
    values[0] = first_state(host, Q_hat, x);
    for (size_t state = 1; state < network->n_states; state++) {
        values[state] = (spl_real)NAN;
    }
    values[network->n_states] = x;
    values[network->n_states + 1] = couple(network, host, sum, x);
    for (size_t v = 0; v < network->n_states + 2; v++) {
        if (network->run.slot[v] >= 0) {
            row[(size_t)network->run.slot[v] * network->stride + host->node] = values[v];
        }
    }
}

void spl_host_rest(const spl_network *network, const spl_host *host, size_t s)
{
    const double Q_hat = host->Q_hat[place_of(network, host, s)];
    const spl_real x = (spl_real)within(host, sent(host, 0.0, Q_hat));
    spl_real *state = network->run.state + host->node;
    if (!host->replaces) {
        return;
    }
    state[0] = first_state(host, Q_hat, x);
    for (size_t v = 1; v < network->n_states; v++) {
        state[v * network->stride] = (spl_real)NAN;
    }
}

void spl_host_end_step(const spl_network *network, const spl_host *host, size_t s,
    spl_real sum, spl_real *row)
{
    if (host->replaces && row != NULL) {
        record(network, host, s, sum, row);
    }
    spl_host_rest(network, host, s);
}

void spl_host_end(const spl_network *network, const spl_host *host,
    const spl_scratch *scratch, size_t n_steps)
{
    const spl_real *sums = scratch->sums + host->node % SPL_TILE;
    for (size_t s = 1; s <= n_steps; s++) {
        spl_host_end_step(
            network, host, s, sums[s * SPL_TILE], spl_record_row(network, s - 1));
    }
}
