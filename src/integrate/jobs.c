#include "integrate/jobs.h"

#include <stdint.h>
#include <string.h>

#include "integrate/barrier.h"

/* Neurons above which all threads share a subnetwork: 20000 take about 10 us of a step,
 * in which the two barriers of a chunk cost one or two. */
static const size_t LARGE_NEURONS = 20000;
/* Neurons of a large subnetwork that feed a thread. */
static const size_t NEURONS_PER_THREAD = 4096;

spl_job spl_job_of(spl_subnetwork *subnetwork, bool hosted)
{
    return (spl_job){
        .subnetwork = subnetwork,
        .hosted = hosted,
        .large = spl_subnetwork_n_neurons(subnetwork) > LARGE_NEURONS,
        .cost_ns = spl_subnetwork_cost(subnetwork),
    };
}

double spl_jobs_cost(const spl_job *jobs, size_t n)
{
    double cost = 0.0;
    for (size_t j = 0; j < n; j++) {
        cost += jobs[j].cost_ns;
    }
    return cost;
}

size_t spl_jobs_threads(const spl_job *jobs, size_t n)
{
    size_t threads = 0;
    for (size_t j = 0; j < n; j++) {
        const size_t n_neurons = spl_subnetwork_n_neurons(jobs[j].subnetwork);
        threads += jobs[j].large ? n_neurons / NEURONS_PER_THREAD : 1;
    }
    return threads;
}

void spl_jobs_deal(spl_job *jobs, size_t n, double *load, size_t count)
{
    static const size_t nobody = SIZE_MAX;
    for (size_t t = 0; t < count && n > 0; t++) {
        load[t] = 0.0;
    }
    for (size_t j = 0; j < n; j++) {
        jobs[j].owner = nobody;
    }
    for (size_t dealt = 0; dealt < n; dealt++) {
        spl_job *longest = NULL;
        size_t idle = 0;
        for (size_t j = 0; j < n; j++) {
            if (jobs[j].owner == nobody &&
                (longest == NULL || jobs[j].cost_ns > longest->cost_ns)) {
                longest = &jobs[j];
            }
        }
        for (size_t t = 1; t < count; t++) {
            idle = load[t] < load[idle] ? t : idle;
        }
        longest->owner = idle;
        load[idle] += longest->large ? 0.0 : longest->cost_ns;
    }
}

static void wait_for_crew(void *barrier)
{
    spl_barrier_wait(barrier);
}

void spl_job_advance(spl_job *job, uint64_t k, size_t n, const double *drive,
    double *Q_hat, const spl_crew_member *member, bool all)
{
    const spl_team crew = {
        .index = all ? member->index : 0,
        .count = all ? member->count : 1,
        .wait = wait_for_crew,
        .barrier = all ? member->barrier : NULL,
    };
    /* a subnetwork that failed goes on failing, so that the crew need not agree here */
    const spl_status status =
        spl_subnetwork_advance(job->subnetwork, k, n, drive, Q_hat, &crew);
    if (status != SPL_OK && crew.index == 0 && job->status == SPL_OK) {
        const char *message = spl_last_error();
        const size_t length = strnlen(message, sizeof job->message - 1);
        memcpy(job->message, message, length);
        job->message[length] = '\0';
        job->status = status;
    }
}

void spl_jobs_advance_unhosted(
    spl_job *jobs, size_t n_jobs, uint64_t k, size_t n, const spl_crew_member *member)
{
    for (int small = 0; small < 2; small++) {
        for (size_t j = 0; j < n_jobs; j++) {
            spl_job *job = &jobs[j];
            const bool mine = job->large || job->owner == member->index;
            if (job->hosted || job->large == (small != 0) || !mine) {
                continue;
            }
            if (!job->large || member->index == 0) {
                spl_subnetwork_begin(job->subnetwork);
            }
            spl_job_advance(job, k, n, NULL, NULL, member, job->large);
        }
    }
}

spl_status spl_jobs_status(const spl_job *jobs, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        if (jobs[j].status != SPL_OK) {
            return spl_error(jobs[j].status, "%s", jobs[j].message);
        }
    }
    return SPL_OK;
}
