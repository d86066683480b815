/* Going on with a run that was killed, interrupted, or shall become longer: which state
 * is the newest that can be trusted, and whether it belongs to this run. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/identity.h"
#include "output/results.h"
#include "sim/recorder.h"
#include "sim/sim.h"
#include "splenium/version.h"

/* Where the run goes on. */
typedef struct {
    uint64_t step; /* 0: at the start */
    bool checksums;
} origin;

/* Settings of the file and of this run may differ in the duration alone. */
static spl_status compare_settings(const spl_sim *sim, bool *longer)
{
    spl_status status = SPL_OK;
    const spl_settings *settings = &sim->settings;
    char sha256[SPL_SHA256_HEX];
    char difference[256];
    char *json = NULL;
    double duration = 0.0;
    SPL_TRY(spl_results_config(settings->output, &json, sha256));
    SPL_TRY(spl_config_difference(
        json, settings->resolved_json, difference, sizeof difference));
    if (*difference != '\0') {
        SPL_FAIL(SPL_ERR_CONFIG,
            "%s: cannot go on with other settings: %s; only the duration may change: "
            "begin a new run from here with splenium run --from",
            settings->output, difference);
    }
    SPL_TRY(spl_config_json_number(json, "simulation", "duration", &duration));
    if (settings->duration < duration) {
        SPL_FAIL(SPL_ERR_CONFIG,
            "%s: simulation.duration: %.10g ms, now %.10g ms; a run can become longer, "
            "not shorter",
            settings->output, duration, settings->duration);
    }
    *longer = settings->duration > duration;
out:
    free(json);
    return status;
}

static spl_status check_found(const spl_sim *sim, const spl_output_found *found)
{
    const char *path = sim->settings.output;
    if (found->code == SPL_RUN_DIVERGED) {
        return spl_error(SPL_ERR_DIVERGED,
            "%s: the run diverged and would do so again: %s; begin a new run with other "
            "settings",
            path, found->message);
    }
    if (strcmp(found->version, spl_version()) != 0) {
        return spl_error(SPL_ERR_CONFIG,
            "%s: written by version %s, this is %s, which may compute other bits; resume "
            "with that version, or begin a new run",
            path, found->version, spl_version());
    }
    return SPL_OK;
}

/* One of the two checkpoints. Result: SPL_OK with *found false if there is none or it is
 * damaged, which is told; SPL_ERR_CONFIG if it belongs to another run. */
static spl_status try_checkpoint(
    spl_sim *sim, bool previous, uint64_t newest_step, bool *found, bool *damaged)
{
    spl_status status = SPL_OK;
    char *path = spl_checkpoint_path(sim->settings.output, previous);
    *found = false;
    if (path == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", sim->settings.output);
    }
    status = spl_checkpoint_take_back(sim, path);
    if (status == SPL_OK && sim->checkpoint.step > newest_step) {
        status = spl_error(SPL_ERR_FORMAT,
            "%s: of step %llu, the results file is durable up to %llu", path,
            (unsigned long long)sim->checkpoint.step, (unsigned long long)newest_step);
    }
    *found = status == SPL_OK;
    if (status == SPL_ERR_FILE_MISSING) {
        status = SPL_OK;
    } else if (status == SPL_ERR_FORMAT || status == SPL_ERR_FILE_READ) {
        spl_warn("%s; %s", spl_last_error(),
            previous ? "it is not used" : "the one before it is used");
        *damaged = true;
        status = SPL_OK;
    }
out:
    free(path);
    return status;
}

/* The final state of a run that was interrupted, or killed behind its last step, is as
 * good as a checkpoint. Overwrites that in sim->checkpoint if it is newer. */
static spl_status try_final(spl_sim *sim, const spl_output_found *found, origin *from)
{
    spl_status status = SPL_OK;
    size_t n = 0;
    uint64_t step = 0;
    bool valid = false;
    for (size_t i = 0; i < sim->checkpoint.n_sections; i++) {
        n += sim->checkpoint.sections[i].bytes / sizeof(double);
    }
    double *values = malloc((n + 1) * sizeof *values);
    if (sim->engine->n_subnetworks > 0) {
        goto out; /* it holds the nodes alone */
    }
    if (values == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: copy of the final state");
    }
    SPL_TRY(spl_output_read_final(sim->output, values, &step, &valid));
    if (valid && step > from->step && step <= found->newest.step &&
        step <= sim->settings.n_steps) {
        double *state = spl_checkpoint_state(sim);
        const unsigned char *end = sim->checkpoint.image + sim->checkpoint.n_bytes - 8;
        memcpy(state, values, (size_t)(end - (unsigned char *)state));
        *from = (origin){.step = step};
    }
out:
    free(values);
    return status;
}

static spl_status choose_origin(spl_sim *sim, const spl_output_found *found, origin *from)
{
    spl_status status = SPL_OK;
    bool any = false;
    bool damaged = false;
    SPL_TRY(try_checkpoint(sim, false, found->newest.step, &any, &damaged));
    if (!any) {
        SPL_TRY(try_checkpoint(sim, true, found->newest.step, &any, &damaged));
        if (any) {
            /* the next one would put the damaged one in the place of the whole one */
            spl_checkpoint_keep_previous(sim->settings.output);
        }
    }
    *from = (origin){.step = any ? sim->checkpoint.step : 0, .checksums = any};
    SPL_TRY(try_final(sim, found, from));
    if (from->step == 0 && damaged) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: no checkpoint of it is whole; delete them to compute everything again",
            sim->settings.output);
    }
    if (from->step == 0) {
        spl_notice("no checkpoint: the run begins again; its rows come out the same");
        SPL_TRY(spl_branch_begin(sim));
        goto out;
    }
    SPL_TRY(spl_checkpoint_put(sim, from->step));
    if (from->step < sim->settings.n_steps) {
        spl_notice("resuming at %.10g of %.10g ms", spl_sim_time(sim),
            (double)sim->settings.n_steps * sim->settings.dt);
    }
out:
    return status;
}

/* Replace the file by a longer one that has the state in it: a complete run has no
 * checkpoint any more. */
static spl_status extend(spl_sim *sim, const spl_output_spec *spec,
    const spl_output_found *found, const spl_output_from *from)
{
    const double **final = calloc(spec->n_final + 1, sizeof *final);
    const double *next = spl_checkpoint_state(sim);
    if (final == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: the final state");
    }
    for (size_t a = 0; a < spec->n_final; a++) {
        size_t size = 1;
        for (size_t r = 0; r < spec->final[a].rank; r++) {
            size *= spec->final[a].dims[r];
        }
        final[a] = next;
        next += size;
    }
    const spl_status status =
        spl_output_extend(&sim->output, spec, found, from, from->step > 0 ? final : NULL);
    free(final);
    return status;
}

/* Behind the last step no other block tells the sums. */
static void count_spikes(spl_sim *sim)
{
    for (size_t s = 0; s < sim->settings.n_subnetworks; s++) {
        sim->clips[s] = sim->engine->ops->clips(sim->engine, s);
    }
    spl_recorder_count(sim->recorder, sim->clips, sim->output);
}

/* Rows, checksums and steps for the writer. */
static spl_status go_on(spl_sim *sim, const spl_output_spec *spec,
    const spl_output_found *found, const origin *from, bool longer, bool accept_change)
{
    spl_status status = SPL_OK;
    const spl_section *section =
        spl_checkpoint_find(&sim->checkpoint, SPL_SECTION_CHECKSUMS);
    const size_t n_checksums = section->bytes / sizeof(uint32_t);
    const size_t n_streams = spl_results_n_streams(sim);
    uint64_t *rows = calloc(n_streams + 1, sizeof *rows);
    uint32_t *checksums = calloc(n_checksums + 1, sizeof *checksums);
    if (rows == NULL || checksums == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "out of memory: %zu streams", n_streams);
    }
    for (size_t s = 0; s < n_streams; s++) {
        rows[s] = spl_results_rows(sim, s, from->step);
    }
    for (size_t i = 0; i < n_checksums; i++) {
        memcpy(&checksums[i], section->data + i * sizeof *checksums, sizeof *checksums);
        checksums[i] = le32toh(checksums[i]);
    }
    const spl_output_from start = {.step = from->step,
        .rows = rows,
        .durable = found->newest.rows,
        /* blocks of a longer file may be larger */
        .checksums = from->checksums && !longer ? checksums : NULL,
        .accept_change = accept_change};
    SPL_TRY(longer ? extend(sim, spec, found, &start)
                   : spl_output_continue(sim->output, &start));
    if (sim->recorder != NULL) {
        count_spikes(sim);
    }
out:
    free(rows);
    free(checksums);
    return status;
}

spl_status spl_resume_open(
    spl_sim *sim, const char *command_line, bool accept_change, bool *done)
{
    spl_status status = SPL_OK;
    spl_output_spec *spec = NULL;
    spl_output_found *found = calloc(1, sizeof *found);
    origin from = {0};
    bool longer = false;
    *done = false;
    if (found == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "%s: out of memory", sim->settings.output);
    }
    SPL_TRY(spl_results_spec_create(&spec, sim, command_line));
    SPL_TRY(spl_checkpoint_prepare(sim, spec));
    SPL_TRY(compare_settings(sim, &longer));
    SPL_TRY(spl_output_open(&sim->output, spec, found));
    SPL_TRY(check_found(sim, found));
    if (found->extends && !longer) {
        SPL_FAIL(SPL_ERR_FORMAT,
            "%s: has fewer rows than its run: a copy made with splenium convert --trim, "
            "in which a run cannot go on",
            sim->settings.output);
    }
    if (found->code == SPL_RUN_COMPLETE && !longer) {
        SPL_TRY(spl_output_clean_up(sim->output));
        spl_notice("%s: complete, nothing is left to do", sim->settings.output);
        *done = true;
        goto out;
    }
    SPL_TRY(choose_origin(sim, found, &from));
    if (from.step == sim->settings.n_steps) {
        SPL_TRY(spl_guard_escaped(sim));
    }
    SPL_TRY(go_on(sim, spec, found, &from, longer, accept_change));
out:
    spl_results_spec_free(spec);
    free(found);
    return status;
}
