/* One hash over what a run computed: equal for two files if and only if their datasets
 * are. Read in the sandbox, for the file may come from anywhere. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "base/str.h"
#include "h5/h5.h"
#include "h5/sandbox.h"
#include "h5/strict.h"
#include "splenium/results.h"

/* What HDF5 itself needs in the child. */
#define CHILD_BYTES ((size_t)512 << 20)

enum {
    KIND_DIGEST = 1,
    MAX_NAME = 1024,
    MAX_DEPTH = 8,
    MAX_LINKS = 100000,
    AT_ONCE = 8 << 20
};

typedef struct walker {
    spl_sha256 hash;
    spl_h5_source source;
    unsigned char *buffer; /* [AT_ONCE] */
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
    const uint64_t most = AT_ONCE / d->item_bytes / row;
    const hid_t space = H5Dget_space(d->id);
    for (uint64_t first = 0; first < n_rows; first += most) {
        const uint64_t count = n_rows - first < most ? n_rows - first : most;
        SPL_TRY(add_slab(w, d, space, first, count, (size_t)(count * row)));
    }
out:
    H5Sclose(space);
    return status;
}

static spl_status add_dataset(walker *w, hid_t group, const char *path, const char *name)
{
    spl_status status = SPL_OK;
    spl_h5_dataset d;
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

static spl_status add_group(walker *w, hid_t group, const char *path, int depth);

/* Provenance is no result: the configuration says how many threads, and so on. */
static bool is_left_out(const char *path, const char *name)
{
    return *path == '\0' &&
           (strcmp(name, "config") == 0 || strcmp(name, "performance") == 0);
}

static spl_status add_link(
    walker *w, hid_t group, const char *path, const char *name, int depth)
{
    spl_status status = SPL_OK;
    spl_text below = {0};
    hid_t child = -1;
    if (is_left_out(path, name)) {
        return SPL_OK;
    }
    if (!spl_h5_is_group(group, name)) {
        return add_dataset(w, group, path, name);
    }
    spl_text_add(&below, "%s/%s", path, name);
    if (below.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", w->source.path);
    }
    SPL_TRY(spl_h5_open_group(&child, group, &w->source, name));
    SPL_TRY(add_group(w, child, below.data, depth + 1));
out:
    if (child >= 0) {
        H5Gclose(child);
    }
    spl_text_deinit(&below);
    return status;
}

static spl_status add_group(walker *w, hid_t group, const char *path, int depth)
{
    spl_status status = SPL_OK;
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0 || info.nlinks > MAX_LINKS || depth > MAX_DEPTH) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: %s: not a group of results", w->source.path, path);
    }
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[MAX_NAME];
        const ssize_t length = H5Lget_name_by_idx(
            group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT);
        if (length <= 0 || length >= MAX_NAME) {
            SPL_FAIL(SPL_ERR_FORMAT, "%s: %s: a name that cannot be read", w->source.path,
                path);
        }
        SPL_TRY(add_link(w, group, path, name, depth));
    }
out:
    return status;
}

static spl_status digest_child(int fd, const char *path, const void *user)
{
    spl_status status = SPL_OK;
    walker w = {.buffer = malloc(AT_ONCE)};
    hid_t file = -1;
    char hex[SPL_SHA256_HEX];
    (void)user;
    if (w.buffer == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    SPL_TRY(spl_h5_open_file(&file, &w.source, path));
    SPL_TRY(spl_sandbox_lock());
    spl_sha256_start(&w.hash);
    SPL_TRY(add_group(&w, file, "", 0));
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
