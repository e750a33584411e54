# SPDX-License-Identifier: GPL-2.0
"""Rules on unsafe Rust that neither rustc nor clippy knows.

    git ls-files '*.rs' | python3 rules.py unsafe|macros

unsafe: the word stands only in the layers that are made for it. Every unsafe
block and impl is preceded by a comment that begins with SAFETY:, every unsafe
function and trait of ours has a "# Safety" section in its documentation.
(clippy has such lints; they don't look into macros.)

macros: in a macro that other crates can use, nothing that its caller wrote
comes to stand inside an unsafe block or function: `unsafe { $e }` would let a
crate that forbids unsafe code do anything. Neither may a caller's name be
called there, because it may be an unsafe function's.

Complaints go to standard output, one a line, then a summary.
"""

import re
import sys
from collections import namedtuple

# The only places where unsafe may be written.
UNSAFE_LAYERS = ("rust/netdev/", "rust/bindings/")

# What a macro's caller can put code into.
CODE_FRAGMENTS = {"expr", "expr_2021", "tt", "block", "stmt", "item", "pat", "pat_param"}
# What a macro's caller can name a function with.
NAME_FRAGMENTS = {"ident", "path", "ty"}

OPEN = {"{": "}", "(": ")", "[": "]"}

# kind is comment, literal, word or mark.
Token = namedtuple("Token", "kind text line")

LEXER = re.compile(
    r"""
      (?P<blank>\s+)
    | (?P<comment>//[^\n]*)
    | (?P<block>/\*)
    | (?P<raw>(?:br|cr|r)(?P<hashes>\#*)")
    | (?P<string>(?:b|c)?"(?:[^"\\]|\\.)*")
    | (?P<char>b?'(?:[^'\\\n]|\\(?:[^ux]|x[0-9a-fA-F]{2}|u\{[^}]*\}))')
    | (?P<lifetime>'[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>[0-9][A-Za-z0-9_]*)
    | (?P<word>(?:r\#)?[A-Za-z_][A-Za-z0-9_]*)
    | (?P<mark>=>|::|.)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokenize(text):
    """Splits Rust source into tokens; blanks go, comments stay."""
    tokens = []
    at = 0
    line = 1
    while at < len(text):
        match = LEXER.match(text, at)
        kind = match.lastgroup if match.lastgroup != "hashes" else "raw"
        end = match.end()
        if kind == "block":
            # Block comments nest.
            depth = 1
            while depth and end < len(text):
                inner = re.compile(r"/\*|\*/").search(text, end)
                if not inner:
                    end = len(text)
                    break
                depth += 1 if inner.group() == "/*" else -1
                end = inner.end()
            kind = "comment"
        elif kind == "raw":
            close = text.find('"' + match.group("hashes"), end)
            end = len(text) if close < 0 else close + 1 + len(match.group("hashes"))
        if kind in ("raw", "string", "char", "lifetime", "number"):
            kind = "literal"
        if kind != "blank":
            tokens.append(Token(kind, text[at:end], line))
        line += text.count("\n", at, end)
        at = end
    return tokens


def closing(tokens, at):
    """The index of the bracket that closes the one at `at`."""
    depth = 0
    for i in range(at, len(tokens)):
        if tokens[i].kind != "mark":
            continue
        if tokens[i].text in OPEN:
            depth += 1
        elif tokens[i].text in OPEN.values():
            depth -= 1
            if depth == 0:
                return i
    return len(tokens) - 1


def statement_before(tokens, at):
    """The tokens of the statement or item that lead up to `at`, backwards."""
    for i in range(at - 1, -1, -1):
        if tokens[i].kind == "mark" and tokens[i].text in (";", "{", "}"):
            return
        yield tokens[i]


def argued(tokens, at, words):
    """Whether a comment with one of `words` leads up to the token at `at`."""
    return any(
        token.kind == "comment" and any(word in token.text for word in words)
        for token in statement_before(tokens, at)
    )


def trait_impl_ranges(tokens):
    """Where bodies of `impl Trait for Type` stand: their methods are documented by the trait."""
    ranges = []
    for at, token in enumerate(tokens):
        if token.kind == "mark" and token.text == "{":
            head = [t.text for t in statement_before(tokens, at) if t.kind == "word"]
            if "impl" in head and "for" in head and "fn" not in head:
                ranges.append((at, closing(tokens, at)))
    return ranges


def unsafe_kind(code, at):
    """What the word unsafe at `at` makes unsafe: block, impl, trait, fn, or None for types."""
    following = [token.text for token in code[at + 1 : at + 5]]
    if following[:1] == ["{"]:
        return "block"
    if following[:1] in (["impl"], ["trait"]):
        return following[0]
    if following[:1] == ["("]:
        return None  # #[unsafe(...)]
    if following[:1] == ["extern"]:
        following = following[2:] if following[1:2] and following[1][:1] == '"' else following[1:]
        if following[:1] == ["{"]:
            return "block"
    if following[:1] == ["fn"] and following[1:2] != ["("]:
        return "fn"
    return None


def check_unsafe(files):
    """The rules on where unsafe stands and how it is argued for."""
    complaints = []
    counts = {}
    for path, tokens in files:
        exempt = trait_impl_ranges(tokens)
        for at, token in enumerate(tokens):
            if token.kind != "word" or token.text != "unsafe":
                continue
            where = f"{path}:{token.line}"
            counts[path] = counts.get(path, 0) + 1
            if not path.startswith(UNSAFE_LAYERS):
                complaints.append(f"{where}: unsafe outside {' and '.join(UNSAFE_LAYERS)}")
                continue
            code = [t for t in tokens[at : at + 12] if t.kind != "comment"]
            kind = unsafe_kind(code, 0)
            if kind in ("block", "impl") and not argued(tokens, at, ("SAFETY:",)):
                complaints.append(f"{where}: unsafe {kind} without a SAFETY: comment")
            elif kind == "trait" and not argued(tokens, at, ("# Safety",)):
                complaints.append(f"{where}: unsafe trait without a '# Safety' section")
            elif kind == "fn" and not argued(tokens, at, ("# Safety",)):
                if not any(begin < at < end for begin, end in exempt):
                    complaints.append(f"{where}: unsafe fn without a '# Safety' section")
    for path in sorted(counts):
        print(f"{counts[path]:5} {path}")
    return complaints, f"{sum(counts.values())} in {len(counts)} of {len(files)} files"


def exported_macros(tokens):
    """Yields (name, line, tokens of the body) of macros marked for export."""
    for at, token in enumerate(tokens):
        if (token.kind, token.text) != ("word", "macro_rules"):
            continue
        attributes = {t.text for t in statement_before(tokens, at)}
        # pub(crate) use and the like cannot carry a macro to another crate.
        if "macro_export" not in attributes:
            continue
        opening = next(i for i in range(at, len(tokens)) if tokens[i].text in OPEN)
        body = [t for t in tokens[opening + 1 : closing(tokens, opening)] if t.kind != "comment"]
        yield tokens[at + 2].text, token.line, body


def macro_rules(body):
    """Yields (matcher, transcriber) of each rule of a macro's body."""
    at = 0
    while at < len(body):
        if body[at].text not in OPEN:
            at += 1
            continue
        end = closing(body, at)
        matcher = body[at + 1 : end]
        at = end + 1
        while at < len(body) and body[at].text not in OPEN:
            at += 1
        if at >= len(body):
            return
        end = closing(body, at)
        yield matcher, body[at + 1 : end]
        at = end + 1


def fragments(matcher):
    """Which names a matcher binds, and to what kind of fragment."""
    found = {}
    for i in range(len(matcher) - 3):
        if matcher[i].text == "$" and matcher[i + 2].text == ":":
            found[matcher[i + 1].text] = matcher[i + 3].text
    return found


def unsafe_ranges(tokens):
    """Where unsafe blocks and bodies of unsafe functions stand."""
    for at, token in enumerate(tokens):
        if (token.kind, token.text) != ("word", "unsafe"):
            continue
        kind = unsafe_kind(tokens, at)
        if kind not in ("block", "fn"):
            continue
        for i in range(at, len(tokens)):
            if tokens[i].text == ";":
                break
            if tokens[i].text == "{":
                yield i, closing(tokens, i)
                break


def calls(tokens, at):
    """Whether the variable whose name is at `at` is called: $f(..), $t::f(..)."""
    i = at + 1
    while i + 1 < len(tokens) and tokens[i].text == "::" and tokens[i + 1].kind == "word":
        i += 2
    return i < len(tokens) and tokens[i].text == "("


def check_macros(files):
    """The rule on what a macro's caller wrote."""
    complaints = []
    count = 0
    for path, tokens in files:
        for name, line, body in exported_macros(tokens):
            count += 1
            for matcher, transcriber in macro_rules(body):
                kinds = fragments(matcher)
                for begin, end in unsafe_ranges(transcriber):
                    for i in range(begin, end - 1):
                        if transcriber[i].text != "$" or transcriber[i + 1].kind != "word":
                            continue
                        variable = transcriber[i + 1]
                        kind = kinds.get(variable.text)
                        if kind in CODE_FRAGMENTS:
                            complaints.append(
                                f"{path}:{variable.line}: {name}! (line {line}) puts its caller's"
                                f" ${variable.text}:{kind} inside unsafe"
                            )
                        elif kind in NAME_FRAGMENTS and calls(transcriber, i + 1):
                            complaints.append(
                                f"{path}:{variable.line}: {name}! (line {line}) calls its caller's"
                                f" ${variable.text}:{kind} inside unsafe"
                            )
    return complaints, f"{count} exported macros"


def main():
    """Reads the list of files, applies the rule that was asked for."""
    rules = {"unsafe": check_unsafe, "macros": check_macros}
    if len(sys.argv) != 2 or sys.argv[1] not in rules:
        sys.exit(f"usage: {sys.argv[0]} {'|'.join(rules)} <list-of-files")
    files = []
    for path in sys.stdin.read().split():
        with open(path, encoding="utf-8") as source:
            files.append((path, tokenize(source.read())))
    complaints, summary = rules[sys.argv[1]](files)
    for complaint in complaints:
        print(complaint)
    print(f"{summary}, {len(complaints)} faults")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
