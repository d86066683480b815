#include "stand_in.h"

#include <dlfcn.h>
#include <hdf5.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patch.h"

/* HDF5 1.12 numbered these names; 1.10 has them without numbers. */
#if !H5_VERSION_GE(1, 12, 0)
#define H5Lget_info1 H5Lget_info
#define H5L_info1_t  H5L_info_t
#define H5O_info1_t  H5O_info_t
#endif

/* What make_structures.py writes. */
typedef struct {
    uint64_t size; /* of a value, bytes */
    uint8_t class; /* H5T_class_t */
    uint8_t is_variable, is_big_endian, is_named;
    uint8_t unused[4];
} type;

typedef struct {
    uint64_t dims[3], offset, storage, address;
    type type;
    uint32_t parent; /* node */
    uint32_t data;   /* place of the values */
    uint8_t is_dataset, is_soft, rank, layout, n_external, n_filters, filter, unused;
    char name[40];
} node;

typedef struct {
    uint64_t n; /* values */
    type type;
    uint32_t node, data;
    char name[24];
} attribute;

typedef struct {
    uint32_t n_nodes, n_attributes, n_bytes, superblock;
} head;

enum { MAX_BYTES = 1 << 16, MAX_READ = 1 << 24, MAX_SPACES = 64 };

typedef struct {
    head head;
    size_t size;                      /* of what follows */
    unsigned char content[MAX_BYTES]; /* nodes, attributes, values */
} tree;

static tree trees[FUZZ_MAX_TREES];
static _Alignas(uint64_t) unsigned char shown[MAX_BYTES];
static head of;
static const tree *present;
static size_t changed_from, changed_to;

/* Identifiers: a kind, and an index below it. The library's own have higher bits. */
enum { OBJECT = 1, ATTRIBUTE, TYPE_OF_NODE, TYPE_OF_ATTRIBUTE, PLIST, SPACE, KINDS };
enum { KIND_SHIFT = 20, ROOT = 0 };

static struct {
    int rank;
    hsize_t dims[H5S_MAX_RANK];
    hsize_t n; /* selected values */
} spaces[MAX_SPACES];
static size_t n_spaces;

static const node *nodes(void)
{
    return (const node *)(const void *)shown;
}

static const attribute *attributes(void)
{
    return (const attribute *)(const void *)(shown + of.n_nodes * sizeof(node));
}

static unsigned char byte_at(uint64_t place)
{
    const size_t before = of.n_nodes * sizeof(node) + of.n_attributes * sizeof(attribute);
    return of.n_bytes > 0 ? shown[before + place % of.n_bytes] : 0;
}

void fuzz_stand_in_load(size_t which, const char *path)
{
    tree *t = &trees[which];
    FILE *file = fopen(path, "rb");
    if (file == NULL || fread(&t->head, sizeof t->head, 1, file) != 1) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(EXIT_FAILURE);
    }
    t->size = fread(t->content, 1, MAX_BYTES, file);
    fclose(file);
    if (t->size != t->head.n_nodes * sizeof(node) +
                       t->head.n_attributes * sizeof(attribute) + t->head.n_bytes) {
        fprintf(stderr, "%s: not a structure\n", path);
        exit(EXIT_FAILURE);
    }
}

void fuzz_stand_in_show(size_t which, const uint8_t *patches, size_t size)
{
    const tree *t = &trees[which];
    if (t != present) {
        memcpy(shown, t->content, t->size);
    } else if (changed_from < changed_to) {
        memcpy(
            shown + changed_from, t->content + changed_from, changed_to - changed_from);
    }
    present = t;
    of = t->head;
    n_spaces = 0;
    changed_from = t->size;
    changed_to = 0;
    fuzz_patch patch;
    while (fuzz_next_patch(&patches, &size, &patch)) {
        const size_t at = patch.at;
        const size_t end = at + patch.bytes < t->size ? at + patch.bytes : t->size;
        if (at < end) {
            memcpy(shown + at, patch.data, end - at);
            changed_from = at < changed_from ? at : changed_from;
            changed_to = end > changed_to ? end : changed_to;
        }
    }
}

/* HDF5 refuses identifiers that it has not given. */
static hid_t id_of(int kind, size_t index)
{
    return (hid_t)((size_t)kind << KIND_SHIFT | index);
}

static bool is_kind(hid_t id, int kind)
{
    return id >> KIND_SHIFT == kind;
}

static size_t index_of(hid_t id)
{
    return (size_t)id & (((size_t)1 << KIND_SHIFT) - 1);
}

static const node *node_of(hid_t id)
{
    static const node none;
    return id >= 0 ? &nodes()[index_of(id)] : &none;
}

static const attribute *attribute_of(hid_t id)
{
    static const attribute none;
    return id >= 0 ? &attributes()[index_of(id)] : &none;
}

/* The same thing seen as another kind. */
static hid_t as(int kind, hid_t id)
{
    return id >= 0 ? id_of(kind, index_of(id)) : -1;
}

/* NULL: one of the library's own. */
static const type *type_of(hid_t id)
{
    return is_kind(id, TYPE_OF_NODE)        ? &node_of(id)->type
           : is_kind(id, TYPE_OF_ATTRIBUTE) ? &attribute_of(id)->type
                                            : NULL;
}

static bool is_variable_text(const type *t)
{
    return t != NULL && t->class == H5T_STRING && t->is_variable != 0;
}

static hid_t new_space(int rank, const hsize_t *dims)
{
    const size_t s = n_spaces++ % MAX_SPACES;
    spaces[s].rank = rank;
    spaces[s].n = 1;
    for (int r = 0; r < rank; r++) {
        spaces[s].dims[r] = dims[r];
        spaces[s].n *= dims[r];
    }
    return id_of(SPACE, s);
}

/* The node a path leads to; SIZE_MAX: none. */
static size_t find(hid_t from, const char *path)
{
    size_t at = *path == '/' ? ROOT : index_of(from);
    if (from < 0) {
        return SIZE_MAX;
    }
    while (*(path += strspn(path, "/")) != '\0') {
        const size_t length = strcspn(path, "/");
        size_t next = 1;
        while (next < of.n_nodes &&
               (nodes()[next].parent != at ||
                   strnlen(nodes()[next].name, sizeof nodes()->name) != length ||
                   memcmp(nodes()[next].name, path, length) != 0)) {
            next++;
        }
        if (next >= of.n_nodes) {
            return SIZE_MAX;
        }
        at = next;
        path += length;
    }
    return at;
}

static hid_t open_object(hid_t from, const char *path, bool any, bool dataset)
{
    const size_t found = find(from, path);
    return found != SIZE_MAX && (any || (nodes()[found].is_dataset != 0) == dataset)
               ? id_of(OBJECT, found)
               : -1;
}

static void describe(size_t index, H5O_info1_t *info)
{
    const node *n = &nodes()[index];
    memset(info, 0, sizeof *info);
    info->fileno = 1;
    info->addr = n->address;
    info->type = n->is_dataset == 0   ? H5O_TYPE_GROUP
                 : n->is_dataset == 1 ? H5O_TYPE_DATASET
                                      : H5O_TYPE_NAMED_DATATYPE;
    for (size_t a = 0; a < of.n_attributes; a++) {
        info->num_attrs += attributes()[a].node == index;
    }
}

static uint64_t value_at(uint64_t place, uint64_t size)
{
    uint64_t value = 0;
    for (uint64_t k = 0; k < size && k < sizeof value; k++) {
        value |= (uint64_t)byte_at(place + k) << 8 * k;
    }
    return value;
}

static double number_at(uint64_t place, const type *t)
{
    const uint64_t bits = value_at(place, t->size);
    double number = (double)(int64_t)bits;
    if (t->class == H5T_FLOAT && t->size == sizeof(float)) {
        const uint32_t low = (uint32_t)bits;
        float single;
        memcpy(&single, &low, sizeof single);
        number = (double)single;
    } else if (t->class == H5T_FLOAT) {
        memcpy(&number, &bits, sizeof number);
    }
    return number;
}

/* Strings follow each other, each with its end. */
static bool read_strings(uint64_t place, hsize_t n, char **texts)
{
    for (hsize_t i = 0; i < n; i++) {
        size_t length = 0;
        while (length < of.n_bytes && byte_at(place + length) != '\0') {
            length++;
        }
        texts[i] = malloc(length + 1);
        if (texts[i] == NULL) {
            return false;
        }
        for (size_t k = 0; k < length; k++) {
            texts[i][k] = (char)byte_at(place + k);
        }
        texts[i][length] = '\0';
        place += length + 1;
    }
    return true;
}

/* As HDF5 does, numbers become the kind of number that is asked for, and nothing else
 * does. */
static bool read_numbers(
    uint64_t place, const type *t, hsize_t n, hid_t wanted, unsigned char *values)
{
    static H5T_class_t (*class_of)(hid_t);
    static size_t (*size_of)(hid_t);
    if (class_of == NULL) {
        *(void **)&class_of = dlsym(RTLD_NEXT, "H5Tget_class");
        *(void **)&size_of = dlsym(RTLD_NEXT, "H5Tget_size");
    }
    const H5T_class_t kind = class_of(wanted);
    const size_t size = size_of(wanted);
    if ((t->class != H5T_INTEGER && t->class != H5T_FLOAT) || n > MAX_READ / 8 ||
        (kind == H5T_FLOAT && size != sizeof(double))) {
        return false;
    }
    for (hsize_t i = 0; i < n; i++) {
        const double number = number_at(place + i * t->size, t);
        const uint64_t whole = value_at(place + i * t->size, t->size);
        memcpy(values + i * size,
            kind == H5T_FLOAT ? (const void *)&number : (const void *)&whole, size);
    }
    return true;
}

static herr_t read_values(
    uint64_t place, const type *t, hsize_t n, hid_t wanted, void *values)
{
    if (type_of(wanted) == NULL) {
        return read_numbers(place, t, n, wanted, values) ? 0 : -1;
    }
    if (is_variable_text(t)) {
        return n <= MAX_READ / 64 && read_strings(place, n, values) ? 0 : -1;
    }
    uint64_t bytes;
    if (__builtin_mul_overflow(n, t->size, &bytes) || bytes > MAX_READ) {
        return -1;
    }
    for (uint64_t k = 0; k < bytes; k++) {
        ((unsigned char *)values)[k] = byte_at(place + k);
    }
    return 0;
}

/* From here on HDF5's own names; nothing is ever closed. */
#define NOTHING(name, ...)   \
    herr_t name(__VA_ARGS__) \
    {                        \
        return 0;            \
    }
#define UNUSED __attribute__((unused))
NOTHING(H5Eclear2, hid_t stack UNUSED)
NOTHING(H5Ewalk2, hid_t stack UNUSED, H5E_direction_t way UNUSED, H5E_walk2_t f UNUSED,
    void *user UNUSED)
NOTHING(H5Aclose, hid_t id UNUSED)
NOTHING(H5Dclose, hid_t id UNUSED)
NOTHING(H5Gclose, hid_t id UNUSED)
NOTHING(H5Oclose, hid_t id UNUSED)
NOTHING(H5Pclose, hid_t id UNUSED)
NOTHING(H5Sclose, hid_t id UNUSED)
NOTHING(H5Tclose, hid_t id UNUSED)

ssize_t H5Fget_obj_ids(
    hid_t file UNUSED, unsigned types UNUSED, size_t n UNUSED, hid_t *ids UNUSED)
{
    return 0;
}

herr_t H5free_memory(void *memory)
{
    free(memory);
    return 0;
}

hid_t H5Fopen(const char *path UNUSED, unsigned flags UNUSED, hid_t list UNUSED)
{
    return id_of(OBJECT, ROOT);
}

hid_t H5Fget_create_plist(hid_t file)
{
    return as(PLIST, file);
}

herr_t H5Fget_info2(hid_t file UNUSED, H5F_info2_t *info)
{
    memset(info, 0, sizeof *info);
    info->super.version = of.superblock;
    return 0;
}

herr_t H5Pget_userblock(hid_t list, hsize_t *size)
{
    *size = node_of(list)->offset;
    return 0;
}

htri_t H5Lexists(hid_t from, const char *path, hid_t list UNUSED)
{
    return find(from, path) != SIZE_MAX;
}

herr_t H5Lget_info1(hid_t from, const char *path, H5L_info1_t *info, hid_t list UNUSED)
{
    const size_t found = find(from, path);
    memset(info, 0, sizeof *info);
    if (found == SIZE_MAX) {
        return -1;
    }
    info->type = nodes()[found].is_soft != 0 ? H5L_TYPE_SOFT : H5L_TYPE_HARD;
    return 0;
}

herr_t H5Oget_info2(hid_t object, H5O_info1_t *info, unsigned fields UNUSED)
{
    if (object < 0) {
        return -1;
    }
    describe(index_of(object), info);
    return 0;
}

herr_t H5Oget_info_by_name2(hid_t from, const char *path, H5O_info1_t *info,
    unsigned fields UNUSED, hid_t l UNUSED)
{
    const size_t found = find(from, path);
    if (found == SIZE_MAX) {
        return -1;
    }
    describe(found, info);
    return 0;
}

hid_t H5Oopen(hid_t from, const char *path, hid_t list UNUSED)
{
    return open_object(from, path, true, false);
}

hid_t H5Gopen2(hid_t from, const char *path, hid_t list UNUSED)
{
    return open_object(from, path, false, false);
}

hid_t H5Dopen2(hid_t from, const char *path, hid_t list UNUSED)
{
    return open_object(from, path, false, true);
}

static bool is_child(size_t child, hid_t group)
{
    return child != ROOT && nodes()[child].parent == index_of(group);
}

herr_t H5Gget_info(hid_t group, H5G_info_t *info)
{
    memset(info, 0, sizeof *info);
    if (group < 0) {
        return -1;
    }
    for (size_t i = 0; i < of.n_nodes; i++) {
        info->nlinks += is_child(i, group);
    }
    return 0;
}

ssize_t H5Lget_name_by_idx(hid_t group, const char *path UNUSED, H5_index_t by UNUSED,
    H5_iter_order_t order UNUSED, hsize_t n, char *name, size_t size, hid_t list UNUSED)
{
    for (size_t i = 0; i < of.n_nodes; i++) {
        if (is_child(i, group) && n-- == 0) {
            const size_t length = strnlen(nodes()[i].name, sizeof nodes()->name);
            snprintf(name, size, "%.*s", (int)length, nodes()[i].name);
            return (ssize_t)length;
        }
    }
    return -1;
}

hid_t H5Dget_type(hid_t set)
{
    return as(TYPE_OF_NODE, set);
}

hid_t H5Dget_space(hid_t set)
{
    hsize_t dims[H5S_MAX_RANK] = {0};
    const node *n = node_of(set);
    memcpy(dims, n->dims, sizeof n->dims);
    return set >= 0 && n->rank <= H5S_MAX_RANK ? new_space(n->rank, dims) : -1;
}

hid_t H5Dget_create_plist(hid_t set)
{
    return as(PLIST, set);
}

haddr_t H5Dget_offset(hid_t set)
{
    return node_of(set)->offset;
}

hsize_t H5Dget_storage_size(hid_t set)
{
    return node_of(set)->storage;
}

H5D_layout_t H5Pget_layout(hid_t list)
{
    return list >= 0 ? (H5D_layout_t)node_of(list)->layout : H5D_LAYOUT_ERROR;
}

int H5Pget_external_count(hid_t list)
{
    return node_of(list)->n_external;
}

int H5Pget_nfilters(hid_t list)
{
    return node_of(list)->n_filters;
}

H5Z_filter_t H5Pget_filter2(hid_t list, unsigned which UNUSED, unsigned *flags,
    size_t *n UNUSED, unsigned values[] UNUSED, size_t size UNUSED, char name[] UNUSED,
    unsigned *config)
{
    *flags = *config = 0;
    return node_of(list)->filter;
}

herr_t H5Dread(
    hid_t set, hid_t wanted, hid_t memory, hid_t file, hid_t list UNUSED, void *values)
{
    const node *n = node_of(set);
    const hid_t from = file == H5S_ALL ? H5Dget_space(set) : file;
    if (from < 0 ||
        (memory != H5S_ALL && spaces[index_of(memory)].n != spaces[index_of(from)].n)) {
        return -1;
    }
    return read_values(n->data, &n->type, spaces[index_of(from)].n, wanted, values);
}

hid_t H5Screate_simple(int rank, const hsize_t dims[], const hsize_t most[] UNUSED)
{
    return new_space(rank, dims);
}

int H5Sget_simple_extent_dims(hid_t space, hsize_t dims[], hsize_t most[] UNUSED)
{
    const size_t s = index_of(space);
    if (space < 0) {
        return -1;
    }
    memcpy(dims, spaces[s].dims, (size_t)spaces[s].rank * sizeof *dims);
    return spaces[s].rank;
}

hssize_t H5Sget_simple_extent_npoints(hid_t space)
{
    return space >= 0 ? (hssize_t)spaces[index_of(space)].n : -1;
}

herr_t H5Sselect_hyperslab(hid_t space, H5S_seloper_t how UNUSED, const hsize_t start[],
    const hsize_t stride[] UNUSED, const hsize_t count[], const hsize_t block[] UNUSED)
{
    const size_t s = index_of(space);
    hsize_t n = 1;
    if (space < 0) {
        return -1;
    }
    for (int r = 0; r < spaces[s].rank; r++) {
        if (start[r] > spaces[s].dims[r] || count[r] > spaces[s].dims[r] - start[r]) {
            return -1;
        }
        n *= count[r];
    }
    spaces[s].n = n;
    return 0;
}

H5T_class_t H5Tget_class(hid_t id)
{
    const type *t = type_of(id);
    return t != NULL ? (H5T_class_t)t->class : H5T_NO_CLASS;
}

size_t H5Tget_size(hid_t id)
{
    const type *t = type_of(id);
    return t == NULL ? 0 : is_variable_text(t) ? sizeof(char *) : (size_t)t->size;
}

htri_t H5Tis_variable_str(hid_t id)
{
    return is_variable_text(type_of(id));
}

htri_t H5Tcommitted(hid_t id)
{
    const type *t = type_of(id);
    return t != NULL && t->is_named != 0;
}

H5T_order_t H5Tget_order(hid_t id)
{
    const type *t = type_of(id);
    return t != NULL && t->is_big_endian != 0 ? H5T_ORDER_BE : H5T_ORDER_LE;
}

hid_t H5Tcopy(hid_t id)
{
    return id;
}

static hid_t find_attribute(size_t owner, const char *name)
{
    for (size_t a = 0; a < of.n_attributes; a++) {
        const attribute *is = &attributes()[a];
        const size_t length = strnlen(is->name, sizeof is->name);
        if (is->node == owner && strlen(name) == length &&
            memcmp(is->name, name, length) == 0) {
            return id_of(ATTRIBUTE, a);
        }
    }
    return -1;
}

htri_t H5Aexists(hid_t object, const char *name)
{
    return find_attribute(index_of(object), name) >= 0;
}

hid_t H5Aopen(hid_t object, const char *name, hid_t list UNUSED)
{
    return find_attribute(index_of(object), name);
}

hid_t H5Aopen_by_name(
    hid_t from, const char *path, const char *name, hid_t list UNUSED, hid_t links UNUSED)
{
    const size_t found = find(from, path);
    return found != SIZE_MAX ? find_attribute(found, name) : -1;
}

hid_t H5Aget_space(hid_t id)
{
    const hsize_t n = attribute_of(id)->n;
    return id >= 0 ? new_space(1, &n) : -1;
}

hid_t H5Aget_type(hid_t id)
{
    return as(TYPE_OF_ATTRIBUTE, id);
}

herr_t H5Aread(hid_t id, hid_t wanted, void *values)
{
    const attribute *a = attribute_of(id);
    return id < 0 ? -1 : read_values(a->data, &a->type, a->n, wanted, values);
}
