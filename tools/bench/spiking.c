/* The network of 10,000 neurons that other simulators are compared with, alone: nodes and
 * connectome play no part. */
#include <math.h>
#include <stdlib.h>

#include "network.h"

/* Simulated time before rates are counted, and while they are. */
enum { NEURONS = 10000, SKIPPED_STEPS = 2000, COUNTED_STEPS = 10000 };

/* Rates of three independent programs (docs/spiking.md, Benchmarks); a run of another
 * seed is within 2 %, connections included. */
static const struct {
    size_t in_degree;
    double rate_E, rate_I; /* Hz */
} known[] = {{100, 6.3, 13.7}, {1000, 3.45, 9.65}};
static const double ALLOWED = 0.1;

static spl_status make(spl_sim **sim, size_t in_degree, const char *output)
{
    spl_status status = SPL_OK;
    spl_config *config = NULL;
    char text[160];
    snprintf(text, sizeof text,
        "[{name: net, size: %d, K: %zu, scheme: euler, substep: 0.1, nu0: 1}]", NEURONS,
        in_degree);
    TOOL_TRY(spl_config_defaults(&config));
    TOOL_TRY(spl_config_set(config, "subnetworks", text));
    TOOL_TRY(spl_config_set(config, "simulation.duration", "1000 h"));
    TOOL_TRY(spl_config_set(config, "simulation.threads", "1"));
    TOOL_TRY(spl_config_set(config, "output.file", output));
    TOOL_TRY(spl_sim_create(sim, config, NULL));
out:
    spl_config_free(config);
    return status;
}

/* Spikes of the two populations, added up by the sink. */
typedef struct {
    double n[2];
} spike_counts;

static spl_status count(void *user, const spl_spikes *spikes)
{
    spike_counts *counts = user;
    if (spikes->population < 2) {
        counts->n[spikes->population] += (double)spikes->n_spikes;
    }
    return SPL_OK;
}

static spl_status check_rates(spl_sim *sim, bench_result *result)
{
    spl_status status = SPL_OK;
    spike_counts counts = {{0.0}};
    const double time_s = COUNTED_STEPS * 1e-4;
    TOOL_TRY(spl_sim_step(sim, SKIPPED_STEPS));
    spl_sim_set_spike_sink(sim, count, &counts);
    TOOL_TRY(spl_sim_step(sim, COUNTED_STEPS));
    spl_sim_set_spike_sink(sim, NULL, NULL);
    result->rate_E = counts.n[0] / (0.8 * NEURONS) / time_s;
    result->rate_I = counts.n[1] / (0.2 * NEURONS) / time_s;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        if (known[k].in_degree == result->what->in_degree &&
            (fabs(result->rate_E / known[k].rate_E - 1.0) > ALLOWED ||
                fabs(result->rate_I / known[k].rate_I - 1.0) > ALLOWED)) {
            snprintf(result->refused, sizeof result->refused,
                "the rates %.2f and %.2f Hz are more than 10 %% away from %.2f and %.2f",
                result->rate_E, result->rate_I, known[k].rate_E, known[k].rate_I);
        }
    }
out:
    return status;
}

spl_status bench_run_spiking(const bench_setting *setting, bench_result *result)
{
    spl_status status = SPL_OK;
    spl_sim *sim = NULL;
    bench_contender run = {.advance = advance_sim};
    const double begin_s = clock_wall();
    TOOL_TRY(make(&sim, result->what->in_degree, ""));
    result->create_s = clock_wall() - begin_s;
    result->n_neurons = NEURONS;
    TOOL_TRY(check_rates(sim, result));
    if (*result->refused != '\0') {
        goto out;
    }
    run.user = sim;
    if (!contender_prepare(&run, setting->effort.warm_up, setting->effort.window_s)) {
        status = SPL_ERR_INTERNAL;
        goto out;
    }
    for (size_t round = 0; round < setting->effort.rounds; round++) {
        if (!contender_repeat(&run)) {
            status = SPL_ERR_INTERNAL;
            goto out;
        }
    }
    result->product_us = run.us;
    result->steps_per_repeat = run.n_steps;
out:
    spl_sim_free(sim);
    return status;
}
