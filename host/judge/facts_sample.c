/* SPDX-License-Identifier: Apache-2.0 */
/* facts_sample.c - which devices the witness chose, and what they show of all (docs/sampling.md).
 * Key and session fix the choice; what the note says of it must be the same. */
#include "base/file.h"
#include "judge/facts_inside.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_choice(const json_t *noted, const uint32_t *chosen, uint32_t count) {
    if (json_array_size(noted) != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const json_t *device = json_array_get(noted, i);
        if (!json_is_integer(device) || json_integer_value(device) != (json_int_t)chosen[i])
            return false;
    }
    return true;
}

int pa_replay_sample_note(struct pa_replay *replay, const json_t *note,
                          char wrong[PA_NOTE_WRONG_BYTES], struct pa_error *error) {
    struct pa_facts *facts = replay->facts;
    struct pa_fact_sample *sample = &facts->sample;
    const char *key = json_string_value(json_object_get(note, "key"));
    const json_t *devices = json_object_get(note, "devices");
    if (key == NULL || !pa_unhex(sample->key.bytes, PA_HASH_BYTES, key) ||
        !json_is_array(devices)) {
        snprintf(wrong, PA_NOTE_WRONG_BYTES, "\"key\" and \"devices\" should be a choice");
        return PA_OK;
    }
    if (sample->count == 0)
        return pa_replay_broken(replay, "devices were chosen where no sample was declared");
    if (sample->chosen != NULL || replay->epoch_count > 0)
        return pa_replay_broken(replay, "the devices were chosen %s",
                                sample->chosen != NULL ? "twice" : "after the first epoch");
    sample->chosen = calloc(sample->count, sizeof *sample->chosen);
    if (sample->chosen == NULL)
        return pa_fail(error, PA_EMEMORY, "reading a sample of %u devices: out of memory",
                       sample->count);
    PA_TRY(pa_device_sample_draw(sample->chosen, sample->count, facts->device_count, &sample->key,
                                 &facts->session, error));
    if (!is_choice(devices, sample->chosen, sample->count))
        return pa_replay_broken(replay, "the devices that are noted as chosen are not those that "
                                        "the witness's key gives");
    for (uint32_t i = 0; i < sample->count; i++)
        facts->devices[sample->chosen[i]].is_idle = false;
    return PA_OK;
}

void pa_replay_sample_check(struct pa_replay *replay, const struct pa_replay_epoch *epoch,
                            uint64_t number) {
    for (uint32_t d = 0; d < replay->facts->device_count; d++)
        if (replay->facts->devices[d].is_idle && epoch->tails[d].steps > 0) {
            pa_replay_broken(replay, "device %u worked in epoch %llu, and was not chosen", d,
                             (unsigned long long)number);
            return;
        }
}

int pa_replay_sample_finish(struct pa_replay *replay, struct pa_error *error) {
    struct pa_facts *facts = replay->facts;
    struct pa_fact_sample *sample = &facts->sample;
    const struct pa_credit *credit = &facts->credit;
    bool is_proven = facts->broken[0] == '\0' && facts->failed == 0 && facts->missing == 0;
    if (sample->chosen == NULL || credit->seconds <= 0 || credit->alpha_r <= 0)
        return PA_OK;
    struct pa_sample_terms terms = {.devices = facts->device_count,
                                    .honest_fraction = is_proven ? credit->honest_fraction : 0,
                                    .error = credit->alpha_r};
    for (uint32_t d = 0; d < facts->device_count; d++) {
        double rate = (double)facts->declaration.sample_rates[d];
        terms.declared_total += rate;
        terms.declared_most = rate > terms.declared_most ? rate : terms.declared_most;
    }
    sample->declared_per_second = terms.declared_total;
    sample->most_per_second = terms.declared_most;
    struct pa_sample_unit *units = calloc(sample->count, sizeof *units);
    if (units == NULL)
        return pa_fail(error, PA_EMEMORY, "reading a sample of %u devices: out of memory",
                       sample->count);
    for (uint32_t i = 0; i < sample->count; i++) {
        uint32_t d = sample->chosen[i];
        units[i].declared = (double)facts->declaration.sample_rates[d];
        units[i].shown = facts->devices[d].operations / credit->seconds;
    }
    int code = pa_sample_bound_compute(&sample->bound, units, sample->count, &terms, error);
    free(units);
    return code;
}
