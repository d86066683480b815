/* Copies of results files. A results file may come from anybody, so that HDF5 parses it
 * in the sandbox's child, which walks through it and sends all that it holds, a few MiB
 * at a time (convert_child.c). The parent judges every record, compares rows with their
 * checksums (convert_read.c), and writes what it was sent into a new file with types and
 * storage of its own choice (convert_write.c): nothing of the structure of the old file
 * ever reaches HDF5 in the parent. The new file is then read in the same way, and must
 * give the same list of hashes, one for each object (convert_list.c). */
#ifndef SPL_OUTPUT_CONVERT_H
#define SPL_OUTPUT_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "base/status.h"
#include "output/progress.h"
#include "splenium/convert.h"
#include "splenium/results.h"

enum {
    SPL_ITEM_MAX_RANK = 4,
    SPL_ITEM_MAX_NAME = 1024, /* of a path */
    SPL_ITEM_MAX_OBJECTS = 1 << 16,
    SPL_ATTRIBUTE_BYTES = 1 << 16, /* HDF5's own limit in a file of this form */
    SPL_PIECE_BYTES = 8 << 20,     /* of rows on their way at once, if one row is less */
    SPL_PIECE_MAX_BYTES = 64 << 20 /* one row, one text */
};

/* The types that results have. */
typedef enum {
    SPL_ITEM_F4,
    SPL_ITEM_F8,
    SPL_ITEM_I1,
    SPL_ITEM_I2,
    SPL_ITEM_I4,
    SPL_ITEM_I8,
    SPL_ITEM_U1,
    SPL_ITEM_U2,
    SPL_ITEM_U4,
    SPL_ITEM_U8,
    SPL_ITEM_FLAG,  /* an enum of a byte: FALSE, TRUE */
    SPL_ITEM_CODE,  /* how a run ended */
    SPL_ITEM_TEXT,  /* of variable length; sent with its NUL */
    SPL_ITEM_FIXED, /* of item_bytes */
    SPL_N_ITEM_TYPES
} spl_item_type;

/* Attribute of the root of a copy in which no run can go on: "trimmed", "compressed" or
 * "trimmed, compressed". */
#define SPL_CONVERT_MARK "copy"

/* Type and shape of an attribute or a dataset, as it is sent. */
typedef struct spl_item_shape {
    uint32_t type;    /* spl_item_type */
    uint32_t rank;    /* of an attribute: 0 or 1 */
    uint32_t padding; /* of SPL_ITEM_FIXED: HDF5's padding and set of characters */
    uint32_t charset;
    uint64_t item_bytes; /* in a file; 0 for SPL_ITEM_TEXT */
    uint64_t dims[SPL_ITEM_MAX_RANK];
} spl_item_shape;

/* A dataset. Its path follows, then, if it is a dimension scale, the scale's name. */
typedef struct spl_item_head {
    spl_item_shape shape;
    uint64_t address; /* in its file: its name among all */
    uint64_t is_scale;
} spl_item_head;

typedef enum {
    SPL_CONVERT_OTHER = 1, /* an HDF5 file of another kind; nothing follows */
    SPL_CONVERT_GROUP,     /* its path, "" for the root */
    SPL_CONVERT_DATASET,   /* spl_item_head */
    SPL_CONVERT_LINK,      /* the path; columns: address of a dataset that was sent */
    /* of the group or dataset sent last */
    SPL_CONVERT_ATTRIBUTE, /* spl_item_shape, name, values */
    SPL_CONVERT_SCALE,     /* rows: a dimension, columns: address of its scale */
    SPL_CONVERT_ROWS       /* rows: the first, columns: how many */
} spl_convert_kind;

/* The rows of one stream. */
typedef struct spl_convert_stream {
    char *label; /* as in /checksums and /progress */
    char *group; /* "/monitors/tavg" */
    uint64_t n_rows, width;
    uint64_t durable; /* rows that may be read */
    uint64_t kept;    /* rows that the copy has */
} spl_convert_stream;

/* What is read of a file. */
typedef struct spl_convert_plan {
    const char *path;
    size_t n_streams;
    spl_convert_stream *streams;
    spl_record newest; /* of the two slots */
    bool trim;
    bool (*stop)(void *user); /* or NULL */
    void *user;
    const char *only; /* this object of the root and nothing else; NULL: all */
} spl_convert_plan;

/* Is this one of the datasets with a row per sample of the stream? `rows` is how many a
 * whole one has. */
bool spl_convert_has_rows(const spl_convert_stream *stream, const char *name,
    const spl_item_shape *shape, uint64_t rows);
/* Rows of a dataset that are sent, and make a chunk, at once. */
uint64_t spl_convert_piece(const spl_item_shape *shape);
/* Product of all dimensions but the first; false if the whole has more than 2^62 bytes.
 */
bool spl_convert_row(const spl_item_shape *shape, uint64_t *values);

/* convert_list.c: hashes of the objects of a file. Zero-initialise; released also after a
 * failure. */
typedef struct spl_convert_entry {
    char *path;
    char hash[SPL_SHA256_HEX];
} spl_convert_entry;
typedef struct spl_convert_list {
    size_t n, capacity;
    spl_convert_entry *all;
    spl_sha256 hash; /* of the last one */
    bool open;
} spl_convert_list;
SPL_MUST_CHECK spl_status spl_convert_list_begin(
    spl_convert_list *list, const char *path);
void spl_convert_list_add(spl_convert_list *list, const void *data, size_t bytes);
void spl_convert_list_end(spl_convert_list *list);
/* Result: SPL_OK; SPL_ERR_FILE_WRITE with the first object of `copy` at `path` that
 * differs. */
SPL_MUST_CHECK spl_status spl_convert_list_compare(
    const spl_convert_list *original, const spl_convert_list *copy, const char *path);
void spl_convert_list_deinit(spl_convert_list *list);

/* Who receives what was read and found right. Every pointer may be NULL. */
typedef struct spl_convert_sink {
    void *user;
    spl_status (*group)(void *user, const char *path);
    /* name: of its scale, NULL if it is none */
    spl_status (*dataset)(
        void *user, const char *path, const spl_item_shape *shape, const char *scale);
    spl_status (*link)(void *user, const char *path, const char *target);
    spl_status (*attribute)(
        void *user, const char *name, const spl_item_shape *shape, const void *values);
    /* of the dataset that came last */
    spl_status (*rows)(
        void *user, uint64_t first, uint64_t count, const void *data, size_t bytes);
    /* behind all datasets */
    spl_status (*attach)(void *user, const char *path, unsigned dim, const char *scale);
} spl_convert_sink;

/* convert_child.c; *user is a spl_convert_plan */
spl_status spl_convert_child(int fd, const char *path, const void *user);

/* convert_read.c: read a file in the sandbox.
 *   sink   receives its contents; is never called after it failed
 *   list   receives the hashes; NULL: none
 *   made   called when the child runs, before anything is received; NULL: nothing
 * Result: SPL_OK; SPL_ERR_FORMAT, also for rows that do not match their checksum;
 * SPL_ERR_LIMIT; SPL_ERR_INTERRUPTED; SPL_ERR_NO_MEMORY; what the sink says. */
SPL_MUST_CHECK spl_status spl_convert_read(const spl_convert_plan *plan,
    const spl_convert_sink *sink, spl_convert_list *list, spl_status (*made)(void *user));

/* convert_plan.c: what of a results file is to be read, in one consistent moment. Release
 * with spl_convert_plan_deinit also after a failure. */
SPL_MUST_CHECK spl_status spl_convert_plan_init(
    spl_convert_plan *plan, const spl_results_info *info, bool trim);
/* The same for the copy that such a plan makes. */
SPL_MUST_CHECK spl_status spl_convert_plan_of_copy(
    spl_convert_plan *copy, const spl_convert_plan *plan, const char *path);
void spl_convert_plan_deinit(spl_convert_plan *plan);

/* convert_write.c: a sink that makes a file. */
typedef struct spl_convert_writer spl_convert_writer;
/*   level   of deflate, 0: contiguous and as it is */
SPL_MUST_CHECK spl_status spl_convert_writer_create(
    spl_convert_writer **out, const char *path, int level);
spl_convert_sink spl_convert_writer_sink(spl_convert_writer *writer);
/* Create the file: the function that spl_convert_read calls. */
spl_status spl_convert_writer_open(void *writer);
/* When all was written, tell what kind of a copy it is; `trimmed`: rows are missing.
 * Result: SPL_OK; SPL_ERR_FILE_CREATE. */
SPL_MUST_CHECK spl_status spl_convert_writer_mark(
    spl_convert_writer *writer, bool trimmed);
/* Close it. Result: SPL_OK; SPL_ERR_FILE_WRITE; SPL_ERR_DISK_FULL. */
SPL_MUST_CHECK spl_status spl_convert_writer_close(spl_convert_writer *writer);
void spl_convert_writer_free(spl_convert_writer *writer);

/* convert.c: what every new file goes through. */

/* Make sure that there is no OUT, or that it may be replaced. */
SPL_MUST_CHECK spl_status spl_convert_check_target(const char *path, bool force);
/* PATH and ".tmp", without a leftover of that name. The caller frees it. */
SPL_MUST_CHECK spl_status spl_convert_temporary(char **temporary, const char *path);
/* Bring a file that is closed to the disk. */
SPL_MUST_CHECK spl_status spl_convert_sync(const char *path);
/* spl_results_describe, for which another kind of file is an error of format. */
SPL_MUST_CHECK spl_status spl_convert_describe(spl_results_info **info, const char *path);

#endif
