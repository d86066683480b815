/* A run's results file, as HDF5 sees it. */
#include <math.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "output/internal.h"
#include "splenium/results.h"
#include "splenium/version.h"
#include "support/test_main.h"
#include "unit/output/folder.h"
#include "unit/output/in_memory.h"
#include "unit/output/support.h"

static unsigned code_of(const char *path)
{
    unsigned char code;
    hid_t file = open_file(path);
    hid_t set = H5Dopen2(file, "/status/code", H5P_DEFAULT);
    hid_t type = H5Dget_type(set);
    ck_assert_int_eq(H5Tget_class(type), H5T_ENUM);
    ck_assert_int_ge(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &code), 0);
    H5Tclose(type);
    H5Dclose(set);
    H5Fclose(file);
    return code;
}

/* The first rows of one variable, value by value; rows behind `n_zero` are zeros. */
static void check_rows(
    hid_t file, const fake_run *run, size_t s, size_t v, uint64_t n_rows, uint64_t n_zero)
{
    const spl_stream *stream = &run->streams[s];
    const size_t width = stream->width;
    char name[64];
    double *values = malloc(stream->n_rows * width * sizeof *values);
    snprintf(name, sizeof name, "/monitors/%s/%s", stream->name, stream->variables[v]);
    size_t n_wrong = 0;
    read_set(file, name, H5T_NATIVE_DOUBLE, values);
    for (uint64_t r = 0; r < stream->n_rows; r++) {
        for (size_t i = 0; i < width && (r < n_rows || r >= n_zero); i++) {
            double wanted = r < n_rows ? fake_value(s, v, r, i) : 0.0;
            wanted = stream->f8 ? wanted : (double)(float)wanted;
            n_wrong += values[r * width + i] != wanted;
        }
    }
    ck_assert_uint_eq(n_wrong, 0);
    free(values);
}

static void check_first_rows(
    hid_t file, const fake_run *run, size_t s, size_t v, uint64_t n_rows)
{
    check_rows(file, run, s, v, n_rows, UINT64_MAX);
}

static void check_all_rows(const char *path, const fake_run *run, uint64_t step)
{
    hid_t file = open_file(path);
    for (size_t s = 0; s < FAKE_STREAMS; s++) {
        for (size_t v = 0; v < run->streams[s].n_variables; v++) {
            check_rows(file, run, s, v, fake_rows(run, s, step), fake_rows(run, s, step));
        }
    }
    H5Fclose(file);
}

START_TEST(a_complete_run_is_in_its_file)
{
    fake_run run;
    spl_output *output = NULL;
    double numbers[16];
    unsigned long long words[2];
    fake_init(&run, "r.h5");
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    ck_assert_uint_eq(code_of("r.h5"), SPL_RUN_RUNNING);
    ck_assert_int_eq(access("r.h5.tmp", F_OK), -1);
    ck_assert_int_eq(access("r.lock", F_OK), 0);
    check_all_rows("r.h5", &run, 0);
    for (uint64_t step = 0; step < FAKE_ROWS; step += 8) {
        ck_assert_int_eq(fake_steps(output, &run, step, step + 8), SPL_OK);
    }
    ck_assert_int_eq(fake_finish(output, SPL_RUN_COMPLETE, "well", FAKE_ROWS), SPL_OK);
    ck_assert_uint_eq(spl_output_written(output),
        FAKE_ROWS * 24 + FAKE_ROWS / 2 * 8 + FAKE_ROWS / 100 * 48);
    ck_assert_int_eq(access("r.lock", F_OK), -1);
    spl_output_free(output);
    ck_assert_uint_eq(code_of("r.h5"), SPL_RUN_COMPLETE);
    check_all_rows("r.h5", &run, FAKE_ROWS);
    hid_t file = open_file("r.h5");
    read_set(file, "/state/final/V", H5T_NATIVE_DOUBLE, numbers);
    ck_assert(numbers[0] == 1.5 && numbers[1] == -2.5 && numbers[2] == 0.1);
    read_set(file, "/state/final/record", H5T_NATIVE_ULLONG, words);
    ck_assert_uint_eq(words[0], FAKE_ROWS);
    ck_assert_uint_ne(words[1], 0);
    read_set(file, "/performance/steps_per_second", H5T_NATIVE_DOUBLE, numbers);
    ck_assert(numbers[0] == 1e6);
    read_set(file, "/status/escaped_nodes", H5T_NATIVE_ULLONG, words);
    ck_assert_uint_eq(words[0], 1);
    H5Fclose(file);
    fake_deinit(&run);
}
END_TEST

/* Text of a scalar string attribute of the root. */
static void check_attribute(const char *path, const char *name, const char *wanted)
{
    char *text = NULL;
    hid_t file = open_file(path);
    hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    ck_assert_int_ge(attribute, 0);
    hid_t type = H5Aget_type(attribute);
    ck_assert_int_gt(H5Tis_variable_str(type), 0);
    ck_assert_int_eq(H5Tget_cset(type), H5T_CSET_UTF8);
    ck_assert_int_ge(H5Aread(attribute, type, &text), 0);
    /* HDF5 reads the empty string as NULL */
    ck_assert_str_eq(text != NULL ? text : "", wanted);
    H5free_memory(text);
    H5Tclose(type);
    H5Aclose(attribute);
    H5Fclose(file);
}

START_TEST(provenance_is_in_the_root)
{
    fake_run run;
    char *title = calloc(70001, 1);
    memset(title, 'x', 70000); /* more than an attribute of fixed length may hold */
    fake_init(&run, "r.h5");
    run.spec.title = title;
    ck_assert_int_eq(fake_make(&run, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    check_attribute("r.h5", "title", title);
    check_attribute("r.h5", "format", "splenium-results");
    check_attribute("r.h5", "format_version", "1.0");
    check_attribute("r.h5", "software", "splenium");
    check_attribute("r.h5", "software_version", spl_version());
    check_attribute("r.h5", "command_line", "splenium run fake.yaml");
    check_attribute("r.h5", "git_commit", "abc");
    check_attribute("r.h5", "blas", "");
    free(title);
    fake_deinit(&run);
}
END_TEST

static void wait_for_bytes(const spl_output *output, uint64_t bytes)
{
    for (int i = 0; i < 2000 && spl_output_written(output) < bytes; i++) {
        usleep(5000);
    }
    ck_assert_uint_ge(spl_output_written(output), bytes);
}

START_TEST(every_value_lands_where_it_belongs)
{
    /* rows of one value make blocks of 4096 rows; frames of all sizes cross them */
    static const size_t sizes[] = {1, 7, 4096, 3, 5000, 12000, 4089, 1};
    enum { ROWS = 25197 };
    const double odd[] = {0.0, -0.0, INFINITY, -INFINITY, 1e-310, 1e300, 16777217.0, 0.1};
    fake_run run;
    spl_output *output = NULL;
    fake_init(&run, "r.h5");
    run.spec.n_streams = 2;
    run.streams[0].width = run.streams[1].width = 1;
    run.streams[0].n_rows = run.streams[1].n_rows = ROWS;
    double *values = malloc((size_t)2 * ROWS * sizeof *values);
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    uint64_t row = 0;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        for (size_t s = 0; s < 2; s++) {
            const size_t n_variables = run.streams[s].n_variables;
            for (size_t i = 0; i < n_variables * sizes[k]; i++) {
                const uint64_t r = row + i % sizes[k];
                values[i] =
                    r % 100 < 8 ? odd[r % 100] : fake_value(s, i / sizes[k], r, 0);
            }
            const spl_frame frame = {.monitor = s,
                .first_row = row,
                .n_rows = sizes[k],
                .n_variables = n_variables,
                .width = 1,
                .values = values};
            ck_assert_int_eq(spl_output_append(output, &frame), SPL_OK);
        }
        row += sizes[k];
        spl_output_step(output, row);
    }
    ck_assert_uint_eq(row, ROWS);
    ck_assert_int_eq(fake_finish(output, SPL_RUN_COMPLETE, "", ROWS), SPL_OK);
    spl_output_free(output);
    float *f4 = malloc(ROWS * sizeof *f4);
    hid_t file = open_file("r.h5");
    for (size_t v = 0; v < 2; v++) {
        read_set(
            file, v == 0 ? "/monitors/tavg/V" : "/monitors/tavg/W", H5T_NATIVE_FLOAT, f4);
        for (uint64_t r = 0; r < ROWS; r++) {
            const float wanted =
                (float)(r % 100 < 8 ? odd[r % 100] : fake_value(0, v, r, 0));
            ck_assert_mem_eq(&f4[r], &wanted, sizeof wanted);
        }
    }
    read_set(file, "/monitors/mean/V", H5T_NATIVE_DOUBLE, values);
    for (uint64_t r = 0; r < ROWS; r++) {
        const double wanted = r % 100 < 8 ? odd[r % 100] : fake_value(1, 0, r, 0);
        ck_assert_mem_eq(&values[r], &wanted, sizeof wanted);
    }
    H5Fclose(file);
    free(f4);
    free(values);
    fake_deinit(&run);
}
END_TEST

/* The second's blocks of 873 rows do not end where its buffer does. */
static const struct {
    size_t width, capacity, rows;
} placed[] = {{1, 8192, 25197}, {300, 1664, 6000}};

static void enlarge(fake_run *run, size_t n_nodes)
{
    double *zeros = calloc(n_nodes * n_nodes, sizeof *zeros);
    const spl_connectome_arrays arrays = {
        .n_nodes = n_nodes, .weights = zeros, .tract_lengths = zeros};
    spl_connectome_free(run->connectome);
    ck_assert_int_eq(spl_connectome_create(&run->connectome, &arrays, NULL), SPL_OK);
    run->spec.connectome = run->connectome;
    free(zeros);
}

/* Rows that the caller writes to their place, where there is one, and rows that it does
 * not. */
START_TEST(rows_may_be_written_to_their_place)
{
    const size_t width = placed[_i].width;
    const size_t capacity = placed[_i].capacity;
    const size_t rows = placed[_i].rows;
    fake_run run;
    spl_output *output = NULL;
    size_t n_placed = 0;
    size_t n_copied = 0;
    size_t step = 0;
    const char *path = _i == 0 ? "r.h5" : "wide.h5";
    fake_init(&run, path);
    if (width > 1) {
        enlarge(&run, width);
    }
    run.spec.n_streams = 2;
    run.streams[0].width = width;
    run.streams[0].n_rows = rows;
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    ck_assert_ptr_null(spl_output_place(output, 0, 1, 1, &step));
    ck_assert_uint_eq(spl_output_room(output, 0), capacity);
    ck_assert_ptr_null(spl_output_place(output, 0, 0, capacity + 1, &step));
    ck_assert_ptr_null(spl_output_place(output, 1, 0, 1, &step));
    for (uint64_t row = 0; row < rows;) {
        const size_t asked = 1 + (size_t)row % (capacity / 11);
        const size_t n = asked < rows - row ? asked : (size_t)(rows - row);
        const size_t to_the_end = capacity - (size_t)row % capacity;
        ck_assert_uint_le(spl_output_room(output, 0), to_the_end);
        float *place = spl_output_place(output, 0, row, n, &step);
        /* fewer rows than there was room for may come of it */
        const size_t n_rows = place != NULL && n > 2 && row % 2 == 0 ? n - 2 : n;
        for (size_t v = 0; v < 2 && place != NULL; v++) {
            for (size_t i = 0; i < n_rows * width; i++) {
                place[v * step + i] = (float)fake_value(0, v, row + i / width, i % width);
            }
        }
        const spl_frame frame = {
            .first_row = row, .n_rows = n_rows, .n_variables = 2, .width = width};
        ck_assert_int_eq(place != NULL ? spl_output_append_placed(output, &frame)
                                       : fake_append(output, &run, 0, row, n_rows),
            SPL_OK);
        n_placed += place != NULL;
        n_copied += place == NULL;
        row += n_rows;
        spl_output_step(output, row);
    }
    ck_assert_uint_gt(n_placed, 5);
    ck_assert_uint_ge(n_copied, rows / capacity); /* at the end of the buffer */
    ck_assert_int_eq(fake_append(output, &run, 1, 0, FAKE_ROWS / 2), SPL_OK);
    const spl_frame late = {
        .first_row = 3, .n_rows = 1, .n_variables = 2, .width = width};
    ck_assert_int_eq(spl_output_append_placed(output, &late), SPL_ERR_INTERNAL);
    ck_assert_int_eq(fake_finish(output, SPL_RUN_COMPLETE, "", rows), SPL_OK);
    spl_output_free(output);
    hid_t file = open_file(path);
    check_rows(file, &run, 0, 0, rows, rows);
    check_rows(file, &run, 0, 1, rows, rows);
    H5Fclose(file);
    fake_deinit(&run);
}
END_TEST

static void wait_until_written(const spl_output *output, uint64_t bytes)
{
    while (spl_output_written(output) < bytes) {
        usleep(1000);
    }
}

/* Where writing is dear the rows leave memory, those of half a run and those that were
 * checked at the end. */
START_TEST(rows_that_leave_memory_are_right)
{
    enum { SOME = 50000, HALF = 20 * SOME, ROWS = 2 * HALF + 3, ROW = 12 };
    static const spl_cache caches[] = {{0}, {.n_dear = 1000}};
    const bool listens = memory_is_given_back();
    float *values = malloc((size_t)ROWS * ROW);
    char on_disk[] = "/tmp/splenium-output-XXXXXX";
    ck_assert_ptr_nonnull(values);
    ck_assert_ptr_nonnull(mkdtemp(on_disk));
    ck_assert_int_eq(chdir(on_disk), 0);
    for (size_t c = 0; c < 2; c++) {
        fake_run run;
        spl_output *output = NULL;
        const size_t n_before = n_let_go;
        fake_init(&run, "r.h5");
        run.spec.n_streams = 1;
        run.streams[0].n_variables = 1;
        run.streams[0].n_rows = ROWS;
        ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
        output->cache = caches[c];
        const int fd = open("r.h5", O_RDONLY);
        const uint64_t offset = offset_of("r.h5", "/monitors/tavg/V");
        const uint64_t half = offset + (uint64_t)HALF * ROW;
        const uint64_t end = offset + (uint64_t)ROWS * ROW;
        for (uint64_t row = 0; row < ROWS; row += SOME) {
            const uint64_t left = ROWS - row;
            if (row == HALF) {
                wait_until_written(output, (uint64_t)(HALF - SOME) * ROW);
                ck_assert_int_eq(fdatasync(fd), 0);
            }
            ck_assert_int_eq(
                fake_append(output, &run, 0, row, left < SOME ? left : SOME), SPL_OK);
        }
        wait_until_written(output, (uint64_t)(ROWS - SOME) * ROW);
        const size_t early = pages_in_memory(fd, offset, half);
        spl_output_step(output, ROWS);
        ck_assert_int_eq(fake_finish(output, SPL_RUN_COMPLETE, "", ROWS), SPL_OK);
        const size_t kept = pages_in_memory(fd, offset, end);
        /* the first run may give back, too, where writing is dear on a busy machine */
        if (!spl_cache_gives_back(&output->cache)) {
            ck_assert_uint_eq(c, 0);
            ck_assert_uint_eq(n_let_go, n_before);
        } else if (c == 1) {
            ck_assert_uint_gt(n_let_go, n_before);
            ck_assert(!listens || early < (half - offset) / page_bytes() / 8);
            ck_assert(!listens || kept < (end - offset) / page_bytes() / 8);
        }
        spl_output_free(output);
        close(fd);
        hid_t file = open_file("r.h5");
        size_t n_wrong = 0;
        read_set(file, "/monitors/tavg/V", H5T_NATIVE_FLOAT, values);
        for (size_t i = 0; i < (size_t)ROWS * FAKE_NODES; i++) {
            n_wrong +=
                values[i] != (float)fake_value(0, 0, i / FAKE_NODES, i % FAKE_NODES);
        }
        ck_assert_uint_eq(n_wrong, 0);
        H5Fclose(file);
        fake_deinit(&run);
        unlink("r.h5");
    }
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(rmdir(on_disk), 0);
    free(values);
}
END_TEST

START_TEST(times_are_complete_from_the_start)
{
    fake_run run;
    spl_output *output = NULL;
    fake_init(&run, "r.h5");
    run.spec.n_streams = 1;
    run.streams[0].n_rows = 20000; /* more than are written at once */
    run.streams[0].first_time_ms = 0.05;
    run.streams[0].period_ms = 0.1;
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    double *times = malloc(20000 * sizeof *times);
    hid_t file = open_file("r.h5");
    read_set(file, "/monitors/tavg/time", H5T_NATIVE_DOUBLE, times);
    for (size_t r = 0; r < 20000; r++) {
        ck_assert(times[r] == 0.05 + (double)r * 0.1);
    }
    H5Fclose(file);
    free(times);
    spl_output_free(output);
    fake_deinit(&run);
}
END_TEST

/* Of the newest slot, read in this process: a fork while the writer works may copy its
 * allocator's locks, which AddressSanitizer's do not survive. */
static uint64_t durable_step(const char *path)
{
    unsigned long long slots[2][SPL_SLOT_WORDS];
    hid_t file = open_file(path);
    read_set(file, "/progress", H5T_NATIVE_ULLONG, slots);
    H5Fclose(file);
    return slots[slots[1][0] > slots[0][0] ? 1 : 0][1];
}

START_TEST(a_partly_filled_buffer_becomes_durable_by_the_clock)
{
    fake_run run;
    spl_output *output = NULL;
    spl_results_info *info = NULL;
    fake_init(&run, "r.h5");
    run.spec.flush_every = 0.01;
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    ck_assert_int_eq(fake_steps(output, &run, 0, 10), SPL_OK);
    while (durable_step("r.h5") != 10) {
        usleep(5000);
    }
    ck_assert_int_eq(spl_results_describe("r.h5", &info), SPL_OK);
    ck_assert_uint_eq(info->streams[0].n_durable, 10);
    ck_assert_uint_eq(info->streams[1].n_durable, 5);
    spl_results_free(info);
    check_all_rows("r.h5", &run, 10);
    spl_output_free(output);
    fake_deinit(&run);
}
END_TEST

START_TEST(a_killed_run_leaves_a_good_file)
{
    fake_run run;
    fake_init(&run, "r.h5");
    run.spec.flush_every = 0.005;
    for (int kills = 0; kills < 12; kills++) {
        spl_results_info *info = NULL;
        run.spec.force = kills > 0;
        pid_t child = fork();
        if (child == 0) {
            spl_output *output = NULL;
            spl_status status = spl_output_create(&output, &run.spec);
            for (uint64_t step = 0; status == SPL_OK && step < FAKE_ROWS; step++) {
                status = fake_steps(output, &run, step, step + 1);
                usleep(100);
            }
            pause();
        }
        /* from before the first row to behind the last */
        while (access("r.h5", F_OK) != 0) {
            usleep(1000);
        }
        usleep((useconds_t)kills * 15000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        ck_assert_int_eq(spl_results_describe("r.h5", &info), SPL_OK);
        ck_assert_str_eq(info->status, "running");
        ck_assert(!info->live);
        hid_t file = open_file("r.h5");
        for (size_t s = 0; s < FAKE_STREAMS; s++) {
            /* the record may be taken between the rows of a step and the step */
            const uint64_t n_durable = info->streams[s].n_durable;
            ck_assert_uint_ge(n_durable, fake_rows(&run, s, info->step));
            ck_assert_uint_le(n_durable, fake_rows(&run, s, info->step + 1));
            check_first_rows(file, &run, s, 0, n_durable);
        }
        H5Fclose(file);
        spl_results_free(info);
        ck_assert_int_eq(access("r.lock", F_OK), 0);
    }
    /* neither the lock of a dead process nor a file half made is in the way */
    FILE *left_over = fopen("r.h5.tmp", "w");
    fputs("half", left_over);
    fclose(left_over);
    ck_assert_int_eq(fake_make(&run, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    ck_assert_uint_eq(folder_count(), 1);
    fake_deinit(&run);
}
END_TEST

START_TEST(a_run_says_how_it_ended)
{
    static const spl_run_code codes[] = {
        SPL_RUN_FAILED, SPL_RUN_DIVERGED, SPL_RUN_INTERRUPTED};
    char long_message[400];
    char message[257] = "";
    fake_run run;
    memset(long_message, 'x', sizeof long_message);
    memcpy(long_message + 255, "\xC3\xA9", 3); /* one byte too late */
    fake_init(&run, "r.h5");
    for (size_t k = 0; k < 3; k++) {
        ck_assert_int_eq(fake_make(&run, codes[k], long_message, 123), SPL_OK);
        ck_assert_uint_eq(code_of("r.h5"), codes[k]);
        check_all_rows("r.h5", &run, 123);
        hid_t file = open_file("r.h5");
        hid_t type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, 256);
        H5Tset_strpad(type, H5T_STR_NULLPAD);
        H5Tset_cset(type, H5T_CSET_UTF8);
        read_set(file, "/status/message", type, message);
        ck_assert_uint_eq(strlen(message), 255);
        H5Tclose(type);
        H5Fclose(file);
        ck_assert_uint_eq(folder_count(), 1);
        unlink("r.h5");
    }
    fake_deinit(&run);
}
END_TEST

START_TEST(a_run_without_monitors_has_a_file)
{
    fake_run run;
    spl_output *output = NULL;
    spl_results_info *info = NULL;
    fake_init(&run, "r.h5");
    run.spec.n_streams = 0;
    run.spec.n_final = 0;
    run.spec.n_performance = 0;
    run.spec.yaml = run.spec.resolved_json = run.spec.title = NULL;
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    ck_assert_int_eq(
        spl_output_finish(output, SPL_RUN_COMPLETE, NULL, 10, 0, NULL, NULL), SPL_OK);
    spl_output_free(output);
    ck_assert_int_eq(spl_results_describe("r.h5", &info), SPL_OK);
    ck_assert_str_eq(info->status, "complete");
    ck_assert_uint_eq(info->step, 10);
    spl_results_free(info);
    fake_deinit(&run);
}
END_TEST

START_TEST(the_end_does_not_depend_on_the_syncs)
{
    unsigned char slots[2][8192];
    fake_run run;
    for (size_t k = 0; k < 2; k++) {
        spl_output *output = NULL;
        fake_init(&run, "r.h5");
        run.spec.flush_every = k == 0 ? 100.0 : 0.001;
        ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
        for (uint64_t step = 0; step < FAKE_ROWS; step += 100) {
            ck_assert_int_eq(fake_steps(output, &run, step, step + 100), SPL_OK);
            usleep(k == 0 ? 0 : 3000);
        }
        ck_assert_int_eq(fake_finish(output, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
        spl_output_free(output);
        hid_t file = open_file("r.h5");
        read_set(file, "/progress", H5T_STD_U64LE, slots[k]);
        H5Fclose(file);
        unlink("r.h5");
        fake_deinit(&run);
    }
    ck_assert_mem_eq(slots[0], slots[1], sizeof slots[0]);
    ck_assert_mem_eq(slots[0], slots[0] + 4096, 4096);
}
END_TEST

START_TEST(a_changed_byte_is_found_at_the_end)
{
    fake_run run;
    spl_output *output = NULL;
    fake_init(&run, "r.h5");
    run.spec.flush_every = 0.01;
    run.spec.n_streams = 1;
    run.streams[0].n_rows = 10000;
    run.streams[0].width = 1;
    run.streams[0].n_variables = 1;
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    ck_assert_int_eq(fake_append(output, &run, 0, 0, 10000), SPL_OK);
    wait_for_bytes(output, 40000);
    flip_byte("r.h5", offset_of("r.h5", "/monitors/tavg/V") + 4 * 5000);
    ck_assert_int_eq(
        fake_finish(output, SPL_RUN_COMPLETE, "", 10000), SPL_ERR_FILE_WRITE);
    const char *message = "r.h5: /monitors/tavg/V: rows 4096 to 8191 do not read back as "
                          "they were written; check the disk and run again";
    ck_assert_str_eq(spl_last_error(), message);
    spl_output_free(output);
    spl_results_info *info = NULL;
    ck_assert_int_eq(spl_results_describe("r.h5", &info), SPL_OK);
    ck_assert_str_eq(info->status, "failed");
    ck_assert_str_eq(info->message, message);
    spl_results_free(info);
    fake_deinit(&run);
}
END_TEST

START_TEST(a_file_moved_away_ends_the_run)
{
    fake_run run;
    spl_output *output = NULL;
    fake_init(&run, "r.h5");
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    ck_assert_int_eq(fake_steps(output, &run, 0, FAKE_ROWS), SPL_OK);
    ck_assert_int_eq(rename("r.h5", "s.h5"), 0);
    ck_assert_int_eq(
        fake_finish(output, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_ERR_FILE_WRITE);
    ck_assert_str_eq(spl_last_error(),
        "r.h5: moved, deleted or replaced during the run, which therefore ends; if it "
        "was moved, splenium resume goes on with it there");
    spl_output_free(output);
    check_all_rows("s.h5", &run, FAKE_ROWS);
    fake_deinit(&run);
}
END_TEST

START_TEST(frames_that_do_not_follow_are_refused)
{
    fake_run run;
    spl_output *output = NULL;
    double values[64] = {0};
    fake_init(&run, "r.h5");
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    spl_frame frame = {.n_rows = 1, .n_variables = 2, .width = 3, .values = values};
    ck_assert_int_eq(spl_output_append(output, &frame), SPL_OK);
    ck_assert_int_eq(spl_output_append(output, &frame), SPL_ERR_INTERNAL);
    ck_assert_str_eq(spl_last_error(),
        "r.h5: monitor tavg: rows 0 + 1 of 2 x 3 values do not follow row 1 of 1000 of 2 "
        "x 3 values");
    frame.first_row = 1;
    frame.width = 2;
    ck_assert_int_eq(spl_output_append(output, &frame), SPL_ERR_INTERNAL);
    frame.width = 3;
    frame.n_rows = 1000;
    ck_assert_int_eq(spl_output_append(output, &frame), SPL_ERR_INTERNAL);
    frame.monitor = 3;
    ck_assert_int_eq(spl_output_append(output, &frame), SPL_ERR_INTERNAL);
    ck_assert_int_eq(
        fake_finish(output, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_ERR_INTERNAL);
    ck_assert_str_eq(spl_last_error(),
        "r.h5: monitor tavg has 1 of 1000 rows at the end; report this");
    spl_output_free(output);
    ck_assert_uint_eq(code_of("r.h5"), SPL_RUN_FAILED);
    fake_deinit(&run);
}
END_TEST

START_TEST(the_size_is_known_beforehand)
{
    fake_run run;
    struct stat what;
    fake_init(&run, "r.h5");
    run.streams[0].n_rows = 100000;
    const uint64_t bytes = spl_output_bytes(&run.spec);
    spl_output *output = NULL;
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    ck_assert_int_eq(stat("r.h5", &what), 0);
    /* an upper bound, and a close one */
    ck_assert_uint_ge(bytes, (uint64_t)what.st_size);
    ck_assert_uint_le(bytes, (uint64_t)what.st_size + 65536);
    /* slots and rows start on pages: no sector holds two of them */
    ck_assert_uint_eq(offset_of("r.h5", "/progress") % 4096, 0);
    ck_assert_uint_eq(offset_of("r.h5", "/monitors/tavg/V") % 4096, 0);
    /* every block of it is there already */
    ck_assert_uint_ge((uint64_t)what.st_blocks * 512, (uint64_t)what.st_size);
    spl_output_free(output);
    fake_deinit(&run);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output");
    TCase *tcase = tcase_create("output");
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_complete_run_is_in_its_file);
    tcase_add_test(tcase, provenance_is_in_the_root);
    tcase_add_test(tcase, every_value_lands_where_it_belongs);
    tcase_add_loop_test(tcase, rows_may_be_written_to_their_place, 0, 2);
    tcase_add_test(tcase, times_are_complete_from_the_start);
    tcase_add_test(tcase, a_partly_filled_buffer_becomes_durable_by_the_clock);
    tcase_add_test(tcase, a_killed_run_leaves_a_good_file);
    tcase_add_test(tcase, a_run_says_how_it_ended);
    tcase_add_test(tcase, a_run_without_monitors_has_a_file);
    tcase_add_test(tcase, the_end_does_not_depend_on_the_syncs);
    tcase_add_test(tcase, a_changed_byte_is_found_at_the_end);
    tcase_add_test(tcase, a_file_moved_away_ends_the_run);
    tcase_add_test(tcase, frames_that_do_not_follow_are_refused);
    tcase_add_test(tcase, the_size_is_known_beforehand);
    suite_add_tcase(suite, tcase);
    TCase *cases = test_long_cases(suite);
    tcase_add_checked_fixture(cases, folder_setup, folder_teardown);
    tcase_add_test(cases, rows_that_leave_memory_are_right);
    return suite;
}
