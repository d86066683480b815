/* Every call to the system fails once, the n-th for n = 1, 2, ...: right code, no damage,
 * nothing left behind. The functions here stand before those of the C library, for HDF5
 * as well. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "splenium/results.h"
#include "support/test_main.h"
#include "unit/output/folder.h"
#include "unit/output/spiking_run.h"

/* HDF5 loses its write buffer after a failed close, see tests/support/valgrind.supp. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

typedef enum { CALL_WRITE, CALL_SYNC, CALL_RENAME, CALL_ALLOCATE } call;

typedef enum {
    FAULT_NONE,
    FAULT_EIO,
    FAULT_ENOSPC,
    FAULT_EINTR, /* no error at all, nor is the next */
    FAULT_SHORT,
    FAULT_UNSUPPORTED
} fault;

static struct {
    fault kind;
    unsigned calls;  /* set of the calls that count */
    atomic_int left; /* the call that makes it 0 fails */
} plan;

/* Writes and syncs in the order in which they were made. */
enum { MAX_EVENTS = 100000 };
static struct {
    atomic_bool on;
    atomic_size_t n;
    struct {
        bool sync;
        uint64_t offset;
        size_t bytes;
    } events[MAX_EVENTS];
} history;

/* The disk takes nothing while it is. */
static atomic_bool stuck;

static void remember(bool sync, uint64_t offset, size_t bytes)
{
    if (atomic_load(&history.on)) {
        const size_t i = atomic_fetch_add(&history.n, 1);
        if (i < MAX_EVENTS) {
            history.events[i].sync = sync;
            history.events[i].offset = offset;
            history.events[i].bytes = bytes;
        }
    }
}

static bool fails(call which)
{
    return plan.kind != FAULT_NONE && (plan.calls & (1U << which)) != 0 &&
           atomic_fetch_sub(&plan.left, 1) == 1;
}

static int error_of(fault kind)
{
    return kind == FAULT_EIO      ? EIO
           : kind == FAULT_ENOSPC ? ENOSPC
           : kind == FAULT_EINTR  ? EINTR
                                  : EOPNOTSUPP;
}

static int give_error(void)
{
    errno = error_of(plan.kind);
    return -1;
}

/* by their names for the linker: we call the 64 bit ones, HDF5 the others */
ssize_t write_at_64(int fd, const void *data, size_t bytes, off_t offset) __asm__(
    "pwrite64");
ssize_t write_at(int fd, const void *data, size_t bytes, off_t offset) __asm__("pwrite");
int allocate_64(int fd, off_t offset, off_t bytes) __asm__("posix_fallocate64");
int allocate(int fd, off_t offset, off_t bytes) __asm__("posix_fallocate");

ssize_t write_at_64(int fd, const void *data, size_t bytes, off_t offset)
{
    remember(false, (uint64_t)offset, bytes);
    while (atomic_load(&stuck)) {
        usleep(1000);
    }
    if (fails(CALL_WRITE)) {
        if (plan.kind != FAULT_SHORT) {
            return give_error();
        }
        bytes = (bytes + 1) / 2;
    }
    return syscall(SYS_pwrite64, fd, data, bytes, offset);
}

ssize_t write_at(int fd, const void *data, size_t bytes, off_t offset)
{
    return write_at_64(fd, data, bytes, offset);
}

int allocate_64(int fd, off_t offset, off_t bytes)
{
    return fails(CALL_ALLOCATE)                                ? error_of(plan.kind)
           : syscall(SYS_fallocate, fd, 0, offset, bytes) == 0 ? 0
                                                               : errno;
}

int allocate(int fd, off_t offset, off_t bytes)
{
    return allocate_64(fd, offset, bytes);
}

int fsync(int fd)
{
    return fails(CALL_SYNC) ? give_error() : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    if (fails(CALL_SYNC)) {
        return give_error();
    }
    const int result = (int)syscall(SYS_fdatasync, fd);
    remember(true, 0, 0); /* what is written from now on is not in it */
    return result;
}

int rename(const char *from, const char *to)
{
    return fails(CALL_RENAME) ? give_error() : (int)syscall(SYS_rename, from, to);
}

static void start(fault kind, unsigned calls, int n)
{
    plan.calls = calls;
    atomic_store(&plan.left, n);
    plan.kind = kind;
}

/* Did the planned call happen? */
static bool stop(void)
{
    plan.kind = FAULT_NONE;
    return atomic_load(&plan.left) <= 0;
}

/* What is durable must be right, whatever happened. */
static void check_file(const fake_run *run, bool complete)
{
    spl_results_info *info = NULL;
    spl_status status = spl_results_describe("r.h5", &info);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    ck_assert_str_eq(info->status, complete ? "complete" : "failed");
    ck_assert(!info->live);
    hid_t file = open_file("r.h5");
    double *values = malloc(FAKE_ROWS * FAKE_NODES * sizeof *values);
    read_set(file, "/monitors/tavg/W", H5T_NATIVE_DOUBLE, values);
    ck_assert_uint_eq(info->streams[0].n_durable, fake_rows(run, 0, info->step));
    for (uint64_t r = 0; r < info->streams[0].n_durable; r++) {
        ck_assert(values[FAKE_NODES * r + 2] == (double)(float)fake_value(0, 1, r, 2));
    }
    free(values);
    H5Fclose(file);
    spl_results_free(info);
}

/* The spikes of a run lie in the journal until all is well, and never less of them than a
 * slot has promised. */
static void check_spikes(bool created, bool complete)
{
    spl_results_info *info = NULL;
    bool whole;
    ck_assert_int_eq(access("r.spk", F_OK) == 0, created && !complete);
    ck_assert_int_eq(access("r.spikes.h5.tmp", F_OK), -1);
    if (created && !complete) {
        ck_assert_int_eq(spl_results_describe("r.h5", &info), SPL_OK);
        ck_assert_uint_ge(fake_check("r.spk", &whole), info->step);
        spl_results_free(info);
    }
    if (complete) {
        ck_assert_int_eq(access("r.spikes.h5", F_OK), 0);
    }
    unlink("r.spk");
    unlink("r.spikes.h5");
}

/* Results alone, or spikes as well. */
static spl_status make_with_fault(spiking_run *run, bool spikes, bool *created)
{
    spl_output *output = NULL;
    spl_output_spec *spec = &run->base.spec;
    if (!spikes) {
        spec->streams = run->base.streams;
        spec->n_streams = FAKE_STREAMS;
        spec->n_populations = spec->n_subnetworks = 0;
    }
    spl_status status = spl_output_create(&output, spec);
    *created = status == SPL_OK;
    ck_assert_int_eq(*created, output != NULL);
    for (uint64_t step = 0; status == SPL_OK && step < FAKE_ROWS; step += 250) {
        status = spikes ? spiking_steps(output, run, step, step + 250)
                        : fake_steps(output, &run->base, step, step + 250);
    }
    if (*created) {
        const spl_status end = fake_finish(output, SPL_RUN_COMPLETE, "", FAKE_ROWS);
        status = status == SPL_OK ? end : status;
    }
    spl_output_free(output);
    return status;
}

/* One run; the fault may hit anything. Result: false once it hits nothing any more. */
static bool run_with_fault(fault kind, unsigned calls, int n, bool spikes)
{
    spiking_run run;
    bool created;
    spiking_init(&run, "r.h5", true);
    run.base.spec.flush_every = 1000.0;
    start(kind, calls, n);
    const spl_status status = make_with_fault(&run, spikes, &created);
    /* the kernel reports a failed sync once: a second one would hide it */
    ck_assert(calls != 1U << CALL_SYNC || atomic_load(&plan.left) >= 0);
    const bool hit = stop();
    const bool harmless =
        kind == FAULT_EINTR || kind == FAULT_SHORT || kind == FAULT_UNSUPPORTED;
    /* the last writes only tell of a failure: the file is then as good as complete */
    ck_assert_int_eq(status == SPL_OK, !hit || harmless);
    if (status != SPL_OK) {
        ck_assert_ptr_nonnull(strstr(spl_last_error(), "r."));
        const spl_status wanted =
            kind == FAULT_ENOSPC ? SPL_ERR_DISK_FULL : SPL_ERR_FILE_WRITE;
        ck_assert(
            status == wanted || (kind == FAULT_EIO && status == SPL_ERR_FILE_CREATE));
    }
    if (created) {
        check_file(&run.base, status == SPL_OK);
    }
    if (spikes) {
        check_spikes(created, status == SPL_OK);
    }
    ck_assert_uint_eq(folder_count(), created ? 1 : 0);
    unlink("r.h5");
    spiking_deinit(&run);
    return hit;
}

/* Result: how many were hit; every step-th fails. */
static int fail_one_after_another(fault kind, unsigned calls, bool spikes, int step)
{
    int n = 1;
    while (run_with_fault(kind, calls, n, spikes)) {
        n += step;
        ck_assert_int_lt(n, 1000);
    }
    return n - 1;
}

/* Of some two hundred writes a sanitizer sees a sample. */
#if defined(SPL_SANITIZED)
enum { SAMPLE = 5 };
#else
enum { SAMPLE = 1 };
#endif

START_TEST(every_write_fails_once)
{
    const bool spikes = _i == 1;
    const int least = spikes ? 60 : 20;
    ck_assert_int_gt(
        fail_one_after_another(FAULT_EIO, 1U << CALL_WRITE, spikes, SAMPLE), least);
    ck_assert_int_gt(
        fail_one_after_another(FAULT_ENOSPC, 1U << CALL_WRITE, spikes, SAMPLE), least);
}
END_TEST

START_TEST(every_sync_fails_once)
{
    const bool spikes = _i == 1;
    /* with spikes: the journal's creation and its folder, its last frame, the file of the
     * spikes and its folder, two more slots */
    ck_assert_int_eq(
        fail_one_after_another(FAULT_EIO, 1U << CALL_SYNC, spikes, 1), spikes ? 15 : 8);
    fail_one_after_another(FAULT_ENOSPC, 1U << CALL_SYNC, spikes, 1);
}
END_TEST

START_TEST(a_rename_fails)
{
    ck_assert_int_eq(fail_one_after_another(FAULT_EIO, 1U << CALL_RENAME, false, 1), 1);
    /* and journal, and file of spikes */
    ck_assert_int_eq(fail_one_after_another(FAULT_EIO, 1U << CALL_RENAME, true, 1), 3);
}
END_TEST

START_TEST(interrupted_and_short_writes_are_continued)
{
    for (int n = 1; n < 80; n += 5) {
        run_with_fault(FAULT_EINTR, 1U << CALL_WRITE, n, n % 2 == 0);
        run_with_fault(FAULT_SHORT, 1U << CALL_WRITE, n, n % 2 == 0);
    }
}
END_TEST

START_TEST(a_disk_without_room_leaves_nothing)
{
    fake_run run;
    spl_output *output = NULL;
    fake_init(&run, "r.h5");
    start(FAULT_ENOSPC, 1U << CALL_ALLOCATE, 1);
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_ERR_DISK_FULL);
    ck_assert_ptr_nonnull(strstr(spl_last_error(), "r.h5.tmp: need 0.1 MB: No space left "
                                                   "on device; free space"));
    ck_assert(stop());
    ck_assert_uint_eq(folder_count(), 0);
    /* a file that was there stays */
    ck_assert_int_eq(fake_make(&run, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    run.spec.force = true;
    start(FAULT_ENOSPC, 1U << CALL_ALLOCATE, 1);
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_ERR_DISK_FULL);
    stop();
    ck_assert_uint_eq(folder_count(), 1);
    check_file(&run, true);
    fake_deinit(&run);
}
END_TEST

START_TEST(a_disk_that_cannot_reserve_is_warned_of)
{
    ck_assert(run_with_fault(FAULT_UNSUPPORTED, 1U << CALL_ALLOCATE, 1, false));
    ck_assert_str_eq(all_logs,
        "r.h5.tmp: this file system cannot reserve space: the disk may still become full "
        "during the run\n");
}
END_TEST

START_TEST(an_error_of_the_writer_reaches_append)
{
    fake_run run;
    spl_output *output = NULL;
    spl_results_info *info = NULL;
    fake_init(&run, "r.h5");
    run.spec.flush_every = 0.001;
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    ck_assert_int_eq(fake_steps(output, &run, 0, 10), SPL_OK);
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(spl_results_describe("r.h5", &info), SPL_OK);
        const uint64_t step = info->step;
        spl_results_free(info);
        if (step == 10) {
            break;
        }
        usleep(1000);
    }
    start(FAULT_EIO, 1U << CALL_SYNC, 1);
    spl_status status = SPL_OK;
    for (uint64_t step = 10; status == SPL_OK && step < 500; step++) {
        status = fake_steps(output, &run, step, step + 1);
        usleep(1000);
    }
    ck_assert_int_eq(status, SPL_ERR_FILE_WRITE);
    ck_assert_str_eq(spl_last_error(),
        "r.h5: cannot be brought to the disk: Input/output error; check the disk");
    stop();
    /* the caller ends the run: the slot of before the failure stands */
    ck_assert_int_eq(
        fake_finish(output, SPL_RUN_FAILED, "disk", 500), SPL_ERR_FILE_WRITE);
    spl_output_free(output);
    ck_assert_int_eq(spl_results_describe("r.h5", &info), SPL_OK);
    ck_assert_str_eq(info->status, "failed");
    ck_assert_str_eq(info->message,
        "r.h5: cannot be brought to the disk: Input/output error; check the disk");
    ck_assert_uint_lt(info->step, 500);
    spl_results_free(info);
    fake_deinit(&run);
}
END_TEST

START_TEST(rows_have_no_place_before_others_have_left_it)
{
    enum { CAPACITY = 8192 };
    fake_run run;
    spl_output *output = NULL;
    size_t step = 0;
    float *place = NULL;
    fake_init(&run, "r.h5");
    run.spec.n_streams = 1;
    run.streams[0].width = 1;
    run.streams[0].n_rows = CAPACITY + 100;
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    atomic_store(&stuck, true);
    ck_assert_int_eq(fake_append(output, &run, 0, 0, CAPACITY), SPL_OK);
    ck_assert_ptr_null(spl_output_place(output, 0, CAPACITY, 1, &step));
    atomic_store(&stuck, false);
    for (int i = 0; i < 10000 && place == NULL; i++) {
        usleep(1000);
        place = spl_output_place(output, 0, CAPACITY, 100, &step);
    }
    ck_assert_ptr_nonnull(place);
    ck_assert_int_eq(fake_append(output, &run, 0, CAPACITY, 100), SPL_OK);
    ck_assert_int_eq(fake_finish(output, SPL_RUN_COMPLETE, "", CAPACITY + 100), SPL_OK);
    spl_output_free(output);
    fake_deinit(&run);
}
END_TEST

START_TEST(no_slot_before_its_rows_are_on_the_disk)
{
    fake_run run;
    spl_output *output = NULL;
    fake_init(&run, "r.h5");
    run.spec.flush_every = 0.001;
    ck_assert_int_eq(spl_output_create(&output, &run.spec), SPL_OK);
    const uint64_t slots = offset_of("r.h5", "/progress");
    const uint64_t code = offset_of("r.h5", "/status/code");
    atomic_store(&history.on, true);
    for (uint64_t step = 0; step < FAKE_ROWS; step += 10) {
        ck_assert_int_eq(fake_steps(output, &run, step, step + 10), SPL_OK);
        usleep(1000);
    }
    ck_assert_int_eq(fake_finish(output, SPL_RUN_COMPLETE, "", FAKE_ROWS), SPL_OK);
    atomic_store(&history.on, false);
    spl_output_free(output);
    const size_t n = atomic_load(&history.n);
    size_t n_slots = 0;
    bool rows_wait = false;
    bool slot_waits = false;
    ck_assert_uint_lt(n, MAX_EVENTS);
    for (size_t i = 0; i < n; i++) {
        const uint64_t offset = history.events[i].offset;
        if (history.events[i].sync) {
            rows_wait = slot_waits = false;
        } else if (offset >= slots && offset < slots + 8192) {
            /* one slot at a time, behind its rows and behind the slot before */
            ck_assert(!rows_wait && !slot_waits);
            ck_assert_uint_eq(history.events[i].bytes, 4096);
            ck_assert_uint_eq((offset - slots) % 4096, 0);
            slot_waits = true;
            n_slots++;
        } else if (offset == code) {
            /* last of all, and then a sync */
            ck_assert(!slot_waits && i == n - 2 && history.events[n - 1].sync);
        } else {
            rows_wait = true;
        }
    }
    ck_assert_uint_gt(n_slots, 5);
    fake_deinit(&run);
}
END_TEST

Suite *spl_test_suite(void)
{
    Suite *suite = suite_create("output_faults");
    TCase *tcase = tcase_create("output_faults");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_add_loop_test(tcase, every_write_fails_once, 0, 2);
    tcase_add_loop_test(tcase, every_sync_fails_once, 0, 2);
    tcase_add_test(tcase, a_rename_fails);
    tcase_add_test(tcase, interrupted_and_short_writes_are_continued);
    tcase_add_test(tcase, a_disk_without_room_leaves_nothing);
    tcase_add_test(tcase, a_disk_that_cannot_reserve_is_warned_of);
    tcase_add_test(tcase, an_error_of_the_writer_reaches_append);
    tcase_add_test(tcase, rows_have_no_place_before_others_have_left_it);
    tcase_add_test(tcase, no_slot_before_its_rows_are_on_the_disk);
    suite_add_tcase(suite, tcase);
    return suite;
}
