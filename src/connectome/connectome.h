/* Inside the connectome module: what readers deliver and how it becomes a connectome. */
#ifndef SPL_CONNECTOME_CONNECTOME_H
#define SPL_CONNECTOME_CONNECTOME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/sha256.h"
#include "base/status.h"
#include "splenium/connectome.h"

/* The members of a connectome, in the order in which `info` lists them. */
typedef enum {
    SPL_MEMBER_WEIGHTS,
    SPL_MEMBER_LENGTHS,
    SPL_MEMBER_CENTRES,
    SPL_MEMBER_ORIENTATIONS,
    SPL_MEMBER_AREAS,
    SPL_MEMBER_CORTICAL,
    SPL_MEMBER_HEMISPHERES,
    SPL_MEMBER_INFO,
    SPL_N_MEMBERS
} spl_member;

enum {
    SPL_MAX_MEMBERS = 256,
    SPL_MAX_LABEL_BYTES = 1024,
    SPL_BYTES_PER_NUMBER = 128, /* 83 are legitimate: the Allen atlas writes 82 digits */
    /* of sparse connectomes; an int32 counts their nodes and edges */
    SPL_MAX_SPARSE_NODES = 1 << 24,
    SPL_MAX_SPARSE_ENTRIES = INT32_MAX,
    SPL_BLOB_PADDING = 8
};

typedef struct spl_limits {
    size_t max_nodes; /* of a dense matrix */
    size_t max_member_bytes;
} spl_limits;

/* Bytes on the heap with SPL_BLOB_PADDING NULs behind them: scanners need no end pointer
 * and may load eight digits at once. */
typedef struct spl_blob {
    char *bytes;
    size_t length;
    size_t capacity;
} spl_blob;

/* Numbers of a file, and the first column if it holds labels. Free with
 * spl_table_deinit. */
typedef struct spl_table {
    double *data; /* [rows][columns] */
    size_t rows, columns;
    char *labels; /* `rows` NUL-terminated strings in a row, or NULL */
    char separator;
} spl_table;

/* A sparse matrix as compressed rows. One without start and source has the pattern of the
 * weights. Free with spl_sparse_deinit. */
typedef struct spl_sparse {
    size_t rows, columns, count;
    size_t *start;   /* [rows + 1] */
    int32_t *source; /* [count] */
    double *data;    /* [count] */
} spl_sparse;

/* What a reader delivers: tables whose contents nobody has judged yet. */
typedef struct spl_raw {
    const char *form;
    char *places[SPL_N_MEMBERS]; /* "file: member" for messages; NULL: absent */
    spl_table tables[SPL_N_MEMBERS];
    spl_sparse sparse[2]; /* weights and lengths, instead of their tables */
    char *labels; /* n_labels strings in a row; NULL: those of the centres, or none */
    size_t n_labels;
    char *labels_place;
    char *info;
    char *normalisation; /* of a results file, whose weights are already normalised */
    size_t n_dropped_self;
    uint64_t text_bytes; /* of the files that were in memory at once */
    char sha256[SPL_SHA256_HEX];
} spl_raw;

/* One way to store a connectome; every reader's file ends in one of these. */
typedef struct spl_reader {
    /* `head` are the first bytes of the file, at most 1024; none for a folder */
    bool (*probe)(
        const char *path, const struct stat *what, const char *head, size_t n_head);
    spl_status (*load)(
        spl_raw *raw, const spl_connectome_options *options, const spl_limits *limits);
} spl_reader;

extern const spl_reader spl_reader_tvb_dir;
extern const spl_reader spl_reader_tvb_zip;
extern const spl_reader spl_reader_hdf5;
extern const spl_reader spl_reader_text;

/* Weights and lengths of a connectome, in one of two forms. A dense matrix is the case in
 * which every pair is stored: then start and source are NULL and entry i n + j is that
 * from j to i. */
typedef struct spl_entries {
    size_t n_nodes, count;
    size_t *start;   /* [n_nodes + 1], or NULL */
    int32_t *source; /* [count], ascending within a row, or NULL */
    double *weights, *lengths;
} spl_entries;

/* First entry of row i; that of row n_nodes is the end of the last. */
static inline size_t spl_row(const spl_entries *entries, size_t i)
{
    return entries->start != NULL ? entries->start[i] : i * entries->n_nodes;
}

/* Column of entry k of row i. */
static inline size_t spl_column(const spl_entries *entries, size_t i, size_t k)
{
    return entries->source != NULL ? (size_t)entries->source[k]
                                   : k - i * entries->n_nodes;
}

struct spl_connectome {
    atomic_int references;
    size_t n_nodes;
    spl_entries entries;
    bool *isolated;                         /* [n_nodes] */
    double *centres, *orientations, *areas; /* or NULL */
    int8_t *cortical, *hemispheres;         /* or NULL */
    const char **labels;                    /* point into label_text */
    char *label_text;
    char *source, *members, *info, *normalisation;
    const char *form;
    char hemisphere_rule[48];
    char sha256[SPL_SHA256_HEX];
    size_t n_dropped_self;
    uint64_t text_bytes; /* of its files that were in memory at once, beside it */
};

/* blob.c: files, gzip and bzip2 under the caps */

/* Read a whole file. Result: SPL_OK; SPL_ERR_FILE_MISSING, _FILE_READ, _LIMIT (more than
 * `max_bytes`), _NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_blob_read(
    spl_blob *blob, const char *path, size_t max_bytes);
/* The same of a file that stands for a member: a `square` text may hold 128 bytes for
 * each number that its first row promises. */
SPL_MUST_CHECK spl_status spl_blob_read_member(
    spl_blob *blob, const char *path, bool square, const spl_limits *limits);
/* Append while watching the caps of one stage that started from `input_bytes`. A `square`
 * text may hold 128 bytes for each number that its first row promises. */
SPL_MUST_CHECK spl_status spl_blob_append(spl_blob *blob, const void *bytes,
    size_t length, const char *place, size_t input_bytes, bool square,
    const spl_limits *limits);
/* Undo gzip and bzip2, if the contents are such; else leave the blob as it is. */
SPL_MUST_CHECK spl_status spl_blob_inflate(
    spl_blob *blob, const char *place, bool square, const spl_limits *limits);
void spl_blob_deinit(spl_blob *blob);

struct archive;
/* The error of an operation on an archive: SPL_ERR_FORMAT for the damaged `what` of which
 * one should fetch `again`, or SPL_ERR_NO_MEMORY. */
spl_status spl_archive_failed(
    struct archive *archive, const char *place, const char *what, const char *again);

/* number.c: the token grammar of the text files */

/* Scan a decimal number at `text` (inside a blob). Result: the first byte behind it, or
 * NULL if there is none; the same bits as strtod in the C locale. */
const char *spl_scan_number(const char *text, double *value);
/* Is the token of `length` bytes a number, nan or inf (any sign, any case)? */
bool spl_is_number(const char *token, size_t length);
bool spl_is_special(const char *token, size_t length);

/* matrix_text.c */
typedef enum { SPL_TEXT_PLAIN, SPL_TEXT_FLAGS /* also true, false */ } spl_text_kind;

/* Parse a text of numbers. Result: SPL_OK; SPL_ERR_FORMAT with place:line:column, or with
 * row and column for nan and inf; SPL_ERR_LIMIT; SPL_ERR_NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_text_matrix(spl_table *table, const char *place,
    const spl_blob *text, spl_text_kind kind, const spl_limits *limits);
/* Number of columns of the first data row, 0 while that row is not complete. */
size_t spl_text_columns(const char *text, size_t length);

/* centres_text.c */

/* Parse rows of label x y z ..., or of x y z alone. */
SPL_MUST_CHECK spl_status spl_text_centres(
    spl_table *table, const char *place, const spl_blob *text, const spl_limits *limits);
/* Parse labels, one per line or all on one line. */
SPL_MUST_CHECK spl_status spl_text_labels(char **labels, size_t *n_labels,
    const char *place, const spl_blob *text, const spl_limits *limits);
/* Check labels that come from elsewhere, one behind the other: UTF-8, printable, bounded.
 */
SPL_MUST_CHECK spl_status spl_labels_check(
    const char *labels, size_t n_labels, const char *place);

/* text_lines.c: what the two text parsers share */

/* A walk over the data lines of a text. */
typedef struct spl_lines {
    const char *place;
    const char *next, *end; /* rest of the text */
    const char *start;      /* of the present line, without its line end */
    size_t length;
    size_t number; /* of the present line, from 1 */
    size_t max_length;
} spl_lines;

void spl_lines_init(spl_lines *lines, const char *place, const char *text, size_t length,
    const spl_limits *limits);
/* Step to the next line that is neither blank nor a comment; *more tells. */
SPL_MUST_CHECK spl_status spl_lines_next(spl_lines *lines, bool *more);
/* Raise SPL_ERR_FORMAT at a byte of the present line. */
spl_status spl_lines_error(const spl_lines *lines, const char *at, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
/* The field that starts at *cursor, blanks around it cut off and the separator behind it
 * skipped; *cursor is NULL after the last field. A field in quotes may hold separators.
 */
bool spl_next_field(const char **cursor, const char *end, char separator,
    const char **field, size_t *length);
/* Bytes of the UTF-8 sequence at `c`, 0 if it is none (RFC 3629: shortest form, no
 * surrogates, at most U+10FFFF). */
size_t spl_utf8_length(const unsigned char *c, size_t left);
/* The beginning of a token for a message, at most 40 bytes of UTF-8; what is none or
 * would steer a terminal becomes a question mark. */
const char *spl_show_token(const char *token, size_t length, char text[48]);

/* npy.c */
bool spl_is_npy(const char *bytes, size_t length);
SPL_MUST_CHECK spl_status spl_npy_parse(
    spl_table *table, const char *place, const spl_blob *blob, const spl_limits *limits);
/* Parse an array of one string, bytes or UCS-4, into at most 15 characters. */
SPL_MUST_CHECK spl_status spl_npy_text(
    char text[16], const char *place, const spl_blob *blob);

/* table.c */

/* Parse what stands for `member`, by content: .npy or text. */
SPL_MUST_CHECK spl_status spl_table_parse(spl_table *table, spl_member member,
    const char *place, const spl_blob *blob, const spl_limits *limits);
void spl_table_deinit(spl_table *table);
/* Allocate rows x columns. `place` names the culprit in the message. */
SPL_MUST_CHECK spl_status spl_table_init(
    spl_table *table, const char *place, size_t rows, size_t columns);

/* members.c: which file stands for which member */

typedef struct spl_entry {
    char *path;   /* inside the container */
    size_t index; /* for the fetch function */
} spl_entry;

/* One container opened for reading; `fetch` must be callable from two threads. */
typedef struct spl_container {
    const char *file;
    const spl_entry *entries;
    size_t n_entries;
    spl_status (*fetch)(spl_blob *blob, const struct spl_container *container,
        const spl_entry *entry, const char *place, bool square, const spl_limits *limits);
    const void *source;
} spl_container;

/* Limits of what has one row for each node, whose matrix may be sparse. */
static inline spl_limits spl_node_limits(const spl_limits *limits)
{
    spl_limits nodes = *limits;
    if (nodes.max_nodes < SPL_MAX_SPARSE_NODES) {
        nodes.max_nodes = SPL_MAX_SPARSE_NODES;
    }
    return nodes;
}

const char *spl_member_name(spl_member member);
/* Choose the entry of each member, SIZE_MAX where there is none. */
SPL_MUST_CHECK spl_status spl_members_select(
    const spl_container *container, size_t selected[SPL_N_MEMBERS]);
/* Fetch and parse the chosen ones, the two matrices in two threads. */
SPL_MUST_CHECK spl_status spl_members_load(spl_raw *raw, const spl_container *container,
    const size_t selected[SPL_N_MEMBERS], const spl_limits *limits);

/* tvb_zip.c: read an archive that lies in memory; `file` is its name in messages. */
SPL_MUST_CHECK spl_status spl_zip_parse(
    spl_raw *raw, const char *file, const spl_blob *bytes, const spl_limits *limits);

/* The members of an archive in memory, at most SPL_MAX_MEMBERS; their paths are the
 * caller's to free, also after a failure. */
SPL_MUST_CHECK spl_status spl_zip_list(
    spl_entry *entries, size_t *n_entries, const spl_blob *bytes, const char *file);
/* The fetch of a container whose source is the archive's blob. */
SPL_MUST_CHECK spl_status spl_zip_fetch(spl_blob *blob, const spl_container *container,
    const spl_entry *wanted, const char *place, bool square, const spl_limits *limits);

/* sparse_npz.c: what scipy.sparse.save_npz writes */

bool spl_is_zip(const char *bytes, size_t length);
/* Is this archive one sparse matrix, and not a connectome's members? */
bool spl_is_sparse_npz(const spl_container *container);
/* Read it. Result: SPL_OK; SPL_ERR_FORMAT, _LIMIT, _NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_sparse_npz(spl_sparse *sparse, const char *place,
    const spl_blob *bytes, const spl_limits *limits);

/* assemble.c: judge by the policies */
SPL_MUST_CHECK spl_status spl_assemble(spl_connectome **out, spl_raw *raw,
    const char *source, const spl_connectome_options *options);
void spl_raw_deinit(spl_raw *raw);

/* hemispheres.c */

/* Derive the sides from the labels; false if no rule covers all of them with both sides.
 */
bool spl_hemispheres_derive(
    const char *const *labels, size_t n_nodes, int8_t *hemispheres, const char **rule);

/* describe.c */
SPL_MUST_CHECK spl_status spl_count_duplicates(
    const spl_connectome *connectome, size_t *n_duplicates);

/* sparse.c: matrices as readers deliver them */
void spl_sparse_deinit(spl_sparse *sparse);
/* Check the shape against the caps and allocate. Result: SPL_OK; SPL_ERR_LIMIT,
 * _NO_MEMORY. */
SPL_MUST_CHECK spl_status spl_sparse_init(
    spl_sparse *sparse, const char *place, size_t rows, size_t columns, size_t count);
/* The same for one whose numbers are still to come: room for at most `room` of each
 * array at first. */
SPL_MUST_CHECK spl_status spl_sparse_announce(spl_sparse *sparse, const char *place,
    size_t rows, size_t columns, size_t count, size_t room);
/* Turn what a reader delivered into entries, with sorted rows; takes the arrays.
 * Result: SPL_OK; SPL_ERR_FORMAT for rows that are not in order; SPL_ERR_CONNECTOME for
 * pairs stored twice, shapes and patterns that do not fit. */
SPL_MUST_CHECK spl_status spl_sparse_take(spl_entries *entries, spl_raw *raw);

/* entries.c: the two forms of a connectome's entries */
void spl_entries_deinit(spl_entries *entries);
/* Row of entry k. */
size_t spl_row_of(const spl_entries *entries, size_t k);
SPL_MUST_CHECK spl_status spl_entries_transpose(spl_entries *entries);
/* Which triangle of a matrix on these entries, the diagonal apart, is all zero? */
typedef enum { SPL_TRIANGLE_NONE, SPL_TRIANGLE_LOWER, SPL_TRIANGLE_UPPER } spl_triangle;
spl_triangle spl_empty_triangle(const spl_entries *entries, const double *matrix);
/* Mirror the other triangle into the empty one, for weights and lengths each. */
SPL_MUST_CHECK spl_status spl_entries_symmetrise(spl_entries *entries);
/* Largest |m - mT| of weights and lengths; a weight that is not stored is 0, a length
 * that is not stored is unknown. */
SPL_MUST_CHECK spl_status spl_entries_asymmetry(
    const spl_entries *entries, double *weights, double *lengths);

/* normalise.c */
double spl_max_row_sum(const spl_entries *entries);
/* Largest |eigenvalue| of the weights. `patient`: else give up on large sparse networks
 * after some seconds. Result: SPL_OK; SPL_ERR_CONNECTOME if it is not found. */
SPL_MUST_CHECK spl_status spl_spectral_radius(
    const spl_entries *entries, bool patient, double *radius);
/* Divide by one global factor; SPL_ERR_CONNECTOME if the factor is 0. */
SPL_MUST_CHECK spl_status spl_weights_normalise(
    spl_entries *entries, spl_normalise kind, const char *place);

/* Version and build of the BLAS library, which finds eigenvalues, and the CPU kernel it
 * has chosen, on which its last bits depend; static. */
const char *spl_blas_name(void);
const char *spl_blas_core(void);

#endif
