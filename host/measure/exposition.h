/* SPDX-License-Identifier: Apache-2.0 */
/* exposition.h - a running audit as OpenMetrics text, for Prometheus and its dashboards.
 *
 * Labels are those of NVIDIA's DCGM exporter (gpu, UUID, modelName, Hostname), so that panels join
 * both; names are petaudit_..., with their unit. All are gauges: the text is valid as OpenMetrics
 * 1.0 and as Prometheus's older format alike. What a device does not tell has no sample.
 * docs/telemetry.md lists them. The text is handed to whoever publishes it; measuring neither
 * writes files nor listens.
 */
#ifndef PA_MEASURE_EXPOSITION_H
#define PA_MEASURE_EXPOSITION_H

#include "measure/progress.h"
#include "measure/site.h"
#include "measure/vitals.h"
#include "proof/proof.h"

struct pa_exposition;

/* Takes the whole text; what it cannot do it keeps to itself: an audit does not end because nobody
 * can watch it. */
typedef void (*pa_exposition_publish)(void *context, const void *text, size_t size);

int pa_exposition_create(pa_exposition_publish publish, void *context, struct pa_exposition **out,
                         struct pa_error *error);
/* What the run tells whoever watches it: at most one text a second, unless the phase changes. */
void pa_exposition_progress(struct pa_exposition *exposition, const struct pa_progress *progress);
/* A closed epoch: what each device did in it, and how it fared. NULL is fine. */
void pa_exposition_epoch(struct pa_exposition *exposition, const struct pa_site *site,
                         const struct pa_declaration *declaration, uint64_t epoch,
                         const struct pa_tail *tails, const struct pa_vitals *vitals,
                         double seconds);
void pa_exposition_free(struct pa_exposition *exposition);

#endif
