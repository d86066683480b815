/* Drives one monitor with a given signal, in blocks and node ranges of any size, and
 * collects its rows. */
#ifndef SPL_TEST_DRIVE_H
#define SPL_TEST_DRIVE_H

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/monitor.h"

/* The observed variables of a block and its padding, which must not be read. */
enum { N_OBSERVED = 3, PADDING = 5 };

typedef double drive_signal(
    uint64_t step, size_t variable, size_t node, const void *user);

typedef struct drive {
    const spl_monitor_spec *spec;
    spl_monitor_run run;
    drive_signal *signal;
    const void *user;
    size_t blocks[3]; /* sizes in turn; 0 ends the list */
    size_t n_ranges;  /* of nodes, observed last range first */
    bool resume;      /* save, close, open and restore after every block */
    unsigned pieces; /* bit b % 8: block b is given as sums over pieces, if they are taken
                      */
} drive;

typedef struct recording {
    spl_status status;
    spl_monitor_shape shape;
    size_t n_variables;
    uint64_t n_rows;
    double *values[SPL_MONITOR_MAX_VARIABLES]; /* [n_rows][width] */
} recording;

static inline void take_frame(recording *record, const spl_frame *frame)
{
    size_t row_bytes = frame->width * sizeof(double);
    ck_assert_uint_eq(frame->monitor, 7);
    ck_assert_uint_eq(frame->first_row, record->n_rows);
    ck_assert_uint_eq(frame->width, record->shape.width);
    ck_assert_uint_eq(frame->n_variables, record->n_variables);
    ck_assert(record->n_rows + frame->n_rows <= record->shape.n_rows);
    for (size_t v = 0; v < frame->n_variables; v++) {
        memcpy(record->values[v] + frame->first_row * frame->width,
            frame->values + v * frame->n_rows * frame->width, frame->n_rows * row_bytes);
    }
    record->n_rows += frame->n_rows;
}

/* Values where they lie must be those of the frame. */
static inline spl_status take_rows(
    recording *record, spl_monitor *monitor, const spl_samples *block)
{
    spl_status status = SPL_OK;
    spl_rows rows;
    SPL_TRY(spl_monitor_finish(monitor, block, 7, &rows));
    const spl_rows apart = rows;
    spl_monitor_gather(monitor, &rows);
    const double *value = rows.frame.values;
    for (size_t v = 0; v < rows.frame.n_variables; v++) {
        for (size_t r = 0; r < rows.frame.n_rows; r++, value += rows.frame.width) {
            ck_assert_mem_eq(value,
                apart.frame.values + v * apart.variable_step + r * apart.row_step,
                rows.frame.width * sizeof *value);
        }
    }
    if (rows.frame.n_rows > 0) {
        take_frame(record, &rows.frame);
    }
out:
    return status;
}

static inline void fill_block(const drive *d, spl_samples *block, double *values)
{
    for (size_t k = 0; k < block->n_steps; k++) {
        for (size_t v = 0; v < N_OBSERVED; v++) {
            double *row = values + (k * N_OBSERVED + v) * block->stride;
            for (size_t i = 0; i < block->stride; i++) {
                row[i] = i < d->run.n_nodes
                             ? d->signal(block->first_step + k, v, i, d->user)
                             : NAN;
            }
        }
    }
    block->values = values;
}

/* The same as sums over pieces; the first goes on where the monitor stands, if it knows.
 */
static inline void fill_pieces(
    const drive *d, const spl_monitor *monitor, spl_samples *block, double *values)
{
    const uint64_t piece = spl_piece_steps(d->run.dt_ms);
    const uint64_t last = block->first_step - 1 + block->n_steps;
    const uint64_t from = (block->first_step - 1) / piece * piece;
    const size_t n_rows = (size_t)((last - from - 1) / piece + 1);
    for (size_t at = 0; at < n_rows * N_OBSERVED * block->stride; at++) {
        const uint64_t row = at / block->stride / N_OBSERVED;
        const size_t variable = at / block->stride % N_OBSERVED;
        const size_t node = at % block->stride;
        values[at] = node < d->run.n_nodes ? 0.0 : NAN;
        for (uint64_t step = from + row * piece + 1;
             step <= from + (row + 1) * piece && step <= last && node < d->run.n_nodes;
             step++) {
            values[at] += d->signal(step, variable, node, d->user);
        }
    }
    for (size_t v = 0; v < d->spec->n_variables; v++) {
        const double *begun = spl_monitor_begun(monitor, v, block->first_step);
        for (size_t i = 0; i < d->run.n_nodes && begun != NULL; i++) {
            double sum = 0.0;
            for (uint64_t step = from + 1; step < block->first_step; step++) {
                sum += d->signal(step, d->spec->variable[v], i, d->user);
            }
            ck_assert_mem_eq(&sum, &begun[i], sizeof sum);
        }
        ck_assert(from + 1 < block->first_step || begun == NULL);
    }
    block->piece_steps = (size_t)piece;
    block->values = values;
}

static inline void open_monitor(spl_monitor **monitor, const drive *d, size_t max_block)
{
    ck_assert_msg(spl_monitor_open(monitor, d->spec, &d->run, max_block) == SPL_OK, "%s",
        spl_last_error());
}

static inline void resume(spl_monitor **monitor, const drive *d, size_t max_block)
{
    size_t size = spl_monitor_state_size(*monitor);
    double *saved = malloc((size + 1) * sizeof *saved);
    spl_monitor_save(*monitor, saved);
    spl_monitor_close(*monitor);
    open_monitor(monitor, d, max_block);
    spl_monitor_restore(*monitor, saved);
    free(saved);
}

static inline recording run_drive(const drive *d)
{
    size_t n_nodes = d->run.n_nodes;
    size_t n_blocks = 1;
    size_t max_block = d->blocks[0];
    for (; n_blocks < 3 && d->blocks[n_blocks] > 0; n_blocks++) {
        max_block = d->blocks[n_blocks] > max_block ? d->blocks[n_blocks] : max_block;
    }
    spl_monitor *monitor = NULL;
    recording record = {.n_variables = d->spec->n_variables};
    open_monitor(&monitor, d, max_block);
    spl_monitor_describe(monitor, &record.shape);
    for (size_t v = 0; v < record.n_variables; v++) {
        record.values[v] =
            calloc((size_t)record.shape.n_rows * record.shape.width, sizeof(double));
    }
    spl_samples block = {.n_variables = N_OBSERVED, .stride = n_nodes + PADDING};
    double *values = malloc(max_block * N_OBSERVED * block.stride * sizeof *values);
    size_t n_ranges = d->n_ranges > 0 ? d->n_ranges : 1;
    uint64_t step = 1;
    for (size_t b = 0; step <= d->run.n_steps && record.status == SPL_OK; b++) {
        uint64_t left = d->run.n_steps + 1 - step;
        block.first_step = step;
        block.n_steps = d->blocks[b % n_blocks];
        block.n_steps = block.n_steps < left ? block.n_steps : (size_t)left;
        block.piece_steps = 0;
        if (spl_monitor_takes_pieces(monitor) && (d->pieces >> b % 8 & 1u) != 0) {
            fill_pieces(d, monitor, &block, values);
        } else {
            fill_block(d, &block, values);
        }
        for (size_t r = n_ranges; r-- > 0;) {
            spl_monitor_observe(
                monitor, &block, r * n_nodes / n_ranges, (r + 1) * n_nodes / n_ranges);
        }
        record.status = take_rows(&record, monitor, &block);
        if (d->resume) {
            resume(&monitor, d, max_block);
        }
        step += block.n_steps;
    }
    spl_monitor_close(monitor);
    free(values);
    return record;
}

static inline void free_recording(recording *record)
{
    for (size_t v = 0; v < record->n_variables; v++) {
        free(record->values[v]);
    }
}

/* Settings of a kind with all its defaults, observing variable 0. */
static inline spl_monitor_spec default_spec(const char *kind)
{
    const spl_monitor_kind *found = spl_monitor_find(kind);
    ck_assert_ptr_nonnull(found);
    spl_monitor_spec spec = {
        .name = "m",
        .kind = found,
        .period_ms = found->period_ms,
        .n_variables = 1,
        .variable_name = {"V"},
    };
    for (size_t i = 0; i < found->n_options; i++) {
        spec.options[i] = found->options[i].value;
    }
    return spec;
}

static inline size_t option_index(const spl_monitor_spec *spec, const char *name)
{
    for (size_t i = 0; i < spec->kind->n_options; i++) {
        if (strcmp(spec->kind->options[i].name, name) == 0) {
            return i;
        }
    }
    ck_abort_msg("no option %s", name);
    return 0;
}

static inline void set_option(spl_monitor_spec *spec, const char *name, double value)
{
    spec->options[option_index(spec, name)] = value;
}

static inline void set_choice(spl_monitor_spec *spec, const char *name, const char *word)
{
    for (size_t i = 0; i < spec->kind->n_choices; i++) {
        const spl_choice *choice = &spec->kind->choices[i];
        for (int w = 0; strcmp(choice->name, name) == 0 && choice->words[w] != NULL;
             w++) {
            if (strcmp(choice->words[w], word) == 0) {
                spec->choices[i] = w;
                return;
            }
        }
    }
    ck_abort_msg("no choice %s: %s", name, word);
}

#endif
