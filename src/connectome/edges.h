/* A list of single connections, as text or as SONATA edges. */
#ifndef SPL_CONNECTOME_EDGES_H
#define SPL_CONNECTOME_EDGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Zero-initialise; release with spl_edge_list_deinit. */
typedef struct spl_edge_list {
    size_t n;
    uint32_t *source, *target; /* [n] */
    double *weight, *delay;    /* [n], or NULL */
} spl_edge_list;

/* Read a list.
 *   text   a connection in each row: source, target, then perhaps weight, then delay (ms)
 *   HDF5   /edges with one population, its source_node_id and target_node_id, and perhaps
 *          syn_weight and delay in its group 0, whose order is that of the edges
 * Result: SPL_OK; SPL_ERR_FILE_MISSING, _FILE_READ, _FORMAT, _LIMIT (2^31 - 1
 * connections), _NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_edge_list_read(spl_edge_list *list, const char *path);
void spl_edge_list_deinit(spl_edge_list *list);

/* edges_hdf5.c */
SPL_MUST_CHECK spl_status spl_edge_list_read_hdf5(spl_edge_list *list, const char *path);
/* Make room for n connections. */
SPL_MUST_CHECK spl_status spl_edge_list_init(
    spl_edge_list *list, const char *path, size_t n, bool weight, bool delay);

#endif
