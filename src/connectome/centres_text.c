#include "connectome/connectome.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

spl_status spl_labels_check(const char *labels, size_t n_labels, const char *place)
{
    const unsigned char *c = (const unsigned char *)labels;
    for (size_t i = 0; i < n_labels; i++) {
        size_t left = strlen((const char *)c);
        if (left == 0 || left > SPL_MAX_LABEL_BYTES) {
            return spl_error(SPL_ERR_FORMAT,
                "%s: label %zu has %zu bytes, expected 1 to %d; name the region", place,
                i + 1, left, SPL_MAX_LABEL_BYTES);
        }
        while (left > 0) {
            size_t step = spl_utf8_length(c, left);
            if (step == 0 || *c < 0x20 || *c == 0x7F) {
                return spl_error(SPL_ERR_FORMAT,
                    "%s: byte 0x%02x in label %zu is not printable UTF-8; correct it",
                    place, *c, i + 1);
            }
            c += step;
            left -= step;
        }
        c++;
    }
    return SPL_OK;
}

/* Check a label, strip one pair of quotes and add it to the texts. */
static spl_status add_label(
    spl_text *labels, const spl_lines *lines, const char *label, size_t length)
{
    char shown[48];
    if (length >= 2 && label[0] == '"' && label[length - 1] == '"') {
        label++;
        length -= 2;
    }
    if (length == 0) {
        return spl_lines_error(lines, label, "empty label; name the region");
    }
    if (length > SPL_MAX_LABEL_BYTES) {
        return spl_lines_error(lines, label,
            "label of %zu bytes, at most %d are accepted; shorten it", length,
            SPL_MAX_LABEL_BYTES);
    }
    for (size_t i = 0; i < length;) {
        const unsigned char *c = (const unsigned char *)label + i;
        size_t step = spl_utf8_length(c, length - i);
        if (step == 0) {
            return spl_lines_error(lines, label + i,
                "byte 0x%02x in the label is not UTF-8; save the file as UTF-8", *c);
        }
        if (*c < 0x20 || *c == 0x7F) {
            return spl_lines_error(lines, label + i,
                "control character 0x%02x in the label '%s'; remove it", *c,
                spl_show_token(label, length, shown));
        }
        i += step;
    }
    spl_text_add_bytes(labels, label, length);
    spl_text_add_bytes(labels, "", 1);
    return SPL_OK;
}

/* Do the fields behind the label (or from the first one on) begin with three numbers? */
static bool fits(const char *line, size_t length, char separator, bool labelled)
{
    const char *cursor = line;
    const char *field;
    size_t field_length;
    if (labelled &&
        !spl_next_field(&cursor, line + length, separator, &field, &field_length)) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        if (!spl_next_field(&cursor, line + length, separator, &field, &field_length) ||
            !spl_is_number(field, field_length)) {
            return false;
        }
    }
    return labelled ||
           !spl_next_field(&cursor, line + length, separator, &field, &field_length);
}

/* Look at the numbers, not for a comma: labels contain commas. */
static char find_separator(const char *line, size_t length, bool *labelled)
{
    static const char separators[] = " ,;";
    for (const char *s = separators; *s != '\0'; s++) {
        for (int with = 1; with >= 0; with--) {
            if (fits(line, length, *s, with != 0)) {
                *labelled = with != 0;
                return *s;
            }
        }
    }
    *labelled = true;
    return ' ';
}

static spl_status parse_number(const spl_lines *lines, const char *place, size_t row,
    size_t column, const char *field, size_t length, double *value)
{
    char shown[48];
    spl_show_token(field, length, shown);
    const char *behind = length > 0 ? spl_scan_number(field, value) : NULL;
    if (spl_is_special(field, length) ||
        (behind == field + length && !__builtin_isfinite(*value))) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: row %zu column %zu: %s is not a usable coordinate; write a number in mm",
            place, row, column, shown);
    }
    if (behind != field + length) {
        return spl_lines_error(lines, field,
            "'%s' is not a number; expected: label x y z (quote a label that holds "
            "blanks)",
            shown);
    }
    return SPL_OK;
}

static spl_status parse_row(
    spl_table *table, spl_text *labels, bool labelled, const spl_lines *lines)
{
    spl_status status = SPL_OK;
    const char *cursor = lines->start;
    const char *end = cursor + lines->length;
    const char *field;
    size_t length;
    size_t column = 1;
    if (labelled) {
        if (!spl_next_field(&cursor, end, table->separator, &field, &length)) {
            return spl_lines_error(lines, lines->start, "empty row");
        }
        SPL_TRY(add_label(labels, lines, field, length));
        column++;
    }
    for (size_t i = 0; i < 3; i++, column++) {
        if (!spl_next_field(&cursor, end, table->separator, &field, &length)) {
            return spl_lines_error(lines, end,
                "%zu coordinates, expected 3: label x y z; complete the row", i);
        }
        SPL_TRY(parse_number(lines, lines->place, table->rows + 1, column, field, length,
            &table->data[3 * table->rows + i]));
    }
    table->rows++;
out:
    return status;
}

spl_status spl_text_centres(
    spl_table *table, const char *place, const spl_blob *text, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    spl_text labels = {0};
    size_t capacity = 0;
    bool more = false;
    bool labelled = true;
    spl_lines lines;
    spl_lines_init(&lines, place, text->bytes, text->length, limits);
    *table = (spl_table){.columns = 3};
    SPL_TRY(spl_lines_next(&lines, &more));
    if (!more) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: holds no rows; give rows of: label x y z", place);
    }
    table->separator = find_separator(lines.start, lines.length, &labelled);
    while (more) {
        if (table->rows == limits->max_nodes) {
            SPL_FAIL(SPL_ERR_LIMIT,
                "%s:%zu: more rows than the limit of %zu nodes; raise "
                "connectome.max_nodes",
                place, lines.number, limits->max_nodes);
        }
        if (table->rows == capacity) {
            capacity = capacity > 0 ? 2 * capacity : 64;
            double *data = realloc(table->data, capacity * 3 * sizeof *data);
            if (data == NULL) {
                SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", place);
            }
            table->data = data;
        }
        SPL_TRY(parse_row(table, &labels, labelled, &lines));
        SPL_TRY(spl_lines_next(&lines, &more));
    }
    if (labels.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory for the labels", place);
    }
    table->labels = labels.data;
    labels = (spl_text){0};
out:
    spl_text_deinit(&labels);
    if (status != SPL_OK) {
        spl_table_deinit(table);
    }
    return status;
}

/* Separator of labels that all stand on one line. */
static char find_label_separator(const spl_lines *lines)
{
    return memchr(lines->start, ',', lines->length) != NULL   ? ','
           : memchr(lines->start, ';', lines->length) != NULL ? ';'
                                                              : ' ';
}

static bool is_last_line(const spl_lines *lines)
{
    spl_lines rest = *lines;
    bool more = true;
    return spl_lines_next(&rest, &more) == SPL_OK && !more;
}

spl_status spl_text_labels(char **labels, size_t *n_labels, const char *place,
    const spl_blob *text, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    spl_text texts = {0};
    bool more = false;
    const char *field;
    size_t length;
    spl_lines lines;
    spl_lines_init(&lines, place, text->bytes, text->length, limits);
    *n_labels = 0;
    SPL_TRY(spl_lines_next(&lines, &more));
    /* a separator that cannot occur takes whole lines as labels */
    char separator = more && is_last_line(&lines) ? find_label_separator(&lines) : '\n';
    while (more) {
        const char *cursor = lines.start;
        while (spl_next_field(
            &cursor, lines.start + lines.length, separator, &field, &length)) {
            if (*n_labels == limits->max_nodes) {
                SPL_FAIL(SPL_ERR_LIMIT,
                    "%s:%zu: more labels than the limit of %zu nodes; raise "
                    "connectome.max_nodes",
                    place, lines.number, limits->max_nodes);
            }
            SPL_TRY(add_label(&texts, &lines, field, length));
            ++*n_labels;
        }
        SPL_TRY(spl_lines_next(&lines, &more));
    }
    if (*n_labels == 0) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: holds no labels; give one label per line", place);
    }
    if (texts.failed) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory for the labels", place);
    }
    *labels = texts.data;
    texts = (spl_text){0};
out:
    spl_text_deinit(&texts);
    return status;
}
