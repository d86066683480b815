/* A network below the public interface: keys of a configuration become settings, settings
 * a network, whose steps are collected or driven by hand. */
#ifndef SPL_TEST_NETWORK_RUN_H
#define SPL_TEST_NETWORK_RUN_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "sim/assemble.h"
#include "support/test_main.h"

/* Zero-initialise; network_settle, network_assemble, network_close. */
typedef struct network_run {
    spl_settings settings;
    spl_arena arena;
    spl_network network;
} network_run;

/* A connectome of matrices [n][n] in memory; NULL stands for zeros. Every policy accepts.
 */
static inline spl_connectome *make_connectome(
    size_t n_nodes, const double *weights, const double *lengths)
{
    static const spl_connectome_options accept = {
        .allow_negative = true,
        .zero_length = SPL_ZERO_LENGTH_ACCEPT,
        .triangular = SPL_TRIANGULAR_ACCEPT,
    };
    double *zero = calloc(n_nodes * n_nodes, sizeof *zero);
    const spl_connectome_arrays arrays = {
        .n_nodes = n_nodes,
        .weights = weights != NULL ? weights : zero,
        .tract_lengths = lengths,
    };
    spl_connectome *connectome = NULL;
    ck_assert_msg(spl_connectome_create(&connectome, &arrays, &accept) == SPL_OK, "%s",
        spl_last_error());
    free(zero);
    return connectome;
}

/* Read a formatted configuration; no noise unless it has a section noise, no monitors. */
static inline spl_config *make_config(const char *yaml, va_list arguments)
{
    char text[8192];
    spl_config *config = NULL;
    int length = vsnprintf(text, sizeof text, yaml, arguments);
    ck_assert(length > 0 && (size_t)length < sizeof text);
    ck_assert_msg(
        spl_config_from_text(&config, "test.yaml", text, (size_t)length) == SPL_OK, "%s",
        spl_last_error());
    if (strstr(text, "noise:") == NULL) {
        ck_assert_int_eq(spl_config_set(config, "noise.kind", "none"), SPL_OK);
    }
    ck_assert_int_eq(spl_config_set(config, "monitors", "[]"), SPL_OK);
    return config;
}

/* Resolve a formatted configuration against the connectome. */
__attribute__((format(printf, 3, 4))) static inline void network_settle(
    network_run *run, const spl_connectome *connectome, const char *yaml, ...)
{
    va_list arguments;
    va_start(arguments, yaml);
    spl_config *config = make_config(yaml, arguments);
    va_end(arguments);
    *run = (network_run){0};
    ck_assert_msg(spl_config_resolve(config, connectome, &run->settings) == SPL_OK,
        "%s: %s", yaml, spl_last_error());
    spl_config_free(config);
}

/* Values of a parameter, [n_nodes], to be read or overwritten before assembly. */
static inline double *network_param(network_run *run, const char *name)
{
    const spl_model *model = run->settings.model;
    for (size_t p = 0; p < model->n_params; p++) {
        if (strcmp(model->params[p].name, name) == 0) {
            return run->settings.params + p * run->settings.n_nodes;
        }
    }
    ck_abort_msg("no parameter %s", name);
    return NULL;
}

/* Start from states [n_states][n_nodes]. */
static inline void network_start_at(network_run *run, const double *states)
{
    const size_t n_nodes = run->settings.n_nodes;
    for (size_t s = 0; s < run->settings.model->n_states; s++) {
        spl_init *init = &run->settings.init[s];
        free(init->value);
        init->value = malloc(n_nodes * sizeof *init->value);
        memcpy(init->value, states + s * n_nodes, n_nodes * sizeof *init->value);
    }
}

/* Assemble with all states recorded. */
static inline void network_assemble(network_run *run, const spl_connectome *connectome)
{
    bool record[SPL_MAX_STATES + 2] = {false};
    for (size_t s = 0; s < run->settings.model->n_states; s++) {
        record[s] = true;
    }
    ck_assert_msg(spl_network_assemble(&run->network, &run->arena, &run->settings,
                      connectome, record, NULL) == SPL_OK,
        "%s", spl_last_error());
}

static inline void network_close(network_run *run)
{
    spl_network_release(&run->network, &run->arena);
    spl_settings_free(&run->settings);
}

/* Present states, [n_states][n_nodes]. */
static inline void network_copy_states(const network_run *run, double *out)
{
    const spl_network *network = &run->network;
    for (size_t s = 0; s < network->n_states; s++) {
        memcpy(out + s * network->n_nodes, network->run.state + s * network->stride,
            network->n_nodes * sizeof *out);
    }
}

/* Advance; a divergence fails the test. */
static inline void network_advance(network_run *run, uint64_t n_steps)
{
    spl_divergence divergence;
    spl_network_advance(&run->network, n_steps, NULL, &divergence);
    ck_assert_msg(!divergence.happened, "node %zu diverges at step %llu", divergence.node,
        (unsigned long long)divergence.step);
}

typedef struct network_rows {
    size_t n_nodes;
    double *next;
} network_rows;

static inline bool collect_rows(void *user, const spl_samples *block)
{
    network_rows *rows = user;
    for (size_t row = 0; row < block->n_steps * block->n_variables; row++) {
        memcpy(rows->next, block->values + row * block->stride,
            rows->n_nodes * sizeof(double));
        rows->next += rows->n_nodes;
    }
    return true;
}

/* Advance and return every state on the way, [n_steps + 1][n_states][n_nodes], row 0
 * being the present one; the caller frees it. */
static inline double *network_trajectory(network_run *run, uint64_t n_steps)
{
    const size_t row = run->network.n_states * run->network.n_nodes;
    double *states = malloc((size_t)(n_steps + 1) * row * sizeof *states);
    network_rows rows = {run->network.n_nodes, states + row};
    const spl_block_hooks hooks = {.user = &rows, .finish = collect_rows};
    spl_divergence divergence;
    network_copy_states(run, states);
    spl_network_advance(&run->network, n_steps, &hooks, &divergence);
    ck_assert_msg(!divergence.happened, "node %zu diverges at step %llu", divergence.node,
        (unsigned long long)divergence.step);
    ck_assert(rows.next == states + (size_t)(n_steps + 1) * row);
    return states;
}

#define BEST_TARGET SPL_N_TARGETS

/* Run the next assemblies on a target; false, with a message, if this CPU lacks it. */
static inline bool use_target(spl_target target)
{
    static bool told[SPL_N_TARGETS];
    if (target == BEST_TARGET) {
        ck_assert_int_eq(unsetenv("SPL_TARGET"), 0);
        return true;
    }
    if (!spl_target_available(target)) {
        if (!told[target]) {
            fprintf(stderr, "# skipped: target %s\n", spl_target_names[target]);
        }
        told[target] = true;
        return false;
    }
    ck_assert_int_eq(setenv("SPL_TARGET", spl_target_names[target], 1), 0);
    return true;
}

#endif
