/* SPDX-License-Identifier: Apache-2.0 */
/* nvml_device.h - what the NVIDIA Management Library tells of a CUDA device: who it is, how it
 * fares, who else uses it.
 *
 * Devices are found by UUID, never by index: NVML numbers them by PCI bus and knows nothing of
 * CUDA_VISIBLE_DEVICES. NVML is no condition of an audit: where it is missing, or old, or does not
 * answer a question, that much is not known. A MIG slice is asked by its own handle, and its card
 * for what only the card has.
 */
#ifndef PA_DEVICE_NVML_DEVICE_H
#define PA_DEVICE_NVML_DEVICE_H

#include "device/device.h"

struct pa_nvml_device;

/* Find the device with identity `id` ("GPU-<uuid>"; a MIG slice is found too) and take down who
 * uses it now: before this process has a context on it, so that whoever is there is another.
 * PA_EUNSUPPORTED where NVML is absent or does not know the device; the reason is one line. */
int pa_nvml_open(const char *id, struct pa_nvml_device **out, struct pa_error *error);
/* NULL is fine. */
void pa_nvml_close(struct pa_nvml_device *device);

/* Fill what CUDA does not tell: serial, partition, the prefix of a slice's id, the version in
 * `driver`, and in `details` PCI bus, VBIOS, ECC, the power limit, memory and highest clock as NVML
 * has them, and its name for the device where that is another one. Other members stay as they are.
 */
void pa_nvml_identify(const struct pa_nvml_device *device, struct pa_device_identity *identity);

/* As pa_backend.telemetry and pa_backend.occupants. Any thread may ask. */
int pa_nvml_telemetry(const struct pa_nvml_device *device, struct pa_telemetry *out,
                      struct pa_error *error);
uint32_t pa_nvml_occupants(const struct pa_nvml_device *device, struct pa_occupant *out,
                           uint32_t most);

/* The two halves of pa_backend.attest: of the card, where the device is a slice of one. */
int pa_nvml_report(const struct pa_nvml_device *device, const uint8_t nonce[PA_VENDOR_NONCE_BYTES],
                   struct pa_vendor_report *out, struct pa_error *error);
int pa_nvml_chain(const struct pa_nvml_device *device, struct pa_vendor_report *out,
                  struct pa_error *error);

#endif
