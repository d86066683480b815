/* Sparse matrices in HDF5: a group of the datasets data, indices and indptr, and the
 * shape as a dataset or an attribute. Include behind hdf5.h's users only: it speaks HDF5.
 */
#ifndef SPL_CONNECTOME_HDF5_SPARSE_H
#define SPL_CONNECTOME_HDF5_SPARSE_H

#include "connectome/connectome.h"
#include "h5/sandbox.h"
#include "h5/strict.h"

/* Kinds of records, those of the lengths behind those of the weights. */
enum { SPL_SPARSE_KINDS = 200, SPL_SPARSE_KINDS_END = SPL_SPARSE_KINDS + 8 };

/* In the child: send the matrix of a member.
 *   parent, path   the group that holds the member's group, and its name
 *   pattern        group of the weights, if their indices may stand in for missing ones
 *                  and are not sent twice; or -1
 *   group          receives the member's group, to be closed by the caller */
SPL_MUST_CHECK spl_status spl_h5_send_sparse(int fd, const spl_h5_source *source,
    hid_t parent, const char *path, spl_member member, hid_t pattern, hid_t *group);

/* In the parent: what has arrived of the two matrices. */
typedef struct spl_sparse_arrival {
    bool announced, own_pattern;
    size_t n_start, n_source, n_data;
    size_t start_room, source_room, data_room;
} spl_sparse_arrival;

/* Take a record of these kinds. Result: SPL_OK; SPL_ERR_FORMAT if it is nonsense;
 * SPL_ERR_LIMIT, _NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_h5_take_sparse(spl_raw *raw, spl_sparse_arrival arrivals[2],
    spl_sandbox *sandbox, const spl_sandbox_record *record);
/* Is all there that was announced? */
bool spl_h5_has_arrived(const spl_raw *raw, const spl_sparse_arrival arrivals[2]);

#endif
