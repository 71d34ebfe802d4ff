//! `cargo xtask`: the one door to every chore of the house.
//!
//! Each chore is one file or folder beside this one. It deliberately holds nothing that the product needs to run:
//! a chore builds, starts, checks or describes Hubbub, and is gone afterwards.

use clap::{Parser, Subcommand};

mod bench;
mod check;
mod client;
mod doctor;
mod fuzz;
mod r#gen;
mod house;
mod licences;
mod proof;
mod run;
mod tidy;
mod up;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Every chore of the house", arg_required_else_help = true)]
struct Door {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run it: builds the client and a node, starts it with people to look at, stops on Ctrl-C
    Up(up::Options),
    /// Prove it: every check and every test there is, from a bare checkout. CI calls this
    Test(proof::Options),
    /// The quick checks (format, lints, tidy, licences); writes nothing
    Check,
    /// Mend what a machine can mend: generated files, lints, format
    Fix,
    /// The rules of the house: import table, pure cores, file lengths, generated files in step
    Tidy,
    /// Write what follows from the schema crate: API documents, TypeScript types, tables, golden files that are missing
    Gen(r#gen::Options),
    /// What one node carries on this machine: posts, deliveries, memory
    Bench(bench::Options),
    /// Noise against every decoder, guided by the code it reaches
    Fuzz(fuzz::Options),
    /// What this machine lacks, and how to get it
    Doctor,
}

fn main() -> std::process::ExitCode {
    let outcome = house::enter().and_then(|()| match Door::parse().chore {
        Chore::Up(options) => up::run(&options),
        Chore::Test(options) => proof::run(&options),
        Chore::Check => check::check(),
        Chore::Fix => check::fix(),
        Chore::Tidy => tidy::run(),
        Chore::Gen(options) => r#gen::chore(&options),
        Chore::Bench(options) => bench::run(&options),
        Chore::Fuzz(options) => fuzz::run(&options),
        Chore::Doctor => doctor::run(),
    });
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
