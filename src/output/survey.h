/* Every dataset of a results file of unknown origin, or of its file of spikes: what each
 * is and where its bytes lie. Found in the sandbox, judged here. */
#ifndef SPL_OUTPUT_SURVEY_H
#define SPL_OUTPUT_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "h5/sandbox.h"
#include "output/internal.h"

enum {
    SPL_SURVEY_MAX_SETS = 1 << 17,
    SPL_SURVEY_MAX_PATH = 1024,
    SPL_SURVEY_MAX_PATHS = 16 << 20, /* bytes of all together */
    SPL_SURVEY_MAX_ARRAYS = 4096,
    SPL_SURVEY_OTHER = 1000 /* a type that the run does not write: labels, texts, enums */
};

/* What the child sends. */
typedef enum {
    SPL_SURVEY_FILE = 1, /* spl_survey_file, first */
    SPL_SURVEY_SET,      /* spl_survey_numbers, then the path without a NUL */
    SPL_SURVEY_ARRAY     /* a name of @arrays, in its order */
} spl_survey_kind;

typedef struct spl_survey_file {
    uint64_t superblock, user_block;
    uint64_t last_step; /* of a file of spikes */
    char uuid[40];      /* of the run; NUL-terminated */
} spl_survey_file;

typedef struct spl_survey_numbers {
    uint64_t object;     /* one number for each dataset, whatever its names */
    uint64_t type;       /* spl_place_type or SPL_SURVEY_OTHER */
    uint64_t contiguous; /* its bytes lie together */
    uint64_t rank, dims[3];
    uint64_t offset, bytes;  /* if they do */
    uint64_t rows_per_block; /* attribute of checksums, else 0 */
} spl_survey_numbers;

typedef struct spl_survey_set {
    char *path; /* "/monitors/tavg/V" */
    spl_survey_numbers is;
} spl_survey_set;

typedef struct spl_survey {
    spl_survey_file file;
    size_t n, capacity, path_bytes;
    spl_survey_set *sets; /* by path */
    size_t n_arrays;
    char **arrays; /* names of the final state, in the order of its checksum */
} spl_survey;

/* Make a survey of a file. Zero-initialise; release with spl_survey_deinit also after a
 * failure. No number in it exceeds 2^62, and those of a dataset fit each other; where
 * they lie in the file is the caller's to check. Result: SPL_OK; SPL_ERR_FORMAT;
 * SPL_ERR_LIMIT; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_survey_make(spl_survey *survey, const char *path);
void spl_survey_deinit(spl_survey *survey);
/* NULL if there is none of that path. */
const spl_survey_set *spl_survey_find(const spl_survey *survey, const char *path);

/* survey_child.c */
spl_status spl_survey_child(int fd, const char *path, const void *user);

#endif
