/* Hashes of the objects of a file, by which a copy is compared with its original. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "output/convert.h"

spl_status spl_convert_list_begin(spl_convert_list *list, const char *path)
{
    spl_convert_list_end(list);
    if (list->n == list->capacity) {
        const size_t capacity = 2 * list->capacity + 64;
        spl_convert_entry *all = realloc(list->all, capacity * sizeof *all);
        if (all == NULL) {
            return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
        }
        list->all = all;
        list->capacity = capacity;
    }
    char *copy = spl_strdup(path);
    if (copy == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    list->all[list->n++] = (spl_convert_entry){.path = copy};
    spl_sha256_start(&list->hash);
    list->open = true;
    return SPL_OK;
}

void spl_convert_list_add(spl_convert_list *list, const void *data, size_t bytes)
{
    if (list->open && bytes > 0) {
        spl_sha256_add(&list->hash, data, bytes);
    }
}

void spl_convert_list_end(spl_convert_list *list)
{
    if (list->open) {
        spl_sha256_end(&list->hash, list->all[list->n - 1].hash);
        list->open = false;
    }
}

spl_status spl_convert_list_compare(
    const spl_convert_list *original, const spl_convert_list *copy, const char *path)
{
    const size_t n = original->n < copy->n ? original->n : copy->n;
    const char *wrong = NULL;
    for (size_t i = 0; i < n && wrong == NULL; i++) {
        const spl_convert_entry *a = &original->all[i];
        const spl_convert_entry *b = &copy->all[i];
        if (strcmp(a->path, b->path) != 0 || strcmp(a->hash, b->hash) != 0) {
            wrong = a->path;
        }
    }
    if (wrong == NULL && original->n != copy->n) {
        wrong = original->n > n ? original->all[n].path : copy->all[n].path;
    }
    return wrong == NULL
               ? SPL_OK
               : spl_error(SPL_ERR_FILE_WRITE,
                     "%s: %s does not read back as it was written; check the disk", path,
                     *wrong != '\0' ? wrong : "/");
}

void spl_convert_list_deinit(spl_convert_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->all[i].path);
    }
    free(list->all);
    *list = (spl_convert_list){0};
}
