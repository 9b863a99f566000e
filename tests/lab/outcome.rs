//! What came of a cell, as it travels from one process to another and stands in the document.

use serde_json::{Value, json};

use crate::plan::{Plan, Relays, Twist};
use crate::theory::Reach;
use crate::watch::View;

#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub cell: String,
    pub expected: String,
    pub ok: bool,
    pub met: bool,
    /// What it took to meet: `join`, or `answer` where the inviter had to dial.
    pub by: String,
    /// As alice and as bob see it.
    pub paths: Vec<String>,
    pub transports: Vec<String>,
    /// Seconds from `join` to both seeing each other.
    pub met_after: Option<f64>,
    /// Seconds from having met to both seeing a direct path.
    pub joined_direct_after: Option<f64>,
    /// Seconds from both being up again to the first words having come, each way.
    pub first_words_after: Option<f64>,
    pub direct_after: Option<f64>,
    /// Seconds from the kill of the relay to words having come, each way.
    pub words_after_loss: Option<f64>,
    /// What `doctor` said, where it was asked and said what is true: of the relays behind a closed portal, of
    /// the router that lends ports.
    pub doctor: Option<String>,
    pub note: String,
}

impl Outcome {
    pub fn of(plan: Plan) -> Self {
        Self { cell: plan.to_string(), expected: plan.expected().name().to_owned(), ..Self::default() }
    }

    pub fn say(&mut self, note: String) {
        if !self.note.is_empty() {
            self.note.push_str("; ");
        }
        self.note.push_str(&note);
    }

    pub fn see(&mut self, views: Option<(View, View)>) {
        let views = views.map(|(hers, his)| vec![hers, his]).unwrap_or_default();
        self.paths = views.iter().map(|view| view.path.clone()).collect();
        self.transports = views.iter().map(|view| view.transport().to_owned()).collect();
    }

    /// Is it what theory says?
    pub fn judge(mut self, plan: Plan) -> Self {
        let direct = self.direct_after.is_some();
        let goes_on = plan.relays != Relays::Two || self.words_after_loss.is_some();
        let talked = self.first_words_after.is_some() && goes_on;
        let is_asked = matches!(plan.twist, Twist::CaptivePortal | Twist::Lends(_));
        let as_in_theory = match plan.expected() {
            Reach::Dialled | Reach::Punched => self.met && talked && direct,
            Reach::Relayed => self.met && talked,
            Reach::Apart => !self.met,
        };
        self.ok = as_in_theory && (!is_asked || self.doctor.is_some());
        self
    }

    pub fn to_json(&self) -> Value {
        json!({
            "cell": self.cell, "expected": self.expected, "ok": self.ok, "met": self.met, "by": self.by,
            "paths": self.paths, "transports": self.transports, "met_s": rounded(self.met_after),
            "joined_direct_s": rounded(self.joined_direct_after),
            "first_words_s": rounded(self.first_words_after), "direct_s": rounded(self.direct_after),
            "words_after_loss_s": rounded(self.words_after_loss), "doctor": self.doctor, "note": self.note,
        })
    }

    pub fn from_json(json: &Value) -> Option<Self> {
        let text = |key: &str| json[key].as_str().map(str::to_owned);
        let texts = |key: &str| -> Vec<String> {
            json[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Some(Self {
            cell: text("cell")?,
            expected: text("expected")?,
            ok: json["ok"].as_bool()?,
            met: json["met"].as_bool()?,
            by: text("by")?,
            paths: texts("paths"),
            transports: texts("transports"),
            met_after: json["met_s"].as_f64(),
            joined_direct_after: json["joined_direct_s"].as_f64(),
            first_words_after: json["first_words_s"].as_f64(),
            direct_after: json["direct_s"].as_f64(),
            words_after_loss: json["words_after_loss_s"].as_f64(),
            doctor: text("doctor"),
            note: text("note")?,
        })
    }
}

fn rounded(seconds: Option<f64>) -> Option<f64> {
    seconds.map(|seconds| (seconds * 1000.0).round() / 1000.0)
}
