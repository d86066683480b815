/* A folder with the members of a TVB zip; folders inside are not looked at. */
#include "connectome/connectome.h"

#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const spl_entry *)a)->path, ((const spl_entry *)b)->path);
}

static char *join(const char *folder, const char *name)
{
    char *path = NULL;
    size_t length = strlen(folder);
    bool slash = length > 0 && folder[length - 1] == '/';
    return asprintf(&path, "%s%s%s", folder, slash ? "" : "/", name) >= 0 ? path : NULL;
}

static spl_status list_files(spl_entry *entries, size_t *n_entries, const char *folder)
{
    spl_status status = SPL_OK;
    const struct dirent *entry;
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        SPL_FAIL(SPL_ERR_FILE_MISSING, "%s: cannot be opened: %s; check the path", folder,
            strerror(errno));
    }
    while ((entry = readdir(dir)) != NULL) {
        struct stat what;
        char *path = join(folder, entry->d_name);
        bool is_file = path != NULL && stat(path, &what) == 0 && S_ISREG(what.st_mode);
        free(path);
        if (!is_file) {
            continue;
        }
        if (*n_entries == SPL_MAX_MEMBERS) {
            SPL_FAIL(SPL_ERR_LIMIT,
                "%s: more than %d files; use a folder with the connectome's files only",
                folder, SPL_MAX_MEMBERS);
        }
        entries[*n_entries].path = spl_strdup(entry->d_name);
        if (entries[*n_entries].path == NULL) {
            SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", folder);
        }
        ++*n_entries;
    }
    /* the order of readdir differs from machine to machine */
    qsort(entries, *n_entries, sizeof *entries, compare_paths);
out:
    if (dir != NULL) {
        closedir(dir);
    }
    return status;
}

static spl_status fetch(spl_blob *blob, const spl_container *container,
    const spl_entry *entry, const char *place, bool square, const spl_limits *limits)
{
    char *path = join(container->file, entry->path);
    if (path == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", place);
    }
    spl_status status = spl_blob_read_member(blob, path, square, limits);
    free(path);
    return status;
}

/* The selected files, in the order of their names, one after another. */
static spl_status hash_files(
    spl_raw *raw, const spl_container *container, const size_t selected[SPL_N_MEMBERS])
{
    spl_status status = SPL_OK;
    char *paths[SPL_N_MEMBERS] = {NULL};
    size_t n_paths = 0;
    for (size_t i = 0; i < container->n_entries; i++) {
        for (size_t m = 0; m < SPL_N_MEMBERS; m++) {
            if (selected[m] != i) {
                continue;
            }
            paths[n_paths] = join(container->file, container->entries[i].path);
            if (paths[n_paths] == NULL) {
                SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", container->file);
            }
            n_paths++;
        }
    }
    SPL_TRY(spl_sha256_files((const char *const *)paths, n_paths, raw->sha256));
out:
    for (size_t i = 0; i < n_paths; i++) {
        free(paths[i]);
    }
    return status;
}

static bool probe(
    const char *path, const struct stat *what, const char *head, size_t n_head)
{
    (void)path;
    (void)head;
    (void)n_head;
    return S_ISDIR(what->st_mode);
}

static spl_status load(
    spl_raw *raw, const spl_connectome_options *options, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    spl_entry entries[SPL_MAX_MEMBERS] = {{0}};
    size_t selected[SPL_N_MEMBERS];
    spl_container container = {.file = options->file, .entries = entries, .fetch = fetch};
    raw->form = "folder";
    SPL_TRY(list_files(entries, &container.n_entries, options->file));
    SPL_TRY(spl_members_select(&container, selected));
    SPL_TRY(spl_members_load(raw, &container, selected, limits));
    SPL_TRY(hash_files(raw, &container, selected));
out:
    for (size_t i = 0; i < container.n_entries; i++) {
        free(entries[i].path);
    }
    return status;
}

const spl_reader spl_reader_tvb_dir = {.probe = probe, .load = load};
