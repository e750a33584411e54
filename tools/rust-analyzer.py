# SPDX-License-Identifier: GPL-2.0
"""Makes rust-project.json, by which rust-analyzer knows what crates there are.

    rust-analyzer.py TOP OUT KDIR SOURCE SYSROOT >rust-project.json

The kernel's own generator describes the kernel's crates. It can't describe
ours, which depend on one another; they are added from the record that Kbuild
keeps of how each was compiled, so what an editor sees is what was built.

TOP is the repository, OUT where it was built, KDIR the kernel build tree with
its SOURCE, SYSROOT the tool chain's tree: all by the names they have outside.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

# Ours, dependencies first.
CRATES = [
    "rust/pure/pure",
    "rust/bindings/netdev_sys",
    "rust/netdev/netdev",
    "rust/ferronic/ferronic",
    "rust/samples/rust_dummy",
]


def kernel_settings(source):
    """The --cfgs and --envs that the kernel's rust/Makefile gives the generator."""
    with open(f"{source}/rust/Makefile", encoding="utf-8") as makefile:
        text = makefile.read().replace("\\\n", " ")
    options = []
    for crate, kind, value in re.findall(r"^(\w+)-(cfgs|envs) := *(.*)$", text, re.M):
        # What depends on the compiler's version matters to no source of ours.
        value = " ".join(re.sub(r"\$\(.*\)", "", value).split())
        options.append(f"--{kind}={crate}={value}")
    return options


def core_edition():
    """The edition that core is written in, by rust/Makefile."""
    version = subprocess.check_output(["rustc", "--version"], text=True).split()[1]
    major, minor = map(int, version.split(".")[:2])
    return "2024" if (major, minor) >= (1, 87) else "2021"


def kernel_project(kdir, source, sysroot):
    """What the kernel's generator says of the kernel's crates."""
    with tempfile.TemporaryDirectory() as nothing:
        return json.loads(
            subprocess.check_output(
                [
                    sys.executable,
                    f"{source}/scripts/generate_rust_analyzer.py",
                    *kernel_settings(source),
                    core_edition(),
                    source,
                    kdir,
                    f"{sysroot}/usr",
                    f"{sysroot}/usr/lib/rustlib/src/rust/library",
                    nothing,
                ],
                env={**os.environ, "RUSTC": "rustc"},
            )
        )


def with_sysroot(project, sysroot):
    """Leaves core and its like to rust-analyzer.

    It looks for the methods of primitive types in crates that it took from the
    sysroot itself, only, and then gives std to every crate that isn't no_std.
    """
    own = {"core", "alloc", "std", "proc_macro"}
    crates = project["crates"]
    kept = [crate for crate in crates if crate["display_name"] not in own]
    place = {crates.index(crate): at for at, crate in enumerate(kept)}
    for crate in kept:
        if "std" not in {dep["name"] for dep in crate["deps"]}:
            crate["crate_attrs"] = ["no_std"]
        crate["deps"] = [
            {"crate": place[dep["crate"]], "name": dep["name"]}
            for dep in crate["deps"]
            if dep["crate"] in place
        ]
        crate["is_workspace_member"] = False
    project["crates"] = kept
    project["sysroot_src"] = f"{sysroot}/usr/lib/rustlib/src/rust/library"


def command_of(out, crate):
    """The words of the rustc command that built a crate."""
    directory, name = os.path.split(crate)
    path = f"{out}/{directory}/.{name}.o.cmd"
    try:
        with open(path, encoding="utf-8") as record:
            command = record.readline().split(" := ", 1)[1].split(" ; ")[0]
    except FileNotFoundError:
        sys.exit(f"{path} is missing: build the module first (make)")
    return shlex.split(command)


def our_crate(crates, top, out, kdir, crate):
    """One of our crates, in the terms of rust-project.json."""
    words = command_of(out, crate)
    names = [word for before, word in zip(words, words[1:]) if before == "--extern"]
    index = {known["display_name"]: at for at, known in enumerate(crates)}
    with open(f"{kdir}/include/generated/rustc_cfg", encoding="utf-8") as cfgs:
        cfg = [line.strip().removeprefix("--cfg=") for line in cfgs]
    return {
        "display_name": os.path.basename(crate),
        "root_module": f"{top}/{crate}.rs",
        "is_workspace_member": True,
        "edition": "2021",
        "crate_attrs": ["no_std"],
        "cfg": cfg + ["MODULE"],
        "deps": [
            {"crate": index[name], "name": name} for name in dict.fromkeys(names) if name in index
        ],
        "env": {
            "OBJTREE": kdir,
            "RUST_MODFILE": "for rust-analyzer only",
            "FERRONIC_BINDINGS": f"{out}/rust/bindings/generated.rs",
            "FERRONIC_HELPERS": f"{out}/rust/bindings/helpers_generated.rs",
        },
        # The generated files belong to the crate though they lie elsewhere.
        "source": {
            "include_dirs": [os.path.dirname(f"{top}/{crate}"), f"{out}/rust/bindings"],
            "exclude_dirs": [],
        },
    }


def main():
    """Writes the project to standard output."""
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    top, out, kdir, source, sysroot = sys.argv[1:]
    project = kernel_project(kdir, source, sysroot)
    with_sysroot(project, sysroot)
    for crate in CRATES:
        project["crates"].append(our_crate(project["crates"], top, out, kdir, crate))
    json.dump(project, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
