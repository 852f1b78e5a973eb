/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/claim.h"
#include "command/command.h"
#include "command/options.h"
#include "command/terminal.h"

#include <string.h>

static const char help[] =
    "Usage: petaudit policy list\n"
    "       petaudit policy show NAME\n"
    "       petaudit policy check FILE\n\n"
    "The rules that a claim is held against: list the built-in ones, print one to start your own "
    "from, or\n"
    "have a file explained in words, with warnings where it leaves something open.\n\n"
    "Examples:\n"
    "  petaudit policy show xinjiang-2024 > mine.yaml\n"
    "  petaudit policy check mine.yaml\n";

static int list(struct pa_buffer *out, struct pa_error *error) {
    for (const char *const *name = pa_policy_names(); *name != NULL; name++) {
        struct pa_policy policy = {0};
        PA_TRY(pa_policy_load(*name, &policy, error));
        pa_buffer_format(out, "%-20s %s\n", policy.name, policy.title);
        pa_policy_free(&policy);
    }
    return PA_OK;
}

static int show(const char *name, struct pa_buffer *out, struct pa_error *error) {
    size_t size;
    const char *text = pa_policy_text(name, &size);
    if (text == NULL) {
        const char *near = pa_nearest_word(name, pa_policy_names());
        return pa_fail(error, PA_ENOINPUT,
                       "there is no built-in policy %.60s%s%s; petaudit policy list names them",
                       name, near != NULL ? "; did you mean " : "", near != NULL ? near : "");
    }
    pa_buffer_bytes(out, text, size);
    return PA_OK;
}

static int check(const char *path, struct pa_buffer *out, struct pa_error *error) {
    struct pa_policy policy = {0};
    struct pa_buffer file = {0};
    int code = pa_file_read(path, PA_CLAIM_MOST_BYTES, &file, error);
    if (code == PA_OK)
        code = pa_policy_parse(path, file.data, file.size, &policy, error);
    if (code == PA_OK && pa_policy_describe(&policy, out) != PA_OK)
        code = pa_fail(error, PA_EMEMORY, "describing %s: out of memory", path);
    pa_policy_free(&policy);
    pa_buffer_free(&file);
    return code;
}

static int dispatch(const struct pa_arguments *arguments, struct pa_buffer *out,
                    struct pa_error *error) {
    PA_TRY(pa_arguments_expect(arguments, 1, 2, "list, show or check", error));
    const char *verb = arguments->plain[0],
               *argument = arguments->count > 1 ? arguments->plain[1] : NULL;
    if (strcmp(verb, "list") == 0 && argument == NULL)
        return list(out, error);
    if (strcmp(verb, "show") == 0 && argument != NULL)
        return show(argument, out, error);
    if (strcmp(verb, "check") == 0 && argument != NULL)
        return check(argument, out, error);
    return pa_fail(error, PA_EUSAGE, "\"%.60s\" is not list, show NAME or check FILE", verb);
}

static int run(int argc, char **argv) {
    static const struct pa_option options[] = {{NULL, NULL, NULL}};
    struct pa_arguments arguments;
    struct pa_buffer out = {0};
    struct pa_error error = {0};
    int code = pa_options_parse(argc, argv, options, &arguments, &error);
    if (code == PA_OK && arguments.wants_help)
        pa_buffer_text(&out, help);
    else if (code == PA_OK)
        code = dispatch(&arguments, &out, &error);
    if (code == PA_OK)
        code = pa_print_result(out.data, out.size, &error);
    pa_buffer_free(&out);
    return code == PA_OK ? 0 : pa_report_error("policy", &error);
}

const struct pa_command pa_command_policy = {"policy", "list, show or check policies", help, run};
