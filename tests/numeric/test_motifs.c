/* Zero-lag synchronisation of three delayed nodes (Gollo et al. 2014, PLoS Comput Biol
 * 10:e1003548): the two outer nodes of a common drive synchronise only with a reciprocal
 * link, and not in a fully reciprocal triangle. Local parameters of roberts2019, <Q_V> by
 * in-strength, no noise, Heun at 0.05 ms; 5 s transient, 30 s, ten starts. */
#include "support/network_run.h"

enum { MOTIFS = 4, STARTS = 10, NODES = 3, N = MOTIFS * STARTS * NODES, STEPS = 20 };

static const char *const names[MOTIFS] = {
    "common drive", "one return link", "two reciprocal links", "triangle"};
/* [target][source]; node 1 is the middle one */
static const double links[MOTIFS][NODES][NODES] = {
    {{0, 1, 0}, {0, 0, 0}, {0, 1, 0}},
    {{0, 1, 0}, {1, 0, 0}, {0, 1, 0}},
    {{0, 1, 0}, {1, 0, 1}, {0, 1, 0}},
    {{0, 1, 1}, {1, 0, 1}, {1, 1, 0}},
};

/* All motifs and starts side by side, unconnected. */
static spl_connectome *make_motifs(void)
{
    double *weights = calloc(N * N, sizeof *weights);
    for (size_t k = 0; k < MOTIFS * STARTS; k++) {
        for (size_t i = 0; i < NODES; i++) {
            for (size_t j = 0; j < NODES; j++) {
                weights[(k * NODES + i) * N + k * NODES + j] = links[k / STARTS][i][j];
            }
        }
    }
    spl_connectome *connectome = make_connectome(N, weights, NULL);
    free(weights);
    return connectome;
}

/* Sums over the samples of a pair of signals. */
typedef struct sums {
    double n, x, y, xx, yy, xy;
} sums;

static void add_sample(sums *s, double x, double y)
{
    s->n += 1.0;
    s->x += x;
    s->y += y;
    s->xx += x * x;
    s->yy += y * y;
    s->xy += x * y;
}

static double correlation(const sums *s)
{
    return (s->n * s->xy - s->x * s->y) /
           sqrt((s->n * s->xx - s->x * s->x) * (s->n * s->yy - s->y * s->y));
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Correlations of the outer nodes, sorted within each motif. */
static void correlate(const char *C, const char *delay, double r[MOTIFS][STARTS])
{
    enum { TRANSIENT = 5000, TIME = 30000 };
    sums pairs[MOTIFS * STARTS] = {{0}};
    network_run run;
    spl_connectome *connectome = make_motifs();
    network_settle(&run, connectome,
        "model: {preset: roberts2019, C: %s, init: btf2003}\nconnectome: {delay: %s}\n"
        "simulation: {dt: 0.05, threads: 1, seed: 3}",
        C, delay);
    network_assemble(&run, connectome);
    const double *v = run.network.run.state;
    network_advance(&run, (uint64_t)TRANSIENT * STEPS);
    for (size_t ms = 0; ms < TIME; ms++) {
        network_advance(&run, STEPS);
        for (size_t k = 0; k < MOTIFS * STARTS; k++) {
            add_sample(&pairs[k], v[k * NODES], v[k * NODES + 2]);
        }
    }
    for (size_t m = 0; m < MOTIFS; m++) {
        for (size_t k = 0; k < STARTS; k++) {
            r[m][k] = correlation(&pairs[m * STARTS + k]);
        }
        qsort(r[m], STARTS, sizeof r[m][0], by_value);
        fprintf(stderr, "# C %s, %s, %-20s %5.2f to %5.2f (median %.2f)\n", C, delay,
            names[m], r[m][0], r[m][STARTS - 1],
            0.5 * (r[m][STARTS / 2 - 1] + r[m][STARTS / 2]));
    }
    network_close(&run);
    spl_connectome_free(connectome);
}

static double median(const double r[STARTS])
{
    return 0.5 * (r[STARTS / 2 - 1] + r[STARTS / 2]);
}

static const struct {
    const char *C, *delay;
} cases[] = {{"0.2", "5 ms"}, {"0.35", "5 ms"}, {"0.6", "5 ms"}, {"0.2", "2 ms"}};

START_TEST(zero_lag_synchrony)
{
    double r[MOTIFS][STARTS];
    correlate(cases[_i].C, cases[_i].delay, r);
    ck_assert_double_gt(median(r[1]), 0.9);
    ck_assert_double_gt(median(r[2]), 0.9);
    if (_i == 0) { /* a common drive alone suffices at larger C */
        ck_assert_double_lt(median(r[0]), 0.7);
        ck_assert_double_gt(r[3][0], -0.2);
        ck_assert_double_lt(r[3][STARTS - 1], 0.2);
    }
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("motifs");
    TCase *motifs = tcase_create("motifs");
    tcase_set_timeout(motifs, 300);
    tcase_add_loop_test(motifs, zero_lag_synchrony, 0, sizeof cases / sizeof *cases);
    suite_add_tcase(suite, motifs);
    return suite;
}
