/* Projections of a subnetwork: who is connected to whom, with which weights and delays.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "config/regions.h"
#include "config/spiking.h"
#include "connectome/edges.h"

enum { MAX_PROJECTIONS = 4096 };

/* One projection while it is read. */
typedef struct reading {
    spl_subnetwork_reading *all;
    spl_projection_spec *spec;
    const spl_node *item;
    spl_value values[SPL_N_PROJECTION_KEYS];
    char place[SPL_MAX_PLACE];
} reading;

static spl_status no_memory(void)
{
    return spl_error(SPL_ERR_NO_MEMORY, "out of memory in the configuration");
}

/* "sub.E" is known as "E" inside the subnetwork. */
static const char *short_name(const reading *r, size_t population)
{
    return r->all->spec->populations[population].name + strlen(r->all->spec->name) + 1;
}

static spl_status find_population(size_t *index, const reading *r, size_t key)
{
    const spl_value *value = &r->values[key];
    const size_t n = r->all->spec->n_populations;
    spl_status status =
        spl_require_given(value, &spl_projection_rows[key], r->item, r->place);
    if (status != SPL_OK) {
        return status;
    }
    const char **names = calloc(n + 1, sizeof *names);
    if (names == NULL) {
        return no_memory();
    }
    *index = n;
    for (size_t p = 0; p < n; p++) {
        names[p] = short_name(r, p);
        *index = strcmp(names[p], value->text) == 0 ? p : *index;
    }
    if (*index == n) {
        status = spl_unknown_name(value->node, "population", value->text, names);
    }
    free(names);
    return status;
}

static spl_status read_receptor(reading *r)
{
    const spl_value *value = &r->values[SPL_PROJ_RECEPTOR];
    const bool excitatory = r->all->spec->populations[r->spec->from].excitatory;
    const char *name = value->node != NULL ? value->text : excitatory ? "AMPA" : "GABA_A";
    return spl_find_receptor(
        r->all, value->node != NULL ? value->node : r->item, name, &r->spec->receptor);
}

/* "E>I:AMPA", the next of that name "E>I:AMPA#2": the name of its random streams. */
static spl_status make_name(reading *r)
{
    spl_text name = {0};
    size_t same = 1;
    spl_text_add(&name, "%s>%s:%s", short_name(r, r->spec->from),
        short_name(r, r->spec->to), r->all->receptors[r->spec->receptor].name);
    for (const spl_projection_spec *p = r->all->spec->projections; p < r->spec; p++) {
        same += p->from == r->spec->from && p->to == r->spec->to &&
                p->receptor == r->spec->receptor;
    }
    if (same > 1) {
        spl_text_add(&name, "#%zu", same);
    }
    if (name.failed) {
        spl_text_deinit(&name);
        return no_memory();
    }
    r->spec->name = name.data;
    snprintf(r->place, sizeof r->place, "%s.projections.%s", r->all->place, name.data);
    return SPL_OK;
}

/* Keys that belong to other rules are errors, its own must be there. */
static spl_status check_rule_keys(const reading *r)
{
    static const struct {
        size_t key;
        spl_connect_rule rules[2];
        const char *reason;
    } checks[] = {
        {SPL_PROJ_P, {SPL_CONNECT_PAIRWISE_BERNOULLI, SPL_CONNECT_PAIRWISE_BERNOULLI},
            "unused; only rule: pairwise_bernoulli takes a probability"},
        {SPL_PROJ_K, {SPL_CONNECT_FIXED_INDEGREE, SPL_CONNECT_FIXED_OUTDEGREE},
            "unused; only rule: fixed_indegree and fixed_outdegree take a degree"},
        {SPL_PROJ_M, {SPL_CONNECT_FIXED_TOTAL_NUMBER, SPL_CONNECT_FIXED_TOTAL_NUMBER},
            "unused; only rule: fixed_total_number takes a number of connections"},
        {SPL_PROJ_FILE, {SPL_CONNECT_LIST, SPL_CONNECT_LIST},
            "unused; only rule: list takes a file"},
    };
    spl_status status = SPL_OK;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        const size_t key = checks[i].key;
        const spl_value *value = &r->values[key];
        const spl_schema_row *row = &spl_projection_rows[key];
        SPL_TRY(r->spec->rule == checks[i].rules[0] || r->spec->rule == checks[i].rules[1]
                    ? spl_require_given(value, row, r->item, r->place)
                    : spl_refuse_given(value, row, r->place, checks[i].reason));
    }
    const bool list = r->spec->rule == SPL_CONNECT_LIST;
    const size_t unused[] = {
        list ? SPL_PROJ_AUTAPSES : SPL_PROJ_SHA256, SPL_PROJ_MULTAPSES};
    for (size_t i = 0; i < (list ? 2 : 1); i++) {
        SPL_TRY(spl_refuse_given(&r->values[unused[i]], &spl_projection_rows[unused[i]],
            r->place, list ? "unused; a list says it all" : "unused without file"));
    }
out:
    return status;
}

/* "K: 900 of 800 sources ..." */
static spl_status refuse_number(
    const reading *r, size_t key, const char *what, uint64_t available)
{
    return spl_node_error(r->values[key].node, false,
        "%s.%s: %" PRIu64 " of %" PRIu64 " %s%s; lower it%s", r->place,
        spl_row_name(&spl_projection_rows[key]), r->spec->number, available, what,
        r->spec->allow_multapses ? "" : " without multapses",
        available > 0 && !r->spec->allow_multapses ? ", or allow multapses" : "");
}

/* Can the rule be met? */
static spl_status check_numbers(const reading *r)
{
    const spl_projection_spec *spec = r->spec;
    const uint64_t sources = r->all->spec->populations[spec->from].size;
    const uint64_t targets = r->all->spec->populations[spec->to].size;
    const bool excluded = spec->from == spec->to && !spec->allow_autapses;
    const uint64_t pairs = sources * targets - (excluded ? sources : 0);
    const struct {
        spl_connect_rule rule;
        size_t key;
        uint64_t available, most;
        const char *what;
    } checks[] = {
        {SPL_CONNECT_FIXED_INDEGREE, SPL_PROJ_K, sources - excluded, UINT32_MAX,
            "possible sources"},
        {SPL_CONNECT_FIXED_OUTDEGREE, SPL_PROJ_K, targets - excluded, UINT32_MAX,
            "possible targets"},
        {SPL_CONNECT_FIXED_TOTAL_NUMBER, SPL_PROJ_M, pairs, SPL_MAX_SYNAPSES,
            "possible pairs"},
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        if (spec->rule != checks[i].rule) {
            continue;
        }
        if (spec->number > (spec->allow_multapses ? 0 : checks[i].available) &&
            (checks[i].available == 0 || !spec->allow_multapses)) {
            return refuse_number(r, checks[i].key, checks[i].what, checks[i].available);
        }
        if (spec->number > checks[i].most) {
            return spl_node_error(r->values[checks[i].key].node, false,
                "%s.%s: %" PRIu64 "; at most %" PRIu64, r->place,
                spl_row_name(&spl_projection_rows[checks[i].key]), spec->number,
                checks[i].most);
        }
    }
    if (spec->rule == SPL_CONNECT_ONE_TO_ONE && sources != targets) {
        return spl_node_error(r->item, false,
            "%s: one_to_one from %" PRIu64 " to %" PRIu64
            " neurons; make the populations equal",
            r->place, sources, targets);
    }
    if (spec->rule == SPL_CONNECT_PAIRWISE_BERNOULLI && spec->p > 1.0) {
        return spl_node_error(r->values[SPL_PROJ_P].node, false,
            "%s.p: '%s' must not be above 1", r->place, r->values[SPL_PROJ_P].node->text);
    }
    return SPL_OK;
}

/* A list must be the one it was when the run was resolved, its indices must exist. */
static spl_status read_file(reading *r)
{
    spl_status status = SPL_OK;
    const spl_node *node = r->values[SPL_PROJ_FILE].node;
    const spl_value *sha256 = &r->values[SPL_PROJ_SHA256];
    spl_synapse_list *list = &r->spec->list;
    spl_edge_list edges = {0};
    char *path = spl_path_of(node);
    if (path == NULL) {
        return no_memory();
    }
    list->file = spl_absolute_path(path);
    if (list->file == NULL) {
        SPL_TRY(no_memory());
    }
    SPL_TRY(spl_edge_list_read(&edges, path));
    *list = (spl_synapse_list){.n = edges.n,
        .source = edges.source,
        .target = edges.target,
        .weight = edges.weight,
        .delay = edges.delay,
        .file = list->file};
    edges = (spl_edge_list){0};
    SPL_TRY(spl_sha256_files((const char *const[]){path}, 1, list->sha256));
    if (*sha256->text != '\0' && strcmp(sha256->text, list->sha256) != 0) {
        SPL_TRY(spl_node_error(node, false,
            "%s.file: %s is not what it was when this configuration was made; restore "
            "it, or remove sha256",
            r->place, path));
    }
    const size_t sources = r->all->spec->populations[r->spec->from].size;
    const size_t targets = r->all->spec->populations[r->spec->to].size;
    for (size_t i = 0; i < list->n; i++) {
        if (list->source[i] >= sources || list->target[i] >= targets) {
            const bool source = list->source[i] >= sources;
            SPL_TRY(spl_node_error(node, false,
                "%s.file: connection %zu of %s has %s %u; those of population %s are 0 "
                "to %zu",
                r->place, i, path, source ? "source" : "target",
                source ? list->source[i] : list->target[i],
                short_name(r, source ? r->spec->from : r->spec->to),
                (source ? sources : targets) - 1));
        }
    }
out:
    spl_edge_list_deinit(&edges);
    free(path);
    return status == SPL_ERR_FILE_MISSING || status == SPL_ERR_FILE_READ ||
                   status == SPL_ERR_FORMAT
               ? spl_node_error_prefix(node)
               : status;
}

static spl_status read_rule(reading *r)
{
    spl_status status = SPL_OK;
    spl_projection_spec *spec = r->spec;
    spec->rule = (spl_connect_rule)r->values[SPL_PROJ_RULE].word;
    SPL_TRY(check_rule_keys(r));
    spec->p =
        spec->rule == SPL_CONNECT_PAIRWISE_BERNOULLI ? r->values[SPL_PROJ_P].number : 0.0;
    spec->number = spec->rule == SPL_CONNECT_FIXED_TOTAL_NUMBER
                       ? r->values[SPL_PROJ_M].count
                       : r->values[SPL_PROJ_K].count;
    spec->allow_autapses = r->values[SPL_PROJ_AUTAPSES].flag;
    spec->allow_multapses = r->values[SPL_PROJ_MULTAPSES].flag;
    spec->by_indegree = r->values[SPL_PROJ_NORMALISE].word == 1;
    SPL_TRY(check_numbers(r));
    if (spec->rule == SPL_CONNECT_LIST) {
        SPL_TRY(read_file(r));
    }
out:
    return status;
}

/* Read the draw of a key. What it gives lies from *least to *most; so do the values of a
 * list, in whose place the draw then says nothing. */
static spl_status read_numbers(reading *r, spl_draw *draw, size_t key,
    const double *listed, double *least, double *most)
{
    spl_status status = SPL_OK;
    const spl_value *value = &r->values[key];
    const spl_schema_row *row = &spl_projection_rows[key];
    char what[SPL_MAX_PLACE + 64];
    snprintf(what, sizeof what, "%s.%s", r->place, spl_row_name(row));
    *draw = spl_draw_constant(0.0);
    if (listed != NULL) {
        SPL_TRY(spl_refuse_given(
            value, row, r->place, "unused; the file gives one for each connection"));
        const spl_draw all = {.kind = SPL_DRAW_GIVEN,
            .values = (double *)listed,
            .n_values = r->spec->list.n};
        *least = spl_draw_least(&all);
        *most = spl_draw_most(&all);
        return SPL_OK;
    }
    if (value->node == NULL && *row->key.value != '(') {
        *draw = spl_draw_constant(strtod(row->key.value, NULL));
    } else {
        SPL_TRY(spl_require_given(value, row, r->item, r->place));
        SPL_TRY(spl_read_draw(draw, value->node, what, row->key.unit, SPL_RULE_FINITE,
            r->spec->list.n, "connections"));
    }
    *least = spl_draw_least(draw);
    *most = spl_draw_most(draw);
out:
    return status;
}

static spl_status read_weight(reading *r)
{
    spl_status status = SPL_OK;
    spl_projection_spec *spec = r->spec;
    const spl_node *node = r->values[SPL_PROJ_WEIGHT].node;
    double least = 0.0;
    double most = 0.0;
    SPL_TRY(read_numbers(
        r, &spec->weight, SPL_PROJ_WEIGHT, spec->list.weight, &least, &most));
    SPL_TRY(spl_check_weight(least, &r->all->receptors[spec->receptor],
        node != NULL ? node : r->item, r->place));
out:
    return status;
}

/* A delay must come to a whole number of sub-steps, from 1 on, that the ring can hold. Of
 * random ones some may be shorter: they become one sub-step, with a warning. */
static spl_status read_delay(reading *r)
{
    spl_status status = SPL_OK;
    spl_projection_spec *spec = r->spec;
    const double h = r->all->h;
    const spl_node *node = r->values[SPL_PROJ_DELAY].node;
    double least = 0.0;
    double most = 0.0;
    SPL_TRY(
        read_numbers(r, &spec->delay, SPL_PROJ_DELAY, spec->list.delay, &least, &most));
    const bool random = spec->delay.kind == SPL_DRAW_UNIFORM ||
                        spec->delay.kind == SPL_DRAW_NORMAL ||
                        spec->delay.kind == SPL_DRAW_LOGNORMAL;
    const double needed = random ? most : least;
    if (!(needed >= 0.5 * h)) {
        SPL_TRY(spl_node_error(node != NULL ? node : r->item, false,
            "%s.delay: %.10g ms is less than half a sub-step of %.10g ms; lengthen it, "
            "or shorten substep",
            r->place, needed, h));
    }
    /* what a distribution without bound reaches shows when it is drawn */
    const double reached = isfinite(most)                           ? most
                           : spec->delay.kind == SPL_DRAW_LOGNORMAL ? exp(spec->delay.a)
                                                                    : spec->delay.a;
    if (reached > h * SPL_MAX_DELAY_STEPS) {
        SPL_TRY(spl_node_error(node != NULL ? node : r->item, false,
            "%s.delay: %.10g ms is more than %d sub-steps of %.10g ms; at most %.10g ms",
            r->place, reached, SPL_MAX_DELAY_STEPS, h, h * SPL_MAX_DELAY_STEPS));
    }
out:
    return status;
}

static spl_status read_projection(reading *r, size_t index)
{
    spl_status status = SPL_OK;
    snprintf(r->place, sizeof r->place, "%s.projections[%zu]", r->all->place, index);
    SPL_TRY(spl_read_map(r->values, spl_projection_rows, SPL_N_PROJECTION_KEYS, r->item,
        r->place, NULL, 0));
    SPL_TRY(find_population(&r->spec->from, r, SPL_PROJ_FROM));
    SPL_TRY(find_population(&r->spec->to, r, SPL_PROJ_TO));
    SPL_TRY(read_receptor(r));
    SPL_TRY(make_name(r));
    SPL_TRY(read_rule(r));
    SPL_TRY(read_weight(r));
    SPL_TRY(read_delay(r));
out:
    return status;
}

static spl_status read_list(spl_subnetwork_reading *all, const spl_node *list)
{
    spl_status status = SPL_OK;
    reading *r = NULL;
    if (list->kind != SPL_NODE_LIST || list->n_children > MAX_PROJECTIONS) {
        SPL_TRY(spl_node_error(list, false,
            "%s.projections must be a list of at most %d maps, e.g. [{from: E, to: I, K: "
            "80, weight: 0.012}]",
            all->place, MAX_PROJECTIONS));
    }
    r = malloc(sizeof *r);
    all->spec->projections = calloc(list->n_children + 1, sizeof *all->spec->projections);
    if (r == NULL || all->spec->projections == NULL) {
        SPL_TRY(no_memory());
    }
    for (const spl_node *item = list->first; item != NULL; item = item->next) {
        const size_t index = all->spec->n_projections++;
        *r = (reading){.all = all, .spec = &all->spec->projections[index], .item = item};
        SPL_TRY(read_projection(r, index));
    }
out:
    free(r);
    return status;
}

/* The network COBA-IZ: every neuron has the same in-degrees, and weights of the order 1/K
 * keep the mean input whatever K is. */
static spl_status make_default(spl_text *text, const spl_subnetwork_reading *all)
{
    static const char *const names[] = {"E", "I"};
    const spl_value *K = &all->values[SPL_SUB_K];
    if (K->count == 0 || K->count > UINT32_MAX) {
        return spl_node_error(K->node, false, "%s.K: %" PRIu64 "; from 1 to %u",
            all->place, K->count, UINT32_MAX);
    }
    const double total = (double)K->count;
    const double inhibitory = rint(all->values[SPL_SUB_INHIBITORY].number * total);
    const double K_of[] = {total - inhibitory, inhibitory};
    const double weight[] = {1.2 / total, 20.0 / total};
    const char *separator = "[";
    for (size_t from = 0; from < 2; from++) {
        for (size_t to = 0; to < 2 && K_of[from] > 0.0; to++) {
            spl_text_add(text, "%s{from: %s, to: %s, K: %.0f, weight: %.17g}", separator,
                names[from], names[to], K_of[from], weight[from]);
            separator = ", ";
        }
    }
    spl_text_add(text, "]");
    return text->failed ? no_memory() : SPL_OK;
}

spl_status spl_read_projections(spl_subnetwork_reading *all)
{
    spl_status status = SPL_OK;
    spl_text text = {0};
    spl_node *made = NULL;
    const spl_node *list = all->values[SPL_SUB_PROJECTIONS].node;
    const bool usual =
        list == NULL && all->default_network &&
        strcmp(all->spec->populations[0].model->name, "izhikevich_ltc") == 0;
    if (!usual) {
        SPL_TRY(spl_refuse_given(&all->values[SPL_SUB_K], &spl_subnetwork_rows[SPL_SUB_K],
            all->place, "unused; it is the in-degree of the default network"));
    } else {
        SPL_TRY(make_default(&text, all));
        SPL_TRY(spl_parse_yaml(&made, text.data, text.length, all->item->origin));
        for (spl_node *item = made->first; item != NULL; item = item->next) {
            item->line = all->item->line;
            item->column = all->item->column;
        }
        list = made;
    }
    if (list != NULL) {
        SPL_TRY(read_list(all, list));
    }
out:
    spl_node_free(made);
    spl_text_deinit(&text);
    return status;
}
