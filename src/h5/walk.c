#include <hdf5.h>

#include "h5/walk.h"

#include "base/str.h"

enum { MAX_NAME = 512, MAX_DEPTH = 8 };

typedef struct walker {
    const spl_h5_source *source;
    uint64_t max_links;
    spl_h5_enter *enter; /* or NULL */
    spl_h5_visit *visit;
    void *user;
} walker;

static spl_status walk(const walker *w, hid_t group, const char *path, int depth);

static spl_status walk_link(
    const walker *w, hid_t group, const char *path, const char *name, int depth)
{
    spl_status status = SPL_OK;
    spl_text below = {0};
    hid_t child = -1;
    if (!spl_h5_is_group(group, name)) {
        return w->visit(w->user, group, path, name);
    }
    spl_text_add(&below, "%s/%s", path, name);
    if (below.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", w->source->path);
    }
    SPL_TRY(spl_h5_open_group(&child, group, w->source, name));
    SPL_TRY(walk(w, child, below.data, depth + 1));
out:
    if (child >= 0) {
        H5Gclose(child);
    }
    spl_text_deinit(&below);
    return status;
}

static spl_status walk(const walker *w, hid_t group, const char *path, int depth)
{
    spl_status status = SPL_OK;
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0 || info.nlinks > w->max_links ||
        depth > MAX_DEPTH) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: %s: not a group of results", w->source->path, path);
    }
    if (w->enter != NULL) {
        SPL_TRY(w->enter(w->user, group, path));
    }
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[MAX_NAME];
        const ssize_t length = H5Lget_name_by_idx(
            group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT);
        if (length <= 0 || length >= MAX_NAME) {
            SPL_FAIL(SPL_ERR_FORMAT, "%s: %s: a name that cannot be read",
                w->source->path, path);
        }
        SPL_TRY(walk_link(w, group, path, name, depth));
    }
out:
    return status;
}

spl_status spl_h5_walk(hid_t file, const spl_h5_source *source, uint64_t max_links,
    spl_h5_enter *enter, spl_h5_visit *visit, void *user)
{
    const walker w = {.source = source,
        .max_links = max_links,
        .enter = enter,
        .visit = visit,
        .user = user};
    return walk(&w, file, "", 0);
}
