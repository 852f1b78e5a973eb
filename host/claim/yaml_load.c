/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to a checked document. The events are walked once before the document is built: the
 * document API resolves aliases and forgets anchors, and the event parser keeps no stack of its
 * own on ours, so a hostile nesting is refused at its ninth level. */
#include "base/file.h"
#include "claim/yaml_tree.h"
#include "proof/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail_at(const char *name, size_t line, size_t column, const char *text,
                   struct pa_error *error) {
    char shown_name[512], shown[768];
    pa_printable(shown_name, sizeof shown_name, name);
    pa_printable(shown, sizeof shown, text);
    return pa_fail(error, PA_EINPUT, "%s:%zu:%zu: %s", shown_name, line, column, shown);
}

static int fail_mark(const char *name, yaml_mark_t mark, const char *text, struct pa_error *error) {
    return fail_at(name, mark.line + 1, mark.column + 1, text, error);
}

/* What libyaml found wrong. Its reader knows only the byte's offset; a person needs the line. */
static int fail_parser(const yaml_parser_t *parser, const char *name, const uint8_t *data,
                       size_t size, struct pa_error *error) {
    char text[256];
    if (parser->error == YAML_MEMORY_ERROR)
        return pa_fail(error, PA_EMEMORY, "reading %s: out of memory", name);
    if (parser->error == YAML_READER_ERROR) {
        size_t line = 1, column = 1;
        for (size_t i = 0; i < parser->problem_offset && i < size; i++) {
            column = data[i] == '\n' ? 1 : column + ((data[i] & 0xC0) != 0x80);
            line += data[i] == '\n';
        }
        snprintf(text, sizeof text, "this is not a text file: %s; expected YAML in UTF-8",
                 parser->problem != NULL ? parser->problem : "unreadable");
        return fail_at(name, line, column, text, error);
    }
    const char *problem = parser->problem != NULL ? parser->problem : "cannot be parsed";
    if (parser->context != NULL)
        snprintf(text, sizeof text, "not valid YAML: %s %s", parser->context, problem);
    else
        snprintf(text, sizeof text, "not valid YAML: %s", problem);
    return fail_mark(name, parser->problem_mark, text, error);
}

struct walk {
    size_t depth, nodes, documents;
};

/* What is wrong with one event, or NULL. */
static const char *event_problem(const yaml_event_t *event, struct walk *walk) {
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++walk->documents > 1)
            return "a second document begins here; expected one document";
        if (event->data.document_start.version_directive != NULL ||
            event->data.document_start.tag_directives.start !=
                event->data.document_start.tag_directives.end)
            return "directives are not allowed; expected a plain document";
        return NULL;
    case YAML_ALIAS_EVENT:
        return "aliases (*name) are not allowed; write the value out";
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        walk->depth++;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        walk->depth++;
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        walk->depth--;
        return NULL;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    default:
        return NULL;
    }
    if (anchor != NULL)
        return "anchors (&name) are not allowed; write each value out";
    if (tag != NULL)
        return "tags (!name) are not allowed; write the plain value";
    if (walk->depth > PA_YAML_MOST_DEPTH)
        return "nested too deeply; expected at most 8 levels";
    if (++walk->nodes > PA_YAML_MOST_NODES)
        return "too many entries; expected at most 16384 keys and values";
    return NULL;
}

static bool parser_start(yaml_parser_t *parser, const void *data, size_t size) {
    if (!yaml_parser_initialize(parser))
        return false;
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, data, size);
    return true;
}

static int check_events(const char *name, const void *data, size_t size, struct pa_error *error) {
    yaml_parser_t parser;
    if (!parser_start(&parser, data, size))
        return pa_fail(error, PA_EMEMORY, "reading %s: out of memory", name);
    struct walk walk = {0};
    int code = PA_OK;
    bool ended = false;
    while (code == PA_OK && !ended) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            code = fail_parser(&parser, name, data, size, error);
            break;
        }
        const char *problem = event_problem(&event, &walk);
        if (problem != NULL)
            code = fail_mark(name, event.start_mark, problem, error);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (code == PA_OK && walk.documents == 0)
        return fail_at(name, 1, 1, "the file holds no values; expected keys and values", error);
    return code;
}

int pa_yaml_open(struct pa_yaml *yaml, const char *name, const void *data, size_t size,
                 struct pa_error *error) {
    /* libyaml knows a byte order mark only where it may guess the encoding, which it must not. */
    if (size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) {
        data = (const uint8_t *)data + 3;
        size -= 3;
    }
    if (size == 0)
        return fail_at(name, 1, 1, "the file is empty; expected keys and values", error);
    PA_TRY(check_events(name, data, size, error));
    yaml_parser_t parser;
    if (!parser_start(&parser, data, size))
        return pa_fail(error, PA_EMEMORY, "reading %s: out of memory", name);
    int code = PA_OK;
    if (!yaml_parser_load(&parser, &yaml->document))
        code = fail_parser(&parser, name, data, size, error);
    yaml_parser_delete(&parser);
    yaml->name = name;
    yaml->error = error;
    return code;
}

void pa_yaml_close(struct pa_yaml *yaml) {
    yaml_document_delete(&yaml->document);
}

int pa_yaml_fail(const struct pa_yaml *yaml, const yaml_node_t *node, const char *context,
                 const char *key, const char *format, ...) {
    char text[512], line[768];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    /* Without a key the context stands alone: "capacity" rather than "capacity.". */
    int shown = (int)strlen(context);
    while (key[0] == '\0' && shown > 0 && strchr(".: ", context[shown - 1]) != NULL)
        shown--;
    snprintf(line, sizeof line, "%.*s%s%s%s", shown, context, key,
             shown > 0 || key[0] != '\0' ? ": " : "", text);
    return fail_mark(yaml->name, node->start_mark, line, yaml->error);
}

int pa_yaml_keep(const char *name, const void *data, size_t size, char **text, uint8_t sha256[32],
                 struct pa_error *error) {
    struct pa_hash hash;
    *text = malloc(size + 1);
    if (*text == NULL)
        return pa_fail(error, PA_EMEMORY, "reading %s: out of memory", name);
    memcpy(*text, data, size);
    (*text)[size] = '\0';
    pa_sha256(&hash, data, size);
    memcpy(sha256, hash.bytes, sizeof hash.bytes);
    return PA_OK;
}
