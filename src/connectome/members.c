#include "connectome/connectome.h"

#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_ALIASES = 5, KEY_BYTES = 64 };

/* Canonical name first; `part` is what TVB's uploader looks for anywhere in the name. */
typedef struct alias_row {
    const char *names[MAX_ALIASES];
    const char *parts[3];
} alias_row;

static const alias_row aliases[SPL_N_MEMBERS] = {
    [SPL_MEMBER_WEIGHTS] = {{"weights", "weight"}, {"weight"}},
    [SPL_MEMBER_LENGTHS] = {{"tract_lengths", "tract_length", "tracts", "lengths"},
        {"tract"}},
    [SPL_MEMBER_CENTRES] = {{"centres", "centers", "positions", "position"},
        {"centres", "centers"}},
    [SPL_MEMBER_ORIENTATIONS] = {{"average_orientations", "orientations"},
        {"orientation"}},
    [SPL_MEMBER_AREAS] = {{"areas", "area"}, {"area"}},
    [SPL_MEMBER_CORTICAL] = {{"cortical"}, {"cortical"}},
    [SPL_MEMBER_HEMISPHERES] = {{"hemispheres", "hemisphere"}, {"hemisphere"}},
    [SPL_MEMBER_INFO] = {{"info"}, {NULL}},
};

/* The order in which TVB's uploader asks "does the name contain ...". */
static const spl_member part_order[] = {SPL_MEMBER_WEIGHTS, SPL_MEMBER_CENTRES,
    SPL_MEMBER_LENGTHS, SPL_MEMBER_ORIENTATIONS, SPL_MEMBER_AREAS, SPL_MEMBER_CORTICAL,
    SPL_MEMBER_HEMISPHERES};

const char *spl_member_name(spl_member member)
{
    return aliases[member].names[0];
}

/* Archives made on Windows use the backslash. */
static const char *basename_of(const char *path)
{
    const char *base = path;
    for (const char *c = path; *c != '\0'; c++) {
        if (*c == '/' || *c == '\\') {
            base = c + 1;
        }
    }
    return base;
}

static bool is_ignored(const char *path)
{
    const char *base = basename_of(path);
    const char *system_folder = strstr(path, "__MACOSX");
    return *base == '\0' || *base == '.' || *base == '_' ||
           (system_folder != NULL &&
               (system_folder[8] == '/' || system_folder[8] == '\\') &&
               (system_folder == path || system_folder[-1] == '/' ||
                   system_folder[-1] == '\\'));
}

/* Lower-cased basename less .gz or .bz2, less the extension, which goes to `extension`.
 */
static void make_key(const char *path, char key[KEY_BYTES], char extension[8])
{
    snprintf(key, KEY_BYTES, "%s", basename_of(path));
    for (char *c = key; *c != '\0'; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    }
    extension[0] = '\0';
    char *dot = strrchr(key, '.');
    if (dot != NULL && (strcmp(dot, ".gz") == 0 || strcmp(dot, ".bz2") == 0)) {
        *dot = '\0';
        dot = strrchr(key, '.');
    }
    if (dot != NULL) {
        snprintf(extension, 8, "%s", dot);
        *dot = '\0';
    }
}

static size_t find_alias(const char *key)
{
    for (size_t m = 0; m < SPL_N_MEMBERS; m++) {
        for (size_t a = 0; a < MAX_ALIASES && aliases[m].names[a] != NULL; a++) {
            if (strcmp(key, aliases[m].names[a]) == 0) {
                return m;
            }
        }
    }
    return SPL_N_MEMBERS;
}

static size_t find_part(const char *key)
{
    for (size_t i = 0; i < sizeof part_order / sizeof *part_order; i++) {
        for (size_t p = 0; aliases[part_order[i]].parts[p] != NULL; p++) {
            if (strstr(key, aliases[part_order[i]].parts[p]) != NULL) {
                return part_order[i];
            }
        }
    }
    return SPL_N_MEMBERS;
}

/* One pass over the entries by one rule, for members that `open` marks. */
static spl_status select_by(size_t (*find)(const char *key),
    const spl_container *container, const bool open[SPL_N_MEMBERS],
    size_t selected[SPL_N_MEMBERS])
{
    for (size_t i = 0; i < container->n_entries; i++) {
        char key[KEY_BYTES];
        char extension[8];
        const char *path = container->entries[i].path;
        make_key(path, key, extension);
        size_t member = is_ignored(path) ? SPL_N_MEMBERS : find(key);
        if (member == SPL_N_MEMBERS || !open[member]) {
            continue;
        }
        if (strcmp(extension, ".mat") == 0 || strcmp(extension, ".mtx") == 0 ||
            strcmp(extension, ".h5") == 0) {
            return spl_error(SPL_ERR_FORMAT,
                "%s: %s: %s files are not read here; store text or .npy", container->file,
                path, extension);
        }
        if (selected[member] != SIZE_MAX) {
            return spl_error(SPL_ERR_FORMAT,
                "%s: two candidates for %s: '%s' and '%s'; remove one", container->file,
                spl_member_name((spl_member)member),
                container->entries[selected[member]].path, path);
        }
        selected[member] = i;
    }
    return SPL_OK;
}

static spl_status refuse_repeated(const spl_container *container)
{
    for (size_t i = 0; i < container->n_entries; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(container->entries[i].path, container->entries[j].path) == 0) {
                return spl_error(SPL_ERR_FORMAT,
                    "%s: member '%s' occurs twice, as number %zu and %zu; remove one",
                    container->file, container->entries[i].path, j + 1, i + 1);
            }
        }
    }
    return SPL_OK;
}

spl_status spl_members_select(
    const spl_container *container, size_t selected[SPL_N_MEMBERS])
{
    spl_status status = SPL_OK;
    bool open[SPL_N_MEMBERS];
    for (size_t m = 0; m < SPL_N_MEMBERS; m++) {
        selected[m] = SIZE_MAX;
        open[m] = true;
    }
    SPL_TRY(refuse_repeated(container));
    SPL_TRY(select_by(find_alias, container, open, selected));
    for (size_t m = 0; m < SPL_N_MEMBERS; m++) {
        open[m] = selected[m] == SIZE_MAX;
    }
    SPL_TRY(select_by(find_part, container, open, selected));
    for (size_t m = 0; m < SPL_N_MEMBERS; m++) {
        if (open[m] && selected[m] != SIZE_MAX) {
            spl_warn(
                "%s: '%s' is taken for %s because of a part of its name; rename it to "
                "be sure",
                container->file, container->entries[selected[m]].path,
                spl_member_name((spl_member)m));
        }
    }
    if (selected[SPL_MEMBER_WEIGHTS] == SIZE_MAX) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: no member named weights (or weight) among %zu; add weights.txt or "
            "weights.npy",
            container->file, container->n_entries);
    }
out:
    return status;
}

/* The work of one thread: some members of one container. */
typedef struct load_job {
    spl_raw *raw;
    const spl_container *container;
    const size_t *selected;
    const spl_limits *limits;
    bool lengths;        /* only the tract lengths, or all the others */
    uint64_t text_bytes; /* of the largest one */
    spl_status status;
    char message[2048];
} load_job;

static spl_status load_member(load_job *job, spl_member member)
{
    spl_status status = SPL_OK;
    spl_blob blob = {0};
    const spl_entry *entry = &job->container->entries[job->selected[member]];
    const char *place = job->raw->places[member];
    bool square = member == SPL_MEMBER_WEIGHTS || member == SPL_MEMBER_LENGTHS;
    const spl_limits limits = square ? *job->limits : spl_node_limits(job->limits);
    SPL_TRY(job->container->fetch(&blob, job->container, entry, place, square, &limits));
    SPL_TRY(spl_blob_inflate(&blob, place, square, &limits));
    job->text_bytes = blob.length > job->text_bytes ? blob.length : job->text_bytes;
    if (member == SPL_MEMBER_INFO) {
        job->raw->info = blob.bytes;
        blob = (spl_blob){0};
    } else if (square && spl_is_zip(blob.bytes, blob.length)) {
        SPL_TRY(spl_sparse_npz(&job->raw->sparse[member], place, &blob, &limits));
    } else {
        SPL_TRY(
            spl_table_parse(&job->raw->tables[member], member, place, &blob, &limits));
    }
out:
    spl_blob_deinit(&blob);
    return status;
}

static void *run_job(void *argument)
{
    load_job *job = argument;
    for (size_t m = 0; m < SPL_N_MEMBERS && job->status == SPL_OK; m++) {
        if (job->selected[m] != SIZE_MAX && (m == SPL_MEMBER_LENGTHS) == job->lengths) {
            job->status = load_member(job, (spl_member)m);
        }
    }
    /* the message is kept per thread and this one ends */
    snprintf(job->message, sizeof job->message, "%s", spl_last_error());
    return NULL;
}

static spl_status name_places(
    spl_raw *raw, const spl_container *container, const size_t selected[SPL_N_MEMBERS])
{
    for (size_t m = 0; m < SPL_N_MEMBERS; m++) {
        if (selected[m] == SIZE_MAX) {
            continue;
        }
        const char *path = container->entries[selected[m]].path;
        int n = container->file != NULL
                    ? asprintf(&raw->places[m], "%s: %s", container->file, path)
                    : asprintf(&raw->places[m], "%s", path);
        if (n < 0) {
            raw->places[m] = NULL;
            return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
        }
    }
    return SPL_OK;
}

spl_status spl_members_load(spl_raw *raw, const spl_container *container,
    const size_t selected[SPL_N_MEMBERS], const spl_limits *limits)
{
    spl_status status = SPL_OK;
    load_job jobs[2];
    pthread_t thread;
    SPL_TRY(name_places(raw, container, selected));
    for (int i = 0; i < 2; i++) {
        jobs[i] = (load_job){.raw = raw,
            .container = container,
            .selected = selected,
            .limits = limits,
            .lengths = i == 1};
    }
    /* each matrix has its own thread: 998 nodes in 0.2 s */
    bool threaded = pthread_create(&thread, NULL, run_job, &jobs[1]) == 0;
    run_job(&jobs[0]);
    if (threaded) {
        pthread_join(thread, NULL);
    } else {
        run_job(&jobs[1]);
    }
    for (int i = 0; i < 2; i++) {
        if (jobs[i].status != SPL_OK) {
            SPL_FAIL(jobs[i].status, "%s", jobs[i].message);
        }
        raw->text_bytes += jobs[i].text_bytes;
    }
    for (size_t m = 0; m < SPL_N_MEMBERS; m++) {
        char separator = raw->tables[m].separator;
        if (separator == ',' || separator == ';') {
            spl_notice("%s: the separator is '%c'", raw->places[m], separator);
        }
    }
out:
    return status;
}
