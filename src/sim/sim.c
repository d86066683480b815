/* Making and releasing a run. */
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/config.h"
#include "connectome/connectome.h"

/* The file as it was read, the configuration, that of the run, and on its way to the
 * results. */
enum { N_CONFIG_COPIES = 4 };

/* The monitors speak of variables, the network of slots of its record. */
static spl_status open_monitors(spl_sim *sim)
{
    spl_status status = SPL_OK;
    const spl_settings *settings = &sim->settings;
    const spl_monitor_run run = {
        .n_nodes = settings->n_nodes,
        .dt_ms = settings->dt,
        .n_transient = settings->n_transient,
        .n_steps = settings->n_steps,
    };
    sim->monitors = calloc(settings->n_monitors + 1, sizeof *sim->monitors);
    sim->placed = calloc(settings->n_monitors + 1, sizeof *sim->placed);
    if (sim->monitors == NULL || sim->placed == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: monitors");
    }
    sim->all_take_pieces = true;
    for (size_t m = 0; m < settings->n_monitors; m++) {
        spl_monitor_spec spec = settings->monitors[m];
        bool states = true;
        for (size_t v = 0; v < spec.n_variables; v++) {
            states = states && spec.variable[v] < settings->model->n_states;
            const int slot = sim->engine->slot[spec.variable[v]];
            spl_bug_assert(slot >= 0);
            spec.variable[v] = (size_t)slot;
        }
        SPL_TRY(spl_monitor_open(&sim->monitors[m], &spec, &run, sim->engine->max_block));
        sim->n_monitors++;
        sim->has_raw_f4 = sim->has_raw_f4 || spl_monitor_is_raw_f4(sim->monitors[m]);
        sim->all_take_pieces =
            sim->all_take_pieces && states && spl_monitor_takes_pieces(sim->monitors[m]);
        sim->memory_bytes += spl_monitor_memory(&spec, &run, sim->engine->max_block);
    }
out:
    return status;
}

static spl_status open_recorder(spl_sim *sim)
{
    spl_status status = SPL_OK;
    const size_t n = sim->settings.n_subnetworks;
    if (n == 0) {
        return SPL_OK;
    }
    sim->blocks = calloc(n, sizeof *sim->blocks);
    sim->clips = calloc(n, sizeof *sim->clips);
    if (sim->blocks == NULL || sim->clips == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: recording of spikes");
    }
    SPL_TRY(spl_recorder_create(
        &sim->recorder, &sim->settings, sim->connectome, sim->engine->max_block));
    sim->memory_bytes += spl_recorder_memory(sim->recorder);
out:
    return status;
}

/* Entries of the connectome and the parameters of the settings. */
static uint64_t connectome_bytes(const spl_sim *sim)
{
    const uint64_t n = sim->settings.n_nodes;
    spl_edges edges;
    if (sim->settings.alone) {
        return 0;
    }
    spl_connectome_edges(sim->connectome, &edges);
    uint64_t bytes =
        edges.n_entries * (sizeof *edges.weights + sizeof *edges.tract_lengths);
    if (edges.start != NULL) {
        bytes += edges.n_entries * sizeof *edges.source + n * sizeof *edges.start;
    }
    return bytes + sim->settings.model->n_params * n * sizeof(double);
}

/* What was in memory when the inputs were read: files beside the matrices made of them,
 * and a configuration with its copies, which a file of comments makes long. */
static void count_inputs(spl_sim *sim)
{
    const uint64_t text_bytes = sim->connectome != NULL ? sim->connectome->text_bytes : 0;
    const uint64_t loading = connectome_bytes(sim) + text_bytes;
    sim->memory_bytes = loading > sim->memory_bytes ? loading : sim->memory_bytes;
    sim->memory_bytes += N_CONFIG_COPIES * (uint64_t)strlen(sim->settings.yaml);
}

spl_status spl_sim_create(
    spl_sim **out, const spl_config *config, spl_connectome *connectome)
{
    return spl_sim_create_changed(out, config, connectome, NULL);
}

spl_status spl_sim_create_changed(spl_sim **out, const spl_config *config,
    spl_connectome *connectome, void (*change)(spl_settings *settings))
{
    spl_status status = SPL_OK;
    bool record[SPL_MAX_STATES + 2] = {false};
    *out = NULL;
    spl_sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: a run");
    }
    sim->connectome = connectome != NULL ? spl_connectome_ref(connectome) : NULL;
    SPL_TRY(spl_config_resolve(config, connectome, &sim->settings));
    if (change != NULL) {
        change(&sim->settings);
    }
    for (size_t m = 0; m < sim->settings.n_monitors; m++) {
        const spl_monitor_spec *spec = &sim->settings.monitors[m];
        for (size_t v = 0; v < spec->n_variables; v++) {
            record[spec->variable[v]] = true;
        }
    }
    const spl_engine_ops *ops = sim->settings.alone    ? &spl_engine_alone
                                : sim->settings.single ? &spl_engine_single
                                                       : &spl_engine_double;
    SPL_TRY(ops->create(&sim->engine, &sim->settings, connectome, record, NULL));
    sim->memory_bytes = sizeof *sim + sim->engine->memory_bytes + connectome_bytes(sim);
    SPL_TRY(open_monitors(sim));
    SPL_TRY(open_recorder(sim));
    if (sim->settings.output != NULL) {
        uint64_t writing_bytes = 0;
        SPL_TRY(spl_results_size(sim, &sim->output_bytes, &writing_bytes));
        writing_bytes += spl_checkpoint_memory(sim);
        sim->memory_bytes += writing_bytes;
        SPL_TRY(spl_memory_check(writing_bytes, "writing the results file"));
    }
    if (sim->settings.from != NULL) {
        /* the run that this one branches from is there at the start: as many nodes, and
         * mostly the same delays */
        sim->memory_bytes += sim->engine->memory_bytes + connectome_bytes(sim);
    }
    count_inputs(sim);
    spl_guard_params(sim);
    spl_guard_subnetworks(sim);
    *out = sim;
    sim = NULL;
out:
    spl_sim_free(sim);
    return status;
}

void spl_sim_free(spl_sim *sim)
{
    if (sim == NULL) {
        return;
    }
    for (size_t m = 0; m < sim->n_monitors; m++) {
        spl_monitor_close(sim->monitors[m]);
    }
    free(sim->monitors);
    free(sim->placed);
    spl_output_free(sim->output);
    spl_checkpoint_deinit(&sim->checkpoint);
    spl_recorder_free(sim->recorder);
    free(sim->blocks);
    free(sim->clips);
    if (sim->engine != NULL) {
        sim->engine->ops->free(sim->engine);
    }
    spl_settings_free(&sim->settings);
    spl_connectome_free(sim->connectome);
    free(sim);
}
