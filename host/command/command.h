/* SPDX-License-Identifier: Apache-2.0 */
/* command.h - the door of host/command/: one file for each subcommand, and what they share.
 *
 *   options.h   the command line, strictly
 *   terminal.h  messages, progress, figures for people: the only place that prints
 *   outputs.h   from evidence to certificate.json, summary.json, report.html
 *
 * A subcommand returns an exit status: 0 PASS or done, 1 FAIL, 2 INCONCLUSIVE, 3 INVALID, 64 and
 * above for errors (README, "Exit status").
 */
#ifndef PA_COMMAND_COMMAND_H
#define PA_COMMAND_COMMAND_H

struct pa_command {
    const char *name;
    const char *summary;               /* one line for --help */
    const char *help;                  /* the whole page of `petaudit NAME --help`, with examples */
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name */
};

extern const struct pa_command pa_command_devices, pa_command_audit, pa_command_judge,
    pa_command_verify, pa_command_report, pa_command_keygen, pa_command_policy, pa_command_selftest,
    pa_command_witness, pa_command_portfolio;

#endif
