/* Spikes without a simulator: three populations, the second silent, steps of 0.5 ms. */
#ifndef TEST_OUTPUT_SPIKES_SUPPORT_H
#define TEST_OUTPUT_SPIKES_SUPPORT_H

#include <check.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/journal.h"

enum { FAKE_POPULATIONS = 3, FAKE_FIRST_STEP = 100, FAKE_MAX_SPIKES = 64 };
static const char fake_uuid[] = "01234567-89ab-4cde-8f01-23456789abcd";
static const double fake_dt = 0.5;

static inline spl_journal_header fake_header(void)
{
    static const spl_journal_population populations[FAKE_POPULATIONS] = {
        {.name = "thal.E", .region = "rA1", .size = 800},
        {.name = "thal.silent", .region = "rA1", .size = 10},
        {.name = "alone.I", .region = "", .size = 4294967295},
    };
    spl_journal_header header = {.dt_ms = fake_dt,
        .first_step = FAKE_FIRST_STEP,
        .n_populations = FAKE_POPULATIONS,
        .populations = populations};
    snprintf(header.uuid, sizeof header.uuid, "%s", fake_uuid);
    return header;
}

/* Spikes of population p in one step: its number tells how many and which. */
static inline size_t fake_count(size_t p, uint64_t step)
{
    return p == 1 || step % 3 == 0 ? 0 : (size_t)(step % 4) + p;
}

static inline double fake_time(uint64_t step, size_t i)
{
    /* pairs at the same time, so that neurons decide */
    return ((double)step + 0.25 * (double)(i / 2)) * fake_dt;
}

static inline uint32_t fake_neuron(size_t p, uint64_t step, size_t i)
{
    return (uint32_t)(p == 2 ? UINT32_MAX - 100 : 0) + (uint32_t)(step % 17 + 3 * i);
}

/* The spikes of steps from + 1 .. to, in columns that the next call overwrites. */
static inline const spl_spike_columns *fake_columns(uint64_t from, uint64_t to)
{
    static double time[FAKE_POPULATIONS][1 << 18];
    static uint32_t neuron[FAKE_POPULATIONS][1 << 18];
    static spl_spike_columns columns[FAKE_POPULATIONS];
    for (size_t p = 0; p < FAKE_POPULATIONS; p++) {
        size_t n = 0;
        for (uint64_t step = from + 1; step <= to; step++) {
            for (size_t i = 0; i < fake_count(p, step); i++) {
                if (n == 1 << 18) {
                    abort();
                }
                time[p][n] = fake_time(step, i);
                neuron[p][n++] = fake_neuron(p, step, i);
            }
        }
        columns[p] = (spl_spike_columns){n, time[p], neuron[p]};
    }
    return columns;
}

static inline uint64_t fake_total(size_t p, uint64_t from, uint64_t to)
{
    uint64_t n = 0;
    for (uint64_t step = from + 1; step <= to; step++) {
        n += fake_count(p, step);
    }
    return n;
}

/* A journal of `n` frames of `steps` steps each. */
static inline void fake_journal(const char *path, size_t n, uint64_t steps)
{
    const spl_journal_header header = fake_header();
    spl_journal journal;
    ck_assert_int_eq(spl_journal_create(&journal, path, &header, false), SPL_OK);
    for (size_t f = 0; f < n; f++) {
        const uint64_t from = journal.end_step;
        ck_assert_int_eq(
            spl_journal_append(&journal, from + steps, fake_columns(from, from + steps)),
            SPL_OK);
    }
    spl_journal_deinit(&journal);
}

/* Read a whole journal and compare every spike. Result: the step at which it ends; 0 if
 * the header is refused. */
static inline uint64_t fake_check(const char *path, bool *whole)
{
    static double time[FAKE_MAX_SPIKES];
    static uint32_t neuron[FAKE_MAX_SPIKES];
    spl_journal_reader reader = {0};
    bool found = true;
    uint64_t end = 0;
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    spl_status status = spl_journal_read(&reader, fd, path);
    ck_assert(status == SPL_OK || status == SPL_ERR_FORMAT);
    while (status == SPL_OK) {
        ck_assert_int_eq(spl_journal_next(&reader, &found), SPL_OK);
        end = reader.frame.step_to;
        if (!found) {
            break;
        }
        const uint64_t from = reader.frame.step_from;
        const spl_spike_columns *wanted = fake_columns(from, end);
        for (size_t p = 0; p < FAKE_POPULATIONS; p++) {
            ck_assert_uint_eq(reader.counts[p], wanted[p].n);
            for (size_t at = 0; at < wanted[p].n; at += FAKE_MAX_SPIKES) {
                const size_t left = wanted[p].n - at;
                const size_t n = left < FAKE_MAX_SPIKES ? left : FAKE_MAX_SPIKES;
                ck_assert_int_eq(
                    spl_journal_spikes(&reader, p, at, n, time, neuron), SPL_OK);
                ck_assert_mem_eq(time, wanted[p].time + at, n * sizeof *time);
                ck_assert_mem_eq(neuron, wanted[p].neuron + at, n * sizeof *neuron);
            }
        }
    }
    *whole = reader.whole;
    spl_journal_reader_deinit(&reader);
    close(fd);
    return end;
}

#endif
