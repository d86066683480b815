/* Parts of the resolution of spiking subnetworks. */
#ifndef SPL_CONFIG_SPIKING_H
#define SPL_CONFIG_SPIKING_H

#include "base/str.h"
#include "config/layers.h"
#include "config/settings.h"
#include "config/spiking_keys.h"
#include "splenium/connectome.h"

/* Longest places of messages: subnetworks.NAME, and a part of it that has a name. */
enum { SPL_MAX_SUBNETWORK_PLACE = 80, SPL_MAX_PLACE = 320 };

/* keys.c: maps whose keys stand in a table */

/* Read every key of a map, and the defaults of those that are absent.
 *   values   [n_rows], node NULL where the default stands
 *   place    of the map, e.g. "subnetworks.thal", for messages
 *   fields   further keys, left alone; may be NULL */
SPL_MUST_CHECK spl_status spl_read_map(spl_value *values, const spl_schema_row *rows,
    size_t n_rows, const spl_node *map, const char *place, const spl_field *fields,
    size_t n_fields);
/* The name of a row's key in its map. */
const char *spl_row_name(const spl_schema_row *row);
/* Raise "PLACE.KEY: REASON" if the key is given, at its place. */
SPL_MUST_CHECK spl_status spl_refuse_given(const spl_value *value,
    const spl_schema_row *row, const char *place, const char *reason);
/* Raise "PLACE has no KEY; add it" if the key is not given. */
SPL_MUST_CHECK spl_status spl_require_given(const spl_value *value,
    const spl_schema_row *row, const spl_node *map, const char *place);
/* Check that a node is a scalar of 1 to 64 letters, digits, '_' or '-'. */
SPL_MUST_CHECK spl_status spl_read_identifier(const spl_node *node, const char *what);

/* draws.c: one number per neuron or per synapse */

/* Read a number or a distribution.
 *   n, things   numbers that a file or a list must hold, and of what ("neurons") */
SPL_MUST_CHECK spl_status spl_read_draw(spl_draw *draw, const spl_node *node,
    const char *what, const char *unit, spl_rule rule, size_t n, const char *things);
spl_draw spl_draw_constant(double value);
/* Bounds of what a draw can give. */
double spl_draw_least(const spl_draw *draw);
double spl_draw_most(const spl_draw *draw);
/* Write a draw as spl_read_draw takes it. */
void spl_add_draw(spl_text *json, const spl_draw *draw);

/* One subnetwork while it is resolved. */
typedef struct spl_subnetwork_reading {
    spl_subnetwork_spec *spec;
    const spl_node *item; /* its map */
    char place[SPL_MAX_SUBNETWORK_PLACE];
    double dt, h; /* ms */
    spl_value values[SPL_N_SUBNETWORK_KEYS];
    /* sorted by name; populations, backgrounds and projections refer to these until
     * spl_close_receptors */
    size_t n_receptors;
    spl_receptor receptors[SPL_MAX_RECEPTORS];
    const spl_node *defined[SPL_MAX_RECEPTORS]; /* NULL: as predefined */
    size_t drive_receptor;
    bool default_network; /* no population is given */
} spl_subnetwork_reading;

/* receptors.c */
SPL_MUST_CHECK spl_status spl_read_receptors(spl_subnetwork_reading *reading);
SPL_MUST_CHECK spl_status spl_find_receptor(const spl_subnetwork_reading *reading,
    const spl_node *node, const char *name, size_t *index);
/* Give each population those receptors that something enters. */
SPL_MUST_CHECK spl_status spl_close_receptors(spl_subnetwork_reading *reading);
void spl_receptors_deinit(spl_subnetwork_reading *reading);

/* populations.c */
SPL_MUST_CHECK spl_status spl_read_populations(spl_subnetwork_reading *reading);
/* The populations of a subnetwork that names none, as YAML; NULL if the neuron model has
 * no default network. */
const char *spl_default_populations(const char *model);

/* One population while it is read. */
typedef struct spl_population_reading {
    spl_subnetwork_reading *all;
    spl_population_spec *spec;
    const spl_node *item;
    spl_value values[SPL_N_POPULATION_KEYS];
    char place[SPL_MAX_PLACE];
} spl_population_reading;

/* population_inputs.c */

/* Index of the state that a key of a map by state names; `what` is the map. */
SPL_MUST_CHECK spl_status spl_find_state(size_t *state,
    const spl_population_reading *reading, const spl_node *child, const char *what);
SPL_MUST_CHECK spl_status spl_read_currents(spl_population_reading *reading);
SPL_MUST_CHECK spl_status spl_read_backgrounds(spl_population_reading *reading);
SPL_MUST_CHECK spl_status spl_read_record(spl_population_reading *reading);

/* projections.c */
SPL_MUST_CHECK spl_status spl_read_projections(spl_subnetwork_reading *reading);

/* by_name.c */

/* Put subnetworks.NAME.KEY, subnetworks.NAME.populations.NAME.KEY and so on into a tree.
 *   path   the key without "subnetworks."; it is cut up */
SPL_MUST_CHECK spl_status spl_put_subnetwork(
    spl_node *root, char *path, const spl_layer *layer);

/* subnetworks.c */

/* Refuse a negative weight of a conductance, and events that a sub-step cannot carry. */
SPL_MUST_CHECK spl_status spl_check_weight(
    double weight, const spl_receptor *receptor, const spl_node *node, const char *place);
SPL_MUST_CHECK spl_status spl_check_events(
    double rate, double h, const spl_node *node, const char *place);

/* subnetworks_json.c */
void spl_add_subnetworks(spl_text *json, const spl_settings *settings);

#endif
