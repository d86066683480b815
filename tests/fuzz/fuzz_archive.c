/* Any bytes as a zip archive, up to a connectome with its description. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "connectome/connectome.h"
#include "fuzz.h"

/* The two matrices of an archive are parsed at the same time if there is a thread for the
 * second; here there is none, which is quicker and reaches the same code each time. */
static bool is_parsing;

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
    void *(*start)(void *), void *argument);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
    void *(*start)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
    void *(*start)(void *), void *argument)
{
    return is_parsing ? EAGAIN
                      : __real_pthread_create(thread, attributes, start, argument);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const spl_limits limits = {.max_nodes = 200, .max_member_bytes = 1 << 14};
    static const spl_connectome_options options = {
        .missing_lengths = SPL_MISSING_LENGTHS_ZERO, .normalise = SPL_NORMALISE_REGION};
    spl_blob blob = {0};
    spl_raw raw = {0};
    spl_connectome *c = NULL;
    spl_connectome_info info;
    is_parsing = true;
    if (spl_blob_append(&blob, data, size, "fuzz", size, false, &limits) == SPL_OK &&
        spl_zip_parse(&raw, "fuzz", &blob, &limits) == SPL_OK &&
        spl_assemble(&c, &raw, "fuzz", &options) == SPL_OK &&
        spl_connectome_describe(c, false, &info) != SPL_OK) {
        spl_bug_abort("described", __FILE__, __LINE__);
    }
    is_parsing = false;
    spl_connectome_free(c);
    spl_raw_deinit(&raw);
    spl_blob_deinit(&blob);
    return 0;
}
