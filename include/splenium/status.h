/* Status codes of every fallible function, and the text of the last error. */
#ifndef SPLENIUM_STATUS_H
#define SPLENIUM_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SPL_API        __attribute__((visibility("default")))
#define SPL_MUST_CHECK __attribute__((warn_unused_result))
#else
#define SPL_API
#define SPL_MUST_CHECK
#endif

/* 0 is success, every error is negative. */
typedef int spl_status;

/* One row per code: name, value, sentence. */
/* clang-format off */
#define SPL_STATUS_LIST(X)                                                                 \
    X(SPL_OK,                 0, "success")                                                \
    /* argument */                                                                         \
    X(SPL_ERR_ARGUMENT,     -10, "invalid argument")                                       \
    X(SPL_ERR_NOT_FOUND,    -11, "no such name")                                           \
    X(SPL_ERR_USAGE,        -12, "wrong usage")                                            \
    X(SPL_ERR_UNSUPPORTED,  -13, "not supported by this machine or build")                 \
    /* file */                                                                             \
    X(SPL_ERR_FILE_MISSING, -20, "input file missing or not readable")                     \
    X(SPL_ERR_FILE_READ,    -21, "error while reading a file")                             \
    X(SPL_ERR_FILE_CREATE,  -22, "cannot create the output file")                          \
    X(SPL_ERR_FILE_WRITE,   -23, "error while writing a file")                             \
    X(SPL_ERR_DISK_FULL,    -24, "not enough space on the disk")                           \
    /* format */                                                                           \
    X(SPL_ERR_FORMAT,       -30, "malformed input file")                                   \
    X(SPL_ERR_CONFIG,       -31, "invalid configuration")                                  \
    X(SPL_ERR_CONNECTOME,   -32, "invalid connectome")                                     \
    X(SPL_ERR_LIMIT,        -33, "input exceeds a limit")                                  \
    /* numeric */                                                                          \
    X(SPL_ERR_DIVERGED,     -40, "the simulation diverged")                                \
    X(SPL_ERR_INTERRUPTED,  -41, "interrupted")                                            \
    /* memory, internal */                                                                 \
    X(SPL_ERR_NO_MEMORY,    -50, "out of memory")                                          \
    X(SPL_ERR_INTERNAL,     -60, "internal error")
/* clang-format on */

#define SPL_STATUS_ENUM(name, value, text) name = value,
enum { SPL_STATUS_LIST(SPL_STATUS_ENUM) };
#undef SPL_STATUS_ENUM

/* Return the sentence that belongs to a status code; static, never NULL. */
SPL_API const char *spl_strerror(spl_status status);

/* Return the one-line message of the last error in this thread: file, place, value and
 * what to do. Valid until the next failing call in the same thread; the empty string if
 * there was none. */
SPL_API const char *spl_last_error(void);

#ifdef __cplusplus
}
#endif
#endif
