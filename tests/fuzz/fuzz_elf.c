/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the beginning of a library's file, of which the first eight say how long it is. A
 * file that is whole stays so when it grows, and is not an empty one. */
#include "base/bytes.h"
#include "device/vendor_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 8)
        return 0;
    uint64_t file_size = pa_le64(data);
    data += 8;
    size -= 8;
    if (file_size < size)
        file_size = size;
    enum pa_elf state = pa_elf_look(data, size, file_size);
    if (state == PA_ELF_WHOLE && (size == 0 || pa_elf_look(data, size, UINT64_MAX) != PA_ELF_WHOLE))
        abort();
    if (state == PA_ELF_OTHER && pa_elf_look(data, size, size) == PA_ELF_WHOLE)
        abort();
    return 0;
}
