/* Every dataset of a file from strangers, group after group. For the sandbox's child.
 * Include behind hdf5.h. */
#ifndef SPL_H5_WALK_H
#define SPL_H5_WALK_H

#include "h5/strict.h"

/* Called for what is no group.
 *   path   of the group, "" for the root
 *   name   in the group */
typedef spl_status spl_h5_visit(
    void *user, hid_t group, const char *path, const char *name);

/* Visit all datasets of a file in the order of their names.
 * Result: SPL_OK; SPL_ERR_FORMAT for more links or levels than results have; what `visit`
 * returned; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_h5_walk(
    hid_t file, const spl_h5_source *source, spl_h5_visit *visit, void *user);

#endif
