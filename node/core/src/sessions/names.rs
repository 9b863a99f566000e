//! How a session looks before anybody names it.

use crate::id::SessionId;
use crate::key;

/// What a session's id alone gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Two words, `winter-bay`.
    pub name: String,
    pub emoji: &'static str,
    /// As CSS takes it, `#rrggbb`; readable on light and on dark ground.
    pub color: String,
}

/// The look of a session: the same for everybody, without asking anybody.
pub fn look(session: &SessionId) -> Look {
    let hash = key::hash(b"pairwave-session-look-v1", &[&session.0]);
    let pick = |at: usize, of: usize| (usize::from(hash[at]) << 8 | usize::from(hash[at + 1])) % of;
    let name = format!("{}-{}", FIRST[pick(0, FIRST.len())], SECOND[pick(2, SECOND.len())]);
    Look { name, emoji: EMOJI[pick(4, EMOJI.len())], color: color(pick(6, 360)) }
}

/// A colour of the hue, neither pale nor dark: HSL with 55 % saturation and 48 % lightness.
fn color(hue: usize) -> String {
    let channel = |shift: usize| {
        let k = (shift * 30 + hue) % 360;
        let slope = k.min(360 - k).clamp(60, 120) - 60;
        // From 216 ‰ of full light, at the hue's opposite, to 744 ‰.
        let light = 216 + (60 - slope) * (744 - 216) / 60;
        light * 255 / 1000
    };
    format!("#{:02x}{:02x}{:02x}", channel(0), channel(8), channel(4))
}

const FIRST: [&str; 72] = [
    "amber", "april", "autumn", "birch", "blue", "bold", "brave", "bright", "calm", "cedar", "clear", "cloudy",
    "cobalt", "copper", "coral", "crimson", "dawn", "deep", "distant", "dusty", "early", "eastern", "evening", "fair",
    "fern", "first", "frosty", "gentle", "golden", "green", "hazel", "hidden", "honest", "icy", "indigo", "ivory",
    "jade", "juniper", "keen", "late", "little", "lively", "lucky", "lunar", "maple", "mellow", "misty", "morning",
    "mossy", "night", "noble", "northern", "olive", "opal", "patient", "pearl", "plain", "quick", "quiet", "rainy",
    "silver", "slow", "southern", "spring", "steady", "still", "stormy", "summer", "sunny", "warm", "western",
    "winter",
];

const SECOND: [&str; 72] = [
    "acorn", "anchor", "bay", "beach", "bell", "bridge", "brook", "canyon", "cape", "castle", "cliff", "cloud",
    "comet", "cove", "creek", "crow", "delta", "dune", "eagle", "falcon", "field", "fjord", "forest", "fox", "garden",
    "glade", "glen", "grove", "gull", "harbor", "hawk", "heron", "hill", "island", "lagoon", "lake", "lantern", "lark",
    "ledge", "lynx", "marsh", "meadow", "mesa", "mill", "moon", "moor", "orchard", "otter", "owl", "path", "peak",
    "pine", "pond", "prairie", "raven", "reef", "ridge", "river", "robin", "sail", "shore", "sky", "sparrow", "star",
    "stone", "stream", "swan", "tide", "trail", "valley", "wave", "wren",
];

const EMOJI: [&str; 48] = [
    "🦊", "🐻", "🐼", "🐨", "🐯", "🦁", "🐸", "🐵", "🐧", "🐦", "🦆", "🦉", "🐺", "🐗", "🐴", "🦄", "🐝", "🦋", "🐌",
    "🐞", "🐢", "🐙", "🦑", "🦐", "🐠", "🐬", "🐳", "🐊", "🦓", "🐘", "🐪", "🦒", "🐏", "🐐", "🦌", "🐓", "🦃", "🦚",
    "🦜", "🦢", "🐇", "🦝", "🦦", "🦥", "🦔", "🌵", "🍄", "🌻",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_look_depends_on_the_id_alone() {
        assert_eq!(look(&SessionId([7; 16])), look(&SessionId([7; 16])));
        let names: BTreeSet<String> = (0..200u8).map(|n| look(&SessionId([n; 16])).name).collect();
        assert!(names.len() > 180, "{} different names of 200", names.len());
    }

    #[test]
    fn the_words_are_distinct() {
        assert_eq!(FIRST.iter().collect::<BTreeSet<_>>().len(), FIRST.len());
        assert_eq!(SECOND.iter().collect::<BTreeSet<_>>().len(), SECOND.len());
        assert_eq!(EMOJI.iter().collect::<BTreeSet<_>>().len(), EMOJI.len());
    }

    #[test]
    fn colours_are_neither_pale_nor_dark() {
        for hue in 0..360 {
            let color = color(hue);
            let channels = [1, 3, 5].map(|at| u32::from_str_radix(&color[at..at + 2], 16).unwrap());
            let (low, high) = (channels.iter().min().unwrap(), channels.iter().max().unwrap());
            assert!(*low >= 50 && *high <= 195 && high - low > 100, "{hue}: {color}");
        }
    }
}
