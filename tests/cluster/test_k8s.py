#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_k8s.py PETAUDIT MANIFEST - contrib/k8s without a cluster.

Every field of the manifest is one of the Kubernetes API's and has its type, by the models of the official client; what it
names in one place is there in the other; and its pods run as processes of this machine: the container's very command and
environment, with volumes that look as the kubelet mounts them. Scheduling, images and the pods' network are not shown.
"""
import os
import re
import subprocess
import sys
import tempfile

import yaml
from kubernetes.client import models

from cluster_site import Hall, check

program, manifest = sys.argv[1:]
PRIMITIVES = {"str": str, "int": int, "bool": bool, "float": (int, float), "object": object}


class Strict(yaml.SafeLoader):
    """YAML in which a key that is written twice is an error."""


def mapping_of(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value]
    check(len(keys) == len(set(keys)), f"line {node.start_mark.line + 1}: a key is written twice: {keys}")
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping_of)


def quantity(value):
    return isinstance(value, int) or re.fullmatch(r"[0-9]+(\.[0-9]+)?(m|k|[MGTPE]|[KMGTPE]i)?", str(value))


def against(kind, value, where):
    """`value` is of the API's type `kind`, in every part. The client's constructors know what is required."""
    part = re.fullmatch(r"(list\[|dict\(str, )(.+)[\])]", kind)
    if part and part[1] == "list[":
        check(isinstance(value, list), f"{where}: no list")
        return [against(part[2], item, f"{where}[{i}]") for i, item in enumerate(value)]
    if part:
        check(isinstance(value, dict), f"{where}: no mapping")
        if where.endswith((".limits", ".requests")):
            check(all(quantity(amount) for amount in value.values()), f"{where}: no quantities: {value}")
            return {key: str(amount) for key, amount in value.items()}
        return {key: against(part[2], item, f"{where}.{key}") for key, item in value.items()}
    if kind in PRIMITIVES:
        is_right = isinstance(value, PRIMITIVES[kind]) and (kind == "bool" or not isinstance(value, bool))
        check(is_right, f"{where}: {value!r} is no {kind}")
        return value
    check(isinstance(value, dict), f"{where}: no mapping")
    model = getattr(models, kind)
    names = {wire: name for name, wire in model.attribute_map.items()}
    unknown = set(value) - set(names)
    check(not unknown, f"{where}: the Kubernetes API has no {', '.join(sorted(unknown))} in a {kind}")
    members = {names[key]: against(model.openapi_types[names[key]], item, f"{where}.{key}") for key, item in value.items()}
    try:
        return model(**members)
    except ValueError as refusal:
        raise SystemExit(f"FAILED: {where}: {refusal}") from None


def expect_refused(document, change, words):
    """The checker itself can fail."""
    broken = yaml.load(yaml.safe_dump(document), Strict)
    change(broken)
    try:
        against("V1Job", broken, "Job")
    except SystemExit as refusal:
        check(words in str(refusal), f"refused, but not for {words}: {refusal}")
        return
    raise SystemExit(f"FAILED: nothing is wrong with {words}")


def of_container(document):
    return document["spec"]["template"]["spec"]["containers"][0]


def pod_of(document):
    spec = document["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    env = {entry["name"]: entry for entry in container["env"]}
    check(spec["completionMode"] == "Indexed" and spec["completions"] == spec["parallelism"] == int(env["PETAUDIT_SIZE"]["value"]),
          "completions, parallelism and PETAUDIT_SIZE differ")
    check(pod["restartPolicy"] in ("Never", "OnFailure"), "a Job's pods have no other restart policy")
    rank = env["PETAUDIT_RANK"]["valueFrom"]["fieldRef"]["fieldPath"]
    check(rank == "metadata.annotations['batch.kubernetes.io/job-completion-index']", rank)
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    check(set(mounts) == {volume["name"] for volume in pod["volumes"]}, "volumes and their mounts differ")
    selector = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]["labelSelector"]
    labels = spec["template"]["metadata"]["labels"]
    check(selector["matchLabels"].items() <= labels.items(), "the pods do not keep away from their own kind")
    return container, {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}, mounts


def mount(folder, files):
    """Files as the kubelet mounts a ConfigMap or a Secret: links to links, mode 0400."""
    os.makedirs(f"{folder}/..2026_11_24")
    os.symlink("..2026_11_24", f"{folder}/..data")
    for name, content in files.items():
        with open(f"{folder}/..2026_11_24/{name}", "wb") as file:
            file.write(content)
        os.chmod(f"{folder}/..2026_11_24/{name}", 0o400)
        os.symlink(f"..data/{name}", f"{folder}/{name}")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def key_files(hall):
    """What the README's comment makes, and its line puts into the secret."""
    readme = read(os.path.join(os.path.dirname(manifest), "README.md")).decode()
    line = next(line for line in readme.splitlines() if line.startswith("kubectl create secret"))
    named = re.findall(r"--from-file=(\S+)", line)
    (make,) = re.findall(r"# petaudit (keygen \S+)$", line)
    subprocess.run([program, *make.split()], cwd=hall.folder, env=hall.env, check=True, stdout=subprocess.DEVNULL)
    return {name: read(hall.path(name)) for name in named}


def run_job(hall, container, env, mounts):
    places = {mounts[name]: hall.path(name) for name in ("audit", "claim", "keys")}
    mount(places[mounts["keys"]], key_files(hall))
    mount(places[mounts["claim"]], {name: read(hall.path(name)) for name in ("claim.yaml", "quick.yaml")})
    os.mkdir(places[mounts["audit"]])
    words = []
    for word in container["command"] + container.get("args", []):
        at = next((path for path in places if word.startswith(path + "/")), None)
        words.append(word if at is None else places[at] + word[len(at):])
    check(words[:2] == ["petaudit", "audit"], words)
    hall.out = words[words.index("--out") + 1]
    size = int(env["PETAUDIT_SIZE"])
    pods = [hall.start([program, *words[1:], "--devices", "cpu"], f"rank{index}.log",
                       **{**env, "PETAUDIT_RANK": str(index), "PETAUDIT_JOB": "uid"}) for index in range(size)]
    hall.end(pods[0], (2,))
    for index in range(1, size):
        hall.end(pods[index], (0,), f"rank{index}.log")
    hall.verify()
    devices = hall.summary()["devices"]
    check(len(devices) == size and all(device["steps"] > 0 for device in devices), devices)


with open(manifest, encoding="utf-8") as stream:
    job = yaml.load(stream, Strict)
check(job["apiVersion"] == "batch/v1" and job["kind"] == "Job", "no Job")
against("V1Job", job, "Job")
expect_refused(job, lambda broken: broken["spec"].update(completionmode="Indexed"), "completionmode")
expect_refused(job, lambda broken: broken["spec"].update(completions="4"), "completions")
expect_refused(job, lambda broken: of_container(broken)["env"][1].update(value=4), "env[1].value")
expect_refused(job, lambda broken: of_container(broken).pop("name"), "name")
expect_refused(job, lambda broken: of_container(broken)["resources"]["limits"].update({"nvidia.com/gpu": "eight"}), "limits")
with tempfile.TemporaryDirectory() as home, Hall(home, program, window_s=1) as site:
    run_job(site, *pod_of(job))
print("ok")
