/* SPDX-License-Identifier: Apache-2.0 */
/* list_members: one line for each member that a statement may have, "path kind first|later", for
 * tests/schema_members.py to hold docs/schema against. */
#include "certificate/members.h"

#include <stdio.h>

static const char *const kinds[] = {
    [PA_MEMBER_TEXT] = "text",
    [PA_MEMBER_DECIMAL] = "decimal",
    [PA_MEMBER_DECIMAL_OR_NULL] = "decimal_or_null",
    [PA_MEMBER_COUNT] = "count",
    [PA_MEMBER_TRUTH] = "truth",
    [PA_MEMBER_UTC] = "utc",
    [PA_MEMBER_HEX32] = "hex32",
    [PA_MEMBER_HEX32_OR_NULL] = "hex32_or_null",
    [PA_MEMBER_HEX32_OR_EMPTY] = "hex32_or_empty",
    [PA_MEMBER_BASE64] = "base64",
    [PA_MEMBER_OBJECT] = "object",
    [PA_MEMBER_LIST] = "list",
};

static void list(const struct pa_member *members, const char *path) {
    for (const struct pa_member *member = members; member->name != NULL; member++) {
        char inner[256];
        enum pa_member_kind kind = pa_member_kind_of(member);
        snprintf(inner, sizeof inner, "%.180s%s%.60s%s", path, path[0] == '\0' ? "" : ".",
                 member->name, kind == PA_MEMBER_LIST ? "[]" : "");
        printf("%s %s %s\n", inner, kinds[kind],
               (member->kind & PA_MEMBER_LATER) != 0 ? "later" : "first");
        if (member->inner != NULL)
            list(member->inner, inner);
    }
}

int main(void) {
    list(pa_statement_members, "");
    return 0;
}
