/* SPDX-License-Identifier: Apache-2.0 */
/* device_sample.h - which devices of a declared site an audit looks at (docs/sampling.md;
 * docs/protocol.md 2).
 *
 * The witness draws a key after both sides signed the declaration; key and session fix the choice,
 * so that the site cannot steer it, and anybody can make it again from the transcript.
 */
#ifndef PA_PROOF_DEVICE_SAMPLE_H
#define PA_PROOF_DEVICE_SAMPLE_H

#include "base/error.h"
#include "proof/hash.h"

#include <stdint.h>

/* Draw `count` of `devices`, each set of them and each order as likely as any other; `out` gets
 * them in the order of the draw. PA_EINPUT unless 1 <= count <= devices, PA_EMEMORY. */
int pa_device_sample_draw(uint32_t *out, uint32_t count, uint32_t devices,
                          const struct pa_hash *key, const struct pa_hash *session,
                          struct pa_error *error);

#endif
