/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/sustain.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEADY_STEPS = 5, /* their times must agree for a steady rate */
    WARM_UP_LEAST_STEPS = 8,
    MOST_BARE_TIMES = 256,
};

/* A step that takes this much longer than the last ones did not answer. Never below a minute: the
 * first step of a library may compile kernels. */
static const uint64_t least_deadline_ns = 60u * UINT64_C(1000000000);
static const uint64_t least_call_ns = 100u * UINT64_C(1000000); /* of the library alone */
static const double deadline_factor = 50;
static const double steady_spread = 0.02;

int pa_stand_open(struct pa_stand *stand, struct pa_device *device,
                  const struct pa_workload *workload, const atomic_bool *stop,
                  struct pa_error *error) {
    struct pa_shape shape = {workload->m, workload->n, workload->k};
    *stand = (struct pa_stand){.device = device, .workload = *workload, .stop = stop};
    if (!pa_shape_is_sound((enum pa_class)workload->class_id, shape))
        return pa_fail(error, PA_EINPUT,
                       "opening a workbench of %u x %u x %u: the protocol has no such shape",
                       workload->m, workload->n, workload->k);
    stand->tiles = calloc(pa_shape_tiles(shape), sizeof *stand->tiles);
    if (stand->tiles == NULL)
        return pa_fail(error, PA_EMEMORY, "opening a workbench: out of memory");
    return device->backend->workbench_open(device, workload, &stand->bench, error);
}

void pa_stand_close(struct pa_stand *stand) {
    if (stand->bench != NULL)
        stand->device->backend->workbench_close(stand->bench);
    free(stand->tiles);
    *stand = (struct pa_stand){0};
}

uint64_t pa_sustain_patience_ns(double step_ns) {
    uint64_t ns = (uint64_t)(step_ns * deadline_factor);
    uint64_t least_ns = pa_clock_patience_ns(least_deadline_ns);
    return ns > least_ns ? ns : least_ns;
}

static uint64_t step_deadline(const struct pa_stand *stand) {
    return pa_clock_raw_ns() + pa_sustain_patience_ns(stand->step_ns);
}

/* The progress of a chain: what decides whether one more step is queued. */
struct pace {
    uint64_t last_ns; /* when the last step came in, or A was there */
    uint32_t enqueued, most_steps;
    uint64_t end_ns; /* 0: no limit */
    bool is_whole;
    const atomic_bool *end;
};

static bool wants_another(const struct pa_stand *stand, const struct pace *pace, uint32_t done) {
    if (pace->enqueued >= pace->most_steps || (pace->end != NULL && atomic_load(pace->end)))
        return false;
    if (pace->end_ns == 0 || pace->enqueued == 0)
        return true;
    /* What is queued ends this many steps from now, and the step would be the nearest to the
     * planned length if half of it fits in. */
    double ahead = (double)(pace->enqueued - done) + (pace->is_whole ? 0 : 0.5);
    return (double)pace->last_ns + ahead * stand->step_ns < (double)pace->end_ns;
}

/* Exponential mean of step times: follows a clock that drops, ignores one slow step. */
static void learn_step_time(struct pa_stand *stand, struct pace *pace) {
    uint64_t now = pa_clock_raw_ns();
    double took = (double)(now - pace->last_ns);
    stand->step_ns = stand->step_ns == 0 ? took : 0.7 * stand->step_ns + 0.3 * took;
    pace->last_ns = now;
}

int pa_sustain_chain(struct pa_stand *stand, const struct pa_hash *start,
                     const struct pa_sustain_limits *limits, struct pa_chain *chain,
                     struct pa_error *error) {
    const struct pa_backend *backend = stand->device->backend;
    struct pa_shape shape = {stand->workload.m, stand->workload.n, stand->workload.k};
    struct pace pace = {
        .most_steps = limits->steps, .is_whole = limits->is_whole, .end = limits->end};
    if (pace.most_steps == 0)
        pace.most_steps = PA_MOST_STEPS;
    pace.end_ns = limits->length_ns == 0 ? 0 : pa_clock_raw_ns() + limits->length_ns;

    /* Room for what the epoch should hold and half as much again, so that appending allocates
     * nothing. */
    uint32_t capacity = limits->steps;
    if (capacity == 0 && stand->step_ns > 0)
        capacity = (uint32_t)(1.5 * (double)limits->length_ns / stand->step_ns) + 8;
    if (capacity == 0 || capacity > PA_MOST_STEPS)
        capacity = capacity == 0 ? 64 : PA_MOST_STEPS;
    PA_TRY(pa_chain_begin(chain, start, shape, capacity, error));

    struct pa_seed seed = pa_chain_a_seed(chain);
    PA_TRY(backend->load_a(stand->bench, &seed, error));
    pace.last_ns = pa_clock_raw_ns();
    int code = PA_OK;
    while (code == PA_OK) {
        while (code == PA_OK && pace.enqueued < chain->steps + PA_LAG &&
               wants_another(stand, &pace, chain->steps)) {
            seed = pa_chain_b_seed(chain, pace.enqueued + 1);
            code = backend->step_enqueue(stand->bench, &seed, error);
            pace.enqueued += code == PA_OK ? 1 : 0;
        }
        if (code != PA_OK || chain->steps == pace.enqueued)
            break;
        code = backend->step_collect(stand->bench, stand->tiles, step_deadline(stand), error);
        if (code == PA_OK)
            code = pa_chain_append(chain, stand->tiles, error);
        learn_step_time(stand, &pace);
    }
    backend->steps_drop(stand->bench);
    return code;
}

/* The spread of the last STEADY_STEPS times around their middle one. */
static double spread_of(const double *times) {
    double sorted[STEADY_STEPS];
    memcpy(sorted, times, sizeof sorted);
    for (int i = 1; i < STEADY_STEPS; i++)
        for (int j = i; j > 0 && sorted[j] < sorted[j - 1]; j--) {
            double swap = sorted[j];
            sorted[j] = sorted[j - 1];
            sorted[j - 1] = swap;
        }
    return (sorted[STEADY_STEPS - 1] - sorted[0]) / sorted[STEADY_STEPS / 2];
}

int pa_sustain_warm_up(struct pa_stand *stand, uint64_t longest_ns, struct pa_warmup *out,
                       struct pa_error *error) {
    const struct pa_backend *backend = stand->device->backend;
    const struct pa_workload *workload = &stand->workload;
    double operations =
        (double)pa_shape_operations((struct pa_shape){workload->m, workload->n, workload->k});
    struct pa_seed seed = {.k0 = 1, .k1 = 2, .c2 = 3, .c3 = 4, .s = 5};
    uint64_t begun = pa_clock_raw_ns(), last = begun;
    double times[STEADY_STEPS] = {0};
    *out = (struct pa_warmup){.spread = 1};
    PA_TRY(backend->load_a(stand->bench, &seed, error));
    /* Two steps are queued as in a chain: a GPU overlaps them. */
    PA_TRY(backend->step_enqueue(stand->bench, &seed, error));
    while (!out->is_steady && pa_clock_raw_ns() - begun < longest_ns) {
        seed.k0++;
        PA_TRY(backend->step_enqueue(stand->bench, &seed, error));
        PA_TRY(backend->step_collect(stand->bench, stand->tiles, step_deadline(stand), error));
        uint64_t now = pa_clock_raw_ns();
        times[out->steps++ % STEADY_STEPS] = (double)(now - last);
        stand->step_ns = (double)(now - last);
        last = now;
        if (out->steps >= STEADY_STEPS)
            out->spread = spread_of(times);
        out->is_steady = out->steps >= WARM_UP_LEAST_STEPS && out->spread < steady_spread;
        if (stand->stop != NULL && atomic_load(stand->stop))
            break;
    }
    backend->steps_drop(stand->bench);
    double sum = 0;
    uint32_t counted = out->steps < STEADY_STEPS ? out->steps : STEADY_STEPS;
    for (uint32_t i = 0; i < counted; i++)
        sum += times[i];
    out->ns = last - begun;
    out->rate = sum > 0 ? operations * counted / (sum * 1e-9) : 0;
    return PA_OK;
}

int pa_sustain_raw(struct pa_stand *stand, uint64_t length_ns, struct pa_raw *out,
                   struct pa_error *error) {
    const struct pa_backend *backend = stand->device->backend;
    const struct pa_workload *workload = &stand->workload;
    double operations =
        (double)pa_shape_operations((struct pa_shape){workload->m, workload->n, workload->k});
    uint64_t ns;
    uint32_t times = 1;
    *out = (struct pa_raw){0};
    /* The first call is not timed: a library may choose kernels or start threads in it. */
    PA_TRY(backend->multiply_bare(stand->bench, 1, &ns, error));
    while (out->ns < length_ns) {
        PA_TRY(backend->multiply_bare(stand->bench, times, &ns, error));
        out->ns += ns;
        out->operations += operations * times;
        /* Products one behind the other, so that the wait for the last costs the library nothing.
         */
        if (ns < least_call_ns && times < MOST_BARE_TIMES)
            times *= 2;
    }
    return PA_OK;
}
