#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All-reduce between processes that a real launcher started: test_reduce.py PROGRAM shm|mpi|plain"""
import os
import subprocess
import sys
import tempfile

program, way = sys.argv[1:]
env = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMIX", "SLURM_", "PMI_"))}
mpirun = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "4"]

with tempfile.TemporaryDirectory() as folder:
    command = [program, folder, str(1 << 20)]
    if way == "plain":
        ranks = [
            subprocess.Popen(
                command,
                env={**env, "PETAUDIT_RANK": str(rank), "PETAUDIT_SIZE": "4"},
                stdout=subprocess.PIPE,
                text=True,
            )
            for rank in range(4)
        ]
        results = [rank.communicate(timeout=120)[0] for rank in ranks]
        assert [rank.returncode for rank in ranks] == [0] * 4, ranks
        output = results[0]
        assert results[1:] == [""] * 3
    else:
        result = subprocess.run(
            mpirun + command,
            # MPI libraries never free what they hold; our own leaks show in the other ways.
            env={**env, "PETAUDIT_ALLREDUCE": way, "ASAN_OPTIONS": "detect_leaks=0"},
            stdout=subprocess.PIPE,
            timeout=120,
            text=True,
        )
        assert result.returncode == 0, result
        output = result.stdout
    assert output == f"{'shm' if way == 'plain' else way} 18 verified\n", output
    assert os.listdir(folder) == [], os.listdir(folder)
print(output, end="")
