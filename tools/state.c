#include "state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "talk.h"

const char *state_of(const char *status, bool live)
{
    return strcmp(status, "running") == 0 && !live ? "killed" : status;
}

static bool can_go_on(const char *state)
{
    return strcmp(state, "killed") == 0 || strcmp(state, "interrupted") == 0 ||
           strcmp(state, "failed") == 0;
}

bool state_can_resume(const char *state, const char *copy)
{
    return can_go_on(state) && *copy == '\0';
}

void state_print_advice(const char *path, const char *state, const char *copy)
{
    if (state_can_resume(state, copy)) {
        fputs("to go on   splenium resume ", stdout);
        print_word(stdout, path);
        putchar('\n');
    } else if (can_go_on(state)) {
        fputs("copy       ", stdout);
        print_text(stdout, copy);
        puts(": the run cannot go on in it; resume the file of which it was made");
    }
}

void state_print(const char *path, const char *state, const char *message, uint64_t step,
    const char *copy)
{
    printf("run        %s after %" PRIu64 " steps", state, step);
    fputs(*message != '\0' ? "; " : "", stdout);
    print_text(stdout, message);
    putchar('\n');
    state_print_advice(path, state, copy);
}
