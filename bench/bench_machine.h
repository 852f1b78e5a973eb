/* SPDX-License-Identifier: Apache-2.0 */
/* bench_machine.h - the first lines of every bench: where and with what it was measured. */
#ifndef PA_BENCH_MACHINE_H
#define PA_BENCH_MACHINE_H

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What /proc/cpuinfo says of the first processor: "AMD EPYC; family 25 model 17; FMA AVX2 AVX-512
 * AVX-512-BF16 VNNI", in the words of bench/overhead. The name alone tells a virtual machine's
 * generation from no other. */
static inline void bench_describe_processor(char *out, size_t size) {
    static const struct {
        const char *flag, *name;
    } wanted[] = {{" fma ", " FMA"},
                  {" avx2 ", " AVX2"},
                  {" avx512f ", " AVX-512"},
                  {" avx512_bf16 ", " AVX-512-BF16"},
                  {" avx512_vnni ", " VNNI"}};
    static char line[8192];
    char model[128] = "unknown", family[16] = "?", number[16] = "?", sets[128] = "";
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL && line[0] != '\n') {
        char *value = strchr(line, ':');
        if (value == NULL)
            continue;
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "model name", 10) == 0)
            snprintf(model, sizeof model, "%s", value + 2);
        else if (strncmp(line, "cpu family", 10) == 0)
            snprintf(family, sizeof family, "%s", value + 2);
        else if (strncmp(line, "model", 5) == 0)
            snprintf(number, sizeof number, "%s", value + 2);
        else if (strncmp(line, "flags", 5) == 0) {
            size_t length = strlen(line);
            if (length + 1 < sizeof line)
                memcpy(line + length, " ", 2);
            for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
                if (strstr(value, wanted[i].flag) != NULL)
                    strncat(sets, wanted[i].name, sizeof sets - strlen(sets) - 1);
        }
    }
    if (file != NULL)
        fclose(file);
    snprintf(out, size, "%s; family %s model %s;%s", model, family, number,
             sets[0] != '\0' ? sets : " neither FMA nor AVX2");
}

static inline void bench_print_machine(void) {
    char processor[512];
    double load = 0;
    int first;
    bench_describe_processor(processor, sizeof processor);
    printf("machine:  %s; %d processors\n", processor, pa_processors_allowed(&first, 1));
    if (getloadavg(&load, 1) == 1)
        printf("load:     %.2f before the run\n", load);
    printf("compiler: %s\n", PETAUDIT_BENCH_COMPILER);
    printf("commit:   %s\n", PETAUDIT_BENCH_COMMIT);
}

#endif
