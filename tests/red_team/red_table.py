# SPDX-License-Identifier: Apache-2.0
"""red_table.py - rows of the red team as a table, and as a plot of detection against skipped share."""
import html
import json
import math
import os

FATES = {"caught": "caught", "refused": "refused", "worthless": "gains nothing", "bounded": "bounded", "shown": "shown"}
SERIES = {"tiles left out": "#1f77b4", "steps left out": "#d95f02", "a patched petaudit tells of more steps": "#1b7837"}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 470, 70, 30, 40, 60
LEAST, MOST = -3.3, 0.0  # decades of the share


def detection(row):
    odds = row.get("odds")
    if odds is None:
        return "", ""
    seen = odds["caught"] / odds["trials"]
    return (f"{odds['expected']:.3f}",
            f"{seen:.3f} ({odds['caught']} of {odds['trials']}; {odds['lower']:.3f} to {odds['upper']:.3f})")


def line(row):
    expected, measured = detection(row)
    text = f"{row['cheat']}: {row['verdict']}"
    return text + (f"; expected {expected}, measured {measured}" if expected else "")


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(rows):
    head = next((row for row in rows if row.get("header")), {})
    out = ["# What became of the cheats", ""]
    if head:
        out += [f"Made by `{head['command']}` at commit {head['commit']} on {head['processor']}, {head['processors']}",
                f"processors, load {head['load']} at the start. Gains are ratios of processor time. Detection: share of sessions that were",
                "INVALID, with its Clopper-Pearson interval at 95 %. docs/red-team.md explains the rows.", ""]
    out += ["| cheat | gain while unobserved | fate | expected detection | measured detection | verdict | remark |",
            "|---|---|---|---|---|---|---|"]
    for row in rows:
        if row.get("header"):
            continue
        expected, measured = detection(row)
        fate = FATES[row["fate"]] + ("" if row["is_predicted"] else ", NOT AS PREDICTED")
        cells = (row["cheat"], row["gain"], fate, expected, measured, row["verdict"], row["note"])
        out.append("| " + " | ".join(map(cell, cells)) + " |")
    return "\n".join(out) + "\n"


def x_of(share):
    return LEFT + (math.log10(share) - LEAST) / (MOST - LEAST) * (WIDTH - LEFT - RIGHT)


def y_of(probability):
    return HEIGHT - BOTTOM - probability * (HEIGHT - TOP - BOTTOM)


def text(x, y, content, anchor="middle", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{html.escape(content)}</text>'


def frame(openings):
    out = [text(WIDTH / 2, 22, f"Detection of left-out work, {openings} openings a session", extra=' font-size="15"')]
    for share, name in ((0.001, "0.1 %"), (0.003, "0.3 %"), (0.01, "1 %"), (0.03, "3 %"), (0.1, "10 %"), (0.5, "50 %")):
        x = x_of(share)
        out += [f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y_of(0):.1f}" y2="{y_of(1):.1f}" stroke="#ddd"/>',
                text(x, HEIGHT - BOTTOM + 18, name)]
    for tenth in range(0, 11, 2):
        y = y_of(tenth / 10)
        out += [f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>',
                text(LEFT - 8, y + 4, f"{tenth / 10:.1f}", "end")]
    out += [text(WIDTH / 2, HEIGHT - 14, "share of work left out"),
            text(18, HEIGHT / 2, "sessions found INVALID", extra=f' transform="rotate(-90 18 {HEIGHT / 2:.0f})"')]
    return out


def plot(rows):
    """Only what the rows print: the curve is the formula, points and intervals are measured."""
    points = [row for row in rows if "odds" in row and row["odds"]["share"] > 0 and row["cheat"].rsplit(":", 1)[0] in SERIES]
    openings = points[0]["odds"]["openings"] if points else 100
    curve = []
    for i in range(201):
        share = 10 ** (LEAST + (MOST - LEAST) * i / 200)
        curve.append(f"{x_of(share):.1f},{y_of(1 - (1 - min(share, 1)) ** openings):.1f}")
    out = frame(openings) + [f'<polyline points="{" ".join(curve)}" fill="none" stroke="#444" stroke-width="1.5"/>']
    for index, (name, colour) in enumerate(SERIES.items()):
        shift = (index - 1) * 6
        for row in points:
            if row["cheat"].rsplit(":", 1)[0] != name:
                continue
            odds = row["odds"]
            x = x_of(odds["share"]) + shift
            out += [f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y_of(odds["lower"]):.1f}" y2="{y_of(odds["upper"]):.1f}" stroke="{colour}"/>',
                    f'<circle cx="{x:.1f}" cy="{y_of(odds["caught"] / odds["trials"]):.1f}" r="3.5" fill="{colour}"/>']
        y = y_of(0.42) + index * 18
        out += [f'<circle cx="{WIDTH - 300}" cy="{y - 4:.1f}" r="3.5" fill="{colour}"/>', text(WIDTH - 290, y, name, "start")]
    out.append(text(WIDTH - 290, y_of(0.42) + 54, "line: 1 - (1 - f)^n; bars: 95 %, Clopper-Pearson", "start"))
    body = "\n".join(out)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'font-family="sans-serif" font-size="12">\n<title>Detection of left-out work</title>\n'
            f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n')


def write(rows, folder):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "rows.jsonl"), "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    with open(os.path.join(folder, "table.md"), "w", encoding="utf-8") as file:
        file.write(table(rows))
    with open(os.path.join(folder, "detection.svg"), "w", encoding="utf-8") as file:
        file.write(plot(rows))
