/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/fleet.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_setup.h"

static const char *const known[] = {
    "PETAUDIT_RANK",
    "PETAUDIT_SIZE",
    "PETAUDIT_LOCAL_RANK",
    "PETAUDIT_LOCAL_SIZE",
    "PETAUDIT_JOB",
    "OMPI_COMM_WORLD_RANK",
    "OMPI_COMM_WORLD_SIZE",
    "OMPI_COMM_WORLD_LOCAL_RANK",
    "OMPI_COMM_WORLD_LOCAL_SIZE",
    "PMIX_NAMESPACE",
    "PMIX_RANK",
    "SLURM_PROCID",
    "SLURM_NTASKS",
    "SLURM_LOCALID",
    "SLURM_NODEID",
    "SLURM_STEP_ID",
    "SLURM_STEP_TASKS_PER_NODE",
    "SLURM_JOB_ID",
    "PMI_RANK",
    "PMI_SIZE",
    "PMI_JOBID",
    "MPI_LOCALRANKID",
    "MPI_LOCALNRANKS",
};

static int forget_launchers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        unsetenv(known[i]);
    return 0;
}

static struct pa_place found(void) {
    struct pa_place place;
    struct pa_error error = {0};
    if (pa_place_find(&place, &error) != PA_OK)
        fail_msg("%s", error.text);
    return place;
}

static void assert_refused(const char *words) {
    struct pa_place place;
    struct pa_error error = {0};
    assert_int_equal(pa_place_find(&place, &error), PA_EUSAGE);
    if (strstr(error.text, words) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", error.text, words);
}

static void a_process_without_a_launcher_is_alone(void **state) {
    (void)state;
    struct pa_place place = found();
    assert_int_equal(place.rank, 0);
    assert_int_equal(place.size, 1);
    assert_int_equal(place.local_size, 1);
    assert_string_equal(place.launcher, "none");
    assert_string_equal(place.job, "");
    assert_string_not_equal(place.host, "");
}

static void every_launcher_tells_rank_and_size(void **state) {
    (void)state;
    setenv("PMI_RANK", "1", 1);
    setenv("PMI_SIZE", "2", 1);
    assert_string_equal(found().launcher, "pmi");
    setenv("SLURM_STEP_ID", "0", 1);
    setenv("SLURM_JOB_ID", "77", 1);
    setenv("SLURM_PROCID", "6", 1);
    setenv("SLURM_NTASKS", "7", 1);
    setenv("SLURM_LOCALID", "0", 1);
    setenv("SLURM_NODEID", "3", 1);
    setenv("SLURM_STEP_TASKS_PER_NODE", "2(x3),1", 1);
    struct pa_place place = found();
    assert_string_equal(place.launcher, "slurm");
    assert_string_equal(place.job, "77");
    assert_int_equal(place.rank, 6);
    assert_int_equal(place.local_size, 1);
    setenv("SLURM_NODEID", "2", 1);
    assert_int_equal(found().local_size, 2);
    setenv("OMPI_COMM_WORLD_RANK", "3", 1);
    setenv("OMPI_COMM_WORLD_SIZE", "4", 1);
    setenv("OMPI_COMM_WORLD_LOCAL_RANK", "1", 1);
    setenv("OMPI_COMM_WORLD_LOCAL_SIZE", "2", 1);
    place = found();
    assert_string_equal(place.launcher, "openmpi");
    assert_int_equal(place.rank, 3);
    assert_int_equal(place.size, 4);
    assert_int_equal(place.local_rank, 1);
    assert_int_equal(place.local_size, 2);
    setenv("PETAUDIT_RANK", "0", 1);
    setenv("PETAUDIT_SIZE", "9", 1);
    place = found();
    assert_string_equal(place.launcher, "petaudit");
    assert_int_equal(place.size, 9);
}

static void a_slurm_batch_script_is_alone(void **state) {
    (void)state;
    setenv("SLURM_PROCID", "0", 1);
    setenv("SLURM_NTASKS", "4", 1);
    assert_int_equal(found().size, 1);
}

static void contradictions_are_named(void **state) {
    (void)state;
    setenv("PETAUDIT_RANK", "4", 1);
    assert_refused("PETAUDIT_SIZE is not");
    setenv("PETAUDIT_SIZE", "4", 1);
    assert_refused("contradict");
    setenv("PETAUDIT_RANK", "-1", 1);
    assert_refused("PETAUDIT_RANK");
    setenv("PETAUDIT_RANK", "two", 1);
    assert_refused("PETAUDIT_RANK");
    setenv("PETAUDIT_RANK", "1", 1);
    setenv("PETAUDIT_SIZE", "0", 1);
    assert_refused("PETAUDIT_SIZE");
    setenv("PETAUDIT_SIZE", "2", 1);
    setenv("PETAUDIT_LOCAL_RANK", "1", 1);
    setenv("PETAUDIT_LOCAL_SIZE", "1", 1);
    assert_refused("PETAUDIT_LOCAL_RANK");
    forget_launchers(state);
    setenv("PMIX_RANK", "0", 1);
    assert_refused("PMIX_RANK");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_process_without_a_launcher_is_alone, forget_launchers),
        cmocka_unit_test_setup(every_launcher_tells_rank_and_size, forget_launchers),
        cmocka_unit_test_setup(a_slurm_batch_script_is_alone, forget_launchers),
        cmocka_unit_test_setup(contradictions_are_named, forget_launchers),
    };
    return cmocka_run_group_tests(tests, NULL, forget_launchers);
}
