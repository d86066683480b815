/* Noise of a block: white (one normal per step, scaled in the kernels), or an
 * Ornstein-Uhlenbeck process eta' = eta exp(-dt / tau) + sqrt(1 - exp(-2 dt / tau)) N,
 * exact for any dt. */
#include "integrate/internal.h"

/* Nodes of a tile with whole groups of normals; lanes behind them are padding. */
static size_t count_drawn(const spl_network *network, size_t first)
{
    const size_t left = network->n_nodes - first;
    const size_t n = left < SPL_TILE ? left : SPL_TILE;
    return (n + SPL_NORMALS_GROUP - 1) / SPL_NORMALS_GROUP * SPL_NORMALS_GROUP;
}

/* Normals of one state: step s at out[s * step_stride]. */
static void draw(const spl_network *network, size_t state, size_t first, uint64_t k,
    size_t n_steps, spl_real *out, size_t step_stride)
{
    if (network->given_normals == NULL) {
        network->rng->normals(network->seed, SPL_STREAM_NOISE + (uint32_t)state,
            network->noise_start + k, n_steps, (uint32_t)first,
            count_drawn(network, first), out, step_stride);
        return;
    }
    for (size_t s = 0; s < n_steps; s++) {
        const double *row = network->given_normals +
                            ((k + s) * network->n_states + state) * network->n_nodes;
        for (size_t lane = 0; lane < SPL_TILE; lane++) {
            const bool given =
                k + s < network->n_given && first + lane < network->n_nodes;
            out[s * step_stride + lane] = given ? (spl_real)row[first + lane] : 0;
        }
    }
}

/* Normals [n_steps][step_stride] of one state become values of its coloured noise. */
static void colour(const spl_network *network, size_t state, size_t first, size_t n_steps,
    spl_real *values, size_t step_stride)
{
    spl_real *eta = network->eta + state * network->stride + first;
    const spl_real *scale = network->eta_scale + state * network->stride + first;
    for (size_t s = 0; s < n_steps; s++) {
        spl_real *step = values + s * step_stride;
        for (size_t lane = 0; lane < SPL_TILE; lane++) {
            eta[lane] = (spl_real)(network->eta_decay * eta[lane] +
                                   network->eta_kick * step[lane]);
            step[lane] = (spl_real)(network->eta_mean + scale[lane] * eta[lane]);
        }
    }
}

bool spl_noise_fill(
    spl_network *network, size_t first, uint64_t k, size_t n_steps, spl_real *out)
{
    const size_t step_stride = network->n_states * SPL_TILE;
    bool any = false;
    for (size_t state = 0; state < network->n_states; state++) {
        if (network->noisy[state]) {
            spl_real *values = out + state * SPL_TILE;
            any = true;
            draw(network, state, first, k, n_steps, values, step_stride);
            if (network->process == SPL_NOISE_COLOURED) {
                colour(network, state, first, n_steps, values, step_stride);
            }
        }
    }
    return any;
}
