#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gpu_overhead_estimate.py - what the proof should cost on a GPU, on paper: docs/gpu-overhead.md explains each term.

    gpu_overhead_estimate.py results/kernel-instructions.txt

The instruction counts are read from that file; everything else is in the tables below, with where it comes from. No figure
here was measured on a GPU.
"""
import re
import sys

M, N, K = 32768, 8192, 8192  # docs/protocol.md, "Shapes in use"
PIECE = 16  # bytes of a load or store
LANES = 64  # 32-bit integer operations a clock of a multiprocessor (CUDA C++ programming guide, cc 9.0 and 10.0)
MULTIPROCESSOR_BYTES = 64  # a clock, from L2 to one multiprocessor: its path's width
MEMORY_SHARE = 0.9  # of the datasheet's bandwidth that a plain stream reaches
MEMORY_PJ_PER_BIT = 5  # of HBM3, device and PHY: assumed

# column of the instruction table, multiprocessors, clock under load (GHz), HBM TB/s and watts (accelerators.csv)
GPUS = {
    "H100 SXM": ("sm_90", 132, 1.6, 3.35, 700),
    "B200": ("sm_100", 148, 1.7, 7.7, 1000),
}
# TFLOPS sustained by the library alone: 70 % of the dense peak of accelerators.csv, 90 % for fp64.
# format: (fill kernel, bytes of an operand element, digest kernel, bytes of an element of C, {gpu: rate})
FORMATS = {
    "bf16": ("pa_fill_dense16_bf16", 2, "pa_digest_f32", 4, {"H100 SXM": 693, "B200": 1575}),
    "int8": ("pa_fill_dense8_int8", 1, "pa_digest_i32", 4, {"H100 SXM": 1385, "B200": 3150}),
    "fp8": ("pa_fill_fp8_e4m3", 1, "pa_digest_f32", 4, {"H100 SXM": 1385, "B200": 3150}),
    "fp64": ("pa_fill_dense64_fp64", 8, "pa_digest_f64", 8, {"H100 SXM": 60, "B200": 33}),
}


def instruction_table(path):
    """{(kernel, column): instructions per 16 bytes}"""
    with open(path, encoding="ascii") as file:
        lines = file.read().split("\n\n")[1].splitlines()
    columns = re.findall(r"PTX \w+|sm_\d+", lines[0])
    out = {}
    for line in lines[1:]:
        kernel, rest = line.split(None, 1)
        for column, number in zip(columns, re.findall(r"([\d.]+)(?: \([\d.]+\))?", rest)):
            out[kernel, column] = float(number)
    return out


def terms(gpu, name, instructions):
    column, units, ghz, terabytes, watts = GPUS[gpu]
    fill, operand_bytes, digest, result_bytes, rates = FORMATS[name]
    product = 2 * M * N * K / (rates[gpu] * 1e12)
    made, read = N * K * operand_bytes, M * N * result_bytes
    arithmetic = units * LANES * ghz * 1e9  # operations a second
    memory = terabytes * 1e12 * MEMORY_SHARE
    fill_work = made / PIECE * instructions[fill, column] / arithmetic
    digest_work = read / PIECE * instructions[digest, column] / arithmetic
    near = read / (units * MULTIPROCESSOR_BYTES * ghz * 1e9)
    energy = (made + read) * 8 * MEMORY_PJ_PER_BIT * 1e-12 / (watts * product)
    fill_alone, digest_alone = max(fill_work, made / memory), max(digest_work, read / memory)
    overlapped = (fill_work + max(digest_work, near)) / product + energy
    return [product * 1e3, fill_alone * 1e6, digest_alone * 1e6, product / (product + fill_alone + digest_alone),
            fill_work * 1e6, max(digest_work, near) * 1e6, energy * 100, 1 / (1 + overlapped)]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    instructions = instruction_table(sys.argv[1])
    print(f"One step of {M} x {N} x {K}, estimated; nothing was measured.\n")
    print("                  product    alone on the GPU        one after     beside the product: units taken   overlapped")
    print("                            fill      digest        the other       fill     digest   memory's power")
    for gpu in GPUS:
        for name in FORMATS:
            t = terms(gpu, name, instructions)
            print(f"{gpu:9} {name:5} {t[0]:7.2f} ms {t[1]:6.0f} us {t[2]:7.0f} us {t[3]:14.3f} {t[4]:9.0f} us {t[5]:7.0f} us "
                  f"{t[6]:12.2f} % {t[7]:13.3f}")


if __name__ == "__main__":
    main()
