/* Subnetworks for tests, described below the configuration. */
#ifndef SPL_TEST_SPIKING_H
#define SPL_TEST_SPIKING_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spiking/subnetwork.h"
#include "support/test_main.h"

enum { AMPA, GABA, N_TEST_RECEPTORS };

static inline spl_draw constant_draw(double value)
{
    return (spl_draw){
        .kind = SPL_DRAW_CONSTANT, .a = value, .low = -INFINITY, .high = INFINITY};
}

static inline spl_draw uniform_draw(double low, double high)
{
    return (spl_draw){.kind = SPL_DRAW_UNIFORM,
        .a = low,
        .b = high,
        .low = -INFINITY,
        .high = INFINITY};
}

/* An empty subnetwork with the default interface; spl_subnetwork_spec_deinit frees it. */
static inline spl_subnetwork_spec make_subnetwork(const char *name)
{
    return (spl_subnetwork_spec){
        .name = strdup(name),
        .hosted = true,
        .scheme = SPL_NEURON_EXP_EULER,
        .linearise_input = true,
        .single = true,
        .n_substeps = 1,
        .interface =
            {
                .mode = SPL_MODE_ATTACH,
                .alpha = 0.5,
                .beta = 0.5,
                .kc = 0.1,
                .kl = 0.9,
                .drive = SPL_DRIVE_POISSON,
                .J = 0.024,
                .r_max = 0.014,
                .K_ext = 2.0 / 0.014,
                .k_I = 1.0,
                .tau_f = 5.0,
                .scaled = true,
                .V_ref = -60.0,
                .receptor = "AMPA",
            },
    };
}

static inline void add_receptor(
    spl_population_spec *population, const char *name, double tau, double E)
{
    population->receptors[population->n_receptors++] = (spl_receptor){
        .name = strdup(name), .kernel = SPL_KERNEL_EXPONENTIAL, .tau_decay = tau, .E = E};
}

/* Append a population at its model's defaults with receptors AMPA and GABA. */
static inline spl_population_spec *add_population(spl_subnetwork_spec *subnetwork,
    const char *name, const char *model, size_t size, bool excitatory)
{
    char full[128];
    snprintf(full, sizeof full, "%s.%s", subnetwork->name, name);
    subnetwork->populations = realloc(subnetwork->populations,
        (subnetwork->n_populations + 1) * sizeof(spl_population_spec));
    spl_population_spec *population =
        &subnetwork->populations[subnetwork->n_populations++];
    *population = (spl_population_spec){
        .name = strdup(full),
        .size = size,
        .excitatory = excitatory,
        .driven = true,
        .model = spl_neuron_model_find(model),
        .u_follows = true,
        .V_min = -INFINITY,
        .current = constant_draw(0.0),
    };
    ck_assert_ptr_nonnull(population->model);
    for (size_t p = 0; p < population->model->n_params; p++) {
        population->params[p] = constant_draw(population->model->params[p].value);
    }
    for (size_t s = 0; s < population->model->n_states; s++) {
        population->init[s] = constant_draw(population->model->initial[s].value);
    }
    add_receptor(population, "AMPA", 5.0, 0.0);
    add_receptor(population, "GABA", 10.0, -80.0);
    return population;
}

static inline spl_projection_spec *add_projection(spl_subnetwork_spec *subnetwork,
    size_t from, size_t to, size_t receptor, spl_connect_rule rule, uint64_t number,
    double weight, double delay)
{
    char name[32];
    snprintf(name, sizeof name, "%zu>%zu:%zu#%zu", from, to, receptor,
        subnetwork->n_projections);
    subnetwork->projections = realloc(subnetwork->projections,
        (subnetwork->n_projections + 1) * sizeof(spl_projection_spec));
    spl_projection_spec *projection =
        &subnetwork->projections[subnetwork->n_projections++];
    *projection = (spl_projection_spec){
        .name = strdup(name),
        .from = from,
        .to = to,
        .receptor = receptor,
        .rule = rule,
        .number = number,
        .allow_autapses = true,
        .allow_multapses = true,
        .weight = constant_draw(weight),
        .delay = constant_draw(delay),
    };
    return projection;
}

static inline size_t izhikevich_param(const char *name)
{
    const spl_neuron_model *model = spl_neuron_model_find("izhikevich_ltc");
    for (size_t p = 0; p < model->n_params; p++) {
        if (strcmp(model->params[p].name, name) == 0) {
            return p;
        }
    }
    ck_abort_msg("no parameter %s", name);
    return 0;
}

/* The default network COBA-IZ: n neurons, four fifths of them excitatory, `indegree`
 * inputs each; weights times the factors for one order of synapse or the other. */
static inline spl_subnetwork_spec make_coba(
    const char *name, size_t n, uint64_t indegree, double factor_e, double factor_i)
{
    spl_subnetwork_spec subnetwork = make_subnetwork(name);
    const size_t n_e = 4 * n / 5;
    const size_t sizes[2] = {n_e, n - n_e};
    const double K = (double)indegree;
    for (size_t p = 0; p < 2; p++) {
        spl_population_spec *population = add_population(
            &subnetwork, p == 0 ? "E" : "I", "izhikevich_ltc", sizes[p], p == 0);
        population->heterogeneity = SPL_HETEROGENEITY_2003;
        population->params[izhikevich_param("d")].a = p == 0 ? 8.0 : 2.0;
        population->init[0] = uniform_draw(-70.0, -50.0);
    }
    for (size_t to = 0; to < 2; to++) {
        add_projection(&subnetwork, 0, to, AMPA, SPL_CONNECT_FIXED_INDEGREE,
            4 * indegree / 5, factor_e * 1.2 / K, 1.5);
        add_projection(&subnetwork, 1, to, GABA, SPL_CONNECT_FIXED_INDEGREE, indegree / 5,
            factor_i * 20.0 / K, 1.5);
    }
    return subnetwork;
}

#endif
