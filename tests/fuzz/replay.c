/* Run a fuzz target on stored inputs, on every prefix of each and with single bytes
 * changed: an ordinary regression test, without libFuzzer. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { MAX_BYTES = 1 << 20, MAX_VARIANTS = 100 };

static void run_variants(const uint8_t *bytes, size_t n)
{
    size_t step = n / MAX_VARIANTS + 1;
    /* an allocation of exact size shows an overrun to the sanitizers */
    for (size_t length = 0; length <= n; length += step) {
        uint8_t *copy = malloc(length + (length == 0));
        if (copy == NULL) {
            exit(EXIT_FAILURE);
        }
        memcpy(copy, bytes, length);
        LLVMFuzzerTestOneInput(copy, length);
        free(copy);
    }
    for (size_t i = 0; i < n; i += step) {
        static const uint8_t changes[] = {0x01, 0x80, 0xFF};
        uint8_t *copy = malloc(n);
        if (copy == NULL) {
            exit(EXIT_FAILURE);
        }
        memcpy(copy, bytes, n);
        copy[i] ^= changes[i % 3];
        LLVMFuzzerTestOneInput(copy, n);
        free(copy);
    }
    LLVMFuzzerTestOneInput(bytes, n);
}

/* Result: the number of inputs in a folder; 0 if it cannot be read. */
static size_t run_folder(const char *folder)
{
    static uint8_t bytes[MAX_BYTES];
    size_t n_files = 0;
    struct dirent *entry;
    DIR *dir = opendir(folder);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = entry->d_name[0] != '.' ? fopen(path, "rb") : NULL;
        if (file != NULL) {
            run_variants(bytes, fread(bytes, 1, sizeof bytes, file));
            fclose(file);
            n_files++;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return n_files;
}

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize != NULL && LLVMFuzzerInitialize(&argc, &argv) != 0) {
        return EXIT_FAILURE;
    }
    for (int i = 1; i < argc; i++) {
        const size_t n_files = run_folder(argv[i]);
        printf("%s: %zu inputs\n", argv[i], n_files);
        if (n_files == 0) {
            return EXIT_FAILURE;
        }
    }
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
