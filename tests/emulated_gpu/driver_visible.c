/* SPDX-License-Identifier: Apache-2.0 */
/* CUDA_VISIBLE_DEVICES, by which launchers give each process its own GPUs: a list of numbers, or of
 * UUIDs as far as they are unique. As NVIDIA documents it, the list ends before the first entry
 * that names no GPU; an entry that comes again ends it here, too. NVML does not look at it. */
#include "emulated_gpu/driver_state.h"

#include "base/base.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int visible[EMULATED_DEVICES_MAX], visible_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* How many digits of the UUID the text has, up to `end`; -1 where it differs. Hyphens do not
 * count. */
static int uuid_digits(const uint8_t uuid[16], const char *text, const char *end) {
    static const char digits[] = "0123456789abcdef";
    int count = 0;
    for (; text < end; text++) {
        if (*text == '-')
            continue;
        if (count == 32 || digits[uuid[count / 2] >> (count % 2 == 0 ? 4 : 0) & 15] !=
                               tolower((unsigned char)*text))
            return -1;
        count++;
    }
    return count;
}

/* The one GPU that the entry names, or -1. */
static int named(const struct emulated_platform *platform, const char *entry, size_t length) {
    char digits[8] = "";
    uint64_t number = 0;
    int found = -1;
    if (length < sizeof digits) {
        memcpy(digits, entry, length);
        if (pa_whole_parse(digits, 0, EMULATED_DEVICES_MAX, &number, NULL) == PA_OK)
            return number < (uint64_t)platform->device_count ? (int)number : -1;
    }
    if (length < 5 || (strncmp(entry, "GPU-", 4) != 0 && strncmp(entry, "MIG-", 4) != 0))
        return -1;
    for (int i = 0; i < platform->device_count; i++) {
        if (uuid_digits(platform->devices[i].uuid, entry + 4, entry + length) < 1)
            continue;
        if (found >= 0)
            return -1;
        found = i;
    }
    return found;
}

static void read_list(void) {
    const struct emulated_platform *platform = emulated_platform();
    const char *entry = getenv("CUDA_VISIBLE_DEVICES");
    for (int i = 0; entry == NULL && i < platform->device_count; i++)
        visible[visible_count++] = i;
    while (entry != NULL && visible_count < platform->device_count) {
        size_t length = strcspn(entry, ",");
        int device = named(platform, entry, length);
        for (int i = 0; i < visible_count; i++)
            if (visible[i] == device)
                device = -1;
        if (device < 0)
            return;
        visible[visible_count++] = device;
        entry = entry[length] == ',' ? entry + length + 1 : NULL;
    }
}

int driver_visible_count(void) {
    pthread_once(&once, read_list);
    return visible_count;
}

int driver_visible(int ordinal) {
    return ordinal >= 0 && ordinal < driver_visible_count() ? visible[ordinal] : -1;
}
