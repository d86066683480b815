#include "readers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "connectome/edges.h"
#include "output/convert.h"
#include "output/internal.h"
#include "output/results.h"
#include "output/survey.h"
#include "splenium/connectome.h"
#include "splenium/results.h"

static void describe(const char *path)
{
    spl_results_info *info = NULL;
    if (spl_results_describe(path, &info) == SPL_OK && info->status == NULL) {
        spl_bug_abort("what was read is whole", __FILE__, __LINE__);
    }
    spl_results_free(info);
}

static void hear(void *user, const spl_results_finding *finding)
{
    size_t *n = user;
    *n += strlen(finding->text) + strlen(finding->dataset) + strlen(finding->file);
}

static void check(const char *path)
{
    size_t n = 0;
    spl_results_info *info = NULL;
    if (spl_results_check(path, hear, &n, &info) == SPL_OK && info != NULL &&
        info->status == NULL) {
        spl_bug_abort("what was read is whole", __FILE__, __LINE__);
    }
    spl_results_free(info);
}

static void follow(const char *path)
{
    spl_watch *watch = NULL;
    spl_watch_view view;
    if (spl_watch_open(&watch, path) == SPL_OK &&
        spl_watch_look(watch, &view) == SPL_OK && view.status == NULL) {
        spl_bug_abort("what was read is whole", __FILE__, __LINE__);
    }
    spl_watch_close(watch);
}

static void take_config(const char *path)
{
    char *json = NULL;
    char sha256[SPL_SHA256_HEX];
    if (spl_results_config(path, &json, sha256) == SPL_OK) {
        free(json);
    }
}

static void survey(const char *path)
{
    spl_survey found = {0};
    if (spl_survey_make(&found, path) == SPL_OK) {
        spl_survey_find(&found, "/progress");
    }
    spl_survey_deinit(&found);
}

static void hash(const char *path)
{
    char digest[SPL_SHA256_HEX];
    if (spl_results_digest(path, digest) == SPL_OK && strlen(digest) >= sizeof digest) {
        spl_bug_abort("what was read is whole", __FILE__, __LINE__);
    }
}

/* Of the runs that the stored files are of. */
static void find_places(const char *path)
{
    static char progress[] = "/progress";
    static char code[] = "/status/code";
    static char message[] = "/status/message";
    static char rows[] = "/monitors/tavg/V";
    spl_place all[] = {{.path = progress,
                           .type = SPL_PLACE_U8,
                           .rank = 2,
                           .dims = {2, SPL_SLOT_WORDS},
                           .bytes = (uint64_t)2 * SPL_SLOT_BYTES},
        {.path = code, .type = SPL_PLACE_CODE, .bytes = 1},
        {.path = message, .type = SPL_PLACE_TEXT, .bytes = SPL_MESSAGE_BYTES},
        {.path = rows,
            .type = SPL_PLACE_F4,
            .rank = 2,
            .dims = {20, 2},
            .bytes = (uint64_t)4 * 20 * 2}};
    spl_places places = {.n = sizeof all / sizeof *all, .all = all};
    struct stat what;
    const spl_status status = spl_places_find_strictly(&places, path, false);
    for (size_t i = 0; i < places.n && status == SPL_OK; i++) {
        if (stat(path, &what) != 0 ||
            all[i].offset + all[i].bytes > (uint64_t)what.st_size) {
            spl_bug_abort("what was read is whole", __FILE__, __LINE__);
        }
    }
}

const spl_convert_plan *fuzz_plan(const char *path)
{
    enum { N_ROWS = 20, WIDTH = 2, DURABLE = 13 };
    static char label[] = "tavg";
    static char group[] = "/monitors/tavg";
    static spl_convert_stream stream = {.label = label,
        .group = group,
        .n_rows = N_ROWS,
        .width = WIDTH,
        .durable = DURABLE,
        .kept = DURABLE};
    static spl_convert_plan plan;
    plan = (spl_convert_plan){.path = path,
        .n_streams = 1,
        .streams = &stream,
        .newest = {.step = DURABLE, .n_streams = 1, .rows = {DURABLE}},
        .trim = true};
    return &plan;
}

/* What a conversion does before it writes, and when it reads its copy. */
static void read_as(const spl_convert_plan *plan, const char *path)
{
    spl_convert_list list = {.n = 0};
    if (spl_convert_read(plan, NULL, &list, NULL) == SPL_OK &&
        spl_convert_list_compare(&list, &list, path) != SPL_OK) {
        spl_bug_abort("what was read is whole", __FILE__, __LINE__);
    }
    spl_convert_list_deinit(&list);
}

void fuzz_read_planned(const char *path)
{
    read_as(fuzz_plan(path), path);
}

static void read_rows(const char *path)
{
    spl_results_info *info = NULL;
    spl_convert_plan plan = {.path = NULL};
    if (spl_convert_describe(&info, path) == SPL_OK &&
        spl_convert_plan_init(&plan, info, true) == SPL_OK) {
        read_as(&plan, path);
    }
    spl_convert_plan_deinit(&plan);
    spl_results_free(info);
}

static void load_connectome(const char *path)
{
    const spl_connectome_options options = {.file = path,
        .max_nodes = 200,
        .max_member_bytes = 1 << 20,
        .missing_lengths = SPL_MISSING_LENGTHS_ZERO,
        .normalise = SPL_NORMALISE_REGION};
    spl_connectome *c = NULL;
    spl_connectome_info info;
    if (spl_connectome_load(&c, &options) == SPL_OK &&
        spl_connectome_describe(c, false, &info) != SPL_OK) {
        spl_bug_abort("what was read is whole", __FILE__, __LINE__);
    }
    spl_connectome_free(c);
}

static void load_edges(const char *path)
{
    spl_edge_list list = {0};
    if (spl_edge_list_read_hdf5(&list, path) == SPL_OK && list.source == NULL) {
        spl_bug_abort("what was read is whole", __FILE__, __LINE__);
    }
    spl_edge_list_deinit(&list);
}

fuzz_reader *const fuzz_readers[FUZZ_N_READERS] = {describe, take_config, survey, hash,
    find_places, read_rows, check, follow, load_connectome, load_edges};
