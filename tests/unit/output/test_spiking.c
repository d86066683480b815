/* Results files of spiking populations, with and without nodes. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "output/progress.h"
#include "splenium/results.h"
#include "support/test_main.h"
#include "unit/output/folder.h"
#include "unit/output/spiking_run.h"

/* All rows of one variable, and zeros behind. */
static void check_values(hid_t file, const spiking_run *run, size_t s, size_t v,
    const char *path, uint64_t n_rows)
{
    const spl_stream *stream = &run->streams[s];
    const size_t n = FAKE_ROWS * stream->width;
    double *values = malloc(n * sizeof *values);
    size_t wrong = 0;
    read_set(file, path, H5T_NATIVE_DOUBLE, values);
    for (size_t i = 0; i < n; i++) {
        const uint64_t row = i / stream->width;
        const double wanted =
            row < n_rows ? spiking_value(s, v, row, i % stream->width) : 0.0;
        wrong += values[i] != (double)(float)wanted;
    }
    ck_assert_uint_eq(wrong, 0);
    free(values);
}

static void check_counts(hid_t file, uint64_t step)
{
    unsigned long long spikes[FAKE_POPULATIONS];
    unsigned long long words[FAKE_POPULATIONS];
    read_set(file, "/populations/spikes", H5T_NATIVE_ULLONG, spikes);
    for (size_t p = 0; p < FAKE_POPULATIONS; p++) {
        ck_assert_uint_eq(spikes[p], fake_total(p, 0, step));
    }
    read_set(file, "/populations/external_events", H5T_NATIVE_ULLONG, words);
    ck_assert_uint_eq(words[2], 2 * step);
    read_set(file, "/subnetworks/clips", H5T_NATIVE_ULLONG, words);
    ck_assert_uint_eq(words[0], step / 2);
    read_set(file, "/populations/size", H5T_NATIVE_ULLONG, words);
    ck_assert_uint_eq(words[2], 4294967295);
}

static void check_tables(const char *path, const spiking_run *run, uint64_t step)
{
    hid_t file = open_file(path);
    check_values(file, run, SPIKING_POPULATIONS, 0, "/populations/rate", step);
    check_values(file, run, SPIKING_POPULATIONS, 1, "/populations/mean_V", step);
    check_values(file, run, SPIKING_SUBNETWORKS, 0, "/subnetworks/filtered_rate", step);
    check_values(file, run, SPIKING_SUBNETWORKS, 2, "/subnetworks/Q_hat", step);
    check_values(file, run, SPIKING_REPORT, 0, "/report/thal.E/data", step);
    check_counts(file, step);
    H5Fclose(file);
}

/* The file of the spikes, as fake_columns makes them. */
static void check_spikes(const char *path, uint64_t step)
{
    hid_t file = open_file(path);
    const spl_spike_columns *wanted = fake_columns(0, step);
    for (size_t p = 0; p < FAKE_POPULATIONS; p += 2) {
        double *time = malloc(wanted[p].n * sizeof *time);
        unsigned *neuron = malloc(wanted[p].n * sizeof *neuron);
        read_set(file,
            p == 0 ? "/spikes/thal.E/timestamps" : "/spikes/alone.I/timestamps",
            H5T_NATIVE_DOUBLE, time);
        read_set(file, p == 0 ? "/spikes/thal.E/node_ids" : "/spikes/alone.I/node_ids",
            H5T_NATIVE_UINT, neuron);
        ck_assert_mem_eq(time, wanted[p].time, wanted[p].n * sizeof *time);
        ck_assert_mem_eq(neuron, wanted[p].neuron, wanted[p].n * sizeof *neuron);
        free(time);
        free(neuron);
    }
    H5Fclose(file);
}

START_TEST(a_complete_run_has_results_and_spikes)
{
    spiking_run run;
    spiking_init(&run, "r.h5", true);
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_COMPLETE, 7, FAKE_ROWS), SPL_OK);
    check_tables("r.h5", &run, FAKE_ROWS);
    check_spikes("r.spikes.h5", FAKE_ROWS);
    ck_assert_uint_eq(folder_count(), 2);
    /* again over it: not without being told, then with the old spikes gone at once */
    ck_assert_int_eq(
        spiking_make(&run, SPL_RUN_COMPLETE, 7, FAKE_ROWS), SPL_ERR_FILE_CREATE);
    ck_assert_uint_eq(folder_count(), 2);
    run.base.spec.force = true;
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_INTERRUPTED, 7, 100), SPL_OK);
    ck_assert_int_eq(access("r.spikes.h5", F_OK), -1);
    spiking_deinit(&run);
}
END_TEST

START_TEST(populations_need_no_nodes)
{
    spiking_run run;
    spiking_init(&run, "r.h5", false);
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_COMPLETE, 64, FAKE_ROWS), SPL_OK);
    check_tables("r.h5", &run, FAKE_ROWS);
    check_spikes("r.spikes.h5", FAKE_ROWS);
    hid_t file = open_file("r.h5");
    ck_assert_int_eq(H5Lexists(file, "/connectome", H5P_DEFAULT), 0);
    ck_assert_int_eq(H5Lexists(file, "/model", H5P_DEFAULT), 0);
    H5Fclose(file);
    spiking_deinit(&run);
}
END_TEST

START_TEST(the_final_bytes_tell_nothing_of_the_way)
{
    unsigned long long a[2][SPL_SLOT_WORDS];
    unsigned long long b[2][SPL_SLOT_WORDS];
    spiking_run run;
    spiking_init(&run, "a.h5", true);
    run.base.spec.flush_every = 0.001;
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_COMPLETE, 1, FAKE_ROWS), SPL_OK);
    spiking_deinit(&run);
    spiking_init(&run, "b.h5", true);
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_COMPLETE, 1000, FAKE_ROWS), SPL_OK);
    hid_t file = open_file("a.h5");
    read_set(file, "/progress", H5T_NATIVE_ULLONG, a);
    H5Fclose(file);
    file = open_file("b.h5");
    read_set(file, "/progress", H5T_NATIVE_ULLONG, b);
    H5Fclose(file);
    ck_assert_mem_eq(a, b, sizeof a);
    spiking_deinit(&run);
}
END_TEST

START_TEST(an_interrupted_run_keeps_its_journal)
{
    bool whole;
    spiking_run run;
    unsigned long long slots[2][SPL_SLOT_WORDS];
    struct stat what;
    spiking_init(&run, "r.h5", true);
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_INTERRUPTED, 10, 300), SPL_OK);
    check_tables("r.h5", &run, 300);
    ck_assert_uint_eq(fake_check("r.spk", &whole), 300);
    ck_assert(whole);
    ck_assert_int_eq(access("r.spikes.h5", F_OK), -1);
    hid_t file = open_file("r.h5");
    read_set(file, "/progress", H5T_NATIVE_ULLONG, slots);
    H5Fclose(file);
    ck_assert_int_eq(stat("r.spk", &what), 0);
    ck_assert_uint_eq(slots[0][2], (unsigned long long)what.st_size);
    spiking_deinit(&run);
}
END_TEST

START_TEST(a_diverged_run_is_over)
{
    spiking_run run;
    spiking_init(&run, "r.h5", true);
    ck_assert_int_eq(spiking_make(&run, SPL_RUN_DIVERGED, 10, 300), SPL_OK);
    check_spikes("r.spikes.h5", 300);
    ck_assert_uint_eq(folder_count(), 2);
    spiking_deinit(&run);
}
END_TEST

static uint64_t durable_step(const char *path)
{
    spl_results_info *info = NULL;
    const uint64_t step = spl_results_describe(path, &info) == SPL_OK ? info->step : 0;
    spl_results_free(info);
    return step;
}

/* Killed at any time: the journal holds all that a slot promises. */
START_TEST(a_killed_run_keeps_what_it_promised)
{
    bool whole;
    unsigned long long slots[2][SPL_SLOT_WORDS];
    spiking_run run;
    spiking_init(&run, "r.h5", true);
    run.base.spec.flush_every = 0.003;
    pid_t child = fork();
    if (child == 0) {
        spl_output *output = NULL;
        if (spl_output_create(&output, &run.base.spec) == SPL_OK) {
            for (uint64_t step = 0; step < FAKE_ROWS - 1; step++) {
                if (spiking_steps(output, &run, step, step + 1) != SPL_OK) {
                    _exit(1);
                }
                usleep(1000);
            }
        }
        pause();
    }
    while (durable_step("r.h5") == 0) {
        usleep(1000);
    }
    usleep(20000 * (useconds_t)_i);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    hid_t file = open_file("r.h5");
    read_set(file, "/progress", H5T_NATIVE_ULLONG, slots);
    H5Fclose(file);
    const size_t newest = slots[1][0] > slots[0][0] ? 1 : 0;
    ck_assert_uint_gt(slots[newest][1], 0);
    struct stat what;
    ck_assert_int_eq(stat("r.spk", &what), 0);
    ck_assert_uint_ge((unsigned long long)what.st_size, slots[newest][2]);
    ck_assert_uint_ge(fake_check("r.spk", &whole), slots[newest][1]);
    ck_assert_int_eq(access("r.spikes.h5", F_OK), -1);
    spiking_deinit(&run);
}
END_TEST

START_TEST(steps_that_the_journal_has_are_passed_over)
{
    spiking_run run;
    spl_output *output = NULL;
    spiking_init(&run, "r.h5", false);
    ck_assert_int_eq(spl_output_create(&output, &run.base.spec), SPL_OK);
    ck_assert_int_eq(spiking_spikes(output, 0, 100), SPL_OK);
    ck_assert_int_eq(spiking_spikes(output, 50, 130), SPL_OK);
    ck_assert_int_eq(spiking_spikes(output, 90, 110), SPL_OK);
    /* but none may be left out */
    ck_assert_int_eq(spiking_spikes(output, 131, 140), SPL_ERR_INTERNAL);
    for (size_t s = SPIKING_POPULATIONS; s < SPIKING_STREAMS; s++) {
        ck_assert_int_eq(spiking_rows(output, &run, s, 0, 130, false), SPL_OK);
    }
    ck_assert_int_eq(fake_finish(output, SPL_RUN_INTERRUPTED, "", 130), SPL_OK);
    spl_output_free(output);
    bool whole;
    ck_assert_uint_eq(fake_check("r.spk", &whole), 130);
    spiking_deinit(&run);
}
END_TEST

/* More spikes than both buffers hold at once. */
START_TEST(many_spikes_wait_for_the_disk)
{
    enum { MANY = 1 << 20, STEPS = 6 };
    static double time[MANY];
    static uint32_t neuron[MANY];
    const uint64_t counts[FAKE_POPULATIONS] = {0, 0, MANY};
    spiking_run run;
    spl_output *output = NULL;
    spiking_init(&run, "r.h5", false);
    run.base.spec.flush_every = 3600;
    ck_assert_int_eq(spl_output_create(&output, &run.base.spec), SPL_OK);
    for (uint64_t step = 0; step < STEPS; step++) {
        for (size_t i = 0; i < MANY; i++) {
            time[i] = (double)step + 1.0;
            neuron[i] = (uint32_t)i;
        }
        const spl_spike_block blocks[FAKE_POPULATIONS] = {{&counts[0], NULL, NULL},
            {&counts[1], NULL, NULL}, {&counts[2], time, neuron}};
        ck_assert_int_eq(spl_output_append_spikes(output, step, 1, blocks), SPL_OK);
    }
    const uint64_t totals[FAKE_POPULATIONS] = {0, 0, (uint64_t)STEPS * MANY};
    const uint64_t clips[] = {0, 0};
    spl_output_count(output, totals, totals, clips);
    ck_assert_int_eq(fake_finish(output, SPL_RUN_DIVERGED, "", STEPS), SPL_OK);
    spl_output_free(output);
    hid_t file = open_file("r.spikes.h5");
    hid_t set = H5Dopen2(file, "/spikes/alone.I/node_ids", H5P_DEFAULT);
    ck_assert_uint_eq(H5Dget_storage_size(set), 8ULL * STEPS * MANY);
    H5Dclose(set);
    H5Fclose(file);
    spiking_deinit(&run);
}
END_TEST

START_TEST(a_lost_spike_is_noticed)
{
    spiking_run run;
    spl_output *output = NULL;
    const uint64_t spikes[FAKE_POPULATIONS] = {1, 0, 0};
    const uint64_t clips[] = {0, 0};
    spiking_init(&run, "r.h5", false);
    ck_assert_int_eq(spl_output_create(&output, &run.base.spec), SPL_OK);
    ck_assert_int_eq(spiking_steps(output, &run, 0, FAKE_ROWS), SPL_OK);
    spl_output_count(output, spikes, spikes, clips);
    ck_assert_int_eq(
        fake_finish(output, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_ERR_INTERNAL);
    spl_output_free(output);
    spiking_deinit(&run);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output_spiking");
    TCase *tests = tcase_create("spiking");
    tcase_add_checked_fixture(tests, folder_setup, folder_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_complete_run_has_results_and_spikes);
    tcase_add_test(tests, populations_need_no_nodes);
    tcase_add_test(tests, the_final_bytes_tell_nothing_of_the_way);
    tcase_add_test(tests, an_interrupted_run_keeps_its_journal);
    tcase_add_test(tests, a_diverged_run_is_over);
    tcase_add_loop_test(tests, a_killed_run_keeps_what_it_promised, 0, 4);
    tcase_add_test(tests, steps_that_the_journal_has_are_passed_over);
    tcase_add_test(tests, many_spikes_wait_for_the_disk);
    tcase_add_test(tests, a_lost_spike_is_noticed);
    suite_add_tcase(suite, tests);
    return suite;
}
