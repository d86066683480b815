/* Subnetworks as work for the threads of a team: the large ones are advanced by all of
 * them together, each of the others by one. */
#ifndef SPL_INTEGRATE_JOBS_H
#define SPL_INTEGRATE_JOBS_H

#include "integrate/hooks.h"
#include "spiking/subnetwork.h"

typedef struct spl_job {
    spl_subnetwork *subnetwork;
    bool hosted; /* carried by a node */
    bool large;
    double cost_ns; /* of a step */
    size_t owner;   /* thread that advances it, if not all do */
    spl_status status;
    char message[512]; /* of an error, for another thread to report */
} spl_job;

/* A member of a team. */
typedef struct spl_crew_member {
    size_t index, count;
    struct spl_barrier *barrier;
} spl_crew_member;

/* A job of a subnetwork just made. */
spl_job spl_job_of(spl_subnetwork *subnetwork, bool hosted);
/* Nanoseconds of a step of all, and most threads that find work in them. */
double spl_jobs_cost(const spl_job *jobs, size_t n);
size_t spl_jobs_threads(const spl_job *jobs, size_t n);

/* Deal the small jobs to `count` threads, the longest first, each to the one that has
 * least; load [count] is working memory. */
void spl_jobs_deal(spl_job *jobs, size_t n, double *load, size_t count);
/* Advance from mean-field step k by n, see spl_subnetwork_advance: by the member alone,
 * or with all others if the job is large and they come too. */
void spl_job_advance(spl_job *job, uint64_t k, size_t n, const double *drive,
    double *Q_hat, const spl_crew_member *member, bool all);
/* Advance those that no node carries by a block of n steps from k on: the member's share
 * of all of them. */
void spl_jobs_advance_unhosted(
    spl_job *jobs, size_t n_jobs, uint64_t k, size_t n, const spl_crew_member *member);
/* The first failure, as an error of this thread. */
SPL_MUST_CHECK spl_status spl_jobs_status(const spl_job *jobs, size_t n);

/* Subnetworks that no node carries. */
typedef struct spl_alone {
    size_t n;
    spl_job *jobs;
    double *load; /* [threads] */
    int threads;
    size_t block;  /* steps at once */
    uint64_t step; /* steps done */
} spl_alone;

/* As spl_network_advance; the blocks that the hooks see have no nodes. */
void spl_alone_advance(spl_alone *alone, uint64_t n_steps, const spl_block_hooks *hooks,
    spl_divergence *divergence);

#endif
