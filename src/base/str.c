#include "base/str.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool reserve(spl_text *text, size_t more)
{
    size_t need = text->length + more + 1;
    if (text->failed || need <= text->capacity) {
        return !text->failed;
    }
    size_t capacity = text->capacity > 0 ? text->capacity : 256;
    while (capacity < need) {
        capacity *= 2;
    }
    char *data = realloc(text->data, capacity);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void spl_text_add_bytes(spl_text *text, const char *bytes, size_t length)
{
    if (reserve(text, length)) {
        if (length > 0) {
            memcpy(text->data + text->length, bytes, length);
        }
        text->length += length;
        text->data[text->length] = '\0';
    }
}

void spl_text_add(spl_text *text, const char *format, ...)
{
    va_list args;
    va_list again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length >= 0 && reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

void spl_text_add_json(spl_text *text, const char *string)
{
    spl_text_add_bytes(text, "\"", 1);
    for (const unsigned char *c = (const unsigned char *)string; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            spl_text_add(text, "\\%c", *c);
        } else if (*c < 0x20 || *c == 0x7f) {
            spl_text_add(text, "\\u%04x", *c);
        } else {
            spl_text_add_bytes(text, (const char *)c, 1);
        }
    }
    spl_text_add_bytes(text, "\"", 1);
}

/* The shortest of 15 to 17 digits that reads back, in the C locale whatever the user's
 * is. An exponent gets a decimal point in front: YAML 1.1 takes 1e-05 for a string. */
static void print_double(char *digits, size_t size, double value)
{
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, size, "%.*g", precision, value);
        if (strtod(digits, NULL) == value) {
            break;
        }
    }
    char *exponent = strchr(digits, 'e');
    if (exponent != NULL && strchr(digits, '.') == NULL) {
        memmove(exponent + 2, exponent, strlen(exponent) + 1);
        memcpy(exponent, ".0", 2);
    }
}

void spl_text_add_json_double(spl_text *text, double value)
{
    char digits[48];
    if (isinf(value)) {
        spl_text_add(text, "\"%sinf\"", value < 0.0 ? "-" : "");
        return;
    }
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0) {
        text->failed = true;
        return;
    }
    locale_t users = uselocale(c_locale);
    print_double(digits, sizeof digits, value);
    uselocale(users);
    freelocale(c_locale);
    spl_text_add(text, "%s", digits);
}

void spl_text_deinit(spl_text *text)
{
    free(text->data);
    *text = (spl_text){0};
}

char *spl_strdup(const char *string)
{
    size_t bytes = strlen(string) + 1;
    char *copy = malloc(bytes);
    if (copy != NULL) {
        memcpy(copy, string, bytes);
    }
    return copy;
}

/* [+-] digits [. digits] [e [+-] digits], at least one digit before the exponent */
static bool is_decimal(const char *text)
{
    const char *c = text;
    size_t digits = 0;
    c += *c == '+' || *c == '-';
    for (; isdigit((unsigned char)*c); c++) {
        digits++;
    }
    if (*c == '.') {
        c++;
        for (; isdigit((unsigned char)*c); c++) {
            digits++;
        }
    }
    if (digits == 0) {
        return false;
    }
    if (*c == 'e' || *c == 'E') {
        c++;
        c += *c == '+' || *c == '-';
        if (!isdigit((unsigned char)*c)) {
            return false;
        }
        while (isdigit((unsigned char)*c)) {
            c++;
        }
    }
    return *c == '\0';
}

bool spl_parse_double(const char *text, bool allow_inf, double *value)
{
    const char *body = text + (*text == '+' || *text == '-');
    if (strcmp(body, "inf") == 0 || strcmp(body, ".inf") == 0) {
        *value = *text == '-' ? -INFINITY : INFINITY;
        return allow_inf;
    }
    if (!is_decimal(text)) {
        return false;
    }
    /* strtod_l: the user's locale may write a comma for the decimal point */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0) {
        return false;
    }
    *value = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    return isfinite(*value);
}

static size_t edit_distance(const char *a, const char *b)
{
    enum { MAX = 64 };
    size_t row[MAX + 1];
    size_t length_b = strlen(b);
    if (strlen(a) > MAX || length_b > MAX) {
        return MAX;
    }
    for (size_t j = 0; j <= length_b; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length_b; j++) {
            size_t best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = diagonal + 1 < best ? diagonal + 1 : best;
            row[j + 1] = best;
        }
    }
    return row[length_b];
}

const char *spl_suggest(const char *word, const char *const *names)
{
    size_t limit = strlen(word) / 3 > 1 ? strlen(word) / 3 : 1;
    const char *best = NULL;
    for (const char *const *name = names; *name != NULL; name++) {
        if (strcasecmp(word, *name) == 0) {
            return *name;
        }
    }
    for (; *names != NULL; names++) {
        size_t distance = edit_distance(word, *names);
        /* a word of one letter is one replacement away from every other */
        if (distance <= limit && distance < strlen(word)) {
            best = *names;
            limit = distance > 0 ? distance - 1 : 0;
            if (distance == 0) {
                break;
            }
        }
    }
    return best;
}

spl_status spl_error_unknown(const char *what, const char *word, const char *const *names)
{
    const char *closest = spl_suggest(word, names);
    if (closest != NULL) {
        return spl_error(SPL_ERR_NOT_FOUND, "unknown %s '%s'; did you mean '%s'?", what,
            word, closest);
    }
    spl_text known = {0};
    for (const char *const *name = names; *name != NULL; name++) {
        spl_text_add(&known, "%s%s", name == names ? "" : ", ", *name);
    }
    spl_status status = spl_error(SPL_ERR_NOT_FOUND, "unknown %s '%s'; known: %s", what,
        word, known.data != NULL ? known.data : "none");
    spl_text_deinit(&known);
    return status;
}
