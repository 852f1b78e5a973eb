/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/crew_stands.h"

int pa_crew_stands_add(struct pa_crew_stands *stands, struct pa_device *device,
                       const struct pa_step_shape *shapes, uint32_t count, uint64_t longest_ns,
                       const atomic_bool *stop, struct pa_error *error) {
    for (uint32_t i = 0; i < count; i++) {
        const struct pa_stand *longer = pa_crew_stand(stands, i);
        struct pa_workload workload = stands->whole.workload;
        struct pa_warmup warmup;
        stands->probe_count = i + 1;
        if (longer->workload.m == shapes[i].m && longer->workload.n == shapes[i].n)
            continue;
        workload.m = shapes[i].m;
        workload.n = shapes[i].n;
        workload.variant = 0; /* another shape has other variants; all give the same bits */
        PA_TRY(pa_stand_open(&stands->probes[i], device, &workload, stop, error));
        PA_TRY(pa_sustain_warm_up(&stands->probes[i], longest_ns, &warmup, error));
    }
    return PA_OK;
}

struct pa_stand *pa_crew_stand(struct pa_crew_stands *stands, uint32_t kind) {
    if (kind > stands->probe_count)
        return NULL;
    while (kind > 0 && stands->probes[kind - 1].bench == NULL)
        kind--;
    struct pa_stand *stand = kind == 0 ? &stands->whole : &stands->probes[kind - 1];
    return stand->bench != NULL ? stand : NULL;
}

void pa_crew_stands_close(struct pa_crew_stands *stands) {
    pa_stand_close(&stands->whole);
    for (uint32_t i = 0; i < PA_MOST_PROBE_KINDS; i++)
        pa_stand_close(&stands->probes[i]);
    stands->probe_count = 0;
}
