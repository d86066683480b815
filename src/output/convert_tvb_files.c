/* Files of The Virtual Brain: what all have, and the connectivity. */
#include <hdf5.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "h5/h5.h"
#include "output/convert_tvb.h"
#include "output/internal.h"
#include "output/layout.h"
#include "output/put.h"

enum { DATA_VERSION = 5, HEADER_BYTES = 8192 };

/* A UUID of RFC 9562, version 8: the same export has the same. */
static void make_gid(char gid[SPL_TVB_GID], const char *seed)
{
    char hex[SPL_SHA256_HEX];
    spl_sha256_bytes(seed, strlen(seed), hex);
    memcpy(gid, hex, SPL_TVB_GID - 1);
    gid[SPL_TVB_GID - 1] = '\0';
    gid[12] = '8';
    gid[16] = "89ab"[gid[16] & 3];
}

spl_status spl_tvb_name(
    spl_tvb_file *file, const char *folder, const char *kind, const char *seed)
{
    spl_text path = {0};
    *file = (spl_tvb_file){.file = -1};
    make_gid(file->gid, seed);
    spl_text_add(&path, "%s/%s_%s.h5", folder, kind, file->gid);
    file->path = path.data;
    return path.failed ? spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", folder)
                       : spl_convert_temporary(&file->temporary, file->path);
}

spl_status spl_tvb_put_int(hid_t object, const char *name, int64_t value)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute =
        H5Acreate2(object, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    spl_status status =
        attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_INT64, &value) >= 0
            ? SPL_OK
            : spl_h5_error(SPL_ERR_FILE_WRITE, "%s: cannot be stored", name);
    spl_close_object(attribute, name, &status);
    spl_close_id(space);
    return status;
}

spl_status spl_tvb_put_urn(hid_t object, const char *name, const char *gid)
{
    char urn[64];
    snprintf(urn, sizeof urn, "urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s", gid, gid + 8,
        gid + 12, gid + 16, gid + 20);
    return spl_put_text(object, name, urn);
}

static void write_date(char *date, size_t size)
{
    struct timespec now;
    struct tm utc;
    char seconds[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(seconds, sizeof seconds, "%Y-%m-%d,%H-%M-%S", &utc);
    snprintf(date, size, "%s.%06ld", seconds, now.tv_nsec / 1000);
}

spl_status spl_tvb_create(spl_tvb_file *file, const char *type, uint64_t bytes)
{
    static const char *const texts[][2] = {{"TVB_invalid", "bool:False"},
        {"TVB_is_nan", "bool:False"}, {"TVB_visible", "bool:True"}, {"TVB_subject", ""},
        {"TVB_state", ""}, {"TVB_operation_tag", ""}, {"TVB_user_tag_1", ""},
        {"TVB_user_tag_2", ""}, {"TVB_user_tag_3", ""}, {"TVB_user_tag_4", ""},
        {"TVB_user_tag_5", ""}};
    spl_status status = SPL_OK;
    char date[64];
    hid_t access = -1;
    /* HDF5 may crash on a full disk: ask first */
    SPL_TRY(spl_output_check_room(file->path, bytes + HEADER_BYTES));
    access = spl_put_access_list();
    file->file =
        access >= 0 ? H5Fcreate(file->temporary, H5F_ACC_EXCL, H5P_DEFAULT, access) : -1;
    spl_close_id(access);
    if (file->file < 0) {
        return spl_h5_error(
            SPL_ERR_FILE_CREATE, "%s: cannot be created", file->temporary);
    }
    write_date(date, sizeof date);
    SPL_TRY(spl_put_text(file->file, "TVB_written_by", type));
    SPL_TRY(spl_tvb_put_urn(file->file, "TVB_gid", file->gid));
    SPL_TRY(spl_tvb_put_int(file->file, "TVB_Data_version", DATA_VERSION));
    SPL_TRY(spl_put_text(file->file, "TVB_create_date", date));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        SPL_TRY(spl_put_text(file->file, texts[i][0], texts[i][1]));
    }
out:
    spl_close_id(access);
    return status;
}

spl_status spl_tvb_close(spl_tvb_file *file)
{
    spl_status status = SPL_OK;
    if (file->file >= 0 &&
        (H5Fflush(file->file, H5F_SCOPE_GLOBAL) < 0 || H5Fclose(file->file) < 0)) {
        status =
            spl_h5_error(SPL_ERR_FILE_WRITE, "%s: cannot be closed", file->temporary);
    }
    file->file = -1;
    return status;
}

void spl_tvb_deinit(spl_tvb_file *file)
{
    /* whoever did not close it has an error already */
    (void)!spl_tvb_close(file);
    if (file->temporary != NULL && !file->renamed) {
        unlink(file->temporary);
    }
    free(file->path);
    free(file->temporary);
    *file = (spl_tvb_file){.file = -1};
}

/* The next character of UTF-8 text; what is none counts as one of Latin-1. */
static uint32_t next_character(const unsigned char **at)
{
    const unsigned char *c = *at;
    const size_t more = c[0] >= 0xF0 ? 3 : c[0] >= 0xE0 ? 2 : c[0] >= 0xC2 ? 1 : 0;
    uint32_t value = more == 0 ? c[0] : c[0] & (0x3FU >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((c[i] & 0xC0) != 0x80) {
            *at = c + 1;
            return c[0];
        }
        value = value << 6 | (c[i] & 0x3F);
    }
    *at = c + more + 1;
    return value;
}

bool spl_tvb_add_ascii(spl_text *text, const char *string, bool json)
{
    bool any = false;
    const unsigned char *at = (const unsigned char *)string;
    while (*at != '\0') {
        const uint32_t c = next_character(&at);
        if (c >= 0x10000) {
            spl_text_add(text, "\\u%04" PRIx32 "\\u%04" PRIx32,
                0xD800 + ((c - 0x10000) >> 10 & 0x3FF), 0xDC00 + (c & 0x3FF));
        } else if (c < 0x20 || c >= 0x7F) {
            spl_text_add(text, "\\u%04" PRIx32, c);
        } else {
            spl_text_add(
                text, "%s%c", json && (c == '"' || c == '\\') ? "\\" : "", (int)c);
        }
        any = any || c >= 0x7F;
    }
    return any;
}

/* Write a vector or matrix of doubles, read it again, and compare. */
static spl_status put_block(const spl_tvb_file *file, hid_t set, const char *name,
    hsize_t row, hsize_t width, const double *values, double *again)
{
    spl_status status = SPL_OK;
    const hsize_t start[] = {row, 0};
    const hsize_t extent[] = {1, width};
    hid_t space = H5Dget_space(set);
    hid_t memory = H5Screate_simple(1, &width, NULL);
    if (space < 0 || memory < 0 ||
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, extent, NULL) < 0) {
        SPL_TRY(spl_h5_error(
            SPL_ERR_FILE_WRITE, "%s: %s: cannot be stored", file->temporary, name));
    }
    if (again == NULL) {
        if (H5Dwrite(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values) < 0) {
            SPL_TRY(spl_h5_error(
                SPL_ERR_FILE_WRITE, "%s: %s: cannot be stored", file->temporary, name));
        }
        goto out;
    }
    if (H5Dread(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, again) < 0 ||
        memcmp(again, values, (size_t)width * sizeof *values) != 0) {
        SPL_TRY(spl_h5_error(SPL_ERR_FILE_WRITE,
            "%s: %s does not read back as it was written; check the disk",
            file->temporary, name));
    }
out:
    spl_close_id(memory);
    spl_close_id(space);
    return status;
}

/* Rows of a matrix of the connectome, whatever its form. */
static const double *find_row(
    const spl_edges *edges, const double *data, size_t n, size_t i, double *row)
{
    if (edges->start == NULL) {
        return data + i * n;
    }
    memset(row, 0, n * sizeof *row);
    for (size_t e = edges->start[i]; e < edges->start[i + 1]; e++) {
        row[edges->source[e]] = data[e];
    }
    return row;
}

/* Write a matrix, or compare what is there with it. */
static spl_status put_matrix(const spl_tvb_file *file, const char *name,
    const spl_edges *edges, const double *data, size_t n, bool compare)
{
    spl_status status = SPL_OK;
    const hsize_t square[] = {n, n};
    double *rows = malloc(2 * n * sizeof *rows);
    hid_t set = -1;
    if (rows == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", file->temporary);
    }
    if (compare) {
        set = H5Dopen2(file->file, name, H5P_DEFAULT);
    } else {
        SPL_TRY(spl_put_dataset(&set, file->file, name, H5T_IEEE_F64LE, 2, square));
    }
    for (size_t i = 0; i < n; i++) {
        const double *row = find_row(edges, data, n, i, rows);
        SPL_TRY(put_block(file, set, name, i, n, row, compare ? rows + n : NULL));
    }
out:
    spl_close_object(set, name, &status);
    free(rows);
    return status;
}

static spl_status check_vector(const spl_tvb_file *file, const char *name,
    const void *data, hid_t type, size_t bytes)
{
    void *again = data != NULL ? malloc(bytes + 1) : NULL;
    hid_t set = data != NULL ? H5Dopen2(file->file, name, H5P_DEFAULT) : -1;
    spl_status status = SPL_OK;
    if (data != NULL &&
        (again == NULL || set < 0 ||
            H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, again) < 0 ||
            memcmp(again, data, bytes) != 0)) {
        status = spl_h5_error(again == NULL ? SPL_ERR_NO_MEMORY : SPL_ERR_FILE_WRITE,
            "%s: %s does not read back as it was written; check the disk",
            file->temporary, name);
    }
    spl_close_id(set);
    free(again);
    return status;
}

static spl_status put_doubles(const spl_tvb_file *file, const char *name, size_t n,
    size_t columns, const double *data)
{
    const hsize_t dims[] = {n, columns};
    return data != NULL
               ? spl_put_doubles(file->file, name, columns > 1 ? 2 : 1, dims, data, NULL)
               : SPL_OK;
}

/* Labels of one length, filled up with NULs; the caller frees them. */
static char *make_labels(const spl_connectome *c, size_t n, size_t *width)
{
    spl_text text = {0};
    char *labels = NULL;
    size_t n_escaped = 0;
    *width = 1;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n && !text.failed; i++) {
            text.length = 0;
            n_escaped += spl_tvb_add_ascii(&text, spl_connectome_label(c, i), false);
            if (pass > 0 && labels != NULL && text.length > 0) {
                memcpy(labels + i * *width, text.data, text.length);
            }
            *width = text.length > *width ? text.length : *width;
        }
        labels = pass == 0 && !text.failed ? calloc(n + 1, *width) : labels;
    }
    if (n_escaped > 0) {
        spl_warn("%zu labels are not ASCII, which TVB cannot read: they are written with "
                 "\\uXXXX",
            n_escaped / 2);
    }
    spl_text_deinit(&text);
    return labels;
}

static hid_t label_type(size_t width)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 &&
        (H5Tset_size(type, width) < 0 || H5Tset_strpad(type, H5T_STR_NULLPAD) < 0)) {
        H5Tclose(type);
        type = -1;
    }
    return type;
}

static spl_status put_numbers(
    const spl_tvb_file *file, const spl_connectome *c, const spl_edges *edges, size_t n)
{
    spl_status status = SPL_OK;
    spl_connectome_info info;
    int64_t n_connections = 0;
    for (size_t e = 0; e < edges->n_entries; e++) {
        n_connections += edges->weights[e] != 0.0;
    }
    SPL_TRY(spl_connectome_describe(c, false, &info));
    SPL_TRY(spl_tvb_put_int(file->file, "TVB_number_of_regions", (int64_t)n));
    SPL_TRY(spl_tvb_put_int(file->file, "TVB_number_of_connections", n_connections));
    SPL_TRY(spl_put_text(file->file, "TVB_undirected",
        info.asymmetry == 0.0 ? "bool:True" : "bool:False"));
    SPL_TRY(spl_put_text(file->file, "TVB_saved_selection", "[]"));
out:
    return status;
}

/* What is written, and what must be there afterwards. */
typedef struct parts {
    const spl_connectome *connectome;
    spl_edges edges;
    size_t n, width;
    char *labels;
    const int8_t *hemispheres;
} parts;

static spl_status write_parts(const spl_tvb_file *file, const parts *p)
{
    spl_status status = SPL_OK;
    const spl_connectome *c = p->connectome;
    hid_t type = label_type(p->width);
    SPL_TRY(put_numbers(file, c, &p->edges, p->n));
    SPL_TRY(put_matrix(file, "weights", &p->edges, p->edges.weights, p->n, false));
    SPL_TRY(put_matrix(
        file, "tract_lengths", &p->edges, p->edges.tract_lengths, p->n, false));
    SPL_TRY(spl_layout_vector(file->file, "region_labels", type, type, p->n, p->labels));
    SPL_TRY(put_doubles(file, "centres", p->n, 3, spl_connectome_centres(c)));
    SPL_TRY(put_doubles(file, "orientations", p->n, 3, spl_connectome_orientations(c)));
    SPL_TRY(put_doubles(file, "areas", p->n, 1, spl_connectome_areas(c)));
    SPL_TRY(spl_layout_flags(file->file, "cortical", spl_connectome_cortical(c), p->n));
    SPL_TRY(spl_layout_flags(file->file, "hemispheres", p->hemispheres, p->n));
out:
    spl_close_id(type);
    return status;
}

static spl_status compare_parts(const spl_tvb_file *file, const parts *p)
{
    spl_status status = SPL_OK;
    const spl_connectome *c = p->connectome;
    hid_t labels = label_type(p->width);
    hid_t flags = spl_layout_flag_type();
    const size_t n = p->n;
    SPL_TRY(put_matrix(file, "weights", &p->edges, p->edges.weights, n, true));
    SPL_TRY(
        put_matrix(file, "tract_lengths", &p->edges, p->edges.tract_lengths, n, true));
    SPL_TRY(check_vector(file, "region_labels", p->labels, labels, n * p->width));
    SPL_TRY(check_vector(
        file, "centres", spl_connectome_centres(c), H5T_NATIVE_DOUBLE, 24 * n));
    SPL_TRY(check_vector(
        file, "orientations", spl_connectome_orientations(c), H5T_NATIVE_DOUBLE, 24 * n));
    SPL_TRY(
        check_vector(file, "areas", spl_connectome_areas(c), H5T_NATIVE_DOUBLE, 8 * n));
    SPL_TRY(check_vector(file, "cortical", spl_connectome_cortical(c), flags, n));
    SPL_TRY(check_vector(file, "hemispheres", p->hemispheres, flags, n));
out:
    spl_close_id(labels);
    spl_close_id(flags);
    return status;
}

spl_status spl_tvb_put_connectivity(spl_tvb_file *file, const spl_connectome *connectome)
{
    spl_status status = SPL_OK;
    parts p = {.connectome = connectome, .n = spl_connectome_n_nodes(connectome)};
    int8_t *none = calloc(p.n + 1, sizeof *none);
    p.hemispheres = spl_connectome_hemispheres(connectome);
    spl_connectome_edges(connectome, &p.edges);
    p.labels = make_labels(connectome, p.n, &p.width);
    if (none == NULL || p.labels == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", file->temporary);
    }
    if (p.hemispheres == NULL) {
        spl_warn("the hemispheres are not known; TVB needs them, so all regions count as "
                 "left");
        p.hemispheres = none;
    }
    SPL_TRY(
        spl_tvb_create(file, "tvb.adapters.datatypes.h5.connectivity_h5.ConnectivityH5",
            16 * (uint64_t)p.n * p.n));
    SPL_TRY(write_parts(file, &p));
    SPL_TRY(spl_tvb_close(file));
    file->file = H5Fopen(file->temporary, H5F_ACC_RDONLY, H5P_DEFAULT);
    SPL_TRY(compare_parts(file, &p));
    SPL_TRY(spl_tvb_close(file));
    SPL_TRY(spl_convert_sync(file->temporary));
out:
    free(none);
    free(p.labels);
    return status;
}
