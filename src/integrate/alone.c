/* Subnetworks without nodes: nothing passes between them, so a block is as long as is
 * convenient. */
#include <omp.h>

#include "integrate/barrier.h"
#include "integrate/jobs.h"

typedef struct {
    spl_alone *alone;
    const spl_block_hooks *hooks;
    spl_divergence *divergence;
    spl_barrier barrier;
    uint64_t end;
    size_t n_steps; /* of the running block */
    bool stop;
} loop_state;

static void plan_block(loop_state *team)
{
    const uint64_t left = team->end - team->alone->step;
    team->n_steps = left < team->alone->block ? (size_t)left : team->alone->block;
}

static void between_blocks(void *user)
{
    loop_state *team = user;
    spl_alone *alone = team->alone;
    team->divergence->status = spl_jobs_status(alone->jobs, alone->n);
    if (team->divergence->status != SPL_OK) {
        team->n_steps = 0;
        team->stop = true;
    }
    const spl_samples samples = {.first_step = alone->step + 1, .n_steps = team->n_steps};
    if (team->hooks->finish != NULL &&
        !team->hooks->finish(team->hooks->user, &samples)) {
        team->stop = true;
    }
    alone->step += team->n_steps;
    team->stop = team->stop || alone->step == team->end;
    plan_block(team);
}

static void work(loop_state *team, size_t index)
{
    const spl_alone *alone = team->alone;
    const spl_crew_member member = {index, team->barrier.team, &team->barrier};
    while (!team->stop) {
        spl_jobs_advance_unhosted(
            alone->jobs, alone->n, alone->step, team->n_steps, &member);
        spl_barrier_meet(&team->barrier, (int)index, between_blocks, team);
    }
}

void spl_alone_advance(spl_alone *alone, uint64_t n_steps, const spl_block_hooks *hooks,
    spl_divergence *divergence)
{
    static const spl_block_hooks none = {0};
    loop_state team = {
        .alone = alone,
        .hooks = hooks != NULL ? hooks : &none,
        .divergence = divergence,
        .end = alone->step + n_steps,
        .stop = n_steps == 0,
    };
    *divergence = (spl_divergence){0};
    plan_block(&team);
    if (alone->threads == 1) {
        team.barrier.team = 1;
        spl_jobs_deal(alone->jobs, alone->n, alone->load, 1);
        work(&team, 0);
        return;
    }
#pragma omp parallel num_threads(alone->threads)
    {
#pragma omp single
        {
            team.barrier.team = (unsigned)omp_get_num_threads();
            spl_jobs_deal(alone->jobs, alone->n, alone->load, team.barrier.team);
        }
        work(&team, (size_t)omp_get_thread_num());
    }
}
