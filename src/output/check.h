/* Inside the check of a results file of unknown origin. */
#ifndef SPL_OUTPUT_CHECK_H
#define SPL_OUTPUT_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "output/internal.h"
#include "output/opened.h"
#include "output/survey.h"
#include "splenium/results.h"

enum { SPL_CHECK_BUFFER = 1 << 16 };

/* A check under way. */
typedef struct spl_checker {
    spl_opened file;
    spl_results_tell *tell;
    void *user;
    spl_record newest; /* of the slots */
    unsigned char *buffer;
    bool compressed; /* rows of a variable */
} spl_checker;

/* Is this the state of the run? */
bool spl_check_is(const spl_checker *c, const char *status);
/* Tell of a finding: "file: dataset: text". `row` may be SPL_RESULTS_NO_ROW. */
void spl_check_say(const spl_checker *c, bool damage, const char *file,
    const char *dataset, uint64_t row, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* Tell the last error as damage of `file`, if the file is at fault; else pass the status
 * on. */
SPL_MUST_CHECK spl_status spl_check_error(
    const spl_checker *c, const char *file, spl_status status);
/* A dataset that a run writes; NULL, after a word about it, if it is not there or not
 * what it should be. */
const spl_survey_set *spl_check_need(const spl_checker *c, const char *path,
    spl_place_type type, int rank, const uint64_t *dims);
/* The same of what a copy may have in compressed chunks. */
const spl_survey_set *spl_check_need_anywhere(const spl_checker *c, const char *path,
    spl_place_type type, int rank, const uint64_t *dims);
/* CRC32C of bytes of an open file. Result: SPL_OK; SPL_ERR_FILE_READ. */
SPL_MUST_CHECK spl_status spl_check_sum(const spl_checker *c, int fd, const char *path,
    uint64_t offset, uint64_t bytes, uint32_t *crc);

/* check_rows.c: every block of rows below the durable count; the final state. */
SPL_MUST_CHECK spl_status spl_check_rows(spl_checker *c);
SPL_MUST_CHECK spl_status spl_check_final(const spl_checker *c);
/* check_copy.c: the same for a copy with compressed rows. */
SPL_MUST_CHECK spl_status spl_check_copy(const spl_checker *c);
/* check_beside.c: checkpoints, spike journal, spikes. */
SPL_MUST_CHECK spl_status spl_check_beside(const spl_checker *c);

#endif
