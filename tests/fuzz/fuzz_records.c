/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_records.c - transcript records from anywhere: nothing crashes, nothing is read past its end,
 * and what is accepted is accepted again from its own view. A declaration inside of a SESSION is
 * read as whoever replays a transcript reads it, and written back byte for byte. */
#include "evidence/record.h"
#include "proof/proof.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_declaration(const struct pa_record *record) {
    struct pa_session_record session;
    struct pa_declaration declaration;
    struct pa_buffer again = {0};
    struct pa_error error = {0};
    if (pa_record_session(record, &session, &error) != PA_OK ||
        pa_declaration_read(&declaration, session.declaration, session.declaration_bytes, &error) !=
            PA_OK)
        return;
    pa_declaration_write(&declaration, &again);
    if (again.failed || again.size != session.declaration_bytes ||
        memcmp(again.data, session.declaration, again.size) != 0)
        abort();
    pa_declaration_free(&declaration);
    pa_buffer_free(&again);
}

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
        if (record.type == PA_RECORD_SESSION)
            read_declaration(&record);
    }
    return 0;
}
