#include "connectome/connectome.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 1 << 16,
    /* deflate cannot do much better than 1000:1, so more of it in bulk is a bomb */
    MAX_RATIO = 1000,
    RATIO_FREE_BYTES = 64 << 20,
    ROW_FREE_BYTES = 1 << 20
};

void spl_blob_deinit(spl_blob *blob)
{
    free(blob->bytes);
    *blob = (spl_blob){0};
}

static spl_status reserve(spl_blob *blob, size_t more, const char *place)
{
    size_t need = blob->length + more + SPL_BLOB_PADDING;
    if (need > blob->capacity) {
        size_t capacity = blob->capacity > 0 ? blob->capacity : CHUNK_BYTES;
        while (capacity < need) {
            capacity *= 2;
        }
        char *bytes = realloc(blob->bytes, capacity);
        if (bytes == NULL) {
            return spl_error(
                SPL_ERR_NO_MEMORY, "%s: out of memory for %zu bytes", place, capacity);
        }
        blob->bytes = bytes;
        blob->capacity = capacity;
    }
    return SPL_OK;
}

static spl_status too_large(const char *place, size_t max_bytes)
{
    return spl_error(SPL_ERR_LIMIT,
        "%s: more than %zu bytes; raise connectome.max_member_bytes if it is meant to be "
        "so large",
        place, max_bytes);
}

/* The first row promises N numbers per row, and a matrix has N rows. */
static spl_status check_row_cap(
    const spl_blob *blob, const char *place, const spl_limits *limits)
{
    size_t columns = spl_text_columns(blob->bytes, blob->length);
    size_t max_line = SPL_BYTES_PER_NUMBER * limits->max_nodes;
    if (columns == 0) {
        if (blob->length > max_line + ROW_FREE_BYTES) {
            return spl_error(SPL_ERR_LIMIT,
                "%s: no complete row in the first %zu bytes; raise connectome.max_nodes "
                "if the rows are meant to be so long",
                place, blob->length);
        }
        return SPL_OK;
    }
    if (columns > limits->max_nodes) {
        return spl_error(SPL_ERR_LIMIT,
            "%s: %zu columns, above the limit of %zu nodes; raise connectome.max_nodes",
            place, columns, limits->max_nodes);
    }
    size_t max_bytes = SPL_BYTES_PER_NUMBER * columns * columns + ROW_FREE_BYTES;
    if (blob->length > max_bytes) {
        return spl_error(SPL_ERR_LIMIT,
            "%s: more than %zu bytes for %zu numbers per row; store the matrix with "
            "fewer digits",
            place, max_bytes, columns);
    }
    return SPL_OK;
}

static bool is_compressed(const spl_blob *blob)
{
    const unsigned char *c = (const unsigned char *)blob->bytes;
    if (blob->length >= 2 && c[0] == 0x1F && c[1] == 0x8B) {
        return true;
    }
    /* BZh1-9, then the magic of a block or of the end of the stream */
    return blob->length >= 10 && memcmp(c, "BZh", 3) == 0 && c[3] >= '1' && c[3] <= '9' &&
           (memcmp(c + 4, "1AY&SY", 6) == 0 ||
               memcmp(c + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

/* Look at the row cap each time the blob has doubled: the first row is then scanned a few
 * times only, and a bomb overshoots by a factor of two at most. */
static bool is_time_to_look(size_t before, size_t now)
{
    return now >= ROW_FREE_BYTES && (before ^ now) > (before & now);
}

/* Text of which nobody knows yet how large it may become. */
static bool has_row_cap(const spl_blob *blob)
{
    return !is_compressed(blob) && !spl_is_npy(blob->bytes, blob->length) &&
           !spl_is_zip(blob->bytes, blob->length);
}

/* `square`: limits of a matrix in text, or NULL. */
static spl_status read_file(
    spl_blob *blob, const char *path, size_t max_bytes, const spl_limits *square)
{
    spl_status status = SPL_OK;
    *blob = (spl_blob){0};
    struct stat what;
    /* opening a FIFO would wait for a writer, a device may never end */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &what) != 0) {
        SPL_FAIL(SPL_ERR_FILE_MISSING, "%s: cannot be opened: %s; check the path", path,
            strerror(errno));
    }
    if (S_ISFIFO(what.st_mode) || S_ISCHR(what.st_mode) || S_ISBLK(what.st_mode)) {
        SPL_FAIL(SPL_ERR_FILE_READ, "%s: is a pipe or a device; give a file", path);
    }
    if ((size_t)what.st_size > max_bytes) {
        SPL_TRY(too_large(path, max_bytes));
    }
    if (what.st_size > 0 && square == NULL) {
        SPL_TRY(reserve(blob, (size_t)what.st_size + 1, path));
    }
    for (;;) {
        const size_t before = blob->length;
        SPL_TRY(reserve(blob, CHUNK_BYTES, path));
        ssize_t n = read(fd, blob->bytes + blob->length,
            blob->capacity - blob->length - SPL_BLOB_PADDING);
        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            SPL_FAIL(SPL_ERR_FILE_READ, "%s: cannot be read: %s", path, strerror(errno));
        }
        blob->length += n > 0 ? (size_t)n : 0;
        if (blob->length > max_bytes) {
            SPL_TRY(too_large(path, max_bytes));
        }
        if (square != NULL && is_time_to_look(before, blob->length) &&
            has_row_cap(blob)) {
            memset(blob->bytes + blob->length, 0, SPL_BLOB_PADDING);
            SPL_TRY(check_row_cap(blob, path, square));
        }
    }
    memset(blob->bytes + blob->length, 0, SPL_BLOB_PADDING);
out:
    if (fd >= 0) {
        close(fd);
    }
    if (status != SPL_OK) {
        spl_blob_deinit(blob);
    }
    return status;
}

spl_status spl_blob_read(spl_blob *blob, const char *path, size_t max_bytes)
{
    return read_file(blob, path, max_bytes, NULL);
}

spl_status spl_blob_read_member(
    spl_blob *blob, const char *path, bool square, const spl_limits *limits)
{
    return read_file(blob, path, limits->max_member_bytes, square ? limits : NULL);
}

spl_status spl_blob_append(spl_blob *blob, const void *bytes, size_t length,
    const char *place, size_t input_bytes, bool square, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    size_t before = blob->length;
    if (length > limits->max_member_bytes - blob->length) {
        return too_large(place, limits->max_member_bytes);
    }
    SPL_TRY(reserve(blob, length, place));
    if (length > 0) {
        memcpy(blob->bytes + blob->length, bytes, length);
    }
    blob->length += length;
    memset(blob->bytes + blob->length, 0, SPL_BLOB_PADDING);
    if (blob->length > RATIO_FREE_BYTES && blob->length / MAX_RATIO > input_bytes) {
        SPL_FAIL(SPL_ERR_LIMIT,
            "%s: %zu bytes expand to more than %zu, beyond 1000 to 1; store the data "
            "without this compression if they are genuine",
            place, input_bytes, blob->length);
    }
    if (square && is_time_to_look(before, blob->length) && has_row_cap(blob)) {
        SPL_TRY(check_row_cap(blob, place, limits));
    }
out:
    return status;
}

spl_status spl_archive_failed(
    struct archive *archive, const char *place, const char *what, const char *again)
{
    if (archive_errno(archive) == ENOMEM) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", place);
    }
    const char *why = archive_error_string(archive);
    return spl_error(SPL_ERR_FORMAT, "%s: damaged %s: %s; fetch %s again", place, what,
        why != NULL ? why : "cannot be read", again);
}

/* Read all data of the single entry of a raw stream. */
static spl_status drain(struct archive *archive, spl_blob *out, size_t input_bytes,
    const char *place, bool square, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    for (;;) {
        const void *bytes;
        size_t length;
        la_int64_t offset;
        int code = archive_read_data_block(archive, &bytes, &length, &offset);
        if (code == ARCHIVE_EOF) {
            break;
        }
        if (code != ARCHIVE_OK) {
            SPL_TRY(spl_archive_failed(archive, place, "compressed data", "it"));
        }
        SPL_TRY(spl_blob_append(out, bytes, length, place, input_bytes, square, limits));
    }
out:
    return status;
}

spl_status spl_blob_inflate(
    spl_blob *blob, const char *place, bool square, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    spl_blob out = {0};
    struct archive *archive = NULL;
    if (!is_compressed(blob)) {
        return SPL_OK;
    }
    archive = archive_read_new();
    if (archive == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", place);
    }
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_format_raw(archive);
    archive_read_support_format_empty(archive);
    struct archive_entry *entry;
    int code = archive_read_open_memory(archive, blob->bytes, blob->length);
    code = code == ARCHIVE_OK ? archive_read_next_header(archive, &entry) : code;
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN && code != ARCHIVE_EOF) {
        SPL_TRY(spl_archive_failed(archive, place, "compressed data", "it"));
    }
    SPL_TRY(spl_blob_append(&out, "", 0, place, blob->length, false, limits));
    if (code != ARCHIVE_EOF) {
        SPL_TRY(drain(archive, &out, blob->length, place, square, limits));
    }
    spl_blob_deinit(blob);
    *blob = out;
    out = (spl_blob){0};
out:
    archive_read_free(archive);
    spl_blob_deinit(&out);
    return status;
}
