/* SPDX-License-Identifier: Apache-2.0 */
/* bench_machine.h - the first lines of every bench: where and with what it was measured. */
#ifndef PA_BENCH_MACHINE_H
#define PA_BENCH_MACHINE_H

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void bench_print_machine(void) {
    char line[256], model[256] = "unknown";
    double load = 0;
    int processor;
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && value != NULL) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(model, sizeof model, "%s", value + 2);
            break;
        }
    }
    if (file != NULL)
        fclose(file);
    printf("machine:  %s, %d processors\n", model, pa_processors_allowed(&processor, 1));
    if (getloadavg(&load, 1) == 1)
        printf("load:     %.2f before the run\n", load);
    printf("compiler: %s\n", PETAUDIT_BENCH_COMPILER);
    printf("commit:   %s\n", PETAUDIT_BENCH_COMMIT);
}

#endif
