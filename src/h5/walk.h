/* Every dataset of a file from strangers, group after group. For the sandbox's child.
 * Include behind hdf5.h. */
#ifndef SPL_H5_WALK_H
#define SPL_H5_WALK_H

#include "h5/strict.h"

/* Called for each group, the root too, before what is in it. */
typedef spl_status spl_h5_enter(void *user, hid_t group, const char *path);
/* Called for what is no group.
 *   path   of the group, "" for the root
 *   name   in the group */
typedef spl_status spl_h5_visit(
    void *user, hid_t group, const char *path, const char *name);

/* Visit all datasets of a file, group after group in the order of their names.
 *   max_links   that a group may have
 *   enter       may be NULL
 * Result: SPL_OK; SPL_ERR_FORMAT for more links or levels than results have; what `enter`
 * or `visit` returned; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_h5_walk(hid_t file, const spl_h5_source *source,
    uint64_t max_links, spl_h5_enter *enter, spl_h5_visit *visit, void *user);

#endif
