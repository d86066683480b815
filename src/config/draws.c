/* One number per neuron or per synapse: a constant, a distribution, or all of them. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/regions.h"
#include "config/spiking.h"

spl_draw spl_draw_constant(double value)
{
    return (spl_draw){
        .kind = SPL_DRAW_CONSTANT, .a = value, .low = -INFINITY, .high = INFINITY};
}

/* Least (sign 1) or most (sign -1) of the values given. */
static double extreme(const spl_draw *draw, double sign)
{
    double found = INFINITY;
    for (size_t i = 0; i < draw->n_values; i++) {
        found = fmin(found, sign * draw->values[i]);
    }
    return sign * found;
}

double spl_draw_least(const spl_draw *draw)
{
    switch (draw->kind) {
    case SPL_DRAW_NORMAL:
        return draw->b > 0.0 ? draw->low : fmax(draw->a, draw->low);
    case SPL_DRAW_LOGNORMAL:
        return draw->b > 0.0 ? 0.0 : exp(draw->a);
    case SPL_DRAW_GIVEN:
        return extreme(draw, 1.0);
    default:
        return draw->a;
    }
}

double spl_draw_most(const spl_draw *draw)
{
    switch (draw->kind) {
    case SPL_DRAW_CONSTANT:
        return draw->a;
    case SPL_DRAW_NORMAL:
        return draw->b > 0.0 ? draw->high : fmin(draw->a, draw->high);
    case SPL_DRAW_LOGNORMAL:
        return draw->b > 0.0 ? INFINITY : exp(draw->a);
    case SPL_DRAW_GIVEN:
        return extreme(draw, -1.0);
    default:
        return draw->b;
    }
}

/* Two numbers of a list; the second in the same unit. */
static spl_status read_pair(spl_draw *draw, const spl_node *node, const char *what,
    const char *unit, const char *names)
{
    spl_status status = SPL_OK;
    if (node->kind != SPL_NODE_LIST || node->n_children != 2) {
        SPL_TRY(spl_node_error(node, false, "%s must be two numbers, %s", what, names));
    }
    SPL_TRY(spl_read_quantity(&draw->a, node->first, what, unit, SPL_RULE_FINITE, ""));
    SPL_TRY(spl_read_quantity(&draw->b, node->last, what, unit, SPL_RULE_FINITE, ""));
out:
    return status;
}

static spl_status read_uniform(
    spl_draw *draw, const spl_node *node, const char *what, const char *unit)
{
    spl_status status = SPL_OK;
    draw->kind = SPL_DRAW_UNIFORM;
    SPL_TRY(read_pair(draw, node, what, unit, "[low, high]"));
    if (draw->a > draw->b) {
        SPL_TRY(spl_node_error(node, false,
            "%s: the range [%.10g, %.10g] is upside down; give [low, high]", what,
            draw->a, draw->b));
    }
out:
    return status;
}

static spl_status read_normal(spl_draw *draw, const spl_node *map, const spl_node *node,
    const char *what, const char *unit)
{
    spl_status status = SPL_OK;
    const spl_node *low = spl_node_find(map, "low");
    const spl_node *high = spl_node_find(map, "high");
    draw->kind = SPL_DRAW_NORMAL;
    SPL_TRY(read_pair(draw, node, what, unit, "[mean, sd]"));
    if (draw->b < 0.0) {
        SPL_TRY(spl_node_error(
            node, false, "%s: the standard deviation must not be negative", what));
    }
    if (low != NULL) {
        SPL_TRY(spl_read_quantity(&draw->low, low, what, unit, SPL_RULE_FINITE, ""));
    }
    if (high != NULL) {
        SPL_TRY(spl_read_quantity(&draw->high, high, what, unit, SPL_RULE_FINITE, ""));
    }
    if (draw->low > draw->high) {
        SPL_TRY(spl_node_error(
            low, true, "%s: low %.10g is above high %.10g", what, draw->low, draw->high));
    }
out:
    return status;
}

static spl_status read_lognormal(spl_draw *draw, const spl_node *node, const char *what)
{
    static const char *const names[] = {"log_mean", "log_sd", NULL};
    spl_status status = SPL_OK;
    const spl_node *mean = spl_node_find(node, names[0]);
    const spl_node *sd = spl_node_find(node, names[1]);
    draw->kind = SPL_DRAW_LOGNORMAL;
    if (node->kind != SPL_NODE_MAP) {
        SPL_TRY(spl_node_error(node, false,
            "%s: lognormal must be {log_mean: m, log_sd: s}, both of the logarithm",
            what));
    }
    for (const spl_node *child = node->first; child != NULL; child = child->next) {
        if (child != mean && child != sd) {
            SPL_TRY(spl_unknown_key(child, child->key, what, names));
        }
    }
    if (mean == NULL || sd == NULL) {
        SPL_TRY(spl_node_error(
            node, false, "%s: lognormal needs both log_mean and log_sd", what));
    }
    SPL_TRY(spl_read_quantity(&draw->a, mean, what, "1", SPL_RULE_FINITE, ""));
    SPL_TRY(spl_read_quantity(&draw->b, sd, what, "1", SPL_RULE_NOT_NEGATIVE, ""));
out:
    return status;
}

static spl_status read_given(spl_draw *draw, const spl_node *file, const spl_node *list,
    const char *what, const char *unit, size_t n, const char *things)
{
    draw->kind = SPL_DRAW_GIVEN;
    if (n == 0) {
        return spl_node_error(file != NULL ? file : list, true,
            "%s: single numbers for unnumbered %s; give a number or a distribution", what,
            things);
    }
    draw->values = calloc(n, sizeof *draw->values);
    if (draw->values == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", what);
    }
    draw->n_values = n;
    return file != NULL
               ? spl_read_numbers(draw->values, file, what, SPL_RULE_FINITE, n, things)
               : spl_read_list(
                     draw->values, list, what, unit, SPL_RULE_FINITE, n, things);
}

static spl_status read_distribution(spl_draw *draw, const spl_node *map, const char *what,
    const char *unit, size_t n, const char *things)
{
    enum { UNIFORM, NORMAL, LOGNORMAL, FILE_, VALUES, N_KINDS };
    static const char *const names[] = {
        "uniform", "normal", "lognormal", "file", "values", "low", "high", NULL};
    spl_status status = SPL_OK;
    const spl_node *found[N_KINDS];
    const spl_node *kind = NULL;
    for (const spl_node *child = map->first; child != NULL; child = child->next) {
        size_t i = 0;
        while (names[i] != NULL && strcmp(names[i], child->key) != 0) {
            i++;
        }
        if (names[i] == NULL) {
            SPL_TRY(spl_unknown_key(child, child->key, what, names));
        }
        if (i < N_KINDS && kind != NULL) {
            SPL_TRY(spl_node_error(child, true, "%s: both %s and %s; give one", what,
                kind->key, child->key));
        }
        kind = i < N_KINDS ? child : kind;
    }
    for (size_t i = 0; i < N_KINDS; i++) {
        found[i] = spl_node_find(map, names[i]);
    }
    if (kind == NULL || (kind != found[NORMAL] && map->n_children > 1)) {
        SPL_TRY(spl_node_error(map, false,
            "%s: no distribution; give a number, {uniform: [low, high]}, {normal: [mean, "
            "sd], low: x, high: y}, {lognormal: {log_mean: m, log_sd: s}}, {file: F} or "
            "{values: [...]}",
            what));
    }
    SPL_TRY(found[UNIFORM] != NULL  ? read_uniform(draw, kind, what, unit)
            : found[NORMAL] != NULL ? read_normal(draw, map, kind, what, unit)
            : found[LOGNORMAL] != NULL
                ? read_lognormal(draw, kind, what)
                : read_given(draw, found[FILE_], found[VALUES], what, unit, n, things));
out:
    return status;
}

spl_status spl_read_draw(spl_draw *draw, const spl_node *node, const char *what,
    const char *unit, spl_rule rule, size_t n, const char *things)
{
    spl_status status = SPL_OK;
    *draw = spl_draw_constant(0.0);
    if (node->kind == SPL_NODE_LIST) {
        SPL_TRY(spl_node_error(node, false,
            "%s is a list; give a number, {uniform: [low, high]} or {values: [...]}",
            what));
    }
    SPL_TRY(node->kind == SPL_NODE_SCALAR
                ? spl_read_quantity(&draw->a, node, what, unit, rule, "")
                : read_distribution(draw, node, what, unit, n, things));
    const double least = spl_draw_least(draw);
    const double most = spl_draw_most(draw);
    const bool bad = (rule == SPL_RULE_POSITIVE && !(least > 0.0) &&
                         draw->kind != SPL_DRAW_LOGNORMAL) ||
                     (rule == SPL_RULE_NOT_NEGATIVE && !(least >= 0.0));
    if (bad) {
        SPL_TRY(spl_node_error(node, false,
            "%s: the distribution reaches down to %.10g; it must be %s%s", what, least,
            rule == SPL_RULE_POSITIVE ? "greater than 0" : "at least 0",
            draw->kind == SPL_DRAW_NORMAL ? ", set low" : ""));
    }
    if ((isfinite(least) && fabs(least) > FLT_MAX) ||
        (isfinite(most) && fabs(most) > FLT_MAX)) {
        SPL_TRY(spl_node_error(
            node, false, "%s: %.10g is too large", what, isfinite(most) ? most : least));
    }
out:
    return status;
}

static void add_pair(spl_text *json, const spl_draw *draw)
{
    spl_text_add(json, "[");
    spl_text_add_json_double(json, draw->a);
    spl_text_add(json, ", ");
    spl_text_add_json_double(json, draw->b);
    spl_text_add(json, "]");
}

void spl_add_draw(spl_text *json, const spl_draw *draw)
{
    switch (draw->kind) {
    case SPL_DRAW_CONSTANT:
        spl_text_add_json_double(json, draw->a);
        return;
    case SPL_DRAW_UNIFORM:
        spl_text_add(json, "{\"uniform\": ");
        add_pair(json, draw);
        break;
    case SPL_DRAW_NORMAL:
        spl_text_add(json, "{\"normal\": ");
        add_pair(json, draw);
        if (isfinite(draw->low)) {
            spl_text_add(json, ", \"low\": ");
            spl_text_add_json_double(json, draw->low);
        }
        if (isfinite(draw->high)) {
            spl_text_add(json, ", \"high\": ");
            spl_text_add_json_double(json, draw->high);
        }
        break;
    case SPL_DRAW_LOGNORMAL:
        spl_text_add(json, "{\"lognormal\": {\"log_mean\": ");
        spl_text_add_json_double(json, draw->a);
        spl_text_add(json, ", \"log_sd\": ");
        spl_text_add_json_double(json, draw->b);
        spl_text_add(json, "}");
        break;
    case SPL_DRAW_GIVEN:
        spl_text_add(json, "{\"values\": [");
        for (size_t i = 0; i < draw->n_values; i++) {
            spl_text_add(json, "%s", i > 0 ? ", " : "");
            spl_text_add_json_double(json, draw->values[i]);
        }
        spl_text_add(json, "]");
        break;
    }
    spl_text_add(json, "}");
}
