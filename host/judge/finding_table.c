/* SPDX-License-Identifier: Apache-2.0 */
/* finding_table.c - every code, how bad it is, what it does to the verdict and what to do about it.
 * docs/findings.md is the same table for people; a test holds the two together. */
#include "judge/judge.h"

#include <string.h>

#define INFO PA_SEVERITY_INFO
#define WARNING PA_SEVERITY_WARNING
#define CRITICAL PA_SEVERITY_CRITICAL
#define TOLD PA_EFFECT_NONE
#define NO_PASS PA_EFFECT_NO_PASS
#define UNDECIDED PA_EFFECT_INCONCLUSIVE
#define INVALID PA_EFFECT_INVALID

const struct pa_finding_kind pa_finding_kinds[] = {
    {"BROKEN_EVIDENCE", CRITICAL, INVALID,
     "Ask for the original evidence.db; if that is it, declare a new session."},
    {"OPENING_FAILED", CRITICAL, INVALID,
     "Test the device named (ECC, memory, clocks) or ask who falsified; drop it from the list and "
     "declare a new session."},
    {"OPENING_MISSING", CRITICAL, INVALID,
     "Find out why the site could not show its work, then declare a new session."},
    {"DUPLICATE_DEVICE", CRITICAL, INVALID,
     "List each device once; ask the site how one device came to answer as two."},
    {"UNFINISHED", WARNING, UNDECIDED,
     "Go on with petaudit audit --resume, or declare a new session."},
    {"NOTHING_MEASURED", CRITICAL, UNDECIDED,
     "Look into the log of the audit for why no device did any work, and measure again."},
    {"TOO_FEW_OPENINGS", CRITICAL, UNDECIDED,
     "Declare a session with more openings; 300 show 98.5 %, 1000 show 99.5 %."},
    {"UNPROVABLE_PRECISION", WARNING, UNDECIDED,
     "Ask for the claim in fp16 or bf16, and judge it by the same evidence."},
    {"CLASS_MISMATCH", CRITICAL, UNDECIDED,
     "Measure again with --precision as the claim has it, or judge the claim that was measured."},
    {"TEST_BUILD", CRITICAL, UNDECIDED, "Measure with a released build of petaudit."},
    {"EMULATED", CRITICAL, UNDECIDED,
     "Measure on real hardware; an emulated device shows only that the program works."},
    {"SAMPLED", WARNING, TOLD,
     "Let somebody watch the chosen devices at work and the others at rest, or measure all."},
    {"UNKNOWN_DEVICE", WARNING, TOLD,
     "Get a dense peak with a source for the model into accelerators.csv before quoting a ratio."},
    {"NOT_MEASURED", WARNING, TOLD,
     "Measure again with what the requirement needs, as a meter (petaudit audit --meter)."},
    {"TEST", WARNING, NO_PASS,
     "Measure with the shapes of a certificate; this run shows only that the program works."},
    {"SHORT_WINDOW", WARNING, NO_PASS, "Measure for at least as long as the policy asks for."},
    {"SINGLE_EPOCH", WARNING, NO_PASS, "Declare at least two epochs; six or more are usual."},
    {"FEWER_EPOCHS", WARNING, NO_PASS, "Let the next session run to its declared end."},
    {"BELOW_POLICY", WARNING, NO_PASS, "Declare the next session as the policy asks for."},
    {"LOW_ASSURANCE", WARNING, NO_PASS, "Have the session witnessed by the auditor's own machine."},
    {"SUSPENDED", CRITICAL, NO_PASS, "Keep the witness's machine awake and declare a new session."},
    {"RATE_ABOVE_PEAK", CRITICAL, NO_PASS,
     "Look at the device itself: model, firmware, and whether others work in its name."},
    {"ALLREDUCE_WRONG", CRITICAL, NO_PASS,
     "Test links and memory of the ranks named, then measure again."},
    {"COUPLED_WRONG", CRITICAL, NO_PASS,
     "Test links and memory of the devices, then measure again."},
    {"MEMORY_WRONG", CRITICAL, NO_PASS,
     "Test the memory of the device named; less of it than told means another board."},
    {"WATERMARK_NOT_FOUND", CRITICAL, NO_PASS,
     "Look at what the meter is wired to, then declare a new session; power that does not follow "
     "is used elsewhere."},
    {"FABRIC_WRONG", CRITICAL, NO_PASS,
     "Test the links and memory of the devices named, or ask why they could not exchange what they "
     "computed; then declare a new session."},
    {"FABRIC_MISSING", WARNING, NO_PASS,
     "Look into what was lost, then measure again: all processes on one host, or started by "
     "mpirun."},
    {"WATERMARK_MISSING", WARNING, NO_PASS,
     "Measure again with the auditor's meter (petaudit audit --meter), to the end."},
    {"MEMORY_ABSENT", CRITICAL, TOLD,
     "Ask where the memory is: another board, other users, or a driver that tells too much."},
    {"DEVICE_ELSEWHERE", CRITICAL, TOLD,
     "Find out which of the two sites has the device; go and read its serial number there."},
    {"ABSENT_DEVICES", CRITICAL, TOLD,
     "Ask where the missing devices are; count what is in the racks."},
    {"ATTESTATION_FAILED", CRITICAL, TOLD,
     "Ask for the device itself: a report that does not hold is another session's, another maker's "
     "or a forgery."},
    {"PARTIAL_DEVICE", WARNING, TOLD,
     "Turn partitioning off, or count a slice as a slice: it is no whole device."},
    {"IDENTITY_MISMATCH", WARNING, TOLD,
     "Compare the boards with their names: the hardware looks smaller than the model named."},
    {"RATE_ABOVE_ESTIMATE", WARNING, TOLD,
     "Get the model's data sheet; the estimate from units and clock may be too low."},
    {"RATE_FAR_BELOW_PEAK", WARNING, TOLD,
     "Look for throttling, power caps, other users and boards that are not what they say."},
    {"BOUND_DECIDES", WARNING, TOLD,
     "Declare more openings: the share of work that they vouch for grows with their number."},
    {"FEW_DEGREES_OF_FREEDOM", WARNING, TOLD,
     "Declare more epochs, so that U at k = 2 covers what it says."},
    {"DRIFT", WARNING, TOLD,
     "Measure longer, until the rate is steady; look at temperatures and clocks."},
    {"MEMORY_SHORT", WARNING, TOLD,
     "Compare the boards with the delivery note: less memory is often another model."},
    {"LOST_DEVICE", WARNING, TOLD,
     "Read the site's log around the time given; repair the device or take it off the list."},
    {"DEVICE_CHANGED", WARNING, TOLD, "Ask why a device was exchanged during a session."},
    {"DEVICE_MOVED", WARNING, TOLD, "Ask why a device was moved to another host during a session."},
    {"DEVICE_NOT_ALONE", WARNING, TOLD,
     "Free the device, or take the rate as what is left beside other work."},
    {"THROTTLED", WARNING, TOLD,
     "Look at cooling, power supply and power limits; the rate is what the hall can sustain."},
    {"THERMAL_STOP", WARNING, TOLD, "Repair the cooling, then measure again."},
    {"STRAGGLER", WARNING, TOLD,
     "Look at clock, power and heat of the devices listed, worst host first; one slow device holds "
     "up all."},
    {"ECC_UNCORRECTED", WARNING, TOLD, "Replace the device; its results cannot be trusted."},
    {"ABORTED_EPOCHS", WARNING, TOLD, "Read why epochs were aborted; their time counted."},
    {"CLOCK_STEP", WARNING, TOLD,
     "Set the witness's calendar clock by NTP before the next session."},
    {"REJUDGED", WARNING, TOLD,
     "Compare claim and policy with those that the session was declared with."},
    {"BASIS_OVERRIDDEN", WARNING, TOLD, "Read both figures; they are printed side by side."},
    {"POWER_IMPLAUSIBLE", WARNING, TOLD,
     "Look at what the meter is wired to, and at its unit and sign, before quoting power."},
    {"METER_SILENT", WARNING, TOLD,
     "Look at the meter, its clock and zone=; with petaudit audit --resume a file can still be "
     "read."},
    {"METER_GAPS", WARNING, TOLD,
     "Read why readings are missing; the mean is over the time that is covered."},
    {"METER_DISAGREES", WARNING, TOLD,
     "Take the counter of a mains meter; of a sensor quote both figures."},
    {"METER_PARTIAL", WARNING, TOLD, "Meter the mains of all machines."},
    {"METER_CLASS_UNKNOWN", INFO, TOLD, "Tell the class from the meter's plate with class=."},
    {"NOT_ATTESTED", INFO, TOLD,
     "Turn confidential computing on in the device, or ask for a witnessed session only."},
    {"ATTESTED", INFO, TOLD,
     "Compare the firmware with the vendor's reference values where it matters."},
    {"LOW_CONFIDENCE_PEAK", INFO, TOLD,
     "Get a dense peak with a better source for the model before quoting a ratio."},
    {"FABRIC_HELD", INFO, TOLD,
     "Compare the traffic with what could be had between two places; it says nothing of a site "
     "that "
     "is elsewhere as a whole."},
    {"FABRIC_ALONE", INFO, TOLD, "Audit two devices or more where their place matters."},
    {"WATERMARK_FOUND", INFO, TOLD,
     "See that no load bank hangs on the meter, and that the meter is the auditor's."},
    {"INTERRUPTED", INFO, TOLD, "Nothing, if the reason given convinces."},
    {"ECC_CORRECTED", INFO, TOLD, "Watch the device; many corrected errors announce worse."},
    {"NO_TELEMETRY", INFO, TOLD,
     "Install the vendor's management library where throttling and errors should be seen."},
    {"SELF_DECLARED", INFO, TOLD,
     "Take it as the operator's word; ask for a witnessed session where it matters."},
    {"COUPLED_LOST", WARNING, TOLD,
     "Look into what was lost; the proof does not depend on it, the rate as one system does."},
    /* Noted by the measuring side. */
    {"ALLREDUCE_FAILED", WARNING, TOLD,
     "Read why the sweep could not be made; the proof does not depend on it."},
    {"ALLREDUCE_PARTIAL", INFO, TOLD,
     "Audit devices of one make by themselves where their links matter."},
    {"ABSENT_RANKS", WARNING, TOLD,
     "Look into the launcher's log for why these processes did not start; their devices were not "
     "measured."},
    {"MEMORY_PROOF_FAILED", WARNING, TOLD,
     "Read why the device's memory could not be filled; the rate does not depend on it."},
    {"REGISTER_FULL", WARNING, TOLD,
     "Begin a new store for this witness, with the old one's register.key, and import its "
     "register."},
    {"SHARED_DEVICES", INFO, TOLD, "Measure again on devices that nobody else uses."},
    {NULL, INFO, TOLD, NULL},
};

const struct pa_finding_kind *pa_finding_kind_find(const char *code) {
    for (const struct pa_finding_kind *kind = pa_finding_kinds; kind->code != NULL; kind++)
        if (strcmp(kind->code, code) == 0)
            return kind;
    return NULL;
}

const char *pa_severity_name(enum pa_severity severity) {
    return severity == CRITICAL ? "critical" : severity == WARNING ? "warning" : "info";
}

const char *pa_effect_name(enum pa_effect effect) {
    static const char *const names[PA_EFFECTS] = {"told", "no pass", "undecided", "invalid"};
    return names[effect < PA_EFFECTS ? effect : PA_EFFECT_NONE];
}
