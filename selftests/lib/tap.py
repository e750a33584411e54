# SPDX-License-Identifier: GPL-2.0
"""TAP version 13 for tests written in Python.

A test is a set of functions marked with ``@tap.case("what it shows")`` and a
call of ``tap.main()`` at the end.  Every case gives one line of TAP.  Words on
the command line choose the cases whose titles contain them; ``-l`` lists them,
``--bail`` stops at the first one that fails.

A case fails by raising anything, and is skipped by raising ``tap.Skip``.  The
exit status follows kselftest: 0 passed, 1 failed, 4 skipped as a whole.
"""

import contextlib
import os
import sys
import traceback

_cases = []


class Skip(Exception):
    """What the case needs is not there; the text says what."""


def case(title):
    """Marks a function as a test case."""
    def mark(function):
        _cases.append((title, function))
        return function
    return mark


def note(*words):
    """Prints a diagnostic line that a reader of TAP passes over."""
    for line in " ".join(str(word) for word in words).splitlines() or [""]:
        print("#", line, flush=True)


def announce(pattern):
    """Says that the kernel log will hold reports that match the extended regular
    expression, so that neither the runner nor qemu/run counts them as trouble."""
    if "OUT" in os.environ:
        with open(os.path.join(os.environ["OUT"], "expected-log"), "a") as file:
            file.write(pattern + "\n")


def equal(got, want, what):
    """Fails the case unless both are equal."""
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def main(fixture=None):
    """Runs the cases.  `fixture`, if given, makes the context manager whose
    value every case gets as its argument; it is entered once, its `conserved()`
    is called after every case that has passed so far, and its `tidy()` after every case."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    chosen = [(title, function) for title, function in _cases
              if not words or any(word in title for word in words)]
    if "-l" in sys.argv[1:]:
        print("\n".join(title for title, _ in chosen))
        sys.exit(0)

    print("TAP version 13", flush=True)
    failed = 0
    with contextlib.ExitStack() as stack:
        try:
            arguments = (stack.enter_context(fixture()),) if fixture else ()
        except Skip as reason:
            print(f"1..0 # SKIP {reason}", flush=True)
            sys.exit(4)
        print(f"1..{len(chosen)}", flush=True)
        for number, (title, function) in enumerate(chosen, 1):
            try:
                function(*arguments)
                for argument in arguments:
                    argument.conserved()
                print(f"ok {number} {title}", flush=True)
            except Skip as reason:
                print(f"ok {number} {title} # SKIP {reason}", flush=True)
            except Exception:
                note(traceback.format_exc())
                print(f"not ok {number} {title}", flush=True)
                failed += 1
            if failed and "--bail" in sys.argv[1:]:
                break
            for argument in arguments:
                argument.tidy()
    sys.exit(1 if failed else 0)
