/* SPDX-License-Identifier: Apache-2.0 */
#include "report/phrase.h"
#include "report/sections.h"

void pa_section_power(struct pa_page *page) {
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_POWER);
    pa_page_block_say(page, PA_BLOCK_PLAIN, PA_STRING_POWER_NOT_METERED);
    pa_page_end(page, PA_PART_SECTION);
}
