/* Any bytes as a results file, checked, followed and taken as a configuration, or as what
 * the process that reads it answers. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "output/results.h"
#include "output/survey.h"
#include "sandbox.h"
#include "splenium/results.h"

static void hear(void *user, const spl_results_finding *finding)
{
    size_t *n = user;
    *n += strlen(finding->text) + strlen(finding->dataset) + strlen(finding->file);
}

/* What is good enough for a check is followed too. */
static void check(const char *path)
{
    size_t n = 0;
    spl_results_info *info = NULL;
    spl_watch *watch = NULL;
    spl_watch_view view;
    if (spl_results_check(path, hear, &n, &info) != SPL_OK || info == NULL) {
        return;
    }
    if (info->status == NULL) {
        __builtin_trap();
    }
    spl_results_free(info);
    if (spl_watch_open(&watch, path) == SPL_OK &&
        spl_watch_look(watch, &view) == SPL_OK && view.status == NULL) {
        __builtin_trap();
    }
    spl_watch_close(watch);
}

static void read_all(const char *path)
{
    char *json = NULL;
    char sha256[SPL_SHA256_HEX];
    spl_survey survey = {0};
    check(path);
    if (spl_results_config(path, &json, sha256) == SPL_OK) {
        free(json);
    }
    /* an answer that describes nothing may be a survey */
    if (spl_survey_make(&survey, path) == SPL_OK) {
        spl_survey_find(&survey, "/progress");
    }
    spl_survey_deinit(&survey);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read(data, size, read_all);
    return 0;
}
