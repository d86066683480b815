/* NAME.spikes.h5: the spikes of a run in the layout of SONATA, made from its journal. */
#ifndef SPL_OUTPUT_SPIKES_H
#define SPL_OUTPUT_SPIKES_H

#include <stdint.h>

#include "base/status.h"

/* Make the file: under a temporary name, read back and compared, synced, renamed. Memory
 * does not grow with the number of spikes. What is behind the journal's last valid frame
 * is left out. The journal stays.
 *   path      replaced if it exists
 *   journal   of the run
 *   uuid      of the run; a journal that says otherwise is refused
 *   n_spikes  receives their number; may be NULL
 * Result: SPL_OK; SPL_ERR_FORMAT for a damaged journal or that of another run;
 * SPL_ERR_FILE_MISSING; SPL_ERR_FILE_READ; SPL_ERR_FILE_CREATE; SPL_ERR_FILE_WRITE;
 * SPL_ERR_DISK_FULL; SPL_ERR_NO_MEMORY. A failure leaves no file and no damage. */
SPL_MUST_CHECK spl_status spl_spikes_write(
    const char *path, const char *journal, const char *uuid, uint64_t *n_spikes);

#endif
