/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/members.h"

#define END                                                                                        \
    { NULL, PA_MEMBER_TEXT, NULL }

static const struct pa_member accelerator_members[] = {
    {"count", PA_MEMBER_COUNT, NULL},
    {"memory_gib", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"model", PA_MEMBER_TEXT, NULL},
    END,
};

static const struct pa_member allreduce_members[] = {
    {"algbw_gbs", PA_MEMBER_DECIMAL, NULL}, {"busbw_gbs", PA_MEMBER_DECIMAL, NULL},
    {"bytes", PA_MEMBER_COUNT, NULL},       {"ranks", PA_MEMBER_COUNT, NULL},
    {"verified", PA_MEMBER_TRUTH, NULL},    END,
};

static const struct pa_member claim_members[] = {
    {"accelerators", PA_MEMBER_LIST, accelerator_members},
    {"basis", PA_MEMBER_TEXT, NULL},
    {"is_declared", PA_MEMBER_TRUTH, NULL},
    {"pflops", PA_MEMBER_DECIMAL, NULL},
    {"precision", PA_MEMBER_TEXT, NULL},
    {"text_base64", PA_MEMBER_BASE64, NULL},
    {"text_sha256", PA_MEMBER_HEX32, NULL},
    {"unit", PA_MEMBER_TEXT, NULL},
    {"value", PA_MEMBER_DECIMAL, NULL},
    END,
};

static const struct pa_member device_list_members[] = {
    {"listed", PA_MEMBER_COUNT, NULL},
    {"selection", PA_MEMBER_TEXT, NULL},
    {"sha256", PA_MEMBER_HEX32_OR_NULL, NULL},
    END,
};

static const struct pa_member device_members[] = {
    {"backend", PA_MEMBER_TEXT, NULL},
    {"catalogue_confidence", PA_MEMBER_TEXT | PA_MEMBER_LATER, NULL},
    {"declared_name", PA_MEMBER_TEXT, NULL},
    {"details", PA_MEMBER_TEXT, NULL},
    {"efficiency", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"format", PA_MEMBER_TEXT, NULL},
    {"host", PA_MEMBER_TEXT, NULL},
    {"id", PA_MEMBER_TEXT, NULL},
    {"is_changed", PA_MEMBER_TRUTH, NULL},
    {"is_emulated", PA_MEMBER_TRUTH, NULL},
    {"is_lost", PA_MEMBER_TRUTH, NULL},
    {"library", PA_MEMBER_TEXT, NULL},
    {"lost_text", PA_MEMBER_TEXT, NULL},
    {"m", PA_MEMBER_COUNT, NULL},
    {"memory_bytes", PA_MEMBER_COUNT, NULL},
    {"n", PA_MEMBER_COUNT, NULL},
    {"name", PA_MEMBER_TEXT, NULL},
    {"nominal_pflops", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"number", PA_MEMBER_COUNT | PA_MEMBER_LATER, NULL},
    {"partition", PA_MEMBER_TEXT | PA_MEMBER_LATER, NULL},
    {"peak_basis", PA_MEMBER_TEXT, NULL},
    {"peak_pflops", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"pflops", PA_MEMBER_DECIMAL, NULL},
    {"raw_pflops", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"steps", PA_MEMBER_COUNT, NULL},
    {"substitution_basis", PA_MEMBER_TEXT | PA_MEMBER_LATER, NULL},
    {"substitution_bound", PA_MEMBER_DECIMAL | PA_MEMBER_LATER, NULL},
    {"variant", PA_MEMBER_TEXT, NULL},
    END,
};

static const struct pa_member reading_members[] = {
    {"basis", PA_MEMBER_TEXT, NULL},
    {"is_judged", PA_MEMBER_TRUTH, NULL},
    {"mw", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"overclaim_mw", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"pflops", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"precision", PA_MEMBER_TEXT, NULL},
    {"rounding", PA_MEMBER_TEXT, NULL},
    END,
};

static const struct pa_member entitlement_members[] = {
    {"counted_pflops", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"granted_mw", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"granted_pflops", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"mw", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"overclaim_mw", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"readings", PA_MEMBER_LIST | PA_MEMBER_LATER, reading_members},
    END,
};

static const struct pa_member epoch_members[] = {
    {"drawn", PA_MEMBER_COUNT, NULL},    {"failed", PA_MEMBER_COUNT, NULL},
    {"gap_s", PA_MEMBER_DECIMAL, NULL},  {"is_probe", PA_MEMBER_TRUTH | PA_MEMBER_LATER, NULL},
    {"missing", PA_MEMBER_COUNT, NULL},  {"number", PA_MEMBER_COUNT, NULL},
    {"pflops", PA_MEMBER_DECIMAL, NULL}, {"seconds", PA_MEMBER_DECIMAL, NULL},
    {"state", PA_MEMBER_TEXT, NULL},     {"t0_utc", PA_MEMBER_UTC, NULL},
    {"t1_utc", PA_MEMBER_UTC, NULL},     END,
};

static const struct pa_member finding_members[] = {
    {"advice", PA_MEMBER_TEXT | PA_MEMBER_LATER, NULL},
    {"code", PA_MEMBER_TEXT, NULL},
    {"evidence", PA_MEMBER_TEXT | PA_MEMBER_LATER, NULL},
    {"severity", PA_MEMBER_TEXT, NULL},
    {"text", PA_MEMBER_TEXT, NULL},
    END,
};

static const struct pa_member judged_members[] = {
    {"acceptance_limit", PA_MEMBER_DECIMAL | PA_MEMBER_LATER, NULL},
    {"basis", PA_MEMBER_TEXT, NULL},
    {"conformity", PA_MEMBER_DECIMAL, NULL},
    {"consumer_risk", PA_MEMBER_DECIMAL | PA_MEMBER_LATER, NULL},
    {"guarded", PA_MEMBER_TEXT | PA_MEMBER_LATER, NULL},
    {"pflops", PA_MEMBER_DECIMAL, NULL},
    {"producer_risk", PA_MEMBER_DECIMAL | PA_MEMBER_LATER, NULL},
    {"rejection_limit", PA_MEMBER_DECIMAL | PA_MEMBER_LATER, NULL},
    {"simple", PA_MEMBER_TEXT | PA_MEMBER_LATER, NULL},
    {"u", PA_MEMBER_DECIMAL, NULL},
    END,
};

static const struct pa_member judges_again_members[] = {
    {"statement_sha256", PA_MEMBER_HEX32_OR_NULL, NULL},
    {"verdict", PA_MEMBER_TEXT, NULL},
    END,
};

static const struct pa_member source_members[] = {
    {"basis", PA_MEMBER_TEXT, NULL},
    {"contribution", PA_MEMBER_DECIMAL, NULL},
    {"distribution", PA_MEMBER_TEXT, NULL},
    {"evaluation", PA_MEMBER_TEXT, NULL},
    {"freedom", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"name", PA_MEMBER_TEXT, NULL},
    {"sensitivity", PA_MEMBER_DECIMAL, NULL},
    {"standard", PA_MEMBER_DECIMAL, NULL},
    {"value", PA_MEMBER_DECIMAL, NULL},
    END,
};

static const struct pa_member uncertainty_members[] = {
    {"combined", PA_MEMBER_DECIMAL, NULL},
    {"coverage", PA_MEMBER_DECIMAL, NULL},
    {"expanded", PA_MEMBER_DECIMAL, NULL},
    {"expanded_95", PA_MEMBER_DECIMAL, NULL},
    {"freedom", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"k", PA_MEMBER_DECIMAL, NULL},
    {"k_95", PA_MEMBER_DECIMAL, NULL},
    {"quantity", PA_MEMBER_TEXT, NULL},
    {"sources", PA_MEMBER_LIST, source_members},
    {"unit", PA_MEMBER_TEXT, NULL},
    {"value", PA_MEMBER_DECIMAL, NULL},
    END,
};

static const struct pa_member requirement_members[] = {
    {"bound", PA_MEMBER_TEXT, NULL},
    {"conformity", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"expanded", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"limit", PA_MEMBER_DECIMAL, NULL},
    {"model", PA_MEMBER_TEXT, NULL},
    {"quantity", PA_MEMBER_TEXT, NULL},
    {"reason", PA_MEMBER_TEXT, NULL},
    {"share_of_peak", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"sources", PA_MEMBER_LIST, source_members},
    {"text", PA_MEMBER_TEXT, NULL},
    {"unit", PA_MEMBER_TEXT, NULL},
    {"value", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"verdict", PA_MEMBER_TEXT, NULL},
    END,
};

static const struct pa_member coupled_members[] = {
    {"bytes", PA_MEMBER_COUNT | PA_MEMBER_LATER, NULL},
    {"hosts", PA_MEMBER_COUNT | PA_MEMBER_LATER, NULL},
    {"loss", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"pflops", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"ranks", PA_MEMBER_COUNT | PA_MEMBER_LATER, NULL},
    {"reason", PA_MEMBER_TEXT | PA_MEMBER_LATER, NULL},
    {"state", PA_MEMBER_TEXT, NULL},
    {"steps", PA_MEMBER_COUNT | PA_MEMBER_LATER, NULL},
    {"sum_pflops", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    END,
};

static const struct pa_member nominal_members[] = {
    {"catalogue_sha256", PA_MEMBER_HEX32 | PA_MEMBER_LATER, NULL},
    {"devices_known", PA_MEMBER_COUNT | PA_MEMBER_LATER, NULL},
    {"devices_unknown", PA_MEMBER_COUNT | PA_MEMBER_LATER, NULL},
    {"pflops", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"reference_pflops", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    END,
};

static const struct pa_member not_proven_members[] = {
    {"code", PA_MEMBER_TEXT, NULL},
    {"text", PA_MEMBER_TEXT, NULL},
    END,
};

static const struct pa_member openings_members[] = {
    {"drawn", PA_MEMBER_COUNT, NULL},
    {"failed", PA_MEMBER_COUNT, NULL},
    {"first_failure", PA_MEMBER_TEXT, NULL},
    {"missing", PA_MEMBER_COUNT, NULL},
    END,
};

static const struct pa_member policy_members[] = {
    {"acceptance", PA_MEMBER_TEXT, NULL},
    {"alpha", PA_MEMBER_DECIMAL, NULL},
    {"assurance", PA_MEMBER_TEXT, NULL},
    {"basis", PA_MEMBER_TEXT, NULL},
    {"entitlement_mw", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"entitlement_per_pflops", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"epoch_s", PA_MEMBER_DECIMAL, NULL},
    {"inflation", PA_MEMBER_TEXT, NULL},
    {"interruptions", PA_MEMBER_COUNT, NULL},
    {"is_declared", PA_MEMBER_TRUTH, NULL},
    {"judges", PA_MEMBER_TEXT | PA_MEMBER_LATER, NULL},
    {"k", PA_MEMBER_DECIMAL, NULL},
    {"longest_gap_s", PA_MEMBER_DECIMAL, NULL},
    {"name", PA_MEMBER_TEXT, NULL},
    {"open", PA_MEMBER_TEXT | PA_MEMBER_LATER, NULL},
    {"openings", PA_MEMBER_COUNT, NULL},
    {"rounding", PA_MEMBER_TEXT, NULL},
    {"sha256", PA_MEMBER_HEX32, NULL},
    {"source", PA_MEMBER_TEXT, NULL},
    {"text_base64", PA_MEMBER_BASE64, NULL},
    {"title", PA_MEMBER_TEXT, NULL},
    {"window_s", PA_MEMBER_DECIMAL, NULL},
    END,
};

static const struct pa_member curve_members[] = {
    {"at_s", PA_MEMBER_DECIMAL, NULL},
    {"facility_w", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"generated_w", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"it_w", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    END,
};

static const struct pa_member meter_members[] = {
    {"class_percent", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"counter_kwh", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"covered_s", PA_MEMBER_DECIMAL, NULL},
    {"details", PA_MEMBER_TEXT, NULL},
    {"energy_kwh", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"failures", PA_MEMBER_COUNT, NULL},
    {"integrated_kwh", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"interval_s", PA_MEMBER_DECIMAL, NULL},
    {"is_component", PA_MEMBER_TRUTH, NULL},
    {"is_counted", PA_MEMBER_TRUTH, NULL},
    {"least_w", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"longest_gap_s", PA_MEMBER_DECIMAL, NULL},
    {"most_w", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"name", PA_MEMBER_TEXT, NULL},
    {"readings", PA_MEMBER_COUNT, NULL},
    {"role", PA_MEMBER_TEXT, NULL},
    {"share", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"source", PA_MEMBER_TEXT, NULL},
    {"trouble", PA_MEMBER_TEXT, NULL},
    {"watts", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"watts_u", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    END,
};

static const struct pa_member device_power_members[] = {
    {"counter_gap", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"counter_w", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"device", PA_MEMBER_COUNT, NULL},
    {"watts", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    END,
};

static const struct pa_member power_members[] = {
    {"curve", PA_MEMBER_LIST | PA_MEMBER_LATER, curve_members},
    {"devices", PA_MEMBER_LIST | PA_MEMBER_LATER, device_power_members},
    {"energy_kwh", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"facility_w", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"generated_w", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"generated_w_u", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"green_share", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"is_component", PA_MEMBER_TRUTH | PA_MEMBER_LATER, NULL},
    {"it_w", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"level", PA_MEMBER_TEXT, NULL},
    {"level_reason", PA_MEMBER_TEXT | PA_MEMBER_LATER, NULL},
    {"load_w", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"meters", PA_MEMBER_LIST | PA_MEMBER_LATER, meter_members},
    {"pflops_per_mw", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"pue", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"pue_u", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"pv_w", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"scope", PA_MEMBER_TEXT | PA_MEMBER_LATER, NULL},
    {"source", PA_MEMBER_TEXT, NULL},
    {"watts", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"watts_u", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"wind_w", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {"window_s", PA_MEMBER_DECIMAL | PA_MEMBER_LATER, NULL},
    END,
};

static const struct pa_member radius_members[] = {
    {"aborted", PA_MEMBER_COUNT, NULL},
    {"closed", PA_MEMBER_COUNT, NULL},
    {"declared", PA_MEMBER_COUNT, NULL},
    {"honest_fraction_lower", PA_MEMBER_DECIMAL, NULL},
    {"is_credited", PA_MEMBER_TRUTH, NULL},
    {"length_s", PA_MEMBER_DECIMAL, NULL},
    {"longest_s", PA_MEMBER_DECIMAL, NULL},
    {"n_effective", PA_MEMBER_DECIMAL, NULL},
    {"radius_km", PA_MEMBER_DECIMAL, NULL},
    {"rate_pflops", PA_MEMBER_DECIMAL, NULL},
    {"remote_share_most", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"verified_pflops", PA_MEMBER_DECIMAL, NULL},
    END,
};

static const struct pa_member raw_members[] = {
    {"pflops", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    END,
};

static const struct pa_member session_members[] = {
    {"alpha", PA_MEMBER_DECIMAL, NULL},
    {"begun_utc", PA_MEMBER_UTC, NULL},
    {"broken", PA_MEMBER_TEXT, NULL},
    {"class", PA_MEMBER_TEXT, NULL},
    {"clock_step_s", PA_MEMBER_DECIMAL, NULL},
    {"ended_utc", PA_MEMBER_UTC, NULL},
    {"epoch_s", PA_MEMBER_DECIMAL, NULL},
    {"epochs", PA_MEMBER_COUNT, NULL},
    {"hash", PA_MEMBER_HEX32, NULL},
    {"interruptions", PA_MEMBER_COUNT, NULL},
    {"is_finished", PA_MEMBER_TRUTH, NULL},
    {"k", PA_MEMBER_COUNT, NULL},
    {"longest_gap_s", PA_MEMBER_DECIMAL, NULL},
    {"openings", PA_MEMBER_COUNT, NULL},
    {"proven", PA_MEMBER_TEXT, NULL},
    {"prover_key_id", PA_MEMBER_HEX32, NULL},
    {"records", PA_MEMBER_COUNT, NULL},
    {"serial", PA_MEMBER_COUNT, NULL},
    {"test_build", PA_MEMBER_TEXT, NULL},
    {"witness_key_id", PA_MEMBER_HEX32, NULL},
    END,
};

static const struct pa_member signer_members[] = {
    {"key_id", PA_MEMBER_HEX32, NULL},
    {"public_key", PA_MEMBER_BASE64, NULL},
    END,
};

static const struct pa_member site_members[] = {
    {"declared", PA_MEMBER_TEXT, NULL},
    {"name", PA_MEMBER_TEXT, NULL},
    {"region", PA_MEMBER_TEXT, NULL},
    END,
};

static const struct pa_member supersedes_members[] = {
    {"statement_sha256", PA_MEMBER_HEX32_OR_NULL, NULL},
    END,
};

static const struct pa_member tool_members[] = {
    {"commit", PA_MEMBER_TEXT, NULL},
    {"sha256", PA_MEMBER_HEX32_OR_EMPTY, NULL},
    {"version", PA_MEMBER_TEXT, NULL},
    END,
};

static const struct pa_member validity_members[] = {
    {"from_utc", PA_MEMBER_UTC, NULL},
    {"until_utc", PA_MEMBER_UTC, NULL},
    END,
};

static const struct pa_member verified_members[] = {
    {"alpha_r", PA_MEMBER_DECIMAL, NULL},
    {"confidence", PA_MEMBER_DECIMAL, NULL},
    {"confidence_text", PA_MEMBER_TEXT, NULL},
    {"gap_s", PA_MEMBER_DECIMAL, NULL},
    {"gaps", PA_MEMBER_COUNT, NULL},
    {"honest_fraction_lower", PA_MEMBER_DECIMAL, NULL},
    {"n_effective", PA_MEMBER_DECIMAL, NULL},
    {"operations", PA_MEMBER_DECIMAL, NULL},
    {"pflops", PA_MEMBER_DECIMAL, NULL},
    {"rate_pflops", PA_MEMBER_DECIMAL, NULL},
    {"seconds", PA_MEMBER_DECIMAL, NULL},
    {"substitution_bound", PA_MEMBER_DECIMAL, NULL},
    {"u", PA_MEMBER_DECIMAL, NULL},
    END,
};

static const struct pa_member half_members[] = {
    {"at_s", PA_MEMBER_DECIMAL, NULL},
    {"is_on", PA_MEMBER_TRUTH, NULL},
    {"watts", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    END,
};

static const struct pa_member watermark_members[] = {
    {"bits", PA_MEMBER_COUNT, NULL},
    {"half_bit_s", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"halves", PA_MEMBER_LIST, half_members},
    {"is_found", PA_MEMBER_TRUTH, NULL},
    {"p", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"scope", PA_MEMBER_TEXT, NULL},
    {"settle_s", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"switched_w", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"t", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"usable_bits", PA_MEMBER_COUNT, NULL},
    END,
};

static const struct pa_member cut_members[] = {
    {"gbs_least", PA_MEMBER_DECIMAL, NULL},
    {"share", PA_MEMBER_DECIMAL, NULL},
    END,
};

static const struct pa_member fabric_members[] = {
    {"bytes", PA_MEMBER_COUNT, NULL},
    {"cuts", PA_MEMBER_LIST, cut_members},
    {"devices", PA_MEMBER_COUNT, NULL},
    {"drawn", PA_MEMBER_COUNT, NULL},
    {"exchange_s", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"failed", PA_MEMBER_COUNT, NULL},
    {"held_lower", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"rounds", PA_MEMBER_COUNT, NULL},
    {"state", PA_MEMBER_TEXT, NULL},
    {"twice_share", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"window_s", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    END,
};

const struct pa_member pa_predicate_members[] = {
    {"allreduce", PA_MEMBER_LIST, allreduce_members},
    {"assurance", PA_MEMBER_TEXT, NULL},
    {"center", PA_MEMBER_TEXT, NULL},
    {"claim", PA_MEMBER_OBJECT, claim_members},
    {"coupled", PA_MEMBER_OBJECT | PA_MEMBER_LATER, coupled_members},
    {"device_count", PA_MEMBER_COUNT, NULL},
    {"device_list", PA_MEMBER_OBJECT | PA_MEMBER_LATER, device_list_members},
    {"devices", PA_MEMBER_LIST, device_members},
    {"entitlement", PA_MEMBER_OBJECT, entitlement_members},
    {"epoch_count", PA_MEMBER_COUNT, NULL},
    {"epochs", PA_MEMBER_LIST, epoch_members},
    {"fabric", PA_MEMBER_OBJECT | PA_MEMBER_LATER, fabric_members},
    {"findings", PA_MEMBER_LIST, finding_members},
    {"issued_utc", PA_MEMBER_UTC, NULL},
    {"judged", PA_MEMBER_OBJECT, judged_members},
    {"judges_again", PA_MEMBER_OBJECT | PA_MEMBER_LATER, judges_again_members},
    {"nominal", PA_MEMBER_OBJECT, nominal_members},
    {"not_proven", PA_MEMBER_LIST, not_proven_members},
    {"openings", PA_MEMBER_OBJECT, openings_members},
    {"operator", PA_MEMBER_TEXT, NULL},
    {"policy", PA_MEMBER_OBJECT, policy_members},
    {"power", PA_MEMBER_OBJECT, power_members},
    {"radius", PA_MEMBER_LIST | PA_MEMBER_LATER, radius_members},
    {"raw", PA_MEMBER_OBJECT, raw_members},
    {"reason", PA_MEMBER_TEXT, NULL},
    {"rates", PA_MEMBER_LIST | PA_MEMBER_LATER, pa_rate_members},
    {"requirements", PA_MEMBER_LIST | PA_MEMBER_LATER, requirement_members},
    {"result", PA_MEMBER_TEXT, NULL},
    {"sample", PA_MEMBER_OBJECT | PA_MEMBER_LATER, pa_sample_members},
    {"schema", PA_MEMBER_TEXT, NULL},
    {"session", PA_MEMBER_OBJECT, session_members},
    {"signer", PA_MEMBER_OBJECT, signer_members},
    {"site", PA_MEMBER_OBJECT, site_members},
    {"stragglers", PA_MEMBER_LIST | PA_MEMBER_LATER, pa_straggler_members},
    {"supersedes", PA_MEMBER_OBJECT | PA_MEMBER_LATER, supersedes_members},
    {"tool", PA_MEMBER_OBJECT, tool_members},
    {"trusted_comment", PA_MEMBER_TEXT | PA_MEMBER_LATER, NULL},
    {"uncertainty", PA_MEMBER_OBJECT | PA_MEMBER_LATER, uncertainty_members},
    {"validity", PA_MEMBER_OBJECT | PA_MEMBER_LATER, validity_members},
    {"verdict", PA_MEMBER_TEXT, NULL},
    {"verified", PA_MEMBER_OBJECT, verified_members},
    {"watermark", PA_MEMBER_OBJECT | PA_MEMBER_LATER, watermark_members},
    END,
};

static const struct pa_member digest_members[] = {
    {"sha256", PA_MEMBER_HEX32, NULL},
    END,
};

static const struct pa_member subject_members[] = {
    {"digest", PA_MEMBER_OBJECT, digest_members},
    {"name", PA_MEMBER_TEXT, NULL},
    END,
};

const struct pa_member pa_statement_members[] = {
    {"_type", PA_MEMBER_TEXT, NULL},
    {"predicate", PA_MEMBER_OBJECT, pa_predicate_members},
    {"predicateType", PA_MEMBER_TEXT, NULL},
    {"subject", PA_MEMBER_LIST, subject_members},
    END,
};
