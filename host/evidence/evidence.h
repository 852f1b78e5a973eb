/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.h - the door of host/evidence/: what was seen, in order, never changed.
 *
 *   record.h   the transcript records of docs/protocol.md: one encoder, one strict parser
 *   store.h    evidence.db: the records in SQLite, hash-chained, written as they happen
 *
 * A record is at once what goes over the wire, a row of evidence.db and what a judge reads.
 * Everything else in the database is derived from table `record` and can be rebuilt.
 */
#ifndef PA_EVIDENCE_EVIDENCE_H
#define PA_EVIDENCE_EVIDENCE_H

#include "evidence/record.h"
#include "evidence/store.h"

#endif
