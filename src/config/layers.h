/* Layers of a configuration and the one tree they make: preset, file, --set. */
#ifndef SPL_CONFIG_LAYERS_H
#define SPL_CONFIG_LAYERS_H

#include "base/sha256.h"
#include "config/schema.h"
#include "config/tree.h"
#include "splenium/config.h"
#include "splenium/coupling.h"
#include "splenium/model.h"

/* One --set: origin first, because nodes point to it. */
typedef struct spl_layer {
    spl_origin origin;
    char *key;
    spl_node *value;
} spl_layer;

struct spl_config {
    spl_origin origin; /* of the file */
    char *text;        /* the file verbatim; "" if none */
    spl_node *root;    /* of the file; NULL if none */
    size_t n_sets;
    spl_layer **sets;
    /* of a results file, else NULL and "" */
    char *rerun;                 /* default of output.file */
    char *results;               /* its absolute path */
    char sha256[SPL_SHA256_HEX]; /* of the files its connectome was read from */
};

/* Everything set, with the values of all keys of fixed name. Zero-initialise. */
typedef struct spl_tree {
    spl_node *root;
    spl_origin preset_origin, default_origin;
    const spl_model *model;
    const spl_preset *preset; /* or NULL */
    const spl_coupling *coupling;
    spl_node *defaults; /* list of scalars that the values refer to */
    spl_value values[SPL_N_KEYS];
} spl_tree;

/* Put all layers together, check every key and read the keys of fixed name.
 * Result: SPL_OK; SPL_ERR_CONFIG or, if --set is to blame, SPL_ERR_USAGE;
 * SPL_ERR_NO_MEMORY. Release with spl_tree_deinit also after a failure. */
SPL_MUST_CHECK spl_status spl_tree_build(spl_tree *tree, const spl_config *config);
void spl_tree_deinit(spl_tree *tree);

/* Put one setting into a tree: a dotted path, the value is copied. */
SPL_MUST_CHECK spl_status spl_layer_apply(spl_node *root, const spl_layer *layer);
/* Check names and types as far as that is possible without knowing the components; these
 * are NULL, or both are given. */
SPL_MUST_CHECK spl_status spl_check_keys(
    const spl_node *root, const spl_model *model, const spl_coupling *coupling);
/* The monitors of a run that names none, as YAML. */
extern const char spl_default_monitors[];

#endif
