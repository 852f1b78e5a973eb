/* SPDX-License-Identifier: Apache-2.0 */
/* live_state.h - what a transcript says of its session so far, as somebody who watches wants to see
 * it.
 *
 * Made of the records alone, one after the other, so that it is the same after a restart. It shows
 * and does not judge: nothing here decides anything. Records that make no sense are passed over;
 * the judge will say so. Everything carries the number of the record that changed it last, so that
 * one function tells both the whole state and what is new since some record.
 */
#ifndef PA_WITNESS_LIVE_STATE_H
#define PA_WITNESS_LIVE_STATE_H

#include "claim/claim.h"
#include "evidence/evidence.h"
#include "proof/proof.h"

#include <jansson.h>

enum {
    PA_LIVE_MOST_DEVICES = 1 << 15, /* told one by one; beyond it they are only counted */
    PA_LIVE_MOST_EPOCHS = 4096,     /* told one by one, the latest */
    PA_LIVE_MOST_FINDINGS = 200,
    PA_LIVE_RECENT = 10,  /* openings */
    PA_LIVE_POINTS = 240, /* of a meter's curve */
    PA_LIVE_METERS = PA_POWER_MOST_METERS,
};

/* A device slower than this share of the median of its model is pointed out. */
#define PA_LIVE_SLOW_SHARE 0.85

enum pa_live_condition {
    PA_LIVE_WAITING,   /* no epoch is closed yet */
    PA_LIVE_WORKING,   /* did work in the last closed epoch */
    PA_LIVE_SLOW,      /* less than the others of its model */
    PA_LIVE_THROTTLED, /* says so itself */
    PA_LIVE_IDLE,      /* did nothing in the last closed epoch */
    PA_LIVE_LOST,      /* the site says that it stopped */
    PA_LIVE_CONDITIONS
};

enum pa_live_severity { PA_LIVE_INFO, PA_LIVE_WARNING, PA_LIVE_CRITICAL };

struct pa_live_device {
    uint64_t described, worked; /* the records that changed the texts, and the figures */
    char name[PA_DECLARED_NAME_BYTES], model[128], host[64], format[8];
    uint64_t operations_per_step;
    uint64_t steps, last_steps;
    double last_rate;      /* operations a second in the last closed epoch */
    double raw_rate;       /* the library alone; 0 unknown */
    int32_t temperature_c; /* -1 unknown */
    uint64_t power_mw;     /* 0 unknown */
    uint64_t throttled_in; /* 1 + the last epoch of which it says so; 0: none */
    bool is_lost;
    enum pa_live_condition condition;
};

struct pa_live_epoch {
    uint64_t version, number;
    uint32_t kind; /* 0: a long epoch; i: the i-th declared probe */
    struct pa_instant t0, t1;
    bool has_root, is_closed, is_aborted, is_settled, after_gap;
    uint64_t gap_ns;
    struct pa_hash root, key;
    double operations;
    double mean_rate,
        lower_rate;  /* of all work up to this epoch, operations a second; NAN unknown */
    uint32_t *steps; /* owned, a device each, until it is settled */
    uint32_t drawn, opened, failed, first_failed;
    char *reason; /* owned; NULL: none failed */
};

struct pa_live_opening {
    uint64_t epoch;
    uint32_t j;
    struct pa_sample sample;
};

struct pa_live_finding {
    uint64_t version, utc_ns;
    enum pa_live_severity severity;
    char code[48], text[640];
};

struct pa_live_meter {
    uint64_t version;
    char role[16], source[16], name[128];
    bool has_energy;
    struct pa_power_sample energy; /* the last one with a counter */
    double watts;                  /* the latest; NAN unknown */
    uint32_t stride, skipped, points;
    uint64_t point_ms[PA_LIVE_POINTS];
    double point_w[PA_LIVE_POINTS];
};

struct pa_live_state {
    uint64_t version; /* records read */
    uint64_t last_utc_ns;
    struct pa_declaration declaration;
    struct pa_hash session;
    bool is_declared, is_finished;
    uint64_t begun_utc_ns, session_version;
    uint64_t device_version, compared_version;
    char center[PA_CLAIM_TEXT_BYTES], policy[PA_CLAIM_TEXT_BYTES];
    double claim_per_second; /* 0: the claim is not noted yet */
    const char *precision;
    bool has_gap; /* an interruption that no epoch follows yet */
    uint64_t gap_ns;
    struct pa_instant gap_noted;             /* it lasts until that epoch */
    uint32_t watermark_half, watermark_bits; /* the half-bit of load told last; no bits: none was */
    bool watermark_is_on;
    struct pa_live_device *devices; /* owned, the first `told` of those declared */
    uint32_t told;
    uint32_t counts[PA_LIVE_CONDITIONS];
    struct pa_live_epoch *epochs; /* owned, by number */
    uint32_t epoch_count, epoch_capacity, closed_count;
    struct pa_schedule schedule;
    uint64_t opening_version;
    struct pa_sample *samples;                     /* owned, of the epoch that is opened: */
    uint64_t sampled_epoch;                        /* as many as it has `drawn` */
    struct pa_live_opening recent[PA_LIVE_RECENT]; /* a ring: `received` counts all */
    uint64_t received, drawn, checked, failed;
    struct pa_live_finding *findings; /* owned */
    uint32_t finding_count, findings_left_out;
    struct pa_live_meter *meters; /* owned, PA_LIVE_METERS */
    uint32_t meter_count;
};

/* A zeroed state is one of no records. PA_EMEMORY; PA_EINPUT for bytes that are no such record.
 * After a failure it can only be freed. */
int pa_live_state_apply(struct pa_live_state *state, const struct pa_record *record,
                        struct pa_error *error);
void pa_live_state_free(struct pa_live_state *state);
/* How each device does beside the others: after a run of records, before anybody is told. */
int pa_live_state_compare(struct pa_live_state *state, struct pa_error *error);
/* What has changed after record `since` (0: everything), as docs/live-page.md describes it; NULL
 * when memory ran out. The caller owns it. */
json_t *pa_live_state_message(const struct pa_live_state *state, uint64_t since);

/* For the files of the state. */
/* The credit so far, by the function that also the judge uses: once every opening held. */
int pa_live_state_credit(const struct pa_live_state *state, struct pa_credit *out,
                         struct pa_error *error);
int pa_live_state_note(struct pa_live_state *state, const struct pa_record *record,
                       struct pa_error *error);
int pa_live_state_power(struct pa_live_state *state, const struct pa_record *record,
                        struct pa_error *error);
void pa_live_state_find(struct pa_live_state *state, enum pa_live_severity severity,
                        const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
