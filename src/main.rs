//! The `hubbub` binary: thin on purpose, everything it does is in the library.

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let loaded = hubbub::config::load(std::env::args().nth(1).as_deref().map(std::path::Path::new), std::env::vars())?;
    hubbub::logs::start(&loaded.config.log)?;
    hubbub::wiring::serve(&loaded.config).await
}
