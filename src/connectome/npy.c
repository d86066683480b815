/* The .npy format, versions 1 to 3: NumPy's "NEP 1, a simple file format". */
#include "connectome/connectome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct npy_header {
    char descr[16];
    bool fortran_order;
    size_t rank;
    size_t shape[2];
    bool has_descr, has_order, has_shape;
} npy_header;

typedef struct npy_type {
    const char *descr;
    size_t bytes;
    double (*get)(const void *item);
} npy_type;

/* Items lie unaligned in the blob, hence memcpy. */
#define GETTER(name, type)                  \
    static double name(const void *item)    \
    {                                       \
        type value;                         \
        memcpy(&value, item, sizeof value); \
        return (double)value;               \
    }
GETTER(get_f4, float)
GETTER(get_f8, double)
GETTER(get_i4, int32_t)
GETTER(get_i8, int64_t)
GETTER(get_u1, uint8_t)

static const npy_type types[] = {{"<f8", 8, get_f8}, {"<f4", 4, get_f4},
    {"<i4", 4, get_i4}, {"<i8", 8, get_i8}, {"|u1", 1, get_u1}, {"|b1", 1, get_u1}};

bool spl_is_npy(const char *bytes, size_t length)
{
    return length >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0;
}

static void skip_blanks(const char **c, const char *end)
{
    while (*c < end && (**c == ' ' || **c == '\t' || **c == '\n')) {
        ++*c;
    }
}

static bool take(const char **c, const char *end, char wanted)
{
    skip_blanks(c, end);
    if (*c < end && **c == wanted) {
        ++*c;
        return true;
    }
    return false;
}

static bool take_string(const char **c, const char *end, char text[16])
{
    skip_blanks(c, end);
    if (*c == end || (**c != '\'' && **c != '"')) {
        return false;
    }
    char quote = *(*c)++;
    const char *close = memchr(*c, quote, (size_t)(end - *c));
    if (close == NULL) {
        return false;
    }
    snprintf(text, 16, "%.*s", (int)(close - *c < 15 ? close - *c : 15), *c);
    *c = close + 1;
    return true;
}

static bool take_word(const char **c, const char *end, const char *word)
{
    size_t length = strlen(word);
    skip_blanks(c, end);
    if ((size_t)(end - *c) < length || memcmp(*c, word, length) != 0) {
        return false;
    }
    *c += length;
    return true;
}

static bool take_shape(const char **c, const char *end, npy_header *header)
{
    if (!take(c, end, '(')) {
        return false;
    }
    for (header->rank = 0; !take(c, end, ')'); header->rank++) {
        size_t value = 0;
        const char *first = *c;
        for (; *c < end && **c >= '0' && **c <= '9'; ++*c) {
            if (__builtin_mul_overflow(value, 10u, &value) ||
                __builtin_add_overflow(value, (size_t)(**c - '0'), &value)) {
                return false;
            }
        }
        if (*c == first) {
            return false;
        }
        if (header->rank < 2) {
            header->shape[header->rank] = value;
        }
        if (!take(c, end, ',')) {
            header->rank++;
            return take(c, end, ')');
        }
    }
    return true;
}

/* Tokenise the dict: the order of its keys is not fixed. */
static bool parse_dict(const char *c, const char *end, npy_header *header)
{
    char key[16];
    if (!take(&c, end, '{')) {
        return false;
    }
    while (!take(&c, end, '}')) {
        if (!take_string(&c, end, key) || !take(&c, end, ':')) {
            return false;
        }
        bool ok = false;
        if (strcmp(key, "descr") == 0) {
            ok = header->has_descr = take_string(&c, end, header->descr);
        } else if (strcmp(key, "fortran_order") == 0) {
            header->fortran_order = take_word(&c, end, "True");
            ok = header->has_order = header->fortran_order || take_word(&c, end, "False");
        } else if (strcmp(key, "shape") == 0) {
            ok = header->has_shape = take_shape(&c, end, header);
        }
        if (!ok || (!take(&c, end, ',') && (c == end || *c != '}'))) {
            return false;
        }
    }
    return header->has_descr && header->has_order && header->has_shape;
}

/* Find the dict; *data is what stands behind it. */
static spl_status parse_header(
    npy_header *header, const char **data, const char *place, const spl_blob *blob)
{
    const unsigned char *c = (const unsigned char *)blob->bytes;
    size_t start = 10;
    size_t length = 0;
    if (blob->length >= 10 && c[6] == 1) {
        length = (size_t)c[8] | (size_t)c[9] << 8;
    } else if (blob->length >= 12 && (c[6] == 2 || c[6] == 3)) {
        start = 12;
        length =
            (size_t)c[8] | (size_t)c[9] << 8 | (size_t)c[10] << 16 | (size_t)c[11] << 24;
    } else if (blob->length >= 10) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: .npy version %d.%d is not read; save it with version 1.0, 2.0 or 3.0",
            place, c[6], c[7]);
    }
    if (blob->length < start || length > blob->length - start) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: the .npy header is cut off after %zu bytes; save the array again", place,
            blob->length);
    }
    *data = blob->bytes + start + length;
    if (!parse_dict(blob->bytes + start, *data, header)) {
        /* a structured dtype ends here, too: its descr is a list */
        return spl_error(SPL_ERR_FORMAT,
            "%s: the .npy header is not understood; save a plain array of numbers",
            place);
    }
    return SPL_OK;
}

static const npy_type *find_type(const char *descr)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].descr, descr) == 0) {
            return &types[i];
        }
    }
    return NULL;
}

spl_status spl_npy_parse(
    spl_table *table, const char *place, const spl_blob *blob, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    npy_header header = {0};
    const char *data = NULL;
    *table = (spl_table){0};
    SPL_TRY(parse_header(&header, &data, place, blob));
    const npy_type *type = find_type(header.descr);
    if (type == NULL) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: dtype '%s' is not read; save as <f8, <f4, <i4, <i8, |u1 or |b1", place,
            header.descr);
    }
    if (header.rank != 1 && header.rank != 2) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: %zu-dimensional array, expected 1 or 2 dimensions",
            place, header.rank);
    }
    size_t rows = header.shape[0];
    size_t columns = header.rank == 2 ? header.shape[1] : 1;
    if (rows > limits->max_nodes || columns > limits->max_nodes) {
        SPL_FAIL(SPL_ERR_LIMIT,
            "%s: shape %zu x %zu, above the limit of %zu nodes; raise "
            "connectome.max_nodes",
            place, rows, columns, limits->max_nodes);
    }
    size_t have = blob->length - (size_t)(data - blob->bytes);
    if (rows == 0 || columns == 0 || have / type->bytes / columns < rows ||
        have != rows * columns * type->bytes) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: %zu bytes of data for the shape %zu x %zu of '%s'; save the array again",
            place, have, rows, columns, header.descr);
    }
    SPL_TRY(spl_table_init(table, place, rows, columns));
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            size_t at = header.fortran_order ? j * rows + i : i * columns + j;
            table->data[i * columns + j] = type->get(data + at * type->bytes);
        }
    }
out:
    return status;
}

spl_status spl_npy_text(char text[16], const char *place, const spl_blob *blob)
{
    spl_status status = SPL_OK;
    npy_header header = {0};
    const char *data = NULL;
    SPL_TRY(parse_header(&header, &data, place, blob));
    /* "|S3" is three bytes, "<U3" three UCS-4 characters */
    const bool wide = strncmp(header.descr, "<U", 2) == 0;
    const size_t step = wide ? 4 : 1;
    const unsigned long length = wide || strncmp(header.descr, "|S", 2) == 0
                                     ? strtoul(header.descr + 2, NULL, 10)
                                     : 0;
    const size_t have = blob->length - (size_t)(data - blob->bytes);
    if (length == 0 || length > 15 || have != length * step) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: '%s' is no short text; save the array again", place,
            header.descr);
    }
    memset(text, 0, 16);
    for (size_t i = 0; i < length; i++) {
        text[i] = data[i * step];
    }
out:
    return status;
}
