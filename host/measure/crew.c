/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/crew.h"

#include "measure/calibrate.h"
#include "measure/chain_shelf.h"
#include "measure/crew_aside.h"
#include "measure/crew_devices.h"
#include "measure/crew_hello.h"
#include "measure/crew_stands.h"
#include "measure/crew_watch.h"
#include "measure/ramp.h"
#include "measure/sustain.h"
#include "measure/vitals.h"

#include <stdlib.h>
#include <string.h>

enum { PROBE_WARM_UP_PART = 5 }; /* short epochs' shapes need only know how long a step takes */

/* One device with everything that it is in the middle of. */
struct seat {
    struct pa_crew *crew;
    struct pa_device *device;
    int *near; /* where its thread runs; none: anywhere */
    int near_count;
    struct pa_calibration calibration;
    struct pa_crew_stands stands;
    struct pa_crew_aside aside;
    struct pa_buffer part; /* its part of the answer */
    bool rests;            /* the witness chose others: its answers are empty */
    struct pa_team *team;  /* its thread */
    /* Code PA_OK while the thread comes back. One that does not keeps all of the seat but this. */
    struct pa_error stuck;
};

struct pa_crew {
    struct seat *seats;
    uint32_t seat_count;
    const atomic_bool *stop;
    struct pa_chain_shelf shelf;
    struct pa_crew_watch watch;
    /* The request under work, for the seats' threads. */
    enum pa_operation operation;
    const uint8_t *payload;
    size_t payload_size;
};

/* A seat for each device that opens, those before a failure included. */
static int open_seats(struct pa_crew *crew, const struct pa_crew_options *options,
                      struct pa_error *error) {
    struct pa_crew_device *devices;
    uint32_t count;
    int code = pa_crew_devices_open(options, &devices, &count, error);
    crew->seats = calloc(count > 0 ? count : 1, sizeof *crew->seats);
    if (crew->seats == NULL && code == PA_OK)
        code = pa_fail(error, PA_EMEMORY, "opening devices: out of memory");
    for (uint32_t i = 0; i < count && crew->seats != NULL; i++)
        crew->seats[crew->seat_count++] = (struct seat){.crew = crew,
                                                        .device = devices[i].device,
                                                        .near = devices[i].near,
                                                        .near_count = devices[i].near_count};
    free(devices);
    return code;
}

static void bind_seat(void *context, int member, int size) {
    const struct seat *seat = context;
    (void)member;
    (void)size;
    pa_processors_bind(seat->near, seat->near_count);
}

static int start_threads(struct pa_crew *crew, struct pa_error *error) {
    for (uint32_t i = 0; i < crew->seat_count; i++)
        PA_TRY(pa_team_create(1, NULL, &crew->seats[i].team, error));
    for (uint32_t i = 0; i < crew->seat_count; i++)
        if (crew->seats[i].near_count > 0)
            pa_team_run(crew->seats[i].team, bind_seat, &crew->seats[i]);
    return PA_OK;
}

static int prepare_watches(struct pa_crew *crew, struct pa_error *error) {
    PA_TRY(pa_crew_watch_open(&crew->watch, crew->seat_count, error));
    for (uint32_t i = 0; i < crew->seat_count; i++)
        crew->watch.devices[i] = crew->seats[i].device;
    return PA_OK;
}

int pa_crew_open(const struct pa_crew_options *options, struct pa_crew **out,
                 struct pa_error *error) {
    struct pa_crew *crew = calloc(1, sizeof *crew);
    if (crew == NULL)
        return pa_fail(error, PA_EMEMORY, "opening devices: out of memory");
    crew->stop = options->stop;
    pa_shelf_init(&crew->shelf);
    int code = open_seats(crew, options, error);
    if (code == PA_OK)
        code = start_threads(crew, error);
    if (code == PA_OK)
        code = prepare_watches(crew, error);
    if (code != PA_OK) {
        pa_crew_close(crew);
        return code;
    }
    *out = crew;
    return PA_OK;
}

uint32_t pa_crew_devices(const struct pa_crew *crew) {
    return crew->seat_count;
}

struct pa_device *pa_crew_device(struct pa_crew *crew, uint32_t index) {
    return crew->seats[index].device;
}

static uint32_t seat_number(const struct seat *seat) {
    return (uint32_t)(seat - seat->crew->seats);
}

/* Products until `until_ns` (RAW): those who began before the others keep their load. */
static int hold_load(struct seat *seat, uint64_t until_ns, struct pa_error *error) {
    uint64_t now = pa_clock_raw_ns();
    struct pa_raw ignored;
    bool is_stopped = seat->crew->stop != NULL && atomic_load(seat->crew->stop);
    return now < until_ns && !is_stopped
               ? pa_sustain_raw(&seat->stands.whole, until_ns - now, &ignored, error)
               : PA_OK;
}

static int seat_calibrate(struct seat *seat, struct pa_reader *in, struct pa_error *error) {
    struct pa_calibrate_request request;
    struct pa_ramp_share ramp;
    PA_TRY(pa_get_calibrate_request(in, &request, error));
    if (pa_class_traits(request.class_id) == NULL)
        return pa_fail(error, PA_EINPUT, "calibrating: there is no class %d",
                       (int)request.class_id);
    PA_TRY(pa_get_ramp(in, seat_number(seat), seat->crew->seat_count, &ramp, error));
    pa_ramp_wait(ramp.at_ns, seat->crew->stop);
    PA_TRY(pa_calibrate(seat->device, &request, seat->crew->stop, &seat->calibration, error));
    pa_put_calibration(&seat->part, &seat->calibration);
    return PA_OK;
}

/* The shapes of short epochs follow the choices: open what is not open yet, and learn how long its
 * steps take. */
static int prepare_probes(struct seat *seat, struct pa_reader *in, uint64_t longest_ns,
                          struct pa_error *error) {
    struct pa_step_shape shapes[PA_MOST_PROBE_KINDS] = {{0, 0}};
    uint32_t seats = seat->crew->seat_count, count = pa_read_u32(in);
    if (count > PA_MOST_PROBE_KINDS)
        return pa_fail(error, PA_EINPUT, "preparing: %u kinds of short epochs", count);
    for (uint32_t i = 0; i < seats && !in->failed; i++)
        for (uint32_t kind = 0; kind < count; kind++) {
            struct pa_step_shape shape = {.m = pa_read_u32(in)};
            shape.n = pa_read_u32(in);
            if (seat == &seat->crew->seats[i])
                shapes[kind] = shape;
        }
    if (!pa_reader_done(in))
        return pa_fail(error, PA_EINPUT,
                       "preparing: the request does not fit this process's devices");
    return pa_crew_stands_add(&seat->stands, seat->device, shapes, count, longest_ns,
                              seat->crew->stop, error);
}

static int seat_prepare(struct seat *seat, struct pa_reader *in, struct pa_error *error) {
    struct pa_workload workload = {0};
    struct pa_warmup warmup;
    struct pa_ramp_share ramp;
    uint64_t asked_ns = pa_clock_raw_ns();
    workload.class_id = pa_read_u32(in);
    workload.k = pa_read_u32(in);
    uint64_t longest_ns = pa_read_u64(in);
    uint32_t seats = pa_read_u32(in);
    /* One choice a seat: a resumed session brings back the choices of the process before. */
    for (uint32_t i = 0; i < seats && !in->failed; i++) {
        enum pa_format format = (enum pa_format)pa_read_u32(in);
        uint32_t m = pa_read_u32(in), n = pa_read_u32(in), variant = pa_read_u32(in);
        if (seat == &seat->crew->seats[i]) {
            workload.format = format;
            workload.m = m;
            workload.n = n;
            workload.variant = variant;
        }
    }
    if (in->failed || seats != seat->crew->seat_count)
        return pa_fail(error, PA_EINPUT,
                       "preparing: the request does not fit this process's devices");
    PA_TRY(pa_get_ramp(in, seat_number(seat), seats, &ramp, error));
    pa_crew_stands_close(&seat->stands);
    if (ramp.at_ns > 0)
        pa_ramp_wait(ramp.at_ns, seat->crew->stop);
    uint64_t waited_ns = pa_clock_raw_ns() - asked_ns;
    PA_TRY(pa_stand_open(&seat->stands.whole, seat->device, &workload, seat->crew->stop, error));
    PA_TRY(prepare_probes(seat, in, longest_ns / PROBE_WARM_UP_PART, error));
    PA_TRY(pa_sustain_warm_up(&seat->stands.whole, longest_ns, &warmup, error));
    PA_TRY(hold_load(seat, asked_ns + ramp.total_ns, error));
    pa_put_warmup(&seat->part, &warmup);
    pa_buffer_u64(&seat->part, waited_ns);
    return PA_OK;
}

static int require_stand(const struct seat *seat, struct pa_error *error) {
    return seat->stands.whole.bench != NULL
               ? PA_OK
               : pa_fail(error, PA_EINTERNAL, "working before a workbench was prepared");
}

static int seat_ramp_down(struct seat *seat, struct pa_reader *in, struct pa_error *error) {
    struct pa_ramp_share ramp;
    uint64_t asked_ns = pa_clock_raw_ns();
    PA_TRY(pa_get_ramp(in, seat_number(seat), seat->crew->seat_count, &ramp, error));
    PA_TRY(require_stand(seat, error));
    PA_TRY(hold_load(seat, asked_ns + ramp.at_ns, error));
    pa_buffer_u64(&seat->part, pa_clock_raw_ns() - asked_ns);
    return PA_OK;
}

static int seat_raw(struct seat *seat, struct pa_reader *in, struct pa_error *error) {
    struct pa_raw raw;
    uint64_t length_ns = pa_read_u64(in);
    PA_TRY(require_stand(seat, error));
    PA_TRY(pa_sustain_raw(&seat->stands.whole, length_ns, &raw, error));
    pa_put_raw(&seat->part, &raw);
    return PA_OK;
}

static int seat_epoch(struct seat *seat, struct pa_reader *in, struct pa_error *error) {
    struct pa_epoch_request request;
    struct pa_hash start;
    struct pa_tail tail;
    PA_TRY(pa_get_epoch_request(in, &request, error));
    struct pa_stand *stand = pa_crew_stand(&seat->stands, request.kind);
    if (stand == NULL)
        return pa_fail(error, PA_EINTERNAL, "working before a workbench was prepared");
    uint32_t index = (uint32_t)(seat - seat->crew->seats);
    uint64_t device = request.first_device + index;
    struct pa_sustain_limits limits = {.length_ns = request.length_ns,
                                       .is_whole = request.kind == 0,
                                       .end = pa_sampler_too_hot(seat->crew->watch.sampler, index)};
    struct pa_chain *chain =
        pa_shelf_new(&seat->crew->shelf, request.parameters.epoch, device, error);
    if (chain == NULL)
        return PA_EMEMORY;
    pa_epoch_device_start(&start, &request.nonce, &request.parameters, device, stand->workload.m,
                          stand->workload.n);
    PA_TRY(pa_sustain_chain(stand, &start, &limits, chain, error));
    PA_TRY(pa_chain_tail(chain, &tail, error));
    pa_put_tail(&seat->part, &tail);
    return PA_OK;
}

/* Each seat finds its own request after those of the seats before it. An all-reduce, a
 * memory proof or a report that fails says nothing against the device: its code goes inside the
 * payload. */
static int seat_aside(struct seat *seat, struct pa_reader *in, struct pa_error *error) {
    const uint8_t *request = NULL;
    uint32_t size = 0;
    for (const struct seat *other = seat->crew->seats; other <= seat; other++) {
        size = pa_read_u32(in);
        request = pa_read_view(in, size);
    }
    if (in->failed)
        return pa_fail(error, PA_EINPUT,
                       "working aside: the request does not fit this process's devices");
    struct pa_buffer answer = {0};
    struct pa_error cause = {0};
    int code = size == 0 ? PA_OK
                         : pa_crew_aside(&seat->aside, seat->device, &seat->stands.whole,
                                         seat->crew->operation, request, size, &answer, &cause);
    pa_buffer_u32(&seat->part, (uint32_t)code);
    if (code == PA_OK)
        pa_buffer_bytes(&seat->part, answer.data, answer.size);
    else
        pa_buffer_text(&seat->part, cause.text);
    pa_buffer_free(&answer);
    return PA_OK;
}

/* Who rests goes on with products until its time has come, and all others until the last of these:
 * the load falls by a line. */
static int seat_rest(struct seat *seat, struct pa_reader *in, struct pa_error *error) {
    struct pa_ramp_share ramp;
    uint64_t asked_ns = pa_clock_raw_ns();
    uint32_t seats = seat->crew->seat_count;
    for (uint32_t i = 0; i < seats; i++) {
        bool rests = pa_read_u32(in) != 0;
        if (i == seat_number(seat))
            seat->rests = rests;
    }
    PA_TRY(pa_get_ramp(in, seat_number(seat), seats, &ramp, error));
    if (ramp.total_ns > 0) {
        PA_TRY(require_stand(seat, error));
        PA_TRY(hold_load(seat, asked_ns + (seat->rests ? ramp.at_ns : ramp.total_ns), error));
    }
    pa_buffer_u64(&seat->part, pa_clock_raw_ns() - asked_ns);
    return PA_OK;
}

static int seat_well(const struct seat *seat, struct pa_error *error) {
    const struct pa_backend *backend = seat->device->backend;
    return backend->well != NULL ? backend->well(seat->device, error) : PA_OK;
}

static int seat_work(struct seat *seat, struct pa_error *error) {
    struct pa_crew *crew = seat->crew;
    struct pa_reader in = pa_reader_over(crew->payload, crew->payload_size);
    if (crew->operation == PA_ASK_REST)
        return seat_rest(seat, &in, error);
    if (seat->rests)
        return PA_OK;
    switch (crew->operation) {
    case PA_ASK_CALIBRATE:
        return seat_calibrate(seat, &in, error);
    case PA_ASK_PREPARE:
        return seat_prepare(seat, &in, error);
    case PA_ASK_RAW:
        return seat_raw(seat, &in, error);
    case PA_ASK_RAMP_DOWN:
        return seat_ramp_down(seat, &in, error);
    case PA_ASK_EPOCH:
        return seat_epoch(seat, &in, error);
    case PA_ASK_ALLREDUCE:
    case PA_ASK_MEMORY:
    case PA_ASK_COUPLED:
    case PA_ASK_ATTEST:
    case PA_ASK_FABRIC:
        return seat_aside(seat, &in, error);
    case PA_ASK_WELL:
        return seat_well(seat, error);
    default:
        return pa_fail(error, PA_EINPUT, "working: there is no operation %d", (int)crew->operation);
    }
}

static void seat_body(void *context, int member, int size) {
    struct seat *seat = context;
    struct pa_error error = {0};
    (void)member;
    (void)size;
    pa_buffer_clear(&seat->part);
    pa_buffer_u32(&seat->part, PA_OK);
    int code = seat_work(seat, &error);
    if (code == PA_OK)
        return;
    pa_buffer_clear(&seat->part);
    pa_buffer_u32(&seat->part, (uint32_t)code);
    pa_buffer_text(&seat->part, error.text);
}

/* Wait for a seat, as long as it takes, but for a call into a vendor's library that does not come
 * back: nothing of ours bounds that. */
static void wait_for(struct seat *seat) {
    static const uint64_t look_ns = 100000000;
    const struct pa_backend *backend = seat->device->backend;
    while (!pa_team_wait_for(seat->team, look_ns))
        if (backend->give_up != NULL &&
            backend->give_up(seat->device, pa_clock_patience_ns(PA_LIBRARY_PATIENCE_NS),
                             &seat->stuck))
            return;
}

int pa_crew_lend(struct pa_crew *crew, uint32_t index, pa_team_work work, void *context,
                 struct pa_error *error) {
    struct seat *seat = &crew->seats[index];
    if (seat->stuck.code == PA_OK) {
        pa_team_start(seat->team, work, context);
        wait_for(seat);
    }
    return seat->stuck.code == PA_OK ? PA_OK
                                     : pa_fail(error, seat->stuck.code, "%s", seat->stuck.text);
}

/* All seats at the same time. */
static void run_seats(struct pa_crew *crew) {
    for (uint32_t i = 0; i < crew->seat_count; i++)
        if (crew->seats[i].stuck.code == PA_OK)
            pa_team_start(crew->seats[i].team, seat_body, &crew->seats[i]);
    for (uint32_t i = 0; i < crew->seat_count; i++)
        if (crew->seats[i].stuck.code == PA_OK)
            wait_for(&crew->seats[i]);
}

/* Run an epoch with somebody watching; what was seen goes after each answer that is one. */
static int run_watched(struct pa_crew *crew, struct pa_error *error) {
    struct pa_reader in = pa_reader_over(crew->payload, crew->payload_size);
    struct pa_epoch_request request;
    PA_TRY(pa_get_epoch_request(&in, &request, error));
    PA_TRY(pa_crew_watch_begin(&crew->watch, request.kind == 0, error));
    run_seats(crew);
    pa_crew_watch_end(&crew->watch);
    for (uint32_t i = 0; i < crew->seat_count; i++) {
        struct pa_buffer *part = &crew->seats[i].part;
        if (crew->seats[i].stuck.code == PA_OK && part->size >= 4 &&
            (int)pa_le32(part->data) == PA_OK)
            pa_put_vitals(part, &crew->watch.watches[i].vitals);
    }
    return PA_OK;
}

/* Every part goes out with its size before it. */
static void put_part(struct pa_buffer *answer, const struct pa_buffer *part) {
    pa_buffer_u32(answer, (uint32_t)part->size);
    pa_buffer_bytes(answer, part->data, part->size);
    answer->failed |= part->failed;
}

static void put_seat(struct pa_buffer *answer, const struct seat *seat) {
    struct pa_buffer part = {0};
    if (seat->stuck.code == PA_OK) {
        put_part(answer, &seat->part);
        return;
    }
    pa_buffer_u32(&part, (uint32_t)seat->stuck.code);
    pa_buffer_text(&part, seat->stuck.text);
    put_part(answer, &part);
    pa_buffer_free(&part);
}

static int replay_on(struct seat *seat, const struct pa_replay_request *request,
                     struct pa_chain *chain, struct pa_error *error) {
    struct pa_hash start;
    PA_TRY(require_stand(seat, error));
    pa_epoch_device_start(&start, &request->nonce, &request->parameters, request->device,
                          request->m, request->n);
    struct pa_sustain_limits limits = {.steps = request->steps};
    struct pa_stand other = {0}, *stand = &seat->stands.whole;
    int code = PA_OK;
    if (stand->workload.m != request->m || stand->workload.n != request->n) {
        struct pa_workload workload = stand->workload;
        workload.m = request->m;
        workload.n = request->n;
        workload.variant = 0; /* another shape has other variants; all give the same bits */
        code = pa_stand_open(&other, seat->device, &workload, NULL, error);
        stand = &other;
    }
    if (code == PA_OK)
        code = pa_sustain_chain(stand, &start, &limits, chain, error);
    pa_stand_close(&other);
    return code;
}

struct replay {
    struct seat *seat;
    struct pa_replay_request request;
    struct pa_chain *chain;
    int code;
    struct pa_error error;
};

static void replay_body(void *context, int member, int size) {
    struct replay *work = context;
    (void)member;
    (void)size;
    work->code = replay_on(work->seat, &work->request, work->chain, &work->error);
}

/* Compute an earlier chain of any device on our first one that can: everything is deterministic.
 * On the device's own thread, which is given up when a call into a library does not come back; the
 * next device begins the chain anew. */
static int replay(struct pa_crew *crew, struct pa_reader *in, struct pa_buffer *part,
                  struct pa_error *error) {
    struct replay work = {0};
    struct pa_tail tail;
    int code = PA_EDEVICE;
    PA_TRY(pa_get_replay_request(in, &work.request, error));
    for (uint32_t i = 0; i < crew->seat_count && code != PA_OK; i++) {
        work.seat = &crew->seats[i];
        work.chain =
            pa_shelf_new(&crew->shelf, work.request.parameters.epoch, work.request.device, error);
        if (work.chain == NULL)
            return PA_EMEMORY;
        code = pa_crew_lend(crew, i, replay_body, &work, error);
        if (code == PA_OK && work.code != PA_OK)
            code = pa_fail(error, work.code, "%s", work.error.text);
    }
    PA_TRY(code);
    PA_TRY(pa_chain_tail(work.chain, &tail, error));
    pa_put_tail(part, &tail);
    return PA_OK;
}

/* Requests that concern the process as a whole. */
static int execute_alone(struct pa_crew *crew, struct pa_buffer *answer, struct pa_error *error) {
    struct pa_reader in = pa_reader_over(crew->payload, crew->payload_size);
    struct pa_buffer part = {0};
    struct pa_error cause = {0};
    int code = PA_OK;
    pa_buffer_u32(&part, PA_OK);
    if (crew->operation == PA_ASK_HELLO)
        code = pa_crew_hello(crew->watch.devices, crew->watch.watches, crew->seat_count, &part,
                             &cause);
    else if (crew->operation == PA_ASK_REPLAY)
        code = replay(crew, &in, &part, &cause);
    else if (crew->operation == PA_ASK_OPEN)
        code = pa_shelf_open_tiles(&crew->shelf, &in, &part, &cause);
    else
        pa_shelf_forget(&crew->shelf, pa_read_u64(&in));
    if (code != PA_OK) {
        pa_buffer_clear(&part);
        pa_buffer_u32(&part, (uint32_t)code);
        pa_buffer_text(&part, cause.text);
    }
    put_part(answer, &part);
    pa_buffer_free(&part);
    return answer->failed ? pa_fail(error, PA_EMEMORY, "answering the hub: out of memory") : PA_OK;
}

int pa_crew_execute(void *context, const void *request, size_t size, struct pa_buffer *answer,
                    struct pa_error *error) {
    struct pa_crew *crew = context;
    struct pa_reader in = pa_reader_over(request, size);
    crew->operation = (enum pa_operation)pa_read_u32(&in);
    crew->payload = in.next;
    crew->payload_size = in.left;
    if (in.failed)
        return pa_fail(error, PA_EINPUT, "reading a request of the hub: it is cut short");
    switch (crew->operation) {
    case PA_ASK_HELLO:
    case PA_ASK_REPLAY:
    case PA_ASK_OPEN:
    case PA_ASK_FORGET:
        return execute_alone(crew, answer, error);
    default:
        break;
    }
    if (crew->operation == PA_ASK_EPOCH)
        PA_TRY(run_watched(crew, error));
    else
        run_seats(crew);
    for (uint32_t i = 0; i < crew->seat_count; i++)
        put_seat(answer, &crew->seats[i]);
    return answer->failed ? pa_fail(error, PA_EMEMORY, "answering the hub: out of memory") : PA_OK;
}

static void close_seat(void *context, int member, int size) {
    struct seat *seat = context;
    (void)member;
    (void)size;
    pa_crew_aside_leave(&seat->aside);
    pa_crew_stands_close(&seat->stands);
    pa_buffer_free(&seat->part);
    free(seat->near);
    seat->device->backend->close(seat->device);
}

/* On the seat's own thread, because the device's library may not come back from this either; false
 * when the seat must be left as it is. */
static bool leave_seat(struct seat *seat) {
    if (seat->stuck.code != PA_OK)
        return false;
    if (seat->team == NULL) {
        close_seat(seat, 0, 1);
        return true;
    }
    pa_team_start(seat->team, close_seat, seat);
    if (!pa_team_wait_for(seat->team, pa_clock_patience_ns(PA_LIBRARY_PATIENCE_NS)))
        return false;
    pa_team_destroy(seat->team);
    return true;
}

bool pa_crew_close(struct pa_crew *crew) {
    if (crew == NULL)
        return true;
    bool is_whole = pa_crew_watch_is_back(&crew->watch);
    if (!is_whole)
        return false; /* its thread goes on with the devices, should the call come back */
    for (uint32_t i = 0; i < crew->seat_count; i++)
        is_whole = leave_seat(&crew->seats[i]) && is_whole;
    if (!is_whole)
        return false;
    pa_shelf_free(&crew->shelf);
    pa_crew_watch_free(&crew->watch);
    free(crew->seats);
    free(crew);
    return true;
}
