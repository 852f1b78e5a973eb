/* SPDX-License-Identifier: Apache-2.0 */
/* attestation.h - does a vendor vouch for a device, in this session? Pure: bytes in, an answer out.
 *
 * A report is what a GPU of NVIDIA's signs when it is asked for its measurements: an SPDM 1.1
 * GET_MEASUREMENTS request of 37 bytes (DMTF DSP0274) with the asker's 32-byte nonce inside, the
 * MEASUREMENTS answer behind it, and over both an ECDSA P-384 signature by a key that the device
 * made for the firmware it runs. The chain is PEM, leaf first: that key, the device's own, two or
 * three of the vendor's, and perhaps the root itself.
 *
 * What holds of a report that is accepted: a genuine GPU under that root, which the leaf names by
 * its serial number, was asked with this nonce and ran the firmware that the leaf certifies. What
 * is not looked at: the measurements (the vendor's reference values are signed files of their own),
 * and whether the vendor revoked a certificate since (OCSP). And a report says nothing of where the
 * GPU stands, nor whether it did any work.
 *
 * Everything is hostile: sizes come first, and the first thing that does not hold is the answer.
 */
#ifndef PA_PROOF_ATTESTATION_H
#define PA_PROOF_ATTESTATION_H

#include "base/error.h"
#include "proof/hash.h"

#include <stdbool.h>

/* What NVML gives at most. */
enum {
    PA_ATTESTATION_NONCE_BYTES = 32,
    PA_ATTESTATION_REPORT_MOST_BYTES = 0x2000,
    PA_ATTESTATION_CHAIN_MOST_BYTES = 0x1400,
    PA_ATTESTATION_MOST_CERTIFICATES = 8
};

struct pa_attestation {
    const uint8_t *report;
    size_t report_bytes;
    const char *chain; /* PEM; no zero at its end is needed */
    size_t chain_bytes;
};

/* Who was vouched for; texts are printable. */
struct pa_attested {
    char device[64];    /* by the leaf: "NVIDIA:GH100:48B02D92494BADF4", maker, chip, serial */
    char firmware[97];  /* SHA-384 of the firmware that the leaf's key is bound to; may be empty */
    char driver[32];    /* as the device was told; empty when it does not say */
    char vbios[32];     /* "96.00.9F.00.01"; empty when it does not say */
    struct pa_hash key; /* SHA-256 of the leaf's SubjectPublicKeyInfo */
    uint32_t blocks;    /* of measurements, which were not compared with anything */
};

/* Whether `nonce` was signed by a GPU under the one root `anchor` (PEM), all certificates being
 * valid at `utc_ns`. PA_EINVALID with the first thing that does not hold; PA_EMEMORY. `out` is
 * zeros unless all holds. */
int pa_attestation_verify(const struct pa_attestation *attestation,
                          const uint8_t nonce[PA_ATTESTATION_NONCE_BYTES], const char *anchor,
                          uint64_t utc_ns, struct pa_attested *out, struct pa_error *error);
/* Two reports of one device: the same serial number, or the same key. */
bool pa_attested_is_same(const struct pa_attested *a, const struct pa_attested *b);

/* attestation_root.c: NVIDIA's root of device identities, the only one that counts. */
const char *pa_attestation_root(void);

#endif
