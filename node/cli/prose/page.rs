//! Text laid out for the width of the reader's terminal.

use owo_colors::OwoColorize;
use textwrap::{Options, WordSplitter, core::display_width};

/// Columns to write in: the terminal's, within what is comfortable to read.
pub fn width() -> usize {
    textwrap::termwidth().clamp(40, 100)
}

/// Several lines, wrapped, each behind `indent`. Lines that look like code or a list keep their
/// own indentation, and what may be copied, such as an address, is not broken.
pub fn indented(text: &str, indent: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.trim_end().lines() {
        let own: String = line.chars().take_while(|c| *c == ' ').take(24).collect();
        let margin = format!("{indent}{own}");
        let is_long = |word: &str| word.is_ascii() && word.len() + margin.len() > width;
        let options = Options::new(width).initial_indent(&margin).subsequent_indent(&margin);
        let options = options.word_splitter(WordSplitter::NoHyphenation).break_words(!line.split(' ').any(is_long));
        for wrapped in textwrap::wrap(line.trim(), options) {
            out.push_str(wrapped.trim_end());
            out.push('\n');
        }
    }
    out
}

/// One paragraph, wrapped.
pub fn paragraph(text: &str, width: usize) -> String {
    indented(text, "", width)
}

/// A line to be copied, set apart and never wrapped, since a break would damage it.
pub fn to_copy(line: &str) -> String {
    format!("\n    {}\n\n", line.bold())
}

/// Rows in aligned columns, two spaces apart.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| display_width(cell.as_str())).max();
    let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width + 2 - display_width(cell)));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrapped_line_keeps_its_margin() {
        let text = "one two three four five\n    let indented = true;\n\nlast";
        let told = indented(text, "  ", 14);
        assert_eq!(told, "  one two\n  three four\n  five\n      let\n      indented\n      = true;\n\n  last\n");
    }

    #[test]
    fn an_address_stays_whole() {
        let address = "/ip4/203.0.113.7/udp/4011/quic-v1/p2p/12D3KooW";
        for width in [20, 60] {
            let told = paragraph(&format!("the relay at {address} is away"), width);
            assert!(told.lines().any(|line| line.contains(address)), "{told}");
        }
        assert!(paragraph("日本語日本語日本語日本語", 14).lines().count() > 1);
    }

    #[test]
    fn columns_align_by_display_width() {
        let row = |cells: [&str; 2]| cells.map(String::from).to_vec();
        assert_eq!(table(&[row(["日本", "x"]), row(["abc", "y"])]), "日本  x\nabc   y\n");
    }
}
