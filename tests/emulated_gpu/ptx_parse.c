/* SPDX-License-Identifier: Apache-2.0 */
/* Modules and kernels: directives, parameters, bodies. */
#include "emulated_gpu/ptx_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KERNELS_MAX = 256, PARAMETERS_MAX = 256, PARAMETERS_BYTES_MAX = 4096, SCOPES_MAX = 64 };

/* ---- kernels ---- */

static void parse_parameter(struct ptx_body *body) {
    struct ptx_source *source = body->source;
    struct ptx_kernel *kernel = body->kernel;
    uint32_t align = 0, element_bytes = 0, elements = 1;
    bool is_pointer = false;
    struct ptx_name word = ptx_word(source);
    if (!ptx_name_is(word, ".param"))
        ptx_fail(source, PTX_ESYNTAX, ".param expected");
    for (word = ptx_word(source); word.length > 0 && word.at[0] == '.'; word = ptx_word(source)) {
        enum ptx_type type = ptx_type_named(word);
        if (ptx_name_is(word, ".align")) {
            uint32_t value = ptx_count(source, 128);
            align = is_pointer ? align : value; /* else of what is pointed to */
        } else if (ptx_name_is(word, ".ptr"))
            is_pointer = true;
        else if (type != PTX_NO_TYPE && type != PTX_PRED)
            element_bytes = ptx_type_bytes(type);
        else if (!(is_pointer && ptx_name_is(word, ".global")))
            ptx_fail(source, PTX_ESYNTAX, "unsupported %.*s", (int)word.length, word.at);
    }
    if (ptx_accept(source, '[')) {
        elements = ptx_count(source, PARAMETERS_BYTES_MAX);
        ptx_expect(source, ']');
    }
    size_t bytes = (size_t)element_bytes * elements;
    align = align == 0 ? element_bytes : align;
    if (bytes == 0 || (align & (align - 1)) != 0 || kernel->parameter_count == PARAMETERS_MAX)
        ptx_fail(source, PTX_ESYNTAX, "a parameter of no known size, or too many");
    if (ptx_failed(source))
        return;
    size_t offset = (kernel->parameters_bytes + align - 1) / align * align;
    if (offset + bytes > PARAMETERS_BYTES_MAX) {
        ptx_fail(source, PTX_ESYNTAX, "parameters of more than %d bytes", PARAMETERS_BYTES_MAX);
        return;
    }
    struct ptx_parameter *grown =
        ptx_grow(source, kernel->parameters, kernel->parameter_count, sizeof *grown);
    if (grown == NULL)
        return;
    kernel->parameters = grown;
    kernel->parameters[kernel->parameter_count++] = (struct ptx_parameter){offset, bytes};
    kernel->parameters_bytes = offset + bytes;
    ptx_symbol_add(
        source, &body->symbols, &body->symbol_count,
        (struct ptx_symbol){.name = word, .space = PTX_PARAM, .offset = offset, .bytes = bytes});
}

/* .maxntid 256, 1, 1 and its like, up to the brace. */
static void parse_bounds(struct ptx_body *body) {
    struct ptx_source *source = body->source;
    static const char *const known[] = {".maxntid", ".reqntid", ".minnctapersm", ".maxnctapersm",
                                        ".maxnreg"};
    while (ptx_peek(source) != '{' && !ptx_failed(source)) {
        struct ptx_name word = ptx_word(source);
        size_t which = 0;
        while (which < sizeof known / sizeof known[0] && !ptx_name_is(word, known[which]))
            which++;
        if (which == sizeof known / sizeof known[0]) {
            ptx_fail(source, PTX_ESYNTAX, "unsupported directive %.*s", (int)word.length, word.at);
            return;
        }
        uint64_t product = 1;
        unsigned count = 0;
        do
            product *= ptx_count(source, 65535);
        while (++count < 3 && ptx_accept(source, ','));
        if (which < 2 && product >= 1 && product <= 1024)
            body->kernel->threads_max = (uint32_t)product;
        else if (which < 2)
            ptx_fail(source, PTX_ESYNTAX, "blocks of %llu threads", (unsigned long long)product);
    }
}

static void parse_label(struct ptx_body *body, struct ptx_name name) {
    struct ptx_source *source = body->source;
    for (size_t i = 0; i < body->label_count; i++)
        if (ptx_names_equal(body->labels[i].name, name))
            ptx_fail(source, PTX_ESYNTAX, "label %.*s is there twice", (int)name.length, name.at);
    if (body->label_count == PTX_LABELS_MAX)
        ptx_fail(source, PTX_ESYNTAX, "more than %d labels", PTX_LABELS_MAX);
    if (ptx_failed(source))
        return;
    void *grown = ptx_grow(source, body->labels, body->label_count, sizeof *body->labels);
    if (grown == NULL)
        return;
    body->labels = grown;
    body->labels[body->label_count++] = (struct ptx_label){
        .name = name, .target = (uint32_t)body->kernel->code_count, .line = source->line};
}

static void parse_statement(struct ptx_body *body) {
    struct ptx_source *source = body->source;
    uint32_t guard = PTX_NO_ROW;
    bool is_negated = false;
    if (ptx_accept(source, '@')) {
        is_negated = ptx_accept(source, '!');
        guard = ptx_operand_register(body);
        if (guard == PTX_NO_ROW || ptx_row_type(body, guard) != PTX_PRED)
            ptx_fail(source, PTX_ESYNTAX, "a guard that is no predicate");
    }
    struct ptx_name word = ptx_word(source);
    if (ptx_failed(source))
        return;
    if (word.at[0] != '.' && guard == PTX_NO_ROW && ptx_accept(source, ':'))
        parse_label(body, word);
    else if (word.at[0] != '.')
        ptx_decode(body, word, guard, is_negated);
    else if (ptx_name_is(word, ".reg"))
        ptx_registers_declare(body);
    else if (ptx_name_is(word, ".shared"))
        ptx_variable_declare(source, body->module, body, PTX_SHARED, false);
    else if (ptx_name_is(word, ".local"))
        ptx_variable_declare(source, body->module, body, PTX_LOCAL, false);
    else if (ptx_name_is(word, ".loc"))
        ptx_skip_past(source, '\n');
    else if (ptx_name_is(word, ".pragma"))
        ptx_skip_past(source, ';');
    else
        ptx_fail(source, PTX_ESYNTAX, "unsupported directive %.*s", (int)word.length, word.at);
}

/* Statements up to the closing brace; registers of an inner block are forgotten at its end. */
static void parse_statements(struct ptx_body *body) {
    struct ptx_source *source = body->source;
    size_t registers[SCOPES_MAX];
    unsigned depth = 0;
    ptx_expect(source, '{');
    while (!ptx_failed(source)) {
        char next = ptx_peek(source);
        if (next == '\0')
            ptx_fail(source, PTX_ESYNTAX, "the kernel does not end");
        else if (ptx_accept(source, '}')) {
            if (depth == 0)
                return;
            body->register_count = registers[--depth];
        } else if (ptx_accept(source, '{')) {
            if (depth == SCOPES_MAX)
                ptx_fail(source, PTX_ESYNTAX, "blocks nested deeper than %d", SCOPES_MAX);
            else
                registers[depth++] = body->register_count;
        } else
            parse_statement(body);
    }
}

/* Control that runs off the end of the text returns, so that a label there has an instruction. */
static void finish_code(struct ptx_body *body) {
    struct ptx_source *source = body->source;
    struct ptx_kernel *kernel = body->kernel;
    if (ptx_failed(source))
        return;
    void *grown = ptx_grow(source, kernel->code, kernel->code_count, sizeof *kernel->code);
    if (grown == NULL)
        return;
    kernel->code = grown;
    kernel->code[kernel->code_count++] =
        (struct ptx_instruction){.kind = PTX_EXIT, .guard = PTX_NO_ROW, .line = source->line};
    for (size_t i = 0; i < body->branch_count; i++) {
        const struct ptx_label *branch = &body->branches[i];
        size_t label = 0;
        while (label < body->label_count &&
               !ptx_names_equal(body->labels[label].name, branch->name))
            label++;
        if (label == body->label_count) {
            source->line = branch->line;
            ptx_fail(source, PTX_ESYNTAX, "there is no label %.*s", (int)branch->name.length,
                     branch->name.at);
            return;
        }
        kernel->code[branch->target].target = body->labels[label].target;
    }
}

static struct ptx_kernel *kernel_add(struct ptx_source *source, struct ptx_module *module,
                                     struct ptx_name name) {
    if (module->kernel_count == KERNELS_MAX) {
        ptx_fail(source, PTX_ESYNTAX, "more than %d kernels", KERNELS_MAX);
        return NULL;
    }
    void *grown =
        ptx_grow(source, module->kernels, module->kernel_count, sizeof(struct ptx_kernel *));
    if (grown == NULL)
        return NULL;
    module->kernels = grown;
    struct ptx_kernel *kernel = calloc(1, sizeof *kernel);
    if (kernel != NULL)
        kernel->name = strndup(name.at, name.length);
    if (kernel == NULL || kernel->name == NULL) {
        free(kernel);
        ptx_fail(source, PTX_EMEMORY, "out of memory");
        return NULL;
    }
    kernel->module = module;
    kernel->threads_max = 1024;
    kernel->shared_bytes = module->shared_bytes;
    module->kernels[module->kernel_count++] = kernel;
    return kernel;
}

static void parse_entry(struct ptx_source *source, struct ptx_module *module) {
    struct ptx_name name = ptx_word(source);
    if (ptx_failed(source))
        return;
    struct ptx_body body = {
        .source = source, .module = module, .kernel = kernel_add(source, module, name)};
    if (body.kernel == NULL)
        return;
    if (ptx_accept(source, '(') && !ptx_accept(source, ')')) {
        do
            parse_parameter(&body);
        while (ptx_accept(source, ','));
        ptx_expect(source, ')');
    }
    parse_bounds(&body);
    parse_statements(&body);
    finish_code(&body);
    free(body.registers);
    free(body.symbols);
    free(body.labels);
    free(body.branches);
}

/* ---- modules ---- */

static void parse_version(struct ptx_source *source, const struct ptx_limits *limits) {
    struct ptx_name word = ptx_word(source);
    int major = 0, minor = 0, used = 0;
    char text[16] = "";
    if (word.length < sizeof text)
        memcpy(text, word.at, word.length);
    if (ptx_failed(source) || sscanf(text, "%2d.%1d%n", &major, &minor, &used) != 2 ||
        (size_t)used != word.length)
        ptx_fail(source, PTX_ESYNTAX, "a version such as 7.0 expected");
    else if (major * 10 + minor > limits->version)
        ptx_fail(source, PTX_EVERSION,
                 "the text is of version %d.%d, this driver reads up to %d.%d", major, minor,
                 limits->version / 10, limits->version % 10);
}

/* sm_90, and sm_90a for that device alone. */
static void parse_target(struct ptx_source *source, const struct ptx_limits *limits) {
    struct ptx_name word = ptx_word(source);
    int target = 0, used = 0;
    char text[16] = "", suffix = '\0';
    if (word.length < sizeof text)
        memcpy(text, word.at, word.length);
    if (ptx_failed(source) || sscanf(text, "sm_%3d%n", &target, &used) != 1)
        ptx_fail(source, PTX_ESYNTAX, "a target such as sm_75 expected");
    if (!ptx_failed(source) && (size_t)used + 1 == word.length)
        suffix = text[used];
    if ((size_t)used + (suffix != '\0') != word.length ||
        (suffix != '\0' && suffix != 'a' && suffix != 'f'))
        ptx_fail(source, PTX_ESYNTAX, "a target such as sm_75 expected");
    else if (target > limits->target || (suffix != '\0' && target != limits->target))
        ptx_fail(source, PTX_ETARGET, "the text is for sm_%d%c, this device is sm_%d", target,
                 suffix == '\0' ? ' ' : suffix, limits->target);
    if (ptx_accept(source, ',') && !ptx_name_is(ptx_word(source), "debug"))
        ptx_fail(source, PTX_ESYNTAX, "unsupported option of the target");
}

static void parse_directive(struct ptx_source *source, struct ptx_module *module,
                            const struct ptx_limits *limits) {
    struct ptx_name word = ptx_word(source);
    bool is_extern = false;
    while (ptx_name_is(word, ".visible") || ptx_name_is(word, ".weak") ||
           ptx_name_is(word, ".extern")) {
        is_extern |= ptx_name_is(word, ".extern");
        word = ptx_word(source);
    }
    if (ptx_name_is(word, ".version"))
        parse_version(source, limits);
    else if (ptx_name_is(word, ".target"))
        parse_target(source, limits);
    else if (ptx_name_is(word, ".address_size")) {
        if (ptx_integer(source) != 64)
            ptx_fail(source, PTX_ESYNTAX, "addresses of 64 bits expected");
    } else if (ptx_name_is(word, ".entry") && !is_extern)
        parse_entry(source, module);
    else if (ptx_name_is(word, ".global"))
        ptx_variable_declare(source, module, NULL, PTX_GLOBAL, is_extern);
    else if (ptx_name_is(word, ".const"))
        ptx_variable_declare(source, module, NULL, PTX_CONST, is_extern);
    else if (ptx_name_is(word, ".shared"))
        ptx_variable_declare(source, module, NULL, PTX_SHARED, is_extern);
    else if (ptx_name_is(word, ".file"))
        ptx_skip_past(source, '\n');
    else if (ptx_name_is(word, ".section"))
        ptx_skip_past(source, '}');
    else
        ptx_fail(source, PTX_ESYNTAX, "unsupported directive %.*s", (int)word.length, word.at);
}

enum ptx_status ptx_load(const char *text, size_t length, const struct ptx_limits *limits,
                         struct ptx_module **out, struct ptx_failure *failure) {
    struct ptx_source source = {.next = "", .line = 1, .failure = failure};
    struct ptx_module *module = calloc(1, sizeof *module);
    *out = NULL;
    failure->text[0] = '\0';
    if (module == NULL || (module->text = strndup(text, length)) == NULL) {
        ptx_fail(&source, PTX_EMEMORY, "out of memory");
        ptx_free(module);
        return source.status;
    }
    source.next = module->text;
    if (!ptx_blank_comments(module->text))
        ptx_fail(&source, PTX_ESYNTAX, "a comment does not end");
    if (strncmp(source.next + strspn(source.next, " \t\r\n"), ".version", 8) != 0)
        ptx_fail(&source, PTX_ESYNTAX, "the text does not begin with .version");
    while (ptx_peek(&source) != '\0')
        parse_directive(&source, module, limits);
    if (ptx_failed(&source)) {
        ptx_free(module);
        return source.status;
    }
    *out = module;
    return PTX_OK;
}
