/* Small connectome files, written into a folder of the test's own. */
#ifndef TEST_CONNECTOME_FIXTURES_H
#define TEST_CONNECTOME_FIXTURES_H

#include <archive.h>
#include <archive_entry.h>
#include <check.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "splenium/connectome.h"
#include "splenium/log.h"

#define W2 "0 1\n2 0\n"
#define L2 "0 10\n20 0\n"
#define C2 "rA 1 0 0\nlA -1 0 0\n"

static char fixture_folder[64];
static char last_warning[1024];
static size_t n_warnings;

static inline void keep_warning(void *user, spl_log_level level, const char *text)
{
    (void)user;
    if (level == SPL_LOG_WARNING) {
        n_warnings++;
        snprintf(last_warning, sizeof last_warning, "%s", text);
    }
}

static inline void fixtures_setup(void)
{
    snprintf(fixture_folder, sizeof fixture_folder, "/tmp/splenium-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fixture_folder));
    ck_assert_int_eq(chdir(fixture_folder), 0);
    n_warnings = 0;
    last_warning[0] = '\0';
    spl_log_set(keep_warning, NULL);
}

static inline void fixtures_teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", fixture_folder);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0);
}

static inline void write_bytes(const char *name, const void *bytes, size_t length)
{
    FILE *file = fopen(name, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

static inline void write_file(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

/* A member of a zip to write; length 0: text up to its NUL. */
typedef struct zip_member {
    const char *name, *text;
    size_t length;
} zip_member;

/* `options` are libarchive's, e.g. "compression=store"; members end with a NULL name. */
static inline void write_zip_by(
    const char *name, const char *options, const zip_member *members)
{
    struct archive *zip = archive_write_new();
    archive_write_set_format_zip(zip);
    if (options != NULL) {
        ck_assert_int_eq(archive_write_set_options(zip, options), ARCHIVE_OK);
        archive_write_set_passphrase(zip, "secret");
    }
    ck_assert_int_eq(archive_write_open_filename(zip, name), ARCHIVE_OK);
    for (; members->name != NULL; members++) {
        struct archive_entry *entry = archive_entry_new();
        size_t length = members->length > 0 ? members->length : strlen(members->text);
        archive_entry_set_pathname(entry, members->name);
        archive_entry_set_size(entry, (la_int64_t)length);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        ck_assert_int_eq(archive_write_header(zip, entry), ARCHIVE_OK);
        ck_assert_int_eq(
            archive_write_data(zip, members->text, length), (la_ssize_t)length);
        archive_entry_free(entry);
    }
    ck_assert_int_eq(archive_write_free(zip), ARCHIVE_OK);
}

#define write_zip(name, ...) \
    write_zip_by(name, NULL, (const zip_member[]){__VA_ARGS__, {NULL, NULL, 0}})

/* Compress one text with libarchive's filter (gzip or bzip2). */
static inline size_t compress_text(
    const char *filter, const char *text, size_t length, char *out, size_t room)
{
    size_t used = 0;
    struct archive *raw = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    archive_write_set_format_raw(raw);
    archive_write_set_bytes_in_last_block(raw, 1);
    ck_assert_int_eq(archive_write_add_filter_by_name(raw, filter), ARCHIVE_OK);
    ck_assert_int_eq(archive_write_open_memory(raw, out, room, &used), ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    ck_assert_int_eq(archive_write_header(raw, entry), ARCHIVE_OK);
    ck_assert_int_eq(archive_write_data(raw, text, length), (la_ssize_t)length);
    ck_assert_int_eq(archive_write_close(raw), ARCHIVE_OK);
    archive_entry_free(entry);
    archive_write_free(raw);
    return used;
}

static inline spl_connectome *load_with(spl_connectome_options options)
{
    spl_connectome *c = NULL;
    spl_status status = spl_connectome_load(&c, &options);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    return c;
}

static inline spl_connectome *load_file(const char *file)
{
    return load_with((spl_connectome_options){.file = file});
}

static inline void refuse_with(
    spl_connectome_options options, spl_status expected, const char *message)
{
    spl_connectome *c = NULL;
    ck_assert_int_eq(spl_connectome_load(&c, &options), expected);
    ck_assert_str_eq(spl_last_error(), message);
    ck_assert_ptr_null(c);
}

static inline void refuse_file(const char *file, spl_status expected, const char *message)
{
    refuse_with((spl_connectome_options){.file = file}, expected, message);
}

/* The three small members are there and mean what they say. */
static inline void check_pair(spl_connectome *c)
{
    const double *w = spl_connectome_weights(c);
    const double *lengths = spl_connectome_tract_lengths(c);
    ck_assert_uint_eq(spl_connectome_n_nodes(c), 2);
    ck_assert(w[0] == 0.0 && w[1] == 1.0 && w[2] == 2.0 && w[3] == 0.0);
    ck_assert(lengths[1] == 10.0 && lengths[2] == 20.0);
    spl_connectome_free(c);
}

#endif
