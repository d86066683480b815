#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../json.h"
#include "../talk.h"
#include "bench.h"

typedef struct bench_machine {
    char cpu[128];
    double load;
    int allowed;
    long l1, l2, l3;
    char date[32];
    spl_build_info build;
} bench_machine;

/* The processor by its own name. */
static void read_cpu(char *name, size_t size)
{
    char line[256];
    snprintf(name, size, "unknown");
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL && colon[1] == ' ') {
            snprintf(name, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void read_machine(bench_machine *machine)
{
    double load[3] = {0.0};
    const time_t now = time(NULL);
    struct tm utc;
    *machine = (struct bench_machine){0};
    read_cpu(machine->cpu, sizeof machine->cpu);
    getloadavg(load, 3);
    machine->load = load[0];
    machine->allowed = processors_allowed();
    machine->l1 = sysconf(_SC_LEVEL1_DCACHE_SIZE);
    machine->l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
    machine->l3 = sysconf(_SC_LEVEL3_CACHE_SIZE);
    gmtime_r(&now, &utc);
    strftime(machine->date, sizeof machine->date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    spl_build_describe(&machine->build);
}

double bench_spread(const bench_sample *ratio)
{
    return sample_quantile(ratio, 0.9) / sample_quantile(ratio, 0.1);
}

/* Giga of bytes per second, of what is loaded by vectors. */
static double bandwidth(const bench_roofline *roofline, int level)
{
    return 8.0 * (double)roofline->lanes / roofline->load_ns[level];
}

void bench_print_machine(const bench_setting *setting)
{
    const bench_roofline *roofline = &setting->roofline;
    bench_machine machine;
    read_machine(&machine);
    printf("machine    %s, %.2f GHz, %d processor%s allowed; L1 %ld KiB, L2 %ld KiB, L3 "
           "%ld MiB; load %.2f\n",
        machine.cpu, roofline->clock_ghz, machine.allowed,
        machine.allowed == 1 ? "" : "s", machine.l1 >> 10, machine.l2 >> 10,
        machine.l3 >> 20, machine.load);
    printf("build      %s, %s, %s, target %s, %s core %s; %s\n", machine.build.version,
        machine.build.commit, machine.build.compiler, machine.build.target,
        machine.build.blas, machine.build.blas_core, machine.date);
    printf("roofline   fused multiply-adds %.1f GFLOP/s; a division of %zu doubles %.2f "
           "ns; misaligned loads L1 %.0f, L2 %.0f, L3 %.0f GB/s; a random word %.2f ns\n",
        2.0 * (double)roofline->lanes / roofline->multiply_ns, roofline->lanes,
        roofline->divide_ns, bandwidth(roofline, 0), bandwidth(roofline, 1),
        bandwidth(roofline, 2), roofline->philox_ns);
    fflush(stdout);
}

static void print_facts(const bench_facts *facts)
{
    printf("           %zu nodes, %zu edges between them, %zu self-edges; ",
        facts->n_nodes, facts->n_edges, facts->n_self);
    if (isinf(facts->speed)) {
        fputs("no delays", stdout);
    } else {
        printf("delays %u to %u steps at %g mm/ms", facts->delay_min, facts->delay_max,
            facts->speed);
    }
    printf(", blocks of %zu\n", facts->block);
    printf(
        "           %s, coupling %s, %s precision, dt %g ms, %d thread%s, target %s, %s"
        "; noise on V, %s, %s%s, %s\n",
        facts->scheme, facts->stages, facts->precision, facts->dt, facts->threads,
        facts->threads == 1 ? "" : "s", facts->target, facts->path,
        facts->by_region ? "parameters by region" : "uniform parameters",
        *facts->monitors != '\0' ? "monitors " : "no monitors", facts->monitors,
        facts->file ? "results file" : "no file");
}

static void print_row(const char *name, const bench_sample *us)
{
    printf("  %-26s %10.3f %10.3f %10.3f %10.3f\n", name, sample_median(us),
        sample_quantile(us, 0.0), sample_quantile(us, 0.1), sample_quantile(us, 0.9));
}

static void print_ratio(const char *name, const bench_sample *ratio)
{
    printf("  %-26s %10.2f %10s %10.2f %10.2f%s\n", name, sample_median(ratio), "",
        sample_quantile(ratio, 0.1), sample_quantile(ratio, 0.9),
        bench_spread(ratio) > BENCH_MAX_SPREAD ? "   spread: not to be published" : "");
}

static void print_units(const bench_result *result)
{
    const bench_facts *facts = &result->facts;
    const double us = sample_median(&result->product_us);
    const double edges = (double)(facts->n_edges + facts->n_self);
    printf("  = %.2f ns per node and step", 1e3 * us / (double)facts->n_nodes);
    if (edges > 0.0) {
        printf(", %.3f ns per edge and step", 1e3 * us / edges);
    }
    printf(", %.3g times real time\n", 1e3 * facts->dt / us);
}

static void print_parts(const bench_result *result)
{
    const double whole = sample_median(&result->product_us);
    fputs("  parts, us (% of the step):", stdout);
    for (size_t i = 0; i < result->n_parts; i++) {
        const double us = sample_median(&result->parts[i].us);
        printf("%s %s %.3f (%.0f)", i > 0 ? "," : "", result->parts[i].name, us,
            100.0 * us / whole);
    }
    fputc('\n', stdout);
    if (result->has_bound) {
        const bench_bound *bound = &result->bound;
        printf("  bound %.3f us: dynamics %.3f, history %.3f, coupling %.3f, noise %.3f; "
               "the core reaches %.0f %% of it\n",
            sample_median(&result->bound_us), 1e-3 * bound->dynamics,
            1e-3 * bound->history, 1e-3 * bound->coupling, 1e-3 * bound->noise,
            100.0 * sample_median(&result->bound_share));
    }
    for (size_t i = 0; i < result->n_variants; i++) {
        const bench_part *variant = &result->variants[i];
        if (*variant->unavailable != '\0') {
            printf("  %s: not available (%s)\n", variant->name, variant->unavailable);
        } else {
            print_row(variant->name, &variant->us);
            print_ratio("core / this", &variant->ratio);
        }
    }
}

static void print_check(const bench_result *result)
{
    if (result->allowed_dV > 0.0) {
        printf("           V after %d steps as in %s to %.1e (%.0e allowed)\n",
            BENCH_CHECKED_STEPS, result->against, result->max_abs_dV, result->allowed_dV);
    }
}

static void print_numbers(const bench_result *result)
{
    char name[80];
    printf("  %-26s %10s %10s %10s %10s\n", "us per step", "median", "minimum", "p10",
        "p90");
    print_row("product", &result->product_us);
    if (result->product_wall_us.count > 0 && result->what->kind != BENCH_THREADS) {
        print_row("product, wall time", &result->product_wall_us);
    }
    if (result->core_us.count > 0 && result->what->kind == BENCH_FULL) {
        print_row("core: no monitors, no file", &result->core_us);
    }
    if (*result->against != '\0') {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(result->against, ","),
            result->against);
        print_row(name, &result->against_us);
        snprintf(name, sizeof name, "ratio");
        print_ratio(name, &result->ratio);
    }
    if (result->core_ratio.count > 0) {
        print_ratio("ratio to the core", &result->core_ratio);
        print_ratio("core / product", &result->core_to_product);
    }
    if (result->what->kind == BENCH_TVB) {
        printf("  its best / our median      %10.2f\n",
            sample_quantile(&result->against_us, 0.0) /
                sample_median(&result->product_us));
    }
    print_units(result);
}

static void print_spiking(const bench_result *result)
{
    printf("           %zu neurons, %zu synapses each, made in %.3f s; rates %.2f and "
           "%.2f Hz\n",
        result->n_neurons, result->what->in_degree, result->create_s, result->rate_E,
        result->rate_I);
    if (*result->refused != '\0') {
        printf("           NOT TIMED: %s\n", result->refused);
        return;
    }
    const double us = sample_median(&result->product_us);
    printf("  %-26s %10s %10s %10s %10s\n", "us per step of 0.1 ms", "median", "minimum",
        "p10", "p90");
    print_row("product", &result->product_us);
    printf("  %.3f s per simulated second; %.2f ns per neuron and step\n", 1e-2 * us,
        1e3 * us / (double)result->n_neurons);
    fflush(stdout);
}

void bench_print(const bench_result *result)
{
    if (*result->skipped != '\0') {
        printf("\n%-10s skipped: %s\n", result->what->name, result->skipped);
        return;
    }
    printf("\n%s\n", result->what->name);
    if (result->what->kind == BENCH_SPIKING) {
        print_spiking(result);
        return;
    }
    print_facts(&result->facts);
    print_check(result);
    if (*result->refused != '\0') {
        printf("           NOT TIMED: %s\n", result->refused);
        return;
    }
    printf("           loaded in %.3f s, made in %.3f s; escaped nodes: %llu\n",
        result->load_s, result->create_s, (unsigned long long)result->escaped_nodes);
    if (result->n_members > 0) {
        printf("  %zu runs on %d threads: %.1f million node-steps/s (p10 %.1f, p90 "
               "%.1f), %.1f per second of a processor\n",
            result->n_members, result->facts.threads,
            sample_median(&result->million_node_steps),
            sample_quantile(&result->million_node_steps, 0.1),
            sample_quantile(&result->million_node_steps, 0.9),
            sample_median(&result->million_by_processor));
    }
    print_numbers(result);
    if (result->n_parts > 0) {
        print_parts(result);
    }
    fflush(stdout);
}

static void write_sample(json_writer *json, const char *key, const bench_sample *sample)
{
    json_begin(json, key, '{');
    json_real(json, "min", sample_quantile(sample, 0.0));
    json_real(json, "median", sample_median(sample));
    json_real(json, "p10", sample_quantile(sample, 0.1));
    json_real(json, "p90", sample_quantile(sample, 0.9));
    json_end(json, '}');
}

static void write_roofline(json_writer *json, const bench_roofline *roofline)
{
    json_begin(json, "roofline", '{');
    json_text(json, "target", roofline->target);
    json_whole(json, "lanes", roofline->lanes);
    json_real(json, "fma_ns", roofline->multiply_ns);
    json_real(json, "gflops", 2.0 * (double)roofline->lanes / roofline->multiply_ns);
    json_real(json, "operation_ns", roofline->operation_ns);
    json_real(json, "divide_ns", roofline->divide_ns);
    json_begin(json, "load_ns", '[');
    for (int level = 0; level < 3; level++) {
        json_real(json, NULL, roofline->load_ns[level]);
    }
    json_end(json, ']');
    json_begin(json, "load_gb_per_s", '[');
    for (int level = 0; level < 3; level++) {
        json_real(json, NULL, bandwidth(roofline, level));
    }
    json_end(json, ']');
    json_real(json, "philox_ns", roofline->philox_ns);
    json_end(json, '}');
}

void bench_write_machine(json_writer *json, const bench_setting *setting)
{
    bench_machine machine;
    read_machine(&machine);
    json_begin(json, "machine", '{');
    json_text(json, "cpu", machine.cpu);
    json_real(json, "clock_ghz", setting->roofline.clock_ghz);
    json_begin(json, "caches", '{');
    json_whole(json, "l1d_bytes", machine.l1 > 0 ? (uint64_t)machine.l1 : 0);
    json_whole(json, "l2_bytes", machine.l2 > 0 ? (uint64_t)machine.l2 : 0);
    json_whole(json, "l3_bytes", machine.l3 > 0 ? (uint64_t)machine.l3 : 0);
    json_end(json, '}');
    json_real(json, "load_before", machine.load);
    json_whole(json, "affinity", (uint64_t)machine.allowed);
    json_end(json, '}');
    json_begin(json, "build", '{');
    json_text(json, "version", machine.build.version);
    json_text(json, "compiler", machine.build.compiler);
    json_text(json, "targets", machine.build.targets);
    json_text(json, "target", machine.build.target);
    json_text(json, "blas", machine.build.blas);
    json_text(json, "blas_core", machine.build.blas_core);
    json_text(json, "hdf5_version", machine.build.hdf5_version);
    json_end(json, '}');
    json_text(json, "date", machine.date);
    json_text(json, "git_commit", machine.build.commit);
    write_roofline(json, &setting->roofline);
}

static void write_facts(json_writer *json, const bench_facts *facts)
{
    json_begin(json, "connectome", '{');
    json_text(json, "sha256", facts->sha256);
    json_whole(json, "n", facts->n_nodes);
    json_whole(json, "edges", facts->n_edges);
    json_whole(json, "self_edges", facts->n_self);
    json_whole(json, "d_min", facts->delay_min);
    json_whole(json, "d_max", facts->delay_max);
    json_end(json, '}');
    json_begin(json, "plan", '{');
    json_whole(json, "B", facts->block);
    json_whole(json, "short_edges", facts->n_short);
    json_whole(json, "largest_component", facts->largest_component);
    json_flag(json, "shared_exp", facts->shared_exponentials);
    json_text(json, "path", facts->path);
    json_end(json, '}');
    json_real(json, "dt", facts->dt);
    json_real(json, "speed", facts->speed);
    json_text(json, "scheme", facts->scheme);
    json_text(json, "coupling_stages", facts->stages);
    json_text(json, "precision", facts->precision);
    json_whole(json, "threads", (uint64_t)facts->threads);
    json_text(json, "target", facts->target);
    json_begin(json, "includes", '[');
    json_text(json, NULL, "noise on V");
    json_text(json, NULL, "history");
    if (facts->by_region) {
        json_text(json, NULL, "per-node parameters");
    }
    if (*facts->monitors != '\0') {
        char text[128];
        snprintf(text, sizeof text, "monitors: %s", facts->monitors);
        json_text(json, NULL, text);
    }
    if (facts->file) {
        json_text(json, NULL, "results file");
    }
    json_end(json, ']');
}

static void write_parts(
    json_writer *json, const char *key, const bench_part *parts, size_t n)
{
    json_begin(json, key, '[');
    for (size_t i = 0; i < n; i++) {
        json_begin(json, NULL, '{');
        json_text(json, "name", parts[i].name);
        if (*parts[i].unavailable != '\0') {
            json_text(json, "unavailable", parts[i].unavailable);
        } else {
            write_sample(json, "us", &parts[i].us);
        }
        if (parts[i].ratio.count > 0) {
            write_sample(json, "ratio", &parts[i].ratio);
        }
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_bound(json_writer *json, const bench_result *result)
{
    json_real(json, "bound_us", sample_median(&result->bound_us));
    json_real(json, "roofline_fraction", sample_median(&result->bound_share));
    if (result->has_bound) {
        json_begin(json, "bound_parts_us", '{');
        json_real(json, "dynamics", 1e-3 * result->bound.dynamics);
        json_real(json, "history", 1e-3 * result->bound.history);
        json_real(json, "coupling", 1e-3 * result->bound.coupling);
        json_real(json, "noise", 1e-3 * result->bound.noise);
        json_end(json, '}');
    }
}

static void write_times(json_writer *json, const bench_result *result)
{
    static const bench_sample none = {0};
    const bool naive = result->what->kind == BENCH_FULL;
    json_whole(json, "steps_per_repeat", result->steps_per_repeat);
    json_whole(json, "repeats", result->product_us.count);
    write_sample(json, "product_us", &result->product_us);
    write_sample(json, "product_wall_us", &result->product_wall_us);
    write_sample(json, "core_us", &result->core_us);
    write_sample(json, "naive_us", naive ? &result->against_us : &none);
    json_text(json, "against", result->against);
    write_sample(json, "against_us", &result->against_us);
    write_sample(json, "ratio", &result->ratio);
    write_sample(json, "core_ratio", &result->core_ratio);
    write_sample(json, "core_to_product", &result->core_to_product);
    json_flag(json, "publishable",
        !(result->ratio.count > 0 && bench_spread(&result->ratio) > BENCH_MAX_SPREAD));
    write_bound(json, result);
    write_parts(json, "parts", result->parts, result->n_parts);
    write_parts(json, "variants", result->variants, result->n_variants);
    if (result->n_members > 0) {
        json_whole(json, "members", result->n_members);
        write_sample(json, "million_node_steps_per_s", &result->million_node_steps);
        write_sample(
            json, "million_node_steps_per_processor_s", &result->million_by_processor);
    }
}

void bench_write(json_writer *json, const bench_result *result)
{
    json_begin(json, NULL, '{');
    json_text(json, "name", result->what->name);
    if (*result->skipped != '\0') {
        json_text(json, "skipped", result->skipped);
        json_end(json, '}');
        return;
    }
    if (result->what->kind == BENCH_SPIKING) {
        json_whole(json, "neurons", result->n_neurons);
        json_whole(json, "in_degree", result->what->in_degree);
        json_real(json, "rate_E_hz", result->rate_E);
        json_real(json, "rate_I_hz", result->rate_I);
    } else {
        write_facts(json, &result->facts);
    }
    json_real(json, "load_s", result->load_s);
    json_real(json, "create_s", result->create_s);
    if (*result->refused != '\0') {
        json_text(json, "refused", result->refused);
    } else {
        write_times(json, result);
    }
    if (result->allowed_dV > 0.0) {
        json_begin(json, "check", '{');
        json_whole(json, "steps", BENCH_CHECKED_STEPS);
        json_real(json, "max_abs_dV", result->max_abs_dV);
        json_end(json, '}');
    }
    json_whole(json, "escaped_nodes", result->escaped_nodes);
    json_end(json, '}');
}
