#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/schema.h"

/* Every ratio of two units of one dimension is a whole number, so that a conversion is
 * one correctly rounded operation: 300 us is 300 / 1000 ms. */
typedef struct unit {
    const char *name;
    char dimension;
    double size;
} unit;

static const unit units[] = {
    {"us", 't', 1.0},
    {"ms", 't', 1e3},
    {"s", 't', 1e6},
    {"min", 't', 60e6},
    {"h", 't', 3600e6},
    {"mm", 'l', 1.0},
    {"cm", 'l', 10.0},
    {"m", 'l', 1e3},
    {"mm/ms", 'v', 1.0},
    {"m/s", 'v', 1.0},
    {"Hz", 'f', 1.0},
    {"kHz", 'f', 1e3},
};
enum { N_UNITS = sizeof units / sizeof *units };

static const unit *find_unit(const char *name)
{
    for (size_t i = 0; i < N_UNITS; i++) {
        if (strcmp(units[i].name, name) == 0) {
            return &units[i];
        }
    }
    return NULL;
}

static spl_status check_scalar(const spl_node *node, const char *what)
{
    if (node->kind == SPL_NODE_SCALAR) {
        return SPL_OK;
    }
    return spl_node_error(node, false, "%s is a %s; give a single value", what,
        node->kind == SPL_NODE_LIST ? "list" : "map");
}

/* Why a text is no quantity: the message lists the units that fit. */
static spl_status refuse_quantity(
    const spl_node *node, const char *what, const unit *base, const char *special)
{
    if (base == NULL) {
        return spl_node_error(node, false,
            "%s: '%s' is not a number; write it like 1.5 or 1.0e-4%s", what, node->text,
            special);
    }
    spl_text fitting = {0};
    for (size_t i = 0; i < N_UNITS; i++) {
        if (units[i].dimension == base->dimension) {
            spl_text_add(&fitting, "%s%s", fitting.length > 0 ? ", " : "", units[i].name);
        }
    }
    spl_status status = spl_node_error(node, false,
        "%s: '%s' is not a quantity; write a number in %s, or a number, a blank and one "
        "of %s%s",
        what, node->text, base->name, fitting.data != NULL ? fitting.data : "", special);
    spl_text_deinit(&fitting);
    return status;
}

static spl_status check_rule(
    const spl_node *node, const char *what, double value, spl_rule rule)
{
    if (rule == SPL_RULE_POSITIVE && !(value > 0.0)) {
        return spl_node_error(
            node, false, "%s: '%s' must be greater than 0", what, node->text);
    }
    if (rule == SPL_RULE_NOT_NEGATIVE && !(value >= 0.0)) {
        return spl_node_error(
            node, false, "%s: '%s' must not be negative", what, node->text);
    }
    return SPL_OK;
}

spl_status spl_read_quantity(double *value, const spl_node *node, const char *what,
    const char *unit_name, spl_rule rule, const char *special)
{
    spl_status status = SPL_OK;
    char digits[512];
    const unit *base = find_unit(unit_name);
    SPL_TRY(check_scalar(node, what));
    if (strcmp(special, " or none") == 0 && strcmp(node->text, "none") == 0) {
        *value = NAN;
        return SPL_OK;
    }
    bool inf = strcmp(special, " or inf") == 0;
    size_t length = strcspn(node->text, " \t");
    const char *rest = node->text + length;
    rest += strspn(rest, " \t");
    const unit *given = *rest != '\0' ? find_unit(rest) : base;
    bool fits = *rest == '\0' ||
                (base != NULL && given != NULL && given->dimension == base->dimension);
    if (length >= sizeof digits || !fits) {
        SPL_TRY(refuse_quantity(node, what, base, special));
    }
    memcpy(digits, node->text, length);
    digits[length] = '\0';
    if (!spl_parse_double(digits, inf, value)) {
        SPL_TRY(refuse_quantity(node, what, base, special));
    }
    if (given != base && isfinite(*value)) {
        *value = given->size >= base->size ? *value * (given->size / base->size)
                                           : *value / (base->size / given->size);
        if (!isfinite(*value)) {
            SPL_TRY(
                spl_node_error(node, false, "%s: '%s' is too large", what, node->text));
        }
    }
    SPL_TRY(check_rule(node, what, *value, rule));
out:
    return status;
}

static spl_status read_count(uint64_t *count, const spl_node *node, const char *what)
{
    const char *text = node->text;
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno == ERANGE) {
        return spl_node_error(node, false,
            "%s: '%s' is not a whole number from 0 to 18446744073709551615", what, text);
    }
    *count = value;
    return SPL_OK;
}

static spl_status read_flag(bool *flag, const spl_node *node, const char *what)
{
    *flag = strcmp(node->text, "true") == 0;
    if (!*flag && strcmp(node->text, "false") != 0) {
        return spl_node_error(
            node, false, "%s: '%s' is neither true nor false", what, node->text);
    }
    return SPL_OK;
}

/* Spellings that mean a word of the schema. */
static const char *canonical(const char *what, const char *word)
{
    static const char *const synonyms[][3] = {
        {"simulation.coupling_stages", "per_stage", "per-stage"},
        {"connectome.normalise", "edge", "tract"},
        {"connectome.normalise", "node", "region"},
    };
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
        if (strcmp(synonyms[i][0], what) == 0 && strcmp(synonyms[i][1], word) == 0) {
            return synonyms[i][2];
        }
    }
    return word;
}

spl_status spl_read_word(
    size_t *index, const spl_node *node, const char *what, const char *words)
{
    spl_status status = check_scalar(node, what);
    if (status != SPL_OK) {
        return status;
    }
    const char *text = canonical(what, node->text);
    size_t length = strlen(text);
    *index = 0;
    for (const char *word = words;; (*index)++) {
        const char *end = strstr(word, " | ");
        size_t n = end != NULL ? (size_t)(end - word) : strlen(word);
        if (n == length && memcmp(word, text, n) == 0) {
            return SPL_OK;
        }
        if (end == NULL) {
            break;
        }
        word = end + 3;
    }
    return spl_node_error(
        node, false, "%s: '%s' is not one of: %s", what, node->text, words);
}

/* Length of the UTF-8 character at `c` if JSON and YAML both take it as it stands, else
 * 0.
 */
static size_t printable(const unsigned char *c)
{
    if (c[0] < 0x80) {
        return c[0] >= 0x20 && c[0] != 0x7f;
    }
    size_t length = c[0] >= 0xc2 && c[0] < 0xe0   ? 2
                    : c[0] >= 0xe0 && c[0] < 0xf0 ? 3
                    : c[0] >= 0xf0 && c[0] < 0xf5 ? 4
                                                  : 0;
    uint32_t code = c[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((c[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (c[i] & 0x3fU);
    }
    bool control = code < 0xa0 && code != 0x85;
    bool surrogate = code >= 0xd800 && code < 0xe000;
    bool special = code == 0xfeff || code == 0xfffe || code == 0xffff;
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    bool overlong = code < smallest[length] || code > 0x10ffff;
    return control || surrogate || special || overlong ? 0 : length;
}

static spl_status read_text(const char **text, const spl_node *node, const char *what)
{
    const unsigned char *c = (const unsigned char *)node->text;
    while (*c != '\0') {
        size_t length = printable(c);
        if (length == 0) {
            return spl_node_error(node, false,
                "%s: byte %zu is a control character or no UTF-8; use printable text",
                what, (size_t)(c - (const unsigned char *)node->text) + 1);
        }
        c += length;
    }
    *text = node->text;
    return SPL_OK;
}

spl_status spl_read_value(
    spl_value *value, const spl_node *node, const char *what, const spl_schema_row *row)
{
    *value = (spl_value){.node = node};
    if (row->type == SPL_TYPE_TREE) {
        return SPL_OK;
    }
    spl_status status = check_scalar(node, what);
    if (status != SPL_OK) {
        return status;
    }
    switch (row->type) {
    case SPL_TYPE_COUNT:
        return read_count(&value->count, node, what);
    case SPL_TYPE_TEXT:
    case SPL_TYPE_PATH:
    case SPL_TYPE_NAME:
        return read_text(&value->text, node, what);
    case SPL_TYPE_WORD:
        return spl_read_word(&value->word, node, what, row->words);
    case SPL_TYPE_FLAG:
        return read_flag(&value->flag, node, what);
    default:
        return spl_read_quantity(
            &value->number, node, what, row->key.unit, row->rule, row->words);
    }
}

static spl_status refuse_name(const spl_node *node, bool at_key, const char *what,
    const char *word, const char *place, const char *const *names)
{
    const char *in = *place != '\0' ? " in " : "";
    const char *closest = spl_suggest(word, names);
    if (closest != NULL) {
        return spl_node_error(node, at_key, "unknown %s '%s'%s%s; did you mean '%s'?",
            what, word, in, place, closest);
    }
    spl_text known = {0};
    for (const char *const *name = names; *name != NULL; name++) {
        spl_text_add(&known, "%s%s", name == names ? "" : ", ", *name);
    }
    spl_status status = spl_node_error(node, at_key, "unknown %s '%s'%s%s; known: %s",
        what, word, in, place, known.data != NULL ? known.data : "none");
    spl_text_deinit(&known);
    return status;
}

spl_status spl_unknown_name(
    const spl_node *node, const char *what, const char *word, const char *const *names)
{
    return refuse_name(node, false, what, word, "", names);
}

spl_status spl_unknown_key(
    const spl_node *node, const char *key, const char *place, const char *const *names)
{
    return refuse_name(node, true, "key", key, place, names);
}
