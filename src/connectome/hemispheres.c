#include "connectome/connectome.h"

#include <string.h>
#include <strings.h>

typedef struct side_rule {
    const char *right, *left;
    bool suffix;
    const char *name;
} side_rule;

/* The longer, the less likely by chance: TVB's bare letters come last. */
static const side_rule rules[] = {
    {"_r", "_l", true, "derived: label suffix _r/_l"},
    {"rh", "lh", false, "derived: label prefix rh/lh"},
    {"right", "left", false, "derived: label prefix right/left"},
    {"r_", "l_", false, "derived: label prefix r_/l_"},
    {"r", "l", false, "derived: label prefix r/l"},
    {"r", "l", true, "derived: label suffix r/l"},
};

static bool has(const char *label, const char *part, bool suffix)
{
    size_t length = strlen(label);
    size_t part_length = strlen(part);
    return length >= part_length &&
           strncasecmp(
               suffix ? label + length - part_length : label, part, part_length) == 0;
}

/* A rule holds if it covers every label and finds both sides; one-sided matches are
 * mistakes such as a common prefix "RM-" of left and right regions. */
static bool apply(
    const side_rule *rule, const char *const *labels, size_t n_nodes, int8_t *hemispheres)
{
    size_t n_right = 0;
    for (size_t i = 0; i < n_nodes; i++) {
        bool right = has(labels[i], rule->right, rule->suffix);
        if (!right && !has(labels[i], rule->left, rule->suffix)) {
            return false;
        }
        hemispheres[i] = right;
        n_right += right;
    }
    return n_right > 0 && n_right < n_nodes;
}

bool spl_hemispheres_derive(
    const char *const *labels, size_t n_nodes, int8_t *hemispheres, const char **rule)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (apply(&rules[i], labels, n_nodes, hemispheres)) {
            *rule = rules[i].name;
            return true;
        }
    }
    *rule = "unknown";
    return false;
}
