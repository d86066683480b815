#include "network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static spl_status set_all(spl_config *config, const spl_setting *settings)
{
    spl_status status = SPL_OK;
    for (; status == SPL_OK && settings->key != NULL; settings++) {
        status = spl_config_set(config, settings->key, settings->value);
    }
    return status;
}

/* Within 10 % of the default: no kernel can take it for one number. */
static char *vary_C(size_t n_nodes)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (file == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < n_nodes; i++) {
        fprintf(file, "%s%.4f", i == 0 ? "[" : ", ",
            0.09 + 0.02 * (double)i / (double)n_nodes);
    }
    fputs("]", file);
    fclose(file);
    return text;
}

static spl_status take_memory(bench_network *network, size_t n_edges)
{
    network->start = calloc(network->n_nodes + 1, sizeof *network->start);
    network->source = calloc(n_edges + 1, sizeof *network->source);
    network->weights = calloc(n_edges + 1, sizeof *network->weights);
    network->tract_lengths = calloc(n_edges + 1, sizeof *network->tract_lengths);
    return network->start != NULL && network->source != NULL &&
                   network->weights != NULL && network->tract_lengths != NULL
               ? SPL_OK
               : SPL_ERR_NO_MEMORY;
}

/* Entries that are edges, of a matrix or of sparse rows. */
static spl_status collect_edges(bench_network *network)
{
    const size_t n = network->n_nodes;
    size_t n_edges = 0;
    spl_edges all;
    spl_connectome_edges(network->connectome, &all);
    for (size_t e = 0; e < all.n_entries; e++) {
        n_edges += all.weights[e] != 0.0;
    }
    const spl_status status = take_memory(network, n_edges);
    n_edges = 0;
    for (size_t i = 0; i < n && status == SPL_OK; i++) {
        const size_t begin = all.start != NULL ? all.start[i] : i * n;
        const size_t end = all.start != NULL ? all.start[i + 1] : begin + n;
        for (size_t e = begin; e < end; e++) {
            if (all.weights[e] != 0.0) {
                network->source[n_edges] =
                    all.source != NULL ? all.source[e] : (int32_t)(e - begin);
                network->weights[n_edges] = all.weights[e];
                network->tract_lengths[n_edges++] = all.tract_lengths[e];
            }
        }
        network->start[i + 1] = n_edges;
    }
    return status;
}

/* Random numbers of a network that is the same every time (splitmix64). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* The sources of a node, distinct and not the node itself. */
static void draw_sources(
    uint64_t *random, size_t node, size_t n_nodes, size_t n, int32_t *source)
{
    for (size_t k = 0; k < n;) {
        const int32_t candidate = (int32_t)(next_random(random) % n_nodes);
        bool known = (size_t)candidate == node;
        for (size_t other = 0; other < k; other++) {
            known = known || source[other] == candidate;
        }
        if (!known) {
            source[k++] = candidate;
        }
    }
}

/* Every node has 50 sources anywhere, weights in (0, 1], lengths in [5, 145] mm, all
 * uniform: nothing is near, caches help little. */
static spl_status make_synthetic(bench_network *network, size_t n_nodes)
{
    enum { N_SOURCES = 50 };
    spl_status status = SPL_OK;
    uint64_t random = 1;
    network->n_nodes = n_nodes;
    TOOL_TRY(take_memory(network, n_nodes * N_SOURCES));
    for (size_t i = 0; i < n_nodes; i++) {
        const size_t first = i * N_SOURCES;
        draw_sources(&random, i, n_nodes, N_SOURCES, network->source + first);
        for (size_t e = first; e < first + N_SOURCES; e++) {
            network->weights[e] = (double)((next_random(&random) >> 11) + 1) * 0x1p-53;
            network->tract_lengths[e] =
                5.0 + 140.0 * (double)(next_random(&random) >> 11) * 0x1p-53;
        }
        network->start[i + 1] = first + N_SOURCES;
    }
    const spl_edges edges = {n_nodes * N_SOURCES, network->start, network->source,
        network->weights, network->tract_lengths};
    const spl_connectome_arrays arrays = {.n_nodes = n_nodes};
    TOOL_TRY(spl_connectome_create_sparse(&network->connectome, &edges, &arrays, NULL));
out:
    return status;
}

/* The same nodes with no edge, and with the longest. */
static spl_status make_bare(bench_network *network)
{
    spl_status status = SPL_OK;
    const spl_connectome_options options = {.triangular = SPL_TRIANGULAR_ACCEPT};
    const spl_connectome_arrays arrays = {.n_nodes = network->n_nodes};
    size_t *start = calloc(network->n_nodes + 1, sizeof *start);
    size_t longest = 0;
    size_t target = 0;
    if (start == NULL) {
        return SPL_ERR_NO_MEMORY;
    }
    spl_edges edges = {
        0, start, network->source, network->weights, network->tract_lengths};
    TOOL_TRY(spl_connectome_create_sparse(&network->empty, &edges, &arrays, &options));
    for (size_t i = 0; i < network->n_nodes; i++) {
        for (size_t e = network->start[i]; e < network->start[i + 1]; e++) {
            if (network->tract_lengths[e] > network->tract_lengths[longest]) {
                longest = e;
                target = i;
            }
        }
    }
    for (size_t i = target; i < network->n_nodes; i++) {
        start[i + 1] = 1;
    }
    edges = (spl_edges){1, start, network->source + longest, network->weights + longest,
        network->tract_lengths + longest};
    TOOL_TRY(spl_connectome_create_sparse(&network->pair, &edges, &arrays, &options));
out:
    free(start);
    return status;
}

static spl_status load(bench_network *network, const char *file, const char *normalise)
{
    spl_status status = SPL_OK;
    spl_config *config = NULL;
    TOOL_TRY(spl_config_defaults(&config));
    TOOL_TRY(spl_config_set(config, "connectome.normalise", normalise));
    if (file != NULL) {
        TOOL_TRY(spl_config_set(config, "connectome.file", file));
    }
    TOOL_TRY(spl_config_connectome(config, &network->connectome));
    network->n_nodes = spl_connectome_n_nodes(network->connectome);
    TOOL_TRY(collect_edges(network));
out:
    spl_config_free(config);
    return status;
}

spl_status network_init(bench_network *network, const bench_case *what, const char *file,
    const char *normalise)
{
    spl_status status = SPL_OK;
    *network = (bench_network){.what = what};
    const double begin_s = clock_wall();
    if (what->n_synthetic > 0) {
        TOOL_TRY(make_synthetic(network, what->n_synthetic));
    } else {
        TOOL_TRY(load(network, file, normalise));
    }
    network->load_s = clock_wall() - begin_s;
    network->C = vary_C(network->n_nodes);
    if (network->C == NULL) {
        return SPL_ERR_NO_MEMORY;
    }
    TOOL_TRY(make_bare(network));
out:
    return status;
}

void network_deinit(bench_network *network)
{
    spl_connectome_free(network->connectome);
    spl_connectome_free(network->empty);
    spl_connectome_free(network->pair);
    free(network->start);
    free(network->source);
    free(network->weights);
    free(network->tract_lengths);
    free(network->C);
    *network = (bench_network){0};
}

spl_status network_sim(spl_sim **sim, bench_network *network, spl_connectome *connectome,
    const spl_setting *settings, const char *target)
{
    spl_status status = SPL_OK;
    spl_config *config = NULL;
    const char *forced = getenv("SPL_TARGET");
    char *before = forced != NULL ? strdup(forced) : NULL;
    const spl_setting common[] = {{"simulation.threads", "1"}, {"output.file", ""},
        {"simulation.duration", "1e9"}, {"model.C", network->C}, {NULL, NULL}};
    const spl_setting undelayed[] = {{"connectome.speed", "inf"}, {NULL, NULL}};
    TOOL_TRY(spl_config_defaults(&config));
    TOOL_TRY(set_all(config, common));
    if (network->what->undelayed) {
        TOOL_TRY(set_all(config, undelayed));
    }
    TOOL_TRY(set_all(config, settings));
    if (target != NULL) {
        setenv("SPL_TARGET", target, 1);
    }
    const double begin_s = clock_wall();
    status = spl_sim_create(sim, config, connectome);
    network->create_s = clock_wall() - begin_s;
    if (target != NULL && before != NULL) {
        setenv("SPL_TARGET", before, 1);
    } else if (target != NULL) {
        unsetenv("SPL_TARGET");
    }
out:
    spl_config_free(config);
    free(before);
    return status;
}

static uint32_t delay_of(const bench_network *network, const bench_facts *facts, size_t e)
{
    /* two divisions in this order, as the library does */
    return (uint32_t)rint(network->tract_lengths[e] / facts->speed / facts->dt);
}

static size_t root_of(size_t *parent, size_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* Edges shorter than a block, and the nodes of the largest component that these connect,
 * whatever their direction. */
static void count_short_edges(const bench_network *network, bench_facts *facts)
{
    size_t *parent = calloc(2 * network->n_nodes, sizeof *parent);
    if (parent == NULL) {
        return;
    }
    size_t *size = parent + network->n_nodes;
    for (size_t i = 0; i < network->n_nodes; i++) {
        parent[i] = i;
    }
    for (size_t i = 0; i < network->n_nodes; i++) {
        for (size_t e = network->start[i]; e < network->start[i + 1]; e++) {
            if ((size_t)network->source[e] != i &&
                delay_of(network, facts, e) < facts->block) {
                facts->n_short++;
                parent[root_of(parent, i)] = root_of(parent, (size_t)network->source[e]);
            }
        }
    }
    for (size_t i = 0; i < network->n_nodes; i++) {
        const size_t nodes = ++size[root_of(parent, i)];
        if (nodes > facts->largest_component) {
            facts->largest_component = nodes;
        }
    }
    free(parent);
}

/* Of edges between nodes. */
static void find_delays(const bench_network *network, bench_facts *facts)
{
    facts->delay_min = UINT32_MAX;
    for (size_t i = 0; i < network->n_nodes; i++) {
        for (size_t e = network->start[i]; e < network->start[i + 1]; e++) {
            if ((size_t)network->source[e] == i) {
                facts->n_self++;
                continue;
            }
            const uint32_t delay = delay_of(network, facts, e);
            facts->n_edges++;
            facts->delay_min = delay < facts->delay_min ? delay : facts->delay_min;
            facts->delay_max = delay > facts->delay_max ? delay : facts->delay_max;
        }
    }
    facts->delay_min = facts->n_edges > 0 ? facts->delay_min : 0;
}

void network_facts(const bench_network *network, const spl_sim *sim, bench_facts *facts)
{
    spl_sim_info info;
    spl_connectome_info connectome;
    spl_sim_describe(sim, &info);
    *facts = (bench_facts){
        .n_nodes = info.n_nodes,
        .block = info.block,
        .shared_exponentials = strcmp(info.gates, "shared") == 0,
        .precision = info.precision,
        .dt = info.dt_ms,
        .speed = network->what->undelayed ? INFINITY : 3.0,
        .threads = info.threads,
        .by_region = true,
    };
    if (spl_connectome_describe(network->connectome, false, &connectome) == SPL_OK) {
        snprintf(facts->sha256, sizeof facts->sha256, "%s", connectome.sha256);
    }
    snprintf(facts->path, sizeof facts->path, "%s", info.path);
    snprintf(facts->target, sizeof facts->target, "%s", info.target);
    snprintf(facts->scheme, sizeof facts->scheme, "%s", info.integrator);
    snprintf(facts->stages, sizeof facts->stages, "%s", info.coupling_stages);
    find_delays(network, facts);
    count_short_edges(network, facts);
    for (size_t m = 0; m < spl_sim_monitor_count(sim); m++) {
        spl_sim_monitor monitor;
        spl_sim_monitor_at(sim, m, &monitor);
        const size_t length = strlen(facts->monitors);
        snprintf(facts->monitors + length, sizeof facts->monitors - length, "%s%s",
            m > 0 ? ", " : "", monitor.name);
    }
}

double advance_sim(void *user, uint64_t n_steps)
{
    const double begin_s = clock_thread();
    return spl_sim_step(user, n_steps) == SPL_OK ? clock_thread() - begin_s : -1.0;
}

double advance_sim_wall(void *user, uint64_t n_steps)
{
    const double begin_s = clock_wall();
    return spl_sim_step(user, n_steps) == SPL_OK ? clock_wall() - begin_s : -1.0;
}
