#include "connectome/hash.h"

static void add_edges(spl_sha256 *hash, const spl_connectome *connectome)
{
    const uint64_t n_nodes = spl_connectome_n_nodes(connectome);
    spl_edges edges;
    spl_connectome_edges(connectome, &edges);
    spl_sha256_add(hash, &n_nodes, sizeof n_nodes);
    if (edges.start != NULL) {
        spl_sha256_add(hash, edges.start, (n_nodes + 1) * sizeof *edges.start);
        spl_sha256_add(hash, edges.source, edges.n_entries * sizeof *edges.source);
    }
    spl_sha256_add(hash, edges.weights, edges.n_entries * sizeof *edges.weights);
    spl_sha256_add(
        hash, edges.tract_lengths, edges.n_entries * sizeof *edges.tract_lengths);
}

void spl_connectome_hash(const spl_connectome *connectome, char hex[SPL_SHA256_HEX])
{
    spl_sha256 hash;
    spl_sha256_start(&hash);
    if (connectome != NULL) {
        add_edges(&hash, connectome);
    }
    spl_sha256_end(&hash, hex);
}
