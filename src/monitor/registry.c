#include <string.h>

#include "base/status.h"
#include "base/str.h"
#include "monitor/monitor.h"
#include "monitor/monitor_list.h"

#define DECLARE(name) extern const spl_monitor_kind spl_monitor_kind_##name;
SPL_MONITOR_LIST(DECLARE)

#define ADDRESS(name) &spl_monitor_kind_##name,
static const spl_monitor_kind *const kinds[] = {SPL_MONITOR_LIST(ADDRESS)};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

size_t spl_monitor_count(void)
{
    return N_KINDS;
}

const spl_monitor_kind *spl_monitor_at(size_t i)
{
    return i < N_KINDS ? kinds[i] : NULL;
}

const spl_monitor_kind *spl_monitor_find(const char *name)
{
    const char *names[N_KINDS + 1] = {NULL};
    for (size_t i = 0; i < N_KINDS; i++) {
        names[i] = kinds[i]->name;
        if (strcmp(names[i], name) == 0) {
            return kinds[i];
        }
    }
    spl_error_unknown("kind of monitor", name, names);
    return NULL;
}
