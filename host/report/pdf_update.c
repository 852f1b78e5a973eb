/* SPDX-License-Identifier: Apache-2.0 */
#include "report/pdf_update.h"

#include "base/base.h"
#include "proof/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What this update is appended to: the newest cross-reference table and what its trailer names. */
struct base {
    const char *text;   /* the whole file, ended by a NUL of ours */
    size_t size, table; /* offset of "xref" */
    unsigned objects;   /* /Size */
    unsigned catalog, info, page;
};

/* A new or a changed object: its number and where it begins. */
struct entry {
    unsigned number;
    size_t offset;
};

enum { MOST_ENTRIES = 8, ENTRY_BYTES = 20, RANGE_DIGITS = 10 };

struct update {
    const struct base *base;
    struct pa_buffer *out;
    struct entry entries[MOST_ENTRIES];
    unsigned count;
    size_t contents_at, range_at; /* of the signature's "<" and of the first digit after "[" */
};

static const char *last_of(const struct base *base, const char *word) {
    size_t length = strlen(word);
    for (size_t at = base->size < length ? 0 : base->size - length + 1; at-- > 0;)
        if (memcmp(base->text + at, word, length) == 0)
            return base->text + at;
    return NULL;
}

/* The number after `name` in the text from `from` on; 0 when there is none. */
static size_t number_after(const char *from, const char *name) {
    const char *at = from == NULL ? NULL : strstr(from, name);
    return at == NULL ? 0 : (size_t)strtoull(at + strlen(name), NULL, 10);
}

/* The dictionary of an object, without its brackets; false when the table does not lead to it. */
static bool dictionary_of(const struct base *base, unsigned number, const char **from,
                          size_t *length) {
    char head[32];
    const char *rows = strchr(base->text + base->table + strlen("xref\n"), '\n');
    if (rows == NULL || number >= base->objects)
        return false;
    rows++;
    if ((size_t)(rows - base->text) + (size_t)base->objects * ENTRY_BYTES > base->size)
        return false;
    size_t at = (size_t)strtoull(rows + (size_t)number * ENTRY_BYTES, NULL, 10);
    int head_length = snprintf(head, sizeof head, "%u 0 obj\n<<", number);
    if (at + (size_t)head_length >= base->size ||
        strncmp(base->text + at, head, (size_t)head_length) != 0)
        return false;
    *from = base->text + at + head_length;
    const char *end = strstr(*from, "endobj");
    while (end != NULL && end > *from && end[-1] != '>')
        end--;
    if (end == NULL || end - *from < 2)
        return false;
    *length = (size_t)(end - *from) - 2;
    return true;
}

static bool read_base(struct base *base) {
    const char *start = last_of(base, "startxref\n"), *trailer = last_of(base, "trailer\n");
    const char *pages, *kids;
    size_t length;
    if (start == NULL || trailer == NULL)
        return false;
    base->table = (size_t)strtoull(start + strlen("startxref\n"), NULL, 10);
    base->objects = (unsigned)number_after(trailer, "/Size ");
    base->catalog = (unsigned)number_after(trailer, "/Root ");
    base->info = (unsigned)number_after(trailer, "/Info ");
    if (base->table + 16 >= base->size || strncmp(base->text + base->table, "xref\n0 ", 7) != 0 ||
        !dictionary_of(base, base->catalog, &pages, &length) ||
        !dictionary_of(base, (unsigned)number_after(pages, "/Pages "), &kids, &length))
        return false;
    base->page = (unsigned)number_after(kids, "/Kids [ ");
    return dictionary_of(base, base->page, &pages, &length);
}

static void begin_object(struct update *update, unsigned number) {
    update->entries[update->count++] = (struct entry){number, update->out->size};
    pa_buffer_format(update->out, "%u 0 obj\n<<", number);
}

/* A copy of an object of the base, left open for more. */
static void reopen_object(struct update *update, unsigned number) {
    const char *from;
    size_t length;
    begin_object(update, number);
    if (dictionary_of(update->base, number, &from, &length))
        pa_buffer_bytes(update->out, from, length);
}

static void end_object(struct update *update) {
    pa_buffer_text(update->out, ">>\nendobj\n");
}

/* D:20261124001211Z of 2026-11-24T00:12:11Z */
static void date_text(char out[24], const char *utc) {
    size_t to = 0;
    memcpy(out, "D:", 2);
    for (to = 2; *utc != '\0' && to < 22; utc++)
        if ((*utc >= '0' && *utc <= '9') || *utc == 'Z')
            out[to++] = *utc;
    out[to] = '\0';
}

static void put_attachment(struct update *update, const struct pa_pdf_attachment *attachment,
                           unsigned stream, unsigned file) {
    struct pa_buffer *out = update->out;
    char date[24];
    date_text(date, attachment->date_utc);
    begin_object(update, stream);
    pa_buffer_text(out, " /Type /EmbeddedFile /Subtype /");
    for (const char *p = attachment->media_type; *p != '\0'; p++)
        pa_buffer_text(out, *p == '/' ? "#2F" : (char[]){*p, '\0'});
    pa_buffer_format(out, " /Length %zu /Params << /Size %zu /ModDate (%s) >> >>\nstream\n",
                     attachment->bytes->size, attachment->bytes->size, date);
    pa_buffer_bytes(out, attachment->bytes->data, attachment->bytes->size);
    pa_buffer_text(out, "\nendstream\nendobj\n");
    begin_object(update, file);
    pa_buffer_format(out,
                     " /Type /Filespec /F (%s) /UF (%s) /AFRelationship /Data"
                     " /EF << /F %u 0 R /UF %u 0 R >> ",
                     attachment->name, attachment->name, stream, stream);
    end_object(update);
}

static void put_signature(struct update *update, unsigned signature, unsigned field) {
    struct pa_buffer *out = update->out;
    char now[PA_UTC_TEXT_BYTES], date[24];
    pa_utc_text(now, pa_clock_utc_ns());
    date_text(date, now);
    begin_object(update, signature);
    pa_buffer_format(out,
                     " /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /M (%s)\n"
                     "/ByteRange [",
                     date);
    update->range_at = out->size;
    for (int i = 0; i < 4 * (RANGE_DIGITS + 1); i++)
        pa_buffer_text(out, " ");
    pa_buffer_text(out, "]\n/Contents ");
    update->contents_at = out->size;
    pa_buffer_text(out, "<");
    for (int i = 0; i < PA_CMS_MOST_BYTES; i++)
        pa_buffer_text(out, "00");
    pa_buffer_text(out, "> ");
    end_object(update);
    begin_object(update, field);
    pa_buffer_format(out,
                     " /Type /Annot /Subtype /Widget /FT /Sig /T (petaudit) /V %u 0 R"
                     " /Rect [0 0 0 0] /F 132 /P %u 0 R ",
                     signature, update->base->page);
    end_object(update);
    reopen_object(update, update->base->page);
    pa_buffer_format(out, " /Annots [ %u 0 R ] ", field);
    end_object(update);
}

static int by_number(const void *a, const void *b) {
    unsigned left = ((const struct entry *)a)->number, right = ((const struct entry *)b)->number;
    return (left > right) - (left < right);
}

static void put_table(struct update *update, unsigned objects) {
    struct pa_buffer *out = update->out;
    struct pa_hash hash;
    char id[2 * PA_HASH_BYTES + 1];
    size_t table = out->size;
    pa_sha256(&hash, update->base->text, update->base->size);
    pa_hex(id, hash.bytes, 16);
    qsort(update->entries, update->count, sizeof update->entries[0], by_number);
    pa_buffer_text(out, "xref\n");
    for (unsigned i = 0; i < update->count; i++)
        pa_buffer_format(out, "%u 1\n%010zu 00000 n \n", update->entries[i].number,
                         update->entries[i].offset);
    pa_buffer_format(out,
                     "trailer\n<< /Size %u /Root %u 0 R /Info %u 0 R /Prev %zu /ID [<%s> <%s>] >>\n"
                     "startxref\n%zu\n%%%%EOF\n",
                     objects, update->base->catalog, update->base->info, update->base->table, id,
                     id, table);
}

/* The signature's value covers the file from its start to the "<" and from behind the ">". */
static int sign(struct update *update, const struct pa_document_signer *signer,
                struct pa_error *error) {
    struct pa_buffer *out = update->out, der = {0};
    size_t behind = update->contents_at + 2 * PA_CMS_MOST_BYTES + 2;
    char range[4 * (RANGE_DIGITS + 1) + 1];
    int length = snprintf(range, sizeof range, "0 %zu %zu %zu", update->contents_at, behind,
                          out->size - behind);
    if (out->failed || length < 0 || (size_t)length >= sizeof range)
        return pa_fail(error, PA_EMEMORY, "signing the PDF: out of memory");
    memcpy(out->data + update->range_at, range, (size_t)length);
    int code = pa_cms_sign(signer, out->data, update->contents_at, out->data + behind,
                           out->size - behind, &der, error);
    if (code == PA_OK) {
        char hex[2 * PA_CMS_MOST_BYTES + 1];
        pa_hex(hex, der.data, der.size);
        memcpy(out->data + update->contents_at + 1, hex, 2 * der.size);
    }
    pa_buffer_free(&der);
    return code;
}

static int append_update(struct update *update, const struct pa_pdf_attachment *attachment,
                         const struct pa_document_signer *signer, struct pa_error *error) {
    unsigned next = update->base->objects;
    unsigned stream = next++, file = next++, signature = 0, field = 0;
    struct pa_buffer *out = update->out;
    pa_buffer_bytes(out, update->base->text, update->base->size);
    put_attachment(update, attachment, stream, file);
    if (signer != NULL) {
        signature = next++;
        field = next++;
        put_signature(update, signature, field);
    }
    reopen_object(update, update->base->catalog);
    pa_buffer_format(out,
                     " /Version /1.7 /AF [ %u 0 R ]"
                     " /Names << /EmbeddedFiles << /Names [ (%s) %u 0 R ] >> >> ",
                     file, attachment->name, file);
    if (signer != NULL)
        pa_buffer_format(out, "/AcroForm << /Fields [ %u 0 R ] /SigFlags 3 >> ", field);
    end_object(update);
    put_table(update, next);
    return signer == NULL ? PA_OK : sign(update, signer, error);
}

int pa_pdf_update(const struct pa_buffer *drawn, const struct pa_pdf_attachment *attachment,
                  const struct pa_document_signer *signer, struct pa_buffer *out,
                  struct pa_error *error) {
    struct pa_buffer text = {0};
    pa_buffer_bytes(&text, drawn->data, drawn->size);
    pa_buffer_bytes(&text, "", 1);
    struct base base = {.text = (const char *)text.data, .size = drawn->size};
    int code = PA_OK;
    if (text.failed)
        code = pa_fail(error, PA_EMEMORY, "finishing the PDF: out of memory");
    else if (!read_base(&base))
        code = pa_fail(error, PA_EINTERNAL,
                       "finishing the PDF: it is not of the form that cairo writes");
    else {
        struct update update = {.base = &base, .out = out};
        code = append_update(&update, attachment, signer, error);
    }
    if (code == PA_OK && out->failed)
        code = pa_fail(error, PA_EMEMORY, "finishing the PDF: out of memory");
    pa_buffer_free(&text);
    return code;
}
