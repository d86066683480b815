/* Measured regimes of single Larter-Breakspear nodes: fixed point, cycle or chaos, by the
 * largest Lyapunov exponent of pairs of neighbouring trajectories; frequencies of the
 * cycles. RK4 at 0.05 ms, transient of 20 s, 60 s, the pairs drawn together every
 * millisecond: shorter runs scatter by 0.001 per ms. */
#include "numeric/single_node.h"
#include "support/network_run.h"

typedef enum { FIXED_POINT, CYCLE, CHAOS } regime_kind;

/* c = 0; the exponent per ms and the crossings of the mean upwards per second were
 * measured with two prototypes. */
static const struct {
    const char *model;
    regime_kind kind;
    double exponent;  /* NAN: 0 */
    double crossings; /* NAN: not tabulated */
} regimes[] = {
    {"{d_V: 0.50}", FIXED_POINT, -0.03217, NAN},
    {"{d_V: 0.65}", CYCLE, NAN, NAN},
    {"{d_V: 0.72}", CHAOS, 0.0024, NAN},
    {"{gCa: 1, aee: 0.36, d_V: 0.55, d_Z: 0.55}", FIXED_POINT, -0.02337, NAN},
    {"{gCa: 1, aee: 0.36, d_V: 0.58, d_Z: 0.58}", CYCLE, NAN, 115.1},
    {"{gCa: 1, aee: 0.36, d_V: 0.60, d_Z: 0.60}", CYCLE, NAN, 111.9},
    {"{gCa: 1, aee: 0.36, d_V: 0.62, d_Z: 0.62}", CHAOS, 0.0134, NAN},
    {"{gCa: 1, aee: 0.36, d_V: 0.65, d_Z: 0.65}", CHAOS, 0.0088, NAN},
    {"{gCa: 1, aee: 0.36, d_V: 0.70, d_Z: 0.70}", CHAOS, 0.0067, NAN},
    {"{gCa: 1, aee: 0.36, d_V: 0.55, d_Z: 0.55, C: 0}", FIXED_POINT, -0.0155, NAN},
    {"{gCa: 1, aee: 0.36, d_V: 0.58, d_Z: 0.58, C: 0}", CYCLE, NAN, 113.2},
    {"{gCa: 1, aee: 0.36, d_V: 0.60, d_Z: 0.60, C: 0}", CYCLE, NAN, 110.2},
    {"{gCa: 1, aee: 0.36, d_V: 0.62, d_Z: 0.62, C: 0}", CHAOS, 0.0097, NAN},
    {"{gCa: 1, aee: 0.36, d_V: 0.65, d_Z: 0.65, C: 0}", CHAOS, 0.0094, NAN},
    {"{gCa: 1, aee: 0.36, d_V: 0.70, d_Z: 0.70, C: 0}", CYCLE, NAN, 27.9},
    {"{preset: btf2003, d_V: 0.65}", CYCLE, NAN, NAN},
    {"{preset: btf2003, d_V: 0.66}", CHAOS, 0.003, NAN},
    {"{preset: btf2003, d_V: 0.71}", CHAOS, 0.004, NAN},
    /* the presets, alone and as a synchronous network, where C drops out */
    {"{preset: tvb}", CYCLE, NAN, NAN},
    {"{preset: btf2003}", CYCLE, NAN, 28.6},
    {"{preset: alstott2009}", CHAOS, 0.0088, NAN},
    {"{preset: roberts2019}", CYCLE, NAN, 113.5},
    {"{preset: endo2020}", CYCLE, NAN, 114.9},
    {"{preset: tvb, C: 0}", CYCLE, NAN, NAN},
    {"{preset: alstott2009, C: 0}", CHAOS, 0.0094, NAN},
    {"{preset: roberts2019, C: 0}", CHAOS, 0.0094, NAN},
    {"{preset: endo2020, C: 0}", CHAOS, 0.008, NAN},
    /* The Virtual Brain's "chaos example" is a cycle */
    {"{d_V: 0.6, aee: 0.5, aie: 0.5, gNa: 0, Iext: 0.165}", CYCLE, NAN, 100.8},
};
enum {
    N_REGIMES = sizeof regimes / sizeof *regimes,
    STARTS = 3,
    PAIRS = N_REGIMES * STARTS,
    N = 2 * PAIRS, /* the pairs' second nodes come behind all the first */
    STEPS = 20,    /* in a millisecond */
};
static const double distance = 1e-7;

/* Parameters of a column from those of a configuration of one node. */
static void copy_params(network_run *run, size_t column, const char *model)
{
    network_run one;
    spl_connectome *connectome = make_connectome(1, NULL, NULL);
    network_settle(&one, connectome, "model: %s", model);
    for (size_t p = 0; p < one.settings.model->n_params; p++) {
        const char *name = one.settings.model->params[p].name;
        network_param(run, name)[column] = network_param(&one, name)[0];
    }
    network_close(&one);
    spl_connectome_free(connectome);
}

/* Starts around the fixed points: at d_V 0.50 the usual rule loses 1.7 %. */
static void assemble_pairs(network_run *run)
{
    spl_connectome *connectome = make_connectome(N, NULL, NULL);
    network_settle(run, connectome,
        "simulation: {integrator: rk4, dt: 0.05, threads: 1}\n"
        "model: {init: {V: [-0.25, -0.1], W: [0.15, 0.3], Z: [0.04, 0.12]}}");
    for (size_t pair = 0; pair < PAIRS; pair++) {
        copy_params(run, pair, regimes[pair / STARTS].model);
        copy_params(run, PAIRS + pair, regimes[pair / STARTS].model);
    }
    network_assemble(run, connectome);
    spl_connectome_free(connectome);
}

/* Distance of the nodes of a pair; puts the second at `distance` in the same direction.
 */
static double draw_together(spl_network *network, size_t pair)
{
    double *state = network->run.state;
    double square = 0.0;
    for (size_t s = 0; s < NODE_STATES; s++) {
        const double *x = state + s * network->stride;
        square += (x[PAIRS + pair] - x[pair]) * (x[PAIRS + pair] - x[pair]);
    }
    const double factor = distance / sqrt(square);
    for (size_t s = 0; s < NODE_STATES; s++) {
        double *x = state + s * network->stride;
        x[PAIRS + pair] = x[pair] + factor * (x[PAIRS + pair] - x[pair]);
    }
    return sqrt(square);
}

/* What was measured of a pair. */
typedef struct measured {
    double exponent, crossings, mean;
    double before; /* V a millisecond ago */
} measured;

static void measure(network_run *run, measured *m)
{
    enum { TRANSIENT = 20000, MEAN = 5000, TIME = 60000 };
    spl_network *network = &run->network;
    const double *v = network->run.state;
    for (size_t ms = 0; ms < TRANSIENT; ms++) {
        network_advance(run, STEPS);
        for (size_t pair = 0; pair < PAIRS && ms >= TRANSIENT - MEAN; pair++) {
            m[pair].mean += v[pair] / MEAN;
        }
    }
    for (size_t pair = 0; pair < PAIRS; pair++) {
        for (size_t s = 0; s < NODE_STATES; s++) {
            double *x = network->run.state + s * network->stride;
            x[PAIRS + pair] = x[pair] + distance / sqrt(NODE_STATES);
        }
        m[pair].before = v[pair];
    }
    for (size_t ms = 0; ms < TIME; ms++) {
        network_advance(run, STEPS);
        for (size_t pair = 0; pair < PAIRS; pair++) {
            m[pair].exponent += log(draw_together(network, pair) / distance) / TIME;
            if (m[pair].before < m[pair].mean && v[pair] >= m[pair].mean) {
                m[pair].crossings += 1000.0 / TIME;
            }
            m[pair].before = v[pair];
        }
    }
}

static void check_regime(size_t r, const measured *m)
{
    static const double cycle_bound = 5e-4;
    static const double chaos_bound = 0.0015;
    fprintf(stderr, "# %-52s", regimes[r].model);
    for (size_t start = 0; start < STARTS; start++) {
        const measured *found = &m[r * STARTS + start];
        fprintf(stderr, " %+.5f", found->exponent);
        switch (regimes[r].kind) {
        case FIXED_POINT:
            ck_assert_msg(fabs(found->exponent - regimes[r].exponent) < 1e-4,
                "%s: exponent %g is not that of the fixed point, %g", regimes[r].model,
                found->exponent, regimes[r].exponent);
            continue;
        case CYCLE:
            ck_assert_msg(fabs(found->exponent) < cycle_bound,
                "%s: exponent %g is not that of a cycle", regimes[r].model,
                found->exponent);
            break;
        case CHAOS:
            ck_assert_msg(found->exponent > chaos_bound,
                "%s: exponent %g is not that of chaos", regimes[r].model,
                found->exponent);
            break;
        }
        fprintf(stderr, " (%.2f/s)", found->crossings);
        ck_assert_msg(isnan(regimes[r].crossings) ||
                          fabs(found->crossings - regimes[r].crossings) <= 0.1,
            "%s: %g cycles per second, measured before %g", regimes[r].model,
            found->crossings, regimes[r].crossings);
    }
    fprintf(stderr, "\n");
}

START_TEST(exponents_and_frequencies)
{
    static measured m[PAIRS];
    network_run run;
    assemble_pairs(&run);
    measure(&run, m);
    for (size_t r = 0; r < N_REGIMES; r++) {
        check_regime(r, m);
    }
    network_close(&run);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("regimes");
    TCase *nodes = tcase_create("nodes");
    tcase_set_timeout(nodes, 300);
    tcase_add_test(nodes, exponents_and_frequencies);
    suite_add_tcase(suite, nodes);
    return suite;
}
