#include "state.h"

#include <string.h>

const char *state_of(const spl_results_info *info)
{
    const bool running = strcmp(info->status, "running") == 0;
    return running && !info->live ? "killed" : info->status;
}

bool state_can_resume(const spl_results_info *info)
{
    const char *state = state_of(info);
    return strcmp(state, "killed") == 0 || strcmp(state, "interrupted") == 0 ||
           strcmp(state, "failed") == 0;
}
