/* SPDX-License-Identifier: Apache-2.0 */
/* claim.h - the door of host/claim/: what was promised, by which rule it is judged, and what the
 * devices should do.
 *
 *   claim      what an operator says of a centre (YAML, written by people)
 *   policy     the rule that it is held against (YAML, built in or a file)
 *   catalogue  nominal dense peaks of accelerators (accelerators.csv, embedded)
 *
 * Reading is strict: unknown and repeated keys, aliases, tags, several documents, numbers with
 * units inside and anything a careless reader would guess at are refused with file:line:column, the
 * key, what was expected and the nearest known key. All files are at most PA_CLAIM_MOST_BYTES.
 */
#ifndef PA_CLAIM_CLAIM_H
#define PA_CLAIM_CLAIM_H

#include "base/bytes.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PA_CLAIM_MOST_BYTES = 1 << 20,
    PA_CLAIM_TEXT_BYTES = 256, /* with the terminating zero; UTF-8 without control characters */
    PA_MOST_ACCELERATOR_KINDS = 1024,
};

enum pa_precision {
    PA_PRECISION_NONE,
    PA_PRECISION_FP64,
    PA_PRECISION_FP32,
    PA_PRECISION_TF32,
    PA_PRECISION_BF16,
    PA_PRECISION_FP16,
    PA_PRECISION_FP8,
    PA_PRECISION_INT8
};
enum pa_basis { PA_BASIS_NONE, PA_BASIS_NOMINAL, PA_BASIS_SUSTAINED };

const char *pa_precision_name(enum pa_precision precision);
enum pa_precision pa_precision_named(const char *name);
const char *pa_basis_name(enum pa_basis basis);
/* The class that proves a claim of this precision: 1 (dense16) for fp16 and bf16, 2 for int8, 3 for
 * fp8, 4 for fp64. fp32 and tf32 cannot be proven; they run dense16 and `*provable` is false. */
uint32_t pa_precision_class(enum pa_precision precision, bool *provable);

struct pa_claimed_accelerator {
    char model[PA_CLAIM_TEXT_BYTES];
    uint32_t count;
    double memory_gib; /* of each; 0 when not told */
};

struct pa_claim {
    char center[PA_CLAIM_TEXT_BYTES];
    char operator_name[PA_CLAIM_TEXT_BYTES];
    char site_name[PA_CLAIM_TEXT_BYTES];
    char site_region[PA_CLAIM_TEXT_BYTES];
    double ramp_mw_per_s;  /* how fast the site's load may change; 0 when not told */
    double device_power_w; /* of one device under load; 0 when not told */
    double capacity_value; /* as written, in `capacity_unit` */
    char capacity_unit[16];
    double capacity_per_second; /* value x unit, operations a second */
    enum pa_precision precision;
    enum pa_basis basis;                         /* NONE when the claim leaves it to the policy */
    struct pa_claimed_accelerator *accelerators; /* owned; duplicates of a model are refused */
    uint32_t accelerator_count;
    double grid_connection_mw;        /* granted; negative when not told */
    char policy[PA_CLAIM_TEXT_BYTES]; /* built-in name or a path; empty when not told */
    uint8_t sha256[32];               /* of the file's bytes */
    char *text;                       /* the file's bytes, owned; kept in evidence */
    size_t text_bytes;
};

/* Read a claim from a file, or from bytes that evidence kept (`name` is what messages call them).
 */
int pa_claim_load(const char *path, struct pa_claim *out, struct pa_error *error);
int pa_claim_parse(const char *name, const void *data, size_t size, struct pa_claim *out,
                   struct pa_error *error);
void pa_claim_free(struct pa_claim *claim);

enum pa_rounding { PA_ROUND_PROPORTIONAL, PA_ROUND_WHOLE_BLOCKS };
enum pa_acceptance { PA_ACCEPT_GUARDED, PA_ACCEPT_SIMPLE };
enum pa_inflation { PA_INFLATION_REPORT, PA_INFLATION_DIVIDE };
enum pa_assurance { PA_ASSURANCE_SELF, PA_ASSURANCE_WITNESSED, PA_ASSURANCE_ATTESTED };

const char *pa_assurance_name(enum pa_assurance assurance);

/* What a requirement is about. */
enum pa_quantity {
    PA_QUANTITY_CAPACITY,       /* operations a second, on the policy's basis */
    PA_QUANTITY_IT_POWER,       /* W, mean over the work, by a meter of the mains */
    PA_QUANTITY_FACILITY_POWER, /* the same of the whole site */
    PA_QUANTITY_PUE,            /* facility over IT, over the same time */
    PA_QUANTITY_DEVICES         /* how many devices of a model deliver a share of their peak */
};
enum { PA_QUANTITIES = 5 };
const char *pa_quantity_name(enum pa_quantity quantity); /* "capacity", "it_power", .. */

struct pa_requirement {
    enum pa_quantity quantity;
    bool is_at_most;   /* else at least */
    double limit;      /* in operations a second, W, a ratio or devices */
    double as_written; /* in `unit` */
    char unit[16];     /* empty for ratios and counts */
    char model[PA_CLAIM_TEXT_BYTES];
    double share_of_peak; /* what each of the devices must deliver, 0..1 */
};

/* What decides the verdict. */
enum pa_judges { PA_JUDGES_CLAIM, PA_JUDGES_REQUIREMENTS, PA_JUDGES_BOTH };
const char *pa_judges_name(enum pa_judges judges);

/* What the rule leaves open: all readings are printed. */
enum { PA_OPEN_BASIS = 1, PA_OPEN_PRECISION = 2, PA_OPEN_ROUNDING = 4 };
enum { PA_POLICY_MOST_REQUIREMENTS = 16, PA_POLICY_MOST_PROBES = 8 };

struct pa_policy {
    char name[PA_CLAIM_TEXT_BYTES]; /* key `policy` */
    char title[PA_CLAIM_TEXT_BYTES];
    char source[1024]; /* clause, date, link; what is open and what is assumed */
    bool has_entitlement;
    double entitlement_mw;         /* this many MW ... */
    double entitlement_per_pflops; /* ... for every so many PFLOPS */
    enum pa_rounding rounding;
    enum pa_basis basis; /* which basis counts; wins over the claim's word */
    enum pa_acceptance acceptance;
    double k;           /* coverage factor of the guard band, 2 */
    uint64_t window_ns; /* least time of proven work */
    uint64_t epoch_ns;
    double alpha;
    uint32_t openings;                         /* of the whole session, over all its epochs */
    uint64_t radius_ns[PA_POLICY_MOST_PROBES]; /* lengths of short epochs, the longest first */
    uint32_t radius_count;                     /* 0: no radius is wanted */
    uint32_t interruptions;
    uint64_t longest_gap_ns;
    uint32_t watermark_bits; /* of the power watermark; 0: none is asked for */
    uint64_t watermark_half_ns, watermark_settle_ns;
    bool wants_fabric; /* a fabric proof, where there are two devices or more */
    enum pa_inflation inflation;
    enum pa_assurance assurance; /* the least level that can PASS */
    enum pa_judges judges;
    struct pa_requirement requirements[PA_POLICY_MOST_REQUIREMENTS];
    uint32_t requirement_count;
    unsigned open; /* bits PA_OPEN_.. */
    uint8_t sha256[32];
    char *text; /* the file's bytes, owned */
    size_t text_bytes;
};

/* `name_or_path`: a built-in name (no slash, no dot), else a file. */
int pa_policy_load(const char *name_or_path, struct pa_policy *out, struct pa_error *error);
int pa_policy_parse(const char *name, const void *data, size_t size, struct pa_policy *out,
                    struct pa_error *error);
void pa_policy_free(struct pa_policy *policy);
/* Names of the built-in policies, ended by NULL, and the text of one (NULL when unknown). */
const char *const *pa_policy_names(void);
const char *pa_policy_text(const char *name, size_t *size);
/* "at least 100 EOPS of capacity": one requirement in words. */
enum { PA_REQUIREMENT_TEXT_BYTES = 448 };
void pa_requirement_text(const struct pa_requirement *requirement,
                         char out[PA_REQUIREMENT_TEXT_BYTES]);
/* "basis, precision": what the rule leaves open; empty when nothing. */
void pa_policy_open_text(const struct pa_policy *policy, char *out, size_t size);
/* Append the policy in words, then one line that begins with "warning: " for each gap. PA_EMEMORY.
 */
int pa_policy_describe(const struct pa_policy *policy, struct pa_buffer *out);

enum pa_confidence { PA_CONFIDENCE_LOW, PA_CONFIDENCE_MEDIUM, PA_CONFIDENCE_HIGH };
const char *pa_confidence_name(enum pa_confidence confidence); /* "low", "medium", "high" */

/* A narrow format that the device is known not to have. */
#define PA_NO_SUCH_UNIT (-1.0)

/* All figures are those of one device as its driver shows it. */
struct pa_catalogue_row {
    const char *vendor, *model, *source;
    double memory_gib;
    double tdp_w;              /* 0 where the table is silent */
    double peak_per_second[8]; /* dense, by enum pa_precision; 0 where the table is silent */
    /* Narrower formats, for what they could stand in for; 0 where the table is silent. */
    double fp6_per_second, fp4_per_second, int4_per_second;
    enum pa_confidence confidence;
};

/* The row whose `matches` has the whole name (case as written), or NULL: an unknown device has no
 * peak, never a default. */
const struct pa_catalogue_row *pa_catalogue_find(const char *device_name);
uint32_t pa_catalogue_rows(void);
const struct pa_catalogue_row *pa_catalogue_row_at(uint32_t index);
/* SHA-256 of the embedded table's bytes, for the certificate. */
void pa_catalogue_sha256(uint8_t out[32]);

#endif
