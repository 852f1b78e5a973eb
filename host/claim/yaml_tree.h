/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_tree.h - a small, strict part of YAML over libyaml's document API.
 *
 * One document of mappings, sequences and scalars. Anchors, aliases, tags, directives, repeated and
 * unknown keys, a second document, deep nesting and control characters are refused, because each of
 * them lets a file say something else to a person than to the program. Every message begins with
 * file:line:column, then the key. All functions return PA_OK, PA_EINPUT or PA_EMEMORY.
 *
 *     PA_TRY(pa_yaml_open(&yaml, name, data, size, error));
 *     code = pa_yaml_root(&yaml, keys, &root);
 *     code = pa_yaml_text(&root, "center", PA_REQUIRED, out, sizeof out);
 *     pa_yaml_close(&yaml);
 */
#ifndef PA_CLAIM_YAML_TREE_H
#define PA_CLAIM_YAML_TREE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

enum {
    PA_YAML_MOST_DEPTH = 8,
    PA_YAML_MOST_NODES = 16384, /* 1024 accelerators take about 7,200 */
    PA_YAML_CONTEXT_BYTES = 64,
};

enum pa_presence { PA_REQUIRED, PA_OPTIONAL };

struct pa_yaml {
    const char *name; /* of the file, for messages; not owned */
    yaml_document_t document;
    struct pa_error *error; /* where all messages go; may be NULL */
};

/* A mapping, and what it is called in messages ("capacity." or ""). */
struct pa_yaml_map {
    struct pa_yaml *yaml;
    yaml_node_t *node; /* NULL when an optional mapping is absent */
    char context[PA_YAML_CONTEXT_BYTES];
};

/* Check the whole input, then load it. Close it only after success. `name` and `error` must outlive
 * it. */
int pa_yaml_open(struct pa_yaml *yaml, const char *name, const void *data, size_t size,
                 struct pa_error *error);
void pa_yaml_close(struct pa_yaml *yaml);

/* A copy of a file's bytes, ended by a zero and the caller's to free, and their SHA-256: what
 * evidence keeps of a claim or a policy. PA_EMEMORY. */
int pa_yaml_keep(const char *name, const void *data, size_t size, char **text, uint8_t sha256[32],
                 struct pa_error *error);

/* "file:line:column: context: message" for a value of the tree. */
int pa_yaml_fail(const struct pa_yaml *yaml, const yaml_node_t *node, const char *context,
                 const char *key, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The document as a mapping with no keys but those of `keys` (ended by NULL). */
int pa_yaml_root(struct pa_yaml *yaml, const char *const *keys, struct pa_yaml_map *out);
/* The mapping under `key`; out->node is NULL when it is optional and absent. */
int pa_yaml_map_at(struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                   const char *const *keys, struct pa_yaml_map *out);
/* The optional list of mappings under `key`: its length (at least 1; 0 when absent), and one item.
 */
int pa_yaml_list_at(struct pa_yaml_map *map, const char *key, size_t most, size_t *count);
int pa_yaml_item_at(struct pa_yaml_map *map, const char *key, size_t index, const char *const *keys,
                    struct pa_yaml_map *out);

/* The node under `key`, or NULL. */
yaml_node_t *pa_yaml_find(const struct pa_yaml_map *map, const char *key);

/* Values. An optional one that is absent leaves `out` as it was. Text is never empty. */
int pa_yaml_text(const struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                 char *out, size_t size);
int pa_yaml_decimal(const struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                    double least, double most, double *out);
int pa_yaml_whole(const struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                  uint64_t least, uint64_t most, uint64_t *out);
/* An optional list of `words`, each at most once: bit i of *bits is the i-th word. */
int pa_yaml_words(const struct pa_yaml_map *map, const char *key, const char *const *words,
                  unsigned *bits);
/* An optional list of 1 to `most` decimals; *count is 0 when it is absent. */
int pa_yaml_decimals(const struct pa_yaml_map *map, const char *key, double lowest, double highest,
                     size_t most, double *out, size_t *count);
/* One of `words` (ended by NULL); *out is its index. */
int pa_yaml_word(const struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                 const char *const *words, int *out);

#endif
