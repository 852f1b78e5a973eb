/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/named_files.h"
#include "command/options.h"
#include "command/outputs.h"
#include "command/terminal.h"

static const char help[] =
    "Usage: petaudit judge EVIDENCE.db [--claim C] [--policy P] [--key K] [--out DIR] [--again "
    "CERTIFICATE]\n"
    "                                  [--json]\n\n"
    "Judge evidence again, under its own claim and policy or others; nothing is measured. Every "
    "opened tile is computed\n"
    "again. With --out a new signed statement is written, with --key by that key.\n\n"
    "  --claim C    a claim file instead of the one in the evidence\n"
    "  --policy P   a built-in policy or a file instead of the one in the evidence\n"
    "  --key K      the key to sign with (default ~/.config/petaudit/key)\n"
    "  --out DIR    write certificate.json, summary.json, report.html and report.pdf there\n"
    "  --again C    the certificate that judged this evidence before, which the new one points to\n"
    "               (default: the one beside EVIDENCE.db)\n"
    "  --json       print summary.json on stdout and nothing else\n\n"
    "Examples:\n"
    "  petaudit judge petaudit-20261124T101500Z/evidence.db\n"
    "  petaudit judge evidence.db --claim examples/claim.yaml --out second-opinion\n"
    "  petaudit judge evidence.db --policy ./mine.yaml --again certificate.json --out again\n";

struct wishes {
    const char *claim, *policy, *key, *out, *again;
    bool is_json;
};

/* The certificate of --again may be the one in --out: it is superseded by name (outputs.c). */
static int check_files(const char *evidence, const struct wishes *wishes, struct pa_error *error) {
    const struct pa_named_file inputs[] = {{"the evidence", evidence},
                                           {"the claim", wishes->claim},
                                           {"the policy", wishes->policy},
                                           {"the key", wishes->key},
                                           {NULL, NULL}};
    return wishes->out == NULL ? PA_OK
                               : pa_named_files_check_folder(wishes->out, NULL, inputs, error);
}

static int judge(const char *evidence, const struct wishes *wishes, struct pa_judged *judged,
                 struct pa_error *error) {
    struct pa_key *key = NULL;
    PA_TRY(check_files(evidence, wishes, error));
    int code =
        pa_judge_evidence(evidence, wishes->claim, wishes->policy, PA_RECHECK_TILES, judged, error);
    if (code == PA_OK)
        code = pa_earlier_statement(wishes->again, evidence, judged, error);
    if (code == PA_OK && (wishes->out != NULL || wishes->is_json))
        code = pa_default_key(wishes->key, &key, error);
    if (code == PA_OK && wishes->out != NULL)
        code = pa_outputs_write(judged, key, wishes->key, PA_LANGUAGE_EN, wishes->out, error);
    if (code == PA_OK)
        code = pa_outputs_print(judged, key, wishes->out, wishes->is_json, error);
    pa_key_free(key);
    return code;
}

static int run(int argc, char **argv) {
    struct wishes wishes = {0};
    const struct pa_option options[] = {
        {"--claim", NULL, &wishes.claim},
        {"--policy", NULL, &wishes.policy},
        {"--key", NULL, &wishes.key},
        {"--out", NULL, &wishes.out},
        {"--again", NULL, &wishes.again},
        {"--json", &wishes.is_json, NULL},
        {NULL, NULL, NULL},
    };
    struct pa_arguments arguments;
    struct pa_judged judged = {0};
    struct pa_error error = {0};
    int code = pa_options_parse(argc, argv, options, &arguments, &error), status = 0;
    if (code == PA_OK && arguments.wants_help)
        code = pa_print_result(help, sizeof help - 1, &error);
    else if (code == PA_OK &&
             (code = pa_arguments_expect(&arguments, 1, 1, "EVIDENCE.db", &error)) == PA_OK) {
        code = judge(arguments.plain[0], &wishes, &judged, &error);
        status = (int)judged.judgement.verdict;
    }
    pa_judged_free(&judged);
    return code == PA_OK ? status : pa_report_error("judge", &error);
}

const struct pa_command pa_command_judge = {"judge", "judge evidence again, measure nothing", help,
                                            run};
