/* SPDX-License-Identifier: Apache-2.0 */
#include "report/strings.h"

const char *const pa_strings_en[PA_STRING_COUNT_STRINGS] = {
    [PA_STRING_LANGUAGE] = "en",
    [PA_STRING_TITLE_CERTIFICATE] = "Capacity certificate",
    [PA_STRING_TITLE_TEST] = "Test result",
    [PA_STRING_TEST_MARK] =
        "<b>TEST</b> This is not a certificate: the run was outside of a certificate's "
        "limits and says nothing about the capacity of a centre.",
    [PA_STRING_SELF_DECLARED] = "self-declared",
    [PA_STRING_WITNESSED] = "witnessed",
    [PA_STRING_ATTESTED] = "attested",
    [PA_STRING_CLAIMS_AND_PROVEN] = " claims <b>{0}</b>. <b>{1}</b> were proven: {2} of the claim.",
    [PA_STRING_CLAIMS_NOTHING_HOLDS] =
        " claims <b>{0}</b>. The evidence does not hold, so <b>nothing</b> counts as proven.",
    [PA_STRING_CLAIMS_NOMINAL] =
        " claims <b>{0}</b>. Judged by data sheets: <b>{1}</b>, {2} of the claim. Proven "
        "were {3}.",
    [PA_STRING_CLAIMS_AND_TESTED] =
        " claims <b>{0}</b>. The test work ran at <b>{1}</b>; it counts for nothing.",
    [PA_STRING_HOW_MEASURED] =
        ", sustained for {0} on {1} at once; U at k = 2. Rule: {2}, policy {3}.",
    [PA_STRING_GUARDED] = "guarded acceptance",
    [PA_STRING_SIMPLE] = "simple acceptance",
    [PA_STRING_CAPACITY] = "Capacity",
    [PA_STRING_CLAIMED] = "claimed",
    [PA_STRING_NOMINAL] = "nominal",
    [PA_STRING_LIBRARY_ALONE] = "library alone",
    [PA_STRING_PROVEN] = "proven",
    [PA_STRING_CLAIM] = "claim",
    [PA_STRING_NOT_KNOWN] = "not known",
    [PA_STRING_TEST_WORK] = "test work",
    [PA_STRING_ENTITLES] = "What it entitles to: grid connection at {0} MW for every {1} PFLOPS",
    [PA_STRING_GRANTED] = "granted {0} MW",
    [PA_STRING_GRANTED_UNKNOWN] = "granted: not told",
    [PA_STRING_ENTITLED] = "entitled {0} MW",
    [PA_STRING_OVERCLAIM] = "overclaim {0} MW",
    [PA_STRING_NO_OVERCLAIM] = "no overclaim",
    [PA_STRING_POWER_NOT_METERED] = "Power was not metered during the run.",
    [PA_STRING_WHO] = "Who",
    [PA_STRING_OPERATOR] = "Operator",
    [PA_STRING_SITE] = "Site",
    [PA_STRING_LISTED] = "Listed",
    [PA_STRING_ANSWERED] = "Answered",
    [PA_STRING_SIGNED_BY] = "Signed by",
    [PA_STRING_HOW_SURE] = "How sure",
    [PA_STRING_OPENINGS] = "Openings",
    [PA_STRING_OPENINGS_TEXT] = "{0} drawn, {1} failed, {2} missing",
    [PA_STRING_HONEST_SHARE] = "Honest share",
    [PA_STRING_CONFIDENCE] = "Confidence",
    [PA_STRING_EPOCHS] = "Epochs",
    [PA_STRING_EPOCHS_TEXT] = "{0} closed, {1} aborted",
    [PA_STRING_SUBSTITUTION] = "Substitution",
    [PA_STRING_CONFORMITY] = "Conformity",
    [PA_STRING_FINDINGS] = "Findings",
    [PA_STRING_NO_FINDINGS] = "none",
    [PA_STRING_MORE_FINDINGS] = "and {0} more",
    [PA_STRING_NOT_PROVEN] = "What this does not prove",
    [PA_STRING_FOOTER] =
        "Statement <code>sha256:{0}</code>, signed with ECDSA P-256, key id <code>{1}</code>.",
    [PA_STRING_FOOTER_CHECK] =
        "This page proves nothing by itself. Check it offline: <code>petaudit verify "
        "certificate.json --evidence evidence.db --trust SIGNER.pub</code>",
    [PA_STRING_RATE_OVER_TIME] = "Rate over time",
    [PA_STRING_RATE_CAPTION] =
        "Proven work of each epoch over its length, by the witness's clock. The verified "
        "figure is below the mean rate by what the sample of openings leaves open.",
    [PA_STRING_NO_EPOCHS] = "No epoch was measured.",
    [PA_STRING_SECONDS_AXIS] = "seconds of measured time",
    [PA_STRING_VERIFIED_LINE] = "verified {0}",
    [PA_STRING_ABORTED] = "aborted",
    [PA_STRING_DEVICES] = "Devices",
    [PA_STRING_DEVICE] = "Device",
    [PA_STRING_MODEL] = "Model, as it names itself",
    [PA_STRING_FORMAT] = "Format",
    [PA_STRING_SHAPE] = "M x N",
    [PA_STRING_STEPS] = "Steps",
    [PA_STRING_RATE] = "Rate",
    [PA_STRING_PEAK] = "Peak",
    [PA_STRING_EFFICIENCY] = "Share of peak",
    [PA_STRING_REMARK] = "Remark",
    [PA_STRING_LOST] = "lost: ",
    [PA_STRING_CHANGED] = "another device answered in its place later",
    [PA_STRING_EMULATED] = "emulated: no such hardware",
    [PA_STRING_SLOW] = "slow: {0} of its group's median",
    [PA_STRING_COUNT] = "Count",
    [PA_STRING_LEAST] = "Least",
    [PA_STRING_MEDIAN] = "Median",
    [PA_STRING_MOST] = "Most",
    [PA_STRING_GROUPED] = "{0} devices, grouped by model and format; rates are of one device.",
    [PA_STRING_LIKE_RATES] = "Rates of like devices",
    [PA_STRING_TENTH] = "10 %",
    [PA_STRING_NINE_TENTHS] = "90 %",
    [PA_STRING_MAD] = "MAD",
    [PA_STRING_STRAGGLERS] = "Hosts to look at first",
    [PA_STRING_STRAGGLERS_CAPTION] =
        "Slower than the median of their like by more than 5 x 1.4826 MAD (median absolute "
        "deviation) and by more than 5 %; the host with the slowest device first. Clock: the "
        "lowest, "
        "temperature: the highest while it worked.",
    [PA_STRING_STRAGGLER_HOST] = "Host",
    [PA_STRING_OF_MEDIAN] = "Of the median",
    [PA_STRING_CLOCK_MHZ] = "Clock, MHz",
    [PA_STRING_DEVICE_WATTS] = "Power, W",
    [PA_STRING_CELSIUS] = "\xc2\xb0"
                          "C",
    [PA_STRING_OUTLIERS] = "Devices that stand out",
    [PA_STRING_NO_OUTLIERS] =
        "No device stands out: none was lost or replaced, and each reached at least 85 % of "
        "its group's median.",
    [PA_STRING_MORE_ROWS] = "{0} more are in certificate.json.",
    [PA_STRING_ALLREDUCE] = "All-reduce",
    [PA_STRING_ALLREDUCE_CAPTION] =
        "Bandwidths as nccl-tests define them; results were checked, traffic is not proven.",
    [PA_STRING_NO_ALLREDUCE] = "All-reduce was not measured.",
    [PA_STRING_TOGETHER] =
        "As one system, {0} devices on {1} host(s) delivered {2} with an all-reduce of {3} bytes "
        "after each of {4} steps: {5} % less than the {6} of the same devices, each by itself. "
        "This is measured, not proven.",
    [PA_STRING_NOT_TOGETHER] = "Not measured as one system: ",
    [PA_STRING_BYTES] = "Bytes",
    [PA_STRING_RANKS] = "Ranks",
    [PA_STRING_ALGBW] = "algbw, GB/s",
    [PA_STRING_BUSBW] = "busbw, GB/s",
    [PA_STRING_RESULT] = "Result",
    [PA_STRING_RESULT_RIGHT] = "right",
    [PA_STRING_RESULT_WRONG] = "WRONG",
    [PA_STRING_NUMBER] = "No.",
    [PA_STRING_STATE] = "State",
    [PA_STRING_BEGAN] = "Began, UTC",
    [PA_STRING_SECONDS] = "Seconds",
    [PA_STRING_DRAWN] = "Drawn",
    [PA_STRING_FAILED] = "Failed",
    [PA_STRING_MISSING] = "Missing",
    [PA_STRING_GAP_BEFORE] = "Gap before, s",
    [PA_STRING_FIRST_FAILURE] = "First opening that failed: ",
    [PA_STRING_BROKEN] = "The evidence is broken: ",
    [PA_STRING_TEST_BUILD] = "Measured by a test build: ",
    [PA_STRING_UNCERTAINTY] = "How the figure and its uncertainty come about",
    [PA_STRING_UNCERTAINTY_TEXT] =
        "The verified rate is the proven work over the witness's time, times the least "
        "honest share that the openings allow. U is the expanded uncertainty at k = 2 after "
        "the GUM.",
    [PA_STRING_QUANTITY] = "Quantity",
    [PA_STRING_VALUE] = "Value",
    [PA_STRING_Q_OPERATIONS] = "Proven operations, 2MNK each product",
    [PA_STRING_Q_SECONDS] = "Witness's time, s",
    [PA_STRING_Q_RATE] = "Rate before the bound",
    [PA_STRING_Q_N_EFFECTIVE] = "Effective openings",
    [PA_STRING_Q_ALPHA] = "Error probability of this session",
    [PA_STRING_Q_HONEST] = "Least honest share",
    [PA_STRING_Q_VERIFIED] = "Verified rate",
    [PA_STRING_Q_U] = "U, k = 2",
    [PA_STRING_Q_JUDGED] = "Judged figure",
    [PA_STRING_Q_GAPS] = "Interruptions, and their length in s",
    [PA_STRING_Q_CLOCK_STEP] = "Largest step of UTC against the clock, s",
    [PA_STRING_SEVERITY] = "Severity",
    [PA_STRING_TEXT] = "Finding",
    [PA_STRING_RULE] = "Policy and claim",
    [PA_STRING_RULE_REJUDGED] =
        "Judged again: claim or policy are not those that the session was declared with.",
    [PA_STRING_PARAMETER] = "Parameter",
    [PA_STRING_EVIDENCE] = "Evidence",
    [PA_STRING_SECONDS_LONG] = "{0} s",
    [PA_STRING_MINUTES_LONG] = "{0} min",
    [PA_STRING_ONE_DEVICE] = "{0} device",
    [PA_STRING_MANY_DEVICES] = "{0} devices",
    [PA_STRING_AS_ONE_SYSTEM] = "as one system",
    [PA_STRING_ENTITLED_BAR] = "entitled",
    [PA_STRING_VALID_UNTIL] = "Valid until",
    [PA_STRING_PDF_SIGNED] =
        "This PDF carries the certificate as an attachment and a signature (PAdES) of the "
        "same key.",
    [PA_STRING_PDF_NOT_SIGNED] =
        "This PDF carries the certificate as an attachment; the PDF itself is not signed.",
    [PA_STRING_PAGE_OF] = "page {0} of {1}",
    [PA_STRING_METHOD] = "How it was measured",
    [PA_STRING_METHOD_WORK] =
        "Every device multiplies dense matrices of pseudorandom numbers for the whole "
        "window, all devices at once. The numbers follow from a challenge that is drawn when "
        "the epoch begins, and each product feeds the next: nothing can be prepared, "
        "repeated or left out. 2MNK operations count for a product; sparsity, repetitions "
        "and transfers count for nothing.",
    [PA_STRING_METHOD_PROOF] =
        "At the end of an epoch each device commits to its results by a hash. Only then are "
        "places drawn at random; the tiles there are opened, computed again in exact "
        "arithmetic by other code, and compared bit by bit.",
    [PA_STRING_METHOD_BOUND] =
        "The verified rate is the proven work over the time by the clock of the witness, "
        "times the least share of honest work that the sample of openings leaves possible. "
        "No best run is picked and nothing is subtracted for generating, hashing or "
        "communicating.",
    [PA_STRING_METHOD_DECISION] =
        "With claim T, result y and expanded uncertainty U, guarded acceptance says PASS if "
        "y - U is at least T, FAIL if y + U is below T, and else INCONCLUSIVE; simple "
        "acceptance compares y with T (JCGM 106). Evidence that does not hold is INVALID "
        "whatever its figures are.",
    [PA_STRING_BUDGET] = "Uncertainty budget",
    [PA_STRING_BUDGET_CAPTION] =
        "Type A: from the scatter of observations; type B: from other knowledge (GUM). "
        "Contributions are in {0}; the share is of the combined variance.",
    [PA_STRING_SOURCE] = "Source",
    [PA_STRING_KIND] = "Type",
    [PA_STRING_DISTRIBUTION] = "Distribution",
    [PA_STRING_STANDARD_U] = "u",
    [PA_STRING_SENSITIVITY] = "Sensitivity",
    [PA_STRING_CONTRIBUTION] = "Contribution",
    [PA_STRING_SHARE] = "Share",
    [PA_STRING_FREEDOM] = "Degrees of freedom",
    [PA_STRING_Q_FREEDOM] = "Effective degrees of freedom",
    [PA_STRING_WHERE] = "Where",
    [PA_STRING_ADVICE] = "What to do",
    [PA_STRING_RULE_CAPTION] =
        "Members and values as they stand in the signed statement; the files themselves are "
        "in certificate.json.",
    [PA_STRING_TRANSCRIPT_HASH] = "Transcript, SHA-256 of its last record",
    [PA_STRING_STATEMENT_HASH] = "Statement, SHA-256",
    [PA_STRING_SIGNER_KEY_ID] = "Key id of the signer",
    [PA_STRING_SUPERSEDES] = "Takes the place of statement",
    [PA_STRING_YES] = "yes",
    [PA_STRING_NO] = "no",
    [PA_STRING_AS_SIGNED] = "",
    [PA_STRING_POWER] = "Power",
    [PA_STRING_POWER_OVER_TIME] = "Power over time",
    [PA_STRING_POWER_AXIS] = "seconds of the window",
    [PA_STRING_POWER_IT] = "IT load",
    [PA_STRING_POWER_FACILITY] = "Whole facility",
    [PA_STRING_GENERATED] = "PV and wind",
    [PA_STRING_POWER_PV] = "PV",
    [PA_STRING_POWER_WIND] = "Wind",
    [PA_STRING_ENERGY] = "Energy of the run",
    [PA_STRING_PFLOPS_PER_MW] = "PFLOPS per MW",
    [PA_STRING_POWER_LEVEL] = "EE HPC WG level that the data supports",
    [PA_STRING_POWER_LEVEL_N] = "level {0}",
    [PA_STRING_POWER_NO_LEVEL] = "none",
    [PA_STRING_PUE] = "PUE",
    [PA_STRING_GREEN_SHARE] = "Green share of the load",
    [PA_STRING_GREEN] = "Granted, generated and used",
    [PA_STRING_GRANTED_MW] = "Granted grid connection",
    [PA_STRING_GENERATED_MW] = "Generated by PV and wind",
    [PA_STRING_LOAD_MW] = "Load that they are meant for",
    [PA_STRING_POWER_IS_COMPONENT] =
        "Read from sensors inside of the machines (RAPL, NVML): they do not see power "
        "supplies, fans and cooling.",
    [PA_STRING_WATERMARK] = "Power watermark",
    [PA_STRING_WATERMARK_AXIS] = "seconds of the watermark",
    [PA_STRING_WATERMARK_TOLD] = "load told to be on",
    [PA_STRING_WATERMARK_READ] = "power that the meter read",
    [PA_STRING_WATERMARK_FOUND] = "The load followed secret commands of the witness, and power at "
                                  "the meter followed the load.",
    [PA_STRING_WATERMARK_NOT_FOUND] =
        "Power at the meter did not follow the secret commands of the witness.",
    [PA_STRING_WATERMARK_NOT_WHOLE] = "The watermark was not run to its end: it shows nothing.",
    [PA_STRING_WATERMARK_BITS] = "Secret bits, two half-bits each",
    [PA_STRING_WATERMARK_USABLE] = "Bits with readings of both halves",
    [PA_STRING_WATERMARK_HALF] = "Length of a half-bit",
    [PA_STRING_WATERMARK_SETTLE] = "Left out after each switch",
    [PA_STRING_WATERMARK_SWITCHED] = "Load that went on and off, mean",
    [PA_STRING_WATERMARK_T] = "t (found above 5)",
    [PA_STRING_WATERMARK_P] = "p, by 99,999 re-randomisations (found up to 0.0001)",
    [PA_STRING_WATERMARK_CAVEAT] =
        "It shows that power at this meter follows the commands. A load bank at the meter could do "
        "that, too, and the meter must be the auditor's.",
    [PA_STRING_METERS] = "Meters",
    [PA_STRING_ROLE] = "Role",
    [PA_STRING_METER] = "Meter",
    [PA_STRING_METER_CLASS] = "Class, %",
    [PA_STRING_READINGS] = "Readings",
    [PA_STRING_FAILURES] = "Failures",
    [PA_STRING_INTERVAL] = "Interval, s",
    [PA_STRING_COVERED] = "Covered, s",
    [PA_STRING_LONGEST_GAP] = "Longest gap, s",
    [PA_STRING_MEAN] = "Mean",
    [PA_STRING_BY_RULES] = "What either acceptance rule says",
    [PA_STRING_RULE_NAME] = "Rule",
    [PA_STRING_SAYS] = "Says",
    [PA_STRING_ACCEPT_FROM] = "Accepts from",
    [PA_STRING_REJECT_BELOW] = "Rejects below",
    [PA_STRING_CONSUMER_RISK] = "Risk of accepting wrongly",
    [PA_STRING_PRODUCER_RISK] = "Risk of rejecting wrongly",
    [PA_STRING_READINGS_OF_RULE] = "What the rule leaves open, in each reading",
    [PA_STRING_READINGS_CAPTION] =
        "The clause does not say which basis and precision count. Every reading is given; "
        "the marked one was judged.",
    [PA_STRING_BASIS] = "Basis",
    [PA_STRING_PRECISION] = "Precision",
    [PA_STRING_ROUNDING] = "Rounding",
    [PA_STRING_FIGURE] = "Figure",
    [PA_STRING_ENTITLED_MW] = "Entitled, MW",
    [PA_STRING_OVERCLAIM_MW] = "Overclaim, MW",
    [PA_STRING_JUDGED_HERE] = "judged",
    [PA_STRING_REQUIREMENTS] = "Requirements of the policy",
    [PA_STRING_REQUIREMENT] = "Requirement",
    [PA_STRING_LIMIT] = "Limit",
    [PA_STRING_MEASURED] = "Measured",
    [PA_STRING_VERDICT] = "Verdict",
    [PA_STRING_CATALOGUE_HASH] = "Catalogue of accelerators, SHA-256",
    [PA_STRING_REFERENCE] = "Second reference: units x clock x operations a clock",
    [PA_STRING_FIRST_STATEMENT] = "Judges again the statement",
    [PA_STRING_WHAT_FOLLOWS] = "What follows from it",
    [PA_STRING_Q_COMBINED] = "Combined standard uncertainty",
    [PA_STRING_Q_EXPANDED] = "Expanded uncertainty, k = 2",
    [PA_STRING_Q_COVERAGE] = "What that covers",
    [PA_STRING_Q_AT_95] = "For 95.45 % by Student's t: k, U",
    [PA_STRING_INFINITE] = "infinite",
    [PA_STRING_RADIUS] = "Radius",
    [PA_STRING_RADIUS_CAPTION] =
        "Light from the witness and back takes longer than a short epoch beyond its radius: what "
        "such an epoch proves was computed inside. Long epochs bound nothing on Earth.",
    [PA_STRING_RADIUS_SELF_CAPTION] =
        "What a short epoch proves was computed within its radius of the witness; here the witness "
        "was the site itself, so that this bounds no distance to anybody else.",
    [PA_STRING_RADIUS_AXIS] = "radius about the witness, km",
    [PA_STRING_RADIUS_KM] = "Radius, km",
    [PA_STRING_FARTHEST_PLACE] = "farthest place on Earth",
    [PA_STRING_RATE_AT_LEAST] = "Rate, at least",
    [PA_STRING_REMOTE_SHARE] = "Farther away, at most",
    [PA_STRING_EPOCH_LENGTH] = "Epochs of, s",
    [PA_STRING_LONGEST] = "Longest, s",
    [PA_STRING_SAMPLE] = "A sample of the devices",
    [PA_STRING_SAMPLE_DEVICES] = "Declared devices",
    [PA_STRING_SAMPLE_DRAWN] = "Chosen by the witness, at random",
    [PA_STRING_SAMPLE_FAILING] = "Of these missing: under half of their declared rate",
    [PA_STRING_SAMPLE_MISSING] = "Missing of all, at most",
    [PA_STRING_SAMPLE_DECLARED] = "Declared, all devices",
    [PA_STRING_SAMPLE_ESTIMATE] = "All devices, best estimate",
    [PA_STRING_SAMPLE_LOWER] = "All devices, at least",
    [PA_STRING_SAMPLE_UPPER] = "All devices, at most, of what was declared",
    [PA_STRING_SAMPLE_CONFIDENCE] = "Confidence, of each bound",
    [PA_STRING_SAMPLE_CAVEAT] =
        "The witness drew the devices after all of them were declared; anybody can draw them again "
        "from its key. The bounds assume nothing of how rates are distributed. They hold for the "
        "devices on the list if the chosen ones themselves did the work: idle devices could have "
        "answered for them, unless somebody watched.",
    [PA_STRING_FABRIC] = "Fabric proof",
    [PA_STRING_FABRIC_HELD] = "Devices exchanged what they had computed, in pairs that the witness "
                              "drew afterwards.",
    [PA_STRING_FABRIC_WRONG] = "What devices answered is not the exchange of what they computed.",
    [PA_STRING_FABRIC_UNFINISHED] = "The fabric proof was not run to its end: it shows nothing.",
    [PA_STRING_FABRIC_DEVICES] = "Devices that took part",
    [PA_STRING_FABRIC_BYTES] = "State of each device",
    [PA_STRING_FABRIC_WINDOW] = "From the first nonce to the last answer",
    [PA_STRING_FABRIC_EXCHANGE] = "Of this, from the challenge on",
    [PA_STRING_FABRIC_DRAWN] = "Chunks computed again by the witness",
    [PA_STRING_FABRIC_FAILED] = "Of these, wrong or missing",
    [PA_STRING_FABRIC_TWICE] = "Share of the states that there was time to compute twice",
    [PA_STRING_FABRIC_SHARE] = "Devices elsewhere",
    [PA_STRING_FABRIC_CROSSED] = "GB/s between the places, at least",
    [PA_STRING_FABRIC_CAVEAT] =
        "With such a share of the devices at a second place, so much would "
        "have crossed between the two, on average from the first nonce to the "
        "last answer and over all ways of drawing the pairs; 0: it says "
        "nothing of such a share. It says nothing of a site that is elsewhere "
        "as a whole, nor of one that has more computing power than it proved; "
        "in a self-declared session the witness is the site.",
};
