#include <stdlib.h>
#include <unistd.h>

#include "network.h"

/* The file of a case, or why there is none. Result: false if the case is to be skipped.
 */
static bool find_file(const bench_case *what, const bench_setting *setting, char *path,
    size_t size, bench_result *result)
{
    snprintf(path, size, "%s/%s", setting->data, what->file);
    if (access(path, R_OK) == 0) {
        return true;
    }
    snprintf(result->skipped, sizeof result->skipped,
        "%.300s is absent; tools/get-tvb-data fetches some, --data names their folder",
        path);
    return false;
}

spl_status bench_run(
    const bench_case *what, const bench_setting *setting, bench_result *result)
{
    static spl_status (*const runs[])(
        const bench_setting *, bench_network *, bench_result *) = {
        [BENCH_FULL] = bench_run_full,
        [BENCH_FILE] = bench_run_file,
        [BENCH_STREAM] = bench_run_stream,
        [BENCH_THREADS] = bench_run_threads,
        [BENCH_ENSEMBLE] = bench_run_ensemble,
        [BENCH_TVB] = bench_run_tvb,
    };
    spl_status status = SPL_OK;
    char path[4096];
    bench_network network = {.what = what};
    *result = (bench_result){.what = what};
    if (what->kind == BENCH_SPIKING) {
        return bench_run_spiking(setting, result);
    }
    if (what->file != NULL && !find_file(what, setting, path, sizeof path, result)) {
        return SPL_OK;
    }
    TOOL_TRY(network_init(&network, what, what->file != NULL ? path : NULL,
        what->kind == BENCH_TVB ? "tract" : "none"));
    result->load_s = network.load_s;
    TOOL_TRY(runs[what->kind](setting, &network, result));
    result->create_s = network.create_s;
out:
    network_deinit(&network);
    return status;
}
