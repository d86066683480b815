/* SONATA edges. HDF5 parses them in a forked child, which sends arrays in parts; this
 * side believes none of their sizes. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectome/connectome.h"
#include "connectome/edges.h"
#include "h5/h5.h"
#include "h5/sandbox.h"
#include "h5/strict.h"

enum { KIND_COUNT = 1, KIND_SOURCE, KIND_TARGET, KIND_WEIGHT, KIND_DELAY, N_KINDS };
/* Values of one record: the child needs little memory, whatever the file claims. */
enum { PART = 1 << 18, MAX_NAME = 256, CHILD_BYTES = 512 << 20 };
/* Of the parent, until more has come. */
enum { FIRST_ROOM = 1 << 12, AT_ONCE = 1 << 12 };

/* The child's work. */
typedef struct child {
    int fd;
    spl_h5_source source;
    hid_t file, edges, population, group;
    char name[MAX_NAME + 16]; /* "/edges/NAME" */
    uint64_t n;
} child;

/* Open a vector; id -1 if there is none. */
static spl_status open_vector(spl_h5_dataset *d, const child *c, hid_t where,
    const char *group, const char *name, bool whole)
{
    spl_status status = SPL_OK;
    SPL_TRY(spl_h5_open_dataset(d, where, &c->source, group, name));
    if (d->id < 0) {
        return SPL_OK;
    }
    if (d->rank != 1 || d->dims[0] > INT32_MAX) {
        SPL_TRY(spl_h5_bad_dataset(d, "not a vector of at most 2^31 - 1 numbers"));
    }
    const bool number =
        d->type_class == H5T_INTEGER || (!whole && d->type_class == H5T_FLOAT);
    if (!number || d->item_bytes > 8) {
        SPL_TRY(spl_h5_bad_dataset(d, whole ? "holds no whole numbers of at most 8 bytes"
                                            : "holds no numbers of at most 8 bytes"));
    }
    SPL_TRY(spl_h5_check_storage(d));
out:
    return status;
}

/* Values that are read at once; not 0. */
static size_t part_of(const child *c)
{
    return c->n > PART ? PART : (size_t)c->n + 1;
}

/* Send a vector of n numbers in parts, each with its place. */
static spl_status send_vector(
    const child *c, const spl_h5_dataset *d, uint32_t kind, hid_t type)
{
    spl_status status = SPL_OK;
    void *values = malloc(part_of(c) * 8);
    if (values == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", c->source.path);
    }
    if (d->dims[0] != c->n) {
        SPL_TRY(spl_h5_bad_dataset(d, "not as many numbers as there are edges"));
    }
    for (hsize_t first = 0; first < c->n; first += PART) {
        const hsize_t count = c->n - first < PART ? c->n - first : PART;
        SPL_TRY(spl_h5_read_part(d, first, count, type, values));
        SPL_TRY(spl_sandbox_send(c->fd, kind, first, count, values, (size_t)count * 8));
    }
out:
    free(values);
    return status;
}

/* Edges of several groups, or in another order than theirs, are not read. */
static spl_status check_grouping(const child *c, const char *name, bool ascending)
{
    spl_status status = SPL_OK;
    spl_h5_dataset d = {.id = -1, .type = -1};
    int64_t *values = malloc(part_of(c) * sizeof *values);
    if (values == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", c->source.path);
    }
    SPL_TRY(open_vector(&d, c, c->population, c->name, name, true));
    if (d.id < 0) {
        goto out;
    }
    if (d.dims[0] != c->n) {
        SPL_TRY(spl_h5_bad_dataset(&d, "not as many numbers as there are edges"));
    }
    for (hsize_t first = 0; first < c->n; first += PART) {
        const hsize_t count = c->n - first < PART ? c->n - first : PART;
        SPL_TRY(spl_h5_read_part(&d, first, count, H5T_NATIVE_INT64, values));
        for (hsize_t i = 0; i < count; i++) {
            if (values[i] != (ascending ? (int64_t)(first + i) : 0)) {
                SPL_TRY(spl_h5_bad_dataset(&d,
                    ascending ? "edges in another order than their group; store them in "
                                "its order"
                              : "edges of several groups; store all in group 0"));
            }
        }
    }
out:
    free(values);
    spl_h5_close_dataset(&d);
    return status;
}

static spl_status find_population(child *c)
{
    spl_status status = SPL_OK;
    H5G_info_t info = {0};
    char name[MAX_NAME];
    SPL_TRY(spl_h5_open_group(&c->edges, c->file, &c->source, "/edges"));
    if (c->edges < 0) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: no group /edges; SONATA edges are needed",
            c->source.path);
    }
    const ssize_t length = H5Gget_info(c->edges, &info) >= 0 && info.nlinks == 1
                               ? H5Lget_name_by_idx(c->edges, ".", H5_INDEX_NAME,
                                     H5_ITER_INC, 0, name, sizeof name, H5P_DEFAULT)
                               : -1;
    if (length <= 0 || (size_t)length >= sizeof name) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: /edges holds %llu populations of edges; it must hold one",
            c->source.path, (unsigned long long)info.nlinks);
    }
    snprintf(c->name, sizeof c->name, "/edges/%s", name);
    SPL_TRY(spl_h5_open_group(&c->population, c->edges, &c->source, name));
    SPL_TRY(c->population < 0
                ? spl_error(SPL_ERR_FORMAT, "%s: %s is no group", c->source.path, c->name)
                : SPL_OK);
    if (spl_h5_is_group(c->population, "0")) {
        SPL_TRY(spl_h5_open_group(&c->group, c->population, &c->source, "0"));
    }
out:
    return status;
}

static spl_status run_child(int fd, const char *path, const void *user)
{
    static const char *const names[] = {
        "source_node_id", "target_node_id", "syn_weight", "delay"};
    (void)user;
    spl_status status = SPL_OK;
    child c = {.fd = fd, .file = -1, .edges = -1, .population = -1, .group = -1};
    spl_h5_dataset d[4] = {{.id = -1, .type = -1}, {.id = -1, .type = -1},
        {.id = -1, .type = -1}, {.id = -1, .type = -1}};
    SPL_TRY(spl_h5_open_file(&c.file, &c.source, path));
    SPL_TRY(spl_sandbox_lock());
    SPL_TRY(find_population(&c));
    for (size_t i = 0; i < 4; i++) {
        const bool whole = i < 2;
        if (whole || c.group >= 0) {
            SPL_TRY(open_vector(
                &d[i], &c, whole ? c.population : c.group, c.name, names[i], whole));
        }
        if (whole && d[i].id < 0) {
            SPL_FAIL(SPL_ERR_FORMAT, "%s: %s: no dataset %s", path, c.name, names[i]);
        }
    }
    c.n = d[0].dims[0];
    SPL_TRY(check_grouping(&c, "edge_group_id", false));
    SPL_TRY(check_grouping(&c, "edge_group_index", true));
    SPL_TRY(spl_sandbox_send(
        fd, KIND_COUNT, c.n, (d[2].id >= 0 ? 1U : 0U) | (d[3].id >= 0 ? 2U : 0U), "", 0));
    for (uint32_t i = 0; i < 4; i++) {
        if (d[i].id >= 0) {
            SPL_TRY(send_vector(&c, &d[i], KIND_SOURCE + i,
                i < 2 ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE));
        }
    }
out:
    for (size_t i = 0; i < 4; i++) {
        spl_h5_close_dataset(&d[i]);
    }
    return status;
}

/* From here on the parent. */

/* What has come of a list whose length was announced. */
typedef struct arrival {
    bool counted;
    size_t n;
    size_t taken[N_KINDS], room[N_KINDS];
} arrival;

static spl_status take_count(spl_edge_list *list, arrival *a, const spl_sandbox *sandbox,
    const spl_sandbox_record *record)
{
    if (a->counted || record->rows > INT32_MAX || record->bytes != 0) {
        return spl_sandbox_nonsense(sandbox);
    }
    a->counted = true;
    a->n = (size_t)record->rows;
    const size_t room = a->n < FIRST_ROOM ? a->n : FIRST_ROOM;
    for (size_t kind = 0; kind < N_KINDS; kind++) {
        a->room[kind] = room;
    }
    return spl_edge_list_init(list, sandbox->path, room, (record->columns & 1) != 0,
        (record->columns & 2) != 0);
}

/* Some indices, which come wider than they are kept. */
static spl_status take_some(uint32_t *out, size_t first, size_t n, spl_sandbox *sandbox)
{
    spl_status status = SPL_OK;
    int64_t values[AT_ONCE];
    SPL_TRY(spl_sandbox_take(sandbox, values, n * sizeof *values));
    for (size_t i = 0; i < n; i++) {
        if (values[i] < 0 || values[i] > UINT32_MAX) {
            SPL_FAIL(SPL_ERR_FORMAT,
                "%s: edge %zu: %lld is no index of a neuron; these are whole numbers "
                "from 0",
                sandbox->path, first + i, (long long)values[i]);
        }
        out[first + i] = (uint32_t)values[i];
    }
out:
    return status;
}

static spl_status take_indices(
    uint32_t **out, arrival *a, spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    spl_status status = SPL_OK;
    size_t at = a->taken[record->kind];
    const size_t n = (size_t)record->columns;
    const size_t end = at + n;
    SPL_TRY(spl_sandbox_make_room(
        sandbox, (void **)out, &a->room[record->kind], at, n, a->n, sizeof **out));
    while (at < end) {
        const size_t some = end - at < AT_ONCE ? end - at : AT_ONCE;
        SPL_TRY(take_some(*out, at, some, sandbox));
        at += some;
    }
out:
    return status;
}

static spl_status take_numbers(
    double **out, arrival *a, spl_sandbox *sandbox, const spl_sandbox_record *record)
{
    spl_status status = SPL_OK;
    const size_t first = a->taken[record->kind];
    const size_t n = (size_t)record->columns;
    SPL_TRY(spl_sandbox_make_room(
        sandbox, (void **)out, &a->room[record->kind], first, n, a->n, sizeof **out));
    SPL_TRY(spl_sandbox_take(sandbox, *out + first, n * sizeof **out));
    for (size_t i = first; i < first + n; i++) {
        if (!isfinite((*out)[i])) {
            SPL_FAIL(SPL_ERR_FORMAT, "%s: edge %zu: the %s is no finite number",
                sandbox->path, i, record->kind == KIND_WEIGHT ? "weight" : "delay");
        }
    }
out:
    return status;
}

/* Parts arrive in order. */
static spl_status take_part(spl_edge_list *list, arrival *a, spl_sandbox *sandbox,
    const spl_sandbox_record *record)
{
    spl_status status = SPL_OK;
    const uint32_t kind = record->kind;
    double **numbers = kind == KIND_WEIGHT ? &list->weight : &list->delay;
    const bool whole = kind == KIND_SOURCE || kind == KIND_TARGET;
    if (!a->counted || kind < KIND_SOURCE || kind >= N_KINDS ||
        (!whole && *numbers == NULL) || record->rows != a->taken[kind] ||
        record->columns > PART || record->bytes != record->columns * 8) {
        return spl_sandbox_nonsense(sandbox);
    }
    SPL_TRY(whole ? take_indices(kind == KIND_SOURCE ? &list->source : &list->target, a,
                        sandbox, record)
                  : take_numbers(numbers, a, sandbox, record));
    a->taken[kind] += (size_t)record->columns;
out:
    return status;
}

static spl_status take_all(spl_edge_list *list, spl_sandbox *sandbox)
{
    spl_status status = SPL_OK;
    spl_sandbox_record record;
    arrival a = {.counted = false};
    for (;;) {
        SPL_TRY(spl_sandbox_next(sandbox, &record));
        if (record.kind == 0) {
            break;
        }
        SPL_TRY(record.kind == KIND_COUNT ? take_count(list, &a, sandbox, &record)
                                          : take_part(list, &a, sandbox, &record));
    }
    const bool complete = a.counted && a.taken[KIND_SOURCE] == a.n &&
                          a.taken[KIND_TARGET] == a.n &&
                          (list->weight == NULL || a.taken[KIND_WEIGHT] == a.n) &&
                          (list->delay == NULL || a.taken[KIND_DELAY] == a.n);
    SPL_TRY(complete ? SPL_OK : spl_sandbox_nonsense(sandbox));
    list->n = a.n;
out:
    return status;
}

spl_status spl_edge_list_read_hdf5(spl_edge_list *list, const char *path)
{
    spl_status status = SPL_OK;
    spl_sandbox sandbox = {.child = -1, .fd = -1};
    SPL_TRY(spl_sandbox_start(&sandbox, path, run_child, NULL, CHILD_BYTES));
    SPL_TRY(take_all(list, &sandbox));
out:
    spl_sandbox_stop(&sandbox);
    return status;
}
