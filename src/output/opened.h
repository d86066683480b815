/* A results file of unknown origin, open for reading beside the run that may write it:
 * no lock, nothing of HDF5. What was learnt about it is of this very file, whatever takes
 * its name meanwhile. */
#ifndef SPL_OUTPUT_OPENED_H
#define SPL_OUTPUT_OPENED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "output/progress.h"
#include "output/survey.h"
#include "splenium/results.h"

typedef struct spl_opened {
    const char *path; /* borrowed */
    int fd;
    uint64_t file_bytes;
    spl_results_info *info;
    spl_results_stream *streams; /* of info */
    spl_survey survey;
    uint64_t n_rows[SPL_MAX_STREAMS];
} spl_opened;

/* Open a file and learn what it holds. Release with spl_opened_close also after a
 * failure. Result: as spl_results_describe and spl_survey_make. */
SPL_MUST_CHECK spl_status spl_opened_open(spl_opened *file, const char *path);
void spl_opened_close(spl_opened *file);

/* Both slots as they lie in the file. One that is being written just now looks torn: then
 * they are read again, for a moment, if `live`. Result: SPL_OK; SPL_ERR_FILE_READ. */
SPL_MUST_CHECK spl_status spl_opened_slots(
    const spl_opened *file, bool live, unsigned char slots[2 * SPL_SLOT_BYTES]);
/* Was a slot never written? */
bool spl_slot_is_empty(const unsigned char slot[SPL_SLOT_BYTES]);

/* The group of a stream that a file describes. */
void spl_opened_group(spl_text *path, const spl_results_stream *stream);

#endif
