/* What drives a population, and how its blocks advance. */
#include <math.h>
#include <string.h>

#include "spiking/population.h"
#include "spiking/population_private.h"
#include "spiking/streams.h"

typedef struct spl_population_private private_part;

/* Deterministic drive at the rate nu: the mean of what random events would do, or the
 * current that they are worth at V_ref. */
static void form_flow(const spl_population *population, double nu, spl_step_drive *drive)
{
    const private_part *own = population->own;
    const spl_interface_spec *interface = &own->setup.subnetwork->interface;
    const size_t r = (size_t)own->driven;
    const spl_receptor_constants *receptor = &own->receptor[r];
    const double flow = interface->J * nu;
    if (interface->drive == SPL_DRIVE_CURRENT) {
        drive->current =
            flow * receptor->area *
            spl_receptor_current(&population->spec->receptors[r], interface->V_ref);
        return;
    }
    drive->flows = receptor->kernel != SPL_KERNEL_PULSE;
    drive->inflow[r][0] = (spl_real)(flow * receptor->inflow[0]);
    drive->inflow[r][1] = (spl_real)(flow * receptor->inflow[1]);
    drive->jump = (spl_real)(flow * receptor->jump);
    drive->current = flow * receptor->current;
}

/* Random word below which a relay fires. */
static uint32_t firing_word(const spl_population *population, double D)
{
    const private_part *own = population->own;
    const double p = population->h * own->setup.subnetwork->interface.r_max * D /
                     own->setup.Q_max * 0x1p32;
    return p <= 0.0 ? 0 : p >= 0x1p32 - 1.0 ? UINT32_MAX : (uint32_t)round(p);
}

static spl_status form_step(
    const spl_population *population, double D, spl_step_drive *drive, spl_event_table *t)
{
    const private_part *own = population->own;
    const spl_interface_spec *interface = &own->setup.subnetwork->interface;
    *drive = (spl_step_drive){.fires = firing_word(population, D)};
    if (own->driven < 0) {
        return SPL_OK;
    }
    const double nu = fmax(0.0, interface->nu0 + own->nu_per_D * D);
    if (!own->has_source) {
        form_flow(population, nu, drive);
        return SPL_OK;
    }
    const double backgrounds = own->source[0].rate - interface->nu0;
    if (!spl_event_table_fill(t, (nu + backgrounds) * population->h)) {
        return spl_error(SPL_ERR_LIMIT,
            "population %s: a drive of D = %g makes %g external events per sub-step and "
            "neuron; at most 128 can be drawn: lower K_ext, or choose the drive "
            "`conductance`",
            population->spec->name, D, (nu + backgrounds) * population->h);
    }
    return SPL_OK;
}

spl_status spl_population_set_drive(
    spl_population *population, uint64_t k, size_t n, const double *D)
{
    private_part *own = population->own;
    spl_status status = SPL_OK;
    spl_bug_assert(n <= own->setup.max_steps);
    own->drive_k = k;
    own->drive_n = n;
    for (size_t j = 0; j < n; j++) {
        const double now = D != NULL ? D[j] : 0.0;
        if (j > 0 && (D == NULL || now == D[j - 1])) {
            own->drive[j] = own->drive[j - 1];
            own->table[j] = own->table[j - 1];
            continue;
        }
        if (!isfinite(now)) {
            SPL_FAIL(SPL_ERR_DIVERGED, "population %s: its drive is not a finite number",
                population->spec->name);
        }
        SPL_TRY(form_step(population, now, &own->drive[j], &own->table[j]));
    }
out:
    return status;
}

/* Normals of a few sub-steps; four come from one call of the generator. */
enum { NOISE_STEPS = 4 };
typedef struct block_noise {
    uint64_t from, end; /* sub-steps that are there */
    spl_real z[SPL_NEURON_MAX_STATES][NOISE_STEPS][SPL_NEURON_BLOCK];
} block_noise;

/* A block under way. */
typedef struct block_run {
    const spl_population *population;
    size_t padded;      /* neurons of the block, in whole groups */
    uint64_t end;       /* sub-step after the last of the call */
    size_t n_changes;   /* current steps that have come */
    block_noise *noise; /* NULL: none */
    spl_neuron_step step;
} block_run;

static void add_events(block_run *b, size_t j, uint64_t *events)
{
    const spl_population *population = b->population;
    const private_part *own = population->own;
    spl_neuron_step *step = &b->step;
    for (size_t s = 0; s < own->n_sources; s++) {
        const event_source *source = &own->source[s];
        const spl_event_table *table =
            s == 0 && own->has_source ? &own->table[j] : &source->table;
        if (table->n_parts == 0) {
            continue;
        }
        *events += own->shared->events(table, population->seed, source->stream,
            step->substep, step->first, step->n, source->weight,
            step->arrivals[source->receptor] + step->first);
    }
}

/* Current common to all neurons: the last step that has come, and that of the drive. */
static void set_current(block_run *b, const spl_step_drive *drive)
{
    const spl_population_spec *spec = b->population->spec;
    const uint64_t *from = b->population->own->current_from;
    while (
        b->n_changes < spec->n_current_steps && from[b->n_changes] <= b->step.substep) {
        b->n_changes++;
    }
    const double value =
        b->n_changes > 0 ? spec->current_steps[b->n_changes - 1].value : 0.0;
    b->step.current = (spl_real)(value + drive->current);
}

/* The number of current steps that have come before a sub-step. */
static size_t changes_before(const spl_population *population, uint64_t substep)
{
    size_t low = 0;
    size_t high = population->spec->n_current_steps;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (population->own->current_from[middle] <= substep) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void set_noise(block_run *b)
{
    const private_part *own = b->population->own;
    block_noise *noise = b->noise;
    const uint64_t s = b->step.substep;
    if (noise == NULL) {
        return;
    }
    if (s >= noise->end) {
        const uint64_t group_end = (s / NOISE_STEPS + 1) * NOISE_STEPS;
        noise->from = s;
        noise->end = group_end < b->end ? group_end : b->end;
        for (uint32_t state = 0; state < SPL_NEURON_MAX_STATES; state++) {
            if (own->run.sigma[state] > 0) {
                own->rng->normals(b->population->seed, SPL_STREAM_WHITE + state, s,
                    noise->end - s, (uint32_t)b->step.first, b->padded,
                    noise->z[state][0], SPL_NEURON_BLOCK);
            }
        }
    }
    for (size_t state = 0; state < SPL_NEURON_MAX_STATES; state++) {
        b->step.noise[state] =
            own->run.sigma[state] > 0 ? noise->z[state][s - noise->from] : NULL;
    }
}

static double recorded_g(const spl_population *population, size_t r, size_t i)
{
    const spl_receptor_constants *receptor = &population->own->receptor[r];
    if (receptor->n_arrays == 0) {
        return 0.0;
    }
    const double g = (double)population->g[r][0][i];
    return receptor->kernel == SPL_KERNEL_DUAL ? g - (double)population->g[r][1][i] : g;
}

/* The neurons of the block that are recorded, at the end of mean-field step j. */
static void record(const block_run *b, size_t j, float *recorded)
{
    const spl_population *population = b->population;
    const spl_population_spec *spec = population->spec;
    const bool has_states = population->own->base->n_states > 0;
    const size_t n = spec->n_recorded;
    float *row = recorded + j * (2 + spec->n_receptors) * n;
    for (size_t k = 0; k < n; k++) {
        const size_t i = spec->recorded[k];
        if (i < b->step.first || i >= b->step.first + b->step.n) {
            continue;
        }
        for (size_t s = 0; s < SPL_NEURON_MAX_STATES; s++) {
            row[s * n + k] = has_states ? (float)population->state[s][i] : NAN;
        }
        for (size_t r = 0; r < spec->n_receptors; r++) {
            row[(2 + r) * n + k] = (float)recorded_g(population, r, i);
        }
    }
}

static void advance_substep(block_run *b, spl_block_output *out)
{
    const spl_population *population = b->population;
    const private_part *own = population->own;
    const uint64_t m = own->setup.subnetwork->n_substeps;
    spl_neuron_step *step = &b->step;
    const size_t j = (size_t)(step->substep / m - own->drive_k);
    const size_t slot = (size_t)(step->substep % population->n_slots);
    for (size_t r = 0; r < population->spec->n_receptors; r++) {
        step->arrivals[r] = population->ring[r] + slot * population->stride;
    }
    step->drive = &own->drive[j];
    add_events(b, j, &out->sums[j].events);
    set_current(b, step->drive);
    set_noise(b);
    own->kernels->step(&own->run, step);
    if ((step->substep + 1) % m != 0) {
        return;
    }
    if (own->base->n_states > 0) {
        out->sums[j].V = own->shared->sum(population->state[0] + step->first, step->n);
    }
    if (out->recorded != NULL) {
        record(b, j, out->recorded);
    }
}

static void advance_all(
    block_run *b, uint64_t first, size_t n_substeps, spl_block_output *out)
{
    for (size_t s = 0; s < n_substeps; s++) {
        b->step.substep = first + s;
        advance_substep(b, out);
        out->spikes.end[s] = (uint32_t)b->step.n_spikes;
    }
}

static void advance_noisy(
    const block_run *b, uint64_t first, size_t n_substeps, spl_block_output *out)
{
    block_noise noise;
    block_run noisy = *b;
    noise.from = noise.end = first;
    noisy.noise = &noise;
    advance_all(&noisy, first, n_substeps, out);
}

void spl_population_advance_block(const spl_population *population, size_t block,
    uint64_t first, size_t n_substeps, spl_block_output *out)
{
    const private_part *own = population->own;
    const size_t first_neuron = block * SPL_NEURON_BLOCK;
    const size_t left = population->n - first_neuron;
    const size_t n = left < SPL_NEURON_BLOCK ? left : SPL_NEURON_BLOCK;
    block_run b = {
        .population = population,
        .padded = (n + SPL_NEURON_GROUP - 1) / SPL_NEURON_GROUP * SPL_NEURON_GROUP,
        .end = first + n_substeps,
        .n_changes = changes_before(population, first),
        .step = {.first = first_neuron,
            .n = n,
            .seed = population->seed,
            .spike = out->spikes.neuron,
            .fraction = out->spikes.fraction},
    };
    if (own->run.sigma[0] > 0 || own->run.sigma[1] > 0) {
        advance_noisy(&b, first, n_substeps, out);
    } else {
        advance_all(&b, first, n_substeps, out);
    }
}

size_t spl_population_spikes_per_substep(const spl_population *population)
{
    return SPL_NEURON_BLOCK *
           (population->own->run.located ? (size_t)SPL_LOCATED_SPIKES + 1 : 1);
}

/* Orders from tests/bench/spiking_update.c on Zen 3 with v3: they only deal work out. */
double spl_population_cost(const spl_population *population)
{
    const private_part *own = population->own;
    const double width = SPL_REAL_BYTES / 4.0;
    double ns = own->run.plain ? 0.3 : 1.2;
    ns += own->run.scheme == SPL_NEURON_EXP_EULER ? 0.3 : 0.0;
    ns += 0.3 * (double)population->spec->n_receptors * (own->run.plain ? 0.0 : 1.0);
    ns += own->run.sigma[0] > 0 ? 2.0 : 0.0;
    ns += own->run.sigma[1] > 0 ? 2.0 : 0.0;
    ns += 0.5 * (double)own->n_sources;
    return ns * width * (double)population->stride + 20.0;
}
