/* The engine against a second program in plain C: all coupling functions, schemes, ways
 * to evaluate the coupling, patterns of delays, kinds of noise, different parameters in
 * every node. The same bits from both engines, every target and two threads. */
#include "oracle/plain.h"
#include "support/network_run.h"
#include "support/stored.h"

static const char *const schemes[] = {"euler", "heun", "rk4", "exp_euler"};

/* In the order of plain_function; the same constants as plain.h. */
static const struct {
    const char *coupling;
    bool in_strength, sends_rate;
} functions[] = {
    {"{function: mean_rate, a: 0.7, b: 0.05, normalise: in_strength}", true, true},
    {"{function: linear, a: 0.7, b: 0.05, normalise: none, observable: V}", false, false},
    {"{function: difference, a: 0.7, normalise: in_strength, observable: V}", true,
        false},
    {"{function: tvb_tanh, a: 0.7, b: 1.3, midpoint: -0.1, sigma: 0.4}", false, false},
    {"{function: jansen_rit, a: 0.7, cmin: -0.2, cmax: 0.6, midpoint: -0.1, r: 2.5}",
        false, false},
    {"{function: sigmoidal, a: 0.7, cmin: -0.2, cmax: 0.6, midpoint: -0.1, sigma: 0.4, "
     "observable: Q_V}",
        false, true},
    {"{function: kuramoto, a: 0.7}", false, false},
};
enum { N_FUNCTIONS = sizeof functions / sizeof *functions };

/* Shortest and longest delay between different nodes, in steps. */
static const struct {
    const char *name;
    int shortest, longest;
} patterns[] = {{"no delays", 0, 0}, {"some delays", 0, 30}, {"from 1 step", 1, 30},
    {"from 5 steps", 5, 30}, {"from 17 steps", 17, 60}, {"3 steps", 3, 3}};
enum { N_PATTERNS = sizeof patterns / sizeof *patterns };

static const struct {
    const char *yaml;
    plain_noise kind;
    double sigma[PLAIN_STATES];
} noises[] = {
    {"noise: {kind: none}", PLAIN_SILENT, {0}},
    {"noise: {kind: additive, sigma: {V: 0.02, W: 0.01, Z: 0.005}}", PLAIN_ADDITIVE,
        {0.02, 0.01, 0.005}},
    {"noise: {kind: multiplicative, a: 1.3, b: 0.2, sigma: {V: 0.05, Z: 0.01}}",
        PLAIN_MULTIPLICATIVE, {0.05, 0.0, 0.01}},
    {"noise: {kind: ou, tau: 3, mean: 0.01, sigma: {V: 0.02, W: 0.01}}", PLAIN_OU,
        {0.02, 0.01, 0.0}},
};

/* Uniform in [low, high]: a linear congruential generator, Knuth's MMIX constants. */
static double draw(uint64_t *seed, double low, double high)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (double)(*seed >> 11) * 0x1p-53;
}

/* A connected net with self-connections; node 3 receives nothing, node 4 itself late. */
static void draw_net(plain *net, size_t pattern, uint64_t *seed)
{
    const int shortest = patterns[pattern].shortest;
    const int spread = patterns[pattern].longest - shortest;
    for (size_t i = 0; i < net->n; i++) {
        for (size_t j = 0; j < net->n; j++) {
            const bool linked = i != 3 && (i == j || draw(seed, 0, 1) < 0.4);
            net->weight[i][j] = linked ? draw(seed, 0.05, 0.4) : 0.0;
            net->delay[i][j] = shortest + (int)draw(seed, 0, spread + 0.999);
            if (i == j && i != 4) {
                net->delay[i][j] = 0;
            }
        }
    }
}

/* Every parameter of every node is different. */
static void draw_nodes(plain *net, uint64_t *seed)
{
    static const double low[] = {-0.3, 0.1, 0.0};
    static const double high[] = {0.1, 0.5, 0.15};
    const spl_model *model = spl_model_find("larter_breakspear");
    ck_assert_uint_eq(model->n_params, PLAIN_N_PARAMS);
    for (size_t i = 0; i < net->n; i++) {
        double *params = (double *)&net->params[i];
        for (size_t p = 0; p < PLAIN_N_PARAMS; p++) {
            ck_assert_str_eq(model->params[p].name, plain_names[p]);
            params[p] =
                model->params[p].value * draw(seed, 0.95, 1.05) + draw(seed, 0.0, 0.01);
        }
        for (size_t s = 0; s < PLAIN_STATES; s++) {
            net->state[0][s][i] = draw(seed, low[s], high[s]);
        }
    }
}

static void draw_noise(plain *net, size_t noise, double *normals, uint64_t *seed)
{
    net->noise = noises[noise].kind;
    net->normals = normals;
    for (size_t k = 0; k < PLAIN_STEPS * PLAIN_STATES * net->n; k++) {
        normals[k] = draw(seed, -1.7, 1.7);
    }
    for (size_t s = 0; s < PLAIN_STATES; s++) {
        double start[2 * SPL_TILE];
        net->sigma[s] = noises[noise].sigma[s];
        spl_rng_kernels_of(SPL_TARGET_SCALAR)
            ->normals(42, SPL_STREAM_ETA + (uint32_t)s, 0, 1, 0, 2 * SPL_TILE, start,
                2 * SPL_TILE);
        memcpy(net->eta[s], start, net->n * sizeof *start);
    }
}

/* One case: indices into the tables above. */
typedef struct trial {
    size_t function, pattern, noise;
    plain_scheme scheme;
    bool frozen;
} trial;

static const struct {
    const char *engine, *undelayed;
    spl_target target;
    int threads;
} ways[] = {
    {"reference", "auto", BEST_TARGET, 1},
    {"production", "sparse", BEST_TARGET, 1},
    {"production", "sparse", BEST_TARGET, 2},
    {"production", "sparse", SPL_TARGET_SCALAR, 1},
    {"production", "sparse", SPL_TARGET_V3, 1},
    {"production", "dense", BEST_TARGET, 1},
};
enum { N_WAYS = sizeof ways / sizeof *ways, DENSE = N_WAYS - 1 };

/* The engine's trajectory of the net, [step][state][node]. */
static double *run_way(const plain *net, const trial *t, size_t way)
{
    network_run run;
    double weights[PLAIN_NODES * PLAIN_NODES];
    double lengths[PLAIN_NODES * PLAIN_NODES];
    double start[PLAIN_STATES * PLAIN_NODES];
    for (size_t i = 0; i < net->n; i++) {
        for (size_t j = 0; j < net->n; j++) {
            weights[i * net->n + j] = net->weight[i][j];
            lengths[i * net->n + j] = net->delay[i][j] * 0.1;
        }
        for (size_t s = 0; s < PLAIN_STATES; s++) {
            start[s * net->n + i] = net->state[0][s][i];
        }
    }
    spl_connectome *connectome = make_connectome(net->n, weights, lengths);
    network_settle(&run, connectome,
        "simulation: {integrator: %s, coupling_stages: %s, engine: %s, undelayed: %s, "
        "threads: %d, dt: 0.1, seed: 42}\nconnectome: {speed: 1}\ncoupling: %s\n%s",
        schemes[t->scheme], t->frozen ? "frozen" : "per-stage", ways[way].engine,
        ways[way].undelayed, ways[way].threads, functions[t->function].coupling,
        noises[t->noise].yaml);
    for (size_t i = 0; i < net->n; i++) {
        for (size_t p = 0; p < PLAIN_N_PARAMS; p++) {
            network_param(&run, plain_names[p])[i] = ((const double *)&net->params[i])[p];
        }
    }
    network_start_at(&run, start);
    network_assemble(&run, connectome);
    run.network.given_normals = net->normals;
    run.network.n_given = PLAIN_STEPS;
    double *found = network_trajectory(&run, PLAIN_STEPS);
    network_close(&run);
    spl_connectome_free(connectome);
    return found;
}

/* The net of a trial and its states at all steps. */
static plain *solve_plainly(const trial *t, double *normals)
{
    uint64_t seed = 1 + t->pattern + N_PATTERNS * t->function;
    plain *net = calloc(1, sizeof *net);
    net->n = PLAIN_NODES;
    net->dt = 0.1;
    net->scheme = t->scheme;
    net->frozen = t->frozen;
    net->function = (plain_function)t->function;
    net->in_strength = functions[t->function].in_strength;
    net->sends_rate = functions[t->function].sends_rate;
    draw_net(net, t->pattern, &seed);
    draw_nodes(net, &seed);
    draw_noise(net, t->noise, normals, &seed);
    for (int k = 0; k < PLAIN_STEPS; k++) {
        plain_step(net, k);
    }
    return net;
}

static void check_trial(const trial *t, worst_case *worst)
{
    const size_t width = PLAIN_STATES * PLAIN_NODES;
    const size_t n_numbers = (PLAIN_STEPS + 1) * width;
    static double normals[PLAIN_STEPS * PLAIN_STATES * PLAIN_NODES];
    plain *net = solve_plainly(t, normals);
    double *first = NULL;
    char what[160];
    snprintf(what, sizeof what, "%s, %s, %s, %s, %s", schemes[t->scheme],
        t->frozen ? "frozen" : "per-stage", patterns[t->pattern].name,
        functions[t->function].coupling, noises[t->noise].yaml);
    for (size_t way = 0; way < N_WAYS; way++) {
        const bool dense = way == DENSE;
        /* threads that wait for each other are slow on a busy machine */
        const bool spared =
            ways[way].threads > 1 && t->function != PLAIN_KURAMOTO && t->noise == 0;
        if (spared || (dense && patterns[t->pattern].longest > 0) ||
            !use_target(ways[way].target)) {
            continue;
        }
        double *found = run_way(net, t, way);
        for (size_t step = 0; step <= PLAIN_STEPS; step++) {
            compare_row(worst, what, step, found + step * width, net->state[step][0],
                width, 1e-12);
        }
        if (way == 0) {
            first = found;
            continue;
        }
        ck_assert_msg(dense || memcmp(first, found, n_numbers * sizeof *found) == 0,
            "%s: way %zu differs from the reference engine", what, way);
        free(found);
    }
    free(first);
    free(net);
}

START_TEST(every_coupling_scheme_and_delay)
{
    worst_case worst = {0};
    for (size_t pattern = 0; pattern < N_PATTERNS; pattern++) {
        for (int k = 0; k < 8; k++) {
            const trial t = {.function = (size_t)_i,
                .pattern = pattern,
                .scheme = (plain_scheme)(k / 2),
                .frozen = k % 2 == 1};
            check_trial(&t, &worst);
        }
    }
    report_worst(&worst, functions[_i].coupling);
}
END_TEST

START_TEST(every_noise)
{
    worst_case worst = {0};
    for (size_t pattern = 0; pattern < N_PATTERNS; pattern++) {
        for (int k = 0; k < 8; k++) {
            const trial t = {.function = (size_t)k % N_FUNCTIONS,
                .pattern = pattern,
                .noise = (size_t)_i,
                .scheme = (plain_scheme)(k / 2),
                .frozen = k % 2 == 1};
            check_trial(&t, &worst);
        }
    }
    report_worst(&worst, noises[_i].yaml);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("plain");
    TCase *nets = tcase_create("nets");
    TCase *lengthy = test_long_cases(suite);
    tcase_set_timeout(nets, 120);
    tcase_add_loop_test(lengthy, every_coupling_scheme_and_delay, 0, N_FUNCTIONS);
    tcase_add_loop_test(lengthy, every_noise, 1, 4);
    suite_add_tcase(suite, nets);
    return suite;
}
