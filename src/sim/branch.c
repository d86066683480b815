/* Starting a run from the state of another: nodes, history and coloured noise are taken
 * over, and the white noise goes on where it was, so that a branch with the same settings
 * is the other run's continuation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "h5/h5.h"
#include "sim/sim.h"

/* Arrays of an engine, values one behind the other. */
typedef struct {
    spl_array array[SPL_ENGINE_MAX_FINAL];
    size_t n;
    double *values;
} state;

static size_t size_of(const spl_array *array)
{
    size_t size = 1;
    for (size_t r = 0; r < array->rank; r++) {
        size *= array->dims[r];
    }
    return size;
}

/* List and copy what an engine holds. */
static spl_status take_state(state *s, const spl_sim *sim)
{
    size_t total = 0;
    s->n = sim->engine->ops->list_final(sim->engine, s->array);
    for (size_t a = 0; a < s->n; a++) {
        total += size_of(&s->array[a]);
    }
    s->values = malloc((total + 1) * sizeof *s->values);
    if (s->values == NULL) {
        return spl_error(
            SPL_ERR_NO_MEMORY, "out of memory: a state of %zu numbers", total);
    }
    sim->engine->ops->copy_final(sim->engine, s->values);
    return SPL_OK;
}

static const spl_array *find(const state *s, const char *name, const double **values)
{
    *values = s->values;
    for (size_t a = 0; a < s->n; a++) {
        if (strcmp(s->array[a].name, name) == 0) {
            return &s->array[a];
        }
        *values += size_of(&s->array[a]);
    }
    return NULL;
}

/* The newest samples; where the new run looks further back, the oldest one repeats. */
static void copy_history(
    double *out, const spl_array *to, const double *in, const spl_array *from)
{
    const size_t n_to = to->dims[2];
    const size_t n_from = from->dims[2];
    for (size_t row = 0; row < to->dims[0] * to->dims[1]; row++) {
        for (size_t s = 0; s < n_to; s++) {
            const size_t back = n_to - 1 - s;
            out[row * n_to + s] =
                in[row * n_from + (back < n_from ? n_from - 1 - back : 0)];
        }
    }
}

static spl_status unlike(const spl_sim *sim, const char *what)
{
    return spl_error(SPL_ERR_CONFIG,
        "simulation.from: %s: %s; its state does not fit this run", sim->settings.from,
        what);
}

/* One array of the new run from that of the same name. */
static spl_status convert(
    double *out, const spl_array *to, const state *source, const spl_sim *sim)
{
    const double *in;
    const spl_array *from = find(source, to->name, &in);
    if (from == NULL) {
        /* coloured noise that begins with the branch starts from its stationary law */
        return strcmp(to->name, "noise") == 0
                   ? SPL_OK
                   : unlike(sim, "it has another model, or no history between the steps "
                                 "as rk4 with delays needs it");
    }
    if (to->rank != from->rank || to->dims[0] != from->dims[0] ||
        (to->rank > 1 && to->dims[1] != from->dims[1])) {
        return unlike(sim, "another number of nodes, or another coupling function");
    }
    if (to->rank == 3) {
        copy_history(out, to, in, from);
    } else {
        memcpy(out, in, size_of(to) * sizeof *out);
    }
    return SPL_OK;
}

static spl_status compare(const spl_sim *sim, const spl_sim *source)
{
    const spl_settings *mine = &sim->settings;
    const spl_settings *theirs = &source->settings;
    if (sim->engine->n_subnetworks > 0 || source->engine->n_subnetworks > 0) {
        return spl_error(SPL_ERR_UNSUPPORTED,
            "simulation.from: not for runs with spiking subnetworks");
    }
    if (mine->model != theirs->model || mine->n_nodes != theirs->n_nodes) {
        return unlike(sim, "another model, or another number of nodes");
    }
    if (mine->dt != theirs->dt) {
        return unlike(sim, "another simulation.dt");
    }
    if (mine->sends_observable != theirs->sends_observable ||
        (!mine->sends_observable && mine->sends_state != theirs->sends_state)) {
        return unlike(sim, "its sources send another variable (coupling.observable)");
    }
    return SPL_OK;
}

static spl_status transfer(spl_sim *sim, const spl_sim *source, uint64_t noise_start)
{
    spl_status status = SPL_OK;
    state from = {0};
    state to = {0};
    SPL_TRY(compare(sim, source));
    SPL_TRY(take_state(&from, source));
    SPL_TRY(take_state(&to, sim));
    double *out = to.values;
    for (size_t a = 0; a < to.n; a++) {
        SPL_TRY(convert(out, &to.array[a], &from, sim));
        out += size_of(&to.array[a]);
    }
    sim->engine->ops->put_final(sim->engine, to.values, 0);
    sim->noise_start = noise_start;
    sim->engine->ops->set_noise_start(sim->engine, noise_start);
out:
    free(from.values);
    free(to.values);
    return status;
}

/* The state of a checkpoint into the run that wrote it. */
static spl_status load_checkpoint(
    spl_sim *source, const spl_checkpoint *found, const char *path, uint64_t *noise_start)
{
    spl_status status = SPL_OK;
    state s = {0};
    SPL_TRY(take_state(&s, source));
    double *out = s.values;
    for (size_t a = 0; a < s.n; a++) {
        char name[SPL_CHECKPOINT_NAME];
        const size_t bytes = size_of(&s.array[a]) * sizeof(double);
        snprintf(name, sizeof name, "state.%s", s.array[a].name);
        const spl_section *section = spl_checkpoint_find(found, name);
        if (section == NULL || section->bytes != bytes) {
            SPL_FAIL(SPL_ERR_FORMAT,
                "%s: %s is not that of the run it describes; it is damaged, or its "
                "connectome has changed",
                path, name);
        }
        memcpy(out, section->data, bytes);
        out += bytes / sizeof(double);
    }
    const spl_section *noise = spl_checkpoint_find(found, "noise_start");
    double ahead = 0.0;
    if (noise != NULL && noise->bytes == sizeof ahead) {
        memcpy(&ahead, noise->data, sizeof ahead);
    }
    source->engine->ops->put_final(source->engine, s.values, 0);
    *noise_start = found->step + (ahead >= 0.0 && ahead < 0x1p53 ? (uint64_t)ahead : 0);
out:
    free(s.values);
    return status;
}

/* The final state of a results file. */
static spl_status load_final(spl_sim *source, const char *path, uint64_t *noise_start)
{
    spl_status status = SPL_OK;
    spl_output_spec *spec = NULL;
    uint64_t step = 0;
    bool valid = false;
    source->settings.output = (char *)path;
    status = spl_results_spec_create(&spec, source, NULL);
    source->settings.output = NULL;
    SPL_TRY(status);
    SPL_TRY(spl_checkpoint_prepare(source, spec));
    SPL_TRY(spl_output_look_up_final(spec, spl_checkpoint_state(source), &step, &valid));
    if (!valid) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: has no final state, and there is no checkpoint beside it; resume it "
            "first",
            path);
    }
    SPL_TRY(spl_checkpoint_put(source, 0));
    *noise_start = step + source->noise_start;
out:
    spl_results_spec_free(spec);
    return status;
}

/* A run like the one that the file belongs to, in the file's state. */
enum { MORE_CHECKPOINT_BYTES = 1 << 24 };

static spl_status load_source(spl_sim **source, const char *path, uint64_t *noise_start)
{
    spl_status status = SPL_OK;
    spl_config *config = NULL;
    spl_connectome *connectome = NULL;
    spl_checkpoint found = {0};
    char *beside = NULL;
    bool is_hdf5 = false;
    SPL_TRY(spl_h5_probe(path, &is_hdf5));
    SPL_TRY(spl_config_load(&config, path));
    SPL_TRY(spl_config_set(config, "output.file", ""));
    SPL_TRY(spl_config_set(config, "simulation.from", ""));
    SPL_TRY(spl_config_connectome(config, &connectome));
    SPL_TRY(spl_sim_create(source, config, connectome));
    beside = spl_checkpoint_path(path, false);
    if (beside == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", path);
    }
    const char *checkpoint = is_hdf5 ? beside : path;
    if (!is_hdf5 || access(beside, F_OK) == 0) {
        /* it holds what the run does, and its configuration */
        SPL_TRY(spl_checkpoint_load(
            &found, checkpoint, (*source)->memory_bytes + MORE_CHECKPOINT_BYTES));
        SPL_TRY(load_checkpoint(*source, &found, checkpoint, noise_start));
    } else {
        SPL_TRY(load_final(*source, path, noise_start));
    }
out:
    free(beside);
    spl_checkpoint_deinit(&found);
    spl_connectome_free(connectome);
    spl_config_free(config);
    return status;
}

spl_status spl_branch_begin(spl_sim *sim)
{
    spl_status status = SPL_OK;
    spl_sim *source = NULL;
    uint64_t noise_start = 0;
    if (sim->settings.from == NULL || sim->branched) {
        return SPL_OK;
    }
    SPL_TRY(load_source(&source, sim->settings.from, &noise_start));
    SPL_TRY(transfer(sim, source, noise_start));
    sim->branched = true;
out:
    spl_sim_free(source);
    return status;
}
