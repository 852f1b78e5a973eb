#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""figures.py - fills the figures that README.md and docs/*.md state from results/; --check only compares.

A figure stands between `<!-- figure:FILE:KEY -->` and `<!-- /figure -->`. FILE is a file in results/:
of a .json file KEY is a path of names and indices joined by dots, optionally with a format, as in
`overhead.json:fp32.ratio.median:.3f`; of a .txt file KEY is what stands before the first colon of a line, blanks
as underscores, and the figure is what stands after it, or one word of that, counted from 0: `overhead.txt:ratio:1`. In a line
without a colon KEY is its first words: `watermark-rates.txt:busy_32_bits_5.0_%:0`.
What a command printed stands whole between `<!-- output:FILE -->` and `<!-- /output -->`, in a code block.
"""
import glob
import json
import os
import re
import sys

OUTPUT = re.compile(r"<!-- output:([\w./-]+) -->\n(.*?)<!-- /output -->", re.S)
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIGURE = re.compile(r"<!-- figure:([\w./-]+):([^ :]+)(?::([^ ]+))? -->(.*?)<!-- /figure -->", re.S)


def look_up(name, key, form):
    path = os.path.join(TOP, "results", name)
    with open(path, encoding="utf-8") as file:
        if name.endswith(".json"):
            value = json.load(file)
            for part in key.split("."):
                value = value[int(part)] if isinstance(value, list) else value[part]
            return format(value, form) if form else str(value)
        for line in file:
            head, colon, rest = line.partition(":")
            if colon and "_".join(head.split()) == key:
                return rest.split()[int(form)].strip(",") if form else rest.strip()
            words, count = line.split(), len(key.split("_"))
            if not colon and "_".join(words[:count]) == key:
                return words[count:][int(form)] if form else " ".join(words[count:])
    raise KeyError(key)


def main():
    is_check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not is_check:
        sys.exit(__doc__)
    wrong = []
    for path in [os.path.join(TOP, "README.md"), *sorted(glob.glob(os.path.join(TOP, "docs", "*.md")))]:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        where = os.path.relpath(path, TOP)

        def fill(match):
            name, key, form, stated = match.groups()
            try:
                value = look_up(name, key, form)
            except (OSError, KeyError, IndexError, ValueError, TypeError) as error:
                wrong.append(f"{where}: figure {name}:{key} cannot be read from results/: {error!r}")
                return match.group(0)
            if is_check and value != stated:
                wrong.append(f"{where}: states {stated!r} for {name}:{key}, results/ says {value!r}: run docs/figures.py")
            return match.group(0).replace(f"-->{stated}<!--", f"-->{value}<!--")

        def quote(match):
            name, stated = match.groups()
            try:
                with open(os.path.join(TOP, "results", name), encoding="utf-8") as printed:
                    block = f"```\n{printed.read().strip()}\n```\n"
            except OSError as error:
                wrong.append(f"{where}: output {name} cannot be read from results/: {error!r}")
                return match.group(0)
            if is_check and block != stated:
                wrong.append(f"{where}: does not show what results/{name} holds: run docs/figures.py")
            return f"<!-- output:{name} -->\n{block}<!-- /output -->"

        filled = OUTPUT.sub(quote, FIGURE.sub(fill, text))
        if len(FIGURE.findall(text)) != text.count("<!-- figure:"):
            wrong.append(f"{where}: a figure mark is malformed or not closed")
        if not is_check and filled != text:
            with open(path, "w", encoding="utf-8") as file:
                file.write(filled)
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)


main()
