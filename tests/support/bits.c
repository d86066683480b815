#include "support/bits.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "sim/assemble.h"
#include "support/random.h"

enum { FIRST_DELAY = SPL_PANEL, LAST_DELAY = 2 * SPL_WINDOW + 5 };

const char *const bits_kind_names[BITS_N_KINDS] = {"delayed", "self-edges",
    "short delays", "one delay", "undelayed", "mixed", "a few short", "isolated nodes",
    "negative weights", "tied tiles"};

static void *take(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

bits_case *bits_create(
    size_t n_nodes, const spl_model *model, const spl_coupling *coupling)
{
    bits_case *c = take(1, sizeof *c);
    c->n_nodes = n_nodes;
    c->weights = take(n_nodes * n_nodes, sizeof *c->weights);
    c->lengths = take(n_nodes * n_nodes, sizeof *c->lengths);
    c->settings = (spl_settings){
        .dt = 0.1,
        .integrator = "heun",
        .seed = 7,
        .threads = 1,
        .divergence_limit = INFINITY,
        .speed = 1.0,
        .coupling = coupling,
        .in_strength = coupling->in_strength,
        .sends_observable = coupling->sends_observable,
        .model = model,
        .params = take(model->n_params * n_nodes, sizeof(double)),
        .start_shared = model->starts[0].shared,
        .noise_strength = take(model->n_states * n_nodes, sizeof(double)),
        .noise_tau = 5.0,
        .noise_a = 1.0,
        .noise_b = 1.0,
        .n_nodes = n_nodes,
    };
    for (size_t p = 0; p < coupling->n_params; p++) {
        c->settings.coupling_params[p] = coupling->params[p].value;
    }
    for (size_t p = 0; p < model->n_params; p++) {
        for (size_t i = 0; i < n_nodes; i++) {
            c->settings.params[p * n_nodes + i] = model->params[p].value;
        }
    }
    for (size_t s = 0; s < model->n_states; s++) {
        c->settings.init[s].low = model->starts[0].low[s];
        c->settings.init[s].high = model->starts[0].high[s];
    }
    return c;
}

void bits_free(bits_case *c)
{
    if (c != NULL) {
        free(c->weights);
        free(c->lengths);
        spl_settings_free(&c->settings);
        free(c);
    }
}

/* Delay in steps of an edge between different nodes. */
static size_t draw_delay(bits_kind kind, size_t shortest, uint64_t *random)
{
    switch (kind) {
    case BITS_UNDELAYED:
        return 0;
    case BITS_MIXED:
        return random_whole(random, 0, 1) * random_whole(random, 1, LAST_DELAY);
    case BITS_SHORT:
        return random_whole(random, shortest, LAST_DELAY);
    default:
        return random_whole(random, FIRST_DELAY, LAST_DELAY);
    }
}

void bits_draw_edges(bits_case *c, bits_kind kind, double density, uint64_t *random)
{
    const size_t n = c->n_nodes;
    const size_t shortest = random_whole(random, 1, FIRST_DELAY - 1);
    const double typical = 1.0 / (1.0 + density * (double)n);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            const bool self = i == j;
            const bool apart = kind == BITS_ISOLATED && (i % 3 == 0 || j % 3 == 0);
            if (random_uniform(random, 0.0, 1.0) >= density || apart) {
                continue;
            }
            double weight = typical * random_uniform(random, 0.1, 1.9);
            if (kind == BITS_NEGATIVE && random_whole(random, 0, 2) == 0) {
                weight = -weight;
            }
            const bool near = kind == BITS_UNITS && i / SPL_TILE == j / SPL_TILE;
            const size_t delay = self && kind == BITS_SELF ? 0
                                 : near ? random_whole(random, 1, FIRST_DELAY - 1)
                                        : draw_delay(kind, shortest, random);
            c->weights[i * n + j] = weight;
            c->lengths[i * n + j] = (double)delay * c->settings.dt;
        }
    }
    if (kind == BITS_SHORT && n > 1) {
        c->weights[1] = typical;
        c->lengths[1] = (double)shortest * c->settings.dt;
    }
    for (size_t few = 0; few < 6 && kind == BITS_FEW; few++) {
        const size_t at = random_whole(random, 0, n * n - 1);
        c->weights[at] = typical;
        c->lengths[at] =
            (double)random_whole(random, 0, FIRST_DELAY - 1) * c->settings.dt;
    }
    if (kind == BITS_ONE_DELAY) {
        c->settings.one_delay = true;
        c->settings.delay = (double)random_whole(random, 1, 20) * c->settings.dt;
    }
    if (kind == BITS_NEGATIVE) {
        /* an in-strength near zero would make the input as large as its rounding error */
        c->settings.in_strength = false;
    }
    c->settings.undelayed = SPL_UNDELAYED_SPARSE;
}

/* Up to a third of the way from the default to the ends of the suggested range: at the
 * ends explicit schemes may blow up (tau_K of a tenth of dt). */
static double draw_field(const spl_field *field, uint64_t *random)
{
    return field->value +
           (random_uniform(random, field->low, field->high) - field->value) / 3.0;
}

void bits_draw_params(bits_case *c, uint64_t *random)
{
    const spl_model *model = c->settings.model;
    for (size_t p = 0; p < model->n_params; p++) {
        for (size_t i = 0; i < c->n_nodes; i++) {
            c->settings.params[p * c->n_nodes + i] =
                draw_field(&model->params[p], random);
        }
    }
    for (size_t p = 0; p < c->settings.coupling->n_params; p++) {
        c->settings.coupling_params[p] =
            draw_field(&c->settings.coupling->params[p], random);
    }
}

static double *param_of(bits_case *c, const char *name)
{
    const spl_model *model = c->settings.model;
    for (size_t p = 0; p < model->n_params; p++) {
        if (strcmp(model->params[p].name, name) == 0) {
            return c->settings.params + p * c->n_nodes;
        }
    }
    return NULL;
}

void bits_share_gates(bits_case *c)
{
    double *d_Ca = param_of(c, "d_Ca");
    double *d_Na = param_of(c, "d_Na");
    const double *d_K = param_of(c, "d_K");
    for (size_t i = 0; i < c->n_nodes && d_Ca != NULL; i++) {
        d_Ca[i] = d_K[i] / 2;
        d_Na[i] = d_K[i] / 2;
    }
}

void bits_draw_noise(bits_case *c, spl_noise_kind kind, uint64_t *random)
{
    spl_settings *settings = &c->settings;
    settings->noise = kind;
    settings->noise_tau = random_uniform(random, 0.5, 5.0);
    settings->noise_mean = random_uniform(random, -0.1, 0.1);
    settings->noise_a = random_uniform(random, -1.0, 1.0);
    settings->noise_b = random_uniform(random, -1.0, 1.0);
    for (size_t s = 0; s < settings->model->n_states; s++) {
        const double strength = s == 0 || random_whole(random, 0, 1) ? 0.02 : 0.0;
        for (size_t i = 0; i < c->n_nodes; i++) {
            settings->noise_strength[s * c->n_nodes + i] =
                strength * random_uniform(random, 0.0, 1.0);
        }
    }
}

size_t bits_targets(int targets[SPL_N_TARGETS])
{
    size_t count = 0;
    for (int target = 0; target < SPL_N_TARGETS; target++) {
        if (spl_target_available((spl_target)target)) {
            targets[count++] = target + 1;
        }
    }
    return count;
}

static void ask_for_target(int target)
{
    if (target == 0) {
        unsetenv("SPL_TARGET");
    } else {
        setenv("SPL_TARGET", spl_target_names[target - 1], 1);
    }
}

void bits_open(bits_network *b, const bits_case *c, const bits_way *way)
{
    const spl_connectome_options policies = {
        .allow_negative = true,
        .zero_length = SPL_ZERO_LENGTH_ACCEPT,
        .triangular = SPL_TRIANGULAR_ACCEPT,
    };
    const spl_connectome_arrays arrays = {
        .n_nodes = c->n_nodes, .weights = c->weights, .tract_lengths = c->lengths};
    const size_t n_variables = c->settings.model->n_states + 2;
    spl_settings settings = c->settings;
    spl_connectome *connectome = NULL;
    bool record[SPL_MAX_STATES + 2] = {false};
    settings.reference = way->reference;
    settings.threads = way->threads > 0 ? way->threads : 1;
    settings.block = way->block;
    for (size_t v = 0; v < n_variables; v++) {
        record[v] = (way->dropped >> v & 1u) == 0;
    }
    *b = (bits_network){0};
    spl_status status = spl_connectome_create(&connectome, &arrays, &policies);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    ask_for_target(way->target);
    status =
        spl_network_assemble(&b->network, &b->arena, &settings, connectome, record, NULL);
    ck_assert_msg(status == SPL_OK, "%s", spl_last_error());
    unsetenv("SPL_TARGET");
    spl_connectome_free(connectome);
    for (size_t j = 0; j < b->network.n_jobs && way->large; j++) {
        b->network.jobs[j].large = true;
    }
    b->network.given_normals = c->given_normals;
    b->network.n_given = c->n_given;
}

void bits_close(bits_network *b)
{
    spl_network_release(&b->network, &b->arena);
}

/* Floats behind every row of a place that nobody may touch. */
enum { BEHIND = 3 };
static const float untouched = 4711.0f;

typedef struct {
    const spl_network *network;
    bits_outcome *outcome;
    float *places;   /* [n_states][n_steps][n_nodes + BEHIND], or NULL */
    size_t n_placed; /* steps of it */
    double *piece;   /* [n_states][n_nodes]: sums over the piece under way */
    bool unknown;    /* but some of its states came in f4 only */
    bool only_pieces;
    unsigned n_times;
} row_taker;

/* The monitors want sums over pieces of states, or rows if there can be no sums. */
static void make_pieces(
    const row_taker *taker, uint64_t first_step, spl_recording *recording)
{
    const bits_outcome *o = taker->outcome;
    const bool begun = (first_step - 1) % o->piece_steps != 0;
    if (recording->n_steps_in_pieces == 0 || (begun && taker->unknown)) {
        return;
    }
    recording->piece_steps = o->piece_steps;
    for (size_t v = 0; v < o->n_variables; v++) {
        recording->not_f8[v] = v >= o->n_states;
    }
    for (size_t s = 0; s < o->n_states && begun; s++) {
        recording->begun[s] = taker->piece + s * o->n_nodes;
    }
}

/* Hook of the loop: now no state has a place, now all have one, with and without rows for
 * the monitors, now every second; now they are summed. */
static void make_places(void *user, uint64_t first_step, spl_recording *recording)
{
    row_taker *taker = user;
    const bits_outcome *o = taker->outcome;
    const unsigned turn = taker->n_times++ % 6;
    const bool alone = turn == 2 && (o->dropped >> o->n_states & 3u) == 3u;
    if (alone && taker->n_times / 6 % 2 == 1) {
        recording->n_steps_in_f4 -= (recording->n_steps_in_f4 - recording->n_steps) / 2;
    }
    const size_t n_steps = alone ? recording->n_steps_in_f4 : recording->n_steps;
    const size_t size = n_steps * (o->n_nodes + BEHIND);
    ck_assert(taker->places == NULL);
    ck_assert_uint_eq(first_step, o->n_steps + 1);
    if (turn == 0 && !taker->only_pieces) {
        return;
    }
    if (turn > 3 || taker->only_pieces) {
        make_pieces(taker, first_step, recording);
        return;
    }
    recording->f4_alone = alone;
    taker->places = take(o->n_states * size, sizeof *taker->places);
    taker->n_placed = n_steps;
    for (size_t i = 0; i < o->n_states * size; i++) {
        taker->places[i] = untouched;
    }
    recording->f4_pitch = o->n_nodes + BEHIND;
    for (size_t s = 0; s < o->n_states; s += turn == 3 ? 2 : 1) {
        recording->f4[s] = taker->places + s * size;
        recording->not_f8[s] = turn > 1;
    }
}

/* The rows of the block that went to their places; what the monitors saw of them is the
 * same. */
static void take_places(row_taker *taker, const spl_samples *block)
{
    bits_outcome *o = taker->outcome;
    const spl_recording *recording = &taker->network->recording;
    for (size_t s = 0; s < o->n_states && taker->places != NULL; s++) {
        const float *from = recording->f4[s];
        for (size_t k = 0; k < taker->n_placed && from != NULL; k++) {
            double *to = o->rows + ((o->n_steps + k) * o->n_variables + s) * o->n_nodes;
            const bool dropped = (o->dropped >> s & 1u) != 0;
            for (size_t i = 0; i < o->n_nodes && k < block->n_steps && !dropped; i++) {
                const float seen = (float)to[i];
                if (recording->not_f8[s]) {
                    to[i] = (double)from[i];
                    o->in_f4[o->n_steps + k] |= 1u << s;
                } else {
                    ck_assert_mem_eq(&seen, &from[i], sizeof seen);
                }
            }
            from += o->n_nodes;
            for (size_t i = 0; i < BEHIND; i++) {
                ck_assert(*from++ == untouched);
            }
        }
    }
    free(taker->places);
    taker->places = NULL;
}

/* Steps done behind row `row` of a block. */
static uint64_t end_of_row(const spl_samples *block, uint64_t row)
{
    const uint64_t last = block->first_step - 1 + block->n_steps;
    const uint64_t piece = block->piece_steps;
    const uint64_t end = piece > 0 ? ((block->first_step - 1) / piece + row + 1) * piece
                                   : block->first_step + row;
    return end < last ? end : last;
}

/* Hook of the loop: rows of the nodes [begin, end) of a block. A sum goes to the last of
 * its steps. */
static void take_rows(void *user, const spl_samples *block, size_t begin, size_t end)
{
    const row_taker *taker = user;
    bits_outcome *o = taker->outcome;
    const uint64_t last = block->first_step - 1 + block->n_steps;
    uint64_t step = block->first_step - 1;
    for (uint64_t row = 0; step < last; row++) {
        step = end_of_row(block, row);
        for (size_t v = 0; v < o->n_variables; v++) {
            const int slot = taker->network->run.slot[v];
            if (slot >= 0) {
                const double *from =
                    block->values +
                    (row * block->n_variables + (size_t)slot) * block->stride;
                double *to = o->rows + ((step - 1) * o->n_variables + v) * o->n_nodes;
                memcpy(to + begin, from + begin, (end - begin) * sizeof *to);
            }
        }
    }
}

/* What one step adds to the piece under way, or what has been summed. */
static void add_to_piece(row_taker *taker, uint64_t step, bool summed)
{
    const bits_outcome *o = taker->outcome;
    const bool ends = step % o->piece_steps == 0;
    taker->unknown = (taker->unknown || o->in_f4[step - 1] != 0) && !ends;
    for (size_t s = 0; s < o->n_states; s++) {
        const double *row = o->rows + ((step - 1) * o->n_variables + s) * o->n_nodes;
        double *piece = taker->piece + s * o->n_nodes;
        for (size_t i = 0; i < o->n_nodes; i++) {
            piece[i] = ends ? 0.0 : summed ? row[i] : piece[i] + row[i];
        }
    }
}

static void take_pieces(row_taker *taker, const spl_samples *block)
{
    bits_outcome *o = taker->outcome;
    for (uint64_t k = 0; k < block->n_steps && o->piece_steps > 0; k++) {
        const uint64_t step = block->first_step + k;
        if (block->piece_steps > 0) {
            o->sums[step - 1] = step % o->piece_steps == 0 ? BITS_SUM : BITS_SUMMED;
            o->n_sums += step % o->piece_steps == 0;
        }
        if (block->piece_steps == 0 || k + 1 == block->n_steps) {
            add_to_piece(taker, step, block->piece_steps > 0);
        }
    }
}

/* Streams of a subnetwork: drive, x, Qhat; rate, mean V, events, spikes of each
 * population; the state. */
enum { STREAMS = 4, POPULATION_STREAMS = 6, MOST_POPULATIONS = 4 };
enum { ALL_STREAMS = STREAMS + POPULATION_STREAMS * MOST_POPULATIONS };

static void add_bytes(uint32_t **stream, const void *data, size_t bytes)
{
    **stream = spl_crc32c(**stream, data, bytes);
    ++*stream;
}

static void take_streams(bits_outcome *o, const spl_network *network, size_t n_steps)
{
    for (size_t j = 0; j < network->n_jobs; j++) {
        const spl_subnetwork_block *block =
            spl_subnetwork_last(network->jobs[j].subnetwork);
        uint32_t *stream = o->streams + j * ALL_STREAMS;
        ck_assert_uint_eq(block->first_step, o->n_steps + 1);
        ck_assert_uint_ge(block->n_steps, n_steps);
        add_bytes(&stream, block->drive, n_steps * sizeof(double));
        add_bytes(&stream, block->filtered, n_steps * sizeof(double));
        add_bytes(&stream, block->Q_hat, n_steps * sizeof(double));
        for (size_t p = 0; p < MOST_POPULATIONS && p < block->n_populations; p++) {
            const spl_population_block *of = &block->populations[p];
            add_bytes(&stream, of->rate, n_steps * sizeof(double));
            add_bytes(&stream, of->mean_V, n_steps * sizeof(double));
            add_bytes(&stream, of->events, n_steps * sizeof(uint64_t));
            add_bytes(&stream, of->spike_time, of->n_spikes * sizeof(double));
            add_bytes(&stream, of->spike_neuron, of->n_spikes * sizeof(uint32_t));
            o->spikes += of->n_spikes;
        }
    }
}

static void take_subnetworks(bits_outcome *o, const spl_network *network)
{
    for (size_t j = 0; j < network->n_jobs; j++) {
        const spl_subnetwork *subnetwork = network->jobs[j].subnetwork;
        const size_t bytes = spl_subnetwork_state_bytes(subnetwork);
        void *state = take(bytes, 1);
        uint32_t *stream = o->streams + (j + 1) * ALL_STREAMS - 1;
        spl_subnetwork_copy_state(subnetwork, state);
        add_bytes(&stream, state, bytes);
        free(state);
    }
    for (size_t h = 0; h < network->n_hosts; h++) {
        o->clips += network->hosts[h].clips;
    }
}

static bool count_rows(void *user, const spl_samples *block)
{
    bits_outcome *o = ((row_taker *)user)->outcome;
    ck_assert_uint_eq(block->first_step, o->n_steps + 1);
    take_places(user, block);
    take_pieces(user, block);
    if (block->n_steps == 0) {
        return true;
    }
    take_streams(o, ((row_taker *)user)->network, block->n_steps);
    o->n_steps += block->n_steps;
    return true;
}

/* What edges can read, the oldest sample first; the ring's head stands behind its end. */
static void take_history(bits_outcome *o, const spl_network *network)
{
    const spl_plan *plan = network->plan;
    double *out = o->history;
    for (size_t row = 0; row < network->n_channels * network->n_nodes; row++) {
        const spl_real *samples = network->history + row * plan->pitch;
        for (int64_t delay = plan->delay_max; delay >= 0; delay--) {
            *out++ = samples[spl_plan_slot(plan, (int64_t)network->step - delay)];
        }
        ck_assert_mem_eq(samples + plan->ring, samples, SPL_WINDOW * sizeof *samples);
    }
}

bits_outcome *bits_run(const bits_case *c, const bits_way *way, uint64_t n_steps)
{
    bits_network b;
    bits_open(&b, c, way);
    const spl_network *network = &b.network;
    bits_outcome *o = take(1, sizeof *o);
    row_taker taker = {.network = network, .outcome = o};
    const spl_block_hooks hooks = {.user = &taker,
        .observe = take_rows,
        .finish = count_rows,
        .collect = way->collect,
        .place = way->places || way->pieces ? make_places : NULL};
    taker.only_pieces = way->pieces;
    o->n_nodes = c->n_nodes;
    o->n_states = network->n_states;
    o->n_variables = network->n_states + 2;
    o->dropped = way->dropped;
    o->block = network->plan->block;
    o->dense = network->matrix != NULL;
    o->rows = take(n_steps * o->n_variables * o->n_nodes, sizeof *o->rows);
    o->in_f4 = take(n_steps, sizeof *o->in_f4);
    o->sums = take(n_steps, sizeof *o->sums);
    o->piece_steps = spl_piece_steps(c->settings.dt);
    taker.piece = take(o->n_states * o->n_nodes, sizeof *taker.piece);
    o->state = take(o->n_states * o->n_nodes, sizeof *o->state);
    o->n_history =
        network->n_channels * network->n_nodes * (network->plan->delay_max + 1);
    o->history = take(o->n_history, sizeof *o->history);
    o->n_streams = network->n_jobs * ALL_STREAMS;
    o->streams = take(o->n_streams, sizeof *o->streams);

    const uint64_t chunk = way->chunk > 0 ? way->chunk : n_steps;
    for (uint64_t done = 0;
         done < n_steps && !o->divergence.happened && o->divergence.status == SPL_OK;
         done += chunk) {
        spl_network_advance(&b.network, n_steps - done < chunk ? n_steps - done : chunk,
            &hooks, &o->divergence);
    }
    for (size_t s = 0; s < o->n_states; s++) {
        for (size_t i = 0; i < o->n_nodes; i++) {
            o->state[s * o->n_nodes + i] = network->run.state[s * network->stride + i];
        }
    }
    take_history(o, network);
    o->steps_done = network->step;
    take_subnetworks(o, network);
    free(taker.piece);
    bits_close(&b);
    return o;
}

void bits_outcome_free(bits_outcome *o)
{
    if (o != NULL) {
        free(o->rows);
        free(o->in_f4);
        free(o->sums);
        free(o->state);
        free(o->history);
        free(o->streams);
        free(o);
    }
}

double bits_row(const bits_outcome *o, uint64_t step, size_t variable, size_t node)
{
    return o->rows[((step - 1) * o->n_variables + variable) * o->n_nodes + node];
}

/* The value of a row, or the sum over the piece that ends there; rounded as one of both
 * outcomes has been. False if it cannot be known. */
static bool value_of(const bits_outcome *o, const bits_outcome *other, uint64_t step,
    size_t v, size_t i, double *value)
{
    const unsigned in_f4 = o->in_f4[step - 1] | other->in_f4[step - 1];
    *value = bits_row(o, step, v, i);
    if (o->sums[step - 1] != other->sums[step - 1]) {
        const uint64_t first = step - o->piece_steps + 1;
        *value = o->sums[step - 1] == BITS_SUM ? *value : 0.0;
        for (uint64_t k = first; k <= step && o->sums[step - 1] != BITS_SUM; k++) {
            if (o->in_f4[k - 1] != 0 || o->sums[k - 1] == BITS_SUMMED) {
                return false;
            }
            *value += bits_row(o, k, v, i);
        }
    } else if ((in_f4 >> v & 1u) != 0) {
        *value = (double)(float)*value;
    }
    return true;
}

static void same_row(const bits_outcome *a, const bits_outcome *b, uint64_t step,
    size_t v, const char *what)
{
    for (size_t i = 0; i < a->n_nodes; i++) {
        double x;
        double y;
        if (!value_of(a, b, step, v, i, &x) || !value_of(b, a, step, v, i, &y)) {
            return;
        }
        ck_assert_msg(memcmp(&x, &y, sizeof x) == 0,
            "%s: step %llu, variable %zu, node %zu of %zu: %.17g against %.17g", what,
            (unsigned long long)step, v, i, a->n_nodes, x, y);
    }
}

void bits_same_rows(const bits_outcome *a, const bits_outcome *b, const char *what)
{
    const unsigned dropped = a->dropped | b->dropped;
    for (uint64_t step = 1; step <= a->n_steps; step++) {
        const bool summed =
            a->sums[step - 1] == BITS_SUMMED || b->sums[step - 1] == BITS_SUMMED;
        const bool sum = a->sums[step - 1] == BITS_SUM || b->sums[step - 1] == BITS_SUM;
        for (size_t v = 0; v < a->n_variables && !summed; v++) {
            const size_t at = ((step - 1) * a->n_variables + v) * a->n_nodes;
            const bool compared = (dropped >> v & 1u) == 0 && !(sum && v >= a->n_states);
            if (compared &&
                memcmp(a->rows + at, b->rows + at, a->n_nodes * sizeof *a->rows) != 0) {
                same_row(a, b, step, v, what);
            }
        }
    }
}

void bits_same(const bits_outcome *a, const bits_outcome *b, const char *what)
{
    ck_assert_msg(a->divergence.happened == b->divergence.happened &&
                      a->divergence.node == b->divergence.node &&
                      a->divergence.state == b->divergence.state &&
                      a->divergence.step == b->divergence.step,
        "%s: divergence of node %zu, state %zu at step %llu against node %zu, state %zu "
        "at step %llu",
        what, a->divergence.node, a->divergence.state,
        (unsigned long long)a->divergence.step, b->divergence.node, b->divergence.state,
        (unsigned long long)b->divergence.step);
    ck_assert_msg(a->n_steps == b->n_steps && a->steps_done == b->steps_done,
        "%s: %llu rows against %llu", what, (unsigned long long)a->n_steps,
        (unsigned long long)b->n_steps);
    bits_same_rows(a, b, what);
    ck_assert_msg(
        memcmp(a->state, b->state, a->n_states * a->n_nodes * sizeof *a->state) == 0,
        "%s: the final states differ", what);
    ck_assert_msg(
        a->divergence.happened ||
            (a->n_history == b->n_history &&
                memcmp(a->history, b->history, a->n_history * sizeof *a->history) == 0),
        "%s: the histories differ", what);
    for (size_t stream = 0; stream < a->n_streams && stream < b->n_streams; stream++) {
        ck_assert_msg(a->divergence.happened || a->streams[stream] == b->streams[stream],
            "%s: stream %zu of subnetwork %zu differs", what, stream % ALL_STREAMS,
            stream / ALL_STREAMS);
    }
    ck_assert_msg(
        a->divergence.happened || a->n_streams != b->n_streams || a->clips == b->clips,
        "%s: %llu clips against %llu", what, (unsigned long long)a->clips,
        (unsigned long long)b->clips);
}

double bits_rounding(double bound)
{
    return SPL_REAL_BYTES == 8 ? bound : bound * ((double)FLT_EPSILON / DBL_EPSILON);
}

double bits_distance(const bits_outcome *a, const bits_outcome *b)
{
    double distance = 0.0;
    ck_assert_uint_eq(a->n_steps, b->n_steps);
    for (size_t v = 0; v < a->n_steps * a->n_variables * a->n_nodes; v++) {
        distance = fmax(distance, fabs(a->rows[v] - b->rows[v]));
    }
    return distance;
}

bool bits_finite(const bits_outcome *o)
{
    for (size_t v = 0; v < o->n_steps * o->n_variables * o->n_nodes; v++) {
        if (!isfinite(o->rows[v])) {
            return false;
        }
    }
    return true;
}
