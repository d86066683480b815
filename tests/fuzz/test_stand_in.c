/* Of a whole file the stand-in tells what HDF5 tells: the digests are those that
 * `splenium verify --digest` prints for the files of base/results. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "splenium/results.h"
#include "stand_in.h"

static const struct {
    const char *structure, *file, *digest;
} stored[] = {
    {FUZZ_BASE "/structure/small", FUZZ_BASE "/results/small",
        "8f4f201dac8d9d0e482757656115b2e0a703569a92785c4bc5e7f3cbb68203fc"},
    {FUZZ_BASE "/structure/spiking", FUZZ_BASE "/results/spiking",
        "35f58e5a6ac3a2bb814bdf0fcc6d4d9d177d047b2c000d3a8881160b58ac7e4d"},
};
enum { N_STORED = sizeof stored / sizeof *stored };

int main(void)
{
    bool all = true;
    printf("1..%d\n", N_STORED);
    for (size_t i = 0; i < N_STORED; i++) {
        char digest[65] = "";
        fuzz_stand_in_load(i, stored[i].structure);
        fuzz_stand_in_show(i, NULL, 0);
        const bool same = spl_results_digest(stored[i].file, digest) == SPL_OK &&
                          strcmp(digest, stored[i].digest) == 0;
        printf("%s %zu %s\n", same ? "ok" : "not ok", i + 1, stored[i].file);
        all = all && same;
    }
    /* reading processes leave memory to the system, here and to no sanitizer */
    fflush(stdout);
    _exit(all ? 0 : 1);
}
