/* SPDX-License-Identifier: Apache-2.0 */
/* messages.h - what the hub asks a process of the site, and the answers.
 *
 * A request goes to one process and concerns all of its devices, which work at the same time; the
 * answer has one part a device, in the order of its devices. Little endian throughout, read
 * strictly: a worker may be anybody.
 */
#ifndef PA_MEASURE_MESSAGES_H
#define PA_MEASURE_MESSAGES_H

#include "base/base.h"
#include "device/device.h"
#include "proof/proof.h"

enum pa_operation {
    PA_ASK_HELLO = 1,      /* who are your devices? > pa_hello */
    PA_ASK_CALIBRATE = 2,  /* pa_calibrate_request | ramp > pa_calibration a device */
    PA_ASK_PREPARE = 3,    /* open workbenches as calibrated and declared, warm up by the ramp >
                              pa_warmup | u64 ns until it began */
    PA_ASK_RAW = 4,        /* u64 ns > pa_raw a device */
    PA_ASK_EPOCH = 5,      /* pa_epoch_request > pa_tail | pa_vitals a device */
    PA_ASK_REPLAY = 6,     /* pa_replay_request > pa_tail: compute an earlier chain again */
    PA_ASK_OPEN = 7,       /* u64 epoch | u32 count | samples > count x (u32 size | opening) */
    PA_ASK_FORGET = 8,     /* u64 epoch: its chains are no longer needed */
    PA_ASK_ALLREDUCE = 9,  /* pa_allreduce_request > one row of this rank */
    PA_ASK_MEMORY = 10,    /* a request of memory_station.h a device > its answer */
    PA_ASK_COUPLED = 11,   /* pa_coupled_request of coupled.h a device > its answer */
    PA_ASK_ATTEST = 12,    /* a request of vendor_station.h a device > its answer */
    PA_ASK_RAMP_DOWN = 13, /* ramp > u64 ns until it ended: go on with products until then */
    PA_ASK_REST = 14,      /* u32 a device: 1 does nothing more | ramp > as RAMP_DOWN */
    PA_ASK_WELL = 15,      /* are you still well? > nothing, or why a device is lost */
    PA_ASK_FABRIC = 16,    /* a request of fabric_station.h a device > its answer */
};

enum { PA_MOST_DEVICES_A_PROCESS = 1024, PA_MOST_SWEEP = 128, PA_MOST_OCCUPANTS = 4 };

/* One way of running the class on one device, tried for a moment. */
struct pa_trial {
    enum pa_format format;
    uint32_t m, n, variant;
    char variant_name[48];
    double rate; /* operations a second of whole steps: generation, GEMM and digests */
};

struct pa_device_facts {
    struct pa_device_identity identity;
    char backend[16];
    struct pa_format_facts formats[PA_FORMATS_END];
    char no_telemetry[160];  /* why the device tells nothing of its health; empty when it does, or
                                when its backend never does */
    uint32_t occupant_count; /* other processes that use the device; the first of them: */
    struct pa_occupant occupants[PA_MOST_OCCUPANTS];
};

enum { PA_MOST_LIBRARIES_A_PROCESS = 16 };

/* A vendor's library that a process found and loaded. */
struct pa_library_facts {
    char name[64];   /* "libcublasLt.so.13" */
    char path[1024]; /* of the file */
    char sha256[65]; /* of its bytes, in hexadecimal; empty when it cannot be read */
};

/* Owned device facts of one process. */
struct pa_hello {
    uint32_t device_count;
    struct pa_device_facts *devices;
    uint32_t library_count;
    struct pa_library_facts libraries[PA_MOST_LIBRARIES_A_PROCESS];
    uint64_t utc_ns; /* its clock as it answers */
};

struct pa_calibrate_request {
    enum pa_class class_id;
    uint32_t k;
    uint32_t fixed_m, fixed_n; /* both 0: sweep; else this shape and no other (TEST shapes) */
    uint64_t longest_step_ns;  /* shapes whose steps take longer are not chosen */
    uint64_t budget_ns;        /* for all trials of one device */
};

struct pa_calibration {
    struct pa_trial chosen;
    uint64_t memory_bytes; /* of a workbench for the choice */
    uint32_t trial_count;
    struct pa_trial trials[PA_MOST_SWEEP];
    char refused[1024]; /* formats that run and were refused, and why; empty when none */
};

struct pa_warmup {
    uint32_t steps;
    uint64_t ns;
    double rate;   /* of the last steps */
    double spread; /* (max - min) / median of the last steps' times */
    bool is_steady;
};

struct pa_raw {
    double operations;
    uint64_t ns;
};

struct pa_epoch_request {
    struct pa_epoch_parameters parameters;
    struct pa_hash nonce;
    uint64_t first_device; /* declared number of the process's first device; the others follow */
    uint64_t length_ns;
    uint32_t kind; /* of epoch: which of the prepared workbenches */
};

/* Compute a closed epoch's chain of `device` again, on the process's first device. */
struct pa_replay_request {
    struct pa_epoch_parameters parameters;
    struct pa_hash nonce;
    uint64_t device;
    uint32_t m, n;
    uint32_t steps;
};

void pa_put_hello(struct pa_buffer *out, const struct pa_hello *hello);
int pa_get_hello(struct pa_reader *in, struct pa_hello *out, struct pa_error *error);
void pa_hello_free(struct pa_hello *hello);

void pa_put_calibrate_request(struct pa_buffer *out, const struct pa_calibrate_request *request);
int pa_get_calibrate_request(struct pa_reader *in, struct pa_calibrate_request *out,
                             struct pa_error *error);
void pa_put_calibration(struct pa_buffer *out, const struct pa_calibration *calibration);
int pa_get_calibration(struct pa_reader *in, struct pa_calibration *out, struct pa_error *error);
void pa_put_warmup(struct pa_buffer *out, const struct pa_warmup *warmup);
int pa_get_warmup(struct pa_reader *in, struct pa_warmup *out, struct pa_error *error);
void pa_put_raw(struct pa_buffer *out, const struct pa_raw *raw);
int pa_get_raw(struct pa_reader *in, struct pa_raw *out, struct pa_error *error);
void pa_put_epoch_request(struct pa_buffer *out, const struct pa_epoch_request *request);
int pa_get_epoch_request(struct pa_reader *in, struct pa_epoch_request *out,
                         struct pa_error *error);
void pa_put_replay_request(struct pa_buffer *out, const struct pa_replay_request *request);
int pa_get_replay_request(struct pa_reader *in, struct pa_replay_request *out,
                          struct pa_error *error);
void pa_put_tail(struct pa_buffer *out, const struct pa_tail *tail);
void pa_get_tail(struct pa_reader *in, struct pa_tail *out);
void pa_put_sample(struct pa_buffer *out, const struct pa_sample *sample);
void pa_get_sample(struct pa_reader *in, struct pa_sample *out);

#endif
