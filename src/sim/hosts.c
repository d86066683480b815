#include "sim/hosts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "coupling/registry.h"
#include "model/registry.h"

/* Value of a parameter of the model at a node; false if the model has no such one. */
static bool param_of(
    const spl_settings *settings, const char *name, size_t node, double *value)
{
    const spl_model *model = settings->model;
    for (size_t p = 0; p < model->n_params; p++) {
        if (strcmp(model->params[p].name, name) == 0) {
            *value = settings->params[p * settings->n_nodes + node];
            return true;
        }
    }
    return false;
}

/* Without a largest rate of its own the observable of a model counts in units of 1. */
static double largest_rate(const spl_settings *settings, size_t node)
{
    double Q_max = 1.0;
    param_of(settings, "QV_max", node, &Q_max);
    return Q_max;
}

static spl_subnetwork_run run_of(const spl_network *network, const spl_settings *settings,
    const spl_subnetwork_spec *spec)
{
    return (spl_subnetwork_run){
        .dt = settings->dt,
        .Q_max = spec->hosted ? largest_rate(settings, spec->node) : 1.0,
        .seed = settings->seed,
        .target = network->target,
        .max_steps = SPL_MAX_BLOCK,
    };
}

static spl_status check_coupling(const spl_network *network, const spl_settings *settings)
{
    bool hosted = false;
    for (size_t n = 0; n < settings->n_subnetworks; n++) {
        hosted = hosted || settings->subnetworks[n].hosted;
    }
    if (!hosted) {
        return SPL_OK;
    }
    if (!settings->sends_observable || !network->couple_one->sends_x) {
        return spl_error(SPL_ERR_CONFIG,
            "subnetworks: a node with a subnetwork sends its observable %s mixed with "
            "the rate of the subnetwork, but coupling.function %s sends %s; use "
            "mean_rate, linear or difference with coupling.observable: true",
            settings->model->observable, settings->coupling->name,
            settings->sends_observable ? "a function of it" : "a state");
    }
    return SPL_OK;
}

static spl_status check_memory(const spl_network *network, const spl_settings *settings)
{
    uint64_t bytes = 0;
    for (size_t n = 0; n < settings->n_subnetworks; n++) {
        const spl_subnetwork_spec *spec = &settings->subnetworks[n];
        const spl_subnetwork_run run = run_of(network, settings, spec);
        const uint64_t more = spl_subnetwork_memory(spec, &run);
        bytes = more > UINT64_MAX - bytes ? UINT64_MAX : bytes + more;
    }
    return spl_memory_check(bytes, "spiking subnetworks, most of it their synapses,");
}

static spl_status make_host(spl_network *network, const spl_settings *settings, size_t n)
{
    const spl_subnetwork_spec *spec = &settings->subnetworks[n];
    spl_host host = {
        .node = spec->node,
        .job = &network->jobs[n],
        .interface = &spec->interface,
        .replaces = spec->interface.mode == SPL_MODE_REPLACE,
        .Q_max = largest_rate(settings, spec->node),
    };
    host.has_voltage = param_of(settings, "VT", spec->node, &host.V_T) &&
                       param_of(settings, "d_V", spec->node, &host.d_V);
    /* hosts lie in the order of nodes */
    size_t place = network->n_hosts;
    while (place > 0 && network->hosts[place - 1].node > host.node) {
        place--;
    }
    spl_bug_assert(place == 0 || network->hosts[place - 1].node != host.node);
    memmove(&network->hosts[place + 1], &network->hosts[place],
        (network->n_hosts - place) * sizeof host);
    network->hosts[place] = host;
    network->n_hosts++;
    spl_host *made = &network->hosts[place];
    made->drive = calloc(SPL_MAX_BLOCK, sizeof *made->drive);
    made->Q_hat = calloc(SPL_MAX_BLOCK + 1, sizeof *made->Q_hat);
    if (made->drive == NULL || made->Q_hat == NULL) {
        return spl_error(
            SPL_ERR_NO_MEMORY, "out of memory: drive of subnetwork %s", spec->name);
    }
    network->replaced[host.node] = host.replaces;
    if (spec->interface.local_feedback) {
        network->feeds_back[host.node / SPL_TILE] = true;
    }
    return SPL_OK;
}

static spl_status make_job(spl_network *network, const spl_settings *settings, size_t n)
{
    spl_status status = SPL_OK;
    const spl_subnetwork_spec *spec = &settings->subnetworks[n];
    const spl_subnetwork_run run = run_of(network, settings, spec);
    spl_subnetwork *subnetwork = NULL;
    SPL_TRY(spl_subnetwork_create(&subnetwork, spec, &run));
    network->jobs[n] = spl_job_of(subnetwork, spec->hosted);
    network->n_jobs++;
    if (spec->hosted) {
        SPL_TRY(make_host(network, settings, n));
    }
out:
    return status;
}

static void index_tiles(spl_network *network)
{
    const size_t n_tiles = network->stride / SPL_TILE;
    size_t h = 0;
    for (size_t tile = 0; tile < n_tiles; tile++) {
        network->first_host[tile] = (uint32_t)h;
        while (h < network->n_hosts && network->hosts[h].node / SPL_TILE == tile) {
            h++;
        }
    }
    network->first_host[n_tiles] = (uint32_t)h;
}

spl_status spl_hosts_create(spl_network *network, const spl_settings *settings)
{
    spl_status status = SPL_OK;
    const size_t n = settings->n_subnetworks;
    if (n == 0) {
        return SPL_OK;
    }
    const spl_model_kernels *one =
        spl_model_kernels_of(settings->model, SPL_TARGET_SCALAR);
    network->one = one;
    network->couple_one = spl_coupling_kernels_of(settings->coupling, SPL_TARGET_SCALAR);
    SPL_TRY(check_coupling(network, settings));
    SPL_TRY(check_memory(network, settings));
    network->hosts = calloc(n, sizeof *network->hosts);
    network->jobs = calloc(n, sizeof *network->jobs);
    network->replaced = calloc(network->n_nodes, sizeof *network->replaced);
    network->feeds_back = calloc(network->stride / SPL_TILE, sizeof *network->feeds_back);
    network->first_host =
        calloc(network->stride / SPL_TILE + 1, sizeof *network->first_host);
    if (network->hosts == NULL || network->jobs == NULL || network->replaced == NULL ||
        network->feeds_back == NULL || network->first_host == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: %zu subnetworks", n);
    }
    for (size_t i = 0; i < n; i++) {
        SPL_TRY(make_job(network, settings, i));
    }
    index_tiles(network);
out:
    return status;
}

void spl_hosts_release(spl_network *network)
{
    for (size_t h = 0; h < network->n_hosts; h++) {
        free(network->hosts[h].drive);
        free(network->hosts[h].Q_hat);
    }
    for (size_t j = 0; j < network->n_jobs; j++) {
        spl_subnetwork_free(network->jobs[j].subnetwork);
    }
    free(network->hosts);
    free(network->jobs);
    free(network->replaced);
    free(network->feeds_back);
    free(network->first_host);
}

static bool is_tied(const spl_network *network, size_t tile)
{
    const spl_plan *plan = network->plan;
    for (size_t t = 0; t < plan->unit_start[plan->n_tied]; t++) {
        if (plan->tile[t] == tile) {
            return true;
        }
    }
    return false;
}

/* Nothing but hosts with feedback has local terms other than its own. */
static void clear_local(spl_network *network)
{
    for (size_t tile = 0; tile < network->stride / SPL_TILE; tile++) {
        spl_real *local = network->tied[tile].local;
        for (size_t lane = 0; local != NULL && lane < SPL_TILE; lane++) {
            local[lane] = (spl_real)NAN;
            local[SPL_TILE + lane] = 1;
        }
    }
}

void spl_hosts_settle(spl_network *network)
{
    clear_local(network);
    for (size_t h = 0; h < network->n_hosts; h++) {
        spl_host *host = &network->hosts[h];
        host->in_unit = !network->together && is_tied(network, host->node / SPL_TILE);
        host->stepwise = host->replaces && (!network->couple_one->affine ||
                                               network->coupling.own[host->node] != 0 ||
                                               network->coupling.self[host->node] != 0);
    }
}

bool spl_hosts_want_lockstep(const spl_network *network)
{
    for (size_t h = 0; h < network->n_hosts; h++) {
        if (network->hosts[h].job->large &&
            is_tied(network, network->hosts[h].node / SPL_TILE)) {
            return true;
        }
    }
    return false;
}
