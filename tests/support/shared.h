/* Where the optional test data lie: environment SPLENIUM_SHARED, default ../shared. */
#ifndef SPL_TEST_SHARED_H
#define SPL_TEST_SHARED_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Write the path of `name` below the shared folder; false, with a message, if it is
 * absent: the test then returns, which counts as skipped. */
static inline bool shared_file(char *path, size_t size, const char *name)
{
    const char *root = getenv("SPLENIUM_SHARED");
    snprintf(path, size, "%s/%s", root != NULL ? root : "../shared", name);
    if (access(path, R_OK) != 0) {
        fprintf(stderr, "# skipped: %s is absent (set SPLENIUM_SHARED)\n", path);
        return false;
    }
    return true;
}

#endif
