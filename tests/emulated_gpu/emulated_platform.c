/* SPDX-License-Identifier: Apache-2.0 */
/* The platform as PETAUDIT_EMULATED_GPU describes it, and the reports of misuse. */
#include "emulated_gpu/emulated.h"
#include "emulated_gpu/emulated_condition.h"
#include "emulated_gpu/emulated_fault.h"

#include "base/base.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPTIONS_BYTES = 16384, REPORT_BYTES = 1024 };

static struct emulated_platform platform;
static bool is_usable;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_uint reports;

int emulated_size_parse(const char *text, uint64_t *out, struct pa_error *error) {
    static const struct {
        const char *unit;
        int shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    char digits[24];
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length >= sizeof digits)
        return pa_fail(error, PA_EINPUT, "\"%s\" is no memory size such as 256MiB", text);
    memcpy(digits, text, length);
    digits[length] = '\0';
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text + length, units[i].unit) == 0) {
            PA_TRY(pa_whole_parse(digits, 1, (UINT64_C(1) << 38) >> units[i].shift, out, error));
            *out <<= units[i].shift;
            return PA_OK;
        }
    return pa_fail(error, PA_EINPUT, "\"%s\" has no unit: KiB, MiB or GiB", text);
}

struct settings {
    uint64_t devices, memory, sm, seed, threads, steps, driver, ptx;
    bool is_eager, is_scripted;
};

static int script_read(struct settings *out, const char *path, struct pa_error *error);

static int option_parse(struct settings *out, const char *key, const char *value,
                        struct pa_error *error) {
    const struct {
        const char *key;
        uint64_t *value;
        uint64_t least, most;
    } numbers[] = {
        {"devices", &out->devices, 0, EMULATED_DEVICES_MAX},
        {"sm", &out->sm, 75, 129},
        {"seed", &out->seed, 0, UINT64_MAX},
        {"threads", &out->threads, 1, 64},
        {"steps", &out->steps, 1, UINT64_MAX},
        {"driver", &out->driver, 1000, 99990},
        {"ptx", &out->ptx, 10, 999},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(key, numbers[i].key) == 0)
            return pa_whole_parse(value, numbers[i].least, numbers[i].most, numbers[i].value,
                                  error);
    if (strcmp(key, "memory") == 0)
        return emulated_size_parse(value, &out->memory, error);
    if (strcmp(key, "order") == 0) {
        out->is_eager = strcmp(value, "eager") == 0;
        if (!out->is_eager && strcmp(value, "lazy") != 0)
            return pa_fail(error, PA_EINPUT, "\"%s\" is neither lazy nor eager", value);
        return PA_OK;
    }
    if (strcmp(key, "fault") == 0)
        return emulated_fault_order(value, error);
    if (strncmp(key, "gpu", 3) == 0)
        return emulated_condition_order(key, value, error);
    if (strcmp(key, "script") == 0)
        return script_read(out, value, error);
    return pa_fail(error, PA_EINPUT, "there is no option of that name");
}

/* Parse entries parted by `separator` in `text`, which is taken apart. */
static int settings_parse(struct settings *out, char *text, const char *separator,
                          struct pa_error *error) {
    const char *seen[16];
    size_t seen_count = 0;
    char *rest = *text != '\0' ? text : NULL;
    while (rest != NULL) {
        char *key = strsep(&rest, separator), *value = strchr(key, '=');
        if (*separator == '\n' && (*key == '#' || *key == '\0'))
            continue;
        if (value == NULL)
            return pa_fail(error, PA_EINPUT, "\"%s\" is not key=value", key);
        *value++ = '\0';
        for (size_t i = 0; i < seen_count; i++)
            if (strcmp(seen[i], key) == 0)
                return pa_fail(error, PA_EINPUT, "%s is given twice", key);
        if (option_parse(out, key, value, error) != PA_OK)
            return pa_fail_in(error, "%s", key);
        if (strcmp(key, "fault") != 0 && seen_count < sizeof seen / sizeof seen[0])
            seen[seen_count++] = key;
    }
    return PA_OK;
}

static int script_read(struct settings *out, const char *path, struct pa_error *error) {
    struct pa_buffer text = {0};
    if (out->is_scripted)
        return pa_fail(error, PA_EINPUT, "a script names no other script");
    out->is_scripted = true;
    int code = pa_file_read(path, OPTIONS_BYTES, &text, error);
    if (code == PA_OK) {
        pa_buffer_bytes(&text, "", 1);
        code = text.failed ? pa_fail(error, PA_EMEMORY, "out of memory")
                           : settings_parse(out, (char *)text.data, "\n", error);
    }
    pa_buffer_free(&text);
    return code;
}

/* The .version that a driver of this CUDA release reads (PTX ISA, release notes: 12.5 and 12.6
 * share 8.5). */
static int ptx_of_driver(uint64_t driver_version) {
    int minor = (int)(driver_version % 1000) / 10;
    if (driver_version >= 13000)
        return 90 + minor;
    if (driver_version >= 12000)
        return 80 + (minor <= 5 ? minor : minor - 1);
    return driver_version >= 11000 ? 70 + minor : 60;
}

static void device_fill(struct emulated_device *out, int index, const struct settings *settings) {
    snprintf(out->name, sizeof out->name, "Emulated GPU %d", index);
    memcpy(out->uuid, "petaudit-emul", 13);
    out->uuid[15] = (uint8_t)index;
    out->pci_bus = 0x10u + (unsigned)index;
    out->sm_major = (int)settings->sm / 10;
    out->sm_minor = (int)settings->sm % 10;
    out->multiprocessors = 4;
    out->clock_khz = 1500000;
    out->memory_clock_khz = 2000000;
    out->memory_bus_bits = 1024;
    out->memory_told_bytes = settings->memory;
    out->memory_bytes = settings->memory;
}

static void platform_read(void) {
    struct settings settings = {.devices = 1,
                                .memory = UINT64_C(256) << 20,
                                .sm = 90,
                                .threads = 2,
                                .steps = 100000000,
                                .driver = 13000};
    struct pa_error error = {0};
    const char *text = getenv("PETAUDIT_EMULATED_GPU");
    char *copy = strdup(text != NULL ? text : "");
    int code = copy == NULL ? pa_fail(&error, PA_EMEMORY, "out of memory")
                            : settings_parse(&settings, copy, ",", &error);
    free(copy);
    if (code != PA_OK) {
        emulated_report("PETAUDIT_EMULATED_GPU: %s", error.text);
        return;
    }
    platform.device_count = (int)settings.devices;
    for (int i = 0; i < platform.device_count; i++)
        device_fill(&platform.devices[i], i, &settings);
    if (emulated_condition_apply(&platform, &error) != PA_OK) {
        emulated_report("PETAUDIT_EMULATED_GPU: %s", error.text);
        return;
    }
    platform.is_eager = settings.is_eager;
    platform.seed = settings.seed;
    platform.threads = (unsigned)settings.threads;
    platform.step_limit = settings.steps;
    platform.driver_version = (int)settings.driver;
    platform.ptx_version = settings.ptx != 0 ? (int)settings.ptx : ptx_of_driver(settings.driver);
    is_usable = true;
}

const struct emulated_platform *emulated_platform(void) {
    pthread_once(&once, platform_read);
    return is_usable ? &platform : NULL;
}

/* One write a line, so that lines of several processes do not mix. */
void emulated_report(const char *format, ...) {
    char line[REPORT_BYTES] = "emulated GPU: ";
    size_t used = strlen(line);
    va_list args;
    va_start(args, format);
    vsnprintf(line + used, sizeof line - used - 1, format, args);
    va_end(args);
    used = strlen(line);
    line[used++] = '\n';
    atomic_fetch_add(&reports, 1);
    fwrite(line, 1, used, stderr);
    const char *path = getenv("PETAUDIT_EMULATED_REPORT");
    if (path == NULL)
        return;
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || write(file, line, used) != (ssize_t)used)
        fprintf(stderr, "emulated GPU: cannot write to %s\n", path);
    if (file >= 0)
        close(file);
}

unsigned emulated_report_count(void) {
    return atomic_load(&reports);
}

uint64_t emulated_clock_ns(void) {
    return pa_clock_raw_ns();
}

int petaudit_emulated_gpu(void) {
    return 1;
}
