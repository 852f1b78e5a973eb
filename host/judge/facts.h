/* SPDX-License-Identifier: Apache-2.0 */
/* facts.h - what the evidence says, before anybody judges it.
 *
 * `pa_facts_collect` replays a transcript as a third party would: hash chain, signatures,
 * declaration, each epoch's nonce, commitment, list, key, samples and openings, and the notes
 * beside them. It reads records and nothing else, so that an old measurement can be judged again,
 * and two people who read the same evidence get the same facts.
 */
#ifndef PA_JUDGE_FACTS_H
#define PA_JUDGE_FACTS_H

#include "claim/claim.h"
#include "evidence/evidence.h"
#include "judge/watermark.h"
#include "proof/attestation.h"
#include "proof/proof.h"

#include <jansson.h>

enum pa_recheck {
    PA_RECHECK_PATHS, /* everything but the arithmetic: hashes, paths, links, signatures */
    PA_RECHECK_TILES  /* and every opened tile is computed again, on all processors */
};

struct pa_fact_epoch {
    uint64_t number;
    uint32_t kind; /* 0: a long epoch; i: the i-th declared probe */
    enum pa_epoch_state state;
    struct pa_instant t0, t1;
    double operations; /* all that it proved */
    bool is_credited;  /* and that counts for the capacity */
    uint32_t drawn;    /* openings that the declaration demands: n_e, or 0 without work */
    uint32_t failed;   /* came and were wrong */
    uint32_t missing;  /* never came */
    bool after_gap;
    uint64_t gap_ns;
};

/* Why a device ran slower than it could: bit i is the i-th name of docs/protocol.md, "Notes". */
enum pa_fact_slowdown {
    PA_FACT_SLOW_HARDWARE = 1 << 3,
    PA_FACT_SLOW_SW_THERMAL = 1 << 5,
    PA_FACT_SLOW_HW_THERMAL = 1 << 6,
    PA_FACT_SLOW_POWER_BRAKE = 1 << 7,
    /* A power cap, or clocks that somebody set, are how a site runs its devices; these are not. */
    PA_FACT_THROTTLED = PA_FACT_SLOW_HARDWARE | PA_FACT_SLOW_SW_THERMAL | PA_FACT_SLOW_HW_THERMAL |
                        PA_FACT_SLOW_POWER_BRAKE,
};

/* How a device fared, over all epochs that it told something of. */
struct pa_fact_vitals {
    uint32_t epochs;           /* with at least one sample */
    uint32_t thermal_stops;    /* epochs that it ended early because of heat */
    uint32_t throttled_epochs; /* with one of PA_FACT_THROTTLED */
    uint32_t slowdowns;        /* all that were seen */
    uint32_t others;           /* the most processes beside petaudit's */
    uint32_t temperature_max_c;
    uint32_t clock_min_mhz;                  /* the lowest while it worked; 0 not told */
    uint64_t ecc_corrected, ecc_uncorrected; /* new during the session */
};

/* What a device's memory held when it was filled and read back. */
struct pa_fact_memory {
    bool is_there;                       /* false: all else but has_failed is 0 */
    bool has_failed;                     /* the site noted that its proof failed, and why */
    uint64_t wanted_bytes, filled_bytes; /* asked for, and what could be had of it */
    uint64_t workbench_bytes;            /* held by the work, beside it */
    uint64_t fill_ns, read_ns;
    uint32_t samples, wrong; /* chunks that were checked, and that were not as they were written */
    uint32_t first_wrong;
    bool is_checked; /* the judge computed the samples again from the answers in the evidence */
};

/* What a device's vendor says of it, with a nonce of this session inside. */
struct pa_fact_attestation {
    bool is_asked;          /* the site asked it; all else is zeros where it did not */
    bool has_report, holds; /* a report came; one of them holds under the vendor's root */
    bool has_twin;          /* and an earlier device, `twin`, was attested as the same one */
    uint32_t twin;
    struct pa_attested who; /* where it holds */
    char trouble[256];      /* why none came, or the first thing that does not hold; else empty */
};

struct pa_fact_device {
    char name[PA_DECLARED_NAME_BYTES]; /* as declared */
    uint32_t m, n;
    uint64_t steps;        /* over all closed long epochs */
    double operations;     /* that count, those of probes included */
    double raw_per_second; /* the library alone, same shape and run, its best; 0 unknown */
    char id[96], backend[16], format[8], host[64], model[128], details[512];
    char variant[64], library[96];
    double peak_per_second; /* of the format used; 0 unknown */
    char peak_basis[160];
    char partition[128]; /* empty: a whole device; else what part of one it is */
    uint64_t memory_bytes;
    struct pa_fact_vitals vitals;
    struct pa_fact_memory memory;
    struct pa_fact_attestation attestation;
    bool emulated;       /* the backend says that there is no such hardware */
    bool changed;        /* another device answered in its place later in the session */
    bool moved;          /* it answered on another host later in the session */
    bool is_idle;        /* the witness chose others: it was to do nothing */
    bool lost;           /* stopped during the audit */
    char lost_text[512]; /* which rank and host, when, why */
};

struct pa_fact_allreduce {
    uint64_t bytes;
    double algbw_gbs, busbw_gbs; /* 1e9 bytes a second, by nccl-tests' definitions */
    uint32_t ranks;
    bool verified;
};

/* The devices as one system: products with all-reduce between them (docs/protocol.md, "Coupled").
 * The site's own measurement, not proven. */
enum pa_coupled_state {
    PA_COUPLED_UNKNOWN, /* the session noted nothing of it; all else is 0 */
    PA_COUPLED_MEASURED,
    PA_COUPLED_WRONG,       /* the sums were wrong: its rate counts for nothing */
    PA_COUPLED_LOST,        /* a device or process was lost meanwhile; `reason` names it */
    PA_COUPLED_NOT_MEASURED /* `reason` says why */
};
struct pa_fact_coupled {
    enum pa_coupled_state state;
    uint32_t ranks, hosts, steps;
    uint64_t bytes;          /* reduced after every step */
    uint64_t time_ns;        /* of all steps, by the slowest rank */
    double operations;       /* of all ranks in that time */
    double alone_per_second; /* sum of the same devices, each by itself in the same run */
    char reason[512];
};

/* What a meter measures. */
enum pa_meter_role {
    PA_METER_IT,       /* the machines under audit */
    PA_METER_FACILITY, /* the whole site, cooling and losses included */
    PA_METER_PV,       /* generation meant for the site */
    PA_METER_WIND,
    PA_METER_ROLES
};
const char *pa_meter_role_name(enum pa_meter_role role); /* "it", "facility", "pv", "wind" */

struct pa_fact_meter {
    enum pa_meter_role role;
    char source[16];      /* "csv", "modbus", "rapl", "nvml" */
    char name[256];       /* file, address or host */
    char details[256];    /* what the meter says of itself; empty when nothing */
    char trouble[256];    /* why readings are missing, as the reader saw it; empty when none are */
    double class_percent; /* accuracy class: half-width in percent of the reading; 0 not told */
    double resolution_w;  /* 0 not told */
    double share;         /* of the load that `role` names, above 0, at most 1 */
    bool is_random;       /* a part of the load, chosen at random and not by the site */
    bool is_component;    /* a sensor inside of the machines (rapl, nvml): no meter of the mains */
    bool is_told;         /* summed up from what the devices told of their epochs */
    bool has_power, has_energy;
    uint64_t readings;    /* inside of the window */
    uint64_t failures;    /* readings that were due and did not come, or held nothing */
    double interval_s;    /* the usual distance of two readings; 0 with fewer than two */
    double longest_gap_s; /* inside of the window, its ends included */
    double covered_s;     /* of the window, by readings that are near enough to one another */
    bool covers_run;      /* and the full run, from the declaration to the last measurement */
    bool is_even;         /* readings are equally spaced */
    bool is_implausible;  /* its counter runs backwards, or disagrees with its power */
    double watts;         /* mean over `covered_s`: by the energy counter where there is one */
    double u_watts;       /* standard uncertainty; 0 without a class */
    double least_w, most_w;
    double energy_j;     /* over `covered_s` */
    double integrated_j; /* by power, where power and energy are both there, over the same time; */
    double counter_j;    /* by the energy counter */
};

/* What one device told of its own power, over the epochs that it told of. */
struct pa_fact_device_power {
    uint32_t device;
    bool has_read, has_counted;
    double read_w;    /* mean of its power readings */
    double counted_w; /* by its energy counter */
};

/* A point of the curve, a mean over 1/60 of the window or more. NAN where nobody measured. */
struct pa_fact_power_point {
    double at_s; /* from the start of the first window */
    double it_w, facility_w, generated_w;
};
enum { PA_POWER_CURVE_POINTS = 60 };

/* Power over the very window of the work: from the first nonce to the last root of each segment
 * between interruptions. All of it is zero without meters. */
struct pa_fact_power {
    struct pa_fact_meter *meters; /* owned */
    uint32_t meter_count;
    struct pa_fact_device_power *devices; /* owned; those that told something, in order */
    uint32_t device_count;
    double window_s;
    bool has_it, has_facility, has_pv, has_wind;
    bool it_is_component;          /* `it_w` is the sum of sensors inside of the machines */
    double it_w, it_u;             /* mean and its standard uncertainty; a meter of a share of */
    double facility_w, facility_u; /* the load is extrapolated to all of it; the uncertainty is */
    double pv_w, wind_w, generated_u; /* 0 where a meter has no class: unknown, not exact */
    bool has_watts;                   /* `watts` are of `scope`: it, else facility */
    enum pa_meter_role scope;
    double watts, u_watts;
    double energy_j; /* of the run: watts x window */
    bool has_pue;    /* needs mains meters of both, over the same time */
    double pue, u_pue;
    bool has_green; /* generation and a load were metered at the same time */
    double green_share;
    int level; /* of the EE HPC WG methodology: 1, 2, 3; 0 is none */
    char level_reason[512];
    char source[64]; /* "csv, rapl"; "none" without meters */
    struct pa_fact_power_point curve[PA_POWER_CURVE_POINTS];
    uint32_t curve_count;
};

/* A half-bit of the power watermark, and the mean load while it lasted; NAN where nobody measured.
 */
struct pa_fact_half {
    bool is_on;
    double at_s; /* since the first of them */
    double watts;
};

/* All of it is zero where no watermark was run. */
struct pa_fact_watermark {
    uint32_t bits; /* that it was begun with; it is whole when told == 2 * bits */
    uint64_t half_ns, settle_ns;
    uint32_t told;               /* half-bits */
    enum pa_meter_role role;     /* whose meters were looked at: the power's scope */
    struct pa_fact_half *halves; /* owned; `told` of them */
    struct pa_watermark_test test;
};

/* The fabric proof (docs/protocol.md). All of it is zero where none was begun. */
struct pa_fact_fabric {
    bool is_begun, is_whole;         /* its result is there */
    uint32_t devices, drawn, failed; /* that took part; sampled chunks */
    uint32_t first_pair[2];          /* devices of the first chunk that failed */
    char reason[96];                 /* why; empty when none did */
    uint64_t bytes;                  /* of each device's state */
    uint64_t window_ns, exchange_ns; /* from t0, and from the challenge, to the last answer */
    double held;                     /* so much of the answers is right, at least */
    struct pa_fabric_floor floor;
};

/* An audit of some devices (docs/sampling.md). All of it is zero where all were to work. */
struct pa_fact_sample {
    uint32_t count; /* as declared */
    struct pa_hash key;
    uint32_t *chosen; /* owned: in the order of the draw; NULL before it */
    double declared_per_second, most_per_second; /* of all devices, and of the fastest */
    struct pa_sample_bound bound; /* operations a second; each bound holds at 1 - 2 credit.alpha_r:
                                     half of the declared error is the openings' */
};

struct pa_facts {
    struct pa_declaration declaration;
    struct pa_hash session;
    struct pa_hash transcript; /* r of the last record */
    uint64_t records;
    struct pa_fact_epoch *epochs;
    uint32_t epoch_count;
    struct pa_fact_device *devices;
    uint32_t device_count;
    struct pa_fact_allreduce *allreduce;
    uint32_t allreduce_count;
    struct pa_fact_coupled coupled;
    struct pa_fact_power power;
    struct pa_fact_watermark watermark;
    struct pa_fact_fabric fabric;
    struct pa_fact_sample sample;
    struct pa_credit credit;
    struct pa_radius_point radius[1 + PA_MOST_PROBE_KINDS]; /* the long epochs, then each probe */
    uint32_t radius_count;                                  /* 0: the session declared no probes */
    uint64_t drawn, failed, missing;                        /* openings over all epochs */
    char first_failure[512]; /* k of n, epoch, device, step, and what did not hold; empty when none
                              */
    bool is_finished;        /* the witness's closing signature is there */
    bool is_certified;       /* false: result type TEST */
    bool is_test_build;      /* a build that falsifies on purpose; `test_build` says how */
    char test_build[256];
    uint64_t suspended_ns;     /* that the witness's machine slept while epochs were under work */
    double clock_step_seconds; /* the largest step of UTC against RAW between two records */
    char broken[512];          /* why the evidence is INVALID as a whole; empty when it holds */
    uint64_t begun_utc_ns, ended_utc_ns;
    json_t *notes;    /* array of the notes in order, but for those that each device has (device,
                       * calibration, raw, telemetry, memory), each with "utc_ns" and, unless it
                       * belongs to no epoch, "epoch" set from its record; owned */
    char *claim_text; /* owned; the claim and policy files the session was declared with */
    size_t claim_bytes;
    char *policy_text;
    size_t policy_bytes;
    enum pa_assurance assurance;
};

/* Whether a meter is of those that its role's figure comes from: those of the mains or, where there
 * are none, the sensors inside of the machines. */
bool pa_power_counts(const struct pa_fact_power *power, uint32_t meter, enum pa_meter_role role);

/* Fails (PA_EINPUT, PA_EINVALID) only where there is nothing to judge: no session, unreadable.
 * Evidence that is there and contradicts itself succeeds, with `broken` or `first_failure` saying
 * how: that is the verdict INVALID. */
int pa_facts_collect(struct pa_store *store, enum pa_recheck recheck, struct pa_facts *out,
                     struct pa_error *error);
void pa_facts_free(struct pa_facts *facts);
/* The first note of a kind, or NULL; borrowed from `facts`. */
const json_t *pa_facts_note(const struct pa_facts *facts, const char *kind);

#endif
