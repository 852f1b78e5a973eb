/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_records.c - transcript records from anywhere: nothing crashes, nothing is read past its end,
 * and what is accepted is accepted again from its own view. */
#include "evidence/record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pa_reader reader = pa_reader_over(data, size);
    struct pa_record record, again;
    struct pa_error error = {0};
    struct pa_instant at;
    while (reader.left > 0 && pa_record_next(&reader, &record, &error) == PA_OK) {
        if (pa_record_check(&record, &at, &error) != PA_OK)
            continue;
        if (pa_record_view((uint32_t)record.type, record.payload, record.length, &again, &error) !=
                PA_OK ||
            again.epoch != record.epoch)
            abort();
        struct pa_list_record list;
        if (pa_record_list(&record, &list, NULL) == PA_OK && list.count > 0)
            (void)pa_list_entry_at(&list, list.count - 1);
    }
    return 0;
}
