//! Which paths of a repository somebody means: a pathspec, in the manner of git's. `*` and `?` go
//! across folders, a folder stands for all that lies in it, and case makes no difference, so that
//! what might meet on any machine does. Only a name with an extension is not taken for a folder by
//! wildcards: `README.md` and `**/*.ts` have nothing in common.

use pairwave_wire::limits;

/// Most bytes of a pathspec.
pub const LENGTH: usize = 192;
/// Most runs of `*`: each may meet any part of another pathspec.
const RUNS: usize = 8;
/// Most bytes of a path that is looked at: no system has longer ones.
const PATH: usize = 4096;

/// Paths relative to the top of a repository, with `/` between folders: `*`, `**`, `?`, `[a-z]`,
/// `[!a-z]`, `{a,b}`; `.` is everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pathspec {
    steps: Vec<Step>,
    /// What every path begins with that is meant.
    beginning: String,
    /// It is made of nothing but `*` and `/`.
    everything: bool,
}

/// A text that names no paths of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it names no path")]
    Empty,
    #[error("it has {got} bytes, at most {LENGTH} are allowed")]
    TooLong { got: usize },
    #[error("it leads out of the repository, or is not relative to its top")]
    Outside,
    #[error("it has a character that no path has here; between folders stands `/`")]
    Character,
    #[error("it has more than {RUNS} times `*`")]
    Intricate,
    #[error("it means the whole repository, which an agent leaves to the others as well")]
    Everything,
}

/// A step of a nondeterministic automaton that reads a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// One of these characters, as ranges in their order.
    One(Vec<(u32, u32)>),
    /// Any characters, or none.
    Run,
    /// The slash of `**/`.
    Loose,
    /// The slash behind what looks like a file: only one that the other side wrote itself stands there.
    Below,
    /// Goes on behind it as well as there.
    Fork(usize),
    Jump(usize),
}

impl Pathspec {
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let chars: Vec<char> = parts_of(text)?.join("/").to_ascii_lowercase().chars().collect();
        let mut compiler = Compiler { chars: &chars, at: 0, steps: Vec::new() };
        compiler.sequence(0);
        let mut steps = compiler.steps;
        let letters = steps.iter().map_while(Step::letter);
        let beginning = letters.collect();
        if chars.is_empty() {
            steps.push(Step::Run);
        } else {
            let slash = if is_like_a_file(text) { Step::Below } else { one('/') };
            steps.extend([Step::Fork(steps.len() + 3), slash, Step::Run]);
        }
        Ok(Self { steps, beginning, everything: chars.iter().all(|letter| matches!(letter, '*' | '/')) })
    }

    /// Is there a path that both mean?
    pub fn overlaps(&self, other: &Self) -> bool {
        let (one, two) = (&self.beginning, &other.beginning);
        (one.starts_with(two) || two.starts_with(one)) && meet(&self.steps, &other.steps)
    }

    /// Does it mean this path, in whatever way that is written? No path ends with a slash.
    pub fn covers(&self, path: &str) -> bool {
        if path.len() > PATH {
            return false;
        }
        let path = path.replace('\\', "/").to_ascii_lowercase();
        let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        let path = parts.join("/");
        path.starts_with(&self.beginning) && self.reads(&path)
    }

    /// Does it mean everything that there is?
    pub fn is_everything(&self) -> bool {
        self.everything
    }

    /// Follows all ways through the steps at once.
    fn reads(&self, path: &str) -> bool {
        let mut here = Places::new(self.steps.len());
        here.add(&self.steps, 0);
        for letter in path.chars() {
            let mut next = Places::new(self.steps.len());
            for at in here.open {
                match self.steps.get(at) {
                    Some(Step::Run) => next.add(&self.steps, at),
                    Some(step) if step.takes(letter) => next.add(&self.steps, at + 1),
                    _ => {}
                }
            }
            here = next;
        }
        here.seen[self.steps.len()]
    }
}

/// Steps that an automaton stands before.
struct Places {
    open: Vec<usize>,
    seen: Vec<bool>,
}

impl Places {
    fn new(steps: usize) -> Self {
        Self { open: Vec::new(), seen: vec![false; steps + 1] }
    }

    fn add(&mut self, steps: &[Step], at: usize) {
        if std::mem::replace(&mut self.seen[at], true) {
            return;
        }
        match steps.get(at) {
            Some(Step::Fork(other)) => {
                self.add(steps, at + 1);
                self.add(steps, *other);
            }
            Some(Step::Jump(other)) => self.add(steps, *other),
            Some(Step::Run) => {
                self.open.push(at);
                self.add(steps, at + 1);
            }
            _ => self.open.push(at),
        }
    }
}

impl Step {
    /// The one character that it reads, if there is no other.
    fn letter(&self) -> Option<char> {
        match self {
            Self::One(set) if matches!(set[..], [(from, to)] if from == to) => char::from_u32(set[0].0),
            _ => None,
        }
    }

    fn takes(&self, letter: char) -> bool {
        match self {
            Self::One(set) => set.iter().any(|(from, to)| (*from..=*to).contains(&(letter as u32))),
            Self::Loose | Self::Below => letter == '/',
            Self::Run | Self::Fork(_) | Self::Jump(_) => false,
        }
    }
}

/// The names between the slashes; none for the whole repository.
fn parts_of(text: &str) -> Result<Vec<&str>, Malformed> {
    let got = text.len();
    if text.trim().is_empty() {
        return Err(Malformed::Empty);
    }
    if got > LENGTH {
        return Err(Malformed::TooLong { got });
    }
    if text.chars().any(|letter| letter == '\\' || letter.is_control()) {
        return Err(Malformed::Character);
    }
    if text.split(|letter| letter != '*').filter(|stars| !stars.is_empty()).count() > RUNS {
        return Err(Malformed::Intricate);
    }
    // A colon in front is git's sign for more than a path, one behind a letter names a drive.
    let drive = text.as_bytes().get(1) == Some(&b':') && text.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if drive || text.starts_with(['/', ':', '~']) || text.split(['/', '{', ',', '}']).any(|part| part == "..") {
        return Err(Malformed::Outside);
    }
    Ok(text.split('/').filter(|part| !part.is_empty() && *part != ".").collect())
}

/// Has the last name an extension? Of several names in braces, one may be a folder's.
fn is_like_a_file(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or_default();
    name.trim_start_matches('.').contains('.') && !name.contains(['{', ',', '}'])
}

/// Reads a pathspec from left to right.
struct Compiler<'a> {
    chars: &'a [char],
    at: usize,
    steps: Vec<Step>,
}

impl Compiler<'_> {
    /// Up to the end, or inside of braces to that of an alternative.
    fn sequence(&mut self, depth: usize) {
        while let Some(&letter) = self.chars.get(self.at) {
            match letter {
                ',' | '}' if depth > 0 => return,
                '*' => self.stars(),
                '?' => self.take(Step::One(vec![(0, u32::MAX)])),
                '[' => self.class(),
                '{' => self.choice(depth),
                letter => self.take(one(letter)),
            }
        }
    }

    fn take(&mut self, step: Step) {
        self.steps.push(step);
        self.at += 1;
    }

    /// `**/` stands for no folder, too.
    fn stars(&mut self) {
        let begins = self.at.checked_sub(1).is_none_or(|before| matches!(self.chars[before], '/' | '{' | ','));
        let stars = self.chars[self.at..].iter().take_while(|letter| **letter == '*').count();
        self.at += stars;
        if stars > 1 && begins && self.chars.get(self.at) == Some(&'/') {
            let end = self.steps.len() + 3;
            self.steps.extend([Step::Fork(end), Step::Run]);
            self.take(Step::Loose);
        } else {
            self.steps.push(Step::Run);
        }
    }

    /// As for git, brackets stand for themselves as well: a folder may be called `[id]`.
    fn class(&mut self) {
        let Some(end) = self.end_of_class() else { return self.take(one('[')) };
        let fork = self.steps.len();
        let set = set_of(&self.chars[self.at + 1..end]);
        let literal = self.chars[self.at..=end].iter().copied().map(one);
        let (second, after) = (fork + 3, fork + 3 + (end + 1 - self.at));
        self.steps.extend([Step::Fork(second), Step::One(set), Step::Jump(after)]);
        self.steps.extend(literal);
        self.at = end + 1;
    }

    fn end_of_class(&self) -> Option<usize> {
        let negated = matches!(self.chars.get(self.at + 1), Some('!' | '^'));
        let first = self.at + 1 + usize::from(negated);
        let rest = self.chars.get(first + 1..)?;
        let end = first + 1 + rest.iter().position(|letter| *letter == ']')?;
        let plain = |letter: &char| !matches!(letter, '/' | ',' | '{' | '}');
        self.chars[self.at..end].iter().all(plain).then_some(end)
    }

    /// Braces without a comma, or that do not close, stand for themselves.
    fn choice(&mut self, depth: usize) {
        match self.has_commas() {
            Some(true) => {}
            Some(false) => {
                self.take(one('{'));
                self.sequence(depth + 1);
                return self.take(one('}'));
            }
            None => return self.take(one('{')),
        }
        let mut ends = Vec::new();
        loop {
            self.at += 1;
            let fork = self.steps.len();
            self.steps.push(Step::Fork(0));
            self.sequence(depth + 1);
            let last = self.chars[self.at] == '}';
            ends.push(self.steps.len());
            self.steps.push(Step::Jump(0));
            // The last alternative has nothing beside it.
            self.steps[fork] = Step::Fork(if last { fork + 1 } else { self.steps.len() });
            if last {
                break;
            }
        }
        self.at += 1;
        let after = self.steps.len();
        ends.into_iter().for_each(|end| self.steps[end] = Step::Jump(after));
    }

    /// None where the brace does not close.
    fn has_commas(&self) -> Option<bool> {
        let (mut depth, mut commas) = (0, false);
        for letter in &self.chars[self.at..] {
            match letter {
                '{' => depth += 1,
                '}' if depth == 1 => return Some(commas),
                '}' => depth -= 1,
                ',' => commas |= depth == 1,
                _ => {}
            }
        }
        None
    }
}

fn one(letter: char) -> Step {
    Step::One(vec![(letter as u32, letter as u32)])
}

/// What stands between the brackets of a class.
fn set_of(inside: &[char]) -> Vec<(u32, u32)> {
    let negated = matches!(inside.first(), Some('!' | '^'));
    let inside = &inside[usize::from(negated)..];
    let (mut ranges, mut at) = (Vec::new(), 0);
    while let Some(&from) = inside.get(at) {
        let to = if inside.get(at + 1) == Some(&'-') { inside.get(at + 2).copied() } else { None };
        at += if to.is_some() { 3 } else { 1 };
        ranges.push((from as u32, to.unwrap_or(from) as u32));
    }
    ranges.sort_unstable();
    if negated { all_but(&ranges) } else { ranges }
}

fn all_but(ranges: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let (mut rest, mut from) = (Vec::new(), 0);
    for (first, last) in ranges {
        if *first > from {
            rest.push((from, first - 1));
        }
        from = from.max(last + 1);
    }
    rest.push((from, u32::MAX));
    rest
}

/// Is there a text that both read to their end? Looks at each pair of steps once.
fn meet(a: &[Step], b: &[Step]) -> bool {
    let width = b.len() + 1;
    let mut seen = vec![false; (a.len() + 1) * width];
    let mut open = vec![(0, 0)];
    while let Some((i, j)) = open.pop() {
        if std::mem::replace(&mut seen[i * width + j], true) {
            continue;
        }
        match (a.get(i), b.get(j)) {
            (None, None) => return true,
            (Some(Step::Fork(other)), _) => open.extend([(i + 1, j), (*other, j)]),
            (Some(Step::Jump(other)), _) => open.push((*other, j)),
            (_, Some(Step::Fork(other))) => open.extend([(i, j + 1), (i, *other)]),
            (_, Some(Step::Jump(other))) => open.push((i, *other)),
            (Some(Step::Run), Some(Step::Below)) => open.push((i + 1, j)),
            (Some(Step::Below), Some(Step::Run)) => open.push((i, j + 1)),
            (Some(Step::Run), Some(_)) | (Some(_), Some(Step::Run)) => open.extend([(i + 1, j), (i, j + 1)]),
            (Some(Step::Run), None) => open.push((i + 1, j)),
            (None, Some(Step::Run)) => open.push((i, j + 1)),
            (Some(one), Some(other)) if may_be_alike(one, other) => open.push((i + 1, j + 1)),
            _ => {}
        }
    }
    false
}

/// Of two steps that read one character each.
fn may_be_alike(a: &Step, b: &Step) -> bool {
    match (a, b) {
        (Step::One(a), Step::One(b)) => {
            a.iter().any(|(from, to)| b.iter().any(|(first, last)| from <= last && first <= to))
        }
        (Step::Loose, Step::One(set)) | (Step::One(set), Step::Loose) => {
            set.iter().any(|(from, to)| (*from..=*to).contains(&('/' as u32)))
        }
        (Step::Below, other) | (other, Step::Below) => *other == one('/') || *other == Step::Below,
        (Step::Loose, Step::Loose) => true,
        _ => false,
    }
}

const _: () = assert!(LENGTH <= limits::LIST_ENTRY);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spec(text: &str) -> Pathspec {
        Pathspec::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn overlap(a: &str, b: &str) -> bool {
        let (a, b) = (spec(a), spec(b));
        assert_eq!(a.overlaps(&b), b.overlaps(&a));
        a.overlaps(&b)
    }

    #[test]
    fn what_overlaps() {
        for (a, b) in [
            ("src/*.ts", "src/auth/**"),
            ("src/*.ts", "src/auth/login.ts"),
            ("src/auth", "src/auth/login.ts"),
            ("src/auth/", "src/auth"),
            ("./src/auth", "src/auth/**"),
            ("**", "README.md"),
            (".", "a/b/c"),
            ("src/**/mod.rs", "src/mod.rs"),
            ("**/*.rs", "main.rs"),
            ("src/{a,b}/*.rs", "src/b/x.rs"),
            ("src/{a,{b,c}}", "src/c/x.rs"),
            ("[a-c]*.md", "b.md"),
            ("app/[id]/page.tsx", "app/[id]"),
            ("app/[id]/page.tsx", "app/i/page.tsx"),
            ("a?c", "abc"),
            ("README.md", "readme.MD"),
            ("*a*b*", "*b*a*"),
            ("[!a]", "b"),
            ("a{", "a{"),
            ("{a}", "{a}"),
            ("a[", "a["),
            ("töchter/*", "töchter/söhne"),
            ("v1.2", "v1.2/x.rs"),
            ("v1.2/", "**/*.rs"),
            (".github", "**/*.yml"),
            ("README.md", "*"),
            ("{README.md,src}", "**/*.ts"),
            ("{a{b},c}", "c"),
            ("{a{b},c}", "a{b}"),
        ] {
            assert!(overlap(a, b), "{a} and {b}");
        }
    }

    #[test]
    fn what_does_not() {
        for (a, b) in [
            ("src/auth", "src/authors"),
            ("src/a.rs", "src/b.rs"),
            ("*.rs", "*.ts"),
            ("src/{a,b}", "src/c"),
            ("[a-c]", "d"),
            ("[!a]", "a"),
            ("a?c", "ac"),
            ("src/**/mod.rs", "src/amod.rs"),
            ("docs", "src"),
            ("{a}", "a"),
            ("a[", "a"),
            ("README.md", "**/*.ts"),
            ("src/*.ts", "*.rs"),
        ] {
            assert!(!overlap(a, b), "{a} and {b}");
        }
    }

    #[test]
    fn what_names_no_paths_of_a_repository() {
        for (text, error) in [
            (" ", Malformed::Empty),
            ("/etc", Malformed::Outside),
            ("~/x", Malformed::Outside),
            (":(glob)x", Malformed::Outside),
            ("../x", Malformed::Outside),
            ("a/../b", Malformed::Outside),
            ("{..,a}/b", Malformed::Outside),
            ("a\\b", Malformed::Character),
            ("a\nb", Malformed::Character),
            (&"x".repeat(193), Malformed::TooLong { got: 193 }),
            (&"*a".repeat(9), Malformed::Intricate),
            ("C:/x", Malformed::Outside),
        ] {
            assert_eq!(Pathspec::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_path_is_meant_however_it_is_written() {
        for path in ["src/auth/x.ts", "./src//auth/x.ts", "src\\Auth\\x.ts"] {
            assert!(spec("src/auth").covers(path) && spec("src/**/*.ts").covers(path), "{path}");
        }
        assert!(!spec("src/auth").covers("src/authors") && !spec("**").covers(&"x/".repeat(2_049)));
        assert!(spec("v1.2").covers("v1.2/x.rs"));
    }

    #[test]
    fn what_means_everything() {
        for (text, is) in [(".", true), ("**", true), ("*/**", true), ("**/*", true), ("src", false), ("*.rs", false)] {
            assert_eq!(spec(text).is_everything(), is, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-c/*?\\[\\]{},!.-]{0,40}") {
            if let Ok(spec) = Pathspec::parse(&text) {
                prop_assert!(spec.overlaps(&spec) && spec.steps.len() <= 2 * text.len() + 3);
            }
        }

        /// A path that both mean is one on which they meet.
        #[test]
        fn common_paths_are_found(a in "[ab/*?]{1,8}", b in "[ab/*?]{1,8}", path in "[ab]{1,3}(/[ab]{1,3}){0,2}") {
            if let (Ok(a), Ok(b)) = (Pathspec::parse(&a), Pathspec::parse(&b)) {
                prop_assert!(!(a.covers(&path) && b.covers(&path)) || a.overlaps(&b));
            }
        }
    }
}
