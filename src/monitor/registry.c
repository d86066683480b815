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

/* The error of an unknown name: the closest one, else all of them. */
static void refuse(const char *name, const char *const *names)
{
    const char *closest = spl_suggest(name, names);
    if (closest != NULL) {
        spl_error(SPL_ERR_NOT_FOUND, "unknown kind of monitor '%s'; did you mean '%s'?",
            name, closest);
        return;
    }
    spl_text known = {0};
    for (size_t i = 0; i < N_KINDS; i++) {
        spl_text_add(&known, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    spl_error(SPL_ERR_NOT_FOUND, "unknown kind of monitor '%s'; known: %s", name,
        known.data != NULL ? known.data : "");
    spl_text_deinit(&known);
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
    refuse(name, names);
    return NULL;
}
