/* Parameters of Larter-Breakspear as the reference data store them. */
#ifndef SPL_TEST_STORED_PARAMS_H
#define SPL_TEST_STORED_PARAMS_H

#include "splenium/model.h"
#include "support/stored.h"

enum { N_PARAMS = 32 };

/* Read `params` [N_PARAMS][n] into rows in the order of the model's own table. */
static inline void read_params(hid_t file, double *params, size_t n)
{
    enum { NAME = 16 };
    const spl_model *model = spl_model_find("larter_breakspear");
    char stored[N_PARAMS][NAME] = {{0}};
    double *rows = read_stored(file, "params", N_PARAMS * n);
    hid_t type = H5Tcopy(H5T_C_S1);
    ck_assert_uint_eq(model->n_params, N_PARAMS);
    ck_assert(H5Tset_size(type, NAME) >= 0);
    ck_assert(H5LTread_dataset(file, "param_names", type, stored) >= 0);
    H5Tclose(type);
    for (size_t q = 0; q < N_PARAMS; q++) {
        size_t row = 0;
        while (row < N_PARAMS && strncmp(stored[row], model->params[q].name, NAME) != 0) {
            row++;
        }
        ck_assert_msg(row < N_PARAMS, "no stored parameter %s", model->params[q].name);
        memcpy(params + q * n, rows + row * n, n * sizeof *rows);
    }
    free(rows);
}

#endif
