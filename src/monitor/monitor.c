#include "monitor/monitor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/kind.h"

/* Doubles count steps exactly up to here. */
#define MAX_STEPS       9007199254740992.0
#define MAX_PIECE_STEPS 1e6

spl_status spl_whole_steps(
    const char *what, double time_ms, double dt_ms, uint64_t *steps)
{
    if (!isfinite(time_ms) || !isfinite(dt_ms) || dt_ms <= 0.0) {
        return spl_error(SPL_ERR_CONFIG,
            "%s %.10g ms with dt %.10g ms; both must be finite and positive", what,
            time_ms, dt_ms);
    }
    double whole = rint(time_ms / dt_ms);
    if (whole > MAX_STEPS) {
        return spl_error(SPL_ERR_CONFIG,
            "%s %.10g ms is more than 2^53 steps of dt %.10g ms; shorten it", what,
            time_ms, dt_ms);
    }
    if (whole < 1.0 || fabs(time_ms - whole * dt_ms) > 1e-9 * time_ms) {
        return spl_error(SPL_ERR_CONFIG,
            "%s %.10g ms is not a multiple of dt %.10g ms; nearest: %.10g ms", what,
            time_ms, dt_ms, fmax(whole, 1.0) * dt_ms);
    }
    *steps = (uint64_t)whole;
    return SPL_OK;
}

spl_status spl_monitor_steps(double period_ms, double dt_ms, uint64_t *steps)
{
    return spl_whole_steps("period", period_ms, dt_ms, steps);
}

size_t spl_piece_steps(double dt_ms)
{
    const double steps = rint(1.0 / dt_ms);
    const bool whole = fabs(steps * dt_ms - 1.0) <= 1e-9;
    return whole && steps > 1.0 && steps <= MAX_PIECE_STEPS ? (size_t)steps : 0;
}

/* Rows that end at or before a step. */
static uint64_t rows_until(const spl_monitor *monitor, uint64_t step)
{
    uint64_t transient = monitor->run.n_transient;
    return step > transient ? (step - transient) / monitor->row_steps : 0;
}

uint64_t spl_monitor_row_step(const spl_monitor *monitor, uint64_t row)
{
    return monitor->run.n_transient + (row + 1) * monitor->row_steps;
}

double *spl_monitor_row(
    const spl_monitor *monitor, spl_row_range rows, size_t v, uint64_t row)
{
    size_t index = v * rows.count + (size_t)(row - rows.first);
    return monitor->rows + index * monitor->shape.width;
}

const double *spl_monitor_values(
    const spl_monitor *monitor, const spl_samples *block, size_t v, uint64_t step)
{
    size_t index = (size_t)(step - block->first_step) * block->n_variables +
                   monitor->spec.variable[v];
    return block->values + index * block->stride;
}

void spl_monitor_copy_row(spl_monitor *monitor, uint64_t step, size_t v,
    const double *values, double *row, size_t begin, size_t end)
{
    (void)monitor;
    (void)step;
    (void)v;
    memcpy(row + begin, values + begin, (end - begin) * sizeof *row);
}

static spl_status check_options(const spl_monitor_spec *spec)
{
    const spl_monitor_kind *kind = spec->kind;
    for (size_t i = 0; i < kind->n_options; i++) {
        const spl_field *option = &kind->options[i];
        double value = spec->options[i];
        if (!isfinite(value)) {
            return spl_error(SPL_ERR_CONFIG, "monitors.%s.%s: %.10g is not finite",
                spec->name, option->name, value);
        }
        if (option->rule == SPL_RULE_POSITIVE && value <= 0.0) {
            return spl_error(SPL_ERR_CONFIG, "monitors.%s.%s: %.10g must be positive",
                spec->name, option->name, value);
        }
        if (option->rule == SPL_RULE_NOT_NEGATIVE && value < 0.0) {
            return spl_error(SPL_ERR_CONFIG, "monitors.%s.%s: %.10g must not be negative",
                spec->name, option->name, value);
        }
    }
    return SPL_OK;
}

/* Whether the variables of a step lie at equal distances, in their order. */
static bool evenly_apart(const spl_monitor_spec *spec)
{
    const size_t *variable = spec->variable;
    bool evenly = true;
    for (size_t v = 1; v < spec->n_variables; v++) {
        evenly = evenly && variable[v] > variable[v - 1] &&
                 variable[v] - variable[v - 1] == variable[1] - variable[0];
    }
    return evenly;
}

bool spl_monitor_is_raw_f4(const spl_monitor *monitor)
{
    return monitor->in_place && monitor->row_steps == 1 && !monitor->spec.f8;
}

/* Everything about a monitor but its memory. */
static spl_status plan(spl_monitor *monitor, const spl_monitor_spec *spec,
    const spl_monitor_run *run, size_t max_block)
{
    spl_status status = SPL_OK;
    spl_bug_assert(spec->n_variables <= SPL_MONITOR_MAX_VARIABLES && max_block > 0);
    bool every_step = spec->kind->period_ms == 0.0;
    double period_ms = every_step ? run->dt_ms : spec->period_ms;
    *monitor = (spl_monitor){.spec = *spec, .run = *run, .ops = spec->kind->ops};
    status = spl_monitor_steps(period_ms, run->dt_ms, &monitor->row_steps);
    if (status != SPL_OK) {
        return spl_error_prefix(status, "monitors.%s", spec->name);
    }
    uint64_t n_rows = rows_until(monitor, run->n_steps);
    if (n_rows == 0) {
        uint64_t recorded =
            run->n_steps > run->n_transient ? run->n_steps - run->n_transient : 0;
        SPL_FAIL(SPL_ERR_CONFIG,
            "monitors.%s: period %.10g ms is longer than the recorded duration of %.10g "
            "ms; shorten the period or lengthen the run",
            spec->name, period_ms, (double)recorded * run->dt_ms);
    }
    monitor->bin_origin = run->n_transient;
    monitor->shape = (spl_monitor_shape){
        .n_rows = n_rows,
        .width = run->n_nodes,
        .first_time_ms = (double)spl_monitor_row_step(monitor, 0) * run->dt_ms,
        .period_ms = period_ms,
    };
    for (size_t v = 0; v < SPL_MONITOR_MAX_VARIABLES; v++) {
        monitor->shape.unit[v] = "";
    }
    SPL_TRY(check_options(spec));
    if (monitor->ops->plan != NULL) {
        SPL_TRY(monitor->ops->plan(monitor));
    }
    monitor->n_sum = monitor->bin_steps > 0 ? spec->n_variables * run->n_nodes : 0;
    const size_t piece = spl_piece_steps(run->dt_ms);
    if (piece > 0 && monitor->bin_steps > 0 && monitor->bin_steps % piece == 0 &&
        monitor->bin_origin % piece == 0) {
        monitor->piece_steps = piece;
        monitor->n_piece = monitor->bin_steps > piece ? monitor->n_sum : 0;
    }
    const size_t steps = max_block * (spl_monitor_takes_pieces(monitor) ? piece : 1);
    monitor->max_rows = (size_t)((steps - 1) / monitor->row_steps + 1);
    monitor->in_place = monitor->ops->row == spl_monitor_copy_row && evenly_apart(spec);
out:
    return status;
}

static void lay_out(spl_monitor *monitor)
{
    spl_arena *arena = &monitor->arena;
    size_t row_values = monitor->spec.n_variables * monitor->shape.width;
    monitor->rows = spl_arena_take(arena, monitor->max_rows, row_values * sizeof(double));
    monitor->sum = spl_arena_take(arena, monitor->n_sum, sizeof(double));
    monitor->piece = monitor->n_piece > 0
                         ? spl_arena_take(arena, monitor->n_piece, sizeof(double))
                         : monitor->sum;
    monitor->state = spl_arena_take(arena, monitor->n_state, sizeof(double));
    monitor->table = spl_arena_take(arena, monitor->n_table, sizeof(double));
}

spl_status spl_monitor_open(spl_monitor **out, const spl_monitor_spec *spec,
    const spl_monitor_run *run, size_t max_block)
{
    spl_status status = SPL_OK;
    *out = NULL;
    spl_monitor *monitor = calloc(1, sizeof *monitor);
    if (monitor == NULL) {
        SPL_FAIL(SPL_ERR_NO_MEMORY, "monitors.%s: out of memory", spec->name);
    }
    SPL_TRY(plan(monitor, spec, run, max_block));
    SPL_TRY(spl_target_choose(&monitor->target));
    lay_out(monitor);
    SPL_TRY(spl_arena_commit(&monitor->arena));
    lay_out(monitor);
    if (monitor->ops->start != NULL) {
        monitor->ops->start(monitor);
    }
    *out = monitor;
    monitor = NULL;
out:
    spl_monitor_close(monitor);
    return status;
}

void spl_monitor_close(spl_monitor *monitor)
{
    if (monitor != NULL) {
        spl_arena_deinit(&monitor->arena);
        free(monitor);
    }
}

/* Last step of the window of `length` steps that holds `step`; steps up to `origin` count
 * to the first window. */
static uint64_t window_end(uint64_t step, uint64_t origin, uint64_t length)
{
    uint64_t before = step > origin ? (step - origin - 1) / length : 0;
    return origin + (before + 1) * length;
}

static const spl_bin_kernels *const kernels[SPL_N_TARGETS] = {
    &spl_bin_kernels_scalar, &spl_bin_kernels_v3, &spl_bin_kernels_v4};

const spl_bin_kernels *spl_monitor_kernels(const spl_monitor *monitor)
{
    return kernels[monitor->target];
}

static double *of_variable(const spl_monitor *monitor, double *sums, size_t v)
{
    return sums + v * monitor->run.n_nodes;
}

/* Add `count` samples that are `stride` apart to the sums of the nodes. */
static void add(const spl_monitor *monitor, double *sum, const double *samples,
    size_t stride, size_t count, size_t begin, size_t end)
{
    spl_monitor_kernels(monitor)->add(
        sum + begin, samples + begin, stride, count, end - begin);
}

static void clear(double *sum, size_t begin, size_t end)
{
    memset(sum + begin, 0, (end - begin) * sizeof *sum);
}

static spl_place find_place(const spl_monitor *monitor, uint64_t first_step)
{
    spl_place at = {.first_step = first_step, .step = first_step};
    if (at.step <= monitor->bin_origin) {
        at.step = monitor->bin_origin + 1;
    }
    at.row = rows_until(monitor, at.step - 1);
    at.row_end = spl_monitor_row_step(monitor, at.row);
    at.bin_end = monitor->bin_steps > 0
                     ? window_end(at.step, monitor->bin_origin, monitor->bin_steps)
                     : UINT64_MAX;
    return at;
}

static spl_place place_of(const spl_monitor *monitor, const spl_samples *block)
{
    return monitor->next.first_step == block->first_step
               ? monitor->next
               : find_place(monitor, block->first_step);
}

static uint64_t last_step(const spl_samples *block)
{
    return block->first_step - 1 + block->n_steps;
}

/* The place behind the block. */
static spl_place move_on(const spl_monitor *monitor, spl_place at, uint64_t last)
{
    at.first_step = last + 1;
    at.step = at.step > last ? at.step : last + 1;
    while (at.row_end <= last) {
        at.row++;
        at.row_end += monitor->row_steps;
    }
    while (at.bin_end <= last) {
        at.bin_end += monitor->bin_steps;
    }
    return at;
}

/* The rows that end within the block. */
static spl_row_range rows_of(const spl_monitor *monitor, spl_place at, uint64_t last)
{
    spl_row_range rows = {at.row, 0};
    for (; at.row_end <= last; at.row_end += monitor->row_steps) {
        rows.count++;
    }
    return rows;
}

/* What is due at `step` of variable v: `values` are the sums of the bin that ends there,
 * or the samples. Behind a bin its sums begin again. */
static void end_bin(spl_monitor *monitor, const spl_place *at, spl_row_range rows,
    uint64_t step, size_t v, const double *values, size_t begin, size_t end)
{
    if (step == at->bin_end && monitor->ops->bin != NULL) {
        monitor->ops->bin(monitor, step, v, values, begin, end);
    }
    if (step == at->row_end) {
        monitor->ops->row(monitor, step, v, values,
            spl_monitor_row(monitor, rows, v, at->row), begin, end);
    }
    if (step == at->bin_end) {
        clear(of_variable(monitor, monitor->sum, v), begin, end);
    }
}

/* The place behind `step`, at which rows and bins may end. */
static void pass(const spl_monitor *monitor, spl_place *at, uint64_t step)
{
    at->step = step + 1;
    if (step == at->row_end) {
        at->row++;
        at->row_end += monitor->row_steps;
    }
    if (step == at->bin_end) {
        at->bin_end += monitor->bin_steps;
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Steps first .. last, which are of one piece, to the sums of variable v. */
static void add_steps(spl_monitor *monitor, const spl_samples *block, size_t v,
    uint64_t first, uint64_t last, size_t begin, size_t end)
{
    double *piece = of_variable(monitor, monitor->piece, v);
    add(monitor, piece, spl_monitor_values(monitor, block, v, first),
        block->n_variables * block->stride, (size_t)(last - first + 1), begin, end);
    if (monitor->n_piece > 0 && last % monitor->piece_steps == 0) {
        add(monitor, of_variable(monitor, monitor->sum, v), piece, 0, 1, begin, end);
        clear(piece, begin, end);
    }
}

/* Rows of the block that are steps. */
static void take_steps(spl_monitor *monitor, const spl_samples *block, spl_place at,
    spl_row_range rows, size_t begin, size_t end)
{
    const uint64_t last = last_step(block);
    while (at.step <= last) {
        uint64_t stop = least(least(at.bin_end, at.row_end), last);
        if (monitor->n_piece > 0) {
            stop = least(stop, window_end(at.step, 0, monitor->piece_steps));
        }
        for (size_t v = 0; v < monitor->spec.n_variables; v++) {
            const double *values = spl_monitor_values(monitor, block, v, stop);
            if (monitor->bin_steps > 0) {
                add_steps(monitor, block, v, at.step, stop, begin, end);
                values = of_variable(monitor, monitor->sum, v);
            }
            end_bin(monitor, &at, rows, stop, v, values, begin, end);
        }
        pass(monitor, &at, stop);
    }
}

/* Rows of the block that are pieces. One is the whole bin, or is added to it. */
static void take_pieces(spl_monitor *monitor, const spl_samples *block, spl_place at,
    spl_row_range rows, size_t begin, size_t end)
{
    const uint64_t last = last_step(block);
    const uint64_t piece = block->piece_steps;
    const size_t stride = block->n_variables * block->stride;
    uint64_t stop = window_end(at.step, 0, piece);
    const uint64_t row = (stop - 1) / piece - (block->first_step - 1) / piece;
    const double *values = block->values + row * stride;
    for (; stop <= last; stop += piece, values += stride) {
        for (size_t v = 0; v < monitor->spec.n_variables; v++) {
            const double *sums = values + monitor->spec.variable[v] * block->stride;
            if (monitor->n_piece > 0) {
                double *sum = of_variable(monitor, monitor->sum, v);
                add(monitor, sum, sums, 0, 1, begin, end);
                sums = sum;
            }
            end_bin(monitor, &at, rows, stop, v, sums, begin, end);
        }
        pass(monitor, &at, stop);
    }
    for (size_t v = 0; v < monitor->spec.n_variables; v++) {
        double *begun = of_variable(monitor, monitor->piece, v);
        clear(begun, begin, end);
        if (last % piece != 0) {
            add(monitor, begun, values + monitor->spec.variable[v] * block->stride, 0, 1,
                begin, end);
        }
    }
}

/* Called for a few nodes at a time, so nothing is found out here that is the same for
 * all. */
void spl_monitor_observe(
    spl_monitor *monitor, const spl_samples *block, size_t begin, size_t end)
{
    const uint64_t last = last_step(block);
    const spl_place at = place_of(monitor, block);
    if (monitor->ops->row == NULL || monitor->in_place || begin >= end ||
        at.step > last) {
        return;
    }
    const spl_row_range rows = rows_of(monitor, at, last);
    if (block->piece_steps > 0) {
        take_pieces(monitor, block, at, rows, begin, end);
    } else {
        take_steps(monitor, block, at, rows, begin, end);
    }
}

bool spl_monitor_takes_pieces(const spl_monitor *monitor)
{
    const size_t piece = monitor->piece_steps;
    return piece > 0 && monitor->row_steps % piece == 0 &&
           monitor->run.n_transient % piece == 0;
}

const double *spl_monitor_begun(const spl_monitor *monitor, size_t v, uint64_t first_step)
{
    const bool begun =
        first_step > monitor->bin_origin && (first_step - 1) % monitor->piece_steps != 0;
    return begun ? of_variable(monitor, monitor->piece, v) : NULL;
}

spl_status spl_monitor_finish(
    spl_monitor *monitor, const spl_samples *block, size_t index, spl_rows *rows)
{
    spl_status status = SPL_OK;
    const spl_place at = place_of(monitor, block);
    const spl_row_range range = rows_of(monitor, at, last_step(block));
    const size_t *variable = monitor->spec.variable;
    monitor->next = move_on(monitor, at, last_step(block));
    if (monitor->ops->finish != NULL) {
        SPL_TRY(monitor->ops->finish(monitor, block, range));
    }
    *rows = (spl_rows){
        .frame = {.monitor = index,
            .name = monitor->spec.name,
            .first_row = range.first,
            .n_rows = range.count,
            .n_variables = monitor->spec.n_variables,
            .width = monitor->shape.width,
            .values = monitor->rows},
        .variable_step = range.count * monitor->shape.width,
        .row_step = monitor->shape.width,
    };
    if (monitor->in_place && range.count > 0) {
        rows->frame.values = spl_monitor_values(
            monitor, block, 0, spl_monitor_row_step(monitor, range.first));
        rows->row_step = monitor->row_steps * block->n_variables * block->stride;
        rows->variable_step = monitor->spec.n_variables > 1
                                  ? (variable[1] - variable[0]) * block->stride
                                  : 0;
    }
out:
    return status;
}

void spl_monitor_gather(spl_monitor *monitor, spl_rows *rows)
{
    spl_frame *frame = &rows->frame;
    double *row = monitor->rows;
    if (frame->values == monitor->rows) {
        return;
    }
    for (size_t v = 0; v < frame->n_variables; v++) {
        for (size_t r = 0; r < frame->n_rows; r++, row += frame->width) {
            memcpy(row, frame->values + v * rows->variable_step + r * rows->row_step,
                frame->width * sizeof *row);
        }
    }
    frame->values = monitor->rows;
    rows->row_step = frame->width;
    rows->variable_step = frame->n_rows * frame->width;
}

void spl_monitor_describe(const spl_monitor *monitor, spl_monitor_shape *shape)
{
    *shape = monitor->shape;
}

spl_status spl_monitor_plan(
    const spl_monitor_spec *spec, const spl_monitor_run *run, spl_monitor_shape *shape)
{
    spl_monitor monitor;
    spl_status status = plan(&monitor, spec, run, 1);
    *shape = monitor.shape;
    return status;
}

size_t spl_monitor_memory(
    const spl_monitor_spec *spec, const spl_monitor_run *run, size_t max_block)
{
    spl_monitor monitor;
    if (plan(&monitor, spec, run, max_block) != SPL_OK) {
        return 0;
    }
    lay_out(&monitor);
    return sizeof monitor + monitor.arena.used;
}

uint64_t spl_monitor_rows(const spl_monitor *monitor, uint64_t step)
{
    return rows_until(monitor, step);
}

size_t spl_monitor_state_size(const spl_monitor *monitor)
{
    return monitor->n_sum + monitor->n_piece + monitor->n_state;
}

/* Copy what continues the monitor out of it, or into it. */
static void copy_state(const spl_monitor *monitor, double *out, const double *in)
{
    double *const part[] = {monitor->sum, monitor->piece, monitor->state};
    const size_t size[] = {monitor->n_sum, monitor->n_piece, monitor->n_state};
    size_t at = 0;
    for (size_t p = 0; p < sizeof size / sizeof *size; at += size[p++]) {
        if (size[p] > 0 && out != NULL) {
            memcpy(out + at, part[p], size[p] * sizeof *out);
        } else if (size[p] > 0) {
            memcpy(part[p], in + at, size[p] * sizeof *in);
        }
    }
}

void spl_monitor_save(const spl_monitor *monitor, double *out)
{
    copy_state(monitor, out, NULL);
}

void spl_monitor_restore(spl_monitor *monitor, const double *saved)
{
    copy_state(monitor, NULL, saved);
}
