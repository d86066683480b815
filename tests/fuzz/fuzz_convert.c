/* Any bytes as a results file that is copied, or, behind a "!", as what the process that
 * reads it answers: the copy is written as well. */
#include <stdio.h>
#include <unistd.h>

#include "fuzz.h"
#include "h5/h5.h"
#include "patch.h"
#include "readers.h"
#include "sandbox.h"
#include "worker.h"

static char copy_path[128];

static void copy_trimmed(const char *path, int level)
{
    spl_convert_writer *writer = NULL;
    spl_convert_list list = {.n = 0};
    unlink(copy_path);
    if (spl_convert_writer_create(&writer, copy_path, level) == SPL_OK) {
        const spl_convert_sink sink = spl_convert_writer_sink(writer);
        if (spl_convert_read(fuzz_plan(path), &sink, &list, spl_convert_writer_open) ==
                SPL_OK &&
            spl_convert_writer_close(writer) != SPL_OK) {
            spl_bug_abort("what was read is whole", __FILE__, __LINE__);
        }
    }
    spl_convert_writer_free(writer);
    spl_convert_list_deinit(&list);
    unlink(copy_path);
}

static bool copy_file(const uint8_t *data, size_t size)
{
    static const char *const stored[] = {"results/small", "results/rows", NULL};
    unsigned choice;
    /* HDF5 is done with the second in half the time */
    const bool small = size > 0 && data[0] == 'S';
    const bool good = fuzz_file_make(stored, small ? 0 : 1, data, size, &choice);
    if (good) {
        copy_trimmed(fuzz_file_path(), choice % 2);
    }
    return good;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    snprintf(copy_path, sizeof copy_path, "%s.copy", fuzz_file_path());
    fuzz_worker_start(copy_file, fuzz_file_path());
    return spl_h5_init() == SPL_OK ? 0 : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || data[0] != '!') {
        fuzz_worker_run(data, size);
        return 0;
    }
    fuzz_answer(data + 1, size - 1);
    copy_trimmed(FUZZ_BASE "/results/small", 1);
    return 0;
}
