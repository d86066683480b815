#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

/* What a file is, by its first bytes and never by its name. */
typedef enum { INPUT_TEXT, INPUT_HDF5, INPUT_CONNECTOME } input_kind;

/* HDF5 may hide behind a user block of 512 bytes. */
enum { HEAD_BYTES = 520, USER_BLOCK = 512 };

static bool starts_with(
    const char *head, ssize_t length, const char *magic, size_t n_magic)
{
    return length >= (ssize_t)n_magic && memcmp(head, magic, n_magic) == 0;
}

/* What cannot be opened counts as text: reading the configuration then says why. */
static input_kind find_kind(const char *path)
{
    struct stat what;
    char head[HEAD_BYTES] = {0};
    ssize_t length = 0;
    input_kind kind = INPUT_TEXT;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return kind;
    }
    if (fstat(fd, &what) == 0 && S_ISDIR(what.st_mode)) {
        kind = INPUT_CONNECTOME;
    } else {
        length = pread(fd, head, sizeof head, 0);
    }
    close(fd);
    static const char hdf5[] = "\x89HDF\r\n\x1a\n";
    if (starts_with(head, length, hdf5, 8) ||
        starts_with(head + USER_BLOCK, length - USER_BLOCK, hdf5, 8)) {
        return INPUT_HDF5;
    }
    if (starts_with(head, length, "PK\3\4", 4) ||
        starts_with(head, length, "\x1f\x8b", 2) || starts_with(head, length, "BZh", 3) ||
        starts_with(head, length, "\x93NUMPY", 6)) {
        return INPUT_CONNECTOME;
    }
    return kind;
}

/* HDF5 is a results file or else TVB's connectome. */
static spl_status load_file(spl_config **config, spl_results_info **results,
    const char *file, bool text_is_matrix)
{
    input_kind kind = find_kind(file);
    if (kind == INPUT_HDF5) {
        spl_status status = spl_results_describe(file, results);
        if (status != SPL_OK && status != SPL_ERR_NOT_FOUND) {
            return status;
        }
        kind = status == SPL_OK ? INPUT_HDF5 : INPUT_CONNECTOME;
    }
    if (kind == INPUT_HDF5 || (kind == INPUT_TEXT && !text_is_matrix)) {
        return spl_config_load(config, file);
    }
    spl_status status = spl_config_defaults(config);
    if (status == SPL_OK) {
        status = spl_config_set(*config, "connectome.file", file);
    }
    return status;
}

spl_status input_configure(spl_config **out, spl_results_info **results,
    const tool_arguments *arguments, const char *file, bool text_is_matrix)
{
    spl_status status = SPL_OK;
    spl_config *config = NULL;
    spl_results_info *described = NULL;
    *out = NULL;
    if (file != NULL) {
        TOOL_TRY(load_file(&config, &described, file, text_is_matrix));
    } else {
        TOOL_TRY(spl_config_defaults(&config));
    }
    for (size_t i = 0; i < arguments->n_settings; i++) {
        TOOL_TRY(spl_config_set(
            config, arguments->settings[i].key, arguments->settings[i].value));
    }
    *out = config;
    config = NULL;
    if (results != NULL) {
        *results = described;
        described = NULL;
    }
out:
    spl_results_free(described);
    spl_config_free(config);
    return status;
}

spl_status input_limit_hours(spl_config *config, const char *hours)
{
    char value[64];
    if (hours == NULL) {
        return SPL_OK;
    }
    snprintf(value, sizeof value, "%s h", hours);
    return spl_config_set(config, "output.stop_after", value);
}
