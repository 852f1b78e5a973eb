/* SPDX-License-Identifier: Apache-2.0 */
/* device.h - the door of host/device/: an accelerator, whatever its make.
 *
 * A backend is a const struct of function pointers, one per vendor. The measuring code knows only
 * this header: it opens devices, asks which formats they run, opens a *workbench* (all the memory
 * of one chain at one shape and format) and feeds it steps. How a step's generation, GEMM and
 * digest overlap or fuse is the backend's business: a processor digests a panel of C while it is in
 * cache, a GPU uses two streams.
 *
 * What a backend cannot do is refused with PA_EUNSUPPORTED and a reason, never pretended. Vendor
 * libraries are found at run time or linked where Debian has them; their handles stay inside the
 * backend.
 */
#ifndef PA_DEVICE_DEVICE_H
#define PA_DEVICE_DEVICE_H

#include "base/error.h"
#include "kernels/fabric.h"
#include "kernels/philox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pa_format { PA_FP64 = 1, PA_FP32, PA_TF32, PA_BF16, PA_FP16, PA_FP8, PA_INT8, PA_FORMATS_END };

/* "bf16" and back; NULL or 0 when unknown. */
const char *pa_format_name(enum pa_format format);
enum pa_format pa_format_named(const char *name);

struct pa_device_identity {
    char id[96];    /* unique on this host and stable: "cpu:0", "cpu:0/2-3" for a part of it,
                       "GPU-<uuid>" */
    char name[128]; /* the vendor's own model string */
    char vendor[32];
    char serial[64]; /* empty where the vendor has none */
    char host[64];
    uint64_t memory_bytes;
    uint32_t units;      /* cores in use, or streaming multiprocessors */
    double clock_hz;     /* the highest sustained clock the device states; 0 unknown */
    char details[512];   /* one line for people: ISA, caches, sockets, driver version */
    char partition[128]; /* empty: a whole device. Else what part of one it is: "MIG slice of
                            GPU-<uuid>", "vGPU" */
    char bus[32];     /* where it is plugged in, "0000:3b:00.0"; empty where that means nothing */
    char driver[48];  /* "CUDA 13.0; 580.65.06"; empty for a processor */
    bool is_emulated; /* software plays the device: there is no such hardware */
};

/* What one format is on one device. */
struct pa_format_facts {
    bool runs; /* false: `why_not` says why */
    char why_not[160];
    char library[96];       /* "oneDNN 2.6.3 (brg:avx512_core_bf16)" */
    double peak_per_second; /* units x clock x operations per clock, 0 where not known */
    char peak_basis[160];   /* how that figure came about */
};

/* The classes are those of proof/work_class.h; this room knows them by number only, with what it
 * needs to compute. */
struct pa_workload {
    uint32_t class_id; /* enum pa_class */
    enum pa_format format;
    uint32_t m, n, k;
    uint32_t variant; /* which way of calling the library, 0 .. variants-1 of pa_backend.variants */
};

/* Of the sums of a pair (kernels/fabric.h): the keys of the weights of ours and of theirs, and what
 * of theirs meets what of ours. */
struct pa_fold_keys {
    uint32_t s, s_partner;
    struct pa_fabric_shuffle shuffle; /* of as many chunks as the state has */
};

/* Where a workbench's time went, summed over its threads or streams, in nanoseconds. */
struct pa_step_costs {
    uint64_t generate_ns, gemm_ns, digest_ns, idle_ns;
};

struct pa_device;
struct pa_workbench;
struct pa_communicator;
struct pa_memory;

struct pa_device_options {
    const int *processors; /* cpu: the processors to use, one thread each; NULL means all that are
                              allowed */
    int processor_count;
};

/* Why a device runs slower than it could, as bits; NVIDIA's "clock event reasons". */
enum pa_slowdown {
    PA_SLOW_IDLE = 1 << 0,
    PA_SLOW_SETTING = 1 << 1,     /* clocks that somebody set */
    PA_SLOW_POWER_CAP = 1 << 2,   /* the configured power limit */
    PA_SLOW_HARDWARE = 1 << 3,    /* the hardware halves its clock or worse, for any of the below */
    PA_SLOW_SYNC = 1 << 4,        /* bound to the clocks of other devices */
    PA_SLOW_SW_THERMAL = 1 << 5,  /* the driver holds a temperature */
    PA_SLOW_HW_THERMAL = 1 << 6,  /* the hardware saves itself from heat */
    PA_SLOW_POWER_BRAKE = 1 << 7, /* the power supply told it to */
    PA_SLOW_DISPLAY = 1 << 8,
    PA_SLOW_OTHER = 1 << 9, /* a reason that is younger than this table */
};
enum { PA_SLOWDOWNS = 10 };
/* "power_cap" for bit 2; NULL past the last. */
const char *pa_slowdown_name(unsigned bit);

/* A device's health at one moment; what it does not tell has `has_` = false. */
struct pa_telemetry {
    bool has_power, has_energy, has_temperature, has_headroom, has_clock, has_memory_clock,
        has_slowdowns, has_ecc, has_processes;
    uint32_t power_mw;
    uint64_t energy_mj;    /* since some moment in the past: only differences mean something */
    int32_t temperature_c; /* of the chip */
    int32_t headroom_c;    /* until the hardware slows itself down; 0 or less: it is there */
    uint32_t clock_mhz, memory_clock_mhz;
    uint32_t slowdowns;                      /* bits of enum pa_slowdown */
    uint64_t ecc_corrected, ecc_uncorrected; /* since the driver was loaded */
    uint32_t processes;                      /* that use the device, this one included */
};

/* Another process that uses a device. */
struct pa_occupant {
    uint64_t pid;
    char name[64]; /* empty where nobody tells */
    uint64_t memory_bytes;
};

/* What a device's vendor signs of it: the report, with the asker's nonce inside, and the chain of
 * certificates to it (PEM). proof/attestation.h reads both. */
enum {
    PA_VENDOR_NONCE_BYTES = 32,
    PA_VENDOR_REPORT_BYTES = 0x2000,
    PA_VENDOR_CHAIN_BYTES = 0x1400
};
struct pa_vendor_report {
    uint32_t report_bytes, chain_bytes;
    uint8_t report[PA_VENDOR_REPORT_BYTES], chain[PA_VENDOR_CHAIN_BYTES];
};

/* 16 bytes of the way's name, then whatever it needs (NCCL: its 128 bytes). */
enum { PA_COMMUNICATOR_ID_BYTES = 16 + 128 };

/* M and N of a step. */
struct pa_step_shape {
    uint32_t m, n;
};

struct pa_backend {
    const char *name; /* "cpu" */
    /* Shapes worth trying, the best guess first; ended by {0, 0}. */
    const struct pa_step_shape *shapes;

    /* How many devices there are. PA_EUNSUPPORTED with one line why the backend is absent here. */
    int (*count)(int *out, struct pa_error *error);
    int (*open)(int index, const struct pa_device_options *options, struct pa_device **out,
                struct pa_error *error);
    void (*close)(struct pa_device *device);

    /* Fills `out` for every format, also those that do not run. */
    void (*format)(struct pa_device *device, enum pa_format format, struct pa_format_facts *out);
    /* What the device goes without although it works, and why: "all-reduce: libnccl.so.2: cannot
     * open ..". Writes at most `most` lines, returns how many. NULL: nothing is ever missing. */
    int (*missing)(struct pa_device *device, char (*texts)[160], int most);
    /* The ways to run this workload, best guess first; writes a short name for each ("onednn
     * packed"). */
    int (*variants)(struct pa_device *device, const struct pa_workload *workload, char (*names)[48],
                    int most);

    /* Memory that workbench_open would take. */
    uint64_t (*workbench_bytes)(struct pa_device *device, const struct pa_workload *workload);
    /* Memory that a workbench may take now. */
    uint64_t (*memory_free)(struct pa_device *device);
    int (*workbench_open)(struct pa_device *device, const struct pa_workload *workload,
                          struct pa_workbench **out, struct pa_error *error);
    void (*workbench_close)(struct pa_workbench *bench);

    /* Generate A from its seed. Returns once later steps may be enqueued. */
    int (*load_a)(struct pa_workbench *bench, const struct pa_seed *seed, struct pa_error *error);
    /* Queue one step: generate B from `seed`, multiply, digest the m/128 * n/128 tiles of C,
     * row-major, keyed with seed->s. At most two steps may be queued and not yet collected; steps
     * complete in order. */
    int (*step_enqueue)(struct pa_workbench *bench, const struct pa_seed *seed,
                        struct pa_error *error);
    /* Wait for the oldest queued step and copy its tile digests. PA_ETIMEOUT once pa_clock_raw_ns()
     * has reached `deadline_ns` (an instant, not a length); the step stays queued. */
    int (*step_collect)(struct pa_workbench *bench, uint64_t *tiles, uint64_t deadline_ns,
                        struct pa_error *error);
    /* Forget queued steps, so that the workbench is as after open; waits for what already runs. */
    void (*steps_drop)(struct pa_workbench *bench);
    /* The library alone: multiply what lies in the operands `times` times, no generation, no
     * digest, called in the way that is fastest for it (its own threads). `out_ns` is the wall
     * time. */
    int (*multiply_bare)(struct pa_workbench *bench, uint32_t times, uint64_t *out_ns,
                         struct pa_error *error);
    /* Fabric proof (docs/protocol.md): from the next queued step on, fold the first `words` words
     * of C (a multiple of 128) of `steps` steps into a state that begins as zeros. One state at a
     * time; no step is queued. PA_EMEMORY. NULL members: not possible. */
    int (*fold_open)(struct pa_workbench *bench, uint64_t words, uint32_t steps,
                     struct pa_error *error);
    /* Copy the state, once all of its steps were collected. */
    int (*fold_read)(struct pa_workbench *bench, uint32_t *out, uint64_t deadline_ns,
                     struct pa_error *error);
    /* Nothing is fine, too. After steps_drop, where not all steps were collected. */
    void (*fold_close)(struct pa_workbench *bench);
    /* Where states go from device to device without their hosts (NULL members: they do not): after
     * fold_open, join all ranks of an id of communicator_id, and once all steps were collected make
     * the digests of the state's chunks of 128 words under the key s. */
    int (*fold_meet)(struct pa_workbench *bench, const uint8_t id[PA_COMMUNICATOR_ID_BYTES],
                     int rank, int size, uint64_t deadline_ns, struct pa_error *error);
    int (*fold_digests)(struct pa_workbench *bench, uint32_t s, uint64_t *out, uint64_t deadline_ns,
                        struct pa_error *error);
    /* Change states with `partner`, who calls it too, and make the sums of the chunks of ours and
     * of theirs, shuffled; `sums` NULL: none. */
    int (*fold_pair)(struct pa_workbench *bench, int partner, const struct pa_fold_keys *keys,
                     uint64_t *sums, uint64_t deadline_ns, struct pa_error *error);
    /* Pieces by themselves, for known answers: vector v of an operand, `workload->k` elements as
     * the format stores them, and the digest of one 128 x 128 tile of C. Class, format and k count;
     * PA_EUNSUPPORTED for what cannot be had. */
    int (*probe_operand)(struct pa_device *device, const struct pa_workload *workload,
                         const struct pa_seed *seed, uint32_t v, void *out, struct pa_error *error);
    int (*probe_digest)(struct pa_device *device, const struct pa_workload *workload,
                        const void *tile, uint32_t s, uint64_t *out, struct pa_error *error);
    /* Costs since open or the last call. */
    void (*costs)(struct pa_workbench *bench, struct pa_step_costs *out);

    /* All-reduce: `id` is made once by one rank and reaches the others over link/; it begins with
     * the name of the way that data travel ("shm", "mpi"; 16 bytes with zeros), for which the maker
     * must know whether all ranks are on one host. NULL members: not possible. Deadlines are
     * instants of pa_clock_raw_ns. */
    int (*communicator_id)(bool is_one_host, uint8_t id[PA_COMMUNICATOR_ID_BYTES],
                           struct pa_error *error);
    int (*communicator_open)(struct pa_device *device, const uint8_t id[PA_COMMUNICATOR_ID_BYTES],
                             int rank, int size, uint64_t most_bytes, uint64_t deadline_ns,
                             struct pa_communicator **out, struct pa_error *error);
    /* Fill the input of `bytes` bytes (int32 words) from `seed` for this rank, as docs/protocol.md,
     * "All-reduce". */
    int (*allreduce_fill)(struct pa_communicator *communicator, uint64_t bytes,
                          const struct pa_seed *seed, struct pa_error *error);
    /* Sum over all ranks, `times` times from the same input to the same output; wall time of all of
     * them. A rank that does not take part until the deadline gives PA_ETIMEOUT, one that is gone
     * PA_EDEVICE; the communicator is of no use from then on. */
    int (*allreduce_run)(struct pa_communicator *communicator, uint64_t bytes, uint32_t times,
                         uint64_t deadline_ns, uint64_t *out_ns, struct pa_error *error);
    /* Digests of the result's 16,384-word chunks (the last may be shorter), keyed with seed->s. */
    int (*allreduce_digest)(struct pa_communicator *communicator, uint64_t bytes,
                            const struct pa_seed *seed, uint64_t *chunks, struct pa_error *error);
    void (*communicator_close)(struct pa_communicator *communicator);

    /* Memory proof (docs/protocol.md): take `wanted` chunks of 1 MiB beside all that is open, or as
     * many as can be had: `*chunks`. Fill them from a seed, digest them in an order of all chunks
     * under the key `s`; wall times. PA_ETIMEOUT at the deadline. NULL members: not possible. */
    int (*memory_open)(struct pa_device *device, uint32_t wanted, struct pa_memory **out,
                       uint32_t *chunks, struct pa_error *error);
    int (*memory_fill)(struct pa_memory *memory, const struct pa_seed *seed, uint64_t deadline_ns,
                       uint64_t *out_ns, struct pa_error *error);
    int (*memory_read)(struct pa_memory *memory, const uint32_t *order, uint32_t s,
                       uint64_t deadline_ns, uint64_t *answers, uint64_t *out_ns,
                       struct pa_error *error);
    void (*memory_close)(struct pa_memory *memory);

    /* Health, now. Cheap enough for once a second while the device works, and allowed from another
     * thread than the one that drives it. NULL: the backend tells nothing of the kind. Fails with
     * PA_EUNSUPPORTED where this machine tells nothing (said once, the audit goes on without), with
     * PA_EDEVICE when the device is gone. */
    int (*telemetry)(struct pa_device *device, struct pa_telemetry *out, struct pa_error *error);
    /* Ask the device to sign `nonce` as the vendor has it. PA_EUNSUPPORTED with the reason where it
     * does not, as a GPU outside of confidential computing. NULL: the vendor has nothing of the
     * kind. */
    int (*attest)(struct pa_device *device, const uint8_t nonce[PA_VENDOR_NONCE_BYTES],
                  struct pa_vendor_report *out, struct pa_error *error);
    /* A call into a vendor's library may never come back. If the thread that drives the device has
     * been in one for longer than `longest_ns`, give device and thread up for good and say which
     * call it is: true, and PA_ETIMEOUT in `error`. The thread returns to nobody, the device
     * refuses everything, and `close` leaves it where it is. For another thread to ask; NULL: every
     * call comes back. */
    bool (*give_up)(struct pa_device *device, uint64_t longest_ns, struct pa_error *error);
    /* PA_OK, or why the device was given up in an earlier call and refuses everything. On the
     * thread that drives it. NULL: never happens. */
    int (*well)(struct pa_device *device, struct pa_error *error);
    /* The processes that used the device when it was opened, this one not among them: at most
     * `most` are written, the return value is how many there were. NULL: not known. */
    uint32_t (*occupants)(struct pa_device *device, struct pa_occupant *out, uint32_t most);
};

/* Every backend's device starts with this. */
struct pa_device {
    const struct pa_backend *backend;
    struct pa_device_identity identity;
};

/* The backends of this build, ended by NULL. */
const struct pa_backend *const *pa_backends(void);
/* What this build falsifies on purpose, for the evidence; NULL in every build but that of tests. */
const char *pa_device_test_build(void);
/* NULL when there is none of that name. */
const struct pa_backend *pa_backend_named(const char *name);

#endif
