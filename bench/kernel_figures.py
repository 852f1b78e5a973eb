#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kernel_figures.py - registers and instruction counts of the device kernels, without a GPU.

    kernel_figures.py registers BUILD/kernels               results/kernel-registers.txt
    kernel_figures.py instructions BUILD/kernels [NVDISASM] results/kernel-instructions.txt

Registers and shared memory are read from the cubins (ELF, section .nv.info). Instructions are
those of one turn of a kernel's loop, on the path that is taken as a rule: a conditional branch forward inside the loop
skips what is rare (minus zeros in a digest). PTX is counted in the text; machine code in what NVIDIA's nvdisasm prints
(`pip download nvidia-cuda-nvdisasm`), and only the sizes of whole kernels where there is no nvdisasm.
"""
import os
import re
import struct
import subprocess
import sys

# Bytes of an element, for the fills; digests are stated per 16 bytes alone.
ELEMENT_BYTES = {
    "pa_fill_dense16_bf16": 2,
    "pa_fill_dense16_fp16": 2,
    "pa_fill_dense16_fp32": 4,
    "pa_fill_dense8_int8": 1,
    "pa_fill_fp8_e4m3": 1,
    "pa_fill_dense64_fp64": 8,
}


def cubins(folder):
    found = {}
    for name in os.listdir(folder):
        match = re.fullmatch(r"kernels_(\d+)\.cubin", name)
        if match:
            found[int(match.group(1))] = os.path.join(folder, name)
    return dict(sorted(found.items()))


class Elf:
    """The sections of a 64-bit ELF file, by name."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        if self.bytes[:5] != b"\x7fELF\x02":
            sys.exit(f"{path} is no 64-bit ELF file")
        table, = struct.unpack_from("<Q", self.bytes, 0x28)
        size, count, names = struct.unpack_from("<HHH", self.bytes, 0x3A)
        headers = [struct.unpack_from("<IIQQQQIIQQ", self.bytes, table + i * size) for i in range(count)]
        self.sections = {self.text(headers[names][4] + h[0]): h for h in headers}

    def text(self, at):
        return self.bytes[at : self.bytes.index(b"\0", at)].decode()

    def size(self, name):
        return self.sections[name][5] if name in self.sections else 0

    def content(self, name):
        header = self.sections[name]
        return self.bytes[header[4] : header[4] + header[5]]

    def symbol(self, index):
        at = self.sections[".symtab"][4] + 24 * index
        return self.text(self.sections[".strtab"][4] + struct.unpack_from("<I", self.bytes, at)[0])


# Attributes of .nv.info, each a symbol's number and a value.
FRAME_SIZE, REGISTERS = 0x11, 0x2F


def attributes(elf):
    """{(attribute, kernel): value}"""
    info, at, out = elf.content(".nv.info"), 0, {}
    while at < len(info):
        form, attribute, value = struct.unpack_from("<BBH", info, at)
        at += 4
        if form == 4:  # `value` bytes follow
            if attribute in (FRAME_SIZE, REGISTERS):
                symbol, number = struct.unpack_from("<II", info, at)
                out[attribute, elf.symbol(symbol)] = number
            at += value
    return out


def compiled_kernels(path):
    """{kernel: (registers, bytes of code, bytes of shared memory)} of a cubin."""
    elf = Elf(path)
    told, out = attributes(elf), {}
    for name in sorted(elf.sections):
        if name.startswith(".text.pa_"):
            kernel = name[len(".text.") :]
            if told[FRAME_SIZE, kernel] != 0 or ".nv.local." + kernel in elf.sections:
                sys.exit(f"{path}: {kernel} uses the stack")
            out[kernel] = (told[REGISTERS, kernel], elf.size(name), elf.size(".nv.shared." + kernel))
    if not out:
        sys.exit(f"{path} holds no kernel of ours")
    return out


def ptx_kernels(text):
    """{kernel: [(label, opcode, is conditional, target)]}; an entry is a label or an instruction."""
    out, items = {}, None
    for line in text.splitlines():
        line = line.split("//")[0].strip()
        entry = re.match(r"(?:\.visible )?\.entry (\w+)", line)
        if entry:
            items = out[entry.group(1)] = []
        label = re.match(r"(\$?\w+):$", line)
        if items is None or line.startswith("."):
            continue
        if label:
            items.append((label.group(1), None, False, None))
        match = re.match(r"(@!?%p\d+\s+)?([a-z][a-z0-9_.]*)\s*(.*);$", line)
        if match:
            guard, opcode, operands = match.groups()
            target = operands.strip() if opcode.split(".")[0] == "bra" else None
            items.append((None, opcode, guard is not None, target))
    return out


def sass_kernels(text):
    """The same of nvdisasm's output."""
    out, items = {}, None
    for line in text.splitlines():
        section = re.match(r"\.text\.(pa_\w+):", line)
        if section:
            items = out[section.group(1)] = []
            continue
        label = re.match(r"(\.L_x_\d+):", line)
        if items is not None and label:
            items.append((label.group(1), None, False, None))
        match = re.match(r"\s+/\*[0-9a-f]+\*/\s+(@!?U?P\w+ )?\s*([A-Z][A-Z0-9_.]*)(.*);", line)
        if items is not None and match:
            guard, opcode, operands = match.groups()
            target = re.search(r"`\((\.L_x_\d+)\)", operands)
            jumps = opcode.split(".")[0] == "BRA" and target
            items.append((None, opcode, guard is not None, target.group(1) if jumps else None))
    return out


def moves_16_bytes(opcode):
    return bool(re.match(r"(ld|st)\.global(\.nc)?\.v4\.u32$|(LDG|STG)\.E(\.\w+)*\.128", opcode))


def walk(items, places, head, end):
    """Opcodes from `head` to the branch at `end` on the usual path."""
    path, at = [], head
    while at <= end:
        label, opcode, is_conditional, target = items[at]
        at += 1
        if opcode is None:
            continue
        path.append(opcode)
        if target is not None and at - 1 != end:
            to = places[target]
            if at <= to <= end:
                at = to
    return path


def hot_loop(items):
    """(instructions, pieces of 16 bytes) of one turn of the loop that moves most; None where there is no loop."""
    places = {label: i for i, (label, opcode, _, _) in enumerate(items) if opcode is None}
    best = None
    for i, (_, _, _, target) in enumerate(items):
        if target is not None and places.get(target, i) < i:
            path = walk(items, places, places[target], i)
            pieces = sum(map(moves_16_bytes, path))
            if pieces and (best is None or pieces > best[1]):
                best = (len(path), pieces)
    return best


def figure(kernel, loop):
    instructions, pieces = loop
    text = f"{instructions / pieces:6.1f}"
    return text + (f" ({instructions * ELEMENT_BYTES[kernel] / (16 * pieces):.1f})" if kernel in ELEMENT_BYTES else "")


def compilers(folder):
    """What made the code, in its own words."""
    said = []
    path = os.path.join(folder, "kernels_nvcc_75.ptx")
    if os.path.exists(path):
        with open(path, encoding="ascii") as file:
            said += re.findall(r"release [0-9.]+, (V[0-9.]+)", file.read())
    return f"nvcc {said[0]}" if said else "no nvcc"


def print_registers(folder):
    found = {sm: compiled_kernels(path) for sm, path in cubins(folder).items()}
    if not found:
        sys.exit(f"{folder} holds no cubins: configure with nvcc")
    print(f"compiler: {compilers(folder)}")
    print("Registers of a thread, and bytes of shared memory of a block, by compute capability. Blocks have 256 threads;")
    print("no kernel spills or uses the stack (the build fails if one does).\n")
    print(f"{'kernel':22}" + "".join(f"{f'sm_{sm}':>8}" for sm in found) + f"{'shared':>8}")
    for kernel in next(iter(found.values())):
        # The driver's own kilobyte, which sm_90 and later count, is left out.
        shared = min(kernels[kernel][2] for kernels in found.values())
        print(f"{kernel:22}" + "".join(f"{kernels[kernel][0]:8}" for kernels in found.values()) + f"{shared:8}")


def print_instructions(folder, nvdisasm):
    columns = {}
    for shape in ("nvcc_75", "nvcc_100", "clang"):
        path = os.path.join(folder, f"kernels_{shape}.ptx")
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                columns["PTX " + shape] = ptx_kernels(file.read())
    sizes = {}
    for sm, path in cubins(folder).items():
        sizes[f"sm_{sm}"] = compiled_kernels(path)
        if nvdisasm:
            done = subprocess.run([nvdisasm, "-c", path], capture_output=True, text=True, check=True)
            columns[f"sm_{sm}"] = sass_kernels(done.stdout)
    reader = subprocess.run([nvdisasm, "--version"], capture_output=True, text=True, check=True).stdout if nvdisasm else ""
    version = re.search(r"V[0-9.]+", reader)
    print(f"compiler: {compilers(folder)}; machine code read by {'nvdisasm ' + version.group() if version else 'nobody'}")
    print("Instructions per 16 bytes written or read, in the loop of each kernel; in brackets per element of an operand.")
    print("What comes once a thread (addresses, the table of dense16, the sum over a block) is not in them.\n")
    print(f"{'kernel':22}" + "".join(f"{name:>15}" for name in columns))
    kernels = sorted({kernel for column in columns.values() for kernel in column})
    for kernel in kernels:
        loops = [hot_loop(column[kernel]) for column in columns.values()]
        if all(loops):
            print(f"{kernel:22}" + "".join(f"{figure(kernel, loop):>15}" for loop in loops))
    print("\nWhole kernels, machine instructions (bytes of code / 16; the end is padded to 128 bytes):\n")
    print(f"{'kernel':22}" + "".join(f"{name:>15}" for name in sizes))
    for kernel in kernels:
        print(f"{kernel:22}" + "".join(f"{size[kernel][1] // 16:15}" for size in sizes.values()))


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("registers", "instructions"):
        sys.exit(__doc__)
    if sys.argv[1] == "registers":
        print_registers(sys.argv[2])
    else:
        print_instructions(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)


if __name__ == "__main__":
    main()
