"""How this host fetches packages, by its configuration files: python installers.py <pip's place> <pip | uv>.

Prints a JSON object: settings by their name in those files, values as the installer's variables would say them.
"""
import ast
import json
import os
import subprocess
import sys
from pathlib import Path


def main():
    pip, installer = sys.argv[1:]
    print(json.dumps(of_pip(pip) if installer == "pip" else of_uv(pip)))


def of_pip(pip):
    """As pip itself reads its files; what is said for `install` wins over what is said for all of its commands."""
    # What the files say for every command holds for this one too, and would have it read but one of them, or say nothing.
    env = {**os.environ, "PIP_USER": "0", "PIP_GLOBAL": "0", "PIP_SITE": "0", "PIP_QUIET": "0"}
    listed = subprocess.run([sys.executable, "-I", os.path.join(pip, "pip"), "config", "list"], stdout=subprocess.PIPE, check=True, env=env)
    found = {"global": {}, "install": {}}
    for line in listed.stdout.decode().splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.partition(".")
        if section in found:
            found[section][name] = ast.literal_eval(value)
    return {**found["global"], **found["install"]}


def of_uv(pip):
    try:
        import tomllib
    except ImportError:
        sys.path.insert(0, pip)
        from pip._vendor import tomli as tomllib

    named = os.environ.get("UV_CONFIG_FILE")
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    system = [*(os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"), "/etc"]
    places = [named] if named else [os.path.join(folder, "uv/uv.toml") for folder in [*reversed(system), home]]
    found = {}
    for place in filter(os.path.isfile, places):
        settings = tomllib.loads(Path(place).read_text("utf-8"))
        found.update({**settings, **settings.get("pip", {})})
    indexes = found.pop("index", [])
    words = {{"allow-insecure-host": "insecure-host"}.get(name, name): in_words(value) for name, value in found.items()}
    for kind, chosen in (("default-index", True), ("index", False)):
        urls = [(f"{one['name']}=" if "name" in one else "") + one["url"] for one in indexes if bool(one.get("default")) == chosen]
        if urls:
            words[kind] = " ".join(urls)
    return words


def in_words(value):
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


if __name__ == "__main__":
    main()
