/* Values per region: a number, a list, a file or a map by label. */
#ifndef SPL_CONFIG_REGIONS_H
#define SPL_CONFIG_REGIONS_H

#include "config/schema.h"
#include "connectome/connectome.h"

/* Fill out[n_nodes]; it holds the values that a partial map leaves alone.
 *   what    the key, for messages
 *   unit, rule   of each number */
SPL_MUST_CHECK spl_status spl_read_regions(double *out, const spl_node *node,
    const char *what, const char *unit, spl_rule rule, const spl_connectome *connectome);
/* Read N numbers from a text or .npy file named by a scalar. */
SPL_MUST_CHECK spl_status spl_read_region_file(
    double *out, const spl_node *file, const char *what, spl_rule rule, size_t n_nodes);
/* Read a list of exactly N numbers. */
SPL_MUST_CHECK spl_status spl_read_region_list(double *out, const spl_node *list,
    const char *what, const char *unit, spl_rule rule, size_t n_nodes);
/* Read a table of at most `max_rows` rows and columns from such a file. */
SPL_MUST_CHECK spl_status spl_read_table(
    spl_table *table, const spl_node *file, const char *what, size_t max_rows);
/* The same of any `n` things that bear the name `things`. */
SPL_MUST_CHECK spl_status spl_read_numbers(double *out, const spl_node *file,
    const char *what, spl_rule rule, size_t n, const char *things);
SPL_MUST_CHECK spl_status spl_read_list(double *out, const spl_node *list,
    const char *what, const char *unit, spl_rule rule, size_t n, const char *things);
/* Path of a scalar seen from its origin; the caller frees it. NULL when out of memory. */
char *spl_path_of(const spl_node *node);
/* The same as an absolute path. */
char *spl_absolute_path(const char *path);

#endif
