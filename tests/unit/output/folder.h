/* A folder of the test's own, in which it works. */
#ifndef TEST_OUTPUT_FOLDER_H
#define TEST_OUTPUT_FOLDER_H

#include <check.h>
#include <dirent.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "h5/h5.h"
#include "splenium/log.h"

static char folder[64];
static char all_logs[8192];

static inline void keep_log(void *user, spl_log_level level, const char *text)
{
    (void)user;
    (void)level;
    const size_t used = strlen(all_logs);
    snprintf(all_logs + used, sizeof all_logs - used, "%s\n", text);
}

static inline void folder_setup(void)
{
    /* in memory if possible: on a busy disk each sync may take a second */
    snprintf(folder, sizeof folder, "%s/splenium-output-XXXXXX",
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(spl_h5_init(), SPL_OK);
    all_logs[0] = 0;
    spl_log_set(keep_log, NULL);
}

static inline void folder_teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0);
}

/* How many files lie in the folder. */
static inline size_t folder_count(void)
{
    size_t n = 0;
    DIR *stream = opendir(".");
    ck_assert_ptr_nonnull(stream);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(stream);
    return n;
}

static inline hid_t open_file(const char *path)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert_int_ge(file, 0);
    return file;
}

static inline void read_set(hid_t file, const char *name, hid_t type, void *data)
{
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    ck_assert_int_ge(set, 0);
    ck_assert_int_ge(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), 0);
    H5Dclose(set);
}

static inline uint64_t offset_of(const char *path, const char *name)
{
    hid_t file = open_file(path);
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    ck_assert_int_ge(set, 0);
    const haddr_t offset = H5Dget_offset(set);
    H5Dclose(set);
    H5Fclose(file);
    ck_assert(offset != HADDR_UNDEF);
    return offset;
}

static inline void flip_byte(const char *path, uint64_t offset)
{
    unsigned char byte;
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, (long)offset, SEEK_SET), 0);
    ck_assert_uint_eq(fread(&byte, 1, 1, file), 1);
    byte ^= 0x40;
    ck_assert_int_eq(fseek(file, (long)offset, SEEK_SET), 0);
    ck_assert_uint_eq(fwrite(&byte, 1, 1, file), 1);
    ck_assert_int_eq(fclose(file), 0);
}

#endif
