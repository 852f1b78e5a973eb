/* SPDX-License-Identifier: Apache-2.0 */
/* policy_parts.h - inside the room: the longer parts of reading a policy. */
#ifndef PA_CLAIM_POLICY_PARTS_H
#define PA_CLAIM_POLICY_PARTS_H

#include "claim/claim.h"
#include "claim/yaml_tree.h"

/* `requirements` and `judges`. */
int pa_policy_read_requirements(struct pa_yaml_map *root, struct pa_policy *out);

#endif
