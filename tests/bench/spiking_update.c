/* Nanoseconds per neuron and sub-step of the state update of one population, without
 * synapses: the best of many short turns, in processor
 * time, as other programs may run. Compiled for both precisions.
 *
 *     bench_spiking_update [TARGET] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spiking/population.h"

enum { TURNS = 300, SUBSTEPS = 15 };

typedef struct bench_case {
    const char *what;
    spl_neuron_scheme scheme;
    bool uniform;
    double nu; /* background events, 1/ms */
    double sigma;
    const char *third; /* a third receptor: kernel */
} bench_case;

static const bench_case cases[] = {
    {"euler, uniform", SPL_NEURON_EULER, true, 0.0, 0.0, NULL},
    {"euler, izhikevich2003", SPL_NEURON_EULER, false, 0.0, 0.0, NULL},
    {"exp_euler, uniform", SPL_NEURON_EXP_EULER, true, 0.0, 0.0, NULL},
    {"exp_euler, izhikevich2003", SPL_NEURON_EXP_EULER, false, 0.0, 0.0, NULL},
    {"euler, uniform, Poisson 1/ms", SPL_NEURON_EULER, true, 1.0, 0.0, NULL},
    {"euler, uniform, Poisson 10/ms", SPL_NEURON_EULER, true, 10.0, 0.0, NULL},
    {"euler, uniform, white noise", SPL_NEURON_EULER, true, 0.0, 1.0, NULL},
    {"exp_euler, uniform, NMDA", SPL_NEURON_EXP_EULER, true, 0.0, 0.0, "NMDA"},
    {"izh2003, uniform", SPL_NEURON_IZH2003, true, 0.0, 0.0, NULL},
};

static spl_draw constant(double value)
{
    return (spl_draw){SPL_DRAW_CONSTANT, value, 0.0, -INFINITY, INFINITY, NULL, 0};
}

static void define(const bench_case *c, size_t n, spl_subnetwork_spec *subnetwork,
    spl_population_spec *spec)
{
    const spl_neuron_model *model = spl_neuron_model_find("izhikevich_ltc");
    *subnetwork = (spl_subnetwork_spec){.scheme = c->scheme,
        .linearise_input = true,
        .n_substeps = 1,
        .n_populations = 1,
        .populations = spec};
    *spec = (spl_population_spec){.name = "bench.E",
        .size = n,
        .excitatory = true,
        .model = model,
        .heterogeneity = c->uniform ? SPL_HETEROGENEITY_NONE : SPL_HETEROGENEITY_2003,
        .init = {{SPL_DRAW_UNIFORM, -70.0, -50.0, -70.0, -50.0, NULL, 0}, constant(0.0)},
        .u_follows = true,
        .V_min = -INFINITY,
        .n_receptors = c->third != NULL ? 3 : 2,
        .receptors = {{.name = "AMPA", .tau_decay = 5.0},
            {.name = "GABA_A", .tau_decay = 10.0, .E = -80.0},
            {.name = "NMDA",
                .kernel = SPL_KERNEL_DUAL,
                .block = SPL_BLOCK_JAHR_STEVENS,
                .tau_rise = 2.0,
                .tau_decay = 150.0,
                .Mg = 1.2}},
        .n_backgrounds = c->nu > 0.0 ? 1 : 0,
        .backgrounds = {{0, c->nu, 0.024, true}},
        .current = constant(4.0),
        .sigma_V = c->sigma};
    for (size_t p = 0; p < model->n_params; p++) {
        spec->params[p] = constant(model->params[p].value);
    }
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One turn over all blocks; returns the seconds it took. */
static double turn(spl_population *population, uint64_t first, size_t repeats,
    spl_block_output *out, size_t *n_spikes)
{
    const double start = seconds();
    for (size_t repeat = 0; repeat < repeats; repeat++, first += SUBSTEPS) {
        if (spl_population_set_drive(population, first, SUBSTEPS, NULL) != SPL_OK) {
            abort();
        }
        for (size_t b = 0; b < population->n_blocks; b++) {
            spl_population_advance_block(population, b, first, SUBSTEPS, out);
            *n_spikes += out->spikes.end[SUBSTEPS - 1];
        }
    }
    return seconds() - start;
}

static int measure(const bench_case *c, size_t n, spl_target target)
{
    spl_subnetwork_spec subnetwork;
    spl_population_spec spec;
    spl_arena arena = {0};
    spl_population population;
    define(c, n, &subnetwork, &spec);
    const spl_population_setup setup = {.subnetwork = &subnetwork,
        .dt = 0.1,
        .Q_max = 1.0,
        .seed = 1,
        .target = target,
        .n_slots = SUBSTEPS + 1,
        .max_steps = SUBSTEPS};
    spl_population_lay_out(&population, &arena, &setup);
    if (spl_arena_commit(&arena) != SPL_OK) {
        return 1;
    }
    spl_population_lay_out(&population, &arena, &setup);
    uint32_t *neuron = calloc((size_t)SUBSTEPS * SPL_NEURON_BLOCK, sizeof *neuron);
    uint32_t end[SUBSTEPS];
    spl_block_sums sums[SUBSTEPS] = {{0}};
    spl_block_output out = {.spikes = {neuron, NULL, end}, .sums = sums};
    if (neuron == NULL || spl_population_draw(&population) != SPL_OK) {
        return 1;
    }
    const size_t repeats = 30000 / n + 1;
    double best = INFINITY;
    size_t n_spikes = 0;
    for (uint64_t t = 0; t < TURNS; t++) {
        const double time =
            turn(&population, t * repeats * SUBSTEPS, repeats, &out, &n_spikes);
        best = fmin(best, time);
    }
    const double steps = (double)(repeats * SUBSTEPS * n);
    printf("%-6s %-6s %7zu  %-32s %6.3f ns  (%.1f Hz)\n", SPL_PRECISION_NAME,
        spl_target_names[target], n, c->what, 1e9 * best / steps,
        1e4 * (double)n_spikes / (steps * TURNS));
    free(neuron);
    spl_arena_deinit(&arena);
    return 0;
}

int main(int argc, char **argv)
{
    spl_target target;
    static const size_t sizes[] = {1000, 10000};
    if (argc > 1) {
        setenv("SPL_TARGET", argv[1], 1);
    }
    if (spl_target_choose(&target) != SPL_OK) {
        return 1;
    }
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            if (measure(&cases[c], sizes[s], target) != 0) {
                return 1;
            }
        }
    }
    return 0;
}
