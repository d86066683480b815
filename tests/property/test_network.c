/* What must hold of any network and any registered model: independence without coupling,
 * relabelling, delays, superposition, synchrony, and where divergence is seen. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "model/schemes.h"
#include "support/bits.h"
#include "support/random.h"
#include "support/test_main.h"

static const spl_coupling *coupling_named(const char *name)
{
    const spl_coupling *coupling = spl_coupling_find(name);
    ck_assert_ptr_nonnull(coupling);
    return coupling;
}

static bits_case *larter_breakspear(size_t n_nodes, const char *coupling)
{
    return bits_create(
        n_nodes, spl_model_find("larter_breakspear"), coupling_named(coupling));
}

static bits_case *linear(size_t n_nodes, const char *coupling)
{
    return bits_create(n_nodes, spl_model_find("linear"), coupling_named(coupling));
}

/* Give every node a start of its own. */
static void draw_start(bits_case *c, uint64_t *random)
{
    for (size_t s = 0; s < c->settings.model->n_states; s++) {
        spl_init *init = &c->settings.init[s];
        init->value = calloc(c->n_nodes, sizeof *init->value);
        for (size_t i = 0; i < c->n_nodes; i++) {
            init->value[i] = random_uniform(random, init->low, init->high);
        }
    }
}

START_TEST(default_networks_stay_finite)
{
    uint64_t random = random_seed("finite");
    const spl_model *model = spl_model_at((size_t)_i);
    for (size_t k = 0; k < spl_coupling_count(); k++) {
        for (int kind = 0; kind < BITS_N_KINDS; kind++) {
            bits_case *c = bits_create(20, model, spl_coupling_at(k));
            bits_draw_edges(c, (bits_kind)kind, 0.4, &random);
            bits_outcome *o = bits_run(c, &(bits_way){0}, 500);
            ck_assert_msg(bits_finite(o), "%s, %s, %s", model->name,
                spl_coupling_at(k)->name, bits_kind_names[kind]);
            bits_outcome_free(o);
            bits_free(c);
        }
    }
}
END_TEST

/* The network of node i of `c` alone, with its parameters, start and normals. */
static bits_case *single_out(const bits_case *c, size_t i, double *normals)
{
    const spl_model *model = c->settings.model;
    bits_case *one = bits_create(1, model, c->settings.coupling);
    one->settings.integrator = c->settings.integrator;
    one->settings.noise = c->settings.noise;
    memcpy(one->settings.coupling_params, c->settings.coupling_params,
        sizeof one->settings.coupling_params);
    for (size_t p = 0; p < model->n_params; p++) {
        one->settings.params[p] = c->settings.params[p * c->n_nodes + i];
    }
    for (size_t s = 0; s < model->n_states; s++) {
        one->settings.init[s].low = c->settings.init[s].value[i];
        one->settings.init[s].high = one->settings.init[s].low;
        one->settings.noise_strength[s] = c->settings.noise_strength[s * c->n_nodes + i];
    }
    for (size_t k = 0; k < c->n_given * model->n_states; k++) {
        normals[k] = c->given_normals[k * c->n_nodes + i];
    }
    one->given_normals = normals;
    one->n_given = c->n_given;
    return one;
}

/* Without edges every node is a network of its own: parameters, start and noise of every
 * node are its own, and nothing of a neighbour's gets in. */
START_TEST(nodes_without_edges_are_independent)
{
    enum { STEPS = 100 };
    uint64_t random = random_seed("independent");
    const spl_model *model = spl_model_at((size_t)_i);
    for (size_t k = 0; k < spl_coupling_count() * SPL_N_SCHEMES; k++) {
        bits_case *c = bits_create(
            random_whole(&random, 2, 37), model, spl_coupling_at(k / SPL_N_SCHEMES));
        const size_t n_normals = STEPS * model->n_states * c->n_nodes;
        double *normals = calloc(n_normals, sizeof *normals);
        double *own = calloc(n_normals, sizeof *own);
        for (size_t v = 0; v < n_normals; v++) {
            normals[v] = random_uniform(&random, -2.0, 2.0);
        }
        c->given_normals = normals;
        c->n_given = STEPS;
        c->settings.integrator = spl_schemes[k % SPL_N_SCHEMES].name;
        bits_draw_params(c, &random);
        bits_draw_noise(c, SPL_NOISE_ADDITIVE, &random);
        draw_start(c, &random);
        bits_outcome *all = bits_run(c, &(bits_way){0}, STEPS);
        for (size_t i = 0; i < c->n_nodes; i++) {
            bits_case *one = single_out(c, i, own);
            bits_outcome *alone = bits_run(one, &(bits_way){.reference = i % 2}, STEPS);
            for (size_t v = 0; v < STEPS * all->n_variables; v++) {
                ck_assert_msg(memcmp(&all->rows[v * c->n_nodes + i], &alone->rows[v],
                                  sizeof(double)) == 0,
                    "%s, %s, node %zu of %zu, row %zu", model->name,
                    c->settings.coupling->name, i, c->n_nodes, v / all->n_variables);
            }
            bits_outcome_free(alone);
            bits_free(one);
        }
        bits_outcome_free(all);
        bits_free(c);
        free(normals);
        free(own);
    }
}
END_TEST

/* The same network with node i called order[i]. */
static bits_case *relabel(const bits_case *c, const size_t *order)
{
    const size_t n = c->n_nodes;
    const spl_model *model = c->settings.model;
    bits_case *other = bits_create(n, model, c->settings.coupling);
    other->settings.in_strength = c->settings.in_strength;
    memcpy(other->settings.coupling_params, c->settings.coupling_params,
        sizeof other->settings.coupling_params);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            other->weights[order[i] * n + order[j]] = c->weights[i * n + j];
            other->lengths[order[i] * n + order[j]] = c->lengths[i * n + j];
        }
        for (size_t p = 0; p < model->n_params; p++) {
            other->settings.params[p * n + order[i]] = c->settings.params[p * n + i];
        }
    }
    for (size_t s = 0; s < model->n_states; s++) {
        double *value = calloc(n, sizeof *value);
        for (size_t i = 0; i < n; i++) {
            value[order[i]] = c->settings.init[s].value[i];
        }
        other->settings.init[s].value = value;
    }
    return other;
}

/* Largest difference between node i of a and node order[i] of b. */
static double relabelled_distance(
    const bits_outcome *a, const bits_outcome *b, const size_t *order)
{
    double distance = 0.0;
    for (size_t row = 0; row < a->n_steps * a->n_variables; row++) {
        for (size_t i = 0; i < a->n_nodes; i++) {
            distance = fmax(distance, fabs(a->rows[row * a->n_nodes + i] -
                                           b->rows[row * a->n_nodes + order[i]]));
        }
    }
    return distance;
}

static void shuffle(size_t *order, size_t n, uint64_t *random)
{
    for (size_t i = 0; i < n; i++) {
        const size_t other = random_whole(random, 0, i);
        order[i] = order[other];
        order[other] = i;
    }
}

/* Ties in delay are summed by source index, so sums of several edges move by rounding; a
 * node with a single edge has no order, and nothing may move. */
START_TEST(relabelling_the_nodes_relabels_the_result)
{
    enum { NODES = 43 };
    uint64_t random = random_seed("relabel");
    const spl_model *model = spl_model_at((size_t)_i);
    for (size_t k = 0; k < spl_coupling_count(); k++) {
        for (int kind = 0; kind < BITS_N_KINDS; kind++) {
            const bool single = random_whole(&random, 0, 1);
            bits_case *c = bits_create(NODES, model, spl_coupling_at(k));
            bits_draw_edges(c, (bits_kind)kind, 0.3, &random);
            c->settings.one_delay = false;
            for (size_t i = 0; single && i < NODES; i++) {
                const size_t kept = random_whole(&random, 0, NODES - 1);
                for (size_t j = 0; j < NODES; j++) {
                    c->weights[i * NODES + j] *= j == kept;
                }
            }
            bits_draw_params(c, &random);
            draw_start(c, &random);
            size_t order[NODES];
            shuffle(order, NODES, &random);
            bits_case *other = relabel(c, order);
            bits_outcome *a = bits_run(c, &(bits_way){0}, 60);
            bits_outcome *b = bits_run(other, &(bits_way){0}, 60);
            const double distance = relabelled_distance(a, b, order);
            ck_assert_msg(distance <= (single ? 0.0 : bits_rounding(1e-11)),
                "%s, %s, %s: %g", model->name, spl_coupling_at(k)->name,
                bits_kind_names[kind], distance);
            bits_outcome_free(a);
            bits_outcome_free(b);
            bits_free(c);
            bits_free(other);
        }
    }
}
END_TEST

START_TEST(delay_zero_is_no_delay)
{
    enum { NODES = 30 };
    uint64_t random = random_seed("delay_zero");
    const spl_model *model = spl_model_at((size_t)_i);
    bits_case *c = bits_create(NODES, model, coupling_named("linear"));
    bits_draw_edges(c, BITS_UNDELAYED, 0.3, &random);
    bits_outcome *zero_lengths = bits_run(c, &(bits_way){0}, 100);
    for (size_t e = 0; e < NODES * NODES; e++) {
        c->lengths[e] = random_uniform(&random, 1.0, 100.0);
    }
    c->settings.speed = INFINITY;
    bits_outcome *no_delays = bits_run(c, &(bits_way){0}, 100);
    c->settings.speed = 1.0;
    c->settings.one_delay = true;
    c->settings.delay = 0.0;
    bits_outcome *one_delay = bits_run(c, &(bits_way){0}, 100);
    c->settings.one_delay = false;
    bits_outcome *delayed = bits_run(c, &(bits_way){0}, 100);
    bits_same(zero_lengths, no_delays, "zero lengths and infinite speed");
    bits_same(zero_lengths, one_delay, "zero lengths and one delay of zero");
    ck_assert_double_gt(bits_distance(zero_lengths, delayed), 1e-9);
    bits_outcome_free(zero_lengths);
    bits_outcome_free(no_delays);
    bits_outcome_free(one_delay);
    bits_outcome_free(delayed);
    bits_free(c);
}
END_TEST

/* The linear model under linear coupling: the answer to a sum of starts and noises is the
 * sum of the answers. */
START_TEST(a_linear_network_superposes)
{
    enum { NODES = 21, STEPS = 200 };
    uint64_t random = random_seed("superposition");
    double normals[3][STEPS * NODES];
    bits_case *c = linear(NODES, _i % 2 ? "linear" : "difference");
    bits_draw_edges(c, (bits_kind)(_i / 2 / SPL_N_SCHEMES), 0.3, &random);
    bits_draw_noise(c, SPL_NOISE_ADDITIVE, &random);
    draw_start(c, &random);
    c->settings.integrator = spl_schemes[_i / 2 % SPL_N_SCHEMES].name;
    c->settings.coupling_params[0] = 0.8;
    c->n_given = STEPS;
    double *value = c->settings.init[0].value;
    bits_outcome *o[3];
    double first[NODES];
    for (int k = 0; k < 3; k++) {
        for (size_t v = 0; v < STEPS * NODES; v++) {
            normals[k][v] = k < 2 ? random_uniform(&random, -2.0, 2.0)
                                  : normals[0][v] + normals[1][v];
        }
        for (size_t i = 0; i < NODES; i++) {
            const double before = value[i];
            value[i] = k < 2 ? random_uniform(&random, -1.0, 1.0) : first[i] + before;
            first[i] = k == 0 ? value[i] : first[i];
        }
        c->given_normals = normals[k];
        o[k] = bits_run(c, &(bits_way){0}, STEPS);
    }
    for (size_t v = 0; v < STEPS * o[0]->n_variables * NODES; v++) {
        ck_assert_double_eq_tol(
            o[2]->rows[v], o[0]->rows[v] + o[1]->rows[v], bits_rounding(1e-13));
    }
    for (int k = 0; k < 3; k++) {
        bits_outcome_free(o[k]);
    }
    bits_free(c);
}
END_TEST

/* Eight edges of the same weight and delay into every node: nodes that start equal have
 * the same input for ever, to the last bit. */
START_TEST(equal_nodes_with_equal_input_stay_equal)
{
    enum { NODES = 45, IN = 8 };
    uint64_t random = random_seed("synchrony");
    const spl_model *model = spl_model_at((size_t)_i);
    for (size_t k = 0; k < spl_coupling_count(); k++) {
        for (int delay = 0; delay < 4; delay++) {
            bits_case *c = bits_create(NODES, model, spl_coupling_at(k));
            for (size_t i = 0; i < NODES; i++) {
                size_t order[NODES];
                shuffle(order, NODES, &random);
                for (size_t e = 0; e < IN; e++) {
                    /* a self-edge without delay would be summed apart */
                    const size_t j = order[e] == i ? order[IN] : order[e];
                    c->weights[i * NODES + j] = 0.125;
                }
            }
            c->settings.one_delay = true;
            c->settings.delay = delay * 0.7;
            for (size_t s = 0; s < model->n_states; s++) {
                spl_init *init = &c->settings.init[s];
                init->low = random_uniform(&random, init->low, init->high);
                init->high = init->low;
            }
            bits_outcome *o = bits_run(c, &(bits_way){.threads = 2}, 300);
            double moved = 0.0;
            for (size_t row = 0; row < o->n_steps * o->n_variables; row++) {
                const double *values = o->rows + row * NODES;
                moved = fmax(moved, fabs(values[0] - o->rows[0]));
                for (size_t i = 1; i < NODES; i++) {
                    ck_assert_msg(memcmp(&values[i], &values[0], sizeof *values) == 0,
                        "%s, %s, delay %d: node %zu, row %zu", model->name,
                        c->settings.coupling->name, delay, i, row / o->n_variables);
                }
            }
            ck_assert_double_gt(moved, 1e-6);
            bits_outcome_free(o);
            bits_free(c);
        }
    }
}
END_TEST

/* The switch is alive: schemes of one stage do not know it, the others do. */
START_TEST(frozen_coupling_differs_where_there_are_stages)
{
    uint64_t random = random_seed("frozen");
    const spl_scheme *scheme = &spl_schemes[_i / BITS_N_KINDS];
    const int kind = _i % BITS_N_KINDS;
    bits_case *c = larter_breakspear(24, "mean_rate");
    bits_draw_edges(c, (bits_kind)kind, 0.4, &random);
    c->settings.integrator = scheme->name;
    bits_outcome *per_stage = bits_run(c, &(bits_way){0}, 50);
    c->settings.frozen = true;
    bits_outcome *frozen = bits_run(c, &(bits_way){0}, 50);
    if (scheme->n_stages == 1) {
        bits_same(per_stage, frozen, scheme->name);
    } else {
        ck_assert_double_gt(bits_distance(per_stage, frozen), 1e-7);
    }
    bits_outcome_free(per_stage);
    bits_outcome_free(frozen);
    bits_free(c);
}
END_TEST

static bits_outcome *run_text(const char *text)
{
    enum { NODES = 5 };
    bits_case *c = larter_breakspear(NODES, "mean_rate");
    spl_config *config = NULL;
    spl_connectome *connectome = NULL;
    spl_settings settings = {0};
    for (size_t e = 0; e < NODES * NODES; e++) {
        c->weights[e] = 0.3;
        c->lengths[e] = 5.0 + (double)e;
    }
    const spl_connectome_arrays arrays = {
        .n_nodes = NODES, .weights = c->weights, .tract_lengths = c->lengths};
    ck_assert_int_eq(spl_connectome_create(&connectome, &arrays, NULL), SPL_OK);
    spl_status status = spl_config_from_text(&config, "text", text, strlen(text));
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    status = spl_config_resolve(config, connectome, &settings);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    spl_settings_free(&c->settings);
    c->settings = settings;
    c->settings.threads = 1;
    bits_outcome *o = bits_run(c, &(bits_way){0}, 100);
    spl_config_free(config);
    spl_connectome_free(connectome);
    bits_free(c);
    return o;
}

START_TEST(a_constant_array_is_a_scalar)
{
    bits_outcome *scalar = run_text("model: { C: 0.3, d_V: 0.61 }\n");
    bits_outcome *array = run_text("model: { C: [0.3, 0.3, 0.3, 0.3, 0.3],"
                                   " d_V: [0.61, 0.61, 0.61, 0.61, 0.61] }\n");
    bits_outcome *other = run_text("model: { C: [0.3, 0.3, 0.2, 0.3, 0.3],"
                                   " d_V: [0.61, 0.61, 0.61, 0.61, 0.61] }\n");
    bits_same(scalar, array, "constant array");
    ck_assert_double_gt(bits_distance(scalar, other), 1e-9);
    bits_outcome_free(scalar);
    bits_outcome_free(array);
    bits_outcome_free(other);
}
END_TEST

/* x' = noise: the first step is the normal of (seed, stream, step 0, node), scaled. */
START_TEST(noise_of_a_node_is_its_own_normal)
{
    enum { NODES = 35 };
    spl_real normals[64];
    bits_case *c = linear(NODES, "linear");
    c->settings.seed = 0x123456789abcdefu;
    c->settings.integrator = "euler";
    c->settings.noise = SPL_NOISE_ADDITIVE;
    c->settings.init[0] = (spl_init){0};
    for (size_t i = 0; i < NODES; i++) {
        c->settings.params[i] = 0.0;
        c->settings.noise_strength[i] = 0.1 * (double)(i + 1);
    }
    bits_outcome *o = bits_run(c, &(bits_way){0}, 1);
    spl_rng_kernels_of(SPL_TARGET_SCALAR)
        ->normals(c->settings.seed, SPL_STREAM_NOISE, 0, 1, 0, 64, normals, 64);
    for (size_t i = 0; i < NODES; i++) {
        const spl_real scale = (spl_real)(0.1 * (double)(i + 1) * sqrt(0.1));
        const double expected = normals[i] * scale;
        const double got = bits_row(o, 1, 0, i);
        ck_assert_mem_eq(&got, &expected, sizeof got);
    }
    bits_outcome_free(o);
    bits_free(c);
}
END_TEST

/* First row with a value outside the limit, and in it the first state and node. */
static spl_divergence find_first(const bits_outcome *o, double limit)
{
    for (uint64_t step = 1; step <= o->n_steps; step++) {
        for (size_t s = 0; s < o->n_states; s++) {
            for (size_t i = 0; i < o->n_nodes; i++) {
                const double value = bits_row(o, step, s, i);
                if (fabs(value) > limit) {
                    return (spl_divergence){true, i, s, value, step, SPL_OK};
                }
            }
        }
    }
    return (spl_divergence){0};
}

static void same_divergence(const bits_outcome *all, const bits_outcome *o,
    const spl_divergence *expected, const char *what)
{
    const spl_divergence *got = &o->divergence;
    ck_assert_msg(got->happened && got->node == expected->node &&
                      got->state == expected->state && got->step == expected->step &&
                      got->value == expected->value,
        "%s: state %zu of node %zu at step %llu expected, got %d: %zu of %zu at %llu",
        what, expected->state, expected->node, (unsigned long long)expected->step,
        got->happened, got->state, got->node, (unsigned long long)got->step);
    /* rows up to the step before it were seen, and no others */
    ck_assert_uint_eq(o->n_steps, expected->step - 1);
    ck_assert_uint_eq(o->steps_done, expected->step - 1);
    bits_same_rows(o, all, what);
}

/* A state that leaves the limit for a single step in the middle of a block is seen like
 * any other: the limit lies just below its highest peak. The linear model forgets within
 * a step or two; Larter-Breakspear has gates, which a block hands on to the next. */
START_TEST(divergence_is_seen_at_the_same_step_by_everyone)
{
    enum { STEPS = 120 };
    static const uint64_t chunks[] = {0, 1, 7, 16};
    uint64_t random = random_seed("divergence");
    const bool gates = _i >= BITS_N_KINDS;
    const bits_kind kind = (bits_kind)(_i % BITS_N_KINDS);
    const size_t n_nodes = SPL_TILE + 5;
    bits_case *c = gates ? bits_create(n_nodes, spl_model_find("larter_breakspear"),
                               spl_coupling_find("mean_rate"))
                         : linear(n_nodes, "mean_rate");
    if (!gates) {
        c->settings.init[0] = (spl_init){0};
    }
    bits_draw_edges(c, kind, 0.3, &random);
    bits_draw_noise(c, SPL_NOISE_ADDITIVE, &random);
    bits_outcome *all = bits_run(c, &(bits_way){0}, STEPS);
    double peak = 0.0;
    for (size_t s = 0; s < all->n_states; s++) {
        for (size_t v = 0; v < STEPS * c->n_nodes; v++) {
            const double value = bits_row(all, 1 + v / c->n_nodes, s, v % c->n_nodes);
            peak = fmax(peak, fabs(value));
        }
    }
    c->settings.divergence_limit = 0.999999 * peak;
    const spl_divergence expected = find_first(all, c->settings.divergence_limit);
    for (int way = 0; way < 36; way++) {
        const bits_way how = {.reference = way % 12 == 0,
            .threads = 1 + way % 3,
            .chunk = chunks[way % 4],
            .collect = way / 12 == 1 || (way > 24 && way % 2 == 1),
            .places = way > 24,
            .pieces = way > 12 && way <= 24 && way % 3 > 0};
        bits_outcome *o = bits_run(c, &how, STEPS);
        same_divergence(all, o, &expected, bits_kind_names[kind]);
        bits_outcome_free(o);
    }
    bits_outcome_free(all);
    bits_free(c);
}
END_TEST

/* Networks that blow up to infinity and, where infinity is no limit, to NaN. */
START_TEST(overflow_is_divergence)
{
    static const char *const engines[] = {"production", "reference"};
    const bool to_nan = _i == 1;
    bits_case *c = linear(18, "linear");
    c->settings.divergence_limit = to_nan ? (double)INFINITY : 1e300;
    c->settings.params[5] = to_nan ? -300.0 : 300.0;
    c->settings.init[0] = (spl_init){.low = 1.0, .high = 1.0};
    uint64_t step = 0;
    for (int reference = 0; reference < 2; reference++) {
        bits_outcome *o =
            bits_run(c, &(bits_way){.reference = reference, .chunk = 13}, 1000);
        ck_assert_msg(
            o->divergence.happened && o->divergence.node == 5, "%s", engines[reference]);
        ck_assert(
            to_nan ? isnan(o->divergence.value) : fabs(o->divergence.value) > 1e300);
        ck_assert(reference == 0 || o->divergence.step == step);
        step = o->divergence.step;
        ck_assert_uint_eq(o->n_steps, step - 1);
        bits_outcome_free(o);
    }
    bits_free(c);
}
END_TEST

/* The padding copies the last node but has no input: here a growing node is held by its
 * self-edge, and its copies in the padding grow for ever, unseen. */
START_TEST(padding_is_never_reported)
{
    bits_case *c = linear(3, "linear");
    c->settings.divergence_limit = 1e6;
    c->settings.coupling_params[0] = 1.0;
    for (size_t i = 0; i < 3; i++) {
        c->settings.params[i] = 1.0;
        c->weights[i * 3 + i] = -3.0;
        c->lengths[i * 3 + i] = _i * c->settings.dt;
    }
    bits_outcome *o = bits_run(c, &(bits_way){0}, 1000);
    ck_assert(!o->divergence.happened);
    ck_assert_uint_eq(o->n_steps, 1000);
    ck_assert(fabs(bits_row(o, 1000, 0, 2)) < 1.0);
    bits_outcome_free(o);
    bits_free(c);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("network");
    TCase *all = tcase_create("all");
    TCase *lengthy = test_long_cases(suite);
    const int n_models = (int)spl_model_count();
    tcase_set_timeout(all, 100);
    tcase_add_loop_test(lengthy, default_networks_stay_finite, 0, n_models);
    tcase_add_loop_test(lengthy, nodes_without_edges_are_independent, 0, n_models);
    tcase_add_loop_test(lengthy, relabelling_the_nodes_relabels_the_result, 0, n_models);
    tcase_add_loop_test(all, delay_zero_is_no_delay, 0, n_models);
    tcase_add_loop_test(
        lengthy, a_linear_network_superposes, 0, 2 * SPL_N_SCHEMES * BITS_N_KINDS);
    tcase_add_loop_test(lengthy, equal_nodes_with_equal_input_stay_equal, 0, n_models);
    tcase_add_loop_test(all, frozen_coupling_differs_where_there_are_stages, 0,
        SPL_N_SCHEMES * BITS_N_KINDS);
    tcase_add_test(all, a_constant_array_is_a_scalar);
    tcase_add_test(all, noise_of_a_node_is_its_own_normal);
    tcase_add_loop_test(
        all, divergence_is_seen_at_the_same_step_by_everyone, 0, 2 * BITS_N_KINDS);
    tcase_add_loop_test(all, overflow_is_divergence, 0, 2);
    tcase_add_loop_test(all, padding_is_never_reported, 0, 4);
    suite_add_tcase(suite, all);
    return suite;
}
