/* The engine of a run without a connectome: subnetworks and nothing else. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sim/engine.h"
#include "sim/threads.h"

/* Steps between two looks at the outside. */
enum { BLOCK_STEPS = 16 };

typedef struct {
    spl_engine base;
    spl_alone alone;
} engine;

static spl_alone *alone_of(const spl_engine *base)
{
    return (spl_alone *)&((const engine *)base)->alone;
}

static void advance(spl_engine *base, uint64_t n_steps, const spl_block_hooks *hooks,
    spl_divergence *divergence)
{
    spl_alone_advance(alone_of(base), n_steps, hooks, divergence);
}

static bool batches(const spl_engine *base)
{
    (void)base;
    return false;
}

static uint64_t step(const spl_engine *base)
{
    return alone_of(base)->step;
}

static void set_threads(spl_engine *base, int threads)
{
    alone_of(base)->threads = threads;
}

static int threads(const spl_engine *base)
{
    return alone_of(base)->threads;
}

/* Nobody asks for nodes where there are none. */
static double no_state(const spl_engine *base, size_t state, size_t node)
{
    (void)base, (void)state, (void)node;
    return 0.0;
}

static double no_observable(const spl_engine *base, size_t node)
{
    return no_state(base, 0, node);
}

static bool is_integrated(const spl_engine *base, size_t node)
{
    (void)base, (void)node;
    return false;
}

static uint64_t no_clips(const spl_engine *base, size_t index)
{
    (void)base, (void)index;
    return 0;
}

static void set_no_clips(spl_engine *base, size_t index, uint64_t clips)
{
    (void)base, (void)index, (void)clips;
}

static bool no_check(const spl_engine *base, size_t node, char *text, size_t size)
{
    (void)base, (void)node, (void)text, (void)size;
    return false;
}

static size_t list_final(const spl_engine *base, spl_array *arrays)
{
    (void)base, (void)arrays;
    return 0;
}

static double *copy_final(const spl_engine *base, double *out)
{
    (void)base;
    return out;
}

static const double *put_final(spl_engine *base, const double *in, uint64_t at_step)
{
    alone_of(base)->step = at_step;
    return in;
}

/* A branch of such a run is refused. */
static void set_noise_start(spl_engine *base, uint64_t steps)
{
    (void)base, (void)steps;
}

static void reset(spl_engine *base, const spl_settings *settings)
{
    spl_alone *alone = alone_of(base);
    (void)settings;
    alone->step = 0;
    for (size_t j = 0; j < alone->n; j++) {
        spl_subnetwork_reset(alone->jobs[j].subnetwork);
        alone->jobs[j].status = SPL_OK;
    }
}

static void save(const spl_engine *base, void *copy)
{
    const spl_alone *alone = alone_of(base);
    char *to = copy;
    memcpy(to, &alone->step, sizeof alone->step);
    to += sizeof alone->step;
    for (size_t j = 0; j < alone->n; j++) {
        spl_subnetwork_copy_state(alone->jobs[j].subnetwork, to);
        to += spl_subnetwork_state_bytes(alone->jobs[j].subnetwork);
    }
}

static void restore(spl_engine *base, const void *copy)
{
    spl_alone *alone = alone_of(base);
    const char *from = copy;
    memcpy(&alone->step, from, sizeof alone->step);
    from += sizeof alone->step;
    for (size_t j = 0; j < alone->n; j++) {
        spl_subnetwork *subnetwork = alone->jobs[j].subnetwork;
        const size_t bytes = spl_subnetwork_state_bytes(subnetwork);
        const spl_status status = spl_subnetwork_put_state(subnetwork, from, bytes);
        spl_bug_assert(status == SPL_OK);
        from += bytes;
    }
}

static void engine_free(spl_engine *base)
{
    if (base == NULL) {
        return;
    }
    spl_alone *alone = alone_of(base);
    for (size_t j = 0; j < alone->n; j++) {
        spl_subnetwork_free(alone->jobs[j].subnetwork);
    }
    free(alone->jobs);
    free(alone->load);
    free(base);
}

static spl_status make_jobs(
    spl_alone *alone, const spl_settings *settings, const spl_subnetwork_run *run)
{
    spl_status status = SPL_OK;
    uint64_t bytes = 0;
    for (size_t n = 0; n < settings->n_subnetworks; n++) {
        const uint64_t more = spl_subnetwork_memory(&settings->subnetworks[n], run);
        bytes = more > UINT64_MAX - bytes ? UINT64_MAX : bytes + more;
    }
    SPL_TRY(spl_memory_check(bytes, "spiking subnetworks, most of it their synapses,"));
    alone->jobs = calloc(settings->n_subnetworks, sizeof *alone->jobs);
    if (alone->jobs == NULL) {
        SPL_FAIL(
            SPL_ERR_NO_MEMORY, "out of memory: %zu subnetworks", settings->n_subnetworks);
    }
    for (size_t n = 0; n < settings->n_subnetworks; n++) {
        spl_subnetwork *subnetwork = NULL;
        SPL_TRY(spl_subnetwork_create(&subnetwork, &settings->subnetworks[n], run));
        alone->jobs[n] = spl_job_of(subnetwork, false);
        alone->n++;
    }
out:
    return status;
}

static void describe(engine *self, spl_target target, const spl_settings *settings)
{
    const spl_alone *alone = &self->alone;
    self->base = (spl_engine){
        .ops = &spl_engine_alone,
        .precision = settings->single ? "single" : "double",
        .target = target,
        .path = "none",
        .gates = "none",
        .block = alone->block,
        .max_block = alone->block,
        .max_threads = alone->threads,
        .memory_bytes = sizeof *self,
        .copy_bytes = sizeof alone->step,
        .n_subnetworks = alone->n,
        .jobs = alone->jobs,
    };
    for (size_t v = 0; v < SPL_MAX_STATES + 2; v++) {
        self->base.slot[v] = -1;
    }
    for (size_t j = 0; j < alone->n; j++) {
        self->base.memory_bytes += spl_subnetwork_bytes(alone->jobs[j].subnetwork);
        self->base.copy_bytes += spl_subnetwork_state_bytes(alone->jobs[j].subnetwork);
    }
}

static spl_status engine_create(spl_engine **out, const spl_settings *settings,
    const spl_connectome *connectome, const bool *record, const spl_engine *like)
{
    spl_status status = SPL_OK;
    spl_target target = SPL_TARGET_SCALAR;
    engine *self = calloc(1, sizeof *self);
    (void)connectome, (void)record, (void)like;
    *out = NULL;
    if (self == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: the engine of a run");
    }
    SPL_TRY(spl_target_choose(&target));
    spl_alone *alone = &self->alone;
    alone->block = settings->block > 0 ? settings->block : BLOCK_STEPS;
    const spl_subnetwork_run run = {
        .dt = settings->dt,
        .Q_max = 1.0,
        .seed = settings->seed,
        .target = settings->reference ? SPL_TARGET_SCALAR : target,
        .max_steps = alone->block,
    };
    SPL_TRY(make_jobs(alone, settings, &run));
    alone->threads = spl_choose_threads(settings,
        spl_jobs_cost(alone->jobs, alone->n) * (double)alone->block,
        spl_jobs_threads(alone->jobs, alone->n));
    alone->load = calloc((size_t)alone->threads, sizeof *alone->load);
    if (alone->load == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: the engine of a run");
    }
    describe(self, run.target, settings);
    *out = &self->base;
    self = NULL;
out:
    engine_free((spl_engine *)self);
    return status;
}

const spl_engine_ops spl_engine_alone = {
    .create = engine_create,
    .free = engine_free,
    .advance = advance,
    .batches = batches,
    .step = step,
    .set_threads = set_threads,
    .threads = threads,
    .state = no_state,
    .observable = no_observable,
    .is_integrated = is_integrated,
    .clips = no_clips,
    .set_clips = set_no_clips,
    .check = no_check,
    .list_final = list_final,
    .copy_final = copy_final,
    .put_final = put_final,
    .set_noise_start = set_noise_start,
    .reset = reset,
    .save = save,
    .restore = restore,
};
