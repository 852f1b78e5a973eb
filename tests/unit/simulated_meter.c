/* SPDX-License-Identifier: Apache-2.0 */
#include "simulated_meter.h"

#include <arpa/inet.h>
#include <modbus.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct inside {
    pthread_t thread;
    int listener;
    modbus_t *link;
    modbus_mapping_t *mapping;
};

/* Answer on one connection until the other side ends it. */
static void serve(struct simulated_meter *meter, int connection) {
    struct inside *inside = meter->inside;
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_set_socket(inside->link, connection);
    while (!atomic_load(&meter->is_stopping)) {
        struct pollfd ready = {.fd = connection, .events = POLLIN};
        if (poll(&ready, 1, 20) == 0)
            continue;
        int length = modbus_receive(inside->link, request);
        if (length < 0)
            break;
        atomic_fetch_add(&meter->requests, 1);
        int mood = atomic_load(&meter->mood);
        if (mood == MOOD_HANGS_UP)
            break;
        if (mood == MOOD_ANSWERS && length > 0)
            modbus_reply(inside->link, request, length, inside->mapping);
    }
    close(connection);
}

static void *run(void *context) {
    struct simulated_meter *meter = context;
    struct inside *inside = meter->inside;
    while (!atomic_load(&meter->is_stopping)) {
        struct pollfd ready = {.fd = inside->listener, .events = POLLIN};
        if (poll(&ready, 1, 20) <= 0)
            continue;
        int connection = accept(inside->listener, NULL, NULL);
        if (connection >= 0)
            serve(meter, connection);
    }
    return NULL;
}

void simulated_meter_start(struct simulated_meter *meter, int base) {
    struct inside *inside = calloc(1, sizeof *inside);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    if (inside == NULL)
        abort();
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    inside->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(inside->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(inside->listener, 4) != 0 ||
        getsockname(inside->listener, (struct sockaddr *)&address, &length) != 0)
        abort();
    inside->link = modbus_new_tcp("127.0.0.1", 1502);
    inside->mapping =
        modbus_mapping_new_start_address(0, 0, 0, 0, (unsigned)base, 600, (unsigned)base, 600);
    if (inside->link == NULL || inside->mapping == NULL)
        abort();
    memcpy(inside->mapping->tab_registers, meter->holding, sizeof meter->holding);
    memcpy(inside->mapping->tab_input_registers, meter->input, sizeof meter->input);
    meter->base = base;
    meter->inside = inside;
    atomic_store(&meter->is_stopping, false);
    snprintf(meter->port, sizeof meter->port, "%u", ntohs(address.sin_port));
    if (pthread_create(&inside->thread, NULL, run, meter) != 0)
        abort();
}

void simulated_meter_stop(struct simulated_meter *meter) {
    struct inside *inside = meter->inside;
    atomic_store(&meter->is_stopping, true);
    pthread_join(inside->thread, NULL);
    close(inside->listener);
    modbus_mapping_free(inside->mapping);
    modbus_free(inside->link);
    free(inside);
    meter->inside = NULL;
}
