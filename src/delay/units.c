/* Units: which tiles the edges shorter than a block tie together. */
#include <stdlib.h>

#include "delay/plan.h"
#include "simd/tile.h"

/* What is known of a tile while units are found. */
typedef struct {
    uint32_t parent; /* in the forest of units */
    uint32_t size;   /* of a root: tiles of its unit */
    uint32_t next;   /* of a root: place in plan->tile of its next tile */
    bool tied;       /* has a near edge, or goes step by step anyway */
} tile_info;

/* A root in the order of units. */
typedef struct {
    uint32_t size, root;
} tied_unit;

/* Root of a tile; the path to it gets shorter on the way. */
static uint32_t root_of(tile_info *tiles, uint32_t tile)
{
    while (tiles[tile].parent != tile) {
        tiles[tile].parent = tiles[tiles[tile].parent].parent;
        tile = tiles[tile].parent;
    }
    return tile;
}

/* The first tile of a unit is its root. */
static void join(tile_info *tiles, uint32_t a, uint32_t b)
{
    tiles[a].tied = true;
    tiles[b].tied = true;
    a = root_of(tiles, a);
    b = root_of(tiles, b);
    tiles[a < b ? b : a].parent = a < b ? a : b;
}

/* Find the near edges of every node, and join the tiles of their ends. */
static void tie_tiles(spl_plan *plan, tile_info *tiles)
{
    plan->n_near = 0;
    for (size_t i = 0; i < plan->n_nodes; i++) {
        const uint32_t end = plan->start[i + 1];
        uint32_t first = end;
        while (first > plan->start[i] && (size_t)plan->delay[first - 1] < plan->block) {
            first--;
            join(tiles, (uint32_t)(i / SPL_TILE),
                (uint32_t)((size_t)plan->source[first] / SPL_TILE));
        }
        plan->near[i] = first;
        plan->n_near += end - first;
    }
}

static int larger_first(const void *a, const void *b)
{
    const tied_unit *x = a;
    const tied_unit *y = b;
    if (x->size != y->size) {
        return x->size > y->size ? -1 : 1;
    }
    return x->root < y->root ? -1 : x->root > y->root;
}

/* Tied units in order; returns their number. */
static size_t list_tied(tile_info *tiles, size_t n_tiles, tied_unit *units)
{
    size_t n_tied = 0;
    for (uint32_t t = 0; t < n_tiles; t++) {
        tiles[root_of(tiles, t)].size++;
    }
    for (uint32_t t = 0; t < n_tiles; t++) {
        if (tiles[t].tied && tiles[t].parent == t) {
            units[n_tied++] = (tied_unit){tiles[t].size, t};
        }
    }
    qsort(units, n_tied, sizeof *units, larger_first);
    return n_tied;
}

/* Free tiles follow the tied ones, a unit each. */
static void place_units(spl_plan *plan, tile_info *tiles, size_t n_tiles)
{
    const size_t n_free_first = plan->unit_start[plan->n_tied];
    size_t n_free = 0;
    for (uint32_t t = 0; t < n_tiles; t++) {
        if (tiles[t].tied) {
            plan->tile[tiles[root_of(tiles, t)].next++] = t;
        } else {
            plan->tile[n_free_first + n_free] = t;
            plan->unit_start[plan->n_tied + n_free] = (uint32_t)(n_free_first + n_free);
            n_free++;
        }
    }
    plan->n_units = plan->n_tied + n_free;
    plan->unit_start[plan->n_units] = (uint32_t)n_tiles;
}

spl_status spl_plan_partition(spl_plan *plan, size_t block)
{
    spl_status status = SPL_OK;
    const size_t n_tiles = plan->stride / SPL_TILE;
    tile_info *tiles = calloc(n_tiles, sizeof *tiles);
    tied_unit *units = calloc(n_tiles, sizeof *units);
    if (tiles == NULL || units == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: units of %zu tiles", n_tiles);
    }
    for (uint32_t t = 0; t < n_tiles; t++) {
        tiles[t].parent = t;
        tiles[t].tied = plan->stepwise != NULL && plan->stepwise[t];
    }
    plan->block = block;
    tie_tiles(plan, tiles);
    plan->n_tied = list_tied(tiles, n_tiles, units);
    plan->unit_start[0] = 0;
    for (size_t u = 0; u < plan->n_tied; u++) {
        tiles[units[u].root].next = plan->unit_start[u];
        plan->unit_start[u + 1] = plan->unit_start[u] + units[u].size;
    }
    place_units(plan, tiles, n_tiles);
    plan->ring = 2 * SPL_MAX_BLOCK;
    while (plan->ring < plan->delay_max + block + 2) {
        plan->ring *= 2;
    }
    plan->pitch = plan->ring + SPL_WINDOW + 64 / sizeof(spl_real);
out:
    free(tiles);
    free(units);
    return status;
}

void spl_plan_tie_all(spl_plan *plan)
{
    const uint32_t n_tiles = (uint32_t)(plan->stride / SPL_TILE);
    plan->n_units = 1;
    plan->n_tied = 1;
    plan->unit_start[0] = 0;
    plan->unit_start[1] = n_tiles;
    for (uint32_t t = 0; t < n_tiles; t++) {
        plan->tile[t] = t;
    }
}
