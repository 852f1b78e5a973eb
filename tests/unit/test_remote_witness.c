/* SPDX-License-Identifier: Apache-2.0 */
/* A site whose witness is gone, or there and silent: how long it waits. */
#include "cmocka_setup.h"

#include "base/clock.h"
#include "witness/remote_witness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint64_t second = UINT64_C(1000000000);

/* A port of this machine; the socket behind it listens, or is closed: then nobody answers there. */
static int take_port(bool is_listening, uint16_t *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    if (is_listening)
        assert_int_equal(listen(listener, 16), 0);
    else
        close(listener);
    return listener;
}

/* How many seconds a note, or the end of a session, waits for a witness there. */
static uint64_t seconds_waited(uint16_t port, bool is_end) {
    char url[160], pin[65];
    struct pa_witness *witness = NULL;
    struct pa_error error = {0};
    memset(pin, 'a', sizeof pin - 1);
    pin[sizeof pin - 1] = '\0';
    snprintf(url, sizeof url, "https://127.0.0.1:%u#%s", port, pin);
    struct pa_remote_witness_options options = {.url = url, .ticket_path = "/nowhere/ticket"};
    assert_int_equal(pa_remote_witness_open(&options, &witness, &error), PA_OK);
    uint64_t begun_ns = pa_clock_raw_ns();
    uint64_t gap_ns;
    int code = is_end ? witness->kind->finish(witness, &error)
                      : witness->kind->gap(witness, &gap_ns, &error);
    uint64_t waited_ns = pa_clock_raw_ns() - begun_ns;
    assert_true(code == PA_EWITNESS || code == PA_ETIMEOUT);
    assert_non_null(strstr(error.text, "the witness at https://127.0.0.1:"));
    witness->kind->release(witness);
    return waited_ns / second;
}

/* Without it that would be two minutes each. */
static void patience_shortens_the_wait_for_a_witness(void **state) {
    uint16_t nobody, silent;
    (void)state;
    take_port(false, &nobody);
    int listener = take_port(true, &silent);
    setenv("PETAUDIT_PATIENCE", "2s", 1);
    assert_true(seconds_waited(nobody, false) < 60);
    assert_true(seconds_waited(silent, false) < 60);
    assert_true(seconds_waited(silent, true) < 60); /* connected to, but it is no witness */
    assert_true(seconds_waited(nobody, true) < 60);
    unsetenv("PETAUDIT_PATIENCE");
    close(listener);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patience_shortens_the_wait_for_a_witness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
