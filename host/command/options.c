/* SPDX-License-Identifier: Apache-2.0 */
#include "command/options.h"

#include "base/number.h"

#include <stdio.h>
#include <string.h>

enum { MOST_OPTIONS = 64 };

static int unknown(const char *argument, const struct pa_option *options, struct pa_error *error) {
    const char *names[MOST_OPTIONS + 2];
    char name[64];
    int count = 0;
    for (; options[count].name != NULL && count < MOST_OPTIONS; count++)
        names[count] = options[count].name;
    names[count] = "--help";
    names[count + 1] = NULL;
    snprintf(name, sizeof name, "%.*s",
             (int)(strcspn(argument, "=") < 60 ? strcspn(argument, "=") : 60), argument);
    const char *near = pa_nearest_word(name, names);
    return pa_fail(error, PA_EUSAGE, "there is no option %s%s%s%s", name,
                   near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                   near != NULL ? "?" : "");
}

/* Take the option that stands at argv[*at]; moves *at to a value that stands apart. */
static int take_option(int argc, char **argv, int *at, const struct pa_option *options,
                       bool *is_seen, struct pa_error *error) {
    const char *argument = argv[*at];
    size_t length = strcspn(argument, "=");
    for (int i = 0; options[i].name != NULL; i++) {
        const struct pa_option *option = &options[i];
        if (strlen(option->name) != length || strncmp(option->name, argument, length) != 0)
            continue;
        /* An option that is listed several times may be given as often. */
        if (is_seen[i] && options[i + 1].name != NULL &&
            strcmp(options[i + 1].name, option->name) == 0)
            continue;
        if (is_seen[i])
            return pa_fail(error, PA_EUSAGE, "%s is given %s", option->name,
                           i > 0 && strcmp(options[i - 1].name, option->name) == 0 ? "too often"
                                                                                   : "twice");
        is_seen[i] = true;
        if (option->flag != NULL && argument[length] == '=')
            return pa_fail(error, PA_EUSAGE, "%s takes no value", option->name);
        if (option->flag != NULL)
            *option->flag = true;
        else if (argument[length] == '=')
            *option->value = argument + length + 1;
        else if (*at + 1 < argc)
            *option->value = argv[++*at];
        else
            return pa_fail(error, PA_EUSAGE, "%s needs a value", option->name);
        if (option->value != NULL && **option->value == '\0')
            return pa_fail(error, PA_EUSAGE, "%s needs a value that is not empty", option->name);
        return PA_OK;
    }
    return unknown(argument, options, error);
}

int pa_options_parse(int argc, char **argv, const struct pa_option *options,
                     struct pa_arguments *out, struct pa_error *error) {
    bool is_seen[MOST_OPTIONS] = {false}, is_over = false;
    *out = (struct pa_arguments){.count = 0};
    for (int at = 1; at < argc; at++) {
        const char *argument = argv[at];
        if (!is_over && strcmp(argument, "--") == 0)
            is_over = true;
        else if (!is_over && (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0))
            out->wants_help = true;
        else if (!is_over && argument[0] == '-' && argument[1] != '\0')
            PA_TRY(take_option(argc, argv, &at, options, is_seen, error));
        else if (out->count == PA_MOST_ARGUMENTS)
            return pa_fail(error, PA_EUSAGE, "more than %d arguments", PA_MOST_ARGUMENTS);
        else
            out->plain[out->count++] = argument;
    }
    return PA_OK;
}

int pa_arguments_expect(const struct pa_arguments *arguments, int least, int most, const char *what,
                        struct pa_error *error) {
    if (arguments->count < least)
        return pa_fail(error, PA_EUSAGE, "%s is missing", what);
    if (arguments->count > most)
        return pa_fail(error, PA_EUSAGE, "\"%.60s\" is one argument too many",
                       arguments->plain[most]);
    return PA_OK;
}
