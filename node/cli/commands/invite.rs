use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use jiff::Timestamp;
use pairwave_api::{CloseInvite, Code, InviteList, InviteMade, Invites};
use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

use crate::args::{RoomArg, duration};
use crate::caller::Caller;
use crate::output::{Ended, Stop};
use crate::prose::{count, page, plain, short, when};

/// Make a further invite, list those there are, or revoke one
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  pairwave invite
  pairwave invite --expires 7d --uses 3 --qr
  pairwave invite list
  pairwave invite revoke ID"
)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// How long it opens the door: 90s, 5m, 24h, 7d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration)]
    expires: Duration,
    /// How many people it lets in
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    uses: u32,
    /// Also draw it, to be scanned
    #[arg(long)]
    qr: bool,
    #[command(flatten)]
    room: RoomArg,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The invites of this room and what became of them
    #[command(after_help = "Example:\n  pairwave invite list --json")]
    List {
        #[command(flatten)]
        room: RoomArg,
    },
    /// Close an invite that is still open
    #[command(after_help = "Example:\n  pairwave invite revoke k3zq")]
    Revoke {
        /// Id, or its beginning
        id: String,
        #[command(flatten)]
        room: RoomArg,
    },
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    match args.action {
        None => make(args, caller).await,
        Some(Action::List { room }) => {
            let list = caller.ask(Invites { room: room.room }).await?;
            caller.output.answer(&list, |list| told_list(list, Timestamp::now()))
        }
        Some(Action::Revoke { id, room }) => {
            let closed = caller.ask(CloseInvite { room: room.room, id }).await?;
            caller.output.answer(&closed, |_| "That invite opens nothing any more.".into())
        }
    }
}

async fn make(args: Args, caller: &Caller) -> Ended {
    let expires_s = Some(args.expires.as_secs());
    let made = caller.ask(pairwave_api::Invite { room: args.room.room, expires_s, uses: Some(args.uses) }).await?;
    let ended: ExitCode = caller.output.answer(&made, |made| told(made, Timestamp::now()))?;
    if args.qr && !caller.output.json() {
        caller.output.prose(&drawn(&made.invite)?)?;
    }
    Ok(ended)
}

fn told(made: &InviteMade, now: Timestamp) -> String {
    let people = count(made.uses.into(), "person", "people");
    let limits = format!(
        "It lets {people} in and ends {}. To close it before: `pairwave invite revoke {}`",
        when::ahead(&made.expires_at, now),
        short(&made.id)
    );
    let line = page::to_copy(&format!("pairwave join {}", plain::line(&made.invite)));
    format!("Send this line, over any messenger:\n{line}{}", page::paragraph(&limits, page::width()))
}

fn told_list(list: &InviteList, now: Timestamp) -> String {
    if list.invites.is_empty() {
        return "Nobody has made an invite to this room. `pairwave invite` makes one.".into();
    }
    let rows = list.invites.iter().map(|invite| {
        let state = match invite.state.as_str() {
            "open" => format!("open, ends {}", when::ahead(&invite.expires_at, now)),
            "used_up" => "used up".into(),
            other => plain::line(other),
        };
        let by = format!("by {}", plain::line(&invite.by));
        vec![short(&invite.id).to_owned(), by, format!("{} of {} used", invite.used, invite.uses), state]
    });
    page::table(&rows.collect::<Vec<_>>())
}

/// Two modules a character, light on dark turned round so that it scans on a dark terminal too.
fn drawn(invite: &str) -> Result<String, Stop> {
    let code = QrCode::with_error_correction_level(invite, EcLevel::L).map_err(|error| {
        let next = "Send the line itself instead.";
        Stop::failed(Code::Failed, "no_qr", format!("The invite does not fit into a QR code: {error}."), next)
    })?;
    let mut image = code.render::<Dense1x2>();
    Ok(image.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).quiet_zone(true).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_is_drawn_in_half_blocks() {
        let drawn = drawn("pw1abcdefghijklmnop").expect("it fits");
        assert!(drawn.lines().count() > 10);
        assert!(drawn.chars().all(|c| matches!(c, ' ' | '▀' | '▄' | '█' | '\n')));
    }

    #[test]
    fn what_does_not_fit_is_a_failure() {
        assert!(matches!(drawn(&"x".repeat(5000)), Err(Stop::Failed(failure)) if failure.rule == "no_qr"));
    }
}
