/* SPDX-License-Identifier: Apache-2.0 */
/* The tree's values, checked as they are taken. */
#include "base/file.h"
#include "base/number.h"
#include "claim/yaml_tree.h"

#include <stdio.h>
#include <string.h>

static yaml_node_t *node_at(const struct pa_yaml *yaml, int index) {
    return yaml_document_get_node((yaml_document_t *)&yaml->document, index);
}

static const char *scalar_text(const yaml_node_t *node) {
    return (const char *)node->data.scalar.value;
}

static const char *kind_name(const yaml_node_t *node) {
    return node->type == YAML_MAPPING_NODE    ? "a mapping"
           : node->type == YAML_SEQUENCE_NODE ? "a list"
                                              : "a single value";
}

/* The first character that a terminal or a reader would obey rather than show: C0, DEL, C1, line
 * separators and the marks that turn the direction of writing; 0 when there is none. libyaml has
 * already refused what is not UTF-8. */
static uint32_t steering_character(const char *text, size_t length) {
    const unsigned char *p = (const unsigned char *)text;
    for (size_t i = 0; i < length; i++) {
        if (p[i] < 0x20 || p[i] == 0x7F)
            return p[i] == 0 ? 0x2400 : p[i]; /* U+2400 is the picture of a zero */
        if (p[i] == 0xC2 && i + 1 < length && p[i + 1] < 0xA0)
            return p[i + 1];
        if (p[i] != 0xE2 || i + 2 >= length)
            continue;
        uint32_t code = 0x2000u | ((uint32_t)p[i + 1] & 0x3F) << 6 | ((uint32_t)p[i + 2] & 0x3F);
        if ((code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
            code == 0x200E || code == 0x200F)
            return code;
    }
    return 0;
}

/* Bytes of the blank at `text`, 0 when none stands there: the space, and those of other scripts
 * that look like it or like nothing. */
static size_t blank_length(const char *text) {
    static const char *const wide[] = {"\xC2\xA0", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};
    if (text[0] == ' ')
        return 1;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (strncmp(text, wide[i], strlen(wide[i])) == 0)
            return strlen(wide[i]);
    /* U+2000 to U+200D: spaces of given widths, and joints of no width */
    bool is_thin = strncmp(text, "\xE2\x80", 2) == 0 && (unsigned char)text[2] >= 0x80 &&
                   (unsigned char)text[2] <= 0x8D;
    return is_thin || strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

/* "H800 " would be another model than "H800", and nobody could see why. */
static bool has_blank_end(const char *text) {
    size_t length = strlen(text);
    if (blank_length(text) > 0)
        return true;
    for (size_t back = 1; back <= 3 && back < length; back++)
        if (blank_length(text + length - back) == back)
            return true;
    return false;
}

static void join_words(char *out, size_t size, const char *const *words) {
    out[0] = '\0';
    for (size_t used = 0; *words != NULL; words++, used = strlen(out))
        snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", *words);
}

static int check_key(const struct pa_yaml_map *map, const yaml_node_t *key,
                     const char *const *keys) {
    if (key->type != YAML_SCALAR_NODE)
        return pa_yaml_fail(map->yaml, key, map->context, "", "%s stands where a key was expected",
                            kind_name(key));
    const char *text = scalar_text(key);
    for (const char *const *known = keys; *known != NULL; known++)
        if (strcmp(text, *known) == 0 && strlen(text) == key->data.scalar.length)
            return PA_OK;
    const char *near = pa_nearest_word(text, keys);
    char list[256], shown[64];
    join_words(list, sizeof list, keys);
    pa_printable(shown, sizeof shown, text);
    return pa_yaml_fail(map->yaml, key, map->context, shown, "unknown key; expected %s%s%s%s", list,
                        near != NULL ? " (did you mean " : "", near != NULL ? near : "",
                        near != NULL ? "?)" : "");
}

static int check_keys(const struct pa_yaml_map *map, const char *const *keys) {
    const yaml_node_pair_t *first = map->node->data.mapping.pairs.start;
    const yaml_node_pair_t *end = map->node->data.mapping.pairs.top;
    for (const yaml_node_pair_t *pair = first; pair < end; pair++) {
        const yaml_node_t *key = node_at(map->yaml, pair->key);
        PA_TRY(check_key(map, key, keys));
        for (const yaml_node_pair_t *earlier = first; earlier < pair; earlier++) {
            const yaml_node_t *other = node_at(map->yaml, earlier->key);
            if (strcmp(scalar_text(key), scalar_text(other)) == 0)
                return pa_yaml_fail(map->yaml, key, map->context, scalar_text(key),
                                    "repeated key; it already stands on line %zu",
                                    other->start_mark.line + 1);
        }
    }
    return PA_OK;
}

int pa_yaml_root(struct pa_yaml *yaml, const char *const *keys, struct pa_yaml_map *out) {
    *out = (struct pa_yaml_map){.yaml = yaml, .node = node_at(yaml, 1)};
    if (out->node == NULL)
        return pa_fail(yaml->error, PA_EINPUT, "%s:1:1: the file holds no values", yaml->name);
    if (out->node->type != YAML_MAPPING_NODE)
        return pa_yaml_fail(yaml, out->node, "", "",
                            "the file is %s; expected keys and values, such as \"%s: ...\"",
                            kind_name(out->node), keys[0]);
    return check_keys(out, keys);
}

yaml_node_t *pa_yaml_find(const struct pa_yaml_map *map, const char *key) {
    for (const yaml_node_pair_t *pair = map->node->data.mapping.pairs.start;
         pair < map->node->data.mapping.pairs.top; pair++)
        if (strcmp(scalar_text(node_at(map->yaml, pair->key)), key) == 0)
            return node_at(map->yaml, pair->value);
    return NULL;
}

/* The value under `key` of the kind `type`; *out is NULL when it is optional and absent. */
static int take(const struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                yaml_node_type_t type, const char *expected, yaml_node_t **out) {
    *out = pa_yaml_find(map, key);
    if (*out == NULL)
        return presence == PA_OPTIONAL ? PA_OK
                                       : pa_yaml_fail(map->yaml, map->node, map->context, key,
                                                      "missing; expected %s", expected);
    if ((*out)->type != type)
        return pa_yaml_fail(map->yaml, *out, map->context, key, "this is %s; expected %s",
                            kind_name(*out), expected);
    return PA_OK;
}

int pa_yaml_map_at(struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                   const char *const *keys, struct pa_yaml_map *out) {
    *out = (struct pa_yaml_map){.yaml = map->yaml};
    snprintf(out->context, sizeof out->context, "%.24s%.24s.", map->context, key);
    PA_TRY(take(map, key, presence, YAML_MAPPING_NODE, "keys and values below it", &out->node));
    return out->node == NULL ? PA_OK : check_keys(out, keys);
}

int pa_yaml_list_at(struct pa_yaml_map *map, const char *key, size_t most, size_t *count) {
    yaml_node_t *list;
    *count = 0;
    PA_TRY(take(map, key, PA_OPTIONAL, YAML_SEQUENCE_NODE, "a list of entries, each with \"-\"",
                &list));
    if (list == NULL)
        return PA_OK;
    *count = (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
    if (*count == 0)
        return pa_yaml_fail(map->yaml, list, map->context, key,
                            "the list is empty; expected at least one entry, or no such key");
    if (*count > most)
        return pa_yaml_fail(map->yaml, list, map->context, key, "%zu entries; expected at most %zu",
                            *count, most);
    return PA_OK;
}

int pa_yaml_item_at(struct pa_yaml_map *map, const char *key, size_t index, const char *const *keys,
                    struct pa_yaml_map *out) {
    const yaml_node_t *list = pa_yaml_find(map, key);
    *out = (struct pa_yaml_map){.yaml = map->yaml,
                                .node = node_at(map->yaml, list->data.sequence.items.start[index])};
    snprintf(out->context, sizeof out->context, "%.16s%.16s entry %zu: ", map->context, key,
             index + 1);
    if (out->node->type != YAML_MAPPING_NODE)
        return pa_yaml_fail(map->yaml, out->node, out->context, "",
                            "this is %s; expected keys and values", kind_name(out->node));
    return check_keys(out, keys);
}

/* A scalar without steering characters and blanks at its ends, not empty and not null. */
static int take_scalar(const struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                       const char *expected, yaml_node_t **out) {
    PA_TRY(take(map, key, presence, YAML_SCALAR_NODE, expected, out));
    if (*out == NULL)
        return PA_OK;
    const char *text = scalar_text(*out);
    uint32_t steering = steering_character(text, (*out)->data.scalar.length);
    if (steering != 0)
        return pa_yaml_fail(map->yaml, *out, map->context, key,
                            "holds %s; expected %s on one line (fold long text with >-)",
                            steering == '\n'     ? "a line break"
                            : steering == '\t'   ? "a tab"
                            : steering == 0x2400 ? "a zero byte"
                                                 : "an invisible control character",
                            expected);
    bool plain = (*out)->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool null = plain && (strcmp(text, "~") == 0 || strcmp(text, "null") == 0 ||
                          strcmp(text, "Null") == 0 || strcmp(text, "NULL") == 0);
    if (text[strspn(text, " ")] == '\0' || null)
        return pa_yaml_fail(map->yaml, *out, map->context, key, "empty; expected %s", expected);
    if (has_blank_end(text))
        return pa_yaml_fail(map->yaml, *out, map->context, key,
                            "begins or ends with a blank; expected %s without one", expected);
    return PA_OK;
}

int pa_yaml_text(const struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                 char *out, size_t size) {
    yaml_node_t *node;
    PA_TRY(take_scalar(map, key, presence, "text", &node));
    if (node == NULL)
        return PA_OK;
    if (node->data.scalar.length >= size)
        return pa_yaml_fail(map->yaml, node, map->context, key,
                            "%zu bytes long; expected at most %zu", node->data.scalar.length,
                            size - 1);
    memcpy(out, scalar_text(node), node->data.scalar.length + 1);
    return PA_OK;
}

static int take_number(const struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                       yaml_node_t **out) {
    PA_TRY(take_scalar(map, key, presence, "a number", out));
    if (*out != NULL && (*out)->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return pa_yaml_fail(map->yaml, *out, map->context, key,
                            "quoted text; expected a number without quotes");
    return PA_OK;
}

int pa_yaml_decimal(const struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                    double least, double most, double *out) {
    yaml_node_t *node;
    struct pa_error why = {0};
    PA_TRY(take_number(map, key, presence, &node));
    if (node != NULL && pa_decimal_parse(scalar_text(node), least, most, out, &why) != PA_OK)
        return pa_yaml_fail(map->yaml, node, map->context, key, "%s", why.text);
    return PA_OK;
}

int pa_yaml_whole(const struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                  uint64_t least, uint64_t most, uint64_t *out) {
    yaml_node_t *node;
    struct pa_error why = {0};
    PA_TRY(take_number(map, key, presence, &node));
    if (node != NULL && pa_whole_parse(scalar_text(node), least, most, out, &why) != PA_OK)
        return pa_yaml_fail(map->yaml, node, map->context, key, "%s", why.text);
    return PA_OK;
}

int pa_yaml_word(const struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                 const char *const *words, int *out) {
    yaml_node_t *node;
    char list[160];
    join_words(list, sizeof list, words);
    PA_TRY(take_scalar(map, key, presence, list, &node));
    if (node == NULL)
        return PA_OK;
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(scalar_text(node), words[i]) == 0) {
            *out = i;
            return PA_OK;
        }
    const char *near = pa_nearest_word(scalar_text(node), words);
    return pa_yaml_fail(map->yaml, node, map->context, key,
                        "unknown word \"%.60s\"; expected one of %s%s%s%s", scalar_text(node), list,
                        near != NULL ? " (did you mean " : "", near != NULL ? near : "",
                        near != NULL ? "?)" : "");
}

static int add_word(const struct pa_yaml_map *map, const char *key, const yaml_node_t *item,
                    const char *const *words, unsigned *bits) {
    char list[160], shown[64];
    join_words(list, sizeof list, words);
    if (item->type != YAML_SCALAR_NODE)
        return pa_yaml_fail(map->yaml, item, map->context, key, "this is %s; expected one of %s",
                            kind_name(item), list);
    pa_printable(shown, sizeof shown, scalar_text(item));
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (strcmp(scalar_text(item), words[i]) != 0 ||
            strlen(words[i]) != item->data.scalar.length)
            continue;
        if ((*bits & 1u << i) != 0)
            return pa_yaml_fail(map->yaml, item, map->context, key, "\"%s\" stands there twice",
                                shown);
        *bits |= 1u << i;
        return PA_OK;
    }
    const char *near = pa_nearest_word(scalar_text(item), words);
    return pa_yaml_fail(map->yaml, item, map->context, key,
                        "unknown word \"%s\"; expected words of %s%s%s%s", shown, list,
                        near != NULL ? " (did you mean " : "", near != NULL ? near : "",
                        near != NULL ? "?)" : "");
}

int pa_yaml_words(const struct pa_yaml_map *map, const char *key, const char *const *words,
                  unsigned *bits) {
    yaml_node_t *list;
    *bits = 0;
    PA_TRY(take(map, key, PA_OPTIONAL, YAML_SEQUENCE_NODE, "a list of words, as [a, b]", &list));
    if (list == NULL)
        return PA_OK;
    if (list->data.sequence.items.top == list->data.sequence.items.start)
        return pa_yaml_fail(map->yaml, list, map->context, key,
                            "the list is empty; expected at least one word, or no such key");
    for (const yaml_node_item_t *item = list->data.sequence.items.start;
         item < list->data.sequence.items.top; item++)
        PA_TRY(add_word(map, key, node_at(map->yaml, *item), words, bits));
    return PA_OK;
}

int pa_yaml_decimals(const struct pa_yaml_map *map, const char *key, double lowest, double highest,
                     size_t most, double *out, size_t *count) {
    yaml_node_t *list;
    struct pa_error why = {0};
    *count = 0;
    PA_TRY(take(map, key, PA_OPTIONAL, YAML_SEQUENCE_NODE, "a list of numbers, as [2, 1]", &list));
    if (list == NULL)
        return PA_OK;
    size_t items = (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
    if (items == 0 || items > most)
        return pa_yaml_fail(map->yaml, list, map->context, key,
                            "the list has %zu numbers; expected 1 to %zu, or no such key", items,
                            most);
    for (size_t i = 0; i < items; i++) {
        const yaml_node_t *item = node_at(map->yaml, list->data.sequence.items.start[i]);
        if (item->type != YAML_SCALAR_NODE || item->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
            strlen(scalar_text(item)) != item->data.scalar.length)
            return pa_yaml_fail(map->yaml, item, map->context, key,
                                "expected a number without quotes");
        if (pa_decimal_parse(scalar_text(item), lowest, highest, &out[i], &why) != PA_OK)
            return pa_yaml_fail(map->yaml, item, map->context, key, "%s", why.text);
    }
    *count = items;
    return PA_OK;
}
