/* Talk: everything the command says on standard error, and text made safe to print. */
#ifndef SPL_TOOLS_TALK_H
#define SPL_TOOLS_TALK_H

#include <stdbool.h>
#include <stdio.h>

/* Receive the library's warnings and notices from now on. */
void talk_start(void);
/* Hold back everything but warnings and errors. */
void talk_quiet(void);
bool talk_is_quiet(void);

/* One line "splenium: ..."; a note is held back by talk_quiet. */
void talk_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void talk_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Repeat the warnings so far, each with its count. */
void talk_repeat_warnings(void);

/* A bar, or nothing, stands on the last line of the terminal: talk_* clear it first. */
void talk_bar(const char *text);
bool talk_has_terminal(void);

/* Print a text that may come from a file: control characters become '?', lest a label
 * command the terminal. */
void print_text(FILE *file, const char *text);
/* Print a text so that a shell takes it as one word. */
void print_word(FILE *file, const char *word);
/* Print a paragraph in lines of at most 80 columns, all but the first indented. `column`
 * is where the cursor stands. */
void print_wrapped(FILE *file, size_t indent, size_t column, const char *text);

/* The name closest to `word` by edit distance, NULL if none is near; `names` ends with
 * NULL. */
const char *closest_name(const char *word, const char *const *names);

#endif
