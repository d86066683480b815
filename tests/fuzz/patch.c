#include "patch.h"

#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "worker.h"

enum { MAX_STORED = 8, MAX_BYTES = 1 << 16, SIGNATURE_BYTES = 8 };
enum { CHOICES = 2, HEAP_HEAD = 16 };

static const char signature[] = "\x89HDF\r\n\x1a\n";

typedef struct content {
    size_t bytes;
    uint8_t data[MAX_BYTES];
} content;

static char file_path[64];
static int file = -1;
static uint8_t *map; /* of FUZZ_MAX_BYTES, of which file_bytes are there */
static size_t file_bytes;
static content contents[MAX_STORED];
/* What the file holds, but for one stretch; NULL: something else. */
static const content *present;
static size_t changed_from, changed_to;

const char *fuzz_file_path(void)
{
    if (*file_path == '\0') {
        snprintf(file_path, sizeof file_path, "%s/splenium-fuzz-%d.h5",
            access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
    }
    return file_path;
}

static void resize(size_t bytes)
{
    if (bytes != file_bytes && ftruncate(file, (off_t)bytes) != 0) {
        abort();
    }
    file_bytes = bytes;
}

static void read_stored(const char *const *stored)
{
    for (size_t i = 0; stored[i] != NULL && i < MAX_STORED; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", FUZZ_BASE, stored[i]);
        FILE *from = fopen(path, "rb");
        contents[i].bytes =
            from != NULL ? fread(contents[i].data, 1, MAX_BYTES, from) : 0;
        if (contents[i].bytes == 0) {
            fprintf(stderr, "%s: cannot be read\n", path);
            exit(EXIT_FAILURE);
        }
        fclose(from);
    }
    file = open(fuzz_file_path(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    map = file >= 0
              ? mmap(NULL, FUZZ_MAX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
              : MAP_FAILED;
    if (map == MAP_FAILED) {
        abort();
    }
}

/* Only what the last input changed is put back. */
static void restore(const content *wanted)
{
    const bool whole = present == wanted && file_bytes == wanted->bytes;
    resize(wanted->bytes);
    if (!whole) {
        memcpy(map, wanted->data, wanted->bytes);
    } else if (changed_from < changed_to) {
        memcpy(
            map + changed_from, wanted->data + changed_from, changed_to - changed_from);
    }
    present = wanted;
    changed_from = wanted->bytes;
    changed_to = 0;
}

static void apply(const uint8_t *data, size_t size)
{
    fuzz_patch patch;
    while (fuzz_next_patch(&data, &size, &patch)) {
        const size_t at = patch.at;
        const size_t end = at + patch.bytes < file_bytes ? at + patch.bytes : file_bytes;
        /* no file is read without its signature */
        if (at >= SIGNATURE_BYTES && at < file_bytes && patch.is_empty) {
            resize(at);
        } else if (at >= SIGNATURE_BYTES && at < end) {
            memcpy(map + at, patch.data, end - at);
            changed_from = at < changed_from ? at : changed_from;
            changed_to = end > changed_to ? end : changed_to;
        }
    }
}

/* HDF5 1.10 walks from one object of a global heap to the next by their sizes: for ever
 * if one is 0 or less, and behind the heap if one is too large. The sandbox holds either,
 * but the one takes a second and the other a worker each time. */
static bool is_deadly(const uint8_t *heap, size_t bytes)
{
    uint64_t whole = 0;
    size_t at = HEAP_HEAD;
    if (bytes >= HEAP_HEAD) {
        memcpy(&whole, heap + 8, sizeof whole);
        whole = le64toh(whole);
    }
    whole = whole < bytes ? whole : bytes;
    while (at + HEAP_HEAD <= whole) {
        uint16_t index;
        uint64_t size;
        memcpy(&index, heap + at, sizeof index);
        memcpy(&size, heap + at + 8, sizeof size);
        size = le64toh(size);
        const uint64_t step = index == 0 ? size : HEAP_HEAD + ((size + 7) & ~(uint64_t)7);
        if (step == 0 || step > whole - at) {
            return true;
        }
        at += step;
    }
    return false;
}

static bool has_deadly_heap(void)
{
    const uint8_t *end = map + file_bytes;
    const uint8_t *heap = map;
    while ((heap = memmem(heap, (size_t)(end - heap), "GCOL", 4)) != NULL) {
        if (is_deadly(heap, (size_t)(end - heap))) {
            return true;
        }
        heap += 4;
    }
    return false;
}

bool fuzz_is_whole(const uint8_t *data, size_t size)
{
    return size >= SIGNATURE_BYTES && memcmp(data, signature, SIGNATURE_BYTES) == 0;
}

bool fuzz_file_make(const char *const *stored, size_t which, const uint8_t *data,
    size_t size, unsigned *choice)
{
    if (file < 0) {
        read_stored(stored);
    }
    *choice = size > 0 ? data[size - 1] : 0;
    if (fuzz_is_whole(data, size)) {
        resize(size);
        memcpy(map, data, size);
        present = NULL;
        return !has_deadly_heap();
    }
    if (size >= CHOICES) {
        *choice = data[1];
        data += CHOICES;
        size -= CHOICES;
    }
    restore(&contents[which]);
    apply(data, size);
    return !has_deadly_heap();
}
