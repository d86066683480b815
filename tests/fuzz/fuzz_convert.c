/* Any bytes as a results file that is copied, or as what the process that reads it
 * answers: the copy is written as well. */
#include <stdio.h>
#include <unistd.h>

#include "fuzz.h"
#include "h5/h5.h"
#include "output/convert.h"
#include "sandbox.h"

/* Of the run that the stored inputs are of, but trimmed. */
enum { N_ROWS = 20, WIDTH = 2, DURABLE = 13, LEVEL = 1 };

static void copy_trimmed(const char *path)
{
    static char label[] = "tavg";
    static char group[] = "/monitors/tavg";
    spl_convert_stream stream = {.label = label,
        .group = group,
        .n_rows = N_ROWS,
        .width = WIDTH,
        .durable = DURABLE,
        .kept = DURABLE};
    const spl_convert_plan plan = {.path = path,
        .n_streams = 1,
        .streams = &stream,
        .newest = {.step = DURABLE, .n_streams = 1, .rows = {DURABLE}},
        .trim = true};
    char copy[128];
    spl_convert_writer *writer = NULL;
    spl_convert_list list = {.n = 0};
    snprintf(copy, sizeof copy, "%s/splenium-fuzz-%d.copy",
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
    unlink(copy);
    if (spl_h5_init() == SPL_OK &&
        spl_convert_writer_create(&writer, copy, LEVEL) == SPL_OK) {
        const spl_convert_sink sink = spl_convert_writer_sink(writer);
        if (spl_convert_read(&plan, &sink, &list, spl_convert_writer_open) == SPL_OK &&
            spl_convert_writer_close(writer) != SPL_OK) {
            __builtin_trap();
        }
    }
    spl_convert_writer_free(writer);
    spl_convert_list_deinit(&list);
    unlink(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read(data, size, copy_trimmed);
    return 0;
}
