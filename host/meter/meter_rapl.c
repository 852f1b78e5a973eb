/* SPDX-License-Identifier: Apache-2.0 */
#include "meter/meter_rapl.h"

#include "base/base.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_DOMAINS = 64 };

struct domain {
    char energy_path[PATH_MAX];
    char name[32];
    uint64_t range_uj, last_uj;
    bool is_begun;
};

struct rapl {
    struct pa_meter base;
    uint64_t total_uj;
    int domain_count;
    struct domain domains[MOST_DOMAINS];
};

uint64_t pa_meter_rapl_grown(uint64_t before_uj, uint64_t now_uj, uint64_t range_uj) {
    if (now_uj >= before_uj)
        return now_uj - before_uj;
    return range_uj > before_uj ? range_uj - before_uj + now_uj : now_uj;
}

/* The first line of a small file; the errno of what failed, or 0. */
static int read_line(const char *path, char *out, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno;
    ssize_t got = read(file, out, size - 1);
    int cause = got < 0 ? errno : 0;
    close(file);
    out[got > 0 ? got : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return cause;
}

static int read_counter(const char *path, uint64_t *out, struct pa_error *error) {
    char text[64];
    int cause = read_line(path, text, sizeof text);
    if (cause == EACCES || cause == EPERM)
        return pa_fail(error, PA_EDEVICE,
                       "reading %s: %s; Linux lets only root read RAPL counters (CVE-2020-8694): "
                       "run as root, or let an administrator open them (chmod a+r)",
                       path, strerror(cause));
    if (cause != 0)
        return pa_fail(error, PA_EDEVICE, "reading %s: %s", path, strerror(cause));
    struct pa_error wrong = {0};
    if (pa_whole_parse(text, 0, INT64_MAX, out, &wrong) != PA_OK)
        return pa_fail(error, PA_EDEVICE, "reading %s: %.500s", path, wrong.text);
    return PA_OK;
}

static int add_domain(struct rapl *rapl, const char *root, const char *entry,
                      struct pa_error *error) {
    char path[PATH_MAX], name[32];
    if ((size_t)snprintf(path, sizeof path, "%s/%s/name", root, entry) >= sizeof path ||
        read_line(path, name, sizeof name) != 0)
        return PA_OK;
    if (strncmp(name, "package", 7) != 0 && strcmp(name, "dram") != 0)
        return PA_OK;
    if (rapl->domain_count == MOST_DOMAINS)
        return pa_fail(error, PA_EDEVICE, "%s has more than %d RAPL domains", root, MOST_DOMAINS);
    struct domain *domain = &rapl->domains[rapl->domain_count];
    if ((size_t)snprintf(path, sizeof path, "%s/%s/max_energy_range_uj", root, entry) >=
            sizeof path ||
        (size_t)snprintf(domain->energy_path, sizeof domain->energy_path, "%s/%s/energy_uj", root,
                         entry) >= sizeof domain->energy_path)
        return pa_fail(error, PA_EDEVICE, "%.200s: the path is too long", root);
    PA_TRY(read_counter(path, &domain->range_uj, error));
    pa_printable(domain->name, sizeof domain->name, name);
    rapl->domain_count++;
    return PA_OK;
}

static int compare_domains(const void *left, const void *right) {
    const struct domain *a = left, *b = right;
    return strcmp(a->energy_path, b->energy_path);
}

static int find_domains(struct rapl *rapl, const char *root, struct pa_error *error) {
    DIR *folder = opendir(root);
    struct dirent *entry;
    int code = PA_OK;
    if (folder == NULL)
        return pa_fail(error, PA_EDEVICE,
                       "opening %s: %s; this system has no powercap counters (a kernel without "
                       "intel_rapl, or a virtual machine)",
                       root, strerror(errno));
    while (code == PA_OK && (entry = readdir(folder)) != NULL)
        if (strncmp(entry->d_name, "intel-rapl:", 11) == 0)
            code = add_domain(rapl, root, entry->d_name, error);
    closedir(folder);
    if (code == PA_OK && rapl->domain_count == 0)
        code = pa_fail(error, PA_EDEVICE,
                       "%s has no RAPL package: this processor has no such counter, or a virtual "
                       "machine hides it",
                       root);
    qsort(rapl->domains, (size_t)rapl->domain_count, sizeof *rapl->domains, compare_domains);
    return code;
}

static int read_rapl(struct pa_meter *meter, struct pa_meter_reading *out, struct pa_error *error) {
    struct rapl *rapl = (struct rapl *)meter;
    for (int i = 0; i < rapl->domain_count; i++) {
        struct domain *domain = &rapl->domains[i];
        uint64_t now_uj;
        PA_TRY(read_counter(domain->energy_path, &now_uj, error));
        if (domain->is_begun)
            rapl->total_uj += pa_meter_rapl_grown(domain->last_uj, now_uj, domain->range_uj);
        domain->is_begun = true;
        domain->last_uj = now_uj;
    }
    out->millijoules = rapl->total_uj / 1000;
    return PA_OK;
}

static void close_rapl(struct pa_meter *meter) {
    free(meter);
}

static const struct pa_meter_kind rapl_kind = {
    .source = "rapl", .read = read_rapl, .close = close_rapl};

static void describe(struct rapl *rapl) {
    struct pa_meter_facts *facts = &rapl->base.facts;
    char host[64] = "this host";
    gethostname(host, sizeof host - 1);
    pa_printable(facts->name, sizeof facts->name, host);
    size_t used = 0;
    for (int i = 0; i < rapl->domain_count && used + 40 < sizeof facts->details; i++)
        used += (size_t)snprintf(facts->details + used, sizeof facts->details - used, "%s%s",
                                 i > 0 ? ", " : "", rapl->domains[i].name);
}

int pa_meter_rapl_open(struct pa_meter_options *options, struct pa_meter **out,
                       struct pa_error *error) {
    struct rapl *rapl = calloc(1, sizeof *rapl);
    if (rapl == NULL)
        return pa_fail(error, PA_EMEMORY, "opening a meter: out of memory");
    rapl->base.kind = &rapl_kind;
    int code = pa_meter_options_facts(options, &rapl->base.facts, error);
    if (code == PA_OK && strcmp(rapl->base.facts.role, "it") != 0)
        code = pa_fail(error, PA_EUSAGE, "RAPL counts processors: its role is it, not %s",
                       rapl->base.facts.role);
    if (code == PA_OK && rapl->base.facts.class_percent > 0)
        code = pa_fail(error, PA_EUSAGE, "RAPL has no accuracy class; leave class= out");
    if (code == PA_OK)
        code = pa_meter_options_done(options, error);
    if (code == PA_OK)
        code = find_domains(
            rapl, options->where[0] != '\0' ? options->where : "/sys/class/powercap", error);
    if (code != PA_OK) {
        free(rapl);
        return code;
    }
    describe(rapl);
    if (rapl->base.facts.interval_ns == 0)
        rapl->base.facts.interval_ns = 1000000000;
    *out = &rapl->base;
    return PA_OK;
}
