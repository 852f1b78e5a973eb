/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/key_file.h"
#include "command/command.h"
#include "command/options.h"
#include "command/passphrase.h"
#include "command/terminal.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: petaudit keygen FILE\n\n"
    "Make a signing key (ECDSA P-256): FILE (private, mode 0600), FILE.pub "
    "(public, to give away) and\n"
    "FILE.crt (certificate for TLS and PDF). Nothing is overwritten.\n"
    "With PETAUDIT_PASSPHRASE_FILE=F in the environment, FILE is locked with the first line "
    "of F;\n"
    "whoever uses the key then sets the same, or is asked on the terminal.\n\n"
    "Examples:\n"
    "  petaudit keygen auditor\n"
    "  petaudit verify certificate.json --trust auditor.pub\n";

static int keygen(const char *path, struct pa_error *error) {
    char public_path[4096], text[8192], id_text[2 * PA_HASH_BYTES + 1];
    uint8_t key[PA_PUBLIC_KEY_BYTES];
    struct pa_hash id;
    struct pa_buffer passphrase = {0};
    int code = pa_passphrase_for_new(&passphrase, error);
    if (code == PA_OK)
        code = pa_key_file_make(path, (const char *)passphrase.data, error);
    bool is_locked = passphrase.size > 0;
    pa_passphrase_wipe(&passphrase);
    PA_TRY(code);
    snprintf(public_path, sizeof public_path, "%s.pub", path);
    PA_TRY(pa_key_file_load_public(public_path, key, error));
    pa_public_key_id(key, &id);
    pa_hex(id_text, id.bytes, PA_HASH_BYTES);
    snprintf(text, sizeof text, "%s\n", id_text);
    pa_say("made %s%s, %s.pub and %s.crt; the key id is", path,
           is_locked ? " (locked with the passphrase)" : "", path, path);
    return pa_print_result(text, strlen(text), error);
}

static int run(int argc, char **argv) {
    static const struct pa_option options[] = {{NULL, NULL, NULL}};
    struct pa_arguments arguments;
    struct pa_error error = {0};
    int code = pa_options_parse(argc, argv, options, &arguments, &error);
    if (code == PA_OK && arguments.wants_help)
        code = pa_print_result(help, sizeof help - 1, &error);
    else if (code == PA_OK &&
             (code = pa_arguments_expect(&arguments, 1, 1, "FILE", &error)) == PA_OK)
        code = keygen(arguments.plain[0], &error);
    return code == PA_OK ? 0 : pa_report_error("keygen", &error);
}

const struct pa_command pa_command_keygen = {"keygen", "make a signing key", help, run};
