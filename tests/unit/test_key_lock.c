/* SPDX-License-Identifier: Apache-2.0 */
/* Keys under a passphrase: what openssl (3.0.17, `pkcs8 -topk8`) locked, what petaudit locks
 * itself, and what it refuses. The passphrase of the samples is "correct horse". */
#include "cmocka_setup.h"

#include "certificate/key_file.h"
#include "certificate/key_lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char plain[] = "-----BEGIN PRIVATE KEY-----\n"
                            "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgr/xPX7VY+wYhDBst\n"
                            "v73x3aYbSS5vG2zIzeSqsq1jMxChRANCAARbD5rT+e62TAg2DWcY42OVQujM8cat\n"
                            "jGuGIqqfwnZ/fLeucUbd4XtYA/17f/1SPHGrKVnvOPWKQQqbtNEXR9Yn\n"
                            "-----END PRIVATE KEY-----\n";

/* PBKDF2, 2,048 iterations, AES-256. */
static const char pbkdf2[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                             "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhxxnfjKyJY2QICCAAw\n"
                             "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDh8zF7N9OTuT1QpSEyMeE0EgZDC\n"
                             "w2BoYtVYTQsNot+OG2zDugbpCBAGVBI2fZ4Ok4d4XskQQKsn3FSX8PJKTz4NNPTV\n"
                             "J8mC6iAjA0O91JsDvNYh5FyV9mrtCwVD3rpdO3AwUZirjrrC6fm5UzdEaqsyp7FO\n"
                             "0pndx8NHOx44grIrcG8ElpNMH0zAXBi2P18nxDGcEoNqP1CV3dPNpGPrkCccOSg=\n"
                             "-----END ENCRYPTED PRIVATE KEY-----\n";

/* N = 16384, r = 8, p = 1, AES-256. */
static const char scrypt[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                             "MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAhOADj8hZ/GjgICQAAC\n"
                             "AQgCAQEwHQYJYIZIAWUDBAEqBBDWKasdwOb4gS76cAFGLN5gBIGQftj/UugubzPH\n"
                             "tvOrt2DnuG9QSMyYFZ80reYl16r3iyAa6dUlemeh8+lHyiDnWbLttnmUSdN1YF1m\n"
                             "Gm+4sd6KvCURtXDM5ZZe/mdha1NPLHINyGp7y/TblK+1db70IwVudFUlbtsd+xGb\n"
                             "JVd7pF/WOfOsa5g+YuUhQn2DTNrsYR/gGE+7vNmAQlkcoSK5Pi4h\n"
                             "-----END ENCRYPTED PRIVATE KEY-----\n";

/* PBES1: SHA-1 and triple DES. */
static const char pbes1[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                            "MIGxMBwGCiqGSIb3DQEMAQMwDgQIl9WY4ex9gO8CAggABIGQgEfWpt2daYm+r0am\n"
                            "fobirud00LX9kNDCIjE4iXyKNGC0wxtfLHW0ncds22GtsBfPraGjwukJ/Tv5FVUu\n"
                            "mnkvQ2bVoD3zsCTBynaNlqowPX6cYdAvlZrNgVZO3eX/BJWJWkp2PMAnnn2QSDVK\n"
                            "6J5eGaO7JWnbrc/7Ng4kgONYUgLuCkSr+vMjjIxMgDqkCXqM\n"
                            "-----END ENCRYPTED PRIVATE KEY-----\n";

/* PBKDF2 with 1,000,001 iterations. */
static const char slow[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                           "MIHtMFgGCSqGSIb3DQEFDTBLMCoGCSqGSIb3DQEFDDAdBAi3xjJ+nzBmXQIDD0JB\n"
                           "MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAECBBAkvE+3qrNXZwmRfaen/GMUBIGQ\n"
                           "xtIixoxA/U/ROXP53oy9LgYsVxfjMJyvkcwENLXIsWylKqfWjgRKIuMGmDlJNQns\n"
                           "kxWDiq4Hqg7KBPPzSq7tAWCgJwaHwISpoJhIa7omhE2WtOHdyY7JdxjHbngblECY\n"
                           "3s6Ff6zL9+h6jgZUEHHQ85Q+ZsAw2W2UD7/jDiJtdWr9cv7aRJuBnQzIgRrTQ3S8\n"
                           "-----END ENCRYPTED PRIVATE KEY-----\n";

/* A key of P-384. */
static const char p384[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                           "MIIBHDBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIjdeQlG1E1q4CAggA\n"
                           "MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBCodOZFp3ha302b5Fds3vVfBIHA\n"
                           "LPLLsLs6UmML/bBYiVv00uFPa3e1W09xgd+KvGkZHafyby26KG6dPgbUDCiZTyMx\n"
                           "8G/+mRUiH3l1hMi99Dny9HcXGIWj6j7zQkDBzavoCLIpiY673EoK8i1Uz7+bMQFI\n"
                           "L95rL8pGvG/nkr874jDAHckVJF7rF03qTaqEMLuxkd1bNRtHQ78aUKmtovf4+nSA\n"
                           "8yAhBc3IUiIKvdEZpmYRltOuoVFxIDtcOdy5rrcAlvXq1lqm3K9dvwnS3EDyQqGi\n"
                           "-----END ENCRYPTED PRIVATE KEY-----\n";

/* As PEM was encrypted before PKCS#8. */
static const char old[] = "-----BEGIN EC PRIVATE KEY-----\n"
                          "Proc-Type: 4,ENCRYPTED\n"
                          "DEK-Info: AES-128-CBC,A27A9AFC1E2996E2AC70635321B50A70\n"
                          "\n"
                          "kSUwjDYpfKorg/RA1Q22pZItEVgFnTVRCDX9VrHKKb1AxXZCFZx6t/yQY3qrRddk\n"
                          "HwgHD50D1e329XQ149MHvwGLxnVWStcHqlCCBkKO1R4T9cso/wTZsgmMgh2IKXgF\n"
                          "rShBEk/6zrVXqVbkbgRPe5jw+EY24b5UL8J/KGB0KEw=\n"
                          "-----END EC PRIVATE KEY-----\n";

static int unlock(const char *pem, const char *passphrase, struct pa_buffer *out,
                  struct pa_error *error) {
    pa_buffer_clear(out);
    return pa_key_unlock("k", pem, strlen(pem), passphrase, out, error);
}

static void demand_same_key(const void *pem, size_t size) {
    struct pa_key *first, *second;
    uint8_t a[PA_PUBLIC_KEY_BYTES], b[PA_PUBLIC_KEY_BYTES];
    assert_int_equal(pa_key_from_pem("plain", plain, strlen(plain), &first, NULL), PA_OK);
    assert_int_equal(pa_key_from_pem("unlocked", pem, size, &second, NULL), PA_OK);
    pa_key_public(first, a);
    pa_key_public(second, b);
    assert_memory_equal(a, b, sizeof a);
    pa_key_free(first);
    pa_key_free(second);
}

static void what_openssl_locked_is_unlocked(void **state) {
    (void)state;
    static const char *const samples[] = {pbkdf2, scrypt};
    struct pa_error error = {0};
    struct pa_buffer out = {0};
    for (size_t i = 0; i < 2; i++) {
        assert_true(pa_key_is_locked(samples[i], strlen(samples[i])));
        assert_int_equal(unlock(samples[i], "correct horse", &out, &error), PA_OK);
        demand_same_key(out.data, out.size);
        assert_int_equal(unlock(samples[i], "correct hors", &out, &error), PA_EINPUT);
        assert_non_null(strstr(error.text, "passphrase is wrong"));
    }
    assert_false(pa_key_is_locked(plain, strlen(plain)));
    pa_buffer_free(&out);
}

static void what_is_locked_here_opens_with_its_passphrase_only(void **state) {
    (void)state;
    struct pa_error error = {0};
    struct pa_buffer locked = {0}, again = {0}, out = {0};
    assert_int_equal(pa_key_lock(plain, strlen(plain), "a b", &locked, &error), PA_OK);
    assert_int_equal(pa_key_lock(plain, strlen(plain), "a b", &again, &error), PA_OK);
    assert_true(locked.size != again.size ||
                memcmp(locked.data, again.data, locked.size) != 0); /* the salt */
    assert_null(memmem(locked.data, locked.size, "BEGIN PRIVATE", 13));
    assert_int_equal(pa_key_unlock("k", locked.data, locked.size, "a b", &out, &error), PA_OK);
    demand_same_key(out.data, out.size);
    assert_int_equal(pa_key_unlock("k", locked.data, locked.size, "a  b", &out, &error), PA_EINPUT);
    assert_int_equal(pa_key_unlock("k", locked.data, locked.size, "", &out, &error), PA_EINPUT);
    pa_buffer_free(&locked);
    pa_buffer_free(&again);
    pa_buffer_free(&out);
}

static void weak_slow_and_strange_locks_are_refused(void **state) {
    (void)state;
    struct pa_error error = {0};
    struct pa_buffer out = {0};
    struct pa_key *key;
    assert_int_equal(unlock(pbes1, "correct horse", &out, &error), PA_EINPUT);
    assert_non_null(strstr(error.text, "openssl pkcs8"));
    assert_int_equal(unlock(slow, "x", &out, &error), PA_EINPUT);
    assert_non_null(strstr(error.text, "at most"));
    assert_int_equal(unlock("-----BEGIN ENCRYPTED PRIVATE KEY-----", "x", &out, &error), PA_EINPUT);
    assert_int_equal(unlock("", "x", &out, &error), PA_EINPUT);
    assert_int_equal(unlock(p384, "correct horse", &out, &error), PA_OK);
    assert_int_equal(pa_key_from_pem("p384", out.data, out.size, &key, &error), PA_EINPUT);
    assert_false(pa_key_is_locked(old, strlen(old)));
    assert_int_equal(pa_key_from_pem("old", old, strlen(old), &key, &error), PA_EINPUT);
    pa_buffer_free(&out);
}

/* A file cut off anywhere, or with a character turned, is refused or gives the very same key. */
static void damage_never_gives_another_key(void **state) {
    (void)state;
    struct pa_buffer out = {0};
    char text[sizeof pbkdf2];
    for (size_t i = 0; i < sizeof pbkdf2 - 1; i++) {
        memcpy(text, pbkdf2, sizeof text);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        if (unlock(text, "correct horse", &out, NULL) == PA_OK) {
            struct pa_key *key;
            if (pa_key_from_pem("k", out.data, out.size, &key, NULL) == PA_OK) {
                pa_key_free(key);
                demand_same_key(out.data, out.size);
            }
        }
        memcpy(text, pbkdf2, sizeof text);
        text[i] = '\0';
        if (i < sizeof pbkdf2 - 2) /* the last character is a line's end */
            assert_int_equal(unlock(text, "correct horse", &out, NULL), PA_EINPUT);
    }
    pa_buffer_free(&out);
}

static const char *asked_for;

static int tell(const char *path, struct pa_buffer *out, struct pa_error *error) {
    (void)error;
    asked_for = path;
    pa_buffer_bytes(out, "open sesame", 12);
    return PA_OK;
}

static void a_file_asks_for_its_passphrase(void **state) {
    (void)state;
    static const char *const endings[] = {"", ".pub", ".crt"};
    char directory[] = "/tmp/petaudit-test-XXXXXX", path[64], name[80];
    struct pa_error error = {0};
    struct pa_key *key = NULL;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/key", directory);
    assert_int_equal(pa_key_file_make(path, "open sesame", &error), PA_OK);
    assert_int_equal(pa_key_file_load(path, NULL, &key, &error), PA_EINPUT);
    assert_non_null(strstr(error.text, "locked"));
    assert_int_equal(pa_key_file_load(path, tell, &key, &error), PA_OK);
    assert_string_equal(asked_for, path);
    pa_key_free(key);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        assert_int_equal(unlink(name), 0);
    }
    assert_int_equal(rmdir(directory), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_openssl_locked_is_unlocked),
        cmocka_unit_test(what_is_locked_here_opens_with_its_passphrase_only),
        cmocka_unit_test(weak_slow_and_strange_locks_are_refused),
        cmocka_unit_test(damage_never_gives_another_key),
        cmocka_unit_test(a_file_asks_for_its_passphrase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
