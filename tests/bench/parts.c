#include "parts.h"

#include "model/registry.h"

void contender_calibrate(contender *c, double seconds)
{
    c->count = 1;
    for (;;) {
        const double start = cpu_seconds();
        c->run(c->user, c->count);
        if (cpu_seconds() - start >= seconds) {
            return;
        }
        c->count *= 2;
    }
}

double contender_time(const contender *c)
{
    const double start = cpu_seconds();
    c->run(c->user, c->count);
    return 1e9 * (cpu_seconds() - start) / (double)c->count;
}

/* Time a contender some times over; a unit of its work is `units` of the result. */
static void repeat(contender c, double units, size_t rounds, double seconds, sample *out)
{
    contender_calibrate(&c, seconds);
    for (size_t round = 0; round < rounds; round++) {
        sample_add(out, contender_time(&c) / units);
    }
}

typedef struct {
    spl_network *network;
    const spl_model_kernels *model;
    const spl_sum_kernels *sum;
    const spl_rng_kernels *rng;
} part;

/* One unit: a block of all tiles. */
static void run_kernel(void *user, uint64_t count)
{
    const part *p = user;
    const spl_scratch *scratch = p->network->scratch;
    for (uint64_t block = 0; block < count; block++) {
        for (size_t first = 0; first < p->network->stride; first += SPL_TILE) {
            const spl_kernel_block kernel = {
                .first = first,
                .n_steps = SPL_MAX_BLOCK,
                .sums = scratch->sums,
                .sent = scratch->sent,
                .extreme = scratch->extreme,
            };
            p->model->block[SPL_SCHEME_HEUN](&p->network->run, &kernel);
        }
    }
}

void time_kernel(
    spl_network *network, spl_target target, size_t rounds, double seconds, sample *out)
{
    part p = {
        .network = network, .model = spl_model_kernels_of(network->model->model, target)};
    for (size_t v = 0; v < (SPL_MAX_BLOCK + 1) * SPL_TILE; v++) {
        network->scratch->sums[v] = 0.25;
    }
    repeat((contender){run_kernel, &p, 0}, (double)network->stride * SPL_MAX_BLOCK,
        rounds, seconds, out);
}

/* One unit: the sums of a block of all tiles, at changing places of the ring. */
static void run_sums(void *user, uint64_t count)
{
    const part *p = user;
    const spl_network *network = p->network;
    for (uint64_t block = 0; block < count; block++) {
        const int64_t k = (int64_t)(block * network->plan->block);
        for (size_t first = 0; first < network->stride; first += SPL_TILE) {
            p->sum->delayed(network->plan, network->history, k, network->plan->block,
                first, network->scratch->sums, SPL_TILE);
        }
    }
}

void time_sums(
    spl_network *network, spl_target target, size_t rounds, double seconds, sample *out)
{
    part p = {.network = network, .sum = spl_sum_kernels_of(target)};
    repeat((contender){run_sums, &p, 0},
        (double)(network->plan->n_edges * network->plan->block), rounds, seconds, out);
}

/* One unit: 16 nodes by 16 steps. */
static void run_normals(void *user, uint64_t count)
{
    const part *p = user;
    double normals[SPL_MAX_BLOCK * SPL_TILE];
    for (uint64_t block = 0; block < count; block++) {
        p->rng->normals(1, SPL_STREAM_NOISE, block * SPL_MAX_BLOCK, SPL_MAX_BLOCK, 0,
            SPL_TILE, normals, SPL_TILE);
        __asm__ volatile("" ::"r"(normals) : "memory");
    }
}

void time_normals(spl_target target, size_t rounds, double seconds, sample *out)
{
    part p = {.rng = spl_rng_kernels_of(target)};
    repeat(
        (contender){run_normals, &p, 0}, SPL_MAX_BLOCK * SPL_TILE, rounds, seconds, out);
}
