/* SPDX-License-Identifier: Apache-2.0 */
/* ptx_form.h - the spellings of instructions that the interpreter runs. */
#ifndef PA_TESTS_PTX_FORM_H
#define PA_TESTS_PTX_FORM_H

#include "emulated_gpu/ptx_body.h"

enum { PTX_MODIFIERS_MAX = 12 };

struct ptx_form {
    const char *opcode;
    /* What follows it, in order: alternatives parted by '|', slots by a blank; a slot that begins
     * with '?' may be missing. */
    const char *modifiers;
    uint8_t kind;    /* enum ptx_kind */
    uint8_t mode;    /* enum ptx_op, ptx_atom, ptx_shuffle or ptx_vote */
    uint8_t sources; /* of PTX_ALU */
};

/* The modifiers of one instruction as they were written. */
struct ptx_modifiers {
    struct ptx_name names[PTX_MODIFIERS_MAX];
    size_t count;
};

/* Find the form that "add.s32" is spelt as. NULL, and the reason in the source, when there is none.
 */
const struct ptx_form *ptx_form_find(struct ptx_source *source, struct ptx_name word,
                                     struct ptx_modifiers *modifiers);
bool ptx_modifiers_have(const struct ptx_modifiers *modifiers, const char *name);
/* The number'th modifier that is a type; PTX_NO_TYPE when there are fewer. */
enum ptx_type ptx_modifiers_type(const struct ptx_modifiers *modifiers, unsigned number);

#endif
