/* Times making rows and delivering along them, as lines of JSON: `meson test --benchmark
 * bench_rows`. In CPU time of one thread, the best of several runs; one spike in 500
 * neurons and sub-step, as at 20 Hz and 0.1 ms. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "spiking/neuron.h"
#include "spiking/rows.h"
#include "support/random.h"

enum { N_SUBSTEPS = 500, N_RUNS = 9 };

typedef struct row_case {
    const char *name;
    size_t n;
    spl_connect_rule rule;
    uint64_t degree;
    double p;
    bool own_weights, own_delays;
} row_case;

static const row_case networks[] = {
    {"1000 x 1000, one weight, one delay", 1000, SPL_CONNECT_FIXED_INDEGREE, 1000, 0.0,
        false, false},
    {"1000 x 1000, one delay", 1000, SPL_CONNECT_FIXED_INDEGREE, 1000, 0.0, true, false},
    {"1000 x 1000", 1000, SPL_CONNECT_FIXED_INDEGREE, 1000, 0.0, true, true},
    {"1000 all to all, one delay", 1000, SPL_CONNECT_ALL_TO_ALL, 0, 0.0, true, false},
    {"10000 x 100, one weight, one delay", 10000, SPL_CONNECT_FIXED_INDEGREE, 100, 0.0,
        false, false},
    {"10000 x 100", 10000, SPL_CONNECT_FIXED_INDEGREE, 100, 0.0, true, true},
    {"10000 x 1000, one weight, one delay", 10000, SPL_CONNECT_FIXED_INDEGREE, 1000, 0.0,
        false, false},
    {"10000 x 1000", 10000, SPL_CONNECT_FIXED_INDEGREE, 1000, 0.0, true, true},
    {"10000, p = 0.1, one weight, one delay", 10000, SPL_CONNECT_PAIRWISE_BERNOULLI, 0,
        0.1, false, false},
    {"100000 x 100, one weight, one delay", 100000, SPL_CONNECT_FIXED_INDEGREE, 100, 0.0,
        false, false},
};

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Sources of all sub-steps one after the other; returns how many. */
static size_t draw_sources(size_t n, uint32_t *sources, size_t *end)
{
    uint64_t random = 1;
    size_t total = 0;
    for (size_t s = 0; s < N_SUBSTEPS; s++) {
        for (uint32_t i = 0; i < n; i++) {
            if (random_bits(&random) % 500 == 0) {
                sources[total++] = i;
            }
        }
        end[s] = total;
    }
    return total;
}

/* Nanoseconds of one pass over all sub-steps. */
static double time_delivery(
    const spl_rows *rows, size_t n, spl_target target, size_t *n_spikes)
{
    const spl_delivery_kernels *kernels = spl_delivery_kernels_of(target);
    const size_t part_size = spl_part_size(n);
    const size_t stride =
        (n + SPL_NEURON_GROUP - 1) / SPL_NEURON_GROUP * SPL_NEURON_GROUP;
    const size_t n_slots = spl_rows_max_delay(rows) + 1;
    spl_real *ring = calloc(n_slots * stride, sizeof *ring);
    uint32_t *sources = malloc(n * N_SUBSTEPS * sizeof *sources);
    size_t end[N_SUBSTEPS];
    double best = INFINITY;
    if (ring == NULL || sources == NULL) {
        abort();
    }
    *n_spikes = draw_sources(n, sources, end);
    for (int run = 0; run < N_RUNS; run++) {
        const double start = cpu_ns();
        for (size_t s = 0; s < N_SUBSTEPS; s++) {
            const size_t first = s > 0 ? end[s - 1] : 0;
            for (size_t part = 0; part * part_size < n; part++) {
                kernels->deliver(rows, part, sources + first, end[s] - first, s, ring,
                    n_slots, stride);
            }
        }
        best = fmin(best, cpu_ns() - start);
    }
    free(ring);
    free(sources);
    return best;
}

static bool time_network(const row_case *network, spl_target target)
{
    spl_population_spec population = {
        .name = (char *)"E", .size = network->n, .n_receptors = 1};
    spl_projection_spec projection = {.name = (char *)"E>E:AMPA",
        .rule = network->rule,
        .number = network->degree,
        .p = network->p,
        .allow_autapses = true,
        .allow_multapses = true,
        .weight = {SPL_DRAW_CONSTANT, 0.5, 1.0, -INFINITY, INFINITY, NULL, 0},
        .delay = {SPL_DRAW_CONSTANT, 1.5, 3.2, -INFINITY, INFINITY, NULL, 0}};
    projection.weight.kind = network->own_weights ? SPL_DRAW_UNIFORM : SPL_DRAW_CONSTANT;
    projection.delay.kind = network->own_delays ? SPL_DRAW_UNIFORM : SPL_DRAW_CONSTANT;
    const spl_subnetwork_spec spec = {.single = sizeof(spl_real) == sizeof(float),
        .n_populations = 1,
        .populations = &population,
        .n_projections = 1,
        .projections = &projection};
    const spl_rows_run run = {.h = 0.1, .seed = 1, .target = target};
    spl_rows *rows = NULL;
    size_t n_spikes;
    const double start = cpu_ns();
    if (spl_rows_create(&rows, &spec, 0, &run) != SPL_OK) {
        fprintf(stderr, "%s: %s\n", network->name, spl_last_error());
        return false;
    }
    const double made = cpu_ns() - start;
    const double delivered = time_delivery(rows, network->n, target, &n_spikes);
    const double n = (double)spl_rows_n_synapses(rows);
    printf("{\"network\": \"%s\", \"precision\": \"%s\", \"synapses\": %.0f, "
           "\"make_ns_per_synapse\": %.1f, \"bytes_per_synapse\": %.2f, "
           "\"deliver_ns_per_event\": %.3f}\n",
        network->name, SPL_PRECISION_NAME, n, made / n, (double)spl_rows_bytes(rows) / n,
        delivered / ((double)n_spikes * n / (double)network->n));
    spl_rows_free(rows);
    return true;
}

int main(void)
{
    spl_target target;
    bool good = spl_target_choose(&target) == SPL_OK;
    for (size_t i = 0; good && i < sizeof networks / sizeof *networks; i++) {
        good = time_network(&networks[i], target);
    }
    return good ? 0 : 1;
}
