/* One population without synapses, built by hand and run block by block, in the precision
 * that the test is compiled for. */
#ifndef SPL_TEST_POPULATION_RUN_H
#define SPL_TEST_POPULATION_RUN_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spiking/population.h"
#include "support/test_main.h"

typedef struct population_run {
    /* what it is; change it between population_define and population_open */
    spl_subnetwork_spec subnetwork;
    spl_population_spec spec;
    double dt;
    uint64_t seed;
    size_t n_slots;
    spl_target target;
    /* what runs */
    spl_arena arena;
    spl_population population;
    uint64_t substep;
    /* what the last population_advance left; sums of all blocks */
    size_t n_spikes;
    uint64_t *spike_substep;
    uint32_t *spike_neuron;
    double *spike_fraction;
    double sum_V;
    uint64_t events;
} population_run;

static inline spl_target best_target(void)
{
    spl_target best = SPL_TARGET_SCALAR;
    for (int t = 0; t < SPL_N_TARGETS; t++) {
        best = spl_target_available((spl_target)t) ? (spl_target)t : best;
    }
    return best;
}

static inline spl_draw constant_draw(double value)
{
    return (spl_draw){
        .kind = SPL_DRAW_CONSTANT, .a = value, .low = -INFINITY, .high = INFINITY};
}

/* n neurons of a model at its defaults: exp_euler, one sub-step of h a step. */
static inline void population_define(
    population_run *run, const char *model, size_t n, double h)
{
    *run = (population_run){.dt = h, .seed = 1, .n_slots = 2, .target = best_target()};
    run->subnetwork = (spl_subnetwork_spec){.n_substeps = 1,
        .linearise_input = true,
        .n_populations = 1,
        .interface = {.drive = SPL_DRIVE_POISSON, .k_I = 1.0, .scaled = true}};
    run->spec = (spl_population_spec){.name = "test.E",
        .size = n,
        .excitatory = true,
        .model = spl_neuron_model_find(model),
        .u_follows = true,
        .V_min = -INFINITY,
        .current = constant_draw(0.0)};
    ck_assert_ptr_nonnull(run->spec.model);
    for (size_t p = 0; p < run->spec.model->n_params; p++) {
        run->spec.params[p] = constant_draw(run->spec.model->params[p].value);
    }
    for (size_t s = 0; s < run->spec.model->n_states; s++) {
        run->spec.init[s] = constant_draw(run->spec.model->initial[s].value);
    }
}

static inline spl_draw *population_param(population_run *run, const char *name)
{
    for (size_t p = 0; p < run->spec.model->n_params; p++) {
        if (strcmp(run->spec.model->params[p].name, name) == 0) {
            return &run->spec.params[p];
        }
    }
    ck_abort_msg("no parameter %s", name);
}

/* Set parameters and start from a preset's text. */
static inline void population_settings(population_run *run, const char *settings)
{
    char name[16];
    double value;
    int used;
    for (; sscanf(settings, " %15[^=]=%lf%n", name, &value, &used) == 2;
         settings += used) {
        if (strcmp(name, "V") == 0) {
            run->spec.init[0].a = value;
        } else {
            population_param(run, name)->a = value;
        }
    }
}

static inline spl_receptor *population_receptor(
    population_run *run, const char *name, spl_receptor_kernel kernel)
{
    spl_receptor *receptor = &run->spec.receptors[run->spec.n_receptors++];
    *receptor = (spl_receptor){.name = (char *)name,
        .kernel = kernel,
        .tau_decay = 5.0,
        .tau_rise = 1.0,
        .Mg = 1.2};
    return receptor;
}

static inline spl_status population_try_open(population_run *run, size_t max_steps)
{
    run->subnetwork.populations = &run->spec;
    const spl_population_setup setup = {.subnetwork = &run->subnetwork,
        .dt = run->dt,
        .Q_max = 1.0,
        .seed = run->seed,
        .target = run->target,
        .n_slots = run->n_slots,
        .max_steps = max_steps};
    spl_population_lay_out(&run->population, &run->arena, &setup);
    ck_assert_int_eq(spl_arena_commit(&run->arena), SPL_OK);
    spl_population_lay_out(&run->population, &run->arena, &setup);
    run->substep = 0;
    return spl_population_draw(&run->population);
}

static inline void population_open(population_run *run, size_t max_steps)
{
    ck_assert_msg(population_try_open(run, max_steps) == SPL_OK, "%s", spl_last_error());
}

static inline void population_close(population_run *run)
{
    free(run->spike_substep);
    free(run->spike_neuron);
    free(run->spike_fraction);
    spl_arena_deinit(&run->arena);
    run->spike_substep = NULL;
    run->spike_neuron = NULL;
    run->spike_fraction = NULL;
}

/* Let all blocks take the mean-field steps of one drive, D for each or NULL. Spikes come
 * block by block, by sub-step inside a block. */
static inline void population_advance(
    population_run *run, size_t n_steps, const double *D)
{
    const spl_population *population = &run->population;
    const size_t m = run->subnetwork.n_substeps;
    const size_t n = n_steps * m;
    const size_t most = n * spl_population_spikes_per_substep(population);
    uint32_t *neuron = malloc(most * sizeof *neuron);
    double *fraction = malloc(most * sizeof *fraction);
    uint32_t *end = malloc(n * sizeof *end);
    spl_block_sums *sums = calloc(n_steps, sizeof *sums);
    ck_assert_msg(spl_population_set_drive(
                      &run->population, run->substep / m, n_steps, D) == SPL_OK,
        "%s", spl_last_error());
    run->n_spikes = 0;
    run->sum_V = 0.0;
    run->events = 0;
    for (size_t block = 0; block < population->n_blocks; block++) {
        spl_block_output out = {
            .spikes = {neuron, run->subnetwork.located ? fraction : NULL, end},
            .sums = sums};
        memset(sums, 0, n_steps * sizeof *sums);
        spl_population_advance_block(population, block, run->substep, n, &out);
        const size_t total = run->n_spikes + end[n - 1];
        run->spike_substep =
            realloc(run->spike_substep, (total + 1) * sizeof *run->spike_substep);
        run->spike_neuron =
            realloc(run->spike_neuron, (total + 1) * sizeof *run->spike_neuron);
        run->spike_fraction =
            realloc(run->spike_fraction, (total + 1) * sizeof *run->spike_fraction);
        for (size_t s = 0, k = 0; s < n; s++) {
            for (; k < end[s]; k++) {
                run->spike_substep[run->n_spikes] = run->substep + s;
                run->spike_fraction[run->n_spikes] =
                    run->subnetwork.located ? fraction[k] : 1.0;
                run->spike_neuron[run->n_spikes++] = neuron[k];
            }
        }
        for (size_t j = 0; j < n_steps; j++) {
            run->events += sums[j].events;
        }
        run->sum_V += sums[n_steps - 1].V;
    }
    run->substep += n;
    free(neuron);
    free(fraction);
    free(end);
    free(sums);
}

/* Add an arrival to the next sub-step. */
static inline void population_arrive(
    population_run *run, size_t receptor, size_t neuron, double weight)
{
    const spl_population *p = &run->population;
    p->ring[receptor][run->substep % p->n_slots * p->stride + neuron] += (spl_real)weight;
}

#endif
