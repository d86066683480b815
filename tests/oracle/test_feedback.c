/* A node whose equations take what it sends in place of its own rate (local_feedback)
 * against a second program in plain C, which is told what the neurons say and knows
 * nothing else of them: all schemes, ways to evaluate the coupling and patterns of
 * delays. */
#include "oracle/plain.h"
#include "support/network_run.h"
#include "support/random.h"
#include "support/spiking.h"
#include "support/stored.h"

static const char *const schemes[] = {"euler", "heun", "rk4", "exp_euler"};

/* Shortest and longest delay, in steps. */
static const struct {
    int shortest, longest;
} patterns[] = {{0, 0}, {0, 30}, {1, 30}, {17, 60}};
enum { N_PATTERNS = sizeof patterns / sizeof *patterns, HOST = 2 };

static const struct {
    const char *engine;
    int threads;
} ways[] = {{"reference", 1}, {"production", 1}, {"production", 2}};
enum { N_WAYS = sizeof ways / sizeof *ways };

typedef struct trial {
    size_t pattern;
    plain_scheme scheme;
    bool frozen, feedback;
    double alpha, beta;
} trial;

/* More nodes than a tile has, so that others are free of the host's. All have a self-edge
 * without delay. */
static plain *make_net(const trial *t)
{
    static const double start[] = {-0.2, 0.3, 0.05};
    uint64_t random = 1 + t->pattern;
    plain *net = calloc(1, sizeof *net);
    net->n = PLAIN_NODES;
    net->dt = 0.1;
    net->scheme = t->scheme;
    net->frozen = t->frozen;
    net->function = PLAIN_MEAN_RATE;
    net->in_strength = true;
    net->sends_rate = true;
    net->alpha = t->alpha;
    net->beta = t->beta;
    net->local_feedback = t->feedback;
    const spl_model *model = spl_model_find("larter_breakspear");
    for (size_t i = 0; i < net->n; i++) {
        for (size_t j = 0; j < net->n; j++) {
            net->weight[i][j] = random_uniform(&random, 0.0, 1.0);
            net->delay[i][j] =
                (int)random_whole(&random, (uint64_t)patterns[t->pattern].shortest,
                    (uint64_t)patterns[t->pattern].longest);
            if (i == j) {
                net->delay[i][j] = 0;
            }
        }
        for (size_t p = 0; p < PLAIN_N_PARAMS; p++) {
            ((double *)&net->params[i])[p] = model->params[p].value;
        }
        for (size_t s = 0; s < PLAIN_STATES; s++) {
            net->state[0][s][i] = start[s] + random_uniform(&random, -0.05, 0.05);
        }
    }
    return net;
}

static spl_subnetwork_spec make_host(const trial *t)
{
    spl_subnetwork_spec spec = make_subnetwork("host");
    add_population(&spec, "E", "poisson_relay", 50, true);
    spec.node = HOST;
    spec.interface.alpha = t->alpha;
    spec.interface.beta = t->beta;
    spec.interface.local_feedback = t->feedback;
    spec.interface.r_max = 0.05;
    spec.interface.tau_f = 1.0;
    spec.interface.x0 = 0.02;
    return spec;
}

typedef struct collected {
    const spl_network *network;
    double *states; /* [PLAIN_STEPS + 1][PLAIN_STATES][PLAIN_NODES] */
    double *Q_hat;  /* [PLAIN_STEPS + 1] */
} collected;

static bool collect(void *user, const spl_samples *block)
{
    const collected *c = user;
    const spl_subnetwork_block *last =
        spl_subnetwork_last(c->network->jobs[0].subnetwork);
    for (size_t s = 0; s < block->n_steps; s++) {
        const size_t step = (size_t)block->first_step + s;
        c->Q_hat[step] = last->Q_hat[step - last->first_step];
        for (size_t v = 0; v < PLAIN_STATES; v++) {
            memcpy(c->states + (step * PLAIN_STATES + v) * PLAIN_NODES,
                block->values + (s * block->n_variables + v) * block->stride,
                PLAIN_NODES * sizeof(double));
        }
    }
    return true;
}

/* Run the engine: its states, and what the neurons said. */
static void run_way(const plain *net, const trial *t, size_t way, collected *out)
{
    network_run run;
    double weights[PLAIN_NODES * PLAIN_NODES];
    double lengths[PLAIN_NODES * PLAIN_NODES];
    for (size_t i = 0; i < net->n; i++) {
        for (size_t j = 0; j < net->n; j++) {
            weights[i * net->n + j] = net->weight[i][j];
            lengths[i * net->n + j] = net->delay[i][j] * 0.1;
        }
    }
    spl_connectome *connectome = make_connectome(net->n, weights, lengths);
    network_settle(&run, connectome,
        "simulation: {integrator: %s, coupling_stages: %s, engine: %s, threads: %d, dt: "
        "0.1}\nconnectome: {speed: 1}\n"
        "coupling: {function: mean_rate, a: 0.7, b: 0.05, normalise: in_strength}\n",
        schemes[t->scheme], t->frozen ? "frozen" : "per-stage", ways[way].engine,
        ways[way].threads);
    network_start_at(&run, net->state[0][0]);
    run.settings.subnetworks = calloc(1, sizeof *run.settings.subnetworks);
    run.settings.subnetworks[0] = make_host(t);
    run.settings.n_subnetworks = 1;
    network_assemble(&run, connectome);
    out->network = &run.network;
    out->Q_hat[0] = spl_subnetwork_Q_hat(run.network.jobs[0].subnetwork);
    network_copy_states(&run, out->states);
    const spl_block_hooks hooks = {.user = out, .finish = collect};
    spl_divergence divergence;
    spl_network_advance(&run.network, PLAIN_STEPS, &hooks, &divergence);
    ck_assert(!divergence.happened && divergence.status == SPL_OK);
    network_close(&run);
    spl_connectome_free(connectome);
}

static void check_trial(const trial *t, worst_case *worst)
{
    static double states[PLAIN_STEPS + 1][PLAIN_STATES * PLAIN_NODES];
    static double Q_hat[PLAIN_STEPS + 1];
    const size_t width = PLAIN_STATES * PLAIN_NODES;
    char what[96];
    for (size_t way = 0; way < N_WAYS; way++) {
        collected c = {.states = states[0], .Q_hat = Q_hat};
        plain *net = make_net(t);
        snprintf(what, sizeof what, "%s, %s, pattern %zu, %s, alpha %g, beta %g",
            schemes[t->scheme], t->frozen ? "frozen" : "per-stage", t->pattern,
            ways[way].engine, t->alpha, t->beta);
        run_way(net, t, way, &c);
        net->Q_hat[HOST] = Q_hat;
        for (int k = 0; k < PLAIN_STEPS; k++) {
            plain_step(net, k);
        }
        for (size_t step = 0; step <= PLAIN_STEPS; step++) {
            compare_row(
                worst, what, step, states[step], net->state[step][0], width, 1e-12);
        }
        free(net);
    }
}

/* With and without feedback; the sum of both weights may leave the bounds. */
START_TEST(equations_take_what_the_node_sends)
{
    static const double mixes[][2] = {{0.5, 0.5}, {0.0, 1.0}, {0.7, 1.5}};
    worst_case worst = {0};
    for (size_t pattern = 0; pattern < N_PATTERNS; pattern++) {
        for (int k = 0; k < 8; k++) {
            const double *mix = mixes[(pattern + (size_t)k) % 3];
            const trial t = {.pattern = pattern,
                .scheme = (plain_scheme)(k / 2),
                .frozen = k % 2 == 1,
                .feedback = _i == 1,
                .alpha = mix[0],
                .beta = mix[1]};
            check_trial(&t, &worst);
        }
    }
    report_worst(&worst, _i == 1 ? "with feedback" : "without feedback");
}
END_TEST

/* The states after a run of the production engine. */
static void final_states(const trial *t, double *out)
{
    static double states[PLAIN_STEPS + 1][PLAIN_STATES * PLAIN_NODES];
    static double Q_hat[PLAIN_STEPS + 1];
    collected c = {.states = states[0], .Q_hat = Q_hat};
    plain *net = make_net(t);
    run_way(net, t, 1, &c);
    memcpy(out, states[PLAIN_STEPS], sizeof states[0]);
    free(net);
}

/* A node that sends its own rate alone feeds back what it has anyway: not a bit moves,
 * though its tile now goes step by step. Any other mixture moves the node. */
START_TEST(only_a_mixture_makes_a_difference)
{
    double without[PLAIN_STATES * PLAIN_NODES];
    double with[PLAIN_STATES * PLAIN_NODES];
    for (int mixed = 0; mixed < 2; mixed++) {
        trial t = {.pattern = (size_t)_i, .scheme = PLAIN_RK4};
        t.alpha = mixed ? 0.5 : 1.0;
        t.beta = 1.0 - t.alpha;
        final_states(&t, without);
        t.feedback = true;
        final_states(&t, with);
        if (mixed) {
            ck_assert_double_gt(fabs(with[HOST] - without[HOST]), 1e-3);
        } else {
            ck_assert_mem_eq(with, without, sizeof with);
        }
    }
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("feedback");
    TCase *all = tcase_create("all");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(all, 100);
    tcase_add_loop_test(lengthy, equations_take_what_the_node_sends, 0, 2);
    tcase_add_loop_test(all, only_a_mixture_makes_a_difference, 0, N_PATTERNS);
    suite_add_tcase(suite, all);
    return suite;
}
