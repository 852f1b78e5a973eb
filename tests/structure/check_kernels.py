#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_kernels.py - the compiled device kernels, as far as they can be judged without a GPU.

    check_kernels.py BUILD/kernels [PTXAS]

Opcodes: the PTX of every compiler stays within ptx_opcodes.txt, which is what the emulated driver's interpreter is tested
for. Registers: at most MORE_REGISTERS above results/kernel-registers.txt, so that a change that costs occupancy is seen.
Assembler: NVIDIA's ptxas takes each lowered text for each architecture without a spill. Checks that need what this
machine lacks say so.
"""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "bench"))
import kernel_figures  # noqa: E402

ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)
MORE_REGISTERS = 8
# 65,536 registers to 8 blocks of 256 threads would be 32 each; with 64, four blocks still hide the memory's latency.
MOST_REGISTERS = 64


def shapes(folder):
    return sorted(name for name in os.listdir(folder) if re.fullmatch(r"kernels_.*\.ptx", name))


def opcodes_of(path):
    with open(path, encoding="ascii") as file:
        kernels = kernel_figures.ptx_kernels(file.read())
    return {opcode for items in kernels.values() for _, opcode, _, _ in items if opcode}, set(kernels)


def declared_kernels():
    with open(os.path.join(TOP, "kernels/launch.h"), encoding="ascii") as file:
        return set(re.findall(r"K\(PA_KERNEL_\w+, (\w+)\)", file.read()))


def check_opcodes(folder, complain):
    with open(os.path.join(TOP, "tests/structure/ptx_opcodes.txt"), encoding="ascii") as file:
        listed = {line.strip() for line in file if line.strip() and not line.startswith("#")}
    seen = set()
    for name in shapes(folder):
        opcodes, kernels = opcodes_of(os.path.join(folder, name))
        if kernels != declared_kernels():
            complain(f"{name} has other kernels than kernels/launch.h: {sorted(kernels ^ declared_kernels())}")
        for opcode in sorted(opcodes - listed):
            complain(f"{name} uses {opcode}, which is not in tests/structure/ptx_opcodes.txt")
        seen |= opcodes
    return f"{len(shapes(folder))} shapes of PTX, {len(seen)} opcodes"


def recorded_registers():
    with open(os.path.join(TOP, "results/kernel-registers.txt"), encoding="ascii") as file:
        lines = [line.split() for line in file if line.startswith(("kernel ", "pa_"))]
    columns = [int(name[len("sm_") :]) for name in lines[0][1:-1]]
    return {(line[0], sm): int(count) for line in lines[1:] for sm, count in zip(columns, line[1:-1])}


def check_registers(folder, complain):
    found = kernel_figures.cubins(folder)
    if not found:
        return "NOT CHECKED: registers, because this build has no cubins (nvcc makes them)"
    recorded = recorded_registers()
    for sm, path in found.items():
        for kernel, (registers, _, _) in kernel_figures.compiled_kernels(path).items():
            if (kernel, sm) not in recorded:
                complain(f"{kernel} for sm_{sm} is not in results/kernel-registers.txt")
            elif registers > min(recorded[kernel, sm] + MORE_REGISTERS, MOST_REGISTERS):
                complain(f"{kernel} takes {registers} registers on sm_{sm}, recorded are {recorded[kernel, sm]}")
    return f"registers of {len(found)} cubins"


def check_assembler(folder, ptxas, complain):
    if not ptxas:
        return "NOT CHECKED: whether ptxas takes the PTX, because there is no ptxas (the CUDA toolkit has it)"
    strict = ["--warn-on-spills", "--warn-on-local-memory-usage", "--warning-as-error"]
    for name in shapes(folder):
        for sm in ARCHITECTURES:
            command = [ptxas, *strict, f"-arch=sm_{sm}", os.path.join(folder, name), "-o", os.devnull]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                complain(f"ptxas refuses {name} for sm_{sm}: {done.stderr.strip()}")
    return f"ptxas for {len(ARCHITECTURES)} architectures"


def main():
    folder, ptxas = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    complaints = []
    print(check_opcodes(folder, complaints.append))
    print(check_registers(folder, complaints.append))
    print(check_assembler(folder, ptxas, complaints.append))
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
