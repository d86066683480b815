#include "spiking/population.h"

#include <math.h>
#include <string.h>

#include "spiking/draw.h"
#include "spiking/population_private.h"
#include "spiking/streams.h"

typedef struct spl_population_private private_part;

/* Parameters of a group of neurons as the user counts them, and their current. */
typedef struct group_values {
    double param[SPL_NEURON_MAX_PARAMS][SPL_NEURON_GROUP];
    double current[SPL_NEURON_GROUP];
} group_values;

static const spl_subnetwork_spec *subnetwork_of(const private_part *own)
{
    return own->setup.subnetwork;
}

static int param_index(const spl_neuron_model *model, const char *name)
{
    for (size_t p = 0; p < model->n_params; p++) {
        if (strcmp(model->params[p].name, name) == 0) {
            return (int)p;
        }
    }
    return -1;
}

/* The two parameters that one random number r of a neuron drives (Izhikevich 2003): value
 * base + slope r^power. */
typedef struct driven_param {
    const char *name;
    double base, slope;
    bool squared;
} driven_param;
static const driven_param excitatory_2003[] = {
    {"c", -65.0, 15.0, true}, {"d", 8.0, -6.0, true}};
static const driven_param inhibitory_2003[] = {
    {"a", 0.02, 0.08, false}, {"b", 0.25, -0.05, false}};
enum { N_DRIVEN = 2 };

static const driven_param *driven_by_r(const spl_population_spec *spec)
{
    return spec->heterogeneity != SPL_HETEROGENEITY_2003 ? NULL
           : spec->excitatory                            ? excitatory_2003
                                                         : inhibitory_2003;
}

/* Constants of one neuron from its parameters and its current. */
static void constants_of(const private_part *own, double h, const double *params,
    double current, double *constants)
{
    double base[SPL_NEURON_MAX_PARAMS];
    double scale = 1.0;
    if (own->form != NULL) {
        scale = own->form->convert(params, base);
        params = base;
    }
    own->kernels->derive(
        params, scale * current, h, subnetwork_of(own)->scheme, constants);
    constants[0] = scale;
}

static bool param_varies(const spl_population_spec *spec, size_t p)
{
    const driven_param *driven = driven_by_r(spec);
    for (size_t d = 0; driven != NULL && d < N_DRIVEN; d++) {
        if (param_index(spec->model, driven[d].name) == (int)p) {
            return true;
        }
    }
    return spec->params[p].kind != SPL_DRAW_CONSTANT;
}

/* Mark the constants that depend on a parameter that varies: those that move when it
 * moves, seen at a point where no product vanishes. */
static void find_varying(const private_part *own, double h,
    const spl_population_spec *spec, bool varies[SPL_NEURON_MAX_CONSTANTS])
{
    double params[SPL_NEURON_MAX_PARAMS];
    double before[SPL_NEURON_MAX_CONSTANTS];
    double after[SPL_NEURON_MAX_CONSTANTS];
    const size_t n = spec->model->n_params;
    for (size_t p = 0; p < n; p++) {
        params[p] = spec->model->params[p].value + 0.37;
    }
    constants_of(own, h, params, 0.37, before);
    for (size_t p = 0; p <= n; p++) {
        const bool moves =
            p < n ? param_varies(spec, p) : spec->current.kind != SPL_DRAW_CONSTANT;
        if (!moves) {
            continue;
        }
        double *moved = p < n ? &params[p] : NULL;
        const double kept = moved != NULL ? *moved : 0.0;
        if (moved != NULL) {
            *moved += 1.0;
        }
        constants_of(own, h, params, moved != NULL ? 0.37 : 1.37, after);
        if (moved != NULL) {
            *moved = kept;
        }
        for (size_t c = 0; c < own->kernels->n_constants; c++) {
            varies[c] = varies[c] || before[c] != after[c];
        }
    }
}

static void lay_out_constants(
    private_part *own, const spl_population *population, spl_arena *arena)
{
    bool varies[SPL_NEURON_MAX_CONSTANTS] = {false};
    find_varying(own, population->h, population->spec, varies);
    for (size_t c = 0; c < own->kernels->n_constants; c++) {
        own->constant[c] = spl_arena_take(
            arena, varies[c] ? population->stride : SPL_NEURON_GROUP, sizeof(spl_real));
        own->run.constant[c] = (spl_neuron_constant){
            own->constant[c], varies[c] ? SIZE_MAX : SPL_NEURON_GROUP - 1};
    }
}

static void lay_out_receptors(
    private_part *own, spl_population *population, spl_arena *arena)
{
    const spl_population_spec *spec = population->spec;
    own->run.n_receptors = spec->n_receptors;
    for (size_t r = 0; r < spec->n_receptors; r++) {
        const spl_receptor *receptor = &spec->receptors[r];
        own->receptor[r] = spl_receptor_constants_of(receptor, population->h);
        const spl_receptor_constants *constants = &own->receptor[r];
        population->ring[r] = spl_arena_take(
            arena, population->n_slots * population->stride, sizeof(spl_real));
        for (size_t a = 0; a < constants->n_arrays; a++) {
            population->g[r][a] =
                spl_arena_take(arena, population->stride, sizeof(spl_real));
        }
        own->run.receptor[r] = (spl_receptor_run){
            .kernel = constants->kernel,
            .effect = receptor->effect,
            .block = receptor->block,
            .decay = {(spl_real)constants->decay[0], (spl_real)constants->decay[1]},
            .gain = (spl_real)constants->gain,
            .E = (spl_real)receptor->E,
            .Mg = (spl_real)(receptor->Mg / 3.57),
            .g = {population->g[r][0], population->g[r][1]},
        };
    }
}

/* Whether the fastest kernels do. */
static bool is_plain(const private_part *own, const spl_population_spec *spec)
{
    bool plain = own->form == NULL && !own->run.located && own->run.linearise_input &&
                 own->run.n_held == 0 && spec->V_min == -INFINITY &&
                 spec->sigma_V == 0.0 && spec->sigma_u == 0.0;
    for (size_t r = 0; r < spec->n_receptors; r++) {
        plain = plain && own->receptor[r].kernel == SPL_KERNEL_EXPONENTIAL &&
                spec->receptors[r].effect == SPL_RECEPTOR_CONDUCTANCE &&
                spec->receptors[r].block == SPL_BLOCK_NONE;
    }
    return plain;
}

static void lay_out_neurons(
    private_part *own, spl_population *population, spl_arena *arena)
{
    const spl_population_spec *spec = population->spec;
    const double h = population->h;
    spl_neuron_run *run = &own->run;
    run->n = population->n;
    run->h = h;
    run->scheme = subnetwork_of(own)->scheme;
    run->located = subnetwork_of(own)->located;
    run->linearise_input = subnetwork_of(own)->linearise_input;
    /* whole sub-steps after the spike's own; rounding must not lose one */
    run->n_held = (spl_real)floor(spec->tau_ref / h * (1.0 + 1e-12));
    run->V_min = (spl_real)spec->V_min;
    run->sigma[0] = (spl_real)(spec->sigma_V / sqrt(h));
    run->sigma[1] = (spl_real)(spec->sigma_u * sqrt(h));
    for (size_t s = 0; s < own->base->n_states; s++) {
        population->state[s] =
            spl_arena_take(arena, population->stride, sizeof(spl_real));
        run->state[s] = population->state[s];
    }
    if (run->n_held > 0) {
        run->held = spl_arena_take(arena, population->stride, sizeof(spl_real));
    }
    lay_out_receptors(own, population, arena);
    lay_out_constants(own, population, arena);
    run->plain = is_plain(own, spec);
}

/* Neurons in whole groups, and not a large power of two: arrays that run side by side
 * would share the sets of the nearest cache, and a store would look like the address of a
 * load (1000 neurons: 0.8 ns per update against 0.6). */
static size_t stride_of(size_t n)
{
    const size_t groups = (n + SPL_NEURON_GROUP - 1) / SPL_NEURON_GROUP;
    return (groups % 8 == 0 ? groups + 1 : groups) * SPL_NEURON_GROUP;
}

void spl_population_lay_out(
    spl_population *population, spl_arena *arena, const spl_population_setup *setup)
{
    const spl_population_spec *spec = &setup->subnetwork->populations[setup->index];
    *population = (spl_population){
        .spec = spec,
        .n = spec->size,
        .stride = stride_of(spec->size),
        .n_blocks = (spec->size + SPL_NEURON_BLOCK - 1) / SPL_NEURON_BLOCK,
        .seed = spl_named_seed(setup->seed, spec->name),
        .h = setup->dt / setup->subnetwork->n_substeps,
        .n_slots = setup->n_slots,
    };
    population->own = spl_arena_take(arena, 1, sizeof *population->own);
    private_part own = {
        .setup = *setup,
        .form = spl_neuron_parameterisation_of(spec->model),
        .kernels = spl_neuron_kernels_of(spec->model, setup->target),
        .shared = spl_population_kernels_of(setup->target),
        .rng = spl_rng_kernels_of(setup->target),
    };
    own.base = own.kernels->model;
    lay_out_neurons(&own, population, arena);
    own.drive = spl_arena_take(arena, setup->max_steps, sizeof *own.drive);
    own.table = spl_arena_take(arena, setup->max_steps, sizeof *own.table);
    own.current_from =
        spl_arena_take(arena, spec->n_current_steps, sizeof *own.current_from);
    if (population->own != NULL) {
        *population->own = own;
    }
}

/* Neurons of the group that starts at `first`. */
static size_t group_size(const spl_population *population, size_t first)
{
    const size_t left = population->n - first;
    return left < SPL_NEURON_GROUP ? left : SPL_NEURON_GROUP;
}

/* Values of the neurons of a group; lanes beyond the last neuron are its copies. */
static void draw_lanes(const spl_population *population, const spl_draw *draw,
    uint32_t stream, size_t first, double *out)
{
    const size_t n = group_size(population, first);
    spl_draw_fill(draw, population->seed, stream, first, n, out);
    for (size_t lane = n; lane < SPL_NEURON_GROUP; lane++) {
        out[lane] = out[n - 1];
    }
}

static void draw_group(
    const spl_population *population, size_t first, group_values *values)
{
    const spl_population_spec *spec = population->spec;
    const driven_param *driven = driven_by_r(spec);
    for (size_t p = 0; p < spec->model->n_params; p++) {
        draw_lanes(population, &spec->params[p], SPL_STREAM_PARAM + (uint32_t)p, first,
            values->param[p]);
    }
    draw_lanes(population, &spec->current, SPL_STREAM_CURRENT, first, values->current);
    if (driven == NULL) {
        return;
    }
    const spl_draw uniform = {
        .kind = SPL_DRAW_UNIFORM, .b = 1.0, .low = 0.0, .high = 1.0};
    double r[SPL_NEURON_GROUP];
    draw_lanes(population, &uniform, SPL_STREAM_R, first, r);
    for (size_t d = 0; d < N_DRIVEN; d++) {
        const int p = param_index(spec->model, driven[d].name);
        for (size_t lane = 0; p >= 0 && lane < SPL_NEURON_GROUP; lane++) {
            const double x = driven[d].squared ? r[lane] * r[lane] : r[lane];
            values->param[p][lane] = driven[d].base + driven[d].slope * x;
        }
    }
}

static void params_of_lane(const spl_population *population, const group_values *values,
    size_t lane, double *params)
{
    for (size_t p = 0; p < population->spec->model->n_params; p++) {
        params[p] = values->param[p][lane];
    }
}

static spl_status check_params(
    const spl_population *population, size_t neuron, const double *params)
{
    static const char *const wanted[] = {
        [SPL_RULE_FINITE] = "a finite number",
        [SPL_RULE_POSITIVE] = "above 0",
        [SPL_RULE_NOT_NEGATIVE] = "at least 0",
    };
    const spl_neuron_model *model = population->spec->model;
    for (size_t p = 0; p < model->n_params; p++) {
        const spl_rule rule = model->params[p].rule;
        const bool good = isfinite(params[p]) &&
                          (rule == SPL_RULE_FINITE || params[p] > 0.0 ||
                              (rule == SPL_RULE_NOT_NEGATIVE && params[p] == 0.0));
        if (!good) {
            return spl_error(SPL_ERR_CONFIG,
                "population %s: %s of neuron %zu is %g; it must be %s",
                population->spec->name, model->params[p].name, neuron, params[p],
                wanted[rule]);
        }
    }
    return SPL_OK;
}

static spl_status draw_constants(spl_population *population)
{
    private_part *own = population->own;
    spl_status status = SPL_OK;
    for (size_t first = 0; first < population->n; first += SPL_NEURON_GROUP) {
        group_values values;
        draw_group(population, first, &values);
        for (size_t lane = 0; lane < SPL_NEURON_GROUP; lane++) {
            double params[SPL_NEURON_MAX_PARAMS];
            double constants[SPL_NEURON_MAX_CONSTANTS];
            params_of_lane(population, &values, lane, params);
            SPL_TRY(check_params(population, first + lane, params));
            constants_of(own, population->h, params, values.current[lane], constants);
            for (size_t c = 0; c < own->kernels->n_constants; c++) {
                own->constant[c][(first + lane) & own->run.constant[c].mask] =
                    (spl_real)constants[c];
            }
        }
    }
out:
    return status;
}

static spl_status draw_backgrounds(spl_population *population)
{
    private_part *own = population->own;
    const spl_population_spec *spec = population->spec;
    for (size_t b = 0; b < spec->n_backgrounds; b++) {
        const spl_background *background = &spec->backgrounds[b];
        const spl_receptor_constants *receptor = &own->receptor[background->receptor];
        event_source source = {
            .stream = SPL_STREAM_BACKGROUND + SPL_MAX_PARTS * (uint32_t)b,
            .receptor = background->receptor,
            .weight = (spl_real)(background->weight *
                                 (background->scaled ? receptor->scale : 1.0)),
            .rate = background->rate,
        };
        if (background->rate == 0.0 || background->weight == 0.0) {
            continue;
        }
        if (!spl_event_table_fill(&source.table, background->rate * population->h)) {
            return spl_error(SPL_ERR_CONFIG,
                "population %s: background %zu has %g events per sub-step of %g ms and "
                "neuron; at most 128 can be drawn: lower the rate or the sub-step",
                spec->name, b, background->rate * population->h, population->h);
        }
        event_source *node = &own->source[0];
        if (own->has_source && source.receptor == node->receptor &&
            source.weight == node->weight) {
            node->rate += source.rate; /* one draw for both */
        } else {
            own->source[own->n_sources++] = source;
        }
    }
    return SPL_OK;
}

/* Where the drive of the node goes, and as what. */
static void place_drive(spl_population *population)
{
    private_part *own = population->own;
    const spl_population_spec *spec = population->spec;
    const spl_interface_spec *interface = &subnetwork_of(own)->interface;
    own->driven = -1;
    own->has_source = false;
    own->n_sources = 0;
    own->nu_per_D = interface->K_ext * (spec->excitatory ? 1.0 : interface->k_I) *
                    interface->r_max / own->setup.Q_max;
    for (size_t r = 0; r < spec->n_receptors && interface->receptor != NULL; r++) {
        if (strcmp(spec->receptors[r].name, interface->receptor) == 0) {
            own->driven = (int)r;
        }
    }
    if (own->driven >= 0 && interface->drive == SPL_DRIVE_POISSON) {
        const spl_receptor_constants *receptor = &own->receptor[own->driven];
        own->has_source = true;
        own->source[own->n_sources++] = (event_source){
            .stream = SPL_STREAM_DRIVE,
            .receptor = (size_t)own->driven,
            .weight =
                (spl_real)(interface->J * (interface->scaled ? receptor->scale : 1.0)),
            .rate = interface->nu0,
        };
    }
}

spl_status spl_population_draw(spl_population *population)
{
    private_part *own = population->own;
    const spl_population_spec *spec = population->spec;
    spl_status status;
    SPL_TRY(draw_constants(population));
    place_drive(population);
    SPL_TRY(draw_backgrounds(population));
    for (size_t s = 0; s < spec->n_current_steps; s++) {
        const double from = spec->current_steps[s].time / population->h;
        own->current_from[s] = (uint64_t)fmax(0.0, ceil(from - 1e-6));
    }
    spl_population_reset(population);
out:
    return status;
}

static void reset_neurons(spl_population *population)
{
    const private_part *own = population->own;
    const spl_population_spec *spec = population->spec;
    for (size_t first = 0; first < population->n; first += SPL_NEURON_GROUP) {
        group_values values;
        double start[SPL_NEURON_MAX_STATES][SPL_NEURON_GROUP];
        draw_group(population, first, &values);
        for (size_t s = 0; s < own->base->n_states; s++) {
            draw_lanes(population, &spec->init[s], SPL_STREAM_STATE + (uint32_t)s, first,
                start[s]);
        }
        for (size_t lane = 0; lane < SPL_NEURON_GROUP; lane++) {
            double params[SPL_NEURON_MAX_PARAMS] = {0};
            double base[SPL_NEURON_MAX_PARAMS];
            double scale = 1.0;
            params_of_lane(population, &values, lane, params);
            memcpy(base, params, sizeof base);
            if (own->form != NULL) {
                scale = own->form->convert(params, base);
            }
            const double V = start[0][lane];
            population->state[0][first + lane] = (spl_real)V;
            population->state[1][first + lane] =
                (spl_real)(spec->u_follows ? own->kernels->follow(base, V)
                                           : scale * start[1][lane]);
        }
    }
}

void spl_population_reset(spl_population *population)
{
    const size_t stride = population->stride;
    for (size_t r = 0; r < population->spec->n_receptors; r++) {
        memset(population->ring[r], 0,
            population->n_slots * stride * sizeof *population->ring[r]);
        for (size_t a = 0; a < population->own->receptor[r].n_arrays; a++) {
            memset(population->g[r][a], 0, stride * sizeof *population->g[r][a]);
        }
    }
    if (population->own->run.held != NULL) {
        memset(population->own->run.held, 0, stride * sizeof(spl_real));
    }
    if (population->own->base->n_states > 0) {
        reset_neurons(population);
    }
}

bool spl_population_diverged(const spl_population *population, size_t *neuron)
{
    for (size_t i = 0; i < population->n; i++) {
        bool finite = true;
        for (size_t s = 0; s < population->own->base->n_states; s++) {
            finite = finite && isfinite(population->state[s][i]);
        }
        for (size_t r = 0; r < population->spec->n_receptors; r++) {
            for (size_t a = 0; a < population->own->receptor[r].n_arrays; a++) {
                finite = finite && isfinite(population->g[r][a][i]);
            }
        }
        if (!finite) {
            *neuron = i;
            return true;
        }
    }
    return false;
}

/* The arrays that change, one after the other; false after the last. */
static bool changing_array(
    const spl_population *population, size_t index, spl_real **array, size_t *n_rows)
{
    const size_t n_states = population->own->base->n_states;
    const size_t n_receptors = population->spec->n_receptors;
    *n_rows = 1;
    if (index < n_states) {
        *array = population->state[index];
        return true;
    }
    index -= n_states;
    if (index < 2 * n_receptors) {
        *array = population->g[index / 2][index % 2];
        return true;
    }
    index -= 2 * n_receptors;
    if (index < n_receptors) {
        *array = population->ring[index];
        *n_rows = population->n_slots;
        return true;
    }
    *array = population->own->run.held;
    return index == n_receptors;
}

size_t spl_population_state_bytes(const spl_population *population)
{
    spl_real *array;
    size_t n_rows;
    size_t total = 0;
    for (size_t i = 0; changing_array(population, i, &array, &n_rows); i++) {
        total += array != NULL ? n_rows * population->n * sizeof *array : 0;
    }
    return total;
}

/* What the padding holds differs from target to target and means nothing. */
void spl_population_copy_state(const spl_population *population, void *out)
{
    const size_t bytes = population->n * sizeof(spl_real);
    char *to = out;
    spl_real *array;
    size_t n_rows;
    for (size_t i = 0; changing_array(population, i, &array, &n_rows); i++) {
        for (size_t row = 0; array != NULL && row < n_rows; row++, to += bytes) {
            memcpy(to, array + row * population->stride, bytes);
        }
    }
}

void spl_population_put_state(spl_population *population, const void *state)
{
    const size_t bytes = population->n * sizeof(spl_real);
    const char *from = state;
    spl_real *array;
    size_t n_rows;
    for (size_t i = 0; changing_array(population, i, &array, &n_rows); i++) {
        for (size_t row = 0; array != NULL && row < n_rows; row++, from += bytes) {
            memcpy(array + row * population->stride, from, bytes);
        }
    }
}
