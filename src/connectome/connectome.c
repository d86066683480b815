#include "connectome/connectome.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_MAX_NODES = 20000, DEFAULT_MAX_MEMBER_BYTES = 1 << 30, HEAD_BYTES = 1024 };

/* Asked in this order; text comes last, as it takes everything. */
static const spl_reader *const readers[] = {
    &spl_reader_tvb_dir, &spl_reader_hdf5, &spl_reader_tvb_zip, &spl_reader_text};

static spl_limits make_limits(const spl_connectome_options *options)
{
    return (spl_limits){
        .max_nodes = options->max_nodes > 0 ? options->max_nodes : DEFAULT_MAX_NODES,
        .max_member_bytes = options->max_member_bytes > 0 ? options->max_member_bytes
                                                          : DEFAULT_MAX_MEMBER_BYTES};
}

/* Find the reader by the contents of the file, never by its name. */
static spl_status find_reader(const char *path, const spl_reader **reader)
{
    spl_status status = SPL_OK;
    struct stat what;
    char head[HEAD_BYTES];
    ssize_t n_head = 0;
    /* opening a FIFO would wait for a writer */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &what) != 0) {
        SPL_FAIL(SPL_ERR_FILE_MISSING, "%s: cannot be opened: %s; check the path", path,
            strerror(errno));
    }
    if (!S_ISREG(what.st_mode) && !S_ISDIR(what.st_mode)) {
        SPL_FAIL(SPL_ERR_FILE_READ,
            "%s: is neither a file nor a folder; give a connectome file", path);
    }
    if (S_ISREG(what.st_mode)) {
        n_head = pread(fd, head, sizeof head, 0);
        if (n_head < 0) {
            SPL_FAIL(SPL_ERR_FILE_READ, "%s: cannot be read: %s", path, strerror(errno));
        }
    }
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (readers[i]->probe(path, &what, head, (size_t)n_head)) {
            *reader = readers[i];
            break;
        }
    }
out:
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

spl_status spl_connectome_load(
    spl_connectome **out, const spl_connectome_options *options)
{
    spl_status status = SPL_OK;
    spl_raw raw = {0};
    spl_limits limits = make_limits(options);
    const spl_reader *reader = &spl_reader_text;
    *out = NULL;
    if ((options->file != NULL) == (options->weights != NULL)) {
        SPL_FAIL(SPL_ERR_ARGUMENT, "a connectome needs either one file or separate "
                                   "files; set connectome.file or "
                                   "connectome.weights");
    }
    if (options->file != NULL) {
        SPL_TRY(find_reader(options->file, &reader));
    }
    SPL_TRY(reader->load(&raw, options, &limits));
    SPL_TRY(spl_assemble(
        out, &raw, options->file != NULL ? options->file : options->weights, options));
out:
    spl_raw_deinit(&raw);
    return status;
}

static spl_status copy_table(
    spl_raw *raw, spl_member member, const double *data, size_t rows, size_t columns)
{
    if (data == NULL) {
        return SPL_OK;
    }
    const char *name = spl_member_name(member);
    raw->places[member] = spl_strdup(name);
    if (raw->places[member] == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", name);
    }
    spl_status status = spl_table_init(&raw->tables[member], name, rows, columns);
    if (status == SPL_OK) {
        memcpy(raw->tables[member].data, data, rows * columns * sizeof *data);
    }
    return status;
}

static spl_status copy_flags(
    spl_raw *raw, spl_member member, const int8_t *flags, size_t n_nodes)
{
    if (flags == NULL) {
        return SPL_OK;
    }
    double *data = calloc(n_nodes, sizeof *data);
    if (data == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory for %zu nodes", n_nodes);
    }
    for (size_t i = 0; i < n_nodes; i++) {
        data[i] = flags[i];
    }
    spl_status status = copy_table(raw, member, data, n_nodes, 1);
    free(data);
    return status;
}

static spl_status copy_texts(spl_raw *raw, const spl_connectome_arrays *arrays)
{
    spl_text labels = {0};
    for (size_t i = 0; arrays->labels != NULL && i < arrays->n_nodes; i++) {
        spl_text_add_bytes(&labels, arrays->labels[i], strlen(arrays->labels[i]) + 1);
    }
    raw->labels = labels.data;
    raw->n_labels = arrays->labels != NULL ? arrays->n_nodes : 0;
    raw->labels_place = spl_strdup("labels");
    raw->info = spl_strdup(arrays->info != NULL ? arrays->info : "");
    if (labels.failed || raw->labels_place == NULL || raw->info == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory for the labels");
    }
    return SPL_OK;
}

/* What is known of the nodes themselves. */
static spl_status copy_nodes(spl_raw *raw, const spl_connectome_arrays *arrays)
{
    spl_status status = SPL_OK;
    const size_t n = arrays->n_nodes;
    SPL_TRY(copy_table(raw, SPL_MEMBER_CENTRES, arrays->centres, n, 3));
    SPL_TRY(copy_table(raw, SPL_MEMBER_ORIENTATIONS, arrays->orientations, n, 3));
    SPL_TRY(copy_table(raw, SPL_MEMBER_AREAS, arrays->areas, n, 1));
    SPL_TRY(copy_flags(raw, SPL_MEMBER_CORTICAL, arrays->cortical, n));
    SPL_TRY(copy_flags(raw, SPL_MEMBER_HEMISPHERES, arrays->hemispheres, n));
    SPL_TRY(copy_texts(raw, arrays));
out:
    return status;
}

/* The policies of a caller; without lengths there is nothing to miss. */
static spl_connectome_options choose_policies(
    const spl_connectome_options *options, bool lengths)
{
    static const spl_connectome_options defaults;
    spl_connectome_options policies = options != NULL ? *options : defaults;
    if (!lengths && policies.missing_lengths == SPL_MISSING_LENGTHS_ERROR) {
        policies.missing_lengths = SPL_MISSING_LENGTHS_ZERO;
    }
    return policies;
}

spl_status spl_connectome_create(spl_connectome **out,
    const spl_connectome_arrays *arrays, const spl_connectome_options *options)
{
    spl_status status = SPL_OK;
    spl_raw raw = {.form = "arrays"};
    size_t n = arrays->n_nodes;
    const spl_connectome_options policies =
        choose_policies(options, arrays->tract_lengths != NULL);
    spl_limits limits = make_limits(&policies);
    *out = NULL;
    if (n == 0 || arrays->weights == NULL) {
        SPL_FAIL(
            SPL_ERR_ARGUMENT, "a connectome needs at least one node and its weights");
    }
    if (n > limits.max_nodes) {
        SPL_FAIL(SPL_ERR_LIMIT,
            "%zu nodes, above the limit of %zu; raise max_nodes, or give the edges "
            "(spl_connectome_create_sparse)",
            n, limits.max_nodes);
    }
    SPL_TRY(copy_table(&raw, SPL_MEMBER_WEIGHTS, arrays->weights, n, n));
    SPL_TRY(copy_table(&raw, SPL_MEMBER_LENGTHS, arrays->tract_lengths, n, n));
    SPL_TRY(copy_nodes(&raw, arrays));
    SPL_TRY(spl_assemble(out, &raw, "", &policies));
out:
    spl_raw_deinit(&raw);
    return status;
}

/* The lengths have no pattern of their own. */
static spl_status copy_edges(spl_raw *raw, const spl_edges *edges, size_t n)
{
    spl_status status = SPL_OK;
    spl_sparse *weights = &raw->sparse[SPL_MEMBER_WEIGHTS];
    spl_sparse *lengths = &raw->sparse[SPL_MEMBER_LENGTHS];
    const size_t count = edges->n_entries;
    SPL_TRY(spl_sparse_init(weights, "edges", n, n, count));
    memcpy(weights->start, edges->start, (n + 1) * sizeof *weights->start);
    if (count > 0) {
        memcpy(weights->source, edges->source, count * sizeof *weights->source);
        memcpy(weights->data, edges->weights, count * sizeof *weights->data);
    }
    raw->places[SPL_MEMBER_WEIGHTS] = spl_strdup("weights");
    if (edges->tract_lengths != NULL) {
        *lengths = (spl_sparse){.rows = n, .columns = n, .count = count};
        lengths->data = calloc(count + 1, sizeof *lengths->data);
        raw->places[SPL_MEMBER_LENGTHS] = spl_strdup("tract_lengths");
        if (lengths->data == NULL || raw->places[SPL_MEMBER_LENGTHS] == NULL) {
            SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory for %zu edges", count);
        }
        memcpy(lengths->data, edges->tract_lengths, count * sizeof *lengths->data);
    }
    if (raw->places[SPL_MEMBER_WEIGHTS] == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory for %zu edges", count);
    }
out:
    return status;
}

spl_status spl_connectome_create_sparse(spl_connectome **out, const spl_edges *edges,
    const spl_connectome_arrays *arrays, const spl_connectome_options *options)
{
    spl_status status = SPL_OK;
    spl_raw raw = {.form = "arrays"};
    const spl_connectome_options policies =
        choose_policies(options, edges->tract_lengths != NULL);
    *out = NULL;
    if (arrays->n_nodes == 0 || edges->start == NULL ||
        (edges->n_entries > 0 && (edges->source == NULL || edges->weights == NULL))) {
        SPL_FAIL(SPL_ERR_ARGUMENT, "a sparse connectome needs at least one node, and "
                                   "start, source and weights of its edges");
    }
    if (arrays->weights != NULL || arrays->tract_lengths != NULL) {
        SPL_FAIL(SPL_ERR_ARGUMENT,
            "a connectome of edges has no matrices; give one or the other");
    }
    SPL_TRY(copy_edges(&raw, edges, arrays->n_nodes));
    SPL_TRY(copy_nodes(&raw, arrays));
    SPL_TRY(spl_assemble(out, &raw, "", &policies));
out:
    spl_raw_deinit(&raw);
    return status;
}

spl_connectome *spl_connectome_ref(spl_connectome *connectome)
{
    atomic_fetch_add(&connectome->references, 1);
    return connectome;
}

void spl_connectome_free(spl_connectome *connectome)
{
    if (connectome == NULL || atomic_fetch_sub(&connectome->references, 1) > 1) {
        return;
    }
    spl_entries_deinit(&connectome->entries);
    free(connectome->isolated);
    free(connectome->centres);
    free(connectome->orientations);
    free(connectome->areas);
    free(connectome->cortical);
    free(connectome->hemispheres);
    free(connectome->labels);
    free(connectome->label_text);
    free(connectome->source);
    free(connectome->members);
    free(connectome->info);
    free(connectome->normalisation);
    free(connectome);
}

size_t spl_connectome_n_nodes(const spl_connectome *connectome)
{
    return connectome->n_nodes;
}

const double *spl_connectome_weights(const spl_connectome *connectome)
{
    return connectome->entries.start == NULL ? connectome->entries.weights : NULL;
}

const double *spl_connectome_tract_lengths(const spl_connectome *connectome)
{
    return connectome->entries.start == NULL ? connectome->entries.lengths : NULL;
}

void spl_connectome_edges(const spl_connectome *connectome, spl_edges *edges)
{
    const spl_entries *entries = &connectome->entries;
    *edges = (spl_edges){.n_entries = entries->count,
        .start = entries->start,
        .source = entries->source,
        .weights = entries->weights,
        .tract_lengths = entries->lengths};
}

bool spl_connectome_is_isolated(const spl_connectome *connectome, size_t node)
{
    return node < connectome->n_nodes && connectome->isolated[node];
}

const char *spl_connectome_label(const spl_connectome *connectome, size_t node)
{
    return node < connectome->n_nodes ? connectome->labels[node] : "";
}

const double *spl_connectome_centres(const spl_connectome *connectome)
{
    return connectome->centres;
}

const double *spl_connectome_orientations(const spl_connectome *connectome)
{
    return connectome->orientations;
}

const double *spl_connectome_areas(const spl_connectome *connectome)
{
    return connectome->areas;
}

const int8_t *spl_connectome_cortical(const spl_connectome *connectome)
{
    return connectome->cortical;
}

const int8_t *spl_connectome_hemispheres(const spl_connectome *connectome)
{
    return connectome->hemispheres;
}

spl_status spl_connectome_find(
    const spl_connectome *connectome, const char *label, size_t *node)
{
    size_t n_found = 0;
    for (size_t i = 0; i < connectome->n_nodes; i++) {
        if (strcmp(connectome->labels[i], label) == 0) {
            *node = i;
            n_found++;
        }
    }
    if (n_found == 1) {
        return SPL_OK;
    }
    if (n_found > 1) {
        return spl_error(SPL_ERR_NOT_FOUND,
            "%zu regions carry the label '%s'; give the values as a list or a file",
            n_found, label);
    }
    /* the array of labels ends with NULL */
    const char *closest = spl_suggest(label, connectome->labels);
    if (closest != NULL) {
        return spl_error(SPL_ERR_NOT_FOUND,
            "no region has the label '%s'; did you mean '%s'?", label, closest);
    }
    return spl_error(SPL_ERR_NOT_FOUND,
        "no region has the label '%s'; `splenium info` lists the connectome", label);
}
