/* NAME.ckpt: everything that continues a run, in a file of our own form. The last two are
 * kept. A file is hostile input until its size, its table and its checksum agree.
 *
 * All numbers little-endian:
 *   header     SPL_CHECKPOINT_HEADER bytes: magic, form, number of sections, size of the
 *              file, step, 8 zeros, then texts: uuid of the run, software
 *              version, SHA-256 of the connectome and of the keys that define results
 *   table      per section: name (SPL_CHECKPOINT_NAME bytes, zero padded), bytes u64
 *   sections   in the order of the table, each padded with zeros to 8 bytes
 *   end        CRC32C of all bytes before, as u64 */
#ifndef SPL_OUTPUT_CHECKPOINT_H
#define SPL_OUTPUT_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "base/status.h"
#include "output/journal.h"

enum {
    SPL_CHECKPOINT_HEADER = 320,
    SPL_CHECKPOINT_NAME = 56,
    SPL_CHECKPOINT_MAX_SECTIONS = 4096,
    SPL_UUID_BYTES = SPL_JOURNAL_UUID_BYTES,
    SPL_VERSION_BYTES = 48
};

/* Sections that the writer of the results file fills: rows of each stream (u64), and the
 * checksum of the block under way of each variable (u32). */
#define SPL_SECTION_ROWS      "rows"
#define SPL_SECTION_CHECKSUMS "checksums"
/* The resolved configuration as JSON. */
#define SPL_SECTION_CONFIG    "config"

typedef struct spl_section {
    char name[SPL_CHECKPOINT_NAME];
    uint64_t bytes;
    unsigned char *data; /* aligned to 8 bytes; inside the image */
} spl_section;

typedef struct spl_checkpoint {
    uint64_t step;
    char uuid[SPL_UUID_BYTES];
    char version[SPL_VERSION_BYTES];
    char connectome[SPL_SHA256_HEX], identity[SPL_SHA256_HEX];
    size_t n_sections;
    spl_section *sections;
    unsigned char *image; /* the whole file */
    size_t n_bytes;
} spl_checkpoint;

/* Allocate the image for sections of these names and sizes; their data is zero. Result:
 * SPL_OK; SPL_ERR_LIMIT; SPL_ERR_NO_MEMORY. Release with spl_checkpoint_deinit. */
SPL_MUST_CHECK spl_status spl_checkpoint_lay_out(
    spl_checkpoint *checkpoint, const spl_section *sections, size_t n_sections);
void spl_checkpoint_deinit(spl_checkpoint *checkpoint);
/* NULL if there is no section of that name. */
spl_section *spl_checkpoint_find(const spl_checkpoint *checkpoint, const char *name);

/* Write header, table and checksum into the image. */
void spl_checkpoint_seal(spl_checkpoint *checkpoint);
/* Put the sealed image beside the results file: a temporary name, sync, the old one
 * becomes NAME.ckpt.prev, rename, sync of the folder. Result: SPL_OK;
 * SPL_ERR_FILE_CREATE; SPL_ERR_FILE_WRITE; SPL_ERR_DISK_FULL; the older ones are still
 * there. */
SPL_MUST_CHECK spl_status spl_checkpoint_write(
    const spl_checkpoint *checkpoint, const char *results);

/* Read a checkpoint and check its form.
 *   max_bytes   a larger file is refused before anything is allocated
 * Result: SPL_OK; SPL_ERR_FILE_MISSING; SPL_ERR_FILE_READ; SPL_ERR_FORMAT;
 * SPL_ERR_NO_MEMORY. Release with spl_checkpoint_deinit after success. */
SPL_MUST_CHECK spl_status spl_checkpoint_load(
    spl_checkpoint *checkpoint, const char *path, uint64_t max_bytes);

/* Check a checkpoint without keeping it: one pass in small pieces.
 *   about   receives step, texts and size; owns nothing
 * Result: as spl_checkpoint_load. */
SPL_MUST_CHECK spl_status spl_checkpoint_inspect(spl_checkpoint *about, const char *path);

/* Does the file begin like a checkpoint? */
bool spl_is_checkpoint(const char *path);

/* Path of the checkpoint of a results file, of the older one if `previous`. The caller
 * frees it; NULL when out of memory. */
char *spl_checkpoint_path(const char *results, bool previous);
/* Put the older one in the place of the newest, which is damaged. */
void spl_checkpoint_keep_previous(const char *results);
/* Delete both, and what a killed writer left; for good, before anything else goes. */
void spl_checkpoint_delete(const char *results);

#endif
