#!/usr/bin/env bash
# terminal_size 0.4.4 (Rust 1.95, Linux 6.18): a terminal that knows its columns but not its rows has no size at all. The kernel's window size of
# a pseudo-terminal whose maker set only the columns (`stty cols 50` in a fresh one, some CI runners) is 0 rows by 50 columns; terminal_size() says
# None for it, as for a file, and a program falls back to its default width. Python's os.get_terminal_size tells columns=50, lines=0 there.
#
# Seen: rows=0 columns=50 -> None; rows=24 columns=50 -> Some((Width(50), Height(24))); Python: 50 columns in both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "size"
version = "0.0.0"
edition = "2021"
[dependencies]
terminal_size = "=0.4.4"
TOML
echo 'fn main() { println!("{:?}", terminal_size::terminal_size()); }' > "$folder/src/main.rs"
cargo build --quiet --manifest-path "$folder/Cargo.toml"
cat > "$folder/ask.py" <<'PYTHON'
import fcntl, os, pty, struct, subprocess, sys, termios

PROGRAMS = ([sys.argv[1]], [sys.executable, "-c", "import os; print(os.get_terminal_size(1).columns)"])

def answers(rows, columns):
    """What both programs say in a terminal of that size."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    said = []
    for program in PROGRAMS:
        subprocess.run(program, stdin=theirs, stdout=theirs, stderr=theirs, check=True)
        said.append(os.read(ours, 4096).decode().strip())
    return said

without, whole = answers(0, 50), answers(24, 50)
print("rows=0 columns=50:", *without)
print("rows=24 columns=50:", *whole)
assert without == ["None", "50"] and whole == ["Some((Width(50), Height(24)))", "50"]
PYTHON
python3 "$folder/ask.py" "$folder/target/debug/size"
