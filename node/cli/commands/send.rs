use std::collections::BTreeMap;

use pairwave_api::{DeliveryState, Field, Send, Sent};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::{page, short};
use crate::stdin;

/// Say something in the room
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave send \"lunch?\"
  pairwave send --kind question --to bob \"Does the parser accept trailing commas?\"
  pairwave send --answers k3zq \"Yes, since 3.2.\"
  pairwave send --kind summary --field decisions=\"Commas stay\" \"The parser is done.\"
  git diff | pairwave send --kind finding --headline \"This breaks the lexer\" -")]
pub struct Args {
    /// What to say; `-` reads it from stdin
    text: String,
    /// chat, question, answer, context, decision, finding, status, review, handoff or summary [default: chat, or answer with --answers]
    #[arg(long)]
    kind: Option<String>,
    /// A member or session, by name or the beginning of an id [default: everybody]
    #[arg(long, value_name = "WHOM")]
    to: Option<String>,
    /// One line that sums it up
    #[arg(long)]
    headline: Option<String>,
    /// The question that this answers: the beginning of its id
    #[arg(long, value_name = "EVENT")]
    answers: Option<String>,
    /// How sure you are: fact, inference or assumption
    #[arg(long)]
    claim: Option<String>,
    /// Why it was decided so
    #[arg(long)]
    rationale: Option<String>,
    /// Where it is known from; may be repeated
    #[arg(long, value_name = "SOURCE")]
    provenance: Vec<String>,
    /// A further field of this kind; repeated, it is a list
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = field)]
    fields: Vec<(String, String)>,
    /// Name this attempt, so that repeating it says it once
    #[arg(long)]
    key: Option<String>,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let kind = args.kind.unwrap_or_else(|| if args.answers.is_some() { "answer" } else { "chat" }.into());
    let sent = caller
        .ask(Send {
            room: args.room.room,
            kind,
            text: if args.text == "-" { stdin::text()? } else { args.text },
            headline: args.headline,
            to: args.to,
            answers: args.answers,
            claim: args.claim,
            rationale: args.rationale,
            provenance: args.provenance,
            fields: collected(args.fields),
            key: args.key,
        })
        .await?;
    caller.output.answer(&sent, told)
}

fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE, like expected_format=\"yes or no\"")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Fields that are always lists, so that one value is a list of one.
const LISTS: [&str; 5] = ["files_modified", "decisions_made", "headlines", "decisions", "open_questions"];

fn collected(pairs: Vec<(String, String)>) -> BTreeMap<String, Field> {
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in pairs {
        fields.entry(name).or_default().push(value);
    }
    let field = |(name, mut values): (String, Vec<String>)| match (values.len(), LISTS.contains(&name.as_str())) {
        (1, false) => (name, Field::Text(values.remove(0))),
        _ => (name, Field::List(values)),
    };
    fields.into_iter().map(field).collect()
}

fn told(sent: &Sent) -> String {
    let id = short(&sent.event);
    let there = sent.delivery.values().filter(|state| **state >= DeliveryState::Delivered).count();
    let others = sent.delivery.len();
    let text = match (others, there) {
        _ if sent.repeated => format!("That was said before, as {id}; nothing was said again."),
        (0, _) => format!("Said ({id}). Nobody else is in the room yet; who comes will find it."),
        (1, 1) => format!("Said ({id}), and it has arrived."),
        (_, there) if there == others => format!("Said ({id}), and it has arrived at everybody."),
        _ if sent.state >= DeliveryState::Sent => format!("Said ({id}); it is on the way."),
        _ => format!("Said ({id}) and kept. It goes out as soon as they can be reached; there is nothing to repeat."),
    };
    page::paragraph(&text, page::width())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_fields_are_a_list() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let fields =
            collected(vec![pair("path", "a.rs"), pair("tag", "x"), pair("tag", "y"), pair("files_modified", "b.rs")]);
        assert_eq!(fields["path"], Field::Text("a.rs".into()));
        assert_eq!(fields["tag"], Field::List(vec!["x".into(), "y".into()]));
        assert_eq!(fields["files_modified"], Field::List(vec!["b.rs".into()]));
    }

    #[test]
    fn on_the_way_and_arrived_are_told_apart() {
        let sent = |delivery: &[(&str, DeliveryState)]| {
            let delivery: BTreeMap<_, _> = delivery.iter().map(|(name, state)| (name.to_string(), *state)).collect();
            let state = delivery.values().min().copied().unwrap_or(DeliveryState::Queued);
            told(&Sent { event: "abcdefghij".into(), state, delivery, repeated: false })
        };
        assert!(sent(&[]).contains("Nobody else"));
        assert!(sent(&[("bob", DeliveryState::Delivered)]).contains("has arrived"));
        assert!(sent(&[("bob", DeliveryState::Sent)]).contains("on the way"));
        assert!(sent(&[("bob", DeliveryState::Shown), ("carol", DeliveryState::Queued)]).contains("kept"));
    }
}
