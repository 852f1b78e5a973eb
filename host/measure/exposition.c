/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/exposition.h"

#include "base/clock.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t least_pause_ns = UINT64_C(1000000000);

static const char *const phases[] = {
    [PA_PHASE_CALIBRATE] = "calibrate",
    [PA_PHASE_WARM_UP] = "warm_up",
    [PA_PHASE_RAW] = "raw",
    [PA_PHASE_EPOCH] = "epoch",
    [PA_PHASE_OPEN] = "open",
    [PA_PHASE_ALLREDUCE] = "allreduce",
    [PA_PHASE_COUPLED] = "coupled",
    [PA_PHASE_FABRIC] = "fabric",
    [PA_PHASE_MEMORY] = "memory",
    [PA_PHASE_RECOMPUTE] = "recompute",
};
enum { PHASES = sizeof phases / sizeof phases[0] };

/* Sums over the session, by device. */
struct totals {
    uint64_t steps, ecc_corrected, ecc_uncorrected;
};

struct pa_exposition {
    pa_exposition_publish publish;
    void *context;
    struct pa_progress progress;
    uint64_t published_ns, epochs_closed, epochs_declared;
    struct totals *totals; /* owned; as many as the site has devices */
    uint32_t device_count;
    struct pa_buffer devices; /* the families of the last epoch, which only an epoch changes */
};

int pa_exposition_create(pa_exposition_publish publish, void *context, struct pa_exposition **out,
                         struct pa_error *error) {
    struct pa_exposition *exposition = calloc(1, sizeof *exposition);
    if (exposition == NULL)
        return pa_fail(error, PA_EMEMORY, "telemetry: out of memory");
    exposition->publish = publish;
    exposition->context = context;
    *out = exposition;
    return PA_OK;
}

void pa_exposition_free(struct pa_exposition *exposition) {
    if (exposition == NULL)
        return;
    free(exposition->totals);
    pa_buffer_free(&exposition->devices);
    free(exposition);
}

/* A metric family's head. `unit` is the end of the name, or empty. */
static void put_family(struct pa_buffer *out, const char *name, const char *unit,
                       const char *help) {
    pa_buffer_format(out, "# TYPE petaudit_%s gauge\n", name);
    if (unit[0] != '\0')
        pa_buffer_format(out, "# UNIT petaudit_%s %s\n", name, unit);
    pa_buffer_format(out, "# HELP petaudit_%s %s\n", name, help);
}

/* The text between the quotes of a label. Names are as hostile as any input. */
static void put_label(struct pa_buffer *out, const char *text) {
    char printable[256];
    pa_printable(printable, sizeof printable, text);
    for (const char *p = printable; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            pa_buffer_text(out, "\\");
        pa_buffer_bytes(out, p, 1);
    }
}

static void put_labels(struct pa_buffer *out, const char *name, const struct pa_site *site,
                       uint32_t index) {
    const struct pa_device_facts *facts = &site->devices[index].facts;
    pa_buffer_format(out, "petaudit_%s{gpu=\"%u\",UUID=\"", name, index);
    put_label(out, facts->identity.id);
    pa_buffer_text(out, "\",modelName=\"");
    put_label(out, facts->identity.name);
    pa_buffer_text(out, "\",Hostname=\"");
    put_label(out, facts->identity.host);
    pa_buffer_text(out, "\"");
}

/* Figures are written without a locale: whole numbers, and thousandths as such. */
static void put_whole(struct pa_buffer *out, uint64_t value) {
    pa_buffer_format(out, " %llu\n", (unsigned long long)value);
}

static void put_thousandths(struct pa_buffer *out, uint64_t value) {
    pa_buffer_format(out, " %llu.%03u\n", (unsigned long long)(value / 1000),
                     (unsigned)(value % 1000));
}

/* An epoch as its device families see it. */
struct closed_epoch {
    const struct pa_site *site;
    const struct pa_declaration *declaration;
    const struct pa_tail *tails;
    const struct pa_vitals *vitals;
    const struct totals *totals;
    double seconds;
};

static uint64_t rate_of(const struct closed_epoch *epoch, uint32_t d) {
    const struct pa_shape shape = {epoch->declaration->devices[d].m,
                                   epoch->declaration->devices[d].n, epoch->declaration->k};
    return epoch->seconds > 0 ? (uint64_t)((double)epoch->tails[d].steps *
                                           (double)pa_shape_operations(shape) / epoch->seconds)
                              : 0;
}

enum figure { RATE, STEPS, LOST, POWER, TEMPERATURE, CLOCK, ECC_CORRECTED, ECC_UNCORRECTED };

static const struct {
    const char *name, *unit, *help;
} families[] = {
    [RATE] = {"device_operations_per_second", "",
              "Operations a second that the device committed to in its last epoch."},
    [STEPS] = {"device_steps", "", "Steps of the proof chain over all closed epochs."},
    [LOST] = {"device_lost", "", "1 when the device stopped during the audit."},
    [POWER] = {"device_power_watts", "watts", "Mean of the device's power in its last epoch."},
    [TEMPERATURE] = {"device_temperature_celsius", "celsius",
                     "Highest temperature in the last epoch."},
    [CLOCK] = {"device_clock_hertz", "hertz", "Lowest clock of the units in the last epoch."},
    [ECC_CORRECTED] = {"device_ecc_corrected", "", "Memory errors corrected during the session."},
    [ECC_UNCORRECTED] = {"device_ecc_uncorrected", "",
                         "Memory errors during the session that could not be corrected."},
};
enum { FAMILIES = sizeof families / sizeof families[0] };

static bool is_told(const struct pa_vitals *vitals, enum figure figure) {
    switch (figure) {
    case POWER:
        return vitals->power_samples > 0;
    case TEMPERATURE:
        return vitals->has_temperature && vitals->temperature_max_c >= 0;
    case CLOCK:
        return vitals->has_clock;
    case ECC_CORRECTED:
    case ECC_UNCORRECTED:
        return vitals->has_ecc;
    case RATE:
    case STEPS:
    case LOST:
        break;
    }
    return true;
}

static void put_figure(struct pa_buffer *out, const struct closed_epoch *epoch, enum figure figure,
                       uint32_t d) {
    const struct pa_vitals *vitals = &epoch->vitals[d];
    switch (figure) {
    case RATE:
        put_whole(out, rate_of(epoch, d));
        return;
    case STEPS:
        put_whole(out, epoch->totals[d].steps);
        return;
    case LOST:
        put_whole(out, epoch->site->devices[d].is_lost ? 1 : 0);
        return;
    case POWER:
        put_thousandths(out, vitals->power_mean_mw);
        return;
    case TEMPERATURE:
        put_whole(out, (uint64_t)vitals->temperature_max_c);
        return;
    case CLOCK:
        put_whole(out, (uint64_t)vitals->clock_min_mhz * 1000000);
        return;
    case ECC_CORRECTED:
        put_whole(out, epoch->totals[d].ecc_corrected);
        return;
    case ECC_UNCORRECTED:
        put_whole(out, epoch->totals[d].ecc_uncorrected);
        return;
    }
}

/* A family without a sample is left out: nothing on a processor tells an ECC error. */
static void put_devices(struct pa_buffer *out, const struct closed_epoch *epoch) {
    for (int figure = 0; figure < FAMILIES; figure++) {
        bool has_head = false;
        for (uint32_t d = 0; d < epoch->declaration->device_count; d++) {
            if (!is_told(&epoch->vitals[d], (enum figure)figure))
                continue;
            if (!has_head)
                put_family(out, families[figure].name, families[figure].unit,
                           families[figure].help);
            has_head = true;
            put_labels(out, families[figure].name, epoch->site, d);
            pa_buffer_text(out, "}");
            put_figure(out, epoch, (enum figure)figure, d);
        }
    }
}

static void put_audit(struct pa_buffer *out, const struct pa_exposition *exposition) {
    const struct pa_progress *progress = &exposition->progress;
    put_family(out, "phase", "", "1 for the phase that the audit is in, 0 for the others.");
    for (int i = 0; i < PHASES; i++)
        pa_buffer_format(out, "petaudit_phase{phase=\"%s\"} %d\n", phases[i],
                         (int)progress->phase == i ? 1 : 0);
    put_family(out, "remaining_seconds", "seconds", "Time that the run still takes, estimated.");
    pa_buffer_text(out, "petaudit_remaining_seconds");
    put_thousandths(out, progress->remaining_ns / 1000000);
    put_family(out, "epochs_closed", "",
               "Epochs whose list was committed to and whose key is out.");
    pa_buffer_text(out, "petaudit_epochs_closed");
    put_whole(out, exposition->epochs_closed);
    put_family(out, "epochs_declared", "", "Epochs that the session declared.");
    pa_buffer_text(out, "petaudit_epochs_declared");
    put_whole(out, exposition->epochs_declared);
    put_family(out, "operations_per_second", "",
               "Operations a second of all devices together in the last epoch.");
    pa_buffer_text(out, "petaudit_operations_per_second");
    put_whole(out, progress->rate > 0 ? (uint64_t)progress->rate : 0);
}

static void publish(struct pa_exposition *exposition) {
    struct pa_buffer out = {0};
    put_audit(&out, exposition);
    pa_buffer_bytes(&out, exposition->devices.data, exposition->devices.size);
    pa_buffer_text(&out, "# EOF\n");
    if (!out.failed && !exposition->devices.failed)
        exposition->publish(exposition->context, out.data, out.size);
    exposition->published_ns = pa_clock_raw_ns();
    pa_buffer_free(&out);
}

void pa_exposition_progress(struct pa_exposition *exposition, const struct pa_progress *progress) {
    enum pa_phase before = exposition->progress.phase;
    double rate = exposition->progress.rate;
    if (progress->phase == PA_PHASE_NOTICE)
        return;
    exposition->progress = *progress;
    exposition->progress.text = NULL;
    /* Phases after the window know no rate of their own. */
    if (progress->rate <= 0)
        exposition->progress.rate = rate;
    if (exposition->published_ns == 0 || progress->phase != before ||
        pa_clock_raw_ns() - exposition->published_ns >= least_pause_ns)
        publish(exposition);
}

static bool make_room(struct pa_exposition *exposition, uint32_t devices) {
    if (exposition->device_count >= devices)
        return true;
    struct totals *grown = realloc(exposition->totals, devices * sizeof *grown);
    if (grown == NULL)
        return false;
    memset(grown + exposition->device_count, 0,
           (devices - exposition->device_count) * sizeof *grown);
    exposition->totals = grown;
    exposition->device_count = devices;
    return true;
}

void pa_exposition_epoch(struct pa_exposition *exposition, const struct pa_site *site,
                         const struct pa_declaration *declaration, uint64_t epoch,
                         const struct pa_tail *tails, const struct pa_vitals *vitals,
                         double seconds) {
    double all = 0;
    if (exposition == NULL || !make_room(exposition, declaration->device_count))
        return;
    const struct closed_epoch closed = {.site = site,
                                        .declaration = declaration,
                                        .tails = tails,
                                        .vitals = vitals,
                                        .totals = exposition->totals,
                                        .seconds = seconds};
    for (uint32_t d = 0; d < declaration->device_count; d++) {
        exposition->totals[d].steps += tails[d].steps;
        exposition->totals[d].ecc_corrected += vitals[d].ecc_corrected;
        exposition->totals[d].ecc_uncorrected += vitals[d].ecc_uncorrected;
        all += (double)rate_of(&closed, d);
    }
    exposition->epochs_closed++;
    exposition->epochs_declared = declaration->epochs;
    exposition->progress.phase = PA_PHASE_EPOCH;
    exposition->progress.done = epoch + 1;
    exposition->progress.rate = all;
    pa_buffer_clear(&exposition->devices);
    put_devices(&exposition->devices, &closed);
    publish(exposition);
}
