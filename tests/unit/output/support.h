/* A small run without a simulator: three nodes, four monitors, values that tell where
 * they belong. */
#ifndef TEST_OUTPUT_SUPPORT_H
#define TEST_OUTPUT_SUPPORT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/output.h"

enum { FAKE_NODES = 3, FAKE_STREAMS = 3, FAKE_ROWS = 1000 };

typedef struct fake_run {
    spl_connectome *connectome;
    spl_stream streams[FAKE_STREAMS];
    spl_array params[2], final[2];
    spl_output_spec spec;
} fake_run;

/* Not a float: tells f4 from f8. */
static inline double fake_value(size_t stream, size_t v, uint64_t row, size_t node)
{
    return 0.1 + (double)(row * 64 + node * 8 + v * 4 + stream);
}

static inline void fake_init(fake_run *run, const char *path)
{
    static const double weights[] = {0, 1, 0.5, 2, 0, 0, 0, 0.25, 0};
    static const double lengths[] = {0, 10, 20, 10, 0, 30, 20, 30, 0};
    static const double centres[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const double areas[] = {1.5, 2.5, 3.5};
    static const int8_t cortical[] = {1, 0, 1};
    static const char *const labels[] = {"rA", "l\xC3\xA9", "lC"};
    static const char *const variables[] = {"V", "W"};
    static const char *const units[] = {"mV", "1"};
    static const char *const long_names[] = {"membrane potential", "open K channels"};
    static const double per_node[] = {0.1, 0.2, 0.3};
    static const char *const performance[] = {"wall_seconds", "steps_per_second"};
    static const spl_attribute attributes[] = {{"git_commit", "abc"}, {"blas", ""}};
    const spl_connectome_arrays arrays = {.n_nodes = FAKE_NODES,
        .weights = weights,
        .tract_lengths = lengths,
        .labels = labels,
        .centres = centres,
        .areas = areas,
        .cortical = cortical};
    *run = (fake_run){0};
    if (spl_connectome_create(&run->connectome, &arrays, NULL) != SPL_OK) {
        abort();
    }
    const spl_stream tavg = {.name = "tavg",
        .kind = "temporal_average",
        .n_variables = 2,
        .variables = variables,
        .units = units,
        .long_names = long_names,
        .n_rows = FAKE_ROWS,
        .width = FAKE_NODES,
        .first_time_ms = 0.5,
        .period_ms = 1.0,
        .middle = true};
    run->streams[0] = tavg;
    run->streams[1] = tavg;
    run->streams[1].name = "mean";
    run->streams[1].kind = "global_average";
    run->streams[1].width = 1;
    run->streams[1].n_variables = 1;
    run->streams[1].f8 = true;
    run->streams[1].n_rows = FAKE_ROWS / 2;
    run->streams[1].period_ms = 2.0;
    run->streams[2] = tavg;
    run->streams[2].name = "sparse";
    run->streams[2].kind = "subsample";
    run->streams[2].f8 = true;
    run->streams[2].n_rows = FAKE_ROWS / 100;
    run->streams[2].period_ms = 100.0;
    run->streams[2].middle = false;
    run->params[0] = (spl_array){.name = "d_V", .data = per_node, .unit = "1"};
    run->params[1] = (spl_array){
        .name = "Iext", .rank = 1, .dims = {FAKE_NODES}, .data = per_node, .unit = "1"};
    run->final[0] = (spl_array){.name = "V", .rank = 1, .dims = {FAKE_NODES}};
    run->final[1] = (spl_array){.name = "history", .rank = 3, .dims = {1, FAKE_NODES, 5}};
    run->spec = (spl_output_spec){.path = path,
        .flush_every = 0.05,
        .dt_ms = 1.0,
        .threads = 2,
        .title = "a fake run",
        .command_line = "splenium run fake.yaml",
        .yaml = "title: a fake run\n",
        .resolved_json = "{\"title\": \"a fake run\"}\n",
        .connectome = run->connectome,
        .speed = 3.0,
        .n_attributes = 2,
        .attributes = attributes,
        .model = "linear",
        .n_params = 2,
        .params = run->params,
        .n_streams = FAKE_STREAMS,
        .streams = run->streams,
        .n_final = 2,
        .final = run->final,
        .n_performance = 2,
        .performance = performance};
}

static inline void fake_deinit(fake_run *run)
{
    spl_connectome_free(run->connectome);
}

/* Append the rows [first, first + n_rows) of one stream. */
static inline spl_status fake_append(
    spl_output *output, const fake_run *run, size_t s, uint64_t first, size_t n_rows)
{
    const spl_stream *stream = &run->streams[s];
    const size_t width = stream->width;
    double *values = malloc(stream->n_variables * n_rows * width * sizeof *values);
    for (size_t v = 0; v < stream->n_variables; v++) {
        for (size_t r = 0; r < n_rows; r++) {
            for (size_t i = 0; i < width; i++) {
                values[(v * n_rows + r) * width + i] = fake_value(s, v, first + r, i);
            }
        }
    }
    const spl_frame frame = {.monitor = s,
        .name = stream->name,
        .first_row = first,
        .n_rows = n_rows,
        .n_variables = stream->n_variables,
        .width = width,
        .values = values};
    spl_status status = spl_output_append(output, &frame);
    free(values);
    return status;
}

/* Rows of a stream that the steps below `step` gave, one step a millisecond. */
static inline uint64_t fake_rows(const fake_run *run, size_t s, uint64_t step)
{
    const uint64_t rows = step / (uint64_t)run->streams[s].period_ms;
    return rows < run->streams[s].n_rows ? rows : run->streams[s].n_rows;
}

/* Append what the steps [from, to) give. */
static inline spl_status fake_steps(
    spl_output *output, const fake_run *run, uint64_t from, uint64_t to)
{
    spl_status status = SPL_OK;
    for (size_t s = 0; s < FAKE_STREAMS && status == SPL_OK; s++) {
        const uint64_t first = fake_rows(run, s, from);
        const size_t n_rows = (size_t)(fake_rows(run, s, to) - first);
        if (n_rows > 0) {
            status = fake_append(output, run, s, first, n_rows);
        }
    }
    if (status == SPL_OK) {
        spl_output_step(output, to);
    }
    return status;
}

static inline spl_status fake_finish(
    spl_output *output, spl_run_code code, const char *message, uint64_t step)
{
    static const double state[] = {1.5, -2.5, 0.1};
    static const double history[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    static const double performance[] = {12.5, 1e6};
    const double *const final[] = {state, history};
    return spl_output_finish(output, code, message, step, 1, final, performance);
}

/* The whole life of a file in one call. */
static inline spl_status fake_make(
    fake_run *run, spl_run_code code, const char *message, uint64_t steps)
{
    spl_output *output = NULL;
    spl_status status = spl_output_create(&output, &run->spec);
    if (status == SPL_OK) {
        status = fake_steps(output, run, 0, steps);
    }
    if (status == SPL_OK) {
        status = fake_finish(output, code, message, steps);
    }
    spl_output_free(output);
    return status;
}

#endif
