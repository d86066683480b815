/* Separate files for weights, lengths, labels and centres: text, plain, gzip or bzip2,
 * .npy, and SciPy's .npz for the two matrices. */
#include "connectome/connectome.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static spl_status fetch(spl_blob *blob, const spl_container *container,
    const spl_entry *entry, const char *place, bool square, const spl_limits *limits)
{
    (void)container;
    (void)place;
    return spl_blob_read_member(blob, entry->path, square, limits);
}

static spl_status load_labels(spl_raw *raw, const char *path, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    const spl_limits nodes = spl_node_limits(limits);
    spl_blob blob = {0};
    SPL_TRY(spl_blob_read(&blob, path, limits->max_member_bytes));
    SPL_TRY(spl_blob_inflate(&blob, path, false, limits));
    SPL_TRY(spl_text_labels(&raw->labels, &raw->n_labels, path, &blob, &nodes));
    raw->labels_place = spl_strdup(path);
    if (raw->labels_place == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
out:
    spl_blob_deinit(&blob);
    return status;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Any file that no other reader knows is text. */
static bool probe(
    const char *path, const struct stat *what, const char *head, size_t n_head)
{
    (void)path;
    (void)what;
    (void)head;
    (void)n_head;
    return true;
}

static spl_status load(
    spl_raw *raw, const spl_connectome_options *options, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    const char *weights = options->weights != NULL ? options->weights : options->file;
    const char *const files[SPL_N_MEMBERS] = {[SPL_MEMBER_WEIGHTS] = weights,
        [SPL_MEMBER_LENGTHS] = options->lengths,
        [SPL_MEMBER_CENTRES] = options->centres};
    spl_entry entries[SPL_N_MEMBERS] = {{0}};
    size_t selected[SPL_N_MEMBERS];
    const char *names[SPL_N_MEMBERS + 1];
    size_t n_names = 0;
    spl_container container = {.entries = entries, .fetch = fetch};
    raw->form = "text files";
    for (size_t m = 0; m < SPL_N_MEMBERS; m++) {
        selected[m] = SIZE_MAX;
        if (files[m] != NULL) {
            entries[container.n_entries].path = spl_strdup(files[m]);
            if (entries[container.n_entries].path == NULL) {
                SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", files[m]);
            }
            names[n_names++] = files[m];
            selected[m] = container.n_entries++;
        }
    }
    SPL_TRY(spl_members_load(raw, &container, selected, limits));
    if (raw->sparse[SPL_MEMBER_WEIGHTS].data != NULL) {
        raw->form = "sparse npz";
    }
    if (options->labels != NULL) {
        names[n_names++] = options->labels;
        SPL_TRY(load_labels(raw, options->labels, limits));
    }
    qsort(names, n_names, sizeof *names, compare_names);
    SPL_TRY(spl_sha256_files(names, n_names, raw->sha256));
out:
    for (size_t i = 0; i < container.n_entries; i++) {
        free(entries[i].path);
    }
    return status;
}

const spl_reader spl_reader_text = {.probe = probe, .load = load};
