/* Small strings: copies, a growing text, name suggestions. */
#ifndef SPL_BASE_STR_H
#define SPL_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* A growing text. Zero-initialise; `failed` is sticky, so check it once at the end. */
typedef struct spl_text {
    char *data; /* NUL-terminated once anything was added, be it no bytes */
    size_t length;
    size_t capacity;
    bool failed;
} spl_text;

void spl_text_add(spl_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void spl_text_add_bytes(spl_text *text, const char *bytes, size_t length);
/* Add a JSON string with its quotes; control characters are escaped. */
void spl_text_add_json(spl_text *text, const char *string);
/* Add a double so that reading it back gives the same bits; inf as "inf" in quotes. */
void spl_text_add_json_double(spl_text *text, double value);
void spl_text_deinit(spl_text *text);

/* Copy a string to the heap. Result: NULL when out of memory. */
char *spl_strdup(const char *string);

/* Parse a whole string as a decimal double in the C locale: no hex, no nan, no blanks;
 * inf only if `allow_inf`. Result: false if it is anything else. */
bool spl_parse_double(const char *text, bool allow_inf, double *value);

/* Return the name closest to `word` (the same but for case, else edit distance at most a
 * third of its length, at least 1), or NULL. `names` ends with NULL. */
const char *spl_suggest(const char *word, const char *const *names);

/* Store "unknown <what> '<word>'; did you mean '<closest>'?", or, if nothing is close,
 * "...; known: <all names>". Result: SPL_ERR_NOT_FOUND. */
spl_status spl_error_unknown(
    const char *what, const char *word, const char *const *names);

#endif
