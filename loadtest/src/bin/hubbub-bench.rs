//! `hubbub-bench`: the load harness as a program. What it can do is in `modes`.

use std::process::ExitCode;

fn main() -> ExitCode {
    loadtest::modes::main()
}
