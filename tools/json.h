/* A small writer of JSON. */
#ifndef SPL_TOOLS_JSON_H
#define SPL_TOOLS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Where the text goes and how deep it is. */
typedef struct json_writer {
    FILE *file;
    bool one_line;
    int depth;
    bool open; /* nothing yet in the innermost object or array */
} json_writer;

/* Every function takes the key inside an object, NULL inside an array or at the top. */
void json_begin(json_writer *json, const char *key, char bracket);
void json_end(json_writer *json, char bracket); /* ends the line at depth 0 */
void json_text(json_writer *json, const char *key, const char *text);
void json_whole(json_writer *json, const char *key, uint64_t value);
void json_flag(json_writer *json, const char *key, bool value);
/* As few digits as give the same bits back; NAN becomes null, infinity the text "inf". */
void json_real(json_writer *json, const char *key, double value);

#endif
