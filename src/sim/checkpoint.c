/* What a checkpoint of a run holds. A part that gains state of its own adds its sections
 * in three places below: list, copy, put back. */
#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/identity.h"
#include "connectome/hash.h"
#include "sim/sim.h"
#include "splenium/version.h"

static size_t size_of(const spl_array *array)
{
    size_t size = 1;
    for (size_t r = 0; r < array->rank; r++) {
        size *= array->dims[r];
    }
    return size;
}

/* Sections of fixed name, then one for each array and monitor and the start of the noise,
 * all f64; then, with subnetworks, the sums that their recording keeps and one of all of
 * them: clips u64 and state of each. */
enum { N_FIXED = 3, N_NOISE = 1, N_SPIKING = 2 };
static const char subnetworks_name[] = "subnetworks";
static const char sums_name[] = "spike_sums";

static uint64_t subnetworks_bytes(const spl_engine *engine)
{
    uint64_t bytes = 0;
    for (size_t j = 0; j < engine->n_subnetworks; j++) {
        bytes +=
            sizeof(uint64_t) + spl_subnetwork_state_bytes(engine->jobs[j].subnetwork);
    }
    return bytes;
}

static void copy_subnetworks(const spl_sim *sim, unsigned char *to)
{
    const spl_engine *engine = sim->engine;
    for (size_t j = 0; j < engine->n_subnetworks; j++) {
        const uint64_t clips = htole64(engine->ops->clips(engine, j));
        memcpy(to, &clips, sizeof clips);
        to += sizeof clips;
        spl_subnetwork_copy_state(engine->jobs[j].subnetwork, to);
        to += spl_subnetwork_state_bytes(engine->jobs[j].subnetwork);
    }
}

static spl_status put_subnetworks(spl_sim *sim, const unsigned char *from)
{
    spl_engine *engine = sim->engine;
    for (size_t j = 0; j < engine->n_subnetworks; j++) {
        spl_subnetwork *subnetwork = engine->jobs[j].subnetwork;
        const size_t bytes = spl_subnetwork_state_bytes(subnetwork);
        uint64_t clips;
        memcpy(&clips, from, sizeof clips);
        from += sizeof clips;
        engine->ops->set_clips(engine, j, le64toh(clips));
        const spl_status status = spl_subnetwork_put_state(subnetwork, from, bytes);
        if (status != SPL_OK) {
            return status;
        }
        from += bytes;
    }
    return SPL_OK;
}

static size_t list_sections(
    spl_section *sections, const spl_sim *sim, const spl_output_spec *spec)
{
    spl_array arrays[SPL_ENGINE_MAX_FINAL];
    const size_t n_arrays = sim->engine->ops->list_final(sim->engine, arrays);
    size_t n_variables = 0;
    size_t n = N_FIXED;
    for (size_t s = 0; s < spec->n_streams; s++) {
        n_variables += spec->streams[s].n_variables;
    }
    sections[0] = (spl_section){
        .name = SPL_SECTION_CONFIG, .bytes = strlen(sim->settings.resolved_json)};
    sections[1] = (spl_section){.name = SPL_SECTION_ROWS, .bytes = spec->n_streams * 8};
    sections[2] = (spl_section){.name = SPL_SECTION_CHECKSUMS, .bytes = n_variables * 4};
    for (size_t a = 0; a < n_arrays; a++) {
        sections[n] = (spl_section){.bytes = size_of(&arrays[a]) * sizeof(double)};
        snprintf(sections[n++].name, SPL_CHECKPOINT_NAME, "state.%s", arrays[a].name);
    }
    for (size_t m = 0; m < sim->n_monitors; m++) {
        sections[n] = (spl_section){
            .bytes = spl_monitor_state_size(sim->monitors[m]) * sizeof(double)};
        snprintf(sections[n++].name, SPL_CHECKPOINT_NAME, "monitor.%zu", m);
    }
    sections[n++] = (spl_section){.name = "noise_start", .bytes = sizeof(double)};
    if (sim->engine->n_subnetworks > 0) {
        sections[n] = (spl_section){
            .bytes = spl_recorder_state_size(sim->recorder) * sizeof(uint64_t)};
        memcpy(sections[n++].name, sums_name, sizeof sums_name);
        sections[n] = (spl_section){.bytes = subnetworks_bytes(sim->engine)};
        memcpy(sections[n++].name, subnetworks_name, sizeof subnetworks_name);
    }
    return n;
}

spl_status spl_checkpoint_prepare(spl_sim *sim, const spl_output_spec *spec)
{
    spl_section *sections =
        calloc(N_FIXED + SPL_ENGINE_MAX_FINAL + sim->n_monitors + N_NOISE + N_SPIKING,
            sizeof *sections);
    if (sections == NULL) {
        return spl_error(SPL_ERR_NO_MEMORY, "out of memory: a checkpoint");
    }
    const spl_status status = spl_checkpoint_lay_out(
        &sim->checkpoint, sections, list_sections(sections, sim, spec));
    free(sections);
    return status;
}

uint64_t spl_checkpoint_memory(const spl_sim *sim)
{
    uint64_t bytes = SPL_CHECKPOINT_HEADER + strlen(sim->settings.resolved_json) +
                     subnetworks_bytes(sim->engine);
    spl_array arrays[SPL_ENGINE_MAX_FINAL];
    const size_t n_arrays = sim->engine->ops->list_final(sim->engine, arrays);
    for (size_t a = 0; a < n_arrays; a++) {
        bytes += size_of(&arrays[a]) * sizeof(double);
    }
    for (size_t m = 0; m < sim->n_monitors; m++) {
        bytes += spl_monitor_state_size(sim->monitors[m]) * sizeof(double);
    }
    return bytes;
}

double *spl_checkpoint_state(const spl_sim *sim)
{
    /* arrays of the engine and of the monitors lie together */
    return (double *)(void *)sim->checkpoint.sections[N_FIXED].data;
}

/* To the byte order of the file, or back; nothing to do on most machines. */
static void swap_bytes(const spl_checkpoint *checkpoint)
{
    if (htole64(1) == 1) {
        return;
    }
    for (size_t i = N_FIXED; i < checkpoint->n_sections; i++) {
        const spl_section *section = &checkpoint->sections[i];
        if (strcmp(section->name, subnetworks_name) == 0) {
            break;
        }
        for (size_t at = 0; at < section->bytes; at += sizeof(uint64_t)) {
            uint64_t word;
            memcpy(&word, section->data + at, sizeof word);
            word = htole64(word);
            memcpy(section->data + at, &word, sizeof word);
        }
    }
}

static spl_status identify(spl_checkpoint *checkpoint, spl_sim *sim)
{
    /* not before it is needed: hashing the matrices of 998 nodes takes some 20 ms */
    if (*sim->connectome_hash == '\0') {
        spl_status status =
            spl_config_identity(sim->settings.resolved_json, sim->identity);
        if (status != SPL_OK) {
            return status;
        }
        if (sim->connectome != NULL) {
            spl_connectome_hash(sim->connectome, sim->connectome_hash);
        } else {
            memset(sim->connectome_hash, '0', sizeof sim->connectome_hash - 1);
        }
    }
    memcpy(checkpoint->identity, sim->identity, sizeof sim->identity);
    memcpy(checkpoint->connectome, sim->connectome_hash, sizeof sim->connectome_hash);
    snprintf(checkpoint->version, sizeof checkpoint->version, "%s", spl_version());
    return SPL_OK;
}

static void tell_problem(spl_sim *sim)
{
    char problem[512];
    if (spl_output_checkpoint_problem(sim->output, problem, sizeof problem)) {
        spl_warn("no checkpoint: %s; the run goes on and tries again later", problem);
    }
}

spl_status spl_checkpoint_take(spl_sim *sim)
{
    spl_checkpoint *checkpoint = &sim->checkpoint;
    spl_output_checkpoint_wait(sim->output);
    tell_problem(sim);
    spl_status status = identify(checkpoint, sim);
    if (status != SPL_OK) {
        return status;
    }
    checkpoint->step = spl_sim_steps_done(sim);
    memcpy(checkpoint->sections[0].data, sim->settings.resolved_json,
        checkpoint->sections[0].bytes);
    double *out = sim->engine->ops->copy_final(sim->engine, spl_checkpoint_state(sim));
    for (size_t m = 0; m < sim->n_monitors; m++) {
        spl_monitor_save(sim->monitors[m], out);
        out += spl_monitor_state_size(sim->monitors[m]);
    }
    *out = (double)sim->noise_start;
    const spl_section *sums = spl_checkpoint_find(checkpoint, sums_name);
    if (sums != NULL) {
        spl_recorder_save(sim->recorder, (uint64_t *)(void *)sums->data);
    }
    swap_bytes(checkpoint);
    const spl_section *subnetworks = spl_checkpoint_find(checkpoint, subnetworks_name);
    if (subnetworks != NULL) {
        copy_subnetworks(sim, subnetworks->data);
    }
    spl_output_checkpoint(sim->output, checkpoint);
    return SPL_OK;
}

void spl_checkpoint_finish(spl_sim *sim)
{
    spl_output_checkpoint_wait(sim->output);
    tell_problem(sim);
}

spl_status spl_checkpoint_put(spl_sim *sim, uint64_t step)
{
    const spl_section *subnetworks =
        spl_checkpoint_find(&sim->checkpoint, subnetworks_name);
    const double *in =
        sim->engine->ops->put_final(sim->engine, spl_checkpoint_state(sim), step);
    for (size_t m = 0; m < sim->n_monitors; m++) {
        spl_monitor_restore(sim->monitors[m], in);
        in += spl_monitor_state_size(sim->monitors[m]);
    }
    /* steps are below 2^53; a forged number gives other noise and no harm */
    sim->noise_start = *in >= 0.0 && *in < 0x1p53 ? (uint64_t)*in : 0;
    sim->engine->ops->set_noise_start(sim->engine, sim->noise_start);
    if (subnetworks == NULL) {
        return SPL_OK;
    }
    const spl_section *sums = spl_checkpoint_find(&sim->checkpoint, sums_name);
    spl_recorder_restore(sim->recorder, (const uint64_t *)(const void *)sums->data);
    return put_subnetworks(sim, subnetworks->data);
}

static spl_status foreign(const char *path, const char *what)
{
    return spl_error(SPL_ERR_CONFIG,
        "%s: %s; move it away to go on without it, or begin a new run", path, what);
}

/* Say which setting is different. */
static spl_status other_settings(
    const spl_checkpoint *found, const spl_sim *sim, const char *path)
{
    char difference[256] = "";
    const spl_section *config = spl_checkpoint_find(found, SPL_SECTION_CONFIG);
    char *json = config != NULL ? strndup((char *)config->data, config->bytes) : NULL;
    if (json == NULL || spl_config_difference(json, sim->settings.resolved_json,
                            difference, sizeof difference) != SPL_OK) {
        *difference = '\0';
    }
    free(json);
    return spl_error(SPL_ERR_CONFIG,
        "%s: a checkpoint of other settings%s%s; move it away to go on without it, or "
        "begin a new run",
        path, *difference != '\0' ? ": " : "", difference);
}

static spl_status compare_run(
    const spl_checkpoint *found, const spl_sim *sim, const char *path)
{
    if (strcmp(found->uuid, spl_output_uuid(sim->output)) != 0) {
        return foreign(path, "a checkpoint of another run");
    }
    if (strcmp(found->version, sim->checkpoint.version) != 0) {
        return spl_error(SPL_ERR_CONFIG,
            "%s: written by version %s, this is %s, which may compute other bits; resume "
            "with that version, or begin a new run",
            path, found->version, sim->checkpoint.version);
    }
    if (strcmp(found->connectome, sim->checkpoint.connectome) != 0) {
        return foreign(path, "a checkpoint of another connectome");
    }
    return strcmp(found->identity, sim->checkpoint.identity) == 0
               ? SPL_OK
               : other_settings(found, sim, path);
}

/* The sections must be those of this run; only the text of the configuration may have
 * another length. */
static spl_status copy_sections(
    spl_sim *sim, const spl_checkpoint *found, const char *path)
{
    spl_checkpoint *mine = &sim->checkpoint;
    bool same = found->n_sections == mine->n_sections && found->step > 0 &&
                found->step <= sim->settings.n_steps;
    for (size_t i = 0; i < mine->n_sections && same; i++) {
        same = strcmp(found->sections[i].name, mine->sections[i].name) == 0 &&
               (i == 0 || found->sections[i].bytes == mine->sections[i].bytes);
    }
    if (!same) {
        return spl_error(SPL_ERR_FORMAT,
            "%s: not the parts that this run has; the checkpoint is damaged", path);
    }
    for (size_t i = 1; i < mine->n_sections; i++) {
        memcpy(mine->sections[i].data, found->sections[i].data, found->sections[i].bytes);
    }
    mine->step = found->step;
    swap_bytes(mine);
    return SPL_OK;
}

/* Rows follow from the step. */
static spl_status check_rows(const spl_sim *sim, const char *path)
{
    const spl_section *rows = spl_checkpoint_find(&sim->checkpoint, SPL_SECTION_ROWS);
    const size_t n_streams = spl_results_n_streams(sim);
    for (size_t s = 0; s < n_streams; s++) {
        uint64_t n;
        memcpy(&n, rows->data + s * sizeof n, sizeof n);
        if (le64toh(n) != spl_results_rows(sim, s, sim->checkpoint.step)) {
            return spl_error(SPL_ERR_FORMAT,
                "%s: %llu rows of monitor %s after %llu steps cannot be; the checkpoint "
                "is damaged",
                path, (unsigned long long)le64toh(n),
                s < sim->n_monitors ? sim->settings.monitors[s].name : "populations",
                (unsigned long long)sim->checkpoint.step);
        }
    }
    return SPL_OK;
}

/* The configuration of an honest checkpoint is that of the results file. */
enum { MAX_CONFIG_BYTES = 64 << 20 };

spl_status spl_checkpoint_take_back(spl_sim *sim, const char *path)
{
    spl_status status = SPL_OK;
    spl_checkpoint found = {0};
    SPL_TRY(identify(&sim->checkpoint, sim));
    SPL_TRY(
        spl_checkpoint_load(&found, path, sim->checkpoint.n_bytes + MAX_CONFIG_BYTES));
    SPL_TRY(compare_run(&found, sim, path));
    SPL_TRY(copy_sections(sim, &found, path));
    SPL_TRY(check_rows(sim, path));
out:
    spl_checkpoint_deinit(&found);
    return status;
}
