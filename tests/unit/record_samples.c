/* SPDX-License-Identifier: Apache-2.0 */
#include "record_samples.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct pa_signature sample_signature(uint8_t fill, uint16_t length) {
    struct pa_signature signature = {.length = length};
    memset(signature.bytes, fill, length);
    return signature;
}

static struct pa_instant sample_time(uint64_t n) {
    return (struct pa_instant){.raw_ns = 1000000007 * (n + 1),
                               .utc_ns = 1795478400000000000u + 1000000000 * n};
}

void put_sample_session(struct pa_buffer *out) {
    const struct pa_session_record session = {.at = sample_time(0),
                                              .declaration = (const uint8_t *)"declaration",
                                              .declaration_bytes = 11,
                                              .witness = sample_signature(0x30, 70),
                                              .prover = sample_signature(0x31, 8)};
    pa_record_put_session(out, &session);
}

void put_sample_note(struct pa_buffer *out, uint64_t number, size_t filler) {
    struct pa_buffer json = {0};
    pa_buffer_text(&json, "{\"kind\":\"sample\",\"text\":\"");
    for (size_t i = 0; i < filler; i++)
        pa_buffer_text(&json, "x");
    pa_buffer_text(&json, "\"}");
    const struct pa_note_record note = {.at = sample_time(number),
                                        .json = (const char *)json.data,
                                        .json_bytes = (uint32_t)json.size};
    pa_record_put_note(out, number, &note);
    pa_buffer_free(&json);
}

void put_samples(struct pa_buffer *out) {
    struct pa_nonce_record nonce = {.at = sample_time(1)};
    memset(nonce.nonce, 0x11, sizeof nonce.nonce);
    struct pa_root_record root = {.at = sample_time(11), .prover = sample_signature(0x32, 72)};
    memset(root.root, 0x22, sizeof root.root);
    struct pa_list_entry entries[3] = {{.steps = 7}, {.steps = 0}, {.steps = 65535}};
    memset(entries[0].last, 0x33, sizeof entries[0].last);
    memset(entries[2].tree, 0x44, sizeof entries[2].tree);
    struct pa_key_record key;
    memset(key.key, 0x55, sizeof key.key);
    const struct pa_opening_record opening = {
        .j = 5, .opening = (const uint8_t *)"opening bytes", .opening_bytes = 13};
    const struct pa_result_record passed = {
        .drawn = 1000, .failed = 0, .first_failed = UINT32_MAX, .reason = "", .reason_bytes = 0};
    const struct pa_result_record failed = {
        .drawn = 1000, .failed = 2, .first_failed = 17, .reason = "wrong tile", .reason_bytes = 10};
    const struct pa_note_record note = {
        .at = sample_time(12), .json = "{\"kind\":\"x\"}", .json_bytes = 12};
    const struct pa_power_sample by_witness[2] = {{sample_time(12), 812345, PA_ENERGY_UNKNOWN},
                                                  {sample_time(13), -5, 1234567890123}};
    const struct pa_power_sample by_meter[2] = {{{0, 1795478411000000000}, PA_POWER_UNKNOWN, 7},
                                                {{0, 1795478412000000000}, 900000000000, 8}};
    const struct pa_fabric_record fabric = {.at = sample_time(13),
                                            .stage = 6,
                                            .body = (const uint8_t *)"opening bytes",
                                            .body_bytes = 13};
    const struct pa_signature_record signature = {.at = sample_time(13),
                                                  .witness = sample_signature(0x36, 71)};
    put_sample_session(out);
    pa_record_put_nonce(out, 3, &nonce);
    pa_record_put_root(out, 3, &root);
    pa_record_put_list(out, 3, entries, 3);
    pa_record_put_key(out, 3, &key);
    pa_record_put_opening(out, 3, &opening);
    pa_record_put_result(out, 3, &passed);
    pa_record_put_result(out, 3, &failed);
    pa_record_put_note(out, 3, &note);
    pa_record_put_note(out, PA_NO_EPOCH, &note);
    pa_record_put_power(out, sample_time(13), 0, by_witness, 2);
    pa_record_put_power(out, sample_time(13), PA_POWER_MOST_METERS - 1, by_meter, 2);
    pa_record_put_fabric(out, &fabric);
    pa_record_put_signature(out, &signature);
}

void make_folder(char out[64]) {
    strcpy(out, "/tmp/petaudit-test-XXXXXX");
    if (mkdtemp(out) == NULL)
        abort();
}

void remove_folder(const char *folder) {
    DIR *directory = opendir(folder);
    struct dirent *entry;
    char path[512];
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (directory != NULL)
        closedir(directory);
    rmdir(folder);
}
