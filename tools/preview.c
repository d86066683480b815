#include "preview.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "progress.h"
#include "summary.h"
#include "talk.h"

/* Enough to see past the first cache misses, little enough to return at once: large
 * networks, whose edges come from memory in every step, need fewer. */
enum { N_STEPS = 100, N_STEPS_LARGE = 32, LARGE_EDGES = 1000000 };

static void say_network(const spl_sim *sim, const spl_sim_info *info)
{
    const size_t n = spl_sim_population_count(sim);
    uint64_t n_neurons = 0;
    char neurons[64] = "";
    for (size_t i = 0; i < n; i++) {
        spl_sim_population population;
        spl_sim_population_at(sim, i, &population);
        n_neurons += population.size;
    }
    if (n > 0) {
        snprintf(neurons, sizeof neurons, "%" PRIu64 " neurons in %zu population%s, ",
            n_neurons, n, n == 1 ? "" : "s");
    }
    if (info->n_nodes == 0) {
        talk_note("valid: %sno nodes, on target %s", neurons, info->target);
        return;
    }
    talk_note("valid: %s%zu nodes, %zu edges, %s, %s, %s (%s), %s engine in %s "
              "on target %s",
        neurons, info->n_nodes, info->n_edges, info->model, info->coupling,
        info->integrator, info->coupling_stages, info->engine, info->precision,
        info->target);
}

static void say_cost(const spl_sim_info *info, double seconds)
{
    char memory[24];
    char output[24];
    char clock[24];
    format_bytes(memory, sizeof memory, info->memory_bytes);
    format_bytes(output, sizeof output, info->output_bytes);
    format_clock(clock, sizeof clock, seconds);
    talk_note("%.6g s in %llu steps of %.6g ms would take about %s on %d thread%s",
        (double)info->n_steps * info->dt_ms / 1000.0, (unsigned long long)info->n_steps,
        info->dt_ms, clock, info->threads, info->threads == 1 ? "" : "s");
    if (*info->output == '\0') {
        talk_note("memory %s; no results file", memory);
        return;
    }
    talk_note("memory %s; results file %s, %s", memory, info->output, output);
    if (access(info->output, F_OK) == 0) {
        talk_note("%s exists: a run replaces it only with --force", info->output);
    }
}

spl_status preview(
    const spl_config *config, const spl_connectome *connectome, spl_sim *sim)
{
    char *json = NULL;
    double seconds = 0.0;
    spl_sim_info info;
    spl_sim_describe(sim, &info);
    info.memory_bytes += summary_memory(sim);
    spl_status status = spl_config_resolved(config, connectome, &json);
    if (status == SPL_OK && !talk_is_quiet()) {
        status = spl_sim_estimate(
            sim, info.n_edges < LARGE_EDGES ? N_STEPS : N_STEPS_LARGE, &seconds);
    }
    if (status == SPL_OK) {
        puts(json);
        fflush(stdout);
        say_network(sim, &info);
        say_cost(&info, seconds);
    }
    free(json);
    return status;
}
