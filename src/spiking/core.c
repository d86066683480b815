/* A subnetwork of one precision: populations in blocks, projections in rows. A team deals
 * the blocks for the states, and the parts to which rows deliver, some blocks each, for
 * the spikes: what reaches a part is added by one thread, in the order of emission,
 * projection and source, so no bit depends on the size of the team or of the chunks. */
#include "spiking/core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spiking/population.h"
#include "spiking/rows.h"

#ifdef SPL_SINGLE
#define OPS spl_subnetwork_single
#else
#define OPS spl_subnetwork_double
#endif

/* What a spike costs on its way to one target, ns, and how often a neuron is expected to
 * fire, kHz: only for dealing work. */
static const double DELIVERY_NS = 2.0;
static const double EXPECTED_RATE = 0.005;

/* Blocks of one population. */
typedef struct {
    spl_block_spikes *spikes; /* [n_blocks] of the chunk */
    spl_block_sums *sums;     /* [n_blocks][max_steps] of the present call */
    uint32_t *neuron;         /* memory of the spikes, mostly never touched */
    double *fraction;
    size_t part_size, n_parts;
    size_t first_new; /* spike of the record: first of the present call */
} population_blocks;

typedef struct {
    spl_subnetwork base;
    spl_arena arena;
    spl_population *populations; /* [n_populations] */
    population_blocks *blocks;   /* the same */
    spl_rows **rows;             /* [n_projections] */
    const spl_delivery_kernels *delivery;
} core;

static core *core_of(spl_subnetwork *base)
{
    return (core *)base;
}

static const core *const_core_of(const spl_subnetwork *base)
{
    return (const core *)base;
}

/* Slots of the ring of population p, for delays known or predicted. */
static size_t slots_of(
    const spl_subnetwork_spec *spec, size_t p, double h, spl_rows *const *rows)
{
    size_t longest = 1;
    for (size_t j = 0; j < spec->n_projections; j++) {
        const spl_projection_spec *projection = &spec->projections[j];
        if (projection->to == p) {
            const size_t delay = rows != NULL ? spl_rows_max_delay(rows[j])
                                              : spl_rows_predict_delay(projection, h);
            longest = delay > longest ? delay : longest;
        }
    }
    return longest + 1;
}

/* Runs twice: to measure, then to place. */
static void lay_out(spl_population *populations, population_blocks *blocks,
    spl_arena *arena, const spl_subnetwork_spec *spec, const spl_subnetwork_run *run,
    spl_rows *const *rows, size_t chunk)
{
    const double h = run->dt / (double)spec->n_substeps;
    for (size_t p = 0; p < spec->n_populations; p++) {
        const spl_population_setup setup = {
            .subnetwork = spec,
            .index = p,
            .dt = run->dt,
            .Q_max = run->Q_max,
            .seed = run->seed,
            .target = run->target,
            .n_slots = slots_of(spec, p, h, rows),
            .max_steps = run->max_steps,
        };
        population_blocks *of = &blocks[p];
        spl_population_lay_out(&populations[p], arena, &setup);
        const size_t n_blocks = populations[p].n_blocks;
        of->spikes = spl_arena_take(arena, n_blocks, sizeof *of->spikes);
        of->sums = spl_arena_take(arena, n_blocks * run->max_steps, sizeof *of->sums);
        for (size_t b = 0; b < n_blocks; b++) {
            uint32_t *end = spl_arena_take(arena, chunk, sizeof *end);
            if (arena->base != NULL) {
                of->spikes[b].end = end;
            }
        }
    }
}

static uint64_t memory(const spl_subnetwork_spec *spec, const spl_subnetwork_run *run)
{
    spl_arena arena = {0};
    spl_population *populations = calloc(spec->n_populations, sizeof *populations);
    population_blocks *blocks = calloc(spec->n_populations, sizeof *blocks);
    const spl_rows_run rows_run = {
        .h = run->dt / (double)spec->n_substeps,
        .seed = run->seed,
        .target = run->target,
    };
    uint64_t bytes = UINT64_MAX;
    if (populations != NULL && blocks != NULL) {
        lay_out(populations, blocks, &arena, spec, run, NULL, SPL_MAX_CHUNK);
        bytes = arena.overflow ? UINT64_MAX : arena.used;
    }
    for (size_t j = 0; j < spec->n_projections; j++) {
        const uint64_t rows = spl_rows_predict_bytes(spec, j, &rows_run);
        bytes = rows > UINT64_MAX - bytes ? UINT64_MAX : bytes + rows;
    }
    free(populations);
    free(blocks);
    return bytes;
}

/* Room for the spikes of a chunk in which every neuron fires all the time; of what is
 * never written the system gives nothing. */
static spl_status make_spikes(core *self, size_t p)
{
    const spl_population *population = &self->populations[p];
    population_blocks *of = &self->blocks[p];
    const size_t per_block =
        self->base.chunk * spl_population_spikes_per_substep(population);
    const size_t n = population->n_blocks * per_block;
    of->neuron = malloc(n * sizeof *of->neuron);
    of->fraction = self->base.spec->located ? malloc(n * sizeof *of->fraction) : NULL;
    if (of->neuron == NULL || (self->base.spec->located && of->fraction == NULL)) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: spikes of population %s",
            population->spec->name);
    }
    for (size_t b = 0; b < population->n_blocks; b++) {
        of->spikes[b].neuron = of->neuron + b * per_block;
        of->spikes[b].fraction =
            of->fraction != NULL ? of->fraction + b * per_block : NULL;
    }
    return SPL_OK;
}

static void core_free(spl_subnetwork *base)
{
    core *self = core_of(base);
    const spl_subnetwork_spec *spec = base->spec;
    for (size_t p = 0; spec != NULL && p < spec->n_populations && self->blocks != NULL;
         p++) {
        free(self->blocks[p].neuron);
        free(self->blocks[p].fraction);
    }
    for (size_t j = 0; spec != NULL && j < spec->n_projections && self->rows != NULL;
         j++) {
        spl_rows_free(self->rows[j]);
    }
    free(self->rows);
    free(self->blocks);
    free(self->populations);
    spl_arena_deinit(&self->arena);
    spl_subnetwork_deinit(base);
    free(self);
}

static void core_reset(spl_subnetwork *base)
{
    for (size_t p = 0; p < base->spec->n_populations; p++) {
        spl_population_reset(&core_of(base)->populations[p]);
    }
}

static spl_status make_rows(core *self)
{
    spl_status status = SPL_OK;
    spl_subnetwork *base = &self->base;
    const spl_rows_run run = {
        .h = base->h, .seed = base->run.seed, .target = base->run.target};
    base->chunk = SPL_MAX_CHUNK;
    for (size_t j = 0; j < base->spec->n_projections; j++) {
        SPL_TRY(spl_rows_create(&self->rows[j], base->spec, j, &run));
        const spl_rows *rows = self->rows[j];
        if (spl_rows_n_synapses(rows) > 0 && spl_rows_min_delay(rows) < base->chunk) {
            base->chunk = spl_rows_min_delay(rows);
        }
        base->n_synapses += spl_rows_n_synapses(rows);
        base->n_short_delays += spl_rows_n_short(rows);
        base->bytes += spl_rows_bytes(rows);
    }
out:
    return status;
}

static spl_status make_populations(core *self)
{
    spl_status status = SPL_OK;
    spl_subnetwork *base = &self->base;
    lay_out(self->populations, self->blocks, &self->arena, base->spec, &base->run,
        self->rows, base->chunk);
    SPL_TRY(spl_arena_commit(&self->arena));
    lay_out(self->populations, self->blocks, &self->arena, base->spec, &base->run,
        self->rows, base->chunk);
    base->bytes += self->arena.size;
    for (size_t p = 0; p < base->spec->n_populations; p++) {
        const size_t n = self->populations[p].n;
        population_blocks *of = &self->blocks[p];
        of->part_size = spl_part_size(n);
        of->n_parts = (n + of->part_size - 1) / of->part_size;
        SPL_TRY(make_spikes(self, p));
        SPL_TRY(spl_population_draw(&self->populations[p]));
    }
out:
    return status;
}

static spl_status core_create(
    spl_subnetwork **out, const spl_subnetwork_spec *spec, const spl_subnetwork_run *run)
{
    spl_status status = SPL_OK;
    *out = NULL;
    core *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: subnetwork %s", spec->name);
    }
    self->base.ops = &OPS;
    self->delivery = spl_delivery_kernels_of(run->target);
    SPL_TRY(spl_subnetwork_init(&self->base, spec, run));
    self->populations = calloc(spec->n_populations, sizeof *self->populations);
    self->blocks = calloc(spec->n_populations, sizeof *self->blocks);
    self->rows = calloc(spec->n_projections + 1, sizeof(spl_rows *));
    if (self->populations == NULL || self->blocks == NULL || self->rows == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: subnetwork %s", spec->name);
    }
    self->base.bytes = sizeof *self;
    SPL_TRY(make_rows(self));
    SPL_TRY(make_populations(self));
    spl_subnetwork_reset(&self->base);
    *out = &self->base;
    self = NULL;
out:
    if (self != NULL) {
        core_free(&self->base);
    }
    return status;
}

static spl_status core_open(
    spl_subnetwork *base, uint64_t k, size_t n, const double *drive)
{
    spl_status status = SPL_OK;
    core *self = core_of(base);
    for (size_t p = 0; p < base->spec->n_populations; p++) {
        spl_population *population = &self->populations[p];
        population_blocks *of = &self->blocks[p];
        for (size_t b = 0; b < population->n_blocks; b++) {
            memset(of->sums + b * base->run.max_steps, 0, n * sizeof *of->sums);
        }
        of->first_new = base->records[p].n_spikes;
        SPL_TRY(spl_population_set_drive(population, k, n, drive));
    }
out:
    return status;
}

/* Whether neurons [begin, end) of population p, `before` those of the populations before
 * it, are work of a member of the team: the one in whose share of all their middle lies.
 */
static bool is_mine(const core *self, const spl_team *team, uint64_t before, size_t p,
    size_t begin, size_t size)
{
    const size_t n = self->populations[p].n;
    const size_t end = begin + size < n ? begin + size : n;
    const uint64_t middle = before + begin + (end - begin) / 2;
    return middle * team->count / self->base.n_neurons == team->index;
}

static void advance_block(
    core *self, size_t p, size_t b, uint64_t first, size_t n_substeps)
{
    const spl_subnetwork *base = &self->base;
    const spl_population *population = &self->populations[p];
    const population_blocks *of = &self->blocks[p];
    const size_t n_values =
        (2 + population->spec->n_receptors) * population->spec->n_recorded;
    float *recorded = base->records[p].recorded;
    spl_block_output out = {
        .spikes = of->spikes[b],
        .sums = of->sums + b * base->run.max_steps,
        .recorded = recorded != NULL ? recorded + base->block.n_steps * n_values : NULL,
    };
    spl_population_advance_block(population, b, first, n_substeps, &out);
}

static void core_advance(
    spl_subnetwork *base, uint64_t first, size_t n_substeps, const spl_team *team)
{
    core *self = core_of(base);
    uint64_t before = 0;
    for (size_t p = 0; p < base->spec->n_populations; p++) {
        for (size_t b = 0; b < self->populations[p].n_blocks; b++) {
            if (is_mine(self, team, before, p, b * SPL_NEURON_BLOCK, SPL_NEURON_BLOCK)) {
                advance_block(self, p, b, first, n_substeps);
            }
        }
        before += self->populations[p].n;
    }
}

/* Spikes of one sub-step, block by block. */
static void gather_substep(
    core *self, size_t p, uint64_t substep, size_t s, spl_population_record *record)
{
    const population_blocks *of = &self->blocks[p];
    const double h = self->base.h;
    const double time = (double)(substep + 1) * h;
    for (size_t b = 0; b < self->populations[p].n_blocks; b++) {
        const spl_block_spikes *spikes = &of->spikes[b];
        const size_t begin = s > 0 ? spikes->end[s - 1] : 0;
        for (size_t i = begin; i < spikes->end[s]; i++) {
            record->neuron[record->n_spikes] = spikes->neuron[i];
            record->time[record->n_spikes] =
                spikes->fraction != NULL ? ((double)substep + spikes->fraction[i]) * h
                                         : time;
            record->n_spikes++;
        }
    }
}

static spl_status core_gather(spl_subnetwork *base, uint64_t first, size_t n_substeps)
{
    spl_status status = SPL_OK;
    core *self = core_of(base);
    for (size_t p = 0; p < base->spec->n_populations; p++) {
        spl_population_record *record = &base->records[p];
        size_t n = 0;
        for (size_t b = 0; b < self->populations[p].n_blocks; b++) {
            n += self->blocks[p].spikes[b].end[n_substeps - 1];
        }
        SPL_TRY(
            spl_population_record_reserve(record, n, base->spec->populations[p].name));
        for (size_t s = 0; s < n_substeps; s++) {
            const uint64_t step =
                (first + s - base->first_substep) / base->spec->n_substeps;
            record->chunk[s] = record->n_spikes;
            gather_substep(self, p, first + s, s, record);
            record->count[base->block.n_steps + step] +=
                record->n_spikes - record->chunk[s];
        }
        record->chunk[n_substeps] = record->n_spikes;
    }
out:
    return status;
}

static void deliver_to(
    core *self, size_t p, size_t part, uint64_t first, size_t n_substeps)
{
    const spl_subnetwork *base = &self->base;
    const spl_population *population = &self->populations[p];
    for (size_t s = 0; s < n_substeps; s++) {
        for (size_t j = 0; j < base->spec->n_projections; j++) {
            const spl_projection_spec *projection = &base->spec->projections[j];
            const spl_population_record *from = &base->records[projection->from];
            const size_t n = from->chunk[s + 1] - from->chunk[s];
            if (projection->to == p && n > 0) {
                self->delivery->deliver(self->rows[j], part,
                    from->neuron + from->chunk[s], n, first + s,
                    population->ring[projection->receptor], population->n_slots,
                    population->stride);
            }
        }
    }
}

static void core_deliver(
    spl_subnetwork *base, uint64_t first, size_t n_substeps, const spl_team *team)
{
    core *self = core_of(base);
    uint64_t before = 0;
    for (size_t p = 0; p < base->spec->n_populations; p++) {
        const population_blocks *of = &self->blocks[p];
        for (size_t part = 0; part < of->n_parts; part++) {
            if (is_mine(self, team, before, p, part * of->part_size, of->part_size)) {
                deliver_to(self, p, part, first, n_substeps);
            }
        }
        before += self->populations[p].n;
    }
}

/* Spikes located inside their sub-steps come in the order of neurons; bring them into
 * that of time. Those of different sub-steps are in it already. */
static void sort_spikes(spl_population_record *record, size_t first)
{
    for (size_t i = first + 1; i < record->n_spikes; i++) {
        const double time = record->time[i];
        const uint32_t neuron = record->neuron[i];
        size_t place = i;
        for (; place > first && record->time[place - 1] > time; place--) {
            record->time[place] = record->time[place - 1];
            record->neuron[place] = record->neuron[place - 1];
        }
        record->time[place] = time;
        record->neuron[place] = neuron;
    }
}

static spl_status diverged(const core *self, size_t p, double time)
{
    size_t neuron = 0;
    const bool known = spl_population_diverged(&self->populations[p], &neuron);
    return spl_error(SPL_ERR_DIVERGED,
        "population %s: V of neuron %zu is not a finite number %s %.10g ms; check its "
        "weights and parameters, or use more sub-steps",
        self->populations[p].spec->name, neuron, known ? "by" : "or was not, by", time);
}

/* Sums of step s of the call over the blocks, in order. */
static void sum_blocks(const core *self, size_t p, size_t s, size_t at)
{
    const spl_subnetwork *base = &self->base;
    const spl_population *population = &self->populations[p];
    const spl_block_sums *sums = self->blocks[p].sums + s;
    double V = 0.0;
    uint64_t events = 0;
    for (size_t b = 0; b < population->n_blocks; b++) {
        V += sums[b * base->run.max_steps].V;
        events += sums[b * base->run.max_steps].events;
    }
    base->records[p].mean_V[at + s] = V / (double)population->n;
    base->records[p].events[at + s] = events;
}

static spl_status core_close(spl_subnetwork *base, size_t at, size_t n)
{
    const core *self = core_of(base);
    for (size_t s = 0; s < n; s++) {
        for (size_t p = 0; p < base->spec->n_populations; p++) {
            sum_blocks(self, p, s, at);
            if (!isfinite(base->records[p].mean_V[at + s])) {
                return diverged(
                    self, p, (double)(base->block.first_step + at + s) * base->run.dt);
            }
        }
    }
    for (size_t p = 0; p < base->spec->n_populations && base->spec->located; p++) {
        sort_spikes(&base->records[p], self->blocks[p].first_new);
    }
    return SPL_OK;
}

static size_t core_state_bytes(const spl_subnetwork *base)
{
    size_t bytes = 0;
    for (size_t p = 0; p < base->spec->n_populations; p++) {
        bytes += spl_population_state_bytes(&const_core_of(base)->populations[p]);
    }
    return bytes;
}

static void core_copy_state(const spl_subnetwork *base, void *out)
{
    char *to = out;
    for (size_t p = 0; p < base->spec->n_populations; p++) {
        const spl_population *population = &const_core_of(base)->populations[p];
        spl_population_copy_state(population, to);
        to += spl_population_state_bytes(population);
    }
}

static void core_put_state(spl_subnetwork *base, const void *state)
{
    const char *from = state;
    for (size_t p = 0; p < base->spec->n_populations; p++) {
        spl_population *population = &core_of(base)->populations[p];
        spl_population_put_state(population, from);
        from += spl_population_state_bytes(population);
    }
}

static double core_cost(const spl_subnetwork *base)
{
    double cost = 0.0;
    for (size_t p = 0; p < base->spec->n_populations; p++) {
        cost += spl_population_cost(&const_core_of(base)->populations[p]) *
                (double)base->spec->n_substeps;
    }
    return cost + (double)base->n_synapses * EXPECTED_RATE * base->run.dt * DELIVERY_NS;
}

const spl_subnetwork_ops OPS = {
    .memory = memory,
    .create = core_create,
    .free = core_free,
    .reset = core_reset,
    .open = core_open,
    .advance = core_advance,
    .gather = core_gather,
    .deliver = core_deliver,
    .close = core_close,
    .state_bytes = core_state_bytes,
    .copy_state = core_copy_state,
    .put_state = core_put_state,
    .cost = core_cost,
};
