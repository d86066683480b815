#include <stdlib.h>
#include <string.h>

#include "spiking/rows_layout.h"

/* Rows up to this long are sorted by insertion. */
enum { SHORT_ROW = 32 };

/* What a row is sorted with: delay (16 bits), target (16), place in the row (32). */
typedef struct sort_space {
    uint64_t *keys, *other;
    char *weights;
} sort_space;

static uint64_t delay_at(const spl_rows *rows, size_t entry)
{
    if (rows->delays8 != NULL) {
        return rows->delays8[entry];
    }
    return rows->delays16 != NULL ? rows->delays16[entry] : 0;
}

/* Returns whether the row is in order already. */
static bool load_keys(const spl_rows *rows, size_t first, size_t n, uint64_t *keys)
{
    bool ordered = true;
    for (size_t i = 0; i < n; i++) {
        keys[i] = delay_at(rows, first + i) << 48 |
                  (uint64_t)rows->targets[first + i] << 32 | i;
        ordered = ordered && (i == 0 || keys[i - 1] < keys[i]);
    }
    return ordered;
}

static void insertion_sort(uint64_t *keys, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const uint64_t key = keys[i];
        size_t j = i;
        for (; j > 0 && keys[j - 1] > key; j--) {
            keys[j] = keys[j - 1];
        }
        keys[j] = key;
    }
}

/* One pass of a radix sort; returns where the keys now are. */
static uint64_t *sort_by_byte(sort_space *space, size_t n, unsigned shift)
{
    uint32_t place[257] = {0};
    for (size_t i = 0; i < n; i++) {
        place[(space->keys[i] >> shift & 0xff) + 1]++;
    }
    if (place[(space->keys[0] >> shift & 0xff) + 1] == n) {
        return space->keys; /* all alike */
    }
    for (size_t b = 0; b < 256; b++) {
        place[b + 1] += place[b];
    }
    for (size_t i = 0; i < n; i++) {
        space->other[place[space->keys[i] >> shift & 0xff]++] = space->keys[i];
    }
    uint64_t *sorted = space->other;
    space->other = space->keys;
    return sorted;
}

static void sort_keys(sort_space *space, size_t n)
{
    if (n <= SHORT_ROW) {
        insertion_sort(space->keys, n);
        return;
    }
    for (unsigned shift = 32; shift < 64; shift += 8) {
        space->keys = sort_by_byte(space, n, shift);
    }
}

static void store_keys(spl_rows *rows, size_t first, size_t n, sort_space *space)
{
    const size_t width = rows->single ? sizeof(float) : sizeof(double);
    char *weights = rows->weights;
    if (weights != NULL) {
        memcpy(space->weights, weights + first * width, n * width);
    }
    for (size_t i = 0; i < n; i++) {
        const uint64_t key = space->keys[i];
        rows->targets[first + i] = (uint16_t)(key >> 32);
        if (rows->delays8 != NULL) {
            rows->delays8[first + i] = (uint8_t)(key >> 48);
        } else if (rows->delays16 != NULL) {
            rows->delays16[first + i] = (uint16_t)(key >> 48);
        }
        if (weights != NULL) {
            memcpy(weights + (first + i) * width,
                space->weights + (key & 0xffffffffu) * width, width);
        }
    }
}

static size_t longest_row(const spl_rows *rows)
{
    size_t longest = 0;
    for (size_t part = 0; part < rows->n_parts; part++) {
        const uint32_t *offset = rows->offsets + part * (rows->n_from + 1);
        for (size_t source = 0; source < rows->n_from; source++) {
            const size_t n = offset[source + 1] - offset[source];
            longest = n > longest ? n : longest;
        }
    }
    return longest;
}

spl_status spl_rows_sort(spl_rows *rows)
{
    spl_status status = SPL_OK;
    const size_t longest = longest_row(rows);
    /* one more: nothing is no request */
    uint64_t *keys = malloc((3 * longest + 1) * sizeof *keys);
    if (keys == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: sorting synapses");
    }
    sort_space space = {keys, keys + longest, (char *)(keys + 2 * longest)};
    for (size_t part = 0; part < rows->n_parts; part++) {
        const uint32_t *offset = rows->offsets + part * (rows->n_from + 1);
        for (size_t source = 0; source < rows->n_from; source++) {
            const size_t first = rows->base[part] + offset[source];
            const size_t n = offset[source + 1] - offset[source];
            if (!load_keys(rows, first, n, space.keys)) {
                sort_keys(&space, n);
                store_keys(rows, first, n, &space);
            }
        }
    }
out:
    free(keys);
    return status;
}
