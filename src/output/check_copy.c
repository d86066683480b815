/* Rows of a compressed copy: HDF5 reads them, in the sandbox, as for another copy. */
#include "output/check.h"
#include "output/convert.h"

spl_status spl_check_copy(const spl_checker *c)
{
    spl_convert_plan plan = {.path = NULL};
    spl_status status = spl_convert_plan_init(&plan, c->file.info, false);
    if (status == SPL_OK) {
        status = spl_convert_read(&plan, NULL, NULL, NULL);
    }
    spl_convert_plan_deinit(&plan);
    if (status != SPL_OK) {
        for (size_t s = 0; s < c->file.info->n_streams; s++) {
            c->file.streams[s].n_confirmed = 0;
        }
    }
    return spl_check_error(c, c->file.path, status);
}
