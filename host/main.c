/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - petaudit: find the subcommand and run it. */
#include "base/number.h"
#include "base/team.h"
#include "command/command.h"
#include "command/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct pa_command *const commands[] = {
    &pa_command_audit,   &pa_command_judge,     &pa_command_verify,   &pa_command_report,
    &pa_command_witness, &pa_command_devices,   &pa_command_selftest, &pa_command_keygen,
    &pa_command_policy,  &pa_command_portfolio,
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

/* Part of the command line that scripts may rely on, in versions to come. */
static const char *const later[] = {"witness", "watch", "use", NULL};

static void print_help(FILE *out) {
    fprintf(
        out,
        "petaudit - what an AI computing centre really does, proven, against what was claimed\n\n"
        "Usage: petaudit COMMAND [ARGUMENTS]\n\n");
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out,
            "\n  petaudit COMMAND --help   a command's page, with examples\n"
            "  petaudit --version        version and build\n\n"
            "Examples:\n"
            "  petaudit audit examples/this-machine.yaml\n"
            "  petaudit verify petaudit-*/certificate.json --evidence petaudit-*/evidence.db\n\n"
            "Exit status: 0 PASS or done, 1 FAIL, 2 INCONCLUSIVE, 3 INVALID; 64 usage, 65 bad "
            "input, 66 no such\n"
            "input, 69 device, witness or hub unavailable, 70 internal, 73 cannot write, 130 "
            "interrupted.\n");
}

static int refuse(const char *name) {
    const char *names[COMMANDS + 1];
    struct pa_error error = {0};
    for (int i = 0; later[i] != NULL; i++)
        if (strcmp(name, later[i]) == 0) {
            pa_fail(&error, PA_EUNSUPPORTED,
                    "this version has no %s yet; see CHANGELOG.md for what it has", name);
            return pa_report_error(name, &error);
        }
    for (int i = 0; i < COMMANDS; i++)
        names[i] = commands[i]->name;
    names[COMMANDS] = NULL;
    const char *near = pa_nearest_word(name, names);
    pa_say("petaudit: there is no command %.60s%s%s%s", name, near != NULL ? "; did you mean " : "",
           near != NULL ? near : "", near != NULL ? "?" : "");
    pa_say("Try: petaudit --help");
    return 64;
}

/* OpenBLAS joins its threads at exit, and one that found no memory never ends; a thread in a call
 * that was given up does not end either. Such a process leaves without the libraries' farewell. */
static int leave(int status) {
    if ((status >= 69 && status <= 73) || pa_team_left_behind()) {
        fflush(NULL);
        _exit(status);
    }
    return status;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return 64;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return fflush(stdout) == 0 ? 0 : 73;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("petaudit %s (%s)\n", PETAUDIT_VERSION, PETAUDIT_COMMIT);
        return fflush(stdout) == 0 ? 0 : 73;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i]->name) == 0)
            return leave(commands[i]->run(argc - 1, argv + 1));
    return refuse(argv[1]);
}
