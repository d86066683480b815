/* Nodes with spiking subnetworks: the production engine gives the bits of the reference
 * engine in every mode, scheme and kind of network, whatever the threads, targets, blocks
 * and calls; a probe changes no bit of the nodes. */
#include <math.h>
#include <stdio.h>

#include "model/schemes.h"
#include "support/bits.h"
#include "support/random.h"
#include "support/spiking.h"
#include "support/test_main.h"

enum { MAX_NODES = 33, MOST_HOSTS = 5, STEPS = 70 };

static const uint64_t chunks[] = {1, 7, 16, 1000};
static const int thread_counts[] = {1, 2, 3, 7};

static bits_way draw_way(uint64_t *random)
{
    int targets[SPL_N_TARGETS];
    const size_t n_targets = bits_targets(targets);
    return (bits_way){
        .threads = thread_counts[random_whole(random, 0, 3)],
        .target = targets[random_whole(random, 0, n_targets - 1)],
        .chunk = chunks[random_whole(random, 0, 3)],
        .block = random_whole(random, 0, 1) * random_whole(random, 1, SPL_MAX_BLOCK),
        .large = random_whole(random, 0, 1) == 1,
    };
}

/* A few neurons that feel and fire within some steps. */
static spl_subnetwork_spec draw_subnetwork(const char *name, uint64_t *random)
{
    static const double delays[] = {0.1, 0.2, 1.0, 3.0};
    spl_subnetwork_spec spec = make_subnetwork(name);
    const bool relay = random_whole(random, 0, 2) == 0;
    const size_t n = random_whole(random, 1, 40);
    add_population(&spec, "E", relay ? "poisson_relay" : "izhikevich_ltc", n, true);
    add_population(&spec, "I", "izhikevich_ltc", random_whole(random, 1, 20), false);
    for (size_t to = relay; to < 2; to++) {
        const double delay = delays[random_whole(random, 0, 3)];
        add_projection(&spec, 0, to, AMPA, SPL_CONNECT_FIXED_INDEGREE, 5, 0.1, delay);
        add_projection(&spec, 1, to, GABA, SPL_CONNECT_FIXED_INDEGREE, 3, 0.5, delay);
    }
    for (size_t p = relay; p < 2; p++) {
        spec.populations[p].init[0] = uniform_draw(-70.0, 20.0);
    }
    spec.single = random_whole(random, 0, 1) == 1;
    spec.n_substeps = (uint32_t)random_whole(random, 1, 3);
    spec.interface.J = 0.2;
    spec.interface.r_max = random_uniform(random, 0.02, 0.4);
    spec.interface.tau_f = 1.0;
    spec.interface.x0 = random_uniform(random, 0.0, 1.2) * spec.interface.r_max;
    spec.interface.second_pole = random_whole(random, 0, 1) == 1;
    spec.interface.drive = (spl_drive_kind)random_whole(random, 0, 2);
    return spec;
}

static void draw_interface(spl_interface_spec *interface, int mode, uint64_t *random)
{
    interface->mode = (spl_host_mode)mode;
    interface->kc = random_uniform(random, 0.0, 1.0);
    interface->kl = mode == SPL_MODE_REPLACE ? 0.0 : 1.0 - interface->kc;
    interface->alpha = mode == SPL_MODE_PROBE     ? 1.0
                       : mode == SPL_MODE_REPLACE ? 0.0
                                                  : random_uniform(random, 0.0, 1.0);
    interface->beta = mode == SPL_MODE_PROBE     ? 0.0
                      : mode == SPL_MODE_REPLACE ? 1.0
                                                 : random_uniform(random, 0.5, 1.5);
    interface->local_feedback =
        mode == SPL_MODE_ATTACH && random_whole(random, 0, 1) == 1;
}

/* Give some nodes of a case a subnetwork; mode -1: any. */
static void add_hosts(bits_case *c, int mode, uint64_t *random)
{
    const size_t most = c->n_nodes < MOST_HOSTS ? c->n_nodes : MOST_HOSTS;
    const size_t n = random_whole(random, 1, most);
    c->settings.subnetworks = calloc(n, sizeof *c->settings.subnetworks);
    c->settings.n_subnetworks = n;
    for (size_t s = 0; s < n; s++) {
        char name[32];
        snprintf(name, sizeof name, "s%zu", s);
        spl_subnetwork_spec *spec = &c->settings.subnetworks[s];
        *spec = draw_subnetwork(name, random);
        /* distinct, in any order */
        spec->node = (s * 7 + random_whole(random, 0, 0)) % c->n_nodes;
        for (size_t other = 0; other < s; other++) {
            if (c->settings.subnetworks[other].node == spec->node) {
                spec->node = (spec->node + 1) % c->n_nodes;
                other = (size_t)-1;
            }
        }
        draw_interface(
            &spec->interface, mode >= 0 ? mode : (int)random_whole(random, 0, 2), random);
    }
}

static const char *const couplings[] = {"mean_rate", "linear", "difference", "sigmoidal"};
enum { N_COUPLINGS = sizeof couplings / sizeof *couplings };

static bits_case *draw_case(const char *coupling, bits_kind kind, uint64_t *random)
{
    bits_case *c =
        bits_create(random_whole(random, 1, random_whole(random, 1, MAX_NODES)),
            spl_model_find("larter_breakspear"), spl_coupling_find(coupling));
    c->settings.seed = random_bits(random);
    c->settings.sends_observable = true;
    bits_draw_edges(c, kind, random_uniform(random, 0.1, 1.0), random);
    bits_draw_noise(c, (spl_noise_kind)random_whole(random, 0, 3), random);
    c->settings.integrator = spl_schemes[random_whole(random, 0, SPL_N_SCHEMES - 1)].name;
    c->settings.frozen = random_whole(random, 0, 1) == 1;
    return c;
}

START_TEST(every_mode_has_the_bits_of_the_reference)
{
    uint64_t random = random_seed("every_mode") + (uint64_t)_i;
    uint64_t spikes = 0;
    for (int repeat = 0; repeat < (SPL_REAL_BYTES == 8 ? 12 : 5); repeat++) {
        char what[256];
        const bits_kind kind = (bits_kind)_i;
        const char *coupling = couplings[random_whole(&random, 0, N_COUPLINGS - 1)];
        bits_case *c = draw_case(coupling, kind, &random);
        const bits_way way = draw_way(&random);
        add_hosts(c, -1, &random);
        if (repeat % 3 == 2) {
            /* soon left by some node: the block is cut and repeated up to there */
            c->settings.divergence_limit = random_uniform(&random, 0.35, 0.66);
        }
        snprintf(what, sizeof what,
            "repeat %d, %s, %s, %s, %s, %zu nodes, %zu hosts, %d threads, target %d, "
            "chunk %d, block %d%s",
            repeat, coupling, bits_kind_names[kind], c->settings.integrator,
            c->settings.frozen ? "frozen" : "per stage", c->n_nodes,
            c->settings.n_subnetworks, way.threads, way.target, (int)way.chunk,
            (int)way.block, way.large ? ", large" : "");
        bits_outcome *expected = bits_run(c, &(bits_way){.reference = true}, STEPS);
        bits_outcome *got = bits_run(c, &way, STEPS);
        ck_assert_msg(expected->divergence.happened || expected->n_steps == STEPS,
            "%s: %d steps", what, (int)expected->n_steps);
        bits_same(expected, got, what);
        spikes += got->spikes;
        bits_outcome_free(expected);
        bits_outcome_free(got);
        bits_free(c);
    }
    ck_assert_uint_gt(spikes, 100);
}
END_TEST

START_TEST(a_probe_changes_no_bit_of_the_nodes)
{
    uint64_t random = random_seed("probe") + (uint64_t)_i;
    for (int repeat = 0; repeat < 4; repeat++) {
        bits_case *c = draw_case("mean_rate", (bits_kind)_i, &random);
        const bits_way way = draw_way(&random);
        bits_outcome *without = bits_run(c, &way, STEPS);
        add_hosts(c, SPL_MODE_PROBE, &random);
        bits_outcome *with = bits_run(c, &way, STEPS);
        bits_same(without, with, "without and with probe");
        ck_assert_uint_eq(with->clips, 0);
        ck_assert_uint_gt(with->spikes, 0);
        bits_outcome_free(without);
        bits_outcome_free(with);
        bits_free(c);
    }
}
END_TEST

/* What the monitors see of a replaced node is Qhat; nothing of it is ever integrated. */
START_TEST(a_replaced_node_shows_its_subnetwork)
{
    uint64_t random = random_seed("replaced") + (uint64_t)_i;
    bits_case *c = draw_case("mean_rate", (bits_kind)_i, &random);
    add_hosts(c, SPL_MODE_REPLACE, &random);
    const spl_subnetwork_spec *spec = &c->settings.subnetworks[0];
    const size_t node = spec->node;
    bits_outcome *o = bits_run(c, &(bits_way){.threads = 2}, STEPS);
    ck_assert(!o->divergence.happened);
    for (uint64_t step = 1; step <= STEPS; step++) {
        const double V = bits_row(o, step, 0, node);
        const double Q = bits_row(o, step, o->n_states, node);
        ck_assert(isfinite(V));
        ck_assert(isnan(bits_row(o, step, 1, node)));
        ck_assert(isnan(bits_row(o, step, 2, node)));
        ck_assert(Q >= 0.0 && Q <= 1.0);
        /* the model's own Q_V of the V shown, within its bounds */
        const double share = fmin(fmax(Q, 1e-3), 1.0 - 1e-3);
        ck_assert_double_eq_tol(
            0.5 * (1.0 + tanh(V / 0.65)), share, SPL_REAL_BYTES == 8 ? 1e-12 : 1e-5);
        ck_assert(isfinite(bits_row(o, step, o->n_states + 1, node)));
    }
    bits_outcome_free(o);
    bits_free(c);
}
END_TEST

/* Above 20000 neurons all threads share a subnetwork, in tied units and in free tiles. */
START_TEST(a_large_subnetwork_is_split)
{
    static const int threads[] = {1, 2, 3, 8};
    uint64_t random = random_seed("large");
    bits_case *c = bits_create(
        5, spl_model_find("larter_breakspear"), spl_coupling_find("mean_rate"));
    bits_draw_edges(c, _i == 0 ? BITS_DELAYED : BITS_SHORT, 1.0, &random);
    c->settings.subnetworks = calloc(1, sizeof *c->settings.subnetworks);
    c->settings.subnetworks[0] = make_coba("large", 20500, 20, 1.0, 1.0);
    c->settings.n_subnetworks = 1;
    bits_outcome *expected = bits_run(c, &(bits_way){.reference = true}, 50);
    ck_assert_uint_gt(expected->spikes, 100);
    for (size_t t = 0; t < 4; t++) {
        char what[64];
        snprintf(what, sizeof what, "%d threads", threads[t]);
        bits_outcome *got =
            bits_run(c, &(bits_way){.threads = threads[t], .chunk = 33}, 50);
        bits_same(expected, got, what);
        bits_outcome_free(got);
    }
    bits_outcome_free(expected);
    bits_free(c);
}
END_TEST

/* A conductance beyond its type's range leaves no number; the run ends with an error that
 * names the neuron, the same for all threads. */
START_TEST(a_population_that_diverges_ends_the_run)
{
    uint64_t random = random_seed("diverges");
    bits_case *c = bits_create(
        20, spl_model_find("larter_breakspear"), spl_coupling_find("mean_rate"));
    bits_draw_edges(c, _i % 2 == 0 ? BITS_DELAYED : BITS_MIXED, 1.0, &random);
    c->settings.subnetworks = calloc(1, sizeof *c->settings.subnetworks);
    c->settings.subnetworks[0] = make_coba("bad", 50, 10, 1.0, 1.0);
    c->settings.subnetworks[0].interface.J = 3e38;
    c->settings.n_subnetworks = 1;
    bits_outcome *o = bits_run(
        c, &(bits_way){.threads = 1 + _i, .large = _i == 1, .reference = _i == 3}, STEPS);
    ck_assert(!o->divergence.happened);
    ck_assert_int_eq(o->divergence.status, SPL_ERR_DIVERGED);
    ck_assert_msg(
        strstr(spl_last_error(), "population bad.") != NULL, "%s", spl_last_error());
    ck_assert_uint_lt(o->steps_done, STEPS);
    bits_outcome_free(o);
    bits_free(c);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("hosts");
    TCase *all = tcase_create("all");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(all, 100);
    tcase_add_loop_test(
        lengthy, every_mode_has_the_bits_of_the_reference, 0, BITS_N_KINDS);
    tcase_add_loop_test(lengthy, a_probe_changes_no_bit_of_the_nodes, 0, BITS_N_KINDS);
    tcase_add_loop_test(all, a_replaced_node_shows_its_subnetwork, 0, BITS_N_KINDS);
    tcase_add_loop_test(lengthy, a_large_subnetwork_is_split, 0, 2);
    tcase_add_loop_test(all, a_population_that_diverges_ends_the_run, 0, 4);
    suite_add_tcase(suite, all);
    return suite;
}
