/* SPDX-License-Identifier: Apache-2.0 */
/* record_samples.h - one well-formed record of every kind, for tests of the encoder, the parser and
 * the store. Their signatures and hashes are arbitrary bytes: nothing in that room checks them. */
#ifndef PA_TESTS_RECORD_SAMPLES_H
#define PA_TESTS_RECORD_SAMPLES_H

#include "evidence/evidence.h"

/* Appends SESSION, NONCE, ROOT, LIST, KEY, OPENING, RESULT (passed), RESULT (failed), NOTE (of the
 * epoch), NOTE (of none), POWER (by the witness's clock), POWER (by the meter's), SIGNATURE. */
void put_samples(struct pa_buffer *out);
void put_sample_session(struct pa_buffer *out);
/* A note of epoch `number` whose text has `filler` bytes. */
void put_sample_note(struct pa_buffer *out, uint64_t number, size_t filler);

/* A new directory below /tmp, to be removed by the caller with remove_folder. */
void make_folder(char out[64]);
void remove_folder(const char *folder);

#endif
