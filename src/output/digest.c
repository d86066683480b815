/* One hash over what a run computed: equal for two files if and only if their datasets
 * are. Read in the sandbox, for the file may come from anywhere. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "h5/h5.h"
#include "h5/sandbox.h"
#include "h5/walk.h"
#include "splenium/results.h"

/* What HDF5 itself needs in the child. */
#define CHILD_BYTES ((size_t)512 << 20)

enum { KIND_DIGEST = 1, MAX_LINKS = 100000, AT_ONCE = 8 << 20 };

typedef struct walker {
    spl_sha256 hash;
    spl_h5_source source;
    unsigned char *buffer; /* [capacity], at most AT_ONCE */
    size_t capacity;
} walker;

static void add_count(walker *w, uint64_t value)
{
    const uint64_t little = htole64(value);
    spl_sha256_add(&w->hash, &little, sizeof little);
}

static void add_text(walker *w, const char *text)
{
    spl_sha256_add(&w->hash, text, strlen(text) + 1);
}

/* Variable-length strings of a slab, which HDF5 has allocated. */
static void add_strings(walker *w, size_t n)
{
    char **texts = (char **)(void *)w->buffer;
    for (size_t i = 0; i < n; i++) {
        add_text(w, texts[i] != NULL ? texts[i] : "");
        H5free_memory(texts[i]);
    }
}

/* Values [first, first + count) of the outermost dimension; all of a scalar. */
static spl_status add_slab(walker *w, const spl_h5_dataset *d, hid_t space, hsize_t first,
    hsize_t count, size_t n_values)
{
    hsize_t start[H5S_MAX_RANK] = {first};
    hsize_t extent[H5S_MAX_RANK];
    const hsize_t n = n_values;
    memcpy(extent, d->dims, sizeof extent);
    extent[0] = count;
    const hid_t memory = H5Screate_simple(1, &n, NULL);
    const bool selected = d->rank == 0 || H5Sselect_hyperslab(space, H5S_SELECT_SET,
                                              start, NULL, extent, NULL) >= 0;
    const bool read = memory >= 0 && selected &&
                      H5Dread(d->id, d->type, memory, space, H5P_DEFAULT, w->buffer) >= 0;
    if (memory >= 0) {
        H5Sclose(memory);
    }
    if (!read) {
        return spl_h5_bad_dataset(d, "cannot be read");
    }
    if (H5Tis_variable_str(d->type) > 0) {
        add_strings(w, n_values);
    } else {
        spl_sha256_add(&w->hash, w->buffer, n_values * d->item_bytes);
    }
    return SPL_OK;
}

static spl_status add_values(walker *w, const spl_h5_dataset *d)
{
    spl_status status = SPL_OK;
    uint64_t row = 1; /* values of one index of the outermost dimension */
    for (int r = 1; r < d->rank; r++) {
        row *= d->dims[r]; /* the storage check has bounded the product */
    }
    const uint64_t n_rows = d->rank > 0 ? d->dims[0] : 1;
    if (row * n_rows == 0) {
        return SPL_OK;
    }
    if (row > AT_ONCE / d->item_bytes) {
        return spl_h5_bad_dataset(d, "rows of more than 8 MiB");
    }
    const uint64_t fitting = AT_ONCE / d->item_bytes / row;
    const uint64_t most = n_rows < fitting ? n_rows : fitting;
    const hid_t space = H5Dget_space(d->id);
    SPL_TRY(spl_h5_make_room(
        &w->buffer, &w->capacity, (size_t)(most * row * d->item_bytes), &w->source));
    for (uint64_t first = 0; first < n_rows; first += most) {
        const uint64_t count = n_rows - first < most ? n_rows - first : most;
        SPL_TRY(add_slab(w, d, space, first, count, (size_t)(count * row)));
    }
out:
    H5Sclose(space);
    return status;
}

/* Provenance is no result: the configuration says how many threads, and so on. */
static bool is_left_out(const char *path, const char *name)
{
    const char *top = *path != '\0' ? path + 1 : name;
    const size_t n = strcspn(top, "/");
    return (n == strlen("config") && memcmp(top, "config", n) == 0) ||
           (n == strlen("performance") && memcmp(top, "performance", n) == 0);
}

static spl_status add_dataset(void *user, hid_t group, const char *path, const char *name)
{
    spl_status status = SPL_OK;
    walker *w = user;
    spl_h5_dataset d;
    if (is_left_out(path, name)) {
        return SPL_OK;
    }
    SPL_TRY(spl_h5_open_dataset(&d, group, &w->source, path, name));
    SPL_TRY(spl_h5_check_storage(&d));
    if (d.type_class == H5T_VLEN || d.type_class == H5T_REFERENCE ||
        d.item_bytes > AT_ONCE || d.item_bytes == 0) {
        SPL_TRY(spl_h5_bad_dataset(&d, "of a type that results do not have"));
    }
    add_text(w, path);
    add_text(w, name);
    add_count(w, (uint64_t)d.type_class);
    add_count(w, d.item_bytes);
    add_count(w, (uint64_t)d.rank);
    for (int r = 0; r < d.rank; r++) {
        add_count(w, d.dims[r]);
    }
    SPL_TRY(add_values(w, &d));
out:
    spl_h5_close_dataset(&d);
    return status;
}

static spl_status digest_child(int fd, const char *path, const void *user)
{
    spl_status status = SPL_OK;
    walker w = {.buffer = NULL};
    hid_t file = -1;
    char hex[SPL_SHA256_HEX];
    (void)user;
    SPL_TRY(spl_h5_open_file(&file, &w.source, path));
    SPL_TRY(spl_sandbox_lock());
    spl_sha256_start(&w.hash);
    SPL_TRY(spl_h5_walk(file, &w.source, MAX_LINKS, NULL, add_dataset, &w));
    spl_sha256_end(&w.hash, hex);
    SPL_TRY(spl_sandbox_send(fd, KIND_DIGEST, 1, 1, hex, sizeof hex));
out:
    free(w.buffer);
    return status;
}

spl_status spl_results_digest(const char *path, char digest[65])
{
    spl_status status = SPL_OK;
    spl_results_info *info = NULL;
    spl_sandbox_record record;
    spl_sandbox sandbox = {.child = -1, .fd = -1};
    *digest = '\0';
    SPL_TRY(spl_results_describe(path, &info));
    SPL_TRY(spl_sandbox_start(&sandbox, path, digest_child, NULL, CHILD_BYTES));
    SPL_TRY(spl_sandbox_next(&sandbox, &record));
    if (record.kind != KIND_DIGEST || record.bytes != SPL_SHA256_HEX) {
        status = spl_sandbox_nonsense(&sandbox);
        goto out;
    }
    SPL_TRY(spl_sandbox_take(&sandbox, digest, SPL_SHA256_HEX));
    digest[SPL_SHA256_HEX - 1] = '\0';
out:
    spl_sandbox_stop(&sandbox);
    spl_results_free(info);
    return status;
}
