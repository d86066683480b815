/* Parts of the resolution, one file each. */
#ifndef SPL_CONFIG_RESOLVE_H
#define SPL_CONFIG_RESOLVE_H

#include "config/layers.h"
#include "config/settings.h"
#include "splenium/connectome.h"

/* components.c: model, coupling, noise */
SPL_MUST_CHECK spl_status spl_resolve_model(
    spl_settings *settings, const spl_tree *tree, const spl_connectome *connectome);
SPL_MUST_CHECK spl_status spl_resolve_coupling(
    spl_settings *settings, const spl_tree *tree);
SPL_MUST_CHECK spl_status spl_resolve_noise(
    spl_settings *settings, const spl_tree *tree, const spl_connectome *connectome);

/* monitors.c */
SPL_MUST_CHECK spl_status spl_resolve_monitors(
    spl_settings *settings, const spl_tree *tree);

/* subnetworks.c */

/* Is this a run of subnetworks without any node: none names a region, and nothing is said
 * about a connectome? */
bool spl_subnetworks_alone(const spl_tree *tree);
SPL_MUST_CHECK spl_status spl_resolve_subnetworks(
    spl_settings *settings, const spl_tree *tree, const spl_connectome *connectome);

/* paths.c: connectome.* */

/* Options of the loader; the strings are owned, free with spl_source_deinit also after a
 * failure. The paths are absolute. */
SPL_MUST_CHECK spl_status spl_resolve_source(
    spl_connectome_options *options, const spl_tree *tree);
void spl_source_deinit(spl_connectome_options *options);

/* json.c */
SPL_MUST_CHECK spl_status spl_write_json(spl_settings *settings, const spl_tree *tree);

#endif
