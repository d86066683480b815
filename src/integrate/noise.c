/* Noise of a block: white (one normal per step, scaled in the kernels), or an
 * Ornstein-Uhlenbeck process eta' = eta exp(-dt / tau) + sqrt(1 - exp(-2 dt / tau)) N,
 * exact for any dt. */
#include <string.h>

#include "integrate/internal.h"

static void draw(spl_network *network, size_t state, size_t first, uint64_t k,
    size_t n_steps, double *normals)
{
    if (network->given_normals == NULL) {
        network->rng->normals(network->seed, SPL_STREAM_NOISE + (uint32_t)state, k,
            n_steps, (uint32_t)first, SPL_TILE, normals, SPL_TILE);
        return;
    }
    memset(normals, 0, n_steps * SPL_TILE * sizeof *normals);
    for (size_t s = 0; s < n_steps && k + s < network->n_given; s++) {
        const double *row = network->given_normals +
                            ((k + s) * network->n_states + state) * network->n_nodes;
        for (size_t lane = 0; lane < SPL_TILE && first + lane < network->n_nodes;
             lane++) {
            normals[s * SPL_TILE + lane] = row[first + lane];
        }
    }
}

bool spl_noise_fill(spl_network *network, spl_scratch *scratch, size_t first, uint64_t k,
    size_t n_steps, double *out)
{
    bool any = false;
    for (size_t state = 0; state < network->n_states; state++) {
        if (!network->noisy[state]) {
            continue;
        }
        any = true;
        double *normals = scratch->normals;
        draw(network, state, first, k, n_steps, normals);
        for (size_t s = 0; s < n_steps; s++) {
            double *values = out + (s * network->n_states + state) * SPL_TILE;
            if (network->process == SPL_NOISE_WHITE) {
                memcpy(values, normals + s * SPL_TILE, SPL_TILE * sizeof *values);
                continue;
            }
            double *eta = network->eta + state * network->stride + first;
            const double *scale = network->eta_scale + state * network->stride + first;
            for (size_t lane = 0; lane < SPL_TILE; lane++) {
                eta[lane] = network->eta_decay * eta[lane] +
                            network->eta_kick * normals[s * SPL_TILE + lane];
                values[lane] = network->eta_mean + scale[lane] * eta[lane];
            }
        }
    }
    return any;
}
