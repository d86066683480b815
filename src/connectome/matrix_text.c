#include "connectome/connectome.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_flag(const char *token, size_t length, double *value)
{
    *value = length == 4 ? 1.0 : 0.0;
    return (length == 4 && strncasecmp(token, "true", 4) == 0) ||
           (length == 5 && strncasecmp(token, "false", 5) == 0);
}

/* How many fields has the line with this separator, and are all of them numbers? */
static size_t count_fields(
    const char *line, size_t length, char separator, bool *all_numbers)
{
    const char *cursor = line;
    const char *field;
    size_t field_length;
    size_t count = 0;
    double flag;
    *all_numbers = true;
    while (spl_next_field(&cursor, line + length, separator, &field, &field_length)) {
        *all_numbers = *all_numbers && (spl_is_number(field, field_length) ||
                                           is_flag(field, field_length, &flag));
        count++;
    }
    return count;
}

/* The separator of the first data line: blanks if they leave numbers only, else comma,
 * else semicolon. If none does, the one after the first number: its error is the
 * clearest. */
static char find_separator(const char *line, size_t length, size_t *n_fields)
{
    static const char separators[] = " ,;";
    bool all_numbers;
    for (const char *s = separators; *s != '\0'; s++) {
        *n_fields = count_fields(line, length, *s, &all_numbers);
        if (all_numbers) {
            return *s;
        }
    }
    double value;
    const char *blank = line + strspn(line, " \t");
    const char *behind = spl_scan_number(blank, &value);
    char separator = behind != NULL && (*behind == ',' || *behind == ';') ? *behind : ' ';
    *n_fields = count_fields(line, length, separator, &all_numbers);
    return separator;
}

size_t spl_text_columns(const char *text, size_t length)
{
    spl_limits limits = {.max_nodes = SIZE_MAX / SPL_BYTES_PER_NUMBER};
    spl_lines lines;
    bool more = false;
    const char *last = memrchr(text, '\n', length);
    if (last == NULL) {
        return 0;
    }
    spl_lines_init(&lines, "", text, (size_t)(last + 1 - text), &limits);
    if (spl_lines_next(&lines, &more) != SPL_OK || !more) {
        return 0;
    }
    size_t columns;
    find_separator(lines.start, lines.length, &columns);
    return columns;
}

/* Say what is wrong with a field that is no number; a flag sets *value instead. */
static spl_status judge_field(const spl_lines *lines, const spl_table *table,
    size_t column, const char *field, size_t length, spl_text_kind kind, double *value)
{
    char shown[48];
    if (kind == SPL_TEXT_FLAGS && is_flag(field, length, value)) {
        return SPL_OK;
    }
    spl_show_token(field, length, shown);
    if (spl_is_special(field, length)) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: row %zu column %zu: %s is not a usable value; replace it (write 0 where "
            "there is no connection)",
            lines->place, table->rows + 1, column + 1, shown);
    }
    if (length == 0) {
        return spl_lines_error(
            lines, field, "empty field; write a number between the separators");
    }
    return spl_lines_error(lines, field,
        "'%s' is not a decimal number; write plain decimal numbers such as 0.5 or 5e-1",
        shown);
}

static spl_status ragged(const spl_lines *lines, const spl_table *table, size_t found)
{
    return spl_lines_error(lines, lines->start + lines->length,
        "%zu numbers in row %zu, expected %zu as in the first row; complete the file",
        found, table->rows + 1, table->columns);
}

static spl_status parse_row(const spl_lines *lines, spl_table *table, spl_text_kind kind)
{
    spl_status status = SPL_OK;
    const char *c = lines->start;
    const char *end = c + lines->length;
    double *row = table->data + table->rows * table->columns;
    size_t column = 0;
    while (c != NULL) {
        const char *field;
        double value = 0.0;
        while (c < end && (*c == ' ' || *c == '\t')) {
            c++;
        }
        if (c == end && table->separator == ' ') {
            break;
        }
        const char *behind = c < end ? spl_scan_number(c, &value) : NULL;
        bool plain = behind != NULL && (behind == end || *behind == table->separator ||
                                           (table->separator == ' ' && *behind == '\t'));
        size_t length = plain ? (size_t)(behind - c) : 0;
        if (plain) {
            field = c;
            c = behind < end ? behind + 1 : NULL;
        } else {
            spl_next_field(&c, end, table->separator, &field, &length);
        }
        if (column == table->columns) {
            bool unused;
            return ragged(lines, table,
                count_fields(lines->start, lines->length, table->separator, &unused));
        }
        /* an overflow such as 1e999 counts as inf; blanks may stand before a comma */
        bool number = plain || (behind != NULL && behind == field + length);
        if (!number) {
            SPL_TRY(judge_field(lines, table, column, field, length, kind, &value));
        } else if (!__builtin_isfinite(value)) {
            char shown[48];
            SPL_FAIL(SPL_ERR_FORMAT,
                "%s: row %zu column %zu: %s is too large for a double; scale the matrix",
                lines->place, table->rows + 1, column + 1,
                spl_show_token(field, length, shown));
        }
        row[column++] = value;
    }
    if (column < table->columns) {
        return ragged(lines, table, column);
    }
    table->rows++;
out:
    return status;
}

/* Room for one more row; the text itself bounds how many numbers there can be. */
static spl_status grow(spl_table *table, size_t *capacity, const char *place)
{
    if (table->rows < *capacity) {
        return SPL_OK;
    }
    size_t rows = *capacity == 0 ? table->columns : *capacity * 2;
    rows = rows < 64 && *capacity == 0 ? 64 : rows;
    size_t bytes;
    double *data = NULL;
    if (!__builtin_mul_overflow(rows, table->columns * sizeof *data, &bytes)) {
        data = realloc(table->data, bytes);
    }
    if (data == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY,
            "%s: out of memory for %zu rows of %zu numbers", place, rows, table->columns);
    }
    table->data = data;
    *capacity = rows;
    return SPL_OK;
}

spl_status spl_text_matrix(spl_table *table, const char *place, const spl_blob *text,
    spl_text_kind kind, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    size_t capacity = 0;
    bool more = false;
    spl_lines lines;
    spl_lines_init(&lines, place, text->bytes, text->length, limits);
    *table = (spl_table){0};
    SPL_TRY(spl_lines_next(&lines, &more));
    if (!more) {
        SPL_FAIL(SPL_ERR_FORMAT, "%s: holds no numbers; give a table of numbers", place);
    }
    table->separator = find_separator(lines.start, lines.length, &table->columns);
    if (table->columns > limits->max_nodes) {
        SPL_FAIL(SPL_ERR_LIMIT,
            "%s: %zu columns, above the limit of %zu nodes; raise connectome.max_nodes",
            place, table->columns, limits->max_nodes);
    }
    while (more) {
        if (table->rows == limits->max_nodes) {
            SPL_FAIL(SPL_ERR_LIMIT,
                "%s:%zu: more rows than the limit of %zu nodes; raise "
                "connectome.max_nodes",
                place, lines.number, limits->max_nodes);
        }
        SPL_TRY(grow(table, &capacity, place));
        SPL_TRY(parse_row(&lines, table, kind));
        SPL_TRY(spl_lines_next(&lines, &more));
    }
out:
    if (status != SPL_OK) {
        spl_table_deinit(table);
    }
    return status;
}
