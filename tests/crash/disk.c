#include "disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_FILE = -1, FOLDER = -2 };

void *crash_allocate(void *memory, size_t bytes)
{
    memory = realloc(memory, bytes + 1);
    if (memory == NULL) {
        fprintf(stderr, "replay: out of memory\n");
        exit(EXIT_FAILURE);
    }
    return memory;
}

static void give_up(const char *what, const char *name)
{
    fprintf(stderr, "replay: the log %s: %s\n", what, name);
    exit(EXIT_FAILURE);
}

/* splitmix64 (Steele et al. 2014) */
double crash_uniform(uint64_t *random)
{
    uint64_t z = *random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static void resize(crash_bytes *bytes, size_t size)
{
    if (size > bytes->capacity) {
        bytes->capacity = 2 * size;
        bytes->data = crash_allocate(bytes->data, bytes->capacity);
    }
    if (size > bytes->size) {
        memset(bytes->data + bytes->size, 0, size - bytes->size);
    }
    bytes->size = size;
}

void crash_bytes_set(crash_bytes *bytes, const uint8_t *data, size_t size)
{
    resize(bytes, size);
    if (size > 0) {
        memcpy(bytes->data, data, size);
    }
}

void crash_bytes_put(
    crash_bytes *bytes, const uint8_t *data, size_t size, uint64_t offset)
{
    if (offset + size > bytes->size) {
        resize(bytes, (size_t)offset + size);
    }
    if (size > 0) {
        memcpy(bytes->data + offset, data, size);
    }
}

static void set_size(crash_bytes *bytes, crash_operation operation, uint64_t size)
{
    if (operation == CRASH_TRUNCATE || size > bytes->size) {
        resize(bytes, (size_t)size);
    }
}

void crash_disk_init(crash_disk *disk)
{
    memset(disk, 0, sizeof *disk);
    for (size_t i = 0; i < CRASH_MAX_FDS; i++) {
        disk->fds[i] = NO_FILE;
    }
}

void crash_disk_deinit(crash_disk *disk)
{
    for (size_t i = 0; i < disk->n_files; i++) {
        free(disk->files[i].now.data);
        free(disk->files[i].durable.data);
        free(disk->files[i].left.data);
        free(disk->files[i].changes);
    }
    free(disk->files);
    free(disk->renamings);
}

/* Index of a name, or n. */
static size_t find_name(const crash_names *names, const char *name)
{
    size_t i = 0;
    while (i < names->n && strcmp(names->all[i].name, name) != 0) {
        i++;
    }
    return i;
}

static void bind_name(crash_names *names, const char *name, size_t file)
{
    const size_t i = find_name(names, name);
    if (i == CRASH_MAX_NAMES) {
        give_up("has too many names", name);
    }
    names->n += i == names->n;
    snprintf(names->all[i].name, sizeof names->all[i].name, "%s", name);
    names->all[i].file = file;
}

static void remove_name(crash_names *names, const char *name)
{
    const size_t i = find_name(names, name);
    if (i < names->n) {
        names->all[i] = names->all[--names->n];
    }
}

static void apply_renaming(crash_names *names, const crash_renaming *what)
{
    const size_t i = find_name(names, what->name);
    if (what->operation == CRASH_OPEN) {
        bind_name(names, what->name, what->file);
    } else if (i < names->n && what->operation != CRASH_UNLINK) {
        bind_name(names, what->other, names->all[i].file);
    }
    if (what->operation == CRASH_UNLINK || what->operation == CRASH_RENAME) {
        remove_name(names, what->name);
    }
}

static void copy_name(char name[CRASH_MAX_NAME], const void *bytes, size_t n)
{
    if (n >= CRASH_MAX_NAME) {
        give_up("has a long name", "");
    }
    memcpy(name, bytes, n);
    name[n] = '\0';
}

static void change_names(crash_disk *disk, const crash_entry *entry, size_t file)
{
    crash_renaming what = {.operation = entry->record.operation, .file = file};
    copy_name(what.name, entry->data, (size_t)entry->record.bytes);
    copy_name(what.other, entry->other, (size_t)entry->record.other_bytes);
    apply_renaming(&disk->now, &what);
    if (disk->n_renamings == disk->capacity) {
        disk->capacity = 2 * disk->capacity + 8;
        disk->renamings =
            crash_allocate(disk->renamings, disk->capacity * sizeof *disk->renamings);
    }
    disk->renamings[disk->n_renamings++] = what;
}

static void change_file(crash_file *file, crash_operation operation, uint64_t value,
    const uint8_t *data, size_t bytes)
{
    if (operation == CRASH_WRITE) {
        crash_bytes_put(&file->now, data, bytes, value);
    } else {
        set_size(&file->now, operation, value);
    }
    if (file->n_changes == file->capacity) {
        file->capacity = 2 * file->capacity + 8;
        file->changes =
            crash_allocate(file->changes, file->capacity * sizeof *file->changes);
    }
    file->changes[file->n_changes++] = (crash_change){
        .operation = operation, .value = value, .bytes = bytes, .data = data};
}

static void open_file(crash_disk *disk, const crash_entry *entry)
{
    char name[CRASH_MAX_NAME];
    const int flags = (int)entry->record.value;
    copy_name(name, entry->data, (size_t)entry->record.bytes);
    if (*name == '\0') {
        disk->fds[entry->record.fd] = FOLDER;
        return;
    }
    const size_t i = find_name(&disk->now, name);
    size_t file = i < disk->now.n ? disk->now.all[i].file : disk->n_files;
    if (file == disk->n_files) {
        if (!(flags & O_CREAT)) {
            give_up("opens a file that it did not create", name);
        }
        disk->files =
            crash_allocate(disk->files, (disk->n_files + 1) * sizeof *disk->files);
        disk->files[disk->n_files++] = (crash_file){.n_changes = 0};
        change_names(disk, entry, file);
    } else if (flags & O_TRUNC) {
        change_file(&disk->files[file], CRASH_TRUNCATE, 0, NULL, 0);
    }
    disk->fds[entry->record.fd] = (long)file;
}

static void sync_fd(crash_disk *disk, int fd)
{
    if (disk->fds[fd] == FOLDER) {
        disk->durable = disk->now;
        disk->n_renamings = 0;
    } else {
        crash_file *file = &disk->files[disk->fds[fd]];
        crash_bytes_set(&file->durable, file->now.data, file->now.size);
        file->n_changes = 0;
    }
}

void crash_disk_apply(crash_disk *disk, const crash_entry *entry, size_t bytes)
{
    const crash_record *record = &entry->record;
    const bool has_fd = record->fd >= 0 && record->fd < CRASH_MAX_FDS;
    switch ((crash_operation)record->operation) {
    case CRASH_START:
        for (size_t i = 0; i < CRASH_MAX_FDS; i++) {
            disk->fds[i] = NO_FILE;
        }
        break;
    case CRASH_OPEN:
        open_file(disk, entry);
        break;
    case CRASH_CLOSE:
        disk->fds[record->fd] = NO_FILE;
        break;
    case CRASH_WRITE:
    case CRASH_TRUNCATE:
    case CRASH_ALLOCATE:
        change_file(crash_file_of(disk, entry), record->operation, record->value,
            entry->data, bytes);
        break;
    case CRASH_SYNC:
    case CRASH_SYNC_DATA:
        if (!has_fd || disk->fds[record->fd] == NO_FILE) {
            give_up("syncs what is not open", "");
        }
        sync_fd(disk, record->fd);
        break;
    case CRASH_RENAME:
    case CRASH_LINK:
    case CRASH_UNLINK:
        change_names(disk, entry, 0);
        break;
    case CRASH_MKDIR:
    case CRASH_N_OPERATIONS:
        give_up("makes folders", "");
    }
}

bool crash_changes(const crash_disk *disk, const crash_entry *entry)
{
    char name[CRASH_MAX_NAME];
    switch ((crash_operation)entry->record.operation) {
    case CRASH_WRITE:
    case CRASH_TRUNCATE:
    case CRASH_ALLOCATE:
    case CRASH_RENAME:
    case CRASH_LINK:
    case CRASH_UNLINK:
        return true;
    case CRASH_OPEN:
        copy_name(name, entry->data, (size_t)entry->record.bytes);
        return *name != '\0' && find_name(&disk->now, name) == disk->now.n;
    default:
        return false;
    }
}

crash_file *crash_find(crash_disk *disk, const crash_names *names, const char *name)
{
    const size_t i = find_name(names, name);
    return i < names->n ? &disk->files[names->all[i].file] : NULL;
}

crash_file *crash_file_of(crash_disk *disk, const crash_entry *entry)
{
    const int fd = entry->record.fd;
    const long file = fd >= 0 && fd < CRASH_MAX_FDS ? disk->fds[fd] : NO_FILE;
    return file >= 0 ? &disk->files[file] : NULL;
}

static void lose_names(
    crash_names *left, const crash_disk *disk, double p, uint64_t *random)
{
    *left = disk->durable;
    for (size_t i = 0; i < disk->n_renamings; i++) {
        if (crash_uniform(random) < p) {
            apply_renaming(left, &disk->renamings[i]);
        }
    }
}

/* A write reaches the disk in sectors, each at its own time; a sector holds all that was
 * written into it up to that time. `keep[sector]` is how many changes of the file it
 * knows. */
static void draw_versions(
    uint32_t *keep, size_t n_sectors, size_t n_changes, double p, uint64_t *random)
{
    for (size_t i = 0; i < n_sectors; i++) {
        const double u = crash_uniform(random);
        keep[i] = u < p ? (uint32_t)n_changes
                  : u < p + (1.0 - p) / 2
                      ? 0
                      : (uint32_t)(crash_uniform(random) * (double)(n_changes + 1));
    }
}

static void lose_sectors(crash_file *file, double p, uint64_t *random)
{
    static uint32_t *keep;
    static size_t capacity;
    crash_bytes *left = &file->left;
    const size_t largest =
        file->now.size > file->durable.size ? file->now.size : file->durable.size;
    const size_t n_sectors = largest / CRASH_SECTOR + 1;
    if (n_sectors > capacity) {
        capacity = 2 * n_sectors;
        keep = crash_allocate(keep, capacity * sizeof *keep);
    }
    draw_versions(keep, n_sectors, file->n_changes, p, random);
    crash_bytes_set(left, file->durable.data, file->durable.size);
    for (size_t i = 0; i < file->n_changes; i++) {
        const crash_change *c = &file->changes[i];
        if (c->operation != CRASH_WRITE) {
            /* the size is metadata with a time of its own */
            if (crash_uniform(random) < p) {
                set_size(left, c->operation, c->value);
            }
            continue;
        }
        for (size_t done = 0; done < c->bytes;) {
            const uint64_t at = c->value + done;
            const size_t room = CRASH_SECTOR - (size_t)(at % CRASH_SECTOR);
            const size_t count = c->bytes - done < room ? c->bytes - done : room;
            if (at / CRASH_SECTOR < n_sectors && i < keep[at / CRASH_SECTOR]) {
                crash_bytes_put(left, c->data + done, count, at);
            }
            done += count;
        }
    }
}

void crash_state_now(crash_state *state, const crash_disk *disk)
{
    state->n = disk->now.n;
    for (size_t i = 0; i < state->n; i++) {
        state->all[i].name = disk->now.all[i].name;
        state->all[i].bytes = &disk->files[disk->now.all[i].file].now;
    }
}

void crash_state_durable(crash_state *state, const crash_disk *disk)
{
    state->n = disk->durable.n;
    for (size_t i = 0; i < state->n; i++) {
        state->all[i].name = disk->durable.all[i].name;
        state->all[i].bytes = &disk->files[disk->durable.all[i].file].durable;
    }
}

void crash_state_lost(crash_state *state, crash_disk *disk, double p, uint64_t *random)
{
    static crash_names names;
    lose_names(&names, disk, p, random);
    state->n = names.n;
    for (size_t i = 0; i < names.n; i++) {
        crash_file *file = &disk->files[names.all[i].file];
        lose_sectors(file, p, random);
        state->all[i].name = names.all[i].name;
        state->all[i].bytes = &file->left;
    }
}

void crash_state_renamed(crash_state *state, const crash_disk *disk, uint64_t which)
{
    static crash_names names;
    names = disk->durable;
    for (size_t i = 0; i < disk->n_renamings; i++) {
        if (which >> i & 1) {
            apply_renaming(&names, &disk->renamings[i]);
        }
    }
    state->n = names.n;
    for (size_t i = 0; i < names.n; i++) {
        state->all[i].name = names.all[i].name;
        state->all[i].bytes = &disk->files[names.all[i].file].durable;
    }
}

const crash_bytes *crash_state_find(const crash_state *state, const char *name)
{
    for (size_t i = 0; i < state->n; i++) {
        if (strcmp(state->all[i].name, name) == 0) {
            return state->all[i].bytes;
        }
    }
    return NULL;
}
