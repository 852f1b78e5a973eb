/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - the command line of one subcommand: "--name", "--name VALUE", "--name=VALUE" and
 * plain arguments in any order; "--" ends the options. An unknown option is refused with the
 * nearest known one, a repeated one too, unless it is listed several times in a row. */
#ifndef PA_COMMAND_OPTIONS_H
#define PA_COMMAND_OPTIONS_H

#include "base/error.h"

#include <stdbool.h>

struct pa_option {
    const char *name;   /* with its dashes: "--json" */
    bool *flag;         /* set to true when the option is there; NULL for an option with a value */
    const char **value; /* points into argv; NULL for a flag */
};

enum { PA_MOST_ARGUMENTS = 4096 };

struct pa_arguments {
    const char *plain[PA_MOST_ARGUMENTS];
    int count;
    bool wants_help;
};

/* `options` ends with a name of NULL. PA_EUSAGE. "--help" is always known. */
int pa_options_parse(int argc, char **argv, const struct pa_option *options,
                     struct pa_arguments *out, struct pa_error *error);

/* Refuse anything but `least` to `most` plain arguments; `what` names them in the message. */
int pa_arguments_expect(const struct pa_arguments *arguments, int least, int most, const char *what,
                        struct pa_error *error);

#endif
