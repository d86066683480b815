/* From the journal to a SONATA file. */
#include <math.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "output/spikes.h"
#include "support/test_main.h"
#include "unit/output/folder.h"
#include "unit/output/spikes_support.h"

static uint64_t read_count(hid_t object, const char *name)
{
    uint64_t value;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    ck_assert_int_ge(attribute, 0);
    ck_assert_int_ge(H5Aread(attribute, H5T_NATIVE_UINT64, &value), 0);
    H5Aclose(attribute);
    return value;
}

static void check_text(hid_t object, const char *name, const char *wanted)
{
    char *text = NULL;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    ck_assert_int_ge(attribute, 0);
    hid_t type = H5Aget_type(attribute);
    ck_assert_int_ge(H5Aread(attribute, type, &text), 0);
    ck_assert_str_eq(text != NULL ? text : "", wanted);
    H5free_memory(text);
    H5Tclose(type);
    H5Aclose(attribute);
}

static void check_sorting(hid_t group)
{
    char name[16];
    unsigned char value = 255;
    hid_t attribute = H5Aopen(group, "sorting", H5P_DEFAULT);
    ck_assert_int_ge(attribute, 0);
    hid_t type = H5Aget_type(attribute);
    ck_assert_int_eq(H5Tget_class(type), H5T_ENUM);
    ck_assert_int_ge(H5Aread(attribute, type, &value), 0);
    ck_assert_int_ge(H5Tenum_nameof(type, &value, name, sizeof name), 0);
    ck_assert_str_eq(name, "by_time");
    H5Tclose(type);
    H5Aclose(attribute);
}

static void check_train(hid_t file, size_t p, uint64_t last_step)
{
    char path[128];
    const spl_journal_header header = fake_header();
    const spl_spike_columns *wanted = &fake_columns(FAKE_FIRST_STEP, last_step)[p];
    double *time = malloc((wanted->n + 1) * sizeof *time);
    unsigned long long *neuron = malloc((wanted->n + 1) * sizeof *neuron);
    snprintf(path, sizeof path, "/spikes/%s", header.populations[p].name);
    hid_t group = H5Gopen2(file, path, H5P_DEFAULT);
    ck_assert_int_ge(group, 0);
    check_sorting(group);
    check_text(group, "region", header.populations[p].region);
    ck_assert_uint_eq(read_count(group, "size"), header.populations[p].size);
    hid_t set = H5Dopen2(group, "timestamps", H5P_DEFAULT);
    check_text(set, "units", "ms");
    hid_t space = H5Dget_space(set);
    ck_assert_uint_eq((size_t)H5Sget_simple_extent_npoints(space), wanted->n);
    H5Sclose(space);
    H5Dclose(set);
    read_set(group, "timestamps", H5T_NATIVE_DOUBLE, time);
    read_set(group, "node_ids", H5T_NATIVE_ULLONG, neuron);
    size_t wrong = 0;
    for (size_t i = 0; i < wanted->n; i++) {
        wrong += time[i] != wanted->time[i] || neuron[i] != wanted->neuron[i];
    }
    ck_assert_uint_eq(wrong, 0);
    H5Gclose(group);
    free(time);
    free(neuron);
}

static void check_file(const char *path, uint64_t last_step)
{
    uint32_t magic;
    uint32_t version[2];
    hid_t file = open_file(path);
    hid_t attribute = H5Aopen(file, "magic", H5P_DEFAULT);
    ck_assert_int_ge(H5Aread(attribute, H5T_NATIVE_UINT32, &magic), 0);
    H5Aclose(attribute);
    attribute = H5Aopen(file, "version", H5P_DEFAULT);
    ck_assert_int_ge(H5Aread(attribute, H5T_NATIVE_UINT32, version), 0);
    H5Aclose(attribute);
    ck_assert_uint_eq(magic, 0x0A7A);
    ck_assert_uint_eq(version[0], 0);
    ck_assert_uint_eq(version[1], 1);
    check_text(file, "run_uuid", fake_uuid);
    ck_assert_uint_eq(read_count(file, "last_step"), last_step);
    check_train(file, 0, last_step);
    check_train(file, 2, last_step);
    ck_assert_int_eq(H5Lexists(file, "/spikes/thal.silent", H5P_DEFAULT), 0);
    H5Fclose(file);
}

START_TEST(the_journal_becomes_a_sonata_file)
{
    uint64_t n = 0;
    const uint64_t last = FAKE_FIRST_STEP + 10 * 3001;
    /* frames of more than one piece */
    fake_journal("a.spk", 10, 3001);
    ck_assert_int_eq(spl_spikes_write("a.spikes.h5", "a.spk", fake_uuid, &n), SPL_OK);
    ck_assert_uint_eq(
        n, fake_total(0, FAKE_FIRST_STEP, last) + fake_total(2, FAKE_FIRST_STEP, last));
    ck_assert_uint_gt(n, 50000);
    check_file("a.spikes.h5", last);
    ck_assert_uint_eq(folder_count(), 2);
}
END_TEST

START_TEST(a_torn_end_is_left_out_and_a_leftover_replaced)
{
    FILE *file;
    fake_journal("a.spk", 3, 9);
    file = fopen("a.spk", "ab");
    ck_assert_uint_eq(fwrite("SPKF torn", 1, 9, file), 9);
    fclose(file);
    file = fopen("a.spikes.h5.tmp", "wb");
    fclose(file);
    ck_assert_int_eq(spl_spikes_write("a.spikes.h5", "a.spk", fake_uuid, NULL), SPL_OK);
    check_file("a.spikes.h5", FAKE_FIRST_STEP + 27);
    ck_assert_uint_eq(folder_count(), 2);
    /* again: the same file */
    ck_assert_int_eq(spl_spikes_write("a.spikes.h5", "a.spk", fake_uuid, NULL), SPL_OK);
    check_file("a.spikes.h5", FAKE_FIRST_STEP + 27);
}
END_TEST

START_TEST(a_silent_run_has_a_file)
{
    uint64_t n = 1;
    fake_journal("a.spk", 0, 0);
    ck_assert_int_eq(spl_spikes_write("a.spikes.h5", "a.spk", fake_uuid, &n), SPL_OK);
    ck_assert_uint_eq(n, 0);
    hid_t file = open_file("a.spikes.h5");
    hid_t group = H5Gopen2(file, "/spikes", H5P_DEFAULT);
    H5G_info_t info;
    ck_assert_int_ge(H5Gget_info(group, &info), 0);
    ck_assert_uint_eq(info.nlinks, 0);
    H5Gclose(group);
    H5Fclose(file);
}
END_TEST

/* One frame with two spikes of the first population. */
static void journal_of_two(
    const char *path, double first, double second, uint32_t neuron, uint32_t next)
{
    const spl_journal_header header = fake_header();
    const double time[] = {first, second};
    const uint32_t neurons[] = {neuron, next};
    const spl_spike_columns columns[FAKE_POPULATIONS] = {{2, time, neurons}};
    spl_journal journal;
    unlink(path);
    ck_assert_int_eq(spl_journal_create(&journal, path, &header, false), SPL_OK);
    ck_assert_int_eq(spl_journal_append(&journal, 200, columns), SPL_OK);
    spl_journal_deinit(&journal);
}

START_TEST(nonsense_in_a_journal_is_refused)
{
    static const struct {
        double first, second;
        uint32_t neuron, next;
        spl_status status;
    } cases[] = {{60.0, 60.0, 798, 799, SPL_OK}, {60.0, 61.0, 5, 5, SPL_OK},
        {60.0, 59.9, 5, 6, SPL_ERR_FORMAT}, {60.0, 60.0, 6, 5, SPL_ERR_FORMAT},
        {60.0, 60.0, 6, 6, SPL_ERR_FORMAT}, {60.0, 61.0, 5, 800, SPL_ERR_FORMAT},
        {60.0, (double)NAN, 5, 6, SPL_ERR_FORMAT},
        {(double)-INFINITY, 60.0, 5, 6, SPL_ERR_FORMAT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        journal_of_two(
            "a.spk", cases[i].first, cases[i].second, cases[i].neuron, cases[i].next);
        ck_assert_int_eq(
            spl_spikes_write("a.spikes.h5", "a.spk", fake_uuid, NULL), cases[i].status);
        ck_assert_uint_eq(folder_count(), cases[i].status == SPL_OK ? 2 : 1);
        unlink("a.spikes.h5");
    }
    ck_assert_int_eq(
        spl_spikes_write("b.spikes.h5", "a.spk", "other", NULL), SPL_ERR_FORMAT);
    ck_assert_int_eq(
        spl_spikes_write("b.spikes.h5", "b.spk", fake_uuid, NULL), SPL_ERR_FILE_MISSING);
    ck_assert_uint_eq(folder_count(), 1);
}
END_TEST

START_TEST(without_room_nothing_is_left)
{
    const struct rlimit small = {140000, 140000};
    /* 120 kB; 160 kB as SONATA */
    fake_journal("a.spk", 1, 3000);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    ck_assert_int_eq(
        spl_spikes_write("a.spikes.h5", "a.spk", fake_uuid, NULL), SPL_ERR_DISK_FULL);
    ck_assert_uint_eq(folder_count(), 1);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output_spikes");
    TCase *tests = tcase_create("spikes");
    tcase_add_checked_fixture(tests, folder_setup, folder_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_journal_becomes_a_sonata_file);
    tcase_add_test(tests, a_torn_end_is_left_out_and_a_leftover_replaced);
    tcase_add_test(tests, a_silent_run_has_a_file);
    tcase_add_test(tests, nonsense_in_a_journal_is_refused);
    tcase_add_test(tests, without_room_nothing_is_left);
    suite_add_tcase(suite, tests);
    return suite;
}
