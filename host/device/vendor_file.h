/* SPDX-License-Identifier: Apache-2.0 */
/* vendor_file.h - is a library's file all there, before the loader maps it?
 *
 * The loader maps what a program header names, whether the file is that long or not: the first
 * touch of what is missing is a SIGBUS, which nobody can answer. A copy that broke off, or a file
 * system that was full, must not end an audit like that.
 */
#ifndef PA_DEVICE_VENDOR_FILE_H
#define PA_DEVICE_VENDOR_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pa_elf {
    PA_ELF_WHOLE,
    PA_ELF_CUT,  /* shorter than its headers say */
    PA_ELF_OTHER /* no ELF file of this machine's kind: the loader has words for it, or goes on */
};

/* As much of a file as is looked at: headers lie at its beginning. */
enum { PA_ELF_LOOK_BYTES = 65536 };

/* The state of a file of `file_size` bytes that begins with these, `size` of them: the whole file
 * or its first PA_ELF_LOOK_BYTES. */
enum pa_elf pa_elf_look(const uint8_t *bytes, size_t size, uint64_t file_size);

/* True when dlopen(`name`) would come upon a file that is cut short: its path. A name with a slash
 * is a path; others are looked for where the loader does, in the folders of LD_LIBRARY_PATH, in the
 * loader's `cache` file ("/etc/ld.so.cache") and in the system's folders. */
bool pa_vendor_file_is_cut(const char *name, const char *cache, char path[PATH_MAX]);

#endif
