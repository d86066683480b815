/* What single precision is good for: the statistics of a run. Sixteen seeds of the
 * default run of 68 regions, ten seconds each, in double and in single: means, variances,
 * functional connectivity and spectra agree within the spread from seed to seed.
 * Trajectories do not: they part like those of neighbouring starts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "splenium/splenium.h"
#include "support/spectrum.h"
#include "support/test_main.h"

enum {
    N = 68,
    SEEDS = 16,
    SAMPLES = 10000, /* means of 1 ms */
    PAIRS = N * (N - 1) / 2,
    SEGMENT = 1024
};

/* Of one run. */
typedef struct {
    double mean[N], variance[N]; /* of V */
    double fc[PAIRS];            /* correlations of the regions */
    double peak_hz;              /* of the mean spectrum */
} statistics;

typedef struct {
    size_t n_rows;
    double rows[SAMPLES][N];
} recording;

static spl_status take(void *user, const spl_frame *frame)
{
    recording *r = user;
    ck_assert_uint_le(r->n_rows + frame->n_rows, SAMPLES);
    memcpy(r->rows[r->n_rows], frame->values, frame->n_rows * sizeof r->rows[0]);
    r->n_rows += frame->n_rows;
    return SPL_OK;
}

static void record(recording *r, const char *precision, unsigned seed,
    const char *monitors, const char *transient)
{
    char path[4096];
    char text[32];
    spl_config *config = NULL;
    spl_connectome *connectome = NULL;
    spl_sim *sim = NULL;
    const char *source = getenv("SPLENIUM_SOURCE");
    snprintf(path, sizeof path, "%s/data/dk68.zip", source != NULL ? source : ".");
    ck_assert_int_eq(spl_config_defaults(&config), SPL_OK);
    snprintf(text, sizeof text, "%u", seed);
    ck_assert_int_eq(spl_config_set(config, "simulation.seed", text), SPL_OK);
    snprintf(text, sizeof text, "%d", SAMPLES);
    ck_assert_int_eq(spl_config_set(config, "simulation.duration", text), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "simulation.transient", transient), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "simulation.threads", "1"), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "simulation.precision", precision), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "monitors", monitors), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "output.file", ""), SPL_OK);
    ck_assert_int_eq(spl_config_set(config, "connectome.file", path), SPL_OK);
    ck_assert_int_eq(spl_config_connectome(config, &connectome), SPL_OK);
    ck_assert_msg(
        spl_sim_create(&sim, config, connectome) == SPL_OK, "%s", spl_last_error());
    r->n_rows = 0;
    spl_sim_set_sink(sim, take, r);
    ck_assert_msg(spl_sim_run(sim, NULL, NULL, NULL) == SPL_OK, "%s", spl_last_error());
    spl_sim_free(sim);
    spl_connectome_free(connectome);
    spl_config_free(config);
}

static void summarise(statistics *s, recording *r)
{
    double density[SEGMENT / 2 + 1] = {0.0};
    size_t pair = 0;
    for (size_t i = 0; i < N; i++) {
        s->mean[i] = 0.0;
        s->variance[i] = 0.0;
        for (size_t k = 0; k < SAMPLES; k++) {
            s->mean[i] += r->rows[k][i] / SAMPLES;
        }
        add_welch(density, &r->rows[0][i], SAMPLES, N, 1000.0, SEGMENT);
        for (size_t k = 0; k < SAMPLES; k++) {
            r->rows[k][i] -= s->mean[i];
            s->variance[i] += r->rows[k][i] * r->rows[k][i] / SAMPLES;
        }
    }
    s->peak_hz = peak_frequency(density, 1000.0, SEGMENT);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < i; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < SAMPLES; k++) {
                sum += r->rows[k][i] * r->rows[k][j];
            }
            s->fc[pair++] = sum / SAMPLES / sqrt(s->variance[i] * s->variance[j]);
        }
    }
}

static double mean_of(const double *x, size_t n)
{
    double mean = 0.0;
    for (size_t i = 0; i < n; i++) {
        mean += x[i] / (double)n;
    }
    return mean;
}

/* Difference of the means of two samples of SEEDS values, in standard errors. */
static double standardised(const double *a, const double *b)
{
    double square = 0.0;
    const double mean_a = mean_of(a, SEEDS);
    const double mean_b = mean_of(b, SEEDS);
    for (size_t k = 0; k < SEEDS; k++) {
        square += (a[k] - mean_a) * (a[k] - mean_a) + (b[k] - mean_b) * (b[k] - mean_b);
    }
    return (mean_a - mean_b) / sqrt(square / (SEEDS - 1) / SEEDS);
}

/* A number of every run: its mean over the regions or pairs, in both precisions. */
static void check_overall(const char *name, const double of[2][SEEDS])
{
    const double z = standardised(of[0], of[1]);
    fprintf(stderr, "# %s: double %.6g, single %.6g, %.1f standard errors apart\n", name,
        mean_of(of[0], SEEDS), mean_of(of[1], SEEDS), z);
    ck_assert_double_le(fabs(z), 4.0);
}

/* `n` numbers of every run at `offset`: apart by a standard error in the mean square. */
static void check_each(
    const char *name, statistics (*all)[SEEDS], size_t offset, size_t n)
{
    double square = 0.0;
    double overall[2][SEEDS];
    for (size_t i = 0; i < n; i++) {
        double values[2][SEEDS];
        for (size_t k = 0; k < 2 * SEEDS; k++) {
            const char *of = (const char *)&all[k / SEEDS][k % SEEDS] + offset;
            values[k / SEEDS][k % SEEDS] = ((const double *)(const void *)of)[i];
        }
        square += pow(standardised(values[0], values[1]), 2.0) / (double)n;
    }
    for (size_t k = 0; k < 2 * SEEDS; k++) {
        const char *of = (const char *)&all[k / SEEDS][k % SEEDS] + offset;
        overall[k / SEEDS][k % SEEDS] = mean_of((const double *)(const void *)of, n);
    }
    check_overall(name, (const double(*)[SEEDS])overall);
    fprintf(stderr, "# %s, one by one: %.2f standard errors rms\n", name, sqrt(square));
    ck_assert_double_le(sqrt(square), 1.5);
}

START_TEST(statistics_are_those_of_double_precision)
{
    static const char *const precisions[] = {"double", "single"};
    static const char *const monitors = "[{kind: temporal_average, period: 1}]";
    static statistics all[2][SEEDS];
    double peaks[2][SEEDS];
    recording *r = malloc(sizeof *r);
    for (unsigned k = 0; k < 2 * SEEDS; k++) {
        /* other seeds, for samples that are independent from the first step on */
        record(r, precisions[k / SEEDS], 1 + k, monitors, "1000");
        ck_assert_uint_eq(r->n_rows, SAMPLES);
        summarise(&all[k / SEEDS][k % SEEDS], r);
        peaks[k / SEEDS][k % SEEDS] = all[k / SEEDS][k % SEEDS].peak_hz;
    }
    check_each("mean of V", all, offsetof(statistics, mean), N);
    check_each("variance of V", all, offsetof(statistics, variance), N);
    check_each("functional connectivity", all, offsetof(statistics, fc), PAIRS);
    fprintf(stderr, "# peak of the spectrum: double %.1f Hz, single %.1f Hz\n",
        mean_of(peaks[0], SEEDS), mean_of(peaks[1], SEEDS));
    ck_assert_double_eq_tol(mean_of(peaks[0], SEEDS), mean_of(peaks[1], SEEDS), 1.0);
    free(r);
}
END_TEST

/* The same seed: rounding grows until nothing is left in common. */
START_TEST(trajectories_part)
{
    static const char *const monitors = "[{kind: subsample, period: 1}]";
    static const size_t times[] = {1, 10, 50, 100, 200, 500, 1000};
    recording *a = malloc(sizeof *a);
    recording *b = malloc(sizeof *b);
    double last = 0.0;
    record(a, "double", 42, monitors, "0");
    record(b, "single", 42, monitors, "0");
    for (size_t t = 0; t < sizeof times / sizeof *times; t++) {
        double square = 0.0;
        for (size_t i = 0; i < N; i++) {
            square += pow(a->rows[times[t] - 1][i] - b->rows[times[t] - 1][i], 2.0) / N;
        }
        last = sqrt(square);
        fprintf(stderr, "# V after %zu ms: %.1e apart rms\n", times[t], last);
    }
    ck_assert_double_gt(last, 0.01);
    free(a);
    free(b);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("precision");
    TCase *runs = tcase_create("runs");
    tcase_set_timeout(runs, 300);
    tcase_add_test(runs, statistics_are_those_of_double_precision);
    tcase_add_test(runs, trajectories_part);
    suite_add_tcase(suite, runs);
    return suite;
}
