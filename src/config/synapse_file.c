/* Connections of rule `list`, from a text or a SONATA file of edges. */
#include <math.h>
#include <stdlib.h>

#include "config/spiking.h"
#include "connectome/connectome.h"

/* A connection takes at least this many bytes in a text. */
enum { MAX_ROWS = 1 << 28 };

spl_status spl_synapse_list_read(spl_synapse_list *list, const char *path)
{
    (void)list;
    return spl_error(SPL_ERR_FORMAT, "%s: not yet", path);
}
