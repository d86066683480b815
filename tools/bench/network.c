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

static spl_status collect_edges(bench_network *network)
{
    const size_t n = network->n_nodes;
    const double *weights = spl_connectome_weights(network->connectome);
    const double *lengths = spl_connectome_tract_lengths(network->connectome);
    size_t n_edges = 0;
    for (size_t e = 0; e < n * n; e++) {
        n_edges += weights[e] != 0.0;
    }
    network->start = calloc(n + 1, sizeof *network->start);
    network->source = calloc(n_edges + 1, sizeof *network->source);
    network->weights = calloc(n_edges + 1, sizeof *network->weights);
    network->tract_lengths = calloc(n_edges + 1, sizeof *network->tract_lengths);
    if (network->start == NULL || network->source == NULL || network->weights == NULL ||
        network->tract_lengths == NULL) {
        return SPL_ERR_NO_MEMORY;
    }
    n_edges = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            if (weights[i * n + j] != 0.0) {
                network->source[n_edges] = (int32_t)j;
                network->weights[n_edges] = weights[i * n + j];
                network->tract_lengths[n_edges++] = lengths[i * n + j];
            }
        }
        network->start[i + 1] = n_edges;
    }
    return SPL_OK;
}

/* The same nodes with no edge, and with the longest. */
static spl_status make_bare(bench_network *network)
{
    spl_status status = SPL_OK;
    const size_t n = network->n_nodes;
    const spl_connectome_options options = {.triangular = SPL_TRIANGULAR_ACCEPT};
    double *matrix = calloc(n * n, sizeof *matrix);
    double *lengths = calloc(n * n, sizeof *lengths);
    const spl_connectome_arrays arrays = {
        .n_nodes = n, .weights = matrix, .tract_lengths = lengths};
    size_t longest = 0;
    size_t target = 0;
    if (matrix == NULL || lengths == NULL) {
        status = SPL_ERR_NO_MEMORY;
        goto out;
    }
    TOOL_TRY(spl_connectome_create(&network->empty, &arrays, &options));
    for (size_t i = 0; i < n; i++) {
        for (size_t e = network->start[i]; e < network->start[i + 1]; e++) {
            if (network->tract_lengths[e] > network->tract_lengths[longest]) {
                longest = e;
                target = i;
            }
        }
    }
    matrix[target * n + (size_t)network->source[longest]] = 1.0;
    lengths[target * n + (size_t)network->source[longest]] =
        network->tract_lengths[longest];
    TOOL_TRY(spl_connectome_create(&network->pair, &arrays, &options));
out:
    free(matrix);
    free(lengths);
    return status;
}

spl_status network_init(bench_network *network, const bench_case *what, const char *file,
    const char *normalise)
{
    spl_status status = SPL_OK;
    spl_config *config = NULL;
    *network = (bench_network){.what = what};
    TOOL_TRY(spl_config_defaults(&config));
    TOOL_TRY(spl_config_set(config, "connectome.normalise", normalise));
    if (file != NULL) {
        TOOL_TRY(spl_config_set(config, "connectome.file", file));
    }
    const double begin_s = clock_wall();
    TOOL_TRY(spl_config_connectome(config, &network->connectome));
    network->load_s = clock_wall() - begin_s;
    network->n_nodes = spl_connectome_n_nodes(network->connectome);
    network->C = vary_C(network->n_nodes);
    if (network->C == NULL) {
        status = SPL_ERR_NO_MEMORY;
        goto out;
    }
    TOOL_TRY(collect_edges(network));
    TOOL_TRY(make_bare(network));
out:
    spl_config_free(config);
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
    const spl_setting undelayed[] = {
        {"connectome.speed", "inf"}, {"simulation.undelayed", "dense"}, {NULL, NULL}};
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

/* Edges shorter than a block of 16 steps, and the nodes of the largest component that
 * these connect, whatever their direction. */
static void count_short_edges(const bench_network *network, bench_facts *facts)
{
    enum { BLOCK = 16 };
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
            if ((size_t)network->source[e] != i && delay_of(network, facts, e) < BLOCK) {
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

/* Condition of one exponential for three gates, on the default widths. */
static bool may_share(const spl_model *model)
{
    double width[3] = {0.0};
    static const char *const names[] = {"d_Ca", "d_Na", "d_K"};
    for (size_t p = 0; model != NULL && p < model->n_params; p++) {
        for (size_t k = 0; k < 3; k++) {
            if (strcmp(model->params[p].name, names[k]) == 0) {
                width[k] = model->params[p].value;
            }
        }
    }
    return width[0] > 0.0 && width[0] == width[1] && 2.0 * width[0] == width[2];
}

void network_facts(const bench_network *network, const spl_sim *sim, bench_facts *facts)
{
    spl_sim_info info;
    spl_connectome_info connectome;
    spl_sim_describe(sim, &info);
    *facts = (bench_facts){
        .n_nodes = info.n_nodes,
        .block = info.block,
        .shared_exponentials = may_share(spl_model_find(info.model)),
        .precision = "double",
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
