#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static void print_string(FILE *file, const char *text)
{
    fputc('"', file);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            fprintf(file, "\\%c", *c);
        } else if (*c < 0x20 || *c == 0x7f) {
            fprintf(file, "\\u%04x", *c);
        } else {
            fputc(*c, file);
        }
    }
    fputc('"', file);
}

static void new_line(const json_writer *json)
{
    if (json->one_line) {
        fputc(' ', json->file);
    } else {
        fprintf(json->file, "\n%*s", 2 * json->depth, "");
    }
}

static void begin_value(json_writer *json, const char *key)
{
    if (json->depth > 0) {
        if (!json->open) {
            fputc(',', json->file);
        }
        if (!json->open || !json->one_line) {
            new_line(json);
        }
    }
    json->open = false;
    if (key != NULL) {
        print_string(json->file, key);
        fputs(": ", json->file);
    }
}

void json_begin(json_writer *json, const char *key, char bracket)
{
    begin_value(json, key);
    fputc(bracket, json->file);
    json->depth++;
    json->open = true;
}

void json_end(json_writer *json, char bracket)
{
    json->depth--;
    if (!json->open && !json->one_line) {
        new_line(json);
    }
    json->open = false;
    fputc(bracket, json->file);
    if (json->depth == 0) {
        fputc('\n', json->file);
    }
}

void json_text(json_writer *json, const char *key, const char *text)
{
    begin_value(json, key);
    print_string(json->file, text);
}

void json_whole(json_writer *json, const char *key, uint64_t value)
{
    begin_value(json, key);
    fprintf(json->file, "%" PRIu64, value);
}

void json_flag(json_writer *json, const char *key, bool value)
{
    begin_value(json, key);
    fputs(value ? "true" : "false", json->file);
}

void json_real(json_writer *json, const char *key, double value)
{
    char digits[40];
    begin_value(json, key);
    if (isnan(value)) {
        fputs("null", json->file);
    } else if (isinf(value)) {
        print_string(json->file, value > 0 ? "inf" : "-inf");
    } else {
        for (int precision = 15; precision <= 17; precision++) {
            snprintf(digits, sizeof digits, "%.*g", precision, value);
            if (strtod(digits, NULL) == value) {
                break;
            }
        }
        fputs(digits, json->file);
    }
}
