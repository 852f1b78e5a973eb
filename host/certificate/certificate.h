/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.h - the door of host/certificate/: a judgement as a signed statement, and its check.
 *
 *   canonical.h   one spelling of JSON and of base64, so that equal content has equal bytes
 *   members.h     every member a statement may have, and of which type
 *   statement.h   evidence, claim, policy and judgement -> in-toto Statement; summary.json from it
 *   envelope.h    the statement in a DSSE envelope, signed with ECDSA P-256, and back
 *   verify.h      what holds of a certificate, offline, with the evidence or without
 *   key_file.h    keygen's three files
 *   cms.h         a signature over a document, for PDF
 *   time_stamp.h  an RFC 3161 time stamp over a certificate's file
 *
 * The same evidence, claim, policy and signer give the same statement to the byte: no clock, no
 * locale, no map order goes into it. A certificate is read as hostile input: one byte more, less or
 * different and it is refused, with the first thing that does not hold.
 */
#ifndef PA_CERTIFICATE_CERTIFICATE_H
#define PA_CERTIFICATE_CERTIFICATE_H

#include "certificate/canonical.h"
#include "certificate/cms.h"
#include "certificate/device_list.h"
#include "certificate/envelope.h"
#include "certificate/key_file.h"
#include "certificate/members.h"
#include "certificate/statement.h"
#include "certificate/time_stamp.h"
#include "certificate/verify.h"

#endif
