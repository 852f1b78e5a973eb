/* SPDX-License-Identifier: Apache-2.0 */
/* Time is counted in integer nanoseconds and becomes a double at the very end: the rules of
 * docs/protocol.md ("Credit") stay exact for any length of session. */
#include "proof/credit.h"

#include <math.h>

/* A run of epochs without an interruption inside. */
struct segment {
    bool has_closed;
    uint64_t first_t0_ns, last_t1_ns; /* of its closed epochs */
    uint64_t latest_t0_ns;            /* of any epoch: t0 never runs backwards in a segment */
    uint64_t pending_ns;              /* planned, of aborted epochs since the last closed one */
};

struct tally {
    const struct pa_credit_terms *terms;
    struct segment segment;
    uint64_t time_ns;
    bool overflow;
    double weightiest;   /* the W_e with the fewest openings for its work */
    double its_openings; /* n_e of that epoch */
};

static void add_time(struct tally *tally, uint64_t ns) {
    if (__builtin_add_overflow(tally->time_ns, ns, &tally->time_ns))
        tally->overflow = true;
}

static void add_aborted(struct tally *tally, const struct pa_credited_epoch *epoch) {
    uint64_t ns = epoch->planned_ns != 0 ? epoch->planned_ns : tally->terms->epoch_ns;
    if (__builtin_add_overflow(tally->segment.pending_ns, ns, &tally->segment.pending_ns))
        tally->overflow = true;
}

/* n_e W / W_e is least where W_e / n_e is largest. */
static void weigh(struct tally *tally, const struct pa_credited_epoch *epoch) {
    double openings = epoch->openings != 0 ? epoch->openings : tally->terms->openings;
    if (epoch->operations * tally->its_openings <= tally->weightiest * openings &&
        tally->its_openings > 0)
        return;
    tally->weightiest = epoch->operations;
    tally->its_openings = openings;
}

/* Aborted epochs at the end of a segment lie outside of its span: their length is added in full. */
static void end_segment(struct tally *tally) {
    struct segment *segment = &tally->segment;
    if (segment->has_closed)
        add_time(tally, segment->last_t1_ns - segment->first_t0_ns);
    add_time(tally, segment->pending_ns);
    *segment = (struct segment){0};
}

static void add_closed(struct tally *tally, const struct pa_credited_epoch *epoch) {
    struct segment *segment = &tally->segment;
    uint64_t planned = segment->pending_ns;
    if (segment->has_closed) {
        /* Inside the span, the time between the neighbours covers the aborted epochs as far as it
         * goes. */
        uint64_t between =
            epoch->t0_ns > segment->last_t1_ns ? epoch->t0_ns - segment->last_t1_ns : 0;
        add_time(tally, planned > between ? planned - between : 0);
    } else {
        add_time(tally, planned);
        segment->has_closed = true;
        segment->first_t0_ns = epoch->t0_ns;
        segment->last_t1_ns = epoch->t1_ns;
    }
    if (epoch->t1_ns > segment->last_t1_ns)
        segment->last_t1_ns = epoch->t1_ns;
    segment->pending_ns = 0;
}

static int check_epoch(const struct pa_credited_epoch *epoch, uint32_t number,
                       const struct segment *segment, struct pa_error *error) {
    if (!isfinite(epoch->operations) || epoch->operations < 0)
        return pa_fail(error, PA_EINVALID, "epoch %u: its work is not a number", number);
    if (epoch->t0_ns < segment->latest_t0_ns)
        return pa_fail(error, PA_EINVALID, "epoch %u starts before the one before it", number);
    if (epoch->state == PA_EPOCH_ABORTED && epoch->operations > 0)
        return pa_fail(error, PA_EINVALID, "epoch %u was aborted and claims work", number);
    if (epoch->state == PA_EPOCH_CLOSED && epoch->t1_ns <= epoch->t0_ns)
        return pa_fail(error, PA_EINVALID, "epoch %u ends before it starts", number);
    return PA_OK;
}

static int take_gap(struct pa_credit *credit, const struct pa_credited_epoch *epoch,
                    uint32_t number, const struct pa_credit_terms *terms, struct pa_error *error) {
    credit->gaps++;
    if (credit->gaps > terms->interruptions)
        return pa_fail(error, PA_EINVALID,
                       "interruption %u before epoch %u: the declaration allows %u", credit->gaps,
                       number, terms->interruptions);
    if (epoch->gap_ns > terms->longest_gap_ns)
        return pa_fail(error, PA_EINVALID,
                       "the interruption before epoch %u took %.1f s: the declaration allows %.1f",
                       number, (double)epoch->gap_ns / 1e9, (double)terms->longest_gap_ns / 1e9);
    /* No overflow of a sum that anybody could reach; a session has fewer gaps than 2^32. */
    if (__builtin_add_overflow(credit->gap_ns, epoch->gap_ns, &credit->gap_ns))
        return pa_fail(error, PA_EINVALID, "the interruptions are longer than time can be");
    return PA_OK;
}

static int check_terms(const struct pa_credit_terms *terms, struct pa_error *error) {
    if (!(terms->alpha > 0 && terms->alpha < 1) || terms->serial == 0 || terms->openings == 0 ||
        terms->epoch_ns == 0)
        return pa_fail(error, PA_EINVALID,
                       "the terms of the session make no sense: alpha %g, serial %u, %u openings",
                       terms->alpha, terms->serial, terms->openings);
    return PA_OK;
}

/* n_eff, alpha_r and the bound, once W and Dt are known. */
static void bound(struct pa_credit *credit, const struct tally *tally) {
    const struct pa_credit_terms *terms = tally->terms;
    double r = terms->serial;
    credit->alpha_r = terms->alpha / (r * (r + 1));
    if (!(credit->operations > 0))
        return;
    credit->rate = credit->operations / credit->seconds;
    credit->n_effective = tally->its_openings * (credit->operations / tally->weightiest);
    double fraction = 1 + log(credit->alpha_r) / credit->n_effective;
    credit->honest_fraction = fraction > 0 ? fraction : 0;
    credit->verified_rate = credit->rate * credit->honest_fraction;
}

int pa_credit_compute(struct pa_credit *out, const struct pa_credited_epoch *epochs, uint32_t count,
                      const struct pa_credit_terms *terms, struct pa_error *error) {
    *out = (struct pa_credit){0};
    struct tally tally = {.terms = terms};
    PA_TRY(check_terms(terms, error));
    for (uint32_t i = 0; i < count; i++) {
        const struct pa_credited_epoch *epoch = &epochs[i];
        if (epoch->after_gap) {
            end_segment(&tally);
            PA_TRY(take_gap(out, epoch, i, terms, error));
        }
        PA_TRY(check_epoch(epoch, i, &tally.segment, error));
        tally.segment.latest_t0_ns = epoch->t0_ns;
        if (epoch->state == PA_EPOCH_ABORTED) {
            add_aborted(&tally, epoch);
            continue;
        }
        add_closed(&tally, epoch);
        out->operations += epoch->operations;
        if (epoch->operations > 0)
            weigh(&tally, epoch);
    }
    end_segment(&tally);
    if (tally.overflow || !isfinite(out->operations))
        return pa_fail(error, PA_EINVALID, "the session is longer than time can be");
    out->seconds = (double)tally.time_ns / 1e9;
    bound(out, &tally);
    return PA_OK;
}
