/* The log of what a program did to the files of one folder, in the order it did it. */
#ifndef SPL_CRASH_LOG_H
#define SPL_CRASH_LOG_H

#include <stdint.h>

typedef enum {
    CRASH_START,     /* a program begins: no file is open */
    CRASH_OPEN,      /* fd, value: flags, name */
    CRASH_CLOSE,     /* fd */
    CRASH_WRITE,     /* fd, value: offset, data */
    CRASH_TRUNCATE,  /* fd, value: size */
    CRASH_ALLOCATE,  /* fd, value: smallest size */
    CRASH_SYNC,      /* fd, of a file or of the folder */
    CRASH_SYNC_DATA, /* fd */
    CRASH_RENAME,    /* name, other name */
    CRASH_LINK,      /* name, other name */
    CRASH_UNLINK,    /* name */
    CRASH_MKDIR,     /* name */
    CRASH_N_OPERATIONS
} crash_operation;

/* Names are relative to the folder, which itself is ""; no NUL at their ends. */
typedef struct crash_record {
    uint32_t operation;
    int32_t fd;
    uint64_t value;
    uint64_t bytes;       /* of data or the name, which follow */
    uint64_t other_bytes; /* of the other name, which follows that */
} crash_record;

#endif
