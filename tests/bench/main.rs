//! How fast it is: the release binary, its default settings and this machine, in one table.
//!
//! `cargo bench --bench figures` measures everything and prints the table; `-- handed open` measures
//! those rows alone; `-- --write` writes `docs/PERFORMANCE.md` too.

mod agent;
mod apart;
mod bare;
mod bulk;
mod document;
mod handed;
mod idle;
mod letters;
mod machine;
mod mcp_start;
mod meeting;
mod memory;
mod opening;
mod painted;
mod person;
mod raw;
mod relay;
mod samples;
mod size;
mod speech;
mod streamed;
mod sustained;
mod table;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::Instant;

use futures::FutureExt;
use futures::future::LocalBoxFuture;

use crate::raw::Raw;
use crate::table::{Row, Table};

/// What is measured on the way is kept here, on the disk that the project is built on.
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

/// A measure: its name on the command line, what it is about, and how it is done.
struct Measure {
    name: &'static str,
    about: &'static str,
    run: fn(Raw) -> LocalBoxFuture<'static, Vec<Row>>,
}

const MEASURES: [Measure; 12] = [
    Measure {
        name: "handed",
        about: "an agent's words in another agent's hands",
        run: |raw| handed::run(raw).boxed_local(),
    },
    Measure {
        name: "sustained",
        about: "100,000 events, one after the other",
        run: |_| sustained::run().boxed_local(),
    },
    Measure { name: "mcp", about: "the start of an agent's server", run: |_| mcp_start::run().boxed_local() },
    Measure { name: "open", about: "opening rooms of many events", run: |_| opening::run().boxed_local() },
    Measure { name: "memory", about: "what an agent asks of a large room", run: |_| memory::run().boxed_local() },
    Measure { name: "idle", about: "a companion with nothing to do", run: |_| idle::run().boxed_local() },
    Measure { name: "meeting", about: "two companions that find each other", run: |_| meeting::run().boxed_local() },
    Measure { name: "apart", about: "two who were apart", run: |_| apart::run().boxed_local() },
    Measure { name: "letters", about: "what goes by letter", run: |_| letters::run().boxed_local() },
    Measure { name: "bulk", about: "a room's stream beside a bare one", run: |_| bulk::run().boxed_local() },
    Measure { name: "painted", about: "the page in a browser", run: |_| painted::run().boxed_local() },
    Measure { name: "size", about: "the binary", run: |_| size::run().boxed_local() },
];

/// A process with threads cannot enter a user namespace, and only one measure may be in one.
#[allow(unsafe_code, reason = "runs before main, in the only thread there is")]
#[ctor::ctor(unsafe)]
fn enter_a_user_namespace() {
    if std::env::var_os(meeting::IN_A_NAMESPACE).is_some() {
        unsafe { patchbay::init_userns_for_ctor() }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::var_os(meeting::IN_A_NAMESPACE).is_some() {
        meeting::measure().await;
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (options, names): (Vec<_>, Vec<_>) = arguments.into_iter().partition(|argument| argument.starts_with('-'));
    let unknown = options.iter().filter(|option| *option != "--write");
    let unknown = unknown.chain(names.iter().filter(|name| MEASURES.iter().all(|measure| measure.name != **name)));
    if let Some(unknown) = unknown.map(String::as_str).next() {
        let names: Vec<&str> = MEASURES.iter().map(|measure| measure.name).collect();
        eprintln!("There is no {unknown}; there are {} and --write.", names.join(", "));
        return ExitCode::from(2);
    }
    let table = measure(&names).await;
    println!("\n{}", table.markdown());
    if !options.is_empty() {
        document::write(&table);
    }
    if table.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One measure after the other; what breaks down takes no other with it.
async fn measure(names: &[String]) -> Table {
    let mut table = Table::begin();
    let raw = raw::measure().await;
    table.take(raw.rows());
    for measure in MEASURES {
        if !names.is_empty() && !names.iter().any(|name| name == measure.name) {
            table.take(vec![Row::not_run(measure.about, "it was not asked for")]);
            continue;
        }
        eprintln!("{}: {} …", measure.name, measure.about);
        let began = Instant::now();
        let rows = AssertUnwindSafe((measure.run)(raw)).catch_unwind().await;
        let rows = rows.unwrap_or_else(|why| vec![Row::broken(measure.about, &told(&*why))]);
        rows.iter().for_each(|row| eprintln!("  {row}"));
        eprintln!("  ({:.0} s)", began.elapsed().as_secs_f64());
        table.take(rows);
    }
    table
}

/// What a panic said.
fn told(why: &(dyn std::any::Any + Send)) -> String {
    let text = why.downcast_ref::<String>().map(String::as_str).or(why.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}
