/* SPDX-License-Identifier: Apache-2.0 */
/* The register of devices: its file, what can be exchanged, and what cannot be. */
#include "cmocka_setup.h"

#include "base/file.h"
#include "witness/device_register.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Two witnesses, each with a store and a key. */
struct scene {
    char folder[64], store[2][96], file[96];
    struct pa_key *key[2];
    uint8_t public_key[2][PA_PUBLIC_KEY_BYTES];
};

static int set_up(void **state) {
    static struct scene scene;
    snprintf(scene.folder, sizeof scene.folder, "/tmp/petaudit-register-XXXXXX");
    assert_non_null(mkdtemp(scene.folder));
    snprintf(scene.file, sizeof scene.file, "%s/file", scene.folder);
    for (int i = 0; i < 2; i++) {
        snprintf(scene.store[i], sizeof scene.store[i], "%s/%d", scene.folder, i);
        assert_int_equal(mkdir(scene.store[i], 0700), 0);
        assert_int_equal(pa_key_generate(&scene.key[i], NULL), PA_OK);
        pa_key_public(scene.key[i], scene.public_key[i]);
    }
    *state = &scene;
    return 0;
}

static int tear_down(void **state) {
    struct scene *scene = *state;
    char command[128];
    for (int i = 0; i < 2; i++)
        pa_key_free(scene->key[i]);
    snprintf(command, sizeof command, "rm -r '%s'", scene->folder);
    return system(command);
}

static struct pa_sighting sighting(uint8_t device, uint8_t site, uint8_t session, uint64_t from) {
    return (struct pa_sighting){.kind = PA_IDENTITY_UUID,
                                .identity = {{device}},
                                .site = {{site}},
                                .session = {{session}},
                                .from_s = from,
                                .to_s = from + 100};
}

/* A file of `count` sightings, hashed (as far as its head says) with `key`. */
static struct pa_buffer make_file(const struct scene *scene, const struct pa_hash *key, int signer,
                                  uint8_t count) {
    struct pa_sightings sightings = {0};
    struct pa_buffer out = {0};
    for (uint8_t i = count; i > 0; i--) {
        struct pa_sighting each = sighting(i, 1, i, 1000u * i);
        assert_int_equal(pa_sightings_add(&sightings, &each, NULL), PA_OK);
        assert_int_equal(pa_sightings_add(&sightings, &each, NULL), PA_OK);
    }
    assert_int_equal(pa_register_write(&sightings, key, scene->key[signer], &out, NULL), PA_OK);
    pa_sightings_free(&sightings);
    return out;
}

static int read_back(const struct pa_buffer *file, uint32_t *count) {
    uint8_t id[8], witness[PA_PUBLIC_KEY_BYTES];
    struct pa_sightings found;
    struct pa_error error = {0};
    int code = pa_register_read("file", file->data, file->size, id, witness, &found, &error);
    *count = found.count;
    pa_sightings_free(&found);
    return code;
}

static void a_file_is_read_as_it_was_written(void **state) {
    const struct scene *scene = *state;
    const struct pa_hash key = {{7}};
    struct pa_buffer file = make_file(scene, &key, 0, 5);
    uint32_t count;
    assert_int_equal(read_back(&file, &count), PA_OK);
    assert_int_equal(count, 5);
    pa_buffer_free(&file);
    file = make_file(scene, &key, 0, 0);
    assert_int_equal(read_back(&file, &count), PA_OK);
    assert_int_equal(count, 0);
    pa_buffer_free(&file);
}

static void any_other_byte_or_end_is_refused(void **state) {
    const struct scene *scene = *state;
    const struct pa_hash key = {{7}};
    struct pa_buffer file = make_file(scene, &key, 0, 2);
    uint32_t count;
    for (size_t i = 0; i < file.size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            file.data[i] ^= (uint8_t)(1 << bit);
            if (read_back(&file, &count) == PA_OK)
                fail_msg("byte %zu, bit %d was not missed", i, bit);
            file.data[i] ^= (uint8_t)(1 << bit);
        }
        struct pa_buffer cut = {.data = file.data, .size = i};
        assert_int_not_equal(read_back(&cut, &count), PA_OK);
    }
    pa_buffer_text(&file, "\n");
    assert_int_not_equal(read_back(&file, &count), PA_OK);
    pa_buffer_free(&file);
}

static void a_gap_is_between_two_sites_of_one_device(void **state) {
    (void)state;
    struct pa_sighting here = sighting(1, 1, 1, 1000), there = sighting(1, 2, 2, 1400);
    assert_int_equal(pa_sighting_gap(&here, &there), 300);
    assert_int_equal(pa_sighting_gap(&there, &here), 300);
    there.from_s = 1050;
    assert_int_equal(pa_sighting_gap(&here, &there), 0);
    there.site = here.site;
    assert_true(pa_sighting_gap(&here, &there) == UINT64_MAX);
    there = sighting(2, 2, 2, 1400);
    assert_true(pa_sighting_gap(&here, &there) == UINT64_MAX);
    there = sighting(1, 2, 2, 1400);
    here.kind = there.kind = PA_IDENTITY_PLACE;
    assert_true(pa_sighting_gap(&here, &there) == UINT64_MAX);
}

static void pairs_that_cannot_be_are_listed(void **state) {
    (void)state;
    struct pa_sightings all = {0};
    struct pa_buffer out = {0};
    const struct pa_sighting each[] = {sighting(1, 1, 1, 1000), sighting(2, 1, 1, 1000),
                                       sighting(1, 2, 2, 2000), sighting(2, 2, 2, 900000)};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pa_sightings_add(&all, &each[i], NULL), PA_OK);
    assert_int_equal(pa_register_pairs(&all, 86400, &out), 1);
    pa_buffer_bytes(&out, "", 1);
    assert_non_null(strstr((const char *)out.data, "gap_s 900\n"));
    assert_int_equal(pa_register_pairs(&all, 900, &out), 0);
    pa_sightings_free(&all);
    pa_buffer_free(&out);
}

static int import(const struct scene *scene, const struct pa_buffer *file, int trusted) {
    struct pa_error error = {0};
    uint32_t count;
    assert_int_equal(pa_file_write(scene->file, file->data, file->size, 0644, NULL), PA_OK);
    return pa_register_import(scene->store[0], scene->file, scene->public_key[trusted], &count,
                              &error);
}

static void only_what_can_be_compared_and_grows_is_imported(void **state) {
    const struct scene *scene = *state;
    struct pa_hash key, again, other = {{9}};
    struct pa_sightings own = {0}, all = {0};
    assert_int_equal(pa_register_key(scene->store[0], &key, NULL), PA_OK);
    assert_int_equal(pa_register_key(scene->store[0], &again, NULL), PA_OK);
    assert_true(pa_hash_equal(&key, &again));
    struct pa_buffer three = make_file(scene, &key, 1, 3), four = make_file(scene, &key, 1, 4),
                     strange = make_file(scene, &other, 1, 4);
    assert_int_equal(import(scene, &three, 0), PA_EINVALID); /* signed by another */
    assert_int_equal(import(scene, &strange, 1), PA_EINPUT); /* another register.key */
    assert_int_equal(import(scene, &three, 1), PA_OK);
    assert_int_equal(import(scene, &four, 1), PA_OK);
    assert_int_equal(import(scene, &four, 1), PA_OK);
    assert_int_equal(import(scene, &three, 1), PA_EINVALID); /* one was taken back */
    assert_int_equal(pa_register_load(scene->store[0], &own, &all, NULL), PA_OK);
    assert_true(own.count == 0 && all.count == 4);
    pa_sightings_free(&own);
    pa_sightings_free(&all);
    pa_buffer_free(&three);
    pa_buffer_free(&four);
    pa_buffer_free(&strange);
}

/* No memory of so many is needed: a register that is full is not touched. */
static void a_session_is_entered_whole_or_not_at_all(void **state) {
    (void)state;
    struct pa_sightings own = {.count = PA_REGISTER_MOST_SIGHTINGS - 1}, session = {0};
    struct pa_error error = {0};
    struct pa_buffer notes = {0};
    bool is_full = false;
    for (uint8_t i = 0; i < 2; i++) {
        struct pa_sighting each = sighting(i, 1, 1, 1000);
        assert_int_equal(pa_sightings_add(&session, &each, NULL), PA_OK);
    }
    assert_int_equal(pa_sightings_join(&own, &session, &is_full, &notes, &error), PA_OK);
    assert_true(is_full);
    json_t *note = json_loadb((const char *)notes.data, notes.size, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(note, "kind")), "finding");
    assert_string_equal(json_string_value(json_object_get(note, "code")), "REGISTER_FULL");
    json_decref(note);
    pa_buffer_clear(&notes);
    assert_int_equal(own.count, PA_REGISTER_MOST_SIGHTINGS - 1);
    own = (struct pa_sightings){0};
    assert_int_equal(pa_sightings_join(&own, &session, &is_full, &notes, &error), PA_OK);
    assert_false(is_full);
    assert_int_equal(notes.size, 0);
    assert_int_equal(own.count, 2);
    assert_memory_equal(own.each[1].identity.bytes, session.each[1].identity.bytes, PA_HASH_BYTES);
    pa_buffer_free(&notes);
    pa_sightings_free(&own);
    pa_sightings_free(&session);
}

static void the_key_is_for_its_owner_alone_and_decides_every_hash(void **state) {
    const struct scene *scene = *state;
    struct pa_hash first, second, a, b;
    struct stat facts;
    char path[128];
    assert_int_equal(pa_register_key(scene->store[0], &first, NULL), PA_OK);
    assert_int_equal(pa_register_key(scene->store[1], &second, NULL), PA_OK);
    pa_register_hash(&a, &first, "uuid", "GPU-1");
    pa_register_hash(&b, &second, "uuid", "GPU-1");
    assert_false(pa_hash_equal(&a, &b));
    pa_register_hash(&b, &first, "serial", "GPU-1");
    assert_false(pa_hash_equal(&a, &b));
    snprintf(path, sizeof path, "%s/register.key", scene->store[0]);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(pa_register_key(scene->store[0], &first, NULL), PA_EINPUT);
    assert_int_equal(pa_file_write(path, "abc\n", 4, 0600, NULL), PA_OK);
    assert_int_equal(pa_register_key(scene->store[0], &first, NULL), PA_EINPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_read_as_it_was_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_other_byte_or_end_is_refused, set_up, tear_down),
        cmocka_unit_test(a_gap_is_between_two_sites_of_one_device),
        cmocka_unit_test(pairs_that_cannot_be_are_listed),
        cmocka_unit_test_setup_teardown(only_what_can_be_compared_and_grows_is_imported, set_up,
                                        tear_down),
        cmocka_unit_test(a_session_is_entered_whole_or_not_at_all),
        cmocka_unit_test_setup_teardown(the_key_is_for_its_owner_alone_and_decides_every_hash,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
