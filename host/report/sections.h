/* SPDX-License-Identifier: Apache-2.0 */
/* sections.h - inside the room: the parts of the page, in order. */
#ifndef PA_REPORT_SECTIONS_H
#define PA_REPORT_SECTIONS_H

#include "report/page.h"

enum { PA_LIST_MOST = 200 }; /* items of a list; a certificate that holds more is cut with a word */

void pa_section_front(struct pa_page *page); /* the whole first sheet */
void pa_section_method(struct pa_page *page);
void pa_section_rate(struct pa_page *page);
void pa_section_uncertainty(struct pa_page *page);
void pa_section_judgement(struct pa_page *page);
void pa_section_devices(struct pa_page *page);
void pa_section_rates(struct pa_page *page);
void pa_section_epochs(struct pa_page *page);
void pa_section_radius(struct pa_page *page); /* nothing without short epochs */
void pa_section_sample(struct pa_page *page); /* nothing where all devices were to work */
void pa_section_power(struct pa_page *page);
void pa_section_fabric(struct pa_page *page);    /* nothing where none was run */
void pa_section_watermark(struct pa_page *page); /* nothing where none was run */
void pa_section_allreduce(struct pa_page *page);
void pa_section_findings(struct pa_page *page);
void pa_section_rule(struct pa_page *page);
void pa_section_evidence(struct pa_page *page);
void pa_section_not_proven(struct pa_page *page);

#endif
