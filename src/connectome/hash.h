/* Identity of a connectome: what a checkpoint must agree in. */
#ifndef SPL_CONNECTOME_HASH_H
#define SPL_CONNECTOME_HASH_H

#include "base/sha256.h"
#include "splenium/connectome.h"

/* Hash what a run uses of a connectome: number of nodes, entries, weights, lengths. NULL,
 * a run without nodes, has a hash too. */
void spl_connectome_hash(const spl_connectome *connectome, char hex[SPL_SHA256_HEX]);

#endif
