/* Spikes of a run as its caller and its files get them. */
#include <math.h>
#include <string.h>

#include "splenium/splenium.h"
#include "support/test_main.h"
#include "unit/output/folder.h"

enum { MOST = 1 << 16, STEPS = 6000, TRANSIENT = 1003 };

static const char *const subnetworks =
    "[{name: thal, region: 1, size: 400, nu0: 1, populations: [{name: E, heterogeneity: "
    "izhikevich2003, record: [2, 300]}, {name: I, type: inhibitory, heterogeneity: "
    "izhikevich2003, fraction: 0.2}], projections: [{from: E, to: E, K: 40, weight: "
    "0.004}, {from: I, to: E, K: 10, weight: 0.01}]}]";
static const char *const populations_alone =
    "[{name: one, size: 200, populations: [{name: E, background: [{rate: 2, weight: "
    "0.03}]}]}, {name: two, size: 100, populations: [{name: E, background: [{rate: 1, "
    "weight: 0.06}]}, {name: silent, size: 5}]}]";

static spl_connectome *ring(void)
{
    static const double weights[9] = {0, 0, 1, 1, 0, 0, 0, 1, 0};
    static const double lengths[9] = {0, 0, 30, 60, 0, 0, 0, 20, 0};
    const spl_connectome_arrays arrays = {
        .n_nodes = 3, .weights = weights, .tract_lengths = lengths};
    spl_connectome *connectome = NULL;
    ck_assert_int_eq(spl_connectome_create(&connectome, &arrays, NULL), SPL_OK);
    return connectome;
}

/* A run of 600 ms, recorded from 100.3 ms on. */
static spl_sim *make_sim(const char *networks, const char *file, const char *threads)
{
    const char *const settings[][2] = {
        {"output.file", file},
        {"simulation.duration", "499.7"},
        {"simulation.transient", "100.3"},
        {"simulation.threads", threads},
        {"subnetworks", networks},
    };
    const bool alone = networks == populations_alone;
    spl_config *config = NULL;
    spl_sim *sim = NULL;
    spl_connectome *connectome = alone ? NULL : ring();
    ck_assert_int_eq(spl_config_defaults(&config), SPL_OK);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        ck_assert_msg(spl_config_set(config, settings[i][0], settings[i][1]) == SPL_OK,
            "%s: %s", settings[i][0], spl_last_error());
    }
    if (!alone) {
        ck_assert_int_eq(
            spl_config_set(config, "monitors", "[{kind: raw, variables: [V]}]"), SPL_OK);
    }
    ck_assert_msg(
        spl_sim_create(&sim, config, connectome) == SPL_OK, "%s", spl_last_error());
    spl_connectome_free(connectome);
    spl_config_free(config);
    return sim;
}

/* All that a sink hears, population after population. */
typedef struct {
    size_t n[3];
    uint64_t step[3];
    double rates[3];
    double time[3][MOST];
    uint32_t neuron[3][MOST];
} heard;

static spl_status listen(void *user, const spl_spikes *spikes)
{
    heard *h = user;
    const size_t p = spikes->population;
    if (h->step[p] != spikes->first_step || h->n[p] + spikes->n_spikes > MOST) {
        return SPL_ERR_INTERNAL;
    }
    for (size_t k = 0; k < spikes->n_steps; k++) {
        h->rates[p] += spikes->rate[k];
    }
    if (spikes->n_spikes > 0) {
        memcpy(h->time[p] + h->n[p], spikes->time_ms, spikes->n_spikes * sizeof(double));
        memcpy(
            h->neuron[p] + h->n[p], spikes->neuron, spikes->n_spikes * sizeof(uint32_t));
    }
    h->n[p] += spikes->n_spikes;
    h->step[p] += spikes->n_steps;
    return SPL_OK;
}

static heard *start_hearing(void)
{
    heard *h = calloc(1, sizeof *h);
    h->step[0] = h->step[1] = h->step[2] = TRANSIENT;
    return h;
}

/* Sums of rates are spikes, the sink's, the file's and those counted. */
static void check_conservation(const spl_sim *sim, const heard *h, const char *file)
{
    hid_t spikes = open_file(file);
    for (size_t p = 0; p < spl_sim_population_count(sim); p++) {
        spl_sim_population population;
        char path[96];
        spl_sim_population_at(sim, p, &population);
        ck_assert_uint_eq(h->step[p], STEPS);
        ck_assert_uint_eq(h->n[p], population.n_spikes);
        ck_assert_int_eq(llround(h->rates[p] * 0.1 * (double)population.size),
            (long long)population.n_spikes);
        snprintf(path, sizeof path, "/spikes/%s", population.name);
        if (population.n_spikes == 0) {
            ck_assert_int_eq(H5Lexists(spikes, path, H5P_DEFAULT), 0);
            continue;
        }
        double *time = malloc(h->n[p] * sizeof *time);
        unsigned *neuron = malloc(h->n[p] * sizeof *neuron);
        snprintf(path, sizeof path, "/spikes/%s/timestamps", population.name);
        hid_t set = H5Dopen2(spikes, path, H5P_DEFAULT);
        ck_assert_uint_eq(H5Dget_storage_size(set), 8 * h->n[p]);
        H5Dclose(set);
        read_set(spikes, path, H5T_NATIVE_DOUBLE, time);
        snprintf(path, sizeof path, "/spikes/%s/node_ids", population.name);
        read_set(spikes, path, H5T_NATIVE_UINT, neuron);
        ck_assert_mem_eq(time, h->time[p], h->n[p] * sizeof *time);
        ck_assert_mem_eq(neuron, h->neuron[p], h->n[p] * sizeof *neuron);
        ck_assert(time[0] > 100.3 && time[h->n[p] - 1] <= 600.0 + 1e-9);
        free(time);
        free(neuron);
    }
    H5Fclose(spikes);
}

START_TEST(a_node_and_its_neurons_go_into_their_files)
{
    enum { ROWS = STEPS - TRANSIENT };
    static float report[ROWS][2][4];
    static float mean_V[ROWS][2];
    static double time[ROWS];
    heard *h = start_hearing();
    spl_sim_population population;
    spl_sim *sim = make_sim(subnetworks, "r.h5", "1");
    spl_sim_set_spike_sink(sim, listen, h);
    ck_assert_uint_eq(spl_sim_population_count(sim), 2);
    spl_sim_population_at(sim, 0, &population);
    ck_assert(isnan(population.mean_rate_hz));
    ck_assert_msg(spl_sim_run(sim, "test", NULL, NULL) == SPL_OK, "%s", spl_last_error());
    spl_sim_population_at(sim, 0, &population);
    ck_assert_str_eq(population.name, "thal.E");
    ck_assert_str_eq(population.subnetwork, "thal");
    ck_assert_uint_eq(population.size, 320);
    ck_assert_uint_eq(population.n_recorded, 2);
    ck_assert_uint_gt(population.n_spikes, 100);
    ck_assert_uint_gt(population.n_events, 1000);
    const double rate = (double)population.n_spikes / 320.0 / 0.4997;
    ck_assert(fabs(population.mean_rate_hz - rate) < 1e-9 * rate);
    check_conservation(sim, h, "r.spikes.h5");
    hid_t file = open_file("r.h5");
    read_set(file, "/report/thal.E/data", H5T_NATIVE_FLOAT, report);
    read_set(file, "/populations/mean_V", H5T_NATIVE_FLOAT, mean_V);
    read_set(file, "/populations/time", H5T_NATIVE_DOUBLE, time);
    for (size_t row = 0; row < ROWS; row++) {
        /* V of two neurons, g of AMPA and GABA_A */
        ck_assert(report[row][0][0] > -120.0F && report[row][0][0] < 30.0F);
        ck_assert(report[row][1][2] >= 0.0F && report[row][1][3] >= 0.0F);
        ck_assert(mean_V[row][0] > -90.0F && mean_V[row][0] < -30.0F);
    }
    ck_assert(time[0] == (TRANSIENT + 1) * 0.1 && time[ROWS - 1] == STEPS * 0.1);
    H5Fclose(file);
    spl_sim_free(sim);
    free(h);
}
END_TEST

START_TEST(populations_alone_go_into_their_files)
{
    heard *h = start_hearing();
    spl_sim *sim = make_sim(populations_alone, "r.h5", "1");
    spl_sim_set_spike_sink(sim, listen, h);
    ck_assert_msg(spl_sim_run(sim, "test", NULL, NULL) == SPL_OK, "%s", spl_last_error());
    ck_assert_uint_eq(spl_sim_population_count(sim), 3);
    ck_assert_uint_gt(h->n[0], 10);
    ck_assert_uint_gt(h->n[1], 10);
    ck_assert_uint_eq(h->n[2], 0);
    check_conservation(sim, h, "r.spikes.h5");
    spl_sim_free(sim);
    free(h);
}
END_TEST

/* A sink without a file, and any number of threads, hear the same. */
START_TEST(threads_and_pieces_change_nothing)
{
    heard *first = start_hearing();
    heard *second = start_hearing();
    spl_sim *sim = make_sim(subnetworks, "", "1");
    spl_sim_set_spike_sink(sim, listen, first);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_OK);
    spl_sim_free(sim);
    ck_assert_uint_eq(folder_count(), 0);
    sim = make_sim(subnetworks, "", "3");
    spl_sim_set_spike_sink(sim, listen, second);
    for (uint64_t step = 0; step < STEPS; step += 750) {
        ck_assert_int_eq(spl_sim_step(sim, 750), SPL_OK);
    }
    spl_sim_free(sim);
    ck_assert_mem_eq(first, second, sizeof *first);
    ck_assert_uint_gt(first->n[0], 100);
    free(first);
    free(second);
}
END_TEST

static spl_status refuse(void *user, const spl_spikes *spikes)
{
    (void)user;
    return spikes->first_step >= 3000 ? SPL_ERR_ARGUMENT : SPL_OK;
}

/* A sink that refuses ends the run; what was recorded is in the journal. */
START_TEST(a_refusal_ends_the_run)
{
    spl_results_info *info = NULL;
    spl_sim *sim = make_sim(subnetworks, "r.h5", "1");
    spl_sim_set_spike_sink(sim, refuse, NULL);
    ck_assert_int_eq(spl_sim_run(sim, NULL, NULL, NULL), SPL_ERR_ARGUMENT);
    spl_sim_free(sim);
    ck_assert_int_eq(spl_results_describe("r.h5", &info), SPL_OK);
    ck_assert_str_eq(info->status, "failed");
    ck_assert_uint_gt(info->populations[0].n_spikes, 0);
    spl_results_free(info);
    ck_assert_int_eq(access("r.spk", F_OK), 0);
    ck_assert_int_eq(access("r.spikes.h5", F_OK), -1);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("sim_spikes");
    TCase *tests = tcase_create("spikes");
    tcase_add_checked_fixture(tests, folder_setup, folder_teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_node_and_its_neurons_go_into_their_files);
    tcase_add_test(tests, populations_alone_go_into_their_files);
    tcase_add_test(tests, threads_and_pieces_change_nothing);
    tcase_add_test(tests, a_refusal_ends_the_run);
    suite_add_tcase(suite, tests);
    return suite;
}
