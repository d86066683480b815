#include "state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "talk.h"

const char *state_of(const char *status, bool live)
{
    return strcmp(status, "running") == 0 && !live ? "killed" : status;
}

bool state_can_resume(const char *state)
{
    return strcmp(state, "killed") == 0 || strcmp(state, "interrupted") == 0 ||
           strcmp(state, "failed") == 0;
}

void state_print(const char *path, const char *state, const char *message, uint64_t step)
{
    printf("run        %s after %" PRIu64 " steps", state, step);
    fputs(*message != '\0' ? "; " : "", stdout);
    print_text(stdout, message);
    putchar('\n');
    if (state_can_resume(state)) {
        fputs("to go on   splenium resume ", stdout);
        print_word(stdout, path);
        putchar('\n');
    }
}
