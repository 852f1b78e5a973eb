/* SPDX-License-Identifier: Apache-2.0 */
/* facts_clock.c - whether the witness's machine slept while it measured: RAW stands still in a
 * suspend and BOOT runs on. */
#include "judge/facts_inside.h"

/* The two clocks are read one after the other, and NTP slews BOOT, by at most 500 ppm. */
static const uint64_t least_sleep_ns = 100000000, slew_part = 1000;
static const uint64_t most_ns = INT64_MAX / (1 << 20);

/* The larger counts where two notes of an epoch tell of one sleep. */
static void count_sleep(struct pa_replay *replay, struct pa_replay_epoch *epoch, uint64_t ns) {
    if (ns <= epoch->asleep_ns)
        return;
    replay->facts->suspended_ns += ns - epoch->asleep_ns;
    epoch->asleep_ns = ns;
}

int pa_replay_suspend_note(struct pa_replay *replay, const struct pa_record *record,
                           const json_t *note, char wrong[PA_NOTE_WRONG_BYTES]) {
    uint64_t ns;
    if (!pa_note_whole(note, "ns", 0, most_ns, &ns))
        return pa_note_should_be(wrong, "ns", "a whole number");
    if (record->epoch < replay->epoch_count)
        count_sleep(replay, &replay->epochs[record->epoch], ns);
    else
        replay->facts->suspended_ns += ns;
    return PA_OK;
}

int pa_replay_boottime_note(struct pa_replay *replay, const struct pa_record *record,
                            const json_t *note, char wrong[PA_NOTE_WRONG_BYTES]) {
    uint64_t t0_ns, t1_ns;
    if (!pa_note_whole(note, "t0_ns", 0, INT64_MAX, &t0_ns))
        return pa_note_should_be(wrong, "t0_ns", "a time");
    if (!pa_note_whole(note, "t1_ns", t0_ns, INT64_MAX, &t1_ns))
        return pa_note_should_be(wrong, "t1_ns", "a time, no earlier than \"t0_ns\"");
    struct pa_replay_epoch *epoch = pa_replay_epoch_of(replay, record);
    if (epoch == NULL)
        return PA_OK;
    if (!epoch->has_root)
        return pa_replay_broken(replay, "a boot clock at the root of epoch %llu, which has none",
                                (unsigned long long)record->epoch);
    uint64_t boot_ns = t1_ns - t0_ns, raw_ns = epoch->t1.raw_ns - epoch->t0.raw_ns;
    if (boot_ns >= raw_ns + least_sleep_ns + raw_ns / slew_part)
        count_sleep(replay, epoch, boot_ns - raw_ns < most_ns ? boot_ns - raw_ns : most_ns);
    return PA_OK;
}
