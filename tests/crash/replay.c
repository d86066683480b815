/* Replay the log of a run: every instant at which a kill could have hit it, and losses of
 * power, each judged by what stock HDF5 finds in the results file.
 *
 *   replay [OPTION]... LOG NAME REFERENCE FOLDER
 *     LOG        of recorder.c
 *     NAME       of the results file in the recorded folder
 *     REFERENCE  the results file of the same run, undisturbed
 *     FOLDER     for scratch files; holds the recorded folder's end with --end
 *     --torn=N   torn states per write (1)
 *     --power=N  losses of power per change (1)
 *     --names    also each combination of the changes of names that are not durable
 *     --break=W  spoil the log first (break_log), to see that this is found
 *     --end=DIR  compare the last state with the files of DIR
 *     --samples=N  store some N of the states, each in a folder of FOLDER
 *     --old=FILE   the reference of a run in the same log that LOG's replaces
 *   replay --check REFERENCE FILE
 * Prints the counts; exit 1 if anything is wrong. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "results.h"
#include "spikes.h"

enum { N_WORKERS = 2, MAX_SHOWN = 5, MAX_RENAMINGS = 12, MOST_READING_S = 60 };

typedef struct entries {
    size_t n;
    crash_entry *all;
    uint8_t *bytes; /* of the log */
} entries;

/* Of all workers together. */
typedef struct counts {
    size_t kill_points, torn, kills_without_file;
    size_t power_losses, losses_without_file;
    size_t verdicts[CRASH_BEHIND + 1];
} counts;

typedef struct replay {
    const char *name, *scratch;
    /* of the run and, if there is one, of that which it replaces */
    crash_reference references[2];
    crash_spikes spikes[2];
    size_t n_references;
    char uuid[CRASH_UUID]; /* of the run itself */
    size_t torn_per_write, losses_per_change;
    bool all_names;
    crash_disk disk;
    char checkpoints[2][CRASH_MAX_NAME]; /* their names */
    char journal[CRASH_MAX_NAME], spikes_file[CRASH_MAX_NAME];
    crash_bytes whole[2];  /* the last ones seen that were whole */
    bool present;          /* the name is durable */
    size_t run;            /* which reference it belongs to */
    crash_durable durable; /* and what its file says */
    uint64_t checkpoint;   /* step of the newest durable one */
    double sample_rate;
    uint64_t random;
    counts *counts;
} replay;

static void give_up(const char *what, const char *name)
{
    fprintf(stderr, "replay: %s: %s\n", name, what);
    exit(EXIT_FAILURE);
}

static uint8_t *read_file(const char *path, size_t *bytes)
{
    struct stat what;
    const int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &what) != 0) {
        give_up("cannot be read", path);
    }
    uint8_t *data = crash_allocate(NULL, (size_t)what.st_size);
    for (*bytes = 0; *bytes < (size_t)what.st_size;) {
        const ssize_t n = read(fd, data + *bytes, (size_t)what.st_size - *bytes);
        if (n <= 0) {
            give_up("cannot be read", path);
        }
        *bytes += (size_t)n;
    }
    close(fd);
    return data;
}

static void write_file(const char *path, const crash_bytes *bytes)
{
    const int fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)bytes->size) != 0 ||
        pwrite(fd, bytes->data, bytes->size, 0) != (ssize_t)bytes->size) {
        give_up("cannot be written", path);
    }
    close(fd);
}

static void load_log(entries *log, const char *path)
{
    size_t size;
    size_t capacity = 0;
    *log = (entries){.bytes = read_file(path, &size)};
    for (size_t at = 0; at < size;) {
        crash_entry entry;
        memcpy(&entry.record, log->bytes + at, sizeof entry.record);
        at += sizeof entry.record;
        entry.data = log->bytes + at;
        at += (size_t)entry.record.bytes;
        entry.other = (const char *)log->bytes + at;
        at += (size_t)entry.record.other_bytes;
        if (at > size || entry.record.operation >= CRASH_N_OPERATIONS) {
            give_up("is no log, or torn", path);
        }
        if (log->n == capacity) {
            capacity = 2 * capacity + 1024;
            log->all = crash_allocate(log->all, capacity * sizeof *log->all);
        }
        log->all[log->n++] = entry;
    }
}

static bool is_slot(const crash_entry *entry, uint64_t slots)
{
    const size_t bytes = 8 * CRASH_SLOT_WORDS;
    return entry->record.operation == CRASH_WRITE && entry->record.bytes == bytes &&
           (entry->record.value == slots || entry->record.value == slots + bytes);
}

static void remove_entry(entries *log, size_t i)
{
    log->n--;
    memmove(log->all + i, log->all + i + 1, (log->n - i) * sizeof *log->all);
}

/* Make of the log that of a program with a mistake. */
static void break_log(entries *log, const char *how, uint64_t slots)
{
    const bool rows = strcmp(how, "rows-not-synced") == 0;
    const bool same = strcmp(how, "one-slot-only") == 0;
    const bool early = strcmp(how, "slot-before-rows") == 0;
    const bool file = strcmp(how, "file-not-synced") == 0;
    const bool folder = strcmp(how, "folder-not-synced") == 0;
    const bool checkpoint = strcmp(how, "checkpoint-not-synced") == 0;
    const bool journal = strcmp(how, "journal-not-synced") == 0;
    const bool leftover = strcmp(how, "leftover-not-synced") == 0;
    bool renamed = false;
    for (size_t i = 1; i < log->n; i++) {
        crash_entry *e = &log->all[i];
        renamed = renamed || e->record.operation == CRASH_RENAME;
        if ((rows || journal) && is_slot(e, slots) &&
            e[-1].record.operation == CRASH_SYNC_DATA) {
            /* with spikes, the journal's is the last before the slot */
            remove_entry(log, i - 1);
        } else if (same && renamed && is_slot(e, slots)) {
            e->record.value = slots;
        } else if (early && renamed && is_slot(e, slots) && i > 2 &&
                   e[-2].record.operation == CRASH_WRITE) {
            const crash_entry slot = *e;
            e[0] = e[-1];
            e[-1] = e[-2];
            e[-2] = slot;
        } else if (e->record.operation == CRASH_SYNC &&
                   ((file && !renamed) || (folder && renamed) ||
                       (leftover && i > 1 && e[-2].record.operation == CRASH_UNLINK) ||
                       (checkpoint && renamed &&
                           e[-1].record.operation == CRASH_WRITE))) {
            remove_entry(log, i--);
        }
    }
    if (!rows && !same && !early && !file && !folder && !checkpoint && !journal &&
        !leftover) {
        give_up("no such mistake", how);
    }
}

static void show(const replay *r, size_t entry, const char *state, crash_verdict verdict,
    const char *why)
{
    static const char *const names[] = {"good", "unreadable", "wrong", "behind"};
    if (__atomic_fetch_add(&r->counts->verdicts[verdict], 1, __ATOMIC_RELAXED) <
            MAX_SHOWN &&
        verdict != CRASH_GOOD) {
        printf("entry %zu, %s: %s: %s\n", entry, state, names[verdict], why);
        fflush(stdout);
    }
}

/* Write a state where the command can try to go on with it. */
static void store(
    const replay *r, const crash_state *state, size_t entry, const char *what)
{
    char path[4096];
    snprintf(path, sizeof path, "%s-%zu-%s-%zu", r->scratch, entry, what,
        r->counts->verdicts[CRASH_GOOD]);
    if (mkdir(path, 0700) != 0) {
        give_up("cannot be made", path);
    }
    for (size_t i = 0; i < state->n; i++) {
        snprintf(path, sizeof path, "%s-%zu-%s-%zu/%s", r->scratch, entry, what,
            r->counts->verdicts[CRASH_GOOD], state->all[i].name);
        FILE *file = fopen(path, "wb");
        const crash_bytes *bytes = state->all[i].bytes;
        if (file == NULL || fwrite(bytes->data, 1, bytes->size, file) != bytes->size ||
            fclose(file) != 0) {
            give_up("cannot be written", path);
        }
    }
}

/* Against the reference of the run that the log ends with or, if there is one, of that
 * which it replaces; `run` receives which it is. */
static crash_verdict compare_results(replay *r, const crash_bytes *bytes,
    crash_durable *durable, size_t *run, const char **why)
{
    crash_verdict verdict = CRASH_WRONG;
    for (size_t i = 0; i < r->n_references; i++) {
        verdict = crash_results_check(
            &r->references[i], r->scratch, bytes->data, bytes->size, durable, why);
        const bool last = strcmp(durable->uuid, r->uuid) == 0;
        *run = i;
        if (verdict == CRASH_GOOD && last == (i == 0)) {
            return CRASH_GOOD;
        }
    }
    return verdict != CRASH_GOOD ? verdict : CRASH_WRONG;
}

static crash_verdict judge_results(replay *r, const crash_bytes *bytes,
    crash_durable *durable, size_t *run, const char **why)
{
    write_file(r->scratch, bytes);
    alarm(MOST_READING_S);
    crash_verdict verdict = compare_results(r, bytes, durable, run, why);
    alarm(0);
    if (verdict == CRASH_GOOD && r->present && *run > r->run) {
        *why = "the run that was replaced";
        return CRASH_BEHIND;
    }
    const size_t n_streams =
        r->present && *run == r->run ? r->references[*run].n_streams : 0;
    for (size_t i = 0; i < n_streams && verdict == CRASH_GOOD; i++) {
        if (durable->rows[i] < r->durable.rows[i]) {
            verdict = CRASH_BEHIND;
            *why = r->references[*run].streams[i];
        }
    }
    return verdict;
}

/* Is a checkpoint whole? {magic, form, sections, bytes, step, ..., CRC-32C of all} */
static bool is_whole(replay *r, size_t which, const crash_bytes *bytes, uint64_t *step)
{
    uint64_t size;
    uint64_t crc;
    crash_bytes *known = &r->whole[which];
    if (bytes->size < 328 || memcmp(bytes->data, "SPLCKPT\n", 8) != 0) {
        return false;
    }
    memcpy(&size, bytes->data + 16, sizeof size);
    memcpy(step, bytes->data + 24, sizeof *step);
    memcpy(&crc, bytes->data + bytes->size - sizeof crc, sizeof crc);
    if (known->size == bytes->size && memcmp(known->data, bytes->data, size) == 0) {
        return true;
    }
    if (size != bytes->size ||
        crc != crash_crc32c(bytes->data, bytes->size - sizeof crc)) {
        return false;
    }
    crash_bytes_set(known, bytes->data, bytes->size);
    return true;
}

/* Checkpoints are whole, never ahead of the results, and a durable one is not lost before
 * the run is complete. */
static crash_verdict judge_checkpoints(replay *r, const crash_state *state,
    crash_durable *durable, uint64_t *newest, const char **why)
{
    *newest = 0;
    for (size_t i = 0; i < 2; i++) {
        const crash_bytes *bytes = crash_state_find(state, r->checkpoints[i]);
        uint64_t step = 0;
        *why = r->checkpoints[i];
        if (bytes != NULL &&
            (!is_whole(r, i, bytes, &step) || step > durable->step ||
                memcmp(bytes->data + 40, durable->uuid, CRASH_UUID) != 0)) {
            return CRASH_WRONG;
        }
        *newest = step > *newest ? step : *newest;
    }
    return !durable->complete && *newest < r->checkpoint ? CRASH_BEHIND : CRASH_GOOD;
}

/* A run under way has the journal that it goes on with, a complete one the file of its
 * spikes. With checkpoints there is a journal up to them. */
static crash_verdict judge_spikes(replay *r, const crash_state *state,
    const crash_durable *durable, size_t run, uint64_t checkpoint, const char **why)
{
    char path[4096];
    uint64_t step = 0;
    crash_spikes *spikes = &r->spikes[run];
    crash_verdict verdict = CRASH_GOOD;
    const crash_bytes *journal = crash_state_find(state, r->journal);
    const crash_bytes *file = crash_state_find(state, r->spikes_file);
    *why = "no journal";
    if (!spikes->any) {
        return CRASH_GOOD;
    }
    if (!durable->complete || checkpoint > 0) {
        verdict = journal == NULL ? CRASH_WRONG
                                  : crash_journal_check(spikes, journal, durable->uuid,
                                        durable->journal_bytes, &step, why);
        if (verdict != CRASH_GOOD || step < checkpoint) {
            return CRASH_WRONG;
        }
    }
    if (durable->complete) {
        *why = "no file of spikes";
        snprintf(path, sizeof path, "%s.spikes", r->scratch);
        verdict = file == NULL ? CRASH_WRONG
                               : crash_spikes_check(spikes, path, file, &step, why);
        if (verdict == CRASH_GOOD && step < durable->step) {
            return CRASH_BEHIND;
        }
    }
    return verdict;
}

/* What a state says; `newest` is the step of its newest checkpoint. Result: false if it
 * has no results file, or is not right. */
static bool judge(replay *r, const crash_state *state, size_t entry, const char *what,
    crash_durable *durable, size_t *run, uint64_t *newest)
{
    const char *why = "no file";
    const crash_bytes *bytes = crash_state_find(state, r->name);
    crash_verdict verdict = bytes != NULL ? judge_results(r, bytes, durable, run, &why)
                            : r->present  ? CRASH_BEHIND
                                          : CRASH_GOOD;
    if (bytes != NULL && verdict == CRASH_GOOD) {
        verdict = judge_checkpoints(r, state, durable, newest, &why);
    }
    if (bytes != NULL && verdict == CRASH_GOOD) {
        verdict = judge_spikes(r, state, durable, *run, *newest, &why);
    }
    if (bytes != NULL && crash_uniform(&r->random) < r->sample_rate) {
        store(r, state, entry, what);
    }
    show(r, entry, what, verdict, why);
    return bytes != NULL && verdict == CRASH_GOOD;
}

/* How much of a write happened: any part, every other time of its beginning, where most
 * of what means something stands. */
static size_t draw_part(size_t bytes, uint64_t *random)
{
    const size_t most = crash_uniform(random) < 0.5 && bytes > 64 ? 64 : bytes - 1;
    return 1 + (size_t)(crash_uniform(random) * (double)most);
}

/* A kill behind the entry, and, of a write, inside it. */
static void judge_kills(replay *r, const crash_entry *entry, size_t i)
{
    crash_durable durable;
    size_t run;
    uint64_t newest;
    crash_state state;
    const size_t bytes = (size_t)entry->record.bytes;
    if (entry->record.operation == CRASH_WRITE && bytes > 1) {
        crash_file *file = crash_file_of(&r->disk, entry);
        for (size_t k = 0; k < r->torn_per_write; k++) {
            crash_bytes_set(&file->left, file->now.data, file->now.size);
            crash_bytes_put(&file->left, entry->data, draw_part(bytes, &r->random),
                entry->record.value);
            crash_state_now(&state, &r->disk);
            for (size_t n = 0; n < state.n; n++) {
                if (state.all[n].bytes == &file->now) {
                    state.all[n].bytes = &file->left;
                }
            }
            judge(r, &state, i, "torn", &durable, &run, &newest);
            r->counts->torn++;
        }
    }
    crash_disk_apply(&r->disk, entry, bytes);
    crash_state_now(&state, &r->disk);
    judge(r, &state, i, "killed", &durable, &run, &newest);
    r->counts->kill_points++;
    r->counts->kills_without_file += crash_state_find(&state, r->name) == NULL;
}

static void judge_losses(replay *r, size_t i)
{
    for (size_t k = 0; k < r->losses_per_change; k++) {
        crash_state state;
        crash_durable durable;
        size_t run;
        uint64_t newest;
        crash_state_lost(&state, &r->disk, crash_uniform(&r->random), &r->random);
        judge(r, &state, i, "lost", &durable, &run, &newest);
        r->counts->power_losses++;
        r->counts->losses_without_file += crash_state_find(&state, r->name) == NULL;
    }
}

static void judge_names(replay *r, size_t i)
{
    const size_t n = r->disk.n_renamings;
    if (n > MAX_RENAMINGS) {
        give_up("changes too many names without a sync", r->name);
    }
    for (uint64_t which = 0; which >> n == 0; which++) {
        crash_state state;
        crash_durable durable;
        size_t run;
        uint64_t newest;
        crash_state_renamed(&state, &r->disk, which);
        judge(r, &state, i, "renamed", &durable, &run, &newest);
        r->counts->power_losses++;
        r->counts->losses_without_file += crash_state_find(&state, r->name) == NULL;
    }
}

/* Behind a sync: what is durable may never be lost again. */
static void judge_durable(replay *r, size_t i)
{
    crash_state state;
    crash_durable durable;
    size_t run;
    uint64_t newest;
    crash_state_durable(&state, &r->disk);
    const bool good = judge(r, &state, i, "durable", &durable, &run, &newest);
    if (good && (!r->present || run != r->run)) {
        r->present = true;
        r->run = run;
        r->durable = durable;
    }
    for (size_t s = 0; good && s < r->references[run].n_streams; s++) {
        if (durable.rows[s] > r->durable.rows[s]) {
            r->durable.rows[s] = durable.rows[s];
        }
    }
    if (good) {
        r->checkpoint = durable.complete ? 0 : newest;
    }
    r->counts->power_losses++;
    r->counts->losses_without_file += crash_state_find(&state, r->name) == NULL;
}

/* Replay all entries, and judge the states of those in [begin, end). */
static void replay_part(replay *r, const entries *log, size_t begin, size_t end)
{
    crash_disk_init(&r->disk);
    for (size_t i = 0; i < end; i++) {
        const crash_entry *entry = &log->all[i];
        const bool sync = entry->record.operation == CRASH_SYNC ||
                          entry->record.operation == CRASH_SYNC_DATA;
        if (i == begin) {
            judge_durable(r, i);
        }
        if (i < begin || !crash_changes(&r->disk, entry)) {
            crash_disk_apply(&r->disk, entry, (size_t)entry->record.bytes);
        } else {
            const size_t n_renamings = r->disk.n_renamings;
            judge_kills(r, entry, i);
            judge_losses(r, i);
            if (r->all_names && r->disk.n_renamings > n_renamings) {
                judge_names(r, i);
            }
        }
        if (i >= begin && sync) {
            const crash_file *now = crash_find(&r->disk, &r->disk.now, r->name);
            judge_durable(r, i);
            /* whoever syncs rows believes that they stay */
            if (!r->present && now != NULL && crash_file_of(&r->disk, entry) == now) {
                show(r, i, "synced", CRASH_BEHIND, "the name may vanish");
            }
        }
    }
}

/* The recorder must have seen everything: the last state is what is on the disk. */
static void compare_end(replay *r, const entries *log, const char *folder)
{
    crash_disk_init(&r->disk);
    for (size_t i = 0; i < log->n; i++) {
        crash_disk_apply(&r->disk, &log->all[i], (size_t)log->all[i].record.bytes);
    }
    for (size_t i = 0; i < r->disk.now.n; i++) {
        char path[4096];
        size_t size;
        const crash_bytes *now = &r->disk.files[r->disk.now.all[i].file].now;
        snprintf(path, sizeof path, "%s/%s", folder, r->disk.now.all[i].name);
        uint8_t *data = read_file(path, &size);
        if (size != now->size || memcmp(data, now->data, size) != 0) {
            give_up("is not what was recorded", path);
        }
        free(data);
    }
    if (crash_find(&r->disk, &r->disk.now, r->name) == NULL) {
        give_up("was not recorded", r->name);
    }
    crash_disk_deinit(&r->disk);
}

/* The run that the log ends with. */
static void find_uuid(replay *r, const entries *log)
{
    const char *why;
    crash_durable durable;
    crash_disk_init(&r->disk);
    for (size_t i = 0; i < log->n; i++) {
        crash_disk_apply(&r->disk, &log->all[i], (size_t)log->all[i].record.bytes);
    }
    const crash_file *file = crash_find(&r->disk, &r->disk.now, r->name);
    char path[4096];
    snprintf(path, sizeof path, "%s/last.h5", r->scratch);
    if (file == NULL) {
        give_up("is not there at the end", r->name);
    }
    write_file(path, &file->now);
    if (crash_results_check(&r->references[0], path, file->now.data, file->now.size,
            &durable, &why) != CRASH_GOOD) {
        give_up("is not right at the end", r->name);
    }
    memcpy(r->uuid, durable.uuid, sizeof r->uuid);
    unlink(path);
    crash_disk_deinit(&r->disk);
}

static void add(counts *all, const counts *one)
{
    __atomic_fetch_add(&all->kill_points, one->kill_points, __ATOMIC_RELAXED);
    __atomic_fetch_add(&all->torn, one->torn, __ATOMIC_RELAXED);
    __atomic_fetch_add(
        &all->kills_without_file, one->kills_without_file, __ATOMIC_RELAXED);
    __atomic_fetch_add(&all->power_losses, one->power_losses, __ATOMIC_RELAXED);
    __atomic_fetch_add(
        &all->losses_without_file, one->losses_without_file, __ATOMIC_RELAXED);
    for (int v = 0; v <= CRASH_BEHIND; v++) {
        __atomic_fetch_add(&all->verdicts[v], one->verdicts[v], __ATOMIC_RELAXED);
    }
}

/* HDF5 may go through a torn file for ever. The file is then unreadable, and the worker
 * at its end: what it has not judged yet does not count. */
static struct {
    counts *all, *mine;
} of_worker;

static void give_up_reading(int number)
{
    (void)number;
    of_worker.mine->verdicts[CRASH_UNREADABLE]++;
    add(of_worker.all, of_worker.mine);
    _exit(EXIT_SUCCESS);
}

/* Each worker judges a part of the log. */
static bool run_workers(replay *r, const entries *log, const char *folder)
{
    bool good = true;
    pid_t workers[N_WORKERS];
    counts *all = r->counts;
    fflush(stdout);
    for (size_t w = 0; w < N_WORKERS; w++) {
        workers[w] = fork();
        if (workers[w] == 0) {
            char scratch[4096];
            counts mine = {0};
            snprintf(scratch, sizeof scratch, "%s/state%zu.h5", folder, w);
            r->scratch = scratch;
            r->counts = &mine;
            r->random = w;
            of_worker.all = all;
            of_worker.mine = &mine;
            signal(SIGALRM, give_up_reading);
            replay_part(r, log, log->n * w / N_WORKERS, log->n * (w + 1) / N_WORKERS);
            unlink(scratch);
            snprintf(scratch, sizeof scratch, "%s/state%zu.h5.spikes", folder, w);
            unlink(scratch);
            add(all, &mine);
            exit(EXIT_SUCCESS);
        }
    }
    for (size_t w = 0; w < N_WORKERS; w++) {
        int status;
        good = workers[w] > 0 && waitpid(workers[w], &status, 0) == workers[w] &&
               status == 0 && good;
    }
    return good;
}

static const char *option(const char *word, const char *name)
{
    const size_t n = strlen(name);
    return strncmp(word, name, n) == 0 ? word + n : NULL;
}

/* The spikes of a complete file. */
static crash_verdict check_spikes_beside(
    const char *reference, const char *path, uint64_t end, const char **why)
{
    char beside[4096];
    char copy[4096 + 8];
    crash_spikes spikes;
    crash_bytes file = {0};
    uint64_t step = 0;
    crash_verdict verdict = CRASH_GOOD;
    crash_spikes_load(&spikes, reference);
    if (spikes.any) {
        snprintf(beside, sizeof beside, "%.*s.spikes.h5", (int)strlen(path) - 3, path);
        snprintf(copy, sizeof copy, "%s.copy", beside);
        file.data = read_file(beside, &file.size);
        verdict = crash_spikes_check(&spikes, copy, &file, &step, why);
        unlink(copy);
        verdict = verdict == CRASH_GOOD && step != end ? CRASH_BEHIND : verdict;
        *why = verdict == CRASH_GOOD ? "" : *why;
    }
    free(file.data);
    crash_spikes_deinit(&spikes);
    return verdict;
}

/* Judge one file as it is. */
static int check_file(const char *reference_path, const char *path)
{
    static const char *const names[] = {"good", "unreadable", "wrong", "behind"};
    crash_reference reference;
    crash_durable durable;
    const char *why;
    size_t bytes;
    uint8_t *data = read_file(path, &bytes);
    crash_reference_load(&reference, reference_path);
    crash_verdict verdict =
        crash_results_check(&reference, path, data, bytes, &durable, &why);
    if (verdict == CRASH_GOOD && durable.complete) {
        verdict = check_spikes_beside(reference_path, path, durable.step, &why);
    }
    printf("%s: %s %s\n", path, names[verdict], why);
    crash_reference_deinit(&reference);
    free(data);
    return verdict == CRASH_GOOD ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void load_reference(replay *r, const char *path)
{
    crash_reference_load(&r->references[r->n_references], path);
    crash_spikes_load(&r->spikes[r->n_references++], path);
}

int main(int argc, char **argv)
{
    replay r = {.torn_per_write = 1, .losses_per_change = 1};
    entries log;
    const char *mistake = NULL;
    const char *end = NULL;
    const char *old = NULL;
    const char *value;
    double samples = 0.0;
    int i = 1;
    if (argc == 4 && strcmp(argv[1], "--check") == 0) {
        return check_file(argv[2], argv[3]);
    }
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if ((value = option(argv[i], "--torn=")) != NULL) {
            r.torn_per_write = strtoul(value, NULL, 10);
        } else if ((value = option(argv[i], "--power=")) != NULL) {
            r.losses_per_change = strtoul(value, NULL, 10);
        } else if (strcmp(argv[i], "--names") == 0) {
            r.all_names = true;
        } else if ((value = option(argv[i], "--break=")) != NULL) {
            mistake = value;
        } else if ((value = option(argv[i], "--samples=")) != NULL) {
            samples = strtod(value, NULL);
        } else if ((value = option(argv[i], "--end=")) != NULL) {
            end = value;
        } else if ((value = option(argv[i], "--old=")) != NULL) {
            old = value;
        } else {
            give_up("no such option", argv[i]);
        }
    }
    if (argc - i != 4) {
        give_up("needs LOG NAME REFERENCE FOLDER", argv[0]);
    }
    load_log(&log, argv[i]);
    r.name = argv[i + 1];
    /* some four states per entry */
    r.sample_rate = samples / (4.0 * (double)log.n);
    const int stem = (int)strlen(r.name) - 3;
    snprintf(r.checkpoints[0], CRASH_MAX_NAME, "%.*s.ckpt", stem, r.name);
    snprintf(r.checkpoints[1], CRASH_MAX_NAME, "%.*s.ckpt.prev", stem, r.name);
    snprintf(r.journal, CRASH_MAX_NAME, "%.*s.spk", stem, r.name);
    snprintf(r.spikes_file, CRASH_MAX_NAME, "%.*s.spikes.h5", stem, r.name);
    r.counts = mmap(NULL, sizeof *r.counts, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r.counts == MAP_FAILED) {
        give_up("no memory", argv[0]);
    }
    if (end != NULL) {
        compare_end(&r, &log, end);
    }
    load_reference(&r, argv[i + 2]);
    if (old != NULL) {
        load_reference(&r, old);
    }
    r.scratch = argv[i + 3];
    find_uuid(&r, &log);
    if (mistake != NULL) {
        break_log(&log, mistake, r.references[0].slots_offset);
    }
    const bool good = run_workers(&r, &log, argv[i + 3]);
    const counts *c = r.counts;
    printf("entries %zu, kill points %zu + torn %zu (%zu without a file), power losses "
           "%zu (%zu "
           "without a file): unreadable %zu, wrong %zu, behind %zu\n",
        log.n, c->kill_points, c->torn, c->kills_without_file, c->power_losses,
        c->losses_without_file, c->verdicts[CRASH_UNREADABLE], c->verdicts[CRASH_WRONG],
        c->verdicts[CRASH_BEHIND]);
    for (size_t k = 0; k < r.n_references; k++) {
        crash_reference_deinit(&r.references[k]);
        crash_spikes_deinit(&r.spikes[k]);
    }
    free(log.all);
    free(log.bytes);
    if (!good) {
        return EXIT_FAILURE;
    }
    return c->verdicts[CRASH_GOOD] > 0 && c->verdicts[CRASH_UNREADABLE] == 0 &&
                   c->verdicts[CRASH_WRONG] == 0 && c->verdicts[CRASH_BEHIND] == 0
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}
