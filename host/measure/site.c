/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void lose(struct pa_site *site, uint32_t device, const char *text) {
    struct pa_site_device *entry = &site->devices[device];
    if (entry->is_lost)
        return;
    entry->is_lost = true;
    snprintf(entry->lost_text, sizeof entry->lost_text, "%.500s", text);
}

bool pa_site_works(const struct pa_site_device *device) {
    return !device->is_lost && !device->is_idle;
}

double pa_site_step_ns(const struct pa_site_device *device, uint32_t k, double *operations) {
    const struct pa_trial *chosen = &device->calibration.chosen;
    double rate = device->warmup.rate > 0 ? device->warmup.rate : chosen->rate;
    *operations = (double)pa_shape_operations((struct pa_shape){chosen->m, chosen->n, k});
    return rate > 0 ? 1e9 * *operations / rate : 0;
}

uint32_t pa_site_alive(const struct pa_site *site) {
    uint32_t alive = 0;
    for (uint32_t d = 0; d < site->device_count; d++)
        alive += pa_site_works(&site->devices[d]) ? 1 : 0;
    return alive;
}

/* The devices of one process: the number of the first, and how many. */
static uint32_t devices_of(const struct pa_site *site, int rank, uint32_t *first) {
    *first = site->shares[rank].first;
    return site->shares[rank].count;
}

static bool has_living(const struct pa_site *site, uint32_t first, uint32_t count) {
    for (uint32_t d = first; d < first + count; d++)
        if (pa_site_works(&site->devices[d]))
            return true;
    return false;
}

/* Take the parts of one process's answer. */
static void take_answer(struct pa_site *site, uint32_t first, uint32_t count,
                        const struct pa_buffer *answer, pa_site_take take, void *context,
                        struct pa_error *last) {
    struct pa_reader in = pa_reader_over(answer->data, answer->size);
    for (uint32_t d = first; d < first + count; d++) {
        struct pa_error cause = {0};
        uint32_t size = pa_read_u32(&in);
        const uint8_t *part = pa_read_view(&in, size);
        struct pa_reader part_in = pa_reader_over(part, part != NULL ? size : 0);
        if (!pa_site_works(&site->devices[d]))
            continue;
        int code = pa_crew_part(&part_in, &cause);
        if (code == PA_OK && take != NULL)
            code = take(context, site, d, &part_in, &cause);
        if (code == PA_OK && !pa_reader_done(&part_in))
            code = pa_fail(&cause, PA_EINPUT, "the answer has bytes that do not belong there");
        if (code != PA_OK) {
            *last = cause;
            lose(site, d, cause.text);
        }
    }
}

static void lose_process(struct pa_site *site, uint32_t first, uint32_t count,
                         const struct pa_error *cause) {
    for (uint32_t d = first; d < first + count; d++)
        lose(site, d, cause->text);
}

void pa_site_lose_process(struct pa_site *site, int rank, const struct pa_error *cause) {
    uint32_t first, count = devices_of(site, rank, &first);
    lose_process(site, first, count, cause);
}

/* Post to every living worker; one that cannot be reached loses its devices. */
static void post_all(struct pa_site *site, pa_site_build build, void *context, bool *is_posted,
                     struct pa_error *last) {
    for (int rank = 1; rank < site->place.size; rank++) {
        uint32_t first, count = devices_of(site, rank, &first);
        struct pa_buffer request = {0};
        is_posted[rank] = false;
        if (count == 0 || !has_living(site, first, count))
            continue;
        build(context, site, rank, first, count, &request);
        is_posted[rank] =
            pa_fleet_post(site->fleet, rank, request.data, request.size, last) == PA_OK;
        if (!is_posted[rank])
            lose_process(site, first, count, last);
        pa_buffer_free(&request);
    }
}

static void collect_all(struct pa_site *site, pa_site_take take, void *context,
                        const bool *is_posted, uint64_t deadline_ns, struct pa_error *last) {
    for (int rank = 1; rank < site->place.size; rank++) {
        uint32_t first, count = devices_of(site, rank, &first);
        struct pa_buffer answer = {0};
        if (!is_posted[rank])
            continue;
        if (pa_fleet_collect(site->fleet, rank, deadline_ns, &answer, last) == PA_OK)
            take_answer(site, first, count, &answer, take, context, last);
        else
            lose_process(site, first, count, last);
        pa_buffer_free(&answer);
    }
}

int pa_site_ask(struct pa_site *site, pa_site_build build, pa_site_take take, void *context,
                uint64_t deadline_ns, struct pa_error *error) {
    struct pa_error last = {0};
    struct pa_buffer request = {0}, answer = {0};
    uint32_t first, count = devices_of(site, 0, &first);
    bool *is_posted = calloc((size_t)site->place.size, sizeof *is_posted);
    if (is_posted == NULL)
        return pa_fail(error, PA_EMEMORY, "asking the site: out of memory");
    post_all(site, build, context, is_posted, &last);
    if (count > 0 && has_living(site, first, count)) {
        build(context, site, 0, first, count, &request);
        if (pa_crew_execute(site->crew, request.data, request.size, &answer, &last) == PA_OK)
            take_answer(site, first, count, &answer, take, context, &last);
        else
            lose_process(site, first, count, &last);
    }
    collect_all(site, take, context, is_posted, deadline_ns, &last);
    free(is_posted);
    pa_buffer_free(&request);
    pa_buffer_free(&answer);
    if (pa_site_alive(site) == 0)
        return pa_fail(error, last.code != PA_OK ? last.code : PA_EDEVICE,
                       "no device is left: %.900s", last.text);
    return PA_OK;
}

static int take_part(const struct pa_buffer *whole, struct pa_buffer *answer,
                     struct pa_error *error) {
    struct pa_reader in = pa_reader_over(whole->data, whole->size);
    uint32_t size = pa_read_u32(&in);
    const uint8_t *part = pa_read_view(&in, size);
    struct pa_reader part_in = pa_reader_over(part, part != NULL ? size : 0);
    PA_TRY(pa_crew_part(&part_in, error));
    if (!pa_reader_done(&in))
        return pa_fail(error, PA_EINPUT, "the answer has bytes that do not belong there");
    pa_buffer_bytes(answer, part_in.next, part_in.left);
    return answer->failed ? pa_fail(error, PA_EMEMORY, "reading an answer: out of memory") : PA_OK;
}

int pa_site_ask_one(struct pa_site *site, int rank, const struct pa_buffer *request,
                    uint64_t deadline_ns, struct pa_buffer *answer, struct pa_error *error) {
    struct pa_buffer whole = {0};
    int code;
    if (request->failed)
        return pa_fail(error, PA_EMEMORY, "asking rank %d: out of memory", rank);
    if (rank == 0)
        code = pa_crew_execute(site->crew, request->data, request->size, &whole, error);
    else {
        code = pa_fleet_post(site->fleet, rank, request->data, request->size, error);
        if (code == PA_OK)
            code = pa_fleet_collect(site->fleet, rank, deadline_ns, &whole, error);
    }
    if (code == PA_OK)
        code = take_part(&whole, answer, error);
    pa_buffer_free(&whole);
    return code;
}

void pa_site_tell(struct pa_site *site, const struct pa_buffer *request, uint64_t deadline_ns) {
    for (int rank = 0; rank < site->place.size; rank++) {
        struct pa_buffer answer = {0};
        struct pa_error ignored = {0};
        if (rank == 0)
            pa_crew_execute(site->crew, request->data, request->size, &answer, &ignored);
        else if (pa_fleet_is_alive(site->fleet, rank) &&
                 pa_fleet_post(site->fleet, rank, request->data, request->size, &ignored) == PA_OK)
            pa_fleet_collect(site->fleet, rank, deadline_ns, &answer, &ignored);
        pa_buffer_free(&answer);
    }
}

static bool is_same_set(const struct pa_site_libraries *a, const struct pa_site_libraries *b) {
    if (strcmp(a->host, b->host) != 0 || a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (strcmp(a->libraries[i].path, b->libraries[i].path) != 0 ||
            strcmp(a->libraries[i].sha256, b->libraries[i].sha256) != 0)
            return false;
    return true;
}

/* Keep the libraries of one process, unless another one of its host has the very same. */
static int add_libraries(struct pa_site *site, int rank, const struct pa_hello *hello,
                         struct pa_error *error) {
    struct pa_site_libraries *grown, set = {.rank = rank, .count = hello->library_count};
    if (hello->library_count == 0 || hello->device_count == 0)
        return PA_OK;
    snprintf(set.host, sizeof set.host, "%s", hello->devices[0].identity.host);
    memcpy(set.libraries, hello->libraries, sizeof set.libraries);
    for (uint32_t i = 0; i < site->library_set_count; i++)
        if (is_same_set(&site->library_sets[i], &set))
            return PA_OK;
    grown = realloc(site->library_sets, ((size_t)site->library_set_count + 1) * sizeof *grown);
    if (grown == NULL)
        return pa_fail(error, PA_EMEMORY, "listing libraries: out of memory");
    site->library_sets = grown;
    grown[site->library_set_count++] = set;
    return PA_OK;
}

/* To the next whole second: the way of the answer takes a part of one. */
static int64_t seconds_ahead(uint64_t utc_ns, uint64_t ours_ns) {
    static const uint64_t second_ns = 1000000000;
    bool is_ahead = utc_ns > ours_ns;
    uint64_t apart_ns = is_ahead ? utc_ns - ours_ns : ours_ns - utc_ns;
    int64_t apart_s = (int64_t)(apart_ns / second_ns + (apart_ns % second_ns >= second_ns / 2));
    return is_ahead ? apart_s : -apart_s;
}

/* Append the devices that one process named. */
static int add_devices(struct pa_site *site, int rank, const struct pa_buffer *payload,
                       struct pa_error *error) {
    struct pa_reader in = pa_reader_over(payload->data, payload->size);
    struct pa_hello hello;
    PA_TRY(pa_get_hello(&in, &hello, error));
    size_t wanted = (size_t)site->device_count + hello.device_count;
    struct pa_site_device *grown =
        wanted > PA_MOST_DEVICES
            ? NULL
            : realloc(site->devices, (wanted > 0 ? wanted : 1) * sizeof *grown);
    if (grown == NULL) {
        pa_hello_free(&hello);
        return pa_fail(error, PA_EMEMORY, "listing %zu devices: out of memory", wanted);
    }
    site->devices = grown;
    site->shares[rank] = (struct pa_site_share){site->device_count, hello.device_count};
    for (uint32_t i = 0; i < hello.device_count; i++)
        grown[site->device_count++] =
            (struct pa_site_device){.rank = rank, .seat = i, .facts = hello.devices[i]};
    site->ahead_s[rank] = seconds_ahead(hello.utc_ns, pa_clock_utc_ns());
    int code = add_libraries(site, rank, &hello, error);
    pa_hello_free(&hello);
    return code;
}

static bool is_same_processor(const struct pa_device_facts *a, const struct pa_device_facts *b) {
    return strcmp(a->backend, "cpu") == 0 && strcmp(b->backend, "cpu") == 0 &&
           strcmp(a->identity.host, b->identity.host) == 0 &&
           strcmp(a->identity.id, b->identity.id) == 0;
}

/* Processors by host and name, those that are one and the same in the order of their numbers. */
static int compare_processors(const void *left, const void *right) {
    const struct pa_site_device *a = *(struct pa_site_device *const *)left;
    const struct pa_site_device *b = *(struct pa_site_device *const *)right;
    int order = strcmp(a->facts.identity.host, b->facts.identity.host);
    if (order == 0)
        order = strcmp(a->facts.identity.id, b->facts.identity.id);
    return order != 0 ? order : (a > b) - (a < b);
}

static void divide_one(struct pa_site_device *const *sharers, uint32_t count) {
    char id[sizeof sharers[0]->facts.identity.id];
    memcpy(id, sharers[0]->facts.identity.id, sizeof id);
    for (uint32_t i = 0; i < count; i++) {
        struct pa_device_facts *facts = &sharers[i]->facts;
        for (int f = 1; f < PA_FORMATS_END; f++)
            facts->formats[f].peak_per_second /= count;
        snprintf(facts->identity.id, sizeof facts->identity.id, "%.80s#%u", id, i + 1);
        size_t used = strlen(facts->identity.details);
        snprintf(facts->identity.details + used, sizeof facts->identity.details - used,
                 "; one of %u processes on the same processors", count);
    }
}

/* More processes than processors on one host: each has its part of a processor, under a name of its
 * own and with that part of the peak. A processor may be divided like that; any other device twice
 * is a finding. */
static int divide_shared_processors(struct pa_site *site, struct pa_error *error) {
    struct pa_site_device **sorted = calloc((size_t)site->device_count + 1, sizeof *sorted);
    uint32_t count = 0;
    if (sorted == NULL)
        return pa_fail(error, PA_EMEMORY, "listing devices: out of memory");
    for (uint32_t d = 0; d < site->device_count; d++)
        if (strcmp(site->devices[d].facts.backend, "cpu") == 0)
            sorted[count++] = &site->devices[d];
    qsort(sorted, count, sizeof *sorted, compare_processors);
    for (uint32_t first = 0, end; first < count; first = end) {
        for (end = first + 1;
             end < count && is_same_processor(&sorted[first]->facts, &sorted[end]->facts); end++)
            continue;
        if (end - first > 1)
            divide_one(&sorted[first], end - first);
    }
    free(sorted);
    return PA_OK;
}

/* One process introduces itself. */
static int greet(struct pa_site *site, int rank, const struct pa_buffer *request,
                 uint64_t deadline_ns, struct pa_error *error) {
    struct pa_buffer payload = {0};
    if (rank > 0 && !pa_fleet_is_alive(site->fleet, rank))
        return pa_fail(error, PA_EHUB, "rank %d did not come", rank);
    int code = pa_site_ask_one(site, rank, request, deadline_ns, &payload, error);
    if (code == PA_OK)
        code = add_devices(site, rank, &payload, error);
    pa_buffer_free(&payload);
    return code;
}

int pa_site_gather(struct pa_site *site, const struct pa_place *place, struct pa_crew *crew,
                   struct pa_fleet *fleet, uint64_t deadline_ns, struct pa_error *error) {
    struct pa_buffer request = {0};
    struct pa_error last = {0};
    *site = (struct pa_site){.place = *place, .crew = crew, .fleet = fleet};
    site->is_absent = calloc((size_t)place->size, sizeof *site->is_absent);
    site->ahead_s = calloc((size_t)place->size, sizeof *site->ahead_s);
    if (site->is_absent == NULL || site->ahead_s == NULL)
        return pa_fail(error, PA_EMEMORY, "gathering %d processes: out of memory", place->size);
    site->shares = calloc((size_t)place->size, sizeof *site->shares);
    if (site->shares == NULL)
        return pa_fail(error, PA_EMEMORY, "listing devices: out of memory");
    pa_buffer_u32(&request, PA_ASK_HELLO);
    for (int rank = 0; rank < place->size; rank++) {
        site->is_absent[rank] = greet(site, rank, &request, deadline_ns, &last) != PA_OK;
        site->absent_count += site->is_absent[rank] ? 1 : 0;
    }
    pa_buffer_free(&request);
    PA_TRY(divide_shared_processors(site, error));
    if (site->device_count == 0)
        return pa_fail(error, last.code != PA_OK ? last.code : PA_EDEVICE,
                       "looking for accelerators: %.900s",
                       last.text[0] != '\0' ? last.text : "no process has one");
    return PA_OK;
}

void pa_site_free(struct pa_site *site) {
    free(site->devices);
    free(site->is_absent);
    free(site->ahead_s);
    free(site->shares);
    free(site->library_sets);
    *site = (struct pa_site){0};
}
