"""Answers for pip and uv what they do not tell: python requirements.py <question JSON>, in the working folder of the install.

`{"pip": folder, "files": [...], "ask": "pins", "wheels": folder}` prints a list of `name @ file:///...`: what lies in the
folder wins over packages of that name elsewhere. `"ask": "missing"` prints in words what the files ask for and this
interpreter does not find. `"ask": "project"` prints what the one file, a pyproject.toml, names as dependencies. Files are
read by pip's own parsers, out of the folder `pip`.
"""
import glob
import importlib.metadata as metadata
import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit


def main():
    question = json.loads(sys.argv[1])
    # Before pip's folder is among the places where distributions are found.
    places = list(sys.path)
    sys.path.insert(0, question["pip"])
    print(json.dumps(answer(question, places)))


def answer(question, places):
    if question["ask"] == "project":
        return dependencies(*question["files"])
    asked = read_all(question["files"])
    return pins(asked, question["wheels"]) if question["ask"] == "pins" else missing(asked, places)


def dependencies(file):
    """Of `[project]` alone: groups and extras are for other purposes, tables of tools for these tools."""
    try:
        import tomllib
    except ImportError:
        from pip._vendor import tomli as tomllib

    try:
        project = tomllib.loads(Path(file).read_text("utf-8")).get("project", {})
    except ValueError as error:
        sys.exit(f"{file} is no TOML: {error}")
    found = project.get("dependencies", [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        sys.exit(f"{file}: [project] dependencies must be a list of texts")
    return found


def read_all(files):
    """[(text, hashed)] of every requirement in the files and those that they name; constraints and what is for other machines are left out."""
    from pip._internal.req.req_file import parse_requirements

    found = []
    for file in files:
        for line in parse_requirements(file, session=Session()):
            if not line.constraint and is_for_here(line.requirement):
                found.append((line.requirement, bool((line.options or {}).get("hashes"))))
    return found


class Session:
    """pip's session asks lsb_release, rustc and others what this machine is: only for files that are fetched."""

    def get(self, url):
        from pip._internal.network.session import PipSession

        return PipSession().get(url)


def is_for_here(text):
    """Paths and addresses may have a marker too; pip divides them so."""
    from pip._vendor.packaging.markers import InvalidMarker, Marker

    marker = text.partition("; " if re.match(r"[\w+.-]+://", text) else ";")[2].strip()
    try:
        return marker == "" or Marker(marker).evaluate({"extra": ""})
    except InvalidMarker:
        return True


def parse(text):
    """The requirement; None: it is a path or an address."""
    from pip._vendor.packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def pins(asked, folder):
    """Packages that are asked for are taken in the newest version that will do; of others there must be only one to choose."""
    from pip._vendor.packaging.version import Version

    # An address instead of an index cannot be checked against hashes, which keep strangers out by themselves.
    if any(hashed for _, hashed in asked):
        return []
    requirements = {}
    for requirement in filter(None, (parse(text) for text, _ in asked)):
        requirements.setdefault(canonical(requirement.name), []).append(requirement)
    wheels = {}
    for file in sorted(glob.glob(os.path.join(folder, "*.whl"))):
        name, version = fits(file)
        wanted = requirements.get(name, [])
        if name and all(not one.url and one.specifier.contains(version, prereleases=True) for one in wanted):
            wheels.setdefault(name, []).append((Version(version), file))
    return [
        f"{name} @ {Path(max(files)[1]).resolve().as_uri()}"
        for name, files in wheels.items() if name in requirements or len(files) == 1
    ]


def fits(file):
    """Name and version of a wheel that this interpreter can install; (None, None): it cannot."""
    from pip._vendor.packaging.tags import parse_tag, sys_tags

    parts = os.path.basename(file)[: -len(".whl")].split("-")
    if len(parts) not in (5, 6) or parse_tag("-".join(parts[-3:])).isdisjoint(sys_tags()):
        return None, None
    return canonical(parts[0]), parts[1]


def missing(asked, places):
    """Each requirement, and what it needs in turn: is it there, in a version that was asked for?"""
    found = {}
    for distribution in metadata.distributions(path=places):
        found.setdefault(canonical(distribution.metadata["Name"] or ""), distribution)
    problems = []
    open_questions = []
    for text, _ in asked:
        requirement = parse(text)
        if requirement is not None:
            open_questions.append((requirement, None))
        elif is_direct(text) and not any(came_from(distribution, text) for distribution in found.values()):
            problems.append(f"{text} is not there")
    seen = set()
    while open_questions:
        requirement, needed_by = open_questions.pop()
        name = canonical(requirement.name)
        distribution = found.get(name)
        if distribution is None:
            problems.append(f"{requirement.name}{f', which {needed_by} needs,' if needed_by else ''} is not there")
            continue
        # What a package says that it needs is advice, which other requirements may have overruled.
        if needed_by is None and not requirement.specifier.contains(distribution.version, prereleases=True):
            problems.append(f"{requirement} was asked for, and {distribution.version} is there")
        if (name, tuple(sorted(requirement.extras))) not in seen:
            seen.add((name, tuple(sorted(requirement.extras))))
            open_questions += [(further, requirement.name) for further in needs(distribution, requirement.extras)]
    return sorted(set(problems))


def needs(distribution, extras):
    from pip._vendor.packaging.requirements import InvalidRequirement, Requirement

    for text in distribution.requires or []:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # Written before there were rules for it.
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in ["", *extras]):
            yield requirement


def is_direct(text):
    """A folder or wheel of this machine: of what an address brings, the name is not known beforehand."""
    return "://" not in text and os.path.exists(plain_path(text))


def came_from(distribution, text):
    file = plain_path(text)
    if file.endswith(".whl"):
        return canonical(os.path.basename(file).split("-")[0]) == canonical(distribution.metadata["Name"] or "")
    url = json.loads(distribution.read_text("direct_url.json") or "{}").get("url", "")
    return os.path.realpath(unquote(urlsplit(url).path)) == os.path.realpath(file)


def plain_path(text):
    return re.sub(r"\[[^\]]*\]$", "", re.sub(r"\s*;.*$", "", text)).strip()


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
