/* TVB zip archives and .npz, which are zips of .npy members. Nothing is extracted to disk
 * and no member name is used as a path. */
#include "connectome/connectome.h"

#include "base/log.h"
#include "base/str.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* What is open of one archive. */
typedef struct zip_reader {
    struct archive *archive;
    locale_t locale, before;
} zip_reader;

static void close_zip(zip_reader *zip)
{
    archive_read_free(zip->archive);
    if (zip->locale != (locale_t)0) {
        uselocale(zip->before);
        freelocale(zip->locale);
    }
    *zip = (zip_reader){0};
}

static spl_status open_zip(zip_reader *zip, const spl_blob *bytes, const char *file)
{
    /* libarchive converts member names to the locale's charset, and gives NULL for those
     * it cannot; only this thread's LC_CTYPE changes */
    *zip = (zip_reader){0};
    zip->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (zip->locale != (locale_t)0) {
        zip->before = uselocale(zip->locale);
    }
    zip->archive = archive_read_new();
    if (zip->archive == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", file);
    }
    archive_read_support_format_zip_seekable(zip->archive);
    if (archive_read_open_memory(zip->archive, bytes->bytes, bytes->length) !=
        ARCHIVE_OK) {
        return spl_archive_failed(zip->archive, file, "zip archive", "it");
    }
    return SPL_OK;
}

/* Step to the next member; *entry is NULL at the end. */
static spl_status next_entry(
    const zip_reader *zip, const char *file, struct archive_entry **entry)
{
    int code = archive_read_next_header(zip->archive, entry);
    if (code == ARCHIVE_EOF) {
        *entry = NULL;
    } else if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
        return spl_archive_failed(zip->archive, file, "zip archive", "it");
    }
    return SPL_OK;
}

/* Is there a head with this signature and `size` bytes, of which `is` says so? */
static bool any_head(const spl_blob *bytes, const char *signature, size_t size,
    bool (*is)(const unsigned char *head))
{
    const char *end = bytes->bytes + bytes->length;
    const char *at = bytes->bytes;
    while ((at = memmem(at, (size_t)(end - at), signature, 4)) != NULL &&
           (size_t)(end - at) >= size) {
        if (is((const unsigned char *)at)) {
            return true;
        }
        at += 4;
    }
    return false;
}

/* The type of file in the Unix mode, the upper half of the external attributes. */
static bool is_link(const unsigned char *central)
{
    enum { MODE = 40 };
    return (central[MODE + 1] & 0xF0) == 0xA0;
}

/* Packed by something else than nothing, deflate and bzip2. */
static bool is_hungry(const unsigned char *local)
{
    enum { METHOD = 8, STORED = 0, DEFLATE = 8, BZIP2 = 12 };
    const int method = local[METHOD] | local[METHOD + 1] << 8;
    return method != STORED && method != DEFLATE && method != BZIP2;
}

/* libarchive unpacks where a link leads to before it tells that there is one, which may
 * take 4 GiB. */
static spl_status refuse_packed_links(const spl_blob *bytes, const char *file)
{
    enum { LOCAL_BYTES = 30, CENTRAL_BYTES = 46 };
    return any_head(bytes, "PK\3\4", LOCAL_BYTES, is_hungry) &&
                   any_head(bytes, "PK\1\2", CENTRAL_BYTES, is_link)
               ? spl_error(SPL_ERR_FORMAT,
                     "%s: a link among members that are not packed by deflate; make the "
                     "archive again with the files themselves",
                     file)
               : SPL_OK;
}

spl_status spl_zip_list(
    spl_entry *entries, size_t *n_entries, const spl_blob *bytes, const char *file)
{
    spl_status status = SPL_OK;
    zip_reader zip = {0};
    struct archive_entry *entry;
    SPL_TRY(refuse_packed_links(bytes, file));
    SPL_TRY(open_zip(&zip, bytes, file));
    for (size_t index = 0;; index++) {
        SPL_TRY(next_entry(&zip, file, &entry));
        if (entry == NULL) {
            break;
        }
        if (index == SPL_MAX_MEMBERS) {
            SPL_FAIL(SPL_ERR_LIMIT,
                "%s: more than %d members; make an archive of the connectome's files "
                "only",
                file, SPL_MAX_MEMBERS);
        }
        const char *path = archive_entry_pathname(entry);
        if (path == NULL) {
            spl_warn("%s: the name of member %zu cannot be read; the member is ignored",
                file, index + 1);
            continue;
        }
        size_t length = strlen(path);
        if (archive_entry_filetype(entry) == AE_IFDIR ||
            (length > 0 && path[length - 1] == '/')) {
            continue;
        }
        entries[*n_entries].index = index;
        entries[*n_entries].path = spl_strdup(path);
        if (entries[*n_entries].path == NULL) {
            SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", file);
        }
        ++*n_entries;
    }
out:
    close_zip(&zip);
    return status;
}

static spl_status read_member(spl_blob *blob, zip_reader *zip, size_t input_bytes,
    const char *place, bool square, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    SPL_TRY(spl_blob_append(blob, "", 0, place, input_bytes, false, limits));
    for (;;) {
        const void *bytes;
        size_t length;
        la_int64_t offset;
        int code = archive_read_data_block(zip->archive, &bytes, &length, &offset);
        if (code == ARCHIVE_EOF) {
            break;
        }
        /* a wrong size or CRC is a mere warning to libarchive */
        if (code != ARCHIVE_OK) {
            SPL_TRY(spl_archive_failed(zip->archive, place, "member", "the archive"));
        }
        SPL_TRY(spl_blob_append(blob, bytes, length, place, input_bytes, square, limits));
    }
out:
    return status;
}

/* Of what libarchive can read, the methods whose memory is small whatever the archive
 * says: the head of an LZMA, xz, PPMd or Zstandard stream chooses up to 4 GiB. */
static spl_status check_method(const zip_reader *zip, const char *place)
{
    static const char *const known[] = {"(uncompressed)", "(deflation)", "(bzip)"};
    const char *name = archive_format_name(zip->archive);
    const char *method = name != NULL ? strchr(name, '(') : NULL;
    for (size_t i = 0; method != NULL && i < sizeof known / sizeof *known; i++) {
        if (strcmp(method, known[i]) == 0) {
            return SPL_OK;
        }
    }
    return spl_error(SPL_ERR_FORMAT,
        "%s: packed by the method %s; make the archive again with the ordinary one, "
        "deflate",
        place, method != NULL ? method : "(unknown)");
}

/* Open the archive anew for each member: skipping costs nothing with the central
 * directory, and two threads share no state. */
spl_status spl_zip_fetch(spl_blob *blob, const spl_container *container,
    const spl_entry *wanted, const char *place, bool square, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    const spl_blob *bytes = container->source;
    zip_reader zip;
    struct archive_entry *entry = NULL;
    SPL_TRY(open_zip(&zip, bytes, container->file));
    for (size_t index = 0; index <= wanted->index; index++) {
        SPL_TRY(next_entry(&zip, container->file, &entry));
        if (entry == NULL) {
            SPL_FAIL(SPL_ERR_FORMAT,
                "%s: the member has vanished; fetch the archive again", place);
        }
    }
    if (archive_entry_is_encrypted(entry)) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: the member is encrypted; store it without a password", place);
    }
    SPL_TRY(check_method(&zip, place));
    SPL_TRY(read_member(blob, &zip, bytes->length, place, square, limits));
out:
    close_zip(&zip);
    return status;
}

/* Does the end-of-central-directory record stand in the last 64 KiB, where it must? */
static bool has_directory(const char *path, const struct stat *what)
{
    enum { MAX_TAIL = 65557 };
    bool found = false;
    off_t start = what->st_size > MAX_TAIL ? what->st_size - MAX_TAIL : 0;
    char *tail = malloc(MAX_TAIL);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (tail != NULL && fd >= 0) {
        ssize_t n = pread(fd, tail, MAX_TAIL, start);
        found = n > 0 && memmem(tail, (size_t)n, "PK\5\6", 4) != NULL;
    }
    if (fd >= 0) {
        close(fd);
    }
    free(tail);
    return found;
}

/* Archives may have junk, such as a self-extractor, in front of them. */
static bool probe(
    const char *path, const struct stat *what, const char *head, size_t n_head)
{
    if (n_head >= 4 &&
        (memcmp(head, "PK\3\4", 4) == 0 || memcmp(head, "PK\5\6", 4) == 0)) {
        return true;
    }
    return !spl_is_npy(head, n_head) && has_directory(path, what);
}

static bool is_npy_name(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcasecmp(path + length - 4, ".npy") == 0;
}

/* The members of a connectome, whichever of them are there. */
static spl_status load_members(
    spl_raw *raw, const spl_container *container, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    size_t selected[SPL_N_MEMBERS];
    SPL_TRY(spl_members_select(container, selected));
    raw->form = is_npy_name(container->entries[selected[SPL_MEMBER_WEIGHTS]].path)
                    ? "npz"
                    : "TVB zip";
    SPL_TRY(spl_members_load(raw, container, selected, limits));
out:
    return status;
}

spl_status spl_zip_parse(
    spl_raw *raw, const char *file, const spl_blob *bytes, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    spl_entry entries[SPL_MAX_MEMBERS] = {{0}};
    spl_container container = {
        .file = file, .entries = entries, .fetch = spl_zip_fetch, .source = bytes};
    SPL_TRY(spl_zip_list(entries, &container.n_entries, bytes, file));
    if (spl_is_sparse_npz(&container)) {
        raw->form = "sparse npz";
        raw->places[SPL_MEMBER_WEIGHTS] = spl_strdup(file);
        if (raw->places[SPL_MEMBER_WEIGHTS] == NULL) {
            SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", file);
        }
        SPL_TRY(spl_sparse_npz(&raw->sparse[SPL_MEMBER_WEIGHTS], file, bytes, limits));
    } else {
        SPL_TRY(load_members(raw, &container, limits));
    }
    spl_sha256_bytes(bytes->bytes, bytes->length, raw->sha256);
out:
    for (size_t i = 0; i < container.n_entries; i++) {
        free(entries[i].path);
    }
    return status;
}

static spl_status load(
    spl_raw *raw, const spl_connectome_options *options, const spl_limits *limits)
{
    spl_status status = SPL_OK;
    spl_blob bytes = {0};
    /* two matrices and some small members at their caps, compressed not at all */
    size_t max_bytes = limits->max_member_bytes < SIZE_MAX / 4
                           ? 4 * limits->max_member_bytes
                           : SIZE_MAX / 2;
    SPL_TRY(spl_blob_read(&bytes, options->file, max_bytes));
    SPL_TRY(spl_zip_parse(raw, options->file, &bytes, limits));
    raw->text_bytes += bytes.length;
out:
    spl_blob_deinit(&bytes);
    return status;
}

const spl_reader spl_reader_tvb_zip = {.probe = probe, .load = load};
