/* What a run tells the output module: streams of the monitors, parameters, provenance,
 * and at the end the state that continues it exactly. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sim/sim.h"
#include "splenium/version.h"

enum { MAX_ATTRIBUTES = 16, MAX_NAME = 96 };

static const char *const performance_names[] = {"wall_seconds", "create_seconds",
    "integrate_seconds", "steps_per_second", "realtime_factor", "peak_rss_bytes",
    "threads"};
enum { N_PERFORMANCE = sizeof performance_names / sizeof *performance_names };

/* Borrowed and owned parts of one spec. */
typedef struct {
    spl_output_spec spec; /* first: spl_results_spec_free gets its address */
    spl_stream *streams;
    const char *(*variables)[SPL_MONITOR_MAX_VARIABLES];
    const char *(*units)[SPL_MONITOR_MAX_VARIABLES];
    const char *(*long_names)[SPL_MONITOR_MAX_VARIABLES];
    spl_array *params;
    spl_array *final;
    char (*final_names)[MAX_NAME];
    spl_attribute attributes[MAX_ATTRIBUTES];
    char host_threads[16], threads[16];
} description;

static void describe_stream(description *d, const spl_sim *sim, size_t m)
{
    const spl_model *model = sim->settings.model;
    const spl_monitor_spec *spec = &sim->settings.monitors[m];
    spl_monitor_shape shape;
    spl_monitor_describe(sim->monitors[m], &shape);
    for (size_t v = 0; v < spec->n_variables; v++) {
        const size_t which = spec->variable[v];
        const bool state = which < model->n_states;
        d->variables[m][v] = spec->variable_name[v];
        d->units[m][v] = *shape.unit[v] != '\0' ? shape.unit[v]
                         : state                ? model->states[which].unit
                                                : "1";
        d->long_names[m][v] = state                      ? model->states[which].meaning
                              : which == model->n_states ? model->observable
                                                         : "coupling input";
    }
    d->streams[m] = (spl_stream){
        .name = spec->name,
        .kind = spec->kind->name,
        .n_variables = spec->n_variables,
        .variables = d->variables[m],
        .units = d->units[m],
        .long_names = d->long_names[m],
        .n_rows = shape.n_rows,
        .width = shape.width,
        .f8 = spec->f8,
        .first_time_ms = shape.first_time_ms,
        .period_ms = shape.period_ms,
        .middle = shape.middle,
        .n_transient_rows = shape.n_transient_rows,
    };
}

/* A parameter that is the same everywhere is stored as a scalar. */
static void describe_param(description *d, const spl_settings *settings, size_t p)
{
    const double *values = settings->params + p * settings->n_nodes;
    bool uniform = true;
    for (size_t i = 1; i < settings->n_nodes; i++) {
        uniform = uniform && values[i] == values[0];
    }
    d->params[p] = (spl_array){
        .name = settings->model->params[p].name,
        .rank = uniform ? 0 : 1,
        .dims = {settings->n_nodes},
        .data = values,
        .unit = settings->model->params[p].unit,
    };
}

static size_t list_final(spl_array *arrays, char (*names)[MAX_NAME], const spl_sim *sim)
{
    size_t n = sim->engine->ops->list_final(sim->engine, arrays);
    for (size_t m = 0; m < sim->n_monitors; m++) {
        const size_t size = spl_monitor_state_size(sim->monitors[m]);
        if (size > 0) {
            snprintf(names[m], MAX_NAME, "monitor_%s", sim->settings.monitors[m].name);
            arrays[n++] =
                (spl_array){.name = names[m], .rank = 1, .dims = {size}, .unit = "1"};
        }
    }
    arrays[n++] =
        (spl_array){.name = "noise_start", .rank = 1, .dims = {1}, .unit = "steps"};
    return n;
}

static void describe_provenance(description *d, const spl_sim *sim)
{
    spl_build_info build;
    spl_sim_info info;
    spl_build_describe(&build);
    spl_sim_describe(sim, &info);
    snprintf(
        d->host_threads, sizeof d->host_threads, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    snprintf(d->threads, sizeof d->threads, "%d", info.threads);
    const spl_attribute attributes[] = {
        {"git_commit", build.commit},
        {"compiler", build.compiler},
        {"simd_target", info.target},
        {"engine", info.engine},
        {"coupling_path", info.path},
        {"precision", info.precision},
        {"gates", info.gates},
        {"host_threads", d->host_threads},
        {"threads", d->threads},
        {"blas", build.blas},
        {"blas_core", build.blas_core},
        {"hdf5_version", build.hdf5_version},
    };
    _Static_assert(sizeof attributes <= sizeof d->attributes, "too many attributes");
    memcpy(d->attributes, attributes, sizeof attributes);
    d->spec.attributes = d->attributes;
    d->spec.n_attributes = sizeof attributes / sizeof *attributes;
}

static void free_description(description *d)
{
    free(d->streams);
    free(d->variables);
    free(d->units);
    free(d->long_names);
    free(d->params);
    free(d->final);
    free(d->final_names);
}

/* Streams of the spiking populations, behind those of the monitors. */
static void describe_spiking(description *d, const spl_sim *sim)
{
    const spl_stream *streams;
    if (sim->recorder == NULL) {
        return;
    }
    const size_t n = spl_recorder_streams(sim->recorder, &streams);
    memcpy(d->streams + sim->n_monitors, streams, n * sizeof *streams);
    d->spec.n_streams += n;
    spl_recorder_describe(sim->recorder, &d->spec);
}

size_t spl_results_n_streams(const spl_sim *sim)
{
    const spl_stream *streams;
    return sim->n_monitors +
           (sim->recorder != NULL ? spl_recorder_streams(sim->recorder, &streams) : 0);
}

uint64_t spl_results_rows(const spl_sim *sim, size_t stream, uint64_t step)
{
    return stream < sim->n_monitors ? spl_monitor_rows(sim->monitors[stream], step)
                                    : spl_recorder_rows(sim->recorder, step);
}

static spl_status describe(description *d, const spl_sim *sim, const char *command_line)
{
    const spl_settings *settings = &sim->settings;
    const size_t n_monitors = sim->n_monitors;
    const size_t n_params = settings->alone ? 0 : settings->model->n_params;
    d->streams = calloc(spl_results_n_streams(sim) + 1, sizeof *d->streams);
    d->variables = calloc(n_monitors + 1, sizeof *d->variables);
    d->units = calloc(n_monitors + 1, sizeof *d->units);
    d->long_names = calloc(n_monitors + 1, sizeof *d->long_names);
    d->params = calloc(n_params + 1, sizeof *d->params);
    d->final = calloc(SPL_ENGINE_MAX_FINAL + n_monitors + 1, sizeof *d->final);
    d->final_names = calloc(n_monitors + 1, sizeof *d->final_names);
    if (d->streams == NULL || d->variables == NULL || d->units == NULL ||
        d->long_names == NULL || d->params == NULL || d->final == NULL ||
        d->final_names == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: description of the results");
    }
    for (size_t m = 0; m < n_monitors; m++) {
        describe_stream(d, sim, m);
    }
    for (size_t p = 0; p < n_params; p++) {
        describe_param(d, settings, p);
    }
    d->spec = (spl_output_spec){
        .path = settings->output,
        .force = settings->force,
        .flush_every = settings->flush_every,
        .dt_ms = settings->dt,
        .title = settings->title,
        .command_line = command_line != NULL ? command_line : "",
        .yaml = settings->yaml,
        .resolved_json = settings->resolved_json,
        .connectome = sim->connectome,
        .speed = settings->speed,
        .threads = sim->engine->max_threads,
        .model = settings->alone ? NULL : settings->model->name,
        .n_params = n_params,
        .params = d->params,
        .n_streams = n_monitors,
        .streams = d->streams,
        .n_final = list_final(d->final, d->final_names, sim),
        .final = d->final,
        .n_performance = N_PERFORMANCE,
        .performance = performance_names,
    };
    describe_spiking(d, sim);
    describe_provenance(d, sim);
    return SPL_OK;
}

static size_t size_of(const spl_array *array)
{
    size_t size = 1;
    for (size_t r = 0; r < array->rank; r++) {
        size *= array->dims[r];
    }
    return size;
}

spl_status spl_results_size(const spl_sim *sim, uint64_t *file, uint64_t *memory)
{
    spl_status status = SPL_OK;
    description d = {0};
    SPL_TRY(describe(&d, sim, NULL));
    *file = spl_output_bytes(&d.spec);
    *memory = spl_output_memory(&d.spec);
    /* the final state is copied whole at the end */
    for (size_t a = 0; a < d.spec.n_final; a++) {
        *memory += size_of(&d.final[a]) * sizeof(double);
    }
out:
    free_description(&d);
    return status;
}

void spl_results_spec_free(spl_output_spec *spec)
{
    if (spec != NULL) {
        free_description((description *)spec);
        free(spec);
    }
}

spl_status spl_results_spec_create(
    spl_output_spec **out, const spl_sim *sim, const char *command_line)
{
    description *d = calloc(1, sizeof *d);
    *out = NULL;
    if (d == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: description of the results");
    }
    const spl_status status = describe(d, sim, command_line);
    if (status == SPL_OK) {
        *out = &d->spec;
    } else {
        spl_results_spec_free(&d->spec);
    }
    return status;
}

/* Write the arrays in the order of list_final to `out`; returns the end. */
static double *copy_final(double *out, const spl_sim *sim)
{
    out = sim->engine->ops->copy_final(sim->engine, out);
    for (size_t m = 0; m < sim->n_monitors; m++) {
        spl_monitor_save(sim->monitors[m], out);
        out += spl_monitor_state_size(sim->monitors[m]);
    }
    *out++ = (double)sim->noise_start;
    return out;
}

static void measure_performance(double *values, const spl_sim *sim)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    const double steps = (double)(spl_sim_steps_done(sim) - sim->first_step);
    const double integrate_s = sim->integrate_s > 0.0 ? sim->integrate_s : 1e-9;
    const double all[N_PERFORMANCE] = {sim->wall_s, sim->create_s, sim->integrate_s,
        steps / integrate_s, steps * sim->settings.dt * 1e-3 / integrate_s,
        (double)usage.ru_maxrss * 1024.0, sim->engine->ops->threads(sim->engine)};
    memcpy(values, all, sizeof all);
}

spl_status spl_results_finish(
    spl_output *output, const spl_sim *sim, spl_run_code code, const char *message)
{
    spl_status status = SPL_OK;
    spl_array *arrays =
        calloc(SPL_ENGINE_MAX_FINAL + sim->n_monitors + 1, sizeof *arrays);
    char(*names)[MAX_NAME] = calloc(sim->n_monitors + 1, sizeof *names);
    const double **data =
        calloc(SPL_ENGINE_MAX_FINAL + sim->n_monitors + 1, sizeof *data);
    double *values = NULL;
    double performance[N_PERFORMANCE];
    measure_performance(performance, sim);
    if (arrays != NULL && names != NULL && data != NULL) {
        const size_t n = list_final(arrays, names, sim);
        size_t total = 0;
        for (size_t a = 0; a < n; a++) {
            total += size_of(&arrays[a]);
        }
        values = malloc((total + 1) * sizeof *values);
        if (values != NULL) {
            spl_bug_assert(copy_final(values, sim) == values + total);
            const double *next = values;
            for (size_t a = 0; a < n; a++) {
                data[a] = next;
                next += size_of(&arrays[a]);
            }
        }
    }
    /* a diverged state continues nothing; without memory the rows still come to a good
     * end, but a file without its final state is not complete
     */
    static const char no_memory[] = "out of memory: copy of the final state";
    const bool store = values != NULL && code != SPL_RUN_DIVERGED;
    const bool lost = values == NULL && code == SPL_RUN_COMPLETE;
    SPL_TRY(spl_output_finish(output, lost ? SPL_RUN_FAILED : code,
        lost ? no_memory : message, spl_sim_steps_done(sim), sim->escaped_nodes,
        store ? data : NULL, performance));
    if (values == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s", no_memory);
    }
out:
    free(arrays);
    free(names);
    free(data);
    free(values);
    return status;
}
