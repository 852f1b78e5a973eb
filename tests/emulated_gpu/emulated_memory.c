/* SPDX-License-Identifier: Apache-2.0 */
#include "emulated_gpu/emulated_memory.h"

#include "device/cuda_api.h"
#include "emulated_gpu/emulated_condition.h"
#include "emulated_gpu/ptx_written.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGN = 512, GAP = 4096, POISON = 0xAB };
#define FIRST_ADDRESS UINT64_C(0xD00000000000) /* bit 47: not canonical on the host */
#define DEVICE_ADDRESSES (UINT64_C(1) << 40)
/* What the driver keeps for itself of every 64 parts. */
#define RESERVE_PARTS 64

struct allocation {
    uint64_t address, bytes;
    uint8_t *host, *written; /* NULL once it is freed */
    bool is_mapped;          /* host came from map_again, not from the heap */
};

/* Sorted by address, because addresses only grow. */
static struct table {
    struct allocation *allocations;
    size_t count;
    uint64_t next, used_bytes;
} tables[EMULATED_DEVICES_MAX];
/* Kernels look up from several threads while others allocate. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static bool wraps(int device) {
    return emulated_condition(device)->memory_wraps;
}

static uint64_t usable_bytes(int device) {
    const struct emulated_device *gpu = &emulated_platform()->devices[device];
    uint64_t bytes = wraps(device) ? gpu->memory_told_bytes : gpu->memory_bytes;
    return bytes - bytes / RESERVE_PARTS;
}

/* The allocation, live or freed, that `address` lies in or behind; NULL before the first. */
static struct allocation *nearest(int device, uint64_t address) {
    struct table *table = &tables[device];
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->allocations[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? NULL : &table->allocations[low - 1];
}

static struct allocation *live_with(int device, uint64_t address, uint64_t bytes) {
    struct allocation *found = nearest(device, address);
    if (found == NULL || found->host == NULL || address - found->address > found->bytes ||
        bytes > found->bytes - (address - found->address))
        return NULL;
    return found;
}

static struct allocation *extend(struct table *table) {
    if ((table->count & (table->count - 1)) == 0) {
        size_t room = table->count == 0 ? 1 : table->count * 2;
        struct allocation *grown = realloc(table->allocations, room * sizeof *grown);
        if (grown == NULL)
            return NULL;
        table->allocations = grown;
    }
    return &table->allocations[table->count];
}

/* `bytes` of addresses over the memory that is really there, again and again: what is written
 * behind its end is written to its beginning. NULL when the system does not give it. */
static uint8_t *map_again(int device, uint64_t bytes) {
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t there = emulated_platform()->devices[device].memory_bytes / page * page;
    int file = memfd_create("emulated", MFD_CLOEXEC);
    uint8_t *at = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool is_whole = file >= 0 && at != MAP_FAILED && ftruncate(file, (off_t)there) == 0;
    for (uint64_t from = 0; is_whole && from < bytes; from += there) {
        uint64_t piece = bytes - from < there ? bytes - from : there;
        is_whole = mmap(at + from, piece, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
                        0) != MAP_FAILED;
    }
    if (file >= 0)
        close(file);
    if (!is_whole && at != MAP_FAILED)
        munmap(at, bytes);
    return is_whole ? at : NULL;
}

static int allocate(int device, uint64_t bytes, uint64_t *address) {
    struct table *table = &tables[device];
    uint64_t rounded = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (rounded > usable_bytes(device) - table->used_bytes ||
        table->next + rounded + GAP > DEVICE_ADDRESSES)
        return CUDA_ERROR_OUT_OF_MEMORY;
    struct allocation *new = extend(table);
    bool is_mapped = wraps(device) && rounded > emulated_platform()->devices[device].memory_bytes;
    uint8_t *host = is_mapped ? map_again(device, rounded) : aligned_alloc(ALIGN, rounded);
    uint8_t *written = calloc(1, ptx_written_size(bytes));
    if (new == NULL || host == NULL || written == NULL) {
        if (is_mapped && host != NULL)
            munmap(host, rounded);
        else
            free(host);
        free(written);
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    memset(host, POISON, rounded);
    *address = FIRST_ADDRESS + (uint64_t)device * DEVICE_ADDRESSES + table->next;
    *new = (struct allocation){*address, bytes, host, written, is_mapped};
    table->count++;
    table->next += rounded + GAP;
    table->used_bytes += rounded;
    return CUDA_SUCCESS;
}

int emulated_memory_allocate(int device, uint64_t bytes, uint64_t *address) {
    if (bytes == 0)
        return CUDA_ERROR_INVALID_VALUE;
    if (bytes > usable_bytes(device))
        return CUDA_ERROR_OUT_OF_MEMORY;
    pthread_rwlock_wrlock(&lock);
    int result = allocate(device, bytes, address);
    pthread_rwlock_unlock(&lock);
    return result;
}

static void release(struct table *table, struct allocation *allocation) {
    uint64_t rounded = (allocation->bytes + ALIGN - 1) / ALIGN * ALIGN;
    table->used_bytes -= rounded;
    if (allocation->is_mapped)
        munmap(allocation->host, rounded);
    else
        free(allocation->host);
    free(allocation->written);
    allocation->host = allocation->written = NULL;
}

/* What is wrong with an address, for a person. Called with the lock held. */
static void explain(int device, uint64_t address, uint64_t bytes, char *why, size_t why_bytes) {
    int owner = -1;
    if (address >= FIRST_ADDRESS &&
        address - FIRST_ADDRESS < DEVICE_ADDRESSES * EMULATED_DEVICES_MAX)
        owner = (int)((address - FIRST_ADDRESS) / DEVICE_ADDRESSES);
    const struct allocation *near = owner < 0 ? NULL : nearest(owner, address);
    if (near == NULL) {
        snprintf(why, why_bytes, "which was never allocated");
        return;
    }
    uint64_t offset = address - near->address;
    const char *state = near->host == NULL ? "freed " : "";
    if (offset >= near->bytes)
        snprintf(why, why_bytes,
                 "%llu bytes past the end of the %sallocation of %llu bytes at 0x%llx",
                 (unsigned long long)(offset - near->bytes), state, (unsigned long long)near->bytes,
                 (unsigned long long)near->address);
    else if (near->host == NULL)
        snprintf(why, why_bytes, "use after free of the allocation of %llu bytes at 0x%llx",
                 (unsigned long long)near->bytes, (unsigned long long)near->address);
    else if (owner != device)
        snprintf(why, why_bytes, "which is memory of GPU %d, used on GPU %d", owner, device);
    else
        snprintf(why, why_bytes,
                 "%llu bytes at offset %llu of an allocation of %llu bytes at 0x%llx",
                 (unsigned long long)bytes, (unsigned long long)offset,
                 (unsigned long long)near->bytes, (unsigned long long)near->address);
}

int emulated_memory_free(int device, uint64_t address) {
    char why[200] = "";
    pthread_rwlock_wrlock(&lock);
    struct allocation *found = nearest(device, address);
    bool is_live = found != NULL && found->address == address && found->host != NULL;
    if (is_live)
        release(&tables[device], found);
    else if (found != NULL && found->address == address)
        snprintf(why, sizeof why, "double free");
    else
        explain(device, address, 1, why, sizeof why);
    pthread_rwlock_unlock(&lock);
    if (is_live)
        return CUDA_SUCCESS;
    emulated_report("cuMemFree of 0x%llx on GPU %d: %s", (unsigned long long)address, device, why);
    return CUDA_ERROR_INVALID_VALUE;
}

bool emulated_memory_find(void *user, uint64_t address, uint64_t bytes, bool is_write,
                          struct ptx_range *out, char *why, size_t why_bytes) {
    int device = *(const int *)user;
    (void)is_write;
    pthread_rwlock_rdlock(&lock);
    const struct allocation *found = live_with(device, address, bytes);
    if (found != NULL)
        *out = (struct ptx_range){found->address, found->address + found->bytes, found->host,
                                  found->written};
    else
        explain(device, address, bytes, why, why_bytes);
    pthread_rwlock_unlock(&lock);
    return found != NULL;
}

/* Bytes from the first of the first row to the last of the last; false when that overflows. */
static bool span_of(uint64_t rows, uint64_t row_bytes, uint64_t pitch, uint64_t *span) {
    uint64_t before;
    return rows > 0 && row_bytes > 0 && !__builtin_mul_overflow(rows - 1, pitch, &before) &&
           !__builtin_add_overflow(before, row_bytes, span);
}

static int find_rows(int device, uint64_t address, uint64_t rows, uint64_t row_bytes,
                     uint64_t pitch, const char *what, struct ptx_range *out) {
    char why[200] = "a range of no size";
    uint64_t span = 0;
    if (span_of(rows, row_bytes, pitch, &span) &&
        emulated_memory_find(&device, address, span, false, out, why, sizeof why))
        return CUDA_SUCCESS;
    emulated_report("%s on GPU %d: %llu bytes at 0x%llx, %s", what, device,
                    (unsigned long long)span, (unsigned long long)address, why);
    return CUDA_ERROR_ILLEGAL_ADDRESS;
}

int emulated_memory_read_rows(int device, uint64_t address, uint64_t rows, uint64_t row_bytes,
                              uint64_t pitch, const char *what, const void **host) {
    struct ptx_range range;
    int result = find_rows(device, address, rows, row_bytes, pitch, what, &range);
    if (result != CUDA_SUCCESS)
        return result;
    uint64_t offset = address - range.low, first;
    *host = range.host + offset;
    for (uint64_t row = 0; row < rows; row++)
        if (!ptx_written_all(range.written, offset + row * pitch, row_bytes, &first)) {
            emulated_report("%s on GPU %d reads memory at 0x%llx that was never written", what,
                            device, (unsigned long long)(range.low + first));
            return CUDA_ERROR_LAUNCH_FAILED;
        }
    return CUDA_SUCCESS;
}

int emulated_memory_write_rows(int device, uint64_t address, uint64_t rows, uint64_t row_bytes,
                               uint64_t pitch, const char *what, void **host) {
    struct ptx_range range;
    int result = find_rows(device, address, rows, row_bytes, pitch, what, &range);
    if (result != CUDA_SUCCESS)
        return result;
    uint64_t offset = address - range.low;
    *host = range.host + offset;
    for (uint64_t row = 0; row < rows; row++)
        ptx_written_set(range.written, offset + row * pitch, row_bytes);
    return CUDA_SUCCESS;
}

int emulated_memory_read(int device, uint64_t address, uint64_t bytes, const char *what,
                         const void **host) {
    return emulated_memory_read_rows(device, address, 1, bytes, bytes, what, host);
}

int emulated_memory_write(int device, uint64_t address, uint64_t bytes, const char *what,
                          void **host) {
    return emulated_memory_write_rows(device, address, 1, bytes, bytes, what, host);
}

bool emulated_memory_contains(int device, uint64_t address, uint64_t bytes) {
    pthread_rwlock_rdlock(&lock);
    bool found = live_with(device, address, bytes) != NULL;
    pthread_rwlock_unlock(&lock);
    return found;
}

void emulated_memory_info(int device, uint64_t *free_bytes, uint64_t *total_bytes) {
    pthread_rwlock_rdlock(&lock);
    *free_bytes = usable_bytes(device) - tables[device].used_bytes;
    *total_bytes = emulated_platform()->devices[device].memory_told_bytes;
    pthread_rwlock_unlock(&lock);
}

void emulated_memory_release(int device, bool is_leak) {
    struct table *table = &tables[device];
    pthread_rwlock_wrlock(&lock);
    for (size_t i = 0; i < table->count; i++) {
        struct allocation *allocation = &table->allocations[i];
        if (allocation->host == NULL)
            continue;
        if (is_leak)
            emulated_report("GPU %d: leak of %llu bytes at 0x%llx", device,
                            (unsigned long long)allocation->bytes,
                            (unsigned long long)allocation->address);
        release(table, allocation);
    }
    pthread_rwlock_unlock(&lock);
}

void emulated_memory_flip(int device, uint64_t address) {
    pthread_rwlock_rdlock(&lock);
    const struct allocation *found = live_with(device, address, 1);
    if (found != NULL)
        found->host[address - found->address] ^= 1;
    pthread_rwlock_unlock(&lock);
}
